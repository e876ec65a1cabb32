//! Differences that are meant, by name: the embedded server's list of them says why.
//!
//! Each entry looks at one request and both answers. One that holds explains the whole difference. The sequence ends
//! there if one of them did what was asked, since the two hold different objects after it.

use crate::compare::Difference;
use crate::server::Answer;
use crate::step::Step;

/// What a rule looks at.
#[derive(Debug)]
pub struct Case<'a> {
    /// The request.
    pub step: &'a Step,
    /// Whether it is about a kind that a definition defines.
    pub is_custom: bool,
    /// The real server's answer.
    pub real: &'a Answer,
    /// The embedded one's.
    pub fake: &'a Answer,
    /// How they differ.
    pub difference: &'a Difference,
}

/// A deliberate difference.
type Rule = (&'static str, fn(&Case<'_>) -> bool);

const RULES: &[Rule] = &[("rules in code of built-in kinds", is_rule_of_builtin)];

/// The name of the deliberate difference that explains this one.
pub fn explain(case: &Case<'_>) -> Option<&'static str> {
    RULES.iter().find(|(_, holds)| holds(case)).map(|(name, _)| *name)
}

/// The real server refuses an object of a built-in kind by a rule that it has in code, and the embedded one does not, or
/// names fewer of its faults. Never the other way round.
fn is_rule_of_builtin(case: &Case<'_>) -> bool {
    if case.is_custom || case.real.code != 422 || case.real.body["reason"] != "Invalid" {
        return false;
    }
    case.fake.code < 300 || case.fake.body["reason"] == "Invalid"
}
