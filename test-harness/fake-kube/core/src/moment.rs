//! When something happens, and where its identities come from: the two things pure code may not find by itself.

use jiff::Timestamp;

/// The instant of one request, with the generator that names what the request creates.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The time that goes into timestamps.
    pub now: Timestamp,
    ids: Ids,
}

impl Moment {
    /// A moment whose identities follow from `seed`: the same seed gives the same uids and suffixes.
    pub fn new(now: Timestamp, seed: u128) -> Self {
        Self { now, ids: Ids(seed) }
    }

    /// The time as Kubernetes writes it: seconds, UTC.
    pub fn timestamp(&self) -> String {
        timestamp(self.now)
    }

    /// A fresh uid in the form of a version 4 UUID.
    pub fn uid(&mut self) -> String {
        let high = self.ids.next() & 0xffff_ffff_ffff_0fff | 0x4000;
        let low = self.ids.next() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000;
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }

    /// The five characters that follow a `generateName`.
    pub fn suffix(&mut self) -> String {
        word(self.ids.next(), 5)
    }

    /// An unguessable-looking word for tokens; as random as the seed.
    pub fn secret(&mut self) -> String {
        format!("{:016x}{:016x}", self.ids.next(), self.ids.next())
    }
}

/// A time as Kubernetes writes it: seconds, UTC.
pub(crate) fn timestamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// So many characters that follow from `bits`, from the alphabet without vowels that Kubernetes uses.
pub(crate) fn word(mut bits: u64, length: usize) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    (0..length)
        .map(|_| {
            let index = (bits % ALPHABET.len() as u64) as usize;
            bits /= ALPHABET.len() as u64;
            char::from(ALPHABET[index])
        })
        .collect()
}

/// The finalizer of SplitMix64: spreads a number over all bits, each of which depends on each.
pub fn mix(mut z: u64) -> u64 {
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// SplitMix64 over both halves of a seed: statistically good, tiny, and reproducible.
#[derive(Debug, Clone)]
struct Ids(u128);

impl Ids {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        mix((self.0 >> 64) as u64 ^ self.0 as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_gives_same_identities_and_steps_differ() {
        let mut a = Moment::new(Timestamp::UNIX_EPOCH, 7);
        let mut b = Moment::new(Timestamp::UNIX_EPOCH, 7);
        let first = a.uid();
        assert_eq!(first, b.uid());
        assert_ne!(first, a.uid());
        assert_eq!(first.len(), 36);
        assert_eq!(&first[14..15], "4");
    }

    #[test]
    fn timestamps_have_whole_seconds() {
        let moment = Moment::new(Timestamp::from_millisecond(1_500).unwrap(), 0);
        assert_eq!(moment.timestamp(), "1970-01-01T00:00:01Z");
    }
}
