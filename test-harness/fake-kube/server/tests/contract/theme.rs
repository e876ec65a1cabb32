//! How cases are written.
//!
//! A file in `cases/` is a theme: `paths` that its requests use, whether its cluster needs `controllers` or soon forgets
//! its past (`compacted`), and `cases`.
//! A case has a name, a namespace of its own, `$NS`, and `steps`; [`Step`] says what a step may hold. YAML's merge keys
//! and anchors work; so does `{$repeat: [text, times]}` for what is too long to write.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::folder;

/// One file of cases.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Theme {
    #[serde(skip)]
    pub(crate) name: String,
    /// Short names of paths.
    #[serde(default)]
    pub(crate) paths: BTreeMap<String, String>,
    /// Whether the cluster needs Kubernetes' own controllers.
    #[serde(default)]
    pub(crate) controllers: bool,
    /// Whether the cluster forgets what it was some seconds ago.
    #[serde(default)]
    pub(crate) compacted: bool,
    /// Values to anchor here and alias below.
    #[serde(default, rename = "with")]
    _with: Value,
    pub(crate) cases: Vec<Case>,
}

/// Requests that belong together, in a namespace of their own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    #[serde(rename = "case")]
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
}

/// One request, and what of its answer counts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// `METHOD PATH`.
    #[serde(rename = "do")]
    pub(crate) line: String,
    /// What is sent; a text goes as it is.
    #[serde(default)]
    pub(crate) body: Value,
    /// The type of the body: `apply`, `merge`, `json`, `strategic`, or a media type.
    #[serde(default, rename = "type")]
    pub(crate) content_type: Option<String>,
    /// The form wanted: `table`, `metadata`, `metadata-list`, or a media type.
    #[serde(default)]
    pub(crate) accept: Option<String>,
    /// Whom to impersonate.
    #[serde(default, rename = "as")]
    pub(crate) impersonate: Option<String>,
    /// More headers, each with one value or several.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Value>,
    /// Sent without the administrator's credentials.
    #[serde(default)]
    pub(crate) stranger: bool,
    /// Only these parts of the answer count.
    #[serde(default)]
    pub(crate) show: Option<Vec<String>>,
    /// All but these parts of the answer count.
    #[serde(default)]
    pub(crate) hide: Vec<String>,
    /// Fields of these names do not count, wherever they are.
    #[serde(default)]
    pub(crate) without: Vec<String>,
    /// Names for values of the answer, for later steps.
    #[serde(default)]
    pub(crate) keep: BTreeMap<String, String>,
    /// A watch is left after so many events.
    #[serde(default)]
    pub(crate) events: Option<usize>,
    /// Asked again until the answer has this code.
    #[serde(default)]
    pub(crate) until: Option<u16>,
    /// Asked again until these parts of the answer are so; null is absent.
    #[serde(default)]
    pub(crate) until_shows: BTreeMap<String, Value>,
    /// Asked of a cluster that has forgotten what it was before the step, as soon as it has: with an `until`.
    #[serde(default)]
    pub(crate) forgotten: bool,
    /// Of a list only these items, by name.
    #[serde(default)]
    pub(crate) only: Option<Vec<String>>,
    /// It must succeed; what is answered does not count.
    #[serde(default)]
    pub(crate) silent: bool,
}

/// The themes that are to be played, by name.
pub(crate) fn all() -> Result<Vec<Theme>> {
    let wanted = std::env::var("OUTHAUL_THEMES").unwrap_or_default();
    let mut themes = Vec::new();
    for entry in std::fs::read_dir(folder().join("cases"))? {
        let path = entry?.path();
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        if wanted.is_empty() || wanted.split(',').any(|theme| theme == name) {
            let text = std::fs::read_to_string(&path)?;
            themes.push(parse(name, &text).with_context(|| format!("reading {}", path.display()))?);
        }
    }
    themes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(themes)
}

fn parse(name: &str, text: &str) -> Result<Theme> {
    let raw: Value = serde_yaml_ng::from_str(text)?;
    let mut theme: Theme = serde_json::from_value(written_out(raw))?;
    theme.name = name.to_owned();
    Ok(theme)
}

/// Merge keys, which the parser leaves alone, and repetitions become what they stand for.
fn written_out(value: Value) -> Value {
    match value {
        Value::Object(mut fields) => {
            if let Some(Value::Array(repeat)) = fields.get("$repeat") {
                let times = repeat[1].as_u64().unwrap_or_default();
                return repeat[0]
                    .as_str()
                    .unwrap_or_default()
                    .repeat(usize::try_from(times).unwrap_or_default())
                    .into();
            }
            let mut whole = Map::new();
            if let Some(Value::Object(base)) = fields.remove("<<").map(written_out) {
                whole.extend(base);
            }
            let own = fields.into_iter().map(|(key, value)| (key, written_out(value)));
            whole.extend(own);
            Value::Object(whole)
        }
        Value::Array(items) => items.into_iter().map(written_out).collect(),
        other => other,
    }
}
