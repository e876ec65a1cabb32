//! Who of several processes acts: the holder of a Lease. Of hubs, who writes bindings and Releases; of the agents of one
//! plane, who does anything there.
//!
//! Times of other processes are never compared with ours. A Lease has run out when it has not changed for its duration
//! as we saw it; ours is good for a shorter time, counted from before the request that renewed it. So two processes whose
//! clocks differ, or one that was stopped for a while, never both believe that they hold it.
//!
//! Pure: whoever drives it reads and writes the Lease, and tells the time.

use core::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};

/// How long a Lease lasts.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// How long it is left alone that its holder does not renew.
    pub duration: Duration,
    /// How long a holder believes that it holds after its last renewal: shorter than others wait, by what a request of its
    /// may take that it began before.
    pub belief: Duration,
}

/// What one process knows about the Lease.
#[derive(Debug)]
pub struct Candidate {
    identity: String,
    name: String,
    timing: Timing,
    /// What was last seen, and when it was first seen like this.
    seen: Option<(Lease, Duration)>,
    /// Until when we hold it.
    held_until: Option<Duration>,
}

/// What to do about the Lease.
#[derive(Debug, Clone, PartialEq)]
pub enum Move {
    /// Make it.
    Create(Box<Lease>),
    /// Write it over the one that was seen; its resourceVersion is in it.
    Replace(Box<Lease>),
    /// Another holds it.
    Wait,
}

impl Candidate {
    /// A process that holds nothing. `identity` differs between any two that run at once: one that starts again under the
    /// identity it had need not wait for its own Lease to run out.
    pub fn new(name: &str, identity: String, timing: Timing) -> Self {
        Self {
            identity,
            name: name.to_owned(),
            timing,
            seen: None,
            held_until: None,
        }
    }

    /// What to do, having read the Lease just now.
    pub fn look(&mut self, stored: Option<Lease>, now: Duration, wall: Timestamp) -> Move {
        let Some(stored) = stored else {
            self.seen = None;
            self.held_until = None;
            return Move::Create(Box::new(self.claim(None, wall)));
        };
        let since = match &self.seen {
            Some((known, since)) if known.metadata.resource_version == stored.metadata.resource_version => {
                *since
            }
            _ => now,
        };
        let free = self.is_free(&stored, since, now);
        let step = match free {
            true => Move::Replace(Box::new(self.claim(Some(&stored), wall))),
            false => Move::Wait,
        };
        if !self.holds(&stored) {
            self.held_until = None;
        }
        self.seen = Some((stored, since));
        step
    }

    /// What renews a Lease that we hold, without another look: the write is refused where it changed since.
    pub fn renewal(&self, now: Duration, wall: Timestamp) -> Option<Lease> {
        self.held_until(now)?;
        let (seen, _) = self.seen.as_ref()?;
        Some(self.claim(Some(seen), wall))
    }

    /// The write of [`Move::Create`], [`Move::Replace`] or a renewal, begun at `begun`, was taken.
    pub fn written(&mut self, lease: Lease, begun: Duration) {
        self.seen = Some((lease, begun));
        self.held_until = Some(begun + self.timing.belief);
    }

    /// Until when we hold it, if we do.
    pub fn held_until(&self, now: Duration) -> Option<Duration> {
        self.held_until.filter(|until| now < *until)
    }

    /// What gives it back, so that another need not wait for it to run out.
    pub fn release(&mut self, now: Duration, wall: Timestamp) -> Option<Lease> {
        self.held_until(now)?;
        self.held_until = None;
        let (mut lease, _) = self.seen.take()?;
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = Some(String::new());
        spec.lease_duration_seconds = Some(1);
        spec.renew_time = Some(MicroTime(wall));
        Some(lease)
    }

    fn is_free(&self, stored: &Lease, since: Duration, now: Duration) -> bool {
        let spec = stored.spec.clone().unwrap_or_default();
        let nobody = spec.holder_identity.is_none_or(|holder| holder.is_empty());
        let seconds = spec
            .lease_duration_seconds
            .and_then(|seconds| u64::try_from(seconds).ok());
        let duration = seconds.map_or(self.timing.duration, Duration::from_secs);
        nobody || self.holds(stored) || now.saturating_sub(since) >= duration
    }

    fn holds(&self, stored: &Lease) -> bool {
        let holder = stored
            .spec
            .as_ref()
            .and_then(|spec| spec.holder_identity.as_ref());
        holder == Some(&self.identity)
    }

    fn claim(&self, stored: Option<&Lease>, wall: Timestamp) -> Lease {
        let former = stored.and_then(|lease| lease.spec.clone()).unwrap_or_default();
        let renews = stored.is_some_and(|stored| self.holds(stored));
        let transitions = former.lease_transitions.unwrap_or_default();
        let spec = LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(self.timing.duration.as_secs()).ok(),
            acquire_time: match renews {
                true => former.acquire_time.clone(),
                false => Some(MicroTime(wall)),
            },
            lease_transitions: Some(match (renews, stored) {
                (false, Some(_)) => transitions.saturating_add(1),
                _ => transitions,
            }),
            renew_time: Some(MicroTime(wall)),
            ..former
        };
        let metadata = match stored {
            Some(stored) => stored.metadata.clone(),
            None => ObjectMeta {
                name: Some(self.name.clone()),
                ..ObjectMeta::default()
            },
        };
        Lease {
            metadata,
            spec: Some(spec),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn wall(now: Duration) -> Timestamp {
        Timestamp::UNIX_EPOCH + now
    }

    /// A Lease as an API server keeps it: every write gets a version, and needs the last one.
    #[derive(Default)]
    struct Server {
        stored: Option<Lease>,
        version: u64,
    }

    impl Server {
        fn write(&mut self, mut lease: Lease) -> Option<Lease> {
            let stored = self.stored.as_ref();
            if lease.metadata.resource_version
                != stored.and_then(|lease| lease.metadata.resource_version.clone())
            {
                return None;
            }
            self.version += 1;
            lease.metadata.resource_version = Some(self.version.to_string());
            self.stored = Some(lease.clone());
            Some(lease)
        }

        /// One look of a candidate: whether it holds afterwards.
        fn look(&mut self, candidate: &mut Candidate, now: Duration) -> bool {
            match candidate.look(self.stored.clone(), now, wall(now)) {
                Move::Create(lease) | Move::Replace(lease) => {
                    if let Some(written) = self.write(*lease) {
                        candidate.written(written, now);
                    }
                }
                Move::Wait => {}
            }
            candidate.held_until(now).is_some()
        }
    }

    const TIMING: Timing = Timing {
        duration: s(15),
        belief: s(10),
    };

    fn candidate(identity: &str) -> Candidate {
        Candidate::new("controllers", identity.to_owned(), TIMING)
    }

    #[test]
    fn the_first_holds_it_and_the_second_waits() {
        let (mut server, mut one, mut two) = (Server::default(), candidate("one"), candidate("two"));
        for now in (0..60).step_by(2) {
            assert!(server.look(&mut one, s(now)));
            assert!(!server.look(&mut two, s(now)));
        }
        let spec = server.stored.unwrap().spec.unwrap();
        assert_eq!(spec.lease_transitions, Some(0));
        assert_eq!(spec.acquire_time, Some(MicroTime(wall(s(0)))));
        assert_eq!(spec.renew_time, Some(MicroTime(wall(s(58)))));
    }

    #[test]
    fn a_silent_holder_stops_before_another_starts() {
        let (mut server, mut one, mut two) = (Server::default(), candidate("one"), candidate("two"));
        assert!(server.look(&mut one, s(0)));
        assert!(!server.look(&mut two, s(1)));
        assert!(one.held_until(s(9)).is_some());
        assert!(one.held_until(s(10)).is_none());
        assert!(!server.look(&mut two, s(15)));
        assert!(server.look(&mut two, s(16)));
        assert_eq!(
            server.stored.clone().unwrap().spec.unwrap().lease_transitions,
            Some(1)
        );
        assert!(!server.look(&mut one, s(17)));
    }

    #[test]
    fn a_holder_that_reads_another_name_stops_at_once() {
        let (mut server, mut one) = (Server::default(), candidate("one"));
        assert!(server.look(&mut one, s(0)));
        let spec = server.stored.as_mut().unwrap();
        spec.spec.as_mut().unwrap().holder_identity = Some("two".into());
        spec.metadata.resource_version = Some("99".into());
        assert!(!server.look(&mut one, s(2)));
        assert!(one.held_until(s(2)).is_none());
    }

    #[test]
    fn a_holder_whose_lease_is_gone_stops_until_it_has_it_again() {
        let (mut server, mut one) = (Server::default(), candidate("one"));
        assert!(server.look(&mut one, s(0)));
        server.stored = None;
        let step = one.look(None, s(2), wall(s(2)));
        assert!(matches!(step, Move::Create(_)), "{step:?}");
        assert!(one.held_until(s(2)).is_none());
        assert!(server.look(&mut one, s(2)));
    }

    #[test]
    fn what_is_given_back_is_taken_at_once() {
        let (mut server, mut one, mut two) = (Server::default(), candidate("one"), candidate("two"));
        assert!(server.look(&mut one, s(0)));
        assert!(!server.look(&mut two, s(0)));
        let released = one.release(s(1), wall(s(1))).unwrap();
        assert!(server.write(released).is_some());
        assert!(one.held_until(s(1)).is_none());
        assert!(server.look(&mut two, s(2)));
    }

    #[test]
    fn a_holder_renews_without_a_look_and_not_over_what_another_wrote() {
        let (mut server, mut one, mut two) = (Server::default(), candidate("one"), candidate("two"));
        assert!(one.renewal(s(0), wall(s(0))).is_none(), "it holds nothing");
        assert!(server.look(&mut one, s(0)));
        let renewed = server.write(one.renewal(s(5), wall(s(5))).unwrap()).unwrap();
        one.written(renewed, s(5));
        assert_eq!(one.held_until(s(14)), Some(s(15)));
        assert!(one.renewal(s(15), wall(s(15))).is_none(), "it believes no more");
        assert!(!server.look(&mut two, s(16)));
        assert!(server.look(&mut two, s(31)));
        let late = one.claim(one.seen.as_ref().map(|(lease, _)| lease), wall(s(31)));
        assert!(server.write(late).is_none());
    }

    #[test]
    fn who_starts_again_under_its_name_need_not_wait() {
        let (mut server, mut one, mut two) = (Server::default(), candidate("one"), candidate("two"));
        assert!(server.look(&mut one, s(0)));
        let mut again = candidate("one");
        assert!(server.look(&mut again, s(1)));
        assert!(!server.look(&mut two, s(1)));
        let spec = server.stored.unwrap().spec.unwrap();
        assert_eq!(spec.lease_transitions, Some(0));
    }

    #[test]
    fn only_one_of_two_that_claim_at_once_gets_it() {
        let (mut server, mut one, mut two) = (Server::default(), candidate("one"), candidate("two"));
        let Move::Create(lease) = two.look(None, s(0), wall(s(0))) else {
            panic!("a lease that is not there is made");
        };
        assert!(server.look(&mut one, s(0)));
        assert!(server.write(*lease).is_none());
        assert!(two.held_until(s(0)).is_none());
    }
}
