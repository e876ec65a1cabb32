//! What the owner of the plane says about objects that are held: entries of the ConfigMap, like
//! `confirm.release.shop.cart: remove@7`. They are about one generation of whatever has that name. And about a control
//! plane that changed: `confirm.control-plane` with its witness.

use std::collections::BTreeMap;

use outhaul_protocol_wire::confirmation::Confirmation;
use outhaul_protocol_wire::head::{BundleKind, Confirmed, Head, Key};
use outhaul_protocol_wire::witness::Witness;

use super::CONFIG_MAP;

/// What the names of such entries begin with.
pub(super) const PREFIX: &str = "confirm.";

/// The entry that confirms a control plane.
const CONTROL_PLANE: &str = "confirm.control-plane";

/// What the entries say.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Said {
    /// Confirmations by the names of their entries.
    held: BTreeMap<String, Confirmation>,
    control_plane: Option<Witness>,
}

impl Said {
    /// Reads them, and says what is wrong with the first that is none.
    pub(super) fn read(data: &[(&str, &str)]) -> (Self, Option<String>) {
        let mut said = Self::default();
        let mut problem = None;
        for (name, value) in data.iter().filter(|(name, _)| name.starts_with(PREFIX)) {
            if let Err(error) = said.entry(name, value.trim()) {
                problem = problem.or(Some(error));
            }
        }
        (said, problem)
    }

    fn entry(&mut self, name: &str, value: &str) -> Result<(), String> {
        if name == CONTROL_PLANE {
            let witness = Witness::from_hex(value);
            self.control_plane = witness;
            return witness.map(drop).ok_or_else(|| {
                format!("{name} says {value:?}: write the 64 hex digits that the held objects name")
            });
        }
        check(name)?;
        let parsed = value.parse::<Confirmation>();
        let confirmation = parsed.map_err(|error| format!("{name} says {value:?}: {error}"))?;
        self.held.insert(name.to_owned(), confirmation);
        Ok(())
    }

    /// The control plane that is confirmed.
    pub(super) fn control_plane(&self) -> Option<Witness> {
        self.control_plane
    }

    /// What is said of a head.
    pub(super) fn of(&self, head: &Head) -> Option<Confirmed> {
        self.held.get(&entry(&head.key))?.of(head.version.generation)
    }
}

/// The command by which the owner of a plane confirms what is held of a head.
pub fn command(home: &str, head: &Head, confirmed: Confirmed) -> String {
    let confirmation = Confirmation {
        confirmed,
        generation: head.version.generation,
    };
    patch(home, &entry(&head.key), &confirmation.to_string())
}

/// The command by which the owner of a plane confirms a control plane.
pub(super) fn control_plane_command(home: &str, witness: Witness) -> String {
    patch(home, CONTROL_PLANE, &witness.to_string())
}

fn patch(home: &str, entry: &str, value: &str) -> String {
    format!(
        r#"kubectl -n {home} patch configmap {CONFIG_MAP} --type merge -p '{{"data":{{"{entry}":"{value}"}}}}'"#
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
    use outhaul_protocol_wire::digest::Digest;
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
    fn a_control_plane_is_confirmed_by_the_command_that_names_it_and_by_nothing_else() {
        let witness = Witness(Digest([0xab; 32]));
        let command = control_plane_command("outhaul-system", witness);
        let (_, patch) = command.split_once("-p '").unwrap();
        let patch: Value = serde_json::from_str(patch.trim_end_matches('\'')).unwrap();
        let (said, problem) = Said::read(&super::super::data(&patch));
        assert_eq!((said.control_plane(), problem), (Some(witness), None));
        let (said, problem) = Said::read(&[(CONTROL_PLANE, "yes")]);
        assert_eq!((said.control_plane(), problem.is_some()), (None, true));
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
