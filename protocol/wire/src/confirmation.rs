//! What somebody confirmed about objects that a plane holds, as it is written down: like `remove@7`. It is about one
//! generation, so that it says nothing of an edit that comes later.

use core::fmt;
use core::str::FromStr;

use crate::head::Confirmed;
use crate::ids::Generation;

/// What was confirmed, and of which generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmation {
    /// What is to become of the objects.
    pub confirmed: Confirmed,
    /// The generation.
    pub generation: Generation,
}

impl Confirmation {
    /// What it says of a generation.
    pub fn of(self, generation: Generation) -> Option<Confirmed> {
        (self.generation == generation).then_some(self.confirmed)
    }
}

impl fmt::Display for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.confirmed.as_str(), self.generation)
    }
}

/// It is no confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a confirmation reads remove@GENERATION or leave@GENERATION")]
pub struct NoConfirmation;

impl FromStr for Confirmation {
    type Err = NoConfirmation;

    fn from_str(text: &str) -> Result<Self, NoConfirmation> {
        let (word, generation) = text.split_once('@').ok_or(NoConfirmation)?;
        Ok(Self {
            confirmed: Confirmed::from_word(word).ok_or(NoConfirmation)?,
            generation: Generation(generation.parse().map_err(|_no_number| NoConfirmation)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confirmation_reads_back_and_is_about_one_generation() {
        let confirmation: Confirmation = "leave@7".parse().unwrap();
        assert_eq!(confirmation.to_string(), "leave@7");
        assert_eq!(confirmation.of(Generation(7)), Some(Confirmed::Leave));
        assert_eq!(confirmation.of(Generation(8)), None);
    }

    #[test]
    fn nothing_else_confirms_anything() {
        for text in [
            "",
            "remove",
            "remove@",
            "remove@x",
            "@7",
            "Remove@7",
            "keep@7",
            "remove@7@7",
            "remove@-1",
        ] {
            assert_eq!(text.parse::<Confirmation>(), Err(NoConfirmation), "{text}");
        }
    }
}
