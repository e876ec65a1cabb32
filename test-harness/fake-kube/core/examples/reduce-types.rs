//! Writes `schemas/zeros-1.37.json`: the fields of built-in kinds that a server leaves out when they are zero.
//!
//! OpenAPI does not tell a number that may be absent from one that is left out when it is 0; the Go types do. Run it
//! with the folders of the modules `k8s.io/api` and `k8s.io/apimachinery` of the same version as the schemas:
//!
//! ```sh
//! cargo run -p outhaul-fake-kube-core --example reduce-types -- $(go list -m -f '{{.Dir}}' k8s.io/api k8s.io/apimachinery)
//! ```
#![expect(clippy::print_stderr, reason = "a program for developers")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use regex::Regex;
use serde_json::Value;

const SCHEMAS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/kubernetes-1.37.json");
const TARGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/zeros-1.37.json");

fn main() -> io::Result<()> {
    let mut files = Vec::new();
    for folder in env::args().skip(1) {
        collect(Path::new(&folder), &mut files)?;
    }
    let sources = files
        .iter()
        .map(fs::read_to_string)
        .collect::<io::Result<Vec<_>>>()?;
    let scalars = scalar_types(&sources);
    let mut structs = BTreeMap::new();
    for (file, source) in files.iter().zip(&sources) {
        read(source, &package(file), &scalars, &mut structs);
    }
    let schemas: Value = serde_json::from_str(&fs::read_to_string(SCHEMAS)?)?;
    let known = |name: &String| !schemas["definitions"][name].is_null();
    let zeros: BTreeMap<String, BTreeSet<String>> = structs
        .keys()
        .filter(|name| known(name))
        .map(|name| (name.clone(), vanishing(name, &structs)))
        .filter(|(_, fields)| !fields.is_empty())
        .collect();
    let count: usize = zeros.values().map(BTreeSet::len).sum();
    eprintln!("{count} fields of {} definitions", zeros.len());
    let lines: Vec<String> = zeros
        .iter()
        .map(|(name, fields)| {
            Ok(format!(
                "  {}: {}",
                serde_json::to_string(name)?,
                serde_json::to_string(fields)?
            ))
        })
        .collect::<serde_json::Result<_>>()?;
    fs::write(TARGET, format!("{{\n{}\n}}\n", lines.join(",\n")))
}

/// All `types.go` below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.file_name().is_some_and(|name| name == "types.go") {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}

/// `io.k8s.api.apps.v1` of `…/k8s.io/api@v0.37.2/apps/v1/types.go`.
fn package(file: &Path) -> String {
    let path = file.parent().unwrap_or(file).to_string_lossy().replace('\\', "/");
    let path = path.split_once("k8s.io/").map_or(path.as_str(), |(_, rest)| rest);
    let (module, rest) = path.split_once('/').unwrap_or((path, ""));
    let module = module.split('@').next().unwrap_or_default();
    format!("io.k8s.{module}.{}", rest.replace('/', "."))
}

/// Names of types that are text, numbers or truth values.
fn scalar_types(sources: &[String]) -> BTreeSet<String> {
    let named = Regex::new(r"(?m)^type (\w+) (string|bool|u?int(?:8|16|32|64)?)$").expect("a valid pattern");
    let mut names: BTreeSet<String> = ["string", "bool", "int", "int32", "int64", "uint32", "UID"]
        .map(String::from)
        .into();
    for source in sources {
        names.extend(named.captures_iter(source).map(|found| found[1].to_owned()));
    }
    names
}

/// What one struct says of its fields.
#[derive(Default)]
struct Struct {
    vanishing: BTreeSet<String>,
    /// Structs whose fields are its own.
    inlined: Vec<String>,
}

fn read(source: &str, package: &str, scalars: &BTreeSet<String>, structs: &mut BTreeMap<String, Struct>) {
    let head = Regex::new(r"^type (\w+) struct \{").expect("a valid pattern");
    let field = Regex::new(r#"^\s+\w+\s+([\w.]+)\s+`json:"(\w+),omitempty[",]"#).expect("a valid pattern");
    let inlined = Regex::new(r#"^\s+(\w+)\s+`json:"(?:,inline)?""#).expect("a valid pattern");
    let mut current = String::new();
    for line in source.lines() {
        if let Some(name) = head.captures(line) {
            current = format!("{package}.{}", &name[1]);
        } else if let Some(field) = field.captures(line) {
            if scalars.contains(field[1].rsplit('.').next().unwrap_or_default()) {
                structs
                    .entry(current.clone())
                    .or_default()
                    .vanishing
                    .insert(field[2].to_owned());
            }
        } else if let Some(inlined) = inlined.captures(line) {
            let name = format!("{package}.{}", &inlined[1]);
            structs.entry(current.clone()).or_default().inlined.push(name);
        }
    }
}

/// Its own, and those of the structs in it.
fn vanishing(name: &str, structs: &BTreeMap<String, Struct>) -> BTreeSet<String> {
    let Some(found) = structs.get(name) else {
        return BTreeSet::new();
    };
    let inlined = found.inlined.iter().flat_map(|inner| vanishing(inner, structs));
    found.vanishing.iter().cloned().chain(inlined).collect()
}
