//! Cells and the columns that most kinds have.

use jiff::Timestamp;
use serde_json::Value;

use super::{Cell, Column, JsonPath};
use crate::meta;

/// A field as a cell of a column of the type `kind`.
pub(super) fn typed(value: Option<&Value>, kind: &str, now: Timestamp) -> Value {
    match (kind, value) {
        (_, None | Some(Value::Null)) => Value::Null,
        ("date", Some(value)) => value
            .as_str()
            .map_or(Value::String("<invalid>".into()), |text| since(text, now).into()),
        ("string", Some(Value::String(text))) => Value::String(text.clone()),
        ("string", Some(other)) => Value::String(other.to_string()),
        (_, Some(value)) => value.clone(),
    }
}

/// What the API says of names everywhere.
const NAME: &str = "Name must be unique within a namespace. Is required when creating resources, although some \
    resources may allow a client to request the generation of an appropriate name automatically. Name is primarily \
    intended for creation idempotence and configuration definition. Cannot be updated. More info: \
    https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";

/// The first column of every kind.
pub(super) fn name_column() -> Column {
    Column {
        name: "Name".into(),
        kind: "string".into(),
        format: "name".into(),
        description: NAME.into(),
        priority: 0,
        cell: Cell::Path(JsonPath::parse(".metadata.name")),
    }
}

/// The last column of most kinds.
pub(super) fn age_column() -> Column {
    Column {
        name: "Age".into(),
        kind: "date".into(),
        format: "".into(),
        description: "Time since the object was created.".into(),
        priority: 0,
        cell: Cell::Compute(age),
    }
}

fn age(object: &Value, now: Timestamp) -> Value {
    match meta::text(object, "creationTimestamp") {
        "" => "<unknown>".into(),
        created => since(created, now).into(),
    }
}

/// The time since a timestamp, in words.
pub(super) fn since(timestamp: &str, now: Timestamp) -> String {
    match timestamp.parse::<Timestamp>() {
        Ok(then) => human_age(now.as_second() - then.as_second()),
        Err(_) => "<invalid>".to_owned(),
    }
}

/// A number of seconds as Kubernetes prints ages: `90s`, `5m30s`, `3h`, `2d5h`.
pub fn human_age(seconds: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 3_600;
    const DAY: i64 = 86_400;
    const YEAR: i64 = 365 * DAY;
    let two = |value: i64, unit: &str, rest: i64, rest_unit: &str| match rest {
        0 => format!("{value}{unit}"),
        rest => format!("{value}{unit}{rest}{rest_unit}"),
    };
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1..0 => "0s".to_owned(),
        s if s < 2 * MINUTE => format!("{s}s"),
        s if s < 10 * MINUTE => two(s / MINUTE, "m", s % MINUTE, "s"),
        s if s < 3 * HOUR => format!("{}m", s / MINUTE),
        s if s < 8 * HOUR => two(s / HOUR, "h", s % HOUR / MINUTE, "m"),
        s if s < 2 * DAY => format!("{}h", s / HOUR),
        s if s < 8 * DAY => two(s / DAY, "d", s % DAY / HOUR, "h"),
        s if s < 2 * YEAR => format!("{}d", s / DAY),
        s if s < 8 * YEAR => two(s / YEAR, "y", s % YEAR / DAY, "d"),
        s => format!("{}y", s / YEAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_as_kubernetes_writes_them() {
        let cases = [
            (5, "5s"),
            (119, "119s"),
            (120, "2m"),
            (330, "5m30s"),
            (7_200, "120m"),
            (11_000, "3h3m"),
            (100_000, "27h"),
            (200_000, "2d7h"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(human_age(seconds), expected);
        }
    }
}
