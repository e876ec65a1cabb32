//! A tree and values into text.

use std::collections::BTreeMap;

use super::{
    Failure, RESULT, VALUES,
    format::plain,
    parse::{Branch, Command, Node, Operand, Pipeline, Term},
};

/// What a template counts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// All values by name.
    Map(&'a BTreeMap<&'a str, String>),
    Text(String),
    Number(i64),
    Bool(bool),
    /// What does not exist.
    Nothing,
}

impl Value<'_> {
    pub(super) fn is_true(&self) -> bool {
        match self {
            Value::Map(map) => !map.is_empty(),
            Value::Text(text) => !text.is_empty(),
            Value::Number(number) => *number != 0,
            Value::Bool(value) => *value,
            Value::Nothing => false,
        }
    }
}

pub(super) fn run(nodes: &[Node], values: &BTreeMap<&str, String>) -> Result<String, Failure> {
    let mut run = Run {
        variables: vec![("", Value::Map(values))],
        result: String::new(),
        used: 0,
    };
    run.nodes(nodes, &Value::Map(values))?;
    Ok(run.result)
}

struct Run<'a> {
    variables: Vec<(&'a str, Value<'a>)>,
    result: String,
    /// Bytes of all values so far.
    used: usize,
}

impl<'a> Run<'a> {
    fn nodes(&mut self, nodes: &'a [Node], dot: &Value<'a>) -> Result<(), Failure> {
        for node in nodes {
            match node {
                Node::Text(text) => self.result.push_str(text),
                Node::Print(pipeline) => {
                    let value = self.pipeline(pipeline, dot)?;
                    if pipeline.variable.is_none() {
                        self.print(&value);
                    }
                }
                Node::Branch(branch) => self.branch(branch, dot)?,
            }
            if self.result.len() > RESULT {
                return Err(Failure::Unsupported("a result of more than 64 KiB"));
            }
        }
        Ok(())
    }

    fn print(&mut self, value: &Value<'_>) {
        match value {
            Value::Nothing => self.result.push_str("<no value>"),
            value => self.result.push_str(&plain(value)),
        }
    }

    fn branch(&mut self, branch: &'a Branch, dot: &Value<'a>) -> Result<(), Failure> {
        let outer = self.variables.len();
        let value = self.pipeline(&branch.condition, dot)?;
        match (value.is_true(), branch.with) {
            (true, true) => self.nodes(&branch.then, &value)?,
            (true, false) => self.nodes(&branch.then, dot)?,
            (false, _) => self.nodes(&branch.otherwise, dot)?,
        }
        self.variables.truncate(outer);
        Ok(())
    }

    fn pipeline(&mut self, pipeline: &'a Pipeline, dot: &Value<'a>) -> Result<Value<'a>, Failure> {
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(command, dot, value)?);
        }
        let value = value.ok_or(Failure::Wrong)?;
        match &pipeline.variable {
            Some((name, true)) => self.variables.push((name, value.clone())),
            Some((name, false)) => *self.variable(name)? = value.clone(),
            None => {}
        }
        Ok(value)
    }

    fn command(
        &mut self,
        command: &'a Command,
        dot: &Value<'a>,
        last: Option<Value<'a>>,
    ) -> Result<Value<'a>, Failure> {
        if let Term::Function(function) = command.head.term {
            let arguments = command.arguments.len() + usize::from(last.is_some());
            let mut last = last;
            let value = function.call(arguments, &mut |index| match command.arguments.get(index) {
                Some(operand) => self.operand(operand, dot),
                None => last.take().ok_or(Failure::Wrong),
            })?;
            return self.counted(value);
        }
        let fields = command.head.fields.as_slice();
        match fields {
            _ if matches!(command.head.term, Term::Nil) => Err(Failure::Wrong),
            _ if command.arguments.is_empty() && last.is_none() => self.operand(&command.head, dot),
            // A value takes no arguments, but where there is none nobody looks at them.
            [outer @ .., _] => match self.fields(&command.head.term, outer, dot)? {
                Value::Nothing => Ok(Value::Nothing),
                _ => Err(Failure::Wrong),
            },
            [] => Err(Failure::Wrong),
        }
    }

    fn operand(&mut self, operand: &'a Operand, dot: &Value<'a>) -> Result<Value<'a>, Failure> {
        self.fields(&operand.term, &operand.fields, dot)
    }

    fn fields(&mut self, term: &'a Term, fields: &[String], dot: &Value<'a>) -> Result<Value<'a>, Failure> {
        let value = match term {
            Term::Dot => dot.clone(),
            Term::Nil => Value::Nothing,
            Term::Variable(name) => self.variable(name)?.clone(),
            Term::Bool(value) => Value::Bool(*value),
            Term::Number(number) => Value::Number(*number),
            Term::Text(text) => Value::Text(text.clone()),
            Term::Function(function) => function.call(0, &mut |_| Err(Failure::Wrong))?,
            Term::Group(pipeline) => self.pipeline(pipeline, dot)?,
        };
        let value = fields.iter().try_fold(value, |value, name| match value {
            Value::Map(map) => Ok(map
                .get(name.as_str())
                .map_or(Value::Nothing, |text| Value::Text(text.clone()))),
            Value::Nothing => Ok(Value::Nothing),
            Value::Text(_) | Value::Number(_) | Value::Bool(_) => Err(Failure::Wrong),
        })?;
        self.counted(value)
    }

    /// A variable that is joined with itself doubles each time, so every value counts, shown or not.
    fn counted(&mut self, value: Value<'a>) -> Result<Value<'a>, Failure> {
        if let Value::Text(text) = &value {
            self.used += text.len();
        }
        match self.used {
            ..=VALUES => Ok(value),
            _ => Err(Failure::Unsupported("more than 1 MiB of values on the way")),
        }
    }

    fn variable(&mut self, name: &str) -> Result<&mut Value<'a>, Failure> {
        let found = self.variables.iter_mut().rev().find(|(known, _)| *known == name);
        found.map(|(_, value)| value).ok_or(Failure::Wrong)
    }
}
