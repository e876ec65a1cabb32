//! Canonical JSON: the one byte form of a value, so that its digest is the same on every plane and hub version.
//!
//! Keys are sorted by their bytes, there is no white space, and numbers are written as i64, u64 or the shortest
//! f64 that reads back the same (for which this crate switches on exact reading of floats). Sorting is done here and not left to `serde_json`, whose map order depends on
//! features that any crate in the build may switch on.

use serde_json::Value;

/// The canonical bytes of `value`.
pub fn to_vec(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out);
    out
}

/// The canonical bytes of the object that has these fields.
pub fn fields_to_vec<'a>(fields: impl Iterator<Item = (&'a String, &'a Value)>) -> Vec<u8> {
    let mut out = Vec::new();
    write_fields(fields, &mut out);
    out
}

/// How many bytes Go's `encoding/json` needs for a value whose canonical form is `canonical`: it writes `<`, `>`
/// and `&` as six bytes each, and U+2028 and U+2029 likewise. This is the length that the API server stores.
pub fn go_length(canonical: &[u8]) -> usize {
    let escaped = canonical
        .iter()
        .filter(|byte| matches!(byte, b'<' | b'>' | b'&'))
        .count();
    let separators = canonical
        .windows(3)
        .filter(|window| matches!(window, [0xe2, 0x80, 0xa8 | 0xa9]))
        .count();
    canonical.len() + escaped * 5 + separators * 3
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => scalar(value, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                separate(index, out);
                write(item, out);
            }
            out.push(b']');
        }
        Value::Object(fields) => write_fields(fields.iter(), out),
    }
}

fn write_fields<'a>(fields: impl Iterator<Item = (&'a String, &'a Value)>, out: &mut Vec<u8>) {
    let mut fields: Vec<_> = fields.collect();
    fields.sort_unstable_by_key(|(key, _)| key.as_bytes());
    out.push(b'{');
    for (index, (key, field)) in fields.into_iter().enumerate() {
        separate(index, out);
        scalar(key, out);
        out.push(b':');
        write(field, out);
    }
    out.push(b'}');
}

fn separate(index: usize, out: &mut Vec<u8>) {
    if index > 0 {
        out.push(b',');
    }
}

fn scalar(value: &impl serde::Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("a scalar is written to memory and cannot fail");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn canonical(value: &Value) -> String {
        String::from_utf8(to_vec(value)).unwrap()
    }

    #[test]
    fn keys_are_sorted_by_bytes_at_every_depth() {
        let value = json!({"b": 1, "a": {"é": 1, "z": [ {"y": 0, "x": 0} ]}, "B": null});
        assert_eq!(
            canonical(&value),
            r#"{"B":null,"a":{"z":[{"x":0,"y":0}],"é":1},"b":1}"#
        );
    }

    #[test]
    fn some_fields_are_written_as_the_object_of_them_alone() {
        let value = json!({"b": {"d": 1, "c": 2}, "a": [], "left out": 0});
        let some = value
            .as_object()
            .unwrap()
            .iter()
            .filter(|(key, _)| key.len() == 1);
        assert_eq!(fields_to_vec(some), br#"{"a":[],"b":{"c":2,"d":1}}"#);
    }

    #[test]
    fn numbers_keep_their_shortest_form() {
        let value: Value = serde_json::from_str("[1, -1, 18446744073709551615, 1.0, 0.1, 1e3]").unwrap();
        assert_eq!(canonical(&value), "[1,-1,18446744073709551615,1.0,0.1,1000.0]");
    }

    #[test]
    fn go_escapes_count_as_go_writes_them() {
        let value = json!("<a&b>\u{2028}");
        let go = r#""\u003ca\u0026b\u003e\u2028""#;
        assert_eq!(go_length(&to_vec(&value)), go.len());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::hash_map(".{0,4}", inner, 0..6).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn canonical_form_reads_back_and_is_stable(value in any_json()) {
            let bytes = to_vec(&value);
            let back: Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(to_vec(&back), bytes);
        }
    }
}
