//! ClusterRoles that gather the rules of others, by label.

use serde_json::{Value, json};

use crate::access::{MASTERS, User};
use crate::cluster::Cluster;
use crate::kind::GroupResource;
use crate::meta;
use crate::moment::Moment;
use crate::object::Object;
use crate::request::{Form, Options, PatchKind, Path, Request, Target, Verb};
use crate::selector::LabelSelector;

const GROUP: &str = "rbac.authorization.k8s.io";
/// Who writes the rules, as managedFields say.
const MANAGER: &str = "clusterrole-aggregation-controller";

impl Cluster {
    /// Whoever gathers rules may have to look at the others again.
    pub(crate) fn suspect_gatherers(&mut self) {
        let roles = GroupResource::new(GROUP, "clusterroles");
        let gatherers: Vec<_> = self
            .store
            .list(&roles, None)
            .filter(|(_, role)| selectors(role.value()).next().is_some())
            .map(|(key, _)| key.clone())
            .collect();
        for key in gatherers {
            self.store.suspect(&roles, key);
        }
    }

    pub(super) fn look_after_role(&mut self, role: &Object, moment: &mut Moment) {
        let role = role.value();
        if selectors(role).next().is_none() {
            return;
        }
        let gathered = self.gathered(role);
        if role["rules"].as_array().map_or(&[][..], Vec::as_slice) == gathered {
            return;
        }
        let mut body = json!({
            "apiVersion": format!("{GROUP}/v1"), "kind": "ClusterRole", "metadata": {"name": meta::name(role)},
        });
        // Rules that somebody else wrote stay where there are none to gather.
        if !gathered.is_empty() {
            body["rules"] = gathered.into();
        }
        self.apply_role(body, moment);
    }

    /// The rules of all roles that a role selects, each once.
    fn gathered(&self, role: &Value) -> Vec<Value> {
        let roles = GroupResource::new(GROUP, "clusterroles");
        let mut gathered = Vec::new();
        for selector in selectors(role).map(LabelSelector::from_object) {
            let selected = self
                .objects(&roles, None)
                .filter(|other| selector.matches(other) && meta::name(other) != meta::name(role));
            for rule in selected.filter_map(|other| other["rules"].as_array()).flatten() {
                if !gathered.contains(rule) {
                    gathered.push(rule.clone());
                }
            }
        }
        gathered
    }

    fn apply_role(&mut self, body: Value, moment: &mut Moment) {
        let target = Target {
            group: GROUP.to_owned(),
            version: "v1".to_owned(),
            resource: "clusterroles".to_owned(),
            name: Some(meta::name(&body).to_owned()),
            ..Target::default()
        };
        let request = Request {
            verb: Verb::Patch,
            path: Path::Resource(target),
            options: Options {
                field_manager: MANAGER.to_owned(),
                force: Some(true),
                ..Options::default()
            },
            form: Form::Object,
            patch: Some(PatchKind::Apply),
            body,
        };
        // Refused are only rules that are too many for one role, which are no less so the next time.
        self.handle(&request, &User::new(MANAGER, &[MASTERS]), moment);
    }
}

fn selectors(role: &Value) -> impl Iterator<Item = &Value> {
    let selectors = role.pointer("/aggregationRule/clusterRoleSelectors");
    selectors.and_then(Value::as_array).into_iter().flatten()
}
