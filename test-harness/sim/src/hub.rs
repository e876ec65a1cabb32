//! A hub: the fleet of `outhaul-hub-core`, and around it what the server does, in the same order: signals in, then
//! messages out, then writes. Each write and each message is an event of its own, so a crash may fall between any two.

mod watching;
mod writing;

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use outhaul_hub_core::bulk::Surroundings;
use outhaul_hub_core::view::OrphanView;
use outhaul_hub_core::{Dialer, Fleet, Now, Outcome, Output, SessionId, Settings, Sight, Write, WriteId};
use outhaul_protocol_wire::content::Fetched;
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::frame;
use outhaul_protocol_wire::head::{Confirmed, Key};
use outhaul_protocol_wire::ids::{Epoch, PlaneName, Uid};
use outhaul_protocol_wire::limits::CONTROL_FRAME;
use outhaul_protocol_wire::message::{AgentMessage, Hello, HubMessage};

use self::watching::Watcher;
use crate::broken::Broken;
use crate::dice::Dice;
use crate::link::LinkId;
use crate::schedule::{Moment, PLANES};
use crate::world::{Event, World};

/// Where an agent dials from, and where a copy of its identity does.
const AGENT: &str = "192.0.2.1:1";
const COPY: &str = "192.0.2.2:1";

/// One replica.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) run: u64,
    pub(crate) running: Option<Running>,
    /// The moment at which it is killed, and for how long it is away.
    pub(crate) armed: Option<(Moment, Duration)>,
    /// Its watches bring nothing before.
    pub(crate) stale_until: Duration,
    /// How far its clock is ahead.
    pub(crate) ahead_s: i64,
    dice: Dice,
}

/// A hub that runs.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) fleet: Fleet,
    epoch: Epoch,
    started: Duration,
    watchers: Vec<Watcher>,
    synced: bool,
    sessions: BTreeMap<SessionId, LinkId>,
    waiting: VecDeque<Task>,
    under_way: usize,
    flushing: bool,
    /// When a tick is planned.
    tick: Option<Duration>,
}

/// A request to the API server.
#[derive(Debug, Clone)]
pub(crate) enum Task {
    Write(Write),
    Read(Key),
    /// Of the epoch, which a plane says is this or higher.
    ReadEpoch(Epoch),
}

#[derive(Debug)]
pub(crate) enum HubEvent {
    Start,
    /// With the run that planned it.
    Flush(u64),
    Tick(u64),
    List(u64, usize),
    Poll(u64, usize),
    Make(u64, Task, Fate),
    Written(u64, WriteId, Outcome),
    Read(u64, Key, Option<Sight>),
    EpochRead(u64, Epoch, Option<Epoch>),
    /// The stored epoch has changed.
    Epoch(u64),
}

/// How a request goes on once it was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fate {
    pub(crate) back: Duration,
    pub(crate) heard: bool,
}

impl Hub {
    pub(crate) fn new(seed: u64, number: usize) -> Self {
        Self {
            run: 0,
            running: None,
            armed: None,
            stale_until: Duration::ZERO,
            ahead_s: 0,
            dice: Dice::of(seed, &format!("hub {number}")),
        }
    }
}

impl Hub {
    /// Whether agents are let in: only after everything was listed.
    pub(crate) fn serves(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.synced)
    }
}

/// The uid of the control plane's Namespace `kube-system`.
pub(crate) fn kube_system() -> Uid {
    Uid::new("kube-system").expect("it is short")
}

impl World {
    pub(crate) fn start_hub(&mut self, number: usize) {
        let now = self.agenda.now();
        let hub = &mut self.hubs[number];
        hub.run += 1;
        let settings = Settings {
            epoch: match self.broken {
                Some(Broken::EpochIgnored) => Epoch(1),
                _ => self.epoch,
            },
            kube_system: kube_system(),
            fallback: true,
        };
        hub.running = Some(Running {
            epoch: settings.epoch,
            fleet: Fleet::new(settings),
            started: now,
            watchers: Watcher::all(),
            synced: false,
            sessions: BTreeMap::new(),
            waiting: VecDeque::new(),
            under_way: 0,
            flushing: false,
            tick: None,
        });
        self.tell(|| format!("hub {number} starts"));
        self.list_everything(number);
    }

    /// The hub is gone without a word; agents notice by and by.
    pub(crate) fn kill_hub(&mut self, number: usize, away: Duration) {
        if self.hubs[number].running.take().is_none() {
            return;
        }
        self.coverage.note(format!(
            "hub killed {:?}",
            self.hubs[number].armed.map(|armed| armed.0)
        ));
        self.hubs[number].armed = None;
        self.hubs[number].run += 1;
        self.tell(|| format!("hub {number} is killed"));
        self.leave_links(number, away);
        self.agenda.after(away, Event::Hub(number, HubEvent::Start));
    }

    /// The hub says goodbye, finishes what it writes, and starts again.
    pub(crate) fn restart_hub(&mut self, number: usize) {
        let Some(now) = self.hub_time(number) else { return };
        if let Some(running) = &mut self.hubs[number].running {
            running.fleet.close_all(now);
        }
        self.flush_hub(number);
        self.kill_hub(number, Duration::from_millis(500));
    }

    /// The watch of the stored epoch brings a change.
    pub(crate) fn hub_notices_epoch(&mut self, number: usize) {
        let now = self.agenda.now();
        let hub = &mut self.hubs[number];
        let wait = Duration::from_millis(hub.dice.between(1, 3_000));
        let at = (now + wait).max(hub.stale_until);
        self.agenda.at(at, Event::Hub(number, HubEvent::Epoch(hub.run)));
    }

    /// A hub that hears of a higher epoch reads everything again.
    pub(crate) fn hub_starts_over(&mut self, number: usize) {
        let Some(now) = self.hub_time(number) else { return };
        let epoch = self.epoch;
        let ignored = self.broken == Some(Broken::EpochIgnored);
        let Some(running) = &mut self.hubs[number].running else {
            return;
        };
        if ignored || running.epoch >= epoch {
            return;
        }
        running.epoch = epoch;
        running.fleet.start_over(epoch, now);
        running.synced = false;
        running.watchers = Watcher::all();
        self.coverage.note("hub started over");
        self.tell(|| format!("hub {number} starts over with epoch {}", epoch.0));
        self.stir(number);
        self.list_everything(number);
    }

    fn leave_links(&mut self, number: usize, away: Duration) {
        let ids: Vec<LinkId> = self
            .links
            .iter()
            .filter(|(_, link)| link.hub == number && link.agent_open)
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            // Its successor resets the connection; without one it falls silent.
            let longest = 30_000.min(u64::try_from(away.as_millis()).unwrap_or(30_000) + 2_000);
            let notices = Duration::from_millis(self.hubs[number].dice.between(50, longest));
            self.break_link(id, notices, Duration::ZERO);
        }
    }

    pub(crate) fn hub_event(&mut self, number: usize, event: HubEvent) {
        let run = self.hubs[number].run;
        let current = self.hubs[number].running.is_some();
        match event {
            HubEvent::Start if !current => self.start_hub(number),
            HubEvent::Flush(of) if of == run && current => self.flush_hub(number),
            HubEvent::Tick(of) if of == run && current => self.tick_hub(number),
            HubEvent::List(of, kind) if of == run && current => self.hub_lists(number, kind),
            HubEvent::Poll(of, kind) if of == run && current => self.hub_polls(number, kind),
            // What was sent is done, whatever became of the hub.
            HubEvent::Make(of, task, fate) => self.hub_task(number, of == run && current, task, fate),
            HubEvent::Written(of, id, outcome)
                if of == run && current && !self.crash_hub_at(number, Moment::Answered) =>
            {
                self.hub_written(number, id, outcome);
            }
            HubEvent::Read(of, key, sight) if of == run && current => self.hub_read(number, &key, sight),
            HubEvent::EpochRead(of, asked, read) if of == run && current => {
                self.hub_read_epoch(number, asked, read);
            }
            HubEvent::Epoch(of) if of == run && current => self.hub_starts_over(number),
            _ => {}
        }
    }

    /// Kills the hub if this is the moment for it.
    pub(crate) fn crash_hub_at(&mut self, number: usize, moment: Moment) -> bool {
        match self.hubs[number].armed {
            Some((wanted, away)) if wanted == moment => {
                self.kill_hub(number, away);
                true
            }
            _ => false,
        }
    }

    pub(crate) fn hub_time(&self, number: usize) -> Option<Now> {
        let running = self.hubs[number].running.as_ref()?;
        Some(Now {
            uptime: self.agenda.now().saturating_sub(running.started),
            wall: self.wall(self.hubs[number].ahead_s),
        })
    }

    /// Something happened to the fleet: what follows is done a moment later, together with what else happens until then.
    pub(crate) fn stir(&mut self, number: usize) {
        let hub = &mut self.hubs[number];
        let wait = match hub.dice.chance(70) {
            true => 0,
            false => hub.dice.below(3_000),
        };
        let run = hub.run;
        let Some(running) = hub.running.as_mut().filter(|running| !running.flushing) else {
            return;
        };
        running.flushing = true;
        let event = Event::Hub(number, HubEvent::Flush(run));
        self.agenda.after(Duration::from_micros(wait), event);
    }

    /// Carries out what the fleet decided: messages first, then writes.
    fn flush_hub(&mut self, number: usize) {
        let Some(now) = self.hub_time(number) else { return };
        let Some(running) = &mut self.hubs[number].running else {
            return;
        };
        running.flushing = false;
        running.fleet.tick(now);
        for session in running.fleet.take_talking() {
            self.pump(number, session);
        }
        while let Some(running) = &mut self.hubs[number].running
            && let Some(output) = running.fleet.poll_output()
        {
            self.carry_out(number, output);
        }
        self.start_tasks(number);
        self.plan_tick(number);
    }

    fn carry_out(&mut self, number: usize, output: Output) {
        self.coverage.output(&output);
        let Some(running) = &mut self.hubs[number].running else {
            return;
        };
        match output {
            Output::Write(write) => running.waiting.push_back(Task::Write(write)),
            Output::Read(key) => running.waiting.push_back(Task::Read(key)),
            // Nothing that anything is in is ever deleted here.
            Output::LookAround(key) => {
                if let Some(now) = self.hub_time(number)
                    && let Some(running) = &mut self.hubs[number].running
                {
                    running
                        .fleet
                        .surroundings(&key, Some(Surroundings::default()), now);
                }
            }
            Output::ReadEpoch(asked) => running.waiting.push_back(Task::ReadEpoch(asked)),
            Output::Goodbye(session, closing) => {
                if let Some(link) = running.sessions.remove(&session) {
                    self.say_to_agent(link, &HubMessage::Closing(closing));
                    self.close_link(link);
                }
            }
            Output::Note(_) | Output::Changed(..) => {}
        }
    }

    fn pump(&mut self, number: usize, session: SessionId) {
        loop {
            let Some(running) = &mut self.hubs[number].running else {
                return;
            };
            let Some(link) = running.sessions.get(&session).copied() else {
                return;
            };
            if !self.room_to_agent(link) {
                return;
            }
            let Some(running) = &mut self.hubs[number].running else {
                return;
            };
            let Some(message) = running.fleet.poll_transmit(session) else {
                return;
            };
            let message = announced_wrongly(message, self.broken);
            self.tell(|| format!("hub {number} says {message:?}"));
            self.say_to_agent(link, &message);
        }
    }

    fn plan_tick(&mut self, number: usize) {
        let now = self.agenda.now();
        let run = self.hubs[number].run;
        let Some(running) = &mut self.hubs[number].running else {
            return;
        };
        let Some(due) = running.fleet.next_deadline().map(|due| running.started + due) else {
            return;
        };
        if running.tick.is_none_or(|planned| planned > due || planned <= now) {
            running.tick = Some(due);
            self.agenda.at(due, Event::Hub(number, HubEvent::Tick(run)));
        }
    }

    fn tick_hub(&mut self, number: usize) {
        if let Some(running) = &mut self.hubs[number].running {
            running.tick = None;
        }
        self.flush_hub(number);
    }

    /// The connection closes after the last word has arrived.
    fn close_link(&mut self, link: LinkId) {
        let last = Duration::from_millis(1);
        self.break_link(link, self.after_words(link) + last, Duration::ZERO);
    }

    pub(crate) fn hub_hears(&mut self, link: LinkId, number: usize, bytes: &[u8]) {
        if self.crash_hub_at(number, Moment::Heard) {
            return;
        }
        let message = match frame::decode::<AgentMessage, CONTROL_FRAME>(&bytes[4..]) {
            Ok(message) => message,
            Err(error) => return self.violate("what is sent can be read", error.to_string()),
        };
        let session = self.links.get(&link).and_then(|link| link.session);
        match (session, message) {
            (None, AgentMessage::Hello(hello)) => self.hub_greets(link, number, &hello),
            (None, _) => {}
            (Some(session), message) => {
                let session = self.session_of_message(number, link, session);
                let orphans = matches!(message, AgentMessage::Orphans(_));
                self.hub_takes(number, session, message);
                let plane = self.links.get(&link).map(|link| link.plane);
                if let (true, Some(Broken::OrphansRemovedUnasked), Some(plane)) =
                    (orphans, self.broken, plane)
                {
                    self.decide_unasked(plane, number);
                }
            }
        }
        self.stir(number);
    }

    fn hub_takes(&mut self, number: usize, session: SessionId, message: AgentMessage) {
        let Some(now) = self.hub_time(number) else { return };
        let Some(running) = &mut self.hubs[number].running else {
            return;
        };
        if let Err(violation) = running.fleet.message(session, message, now) {
            running.fleet.closed(session, now);
            self.violate("nobody breaks the protocol", format!("an agent: {violation}"));
        }
    }

    /// A broken hub takes words of an old connection for words of the newest.
    fn session_of_message(&self, number: usize, link: LinkId, session: SessionId) -> SessionId {
        if self.broken != Some(Broken::OldSessionHeard) {
            return session;
        }
        let plane = self.links.get(&link).map(|link| link.plane);
        let newest = self
            .links
            .values()
            .filter(|link| link.hub == number && Some(link.plane) == plane)
            .filter_map(|link| link.session)
            .max();
        newest.unwrap_or(session)
    }

    fn hub_greets(&mut self, link: LinkId, number: usize, hello: &Hello) {
        let Some(now) = self.hub_time(number) else { return };
        let Some((plane, copied)) = self.links.get(&link).map(|link| (link.plane, link.is_copys())) else {
            return;
        };
        let dialer = Dialer {
            plane: PlaneName::new(PLANES[plane]).expect("the names of the planes are names"),
            key: key_of(plane),
            certificate_expires: Timestamp::MAX,
            remote: (if copied { COPY } else { AGENT }).to_owned(),
        };
        let twin = self.hub_has_twin(number, &dialer, hello);
        let hello = &heard_of_one_process(hello, self.broken);
        let Some(running) = &mut self.hubs[number].running else {
            return;
        };
        match running.fleet.open(dialer, hello, now) {
            Ok(session) => {
                running.sessions.insert(session, link);
                if twin {
                    let text = format!("{} {} on hub {number}", PLANES[plane], hello.term);
                    self.violate(
                        "of two processes with one identity the first has the session",
                        text,
                    );
                }
                self.coverage.note("session opened");
                self.tell(|| {
                    format!(
                        "hub {number} opens session {session} of {} {}",
                        PLANES[plane], hello.term
                    )
                });
                if let Some(link) = self.links.get_mut(&link) {
                    link.session = Some(session);
                }
            }
            Err(refused) => {
                self.coverage.note(format!("refused {:?}", refused.reason));
                self.tell(|| format!("hub {number} refuses {}: {}", PLANES[plane], refused.message));
                self.say_to_agent(link, &HubMessage::Refused(refused));
                self.close_link(link);
            }
        }
    }

    /// Whether another process has a session of this plane and this start of its agent.
    fn hub_has_twin(&self, number: usize, dialer: &Dialer, hello: &Hello) -> bool {
        let view = || {
            let running = self.hubs[number].running.as_ref()?;
            let view = running.fleet.plane_view(&dialer.plane, self.hub_time(number)?)?;
            view.connection
        };
        view().is_some_and(|known| known.term.boot == hello.term.boot && known.remote != dialer.remote)
    }

    pub(crate) fn hub_has_room(&mut self, number: usize, link: LinkId) {
        if let Some(session) = self.links.get(&link).and_then(|link| link.session) {
            self.pump(number, session);
        }
    }

    pub(crate) fn hub_fetch(&mut self, number: usize, session: SessionId, digest: Digest) -> Fetched {
        let Some(now) = self.hub_time(number) else {
            return Fetched::NotQueued;
        };
        let running = self.hubs[number].running.as_mut();
        running.map_or(Fetched::NotQueued, |running| {
            running.fleet.fetch(session, digest, now)
        })
    }

    /// How many orphans a hub shows of a plane that has a session with it.
    pub(crate) fn hub_view(&self, number: usize, plane: &PlaneName) -> Option<u64> {
        let running = self.hubs[number].running.as_ref()?;
        let view = running.fleet.plane_view(plane, self.hub_time(number)?)?;
        view.connection.map(|_| view.orphans.total)
    }

    /// The orphans that a hub shows of a plane that has a session with it.
    pub(crate) fn hub_orphans(&self, number: usize, plane: &PlaneName) -> Option<Vec<OrphanView>> {
        let running = self.hubs[number].running.as_ref()?;
        let view = running.fleet.plane_view(plane, self.hub_time(number)?)?;
        view.connection?;
        running.fleet.orphans(plane)
    }

    pub(crate) fn hub_lost(&mut self, number: usize, session: SessionId) {
        let Some(now) = self.hub_time(number) else { return };
        if let Some(running) = &mut self.hubs[number].running {
            running.sessions.remove(&session);
            running.fleet.closed(session, now);
        }
        self.stir(number);
    }
}

/// What a broken hub hears: every process is the same one.
fn heard_of_one_process(hello: &Hello, broken: Option<Broken>) -> Hello {
    let mut hello = hello.clone();
    if broken == Some(Broken::CopiesUnseen) {
        hello.instance = [0; 16];
    }
    hello
}

/// What a broken hub announces instead.
fn announced_wrongly(mut message: HubMessage, broken: Option<Broken>) -> HubMessage {
    if let HubMessage::Announce(announce) = &mut message {
        for announced in &mut announce.heads {
            match broken {
                Some(Broken::RecordedAtOnce) => announced.recorded = true,
                Some(Broken::LeaveIsRemove) => {
                    announced.head.confirmed = announced.head.confirmed.map(|_| Confirmed::Remove);
                }
                _ => {}
            }
        }
    }
    message
}

/// The public key of a plane's agent.
pub(crate) fn key_of(plane: usize) -> Digest {
    Digest::of(PLANES[plane].as_bytes())
}
