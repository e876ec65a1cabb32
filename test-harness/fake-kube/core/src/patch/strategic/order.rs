//! The order of a merged list: that of the patch for what it names, that of the live list for the rest.

use serde_json::Value;

use super::directives::PATCH;
use crate::patch::PatchError;
use crate::schema::go::go_value;

/// `items` with those that `patch` names in its order, and the others put among them where they were in `live`.
///
/// An item that is new goes before those that only `live` has.
pub(super) fn interleaved(
    items: Vec<Value>,
    patch: &[Value],
    live: &[Value],
    key: Option<&str>,
) -> Vec<Value> {
    let place = |list: &[Value], item: &Value| list.iter().position(|each| is_same(each, item, key));
    let (mut named, mut others): (Vec<Value>, Vec<Value>) =
        items.into_iter().partition(|item| place(patch, item).is_some());
    named.sort_by_key(|item| place(patch, item));
    others.sort_by_key(|item| place(live, item));

    let mut result = Vec::with_capacity(named.len() + others.len());
    let mut others = others.into_iter().peekable();
    for item in named {
        let here = place(live, &item);
        while others
            .peek()
            .is_some_and(|other| here.is_some_and(|here| place(live, other) < Some(here)))
        {
            result.extend(others.next());
        }
        result.push(item);
    }
    result.extend(others);
    result
}

/// The items of a patch must come in the order that it gives, and be in it; those that go do not count.
pub(super) fn check(patch: &[Value], order: &[Value], key: Option<&str>) -> Result<(), PatchError> {
    let mut order_left = order.iter();
    let stays = |item: &&Value| item.get(PATCH).is_none();
    let fits = patch
        .iter()
        .filter(stays)
        .all(|item| order_left.any(|each| is_same(each, item, key)));
    if fits {
        return Ok(());
    }
    let shown = |list: &[Value]| go_value(&Value::from(list));
    Err(PatchError::Failed(format!(
        "The order in patch list:\n{}\n doesn't match $setElementOrder list:\n{}\n",
        shown(patch),
        shown(order)
    )))
}

fn is_same(a: &Value, b: &Value, key: Option<&str>) -> bool {
    match key {
        Some(key) => a.get(key).is_some() && a.get(key) == b.get(key),
        None => a == b,
    }
}
