//! What a resourceVersion on a list or watch asks for, and whether it can be had.

use crate::cluster::Cluster;
use crate::kind::Served;
use crate::refusal::Refusal;
use crate::request::{Continue, Options, VersionMatch};
use crate::schema::{FieldError, FieldPath};

impl Cluster {
    /// Refuses a list whose versions make no sense or cannot be had any more.
    pub(super) fn check_list_versions(&self, served: &Served, options: &Options) -> Result<(), Refusal> {
        let errors = list_errors(options);
        if !errors.is_empty() {
            return Err(Refusal::invalid("meta.k8s.io", "ListOptions", "", &errors));
        }
        if let Some(version) = &options.unparsed_version {
            let why = format!("invalid resource version: {}", unparsed(version));
            return Err(Refusal::bad_request(why));
        }
        if options.continues.is_some() && options.resource_version.is_some_and(|version| version > 0) {
            return Err(Refusal::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        if let Some(token) = &options.continues
            && token
                .version
                .is_some_and(|version| version < self.store.floor(&served.kind.shelf))
        {
            let rest = Continue {
                version: None,
                ..token.clone()
            };
            return Err(Refusal::continued_too_late(rest.encode()));
        }
        self.check_reached(options.resource_version)?;
        match past_version(options) {
            Some(version) if version < self.store.floor(&served.kind.shelf) => Err(Refusal::new(
                410,
                "Expired",
                "The resourceVersion for the provided list is too old.",
            )),
            _ => Ok(()),
        }
    }

    /// A version from the future is one of another cluster, or of this one before it was restored.
    pub(super) fn check_reached(&self, version: Option<u64>) -> Result<(), Refusal> {
        let current = self.store.version();
        match version {
            Some(version) if version > current => Err(Refusal::too_new(version, current)),
            _ => Ok(()),
        }
    }
}

/// Refuses a watch whose options contradict each other.
pub(super) fn check_watch(options: &Options) -> Result<(), Refusal> {
    let field = "resourceVersionMatch";
    let mut errors = Vec::new();
    match (options.send_initial_events, &options.version_match) {
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
    let unsupported = match &options.version_match {
        Some(VersionMatch::Exact) => Some("Exact"),
        Some(VersionMatch::Unknown(other)) => Some(other.as_str()),
        _ => None,
    };
    if let Some(value) = unsupported {
        if options.send_initial_events.is_some() {
            errors.push(forbidden(
                field,
                "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            ));
        }
        let path = FieldPath::root().field(field);
        errors.push(FieldError::unsupported(path, value, &["NotOlderThan"]));
    }
    if let Some(version) = options.unparsed_version.as_ref().filter(|_| errors.is_empty()) {
        return Err(Refusal::new(500, "", unparsed(version)));
    }
    if !errors.is_empty() {
        return Err(Refusal::invalid("meta.k8s.io", "ListOptions", "", &errors));
    }
    Ok(())
}

/// What is wrong with a version that is no number.
pub(super) fn unparsed(version: &str) -> String {
    format!(
        "resourceVersion: Invalid value: {version:?}: strconv.ParseUint: parsing {version:?}: invalid syntax"
    )
}

/// The version that a list wants the state of, if that may be another than the present one.
pub(super) fn past_version(options: &Options) -> Option<u64> {
    if let Some(token) = &options.continues {
        return token.version;
    }
    let version = options.resource_version.filter(|version| *version > 0)?;
    match options.version_match {
        Some(VersionMatch::Exact) => Some(version),
        // A limit without a word about the match has always meant the exact version.
        None if options.limit.is_some() => Some(version),
        _ => None,
    }
}

fn list_errors(options: &Options) -> Vec<FieldError> {
    let field = "resourceVersionMatch";
    let mut errors = Vec::new();
    if options.send_initial_events.is_some() {
        errors.push(forbidden(
            "sendInitialEvents",
            "sendInitialEvents is forbidden for list",
        ));
    }
    let Some(wanted) = &options.version_match else {
        return errors;
    };
    if options.resource_version.is_none() && options.unparsed_version.is_none() {
        let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
        errors.push(forbidden(field, why));
    }
    if options.continues.is_some() {
        errors.push(forbidden(
            field,
            "resourceVersionMatch is forbidden when continue is provided",
        ));
    }
    match wanted {
        VersionMatch::Unknown(other) => {
            let path = FieldPath::root().field(field);
            let allowed = ["Exact", "NotOlderThan", ""];
            errors.push(FieldError::unsupported(path, other.as_str(), &allowed));
        }
        VersionMatch::Exact if options.resource_version == Some(0) => {
            let why = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
            errors.push(forbidden(field, why));
        }
        VersionMatch::Exact | VersionMatch::NotOlderThan => {}
    }
    errors
}

fn forbidden(field: &str, detail: &str) -> FieldError {
    FieldError::forbidden(FieldPath::root().field(field), detail)
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
