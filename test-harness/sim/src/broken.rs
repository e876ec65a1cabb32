//! Variants of the product that are wrong on purpose: what shows that the simulator can fail. Each breaks one promise
//! in the part that carries, here, what the cores decide.

use clap::ValueEnum;

/// One way to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Broken {
    /// What a complete announcement did not name is removed.
    AbsenceRemoves,
    /// The hub takes every Plane to admit everything.
    AdmissionUnchecked,
    /// That an object that runs once may have been created is not written down.
    AttemptNotRecorded,
    /// The budget of a plane is forgotten when its agent starts again.
    BudgetForgotten,
    /// Every resource has a budget of its own.
    BudgetPerResource,
    /// There is no budget.
    BudgetOff,
    /// What a plane let go at a time that is still to come, by a clock that was set back, does not count.
    ClockSetBackRefills,
    /// An agent says that a removed resource is gone as soon as it hears of the removal.
    ConfirmedBeforeGone,
    /// The hub takes a confirmation for one of whatever generation there is.
    ConfirmationOfAnyGeneration,
    /// The hub takes every process that has a plane's identity for the same one.
    CopiesUnseen,
    /// A record that cannot be read counts as wanting nothing.
    DamageIsEmpty,
    /// Deletes carry no uid.
    DeleteWithoutUid,
    /// What is being deleted counts as gone.
    DyingIsGone,
    /// The hubs take no notice of a raised epoch.
    EpochIgnored,
    /// Nothing keeps what runs once until its end is written down.
    FinalizerOffEarly,
    /// An agent that is refused because its plane was forgotten removes what it holds.
    ForgottenRemoves,
    /// Heads are taken whatever their version.
    GenerationIgnored,
    /// The hub takes its writes for made when it sends them.
    HubTrustsItsWrites,
    /// What somebody confirmed is to stay is removed.
    LeaveIsRemove,
    /// The agent does not say what it observed while it was cut off.
    ObservedUntold,
    /// Words of an old session count as words of the newest.
    OldSessionHeard,
    /// What ran once is created again after the agent has started again.
    OnceReapplied,
    /// One of the objects that are held goes when the agent starts again.
    PartGoes,
    /// What is protected goes like everything else.
    ProtectionIgnored,
    /// The hub decides itself that orphans are removed.
    OrphansRemovedUnasked,
    /// An agent does not see whose an object is.
    OwnersUnseen,
    /// A Plane that is deleted is let go whatever is on it.
    PlaneLetGoEarly,
    /// An agent that runs does not hear of another policy.
    PolicyUnheard,
    /// The hub calls what it announces recorded before it is.
    RecordedAtOnce,
    /// The hub writes a status over whatever is there.
    StatusWrittenBlindly,
    /// The agent takes its store's writes for made when it sends them.
    StoreTrusted,
    /// A plane that lost its store does not search for what no inventory names.
    SweepSkipped,
    /// An object whose kind is not served just then counts as not there.
    UnservedIsAbsent,
}
