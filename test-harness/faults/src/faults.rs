//! What happens to each datagram. Pure: no clock, and the dice have a seed.

use std::net::SocketAddr;
use std::time::Duration;

/// How the network is at the moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Faults {
    pub(crate) target: SocketAddr,
    pub(crate) cut: bool,
    pub(crate) delay: Duration,
    pub(crate) loss: Loss,
}

/// Random loss, the same in both directions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Loss {
    /// From 0 to 1.
    pub(crate) share: f64,
    pub(crate) seed: u64,
}

/// The fate of one datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Pass { after: Duration },
    CutOff,
    Lost,
}

/// Decides over one datagram after the other.
#[derive(Debug)]
pub(crate) struct Dice {
    loss: Loss,
    state: u64,
}

impl Faults {
    pub(crate) fn none(target: SocketAddr) -> Self {
        Self {
            target,
            cut: false,
            delay: Duration::ZERO,
            loss: Loss { share: 0.0, seed: 0 },
        }
    }
}

impl Dice {
    pub(crate) fn new(loss: Loss) -> Self {
        Self {
            loss,
            state: loss.seed,
        }
    }

    /// The fate of the next datagram. Other dice are taken up when the loss changed.
    pub(crate) fn fate(&mut self, faults: &Faults) -> Fate {
        if self.loss != faults.loss {
            *self = Self::new(faults.loss);
        }
        match () {
            () if faults.cut => Fate::CutOff,
            () if self.unit() < faults.loss.share => Fate::Lost,
            () => Fate::Pass { after: faults.delay },
        }
    }

    /// A number from 0 to 1: splitmix64, cut to the 53 bits of a float.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a float exactly")]
    fn unit(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn lossy(share: f64, seed: u64) -> Faults {
        Faults {
            loss: Loss { share, seed },
            ..Faults::none(SocketAddr::from((Ipv4Addr::LOCALHOST, 1)))
        }
    }

    fn fates(faults: &Faults) -> Vec<Fate> {
        let mut dice = Dice::new(faults.loss);
        (0..10_000).map(|_| dice.fate(faults)).collect()
    }

    #[test]
    fn loss_follows_from_the_seed_and_keeps_its_share() {
        let first = fates(&lossy(0.3, 1));
        assert_eq!(first, fates(&lossy(0.3, 1)));
        assert_ne!(first, fates(&lossy(0.3, 2)));
        let lost = first.iter().filter(|fate| **fate == Fate::Lost).count();
        assert!((2_800..3_200).contains(&lost), "{lost} of 10,000 lost");
    }

    #[test]
    fn nothing_or_everything_is_lost_at_the_ends() {
        assert!(!fates(&lossy(0.0, 5)).contains(&Fate::Lost));
        assert!(fates(&lossy(1.0, 5)).iter().all(|fate| *fate == Fate::Lost));
    }

    #[test]
    fn a_cut_outranks_everything() {
        let faults = Faults {
            cut: true,
            delay: Duration::from_secs(1),
            ..lossy(0.5, 1)
        };
        assert!(fates(&faults).iter().all(|fate| *fate == Fate::CutOff));
    }
}
