//! What runs once, and was left for the successor of its Bundle.

use outhaul_protocol_wire::ids::Uid;

use super::once::{once, pod};
use super::pinned::vouched;
use super::*;
use crate::once::Outcome;
use crate::testing::bundle_key;

/// What has the name of `build` in a control plane that was rebuilt; its uid sorts before, or after.
fn successor(uid: &str) -> Key {
    Key {
        uid: Uid::new(uid).unwrap(),
        ..bundle_key("build")
    }
}

const AFTER: &str = "uid-of-after";
const BEFORE: &str = "a-uid";

fn take(rig: &mut Rig, key: &Key, generation: u64, state: HeadState, spec: &Value) -> Held {
    let (packed, digest) = content(spec);
    let head = Head {
        key: key.clone(),
        version: Version {
            generation: Generation(generation),
            ..Version::default()
        },
        digest,
        state,
        confirmed: None,
    };
    let held = Held {
        key: key.clone(),
        version: head.version,
    };
    let content = match state {
        HeadState::Present => {
            rig.specs.insert(key.clone(), spec.clone());
            StoreContent::New(packed)
        }
        HeadState::Removed | HeadState::Left => StoreContent::Kept,
    };
    rig.plane
        .take(Store {
            head,
            recorded: true,
            content,
        })
        .unwrap();
    held
}

fn runs() -> Value {
    once(&[pod("run")])
}

/// `build` runs, and its control plane is rebuilt.
fn rebuilt(happens: impl FnOnce(&mut Rig)) -> Rig {
    let mut rig = Rig::new();
    let former = bundle_key("build");
    take(&mut rig, &former, 1, HeadState::Present, &runs());
    rig.settle_in_time();
    rig.plane.orphaned(&[former], rig.now);
    happens(&mut rig);
    rig.settle_in_time();
    rig
}

fn leave(rig: &mut Rig) -> Held {
    take(rig, &bundle_key("build"), 2, HeadState::Left, &runs())
}

fn ends(rig: &mut Rig) {
    rig.end("run", "Succeeded");
    rig.settle_in_time();
}

fn is_cleared_away(rig: &mut Rig) {
    ends(rig);
    rig.cluster.delete("run");
}

#[test]
fn what_ended_and_was_cleared_away_has_ended_for_the_successor_too() {
    for uid in [AFTER, BEFORE] {
        let mut rig = rebuilt(is_cleared_away);
        let key = successor(uid);
        take(&mut rig, &key, 1, HeadState::Present, &runs());
        rig.settle_in_time();
        assert_eq!(rig.blocker(&key, "run"), Some(BlockerReason::NameTaken));
        let why = rig.message(&key, "run");
        assert!(why.contains("let this one adopt it"), "{why}");
        let held = leave(&mut rig);
        rig.settle_in_time();
        for restarted in [false, true] {
            assert_eq!(rig.cluster.created("run"), 1, "{uid}");
            assert_eq!(rig.ended(&key, "run"), Some(Outcome::Succeeded), "{uid}");
            assert_eq!(rig.health(&key, "run"), Some(Health::Healthy), "{uid}");
            assert_eq!(rig.blocker(&key, "run"), None, "{uid}");
            if !restarted {
                assert!(rig.news.contains(&News::Gone(held.clone())));
                rig.restart();
                rig.settle_in_time();
            }
        }
    }
}

#[test]
fn what_still_runs_is_kept_for_the_successor_until_its_end_and_removed_with_it() {
    for ends_first in [true, false] {
        let mut rig = rebuilt(|_| {});
        let key = successor(AFTER);
        take(&mut rig, &key, 1, HeadState::Present, &runs());
        rig.settle_in_time();
        leave(&mut rig);
        rig.settle_in_time();
        assert!(rig.is_kept("run"), "its end is still to be seen");
        assert_eq!(rig.health(&key, "run"), Some(Health::Progressing));
        assert_eq!(rig.blocker(&key, "run"), None);
        if ends_first {
            ends(&mut rig);
            assert_eq!(rig.ended(&key, "run"), Some(Outcome::Succeeded));
            assert!(!rig.is_kept("run"));
        }
        let removed = take(&mut rig, &key, 2, HeadState::Removed, &runs());
        rig.settle_in_time();
        assert!(!rig.cluster.has("run"), "{:?}", rig.log);
        assert!(rig.news.contains(&News::Gone(removed)));
        assert_eq!(rig.cluster.created("run"), 1);
    }
}

#[test]
fn nothing_is_lost_wherever_the_agent_is_killed_while_it_is_handed_down() {
    let mut reached = 0;
    for kill in 0..24 {
        let mut rig = rebuilt(is_cleared_away);
        let key = successor(AFTER);
        take(&mut rig, &key, 1, HeadState::Present, &runs());
        rig.settle_in_time();
        leave(&mut rig);
        let mut writes = 0;
        for _ in 0..20 {
            rig.cluster.watch(&mut rig.plane, rig.now);
            rig.plane.advance(rig.now);
            if let Some(write) = rig.plane.poll_write(rig.now) {
                let dies = [2 * writes, 2 * writes + 1].map(|it| it == kill);
                writes += 1;
                if !dies[0] {
                    rig.write(&write.key, write.change);
                }
                match dies.contains(&true) {
                    true => {
                        reached += 1;
                        rig.restart();
                        leave(&mut rig);
                    }
                    false => rig.plane.written(&write.key, Ok(()), rig.now),
                }
            } else if let Some((at, _)) = rig.plane.deadline() {
                rig.now = rig.now.max(at);
            }
        }
        rig.settle_in_time();
        assert_eq!(rig.cluster.created("run"), 1, "killed at {kill}");
        assert_eq!(
            rig.ended(&key, "run"),
            Some(Outcome::Succeeded),
            "killed at {kill}"
        );
    }
    assert!(reached > 4, "{reached} places to die at");
}

#[test]
fn a_successor_that_comes_when_all_was_let_go_takes_what_runs_and_begins_nothing() {
    for cleared_away in [true, false] {
        let mut rig = rebuilt(|rig| {
            if cleared_away {
                is_cleared_away(rig);
            }
        });
        let held = leave(&mut rig);
        rig.settle_in_time();
        assert!(rig.news.contains(&News::Gone(held.clone())));
        rig.plane.settled(&held, rig.clock().unix, rig.now);
        rig.settle_in_time();
        let key = successor(AFTER);
        take(&mut rig, &key, 1, HeadState::Present, &runs());
        // Before any look.
        let write = rig.plane.poll_write(rig.now).unwrap();
        rig.write(&write.key, write.change);
        rig.plane.written(&write.key, Ok(()), rig.now);
        rig.plane.advance(rig.now);
        while let Some(write) = rig.plane.poll_write(rig.now) {
            rig.write(&write.key, write.change);
            rig.plane.written(&write.key, Ok(()), rig.now);
        }
        rig.restart();
        rig.settle_in_time();
        let expected = cleared_away.then_some(Outcome::Vanished);
        assert_eq!(rig.ended(&key, "run"), expected);
        assert_eq!(rig.cluster.created("run"), 1);
        if !cleared_away {
            ends(&mut rig);
            assert_eq!(rig.ended(&key, "run"), Some(Outcome::Succeeded));
        }
    }
}

#[test]
fn what_never_began_begins_for_the_successor() {
    let mut rig = Rig::new();
    rig.cluster.fail("late", 403);
    let both = once(&[pod("run"), pod("late")]);
    let former = bundle_key("build");
    take(&mut rig, &former, 1, HeadState::Present, &both);
    rig.settle_in_time();
    rig.plane.orphaned(&[former], rig.now);
    let key = successor(AFTER);
    take(&mut rig, &key, 1, HeadState::Present, &both);
    rig.settle_in_time();
    leave(&mut rig);
    rig.settle_in_time();
    rig.restart();
    rig.cluster.heal();
    rig.settle_in_time();
    assert_eq!(["run", "late"].map(|name| rig.cluster.created(name)), [1, 1]);
}

#[test]
fn a_bundle_that_was_removed_and_made_again_runs_again() {
    let mut rig = Rig::new();
    take(&mut rig, &bundle_key("build"), 1, HeadState::Present, &runs());
    rig.settle_in_time();
    take(&mut rig, &bundle_key("build"), 2, HeadState::Removed, &runs());
    take(&mut rig, &successor(AFTER), 1, HeadState::Present, &runs());
    rig.settle_in_time();
    assert_eq!(rig.cluster.created("run"), 2);
}

#[test]
fn nothing_is_handed_down_for_a_control_plane_that_nobody_confirmed() {
    let mut rig = Rig::new();
    rig.plane.vouched(vouched(1, false));
    let former = bundle_key("build");
    take(&mut rig, &former, 1, HeadState::Present, &runs());
    rig.settle_in_time();
    rig.plane.orphaned(&[former], rig.now);
    rig.plane.vouched(vouched(2, false));
    let key = successor(AFTER);
    take(&mut rig, &key, 1, HeadState::Present, &runs());
    let held = leave(&mut rig);
    rig.settle_in_time();
    assert!(rig.is_kept("run") && !rig.news.contains(&News::Gone(held.clone())));
    assert_ne!(rig.blocker(&key, "run"), None);
    rig.plane.vouched(vouched(2, true));
    rig.settle_in_time();
    assert!(rig.is_kept("run") && rig.news.contains(&News::Gone(held)));
    assert_eq!((rig.blocker(&key, "run"), rig.cluster.created("run")), (None, 1));
}
