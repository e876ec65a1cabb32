//! Content of a head, from its compressed form to a spec.

use core::cell::RefCell;

use outhaul_protocol_wire::content::Content;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::limits;
use serde_json::Value;
use zstd::bulk::Decompressor;

use crate::shallow::Shallow;

/// Content that is not what its head says.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// It claims more than any spec may have.
    #[error("content claims {0} bytes, at most {limit} are allowed", limit = limits::CONTENT_BYTES)]
    TooLong(u32),
    /// It cannot be decompressed, or is much longer than it claims.
    #[error("content is no zstd frame of the length that it claims")]
    Compression(#[source] std::io::Error),
    /// It decompresses to another length.
    #[error("content claims {claimed} bytes and has another length")]
    Length {
        /// What it claims.
        claimed: u32,
    },
    /// It has another digest.
    #[error("content has digest {actual}, its head says {expected}")]
    Digest {
        /// What the head says.
        expected: Digest,
        /// What it has.
        actual: Digest,
    },
    /// It is no JSON.
    #[error("content is no JSON")]
    Json(#[source] serde_json::Error),
}

thread_local! {
    /// Making one takes longer than decompressing most specs.
    static DECOMPRESSOR: RefCell<Decompressor<'static>> =
        RefCell::new(Decompressor::new().expect("it is made of memory alone"));
}

/// The spec in `content`, which must have this digest; without what lies too deep to be applied, see
/// [`crate::shallow`]. Never reserves more than the limit, whatever the frame claims.
///
/// # Errors
/// The content is damaged, or another one.
pub fn unpack(content: &Content, digest: &Digest) -> Result<Value, ContentError> {
    let length = content.length as usize;
    if length > limits::CONTENT_BYTES {
        return Err(ContentError::TooLong(content.length));
    }
    // One byte more than claimed shows that there is more.
    let json = DECOMPRESSOR
        .with_borrow_mut(|decompressor| decompressor.decompress(&content.zstd, length + 1))
        .map_err(ContentError::Compression)?;
    if json.len() != length {
        return Err(ContentError::Length {
            claimed: content.length,
        });
    }
    let actual = Digest::of(&json);
    if actual != *digest {
        let expected = *digest;
        return Err(ContentError::Digest { expected, actual });
    }
    let Shallow(spec) = serde_json::from_slice(&json).map_err(ContentError::Json)?;
    Ok(spec)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::content;

    #[test]
    fn content_that_is_not_what_its_head_says_is_refused() {
        let spec = json!({"resources": []});
        let (packed, digest) = content(&spec);
        assert_eq!(unpack(&packed, &digest).unwrap(), spec);
        assert!(matches!(
            unpack(&packed, &Digest::of(b"else")),
            Err(ContentError::Digest { .. })
        ));
        type Damage = fn(&mut Content);
        let damage: [(Damage, &str); 5] = [
            (|content| content.length -= 1, "claims"),
            (|content| content.length += 1, "claims"),
            (|content| content.length = 1, "claims"),
            (|content| content.length = u32::MAX, "claims"),
            (|content| content.zstd.truncate(6), "no zstd"),
        ];
        for (damage, says) in damage {
            let mut damaged = packed.clone();
            damage(&mut damaged);
            let error = unpack(&damaged, &digest).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
