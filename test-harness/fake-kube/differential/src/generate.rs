//! Objects out of schemas: mostly valid, so that sequences go deep, and sometimes not.

mod hints;
mod mutate;
mod patch;
mod scope;
mod shape;
mod walk;

pub use mutate::mutate;
pub use patch::{json_patch, merge_patch, strategic_patch};

use outhaul_fake_kube_core::kind::Kind;
use outhaul_fake_kube_core::schema::{ListType, SchemaRef, Type};
use serde_json::{Map, Value, json};

use crate::dice::Dice;
use crate::kinds;

/// Objects in objects end here; schemas that contain themselves go on.
const DEPTH: usize = 9;

/// How many in a hundred optional fields are there, by depth: objects stay small enough to read.
const DENSITY: [usize; 10] = [70, 45, 40, 30, 25, 20, 15, 10, 5, 0];

/// Lists that every kind which has them wants something in.
const NEVER_EMPTY: &[(&str, &str)] = &[
    ("PodSpec", "containers"),
    ("ExecAction", "command"),
    ("PolicyRule", "verbs"),
    ("PolicyRule", "apiGroups"),
    ("PolicyRule", "resources"),
    ("PersistentVolumeClaimSpec", "accessModes"),
    ("HTTPIngressRuleValue", "paths"),
    ("IngressSpec", "rules"),
];

/// An object of this kind, with this name.
pub fn object(kind: &Kind, name: &str, dice: &mut Dice) -> Value {
    let mut object = value(kind.versions[0].schema.root(), &kind.name, dice, 0);
    if !object.is_object() {
        object = json!({});
    }
    object["apiVersion"] = kinds::api_version(kind).into();
    object["kind"] = (*kind.name).into();
    object["metadata"] = metadata(kind, dice);
    object["metadata"]["name"] = name.into();
    shape::settle(kind, &mut object, dice);
    object
}

/// A status for an object of this kind.
pub fn status(kind: &Kind, dice: &mut Dice) -> Option<Value> {
    let schema = kind.versions[0].schema.root().field("status")?;
    Some(value(schema, "status", dice, 1))
}

fn metadata(kind: &Kind, dice: &mut Dice) -> Value {
    let Some(schema) = kind.versions[0].schema.root().field("metadata") else {
        return json!({});
    };
    let mut metadata = Map::new();
    for (field, percent) in [
        ("labels", 40),
        ("annotations", 25),
        ("finalizers", 8),
        ("ownerReferences", 6),
    ] {
        if let Some(entry) = schema.field(field)
            && dice.chance(percent)
        {
            metadata.insert(field.to_owned(), named(entry, "ObjectMeta", field, dice, 2));
        }
    }
    Value::Object(metadata)
}

/// A value of `schema`, known as `name` where no definition has a name for it.
fn value(schema: SchemaRef<'_>, name: &str, dice: &mut Dice, depth: usize) -> Value {
    let definition = definition(schema, name).to_owned();
    named(schema, &definition, name, dice, depth)
}

fn definition<'a>(schema: SchemaRef<'a>, name: &'a str) -> &'a str {
    let full = schema.definition_name().unwrap_or(name);
    full.rsplit('.').next().unwrap_or(full)
}

/// A value of the field `field` of `owner`.
fn named(schema: SchemaRef<'_>, owner: &str, field: &str, dice: &mut Dice, depth: usize) -> Value {
    if let Some(pool) = schema.allowed_values() {
        return dice.pick(pool).clone();
    }
    match schema.kind() {
        Some(Type::Object) => object_of(schema, owner, field, dice, depth),
        Some(Type::Array) => list_of(schema, owner, field, dice, depth),
        kind => scalar(schema, kind, owner, field, dice),
    }
}

fn scalar(schema: SchemaRef<'_>, kind: Option<Type>, owner: &str, field: &str, dice: &mut Dice) -> Value {
    let pool: Vec<Value> = hints::pool(owner, field).unwrap_or_default();
    let fitting: Vec<Value> = pool
        .into_iter()
        .filter(|value| fits(schema, kind, value))
        .collect();
    if !fitting.is_empty() {
        return dice.pick(&fitting).clone();
    }
    match kind {
        Some(Type::Boolean) => dice.chance(50).into(),
        Some(Type::Integer) => dice.pick(&[0, 1, 1, 2, 3, 5]).to_owned().into(),
        Some(Type::Number) => dice.pick(&[json!(0.5), json!(1), json!(2.5), json!(4)]).clone(),
        Some(Type::String) => dice.pick(&hints::words()).clone(),
        _ if schema.is_int_or_string() => dice
            .pick(&[json!(1), json!("a"), json!("50%"), json!(80)])
            .clone(),
        _ => anything(dice),
    }
}

fn fits(schema: SchemaRef<'_>, kind: Option<Type>, value: &Value) -> bool {
    match kind {
        Some(Type::String) => value.is_string(),
        Some(Type::Integer) => value.is_i64(),
        Some(Type::Number) => value.is_number(),
        Some(Type::Boolean) => value.is_boolean(),
        _ if schema.is_int_or_string() => value.is_i64() || value.is_string(),
        _ => true,
    }
}

/// A value for where any is fine.
fn anything(dice: &mut Dice) -> Value {
    let values = [
        json!("a"),
        json!(1),
        json!({"k": "v"}),
        json!({"k": {"l": [1, 2]}}),
        json!([{"name": "a"}, {"name": "b"}]),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}),
        json!(false),
    ];
    dice.pick(&values).clone()
}

fn object_of(schema: SchemaRef<'_>, owner: &str, field: &str, dice: &mut Dice, depth: usize) -> Value {
    // Objects below the root are known by their own definition.
    let own = definition(schema, field).to_owned();
    if let Some(pool) = hints::pool(owner, field)
        && let Some(whole) = pool.iter().find(|value| value.is_object())
        && schema.fields().next().is_some()
    {
        return if dice.chance(50) {
            whole.clone()
        } else {
            dice.pick(&pool).clone()
        };
    }
    let mut object = Map::new();
    if schema.is_embedded_resource() && depth > 0 {
        return json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": dice.pick(&["a", "b"])}, "data": {"k": "v"}});
    }
    let chosen = hints::alternatives(&own).map(|(one, along)| (*dice.pick(one), along));
    for (name, entry) in schema.fields() {
        if depth > 0
            && matches!(name, "apiVersion" | "kind" | "metadata" | "status")
            && own != "PodTemplateSpec"
            && schema.definition_name().is_none()
        {
            // Fields of a custom resource may have these names below the root.
        } else if !scope::includes(&own, name) {
            continue;
        }
        let wanted = match chosen {
            Some((one, _)) if one == name => true,
            Some((_, along)) if !along.contains(&name) => schema.requires(name),
            _ => schema.requires(name) || wants(&own, name, dice, depth),
        };
        if wanted {
            object.insert(name.to_owned(), named(entry, &own, name, dice, depth + 1));
        }
    }
    if let Some(entry) = schema.additional() {
        for _ in 0..dice.below(3) {
            let key = *dice.pick(hints::keys(field));
            object.insert(key.to_owned(), named(entry, owner, field, dice, depth + 1));
        }
    }
    if schema.preserves_unknown() && dice.chance(50) {
        object.insert("extra".to_owned(), anything(dice));
    }
    shape::agree(&own, &mut object);
    Value::Object(object)
}

fn wants(definition: &str, field: &str, dice: &mut Dice, depth: usize) -> bool {
    let density = if hints::is_usual(definition, field) {
        98
    } else {
        DENSITY[depth.min(DEPTH)]
    };
    dice.chance(density)
}

fn list_of(schema: SchemaRef<'_>, owner: &str, field: &str, dice: &mut Dice, depth: usize) -> Value {
    let Some(items) = schema.items().filter(|_| depth < DEPTH) else {
        return json!([]);
    };
    let wanted = dice
        .weighted(&[(1, 0), (5, 1), (4, 2), (1, 3)])
        .max(usize::from(NEVER_EMPTY.contains(&(owner, field))));
    let mut list: Vec<Value> = Vec::new();
    for _ in 0..wanted {
        let item = named(items, owner, field, dice, depth + 1);
        if !list.iter().any(|other| is_same(schema, other, &item)) {
            list.push(item);
        }
    }
    Value::Array(list)
}

/// Whether two items are one for the list, or for who reads it.
fn is_same(list: SchemaRef<'_>, a: &Value, b: &Value) -> bool {
    match list.list_type() {
        ListType::Map => list.list_keys().iter().all(|key| a.get(&**key) == b.get(&**key)),
        ListType::Set | ListType::Atomic => a == b,
    }
}
