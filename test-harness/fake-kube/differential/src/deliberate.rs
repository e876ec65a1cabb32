//! Differences that are meant, by name: the embedded server's list of them says why.
//!
//! Each entry looks at one request and both answers. One that holds explains the whole difference. The sequence ends
//! there if one of them did what was asked, since the two hold different objects after it.

mod unchecked;
mod words;

use serde_json::Value;

use crate::compare::{Difference, Line};
use crate::server::Answer;
use crate::step::{Content, Step};

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
    ("warnings about built-in kinds", is_warning_of_builtin),
    ("warnings of a patch of what was just deleted", is_of_stale_cache),
    ("names of Go types", is_name_of_type),
    ("numbers that do not fit", is_overflow),
    ("two families of addresses", is_of_two_families),
    ("empty metadata that is shown as null", is_null_metadata),
    ("empty lists of what goes with this write", is_empty_at_the_end),
];

/// The name of the deliberate difference that explains this one.
pub fn explain(case: &Case<'_>) -> Option<&'static str> {
    let rule = RULES.iter().find(|(_, holds)| holds(case));
    rule.map(|(name, _)| *name).or_else(|| unchecked::explain(case))
}

/// The real server reads the specs of pods and of Services for what works but is seldom meant, and says so.
fn is_warning_of_builtin(case: &Case<'_>) -> bool {
    let is_known = |warning: &String| WARNINGS.iter().any(|words| warning.contains(words));
    let mut more = case
        .real
        .warnings
        .iter()
        .filter(|warning| !case.fake.warnings.contains(warning));
    !case.is_custom
        && case.only_differs_in("warnings")
        && case.warns_as_much_of_fields()
        && more.all(is_known)
}

/// What it says then.
const WARNINGS: [&str; 19] = [
    "a DNS label is recommended",
    "a negative value retains all historical revisions",
    "a null labelSelector results in matching no pod",
    "ambiguous port definition with ",
    "deprecated in ",
    "duplicate ip ",
    "duplicate name ",
    "duplicate port definition with ",
    "duplicate port name ",
    "fractional byte value ",
    "has no sources provided",
    "hides previous definition of ",
    "hostIP set without hostPort",
    "invalid empty name ",
    "is ignored for headless services",
    "negative values are invalid and will be treated as 1",
    "overlapping paths: ",
    "overlapping port definition with ",
    "tls: failed to find any PEM data",
];

/// The real server first tries a patch on what its cache holds, and warns of that, though it finds then that the object
/// has gone in the meantime.
fn is_of_stale_cache(case: &Case<'_>) -> bool {
    case.step.method == "PATCH"
        && (case.real.code, case.fake.code) == (404, 404)
        && case.fake.warnings.is_empty()
        && case.only_differs_in("warnings")
}

/// What cannot be decoded is said to be of no type but that of its field, which has a name in Go and none in OpenAPI.
fn is_name_of_type(case: &Case<'_>) -> bool {
    let without_type = |answer: &Answer| {
        let message = answer.body["message"].as_str().unwrap_or_default();
        let parts = message.split(';').map(str::trim);
        let part = parts
            .into_iter()
            .find(|part| part.contains("json: cannot unmarshal"))?;
        let (what, field) = part
            .split(" of type ")
            .next()?
            .split_once(" into Go struct field ")?;
        // Structs that are inlined have a name there, too.
        Some((what.to_owned(), field.rsplit('.').next()?.to_owned()))
    };
    let message = without_type(case.real);
    case.real.code == 400 && case.fake.code == 400 && message.is_some() && message == without_type(case.fake)
}

/// Labels or the like of a custom resource of which an apply takes the last are now and then shown to be null.
fn is_null_metadata(case: &Case<'_>) -> bool {
    let is_told = |line: &Line| {
        let field = line.path.strip_prefix("/metadata/");
        field.is_some_and(|field| HOLLOW.contains(&field))
            && (&*line.real, &*line.fake) == ("null", "nothing")
    };
    case.is_custom && matches!(case.step.method, "PATCH" | "PUT") && case.difference.lines.iter().all(is_told)
}

const HOLLOW: [&str; 4] = ["annotations", "finalizers", "labels", "ownerReferences"];

/// An object that goes when its last finalizer is taken is shown as it was decoded: a list that is null where it was
/// stored is empty there, if it was sent so.
fn is_empty_at_the_end(case: &Case<'_>) -> bool {
    let metadata = &case.real.body["metadata"];
    let goes = !metadata["deletionTimestamp"].is_null() && metadata["finalizers"].is_null();
    let is_told = |line: &Line| (&*line.real, &*line.fake) == ("[]", "null");
    case.real.code == 200 && case.fake.code == 200 && goes && case.difference.lines.iter().all(is_told)
}

/// What families of addresses a cluster has is looked at before anything else of a Service.
fn is_of_two_families(case: &Case<'_>) -> bool {
    let is_about_families = |cause: &Value| unchecked::text(cause, "field").starts_with("spec.ipFamil");
    let causes = unchecked::causes(case.real);
    let goes_on = case.fake.code < 300 || matches!(case.fake.code, 404 | 409 | 422);
    case.step.path.contains("/services")
        && goes_on
        && !causes.is_empty()
        && causes.iter().all(is_about_families)
}

/// A number too large for its field becomes another one when it is applied; the embedded server refuses it.
fn is_overflow(case: &Case<'_>) -> bool {
    let message = case.fake.body["message"].as_str().unwrap_or_default();
    let is_applied = case.step.kind == Content::Apply;
    is_applied
        && !case.is_custom
        && case.fake.code == 422
        && message.contains("Checked value must be of type integer")
}

impl Case<'_> {
    /// Whether the embedded server warns of all that it would: of fields, and of nothing else.
    fn warns_as_much_of_fields(&self) -> bool {
        let is_about_fields =
            |warning: &&String| warning.contains("unknown field") || warning.contains("duplicate field");
        let (real, fake) = (&self.real.warnings, &self.fake.warnings);
        real == fake || real.iter().filter(is_about_fields).eq(fake)
    }

    fn only_differs_in(&self, path: &str) -> bool {
        self.difference.lines.iter().all(|line| line.path == path)
    }

    /// Whether the two hold the same objects after this.
    pub fn leaves_the_same(&self) -> bool {
        self.real.code >= 400 && self.fake.code >= 400 || self.only_differs_in("warnings")
    }
}
