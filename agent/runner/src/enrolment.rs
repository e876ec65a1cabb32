//! From a token to a membership: once, and never again.

use std::time::SystemTime;

use anyhow::{Context as _, bail};
use outhaul_protocol_session::redial::Ended;
use outhaul_protocol_transport::dialer::{Dialer, EnrolError, Enrolled};
use outhaul_protocol_wire::token::Token;
use tracing::{info, warn};

use crate::cluster::chain;
use crate::identity::{Documents, Member, Place, PlaceError};
use crate::redial::Redial;
use crate::uplink::resolve;

/// The membership that is kept, or the one that the token brings. Returns it with the number of this start.
///
/// # Errors
/// There is neither a membership nor a token, or the token was refused for good.
pub(crate) async fn member(
    place: &mut Place,
    token: Option<&Token>,
    hub: Option<&str>,
) -> anyhow::Result<(Member, u64)> {
    let mut redial = Redial::new();
    let mut documents = loop {
        match place.load().await {
            Ok(documents) => break documents,
            Err(error) => wait_for_place(&mut redial, error).await?,
        }
    };
    if documents.is_enrolled(SystemTime::now()) {
        if token.is_some() {
            info!("Already enrolled; the token is ignored");
        }
    } else {
        let Some(token) = token else {
            bail!(
                "this agent has no valid certificate of a hub: give it the token that `outhaul plane token` prints, by \
                 --token, --token-file or OUTHAUL_ENROLMENT_TOKEN"
            );
        };
        let key = documents.key()?;
        keep(place, &documents).await?;
        let address = hub.unwrap_or(&token.hub).to_owned();
        let enrolled = enrol(&address, token, &key).await?;
        info!(plane = %enrolled.plane, hub = %enrolled.hub, "Enrolled");
        documents.enrol(&enrolled, &address);
    }
    // The number of this start is kept before it is used: no later start has the same.
    let boot = documents.boot();
    keep(place, &documents).await?;
    let mut member = documents.member()?;
    if let Some(hub) = hub {
        hub.clone_into(&mut member.address);
    }
    Ok((member, boot))
}

async fn enrol(
    address: &str,
    token: &Token,
    key: &outhaul_protocol_transport::pki::PrivateKey,
) -> anyhow::Result<Enrolled> {
    let mut redial = Redial::new();
    let mut dials = 0;
    loop {
        dials += 1;
        let error = match attempt(address, dials, token, key).await {
            Ok(enrolled) => return Ok(enrolled),
            Err(error) => error,
        };
        if error
            .downcast_ref::<EnrolError>()
            .is_some_and(|error| !error.is_retryable())
        {
            return Err(error.context("the agent could not enrol"));
        }
        let wait = redial.wait(Ended::Lost, rand::random());
        warn!(
            hub = address,
            error = chain(error.as_ref()),
            ?wait,
            "Not enrolled yet"
        );
        tokio::time::sleep(wait).await;
    }
}

async fn attempt(
    address: &str,
    dial: u64,
    token: &Token,
    key: &outhaul_protocol_transport::pki::PrivateKey,
) -> anyhow::Result<Enrolled> {
    let address = resolve(address, dial).await?;
    let dialer = Dialer::udp(address)?;
    let enrolled = dialer.enrol(address, token, key, SystemTime::now()).await?;
    Ok(enrolled)
}

async fn keep(place: &mut Place, documents: &Documents) -> anyhow::Result<()> {
    let mut redial = Redial::new();
    while let Err(error) = place.save(documents).await {
        wait_for_place(&mut redial, error).await?;
    }
    Ok(())
}

/// An API server that is away comes back; a folder that cannot be written does not.
async fn wait_for_place(redial: &mut Redial, error: PlaceError) -> anyhow::Result<()> {
    let failure = match error {
        PlaceError::Folder(error) => return Err(error).context("the agent's identity cannot be kept"),
        PlaceError::Shared => bail!(
            "another agent started with the identity in this namespace's Secret at the same time; run one agent for each \
             namespace, or give this one a --namespace of its own"
        ),
        PlaceError::Cluster(failure) => failure,
    };
    let wait = redial.wait(Ended::Lost, rand::random());
    warn!(
        problem = failure.blocker().message,
        ?wait,
        "Cannot reach the agent's identity"
    );
    tokio::time::sleep(wait).await;
    Ok(())
}
