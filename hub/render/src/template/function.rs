//! The functions that every template has.

use std::cmp::Ordering;

use super::{
    Failure,
    format::{print, printf, println},
    run::Value,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    And,
    Or,
    Not,
    Len,
    Index,
    Slice,
    Print,
    Println,
    Printf,
    Html,
    UrlQuery,
    Equal,
    NotEqual,
    /// `lt`, `le`, `gt`, `ge`: whether it holds for less, equal and greater.
    Order([bool; 3]),
}

/// Gives an argument, which is worked out when it is asked for.
pub(super) type Argument<'f, 'a> = &'f mut dyn FnMut(usize) -> Result<Value<'a>, Failure>;

impl Function {
    pub(super) fn named(name: &str) -> Result<Self, Failure> {
        Ok(match name {
            "and" => Self::And,
            "or" => Self::Or,
            "not" => Self::Not,
            "len" => Self::Len,
            "index" => Self::Index,
            "slice" => Self::Slice,
            "print" => Self::Print,
            "println" => Self::Println,
            "printf" => Self::Printf,
            "html" => Self::Html,
            "urlquery" => Self::UrlQuery,
            "eq" => Self::Equal,
            "ne" => Self::NotEqual,
            "lt" => Self::Order([true, false, false]),
            "le" => Self::Order([true, true, false]),
            "gt" => Self::Order([false, false, true]),
            "ge" => Self::Order([false, true, true]),
            "js" => return Err(Failure::Unsupported("the function js")),
            "call" => return Err(Failure::Unsupported("the function call")),
            _ => return Err(Failure::Wrong),
        })
    }

    pub(super) fn call<'a>(self, count: usize, argument: Argument<'_, 'a>) -> Result<Value<'a>, Failure> {
        if matches!(self, Self::And | Self::Or) {
            return first_that_is(self == Self::Or, count, argument);
        }
        let arguments: Vec<_> = (0..count).map(argument).collect::<Result<_, _>>()?;
        match (self, arguments.as_slice()) {
            (Self::Not, [value]) => Ok(Value::Bool(!value.is_true())),
            (Self::Len, [value]) => length(value),
            (Self::Index, [Value::Nothing, ..]) => Err(Failure::Wrong),
            (Self::Index, [value, indices @ ..]) => indices.iter().try_fold(value.clone(), index),
            (Self::Slice, [Value::Text(text), bounds @ ..]) => slice(text, bounds),
            (Self::Print, values) => Ok(Value::Text(print(values))),
            (Self::Println, values) => Ok(Value::Text(println(values))),
            (Self::Printf, [Value::Text(format), values @ ..]) => Ok(Value::Text(printf(format, values)?)),
            (Self::Html, values) => Ok(Value::Text(html(&text(values)))),
            (Self::UrlQuery, values) => Ok(Value::Text(url_query(&text(values)))),
            (Self::Equal, [value, others @ ..]) if !others.is_empty() => {
                equal(value, others).map(Value::Bool)
            }
            (Self::NotEqual, [value, other]) => Ok(Value::Bool(!equal(value, std::slice::from_ref(other))?)),
            (Self::Order([less, same, greater]), [value, other]) => {
                Ok(Value::Bool(match compare(value, other)? {
                    Ordering::Less => less,
                    Ordering::Equal => same,
                    Ordering::Greater => greater,
                }))
            }
            _ => Err(Failure::Wrong),
        }
    }
}

/// `and` and `or`: the first argument that decides, or the last.
fn first_that_is<'a>(wanted: bool, count: usize, argument: Argument<'_, 'a>) -> Result<Value<'a>, Failure> {
    let mut last = Err(Failure::Wrong);
    for index in 0..count {
        let value = argument(index)?;
        if value.is_true() == wanted {
            return Ok(value);
        }
        last = Ok(value);
    }
    last
}

fn length<'a>(value: &Value<'_>) -> Result<Value<'a>, Failure> {
    let length = match value {
        Value::Text(text) => text.len(),
        Value::Map(map) => map.len(),
        Value::Number(_) | Value::Bool(_) | Value::Nothing => return Err(Failure::Wrong),
    };
    Ok(Value::Number(length.try_into().map_err(|_| Failure::Wrong)?))
}

/// Unlike a field, an entry that does not exist is empty.
fn index<'a>(value: Value<'a>, index: &Value<'a>) -> Result<Value<'a>, Failure> {
    match (value, index) {
        (Value::Map(map), Value::Text(name)) => {
            Ok(Value::Text(map.get(name.as_str()).cloned().unwrap_or_default()))
        }
        (Value::Text(text), Value::Number(place)) => {
            let place = usize::try_from(*place).map_err(|_| Failure::Wrong)?;
            let byte = text.as_bytes().get(place).ok_or(Failure::Wrong)?;
            Ok(Value::Number(i64::from(*byte)))
        }
        _ => Err(Failure::Wrong),
    }
}

fn slice<'a>(text: &str, bounds: &[Value<'_>]) -> Result<Value<'a>, Failure> {
    let bound = |value: &Value<'_>| match value {
        Value::Number(number) => usize::try_from(*number).map_err(|_| Failure::Wrong),
        _ => Err(Failure::Wrong),
    };
    let (from, to) = match bounds {
        [] => (0, text.len()),
        [from] => (bound(from)?, text.len()),
        [from, to] => (bound(from)?, bound(to)?),
        _ => return Err(Failure::Wrong),
    };
    let bytes = text.as_bytes().get(from..to).ok_or(Failure::Wrong)?;
    Ok(Value::Text(String::from_utf8_lossy(bytes).into_owned()))
}

fn equal(value: &Value<'_>, others: &[Value<'_>]) -> Result<bool, Failure> {
    for other in others {
        let same = match (value, other) {
            (Value::Nothing, _) | (_, Value::Nothing) => value == other,
            (Value::Bool(one), Value::Bool(two)) => one == two,
            _ => compare(value, other)? == Ordering::Equal,
        };
        if same {
            return Ok(true);
        }
    }
    Ok(false)
}

fn compare(value: &Value<'_>, other: &Value<'_>) -> Result<Ordering, Failure> {
    match (value, other) {
        (Value::Text(one), Value::Text(two)) => Ok(one.cmp(two)),
        (Value::Number(one), Value::Number(two)) => Ok(one.cmp(two)),
        _ => Err(Failure::Wrong),
    }
}

/// What the escaping functions take: what `print` makes of the values, as an action would show each.
fn text(values: &[Value<'_>]) -> String {
    let shown = values.iter().map(|value| match value {
        Value::Nothing => Value::Text("<no value>".to_owned()),
        value => value.clone(),
    });
    print(&shown.collect::<Vec<_>>())
}

fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\0' => escaped.push('\u{fffd}'),
            _ => escaped.push(c),
        }
    }
    escaped
}

fn url_query(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => escaped.push(byte.into()),
            b' ' => escaped.push('+'),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}
