//! The `outhaul` command: enrolment, status and confirmations, over the REST interface of the hub.
//!
//! It holds no state and decides nothing: it asks the hub and shows the answer, as tables for people or as the
//! hub's own JSON for programs. The binary parses [`Arguments`] and calls [`run`].
//!
//! What people see comes from planes too, so everything printed is stripped of control characters.

mod answers;
mod arguments;
mod client;
mod confirm;
mod credentials;
mod deciding;
mod explain;
mod forgetting;
mod orphans;
mod pinning;
mod restored;
mod status;
mod table;
mod text;
mod token;

use std::io::Write;

use anyhow::Context as _;
use jiff::Timestamp;

pub use arguments::Arguments;
use arguments::{Command, HubCommand, OrphansCommand, PlaneCommand};
pub use client::Client;

/// Does what was asked and writes the answer to `out`. `now` is what ages are counted from.
///
/// # Errors
/// The hub cannot be reached or refuses, or the answer cannot be written. The message says what to do.
pub async fn run(arguments: Arguments, now: Timestamp, out: &mut impl Write) -> anyhow::Result<()> {
    let credentials = credentials::find(&arguments.token)?;
    let client = Client::new(arguments.hub, credentials)?;
    let text = match arguments.command {
        Command::Status(wanted) => status::show(&client, &wanted, arguments.output, now).await?,
        Command::Explain(wanted) => explain::explain(&client, &wanted, arguments.output, now).await?,
        Command::Confirm(wanted) => confirm::confirm(&client, &wanted, arguments.output).await?,
        Command::Plane(PlaneCommand::Token(wanted)) => {
            token::make(&client, &wanted, arguments.output).await?
        }
        Command::Plane(PlaneCommand::Forget(wanted)) => {
            forgetting::forget(&client, &wanted.plane, arguments.output).await?
        }
        Command::Plane(PlaneCommand::Confirm(wanted)) => {
            pinning::confirm(&client, &wanted.plane, arguments.output).await?
        }
        Command::Orphans(OrphansCommand::List(wanted)) => {
            orphans::list(&client, wanted.plane.as_deref(), arguments.output).await?
        }
        Command::Orphans(OrphansCommand::Adopt(wanted)) => {
            deciding::adopt(&client, &wanted, arguments.output).await?
        }
        Command::Orphans(OrphansCommand::Remove(wanted)) => {
            deciding::remove(&client, &wanted, arguments.output).await?
        }
        Command::Hub(HubCommand::Restored) => restored::say(&client, arguments.output).await?,
    };
    out.write_all(text.as_bytes()).context("cannot write the answer")
}
