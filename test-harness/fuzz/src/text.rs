//! What is read from text: stored records, tokens, specs.

use outhaul_agent_core::record::Record;
use outhaul_protocol_wire::canonical;
use outhaul_protocol_wire::head::BundleKind;
use outhaul_protocol_wire::spec::{self, Spec};
use outhaul_protocol_wire::token::Token;
use serde_json::Value;

/// A record of the plane's store reads back as what it was.
pub(crate) fn record(bytes: &[u8]) -> bool {
    let Ok(record) = Record::from_json(bytes) else {
        return false;
    };
    let again = Record::from_json(&record.to_json()).expect("a record that was written reads back");
    assert!(again == record, "{again:?} is not {record:?}");
    true
}

/// A token has one text.
pub(crate) fn token(bytes: &[u8]) -> bool {
    let Some(token) = std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| text.parse::<Token>().ok())
    else {
        return false;
    };
    let again: Token = token
        .to_string()
        .parse()
        .expect("a token that was printed reads back");
    assert!(again == token, "{again:?} is not {token:?}");
    true
}

/// A spec has one canonical form, and both ends read it alike.
pub(crate) fn spec(bytes: &[u8]) -> bool {
    let Ok(json) = std::str::from_utf8(bytes) else {
        return false;
    };
    if spec::check_depth(json).is_err() {
        return false;
    }
    let Ok(value) = serde_json::from_str::<Value>(json) else {
        return false;
    };
    let bytes = canonical::to_vec(&value);
    let again: Value = serde_json::from_slice(&bytes).expect("canonical JSON is JSON");
    assert!(
        canonical::to_vec(&again) == bytes,
        "the canonical form of {json} has another one"
    );
    let mut said = false;
    for kind in [BundleKind::Release, BundleKind::Bundle] {
        let (here, there) = (Spec::read(kind, &value), Spec::read(kind, &again));
        assert_eq!(
            format!("{here:?}"),
            format!("{there:?}"),
            "the ends read it otherwise"
        );
        said |= here.is_ok_and(|spec| spec.manifests().next().is_some());
    }
    said
}
