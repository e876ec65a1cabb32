//! JSON as the server reads it: of a field that is there twice the last counts, and strict clients are told.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Maps and lists in each other. The server takes 10,000, on a stack that grows; ours bears some hundreds, which is more
/// than any reader of its answers takes that is not prepared for it.
const LEVELS: usize = 300;

/// A value, and the paths of fields that were there more than once.
pub(super) fn read(text: &[u8]) -> Result<(Value, Vec<String>), serde_json::Error> {
    let mut duplicates = Vec::new();
    let mut parser = serde_json::Deserializer::from_slice(text);
    parser.disable_recursion_limit(); // `Node` counts
    let node = Node {
        place: &Place::Root,
        levels: LEVELS,
        duplicates: &mut duplicates,
    };
    let value = node.deserialize(&mut parser)?;
    parser.end()?;
    Ok((value, duplicates))
}

/// Where in the document. Spelled out only for a duplicate.
enum Place<'a> {
    Root,
    Field(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

struct Node<'a> {
    place: &'a Place<'a>,
    /// How many more may follow.
    levels: usize,
    duplicates: &'a mut Vec<String>,
}

impl Node<'_> {
    fn below<E: serde::de::Error>(&self) -> Result<usize, E> {
        self.levels
            .checked_sub(1)
            .ok_or_else(|| E::custom("exceeded max depth"))
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let levels = self.below()?;
        let mut list = Vec::new();
        loop {
            let place = Place::Item(self.place, list.len());
            let item = Node {
                place: &place,
                levels,
                duplicates: self.duplicates,
            };
            match items.next_element_seed(item)? {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let levels = self.below()?;
        let mut fields = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let place = Place::Field(self.place, &name);
            if fields.contains_key(&name) {
                self.duplicates.push(place.to_string());
            }
            let field = Node {
                place: &place,
                levels,
                duplicates: self.duplicates,
            };
            let value = entries.next_value_seed(field)?;
            fields.insert(name, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_of_two_fields_counts_and_both_are_told() {
        let (value, duplicates) = read(br#"{"a": {"b": [{"c": 1, "c": 2}]}, "d": 1.5, "d": null}"#).unwrap();
        assert_eq!(value, json!({"a": {"b": [{"c": 2}]}, "d": null}));
        assert_eq!(duplicates, ["a.b[0].c", "d"]);
        assert!(read(b"{} x").is_err());
    }

    #[test]
    fn what_nests_deeper_than_most_readers_bear_is_read_up_to_a_limit() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(nested(LEVELS).as_bytes()).is_ok());
        assert!(read(nested(LEVELS + 1).as_bytes()).is_err());
        assert!(read("[".repeat(100_000).as_bytes()).is_err());
    }
}
