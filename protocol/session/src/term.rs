//! Which of two sessions of one plane counts.

use outhaul_protocol_wire::ids::Term;

/// Random id of an agent's process, from its hello.
pub type Instance = [u8; 16];

/// A session, as far as precedence is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Its term.
    pub term: Term,
    /// The agent's process; unknown when the term was read from a stored status.
    pub instance: Option<Instance>,
}

/// What becomes of a newcomer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precedence {
    /// It is newer: the incumbent's session is closed as superseded.
    NewcomerWins,
    /// It is no newer: it is refused as superseded.
    IncumbentStays,
    /// Two processes use one identity at the same time: the newcomer is refused and an operator told.
    IdentityCopied,
}

/// Judges a newcomer against the session that stands.
///
/// An agent stores a new boot number before it dials, so one boot belongs to one process. The same boot from another
/// process means that the plane's stored identity was copied.
pub fn precedence(incumbent: Claim, newcomer: Claim) -> Precedence {
    let same_boot = incumbent.term.boot == newcomer.term.boot;
    let other_process = match (incumbent.instance, newcomer.instance) {
        (Some(incumbent), Some(newcomer)) => incumbent != newcomer,
        (None, _) | (_, None) => false,
    };
    if same_boot && other_process {
        return Precedence::IdentityCopied;
    }
    match newcomer.term > incumbent.term {
        true => Precedence::NewcomerWins,
        false => Precedence::IncumbentStays,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(boot: u64, dial: u64, instance: Option<u8>) -> Claim {
        Claim {
            term: Term { boot, dial },
            instance: instance.map(|byte| [byte; 16]),
        }
    }

    #[test]
    fn the_newer_term_wins_and_a_second_process_of_one_boot_is_a_copy() {
        use Precedence::{IdentityCopied, IncumbentStays, NewcomerWins};
        let incumbent = claim(2, 5, Some(1));
        for (newcomer, expected) in [
            (claim(2, 6, Some(1)), NewcomerWins),
            (claim(2, 5, Some(1)), IncumbentStays),
            (claim(2, 4, Some(1)), IncumbentStays),
            (claim(3, 1, Some(2)), NewcomerWins),
            (claim(1, 9, Some(2)), IncumbentStays),
            (claim(2, 5, Some(2)), IdentityCopied),
            (claim(2, 6, Some(2)), IdentityCopied),
            (claim(2, 6, None), NewcomerWins),
        ] {
            assert_eq!(precedence(incumbent, newcomer), expected, "{newcomer:?}");
        }
    }
}
