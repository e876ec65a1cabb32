//! Names in certificates: `spiffe://<hub-id>` for the authority, with `/hub` for the hub and `/plane/<name>` for a
//! plane.

use core::fmt;
use core::str::FromStr;

use outhaul_protocol_wire::ids::{HubId, PlaneName};

const SCHEME: &str = "spiffe://";

/// Who a certificate is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SpiffeId {
    /// The certificate authority of a hub.
    Authority(HubId),
    /// The hub itself.
    Hub(HubId),
    /// A plane of that hub.
    Plane(HubId, PlaneName),
}

/// A URI that names nobody here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name that a hub gives out")]
pub struct InvalidSpiffeId(String);

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authority(hub) => write!(f, "{SCHEME}{hub}"),
            Self::Hub(hub) => write!(f, "{SCHEME}{hub}/hub"),
            Self::Plane(hub, plane) => write!(f, "{SCHEME}{hub}/plane/{plane}"),
        }
    }
}

impl FromStr for SpiffeId {
    type Err = InvalidSpiffeId;

    fn from_str(text: &str) -> Result<Self, InvalidSpiffeId> {
        parse(text).ok_or_else(|| InvalidSpiffeId(text.chars().take(512).collect()))
    }
}

fn parse(text: &str) -> Option<SpiffeId> {
    let rest = text.strip_prefix(SCHEME)?;
    let (hub, path) = match rest.split_once('/') {
        Some((hub, path)) => (hub, Some(path)),
        None => (rest, None),
    };
    let hub = HubId::new(hub).ok()?;
    match path {
        None => Some(SpiffeId::Authority(hub)),
        Some("hub") => Some(SpiffeId::Hub(hub)),
        Some(path) => {
            let plane = PlaneName::new(path.strip_prefix("plane/")?).ok()?;
            Some(SpiffeId::Plane(hub, plane))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_nothing_else_is_one() {
        let hub = HubId::from_bytes([0xab; 16]);
        let plane = PlaneName::new("eu.prod-1").unwrap();
        for id in [
            SpiffeId::Authority(hub.clone()),
            SpiffeId::Hub(hub.clone()),
            SpiffeId::Plane(hub.clone(), plane),
        ] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for bad in [
            "spiffe://example.org/hub".to_owned(),
            format!("spiffe://{hub}/"),
            format!("spiffe://{hub}/hub/"),
            format!("spiffe://{hub}/plane/"),
            format!("spiffe://{hub}/plane/a/b"),
            format!("spiffe://{hub}/plane/A"),
            format!("https://{hub}/hub"),
        ] {
            assert!(bad.parse::<SpiffeId>().is_err(), "{bad} was taken for a name");
        }
    }
}
