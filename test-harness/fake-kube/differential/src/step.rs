//! One request of a sequence, in the form that contract cases have.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// One request. Its texts may hold `$NAME`: the namespace of the sequence, or what an earlier answer left.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The HTTP method.
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    /// How the body is to be read.
    pub kind: Content,
    /// The body; null sends none.
    pub body: Value,
    /// Names for parts of the answer: the pointers to them.
    pub keep: BTreeMap<String, String>,
}

/// The content type of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// An object.
    Json,
    /// A server-side apply.
    Apply,
    /// A JSON merge patch.
    Merge,
    /// A JSON patch.
    Patch,
    /// A strategic merge patch.
    Strategic,
}

impl Content {
    /// As in the header.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Apply => "application/apply-patch+yaml",
            Self::Merge => "application/merge-patch+json",
            Self::Patch => "application/json-patch+json",
            Self::Strategic => "application/strategic-merge-patch+json",
        }
    }

    /// As contract cases name it; objects go without.
    fn case_name(self) -> Option<&'static str> {
        match self {
            Self::Json => None,
            Self::Apply => Some("apply"),
            Self::Merge => Some("merge"),
            Self::Patch => Some("json"),
            Self::Strategic => Some("strategic"),
        }
    }
}

impl Step {
    /// A request without a body.
    pub fn bare(method: &'static str, path: String) -> Self {
        Self {
            method,
            path,
            kind: Content::Json,
            body: Value::Null,
            keep: BTreeMap::new(),
        }
    }

    /// A request with a body.
    pub fn with_body(method: &'static str, path: String, kind: Content, body: Value) -> Self {
        Self {
            kind,
            body,
            ..Self::bare(method, path)
        }
    }

    /// The step as an entry of a contract case.
    pub fn as_case(&self) -> Value {
        let mut entry = Map::new();
        entry.insert("do".to_owned(), format!("{} {}", self.method, self.path).into());
        if let Some(name) = self.kind.case_name() {
            entry.insert("type".to_owned(), name.into());
        }
        if !self.body.is_null() {
            entry.insert("body".to_owned(), self.body.clone());
        }
        if !self.keep.is_empty() {
            entry.insert("keep".to_owned(), json!(self.keep));
        }
        Value::Object(entry)
    }

    /// Whether the step has `$name` somewhere.
    pub fn mentions(&self, name: &str) -> bool {
        let name = format!("${name}");
        self.path.contains(&name) || self.body.to_string().contains(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_reads_as_a_contract_case_has_it() {
        let mut step = Step::with_body(
            "PATCH",
            "/api/v1/namespaces/$NS/configmaps/a".to_owned(),
            Content::Merge,
            json!({"data": null}),
        );
        step.keep
            .insert("RV".to_owned(), "/metadata/resourceVersion".to_owned());
        assert_eq!(
            step.as_case(),
            json!({
                "do": "PATCH /api/v1/namespaces/$NS/configmaps/a",
                "type": "merge",
                "body": {"data": null},
                "keep": {"RV": "/metadata/resourceVersion"},
            })
        );
        assert!(step.mentions("NS") && !step.mentions("RV"));
    }
}
