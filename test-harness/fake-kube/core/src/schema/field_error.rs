//! What is wrong with a field, worded as the API server words it.

use std::fmt;

use serde_json::Value;

use super::FieldPath;

/// One complaint about one field.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldError {
    /// The field.
    pub path: FieldPath,
    /// What is wrong with it.
    pub problem: Problem,
}

/// Kinds of complaints, with what their message needs.
#[derive(Debug, Clone, PartialEq)]
pub enum Problem {
    /// The field must be there.
    Required {
        /// What else there is to say; may be empty.
        detail: String,
    },
    /// The value breaks a rule.
    Invalid {
        /// The value.
        value: Value,
        /// The rule.
        detail: String,
    },
    /// The object breaks a rule over its fields; messages do not show it.
    RuleBroken {
        /// The rule, or its message.
        detail: String,
    },
    /// The value has another type than the field.
    WrongType {
        /// The type found, as the message names it.
        value: Value,
        /// The rule.
        detail: String,
    },
    /// The value is none of an enumeration.
    Unsupported {
        /// The value.
        value: Value,
        /// The enumeration.
        allowed: Vec<String>,
    },
    /// A list names the same thing twice.
    Duplicate {
        /// The item, or its keys.
        value: Value,
    },
    /// The value names something that is not there.
    NotFound {
        /// The name.
        value: Value,
    },
    /// The field may not be set, or not changed.
    Forbidden {
        /// Why.
        detail: String,
    },
    /// Text longer than `max` bytes.
    TooLong {
        /// The limit.
        max: u64,
    },
    /// More than `max` items or properties.
    TooMany {
        /// How many there are.
        actual: u64,
        /// The limit.
        max: u64,
    },
}

impl FieldError {
    /// The field must be there, with what else there is to say, if anything.
    pub fn required(path: FieldPath, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            path,
            problem: Problem::Required { detail },
        }
    }

    /// The value breaks the rule `detail`.
    pub fn invalid(path: FieldPath, value: impl Into<Value>, detail: impl Into<String>) -> Self {
        let (value, detail) = (value.into(), detail.into());
        Self {
            path,
            problem: Problem::Invalid { value, detail },
        }
    }

    /// The value is none of `allowed`.
    pub fn unsupported(path: FieldPath, value: impl Into<Value>, allowed: &[&str]) -> Self {
        let value = value.into();
        let allowed = allowed.iter().map(|each| (*each).to_owned()).collect();
        Self {
            path,
            problem: Problem::Unsupported { value, allowed },
        }
    }

    /// A list has `value` already.
    pub fn duplicate(path: FieldPath, value: impl Into<Value>) -> Self {
        let value = value.into();
        Self {
            path,
            problem: Problem::Duplicate { value },
        }
    }

    /// The field may not be set, or not changed, because of `detail`.
    pub fn forbidden(path: FieldPath, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            path,
            problem: Problem::Forbidden { detail },
        }
    }

    /// The `reason` of this complaint among the causes of a Status.
    pub fn reason(&self) -> &'static str {
        match self.problem {
            Problem::Required { .. } => "FieldValueRequired",
            Problem::Invalid { .. } | Problem::RuleBroken { .. } => "FieldValueInvalid",
            Problem::WrongType { .. } => "FieldValueTypeInvalid",
            Problem::Unsupported { .. } => "FieldValueNotSupported",
            Problem::Duplicate { .. } => "FieldValueDuplicate",
            Problem::NotFound { .. } => "FieldValueNotFound",
            Problem::Forbidden { .. } => "FieldValueForbidden",
            Problem::TooLong { .. } => "FieldValueTooLong",
            Problem::TooMany { .. } => "FieldValueTooMany",
        }
    }

    /// The field as messages name it.
    pub fn field(&self) -> &str {
        if self.path.is_root() {
            "<nil>"
        } else {
            self.path.as_str()
        }
    }

    /// The message without the field, as the causes of a Status carry it.
    pub fn message(&self) -> String {
        match &self.problem {
            Problem::Required { detail } => with_detail("Required value", detail),
            Problem::Invalid { value, detail } | Problem::WrongType { value, detail } => {
                with_detail(&format!("Invalid value: {}", shown(value)), detail)
            }
            Problem::RuleBroken { detail } => with_detail("Invalid value", detail),
            Problem::Unsupported { value, allowed } => unsupported(value, allowed),
            Problem::Duplicate { value } => format!("Duplicate value: {}", shown(value)),
            Problem::NotFound { value } => format!("Not found: {}", shown(value)),
            Problem::Forbidden { detail } => with_detail("Forbidden", detail),
            Problem::TooLong { max } => format!("Too long: may not be more than {max} bytes"),
            Problem::TooMany { actual, max } => format!("Too many: {actual}: must have at most {max} items"),
        }
    }

    /// All complaints as one message: one alone as it is, several in brackets.
    pub fn aggregate(errors: &[Self]) -> String {
        let mut messages: Vec<String> = Vec::with_capacity(errors.len());
        for error in errors {
            let message = error.to_string();
            if !messages.contains(&message) {
                messages.push(message);
            }
        }
        match messages.as_slice() {
            [only] => only.clone(),
            several => format!("[{}]", several.join(", ")),
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field(), self.message())
    }
}

fn with_detail(problem: &str, detail: &str) -> String {
    if detail.is_empty() {
        problem.to_owned()
    } else {
        format!("{problem}: {detail}")
    }
}

fn unsupported(value: &Value, allowed: &[String]) -> String {
    let allowed: Vec<String> = allowed.iter().map(|each| format!("{each:?}")).collect();
    format!(
        "Unsupported value: {}: supported values: {}",
        shown(value),
        allowed.join(", ")
    )
}

/// A value inside a message: compact JSON.
fn shown(value: &Value) -> String {
    value.to_string()
}
