//! Tokens into a tree.

use std::collections::VecDeque;

use super::{
    DEPTH, Failure,
    function::Function,
    lex::{self, Token},
};

#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Print(Pipeline),
    Branch(Branch),
}

/// `if` and `with`.
#[derive(Debug)]
pub(super) struct Branch {
    /// Whether the value becomes the dot of `then`.
    pub(super) with: bool,
    pub(super) condition: Pipeline,
    pub(super) then: Vec<Node>,
    pub(super) otherwise: Vec<Node>,
}

#[derive(Debug)]
pub(super) struct Pipeline {
    /// The variable that the value goes to, and whether it is a new one.
    pub(super) variable: Option<(String, bool)>,
    /// Each gets the value of the one before as its last argument.
    pub(super) commands: Vec<Command>,
}

#[derive(Debug)]
pub(super) struct Command {
    pub(super) head: Operand,
    pub(super) arguments: Vec<Operand>,
}

/// A value, and the fields of it that are asked for.
#[derive(Debug)]
pub(super) struct Operand {
    pub(super) term: Term,
    pub(super) fields: Vec<String>,
}

#[derive(Debug)]
pub(super) enum Term {
    Dot,
    Nil,
    Variable(String),
    Bool(bool),
    Number(i64),
    Text(String),
    Function(Function),
    Group(Box<Pipeline>),
}

pub(super) fn parse(text: &str) -> Result<Vec<Node>, Failure> {
    let mut parser = Parser {
        tokens: lex::lex(text)?.into(),
        variables: Vec::new(),
        depth: 0,
    };
    match parser.list()? {
        (nodes, Stop::Text) => Ok(nodes),
        _ => Err(Failure::Wrong),
    }
}

struct Parser {
    tokens: VecDeque<Token>,
    /// Those that are declared so far, the innermost last.
    variables: Vec<String>,
    depth: usize,
}

/// What a list of nodes ended with.
enum Stop {
    Text,
    /// `end`
    End,
    /// `else`, of which the rest of the action is still there.
    Else,
}

impl Parser {
    fn list(&mut self) -> Result<(Vec<Node>, Stop), Failure> {
        let mut nodes = Vec::new();
        loop {
            match self.tokens.pop_front() {
                None => return Ok((nodes, Stop::Text)),
                Some(Token::Text(text)) => nodes.push(Node::Text(text)),
                Some(Token::Open) => {
                    self.skip_space();
                    match self.keyword() {
                        Some("end") => {
                            self.close()?;
                            return Ok((nodes, Stop::End));
                        }
                        Some("else") => return Ok((nodes, Stop::Else)),
                        Some("if") => nodes.push(self.branch(false)?),
                        Some("with") => nodes.push(self.branch(true)?),
                        Some(_) => return Err(Failure::Unsupported("a loop or a template of its own")),
                        None => {
                            let pipeline = self.pipeline(&Token::Close)?;
                            nodes.push(Node::Print(pipeline));
                        }
                    }
                }
                Some(_) => return Err(Failure::Wrong),
            }
        }
    }

    /// Takes a keyword that stands next.
    fn keyword(&mut self) -> Option<&'static str> {
        const KEYWORDS: [&str; 8] = [
            "end", "else", "if", "with", "range", "define", "template", "block",
        ];
        let Some(Token::Word(word)) = self.tokens.front() else {
            return None;
        };
        let keyword = *KEYWORDS.iter().find(|keyword| *keyword == word)?;
        self.tokens.pop_front();
        Some(keyword)
    }

    fn branch(&mut self, with: bool) -> Result<Node, Failure> {
        self.enter()?;
        let outer = self.variables.len();
        let condition = self.pipeline(&Token::Close)?;
        let (then, end) = self.list()?;
        let otherwise = match end {
            Stop::Text => return Err(Failure::Wrong),
            Stop::End => Vec::new(),
            Stop::Else => self.otherwise(with)?,
        };
        self.variables.truncate(outer);
        self.depth -= 1;
        Ok(Node::Branch(Branch {
            with,
            condition,
            then,
            otherwise,
        }))
    }

    /// What follows `else`: another `if` or `with`, or the last list.
    fn otherwise(&mut self, with: bool) -> Result<Vec<Node>, Failure> {
        self.skip_space();
        match (self.keyword(), with) {
            (Some("if"), false) => Ok(vec![self.branch(false)?]),
            (Some("with"), true) => Ok(vec![self.branch(true)?]),
            (Some(_), _) => Err(Failure::Wrong),
            (None, _) => {
                self.close()?;
                match self.list()? {
                    (nodes, Stop::End) => Ok(nodes),
                    _ => Err(Failure::Wrong),
                }
            }
        }
    }

    fn pipeline(&mut self, end: &Token) -> Result<Pipeline, Failure> {
        self.enter()?;
        self.skip_space();
        let variable = self.variable()?;
        let mut commands = Vec::new();
        loop {
            let (command, last) = self.command(end)?;
            // A value has no use for the one before it.
            let takes = match command.head.term {
                Term::Function(_) | Term::Variable(_) | Term::Group(_) => true,
                Term::Dot => !command.head.fields.is_empty(),
                Term::Nil | Term::Bool(_) | Term::Number(_) | Term::Text(_) => false,
            };
            if !commands.is_empty() && !takes {
                return Err(Failure::Wrong);
            }
            commands.push(command);
            if last || self.ends(end) {
                break;
            }
        }
        self.depth -= 1;
        Ok(Pipeline { variable, commands })
    }

    /// Nothing need follow a `|`.
    fn ends(&mut self, end: &Token) -> bool {
        self.skip_space();
        let ends = self.tokens.front() == Some(end);
        if ends {
            self.tokens.pop_front();
        }
        ends
    }

    /// `$x := ` or `$x = ` at the beginning of a pipeline.
    fn variable(&mut self) -> Result<Option<(String, bool)>, Failure> {
        let Some(Token::Variable(name)) = self.tokens.front() else {
            return Ok(None);
        };
        let name = name.clone();
        let sign = match self.tokens.get(1) {
            Some(Token::Space) => 2,
            _ => 1,
        };
        let new = match self.tokens.get(sign) {
            Some(Token::Declare) => true,
            Some(Token::Assign) => false,
            _ => return Ok(None),
        };
        self.tokens.drain(..=sign);
        self.skip_space();
        self.variables.push(name.clone());
        Ok(Some((name, new)))
    }

    /// One command, and whether it is the last of its pipeline.
    fn command(&mut self, end: &Token) -> Result<(Command, bool), Failure> {
        let mut operands = VecDeque::new();
        let last = loop {
            self.skip_space();
            match self.tokens.front() {
                Some(token) if token == end => break true,
                Some(Token::Pipe) => break false,
                _ => operands.push_back(self.operand()?),
            }
            if !matches!(
                self.tokens.front(),
                Some(Token::Space | Token::Pipe | Token::Close | Token::Right)
            ) {
                return Err(Failure::Wrong);
            }
        };
        self.tokens.pop_front();
        let head = operands.pop_front().ok_or(Failure::Wrong)?;
        let arguments = operands.into();
        Ok((Command { head, arguments }, last))
    }

    fn operand(&mut self) -> Result<Operand, Failure> {
        let mut fields = Vec::new();
        let first = self.tokens.pop_front().ok_or(Failure::Wrong)?;
        let takes_fields = matches!(first, Token::Field(_) | Token::Variable(_) | Token::Left);
        let term = match first {
            Token::Dot => Term::Dot,
            Token::Field(name) => {
                fields.push(name);
                Term::Dot
            }
            Token::Variable(name) if self.knows(&name) => Term::Variable(name),
            Token::Literal(text) => Term::Text(text),
            Token::Number(number) => Term::Number(number),
            Token::Left => Term::Group(Box::new(self.pipeline(&Token::Right)?)),
            Token::Word(word) => match word.as_str() {
                "true" => Term::Bool(true),
                "false" => Term::Bool(false),
                "nil" => Term::Nil,
                name => Term::Function(Function::named(name)?),
            },
            _ => return Err(Failure::Wrong),
        };
        let own = fields.len();
        while let Some(Token::Field(name)) = self.tokens.front_mut() {
            fields.push(std::mem::take(name));
            self.tokens.pop_front();
        }
        if takes_fields || fields.len() == own {
            Ok(Operand { term, fields })
        } else {
            Err(Failure::Wrong)
        }
    }

    /// `$` without a name is always there.
    fn knows(&self, variable: &str) -> bool {
        variable.is_empty() || self.variables.iter().any(|known| known == variable)
    }

    fn enter(&mut self) -> Result<(), Failure> {
        self.depth += 1;
        if self.depth > DEPTH {
            Err(Failure::Unsupported("more than 32 blocks in each other"))
        } else {
            Ok(())
        }
    }

    fn close(&mut self) -> Result<(), Failure> {
        self.skip_space();
        match self.tokens.pop_front() {
            Some(Token::Close) => Ok(()),
            _ => Err(Failure::Wrong),
        }
    }

    fn skip_space(&mut self) {
        while self.tokens.front() == Some(&Token::Space) {
            self.tokens.pop_front();
        }
    }
}
