//! What `kubectl get` prints: the server makes the rows, from columns that kinds have as data.

mod builtin;
mod cell;
mod compute;
mod jsonpath;

pub use cell::human_age;
pub use jsonpath::JsonPath;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::meta;

/// One column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its header.
    pub name: Arc<str>,
    /// `string`, `integer`, `date` and so on.
    pub kind: Arc<str>,
    /// `name` for the first column.
    pub format: Arc<str>,
    /// What it says.
    pub description: Arc<str>,
    /// Above 0 it is shown with `-o wide` only.
    pub priority: i64,
    /// Where its cells come from.
    pub cell: Cell,
}

/// Where a cell comes from.
#[derive(Debug, Clone)]
pub enum Cell {
    /// A field.
    Path(JsonPath),
    /// A field, or this text where it is absent.
    Or(JsonPath, &'static str),
    /// A computation over the object.
    Compute(fn(&Value, Timestamp) -> Value),
}

impl Column {
    fn value(&self, object: &Value, now: Timestamp) -> Value {
        match &self.cell {
            Cell::Path(path) => cell::typed(path.first(object), &self.kind, now),
            Cell::Or(path, absent) => match cell::typed(path.first(object), &self.kind, now) {
                Value::Null if &*self.kind == "integer" => absent.parse::<i64>().unwrap_or(0).into(),
                Value::Null => (*absent).into(),
                value => value,
            },
            Cell::Compute(compute) => compute(object, now),
        }
    }

    fn definition(&self) -> Value {
        json!({
            "name": &*self.name, "type": &*self.kind, "format": &*self.format,
            "description": &*self.description, "priority": self.priority,
        })
    }
}

/// The columns of a built-in kind.
pub fn builtin_columns(group: &str, kind: &str) -> Arc<[Column]> {
    builtin::columns(group, kind)
}

/// The columns of a custom kind, from its `additionalPrinterColumns`: the name, then those, or the age.
pub fn custom_columns(definitions: &Value) -> Arc<[Column]> {
    let mut columns = vec![cell::name_column()];
    match definitions.as_array().filter(|list| !list.is_empty()) {
        Some(list) => columns.extend(list.iter().map(custom_column)),
        None => columns.push(cell::age_column()),
    }
    columns.into()
}

fn custom_column(definition: &Value) -> Column {
    let text = |key: &str| Arc::from(definition[key].as_str().unwrap_or_default());
    let description = match definition["description"].as_str() {
        Some(given) if !given.is_empty() => given.to_owned(),
        _ => format!(
            "Custom resource definition column (in JSONPath format): {}",
            text("jsonPath")
        ),
    };
    Column {
        name: text("name"),
        kind: text("type"),
        format: text("format"),
        description: description.into(),
        priority: definition["priority"].as_i64().unwrap_or(0),
        cell: Cell::Path(JsonPath::parse(
            definition["jsonPath"].as_str().unwrap_or_default(),
        )),
    }
}

/// What of the object a row carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Include {
    /// Its metadata: the default.
    Metadata,
    /// All of it.
    Object,
    /// Nothing.
    None,
}

impl Include {
    /// From the query parameter `includeObject`.
    pub fn parse(text: Option<&str>) -> Self {
        match text {
            Some("Object") => Self::Object,
            Some("None") => Self::None,
            _ => Self::Metadata,
        }
    }
}

/// A table of objects; `list_meta` is the metadata of the list.
pub fn render<'a>(
    columns: &[Column],
    objects: impl Iterator<Item = &'a Value>,
    list_meta: Value,
    include: Include,
    now: Timestamp,
) -> Value {
    let rows: Vec<Value> = objects.map(|object| row(columns, object, include, now)).collect();
    let definitions: Vec<Value> = columns.iter().map(Column::definition).collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": list_meta,
        "columnDefinitions": definitions, "rows": rows,
    })
}

fn row(columns: &[Column], object: &Value, include: Include, now: Timestamp) -> Value {
    let cells: Vec<Value> = columns.iter().map(|column| column.value(object, now)).collect();
    match include {
        Include::None => json!({"cells": cells}),
        Include::Object => json!({"cells": cells, "object": object}),
        Include::Metadata => json!({"cells": cells, "object": partial_metadata(object)}),
    }
}

/// An object reduced to its metadata.
pub fn partial_metadata(object: &Value) -> Value {
    let metadata = meta::metadata(object).cloned().unwrap_or_default();
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
}
