//! Where the logs of a plane are read: shared by DataPlane and BuildPlane.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The observer (log API) of a plane. Go clients always send it, with empty strings where it is unset.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Observer {
    /// Base address; empty means that there is none.
    pub url: String,
    /// How to log in.
    pub authentication: ObserverAuthentication,
}

/// How to log in to an observer.
#[derive(JsonSchema, Serialize, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ObserverAuthentication {
    /// User and password.
    pub basic_auth: BasicAuth,
}

/// User and password of an observer.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BasicAuth {
    /// User.
    pub username: String,
    /// Password.
    pub password: String,
}

impl core::fmt::Debug for BasicAuth {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("BasicAuth")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}
