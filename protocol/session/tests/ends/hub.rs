//! The hub's end, edge by edge.

use outhaul_protocol_session::Violation;
use outhaul_protocol_session::hub::{Event, Hub, Merge, Reported, SETTLED, Session};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::message::{
    AgentMessage, Announce, Closing, ClosingReason, HubMessage, RefusedReason,
};
use outhaul_protocol_wire::policy::Policy;
use outhaul_protocol_wire::report::{self, Report};
use outhaul_protocol_wire::root;
use outhaul_protocol_wire::witness::{Vouched, Witness};

use crate::fixture::{
    HUB, TestQueue, content, fits, head, held, hello, key, leftover, object, removed, version,
};

/// A session with a plane that holds nothing.
fn open(queue: &TestQueue) -> Session {
    let mut session = Session::open(&hello([]), queue, HUB).unwrap();
    assert!(matches!(
        session.poll_transmit(queue),
        Some(HubMessage::Welcome(_))
    ));
    session
}

fn announced(session: &mut Session, queue: &TestQueue) -> Announce {
    match session.poll_transmit(queue) {
        Some(HubMessage::Announce(announce)) => announce,
        other => panic!("expected an announcement, got {other:?}"),
    }
}

fn names(announce: &Announce) -> Vec<&str> {
    announce
        .heads
        .iter()
        .map(|announced| announced.head.key.name.as_str())
        .collect()
}

fn drain(session: &mut Session, queue: &TestQueue) -> Vec<HubMessage> {
    std::iter::from_fn(|| session.poll_transmit(queue)).collect()
}

#[test]
fn equal_roots_get_one_word() {
    let queue = TestQueue::of([head("a", 1), head("b", 2)]);
    let mut session = Session::open(&hello([&head("a", 1), &head("b", 2)]), &queue, HUB).unwrap();
    assert!(session.was_converged());
    assert!(
        matches!(drain(&mut session, &queue).as_slice(), [HubMessage::Welcome(welcome)] if welcome.converged)
    );
}

#[test]
fn unrecorded_heads_are_announced_to_a_converged_plane() {
    let mut queue = TestQueue::of([head("a", 1)]);
    queue.put(head("b", 1), false);
    let mut session = Session::open(&hello([&head("a", 1)]), &queue, HUB).unwrap();
    session.poll_transmit(&queue);
    let announce = announced(&mut session, &queue);
    assert_eq!((names(&announce), announce.complete), (vec!["b"], false));
    assert!(!announce.heads[0].recorded);
}

#[test]
fn an_empty_hub_says_that_it_knows_nothing() {
    let queue = TestQueue::default();
    let mut session = Session::open(&hello([&head("a", 1)]), &queue, HUB).unwrap();
    session.poll_transmit(&queue);
    let announce = announced(&mut session, &queue);
    assert!(announce.heads.is_empty() && announce.complete);
    assert_eq!(session.poll_transmit(&queue), None);
}

#[test]
fn a_hello_over_its_limits_is_refused_in_words() {
    let mut hello = hello([]);
    hello.orphans.keys = (0..=limits::ORPHANS).map(key).collect();
    let refused = Session::open(&hello, &TestQueue::default(), HUB).unwrap_err();
    assert_eq!(refused.reason, RefusedReason::HelloInvalid);
    assert_eq!(
        refused.message,
        "list of orphans has 257 entries, at most 256 are allowed"
    );
}

#[test]
fn a_policy_is_heard_and_one_over_its_limit_is_not() {
    let mut session = open(&TestQueue::default());
    let policy = |length: usize| Policy {
        problem: Some("x".repeat(length)),
        ..Policy::default()
    };
    let mut say = |policy| session.handle(AgentMessage::Policy(policy), &TestQueue::default());
    let fits = policy(limits::MESSAGE_BYTES);
    assert_eq!(say(fits.clone()).unwrap(), Some(Event::Policy(fits)));
    assert!(say(policy(limits::MESSAGE_BYTES + 1)).is_err());
    let mut hello = hello([]);
    hello.policy = policy(limits::MESSAGE_BYTES + 1);
    let refused = Session::open(&hello, &TestQueue::default(), HUB).unwrap_err();
    assert_eq!(refused.reason, RefusedReason::HelloInvalid);
}

#[test]
fn the_window_holds_heads_back_until_they_are_acknowledged() {
    let queue = TestQueue::of((0..600).map(|name| head(name, 1)));
    let mut session = open(&queue);
    let mut complete = Vec::new();
    for expected in [256, 256, 88] {
        let mut heads = Vec::new();
        while let Some(HubMessage::Announce(announce)) = session.poll_transmit(&queue) {
            heads.extend(announce.heads.iter().map(|announced| held(&announced.head)));
            complete.push(announce.complete);
        }
        assert_eq!((heads.len(), session.unacknowledged()), (expected, expected));
        let event = session
            .handle(AgentMessage::Acknowledge(heads.clone()), &queue)
            .unwrap();
        assert_eq!(event, Some(Event::Acknowledged(heads)));
    }
    assert_eq!(session.unacknowledged(), 0);
    let ends = complete.iter().filter(|complete| **complete).count();
    assert!(
        ends == 1 && complete.last() == Some(&true),
        "complete is said once, at the end: {complete:?}"
    );
}

#[test]
fn messages_full_of_inline_content_stay_within_their_frame() {
    let mut queue = TestQueue::of((0..256).map(|name| head(name, 1)));
    queue.inline = Some(content(limits::INLINE_BYTES));
    let mut session = open(&queue);
    let messages = drain(&mut session, &queue);
    assert!(messages.len() > 8 && messages.iter().all(fits));
}

#[test]
fn an_edit_replaces_a_head_that_waits_and_keeps_its_place() {
    let mut queue = TestQueue::of([head("a", 1), head("b", 1)]);
    let mut session = open(&queue);
    queue.put(head("a", 2), true);
    session.announce(key("a"));
    let announce = announced(&mut session, &queue);
    assert_eq!(names(&announce), ["a", "b"]);
    assert_eq!(announce.heads[0].head.version, version(2));
    assert_eq!(session.poll_transmit(&queue), None);
}

#[test]
fn a_newer_acknowledgement_frees_the_older_heads_of_its_key() {
    let mut queue = TestQueue::of([head("a", 1)]);
    let mut session = open(&queue);
    session.poll_transmit(&queue);
    queue.put(head("a", 2), true);
    session.announce(key("a"));
    session.poll_transmit(&queue);
    assert_eq!(session.unacknowledged(), 2);
    session
        .handle(AgentMessage::Acknowledge(vec![held(&head("a", 2))]), &queue)
        .unwrap();
    assert_eq!(session.unacknowledged(), 0);
}

#[test]
fn recording_is_told_once_for_what_was_announced_unrecorded() {
    let mut queue = TestQueue::default();
    let mut session = Session::open(&hello([]), &queue, HUB).unwrap();
    session.poll_transmit(&queue);
    queue.put(head("early", 1), false);
    session.announce(key("early"));
    session.poll_transmit(&queue);
    queue.put(head("late", 1), false);
    session.announce(key("late"));
    for name in ["early", "late"] {
        queue.put(head(name, 1), true);
        session.recorded(&key(name));
        session.recorded(&key(name));
    }
    assert_eq!(
        session.poll_transmit(&queue),
        Some(HubMessage::Recorded(held(&head("early", 1))))
    );
    let announce = announced(&mut session, &queue);
    assert!(names(&announce) == ["late"] && announce.heads[0].recorded);
    assert_eq!(session.poll_transmit(&queue), None);
}

#[test]
fn what_is_settled_is_not_announced_any_more() {
    let mut queue = TestQueue::of([removed("a", 2)]);
    let mut session = open(&queue);
    let event = session
        .handle(AgentMessage::Gone(held(&removed("a", 2))), &queue)
        .unwrap();
    assert_eq!(event, Some(Event::Gone(held(&removed("a", 2)))));
    queue.heads.clear();
    session.settle(held(&removed("a", 2)));
    assert_eq!(
        session.poll_transmit(&queue),
        Some(HubMessage::Settled(held(&removed("a", 2))))
    );
    assert!(announced(&mut session, &queue).heads.is_empty());
}

#[test]
fn answers_that_nobody_reads_do_not_pile_up() {
    let queue = TestQueue::default();
    let mut session = open(&queue);
    for name in 0..SETTLED + 10 {
        session.settle(held(&removed(name, 1)));
    }
    let settled = drain(&mut session, &queue);
    let settled = settled.iter().filter(|it| matches!(it, HubMessage::Settled(_)));
    assert_eq!(settled.count(), SETTLED);
}

#[test]
fn a_plane_that_holds_something_newer_frees_the_window() {
    let queue = TestQueue::of([head("a", 1)]);
    let mut session = open(&queue);
    session.poll_transmit(&queue);
    let behind = AgentMessage::HubBehind {
        held: held(&head("a", 5)),
        digest: Digest::of(b"newer"),
    };
    let event = session.handle(behind, &queue).unwrap();
    assert!(matches!(event, Some(Event::HubBehind { held, .. }) if held.version == version(5)));
    assert_eq!(session.unacknowledged(), 0);
}

#[test]
fn differing_observed_hashes_are_sent_in_chunks() {
    let queue = TestQueue {
        observed: (0..600).map(|name| (key(name), Digest::of(b"x"))).collect(),
        ..TestQueue::default()
    };
    let mut session = open(&queue);
    let chunks: Vec<(usize, bool)> = drain(&mut session, &queue)
        .into_iter()
        .map(|message| match message {
            HubMessage::Observed { hashes, complete } => (hashes.len(), complete),
            other => panic!("unexpected {other:?}"),
        })
        .collect();
    assert_eq!(chunks, [(256, false), (256, false), (88, true)]);
}

#[test]
fn an_observed_root_that_comes_later_is_compared_then() {
    let mut queue = TestQueue::default();
    queue.observed.insert(key("a"), Digest::of(b"x"));
    let mut hello = hello([]);
    hello.observed = None;
    let mut session = Session::open(&hello, &queue, HUB).unwrap();
    session.poll_transmit(&queue);
    assert_eq!(session.poll_transmit(&queue), None);
    session
        .handle(AgentMessage::Observed(root::observed(&queue.observed)), &queue)
        .unwrap();
    assert_eq!(session.poll_transmit(&queue), None);
    session
        .handle(AgentMessage::Observed(root::observed([])), &queue)
        .unwrap();
    assert!(matches!(
        session.poll_transmit(&queue),
        Some(HubMessage::Observed { complete: true, .. })
    ));
}

#[test]
fn goodbye_is_the_last_word() {
    let queue = TestQueue::of([head("a", 1)]);
    let mut session = open(&queue);
    let closing = Closing {
        reason: ClosingReason::Restarting,
        retry_after_ms: 0,
    };
    session.close(closing.clone());
    assert_eq!(drain(&mut session, &queue), [HubMessage::Closing(closing)]);
}

#[test]
fn messages_that_break_the_protocol_are_named() {
    let queue = TestQueue::default();
    for message in [
        AgentMessage::Hello(hello([])),
        AgentMessage::Acknowledge((0..=limits::CHUNK).map(|name| held(&head(name, 1))).collect()),
        AgentMessage::Report(frame(
            "a",
            (0..=limits::OBJECTS).map(|id| object(id, 0)).collect(),
            false,
        )),
    ] {
        assert!(open(&queue).handle(message, &queue).is_err());
    }
}

/// A frame of a whole report; the last one carries the hash over all `objects`.
fn frame(name: &str, objects: Vec<report::ObjectReport>, last: bool) -> Report {
    Report {
        key: key(name),
        version: version(1),
        whole: true,
        observed: last.then(|| report::observed(&objects, [])),
        objects,
        leftovers: Vec::new(),
    }
}

#[test]
fn a_report_counts_once_its_last_frame_is_there() {
    let queue = TestQueue::default();
    let mut session = open(&queue);
    let objects = vec![object("one", 3), object("two", 4)];
    let first = frame("a", vec![objects[0].clone()], false);
    let mut last = frame("a", objects.clone(), true);
    last.objects.remove(0);
    assert_eq!(session.handle(AgentMessage::Report(first), &queue).unwrap(), None);
    let event = session.handle(AgentMessage::Report(last), &queue).unwrap();
    assert_eq!(event, Some(Event::Reported(frame("a", objects, true))));
}

#[test]
fn reports_do_not_mix() {
    let queue = TestQueue::default();
    let mut session = open(&queue);
    let first = frame("a", vec![object("one", 3)], false);
    session.handle(AgentMessage::Report(first), &queue).unwrap();
    let other = session.handle(AgentMessage::Report(frame("b", Vec::new(), true)), &queue);
    assert!(matches!(other, Err(Violation::InterleavedReport { .. })));
}

#[test]
fn a_report_without_end_is_cut_off() {
    let queue = TestQueue::default();
    let mut session = open(&queue);
    let mut frames = (0..).map(|id| frame("a", vec![object(id, limits::RAW_STATUS)], false));
    let error = frames.find_map(|frame| session.handle(AgentMessage::Report(frame), &queue).err());
    assert!(matches!(
        error,
        Some(Violation::TooMany {
            limit: limits::LIST_STATUS,
            ..
        })
    ));
    let mut session = open(&queue);
    let mut leftovers = (0..).map(|id| Report {
        leftovers: vec![leftover(id)],
        ..frame("a", Vec::new(), false)
    });
    let error = leftovers.find_map(|frame| session.handle(AgentMessage::Report(frame), &queue).err());
    assert!(matches!(
        error,
        Some(Violation::TooMany {
            limit: limits::LEFTOVERS,
            ..
        })
    ));
}

#[test]
fn a_whole_report_with_a_wrong_hash_is_refused() {
    let queue = TestQueue::default();
    let mut wrong = frame("a", vec![object("one", 3)], true);
    wrong.observed = Some(Digest::of(b"wrong"));
    let result = open(&queue).handle(AgentMessage::Report(wrong), &queue);
    assert!(matches!(result, Err(Violation::WrongHash(_))));
}

#[test]
fn a_wanted_report_is_asked_for_once() {
    let queue = TestQueue::default();
    let mut session = open(&queue);
    session.want_report(key("a"));
    session.want_report(key("a"));
    assert_eq!(drain(&mut session, &queue), [HubMessage::ReportWanted(key("a"))]);
    session.want_report(key("a"));
    assert_eq!(session.poll_transmit(&queue), None);
    session
        .handle(AgentMessage::Report(frame("a", Vec::new(), true)), &queue)
        .unwrap();
    session.want_report(key("a"));
    assert_eq!(
        session.poll_transmit(&queue),
        Some(HubMessage::ReportWanted(key("a")))
    );
}

/// A change of some objects, with the hash that the whole list then has.
fn change(objects: Vec<report::ObjectReport>, list: &[report::ObjectReport]) -> Report {
    Report {
        whole: false,
        observed: Some(report::observed(list, [])),
        ..frame("a", objects, false)
    }
}

#[test]
fn changes_merge_into_the_list_they_belong_to() {
    let mut list = None;
    let before = vec![object("one", 1), object("two", 2)];
    assert_eq!(
        Reported::merge(&mut list, frame("a", before.clone(), true)),
        Merge::Changed
    );
    assert_eq!(
        Reported::merge(&mut list, frame("a", before.clone(), true)),
        Merge::Unchanged
    );
    let after = vec![object("one", 1), object("two", 9)];
    let report = change(vec![object("two", 9)], &after);
    assert_eq!(Reported::merge(&mut list, report.clone()), Merge::Changed);
    assert_eq!(list.as_ref().unwrap().objects, after);
    assert_eq!(Reported::merge(&mut list, report), Merge::Unchanged);
}

#[test]
fn changes_that_do_not_fit_leave_the_list_alone() {
    let before = vec![object("one", 1), object("two", 2)];
    let mut list = None;
    assert_eq!(
        Reported::merge(&mut list, change(Vec::new(), &[])),
        Merge::Mismatch
    );
    assert_eq!(
        Reported::merge(&mut list, frame("a", before.clone(), true)),
        Merge::Changed
    );
    let known = list.clone();
    let unknown_id = change(vec![object("one", 5), object("three", 3)], &before);
    let wrong_hash = change(vec![object("two", 9)], &before);
    let newer_version = Report {
        version: version(2),
        ..change(Vec::new(), &before)
    };
    for report in [unknown_id, wrong_hash, newer_version] {
        assert_eq!(Reported::merge(&mut list, report), Merge::Mismatch);
        assert_eq!(list, known);
    }
    list.as_mut().unwrap().version = version(2);
    assert_eq!(
        Reported::merge(&mut list, frame("a", Vec::new(), true)),
        Merge::Stale
    );
}

#[test]
fn a_list_that_grows_by_changes_stays_within_its_memory() {
    let mut objects: Vec<_> = (0..20).map(|id| object(id, 1)).collect();
    let mut list = None;
    assert_eq!(
        Reported::merge(&mut list, frame("a", objects.clone(), true)),
        Merge::Changed
    );
    for id in 0..objects.len() {
        objects[id] = object(id, limits::RAW_STATUS);
        let report = change(vec![objects[id].clone()], &objects);
        assert_eq!(Reported::merge(&mut list, report), Merge::Changed);
    }
    let mut room = limits::LIST_STATUS;
    for object in &mut list.unwrap().objects {
        let before = object.status.clone();
        room = object.status.within(room);
        assert_eq!(object.status, before, "over the limit");
    }
}

#[test]
fn which_control_plane_speaks_is_said_after_the_welcome_and_when_it_is_confirmed() {
    let queue = TestQueue::of([head("a", 1)]);
    let mut vouched = Vouched {
        witness: Witness(Digest([1; 32])),
        confirmed: false,
        asks: false,
    };
    let hub = Hub {
        vouched: Some(vouched),
        ..HUB
    };
    let mut session = Session::open(&hello([]), &queue, hub).unwrap();
    let said = drain(&mut session, &queue);
    assert!(
        matches!(said[..], [HubMessage::Welcome(_), HubMessage::Vouched(said), HubMessage::Announce(_)] if said == vouched)
    );
    vouched.confirmed = true;
    session.vouch(vouched);
    assert_eq!(drain(&mut session, &queue), [HubMessage::Vouched(vouched)]);
}
