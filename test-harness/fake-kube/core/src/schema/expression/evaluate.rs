//! What a rule says of a value.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Comparison, Expression, Path};

impl Expression {
    /// Whether the rule holds for `object`; the error is worded as the API server words it.
    pub(crate) fn holds_for(&self, object: &Value) -> Result<bool, String> {
        self.evaluate(object)?
            .as_bool()
            .ok_or_else(|| "no such overload".to_owned())
    }

    fn evaluate(&self, object: &Value) -> Result<Value, String> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::List(items) => items
                .iter()
                .map(|item| item.evaluate(object))
                .collect::<Result<_, _>>()
                .map(Value::Array),
            Self::Field(path) => path.follow(object).cloned(),
            Self::OrValue(path, other) => match path.seek(object)? {
                Some(value) => Ok(value.clone()),
                None => other.evaluate(object),
            },
            Self::Has(path) => path.seek(object).map(|found| Value::Bool(found.is_some())),
            Self::Size(of) => size(&of.evaluate(object)?).map(Value::from),
            Self::Not(rule) => rule.holds_for(object).map(|holds| Value::Bool(!holds)),
            Self::All(rules) => joined(rules, object, false),
            Self::Any(rules) => joined(rules, object, true),
            Self::Compare(comparison, a, b) => comparison
                .holds(&a.evaluate(object)?, &b.evaluate(object)?)
                .map(Value::Bool),
            Self::In(item, list) => {
                let (item, list) = (item.evaluate(object)?, list.evaluate(object)?);
                let found = match &list {
                    Value::Array(items) => items.iter().any(|each| is_equal(each, &item)),
                    Value::Object(entries) => item.as_str().is_some_and(|name| entries.contains_key(name)),
                    _ => return Err("no such overload".to_owned()),
                };
                Ok(Value::Bool(found))
            }
        }
    }
}

/// `&&` and `||`: one part that decides is enough, whatever the others fail with.
fn joined(rules: &[Expression], object: &Value, decisive: bool) -> Result<Value, String> {
    let mut error = None;
    for rule in rules {
        match rule.holds_for(object) {
            Ok(holds) if holds == decisive => return Ok(Value::Bool(decisive)),
            Ok(_) => {}
            Err(failed) => error = error.or(Some(failed)),
        }
    }
    error.map_or(Ok(Value::Bool(!decisive)), Err)
}

impl Path {
    /// The field, which must be there.
    fn follow<'v>(&self, object: &'v Value) -> Result<&'v Value, String> {
        self.0.iter().try_fold(object, |value, step| {
            value
                .get(&step.name)
                .ok_or_else(|| format!("no such key: {}", step.name))
        })
    }

    /// The field, unless an optional step or the last one leads nowhere.
    fn seek<'v>(&self, object: &'v Value) -> Result<Option<&'v Value>, String> {
        let mut value = object;
        for (index, step) in self.0.iter().enumerate() {
            match value.get(&step.name) {
                Some(next) => value = next,
                None if step.is_optional || index + 1 == self.0.len() => return Ok(None),
                None => return Err(format!("no such key: {}", step.name)),
            }
        }
        Ok(Some(value))
    }
}

impl Comparison {
    fn holds(self, a: &Value, b: &Value) -> Result<bool, String> {
        match self {
            Self::Equal => Ok(is_equal(a, b)),
            Self::NotEqual => Ok(!is_equal(a, b)),
            Self::Less => order(a, b).map(Ordering::is_lt),
            Self::AtMost => order(a, b).map(Ordering::is_le),
            Self::Greater => order(a, b).map(Ordering::is_gt),
            Self::AtLeast => order(a, b).map(Ordering::is_ge),
        }
    }
}

/// Numbers are equal whatever their type.
fn is_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (a, b) => a == b,
    }
}

fn order(a: &Value, b: &Value) -> Result<Ordering, String> {
    let order = match (a, b) {
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => a.as_f64().partial_cmp(&b.as_f64()),
        },
        _ => None,
    };
    order.ok_or_else(|| "no such overload".to_owned())
}

fn size(value: &Value) -> Result<usize, String> {
    match value {
        Value::String(text) => Ok(text.chars().count()),
        Value::Array(items) => Ok(items.len()),
        Value::Object(entries) => Ok(entries.len()),
        _ => Err("no such overload".to_owned()),
    }
}
