//! What the owner of the plane says about objects that are held: entries of the ConfigMap, like
//! `confirm.release.shop.cart: remove@7`. They are about one generation of whatever has that name.

use std::collections::BTreeMap;

use outhaul_protocol_wire::confirmation::Confirmation;
use outhaul_protocol_wire::head::{BundleKind, Confirmed, Head, Key};

use super::CONFIG_MAP;

/// What the names of such entries begin with.
pub(super) const PREFIX: &str = "confirm.";

/// Confirmations by the names of their entries.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Said(BTreeMap<String, Confirmation>);

impl Said {
    /// Reads them, and says what is wrong with the first that is none.
    pub(super) fn read(data: &[(&str, &str)]) -> (Self, Option<String>) {
        let mut said = BTreeMap::new();
        let mut problem = None;
        for (name, value) in data.iter().filter(|(name, _)| name.starts_with(PREFIX)) {
            let read = check(name).and_then(|()| {
                let parsed = value.trim().parse::<Confirmation>();
                parsed.map_err(|error| format!("{name} says {value:?}: {error}"))
            });
            match read {
                Ok(confirmation) => drop(said.insert((*name).to_owned(), confirmation)),
                Err(error) => problem = problem.or(Some(error)),
            }
        }
        (Self(said), problem)
    }

    /// What is said of a head.
    pub(super) fn of(&self, head: &Head) -> Option<Confirmed> {
        self.0.get(&entry(&head.key))?.of(head.version.generation)
    }
}

/// The command by which the owner of a plane confirms what is held of a head.
pub fn command(home: &str, head: &Head, confirmed: Confirmed) -> String {
    let confirmation = Confirmation {
        confirmed,
        generation: head.version.generation,
    };
    let entry = entry(&head.key);
    format!(
        r#"kubectl -n {home} patch configmap {CONFIG_MAP} --type merge -p '{{"data":{{"{entry}":"{confirmation}"}}}}'"#
    )
}

fn entry(key: &Key) -> String {
    format!("{PREFIX}{}.{}.{}", key.kind.word(), key.namespace, key.name)
}

/// Namespaces have no dots, so names may.
fn check(name: &str) -> Result<(), String> {
    let parts: Vec<&str> = name.splitn(4, '.').collect();
    let kinds = [BundleKind::Release, BundleKind::Bundle].map(BundleKind::word);
    match parts[..] {
        [_, kind, namespace, name] if kinds.contains(&kind) && !namespace.is_empty() && !name.is_empty() => {
            Ok(())
        }
        _ => Err(format!(
            "{name} names nothing: write {PREFIX}release.NAMESPACE.NAME or {PREFIX}bundle.NAMESPACE.NAME"
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::testing::head;

    #[test]
    fn the_command_writes_an_entry_that_confirms() {
        let head = Head {
            key: Key {
                name: "cart.v2".into(),
                ..head("cart", 7).key
            },
            ..head("cart", 7)
        };
        let command = command("outhaul-system", &head, Confirmed::Remove);
        let (_, patch) = command.split_once("-p '").unwrap();
        let patch: Value = serde_json::from_str(patch.trim_end_matches('\'')).unwrap();
        let (said, problem) = Said::read(&super::super::data(&patch));
        assert_eq!(
            (
                said.of(&head),
                problem,
                command.contains("-n outhaul-system patch configmap outhaul-policy")
            ),
            (Some(Confirmed::Remove), None, true)
        );
    }

    #[test]
    fn a_name_that_names_nothing_is_told() {
        for name in ["confirm.cart", "confirm.pod.acme.cart", "confirm.release.acme."] {
            let (said, problem) = Said::read(&[(name, "remove@1")]);
            assert_eq!(said, Said::default());
            assert!(
                problem
                    .unwrap()
                    .starts_with(&format!("{name} names nothing: write "))
            );
        }
    }
}
