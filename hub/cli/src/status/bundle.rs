//! One Release or Bundle on a plane: its objects, and why it is stuck.

use crate::answers::{Blocker, Bundle};
use crate::table::table;
use crate::text::printable;

pub(super) fn render(bundle: &Bundle) -> String {
    let Bundle {
        kind,
        namespace,
        name,
        plane,
        state,
        version,
        ..
    } = bundle;
    let title = format!(
        "{kind} {namespace}/{name} on plane {plane}: {state} (generation {})",
        version.generation
    );
    let mut text = format!("{}\n", printable(&title));
    if let Some(blocker) = &bundle.blocker {
        text.push_str(&format!("Blocked by {}\n", printable(&blocker.to_string())));
    }
    text.push('\n');
    text.push_str(&objects(bundle));
    if !bundle.leftovers.is_empty() {
        text.push_str("\nNo longer desired, and still in the plane:\n");
        text.push_str(&leftovers(bundle));
    }
    text
}

fn objects(bundle: &Bundle) -> String {
    if bundle.objects.is_empty() {
        return "The plane has not reported its objects yet.\n".to_owned();
    }
    let row = |object: &crate::answers::Object| {
        [
            object.object.to_string(),
            object.health.clone(),
            named(object.blocker.as_ref()),
        ]
    };
    let rows: Vec<_> = bundle.objects.iter().map(row).collect();
    table(["OBJECT", "HEALTH", "BLOCKED BY"], &rows)
}

fn leftovers(bundle: &Bundle) -> String {
    let row =
        |leftover: &crate::answers::Leftover| [leftover.object.to_string(), named(leftover.blocker.as_ref())];
    let rows: Vec<_> = bundle.leftovers.iter().map(row).collect();
    table(["OBJECT", "KEPT BY"], &rows)
}

fn named(blocker: Option<&Blocker>) -> String {
    blocker.map(Blocker::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::Leftover;
    use crate::status::samples;

    #[test]
    fn a_stuck_bundle_names_what_holds_each_object() {
        let mut bundle = samples::bundle("cart");
        bundle.state = "Progressing".to_owned();
        bundle.objects[1].health = "Unknown".to_owned();
        bundle.objects[1].blocker = Some(samples::blocker("KindUnknown"));
        bundle.leftovers.push(Leftover {
            object: samples::object("ConfigMap", "", "old"),
            blocker: None,
        });
        let expected = "\
Release shop/cart on plane eu: Progressing (generation 2)

OBJECT                                             HEALTH   BLOCKED BY
Deployment.apps shop-prod/web                      Healthy  -
HTTPRoute.gateway.networking.k8s.io shop-prod/web  Unknown  KindUnknown: It says why.

No longer desired, and still in the plane:
OBJECT                   KEPT BY
ConfigMap shop-prod/old  -
";
        assert_eq!(render(&bundle), expected);
    }

    #[test]
    fn a_waiting_bundle_says_for_whom() {
        let mut bundle = samples::bundle("cart");
        bundle.state = "Queued".to_owned();
        bundle.objects.clear();
        bundle.blocker = Some(samples::blocker("PlaneDisconnected"));
        let expected = "\
Release shop/cart on plane eu: Queued (generation 2)
Blocked by PlaneDisconnected: It says why.

The plane has not reported its objects yet.
";
        assert_eq!(render(&bundle), expected);
    }
}
