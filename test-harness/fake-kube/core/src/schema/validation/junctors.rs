//! `allOf`, `anyOf`, `oneOf` and `not`.

use serde_json::Value;

use super::{check as check_value, invalid};
use crate::schema::node::{Junctors, Node};
use crate::schema::{FieldError, FieldPath, SchemaRef};

/// Complaints about alternatives have no field of their own: the API server names it in the text only.
pub(super) fn check(
    schema: SchemaRef<'_>,
    junctors: &Junctors,
    value: &Value,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let errors_of = |node: &Node| {
        let mut errors = Vec::new();
        check_value(schema.alternative(node), value, path, &mut errors);
        errors
    };
    let mut complain = |rule: &str| {
        errors.push(invalid(
            &FieldPath::root(),
            Value::Null,
            format!("{:?} {rule}", path.as_str()),
        ));
    };
    let valid = |nodes: &[Node]| nodes.iter().filter(|node| errors_of(node).is_empty()).count();

    if !junctors.any_of.is_empty() && valid(&junctors.any_of) == 0 {
        complain("must validate at least one schema (anyOf)");
    }
    match valid(&junctors.one_of) {
        _ if junctors.one_of.is_empty() => {}
        1 => {}
        0 => complain("must validate one and only one schema (oneOf). Found none valid"),
        several => complain(&format!(
            "must validate one and only one schema (oneOf). Found {several} valid alternatives"
        )),
    }
    match valid(&junctors.all_of) {
        all if all == junctors.all_of.len() => {}
        0 => complain("must validate all the schemas (allOf). None validated"),
        _ => complain("must validate all the schemas (allOf)"),
    }
    if junctors
        .not
        .as_deref()
        .is_some_and(|node| errors_of(node).is_empty())
    {
        complain("must not validate the schema (not)");
    }
    errors.extend(junctors.all_of.iter().flat_map(errors_of));
}
