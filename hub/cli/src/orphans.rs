//! `outhaul orphans list`: what planes hold and the hub does not know.

use serde_json::{Value, json};

use crate::answers::{List, Plane};
use crate::arguments::Output;
use crate::client::{Client, segment};
use crate::status::{json as pretty, parse};
use crate::table::table;

const HEADING: [&str; 3] = ["PLANE", "KIND", "NAME"];

pub(crate) async fn list(client: &Client, plane: Option<&str>, output: Output) -> anyhow::Result<String> {
    let answers: Vec<Value> = match plane {
        Some(plane) => vec![client.get(&format!("/api/v1/planes/{}", segment(plane))).await?],
        None => parse::<List<_>>(&client.get("/api/v1/planes").await?)?.items,
    };
    match output {
        Output::Json => pretty(&answers.iter().map(orphans_of).collect()),
        Output::Table => {
            let planes = answers
                .iter()
                .map(parse)
                .collect::<anyhow::Result<Vec<Plane>>>()?;
            Ok(render(&planes))
        }
    }
}

fn orphans_of(plane: &Value) -> Value {
    json!({"plane": plane["name"], "orphans": plane["orphans"]})
}

fn render(planes: &[Plane]) -> String {
    let rows: Vec<[String; 3]> = planes.iter().flat_map(rows).collect();
    match rows.is_empty() {
        true => "No plane holds anything that the hub does not know.\n".to_owned(),
        false => table(HEADING, &rows),
    }
}

/// A line for each, and one for those that the plane counts and does not name.
fn rows(plane: &Plane) -> Vec<[String; 3]> {
    let named = plane.orphans.bundles.iter().map(|bundle| {
        [
            plane.name.clone(),
            bundle.kind.clone(),
            format!("{}/{}", bundle.namespace, bundle.name),
        ]
    });
    let more = plane.orphans.total - plane.orphans.total.min(plane.orphans.bundles.len() as u64);
    let more = (more > 0).then(|| [plane.name.clone(), String::new(), format!("and {more} more")]);
    named.chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::BundleRef;
    use crate::status::samples;

    #[test]
    fn each_orphan_has_a_line_and_those_without_a_name_are_counted() {
        let orphan = |name: &str| BundleRef {
            kind: "Release".to_owned(),
            namespace: "shop".to_owned(),
            name: name.to_owned(),
        };
        let mut eu = samples::plane("eu");
        eu.orphans.bundles = vec![orphan("cart"), orphan("till")];
        eu.orphans.total = 300;
        let text = render(&[eu, samples::plane("us")]);
        let expected = "\
PLANE  KIND     NAME
eu     Release  shop/cart
eu     Release  shop/till
eu     -        and 298 more
";
        assert_eq!(text, expected);
        assert!(render(&[samples::plane("us")]).starts_with("No plane holds"));
    }
}
