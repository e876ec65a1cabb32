//! A token as it is stored: everything but the secret.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::ids::PlaneName;

/// Marks the Secrets that are tokens.
pub(super) const LABEL: &str = "outhaul.dev/enrolment-token";

const PLANE: &str = "plane";
const SECRET: &str = "secret-sha256";
const EXPIRES: &str = "expires";
pub(super) const KEY: &str = "key";
pub(super) const REPLACES: &str = "replaces";

/// A stored token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) plane: PlaneName,
    /// SHA-256 of the secret part.
    pub(super) secret: Digest,
    pub(super) expires: Timestamp,
    /// The key that redeemed it.
    pub(super) key: Option<Digest>,
    /// The key that the Plane had then.
    pub(super) replaces: Option<Digest>,
}

/// The Secret of a token; `None` if `id` cannot be one of ours.
pub(super) fn name(id: &str) -> Option<String> {
    let ours = id.len() == 16
        && id
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    ours.then(|| format!("outhaul-token-{id}"))
}

impl Record {
    pub(super) fn to_secret(&self, id: &str) -> Secret {
        let mut data = BTreeMap::from([
            (PLANE.to_owned(), text(self.plane.as_str())),
            (SECRET.to_owned(), text(&self.secret.to_string())),
            (EXPIRES.to_owned(), text(&self.expires.to_string())),
        ]);
        if let Some(key) = &self.key {
            data.insert(KEY.to_owned(), text(&key.to_string()));
        }
        if let Some(replaced) = &self.replaces {
            data.insert(REPLACES.to_owned(), text(&replaced.to_string()));
        }
        Secret {
            metadata: ObjectMeta {
                name: name(id),
                labels: Some(BTreeMap::from([(LABEL.to_owned(), "true".to_owned())])),
                ..ObjectMeta::default()
            },
            type_: Some("outhaul.dev/enrolment-token".to_owned()),
            data: Some(data),
            ..Secret::default()
        }
    }

    /// The token in a Secret; `None` if it is damaged, and then nobody can redeem it.
    pub(super) fn read(secret: &Secret) -> Option<Self> {
        let data = secret.data.as_ref()?;
        let field = |name: &str| core::str::from_utf8(&data.get(name)?.0).ok();
        let key = |name| match field(name) {
            Some(key) => Digest::from_hex(key).map(Some),
            None => Some(None),
        };
        Some(Self {
            plane: PlaneName::new(field(PLANE)?).ok()?,
            secret: Digest::from_hex(field(SECRET)?)?,
            expires: field(EXPIRES)?.parse().ok()?,
            key: key(KEY)?,
            replaces: key(REPLACES)?,
        })
    }

    /// Whether the key that redeemed the token may still become the Plane's, where that has `recorded`: not once another
    /// token has brought a newer key.
    pub(super) fn is_in_force(&self, recorded: Option<&str>) -> bool {
        let known = [self.key, self.replaces];
        recorded.is_none_or(|recorded| known.iter().flatten().any(|key| key.to_string() == recorded))
    }
}

fn text(value: &str) -> ByteString {
    ByteString(value.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_and_holds_no_secret() {
        let secret = [7; 32];
        let record = Record {
            plane: PlaneName::new("eu").unwrap(),
            secret: Digest::of(&secret),
            expires: "2030-01-01T00:00:00Z".parse().unwrap(),
            key: Some(Digest::of(b"key")),
            replaces: Some(Digest::of(b"former key")),
        };
        let stored = record.to_secret("0123456789abcdef");
        assert_eq!(Record::read(&stored), Some(record));
        let values = stored.data.unwrap();
        assert!(values.values().all(|value| value.0 != secret));
    }

    #[test]
    fn only_ids_that_we_make_become_names() {
        assert_eq!(
            name("0123456789abcdef").as_deref(),
            Some("outhaul-token-0123456789abcdef")
        );
        for id in [
            "",
            "../outhaul-hub",
            "0123456789ABCDEF",
            "0123456789abcde",
            "0123456789abcdef0",
        ] {
            assert_eq!(name(id), None, "{id}");
        }
    }
}
