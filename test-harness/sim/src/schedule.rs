//! What a schedule consists of: steps in virtual time, written as a file that a person can read and shorten.

mod generate;

use serde::{Deserialize, Serialize};

pub use generate::generate;

/// The planes of every schedule.
pub const PLANES: [&str; 3] = ["eu", "us", "ap"];

/// The environment that is on each plane at the beginning.
pub const ENVIRONMENTS: [&str; 3] = ["dev", "prod", "stage"];

/// Replicas of the hub.
pub const HUBS: usize = 2;

/// One schedule: everything that happens in it follows from this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// What delays, losses and the like are drawn from.
    pub seed: u64,
    /// What is done to the system.
    pub steps: Vec<Step>,
}

/// Something is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// When, in milliseconds.
    pub at: u64,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What is done: by users, or by fate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// Somebody wants something.
    Action(Action),
    /// Something goes wrong.
    Fault(Fault),
}

/// What users do. Resources whose name begins with `r` are Releases, the others Bundles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// A resource is created, or its spec replaced.
    Put {
        /// Which resource.
        resource: String,
        /// Its environment or plane.
        target: String,
        /// Its objects.
        things: Vec<Thing>,
        /// What is wrong with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        flaw: Option<Flaw>,
    },
    /// A resource is deleted.
    Delete {
        /// Which resource.
        resource: String,
    },
    /// An environment is pointed at another plane.
    Point {
        /// Which environment.
        environment: String,
        /// Where to.
        plane: String,
    },
    /// A plane gets its agent.
    Enrol {
        /// Which plane.
        plane: String,
    },
    /// Somebody says what is to become of what is held of a resource.
    Confirm {
        /// Which resource.
        resource: String,
        /// What is to become of it.
        verdict: Verdict,
        /// Whether it is said of the generation before the newest.
        #[serde(default, skip_serializing_if = "is_false")]
        stale: bool,
    },
    /// A plane is taken for lost: its agent is gone, and the operator forgets it.
    Forget {
        /// Which plane.
        plane: String,
    },
    /// The agent of a plane that was forgotten is back.
    Return {
        /// Which plane.
        plane: String,
    },
    /// A plane that was forgotten is to be served again.
    Remember {
        /// Which plane.
        plane: String,
    },
    /// The operator decides about an orphan that a hub shows.
    Decide {
        /// Of which plane.
        plane: String,
        /// Which orphan: this one, in their order.
        pick: u64,
        /// Whether it is adopted, if that can be; otherwise it is removed.
        adopt: bool,
    },
    /// A Plane is deleted.
    DeletePlane {
        /// Which plane.
        plane: String,
    },
    /// The owner of a plane writes its policy.
    Govern {
        /// Which plane.
        plane: String,
        /// What is written.
        policy: Governing,
    },
    /// A Bundle is created whose objects run once. It is not edited.
    Run {
        /// Which resource.
        resource: String,
        /// Its plane.
        plane: String,
        /// Its objects.
        things: Vec<Thing>,
        /// Names of what has to be there first, in the first namespace: it may be of others as well.
        ensure: Vec<String>,
    },
    /// Somebody deletes an object that runs.
    Cancel {
        /// On which plane.
        plane: String,
        /// Which one: this one, in their order.
        pick: u64,
        /// Whether whatever keeps it goes first.
        force: bool,
    },
    /// A kind is defined on a plane, or its definition goes.
    Define {
        /// On which plane.
        plane: String,
        /// Whether it is there.
        served: bool,
    },
}

/// What is to become of what is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Verdict {
    /// It goes.
    Remove,
    /// It stays, and its plane forgets it.
    Leave,
}

/// What the owner of a plane writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Governing {
    /// Nothing: there is no policy any more.
    Open,
    /// A policy that allows everything.
    Loose,
    /// One that excludes a kind.
    Tight,
    /// Nothing is changed.
    Observing,
    /// Nothing is done.
    Paused,
    /// What cannot be read.
    Malformed,
}

/// One object of a spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thing {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What it says; new with each edit, and used by no other.
    pub value: String,
    /// Whether it has the annotation that protects it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub protected: bool,
}

/// Kinds of objects on a plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// Healthy as soon as it is there.
    ConfigMap,
    /// Healthy after a while.
    Deployment,
    /// Never goes unasked.
    PersistentVolumeClaim,
    /// Not served by every cluster at every time.
    Widget,
    /// Runs once, and is cleared away when it has ended.
    Job,
}

/// What is wrong with a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Flaw {
    /// Two objects have one id.
    DuplicateId,
    /// An object is in a namespace that the plane does not admit.
    NotAdmitted,
    /// One entry is no object.
    Malformed,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Fault {
    /// Nothing passes between a plane and any hub.
    Partition {
        /// Which plane.
        plane: String,
        /// For how long, in milliseconds.
        ms: u64,
    },
    /// A connection breaks. Each end notices by itself; until the hub does, two sessions of the plane may exist.
    Cut {
        /// Which plane.
        plane: String,
        /// When the agent notices.
        agent_ms: u64,
        /// When the hub notices.
        hub_ms: u64,
    },
    /// A link is slow.
    Latency {
        /// Which plane.
        plane: String,
        /// How much each message takes at most.
        by_ms: u64,
        /// For how long.
        ms: u64,
    },
    /// A hub is killed.
    KillHub {
        /// Which one.
        hub: usize,
        /// At which moment.
        moment: Moment,
        /// Until it is back.
        ms: u64,
    },
    /// A hub restarts as in an upgrade, with goodbyes.
    RestartHub {
        /// Which one.
        hub: usize,
    },
    /// An agent is killed.
    KillAgent {
        /// Which plane.
        plane: String,
        /// At which moment.
        moment: Moment,
        /// Until it is back.
        ms: u64,
    },
    /// A hub's watches bring nothing for a while.
    StaleHub {
        /// Which one.
        hub: usize,
        /// For how long.
        ms: u64,
    },
    /// An agent's watches bring nothing for a while.
    StaleAgent {
        /// Which plane.
        plane: String,
        /// For how long.
        ms: u64,
    },
    /// An API server forgets its past: every watch there begins anew with a list.
    Expire {
        /// Where.
        site: Site,
    },
    /// An API server answers only so.
    Refuse {
        /// Where.
        site: Site,
        /// With which code; 0 is no answer at all.
        code: u16,
        /// For how long.
        ms: u64,
    },
    /// An API server is slow.
    Slow {
        /// Where.
        site: Site,
        /// How long an answer takes at most.
        by_ms: u64,
        /// For how long.
        ms: u64,
    },
    /// A backup of the control plane is made.
    BackUp,
    /// The control plane goes back to the last backup.
    Restore {
        /// Whether the operator raises the epoch.
        raised: bool,
    },
    /// All Releases and Bundles are gone, and nobody deleted them.
    Empty,
    /// Somebody changes an object on a plane.
    Foreign {
        /// Which plane.
        plane: String,
        /// Which of its objects: this one, in their order.
        pick: u64,
        /// How.
        how: Tampering,
    },
    /// What an agent stored of one resource is damaged, and its next start finds that.
    Damage {
        /// Which plane.
        plane: String,
        /// Which record: this one, in their order.
        pick: u64,
    },
    /// Somebody sets a clock.
    SetClock {
        /// Which one.
        machine: Machine,
        /// By how many seconds, forward or back.
        by_s: i64,
    },
    /// Another process uses the identity of a plane's agent, as of the same start.
    CopyIdentity {
        /// Which plane.
        plane: String,
        /// For how long.
        ms: u64,
    },
    /// All that an agent stored is gone, and the agent is killed.
    LoseStore {
        /// Which plane.
        plane: String,
    },
}

/// A machine with a clock that people set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Machine {
    /// That of a hub.
    Hub(usize),
    /// That of a plane's agent.
    Agent(String),
}

/// Where an API server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Site {
    /// The control plane's.
    Control,
    /// A plane's.
    Plane(String),
}

/// The moment of a crash: between this and what would follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Moment {
    /// Whatever happens just then.
    Now,
    /// A write was sent and has not been made.
    Sent,
    /// A write has been made and was not answered.
    Made,
    /// A write was answered, and nothing was done about it.
    Answered,
    /// A message arrived, and nothing was done about it.
    Heard,
}

/// What somebody does to an object on a plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tampering {
    /// Changes what we set.
    Edit,
    /// Adds what we do not set.
    Annotate,
    /// Deletes it.
    Delete,
    /// Takes our labels off.
    Unlabel,
    /// Puts another object under its name, at the worst moment: when we are about to delete it.
    Usurp,
    /// Adds a finalizer that nobody takes off for a while.
    Hold,
    /// Takes such finalizers off.
    Release,
}

impl Kind {
    /// As Kubernetes spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Deployment => "Deployment",
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
            Self::Widget => "Widget",
            Self::Job => "Job",
        }
    }
}

fn is_false(value: &bool) -> bool {
    !value
}
