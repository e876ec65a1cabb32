//! What a resourceVersion on a list or watch asks for, and whether it can be had.

use crate::cluster::Cluster;
use crate::kind::Served;
use crate::refusal::{Cause, Refusal};
use crate::request::{Options, VersionMatch};
use crate::schema::{FieldError, FieldPath, Problem};

impl Cluster {
    /// Refuses a list whose versions make no sense or cannot be had any more.
    pub(super) fn check_list_versions(&self, served: &Served, options: &Options) -> Result<(), Refusal> {
        let exact = options.version_match == Some(VersionMatch::Exact);
        if options.version_match.is_some() && options.resource_version.is_none() {
            let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
            return Err(invalid_options("resourceVersionMatch", why));
        }
        if exact && options.resource_version == Some(0) {
            let why = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
            return Err(invalid_options("resourceVersionMatch", why));
        }
        if let Some(token) = &options.continues
            && token.version < self.store.floor(&served.kind.shelf)
        {
            return Err(Refusal::new(
                410,
                "Expired",
                "The provided continue parameter is too old to display a consistent list result. You can start a new \
                 list without the continue parameter, or use the continue token in this response to retrieve the \
                 remainder of the results. Continuing with the provided token results in an inconsistent list - \
                 objects that were created, modified, or deleted between the time the first chunk was returned and now \
                 may show up in the list.",
            ));
        }
        let version = options.resource_version.unwrap_or(0);
        self.check_reached(version)?;
        // Only the present state is kept whole; an older one counts as compacted.
        if exact && version < self.store.version() {
            return Err(Refusal::new(
                410,
                "Expired",
                "The resourceVersion for the provided list is too old.",
            ));
        }
        Ok(())
    }

    /// Refuses a watch whose options contradict each other.
    pub(super) fn check_watch_versions(&self, options: &Options) -> Result<(), Refusal> {
        let field = "resourceVersionMatch";
        let mut errors = Vec::new();
        match (options.send_initial_events, options.version_match) {
            (None, Some(_)) => errors.push(forbidden(
                field,
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            )),
            (Some(_), None) => errors.push(forbidden(
                field,
                "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            )),
            _ => {}
        }
        if options.version_match == Some(VersionMatch::Exact) {
            let problem = Problem::Unsupported {
                value: "Exact".into(),
                allowed: vec!["NotOlderThan".to_owned()],
            };
            errors.push(FieldError {
                path: FieldPath::root().field(field),
                problem,
            });
        }
        if !errors.is_empty() {
            return Err(Refusal::invalid("meta.k8s.io", "ListOptions", "", &errors));
        }
        self.check_reached(options.resource_version.unwrap_or(0))
    }

    /// A version from the future is one of another cluster, or of this one before it was restored.
    fn check_reached(&self, version: u64) -> Result<(), Refusal> {
        let current = self.store.version();
        if version <= current {
            return Ok(());
        }
        let message = format!("Timeout: Too large resource version: {version}, current: {current}");
        let cause = Cause::new("ResourceVersionTooLarge", "", "Too large resource version");
        let mut refusal = Refusal::new(504, "Timeout", message).with_causes(vec![cause]);
        refusal.retry_after = Some(1);
        Err(refusal)
    }
}

fn invalid_options(field: &str, detail: &str) -> Refusal {
    Refusal::invalid("meta.k8s.io", "ListOptions", "", &[forbidden(field, detail)])
}

fn forbidden(field: &str, detail: &str) -> FieldError {
    let problem = Problem::Forbidden {
        detail: detail.to_owned(),
    };
    FieldError {
        path: FieldPath::root().field(field),
        problem,
    }
}

/// Refuses fields that selectors of this kind cannot ask about.
pub(super) fn check_fields(served: &Served, options: &Options) -> Result<(), Refusal> {
    let known = |path: &str| {
        matches!(path, "metadata.name" | "metadata.namespace")
            || served.version().selectable.iter().any(|known| &**known == path)
    };
    match options.fields.paths().find(|path| !known(path)) {
        None => Ok(()),
        // Kinds with selectable fields of their own have their own words.
        Some(path) if served.kind.custom.is_none() && served.version().selectable.is_empty() => {
            Err(Refusal::bad_request(format!(
                "\"{path}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
            )))
        }
        Some(path) => Err(Refusal::bad_request(format!("field label not supported: {path}"))),
    }
}
