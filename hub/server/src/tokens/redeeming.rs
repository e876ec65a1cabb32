//! What an agent gets for a token.

use std::time::SystemTime;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams};
use outhaul_hub_core::{Origin, PlaneRecord, Sight};
use outhaul_hub_resources::Plane;
use outhaul_protocol_transport::pki::SigningRequest;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::enrolment::{Answer, Refusal, Request};
use outhaul_protocol_wire::ids::PlaneName;
use serde_json::json;
use tracing::{error, info, warn};

use super::record::{self, Record};
use super::{CERTIFICATE_VALIDITY, Tokens};
use crate::conflicts::is_conflict;
use crate::fleet::Signal;

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
        let record = match record.key {
            Some(bound) if bound == key => record,
            Some(_) => return Err(Refusal::TokenBoundToAnotherKey),
            None => self.bind(&secret, record, key).await?,
        };
        self.record_key(&record, key).await?;
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
    async fn bind(&self, secret: &Secret, record: Record, key: Digest) -> Result<Record, Refusal> {
        let plane = self.plane_to_enrol(&record.plane).await?;
        let replaces = key_of(&plane).and_then(Digest::from_hex);
        let bound = Record {
            key: Some(key),
            replaces,
            ..record
        };
        let patch = json!({
            "metadata": {"resourceVersion": secret.metadata.resource_version, "uid": secret.metadata.uid},
            "stringData": {
                (record::KEY): key.to_string(),
                (record::REPLACES): replaces.map(|replaced| replaced.to_string()),
            },
        });
        let name = secret.metadata.name.as_deref().unwrap_or_default();
        let answer = self
            .secrets()
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await;
        match answer {
            Ok(_) => Ok(bound),
            Err(error) if is_conflict(&error) => Record::read(&self.find(name).await?)
                .filter(|winner| winner.key == Some(key))
                .ok_or(Refusal::TokenBoundToAnotherKey),
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn plane_to_enrol(&self, plane: &PlaneName) -> Result<Plane, Refusal> {
        let found = self.planes().get_opt(plane.as_str()).await.map_err(unavailable)?;
        found
            .filter(|plane| !plane.spec.revoked && !plane.spec.forgotten)
            .ok_or(Refusal::PlaneRevoked)
    }

    /// Records the key in the Plane: that an operator made a token allows the plane to have a new one. The fleet is
    /// told before the agent is, since the agent dials the moment it has its certificate.
    async fn record_key(&self, record: &Record, key: Digest) -> Result<(), Refusal> {
        let mut found = self.plane_to_enrol(&record.plane).await?;
        if !record.is_in_force(key_of(&found)) {
            return Err(Refusal::TokenBoundToAnotherKey);
        }
        let key = key.to_string();
        if key_of(&found) != Some(&key) {
            found = self.write_key(found, &key).await?;
        }
        let record = PlaneRecord::read(found).map_err(|_name| Refusal::TryAgain)?;
        let sight = Sight::Plane(Box::new(record), Origin::Watch);
        let told = self.signals.send(Signal::Seen(sight)).await;
        told.map_err(|_stopped| Refusal::TryAgain)
    }

    /// Only over the Plane as it was read: where somebody else wrote it since, the agent asks again.
    async fn write_key(&self, plane: Plane, key: &str) -> Result<Plane, Refusal> {
        let patch = json!({
            "metadata": {"resourceVersion": plane.metadata.resource_version, "uid": plane.metadata.uid},
            "status": {"key": key},
        });
        let name = plane.metadata.name.unwrap_or_default();
        self.planes()
            .patch_status(&name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .map_err(unavailable)
    }

    fn planes(&self) -> Api<Plane> {
        Api::all(self.client.clone())
    }
}

fn key_of(plane: &Plane) -> Option<&str> {
    plane.status.as_ref()?.key.as_deref()
}

fn unavailable(error: kube::Error) -> Refusal {
    warn!(
        error = &error as &dyn std::error::Error,
        "Could not look up an enrolment"
    );
    Refusal::TryAgain
}
