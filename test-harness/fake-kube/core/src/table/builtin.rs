//! The columns of built-in kinds.

use std::sync::Arc;

use super::{Cell, Column, JsonPath, cell};

/// Columns by kind: name, then what the table below says, then age.
pub(super) fn columns(group: &str, kind: &str) -> Arc<[Column]> {
    let own = TABLE
        .iter()
        .find(|(g, k, _)| *g == group && *k == kind)
        .map_or(&[][..], |(_, _, own)| own);
    let mut columns = vec![cell::name_column()];
    columns.extend(own.iter().map(Short::column));
    columns.push(cell::age_column());
    columns.into()
}

/// Header, type, path.
struct Short(&'static str, &'static str, &'static str);

impl Short {
    fn column(&self) -> Column {
        Column {
            name: self.0.into(),
            kind: self.1.into(),
            format: "".into(),
            description: "".into(),
            priority: 0,
            cell: Cell::Path(JsonPath::parse(self.2)),
        }
    }
}

const TABLE: &[(&str, &str, &[Short])] = &[("", "Namespace", &[Short("Status", "string", ".status.phase")])];
