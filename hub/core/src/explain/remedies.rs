//! What resolves each reason, and the command for it.

use outhaul_protocol_wire::head::BundleKind;
use outhaul_protocol_wire::report::BlockerReason as Object;
use serde::Serialize;
use utoipa::ToSchema;

use super::why::{Orphaned, Why};
use crate::decision::RefusalReason as Refused;
use crate::view::{BundleName, ObjectName};
use crate::waiting::Waiting;

/// One thing that resolves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Remedy {
    /// What it does, and where.
    pub effect: String,
    /// How.
    pub command: String,
}

/// What is stuck.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its plane.
    pub plane: Option<&'a str>,
    /// The Release or Bundle.
    pub bundle: Option<&'a BundleName>,
    /// The object.
    pub object: Option<&'a ObjectName>,
}

/// What resolves a reason; the first is what is done most.
pub fn remedies(why: Why, subject: Subject<'_>) -> Vec<Remedy> {
    match why {
        Why::Object(reason) => of_object(reason, subject),
        Why::Refused(reason) => of_refusal(reason, subject),
        Why::Waiting(waiting) => of_waiting(waiting, subject),
        Why::Orphaned(orphaned) => of_orphan(orphaned, subject),
    }
}

fn of_object(reason: Object, it: Subject<'_>) -> Vec<Remedy> {
    let look = |effect: &str| vec![remedy(effect, it.describe())];
    let leave = || {
        remedy(
            "leaves what is to go on the plane, and forgets it",
            it.confirm("leave"),
        )
    };
    match reason {
        Object::OverBudget | Object::Protected => {
            vec![remedy("lets go what is held", it.confirm("remove")), leave()]
        }
        Object::OwnerConfirms => vec![
            remedy(
                "on the plane, by its owner: confirm as the message says, after a look at what is confirmed",
                "kubectl -n outhaul-system get configmap outhaul-policy -o yaml".to_owned(),
            ),
            leave(),
        ],
        Object::PolicyForbids => vec![change_policy(), leave()],
        Object::PolicyPauses | Object::PolicyObserves => vec![change_policy()],
        Object::Conflict => look("on the plane: see which manager owns the field, and let one of the two go"),
        Object::Forbidden => vec![remedy(
            "on the plane: see what the agent may do, and give it the right",
            "kubectl auth can-i --list --as system:serviceaccount:outhaul-system:outhaul-agent".to_owned(),
        )],
        Object::Invalid | Object::Malformed | Object::TooLarge => vec![correct_spec(it)],
        Object::Immutable => vec![
            remedy("in the control plane: take the change back", it.edit()),
            remedy(
                "on the plane: delete the object; it is made again as wanted",
                it.delete(),
            ),
        ],
        Object::QuotaExceeded => vec![remedy(
            "on the plane: see what the quota allows, and raise it or want less",
            format!("kubectl describe resourcequota{}", it.in_namespace()),
        )],
        Object::WebhookRefused | Object::WebhookUnavailable => vec![
            remedy(
                "on the plane: find the webhook that the message names",
                "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations".to_owned(),
            ),
            remedy("in the control plane: want what it lets pass", it.edit()),
        ],
        Object::KindUnknown => vec![remedy(
            "on the plane: see which kinds there are, and install the definition; it is applied at once",
            format!("kubectl api-resources --api-group={}", it.group()),
        )],
        Object::NamespaceTerminating => vec![remedy(
            "on the plane: see what holds the namespace",
            format!("kubectl get namespace {} -o yaml", it.namespace()),
        )],
        Object::ApiUnavailable => vec![remedy(
            "on the plane: see whether the API server is well; it goes on by itself",
            "kubectl get --raw /readyz?verbose".to_owned(),
        )],
        Object::OwnedByAnother => vec![
            remedy("see whether it is of an orphan", it.with_plane("orphans list")),
            remedy(
                "lets this one take the objects of such an orphan over",
                it.with_bundle("orphans adopt"),
            ),
            remedy(
                "on the plane, where nobody manages the object any more: take the label off; it is taken over at once",
                format!(
                    "kubectl label {} openchoreo.dev/managed-by- outhaul.dev/managed-by-",
                    it.object()
                ),
            ),
        ],
        Object::NameTaken => vec![
            remedy("on the plane: see whose it is", it.describe()),
            remedy(
                "lets this one have what runs already, where that is of an orphan of its name",
                it.with_bundle("orphans adopt"),
            ),
            remedy(
                "in the control plane: choose another name; to delete what has it makes this one run, a second time where it ran before",
                it.edit(),
            ),
        ],
        Object::Failed | Object::Vanished | Object::Cancelled => vec![remedy(
            "in the control plane: it does not run again; see what it was, and create one of another name",
            it.get(),
        )],
        Object::Unguarded => vec![remedy(
            "it is opened once its guard, which the message names, is in place; see what resolves that",
            it.explain(),
        )],
        Object::ControlPlaneChanged => confirm_control_plane(it),
        Object::Terminating => {
            look("on the plane: see which finalizers hold it, and who should take them off")
        }
    }
}

fn of_refusal(reason: Refused, it: Subject<'_>) -> Vec<Remedy> {
    match reason {
        Refused::InvalidSpec => vec![correct_spec(it)],
        Refused::InvalidStatus => vec![remedy(
            "in the control plane: correct the status",
            format!("{} --subresource=status", it.edit()),
        )],
        Refused::NoPlane => vec![
            remedy("see which planes there are", "outhaul status".to_owned()),
            remedy(
                "in the control plane: see where the Environment points",
                "kubectl get environments,dataplanes -A".to_owned(),
            ),
            remedy(
                "makes a plane, and lets a DataPlane use it",
                "outhaul plane token NAME --for dataplane/NAMESPACE/NAME".to_owned(),
            ),
        ],
        Refused::NotAdmitted => vec![remedy(
            "in the control plane: have the Plane admit it",
            format!("kubectl edit plane {}", it.plane.unwrap_or_default()),
        )],
        Refused::HubBehind => vec![
            remedy(
                "after a restore from a backup: makes what the control plane says count everywhere",
                "outhaul hub restored".to_owned(),
            ),
            remedy(
                "otherwise, in the control plane: edit it until it is newer",
                it.edit(),
            ),
        ],
        Refused::DeletedInBulk => vec![
            remedy("lets go what it has on its plane", it.confirm("remove")),
            remedy(
                "leaves what it has on its plane where it is, and forgets it",
                it.confirm("leave"),
            ),
        ],
        Refused::StatusRefused => vec![remedy(
            "in the control plane: see which definition is installed, and install the one of this hub",
            "kubectl get crd releases.openchoreo.dev bundles.outhaul.dev -o yaml".to_owned(),
        )],
    }
}

fn of_waiting(waiting: Waiting, it: Subject<'_>) -> Vec<Remedy> {
    let plane = it.plane.unwrap_or_default();
    let set = |field: &str| {
        format!(r#"kubectl patch plane {plane} --type merge -p '{{"spec":{{"{field}":false}}}}'"#)
    };
    let look = |effect: &str| vec![remedy(effect, it.with_bundle("status"))];
    match waiting {
        Waiting::PlaneForgotten => vec![remedy("serves the plane again", set("forgotten"))],
        Waiting::PlaneRevoked => vec![remedy("accepts its agent again", set("revoked"))],
        Waiting::PlaneNotEnrolled => vec![remedy(
            "makes a token to start its agent with",
            format!("outhaul plane token {plane}"),
        )],
        Waiting::PlaneDisconnected => vec![
            remedy(
                "on the plane: see why its agent does not come",
                "kubectl -n outhaul-system logs deployment/outhaul-agent".to_owned(),
            ),
            remedy(
                "only if it will never return: nothing waits for it then",
                format!("outhaul plane forget {plane}"),
            ),
        ],
        Waiting::PolicyPauses | Waiting::PolicyObserves | Waiting::PolicyUnread => vec![change_policy()],
        Waiting::ControlPlaneUnconfirmed => confirm_control_plane(it),
        Waiting::NotStored | Waiting::NotReported | Waiting::Removing | Waiting::WaitsForOthers => {
            look("goes on by itself; see how far it is")
        }
        Waiting::Progressing | Waiting::Degraded | Waiting::Unknown => vec![remedy(
            "on the plane: see what its controllers say",
            it.describe(),
        )],
    }
}

fn of_orphan(orphaned: Orphaned, it: Subject<'_>) -> Vec<Remedy> {
    let remove = || remedy("deletes its objects", it.with_bundle("orphans remove"));
    match orphaned {
        Orphaned::Succeeded => vec![
            remedy(
                "lets its successor take its objects over as they are",
                it.with_bundle("orphans adopt"),
            ),
            remove(),
        ],
        Orphaned::Alone => vec![remove()],
        Orphaned::Elsewhere => vec![remedy("see where it went", it.explain())],
        Orphaned::Decided => vec![remedy(
            "goes on by itself; see whether it is done",
            it.with_plane("orphans list"),
        )],
    }
}

fn confirm_control_plane(it: Subject<'_>) -> Vec<Remedy> {
    vec![
        remedy(
            "if this control plane is the right one: the plane takes it for the one that it knew, and lets go what it says",
            it.with_plane("plane confirm"),
        ),
        remedy(
            "if it is not: have the plane refuse it, and bring the right one back",
            format!(
                r#"kubectl patch plane {} --type merge -p '{{"spec":{{"revoked":true}}}}'"#,
                it.plane.unwrap_or_default()
            ),
        ),
    ]
}

fn change_policy() -> Remedy {
    remedy(
        "on the plane, by its owner: change the policy",
        "kubectl -n outhaul-system edit configmap outhaul-policy".to_owned(),
    )
}

fn correct_spec(it: Subject<'_>) -> Remedy {
    remedy("in the control plane: correct the spec", it.edit())
}

fn remedy(effect: &str, command: String) -> Remedy {
    Remedy {
        effect: effect.to_owned(),
        command,
    }
}

impl Subject<'_> {
    fn path(&self) -> String {
        self.bundle.map(BundleName::path).unwrap_or_default()
    }

    fn with_plane(&self, command: &str) -> String {
        format!("outhaul {command} {}", self.plane.unwrap_or_default())
    }

    fn with_bundle(&self, command: &str) -> String {
        format!("{} {}", self.with_plane(command), self.path())
    }

    fn confirm(&self, verdict: &str) -> String {
        format!("{} {verdict}", self.with_bundle("confirm"))
    }

    fn explain(&self) -> String {
        format!("outhaul explain {}", self.path())
    }

    fn edit(&self) -> String {
        self.kubectl("edit")
    }

    fn get(&self) -> String {
        format!("{} -o yaml", self.kubectl("get"))
    }

    fn kubectl(&self, verb: &str) -> String {
        self.bundle.map_or_else(String::new, |bundle| {
            let kind = BundleKind::from(bundle.kind).word();
            format!("kubectl -n {} {verb} {kind} {}", bundle.namespace, bundle.name)
        })
    }

    /// As kubectl names it: `deployment.apps cart -n shop`.
    fn object(&self) -> String {
        self.object.map_or_else(String::new, |object| {
            let group = match object.group.as_str() {
                "" => String::new(),
                group => format!(".{group}"),
            };
            format!(
                "{}{group} {}{}",
                object.kind.to_lowercase(),
                object.name,
                self.in_namespace()
            )
        })
    }

    fn describe(&self) -> String {
        format!("kubectl get {} -o yaml --show-managed-fields", self.object())
    }

    fn delete(&self) -> String {
        format!("kubectl delete {}", self.object())
    }

    fn namespace(&self) -> &str {
        self.object.map_or("", |object| object.namespace.as_str())
    }

    fn group(&self) -> &str {
        self.object.map_or("", |object| object.group.as_str())
    }

    fn in_namespace(&self) -> String {
        match self.namespace() {
            "" => String::new(),
            namespace => format!(" -n {namespace}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::KindName;

    #[test]
    fn every_reason_has_words_and_a_command() {
        let bundle = BundleName {
            kind: KindName::Release,
            namespace: "shop".into(),
            name: "cart".into(),
        };
        let object = ObjectName {
            group: "apps".into(),
            version: "v1".into(),
            kind: "Deployment".into(),
            namespace: "shop-prod".into(),
            name: "web".into(),
        };
        let subject = Subject {
            plane: Some("eu"),
            bundle: Some(&bundle),
            object: Some(&object),
        };
        for why in Why::all() {
            let remedies = remedies(why, subject);
            assert!(!remedies.is_empty(), "{why:?}");
            for remedy in remedies {
                let begins = remedy.command.starts_with("kubectl ") || remedy.command.starts_with("outhaul ");
                assert!(begins && !remedy.effect.is_empty(), "{why:?} {remedy:?}");
            }
            assert_eq!(
                Why::from_word(why.as_str()),
                Some(why),
                "each has a word of its own"
            );
        }
    }
}
