//! `outhaul hub restored`: what the control plane says counts again, after it went back to a backup.

use serde_json::json;

use crate::answers::Restored;
use crate::arguments::Output;
use crate::client::Client;
use crate::status::{json as pretty, parse};

pub(crate) async fn say(client: &Client, output: Output) -> anyhow::Result<String> {
    let answer = client.post("/api/v1/hub/restored", &json!({})).await?;
    match output {
        Output::Json => pretty(&answer),
        Output::Table => Ok(render(&parse(&answer)?)),
    }
}

fn render(restored: &Restored) -> String {
    format!(
        "\
The epoch is {} now. Every replica of the hub reads everything again, and then planes take what it says.

What was created after the backup is not in the control plane any more. Planes keep it, and it is shown by

outhaul orphans list
",
        restored.epoch
    )
}
