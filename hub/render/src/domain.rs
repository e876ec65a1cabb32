//! What hosts of gateways begin with and end in.
//!
//! OpenChoreo has it fixed. Where an operator wants it so, it is what Environment and DataPlane say.

use kube::ResourceExt as _;
use outhaul_hub_resources::{DataPlane, Environment};

use crate::name;

/// What hosts of the external gateway end in, for APIs.
pub const PUBLIC_DOMAIN: &str = "choreoapis.localhost";

/// What hosts of the internal gateway end in.
pub const ORGANIZATION_DOMAIN: &str = "choreoapis.internal";

/// What hosts of web applications end in.
const WEB_DOMAIN: &str = "choreoapps.localhost";

/// What the hosts of one environment begin with and end in; OpenChoreo's by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Domains<'a> {
    /// What hosts of APIs begin with, where it is not the name of the environment.
    pub(crate) prefix: Option<&'a str>,
    /// Of APIs, at the external gateway.
    pub(crate) public: &'a str,
    /// Of APIs, at the internal gateway.
    pub(crate) organization: &'a str,
    /// Of web applications.
    pub(crate) web: &'a str,
}

impl Default for Domains<'_> {
    fn default() -> Self {
        Self {
            prefix: None,
            public: PUBLIC_DOMAIN,
            organization: ORGANIZATION_DOMAIN,
            web: WEB_DOMAIN,
        }
    }
}

impl<'a> Domains<'a> {
    /// Those that an Environment and its DataPlane say. What they leave empty is as OpenChoreo has it.
    ///
    /// # Errors
    /// What one of them says makes no host, in words.
    pub fn of(environment: &'a Environment, plane: &'a DataPlane) -> Result<Self, String> {
        let prefix = environment.spec.gateway.as_ref();
        let prefix = prefix.and_then(|gateway| gateway.dns_prefix.as_deref());
        let prefix = prefix.filter(|prefix| !prefix.is_empty());
        if let Some(wrong) = prefix.filter(|prefix| !name::is_subdomain(prefix)) {
            return Err(no_domain(
                "Environment",
                &environment.name_any(),
                "dnsPrefix",
                wrong,
            ));
        }
        let said = |field, domain: &'a str| match domain {
            "" => Ok(None),
            domain if name::is_subdomain(domain) => Ok(Some(domain)),
            wrong => Err(no_domain("DataPlane", &plane.name_any(), field, wrong)),
        };
        let gateway = &plane.spec.gateway;
        let public = said("publicVirtualHost", &gateway.public_virtual_host)?;
        let organization = said("organizationVirtualHost", &gateway.organization_virtual_host)?;
        Ok(Self {
            prefix,
            public: public.unwrap_or(PUBLIC_DOMAIN),
            organization: organization.unwrap_or(ORGANIZATION_DOMAIN),
            web: public.unwrap_or(WEB_DOMAIN),
        })
    }
}

fn no_domain(kind: &str, name: &str, field: &str, wrong: &str) -> String {
    format!(
        "{kind} {name:?}: spec.gateway.{field} {wrong:?} is no domain: use lower-case letters, digits, '-' and '.', and no \
         port"
    )
}
