//! Where the demo speaks: a terminal with a table at its bottom, redrawn in place, or plain lines.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::table::{self, Colours, Row};

/// Ten pictures a second look alive; more only cost.
const FRAME: Duration = Duration::from_millis(100);

/// Between two lines about one plane, unless everything is ready.
const LINE: Duration = Duration::from_millis(500);

/// Between two acts on a terminal, where somebody reads along.
const BREATH: Duration = Duration::from_millis(1_500);

/// A line that is too long for the terminal is cut off there: folded, it would count as two.
const CUT_OFF: [&str; 2] = ["\x1b[?7l", "\x1b[?7h"];

/// Standard output, or what stands in for it.
pub struct Screen {
    out: Box<dyn Write + Send>,
    look: Look,
    started: Instant,
}

enum Look {
    /// Escape sequences are obeyed.
    Terminal {
        colours: Colours,
        shown: String,
        at: Option<Instant>,
    },
    /// By plane: the last line about it, and when that was.
    Lines(BTreeMap<String, (String, Instant)>),
}

impl Screen {
    /// Standard output: a terminal if it is one and no log is written beside it.
    pub fn stdout() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let logged = set("RUST_LOG") && io::stderr().is_terminal();
        let out = Box::new(io::stdout());
        match io::stdout().is_terminal() && !dumb && !logged {
            true => Self::terminal(
                out,
                if set("NO_COLOR") {
                    Colours::None
                } else {
                    Colours::Ansi
                },
            ),
            false => Self::lines(out),
        }
    }

    /// Plain lines to `out`.
    pub fn lines(out: Box<dyn Write + Send>) -> Self {
        Self {
            out,
            look: Look::Lines(BTreeMap::new()),
            started: Instant::now(),
        }
    }

    /// A table at the bottom of what obeys escape sequences.
    pub fn terminal(out: Box<dyn Write + Send>, colours: Colours) -> Self {
        let look = Look::Terminal {
            colours,
            shown: String::new(),
            at: None,
        };
        Self {
            out,
            look,
            started: Instant::now(),
        }
    }

    /// Since the first word.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Leaves the table where it is, and prints text below it. What is shown later goes below that.
    ///
    /// # Errors
    /// Nobody takes it.
    pub fn conclude(&mut self, text: &str) -> Result<()> {
        if let Look::Terminal { shown, .. } = &mut self.look {
            shown.clear();
        }
        self.write(text)
    }

    /// Gives who sits before a terminal time to read.
    pub async fn breathe(&self) {
        if matches!(self.look, Look::Terminal { .. }) {
            tokio::time::sleep(BREATH).await;
        }
    }

    /// Opens an act.
    ///
    /// # Errors
    /// Nobody takes what is said.
    pub fn act(&mut self, title: &str) -> Result<()> {
        let heading = match &self.look {
            Look::Terminal {
                colours: Colours::Ansi,
                ..
            } => format!("\x1b[1m{title}\x1b[0m"),
            Look::Terminal {
                colours: Colours::None,
                ..
            }
            | Look::Lines(_) => title.to_owned(),
        };
        self.print(&format!("\n{heading}\n"))
    }

    /// Says a sentence, with the time.
    ///
    /// # Errors
    /// Nobody takes what is said.
    pub fn say(&mut self, sentence: &str) -> Result<()> {
        let seconds = self.elapsed().as_secs_f64();
        self.print(&format!("{seconds:6.2} s  {sentence}\n"))
    }

    /// Prints text as it is, above the table.
    ///
    /// # Errors
    /// Nobody takes it.
    pub fn print(&mut self, text: &str) -> Result<()> {
        let picture = match &self.look {
            Look::Terminal { shown, .. } => format!("{}{text}{shown}", erase(shown)),
            Look::Lines(_) => text.to_owned(),
        };
        self.write(&picture)
    }

    /// Shows the planes as they are, at most as often as is good to look at.
    ///
    /// # Errors
    /// Nobody takes it.
    pub fn show(&mut self, rows: &[Row]) -> Result<()> {
        match &self.look {
            Look::Terminal { at: Some(at), .. } if at.elapsed() < FRAME => Ok(()),
            Look::Terminal { .. } => self.draw(rows),
            Look::Lines(_) => rows.iter().try_for_each(|row| self.tell(row)),
        }
    }

    /// Shows the planes now: an act is over.
    ///
    /// # Errors
    /// Nobody takes it.
    pub fn settle(&mut self, rows: &[Row]) -> Result<()> {
        match &mut self.look {
            Look::Terminal { .. } => self.draw(rows),
            Look::Lines(told) => {
                told.values_mut().for_each(|(_, at)| *at -= LINE);
                rows.iter().try_for_each(|row| self.tell(row))
            }
        }
    }

    fn draw(&mut self, rows: &[Row]) -> Result<()> {
        let Look::Terminal { colours, shown, at } = &mut self.look else {
            return Ok(());
        };
        let [cut_off, fold] = CUT_OFF;
        let table = format!("{cut_off}\n{}{fold}", table::table(rows, *colours));
        *at = Some(Instant::now());
        if table == *shown {
            return Ok(());
        }
        let picture = format!("{}{table}", erase(shown));
        *shown = table;
        self.write(&picture)
    }

    fn tell(&mut self, row: &Row) -> Result<()> {
        let Look::Lines(told) = &mut self.look else {
            return Ok(());
        };
        let line = table::line(row);
        if let Some((last, at)) = told.get(&row.plane)
            && (*last == line || (at.elapsed() < LINE && !row.is_complete()))
        {
            return Ok(());
        }
        told.insert(row.plane.clone(), (line.clone(), Instant::now()));
        self.say(&line)
    }

    fn write(&mut self, picture: &str) -> Result<()> {
        let written = self
            .out
            .write_all(picture.as_bytes())
            .and_then(|()| self.out.flush());
        written.context("cannot write to standard output")
    }
}

/// Takes back what was shown: up to its first line, and everything from there on.
fn erase(shown: &str) -> String {
    match shown.matches('\n').count() {
        0 => String::new(),
        lines => format!("\r\x1b[{lines}A\x1b[J"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::fleet::State;
    use crate::table::Link;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Paper {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    fn row(states: &[State]) -> Row {
        Row {
            plane: "eu".to_owned(),
            link: Link::Connected,
            states: states.to_vec(),
            planned: 2,
            objects: (0, 2),
            waiting: 0,
            lag: Duration::ZERO,
            problems: Vec::new(),
        }
    }

    #[test]
    fn lines_are_told_once_and_completion_at_once() {
        let paper = Paper::default();
        let mut screen = Screen::lines(Box::new(paper.clone()));
        screen.show(&[row(&[])]).unwrap();
        screen.show(&[row(&[])]).unwrap();
        screen.show(&[row(&[State::Ready])]).unwrap();
        screen.show(&[row(&[State::Ready, State::Ready])]).unwrap();
        let text = paper.text();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(
            text.contains("eu: 0 of 2 ") && text.contains("eu: 2 of 2 "),
            "{text}"
        );
        assert!(!text.contains('\x1b'), "{text}");
    }

    #[test]
    fn what_is_said_on_a_terminal_goes_above_the_table() {
        let paper = Paper::default();
        let mut screen = Screen::terminal(Box::new(paper.clone()), Colours::None);
        screen.settle(&[row(&[State::Queued])]).unwrap();
        screen.say("Cut.").unwrap();
        let text = paper.text();
        let (before, after) = text.split_once("\x1b[3A\x1b[J").unwrap();
        assert!(before.contains("○·"), "{before}");
        assert!(
            after.contains("Cut.") && after.ends_with("-\n\x1b[?7h"),
            "{after}"
        );
    }

    #[test]
    fn what_concludes_stays_below_the_table() {
        let paper = Paper::default();
        let mut screen = Screen::terminal(Box::new(paper.clone()), Colours::None);
        screen.settle(&[row(&[State::Ready])]).unwrap();
        screen.conclude("The end.\n").unwrap();
        screen.settle(&[row(&[State::Ready])]).unwrap();
        let text = paper.text();
        assert!(!text.contains("\x1b[J"), "{text}");
        assert_eq!(
            text.split("The end.\n")
                .map(|part| part.matches('●').count())
                .collect::<Vec<_>>(),
            [1, 1]
        );
    }

    #[test]
    fn a_terminal_is_not_redrawn_without_a_change() {
        let paper = Paper::default();
        let mut screen = Screen::terminal(Box::new(paper.clone()), Colours::Ansi);
        screen.settle(&[row(&[State::Queued])]).unwrap();
        let before = paper.text();
        screen.settle(&[row(&[State::Queued])]).unwrap();
        assert_eq!(paper.text(), before);
    }
}
