//! `outhaul explain`: what is stuck, why, since when, and what resolves it. The words are the hub's.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::answers::{Explanation, List};
use crate::arguments::{ExplainArguments, Explained, ObjectPath, Output};
use crate::client::{Client, segment};
use crate::status::{json as pretty, parse};
use crate::text::{distance, printable};

pub(crate) async fn explain(
    client: &Client,
    wanted: &ExplainArguments,
    output: Output,
    now: Timestamp,
) -> anyhow::Result<String> {
    let path = match &wanted.what {
        Explained::Plane(plane) => format!("/api/v1/planes/{}/explanations", segment(plane)),
        Explained::Bundle(bundle) => {
            let [kind, namespace, name] = [bundle.kind, &bundle.namespace, &bundle.name].map(segment);
            format!("/api/v1/explanations/{kind}/{namespace}/{name}")
        }
    };
    let answers: Vec<Value> = parse::<List<_>>(&client.get(&path).await?)?.items;
    let mut chosen = Vec::new();
    for answer in answers {
        let explanation: Explanation = parse(&answer)?;
        if wanted
            .object
            .as_ref()
            .is_none_or(|object| is(&explanation, object))
        {
            chosen.push((answer, explanation));
        }
    }
    match output {
        Output::Json => {
            pretty(&json!({"items": chosen.into_iter().map(|(answer, _)| answer).collect::<Vec<_>>()}))
        }
        Output::Table => Ok(render(chosen.iter().map(|(_, explanation)| explanation), now)),
    }
}

fn is(explanation: &Explanation, wanted: &ObjectPath) -> bool {
    explanation.object.as_ref().is_some_and(|object| {
        object.kind.eq_ignore_ascii_case(&wanted.kind)
            && object.namespace == wanted.namespace
            && object.name == wanted.name
    })
}

fn render<'a>(explanations: impl Iterator<Item = &'a Explanation>, now: Timestamp) -> String {
    let parts: Vec<String> = explanations.map(|it| paragraph(it, now)).collect();
    match parts.is_empty() {
        true => "Nothing is stuck.\n".to_owned(),
        false => parts.join("\n"),
    }
}

fn paragraph(explanation: &Explanation, now: Timestamp) -> String {
    let Explanation {
        what,
        plane,
        bundle,
        object,
        stuck,
        reason,
        message,
        since,
        remedies,
    } = explanation;
    let of = bundle.as_ref().filter(|_| object.is_some());
    let of = of.map(|bundle| format!(" of {} {}/{}", bundle.kind, bundle.namespace, bundle.name));
    let on = plane.as_ref().filter(|_| bundle.is_some());
    let on = on.map(|plane| format!(" on plane {plane}"));
    let since = since
        .as_ref()
        .map(|since| format!(", for {}", distance(since, now)));
    let [of, on, since] = [of, on, since].map(Option::unwrap_or_default);
    let mut lines = vec![
        format!("{stuck}: {what}{of}{on}{since}"),
        format!("  {reason}: {message}"),
    ];
    for remedy in remedies {
        lines.push(format!("  - {}:", remedy.effect));
        lines.push(format!("      {}", remedy.command));
    }
    lines
        .iter()
        .map(|line| format!("{}\n", printable(line)))
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use outhaul_hub_core::explain::{Subject, Why, remedies};
    use outhaul_hub_core::view;

    use super::*;
    use crate::arguments::Arguments;
    use crate::status::samples;

    fn explanation() -> Explanation {
        parse(&json!({
            "what": "ConfigMap shop-prod/web", "plane": "eu",
            "bundle": {"kind": "Release", "namespace": "shop", "name": "cart"},
            "object": {"group": "", "version": "v1", "kind": "ConfigMap", "namespace": "shop-prod", "name": "web"},
            "stuck": "Held", "reason": "OverBudget", "message": "held: the object waits",
            "since": "2026-01-02T03:04:05Z",
            "remedies": [{"effect": "lets go what is held", "command": "outhaul confirm eu release/shop/cart remove"}],
        }))
        .unwrap()
    }

    #[test]
    fn what_is_stuck_says_why_since_when_and_what_resolves_it() {
        let text = render([&explanation()].into_iter(), samples::now());
        let expected = "\
Held: ConfigMap shop-prod/web of Release shop/cart on plane eu, for 3m
  OverBudget: held: the object waits
  - lets go what is held:
      outhaul confirm eu release/shop/cart remove
";
        assert_eq!(text, expected);
        assert_eq!(render([].into_iter(), samples::now()), "Nothing is stuck.\n");
    }

    #[test]
    fn an_object_is_found_by_kind_namespace_and_name() {
        for (path, expected) in [
            ("configmap/shop-prod/web", true),
            ("ConfigMap/shop/web", false),
            ("Secret/shop-prod/web", false),
            ("ConfigMap/web", false),
        ] {
            assert_eq!(is(&explanation(), &path.parse().unwrap()), expected, "{path}");
        }
    }

    #[test]
    fn every_command_that_the_hub_names_can_be_typed() {
        let bundle = view::BundleName {
            kind: view::KindName::Bundle,
            namespace: "shop".into(),
            name: "cart".into(),
        };
        let object = view::ObjectName {
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
        let mut ours = 0;
        for why in Why::all() {
            for remedy in remedies(why, subject) {
                let words: Vec<&str> = remedy.command.split_whitespace().collect();
                if words[0] == "outhaul" {
                    ours += 1;
                    let parsed = Arguments::try_parse_from(&words);
                    assert!(parsed.is_ok(), "{why:?}: {}", remedy.command);
                }
            }
        }
        assert!(ours > 20);
    }
}
