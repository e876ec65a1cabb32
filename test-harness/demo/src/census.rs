//! Who is there: the uid of every object that came from a Release. An object that was deleted and made again has
//! another uid, so two counts tell whether anything was let go in between. A component has at most one of each kind.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context as _, Result};
use kube::api::{Api, DynamicObject, ListParams};
use kube::{Client, ResourceExt as _};

use crate::plane;

/// The label that tells which Release an object came from.
const LABEL: &str = "openchoreo.dev/release-name";

/// Uids, by kind, component and plane.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Census(BTreeMap<String, String>);

/// One census against an earlier one.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// How many objects are the same.
    pub kept: usize,
    /// There is one again, and it is another object.
    pub replaced: Vec<String>,
    /// There is none any more.
    pub missing: Vec<String>,
}

impl Census {
    /// Counts the objects of a plane in.
    ///
    /// # Errors
    /// The plane's API server does not answer.
    pub async fn add(&mut self, name: &str, client: &Client) -> Result<()> {
        for kind in plane::kinds() {
            let objects: Api<DynamicObject> = Api::all_with(client.clone(), &kind);
            let listed = objects.list(&ListParams::default().labels(LABEL)).await;
            for object in listed.with_context(|| format!("list {} in {name}", kind.plural))? {
                let component = object.labels().get(plane::COMPONENT);
                let title = format!("{} {} in {name}", kind.kind, component.map_or("", String::as_str));
                self.0.insert(title, object.metadata.uid.unwrap_or_default());
            }
        }
        Ok(())
    }

    /// What became of the objects of `earlier`.
    pub fn compare(&self, earlier: &Self) -> Comparison {
        let mut comparison = Comparison::default();
        for (object, uid) in &earlier.0 {
            match self.0.get(object) {
                Some(now) if now == uid => comparison.kept += 1,
                Some(_another) => comparison.replaced.push(object.clone()),
                None => comparison.missing.push(object.clone()),
            }
        }
        comparison
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} objects kept their uid", self.kept)?;
        if !self.replaced.is_empty() {
            write!(f, "; made again: {}", self.replaced.join(", "))?;
        }
        if !self.missing.is_empty() {
            write!(f, "; missing: {}", self.missing.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn census(objects: &[(&str, &str)]) -> Census {
        Census(
            objects
                .iter()
                .map(|(object, uid)| ((*object).to_owned(), (*uid).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn a_new_uid_is_another_object_and_a_new_object_is_no_loss() {
        let before = census(&[("a", "1"), ("b", "2"), ("c", "3")]);
        let after = census(&[("a", "1"), ("b", "9"), ("d", "4")]);
        let expected = Comparison {
            kept: 1,
            replaced: vec!["b".to_owned()],
            missing: vec!["c".to_owned()],
        };
        assert_eq!(after.compare(&before), expected);
        assert_eq!(before.compare(&before).kept, 3);
    }

    #[test]
    fn a_comparison_names_what_did_not_stay() {
        let comparison = Comparison {
            kept: 2,
            replaced: vec!["b".to_owned()],
            missing: vec!["c".to_owned()],
        };
        let text = comparison.to_string();
        assert!(
            text.contains("2 objects kept") && text.contains("again: b;") && text.ends_with("missing: c"),
            "{text}"
        );
    }
}
