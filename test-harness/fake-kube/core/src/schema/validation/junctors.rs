//! `allOf`, `anyOf`, `oneOf` and `not`.

use serde_json::Value;

use super::{check as check_value, invalid};
use crate::schema::node::{Junctors, Node};
use crate::schema::{FieldError, FieldPath, SchemaRef};

/// Complaints about alternatives have no field of their own: the API server names it in the text only.
pub(super) fn check(
    schema: SchemaRef<'_>,
    junctors: &Junctors,
    (value, old): (&Value, Option<&Value>),
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let errors_of = |node: &Node| {
        let mut errors = Vec::new();
        check_value(schema.alternative(node), value, old, path, &mut errors);
        errors
    };
    // The failures of the alternative that fails least are named as well.
    let nearest = |nodes: &[Node]| {
        nodes
            .iter()
            .map(errors_of)
            .min_by_key(Vec::len)
            .unwrap_or_default()
    };
    let mut complain = |rule: &str, also: Vec<FieldError>| {
        errors.push(invalid(
            &FieldPath::root(),
            "".into(),
            format!("{:?} {rule}", path.as_str()),
        ));
        errors.extend(also);
    };
    let valid = |nodes: &[Node]| nodes.iter().filter(|node| errors_of(node).is_empty()).count();

    if !junctors.any_of.is_empty() && valid(&junctors.any_of) == 0 {
        complain(
            "must validate at least one schema (anyOf)",
            nearest(&junctors.any_of),
        );
    }
    match valid(&junctors.one_of) {
        _ if junctors.one_of.is_empty() => {}
        1 => {}
        0 => {
            let rule = "must validate one and only one schema (oneOf). Found none valid";
            complain(rule, nearest(&junctors.one_of));
        }
        several => {
            let rule = "must validate one and only one schema (oneOf)";
            complain(&format!("{rule}. Found {several} valid alternatives"), Vec::new());
        }
    }
    match valid(&junctors.all_of) {
        all if all == junctors.all_of.len() => {}
        0 => complain(
            "must validate all the schemas (allOf). None validated",
            Vec::new(),
        ),
        _ => complain("must validate all the schemas (allOf)", Vec::new()),
    }
    if junctors
        .not
        .as_deref()
        .is_some_and(|node| errors_of(node).is_empty())
    {
        complain("must not validate the schema (not)", Vec::new());
    }
    errors.extend(junctors.all_of.iter().flat_map(errors_of));
}
