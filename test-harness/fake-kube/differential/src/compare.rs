//! Where two answers differ.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::server::Answer;

/// Lines a report shows at most; what follows from the first is seldom news.
const SHOWN: usize = 12;

/// What a refusal complains of: in no order.
const CAUSES: &str = "/details/causes";

/// How two answers to one request differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Each place, with what both say there.
    pub lines: Vec<Line>,
}

/// One place at which two answers differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The place, as a JSON pointer; `code` and `warnings` beside the body.
    pub path: String,
    /// What the real server has there.
    pub real: String,
    /// What the embedded one has.
    pub fake: String,
}

impl Difference {
    /// The differences of two answers, if any.
    pub fn between(real: &Answer, fake: &Answer) -> Option<Self> {
        let mut lines = Vec::new();
        if real.code == fake.code {
            collect("", Some(&real.body), Some(&fake.body), &mut lines);
        } else {
            // One is a refusal and the other an object: all of it differs, and nothing of it is news.
            lines.push(Line {
                path: "code".to_owned(),
                real: real.code.to_string(),
                fake: fake.code.to_string(),
            });
            collect(
                "/message",
                real.body.get("message"),
                fake.body.get("message"),
                &mut lines,
            );
            collect_causes(&causes(real), &causes(fake), &mut lines);
        }
        if real.warnings != fake.warnings {
            lines.push(Line {
                path: "warnings".to_owned(),
                real: real.warnings.join("; "),
                fake: fake.warnings.join("; "),
            });
        }
        (!lines.is_empty()).then_some(Self { lines })
    }

    /// Whether nothing differs but which write an object was left by.
    pub fn is_of_versions(&self) -> bool {
        self.lines
            .iter()
            .all(|line| line.path.ends_with("/metadata/resourceVersion"))
    }

    /// What reports of the same flaw have in common: the places, without indices and names, and the words.
    pub fn signature(&self) -> String {
        let words = |line: &Line| match line.path.as_str() {
            "code" => format!("code {} {}", line.real, line.fake),
            "/message" | CAUSES => format!("{} {} {}", line.path, gist(&line.real), gist(&line.fake)),
            path => general(path),
        };
        // The message repeats the causes.
        let has_causes = self.lines.iter().any(|line| line.path == CAUSES);
        let told = self
            .lines
            .iter()
            .filter(|line| !has_causes || line.path != "/message");
        let places: BTreeSet<String> = told.map(words).collect();
        places.into_iter().take(3).collect::<Vec<_>>().join(" ")
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in self.lines.iter().take(SHOWN) {
            writeln!(
                f,
                "  {}\n    real: {}\n    fake: {}",
                line.path, line.real, line.fake
            )?;
        }
        if self.lines.len() > SHOWN {
            writeln!(f, "  and {} more", self.lines.len() - SHOWN)?;
        }
        Ok(())
    }
}

/// A message without its particulars: what is quoted, keys and numbers.
fn gist(message: &str) -> String {
    let gist = PARTICULARS.replace_all(message, "_");
    gist.chars().take(200).collect()
}

static PARTICULARS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"\\"[^"]*\\"|sequence-\d+|\[[^\]]*\]|\d+"#).expect("a valid pattern"));

fn general(path: &str) -> String {
    let parts = path.split('/').filter(|part| part.parse::<usize>().is_err());
    parts.take(6).collect::<Vec<_>>().join("/")
}

fn collect(path: &str, real: Option<&Value>, fake: Option<&Value>, lines: &mut Vec<Line>) {
    match (real, fake) {
        (Some(Value::Object(r)), Some(Value::Object(f))) => {
            let names: BTreeSet<&String> = r.keys().chain(f.keys()).collect();
            for name in names {
                collect(&format!("{path}/{name}"), r.get(name), f.get(name), lines);
            }
        }
        (Some(Value::Array(r)), Some(Value::Array(f))) if path == CAUSES => collect_causes(r, f, lines),
        (Some(Value::Array(r)), Some(Value::Array(f))) => {
            for index in 0..r.len().max(f.len()) {
                collect(&format!("{path}/{index}"), r.get(index), f.get(index), lines);
            }
        }
        (real, fake) if real != fake => {
            let shown = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
            lines.push(Line {
                path: path.to_owned(),
                real: shown(real),
                fake: shown(fake),
            });
        }
        _ => {}
    }
}

fn causes(answer: &Answer) -> Vec<Value> {
    let causes = answer.body.pointer(CAUSES).and_then(Value::as_array);
    causes.cloned().unwrap_or_default()
}

/// What one complains of and the other does not.
fn collect_causes(real: &[Value], fake: &[Value], lines: &mut Vec<Line>) {
    let only = |these: &[Value], those: &[Value]| -> Vec<String> {
        let missing = these.iter().filter(|cause| !those.contains(cause));
        missing.map(Value::to_string).collect()
    };
    let line = |real, fake| Line {
        path: CAUSES.to_owned(),
        real,
        fake,
    };
    lines.extend(
        only(real, fake)
            .into_iter()
            .map(|cause| line(cause, String::new())),
    );
    lines.extend(
        only(fake, real)
            .into_iter()
            .map(|cause| line(String::new(), cause)),
    );
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(code: u16, body: Value) -> Answer {
        Answer {
            code,
            body,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn equal_answers_do_not_differ() {
        assert_eq!(
            Difference::between(&answer(200, json!({"a": 1})), &answer(200, json!({"a": 1}))),
            None
        );
    }

    #[test]
    fn a_flaw_has_one_signature_wherever_it_shows() {
        let signature = |index: usize, value: u8| {
            let mut list = vec![json!(0); 4];
            list[index] = json!(value);
            let real = answer(200, json!({"spec": [0, 0, 0, 0]}));
            Difference::between(&real, &answer(200, json!({"spec": list})))
                .unwrap()
                .signature()
        };
        assert_eq!(signature(1, 2), signature(3, 4));
    }
}
