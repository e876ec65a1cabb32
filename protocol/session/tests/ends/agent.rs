//! The agent's end, edge by edge.

use outhaul_protocol_session::Violation;
use outhaul_protocol_session::agent::{Event, FETCHES, Session, Standing, Store, StoreContent};
use outhaul_protocol_wire::content::Fetched;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::head::{Confirmed, Head};
use outhaul_protocol_wire::limits;
use outhaul_protocol_wire::message::{
    AgentMessage, Announced, Closing, ClosingReason, HubMessage, Refused, RefusedReason,
};
use outhaul_protocol_wire::policy::Mode;
use outhaul_protocol_wire::report::{self, RawStatus, Report};
use outhaul_protocol_wire::root;
use outhaul_protocol_wire::witness::{Vouched, Witness};

use crate::fixture::{
    TestPlane, announce, announced, content, dial, fits, head, held, key, leftover, now, object, removed,
    version, welcome,
};

/// A session that stands.
fn standing(plane: &TestPlane, converged: bool) -> Session {
    let mut session = Session::open(dial(), plane, now());
    assert!(matches!(
        session.poll_transmit(plane),
        Some(AgentMessage::Hello(_))
    ));
    session
        .handle(HubMessage::Welcome(welcome(converged)), plane)
        .unwrap();
    session
}

fn hear(session: &mut Session, plane: &TestPlane, heads: Vec<Announced>) -> Vec<Event> {
    session
        .handle(HubMessage::Announce(announce(heads, false)), plane)
        .unwrap()
}

fn drain(session: &mut Session, plane: &TestPlane) -> Vec<AgentMessage> {
    std::iter::from_fn(|| session.poll_transmit(plane)).collect()
}

fn fetches(session: &mut Session) -> Vec<Digest> {
    std::iter::from_fn(|| session.poll_fetch()).collect()
}

fn store(head: &Head, recorded: bool, content: StoreContent) -> Event {
    Event::Store(Store {
        head: head.clone(),
        recorded,
        content,
    })
}

#[test]
fn nothing_is_said_before_the_welcome() {
    let mut plane = TestPlane::default();
    plane.hold(removed("a", 2), Standing::Gone);
    let start = now();
    let mut session = Session::open(dial(), &plane, start);
    session.poll_transmit(&plane);
    assert_eq!(session.poll_transmit(&plane), None);
    let (at, what) = session.deadline().unwrap();
    assert_eq!(
        (at - start, what),
        (limits::HANDSHAKE_TIME, "the hub's answer to the hello")
    );
    session
        .handle(HubMessage::Welcome(welcome(true)), &plane)
        .unwrap();
    assert_eq!(session.deadline(), None);
    assert_eq!(
        drain(&mut session, &plane),
        [AgentMessage::Gone(held(&removed("a", 2)))]
    );
}

#[test]
fn a_new_head_is_stored_and_then_acknowledged() {
    let plane = TestPlane::default();
    let mut session = standing(&plane, false);
    let new = head("a", 1);
    let events = hear(
        &mut session,
        &plane,
        vec![announced(&new, true, Some(content(9)))],
    );
    assert_eq!(events, [store(&new, true, StoreContent::New(content(9)))]);
    assert_eq!(session.poll_transmit(&plane), None);
    session.stored(&new.key, new.version);
    assert_eq!(
        drain(&mut session, &plane),
        [AgentMessage::Acknowledge(vec![held(&new)])]
    );
}

#[test]
fn content_that_did_not_come_along_is_fetched_a_few_at_a_time() {
    let plane = TestPlane::default();
    let mut session = standing(&plane, false);
    let heads: Vec<Head> = (0..20).map(|name| head(name, 1)).collect();
    let events = hear(
        &mut session,
        &plane,
        heads.iter().map(|head| announced(head, true, None)).collect(),
    );
    assert_eq!(events, []);
    let first = fetches(&mut session);
    assert_eq!(first.len(), FETCHES);
    let events = session.fetched(&first[0], Fetched::Content(content(9)));
    assert_eq!(events, [store(&heads[0], true, StoreContent::New(content(9)))]);
    assert_eq!(fetches(&mut session).len(), 1);
}

#[test]
fn content_that_two_heads_share_is_fetched_once() {
    let plane = TestPlane::default();
    let mut session = standing(&plane, false);
    let (one, mut two) = (head("a", 1), head("b", 1));
    two.digest = one.digest;
    hear(
        &mut session,
        &plane,
        vec![announced(&one, true, None), announced(&two, true, None)],
    );
    assert_eq!(fetches(&mut session), [one.digest]);
    assert_eq!(
        session.fetched(&one.digest, Fetched::Content(content(9))).len(),
        2
    );
}

#[test]
fn a_failed_fetch_is_tried_again_and_a_superseded_one_is_not() {
    let plane = TestPlane::default();
    let mut session = standing(&plane, false);
    let (old, new) = (head("a", 1), head("a", 2));
    hear(&mut session, &plane, vec![announced(&old, true, None)]);
    assert_eq!(fetches(&mut session), [old.digest]);
    session.fetch_failed(&old.digest);
    assert_eq!(fetches(&mut session), [old.digest]);
    hear(&mut session, &plane, vec![announced(&new, true, None)]);
    session.fetch_failed(&old.digest);
    assert_eq!(fetches(&mut session), [new.digest]);
    assert_eq!(session.fetched(&old.digest, Fetched::Content(content(9))), []);
    assert_eq!(
        session.fetched(&new.digest, Fetched::Content(content(9))).len(),
        1
    );
}

#[test]
fn content_that_is_not_queued_any_more_is_left_to_the_newer_head() {
    let plane = TestPlane::default();
    let mut session = standing(&plane, false);
    let old = head("a", 1);
    hear(&mut session, &plane, vec![announced(&old, true, None)]);
    fetches(&mut session);
    assert_eq!(session.fetched(&old.digest, Fetched::NotQueued), []);
    assert_eq!(
        drain(&mut session, &plane),
        [AgentMessage::Acknowledge(vec![held(&old)])],
        "it no longer counts against the hub's window"
    );
    assert_eq!(
        hear(
            &mut session,
            &plane,
            vec![announced(&head("a", 2), true, Some(content(1)))]
        )
        .len(),
        1
    );
}

#[test]
fn content_that_the_plane_has_is_kept_unless_a_write_may_replace_it() {
    let mut plane = TestPlane::default();
    let old = head("a", 1);
    let mut same_content = head("a", 3);
    same_content.digest = old.digest;
    plane.hold(old, Standing::Recorded);
    let mut session = standing(&plane, false);
    let events = hear(&mut session, &plane, vec![announced(&same_content, true, None)]);
    assert_eq!(events, [store(&same_content, true, StoreContent::Kept)]);
    plane.storing.insert(key("a"), head("a", 2));
    let mut session = standing(&plane, false);
    assert_eq!(
        hear(&mut session, &plane, vec![announced(&same_content, true, None)]),
        []
    );
    assert_eq!(fetches(&mut session), [same_content.digest]);
}

#[test]
fn a_removed_head_of_something_unknown_waits_for_its_content() {
    let plane = TestPlane::default();
    let mut session = standing(&plane, false);
    let gone = removed("a", 2);
    assert_eq!(hear(&mut session, &plane, vec![announced(&gone, true, None)]), []);
    assert_eq!(fetches(&mut session), [gone.digest]);
    let events = session.fetched(&gone.digest, Fetched::Content(content(9)));
    assert_eq!(events, [store(&gone, true, StoreContent::New(content(9)))]);
}

#[test]
fn a_removed_head_of_something_held_needs_no_content() {
    let mut plane = TestPlane::default();
    plane.hold(head("a", 1), Standing::Recorded);
    let mut session = standing(&plane, false);
    let events = hear(
        &mut session,
        &plane,
        vec![announced(&removed("a", 2), true, None)],
    );
    assert_eq!(events, [store(&removed("a", 2), true, StoreContent::Kept)]);
}

#[test]
fn what_is_held_is_acknowledged_at_once() {
    let mut plane = TestPlane::default();
    plane.hold(head("a", 1), Standing::Recorded);
    let mut session = standing(&plane, false);
    assert_eq!(
        hear(&mut session, &plane, vec![announced(&head("a", 1), true, None)]),
        []
    );
    assert_eq!(
        drain(&mut session, &plane),
        [AgentMessage::Acknowledge(vec![held(&head("a", 1))])]
    );
}

#[test]
fn an_older_head_or_other_content_of_the_same_version_is_refused() {
    let mut plane = TestPlane::default();
    let ours = head("a", 2);
    plane.hold(ours.clone(), Standing::Recorded);
    let mut other = ours.clone();
    other.digest = Digest::of(b"other");
    for theirs in [head("a", 1), other] {
        let mut session = standing(&plane, false);
        assert_eq!(
            hear(
                &mut session,
                &plane,
                vec![announced(&theirs, true, Some(content(1)))]
            ),
            []
        );
        let (held, digest) = (held(&ours), ours.digest);
        assert_eq!(
            drain(&mut session, &plane),
            [AgentMessage::HubBehind { held, digest }]
        );
    }
}

#[test]
fn recording_reaches_a_head_wherever_it_is() {
    let new = head("a", 1);
    let recorded = HubMessage::Recorded(held(&new));
    // Still being fetched: it is stored as recorded.
    let mut plane = TestPlane::default();
    let mut session = standing(&plane, false);
    hear(&mut session, &plane, vec![announced(&new, false, None)]);
    assert_eq!(session.handle(recorded.clone(), &plane).unwrap(), []);
    let events = session.fetched(&new.digest, Fetched::Content(content(1)));
    assert_eq!(events, [store(&new, true, StoreContent::New(content(1)))]);
    // Being stored, by this session or the one before.
    let mut session = standing(&plane, false);
    hear(
        &mut session,
        &plane,
        vec![announced(&new, false, Some(content(1)))],
    );
    assert_eq!(
        session.handle(recorded.clone(), &plane).unwrap(),
        [Event::Recorded(held(&new))]
    );
    plane.storing.insert(new.key.clone(), new.clone());
    let mut session = standing(&plane, false);
    assert_eq!(
        session.handle(recorded.clone(), &plane).unwrap(),
        [Event::Recorded(held(&new))]
    );
    // Stored.
    let mut plane = TestPlane::default();
    plane.hold(new.clone(), Standing::Unrecorded);
    let mut session = standing(&plane, false);
    assert_eq!(
        session.handle(recorded.clone(), &plane).unwrap(),
        [Event::Recorded(held(&new))]
    );
    let mut session = standing(&plane, false);
    let events = hear(&mut session, &plane, vec![announced(&new, true, None)]);
    assert_eq!(events, [Event::Recorded(held(&new))]);
    // Replaced since.
    plane.hold(head("a", 2), Standing::Unrecorded);
    assert_eq!(standing(&plane, false).handle(recorded, &plane).unwrap(), []);
}

#[test]
fn only_a_complete_announcement_makes_orphans() {
    let mut plane = TestPlane::default();
    plane.hold(head("named", 1), Standing::Recorded);
    plane.hold(head("unnamed", 1), Standing::Recorded);
    plane.hold(removed("gone", 2), Standing::Gone);
    plane.hold(removed("settled", 2), Standing::Settled);
    let named = || vec![announced(&head("named", 1), true, None)];
    let mut session = standing(&plane, false);
    assert_eq!(hear(&mut session, &plane, named()), []);
    let message = HubMessage::Announce(announce(named(), true));
    assert_eq!(
        session.handle(message.clone(), &plane).unwrap(),
        [Event::Orphaned(vec![key("unnamed")])]
    );
    assert_eq!(standing(&plane, true).handle(message, &plane).unwrap(), []);
}

#[test]
fn orphans_are_listed_up_to_a_limit_and_counted_beyond() {
    let mut plane = TestPlane::default();
    (0..300).for_each(|name| plane.hold(head(name, 1), Standing::Orphaned));
    let mut session = standing(&plane, true);
    session.orphans_changed();
    let messages = drain(&mut session, &plane);
    let [AgentMessage::Orphans(orphans)] = messages.as_slice() else {
        panic!("{messages:?}")
    };
    assert_eq!((orphans.keys.len(), orphans.total), (limits::ORPHANS, 300));
    assert!(messages.iter().all(fits));
}

#[test]
fn a_policy_that_changed_is_told_before_what_follows_from_it() {
    let mut plane = TestPlane::default();
    plane.hold(head("a", 1), Standing::Recorded);
    plane.know("a", vec![object("one", 0)], Vec::new());
    let mut session = standing(&plane, true);
    session.changed_whole(key("a"));
    session.policy_changed();
    plane.policy.mode = Mode::Pauses;
    let messages = drain(&mut session, &plane);
    let [AgentMessage::Policy(policy), AgentMessage::Report(_)] = messages.as_slice() else {
        panic!("{messages:?}")
    };
    assert_eq!(policy.mode, Mode::Pauses);
}

#[test]
fn a_hub_that_knows_an_orphan_again_gets_it_back() {
    let mut plane = TestPlane::default();
    plane.hold(head("a", 1), Standing::Orphaned);
    let mut session = standing(&plane, false);
    let events = hear(&mut session, &plane, vec![announced(&head("a", 1), true, None)]);
    assert_eq!(events, [store(&head("a", 1), true, StoreContent::Kept)]);
}

#[test]
fn a_holding_without_its_content_matches_no_root_and_its_head_is_taken_again() {
    for (standing_before, matches_none) in [(Standing::Recorded, true), (Standing::Orphaned, false)] {
        let mut plane = TestPlane::default();
        plane.hold(head("a", 1), standing_before);
        plane.holdings.get_mut(&key("a")).unwrap().whole = false;
        let mut session = Session::open(dial(), &plane, now());
        let Some(AgentMessage::Hello(hello)) = session.poll_transmit(&plane) else {
            panic!("it greets first");
        };
        let without = root::desired(std::iter::empty::<&Head>());
        assert_eq!(hello.desired != without, matches_none);
        assert_ne!(hello.desired, root::desired([&head("a", 1)]));
        let mut session = standing(&plane, false);
        let (digest, content) = (head("a", 1).digest, content(1));
        assert_eq!(
            hear(&mut session, &plane, vec![announced(&head("a", 1), true, None)]),
            []
        );
        assert_eq!(fetches(&mut session), [digest]);
        let events = session.fetched(&digest, Fetched::Content(content.clone()));
        assert_eq!(events, [store(&head("a", 1), true, StoreContent::New(content))]);
    }
}

#[test]
fn only_what_is_gone_can_be_settled() {
    let mut plane = TestPlane::default();
    plane.hold(head("a", 1), Standing::Recorded);
    plane.hold(removed("b", 2), Standing::Gone);
    let mut session = standing(&plane, true);
    let mut settle = |head: &Head| session.handle(HubMessage::Settled(held(head)), &plane).unwrap();
    assert_eq!(settle(&head("a", 1)), []);
    assert_eq!(settle(&removed("b", 1)), []);
    assert_eq!(settle(&removed("b", 2)), [Event::Settled(held(&removed("b", 2)))]);
}

#[test]
fn the_same_head_with_another_confirmation_is_stored_and_of_what_is_gone_it_changes_nothing() {
    for standing_of in [Standing::Recorded, Standing::Gone] {
        let mut plane = TestPlane::default();
        plane.hold(removed("a", 2), standing_of);
        let mut session = standing(&plane, false);
        let confirmed = Head {
            confirmed: Some(Confirmed::Remove),
            ..removed("a", 2)
        };
        let events = hear(&mut session, &plane, vec![announced(&confirmed, true, None)]);
        let expected = match standing_of {
            Standing::Recorded => vec![store(&confirmed, true, StoreContent::Kept)],
            _ => Vec::new(),
        };
        assert_eq!(events, expected);
        if standing_of == Standing::Recorded {
            plane.hold(confirmed.clone(), Standing::Recorded);
            session.stored(&confirmed.key, confirmed.version);
        }
        let said = drain(&mut session, &plane);
        assert_eq!(said[0], AgentMessage::Acknowledge(vec![held(&confirmed)]));
    }
}

#[test]
fn a_removal_that_was_settled_long_ago_is_answered_again() {
    let mut plane = TestPlane::default();
    let old = removed("a", 2);
    plane.hold(old.clone(), Standing::Settled);
    let mut session = standing(&plane, false);
    assert_eq!(hear(&mut session, &plane, vec![announced(&old, true, None)]), []);
    let expected = [
        AgentMessage::Acknowledge(vec![held(&old)]),
        AgentMessage::Gone(held(&old)),
    ];
    assert_eq!(drain(&mut session, &plane), expected);
}

#[test]
fn a_removal_that_was_settled_by_a_search_is_taken_again() {
    let mut plane = TestPlane::default();
    let old = removed("a", 2);
    plane.hold(old.clone(), Standing::Settled);
    plane.holdings.get_mut(&key("a")).unwrap().whole = false;
    let mut session = standing(&plane, false);
    let events = hear(&mut session, &plane, vec![announced(&old, true, None)]);
    assert_eq!(events, [store(&old, true, StoreContent::Kept)]);
}

fn reports(messages: Vec<AgentMessage>) -> Vec<Report> {
    let report = |message| match message {
        AgentMessage::Report(report) => report,
        other => panic!("expected reports only, got {other:?}"),
    };
    messages.into_iter().map(report).collect()
}

fn ids(report: &Report) -> Vec<&str> {
    report.objects.iter().map(|object| object.id.as_str()).collect()
}

#[test]
fn the_first_report_is_whole_and_later_ones_say_what_changed() {
    let mut plane = TestPlane::default();
    plane.know("a", vec![object("one", 1), object("two", 1)], Vec::new());
    let mut session = standing(&plane, true);
    session.changed(&key("a"), "two");
    let first = reports(drain(&mut session, &plane));
    assert!(first.len() == 1 && first[0].whole && ids(&first[0]) == ["one", "two"]);
    // Two changes before there is room for a message: the newest state, once.
    session.changed(&key("a"), "two");
    plane.know("a", vec![object("one", 1), object("two", 3)], Vec::new());
    session.changed(&key("a"), "two");
    let second = reports(drain(&mut session, &plane));
    assert!(second.len() == 1 && !second[0].whole && ids(&second[0]) == ["two"]);
    assert_eq!(second[0].objects, [object("two", 3)]);
    session.leftovers_changed(&key("a"));
    assert!(ids(&reports(drain(&mut session, &plane))[0]).is_empty());
    plane.reports.get_mut(&key("a")).unwrap().version = version(2);
    session.changed(&key("a"), "two");
    assert!(
        reports(drain(&mut session, &plane))[0].whole,
        "a new version starts anew"
    );
}

#[test]
fn a_large_report_is_cut_into_frames_that_fit() {
    let mut plane = TestPlane::default();
    let objects: Vec<_> = (0..limits::OBJECTS)
        .map(|id| object(format!("object-{id}"), 2_000))
        .collect();
    let leftovers: Vec<_> = (0..limits::LEFTOVERS).map(leftover).collect();
    plane.know("a", objects.clone(), leftovers.clone());
    let mut session = standing(&plane, true);
    session.changed_whole(key("a"));
    let messages = drain(&mut session, &plane);
    assert!(messages.len() > 3 && messages.iter().all(fits));
    let frames = reports(messages);
    let (last, others) = frames.split_last().unwrap();
    assert!(last.observed.is_some() && others.iter().all(|frame| frame.observed.is_none()));
    let sent: Vec<_> = frames.iter().flat_map(|frame| frame.objects.clone()).collect();
    let json = |status: &RawStatus| matches!(status, RawStatus::Json(_));
    let whole = sent.iter().filter(|object| json(&object.status)).count();
    assert_eq!(whole, limits::LIST_STATUS / 2_000, "the rest is summarised");
    let sent_leftovers: Vec<_> = frames.iter().flat_map(|frame| frame.leftovers.clone()).collect();
    assert_eq!(report::observed(&sent, &sent_leftovers), last.observed.unwrap());
    assert_eq!((sent.len(), sent_leftovers), (objects.len(), leftovers));
}

#[test]
fn the_largest_single_status_fits_a_frame() {
    let mut plane = TestPlane::default();
    plane.know(
        "a",
        (0..5).map(|id| object(id, limits::RAW_STATUS)).collect(),
        vec![leftover("x")],
    );
    let mut session = standing(&plane, true);
    session.changed_whole(key("a"));
    let messages = drain(&mut session, &plane);
    assert!(messages.len() > 1 && messages.iter().all(fits));
}

#[test]
fn hashes_that_differ_or_are_missing_bring_whole_reports() {
    let mut plane = TestPlane::default();
    for name in ["equal", "differing", "missing"] {
        plane.know(name, vec![object("one", 1)], Vec::new());
    }
    let mut session = standing(&plane, true);
    let hashes = vec![
        (key("equal"), plane.observed[&key("equal")]),
        (key("differing"), Digest::of(b"other")),
        (key("foreign"), Digest::of(b"nothing of ours")),
    ];
    let chunk = |hashes, complete| HubMessage::Observed { hashes, complete };
    session.handle(chunk(hashes, false), &plane).unwrap();
    let names = |session: &mut Session| {
        let reports = reports(drain(session, &plane));
        assert!(reports.iter().all(|report| report.whole));
        reports
            .into_iter()
            .map(|report| report.key.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&mut session), ["differing"]);
    session.handle(chunk(Vec::new(), true), &plane).unwrap();
    assert_eq!(names(&mut session), ["missing"]);
    session
        .handle(HubMessage::ReportWanted(key("equal")), &plane)
        .unwrap();
    assert_eq!(names(&mut session), ["equal"]);
}

#[test]
fn a_report_that_is_wanted_before_the_plane_has_looked_comes_when_it_has() {
    let mut plane = TestPlane::default();
    plane.hold(head("a", 1), Standing::Recorded);
    let mut session = standing(&plane, true);
    let wanted = HubMessage::ReportWanted(key("a"));
    session.handle(wanted, &plane).unwrap();
    assert_eq!(drain(&mut session, &plane), []);
    plane.know("a", vec![object("one", 1)], Vec::new());
    session.observed_known();
    let said = drain(&mut session, &plane);
    assert!(
        matches!(&said[..], [AgentMessage::Observed(_), AgentMessage::Report(report)] if report.whole),
        "{said:?}"
    );
    session.observed_known();
    assert_eq!(drain(&mut session, &plane).len(), 1, "it is said once");
}

#[test]
fn goodbyes_end_the_session() {
    let plane = TestPlane::default();
    let closing = Closing {
        reason: ClosingReason::Restarting,
        retry_after_ms: 5,
    };
    let mut session = standing(&plane, true);
    let events = session
        .handle(HubMessage::Closing(closing.clone()), &plane)
        .unwrap();
    assert_eq!(events, [Event::Closing(closing.clone())]);
    session.gone(held(&removed("a", 1)));
    assert_eq!(session.poll_transmit(&plane), None);
    assert!(session.handle(HubMessage::Closing(closing), &plane).is_err());
    let refused = Refused {
        reason: RefusedReason::NotReady,
        message: "wait".into(),
        retry_after_ms: 5,
    };
    let mut session = Session::open(dial(), &plane, now());
    let events = session
        .handle(HubMessage::Refused(refused.clone()), &plane)
        .unwrap();
    assert_eq!((events, session.stands()), (vec![Event::Refused(refused)], false));
}

#[test]
fn a_hub_that_breaks_the_protocol_is_named() {
    let plane = TestPlane::default();
    let message = HubMessage::Announce(announce(Vec::new(), true));
    let early = Session::open(dial(), &plane, now()).handle(message, &plane);
    assert!(matches!(early, Err(Violation::OutOfOrder { .. })));
    let twice = standing(&plane, true).handle(HubMessage::Welcome(welcome(true)), &plane);
    assert!(matches!(twice, Err(Violation::OutOfOrder { .. })));
    let heads = (0..=limits::UNACKNOWLEDGED).map(|name| announced(&head(name, 1), true, None));
    let message = HubMessage::Announce(announce(heads.collect(), false));
    let too_many = standing(&plane, false).handle(message, &plane);
    assert!(matches!(too_many, Err(Violation::TooMany { .. })));
}

#[test]
fn whether_the_control_plane_waits_is_said_where_it_does_or_where_the_hub_asks() {
    let vouched = |asks| Vouched {
        witness: Witness(Digest([1; 32])),
        confirmed: false,
        asks,
    };
    let mut plane = TestPlane::default();
    let mut session = standing(&plane, true);
    let mut hear = |plane: &TestPlane, asks, changed| {
        let events = session.handle(HubMessage::Vouched(vouched(asks)), plane).unwrap();
        assert_eq!(events, [Event::Vouched(vouched(asks))]);
        if changed {
            session.unconfirmed_changed();
        }
        drain(&mut session, plane)
    };
    assert_eq!(hear(&plane, false, false), []);
    assert_eq!(hear(&plane, true, false), [AgentMessage::Unconfirmed(false)]);
    plane.unconfirmed = true;
    assert_eq!(hear(&plane, false, true), [AgentMessage::Unconfirmed(true)]);
}
