//! Installs custom resource definitions from YAML files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use serde::Deserialize as _;

use super::{Error, poll};

/// Eighteen take four seconds on a quiet machine.
const LIMIT: Duration = Duration::from_secs(60);

pub(super) async fn install(client: &Client, path: &Path) -> Result<usize, Error> {
    let mut definitions = Vec::new();
    for file in yaml_files(path)? {
        for object in read(&file)? {
            let name = apply(client, &file, object).await?;
            definitions.extend(name);
        }
    }
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for name in &definitions {
        poll::until(&format!("definition {name}"), LIMIT, async || {
            Ok(match api.get(name).await {
                Ok(definition) if is_established(&definition) => Ok(()),
                Ok(_) => Err("not established".to_owned()),
                Err(error) => Err(error.to_string()),
            })
        })
        .await?;
    }
    Ok(definitions.len())
}

/// The file itself, or those of a folder, in the order of their names.
fn yaml_files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if file
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml")
        {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn read(file: &Path) -> Result<Vec<DynamicObject>, Error> {
    let text = fs::read_to_string(file).map_err(|source| Error::Read {
        path: file.to_owned(),
        source,
    })?;
    let mut objects = Vec::new();
    for document in serde_yaml_ng::Deserializer::from_str(&text) {
        // Between two separators there may be nothing.
        let object = Option::<DynamicObject>::deserialize(document).map_err(|error| Error::Malformed {
            path: file.to_owned(),
            problem: error.to_string(),
        })?;
        objects.extend(object);
    }
    Ok(objects)
}

/// Applies one object; returns its name if it is a definition.
async fn apply(client: &Client, file: &Path, object: DynamicObject) -> Result<Option<String>, Error> {
    let malformed = |problem: &str| Error::Malformed {
        path: file.to_owned(),
        problem: problem.to_owned(),
    };
    let types = object
        .types
        .clone()
        .ok_or_else(|| malformed("an object without apiVersion and kind"))?;
    let name = object
        .metadata
        .name
        .clone()
        .ok_or_else(|| malformed("an object without a name"))?;
    let kind = GroupVersionKind::try_from(&types).map_err(|error| malformed(&error.to_string()))?;

    let api: Api<DynamicObject> = Api::all_with(client.clone(), &ApiResource::from_gvk(&kind));
    api.patch(
        &name,
        &PatchParams::apply("outhaul-kubernetes").force(),
        &Patch::Apply(&object),
    )
    .await
    .map_err(|source| Error::Apply {
        object: format!("{} {name}", kind.kind),
        source: Box::new(source),
    })?;
    Ok((kind.kind == "CustomResourceDefinition").then_some(name))
}

fn is_established(definition: &CustomResourceDefinition) -> bool {
    let conditions = definition
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref());
    conditions
        .into_iter()
        .flatten()
        .any(|c| c.type_ == "Established" && c.status == "True")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_documents_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        fs::write(
            &file,
            "---\n# nothing\n---\napiVersion: v1\nkind: A\nmetadata: {name: a}\n---\n",
        )
        .unwrap();
        assert_eq!(read(&file).unwrap().len(), 1);
    }

    #[test]
    fn folder_yields_its_yaml_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.yaml", "a.yml", "notes.txt"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let files = yaml_files(folder.path()).unwrap();
        let names: Vec<_> = files
            .iter()
            .map(|file| file.file_name().unwrap().to_str().unwrap())
            .collect();
        assert_eq!(names, ["a.yml", "b.yaml"]);
    }
}
