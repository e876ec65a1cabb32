//! What a rule may call.

use std::borrow::Cow;
use std::net::IpAddr;

use regex::Regex;
use serde_json::Value;

use super::Function;
use super::evaluate::{Outcome, Term, no_overload, owned};
use crate::schema::duration;

/// What a function makes of its arguments, of which there are as many as it takes.
pub(super) fn call(function: Function, arguments: Vec<Term<'_>>) -> Outcome<'_> {
    let mut arguments = arguments.into_iter();
    let first = arguments.next().ok_or_else(no_overload)?;
    match function {
        Function::OrValue => return or_value(first, arguments.next()),
        Function::HasValue => return Ok(owned(optional(first)?.is_some())),
        Function::Value => {
            let value = optional(first)?;
            return value
                .map(Term::Json)
                .ok_or_else(|| "optional.none() dereference".to_owned());
        }
        _ => {}
    }
    let first = first.json()?;
    let others = arguments.map(Term::json).collect::<Result<Vec<_>, _>>()?;
    match function {
        Function::Size => size(&first).map(owned),
        Function::Join => join(&first, others.first()),
        Function::Int => int(&first),
        Function::Text => Ok(owned(match &*first {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })),
        _ => of_text(function, text(&first)?, &others),
    }
}

fn of_text<'v>(function: Function, of: &str, others: &[Cow<'v, Value>]) -> Outcome<'v> {
    let other = |at: usize| {
        others
            .get(at)
            .ok_or_else(no_overload)
            .and_then(|value| text(value))
    };
    Ok(match function {
        Function::StartsWith => owned(of.starts_with(other(0)?)),
        Function::EndsWith => owned(of.ends_with(other(0)?)),
        Function::Contains => owned(of.contains(other(0)?)),
        Function::Matches => owned(
            Regex::new(other(0)?)
                .map_err(|error| error.to_string())?
                .is_match(of),
        ),
        Function::LowerAscii => owned(of.to_ascii_lowercase()),
        Function::UpperAscii => owned(of.to_ascii_uppercase()),
        Function::Trim => owned(of.trim()),
        Function::Split => owned(of.split(other(0)?).map(Value::from).collect::<Vec<_>>()),
        Function::Replace => owned(of.replace(other(0)?, other(1)?)),
        Function::IndexOf => owned(match of.find(other(0)?) {
            Some(at) => i64::try_from(of[..at].chars().count()).unwrap_or(i64::MAX),
            None => -1,
        }),
        Function::Substring => owned(substring(of, others)?),
        Function::IsIp => owned(is_ip(of)),
        Function::Duration => {
            Term::Duration(duration::parse(of).ok_or_else(|| format!("time: invalid duration {of:?}"))?)
        }
        _ => return Err(no_overload()),
    })
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(no_overload)
}

fn optional(term: Term<'_>) -> Result<Option<Cow<'_, Value>>, String> {
    match term {
        Term::Optional(value) => Ok(value),
        Term::Json(_) | Term::Duration(_) => Err(no_overload()),
    }
}

fn or_value<'v>(of: Term<'v>, other: Option<Term<'v>>) -> Outcome<'v> {
    match optional(of)? {
        Some(value) => Ok(Term::Json(value)),
        None => other.ok_or_else(no_overload),
    }
}

fn size(value: &Value) -> Result<usize, String> {
    match value {
        Value::String(text) => Ok(text.chars().count()),
        Value::Array(items) => Ok(items.len()),
        Value::Object(entries) => Ok(entries.len()),
        _ => Err(no_overload()),
    }
}

fn join<'v>(list: &Value, separator: Option<&Cow<'_, Value>>) -> Outcome<'v> {
    let separator = separator.map_or(Ok(""), |separator| text(separator))?;
    let items = list.as_array().ok_or_else(no_overload)?;
    let texts = items.iter().map(text).collect::<Result<Vec<_>, _>>()?;
    Ok(owned(texts.join(separator)))
}

fn int<'v>(of: &Value) -> Outcome<'v> {
    let number = match of {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64(),
        _ => None,
    };
    number
        .map(owned)
        .ok_or_else(|| "type conversion error".to_owned())
}

/// Characters from one place up to another, or to the end.
fn substring(of: &str, places: &[Cow<'_, Value>]) -> Result<String, String> {
    let length = of.chars().count();
    let mut found = [0, length];
    for (slot, place) in found.iter_mut().zip(places) {
        let given = place.as_i64().ok_or_else(no_overload)?;
        let within = usize::try_from(given).ok().filter(|at| *at <= length);
        *slot = within.ok_or_else(|| format!("index out of range: {given}"))?;
    }
    let [from, to] = found;
    match to.checked_sub(from) {
        Some(count) => Ok(of.chars().skip(from).take(count).collect()),
        None => Err(format!("invalid substring range. start: {from}, end: {to}")),
    }
}

/// Those that are an address of the other family in disguise are none.
fn is_ip(text: &str) -> bool {
    match text.parse() {
        Ok(IpAddr::V4(_)) => true,
        Ok(IpAddr::V6(address)) => address.to_ipv4_mapped().is_none(),
        Err(_) => false,
    }
}
