//! One plane, and a line for everything that is meant for it.

use jiff::Timestamp;

use super::fleet::state;
use crate::answers::{Bundle, Connection, Plane, Policy};
use crate::table::table;
use crate::text::{distance, printable};

const HEADING: [&str; 4] = ["BUNDLE", "STATE", "DONE", "BLOCKED BY"];

pub(super) fn render(plane: &Plane, bundles: &[Bundle], now: Timestamp) -> String {
    let mut text = printable(&format!(
        "Plane {}: {}{}",
        plane.name,
        state(plane),
        details(plane, now)
    ));
    text.push('\n');
    if plane.orphans.total > 0 {
        let total = plane.orphans.total;
        text.push_str(&format!(
            "It holds {total} that the hub does not know; they are kept, see `outhaul orphans list`.\n"
        ));
    }
    for sentence in plane.policy.iter().flat_map(governed) {
        text.push_str(&printable(&sentence));
        text.push('\n');
    }
    text.push('\n');
    if bundles.is_empty() {
        text.push_str("Nothing is meant for it.\n");
        return text;
    }
    let rows: Vec<_> = bundles.iter().map(row).collect();
    text.push_str(&table(HEADING, &rows));
    text
}

/// What the policy of the plane's owner means for whoever waits for something.
fn governed(policy: &Policy) -> Vec<String> {
    let mode = match policy.mode.as_str() {
        "Pauses" => Some("Its owner pauses all work there (policy: pause)."),
        "Observes" => Some("Nothing is changed there, and blockers say what would be (policy: observeOnly)."),
        _ => None,
    };
    let confirmations = (policy.confirmations == "Plane")
        .then_some("What is held there only its owner can confirm, on the plane (policy: confirmations).");
    let problem = policy.problem.as_ref().map(|problem| {
        format!("Its owner's policy cannot be read, and what could be read last is in force: {problem}")
    });
    let sentences = mode.into_iter().chain(confirmations).map(str::to_owned);
    sentences.chain(problem).collect()
}

fn details(plane: &Plane, now: Timestamp) -> String {
    plane
        .connection
        .as_ref()
        .map(|connection| connected(connection, now))
        .unwrap_or_default()
}

fn connected(connection: &Connection, now: Timestamp) -> String {
    let kubernetes = match connection.kubernetes_version.as_str() {
        "" => "Kubernetes not reachable".to_owned(),
        version => format!("Kubernetes {version}"),
    };
    format!(
        " for {} from {} (term {}.{}), agent {}, {kubernetes}, certificate expires {}",
        distance(&connection.since, now),
        connection.remote,
        connection.term.boot,
        connection.term.dial,
        connection.agent_version,
        expiry(&connection.certificate_expires, now),
    )
}

fn expiry(time: &str, now: Timestamp) -> String {
    match time.parse::<Timestamp>() {
        Ok(expires) if expires <= now => format!("{} ago", distance(time, now)),
        Ok(_) => format!("in {}", distance(time, now)),
        Err(_not_a_time) => "unknown".to_owned(),
    }
}

fn row(bundle: &Bundle) -> [String; 4] {
    let done = bundle.objects.iter().filter(|object| object.is_done()).count();
    let of = match bundle.objects.len() {
        0 => String::new(),
        all => format!("{done}/{all}"),
    };
    [
        format!("{} {}/{}", bundle.kind, bundle.namespace, bundle.name),
        bundle.state.clone(),
        of,
        blocked_by(bundle),
    ]
}

/// What holds the whole; else the first object that is held, and how many more are.
fn blocked_by(bundle: &Bundle) -> String {
    if let Some(blocker) = &bundle.blocker {
        return blocker.reason.clone();
    }
    let objects = bundle
        .objects
        .iter()
        .map(|object| (&object.object, &object.blocker));
    let leftovers = bundle
        .leftovers
        .iter()
        .map(|leftover| (&leftover.object, &leftover.blocker));
    let mut held = objects
        .chain(leftovers)
        .filter_map(|(object, blocker)| Some((object, blocker.as_ref()?)));
    let Some((object, blocker)) = held.next() else {
        return String::new();
    };
    match held.count() {
        0 => format!("{object}: {}", blocker.reason),
        more => format!("{object}: {} (and {more} more)", blocker.reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::samples;

    #[test]
    fn a_plane_says_how_it_is_connected_and_what_is_stuck() {
        let mut stuck = samples::bundle("checkout");
        stuck.state = "Progressing".to_owned();
        stuck.objects[1].blocker = Some(samples::blocker("KindUnknown"));
        stuck.objects[1].health = "Unknown".to_owned();
        stuck.objects.push(stuck.objects[1].clone());
        let mut waiting = samples::bundle("search");
        waiting.state = "Queued".to_owned();
        waiting.objects.clear();
        waiting.blocker = Some(samples::blocker("NotStored"));
        let bundles = [samples::bundle("cart"), stuck, waiting];
        let text = render(&samples::plane("eu"), &bundles, samples::now());
        let expected = "\
Plane eu: Connected for 3m from 192.0.2.7:50000 (term 3.14), agent 0.1.0, Kubernetes v1.37.1, certificate expires in 365d

BUNDLE                 STATE        DONE  BLOCKED BY
Release shop/cart      Ready        2/2   -
Release shop/checkout  Progressing  1/3   HTTPRoute.gateway.networking.k8s.io shop-prod/web: KindUnknown (and 1 more)
Release shop/search    Queued       -     NotStored
";
        assert_eq!(text, expected);
    }

    #[test]
    fn an_absent_plane_with_orphans_and_nothing_to_do() {
        let mut plane = samples::plane("eu");
        plane.connection = None;
        plane.orphans.total = 2;
        let text = render(&plane, &[], samples::now());
        let expected = "\
Plane eu: Disconnected
It holds 2 that the hub does not know; they are kept, see `outhaul orphans list`.

Nothing is meant for it.
";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_the_policy_of_its_owner_means_is_said() {
        let policy = |mode: &str, confirmations: &str, problem: Option<&str>| Policy {
            mode: mode.to_owned(),
            confirmations: confirmations.to_owned(),
            problem: problem.map(str::to_owned),
        };
        let cases = [
            (policy("Acts", "Hub", None), vec![]),
            (
                policy("Pauses", "Hub", None),
                vec!["Its owner pauses all work there (policy: pause)."],
            ),
            (
                policy("Observes", "Plane", Some("kinds")),
                vec![
                    "Nothing is changed there, and blockers say what would be (policy: observeOnly).",
                    "What is held there only its owner can confirm, on the plane (policy: confirmations).",
                    "Its owner's policy cannot be read, and what could be read last is in force: kinds",
                ],
            ),
        ];
        for (policy, expected) in cases {
            let plane = Plane {
                policy: Some(policy),
                ..samples::plane("eu")
            };
            let text = render(&plane, &[], samples::now());
            let said: Vec<&str> = text.lines().skip(1).take_while(|line| !line.is_empty()).collect();
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn an_expired_certificate_is_said_to_be() {
        assert_eq!(expiry("2026-01-02T03:04:05Z", samples::now()), "3m ago");
    }
}
