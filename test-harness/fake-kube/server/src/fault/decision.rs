//! What becomes of a request: decided here, carried out by the service.

use std::time::Duration;

use outhaul_fake_kube_core::kind::GroupResource;
use outhaul_fake_kube_core::refusal::Refusal;
use outhaul_fake_kube_core::request::{Path, Request};

use super::{Draw, Fault, FaultRule};

/// What becomes of a request.
#[derive(Debug)]
pub(crate) struct Decision {
    /// How long it waits.
    pub(crate) delay: Duration,
    /// How long its answer waits once there is one.
    pub(crate) late: Duration,
    /// What is done then.
    pub(crate) then: Then,
    /// If it is served and a watch.
    pub(crate) watch: WatchFaults,
}

/// What is done with a request.
#[derive(Debug)]
pub(crate) enum Then {
    Serve,
    /// Serve the state so many writes ago.
    ServeStale(u64),
    Refuse(Refusal),
    /// Never answer.
    Hang,
    /// Serve, and break the connection instead of answering.
    LoseAnswer,
}

/// What happens to a watch on its way.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct WatchFaults {
    /// After so many deliveries it ends like this.
    pub(crate) end: Option<(u32, WatchEnd)>,
    /// After so long it breaks off.
    pub(crate) lost_after: Option<Duration>,
    /// After so many deliveries it tells nothing any more.
    pub(crate) mute: Option<u32>,
    /// How long each delivery waits; drawn for each of them.
    pub(crate) delay: Option<(Duration, Duration, Draw)>,
}

impl WatchFaults {
    /// It ends once, by the first rule that struck.
    fn end_after(&mut self, deliveries: u32, end: WatchEnd) {
        self.end.get_or_insert((deliveries, end));
    }
}

/// How a watch ends before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WatchEnd {
    Cut,
    InOrder,
    Expired,
}

/// The rules of one cluster, and how many requests each of them has seen.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    seed: u64,
    rules: Vec<Kept>,
    met: u64,
}

#[derive(Debug)]
struct Kept {
    rule: FaultRule,
    /// Requests that it was about, whether they met the fault or not.
    seen: u64,
    left: Option<u32>,
}

impl Faults {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    pub(crate) fn add(&mut self, rule: FaultRule) {
        let left = rule.times;
        self.rules.push(Kept { rule, seen: 0, left });
    }

    /// Whether it matters who sends a request.
    pub(crate) fn ask_who(&self) -> bool {
        self.rules.iter().any(|kept| kept.rule.user.is_some())
    }

    /// How many requests have met a fault.
    pub(crate) fn met(&self) -> u64 {
        self.met
    }

    /// Waiting adds up over all rules; of what else goes wrong, the first rule that strikes decides.
    pub(crate) fn decide(&mut self, request: &Request, user: Option<&str>) -> Decision {
        let mut decision = Decision {
            delay: Duration::ZERO,
            late: Duration::ZERO,
            then: Then::Serve,
            watch: WatchFaults::default(),
        };
        for (at, kept) in self.rules.iter_mut().enumerate() {
            if !matches!(decision.then, Then::Serve) {
                break;
            }
            if let Some(draw) = kept.strikes(Draw::new(self.seed).at(at as u64), request, user) {
                self.met += 1;
                decision.suffer(&kept.rule.fault, draw, request);
            }
        }
        decision
    }
}

impl Kept {
    /// Whether this rule strikes now; the draw for what is still open then.
    fn strikes(&mut self, draw: Draw, request: &Request, user: Option<&str>) -> Option<Draw> {
        if self.left == Some(0) || !self.rule.is_about(request, user) {
            return None;
        }
        let draw = draw.at(self.seen);
        self.seen += 1;
        if !draw.happens(self.rule.probability) {
            return None;
        }
        self.left = self.left.map(|left| left - 1);
        Some(draw)
    }
}

impl Decision {
    fn suffer(&mut self, fault: &Fault, draw: Draw, request: &Request) {
        match *fault {
            Fault::Delay(time) => self.delay += time,
            Fault::Latency(least, most) | Fault::SlowAdmission(least, most) => {
                self.delay += draw.between(least, most);
            }
            Fault::LateAnswer(least, most) => self.late += draw.between(least, most),
            Fault::CutWatch { within } => self.watch.end_after(draw.up_to(within), WatchEnd::Cut),
            Fault::EndWatch { within } => self.watch.end_after(draw.up_to(within), WatchEnd::InOrder),
            Fault::ExpireWatch { within } => self.watch.end_after(draw.up_to(within), WatchEnd::Expired),
            Fault::LoseWatch(least, most) => {
                self.watch.lost_after.get_or_insert(draw.between(least, most));
            }
            Fault::MuteWatch { within } => {
                self.watch.mute.get_or_insert(draw.up_to(within));
            }
            Fault::DelayWatch(least, most) => self.watch.delay = Some((least, most, draw)),
            Fault::StaleRead { versions } => self.then = Then::ServeStale(versions),
            Fault::NoAnswer => self.then = Then::Hang,
            Fault::LostAnswer => self.then = Then::LoseAnswer,
            Fault::TooManyRequests { retry_after } => {
                self.then = Then::Refuse(Refusal::too_many_requests(retry_after));
            }
            Fault::Forbidden => {
                self.then = Then::Refuse(Refusal::new(403, "Forbidden", "refused by an injected fault"));
            }
            Fault::NotServed => self.then = Then::Refuse(Refusal::no_such_path()),
            Fault::Conflict => self.then = Then::Refuse(conflict(request)),
            Fault::InternalError => self.then = Then::Refuse(Refusal::internal("injected fault")),
        }
    }
}

fn conflict(request: &Request) -> Refusal {
    match &request.path {
        Path::Resource(target) => {
            let resource = GroupResource::new(&target.group, &target.resource);
            Refusal::stale(&resource, target.name.as_deref().unwrap_or_default())
        }
        Path::Other(_) => Refusal::new(409, "Conflict", "injected fault"),
    }
}

#[cfg(test)]
mod tests {
    use outhaul_fake_kube_core::request::{RawRequest, Verb};

    use super::*;

    fn request(method: &str, path: &str) -> Request {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let raw = RawRequest {
            method,
            path,
            query,
            content_type: "application/json",
            body: if method == "GET" { b"" } else { b"{}" },
            ..RawRequest::default()
        };
        Request::parse(&raw).unwrap()
    }

    const MAPS: &str = "/api/v1/namespaces/default/configmaps";
    /// Of whatever version.
    const ANY_MAPS: &str = "/api/v1/namespaces/default/configmaps?resourceVersion=0";

    /// What becomes of 200 requests, as a line of letters.
    fn run(seed: u64) -> String {
        let mut faults = Faults::seeded(seed);
        faults.add(FaultRule::sometimes(0.2, Fault::InternalError));
        faults.add(FaultRule::sometimes(0.2, Fault::StaleRead { versions: 3 }).on_verb(Verb::List));
        faults.add(FaultRule::sometimes(
            0.2,
            Fault::Latency(Duration::ZERO, Duration::from_secs(1)),
        ));
        let letter = |decision: Decision| match decision.then {
            Then::Refuse(_) => 'r',
            Then::ServeStale(_) => 's',
            _ if decision.delay.is_zero() => '.',
            _ => 'd',
        };
        (0..200)
            .map(|_| letter(faults.decide(&request("GET", ANY_MAPS), None)))
            .collect()
    }

    #[test]
    fn the_same_seed_brings_the_same_faults() {
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        assert!("rsd.".chars().all(|letter| run(1).contains(letter)), "{}", run(1));
    }

    #[test]
    fn a_rule_strikes_as_often_as_asked_and_only_where_it_fits() {
        let mut faults = Faults::default();
        faults.add(FaultRule::always(Fault::Conflict).times(2));
        let mut refused = |method| {
            let decision = faults.decide(&request(method, MAPS), None);
            matches!(decision.then, Then::Refuse(refusal) if refusal.code == 409)
        };
        assert_eq!(
            ["GET", "POST", "POST", "POST"].map(&mut refused),
            [false, true, true, false]
        );
        assert_eq!(faults.met(), 2);
    }

    #[test]
    fn a_rule_for_every_request_is_about_discovery_too() {
        let paths = ["/apis", "/version", "/openapi/v3", "/readyz", MAPS];
        let met = |rule: FaultRule| {
            let mut faults = Faults::default();
            faults.add(rule);
            paths.map(|path| matches!(faults.decide(&request("GET", path), None).then, Then::Refuse(_)))
        };
        assert_eq!(met(FaultRule::always(Fault::InternalError)), [true; 5]);
        let of_maps = FaultRule::always(Fault::InternalError).on_resource("", "configmaps");
        assert_eq!(met(of_maps), [false, false, false, false, true]);
    }

    #[test]
    fn a_rule_is_as_narrow_as_asked() {
        const ONE: &str = "/api/v1/namespaces/default/pods/one";
        const STATUS: &str = "/api/v1/namespaces/default/pods/one/status";
        const OTHER: &str = "/api/v1/namespaces/other/pods/two";
        const SPACE: &str = "/api/v1/namespaces/default";
        let all = [ONE, STATUS, OTHER, SPACE, MAPS, "/version"];
        let any = || FaultRule::always(Fault::InternalError);
        let cases = [
            (any(), [true; 6]),
            (
                any().on_subresource("status"),
                [false, true, false, false, false, false],
            ),
            (any().on_subresource(""), [true, false, true, true, true, false]),
            (
                any().in_namespace("default"),
                [true, true, false, false, true, false],
            ),
            (any().of_user("hub"), [true; 6]),
            (any().of_user("agent"), [false; 6]),
        ];
        for (rule, expected) in cases {
            let mut faults = Faults::default();
            faults.add(rule.clone());
            let met = all.map(|path| {
                let decision = faults.decide(&request("GET", path), Some("hub"));
                matches!(decision.then, Then::Refuse(_))
            });
            assert_eq!(met, expected, "{rule:?}");
        }
    }

    #[test]
    fn only_reads_that_allow_it_are_stale() {
        let mut faults = Faults::default();
        faults.add(FaultRule::always(Fault::StaleRead { versions: 3 }));
        let stale = [MAPS, ANY_MAPS].map(|path| {
            let decision = faults.decide(&request("GET", path), None);
            matches!(decision.then, Then::ServeStale(3))
        });
        assert_eq!(stale, [false, true]);
    }

    #[test]
    fn waiting_adds_up_and_the_first_refusal_decides() {
        let mut faults = Faults::default();
        let second = Duration::from_secs(1);
        faults.add(FaultRule::always(Fault::Delay(second)));
        faults.add(FaultRule::always(Fault::Delay(second)).on_resource("", "configmaps"));
        faults.add(FaultRule::always(Fault::NotServed).on_resource("", "configmaps"));
        faults.add(FaultRule::always(Fault::NoAnswer));
        let decision = faults.decide(&request("GET", MAPS), None);
        assert_eq!(decision.delay, second * 2);
        assert!(matches!(decision.then, Then::Refuse(refusal) if refusal.code == 404));
        let decision = faults.decide(&request("GET", "/api/v1/namespaces/default/secrets"), None);
        assert!(matches!(decision.then, Then::Hang));
    }
}
