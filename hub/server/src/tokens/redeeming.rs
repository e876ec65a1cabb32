//! What an agent gets for a token.

use std::time::SystemTime;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams};
use outhaul_hub_core::{Origin, PlaneRecord};
use outhaul_hub_resources::Plane;
use outhaul_protocol_transport::pki::SigningRequest;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::enrolment::{Answer, Refusal, Request};
use outhaul_protocol_wire::ids::PlaneName;
use serde_json::json;
use tracing::{error, info, warn};

use super::record::{self, Record};
use super::{CERTIFICATE_VALIDITY, Tokens};
use crate::fleet::{Sight, Signal};

impl Tokens {
    /// Answers a request of a stranger.
    pub(crate) async fn redeem(&self, request: &Request) -> Answer {
        match self.try_redeem(request).await {
            Ok(certificates) => Answer::Enrolled(certificates),
            Err(refusal) => {
                info!(token = request.token_id, ?refusal, "Enrolment refused");
                Answer::Refused(refusal)
            }
        }
    }

    async fn try_redeem(&self, request: &Request) -> Result<Vec<Vec<u8>>, Refusal> {
        let name = record::name(&request.token_id).ok_or(Refusal::TokenUnknown)?;
        let csr = SigningRequest::from_der(&request.csr).map_err(|_unusable| Refusal::RequestInvalid)?;
        let key = csr.key();
        let secret = self.find(&name).await?;
        let record = Record::read(&secret).ok_or(Refusal::TokenUnknown)?;
        if record.secret != Digest::of(&request.secret) {
            return Err(Refusal::TokenUnknown);
        }
        if record.expires <= Timestamp::now() {
            return Err(Refusal::TokenExpired);
        }
        match record.key {
            Some(bound) if bound == key => {}
            Some(_) => return Err(Refusal::TokenBoundToAnotherKey),
            None => self.bind(&secret, &record.plane, key).await?,
        }
        self.record_key(&record.plane, key).await?;
        let chain = self
            .authority
            .issue_plane(&csr, &record.plane, SystemTime::now(), CERTIFICATE_VALIDITY)
            .map_err(|failure| {
                error!(
                    error = &failure as &dyn std::error::Error,
                    "Could not sign a certificate"
                );
                Refusal::TryAgain
            })?;
        info!(plane = %record.plane, token = request.token_id, %key, "Enrolled");
        Ok(chain.iter().map(|certificate| certificate.to_vec()).collect())
    }

    async fn find(&self, name: &str) -> Result<Secret, Refusal> {
        let found = self.secrets().get_opt(name).await.map_err(unavailable)?;
        found.ok_or(Refusal::TokenUnknown)
    }

    /// Binds the token to the first key. Whoever comes second with the same resourceVersion loses.
    async fn bind(&self, secret: &Secret, plane: &PlaneName, key: Digest) -> Result<(), Refusal> {
        let patch = json!({
            "metadata": {"resourceVersion": secret.metadata.resource_version, "uid": secret.metadata.uid},
            "stringData": {(record::KEY): key.to_string()},
        });
        self.refuse_revoked(plane).await?;
        let name = secret.metadata.name.as_deref().unwrap_or_default();
        let bound = self
            .secrets()
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await;
        match bound {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 409 => {
                let winner = Record::read(&self.find(name).await?).and_then(|record| record.key);
                match winner == Some(key) {
                    true => Ok(()),
                    false => Err(Refusal::TokenBoundToAnotherKey),
                }
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn refuse_revoked(&self, plane: &PlaneName) -> Result<Plane, Refusal> {
        let planes: Api<Plane> = Api::all(self.client.clone());
        let found = planes.get_opt(plane.as_str()).await.map_err(unavailable)?;
        found
            .filter(|plane| !plane.spec.revoked)
            .ok_or(Refusal::PlaneRevoked)
    }

    /// Records the key in the Plane: that an operator made a token allows the plane to have a new one. The fleet is
    /// told before the agent is, since the agent dials the moment it has its certificate.
    async fn record_key(&self, plane: &PlaneName, key: Digest) -> Result<(), Refusal> {
        let planes: Api<Plane> = Api::all(self.client.clone());
        let mut found = self.refuse_revoked(plane).await?;
        let key = key.to_string();
        if found.status.as_ref().and_then(|status| status.key.as_ref()) != Some(&key) {
            let patch = Patch::Merge(json!({"status": {"key": key}}));
            found = planes
                .patch_status(plane.as_str(), &PatchParams::default(), &patch)
                .await
                .map_err(unavailable)?;
        }
        let record = PlaneRecord::read(found).map_err(|_name| Refusal::TryAgain)?;
        let sight = Sight::Plane(Box::new(record), Origin::Watch);
        let told = self.signals.send(Signal::Seen(sight)).await;
        told.map_err(|_stopped| Refusal::TryAgain)
    }
}

fn unavailable(error: kube::Error) -> Refusal {
    warn!(
        error = &error as &dyn std::error::Error,
        "Could not look up an enrolment"
    );
    Refusal::TryAgain
}
