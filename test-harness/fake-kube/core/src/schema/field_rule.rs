//! One rule of `x-kubernetes-validations`, with what is said when it is broken.

use serde::Deserialize;
use serde_json::Value;

use super::FieldPath;
use super::expression::{self, Expression, Old};

/// A rule over the fields of an object.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "RawFieldRule")]
pub(crate) struct FieldRule {
    pub(crate) source: Box<str>,
    /// None when it is not understood, and so not enforced.
    pub(crate) expression: Option<Expression>,
    pub(crate) message: Option<String>,
    /// What says what is wrong, in place of the message.
    message_expression: Option<Expression>,
    pub(crate) reason: Option<Box<str>>,
    /// Whether a rule over what was there is asked of what is new as well.
    is_old_optional: bool,
    uses_old: bool,
    field_path: Option<Box<str>>,
}

impl FieldRule {
    /// What the rule says of `value`; nothing where it is not understood, or only asked of changes and this is none.
    pub(crate) fn holds_for(&self, value: &Value, old: Option<&Value>) -> Option<Result<bool, String>> {
        let expression = self.expression.as_ref()?;
        let old = self.old(old)?;
        Some(expression.holds_for(value, old))
    }

    /// What to say of a value that breaks the rule, if that is said.
    pub(crate) fn said_of(&self, value: &Value, old: Option<&Value>) -> Option<String> {
        let computed = self.message_expression.as_ref().and_then(|message| {
            let text = message.text_for(value, self.old(old)?)?;
            let is_plain = !text.trim().is_empty() && !text.contains('\n');
            is_plain.then_some(text)
        });
        computed.or_else(|| self.message.clone())
    }

    /// The old value as the rule sees it; none where the rule is not asked without one.
    fn old<'v>(&self, old: Option<&'v Value>) -> Option<Option<Old<'v>>> {
        match (self.uses_old, self.is_old_optional, old) {
            (true, false, None) => None,
            (_, true, old) => Some(Some(Old::Maybe(old))),
            (_, false, old) => Some(old.map(Old::Is)),
        }
    }

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
    message_expression: Option<Box<str>>,
    reason: Option<Box<str>>,
    #[serde(default)]
    optional_old_self: bool,
    field_path: Option<Box<str>>,
}

impl From<RawFieldRule> for FieldRule {
    fn from(raw: RawFieldRule) -> Self {
        let expression = expression::parse(&raw.rule);
        Self {
            uses_old: expression.as_ref().is_some_and(Expression::uses_old),
            expression,
            source: raw.rule,
            message: raw.message,
            message_expression: raw.message_expression.and_then(|text| expression::parse(&text)),
            is_old_optional: raw.optional_old_self,
            reason: raw.reason,
            field_path: raw.field_path,
        }
    }
}
