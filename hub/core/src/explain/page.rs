//! All reasons on one page, for people: `docs/reasons.md`.

use core::fmt::Write as _;

use outhaul_protocol_wire::report::BlockerReason as Object;

use super::{Stuck, Subject, Why, remedies};
use crate::decision::RefusalReason as Refused;
use crate::view::{BundleName, KindName, ObjectName};
use crate::waiting::Waiting;

const HEAD: &str = "\
# Reasons

Every word that a status, REST or an Event gives as the reason why something is held, blocked, waits or is orphaned; what it
means, and what resolves it. `outhaul explain` says the same of what is stuck just now, with its names, since when, and
the API server's own words. Here the Deployment `web` of the Release `shop/cart` on plane `eu` stands for all.

Made by `outhaul-hub reasons`.
";

/// The page, as Markdown.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for stuck in [Stuck::Held, Stuck::Blocked, Stuck::Waiting, Stuck::Orphaned] {
        let (title, words) = section(stuck);
        let head = "| reason | meaning | what resolves it |\n|---|---|---|\n";
        // Writing into a String cannot fail.
        let _ = write!(page, "\n## {title}\n\n{words}\n\n{head}");
        for why in Why::all().filter(|why| why.stuck() == stuck) {
            let _ = writeln!(page, "{}", row(why));
        }
    }
    page
}

fn section(stuck: Stuck) -> (&'static str, &'static str) {
    match stuck {
        Stuck::Held => (
            "Held",
            "It is to go, or to become another's, and waits for somebody to decide. Everything else goes on.",
        ),
        Stuck::Blocked => (
            "Blocked",
            "Something refuses it. It is tried again by itself, and at once when it is edited.",
        ),
        Stuck::Waiting => ("Waiting", "Nothing refuses it; it is not its turn yet."),
        Stuck::Orphaned => (
            "Orphaned",
            "The plane keeps it, and nothing in the control plane stands for it.",
        ),
    }
}

fn row(why: Why) -> String {
    let (bundle, object) = (cart(), web());
    // What is refused as a whole has no object.
    let subject = Subject {
        plane: Some("eu"),
        bundle: Some(&bundle),
        object: matches!(why, Why::Object(_) | Why::Waiting(_)).then_some(&object),
    };
    let remedies = remedies(why, subject).into_iter();
    let remedies: Vec<_> = remedies
        .map(|remedy| format!("{}: `{}`", remedy.effect, remedy.command))
        .collect();
    format!(
        "| `{}` | {} | {} |",
        why.as_str(),
        meaning(why),
        remedies.join("<br>")
    )
}

fn cart() -> BundleName {
    BundleName {
        kind: KindName::Release,
        namespace: "shop".into(),
        name: "cart".into(),
    }
}

fn web() -> ObjectName {
    ObjectName {
        group: "apps".into(),
        version: "v1".into(),
        kind: "Deployment".into(),
        namespace: "shop-prod".into(),
        name: "web".into(),
    }
}

fn meaning(why: Why) -> &'static str {
    match why {
        Why::Object(reason) => of_object(reason),
        Why::Refused(reason) => of_refusal(reason),
        Why::Waiting(waiting) => of_waiting(waiting),
        Why::Orphaned(orphaned) => orphaned.words(),
    }
}

fn of_object(reason: Object) -> &'static str {
    match reason {
        Object::Conflict => "another field manager owns a field that is wanted otherwise",
        Object::Forbidden => "the agent lacks a right on its plane",
        Object::Invalid => "the plane's API server finds the object invalid",
        Object::Immutable => "a field that cannot be changed is wanted otherwise",
        Object::QuotaExceeded => "a quota of the plane is used up",
        Object::WebhookRefused => "an admission webhook of the plane refuses it",
        Object::WebhookUnavailable => "an admission webhook of the plane does not answer",
        Object::KindUnknown => "the plane does not serve the kind",
        Object::NamespaceTerminating => "its namespace is being deleted on the plane",
        Object::TooLarge => "it is larger than the plane's API server takes",
        Object::ApiUnavailable => "the plane's API server cannot be reached, or is overloaded",
        Object::OwnedByAnother => "an object of the name carries another owner's tracking labels",
        Object::Terminating => "the object is being deleted, and finalizers hold it",
        Object::Malformed => "its entry in the spec cannot be read",
        Object::OverBudget => "more was to go within ten minutes than the plane lets go unasked",
        Object::Protected => "its kind, or an annotation, protects it from going unasked",
        Object::OwnerConfirms => "the plane's owner confirms on the plane what goes",
        Object::PolicyForbids => "the policy of the plane's owner excludes it",
        Object::PolicyPauses => "the plane's owner pauses all work there",
        Object::PolicyObserves => "the plane's owner lets nothing be changed there; this would be",
        Object::NameTaken => "it runs once, and an object of its name is there that is not its own",
        Object::Failed => "it ran once, and failed",
        Object::Vanished => "it ran once, and was gone before its end was seen",
        Object::Cancelled => "it was to run once, and was deleted before its end",
        Object::Unguarded => {
            "anybody could call by it: what would ask them is not in place, so it is not opened"
        }
        Object::ControlPlaneChanged => "the plane knew another control plane, or another Plane of its name",
    }
}

fn of_refusal(reason: Refused) -> &'static str {
    match reason {
        Refused::InvalidSpec => "its spec cannot be delivered as a whole",
        Refused::InvalidStatus => "its status cannot be read, so nobody knows where it is",
        Refused::NoPlane => "no plane can be found for it, or the Plane takes nothing new",
        Refused::NotAdmitted => "the Plane does not admit what it wants there",
        Refused::HubBehind => "its plane holds something newer than the control plane itself",
        Refused::StatusRefused => "the API server does not take the status that its plane reported",
        Refused::DeletedInBulk => {
            "it was deleted along with its namespace, or with the definition of its kind"
        }
    }
}

fn of_waiting(waiting: Waiting) -> &'static str {
    match waiting {
        Waiting::PlaneForgotten => "somebody said that the plane will never return",
        Waiting::PlaneRevoked => "the plane's agent is not accepted any more",
        Waiting::PlaneNotEnrolled => "no agent has enrolled as the plane",
        Waiting::PlaneDisconnected => "the plane's agent has no session; what is there runs on",
        Waiting::PolicyPauses => "the plane's owner pauses all work there",
        Waiting::PolicyObserves => "the plane's owner lets nothing be changed there",
        Waiting::PolicyUnread => {
            "the policy of the plane's owner cannot be read; the last one that could be is in force"
        }
        Waiting::ControlPlaneUnconfirmed => {
            "the plane knew another control plane, and this one is not confirmed"
        }
        Waiting::NotStored => "the plane has not stored it yet",
        Waiting::NotReported => "the plane is applying it",
        Waiting::Removing => "the plane is letting it go",
        Waiting::WaitsForOthers => "it goes once others are there",
        Waiting::Progressing => "the plane's controllers are at work",
        Waiting::Degraded => "its own status says that it fails",
        Waiting::Unknown => "it is not there, or its health cannot be judged",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECKED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reasons.md");

    #[test]
    fn the_checked_in_page_is_true() {
        let there = std::fs::read_to_string(CHECKED_IN).unwrap_or_default();
        assert!(
            there == page(),
            "docs/reasons.md is not what the hub says; renew it with\n  \
             cargo run -p outhaul-hub-server -- reasons > docs/reasons.md"
        );
    }

    #[test]
    fn every_reason_is_on_the_page_once() {
        let page = page();
        for why in Why::all() {
            let rows = page
                .lines()
                .filter(|line| line.starts_with(&format!("| `{}` |", why.as_str())));
            assert_eq!(rows.count(), 1, "{why:?}");
        }
    }
}
