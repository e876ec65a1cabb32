//! The two servers, and one sequence played to both.

use std::time::Duration;

use anyhow::{Context as _, Result};
use kube::Client;
use outhaul_fake_kube_core::kind::Kind;
use outhaul_fake_kube_server::{FakeKube, Options};
use outhaul_kubernetes::{Cluster, Programs};
use serde_json::Value;
use tokio::time::Instant;

use crate::compare::Difference;
use crate::deliberate;
use crate::kinds::{self, Kinds};
use crate::normal::Normal;
use crate::plan::Plan;
use crate::server::{Answer, Conversation};
use crate::step::{Content, Step};

/// How long a real server may take to serve a new definition.
const ESTABLISHED: Duration = Duration::from_secs(30);

/// A real API server and an embedded one, with the same definitions, and nothing that acts by itself in either.
pub struct Pair {
    real: Client,
    fake: Client,
    _cluster: Cluster,
    _kube: FakeKube,
    groups: Vec<String>,
    /// Namespaces handed out: every sequence has one of its own.
    used: usize,
}

/// How a sequence went.
#[derive(Debug)]
pub struct Outcome {
    /// The requests, the last of them the one that made a difference.
    pub steps: Vec<Step>,
    /// Answers that differ as they are meant to.
    pub excused: Vec<Excuse>,
    /// What became of it.
    pub end: End,
}

/// A deliberate difference that was met.
#[derive(Debug)]
pub struct Excuse {
    /// Its name.
    pub name: &'static str,
    /// The request: method and path.
    pub request: String,
    /// How the answers to it differ.
    pub difference: Difference,
}

/// What became of a sequence.
#[derive(Debug)]
pub enum End {
    /// All answers were the same, or excused.
    Same,
    /// They differ as they are meant to, and from here on in what they hold.
    Parted,
    /// They differ.
    Differs(Difference),
}

/// The two answers to one request.
struct Exchange {
    end: End,
    /// The deliberate difference that excused them.
    excused: Option<Excuse>,
    /// The real server's code and body.
    code: u16,
    body: Value,
}

impl Pair {
    /// Starts both.
    ///
    /// # Errors
    /// When one does not start or does not take the definitions.
    pub async fn start(programs: &Programs, kinds: &Kinds) -> Result<Self> {
        let cluster = Cluster::start(programs, outhaul_kubernetes::Options::api_only()).await?;
        let kube = FakeKube::start(Options {
            bare: true,
            ..Options::default()
        })
        .await?;
        let pair = Self {
            real: cluster.client().await?,
            fake: kube.client(),
            _cluster: cluster,
            _kube: kube,
            groups: kinds.groups(),
            used: 0,
        };
        for client in [&pair.real, &pair.fake] {
            define(client, kinds).await?;
        }
        Ok(pair)
    }

    /// How many sequences were played here.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Makes a sequence up as it goes, of at most `length` requests, and looks at everything at its end.
    ///
    /// # Errors
    /// When a server does not answer.
    pub async fn explore(&mut self, plan: &mut Plan, length: usize) -> Result<Outcome> {
        let mut dialogue = self.begin().await?;
        let mut outcome = Outcome {
            steps: Vec::new(),
            excused: Vec::new(),
            end: End::Same,
        };
        for _ in 0..length {
            let (step, subject) = plan.make_up();
            let (code, body) = outcome.take(step, &mut dialogue).await?;
            if !matches!(outcome.end, End::Same) {
                return Ok(outcome);
            }
            plan.learn(&subject, code, &body);
        }
        for step in plan.kinds().iter().flat_map(|kind| look_at(kind)) {
            outcome.take(step, &mut dialogue).await?;
            if !matches!(outcome.end, End::Same) {
                break;
            }
        }
        Ok(outcome)
    }

    /// Plays requests that are known; says how the first that differs does.
    ///
    /// # Errors
    /// When a server does not answer.
    pub async fn replay(&mut self, steps: &[Step]) -> Result<Option<(usize, Difference)>> {
        let mut dialogue = self.begin().await?;
        for (index, step) in steps.iter().enumerate() {
            match dialogue.exchange(step).await?.end {
                End::Same => {}
                End::Parted => return Ok(None),
                End::Differs(difference) => return Ok(Some((index, difference))),
            }
        }
        Ok(None)
    }

    async fn begin(&mut self) -> Result<Dialogue<'_>> {
        self.used += 1;
        let namespace = format!("sequence-{}", self.used);
        let real = Conversation::begin(&self.real, &namespace).await?;
        let fake = Conversation::begin(&self.fake, &namespace).await?;
        Ok(Dialogue {
            real,
            fake,
            normals: Default::default(),
            groups: &self.groups,
        })
    }
}

impl Outcome {
    /// Plays one more request. Returns the real answer.
    async fn take(&mut self, step: Step, dialogue: &mut Dialogue<'_>) -> Result<(u16, Value)> {
        let exchange = dialogue.exchange(&step).await?;
        self.steps.push(step);
        self.excused.extend(exchange.excused);
        self.end = exchange.end;
        Ok((exchange.code, exchange.body))
    }
}

/// One sequence with both servers.
struct Dialogue<'a> {
    real: Conversation<'a>,
    fake: Conversation<'a>,
    normals: (Normal, Normal),
    /// Beginnings of the paths of custom resources.
    groups: &'a [String],
}

impl Dialogue<'_> {
    /// Asks both.
    async fn exchange(&mut self, step: &Step) -> Result<Exchange> {
        let (real, fake) = tokio::join!(self.real.ask(step), self.fake.ask(step));
        let (real, fake) = (real?, fake.context("the embedded server")?);
        let (code, body) = (real.code, real.body.clone());
        let (real, fake) = (self.normals.0.answer(&real), self.normals.1.answer(&fake));
        let (end, excused) = self.judge(step, &real, &fake);
        Ok(Exchange {
            end,
            excused,
            code,
            body,
        })
    }

    fn judge(&self, step: &Step, real: &Answer, fake: &Answer) -> (End, Option<Excuse>) {
        let Some(difference) = Difference::between(real, fake) else {
            return (End::Same, None);
        };
        let case = deliberate::Case {
            step,
            is_custom: self.groups.iter().any(|group| step.path.starts_with(group)),
            real,
            fake,
            difference: &difference,
        };
        let Some(name) = deliberate::explain(&case) else {
            return (End::Differs(difference), None);
        };
        let end = if case.leaves_the_same() {
            End::Same
        } else {
            End::Parted
        };
        let request = format!("{} {}", step.method, step.path);
        let excuse = Excuse {
            name,
            request,
            difference,
        };
        (end, Some(excuse))
    }
}

/// Everything of a kind that a sequence can have made.
fn look_at(kind: &Kind) -> Vec<Step> {
    let path = kinds::collection(kind);
    if kind.is_namespaced() {
        return vec![Step::bare("GET", path)];
    }
    ["a", "b"]
        .map(|name| Step::bare("GET", format!("{path}/$NS-{name}")))
        .to_vec()
}

async fn define(client: &Client, kinds: &Kinds) -> Result<()> {
    let mut conversation = Conversation::begin(client, "definitions").await?;
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions".to_owned();
    for definition in &kinds.definitions {
        let step = Step::with_body("POST", path.clone(), Content::Json, definition.clone());
        let answer = conversation.ask(&step).await?;
        anyhow::ensure!(answer.code == 201, "a definition was refused: {}", answer.body);
    }
    for kind in kinds.all.iter().filter(|kind| kind.custom.is_some()) {
        let step = Step::bare("GET", kinds::collection(kind));
        let deadline = Instant::now() + ESTABLISHED;
        while conversation.ask(&step).await?.code != 200 {
            anyhow::ensure!(Instant::now() < deadline, "{} is not served", kind.name);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}
