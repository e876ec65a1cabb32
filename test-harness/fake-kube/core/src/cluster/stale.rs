//! Reads from a server that lags behind.

use super::Cluster;
use crate::access::User;
use crate::kind::GroupResource;
use crate::moment::Moment;
use crate::reply::Outcome;
use crate::request::{Path, Request, Verb};

impl Cluster {
    /// Answers a get or list as a server would that has not seen the last `lag` writes. Whatever else is asked, and
    /// what the request wants to be no older than, is answered as ever.
    pub fn handle_stale(&mut self, request: &Request, user: &User, lag: u64, moment: &mut Moment) -> Outcome {
        match self.lagging(request, lag) {
            Some((resource, version)) => self.as_of(&resource, version).handle(request, user, moment),
            None => self.handle(request, user, moment),
        }
    }

    /// Which kind is read, and at which version.
    fn lagging(&self, request: &Request, lag: u64) -> Option<(GroupResource, u64)> {
        let Path::Resource(target) = &request.path else {
            return None;
        };
        let reads = matches!(request.verb, Verb::Get | Verb::List);
        if !reads || request.options.continues.is_some() {
            return None;
        }
        let kind = self.registry.resolve(target)?.kind;
        let wanted = request.options.resource_version.unwrap_or(0);
        Some((
            kind.shelf.clone(),
            self.store.version().saturating_sub(lag).max(wanted),
        ))
    }
}
