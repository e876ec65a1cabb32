//! One word and one sentence about all objects of a resource.

use outhaul_protocol_session::hub::Reported;
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::report::{Blocker, Health};

use crate::reason;

/// Longest text of a peer that goes into a condition or Event; Events end at 1,024 bytes.
const TEXT: usize = 900;

/// What is said about the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The word.
    pub(crate) reason: &'static str,
    /// The sentence.
    pub(crate) message: String,
}

/// Judges a list: a blocked object says more than a failing one, and that more than one on its way.
pub(crate) fn judge(reported: &Reported) -> Verdict {
    blocked(reported)
        .or_else(|| unhealthy(reported, reason::DEGRADED, |health| health == Health::Degraded))
        .or_else(|| unhealthy(reported, reason::PROGRESSING, |health| !health.is_settled()))
        .unwrap_or_else(|| Verdict {
            reason: reason::ALL_HEALTHY,
            message: format!("{} objects are as desired", reported.objects.len()),
        })
}

/// The same of objects that run once.
pub(crate) fn judge_run(reported: &Reported) -> Verdict {
    let mut verdict = judge(reported);
    if verdict.reason == reason::ALL_HEALTHY {
        verdict.message = format!("{} objects have run to their end", reported.objects.len());
    }
    verdict
}

/// Why a deleted resource is still in its plane, if something holds it there.
pub(crate) fn stuck(reported: &Reported) -> Option<String> {
    let leaving = reported.leftovers.iter();
    let blockers = leaving.filter_map(|leftover| Some((&leftover.object, leftover.blocker.as_ref()?)));
    first_of(blockers).map(|(_, message)| message)
}

/// Why objects wait to be confirmed, if any do: the plane says it of each of them.
pub(crate) fn held(reported: &Reported) -> Option<&Blocker> {
    let leftovers = reported.leftovers.iter();
    let mut blockers = leftovers.filter_map(|leftover| leftover.blocker.as_ref());
    blockers.find(|blocker| blocker.reason.is_held())
}

/// A text of a peer, short enough for a condition.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(TEXT) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

fn blocked(reported: &Reported) -> Option<Verdict> {
    let desired = reported.objects.iter();
    let blockers = desired.filter_map(|object| Some((&object.object, object.blocker.as_ref()?)));
    let (reason, message) = first_of(blockers)?;
    Some(Verdict { reason, message })
}

fn first_of<'a>(
    blockers: impl Iterator<Item = (&'a ObjectRef, &'a Blocker)>,
) -> Option<(&'static str, String)> {
    let mut blockers = blockers;
    let (object, blocker) = blockers.next()?;
    let message = format!(
        "{object}: {}{}",
        shortened(&blocker.message),
        and_others(blockers.count())
    );
    Some((blocker.reason.as_str(), message))
}

fn unhealthy(reported: &Reported, reason: &'static str, is: impl Fn(Health) -> bool) -> Option<Verdict> {
    let mut objects = reported.objects.iter().filter(|object| is(object.health));
    let first = objects.next()?;
    let message = format!(
        "{} is {}{}",
        first.object,
        first.health.as_str(),
        and_others(objects.count())
    );
    Some(Verdict { reason, message })
}

fn and_others(count: usize) -> String {
    match count {
        0 => String::new(),
        count => format!(" (and {count} more)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{object, reported};
    use outhaul_protocol_wire::report::BlockerReason;

    #[test]
    fn a_blocker_says_more_than_a_failure_and_that_more_than_progress() {
        let healthy = object("a", Health::Healthy);
        let progressing = object("b", Health::Progressing);
        let degraded = object("c", Health::Degraded);
        let mut blocked = object("d", Health::Unknown);
        blocked.blocker = Some(Blocker {
            reason: BlockerReason::Conflict,
            message: "kubectl owns .spec".into(),
        });
        let cases = [
            (vec![], "AllHealthy", "0 objects are as desired"),
            (
                vec![healthy.clone(), object("s", Health::Suspended)],
                "AllHealthy",
                "2 objects are as desired",
            ),
            (
                vec![healthy, progressing.clone()],
                "Progressing",
                "Deployment.apps shop/b is Progressing",
            ),
            (
                vec![progressing.clone(), progressing.clone(), degraded.clone()],
                "Degraded",
                "Deployment.apps shop/c is Degraded",
            ),
            (
                vec![degraded, blocked.clone(), blocked],
                "Conflict",
                "Deployment.apps shop/d: kubectl owns .spec (and 1 more)",
            ),
        ];
        for (objects, reason, message) in cases {
            let verdict = judge(&reported(1, objects));
            assert_eq!((verdict.reason, verdict.message.as_str()), (reason, message));
        }
    }

    #[test]
    fn what_runs_once_is_done_when_all_of_it_has_ended_well() {
        let run = |health| judge_run(&reported(1, vec![object("a", health)]));
        let done = run(Health::Healthy);
        assert_eq!(
            (done.reason, done.message.as_str()),
            ("AllHealthy", "1 objects have run to their end")
        );
        assert_eq!(
            run(Health::Progressing),
            judge(&reported(1, vec![object("a", Health::Progressing)]))
        );
    }

    #[test]
    fn a_long_text_of_a_peer_is_cut_between_characters() {
        let text = "ä".repeat(2000);
        assert_eq!(shortened(&text).chars().count(), TEXT + 1);
    }
}
