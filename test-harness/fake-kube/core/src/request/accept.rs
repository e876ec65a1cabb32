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
}

impl Form {
    /// The first form in an `Accept` header that we can produce.
    pub fn parse(accept: &str) -> Self {
        accept.split(',').find_map(Self::parse_one).unwrap_or_default()
    }

    fn parse_one(item: &str) -> Option<Self> {
        let mut parts = item.split(';').map(str::trim);
        let media_type = parts.next()?;
        if !matches!(media_type, "application/json" | "application/*" | "*/*") {
            return None;
        }
        let named = parts.find_map(|parameter| parameter.strip_prefix("as="));
        match named {
            None => Some(Self::Object),
            Some("Table") => Some(Self::Table),
            Some("PartialObjectMetadata" | "PartialObjectMetadataList") => Some(Self::Metadata),
            Some("APIGroupDiscoveryList") if item.contains("v=v2;") || item.trim_end().ends_with("v=v2") => {
                Some(Self::AggregatedDiscovery)
            }
            Some(_) => None,
        }
    }
}

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
