//! Which bearer token to show: the given one, or the service account's inside a pod.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context as _;

use crate::arguments::TokenArguments;

/// Where Kubernetes puts it in a pod.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// None where there is none: a hub for development answers questions without.
pub(crate) fn find(given: &TokenArguments) -> anyhow::Result<Option<String>> {
    find_with(given, Path::new(SERVICE_ACCOUNT))
}

fn find_with(given: &TokenArguments, service_account: &Path) -> anyhow::Result<Option<String>> {
    if let Some(file) = &given.token_file {
        return read(file)
            .with_context(|| format!("cannot read the token from {}", file.display()))
            .map(Some);
    }
    if let Some(token) = &given.token {
        return Ok(Some(token.trim().to_owned()));
    }
    match read(service_account) {
        Ok(token) => Ok(Some(token)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(error).context("cannot read the token of the pod's service account; give one by --token-file")
        }
    }
}

fn read(file: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(file).map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_counts_more_than_a_token_and_both_more_than_the_service_account() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, format!("{name}\n")).unwrap();
            path
        };
        let service_account = file("account");
        let mut given = TokenArguments::default();
        assert_eq!(
            find_with(&given, &service_account).unwrap().as_deref(),
            Some("account")
        );
        given.token = Some("given ".to_owned());
        assert_eq!(
            find_with(&given, &service_account).unwrap().as_deref(),
            Some("given")
        );
        given.token_file = Some(file("file"));
        assert_eq!(
            find_with(&given, &service_account).unwrap().as_deref(),
            Some("file")
        );
    }

    #[test]
    fn outside_a_pod_there_may_be_none_and_a_missing_file_is_an_error() {
        let nowhere = Path::new("/nonexistent/token");
        assert_eq!(find_with(&TokenArguments::default(), nowhere).unwrap(), None);
        let given = TokenArguments {
            token_file: Some(nowhere.to_owned()),
            ..TokenArguments::default()
        };
        assert!(
            find_with(&given, nowhere)
                .unwrap_err()
                .to_string()
                .contains("/nonexistent/token")
        );
    }
}
