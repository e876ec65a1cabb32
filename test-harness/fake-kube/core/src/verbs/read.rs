//! Get, list and watch.

use std::sync::Arc;

use serde_json::{Value, json};

use super::versions;
use crate::cluster::{Cluster, key_of};
use crate::kind::Served;
use crate::moment::Moment;
use crate::object::{self, Object};
use crate::refusal::Refusal;
use crate::reply::{Body, Reply};
use crate::request::{Continue, Form, Options, Request, Target};
use crate::store::Key;
use crate::table::{self, Include};
use crate::watch::{Filter, Start, Watch};

impl Cluster {
    pub(crate) fn get(
        &self,
        served: &Served,
        target: &Target,
        request: &Request,
        moment: &Moment,
    ) -> Result<Reply, Refusal> {
        let object = self.fresh(served, target, &request.options)?;
        Ok(Reply::ok(show(served, request, object, moment)))
    }

    /// The object that a read names, as new as it wants it.
    pub(super) fn fresh(
        &self,
        served: &Served,
        target: &Target,
        options: &Options,
    ) -> Result<Arc<Object>, Refusal> {
        if let Some(version) = &options.unparsed_version {
            return Err(Refusal::new(500, "", versions::unparsed(version)));
        }
        self.check_reached(options.resource_version)?;
        self.existing(served, &key_of(target))
    }

    pub(crate) fn list(
        &mut self,
        served: &Served,
        target: &Target,
        request: &Request,
        moment: &Moment,
    ) -> Result<Reply, Refusal> {
        let (items, list_meta) = self.chosen(served, target, request)?;
        Ok(Reply::ok(show_list(served, request, items, list_meta, moment)))
    }

    /// The objects that a request is about, and the metadata of a list of them.
    pub(super) fn chosen(
        &mut self,
        served: &Served,
        target: &Target,
        request: &Request,
    ) -> Result<(Vec<Arc<Object>>, Value), Refusal> {
        versions::check_fields(served, &request.options)?;
        self.check_list_versions(served, &request.options)?;
        let page = match versions::past_version(&request.options) {
            Some(version) => self
                .as_of(&served.kind.shelf, version)
                .page(served, target, request),
            None => self.page(served, target, request),
        };
        let mut list_meta = json!({"resourceVersion": page.version.to_string()});
        if let Some(next) = &page.next {
            list_meta["continue"] = next.encode().into();
            if request.options.labels.is_empty() {
                list_meta["remainingItemCount"] = page.remaining.into();
            }
        }
        if served.kind.custom.is_some() && request.form == Form::Object && page.next.is_none() {
            list_meta["continue"] = "".into();
        }
        Ok((page.items, list_meta))
    }

    /// Objects that match, up to the limit, from where the page before stopped.
    fn page(&self, served: &Served, target: &Target, request: &Request) -> Page {
        let options = &request.options;
        let filter = filter(served, target, request);
        let namespace = target.namespace.as_deref();
        // Version 0 is served from a cache that knows no limits.
        let limit = options
            .limit
            .filter(|_| options.resource_version != Some(0) || options.continues.is_some())
            .unwrap_or(usize::MAX);
        let start = match &options.continues {
            Some(token) => Key::new(&token.after.0, &token.after.1),
            None => Key::new(namespace.unwrap_or_default(), ""),
        };
        let mut matching = self
            .store
            .list_after(&served.kind.shelf, &start, namespace)
            .filter(|(_, object)| filter.matches(object.value()));
        let items: Vec<Arc<Object>> = matching.by_ref().take(limit).map(|(_, o)| o.clone()).collect();
        let version = options
            .continues
            .as_ref()
            .and_then(|token| token.version)
            .unwrap_or(self.store.version());
        let remaining = if items.len() == limit { matching.count() } else { 0 };
        let next = items.last().filter(|_| remaining > 0).map(|last| {
            let key = Key::of(last.value());
            Continue {
                version: Some(version),
                after: (key.namespace, key.name),
            }
        });
        Page {
            items,
            version,
            next,
            remaining,
        }
    }

    pub(crate) fn watch(
        &self,
        served: &Served,
        target: &Target,
        request: &Request,
    ) -> Result<Watch, Refusal> {
        let options = &request.options;
        versions::check_fields(served, options)?;
        versions::check_watch(options)?;
        let filter = filter(served, target, request);
        let start = match options.resource_version {
            Some(version) if version > 0 && options.send_initial_events != Some(true) => {
                Start::After(version)
            }
            _ if options.send_initial_events == Some(false) => Start::After(self.store.version()),
            // A real server says this in the stream as well: it has answered by the time it knows.
            version => match self.check_reached(version) {
                Ok(()) => self.everything(served, target, request, &filter),
                Err(refusal) => Start::Refused(refusal),
            },
        };
        let include = Include::parse(options.include_object.as_deref());
        let mut watch = Watch::new(served.clone(), filter, request.form, include, start);
        watch.bookmarks = options.bookmarks;
        watch.timeout = options.timeout;
        Ok(watch)
    }

    fn everything(&self, served: &Served, target: &Target, request: &Request, filter: &Filter) -> Start {
        let options = &request.options;
        let objects = self.store.list(&served.kind.shelf, target.namespace.as_deref());
        let objects = objects
            .map(|(_, o)| o)
            .filter(|o| filter.matches(o.value()))
            .cloned();
        Start::Everything {
            objects: objects.collect(),
            version: self.store.version(),
            announce: options.send_initial_events == Some(true) && options.bookmarks,
        }
    }
}

struct Page {
    items: Vec<Arc<Object>>,
    version: u64,
    next: Option<Continue>,
    remaining: usize,
}

/// What a request selects. A name in the path of a watch counts like a field selector.
pub(crate) fn filter(served: &Served, target: &Target, request: &Request) -> Filter {
    let mut fields = request.options.fields.clone();
    fields.rename(
        served
            .version()
            .renames
            .iter()
            .map(|(stored, here)| (*here, *stored)),
    );
    if let Some(name) = &target.name {
        fields.require_name(name);
    }
    Filter {
        namespace: target.namespace.clone(),
        labels: request.options.labels.clone(),
        fields,
    }
}

/// One object in the form and version that the request wants.
pub(crate) fn show(served: &Served, request: &Request, object: Arc<Object>, moment: &Moment) -> Body {
    match request.form {
        Form::Table => {
            let shown = served.present(object.value());
            let list_meta = json!({"resourceVersion": object.version().to_string()});
            let include = Include::parse(request.options.include_object.as_deref());
            let columns = &served.version().columns;
            Body::Value(table::render(
                columns,
                std::iter::once(&*shown),
                list_meta,
                include,
                moment.now,
            ))
        }
        Form::Metadata => Body::Value(table::partial_metadata(object.value())),
        Form::Object | Form::AggregatedDiscovery | Form::Unknown if served.is_storage() => {
            Body::Object(object)
        }
        Form::Object | Form::AggregatedDiscovery | Form::Unknown => {
            Body::Value(served.present(object.value()).into_owned())
        }
    }
}

fn show_list(
    served: &Served,
    request: &Request,
    items: Vec<Arc<Object>>,
    list_meta: Value,
    moment: &Moment,
) -> Body {
    match request.form {
        Form::Table => {
            let include = Include::parse(request.options.include_object.as_deref());
            let shown: Vec<_> = items
                .iter()
                .map(|object| served.present(object.value()))
                .collect();
            Body::Value(table::render(
                &served.version().columns,
                shown.iter().map(|shown| &**shown),
                list_meta,
                include,
                moment.now,
            ))
        }
        Form::Metadata => {
            let items: Vec<Value> = items.iter().map(|o| table::partial_metadata(o.value())).collect();
            Body::Value(json!({
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
                "metadata": list_meta, "items": items,
            }))
        }
        Form::Object | Form::AggregatedDiscovery | Form::Unknown if served.is_storage() => Body::List {
            head: format!(
                r#"{{"kind":"{}","apiVersion":"{}","metadata":{list_meta},"items":["#,
                served.kind.list_name,
                served.api_version(),
            ),
            items,
            kinds: served.kind.custom.is_some(),
        },
        Form::Object | Form::AggregatedDiscovery | Form::Unknown => Body::Value(json!({
            "kind": &*served.kind.list_name, "apiVersion": served.api_version(),
            "metadata": list_meta,
            "items": items.iter().map(|object| listed(served, object)).collect::<Vec<_>>(),
        })),
    }
}

/// An object as an item of a list in the version of the request.
fn listed(served: &Served, object: &Object) -> Value {
    let shown = served.present(object.value());
    if served.kind.custom.is_some() {
        shown.into_owned()
    } else {
        object::without_kind(&shown)
    }
}
