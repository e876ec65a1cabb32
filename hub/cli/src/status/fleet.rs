//! All planes, a line each.

use std::time::Duration;

use jiff::Timestamp;

use crate::answers::Plane;
use crate::table::table;
use crate::text::{distance, short};

const HEADING: [&str; 9] = [
    "PLANE",
    "STATE",
    "SINCE",
    "AGENT",
    "KUBERNETES",
    "BUNDLES",
    "WAITING",
    "LAG",
    "ORPHANS",
];

pub(super) fn render(planes: &[Plane], now: Timestamp) -> String {
    if planes.is_empty() {
        return "There are no planes yet. Make one with `outhaul plane token NAME --for dataplane/NAMESPACE/NAME`.\n"
            .to_owned();
    }
    let rows: Vec<_> = planes.iter().map(|plane| row(plane, now)).collect();
    table(HEADING, &rows)
}

fn row(plane: &Plane, now: Timestamp) -> [String; 9] {
    let connection = plane.connection.as_ref();
    let lag = Duration::from_millis(plane.queue.lag_ms);
    [
        plane.name.clone(),
        state(plane).to_owned(),
        connection
            .map(|connection| distance(&connection.since, now))
            .unwrap_or_default(),
        connection
            .map(|connection| connection.agent_version.clone())
            .unwrap_or_default(),
        connection
            .map(|connection| connection.kubernetes_version.clone())
            .unwrap_or_default(),
        plane.queue.bundles.to_string(),
        plane.queue.unacknowledged.to_string(),
        if lag.is_zero() { String::new() } else { short(lag) },
        plane.orphans.total.to_string(),
    ]
}

/// One word for people.
pub(super) fn state(plane: &Plane) -> &'static str {
    match (&plane.connection, plane.enrolled, plane.revoked) {
        _ if plane.forgotten => "Forgotten",
        (_, _, true) => "Revoked",
        (Some(_), _, false) => match plane.policy.as_ref().map(|policy| policy.mode.as_str()) {
            Some("Pauses") => "Paused",
            Some("Observes") => "Observing",
            Some(_) | None => "Connected",
        },
        (None, true, false) => "Disconnected",
        (None, false, false) => "NotEnrolled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::samples;

    #[test]
    fn every_plane_has_a_line_that_says_how_it_is() {
        let connected = samples::plane("eu");
        let mut away = samples::plane("us-west-2");
        away.connection = None;
        away.queue.unacknowledged = 3;
        away.queue.lag_ms = 65_000;
        let mut revoked = samples::plane("old");
        revoked.revoked = true;
        revoked.orphans.total = 4;
        let gone = Plane {
            connection: None,
            forgotten: true,
            ..samples::plane("gone")
        };
        let new = Plane {
            connection: None,
            enrolled: false,
            ..samples::plane("new")
        };
        let paused = samples::governed("paused", "Pauses");
        let watching = samples::governed("watching", "Observes");
        let planes = [connected, away, revoked, gone, new, paused, watching];
        let text = render(&planes, samples::now());
        let expected = "\
PLANE      STATE         SINCE  AGENT  KUBERNETES  BUNDLES  WAITING  LAG  ORPHANS
eu         Connected     3m     0.1.0  v1.37.1     2        0        -    0
us-west-2  Disconnected  -      -      -           2        3        65s  0
old        Revoked       3m     0.1.0  v1.37.1     2        0        -    4
gone       Forgotten     -      -      -           2        0        -    0
new        NotEnrolled   -      -      -           2        0        -    0
paused     Paused        3m     0.1.0  v1.37.1     2        0        -    0
watching   Observing     3m     0.1.0  v1.37.1     2        0        -    0
";
        assert_eq!(text, expected);
    }

    #[test]
    fn an_empty_fleet_says_how_to_begin() {
        assert!(render(&[], samples::now()).contains("outhaul plane token"));
    }
}
