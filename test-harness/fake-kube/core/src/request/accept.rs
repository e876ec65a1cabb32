//! The form of the answer that a client accepts.

/// How objects are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// As they are.
    #[default]
    Object,
    /// As rows for people.
    Table,
    /// Only their metadata.
    Metadata,
    /// Discovery of all groups in one document.
    AggregatedDiscovery,
    /// In none that we have.
    Unknown,
}

impl Form {
    /// The first form in an `Accept` header that we can produce.
    pub fn parse(accept: &str) -> Self {
        if accept.trim().is_empty() {
            return Self::Object;
        }
        accept
            .split(',')
            .find_map(Self::parse_one)
            .unwrap_or(Self::Unknown)
    }

    fn parse_one(item: &str) -> Option<Self> {
        let mut parts = item.split(';').map(str::trim);
        let media_type = parts.next()?;
        let mut named = None;
        let mut version = None;
        for parameter in parts {
            named = parameter.strip_prefix("as=").or(named);
            version = parameter.strip_prefix("v=").or(version);
        }
        let is_json = matches!(media_type, "application/json" | "application/*" | "*/*");
        let is_meta = matches!(version, Some("v1" | "v1beta1"));
        match named {
            // Those who accept these take JSON too, or have to.
            None => (is_json || OTHERS.contains(&media_type)).then_some(Self::Object),
            Some(_) if !is_json => None,
            Some("Table") if is_meta => Some(Self::Table),
            Some("PartialObjectMetadata" | "PartialObjectMetadataList") if is_meta => Some(Self::Metadata),
            Some("APIGroupDiscoveryList") if version == Some("v2") => Some(Self::AggregatedDiscovery),
            Some(_) => None,
        }
    }
}

/// What else the real server answers in.
const OTHERS: [&str; 2] = ["application/vnd.kubernetes.protobuf", "application/yaml"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_known_form_wins() {
        let check = |accept: &str, form| assert_eq!(Form::parse(accept), form, "{accept}");
        check("", Form::Object);
        check("application/json", Form::Object);
        check(
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
            Form::Table,
        );
        check(
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
            Form::Metadata,
        );
        check(
            "application/vnd.kubernetes.protobuf,application/json",
            Form::Object,
        );
        check(
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json",
            Form::AggregatedDiscovery,
        );
        check(
            "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json",
            Form::Object,
        );
    }
}
