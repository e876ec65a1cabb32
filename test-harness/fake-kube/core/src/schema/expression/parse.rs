//! Rules from text.

use serde_json::Value;

use super::lex::{self, Token};
use super::{Arithmetic, Comparison, Each, Expression, Function, Quantifier};
use crate::schema::pattern::Pattern;

/// What is inside of each other, and how long a chain of fields or sums may be; real rules have up to twenty.
const MAX_DEPTH: usize = 48;

/// The rule, unless something in it is not understood.
pub(crate) fn parse(source: &str) -> Option<Expression> {
    let (token, rest) = lex::next(source)?;
    let mut parser = Parser {
        token,
        rest,
        depth: 0,
    };
    let rule = parser.choice()?;
    parser.token.is_none().then_some(rule)
}

struct Parser<'s> {
    /// None at the end.
    token: Option<Token<'s>>,
    rest: &'s str,
    depth: usize,
}

impl<'s> Parser<'s> {
    fn choice(&mut self) -> Option<Expression> {
        self.deeper(|parser| {
            let condition = parser.joined("||", Expression::Any, |parser| {
                parser.joined("&&", Expression::All, Self::comparison)
            })?;
            if !parser.takes("?")? {
                return Some(condition);
            }
            let holds = parser.choice()?;
            parser.expects(":")?;
            Some(Expression::Choice(Box::new([condition, holds, parser.choice()?])))
        })
    }

    fn joined(
        &mut self,
        sign: &str,
        join: impl Fn(Vec<Expression>) -> Expression,
        part: impl Fn(&mut Self) -> Option<Expression>,
    ) -> Option<Expression> {
        let mut rules = vec![part(self)?];
        while self.takes(sign)? {
            rules.push(part(self)?);
        }
        Some(match rules.len() {
            1 => rules.remove(0),
            _ => join(rules),
        })
    }

    fn comparison(&mut self) -> Option<Expression> {
        let compare =
            |comparison| move |left, right| Expression::Compare(comparison, Box::new(left), Box::new(right));
        let left = self.sum()?;
        for (sign, comparison) in [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ] {
            if self.takes(sign)? {
                return Some(compare(comparison)(left, self.sum()?));
            }
        }
        if self.token == Some(Token::Name("in")) {
            self.advance()?;
            return Some(Expression::In(Box::new(left), Box::new(self.sum()?)));
        }
        Some(left)
    }

    fn sum(&mut self) -> Option<Expression> {
        let signs = [("+", Arithmetic::Plus), ("-", Arithmetic::Minus)];
        self.chained(&signs, Self::product)
    }

    fn product(&mut self) -> Option<Expression> {
        let signs = [
            ("*", Arithmetic::Times),
            ("/", Arithmetic::Over),
            ("%", Arithmetic::Modulo),
        ];
        self.chained(&signs, Self::operand)
    }

    fn chained(
        &mut self,
        signs: &[(&str, Arithmetic)],
        part: impl Fn(&mut Self) -> Option<Expression>,
    ) -> Option<Expression> {
        let mut left = part(self)?;
        for _ in 0..MAX_DEPTH {
            let mut found = None;
            for (sign, arithmetic) in signs {
                if self.takes(sign)? {
                    found = Some(*arithmetic);
                    break;
                }
            }
            let Some(arithmetic) = found else {
                return Some(left);
            };
            left = Expression::Arithmetic(arithmetic, Box::new(left), Box::new(part(self)?));
        }
        None
    }

    fn operand(&mut self) -> Option<Expression> {
        if self.takes("!")? {
            let rule = self.deeper(Self::operand)?;
            return Some(Expression::Not(Box::new(rule)));
        }
        if self.takes("-")? {
            let zero = Expression::Literal(0.into());
            let negated = self.deeper(Self::operand)?;
            return Some(match negated {
                Expression::Literal(Value::Number(number)) => Expression::Literal(match number.as_i64() {
                    Some(whole) => (-whole).into(),
                    None => (-number.as_f64()?).into(),
                }),
                other => Expression::Arithmetic(Arithmetic::Minus, Box::new(zero), Box::new(other)),
            });
        }
        let mut value = self.primary()?;
        for _ in 0..MAX_DEPTH {
            if self.takes(".")? {
                value = self.member(value)?;
            } else if self.takes("[")? {
                let index = self.choice()?;
                self.expects("]")?;
                value = Expression::Index(Box::new(value), Box::new(index));
            } else {
                return Some(value);
            }
        }
        None
    }

    fn member(&mut self, of: Expression) -> Option<Expression> {
        let is_optional = self.takes("?")?;
        let name = self.name()?;
        if is_optional || !self.takes("(")? {
            return Some(Expression::Field {
                of: Box::new(of),
                name: unescaped(name).into(),
                is_optional,
            });
        }
        if let Some(asks) = quantifier(name) {
            return self.each(of, asks);
        }
        let mut arguments = vec![of];
        arguments.extend(self.until(")", Self::choice)?);
        call(method(name)?, arguments)
    }

    /// A macro, from its variable on.
    fn each(&mut self, over: Expression, asks: Quantifier) -> Option<Expression> {
        let variable = self.name()?.into();
        self.expects(",")?;
        let of_item = self.choice()?;
        self.expects(")")?;
        Some(Expression::Each(Box::new(Each {
            over,
            variable,
            asks,
            of_item,
        })))
    }

    fn primary(&mut self) -> Option<Expression> {
        if self.takes("(")? {
            let rule = self.choice()?;
            self.expects(")")?;
            return Some(rule);
        }
        if self.takes("[")? {
            return self.until("]", Self::choice).map(Expression::List);
        }
        if self.takes("{")? {
            return self.until("}", Self::entry).map(Expression::Map);
        }
        if let Some(Token::Literal(_)) = self.token {
            let Some(Token::Literal(value)) = self.token.take() else {
                return None;
            };
            self.advance()?;
            return Some(Expression::Literal(value));
        }
        let name = self.name()?;
        match name {
            "true" => Some(Expression::Literal(true.into())),
            "false" => Some(Expression::Literal(false.into())),
            "null" => Some(Expression::Literal(Value::Null)),
            _ if !self.takes("(")? => Some(Expression::Name(name.into())),
            "has" => {
                let asked = self.choice()?;
                self.expects(")")?;
                match asked {
                    Expression::Field { of, name, .. } => Some(Expression::Has(of, name)),
                    _ => None,
                }
            }
            _ => {
                let arguments = self.until(")", Self::choice)?;
                call(function(name)?, arguments)
            }
        }
    }

    fn entry(&mut self) -> Option<(Expression, Expression)> {
        let key = self.choice()?;
        self.expects(":")?;
        Some((key, self.choice()?))
    }

    /// Parts with commas between them, up to a sign.
    fn until<T>(&mut self, end: &str, part: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut parts = Vec::new();
        while !self.takes(end)? {
            if !parts.is_empty() {
                self.expects(",")?;
            }
            parts.push(part(self)?);
        }
        Some(parts)
    }

    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.depth += 1;
        let value = (self.depth <= MAX_DEPTH).then(|| inner(self))?;
        self.depth -= 1;
        value
    }

    fn name(&mut self) -> Option<&'s str> {
        let Some(Token::Name(name)) = self.token else {
            return None;
        };
        self.advance()?;
        Some(name)
    }

    fn expects(&mut self, sign: &str) -> Option<()> {
        self.takes(sign)?.then_some(())
    }

    /// Whether the sign was there; none where nothing can be read after it.
    fn takes(&mut self, sign: &str) -> Option<bool> {
        if !matches!(self.token, Some(Token::Sign(found)) if found == sign) {
            return Some(false);
        }
        self.advance()?;
        Some(true)
    }

    fn advance(&mut self) -> Option<()> {
        (self.token, self.rest) = lex::next(self.rest)?;
        Some(())
    }
}

/// A field whose name CEL cannot write is written otherwise.
fn unescaped(name: &str) -> String {
    let signs = [("dot", "."), ("dash", "-"), ("slash", "/"), ("underscores", "__")];
    if !name.contains("__") {
        return name.to_owned();
    }
    let inner = name.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"));
    if let Some(word) =
        inner.filter(|word| !word.contains("__") && signs.iter().all(|(sign, _)| sign != word))
    {
        return word.to_owned();
    }
    signs.iter().fold(name.to_owned(), |name, (sign, text)| {
        name.replace(&format!("__{sign}__"), text)
    })
}

fn quantifier(name: &str) -> Option<Quantifier> {
    Some(match name {
        "all" => Quantifier::All,
        "exists" => Quantifier::Exists,
        "exists_one" | "existsOne" => Quantifier::ExistsOne,
        "filter" => Quantifier::Filter,
        "map" => Quantifier::Map,
        _ => return None,
    })
}

fn method(name: &str) -> Option<Function> {
    Some(match name {
        "size" => Function::Size,
        "startsWith" => Function::StartsWith,
        "endsWith" => Function::EndsWith,
        "contains" => Function::Contains,
        "matches" => Function::Matches,
        "lowerAscii" => Function::LowerAscii,
        "upperAscii" => Function::UpperAscii,
        "trim" => Function::Trim,
        "split" => Function::Split,
        "join" => Function::Join,
        "substring" => Function::Substring,
        "replace" => Function::Replace,
        "indexOf" => Function::IndexOf,
        "orValue" => Function::OrValue,
        "hasValue" => Function::HasValue,
        "value" => Function::Value,
        _ => return None,
    })
}

fn function(name: &str) -> Option<Function> {
    Some(match name {
        "size" => Function::Size,
        "isIP" => Function::IsIp,
        "duration" => Function::Duration,
        "int" => Function::Int,
        "string" => Function::Text,
        _ => return None,
    })
}

/// A call with as many arguments as there must be.
fn call(function: Function, mut arguments: Vec<Expression>) -> Option<Expression> {
    let wanted = match function {
        Function::Size
        | Function::LowerAscii
        | Function::UpperAscii
        | Function::Trim
        | Function::IsIp
        | Function::Duration
        | Function::Int
        | Function::Text
        | Function::HasValue
        | Function::Value => 1..=1,
        Function::StartsWith
        | Function::EndsWith
        | Function::Contains
        | Function::Matches
        | Function::Split
        | Function::IndexOf
        | Function::OrValue => 2..=2,
        Function::Join => 1..=2,
        Function::Substring => 2..=3,
        Function::Replace => 3..=3,
    };
    if !wanted.contains(&arguments.len()) {
        return None;
    }
    if let (Function::Matches, [_, Expression::Literal(Value::String(pattern))]) = (function, &*arguments) {
        let pattern = Pattern::new(pattern);
        return Some(Expression::Matches(Box::new(arguments.swap_remove(0)), pattern));
    }
    Some(Expression::Call(function, arguments))
}
