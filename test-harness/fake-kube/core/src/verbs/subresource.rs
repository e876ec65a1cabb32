//! Subresources: which there are, and those that are a part of their object.

use super::incoming;
use super::state::Part;
use crate::cluster::Cluster;
use crate::kind::{Served, Subresource};
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::request::{Request, Target, Verb};

impl Cluster {
    pub(crate) fn subresource(
        &mut self,
        served: &Served,
        target: &Target,
        name: &str,
        request: &Request,
        moment: &mut Moment,
    ) -> Result<Reply, Refusal> {
        let all = Subresource::of(&served.kind, served.version());
        let Some(subresource) = all.into_iter().find(|known| known.as_str() == name) else {
            let object = target.name.as_deref().unwrap_or_default();
            return Err(incoming::no_such_subresource(served, object));
        };
        let verb = request.verb.as_str();
        if !subresource.verbs().contains(&verb) {
            return Err(incoming::no_such_method(served, verb));
        }
        match subresource {
            Subresource::Status => self.status(served, target, request, moment),
            Subresource::Scale => self.scale(served, target, request, moment),
            Subresource::Log => self.log(served, target, request, moment),
            Subresource::Token => self.token(served, target, request, moment),
            Subresource::Finalize => self.update_part(served, target, request, Part::Finalizers, moment),
        }
    }

    fn status(
        &mut self,
        served: &Served,
        target: &Target,
        request: &Request,
        moment: &mut Moment,
    ) -> Result<Reply, Refusal> {
        match request.verb {
            Verb::Get => self.get(served, target, request, moment),
            Verb::Update => self.update_part(served, target, request, Part::Status, moment),
            _ => self.patch_part(served, target, request, Part::Status, moment),
        }
    }
}
