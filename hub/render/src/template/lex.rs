//! Text into tokens.

use super::Failure;

/// What Go calls space inside an action.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// What stands outside of actions.
    Text(String),
    /// `{{`
    Open,
    /// `}}`
    Close,
    Space,
    /// A keyword, or the name of a function.
    Word(String),
    /// `.name`
    Field(String),
    /// `.`
    Dot,
    /// `$name`, or `$` alone, without the sign.
    Variable(String),
    Literal(String),
    Number(i64),
    Left,
    Right,
    Pipe,
    /// `:=`
    Declare,
    /// `=`
    Assign,
    Comma,
}

pub(super) fn lex(text: &str) -> Result<Vec<Token>, Failure> {
    let mut lexer = Lexer {
        rest: text,
        tokens: Vec::new(),
    };
    lexer.outside()?;
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    rest: &'a str,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn outside(&mut self) -> Result<(), Failure> {
        let mut trim_start = false;
        loop {
            let (text, action) = match self.rest.split_once("{{") {
                Some((text, action)) => (text, Some(action)),
                None => (self.rest, None),
            };
            let text = if trim_start {
                text.trim_start_matches(SPACE)
            } else {
                text
            };
            let (trim_end, action) = match action {
                Some(action) if action.starts_with('-') && action[1..].starts_with(SPACE) => {
                    (true, Some(&action[1..]))
                }
                action => (false, action),
            };
            let text = if trim_end {
                text.trim_end_matches(SPACE)
            } else {
                text
            };
            if !text.is_empty() {
                self.tokens.push(Token::Text(text.to_owned()));
            }
            let Some(action) = action else { return Ok(()) };
            self.rest = action;
            let comment = if trim_end {
                action.trim_start_matches(SPACE)
            } else {
                action
            };
            trim_start = match comment.strip_prefix("/*") {
                Some(comment) => self.comment(comment)?,
                None => self.inside()?,
            };
        }
    }

    /// Passes over a comment; whether it trims what follows.
    fn comment<'a>(&mut self, comment: &'a str) -> Result<bool, Failure>
    where
        Self: 'a,
    {
        let (_, after) = comment.split_once("*/").ok_or(Failure::Wrong)?;
        let consumed = self.rest.len() - after.len();
        self.rest = &self.rest[consumed..];
        self.close().ok_or(Failure::Wrong)
    }

    /// Reads one action; whether it trims what follows.
    fn inside(&mut self) -> Result<bool, Failure> {
        self.tokens.push(Token::Open);
        let mut depth = 0_usize;
        loop {
            if let Some(trims) = self.close() {
                self.tokens.push(Token::Close);
                return if depth == 0 {
                    Ok(trims)
                } else {
                    Err(Failure::Wrong)
                };
            }
            let token = self.token()?;
            match token {
                Token::Left => depth += 1,
                Token::Right => depth = depth.checked_sub(1).ok_or(Failure::Wrong)?,
                _ => {}
            }
            self.tokens.push(token);
        }
    }

    /// Whether the action ends here, and trims.
    fn close(&mut self) -> Option<bool> {
        if let Some(rest) = self.rest.strip_prefix("}}") {
            self.rest = rest;
            return Some(false);
        }
        let rest = self.rest.strip_prefix(SPACE)?.strip_prefix("-}}")?;
        self.rest = rest;
        Some(true)
    }

    fn token(&mut self) -> Result<Token, Failure> {
        let first = self.rest.chars().next().ok_or(Failure::Wrong)?;
        let after = &self.rest[first.len_utf8()..];
        match first {
            _ if SPACE.contains(&first) => {
                self.spaces();
                Ok(Token::Space)
            }
            '"' => self.quoted(),
            '`' => {
                let (raw, after) = after.split_once('`').ok_or(Failure::Wrong)?;
                let token = Token::Literal(raw.to_owned());
                self.rest = after;
                Ok(token)
            }
            '\'' => self.character(),
            '.' if after.starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            '.' => {
                self.rest = after;
                match self.word()? {
                    "" => Ok(Token::Dot),
                    name => Ok(Token::Field(name.to_owned())),
                }
            }
            '$' => {
                self.rest = after;
                Ok(Token::Variable(self.word()?.to_owned()))
            }
            '+' | '-' | '0'..='9' => self.number(),
            ':' => {
                self.rest = after.strip_prefix('=').ok_or(Failure::Wrong)?;
                Ok(Token::Declare)
            }
            _ if is_word(first) => Ok(Token::Word(self.word()?.to_owned())),
            _ => {
                self.rest = after;
                match first {
                    '(' => Ok(Token::Left),
                    ')' => Ok(Token::Right),
                    '|' => Ok(Token::Pipe),
                    '=' => Ok(Token::Assign),
                    ',' => Ok(Token::Comma),
                    _ => Err(Failure::Wrong),
                }
            }
        }
    }

    fn spaces(&mut self) {
        // The space before `-}}` belongs to it.
        while self.rest.starts_with(SPACE) {
            self.rest = &self.rest[1..];
            if self.rest.starts_with(SPACE) && self.rest[1..].starts_with("-}}") {
                return;
            }
        }
    }

    /// Letters and digits, which only some signs may follow.
    fn word(&mut self) -> Result<&str, Failure> {
        let (word, rest) = self
            .rest
            .split_at(self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len()));
        self.rest = rest;
        let ends = rest.starts_with(SPACE)
            || rest.starts_with(['.', ',', '|', ':', ')', '('])
            || rest.starts_with("}}");
        if ends { Ok(word) } else { Err(Failure::Wrong) }
    }

    fn number(&mut self) -> Result<Token, Failure> {
        let signed = usize::from(self.rest.starts_with(['+', '-']));
        let end = self.rest[signed..]
            .find(|c: char| !is_word(c) && c != '.')
            .map_or(self.rest.len(), |end| end + signed);
        let (number, rest) = self.rest.split_at(end);
        let digits = &number[signed..];
        let decimal =
            digits == "0" || (!digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()));
        if digits.is_empty() {
            return Err(Failure::Wrong);
        }
        match number.parse() {
            Ok(value) if decimal => {
                self.rest = rest;
                Ok(Token::Number(value))
            }
            _ => Err(Failure::Unsupported("a number that is not a whole decimal one")),
        }
    }

    /// A character is its number.
    fn character(&mut self) -> Result<Token, Failure> {
        let mut chars = self.rest[1..].chars();
        match (chars.next(), chars.next()) {
            (Some('\\'), _) => Err(Failure::Unsupported("an escaped character in single quotes")),
            (Some(c), Some('\'')) if c != '\'' => {
                self.rest = chars.as_str();
                Ok(Token::Number(u32::from(c).into()))
            }
            _ => Err(Failure::Wrong),
        }
    }

    fn quoted(&mut self) -> Result<Token, Failure> {
        let mut text = String::new();
        let mut chars = self.rest[1..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[at + 2..];
                    return Ok(Token::Literal(text));
                }
                '\n' => return Err(Failure::Wrong),
                '\\' => text.push(escaped(&mut chars)?),
                _ => text.push(c),
            }
        }
        Err(Failure::Wrong)
    }
}

/// The character behind a backslash.
fn escaped(chars: &mut std::str::CharIndices<'_>) -> Result<char, Failure> {
    let (_, sign) = chars.next().ok_or(Failure::Wrong)?;
    let mut code = |radix, first: Option<char>, digits: usize| {
        let mut value = first
            .map_or(Some(0), |c| c.to_digit(radix))
            .ok_or(Failure::Wrong)?;
        for _ in 0..digits {
            let digit = chars
                .next()
                .and_then(|(_, c)| c.to_digit(radix))
                .ok_or(Failure::Wrong)?;
            value = value * radix + digit;
        }
        Ok(value)
    };
    let byte = |value| match value {
        0..=0x7f => Ok(char::from(u8::try_from(value).unwrap_or(0))),
        _ => Err(Failure::Unsupported("an escaped byte that is no character")),
    };
    match sign {
        'a' => Ok('\u{7}'),
        'b' => Ok('\u{8}'),
        'f' => Ok('\u{c}'),
        'n' => Ok('\n'),
        'r' => Ok('\r'),
        't' => Ok('\t'),
        'v' => Ok('\u{b}'),
        '\\' | '"' => Ok(sign),
        'x' => byte(code(16, None, 2)?),
        '0'..='7' => byte(code(8, Some(sign), 2)?),
        'u' => char::from_u32(code(16, None, 4)?).ok_or(Failure::Wrong),
        'U' => char::from_u32(code(16, None, 8)?).ok_or(Failure::Wrong),
        _ => Err(Failure::Wrong),
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
