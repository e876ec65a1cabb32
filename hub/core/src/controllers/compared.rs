//! What a binding's Release was compared to, with all that it says: of a stored Release only a digest is kept, and it is
//! read anew only where that, or what is rendered, is another.

use outhaul_hub_render::{Change, Rendered};
use outhaul_hub_resources::{Release, ReleaseState};
use outhaul_protocol_wire::digest::Digest;

use super::look::{Write, content_of};
use super::memory::Attempt;
use super::sight;

/// A comparison, and what it came to: what is to be written, or in words why nothing can be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Compared {
    state: ReleaseState,
    /// The spec that is stored.
    stored: Digest,
    /// What is rendered by somebody who does not know that spec.
    without: Outline,
    /// What came of it for somebody who does.
    pub(super) result: Result<Taken, String>,
}

/// A Release that can be written, as far as this hub knows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Taken {
    /// What is rendered.
    pub(super) rendered: Rendered,
    /// What was to be written and is refused, if anything is.
    pub(super) attempt: Option<Attempt>,
}

/// What is rendered, with a digest of what is to be written.
#[derive(Debug, Clone, PartialEq)]
struct Outline {
    content: Option<Digest>,
    beside: Rendered,
}

impl Compared {
    /// None where something is to be written: then the stored spec becomes another.
    pub(super) fn of(
        state: ReleaseState,
        read: &Release,
        without: &Rendered,
        result: Result<(&Rendered, &Write), &String>,
    ) -> Option<Self> {
        let result = match result {
            Ok((rendered, write)) => Ok(Taken {
                rendered: rendered.without_change(),
                attempt: match write {
                    Write::Settled => None,
                    Write::Held(attempt, _) => Some(attempt.clone()),
                    Write::Due(_) => return None,
                },
            }),
            Err(why) => Err(why.clone()),
        };
        let spec = serde_json::to_value(&read.spec).expect("a spec is a map with text keys");
        Some(Self {
            state,
            stored: sight::digest(&spec),
            without: Outline::of(without),
            result,
        })
    }

    /// Whether it is the same comparison.
    pub(super) fn is_of(&self, state: ReleaseState, stored: Digest, without: &Rendered) -> bool {
        self.state == state && self.stored == stored && self.without == Outline::of(without)
    }
}

impl Outline {
    fn of(rendered: &Rendered) -> Self {
        Self {
            content: match &rendered.change {
                Change::Keep => None,
                Change::Create(release) | Change::Update(release) => Some(content_of(release)),
            },
            beside: rendered.without_change(),
        }
    }
}
