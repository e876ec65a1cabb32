//! A bar and whether it is met: one line each, at the end of every run.

use std::fmt;

/// What a bar says of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bar {
    /// It is at most this.
    AtMost(f64),
    /// It is at least this.
    AtLeast(f64),
}

/// A number and its bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What the number is of, with its floor.
    pub what: String,
    /// The number.
    pub value: f64,
    /// What follows the number: `x`, ` ms`, ` KiB`.
    pub unit: &'static str,
    /// What it should be.
    pub bar: Bar,
}

impl Verdict {
    /// Ours over the floor. None where either was not measured.
    pub fn ratio(what: impl Into<String>, ours: Option<f64>, floor: Option<f64>, bar: Bar) -> Option<Self> {
        Some(Self {
            what: what.into(),
            value: ours? / floor?,
            unit: "x",
            bar,
        })
    }

    /// Whether the bar is met. A number that is none meets no bar.
    pub fn is_met(&self) -> bool {
        match self.bar {
            Bar::AtMost(most) => self.value <= most,
            Bar::AtLeast(least) => self.value >= least,
        }
    }

    /// How far it is missed: 1 where it is just met, 2 where it is half as good as it should be.
    fn missed_by(&self) -> f64 {
        match self.bar {
            Bar::AtMost(most) => self.value / most,
            Bar::AtLeast(least) => least / self.value,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            value,
            unit,
            bar,
        } = self;
        let value = Rounded(*value);
        let (word, bar) = match bar {
            Bar::AtMost(most) => ("at most", Rounded(*most)),
            Bar::AtLeast(least) => ("at least", Rounded(*least)),
        };
        match self.is_met() {
            true => write!(f, "met     {what}: {value}{unit}, bar {word} {bar}{unit}"),
            false if bar.0 > 0.0 && self.missed_by().is_finite() => {
                let by = self.missed_by();
                write!(
                    f,
                    "MISSED  {what}: {value}{unit}, bar {word} {bar}{unit}, missed by {by:.2}x"
                )
            }
            false => write!(f, "MISSED  {what}: {value}{unit}, bar {word} {bar}{unit}"),
        }
    }
}

/// Two digits after the point where they say something.
#[derive(Clone, Copy)]
struct Rounded(f64);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            whole if whole.fract() == 0.0 => write!(f, "{whole:.0}"),
            large if large.abs() >= 100.0 => write!(f, "{large:.0}"),
            small => write!(f, "{small:.2}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(value: f64, unit: &'static str, bar: Bar) -> String {
        let what = "p50".to_owned();
        Verdict {
            what,
            value,
            unit,
            bar,
        }
        .to_string()
    }

    #[test]
    fn a_bar_is_met_up_to_its_edge() {
        assert_eq!(
            line(1.25, "x", Bar::AtMost(1.25)),
            "met     p50: 1.25x, bar at most 1.25x"
        );
        assert_eq!(
            line(0.9, "x", Bar::AtLeast(0.9)),
            "met     p50: 0.90x, bar at least 0.90x"
        );
    }

    #[test]
    fn a_missed_bar_says_by_how_much() {
        assert_eq!(
            line(75.0, " ms", Bar::AtMost(50.0)),
            "MISSED  p50: 75 ms, bar at most 50 ms, missed by 1.50x"
        );
        assert_eq!(
            line(0.45, "x", Bar::AtLeast(0.9)),
            "MISSED  p50: 0.45x, bar at least 0.90x, missed by 2.00x"
        );
    }

    #[test]
    fn a_bar_of_none_at_all_is_missed_by_any() {
        assert_eq!(
            line(0.0, " writes", Bar::AtMost(0.0)),
            "met     p50: 0 writes, bar at most 0 writes"
        );
        assert_eq!(
            line(3.0, " writes", Bar::AtMost(0.0)),
            "MISSED  p50: 3 writes, bar at most 0 writes"
        );
    }

    #[test]
    fn what_could_not_be_measured_meets_no_bar() {
        assert!(line(f64::NAN, "x", Bar::AtMost(1.0)).starts_with("MISSED"));
        assert_eq!(Verdict::ratio("p50", Some(1.0), None, Bar::AtMost(1.0)), None);
    }
}
