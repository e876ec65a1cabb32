//! The chart installs what this crate defines: its folder `crds` has these files and no others.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use outhaul_hub_resources::{crds, to_yaml};

const RENEW: &str = "OUTHAUL_WRITE=1 cargo test -p outhaul-hub-resources --test chart";

#[test]
fn the_chart_has_the_definitions_of_this_version() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../charts/outhaul-hub/crds");
    let files = files(&folder);
    if std::env::var_os("OUTHAUL_WRITE").is_some() {
        write(&folder, &files);
    }
    let stray: Vec<_> = present(&folder)
        .into_iter()
        .filter(|path| !files.contains_key(path))
        .collect();
    assert_eq!(
        stray,
        Vec::<PathBuf>::new(),
        "files of no definition: remove them"
    );
    for (path, content) in files {
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == content,
            "{} is not of this version: run {RENEW}",
            path.display()
        );
    }
}

fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let file = |crd: CustomResourceDefinition| {
        let name = format!("{}_{}.yaml", crd.spec.group, crd.spec.names.plural);
        let header = format!("# Written by: {RENEW}\n");
        (folder.join(name), header + &to_yaml(&[crd]))
    };
    crds().into_iter().map(file).collect()
}

fn write(folder: &Path, files: &BTreeMap<PathBuf, String>) {
    fs::create_dir_all(folder).expect("the folder can be made");
    for (path, content) in files {
        fs::write(path, content).expect("the file can be written");
    }
}

fn present(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).expect("the chart has the folder");
    entries
        .map(|entry| entry.expect("the folder can be read").path())
        .collect()
}
