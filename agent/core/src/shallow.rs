//! JSON of others, read as deep as it can be of use.
//!
//! An API server stores objects that nest thousands of levels deep. A reader that refuses one refuses the list or the
//! watch that it is in; one that follows it runs out of stack. This one reads the upper levels and leaves out the
//! rest: so an object that nests too deep is one that shows less, and concerns nobody else.

use core::fmt;

use outhaul_protocol_wire::limits;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::{Map, Number, Value};

/// Levels that are read. `serde_json` refuses what nests 128 levels deep, and the frames around an object take a few.
const LEVELS: usize = 120;

/// Levels that an object may have for us to apply it: as many as a whole spec, which a hub sends no deeper. What an API
/// server answers then has no more than can be read: a list puts two around it, and `managedFields` name each field four
/// levels below the top.
pub const OBJECT_LEVELS: usize = limits::SPEC_DEPTH;

/// What stands in the place of a map or a list that lies too deep.
pub const LEFT_OUT: &str = "…";

/// A value without what lies too deep.
#[derive(Debug, Clone, PartialEq)]
pub struct Shallow(pub Value);

impl<'de> Deserialize<'de> for Shallow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Levels(LEVELS).deserialize(deserializer).map(Self)
    }
}

/// How many maps and lists `value` has inside each other.
pub fn levels(value: &Value) -> usize {
    match value {
        Value::Object(fields) => 1 + fields.values().map(levels).max().unwrap_or_default(),
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Reads this many more levels.
#[derive(Clone, Copy)]
struct Levels(usize);

impl Levels {
    fn below(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }
}

impl<'de> DeserializeSeed<'de> for Levels {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.0 {
            // Skipping does not nest, however deep it goes.
            0 => IgnoredAny::deserialize(deserializer).map(|_skipped| LEFT_OUT.into()),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Levels {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let below = self.below().expect("only levels that are read are visited");
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(below)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let below = self.below().expect("only levels that are read are visited");
        let mut fields = Map::new();
        while let Some(field) = map.next_key::<String>()? {
            fields.insert(field, map.next_value_seed(below)?);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn nested(levels: usize) -> String {
        format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels))
    }

    fn read(json: &str) -> Value {
        serde_json::from_str::<Shallow>(json).unwrap().0
    }

    #[test]
    fn what_lies_too_deep_is_left_out_and_the_rest_is_read() {
        for deep in [LEVELS + 1, 150, 10_000] {
            let value = read(&format!(r#"{{"deep":{},"beside":[1,null]}}"#, nested(deep)));
            assert_eq!(value["beside"], json!([1, null]));
            assert_eq!(levels(&value), LEVELS, "{deep}");
            let lowest = value.pointer(&format!("/deep{}", "/a".repeat(LEVELS - 1)));
            assert_eq!(lowest, Some(&LEFT_OUT.into()), "{deep}");
        }
        assert_eq!(levels(&read(&nested(LEVELS - 1))), LEVELS - 1);
    }

    #[test]
    fn broken_json_is_no_value() {
        for json in ["", "{", r#"{"a":}"#, "[1,]", "<html>"] {
            assert!(serde_json::from_str::<Shallow>(json).is_err(), "{json}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
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
        fn what_is_not_deep_reads_as_it_is(value in any_json()) {
            let json = value.to_string();
            prop_assert_eq!(read(&json), serde_json::from_str::<Value>(&json).unwrap());
        }
    }
}
