//! Values into text, as Go's `fmt` writes them.

use super::{Failure, run::Value};

/// The widest that a value may be made.
const WIDTH: usize = 1024;

/// As `%v` writes it.
pub(super) fn plain(value: &Value<'_>) -> String {
    match value {
        Value::Map(map) => {
            let entries: Vec<_> = map.iter().map(|(name, text)| format!("{name}:{text}")).collect();
            format!("map[{}]", entries.join(" "))
        }
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Nothing => "<nil>".to_owned(),
    }
}

/// With a space between two values of which neither is text.
pub(super) fn print(values: &[Value<'_>]) -> String {
    let is_text = |value: &Value<'_>| matches!(value, Value::Text(_));
    let mut text = String::new();
    for (index, value) in values.iter().enumerate() {
        if index > 0 && !is_text(value) && !is_text(&values[index - 1]) {
            text.push(' ');
        }
        text.push_str(&plain(value));
    }
    text
}

/// With a space between all, and the end of the line.
pub(super) fn println(values: &[Value<'_>]) -> String {
    let texts: Vec<_> = values.iter().map(plain).collect();
    format!("{}\n", texts.join(" "))
}

pub(super) fn printf(format: &str, values: &[Value<'_>]) -> Result<String, Failure> {
    let mut text = String::new();
    let mut values = values.iter();
    let mut rest = format;
    while let Some((before, directive)) = rest.split_once('%') {
        text.push_str(before);
        let (directive, after) = Directive::read(directive)?;
        rest = after;
        text.push_str(&match directive.verb {
            None => "%!(NOVERB)".to_owned(),
            Some('%') => "%".to_owned(),
            Some(verb) => match values.next() {
                None => format!("%!{verb}(MISSING)"),
                Some(value) => directive.write(verb, value)?,
            },
        });
    }
    text.push_str(rest);
    let extra: Vec<_> = values
        .map(|value| match value {
            Value::Nothing => "<nil>".to_owned(),
            value => format!("{}={}", type_of(value), plain(value)),
        })
        .collect();
    if !extra.is_empty() {
        text.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    Ok(text)
}

/// What stands behind a `%`.
#[derive(Default)]
struct Directive {
    left: bool,
    plus: bool,
    zeros: bool,
    width: Option<usize>,
    precision: Option<usize>,
    verb: Option<char>,
}

impl Directive {
    fn read(text: &str) -> Result<(Self, &str), Failure> {
        let mut directive = Self::default();
        let mut rest = text;
        loop {
            match rest.as_bytes().first() {
                Some(b'-') => directive.left = true,
                Some(b'+') => directive.plus = true,
                Some(b'0') => directive.zeros = true,
                Some(b'#' | b' ') => return Err(Failure::Unsupported("a rare flag of printf")),
                _ => break,
            }
            rest = &rest[1..];
        }
        directive.width = number(&mut rest)?;
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            directive.precision = Some(number(&mut rest)?.unwrap_or(0));
        }
        let mut chars = rest.chars();
        directive.verb = chars.next();
        match directive.verb {
            Some('*' | '[') => Err(Failure::Unsupported("a width or argument number of printf")),
            _ => Ok((directive, chars.as_str())),
        }
    }

    fn write(&self, verb: char, value: &Value<'_>) -> Result<String, Failure> {
        let cut =
            |text: &str| -> String { text.chars().take(self.precision.unwrap_or(usize::MAX)).collect() };
        let text = match (verb, value) {
            ('T', value) => type_of(value).to_owned(),
            ('v' | 's', Value::Text(text)) => cut(text),
            ('q', Value::Text(text)) => quoted(&cut(text))?,
            ('x', Value::Text(text)) => cut(text).bytes().map(|byte| format!("{byte:02x}")).collect(),
            ('X', Value::Text(text)) => cut(text).bytes().map(|byte| format!("{byte:02X}")).collect(),
            ('v' | 'd' | 'x' | 'X' | 'o' | 'b', Value::Number(number)) => return self.number(verb, *number),
            ('v' | 't', Value::Bool(value)) => value.to_string(),
            ('v' | 's', Value::Map(_)) if self.width.or(self.precision).is_none() => plain(value),
            ('v', Value::Nothing) => plain(value),
            ('p' | 'c' | 'q' | 'U', _) | (_, Value::Map(_)) => {
                return Err(Failure::Unsupported("a rare verb of printf"));
            }
            (_, Value::Nothing) => format!("%!{verb}(<nil>)"),
            _ if self.width.is_some() || self.plus || self.precision.is_some() => {
                return Err(Failure::Unsupported("a verb of printf for another type"));
            }
            _ => format!("%!{verb}({}={})", type_of(value), plain(value)),
        };
        if self.zeros && !self.left && self.width.is_some() {
            return Err(Failure::Unsupported("zeros before a text"));
        }
        Ok(self.padded(text))
    }

    fn number(&self, verb: char, number: i64) -> Result<String, Failure> {
        if self.precision.is_some() {
            return Err(Failure::Unsupported("the precision of a whole number"));
        }
        let size = number.unsigned_abs();
        let digits = match verb {
            'x' => format!("{size:x}"),
            'X' => format!("{size:X}"),
            'o' => format!("{size:o}"),
            'b' => format!("{size:b}"),
            _ => size.to_string(),
        };
        let sign = match (number < 0, self.plus) {
            (true, _) => "-",
            (false, true) => "+",
            (false, false) => "",
        };
        if self.zeros && !self.left {
            let width = self.width.unwrap_or(0).saturating_sub(sign.len());
            return Ok(format!("{sign}{digits:0>width$}"));
        }
        Ok(self.padded(format!("{sign}{digits}")))
    }

    fn padded(&self, text: String) -> String {
        match (self.width, self.left) {
            (None, _) => text,
            (Some(width), true) => format!("{text:<width$}"),
            (Some(width), false) => format!("{text:>width$}"),
        }
    }
}

fn number(rest: &mut &str) -> Result<Option<usize>, Failure> {
    let (digits, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
    *rest = after;
    match digits.parse() {
        Ok(number) if number <= WIDTH => Ok(Some(number)),
        Err(_) if digits.is_empty() => Ok(None),
        _ => Err(Failure::Unsupported("a width of printf above 1024")),
    }
}

fn type_of(value: &Value<'_>) -> &'static str {
    match value {
        Value::Map(_) => "map[string]string",
        Value::Text(_) => "string",
        Value::Number(_) => "int",
        Value::Bool(_) => "bool",
        Value::Nothing => "<nil>",
    }
}

fn quoted(text: &str) -> Result<String, Failure> {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            ' '..='~' => quoted.push(c),
            _ => return Err(Failure::Unsupported("quotes around rare characters")),
        }
    }
    quoted.push('"');
    Ok(quoted)
}
