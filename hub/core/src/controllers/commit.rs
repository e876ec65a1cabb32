//! GitCommitRequests: each is one commit, made once.
//!
//! Whether it was made is not remembered here: the commit itself says of which request it is, so a hub that lost an
//! answer, or took over, finds it in the branch. The status says what came of it. After success nobody looks again, and
//! after the last of several failures nobody does before the request is edited.

use core::time::Duration;

use outhaul_hub_render::git_commit;
use outhaul_hub_render::reason::INVALID_CONFIGURATION;
use outhaul_hub_resources::conditions::READY;
use outhaul_hub_resources::{
    CommitPhase, GitCommitRequest, GitCommitRequestSpec, GitCommitRequestStatus, Open,
};
use serde_json::{Map, Value, json};

use super::look::{Look, Plan};
use super::platform::{Verdict, say_and_set};
use super::saying::Former;
use super::{Id, Step};
use crate::condition;

/// Commits at once. Each holds a repository on disk and a connection; people wait for them and not for milliseconds.
pub(super) const AT_ONCE: usize = 4;

/// The pause after the first failure; each later one is twice as long.
const FIRST: Duration = Duration::from_secs(5);

/// How often one is tried: over 21 minutes, which outlasts a restart of the server, and a right that is given meanwhile.
/// Whoever waits for the phase has to have an answer then.
const ATTEMPTS: u32 = 9;

/// The commit is in the branch.
const COMMIT_PUSHED: &str = "CommitPushed";

/// A commit to make, unless it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The request.
    pub id: Id,
    /// Its uid, by which its commits are known.
    pub uid: String,
    /// Its generation: an edit asks for another commit.
    pub generation: Option<u64>,
    /// When it was created, in Unix seconds: no commit of it is older.
    pub created: i64,
    /// What it asks for; it was checked.
    pub spec: GitCommitRequestSpec,
}

/// A commit that is in its branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Its id.
    pub commit: String,
    /// The branch.
    pub branch: String,
}

/// Why a commit is not in its branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotPushed {
    /// Where it failed.
    pub at: Stage,
    /// Why.
    pub message: String,
}

/// What a commit goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The Secret is read.
    Secret,
    /// The branch is fetched.
    Fetch,
    /// The files are changed.
    Edit,
    /// The commit is pushed.
    Push,
}

/// What was tried last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tried {
    /// The uid of the request: another may have its name by now.
    pub(super) uid: String,
    /// The generation of the request.
    pub(super) generation: Option<u64>,
    pub(super) result: Result<Pushed, NotPushed>,
    /// When it is tried again.
    pub(super) until: Duration,
    /// How often this generation of this request was tried.
    pub(super) attempts: u32,
}

impl Stage {
    const fn reason(self) -> &'static str {
        match self {
            Self::Secret => "SecretNotUsable",
            Self::Fetch => "FetchFailed",
            Self::Edit => "EditFailed",
            Self::Push => "PushFailed",
        }
    }
}

impl Tried {
    /// What was tried, after what was tried before.
    pub(super) fn now(
        result: Result<Pushed, NotPushed>,
        before: Option<&Self>,
        commit: &Commit,
        now: Duration,
    ) -> Self {
        let before = before.filter(|before| before.is_of(&commit.uid, commit.generation));
        let before = before.map_or(0, |before| before.attempts);
        Self {
            uid: commit.uid.clone(),
            generation: commit.generation,
            result,
            until: now + FIRST * 2_u32.pow(before.min(ATTEMPTS)),
            attempts: before + 1,
        }
    }

    fn is_of(&self, uid: &str, generation: Option<u64>) -> bool {
        self.uid == uid && self.generation == generation
    }
}

/// What is to be done about a request.
pub(super) fn plan(look: &Look<'_>, request: &GitCommitRequest) -> Plan {
    let status = request.status.clone().unwrap_or_default();
    if request.metadata.deletion_timestamp.is_some() || status.phase == Open::from(CommitPhase::Succeeded) {
        return Plan::Nothing;
    }
    if let Err(error) = git_commit::check(&request.spec) {
        let words = (INVALID_CONFIGURATION, error.to_string());
        return say(look, request, CommitPhase::Failed, Err(words), None);
    }
    if is_given_up(&status, request.metadata.generation) {
        return Plan::Nothing;
    }
    let generation = look.generation();
    let uid = request.metadata.uid.as_deref().unwrap_or_default();
    let tried = look.memory.tried.as_ref();
    match tried.filter(|tried| tried.is_of(uid, generation)) {
        Some(tried) => go_on(look, request, tried),
        None => commit(look, request),
    }
}

/// Whether the last attempt has failed, whoever made it. What could not be checked may be right for another hub.
fn is_given_up(status: &GitCommitRequestStatus, generation: Option<i64>) -> bool {
    let ready = condition::get(&status.conditions, READY);
    status.phase == Open::from(CommitPhase::Failed)
        && status.observed_generation == generation
        && ready.is_some_and(|ready| ready.reason != INVALID_CONFIGURATION)
}

fn go_on(look: &Look<'_>, request: &GitCommitRequest, tried: &Tried) -> Plan {
    let failed = match &tried.result {
        Ok(pushed) => {
            let words = (COMMIT_PUSHED, "commit pushed".to_owned());
            return say(look, request, CommitPhase::Succeeded, Ok(words), Some(pushed));
        }
        Err(failed) => failed,
    };
    let is_last = tried.attempts >= ATTEMPTS;
    let (phase, outlook) = match is_last {
        true => (
            CommitPhase::Failed,
            format!("given up after {ATTEMPTS} attempts: edit spec to have it tried again"),
        ),
        false => (CommitPhase::Pending, "it is tried again".to_owned()),
    };
    let words = (failed.at.reason(), format!("{}; {outlook}", failed.message));
    match say(look, request, phase, Err(words), None) {
        Plan::Nothing if is_last => Plan::Nothing,
        Plan::Nothing if look.now.uptime < tried.until => Plan::Rest(tried.until),
        Plan::Nothing => commit(look, request),
        said => said,
    }
}

fn commit(look: &Look<'_>, request: &GitCommitRequest) -> Plan {
    let metadata = &request.metadata;
    let created = metadata.creation_timestamp.as_ref();
    let commit = Commit {
        id: look.key.clone(),
        uid: metadata.uid.clone().unwrap_or_default(),
        generation: look.generation(),
        created: created.map_or(0, |created| created.0.as_second()),
        spec: request.spec.clone(),
    };
    Plan::Step(Box::new(Step::Commit(Box::new(commit))), Vec::new())
}

fn say(
    look: &Look<'_>,
    request: &GitCommitRequest,
    phase: CommitPhase,
    verdict: Verdict,
    pushed: Option<&Pushed>,
) -> Plan {
    let status = request.status.clone().unwrap_or_default();
    let (Ok((_, message)) | Err((_, message))) = &verdict;
    let mut fields = Map::new();
    let mut set = |field: &str, known: Value, wanted: Value| {
        if known != wanted {
            fields.insert(field.to_owned(), wanted);
        }
    };
    set("phase", json!(status.phase), json!(phase));
    set("message", json!(status.message), json!(message));
    if let Some(pushed) = pushed {
        set("observedSHA", json!(status.observed_sha), json!(pushed.commit));
        set(
            "observedBranch",
            json!(status.observed_branch),
            json!(pushed.branch),
        );
    }
    let former = Former {
        conditions: &status.conditions,
        observed_generation: status.observed_generation,
    };
    say_and_set(look, former, Vec::new(), verdict, fields)
}
