//! Reads from a server that lags behind.

use super::Cluster;
use crate::access::User;
use crate::moment::Moment;
use crate::reply::Outcome;
use crate::request::{Path, Request, Verb};
use crate::store::Present;

impl Cluster {
    /// Answers a get or list as a server would that has not seen the last `lag` writes. Whatever else is asked, and
    /// what the request wants to be no older than, is answered as ever.
    pub fn handle_stale(&mut self, request: &Request, user: &User, lag: u64, moment: &mut Moment) -> Outcome {
        let present = self.go_back(request, lag);
        let outcome = self.handle(request, user, moment);
        if let Some(present) = present {
            self.store.come_back(present);
        }
        outcome
    }

    fn go_back(&mut self, request: &Request, lag: u64) -> Option<Present> {
        let Path::Resource(target) = &request.path else {
            return None;
        };
        let reads = matches!(request.verb, Verb::Get | Verb::List);
        if !reads || request.options.continues.is_some() {
            return None;
        }
        let kind = self.registry.resolve(target)?.kind;
        let wanted = request.options.resource_version.unwrap_or(0);
        let version = self.store.version().saturating_sub(lag).max(wanted);
        self.store.go_back(&kind.shelf, version)
    }
}
