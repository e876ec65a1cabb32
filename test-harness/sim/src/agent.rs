//! An agent: the plane of `outhaul-agent-core` and the session, and around them what the runner does, in the same
//! order. Whatever it sends is an event of its own: a write into its store, a request to its API server, a message.

mod cluster;
mod copy;
mod letting_go;
mod store;
mod uplink;
mod watching;

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use outhaul_agent_core::blocker::Failure;
use outhaul_agent_core::clock::Clock;
use outhaul_agent_core::kinds::Watched;
use outhaul_agent_core::plane::{self, Answer, Request, RequestId, Write};
use outhaul_protocol_session::agent::{Event as SessionEvent, Session};
use outhaul_protocol_wire::head::{HeadState, Key};
use outhaul_protocol_wire::message::Held;

pub(crate) use self::cluster::place_of;
pub(crate) use self::store::Store;

use self::copy::Copy;
use self::uplink::Uplink;
use self::watching::Watch;
use crate::api::Api;
use crate::broken::Broken;
use crate::cluster::Cluster;
use crate::dice::Dice;
use crate::governing::Governed;
use crate::link::{LinkId, Network};
use crate::schedule::{Moment, PLANES};
use crate::world::{Event, World};

/// One plane: a cluster, its agent, and what the agent stored.
#[derive(Debug)]
pub(crate) struct Plane {
    pub(crate) cluster: Cluster,
    pub(crate) api: Api,
    pub(crate) network: Network,
    pub(crate) store: Store,
    pub(crate) governed: Governed,
    pub(crate) enrolled: bool,
    /// Starts of the agent, as it counts them in its store.
    boot: u64,
    pub(crate) run: u64,
    pub(crate) running: Option<Running>,
    pub(crate) armed: Option<(Moment, Duration)>,
    pub(crate) stale_until: Duration,
    /// How far its clock is ahead.
    pub(crate) ahead_s: i64,
    /// Somebody waits to put another object under the name of one that is about to be deleted.
    pub(crate) usurper: bool,
    /// Another process that uses the identity of the agent.
    copy: Option<Copy>,
    pub(crate) requests: u64,
    dice: Dice,
}

/// An agent that runs.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) plane: plane::Plane,
    pub(crate) connected: Option<Connected>,
    uplink: Uplink,
    watches: BTreeMap<Arc<Watched>, Watch>,
    watch_revision: Option<u64>,
    last_watch: u64,
    wake: Option<Duration>,
}

/// Its session.
#[derive(Debug)]
pub(crate) struct Connected {
    link: LinkId,
    session: Session,
}

#[derive(Debug)]
pub(crate) enum AgentEvent {
    Start,
    /// With the run that planned it.
    Wake(u64),
    Dial(u64),
    Connected(u64, Option<usize>),
    Make(u64, Request, super::hub::Fate, u64),
    Answered(u64, RequestId, Answer, Duration),
    Store(u64, Write, super::hub::Fate),
    Stored(u64, Key, Result<(), Failure>),
    List(u64, Arc<Watched>, u64),
    Relist(u64, Arc<Watched>, u64),
    Poll(u64, Arc<Watched>, u64),
    Governed(u64),
    /// To a copy of its identity.
    Copied,
}

impl Plane {
    pub(crate) fn new(seed: u64, name: &'static str) -> Self {
        Self {
            cluster: Cluster::new(name),
            api: Api::new(seed, name),
            network: Network::default(),
            store: Store::default(),
            governed: Governed::default(),
            enrolled: false,
            boot: 0,
            run: 0,
            running: None,
            armed: None,
            stale_until: Duration::ZERO,
            ahead_s: 0,
            usurper: false,
            copy: None,
            requests: 0,
            dice: Dice::of(seed, &format!("agent {name}")),
        }
    }
}

impl World {
    pub(crate) fn start_agent(&mut self, number: usize) {
        let plane = &mut self.planes[number];
        if !plane.enrolled || plane.running.is_some() {
            return;
        }
        plane.boot += 1;
        plane.run += 1;
        let run = plane.run;
        let clock = self.clock(number);
        let loaded = self.load_store(number, clock);
        let plane = &mut self.planes[number];
        let policy = plane.governed.read();
        let mut restored = plane::Plane::restored(loaded, policy, clock);
        restored.know_control_plane(plane.store.pin);
        plane.running = Some(Running {
            plane: restored,
            connected: None,
            uplink: Uplink::default(),
            watches: BTreeMap::new(),
            watch_revision: None,
            last_watch: 0,
            wake: None,
        });
        self.tell(|| format!("agent {} starts", PLANES[number]));
        self.agenda.after(
            Duration::from_millis(1),
            Event::Agent(number, AgentEvent::Dial(run)),
        );
        self.progress(number);
    }

    /// The agent is gone without a word.
    pub(crate) fn kill_agent(&mut self, number: usize, away: Duration) {
        let plane = &mut self.planes[number];
        let moment = plane.armed.take().map(|armed| armed.0);
        let Some(running) = plane.running.take() else {
            return;
        };
        plane.run += 1;
        self.coverage.note(format!("agent killed {moment:?}"));
        self.tell(|| format!("agent {} is killed", PLANES[number]));
        if let Some(connected) = running.connected {
            let notices = Duration::from_millis(self.planes[number].dice.between(100, 30_000));
            self.break_link(connected.link, Duration::ZERO, notices);
        }
        self.agenda.after(away, Event::Agent(number, AgentEvent::Start));
    }

    pub(crate) fn crash_agent_at(&mut self, number: usize, moment: Moment) -> bool {
        match self.planes[number].armed {
            Some((wanted, away)) if wanted == moment => {
                self.kill_agent(number, away);
                true
            }
            _ => false,
        }
    }

    pub(crate) fn agent_event(&mut self, number: usize, event: AgentEvent) {
        let run = self.planes[number].run;
        let current = self.planes[number].running.is_some();
        // What was sent is done, whatever became of the agent; but not after its successor has started, though that may be
        // gone too by now. A kill counts as a run.
        let is_done = |of: u64| of == run || (!current && of + 1 == run);
        match event {
            AgentEvent::Start => self.start_agent(number),
            AgentEvent::Wake(of) if of == run && current => {
                if let Some(running) = &mut self.planes[number].running {
                    running.wake = None;
                }
            }
            AgentEvent::Dial(of) if of == run && current => self.dial(number),
            AgentEvent::Connected(of, hub) if of == run && current => self.dialled(number, hub),
            AgentEvent::Make(of, request, fate, version) => {
                if is_done(of) {
                    self.make_request(number, of == run && current, request, fate, version);
                }
            }
            AgentEvent::Answered(of, id, answer, took) if of == run && current => {
                if self.crash_agent_at(number, Moment::Answered) {
                    return;
                }
                let now = self.instant();
                if let Some(running) = &mut self.planes[number].running {
                    running.plane.answered(id, answer, took, now);
                }
            }
            AgentEvent::Store(of, write, fate) => {
                if is_done(of) {
                    self.make_store_write(number, of == run && current, write, fate);
                }
            }
            AgentEvent::Stored(of, key, result) if of == run && current => {
                if self.crash_agent_at(number, Moment::Answered) {
                    return;
                }
                let now = self.instant();
                if let Some(running) = &mut self.planes[number].running {
                    running.plane.written(&key, result, now);
                }
            }
            AgentEvent::List(of, watched, id) if of == run && current => {
                self.agent_lists(number, &watched, id)
            }
            AgentEvent::Relist(of, watched, id) if of == run && current => {
                self.agent_lists_again(number, &watched, id);
            }
            AgentEvent::Poll(of, watched, id) if of == run && current => {
                self.agent_polls(number, &watched, id)
            }
            AgentEvent::Copied => self.copy_goes_on(number),
            AgentEvent::Governed(of) if of == run && current => self.govern(number),
            _ => return,
        }
        self.progress(number);
    }

    /// Both clocks of an agent's machine.
    fn clock(&self, number: usize) -> Clock {
        let wall = self.wall(self.planes[number].ahead_s);
        Clock {
            now: self.instant(),
            unix: u64::try_from(wall.as_second()).unwrap_or_default(),
        }
    }

    /// Carries out all that can be done now.
    pub(crate) fn progress(&mut self, number: usize) {
        let clock = self.clock(number);
        let now = clock.now;
        self.confirm_to_itself(number);
        loop {
            let plane = &mut self.planes[number];
            let Some(running) = &mut plane.running else {
                return;
            };
            running.plane.set_clock(clock);
            running.plane.advance(now);
            if let Some(witness) = running.plane.poll_pin(now) {
                plane.store.pin = Some(witness);
                running.plane.pin_written(true, now);
            } else if let Some(write) = running.plane.poll_write(now) {
                self.send_store_write(number, write);
            } else if let Some(request) = running.plane.poll_request(now) {
                self.send_request(number, request);
            } else {
                break;
            }
        }
        self.set_watches(number);
        self.check_session_time(number);
        self.talk(number);
        self.plan_wake(number);
    }

    /// Tells the session the news, fetches what it lacks, and says what it has to say.
    fn talk(&mut self, number: usize) {
        let Some(running) = &mut self.planes[number].running else {
            return;
        };
        let news = running.plane.news();
        let Some(connected) = &mut running.connected else {
            return;
        };
        for news in news {
            news.tell(&mut connected.session);
        }
        let link = connected.link;
        while let Some(running) = &mut self.planes[number].running
            && let Some(connected) = &mut running.connected
            && let Some(digest) = connected.session.poll_fetch()
        {
            self.send(link, crate::link::LinkEvent::Ask(digest), true);
        }
        self.agent_has_room(number, link);
    }

    pub(crate) fn agent_has_room(&mut self, number: usize, link: LinkId) {
        loop {
            if !self.room_to_hub(link) {
                return;
            }
            let broken = self.broken;
            let Some(running) = &mut self.planes[number].running else {
                return;
            };
            let Some(connected) = running.connected.as_mut().filter(|it| it.link == link) else {
                return;
            };
            let Some(message) = connected.session.poll_transmit(&running.plane) else {
                return;
            };
            let Some(message) = uplink::said(message, broken) else {
                continue;
            };
            self.tell(|| format!("agent {} says {message:?}", PLANES[number]));
            self.say_to_hub(link, &message);
        }
    }

    fn plan_wake(&mut self, number: usize) {
        let now = self.agenda.now();
        let Some(running) = &self.planes[number].running else {
            return;
        };
        let session = running.connected.as_ref().and_then(|it| it.session.deadline());
        let next = running
            .plane
            .deadline()
            .into_iter()
            .chain(session)
            .map(|(at, _)| at)
            .min();
        let Some(due) = next.map(|at| self.virtual_time(at).max(now + Duration::from_millis(1))) else {
            return;
        };
        let run = self.planes[number].run;
        let Some(running) = &mut self.planes[number].running else {
            return;
        };
        if running.wake.is_none_or(|planned| planned > due) {
            running.wake = Some(due);
            self.agenda.at(due, Event::Agent(number, AgentEvent::Wake(run)));
        }
    }

    pub(super) fn session_events(&mut self, number: usize, events: Vec<SessionEvent>) {
        let clock = self.clock(number);
        let now = clock.now;
        let broken = self.broken;
        for event in events {
            self.coverage.session_event(&event);
            let Some(running) = &mut self.planes[number].running else {
                return;
            };
            match event {
                SessionEvent::Welcomed(welcome) => running.uplink.welcomed(welcome.fleet),
                SessionEvent::Store(store) => {
                    if broken == Some(Broken::ConfirmedBeforeGone)
                        && store.head.state == HeadState::Removed
                        && let Some(connected) = &mut running.connected
                    {
                        connected.session.gone(Held {
                            key: store.head.key.clone(),
                            version: store.head.version,
                        });
                    }
                    if let Err(error) = running.plane.take(store) {
                        return self.violate("content is what it says", error.to_string());
                    }
                }
                SessionEvent::Recorded(held) => running.plane.recorded(&held, now),
                SessionEvent::Orphaned(keys) if broken == Some(Broken::AbsenceRemoves) => {
                    for key in keys {
                        uplink::remove_absent(&mut running.plane, &key);
                    }
                }
                SessionEvent::Orphaned(keys) => running.plane.orphaned(&keys, now),
                SessionEvent::Settled(held) => running.plane.settled(&held, clock.unix, now),
                SessionEvent::Vouched(vouched) => running.plane.vouched(vouched),
                SessionEvent::Refused(_) | SessionEvent::Closing(_) => running.connected = None,
            }
        }
    }
}
