//! Who this agent is: its key, its certificate, its hub; and how often it was started.
//!
//! Kept in a Secret of the agent's namespace or in a folder, as a few named texts. The key is kept before it is used:
//! an answer to the enrolment that gets lost is asked for again with the same key, and the hub knows it.

mod place;

use core::fmt;
use std::collections::BTreeMap;
use std::time::SystemTime;

use anyhow::Context as _;
use outhaul_protocol_transport::CertificateDer;
use outhaul_protocol_transport::dialer::Enrolled;
use outhaul_protocol_transport::identity::{Identity, Trust};
use outhaul_protocol_transport::pki::{self, PrivateKey};
use outhaul_protocol_wire::ids::HubId;

pub(crate) use self::place::{Place, PlaceError};

const KEY: &str = "key.pem";
const CHAIN: &str = "chain.pem";
const ROOT: &str = "root.pem";
const HUB: &str = "hub-id";
const ADDRESS: &str = "hub-address";
const BOOT: &str = "boot";

/// What is kept, by name.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Documents(pub(crate) BTreeMap<String, String>);

/// An agent that has enrolled.
pub(crate) struct Member {
    /// Key and certificates.
    pub(crate) identity: Identity,
    /// Its hub.
    pub(crate) trust: Trust,
    /// Where its hub is.
    pub(crate) address: String,
    /// When its certificate expires.
    pub(crate) expires: SystemTime,
}

impl Documents {
    /// The key; made and not kept yet if there was none.
    pub(crate) fn key(&mut self) -> anyhow::Result<PrivateKey> {
        if let Some(pem) = self.0.get(KEY) {
            return PrivateKey::from_pem(pem).context("the agent's stored key is damaged");
        }
        let key = PrivateKey::generate()?;
        self.0.insert(KEY.to_owned(), key.to_pem());
        Ok(key)
    }

    /// Whether there is a certificate, and it is still good. One that has expired opens no door: a new token brings the
    /// next, for the same key. One that is damaged is not overlooked: [`Documents::member`] says so.
    pub(crate) fn is_enrolled(&self, now: SystemTime) -> bool {
        let Some(chain) = self.0.get(CHAIN) else {
            return false;
        };
        let leaf = pki::certificates_from_pem(chain)
            .ok()
            .and_then(|chain| chain.into_iter().next());
        leaf.and_then(|leaf| pki::expiry(&leaf).ok())
            .is_none_or(|expires| now < expires)
    }

    /// Adds what the enrolment brought.
    pub(crate) fn enrol(&mut self, enrolled: &Enrolled, address: &str) {
        let documents = [
            (CHAIN, pki::certificates_to_pem(&enrolled.chain)),
            (
                ROOT,
                pki::certificates_to_pem(std::slice::from_ref(&enrolled.root)),
            ),
            (HUB, enrolled.hub.to_string()),
            (ADDRESS, address.to_owned()),
        ];
        let owned = documents.map(|(name, text)| (name.to_owned(), text));
        self.0.extend(owned);
    }

    /// Counts one more start. A number that cannot be read starts over, which costs nothing as long as no session of
    /// an earlier start stands.
    pub(crate) fn boot(&mut self) -> u64 {
        let boots: u64 = self.0.get(BOOT).and_then(|text| text.parse().ok()).unwrap_or(0);
        self.0.insert(BOOT.to_owned(), (boots + 1).to_string());
        boots + 1
    }

    /// The member that the documents make.
    pub(crate) fn member(&self) -> anyhow::Result<Member> {
        let chain =
            pki::certificates_from_pem(self.text(CHAIN)?).context("the stored certificate is damaged")?;
        let roots = pki::certificates_from_pem(self.text(ROOT)?).context("the stored root is damaged")?;
        let root: CertificateDer<'static> = roots.into_iter().next().context("the stored root is empty")?;
        let leaf = chain.first().context("the stored certificate is empty")?;
        let expires = pki::expiry(leaf)?;
        let key = PrivateKey::from_pem(self.text(KEY)?).context("the agent's stored key is damaged")?;
        let hub = HubId::new(self.text(HUB)?)?;
        Ok(Member {
            identity: Identity { chain, key },
            trust: Trust::Hub { hub, root },
            address: self.text(ADDRESS)?.to_owned(),
            expires,
        })
    }

    fn text(&self, name: &str) -> anyhow::Result<&str> {
        let text = self.0.get(name).map(String::as_str);
        text.with_context(|| format!("the agent's identity has no {name}"))
    }
}

impl fmt::Debug for Documents {
    /// Names only: one of them is the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use outhaul_protocol_transport::authority::Authority;
    use outhaul_protocol_transport::pki::SigningRequest;
    use outhaul_protocol_wire::ids::PlaneName;

    use super::*;

    #[test]
    fn the_key_is_made_once_and_never_shown() {
        let mut documents = Documents::default();
        let key = documents.key().unwrap().digest();
        assert_eq!(documents.key().unwrap().digest(), key);
        assert!(!format!("{documents:?}").contains("PRIVATE"), "{documents:?}");
    }

    #[test]
    fn a_certificate_that_has_expired_asks_for_a_new_token_and_a_damaged_one_does_not() {
        let mut documents = Documents::default();
        let now = SystemTime::now();
        assert!(!documents.is_enrolled(now));
        let authority = Authority::generate(&HubId::from_bytes([7; 16]), now).unwrap();
        let csr = documents.key().unwrap().signing_request().unwrap();
        let request = SigningRequest::from_der(&csr).unwrap();
        let (plane, validity) = (PlaneName::new("plane").unwrap(), Duration::from_secs(3600));
        let chain = authority.issue_plane(&request, &plane, now, validity).unwrap();
        documents
            .0
            .insert(CHAIN.to_owned(), pki::certificates_to_pem(&chain));
        assert!(documents.is_enrolled(now));
        assert!(!documents.is_enrolled(now + 2 * validity));
        documents.0.insert(CHAIN.to_owned(), "nonsense".to_owned());
        assert!(documents.is_enrolled(now), "a new token would hide the damage");
    }

    #[test]
    fn each_start_has_a_higher_number() {
        let mut documents = Documents::default();
        assert_eq!([documents.boot(), documents.boot(), documents.boot()], [1, 2, 3]);
    }
}
