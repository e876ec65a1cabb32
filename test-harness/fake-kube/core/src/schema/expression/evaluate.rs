//! What a rule says of a value.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::{Arithmetic, Comparison, Each, Expression, Quantifier, functions};

pub(super) const NO_OVERLOAD: &str = "no such overload";

/// What was there before.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Old<'v> {
    /// A value, for a rule that is asked of changes only.
    Is(&'v Value),
    /// For a rule that is asked in any case.
    Maybe(Option<&'v Value>),
}

/// What an expression comes to.
#[derive(Debug, Clone)]
pub(super) enum Term<'v> {
    Json(Cow<'v, Value>),
    /// In nanoseconds.
    Duration(i64),
    Optional(Option<Cow<'v, Value>>),
}

pub(super) type Outcome<'v> = Result<Term<'v>, String>;

impl Expression {
    /// Whether the rule holds for `object`; the error is worded as the API server words it.
    pub(crate) fn holds_for(&self, object: &Value, old: Option<Old<'_>>) -> Result<bool, String> {
        Scope::new(object, old).truth(self)
    }

    /// The text that the expression comes to.
    pub(crate) fn text_for(&self, object: &Value, old: Option<Old<'_>>) -> Option<String> {
        match Scope::new(object, old).term(self) {
            Ok(Term::Json(value)) => value.as_str().map(str::to_owned),
            _ => None,
        }
    }

    /// Whether it looks at what was there before.
    pub(crate) fn uses_old(&self) -> bool {
        let among = |parts: &[Self]| parts.iter().any(Self::uses_old);
        match self {
            Self::Literal(_) => false,
            Self::Name(name) => **name == *"oldSelf",
            Self::List(parts) | Self::All(parts) | Self::Any(parts) | Self::Call(_, parts) => among(parts),
            Self::Map(entries) => entries
                .iter()
                .any(|(key, value)| key.uses_old() || value.uses_old()),
            Self::Field { of, .. } | Self::Has(of, _) | Self::Not(of) | Self::Matches(of, _) => of.uses_old(),
            Self::Index(a, b) | Self::Compare(_, a, b) | Self::In(a, b) | Self::Arithmetic(_, a, b) => {
                a.uses_old() || b.uses_old()
            }
            Self::Choice(parts) => among(&**parts),
            Self::Each(each) => {
                each.over.uses_old() || (*each.variable != *"oldSelf" && each.of_item.uses_old())
            }
        }
    }
}

/// The names that are known, the innermost last.
struct Scope<'e, 'v> {
    names: Vec<(&'e str, Term<'v>)>,
}

impl<'e, 'v> Scope<'e, 'v> {
    fn new(object: &'v Value, old: Option<Old<'v>>) -> Self {
        let mut names = vec![("self", borrowed(object))];
        names.extend(old.map(|old| {
            let term = match old {
                Old::Is(value) => borrowed(value),
                Old::Maybe(value) => Term::Optional(value.map(Cow::Borrowed)),
            };
            ("oldSelf", term)
        }));
        Self { names }
    }

    fn truth(&mut self, rule: &'e Expression) -> Result<bool, String> {
        self.json(rule)?.as_bool().ok_or_else(no_overload)
    }

    fn json(&mut self, of: &'e Expression) -> Result<Cow<'v, Value>, String> {
        self.term(of)?.json()
    }

    fn term(&mut self, of: &'e Expression) -> Outcome<'v> {
        let value = match of {
            Expression::Literal(value) => value.clone(),
            Expression::Name(name) => return self.named(name),
            Expression::List(items) => self.list(items)?,
            Expression::Map(entries) => self.map(entries)?,
            Expression::Field {
                of,
                name,
                is_optional,
            } => return field(self.term(of)?, name, *is_optional),
            Expression::Index(of, index) => return self.indexed(of, index),
            Expression::Has(of, name) => match self.term(of)? {
                Term::Optional(None) => false.into(),
                Term::Optional(Some(value)) | Term::Json(value) => {
                    let fields = value.as_object().ok_or_else(no_overload)?;
                    fields.contains_key(&**name).into()
                }
                Term::Duration(_) => return Err(no_overload()),
            },
            Expression::Not(rule) => (!self.truth(rule)?).into(),
            Expression::All(rules) => self.joined(rules, false)?.into(),
            Expression::Any(rules) => self.joined(rules, true)?.into(),
            Expression::Choice(parts) => {
                let [condition, holds, otherwise] = &**parts;
                return match self.truth(condition)? {
                    true => self.term(holds),
                    false => self.term(otherwise),
                };
            }
            Expression::Compare(comparison, a, b) => comparison.holds(&self.term(a)?, &self.term(b)?)?.into(),
            Expression::In(item, list) => is_in(&*self.json(item)?, &*self.json(list)?)?.into(),
            Expression::Arithmetic(arithmetic, a, b) => return arithmetic.of(self.term(a)?, self.term(b)?),
            Expression::Each(each) => self.each(each)?,
            Expression::Matches(of, pattern) => {
                let text = self.json(of)?;
                pattern.matches(text.as_str().ok_or_else(no_overload)?).into()
            }
            Expression::Call(function, arguments) => {
                let arguments: Vec<_> = arguments
                    .iter()
                    .map(|argument| self.term(argument))
                    .collect::<Result<_, _>>()?;
                return functions::call(*function, arguments);
            }
        };
        Ok(owned(value))
    }

    fn named(&self, name: &str) -> Outcome<'v> {
        let known = self.names.iter().rev().find(|(known, _)| *known == name);
        known
            .map(|(_, term)| term.clone())
            .ok_or_else(|| format!("undeclared reference to '{name}'"))
    }

    fn list(&mut self, items: &'e [Expression]) -> Result<Value, String> {
        let items = items.iter().map(|item| self.json(item).map(Cow::into_owned));
        items.collect::<Result<_, _>>().map(Value::Array)
    }

    fn map(&mut self, entries: &'e [(Expression, Expression)]) -> Result<Value, String> {
        let mut map = Map::new();
        for (key, value) in entries {
            let key = key_of(&*self.json(key)?)?;
            map.insert(key, self.json(value)?.into_owned());
        }
        Ok(map.into())
    }

    fn indexed(&mut self, of: &'e Expression, index: &'e Expression) -> Outcome<'v> {
        let (of, index) = (self.json(of)?, self.json(index)?);
        match (&*of, index.as_i64()) {
            (Value::Array(items), Some(at)) => {
                let place = usize::try_from(at).ok().filter(|place| *place < items.len());
                let place = place.ok_or_else(|| format!("index out of bounds: {at}"))?;
                Ok(Term::Json(part(of, |value| value.get(place)).expect("in bounds")))
            }
            (Value::Object(_), _) => field(Term::Json(of), &key_of(&index)?, false),
            _ => Err(no_overload()),
        }
    }

    /// `&&` and `||`: one part that decides is enough, whatever the others fail with.
    fn joined(&mut self, rules: &'e [Expression], decisive: bool) -> Result<bool, String> {
        let mut found = Found::new(decisive);
        for rule in rules {
            if found.is_decided_by(self.truth(rule)) {
                return Ok(decisive);
            }
        }
        found.result()
    }

    fn each(&mut self, each: &'e Each) -> Result<Value, String> {
        let over = self.json(&each.over)?;
        let items = items_of(over)?;
        match each.asks {
            Quantifier::All => self.any_item(each, items, false).map(Value::Bool),
            Quantifier::Exists => self.any_item(each, items, true).map(Value::Bool),
            Quantifier::ExistsOne => {
                let mut count = 0;
                for item in items {
                    count += usize::from(self.with(each, item, Self::truth)?);
                }
                Ok((count == 1).into())
            }
            Quantifier::Filter => {
                let mut kept = Vec::new();
                for item in items {
                    if self.with(each, item.clone(), Self::truth)? {
                        kept.push(item.into_owned());
                    }
                }
                Ok(kept.into())
            }
            Quantifier::Map => {
                let mut made = Vec::new();
                for item in items {
                    made.push(self.with(each, item, Self::json)?.into_owned());
                }
                Ok(made.into())
            }
        }
    }

    fn any_item(
        &mut self,
        each: &'e Each,
        items: Vec<Cow<'v, Value>>,
        decisive: bool,
    ) -> Result<bool, String> {
        let mut found = Found::new(decisive);
        for item in items {
            if found.is_decided_by(self.with(each, item, Self::truth)) {
                return Ok(decisive);
            }
        }
        found.result()
    }

    /// What is asked of one item.
    fn with<T>(
        &mut self,
        each: &'e Each,
        item: Cow<'v, Value>,
        ask: impl FnOnce(&mut Self, &'e Expression) -> T,
    ) -> T {
        self.names.push((&each.variable, Term::Json(item)));
        let answer = ask(self, &each.of_item);
        self.names.pop();
        answer
    }
}

/// Answers of which one may decide.
struct Found {
    decisive: bool,
    error: Option<String>,
}

impl Found {
    fn new(decisive: bool) -> Self {
        Self {
            decisive,
            error: None,
        }
    }

    fn is_decided_by(&mut self, answer: Result<bool, String>) -> bool {
        match answer {
            Ok(holds) => holds == self.decisive,
            Err(failed) => {
                self.error.get_or_insert(failed);
                false
            }
        }
    }

    fn result(self) -> Result<bool, String> {
        self.error.map_or(Ok(!self.decisive), Err)
    }
}

impl<'v> Term<'v> {
    pub(super) fn json(self) -> Result<Cow<'v, Value>, String> {
        match self {
            Self::Json(value) => Ok(value),
            Self::Duration(_) | Self::Optional(_) => Err(no_overload()),
        }
    }
}

pub(super) fn no_overload() -> String {
    NO_OVERLOAD.to_owned()
}

fn borrowed(value: &Value) -> Term<'_> {
    Term::Json(Cow::Borrowed(value))
}

pub(super) fn owned<'v>(value: impl Into<Value>) -> Term<'v> {
    Term::Json(Cow::Owned(value.into()))
}

/// A part of a value, without a copy where the value is not ours.
fn part<'v>(of: Cow<'v, Value>, find: impl Fn(&Value) -> Option<&Value>) -> Option<Cow<'v, Value>> {
    match of {
        Cow::Borrowed(value) => find(value).map(Cow::Borrowed),
        Cow::Owned(value) => find(&value).cloned().map(Cow::Owned),
    }
}

fn field<'v>(of: Term<'v>, name: &str, is_optional: bool) -> Outcome<'v> {
    let (value, is_chained) = match of {
        Term::Optional(None) => return Ok(Term::Optional(None)),
        Term::Optional(Some(value)) => (value, true),
        Term::Json(value) => (value, false),
        Term::Duration(_) => return Err(no_overload()),
    };
    if !value.is_object() {
        return Err(no_overload());
    }
    let found = part(value, |value| value.get(name));
    match found {
        found if is_optional || is_chained => Ok(Term::Optional(found)),
        Some(found) => Ok(Term::Json(found)),
        None => Err(format!("no such key: {name}")),
    }
}

/// Items of a list, or keys of a map.
fn items_of(over: Cow<'_, Value>) -> Result<Vec<Cow<'_, Value>>, String> {
    match over {
        Cow::Borrowed(Value::Array(items)) => Ok(items.iter().map(Cow::Borrowed).collect()),
        Cow::Owned(Value::Array(items)) => Ok(items.into_iter().map(Cow::Owned).collect()),
        other => match &*other {
            Value::Object(entries) => Ok(entries
                .keys()
                .map(|key| Cow::Owned(Value::from(key.as_str())))
                .collect()),
            _ => Err(no_overload()),
        },
    }
}

/// Maps have texts for keys here.
fn key_of(key: &Value) -> Result<String, String> {
    match key {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(key.to_string()),
        _ => Err(no_overload()),
    }
}

fn is_in(item: &Value, list: &Value) -> Result<bool, String> {
    match list {
        Value::Array(items) => Ok(items.iter().any(|each| is_equal(each, item))),
        Value::Object(entries) => Ok(key_of(item).is_ok_and(|key| entries.contains_key(&key))),
        _ => Err(no_overload()),
    }
}

impl Comparison {
    fn holds(self, a: &Term<'_>, b: &Term<'_>) -> Result<bool, String> {
        let order = || match (a, b) {
            (Term::Json(a), Term::Json(b)) => order(a, b),
            (Term::Duration(a), Term::Duration(b)) => Ok(a.cmp(b)),
            _ => Err(no_overload()),
        };
        let is_same = || match (a, b) {
            (Term::Json(a), Term::Json(b)) => is_equal(a, b),
            (Term::Duration(a), Term::Duration(b)) => a == b,
            (Term::Optional(a), Term::Optional(b)) => a == b,
            _ => false,
        };
        match self {
            Self::Equal => Ok(is_same()),
            Self::NotEqual => Ok(!is_same()),
            Self::Less => order().map(Ordering::is_lt),
            Self::AtMost => order().map(Ordering::is_le),
            Self::Greater => order().map(Ordering::is_gt),
            Self::AtLeast => order().map(Ordering::is_ge),
        }
    }
}

/// Numbers are equal whatever their type, in lists and objects too.
fn is_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare_numbers(a, b) == Some(Ordering::Equal),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| is_equal(a, b)))
        }
        (a, b) => a == b,
    }
}

fn order(a: &Value, b: &Value) -> Result<Ordering, String> {
    let order = match (a, b) {
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) => compare_numbers(a, b),
        _ => None,
    };
    order.ok_or_else(no_overload)
}

fn compare_numbers(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

impl Arithmetic {
    fn of<'v>(self, a: Term<'v>, b: Term<'v>) -> Outcome<'v> {
        match (a, b) {
            (Term::Duration(a), Term::Duration(b)) => self.whole(a, b).map(Term::Duration),
            (Term::Json(a), Term::Json(b)) => self.of_values(&a, &b).map(owned),
            _ => Err(no_overload()),
        }
    }

    fn of_values(self, a: &Value, b: &Value) -> Result<Value, String> {
        match (self, a, b) {
            (_, Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
                (Some(a), Some(b)) => self.whole(a, b).map(Value::from),
                _ => self.fraction(a, b),
            },
            (Self::Plus, Value::String(a), Value::String(b)) => Ok(format!("{a}{b}").into()),
            (Self::Plus, Value::Array(a), Value::Array(b)) => Ok(a.iter().chain(b).cloned().collect()),
            _ => Err(no_overload()),
        }
    }

    fn whole(self, a: i64, b: i64) -> Result<i64, String> {
        let result = match self {
            Self::Plus => a.checked_add(b),
            Self::Minus => a.checked_sub(b),
            Self::Times => a.checked_mul(b),
            Self::Over if b == 0 => return Err("division by zero".to_owned()),
            Self::Over => a.checked_div(b),
            Self::Modulo if b == 0 => return Err("modulus by zero".to_owned()),
            Self::Modulo => a.checked_rem(b),
        };
        result.ok_or_else(|| "integer overflow".to_owned())
    }

    fn fraction(self, a: &Number, b: &Number) -> Result<Value, String> {
        let (Some(a), Some(b)) = (a.as_f64(), b.as_f64()) else {
            return Err(no_overload());
        };
        let result = match self {
            Self::Plus => a + b,
            Self::Minus => a - b,
            Self::Times => a * b,
            Self::Over => a / b,
            Self::Modulo => return Err(no_overload()),
        };
        Ok(result.into())
    }
}
