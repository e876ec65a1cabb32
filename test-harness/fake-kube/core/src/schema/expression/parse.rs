//! Rules from text.

use serde_json::Value;

use super::{Comparison, Expression, Path, Step};

/// Parentheses and lists inside of each other; a real rule has a handful.
const MAX_DEPTH: u8 = 32;

/// The rule, unless something in it is not understood.
pub(crate) fn parse(source: &str) -> Option<Expression> {
    let mut parser = Parser {
        rest: source,
        depth: 0,
    };
    let rule = parser.any()?;
    parser.rest.trim_start().is_empty().then_some(rule)
}

struct Parser<'s> {
    rest: &'s str,
    depth: u8,
}

impl<'s> Parser<'s> {
    fn any(&mut self) -> Option<Expression> {
        let mut rules = vec![self.all()?];
        while self.takes("||") {
            rules.push(self.all()?);
        }
        Some(if rules.len() == 1 {
            rules.remove(0)
        } else {
            Expression::Any(rules)
        })
    }

    fn all(&mut self) -> Option<Expression> {
        let mut rules = vec![self.comparison()?];
        while self.takes("&&") {
            rules.push(self.comparison()?);
        }
        Some(if rules.len() == 1 {
            rules.remove(0)
        } else {
            Expression::All(rules)
        })
    }

    fn comparison(&mut self) -> Option<Expression> {
        const SIGNS: [(&str, Comparison); 6] = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        let left = self.operand()?;
        for (sign, comparison) in SIGNS {
            if self.takes(sign) {
                return Some(Expression::Compare(
                    comparison,
                    Box::new(left),
                    Box::new(self.operand()?),
                ));
            }
        }
        if self.rest.trim_start().starts_with("in ") && self.takes("in") {
            return Some(Expression::In(Box::new(left), Box::new(self.operand()?)));
        }
        Some(left)
    }

    fn operand(&mut self) -> Option<Expression> {
        self.depth = self.depth.checked_add(1).filter(|depth| *depth <= MAX_DEPTH)?;
        let operand = self.operand_within();
        self.depth -= 1;
        operand
    }

    fn operand_within(&mut self) -> Option<Expression> {
        if self.takes("!") {
            return Some(Expression::Not(Box::new(self.operand()?)));
        }
        if self.takes("(") {
            let rule = self.any()?;
            return self.takes(")").then_some(rule);
        }
        if self.takes("[") {
            return self.list();
        }
        if let Some(text) = self.quoted() {
            return Some(Expression::Literal(Value::from(text)));
        }
        if let Some(number) = self.number() {
            return Some(Expression::Literal(number));
        }
        match self.word()? {
            "true" => Some(Expression::Literal(Value::Bool(true))),
            "false" => Some(Expression::Literal(Value::Bool(false))),
            "has" => {
                let path =
                    self.in_parentheses(|parser| (parser.word()? == "self").then(|| parser.path())?)?;
                Some(Expression::Has(path))
            }
            "size" => self
                .in_parentheses(Self::any)
                .map(|of| Expression::Size(Box::new(of))),
            "self" => self.of_self(),
            _ => None,
        }
    }

    /// What follows `self`: fields, and then perhaps a method.
    fn of_self(&mut self) -> Option<Expression> {
        let path = self.path()?;
        if self.takes(".orValue") {
            let other = self.in_parentheses(Self::any)?;
            return Some(Expression::OrValue(path, Box::new(other)));
        }
        if self.takes(".hasValue()") {
            return Some(Expression::Has(path));
        }
        if self.takes(".size()") {
            return Some(Expression::Size(Box::new(Expression::Field(path))));
        }
        Some(Expression::Field(path))
    }

    /// Fields up to a method; a method that is not known makes the rule not understood.
    fn path(&mut self) -> Option<Path> {
        let mut path = Path::default();
        loop {
            let before = self.rest;
            if !self.takes(".") {
                return Some(path);
            }
            let is_optional = self.takes("?");
            let name = self.word()?;
            if self.rest.starts_with('(') {
                self.rest = before;
                let is_known = ["orValue", "hasValue", "size"].contains(&name);
                return is_known.then_some(path);
            }
            path.0.push(Step {
                name: name.to_owned(),
                is_optional,
            });
        }
    }

    fn list(&mut self) -> Option<Expression> {
        let mut items = Vec::new();
        while !self.takes("]") {
            if !items.is_empty() && !self.takes(",") {
                return None;
            }
            items.push(self.operand()?);
        }
        Some(Expression::List(items))
    }

    fn in_parentheses<T>(&mut self, inner: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.takes("(").then_some(())?;
        let value = inner(self)?;
        self.takes(")").then_some(value)
    }

    fn takes(&mut self, token: &str) -> bool {
        match self.rest.trim_start().strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self) -> Option<&'s str> {
        let text = self.rest.trim_start();
        let end = text
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    /// Text without escapes.
    fn quoted(&mut self) -> Option<&'s str> {
        let text = self.rest.trim_start();
        let quote = text.chars().next().filter(|c| ['\'', '"'].contains(c))?;
        let (inside, rest) = text[1..].split_once(quote)?;
        self.rest = rest;
        (!inside.contains('\\')).then_some(inside)
    }

    fn number(&mut self) -> Option<Value> {
        let text = self.rest.trim_start();
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-')
            .unwrap_or(text.len());
        let number: Value = serde_json::from_str(&text[..end]).ok()?;
        self.rest = &text[end..];
        Some(number)
    }
}
