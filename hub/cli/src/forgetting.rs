//! `outhaul plane forget`: nothing waits any longer for a plane that will never return.

use serde_json::json;

use crate::answers::Forgotten;
use crate::arguments::Output;
use crate::client::{Client, segment};
use crate::status::{json as pretty, parse};
use crate::text::printable;

pub(crate) async fn forget(client: &Client, plane: &str, output: Output) -> anyhow::Result<String> {
    let path = format!("/api/v1/planes/{}/forget", segment(plane));
    let answer = client.post(&path, &json!({})).await?;
    match output {
        Output::Json => pretty(&answer),
        Output::Table => Ok(render(&parse(&answer)?)),
    }
}

fn render(forgotten: &Forgotten) -> String {
    let plane = printable(&forgotten.plane);
    let mut text = format!(
        "Plane {plane} is forgotten. Its agent is refused from now on, and nothing was removed there.\n"
    );
    if !forgotten.bundles.is_empty() {
        text.push_str("\nThese do not wait for it any more:\n");
    }
    for bundle in &forgotten.bundles {
        let line = format!("  {} {}/{}", bundle.kind, bundle.namespace, bundle.name);
        text.push_str(&printable(&line));
        text.push('\n');
    }
    text.push_str(&format!(
        "\nSend what is left to another plane, and then delete the Plane with `kubectl delete plane {plane}`.\n"
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::BundleRef;

    #[test]
    fn what_no_longer_waits_is_named_and_what_to_do_next() {
        let bundle = BundleRef {
            kind: "Release".to_owned(),
            namespace: "shop".to_owned(),
            name: "cart".to_owned(),
        };
        let mut forgotten = Forgotten {
            plane: "eu".to_owned(),
            bundles: vec![bundle],
        };
        let text = render(&forgotten);
        assert!(text.contains("\n  Release shop/cart\n"), "{text}");
        assert!(text.contains("`kubectl delete plane eu`"), "{text}");
        forgotten.bundles.clear();
        assert!(!render(&forgotten).contains("do not wait"));
    }
}
