//! `outhaul confirm`: what is to become of objects that a plane holds.

use serde_json::json;

use crate::answers::Bundle;
use crate::arguments::{ConfirmArguments, Output, Verdict};
use crate::client::Client;
use crate::status::{bundle_path, json as pretty, parse};
use crate::text::printable;

/// Confirms what is held now: an edit that comes in between is another generation, and the hub refuses.
pub(crate) async fn confirm(
    client: &Client,
    wanted: &ConfirmArguments,
    output: Output,
) -> anyhow::Result<String> {
    let path = bundle_path(&wanted.plane, &wanted.bundle);
    let held: Bundle = parse(&client.get(&path).await?)?;
    let body = json!({"verdict": wanted.verdict.word(), "generation": held.version.generation});
    let answer = client.post(&format!("{path}/confirmations"), &body).await?;
    match output {
        Output::Json => pretty(&answer),
        Output::Table => Ok(render(&held, wanted.verdict)),
    }
}

fn render(held: &Bundle, verdict: Verdict) -> String {
    let [kind, namespace, name, plane] =
        [&held.kind, &held.namespace, &held.name, &held.plane].map(|text| printable(text));
    let what = match verdict {
        Verdict::Remove => "lets go what it holds of",
        Verdict::Leave => "leaves where it is, and forgets, what it holds of",
    };
    let generation = held.version.generation;
    format!("Confirmed: plane {plane} {what} {kind} {namespace}/{name}, generation {generation}.\n")
}
