//! All that the cases of single rules do not tell: what else each of them changes in the objects of its plain world. A
//! snapshot has it, so that nothing changes unseen; `cargo insta review` shows what does.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::Value;

use crate::{
    rules::{self, Case},
    world::Made,
};

#[test]
fn what_rules_change_beside_what_they_tell_is_as_it_was() {
    let mut all = String::new();
    for case in rules::cases() {
        let (plain, made) = (case.plain(), case.make());
        if made.release().is_none() {
            continue;
        }
        writeln!(all, "{}", case.name).unwrap();
        for change in changes(&case, &objects(&plain), &objects(&made)) {
            writeln!(all, "  {change}").unwrap();
        }
    }
    insta::assert_snapshot!("beside", all);
}

/// The objects of a Release by their ids.
fn objects(made: &Made) -> BTreeMap<&str, &Value> {
    let resources = made
        .release()
        .into_iter()
        .flat_map(|release| &release.spec.resources);
    resources.map(|it| (it.id.as_str(), &it.object)).collect()
}

fn changes(case: &Case, plain: &BTreeMap<&str, &Value>, made: &BTreeMap<&str, &Value>) -> Vec<String> {
    let gone = plain.keys().filter(|id| !made.contains_key(*id));
    let gone = gone.map(|id| format!("{id} is gone"));
    let others = made.iter().flat_map(|(id, object)| match plain.get(id) {
        None => vec![format!("{id} is new: {object}")],
        Some(plain) => untold(case, id, &leaves(plain), &leaves(object)),
    });
    gone.chain(others).collect()
}

/// What differs within an object, without what the case tells.
fn untold(
    case: &Case,
    id: &str,
    plain: &BTreeMap<String, Value>,
    made: &BTreeMap<String, Value>,
) -> Vec<String> {
    let here = made
        .iter()
        .filter(|(pointer, value)| plain.get(*pointer) != Some(value));
    let here = here.map(|(pointer, value)| (pointer, value.to_string()));
    let gone = plain.keys().filter(|pointer| !made.contains_key(*pointer));
    let gone = gone.map(|pointer| (pointer, "gone".to_owned()));
    let untold = here.chain(gone).filter(|(pointer, _)| !case.tells(id, pointer));
    untold
        .map(|(pointer, value)| format!("{id} {pointer}: {value}"))
        .collect()
}

/// All values of an object that have none within, by pointer.
fn leaves(object: &Value) -> BTreeMap<String, Value> {
    let mut leaves = BTreeMap::new();
    walk(object, String::new(), &mut leaves);
    leaves
}

fn walk(value: &Value, at: String, leaves: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                walk(value, format!("{at}/{name}"), leaves);
            }
        }
        Value::Array(entries) if !entries.is_empty() => {
            for (index, value) in entries.iter().enumerate() {
                walk(value, format!("{at}/{index}"), leaves);
            }
        }
        leaf => drop(leaves.insert(at, leaf.clone())),
    }
}
