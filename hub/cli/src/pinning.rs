//! `outhaul plane confirm`: this control plane is the right one.

use anyhow::bail;
use serde_json::{Value, json};

use crate::arguments::Output;
use crate::client::{Client, segment};
use crate::status::json as pretty;
use crate::text::printable;

/// Confirms what the plane waits for now: where it waits for another control plane by then, the hub refuses.
pub(crate) async fn confirm(client: &Client, plane: &str, output: Output) -> anyhow::Result<String> {
    let path = format!("/api/v1/planes/{}", segment(plane));
    let view = client.get(&path).await?;
    let Some(witness) = view.get("unconfirmed").and_then(Value::as_str) else {
        bail!(
            "plane {plane} takes this control plane for the one that it knows: there is nothing to confirm"
        );
    };
    let answer = client
        .post(&format!("{path}/confirmations"), &json!({"witness": witness}))
        .await?;
    match output {
        Output::Json => pretty(&answer),
        Output::Table => Ok(printable(&format!(
            "Confirmed: plane {plane} lets go and takes over again what this control plane says."
        )) + "\n"),
    }
}
