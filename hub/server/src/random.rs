//! Random bytes from the system, for secrets and ids.

use rand::TryRng as _;
use rand::rngs::SysRng;

/// Random bytes.
///
/// # Panics
/// The system has no randomness: nothing secret can be made then.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SysRng
        .try_fill_bytes(&mut bytes)
        .expect("the system provides randomness");
    bytes
}
