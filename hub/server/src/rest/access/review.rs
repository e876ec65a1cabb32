//! Asking the API server: whose token this is, and what they may do.

use core::fmt;
use std::time::Duration;

use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, UserInfo};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::api::{Api, PostParams};
use outhaul_hub_resources::names;
use outhaul_protocol_wire::ids::PlaneName;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::warn;

use super::Right;
use crate::rest::error::{ApiError, Code};

/// Reviews under way at once. Strangers can cause them, so they must not crowd out the hub's own requests.
const REVIEWS: usize = 16;

/// A review takes milliseconds; after this the API server is not well.
const PATIENCE: Duration = Duration::from_secs(5);

const RESOURCE: &str = "planes";

/// Whom a token belongs to, as the API server knows them.
#[derive(Debug, Clone)]
pub(super) struct Caller(UserInfo);

/// One right on one plane, or on all.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub(super) right: Right,
    pub(super) plane: Option<PlaneName>,
}

pub(super) struct Reviewer {
    client: kube::Client,
    slots: Semaphore,
}

impl Reviewer {
    pub(super) fn new(client: kube::Client) -> Self {
        Self {
            client,
            slots: Semaphore::new(REVIEWS),
        }
    }

    /// None: nobody's.
    pub(super) async fn whose(&self, token: &str) -> Result<Option<Caller>, ApiError> {
        let review = TokenReview {
            spec: TokenReviewSpec {
                token: token.to_owned(),
                audiences: None,
            },
            ..TokenReview::default()
        };
        let status = self.ask(&review).await?.status.unwrap_or_default();
        let known = status.authenticated.unwrap_or(false);
        Ok(known.then(|| Caller(status.user.unwrap_or_default())))
    }

    pub(super) async fn may(&self, caller: &Caller, question: &Question) -> Result<bool, ApiError> {
        let user = caller.0.clone();
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: user.username,
                uid: user.uid,
                groups: user.groups,
                extra: user.extra,
                resource_attributes: Some(question.attributes()),
                non_resource_attributes: None,
            },
            ..SubjectAccessReview::default()
        };
        let status = self.ask(&review).await?.status.unwrap_or_default();
        Ok(status.allowed && !status.denied.unwrap_or(false))
    }

    async fn ask<K>(&self, review: &K) -> Result<K, ApiError>
    where
        K: kube::Resource<DynamicType = ()>
            + Clone
            + fmt::Debug
            + serde::Serialize
            + serde::de::DeserializeOwned,
    {
        let asked = async {
            let _slot = self.slots.acquire().await.expect("nobody closes it");
            let api = Api::<K>::all(self.client.clone());
            api.create(&PostParams::default(), review).await
        };
        match timeout(PATIENCE, asked).await {
            Ok(Ok(review)) => Ok(review),
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                warn!(kind = %K::kind(&()), error, "The API server did not review a request to REST");
                Err(unavailable())
            }
            Err(_late) => {
                warn!(kind = %K::kind(&()), ?PATIENCE, "The API server did not review a request to REST in time");
                Err(unavailable())
            }
        }
    }
}

impl Caller {
    pub(super) fn name(&self) -> &str {
        self.0.username.as_deref().unwrap_or("The token's user")
    }
}

impl Question {
    fn attributes(&self) -> ResourceAttributes {
        ResourceAttributes {
            group: Some(names::GROUP.to_owned()),
            version: Some(names::VERSION.to_owned()),
            resource: Some(RESOURCE.to_owned()),
            subresource: self.right.subresource.map(str::to_owned),
            verb: Some(self.right.verb.to_owned()),
            name: self.plane.as_ref().map(|plane| plane.as_str().to_owned()),
            ..ResourceAttributes::default()
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {RESOURCE}", self.right.verb)?;
        if let Some(subresource) = self.right.subresource {
            write!(f, "/{subresource}")?;
        }
        write!(f, " in {}", names::GROUP)?;
        match &self.plane {
            Some(plane) => write!(f, " for plane {plane}"),
            None => Ok(()),
        }
    }
}

fn unavailable() -> ApiError {
    ApiError::new(
        Code::Unavailable,
        "The hub cannot check your rights now, since its API server does not answer. Try again in a moment.",
    )
}
