//! Subresources: which there are, and those that are a part of their object.

use super::state::Part;
use super::{Asked, incoming};
use crate::cluster::Cluster;
use crate::kind::{Served, Subresource};
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::request::Verb;

impl Cluster {
    pub(crate) fn subresource(
        &mut self,
        served: &Served,
        asked: Asked<'_>,
        name: &str,
        moment: &mut Moment,
    ) -> Result<Reply, Refusal> {
        let Asked { target, request, .. } = asked;
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
            Subresource::Status => self.status(served, asked, moment),
            Subresource::Scale => self.scale(served, target, request, moment),
            Subresource::Log => self.log(served, target, request, moment),
            Subresource::Token => self.token(served, target, request, moment),
            Subresource::Finalize => self.update_part(served, asked, Part::Finalizers, moment),
        }
    }

    fn status(&mut self, served: &Served, asked: Asked<'_>, moment: &mut Moment) -> Result<Reply, Refusal> {
        match asked.request.verb {
            Verb::Get => self.get(served, asked.target, asked.request, moment),
            Verb::Update => self.update_part(served, asked, Part::Status, moment),
            _ => self.patch_part(served, asked, Part::Status, moment),
        }
    }
}
