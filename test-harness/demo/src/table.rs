//! How the fleet looks: rows in, text out.

use std::fmt::Write as _;
use std::time::Duration;

use crate::fleet::{Plane, State};

/// Problems shown under the table; more would push the story off the screen.
const PROBLEMS: usize = 3;

/// A plane as a line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Name of the plane.
    pub plane: String,
    /// Its way to the hub.
    pub link: Link,
    /// Each of its resources.
    pub states: Vec<State>,
    /// How many there will be.
    pub planned: usize,
    /// Objects that are as desired, of those known.
    pub objects: (usize, usize),
    /// Versions that the plane does not have yet.
    pub waiting: u64,
    /// How long the oldest of them has been waiting.
    pub lag: Duration,
    /// What is stuck, and why.
    pub problems: Vec<String>,
}

/// A plane's way to the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// The hub has a session with it.
    Connected,
    /// The demo has cut the network. The hub notices only after a minute of silence.
    Cut,
    /// The hub has no session with it.
    Away,
}

/// Whether colours may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// As terminals understand them.
    Ansi,
    /// None.
    None,
}

impl Row {
    /// The row of `plane`, of which `planned` resources and `objects` objects are expected in the end.
    pub fn new(plane: &Plane, cut: bool, planned: usize, objects: usize) -> Self {
        let (done, known) = plane.objects();
        Self {
            plane: plane.name.clone(),
            link: match (cut, plane.connected) {
                (true, _) => Link::Cut,
                (false, true) => Link::Connected,
                (false, false) => Link::Away,
            },
            states: plane.bundles.iter().map(|bundle| bundle.state).collect(),
            planned: planned.max(plane.bundles.len()),
            objects: (done, known.max(objects)),
            waiting: plane.waiting,
            lag: plane.lag,
            problems: plane.bundles.iter().filter_map(|bundle| bundle.stuck()).collect(),
        }
    }

    /// Whether everything planned is as desired.
    pub fn is_complete(&self) -> bool {
        self.ready() == self.planned && self.waiting == 0
    }

    fn ready(&self) -> usize {
        self.states.iter().filter(|state| **state == State::Ready).count()
    }

    fn waits(&self) -> String {
        match (self.waiting, self.lag) {
            (0, _) => "-".to_owned(),
            (waiting, lag) if lag < Duration::from_secs(1) => waiting.to_string(),
            (waiting, lag) => format!("{waiting} for {} s", lag.as_secs()),
        }
    }
}

/// All planes under a heading, and what is stuck. Every line ends with a line feed.
pub fn table(rows: &[Row], colours: Colours) -> String {
    let name = width(rows, "PLANE", |row| row.plane.chars().count());
    let strip = width(rows, "RELEASES", |row| row.planned);
    let mut text = format!(
        "  {:name$}  LINK       {:strip$}  READY    OBJECTS  WAITING\n",
        "PLANE", "RELEASES"
    );
    for row in rows {
        let padding = " ".repeat(strip - row.planned);
        let ready = format!("{}/{}", row.ready(), row.planned);
        let objects = format!("{}/{}", row.objects.0, row.objects.1);
        let (link, glyphs, waits) = (link(row.link, colours), glyphs(row, colours), row.waits());
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "  {:name$}  {link}  {glyphs}{padding}  {ready:7}  {objects:7}  {waits}",
            row.plane
        );
    }
    for problem in rows.iter().flat_map(|row| &row.problems).take(PROBLEMS) {
        let _ = writeln!(text, "  {} {}", colours.paint(RED, "!"), printable(problem));
    }
    text
}

/// A plane in one line of a log.
pub fn line(row: &Row) -> String {
    let (done, known) = row.objects;
    let mut line = format!(
        "{}: {} of {} Releases ready, {done} of {known} objects healthy",
        row.plane,
        row.ready(),
        row.planned
    );
    match row.link {
        Link::Connected => {}
        Link::Cut => line.push_str(", network cut"),
        Link::Away => line.push_str(", away"),
    }
    if row.waiting > 0 {
        let _ = write!(line, ", {} waiting", row.waits());
    }
    if let Some(problem) = row.problems.first() {
        let _ = write!(line, "; {}", printable(problem));
    }
    line
}

const GREEN: &str = "32";
const YELLOW: &str = "33";
const RED: &str = "31";
const DIM: &str = "2";

/// Longest form: `connected`.
fn link(link: Link, colours: Colours) -> String {
    let (colour, word) = match link {
        Link::Connected => (GREEN, "connected"),
        Link::Cut => (RED, "cut      "),
        Link::Away => (YELLOW, "away     "),
    };
    colours.paint(colour, word)
}

/// One sign for each resource, and a dot for each that is planned and not there.
fn glyphs(row: &Row, colours: Colours) -> String {
    let known = row.states.iter().map(|state| match state {
        State::Ready => colours.paint(GREEN, "●"),
        State::Progressing => colours.paint(YELLOW, "◐"),
        State::Stored | State::Queued => colours.paint(YELLOW, "○"),
        State::Removing => colours.paint(DIM, "◌"),
        State::Refused => colours.paint(RED, "✗"),
    });
    let to_come = row.planned.saturating_sub(row.states.len());
    known
        .chain(std::iter::repeat_n(colours.paint(DIM, "·"), to_come))
        .collect()
}

fn width(rows: &[Row], heading: &str, of: impl Fn(&Row) -> usize) -> usize {
    rows.iter().map(of).max().unwrap_or_default().max(heading.len())
}

/// Some text comes from planes, and a terminal obeys escape sequences.
fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

impl Colours {
    fn paint(self, colour: &str, text: &str) -> String {
        match self {
            Self::Ansi => format!("\x1b[{colour}m{text}\x1b[0m"),
            Self::None => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(plane: &str, states: &[State]) -> Row {
        Row {
            plane: plane.to_owned(),
            link: Link::Connected,
            states: states.to_vec(),
            planned: states.len(),
            objects: (4, 5),
            waiting: 0,
            lag: Duration::ZERO,
            problems: Vec::new(),
        }
    }

    #[test]
    fn every_resource_has_a_sign_and_what_is_to_come_a_dot() {
        let mut development = row("development", &[State::Ready; 10]);
        development.planned = 11;
        let mut production = row(
            "prod",
            &[State::Ready, State::Progressing, State::Queued, State::Refused],
        );
        production.link = Link::Cut;
        production.waiting = 2;
        production.lag = Duration::from_millis(3_900);
        let expected = "
  PLANE        LINK       RELEASES     READY    OBJECTS  WAITING
  development  connected  ●●●●●●●●●●·  10/11    4/5      -
  prod         cut        ●◐○✗         1/4      4/5      2 for 3 s
";
        assert_eq!(
            table(&[development, production], Colours::None),
            expected.trim_start_matches('\n')
        );
    }

    #[test]
    fn colours_change_nothing_but_the_colour() {
        let rows = [row("eu", &[State::Ready, State::Stored, State::Removing])];
        let mut plain = table(&rows, Colours::Ansi);
        for code in [GREEN, YELLOW, RED, DIM, "0"] {
            plain = plain.replace(&format!("\x1b[{code}m"), "");
        }
        assert_eq!(plain, table(&rows, Colours::None));
    }

    #[test]
    fn problems_are_few_and_cannot_steer_the_terminal() {
        let mut eu = row("eu", &[State::Progressing]);
        eu.problems = vec!["cart: \u{1b}[2JForbidden".to_owned(); 9];
        let text = table(&[eu.clone()], Colours::None);
        assert_eq!(text.lines().count(), 2 + PROBLEMS);
        assert!(
            !text.contains('\u{1b}') && !line(&eu).contains('\u{1b}'),
            "{text}"
        );
    }

    #[test]
    fn a_line_says_what_is_out_of_the_ordinary() {
        let mut eu = row("eu", &[State::Ready, State::Ready]);
        assert_eq!(line(&eu), "eu: 2 of 2 Releases ready, 4 of 5 objects healthy");
        assert!(eu.is_complete());
        eu.link = Link::Cut;
        eu.waiting = 1;
        eu.lag = Duration::from_secs(2);
        assert_eq!(
            line(&eu),
            "eu: 2 of 2 Releases ready, 4 of 5 objects healthy, network cut, 1 for 2 s waiting"
        );
        assert!(!eu.is_complete());
    }
}
