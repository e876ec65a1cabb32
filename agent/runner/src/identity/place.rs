//! Where the identity is kept.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path as FilePath;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outhaul_agent_core::blocker::Failure;
use serde_json::{Value, json};

use super::Documents;
use crate::IdentityPlace;
use crate::cluster::{Cluster, Path, collection};

const SECRET: &str = "outhaul-agent";

/// Where the identity is kept.
pub(crate) struct Place {
    place: IdentityPlace,
    cluster: Cluster,
    namespace: String,
    /// The Secret as it was read or written last; `None` while there is none.
    version: Option<String>,
}

/// The identity could not be read or kept.
#[derive(Debug)]
pub(crate) enum PlaceError {
    /// The API server said no, or nothing: it may say yes later.
    Cluster(Failure),
    /// The folder cannot be used.
    Folder(anyhow::Error),
    /// Another agent keeps its identity in the same Secret.
    Shared,
}

impl Place {
    pub(crate) fn new(place: IdentityPlace, cluster: Cluster, namespace: String) -> Self {
        Self {
            place,
            cluster,
            namespace,
            version: None,
        }
    }

    /// What is kept; nothing yet is empty.
    pub(crate) async fn load(&mut self) -> Result<Documents, PlaceError> {
        match &self.place {
            IdentityPlace::Folder(folder) => read_folder(folder).map_err(PlaceError::Folder),
            IdentityPlace::Secret => match self.cluster.get(&self.secret()).await {
                Ok(secret) => {
                    self.version = resource_version(&secret);
                    Ok(Documents(decoded(&secret)))
                }
                Err(failure) if failure.is_not_found() => {
                    self.version = None;
                    Ok(Documents::default())
                }
                Err(failure) => Err(PlaceError::Cluster(failure)),
            },
        }
    }

    /// Keeps all of it, durably, over what was read or kept last and over nothing else. Two agents that run with one
    /// identity cannot both count one start.
    pub(crate) async fn save(&mut self, documents: &Documents) -> Result<(), PlaceError> {
        match &self.place {
            IdentityPlace::Folder(folder) => write_folder(folder, documents).map_err(PlaceError::Folder),
            IdentityPlace::Secret => match self.save_secret(documents).await {
                Err(failure) if failure.is_conflict() => self.is_kept(documents).await,
                result => result.map_err(PlaceError::Cluster),
            },
        }
    }

    async fn save_secret(&mut self, documents: &Documents) -> Result<(), Failure> {
        let data: BTreeMap<&String, String> = documents
            .0
            .iter()
            .map(|(name, text)| (name, STANDARD.encode(text)))
            .collect();
        let kept = match &self.version {
            Some(version) => {
                let patch = json!({"metadata": {"resourceVersion": version}, "data": data});
                self.cluster.merge(&self.secret(), &patch).await
            }
            None => {
                let secret = json!({
                    "apiVersion": "v1", "kind": "Secret", "type": "outhaul.dev/identity",
                    "metadata": {"name": SECRET, "namespace": self.namespace},
                    "data": data,
                });
                let secrets = collection("", "v1", "secrets", &self.namespace);
                self.cluster.post(&secrets, &secret).await
            }
        };
        if kept.as_ref().is_err_and(Failure::is_not_found) {
            // It was deleted since: the next attempt makes it anew.
            self.version = None;
        }
        let kept = kept?;
        self.version = resource_version(&kept);
        Ok(())
    }

    /// Somebody wrote since: this agent, if only the answer was lost.
    async fn is_kept(&mut self, documents: &Documents) -> Result<(), PlaceError> {
        match self.load().await? == *documents {
            true => Ok(()),
            false => Err(PlaceError::Shared),
        }
    }

    fn secret(&self) -> Path {
        collection("", "v1", "secrets", &self.namespace).segment(SECRET)
    }
}

fn resource_version(secret: &Value) -> Option<String> {
    let version = secret
        .pointer("/metadata/resourceVersion")
        .and_then(Value::as_str);
    version.map(str::to_owned)
}

fn decoded(secret: &Value) -> BTreeMap<String, String> {
    let data = secret.get("data").and_then(Value::as_object);
    let text = |value: &Value| String::from_utf8(STANDARD.decode(value.as_str()?).ok()?).ok();
    data.into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
        .collect()
}

fn read_folder(folder: &FilePath) -> anyhow::Result<Documents> {
    let mut documents = BTreeMap::new();
    if !folder.exists() {
        return Ok(Documents(documents));
    }
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let Some(name) = name.filter(|name| !name.ends_with(".new") && path.is_file()) else {
            continue;
        };
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        documents.insert(name.to_owned(), text);
    }
    Ok(Documents(documents))
}

fn write_folder(folder: &FilePath, documents: &Documents) -> anyhow::Result<()> {
    let cannot = || format!("cannot keep the agent's identity in {}", folder.display());
    create_private_folder(folder).with_context(cannot)?;
    for (name, text) in &documents.0 {
        write_private_file(folder, name, text).with_context(cannot)?;
    }
    Ok(())
}

/// Written beside and renamed: a file is either the old or the new one.
fn write_private_file(folder: &FilePath, name: &str, text: &str) -> std::io::Result<()> {
    let path = folder.join(name);
    if std::fs::read_to_string(&path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    let new = folder.join(format!("{name}.new"));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, &path)
}

fn create_private_folder(folder: &FilePath) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use outhaul_fake_kube_server::{FakeKube, Options};

    use super::*;

    #[tokio::test]
    async fn what_another_agent_wrote_since_is_not_overwritten() {
        let kube = FakeKube::start(Options::default()).await.unwrap();
        let place = || {
            Place::new(
                IdentityPlace::Secret,
                Cluster::new(kube.client()),
                "default".into(),
            )
        };
        let boots = |number: &str| Documents(BTreeMap::from([("boot".into(), number.into())]));
        let (mut first, mut second) = (place(), place());
        first.save(&boots("1")).await.unwrap();
        assert_eq!(second.load().await.unwrap(), boots("1"));
        first.save(&boots("2")).await.unwrap();
        assert!(matches!(second.save(&boots("3")).await, Err(PlaceError::Shared)));
        assert_eq!(place().load().await.unwrap(), boots("2"));
        // The same text is what this agent wrote itself, before the answer was lost.
        let mut unanswered = place();
        unanswered.save(&boots("2")).await.unwrap();
        unanswered.save(&boots("3")).await.unwrap();
    }

    #[test]
    fn a_folder_keeps_what_it_was_given_and_shows_it_to_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("agent");
        assert_eq!(read_folder(&folder).unwrap(), Documents::default());
        let documents = Documents(BTreeMap::from([("key.pem".into(), "secret".into())]));
        write_folder(&folder, &documents).unwrap();
        write_folder(&folder, &documents).unwrap();
        assert_eq!(read_folder(&folder).unwrap(), documents);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(folder.join("key.pem"))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o077, 0, "{mode:o}");
        }
    }
}
