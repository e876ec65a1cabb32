//! What the search begins with: bytes as our own ends write them.

use std::collections::BTreeMap;

use bincode::Encode;
use outhaul_protocol_session::agent::{Holding, Standing};
use outhaul_protocol_wire::content::{Content, Fetch, Fetched};
use outhaul_protocol_wire::digest::Digest;
use outhaul_protocol_wire::enrolment::{Answer, Refusal, Request};
use outhaul_protocol_wire::frame;
use outhaul_protocol_wire::head::{BundleKind, Head, HeadState, Key, Version};
use outhaul_protocol_wire::ids::{Epoch, Generation, Move, Term, Uid};
use outhaul_protocol_wire::limits::{CONTROL_FRAME, FETCH_FRAME};
use outhaul_protocol_wire::message::{
    AgentMessage, Announce, Announced, Closing, ClosingReason, Held, Hello, HubMessage, Orphans, Refused,
    RefusedReason, Welcome,
};
use outhaul_protocol_wire::object::ObjectRef;
use outhaul_protocol_wire::policy::{Confirmations, Mode, Policy};
use outhaul_protocol_wire::report::{
    Blocker, BlockerReason, Health, Leftover, ObjectReport, RawStatus, Report,
};
use outhaul_protocol_wire::root::Root;
use outhaul_protocol_wire::token::Token;

/// Bytes for the target of this name.
pub struct Seed {
    /// The target.
    pub target: &'static str,
    /// As a file is called.
    pub name: &'static str,
    /// What is in the file.
    pub bytes: Vec<u8>,
}

/// A seed for everything that a target does.
pub fn all() -> Vec<Seed> {
    let seed = |target, name, bytes| Seed { target, name, bytes };
    let hub = hub_messages();
    let agent = agent_messages();
    let mut seeds = vec![
        seed("frames", "agent", stream(0, &framed::<_, CONTROL_FRAME>(&agent))),
        seed("frames", "hub", stream(1, &framed::<_, CONTROL_FRAME>(&hub))),
        seed(
            "frames",
            "fetch",
            stream(2, &framed::<_, FETCH_FRAME>(&[fetch()])),
        ),
        seed(
            "frames",
            "fetched",
            stream(3, &framed::<_, FETCH_FRAME>(&[fetched(), Fetched::NotQueued])),
        ),
        seed(
            "frames",
            "request",
            stream(4, &framed::<_, CONTROL_FRAME>(&[request()])),
        ),
        seed(
            "frames",
            "answer",
            stream(5, &framed::<_, CONTROL_FRAME>(&answers())),
        ),
        seed("messages", "report", body(&agent[2])),
        seed("messages", "announce", body(&hub[2])),
        seed("messages", "fetched", body(&fetched())),
        seed("messages", "request", body(&request())),
        seed("agent_session", "everything", framed::<_, CONTROL_FRAME>(&hub)),
        seed(
            "agent_session",
            "refused",
            framed::<_, CONTROL_FRAME>(&[refused()]),
        ),
        seed("hub_session", "everything", framed::<_, CONTROL_FRAME>(&agent)),
        seed("token", "token", token().into_bytes()),
    ];
    seeds.extend(RECORDS.map(|(name, json)| seed("record", name, json.into())));
    seeds.extend(SPECS.map(|(name, json)| seed("spec", name, json.into())));
    seeds
}

/// Records as a plane stores them.
const RECORDS: [(&str, &str); 2] = [
    (
        "present",
        r#"{"kind":"Release","namespace":"default","name":"cart","uid":"u-1","epoch":1,"generation":2,"move":0,"digest":"0101010101010101010101010101010101010101010101010101010101010101","state":"Present","standing":"Recorded","in_force":true,"inventory":[{"group":"apps","version":"v1","kind":"Deployment","namespace":"shop","name":"cart","uid":"u-2","applied":{"body":"0101010101010101010101010101010101010101010101010101010101010101","content":"0202020202020202020202020202020202020202020202020202020202020202"}}]}"#,
    ),
    (
        "held",
        r#"{"kind":"Bundle","namespace":"a","name":"b","uid":"u-3","epoch":1,"generation":3,"move":1,"digest":"0101010101010101010101010101010101010101010101010101010101010101","state":"Removed","confirmed":"Remove","standing":"Recorded","in_force":true,"resumed":true,"held":"OverBudget","inventory":[]}"#,
    ),
];

/// Specs of a Release and of a Bundle.
const SPECS: [(&str, &str); 3] = [
    (
        "release",
        r#"{"owner":{"projectName":"shop","componentName":"cart"},"environmentName":"development","resources":[{"id":"d","object":{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"cart","namespace":"shop"},"spec":{"replicas":1.5e3}}}]}"#,
    ),
    (
        "bundle",
        r#"{"plane":"eu-1","objects":[{"id":"c","object":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","annotations":{"outhaul.dev/protect":"true"}},"data":{"a":"\u00e9"}}},{"id":"e","object":7}]}"#,
    ),
    (
        "numbers",
        r#"{"resources":[{"id":"c","object":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{}}}],"n":[0,-0.0,1e300,18446744073709551615,-9223372036854775808,0.1]}"#,
    ),
];

/// The resources that both ends begin with.
pub(crate) fn heads() -> Vec<Head> {
    (0..3).map(|n| head(n, 2)).collect()
}

/// The same, as a plane holds them: in force, not yet recorded, and let go.
pub(crate) fn holdings() -> BTreeMap<Key, Holding> {
    let standings = [Standing::Recorded, Standing::Unrecorded, Standing::Gone];
    heads()
        .into_iter()
        .zip(standings)
        .map(|(head, standing)| {
            let holding = Holding {
                head,
                standing,
                whole: true,
            };
            (holding.head.key.clone(), holding)
        })
        .collect()
}

/// The state of an object.
pub(crate) fn object_report() -> ObjectReport {
    ObjectReport {
        id: "d".to_owned(),
        object: object(),
        uid: Some(uid("u-2")),
        health: Health::Healthy,
        status: RawStatus::Json(b"{}".to_vec()),
        blocker: Some(blocker()),
    }
}

fn uid(text: &str) -> Uid {
    Uid::new(text).expect("the uids here are good")
}

fn head(n: u8, generation: u64) -> Head {
    Head {
        key: Key {
            kind: BundleKind::Release,
            namespace: "default".to_owned(),
            name: format!("r{n}"),
            uid: uid(&format!("u-{n}")),
        },
        version: Version {
            epoch: Epoch(1),
            generation: Generation(generation),
            moved: Move(0),
        },
        digest: Digest([n; 32]),
        state: HeadState::Present,
        confirmed: None,
    }
}

fn held(n: u8, generation: u64) -> Held {
    let Head { key, version, .. } = head(n, generation);
    Held { key, version }
}

fn object() -> ObjectRef {
    ObjectRef {
        group: "apps".to_owned(),
        version: "v1".to_owned(),
        kind: "Deployment".to_owned(),
        namespace: "shop".to_owned(),
        name: "cart".to_owned(),
    }
}

fn blocker() -> Blocker {
    Blocker {
        reason: BlockerReason::Conflict,
        message: "owned".to_owned(),
    }
}

fn orphans() -> Orphans {
    Orphans {
        keys: vec![head(7, 1).key],
        total: 1,
    }
}

fn agent_messages() -> Vec<AgentMessage> {
    let hello = Hello {
        agent_version: "0.1.0".to_owned(),
        kubernetes_version: "v1.37.2".to_owned(),
        instance: [9; 16],
        term: Term { boot: 2, dial: 1 },
        epoch: Epoch(1),
        desired: Root(Digest([2; 32])),
        observed: None,
        orphans: orphans(),
        policy: Policy::default(),
    };
    let Held { key, version } = held(0, 2);
    let report = Report {
        key,
        version,
        whole: true,
        objects: vec![object_report()],
        leftovers: vec![Leftover {
            object: object(),
            uid: None,
            blocker: Some(blocker()),
        }],
        observed: Some(Digest([1; 32])),
    };
    vec![
        AgentMessage::Hello(hello),
        AgentMessage::Acknowledge(vec![held(0, 2), held(1, 2)]),
        AgentMessage::Report(report),
        AgentMessage::Observed(Root(Digest([4; 32]))),
        AgentMessage::Orphans(orphans()),
        AgentMessage::Policy(Policy {
            digest: Some(Digest([6; 32])),
            mode: Mode::Observes,
            confirmations: Confirmations::Plane,
            problem: Some("kinds: 7 is no list".to_owned()),
        }),
        AgentMessage::HubBehind {
            held: held(1, 3),
            digest: Digest([3; 32]),
        },
        AgentMessage::Gone(held(2, 2)),
    ]
}

fn hub_messages() -> Vec<HubMessage> {
    let announced = |n, generation| Announced {
        head: head(n, generation),
        recorded: n % 2 == 0,
        content: (n == 0).then(content),
    };
    vec![
        HubMessage::Welcome(Welcome {
            epoch: Epoch(1),
            fleet: 2,
            converged: false,
        }),
        HubMessage::Observed {
            hashes: vec![(head(0, 2).key, Digest([5; 32]))],
            complete: true,
        },
        HubMessage::Announce(Announce {
            heads: vec![announced(0, 3), announced(1, 3), announced(5, 1)],
            complete: true,
        }),
        HubMessage::Recorded(held(1, 3)),
        HubMessage::ReportWanted(head(0, 3).key),
        HubMessage::Settled(held(2, 2)),
        HubMessage::Closing(Closing {
            reason: ClosingReason::Restarting,
            retry_after_ms: 250,
        }),
    ]
}

fn refused() -> HubMessage {
    HubMessage::Refused(Refused {
        reason: RefusedReason::NotReady,
        message: "reading".to_owned(),
        retry_after_ms: 1_000,
    })
}

fn content() -> Content {
    Content {
        length: 300,
        zstd: vec![0x28, 0xb5, 0x2f, 0xfd],
    }
}

fn fetch() -> Fetch {
    Fetch {
        digest: Digest([7; 32]),
    }
}

fn fetched() -> Fetched {
    Fetched::Content(content())
}

fn request() -> Request {
    Request {
        token_id: "t".to_owned(),
        secret: [6; 32],
        csr: vec![0x30],
    }
}

fn answers() -> [Answer; 2] {
    [
        Answer::Enrolled(vec![vec![0x30], vec![0x30]]),
        Answer::Refused(Refusal::TokenExpired),
    ]
}

fn token() -> String {
    let token = Token {
        hub: "hub.example:8443".to_owned(),
        authority: Digest([8; 32]),
        id: "t".to_owned(),
        secret: [9; 32],
    };
    token.to_string()
}

fn stream(kind: u8, frames: &[u8]) -> Vec<u8> {
    [&[kind], frames].concat()
}

fn framed<T: Encode, const LIMIT: usize>(messages: &[T]) -> Vec<u8> {
    let frames = messages.iter().map(|message| frame::encode::<LIMIT>(message));
    frames
        .map(|frame| frame.expect("a seed fits its frame"))
        .collect::<Vec<_>>()
        .concat()
}

fn body(message: &impl Encode) -> Vec<u8> {
    outhaul_protocol_wire::codec::encode(message)
}
