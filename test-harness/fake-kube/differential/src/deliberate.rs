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

const RULES: &[Rule] = &[
    ("rules in code of built-in kinds", is_rule_of_builtin),
    ("warnings about built-in kinds", is_warning_of_builtin),
    ("names of Go types", is_name_of_type),
    ("empty rules of a role", is_empty_rules),
    ("empty and absent in a network policy", is_empty_or_absent),
];

/// The name of the deliberate difference that explains this one.
pub fn explain(case: &Case<'_>) -> Option<&'static str> {
    RULES.iter().find(|(_, holds)| holds(case)).map(|(name, _)| *name)
}

/// The real server calls an object of a built-in kind invalid. Whatever the embedded one says to that is excused if it
/// takes the object, or refuses it with 404, 409 or 422: it has not all the rules that the real one has in code.
///
/// This is broad. Faults that the embedded one names and the real one does not, other words for the same fault, and a
/// rule that the embedded one claims to have and lost are excused as well; contract cases hold those that it has. Only
/// what the embedded one refuses and the real one takes is never excused.
fn is_rule_of_builtin(case: &Case<'_>) -> bool {
    if case.is_custom || case.real.code != 422 || case.real.body["reason"] != "Invalid" {
        return false;
    }
    case.fake.code < 300 || matches!(case.fake.code, 404 | 409 | 422)
}

/// The real server reads the specs of pods for what works but is seldom meant, and says so.
fn is_warning_of_builtin(case: &Case<'_>) -> bool {
    let is_about_fields =
        |warning: &&String| warning.contains("unknown field") || warning.contains("duplicate field");
    !case.is_custom
        && case.only_differs_in("warnings")
        && case
            .real
            .warnings
            .iter()
            .filter(is_about_fields)
            .eq(case.fake.warnings.iter())
}

/// What cannot be decoded is said to be of no type but that of its field, which has a name in Go and none in OpenAPI.
fn is_name_of_type(case: &Case<'_>) -> bool {
    let without_type = |answer: &Answer| {
        let message = answer.body["message"].as_str().unwrap_or_default();
        Some(
            message
                .split(';')
                .map(str::trim)
                .find(|part| part.contains("json: cannot unmarshal"))?
                .split(" of type ")
                .next()?
                .to_owned(),
        )
    };
    let message = without_type(case.real);
    case.real.code == 400 && case.fake.code == 400 && message.is_some() && message == without_type(case.fake)
}

/// A role whose rules are an empty list has an owner of them there until it is next read from storage.
fn is_empty_rules(case: &Case<'_>) -> bool {
    let is_about_rules = |line: &crate::compare::Line| line.path.ends_with("/f:rules");
    case.real.code == case.fake.code && case.difference.lines.iter().all(is_about_rules)
}

/// Network policies are compared by a function to which an empty map and none are two things, so their generation counts on.
fn is_empty_or_absent(case: &Case<'_>) -> bool {
    case.step.path.contains("/networkpolicies") && case.only_differs_in("/metadata/generation")
}

impl Case<'_> {
    fn only_differs_in(&self, path: &str) -> bool {
        self.difference.lines.iter().all(|line| line.path == path)
    }

    /// Whether the two hold the same objects after this.
    pub fn leaves_the_same(&self) -> bool {
        self.real.code >= 400 && self.fake.code >= 400 || self.only_differs_in("warnings")
    }
}
