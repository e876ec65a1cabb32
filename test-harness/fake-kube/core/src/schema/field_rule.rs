//! One rule of `x-kubernetes-validations`, with what is said when it is broken.

use serde::Deserialize;

use super::FieldPath;
use super::expression::{self, Expression};

/// A rule over the fields of an object.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "RawFieldRule")]
pub(crate) struct FieldRule {
    pub(crate) source: Box<str>,
    /// None when it is not understood, and so not enforced.
    pub(crate) expression: Option<Expression>,
    pub(crate) message: Option<String>,
    pub(crate) reason: Option<Box<str>>,
    field_path: Option<Box<str>>,
}

impl FieldRule {
    /// The field that the rule complains about, from the object at `path`: one as in `.spec.name`.
    pub(crate) fn path_from(&self, path: &FieldPath) -> FieldPath {
        let steps = self
            .field_path
            .as_deref()
            .unwrap_or_default()
            .split('.')
            .filter(|step| !step.is_empty());
        steps.fold(path.clone(), |path, step| path.field(step))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawFieldRule {
    rule: Box<str>,
    message: Option<String>,
    reason: Option<Box<str>>,
    field_path: Option<Box<str>>,
}

impl From<RawFieldRule> for FieldRule {
    fn from(raw: RawFieldRule) -> Self {
        Self {
            expression: expression::parse(&raw.rule),
            source: raw.rule,
            message: raw.message,
            reason: raw.reason,
            field_path: raw.field_path,
        }
    }
}
