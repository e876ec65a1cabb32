//! Reduces the protobuf declarations of Kubernetes to one table: what a server needs to read what Go clients send.
//!
//! ```text
//! cargo run -p outhaul-fake-kube-core --example reduce-protobuf -- FOLDER... > schemas/protobuf-1.37.txt
//! ```
//!
//! Each FOLDER is a Go module with `generated.proto` files (`go mod download -json k8s.io/api@v0.37.2` prints where it
//! lies; `k8s.io/apimachinery` is the other one). Field numbers and types come from those, and from the Go types beside
//! them two things that JSON needs and protobuf does not know: which fields are pointers, whose zero is a value, and
//! which are inlined into their parent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

use regex::Regex;

/// Packages whose kinds the fake server knows, and what they are made of.
const PACKAGES: [&str; 19] = [
    "k8s.io.api.apps.v1",
    "k8s.io.api.authentication.v1",
    "k8s.io.api.authorization.v1",
    "k8s.io.api.autoscaling.v1",
    "k8s.io.api.autoscaling.v2",
    "k8s.io.api.batch.v1",
    "k8s.io.api.coordination.v1",
    "k8s.io.api.core.v1",
    "k8s.io.api.discovery.v1",
    "k8s.io.api.events.v1",
    "k8s.io.api.networking.v1",
    "k8s.io.api.policy.v1",
    "k8s.io.api.rbac.v1",
    "k8s.io.api.scheduling.v1",
    "k8s.io.api.storage.v1",
    "k8s.io.apimachinery.pkg.api.resource",
    "k8s.io.apimachinery.pkg.apis.meta.v1",
    "k8s.io.apimachinery.pkg.runtime",
    "k8s.io.apimachinery.pkg.util.intstr",
];

type Messages = BTreeMap<String, Vec<Field>>;

struct Field {
    number: String,
    name: String,
    kind: String,
    repeated: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut messages = Messages::new();
    let mut traits = BTreeMap::new();
    for folder in env::args().skip(1) {
        for proto in find(Path::new(&folder), "generated.proto")? {
            let text = fs::read_to_string(&proto)?;
            let package = capture(&text, r"(?m)^package ([\w.]+);").unwrap_or_default();
            if PACKAGES.contains(&package.as_str()) {
                read_proto(&text, &package, &mut messages)?;
                for file in find(proto.parent().unwrap_or(&proto), ".go")? {
                    read_go(&fs::read_to_string(file)?, &package, &mut traits)?;
                }
            }
        }
    }
    print(&messages, &traits);
    Ok(())
}

fn find(folder: &Path, suffix: &str) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(find(&path, suffix)?);
        } else if path.to_string_lossy().ends_with(suffix) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn capture(text: &str, pattern: &str) -> Option<String> {
    Some(Regex::new(pattern).ok()?.captures(text)?[1].to_owned())
}

fn read_proto(text: &str, package: &str, messages: &mut Messages) -> Result<(), regex::Error> {
    let message = Regex::new(r"^message (\w+) \{")?;
    let field = Regex::new(r"^  (optional|repeated) ([\w.]+) (\w+) = (\d+);")?;
    let map = Regex::new(r"^  map<string, ([\w.]+)> (\w+) = (\d+);")?;
    let mut current = String::new();
    for line in text.lines() {
        if let Some(found) = message.captures(line) {
            current = format!("{package}.{}", &found[1]);
            messages.insert(current.clone(), Vec::new());
        } else if let Some(found) = field.captures(line) {
            let kind = qualified(&found[2], package);
            let (name, number) = (found[3].to_owned(), found[4].to_owned());
            let repeated = &found[1] == "repeated";
            messages.entry(current.clone()).or_default().push(Field {
                number,
                name,
                kind,
                repeated,
            });
        } else if let Some(found) = map.captures(line) {
            let kind = format!("map:{}", qualified(&found[1], package));
            let (name, number) = (found[2].to_owned(), found[3].to_owned());
            messages.entry(current.clone()).or_default().push(Field {
                number,
                name,
                kind,
                repeated: false,
            });
        }
    }
    Ok(())
}

/// Names as the OpenAPI document has them: `io.k8s.api.core.v1.Pod`.
fn qualified(kind: &str, package: &str) -> String {
    let full = if kind.contains('.') {
        kind.trim_start_matches('.').to_owned()
    } else if kind.starts_with(char::is_uppercase) {
        format!("{package}.{kind}")
    } else {
        return kind.to_owned();
    };
    full.replacen("k8s.io.", "io.k8s.", 1)
}

/// By message and field number: `?` for a pointer, `^` for an inlined field.
type Traits = BTreeMap<(String, String), char>;

fn read_go(text: &str, package: &str, traits: &mut Traits) -> Result<(), regex::Error> {
    let structure = Regex::new(r"^type (\w+) struct \{")?;
    let field = Regex::new(r#"^\s+(?:\w+ )?\s*(\S+)\s+`json:"([^"]*)".*protobuf:"\w+,(\d+),"#)?;
    let mut current = String::new();
    for line in text.lines() {
        if let Some(found) = structure.captures(line) {
            current = format!("{package}.{}", &found[1]);
        } else if let Some(found) = field.captures(line) {
            let flag = match (&found[1], &found[2]) {
                (_, json) if json.is_empty() || json.starts_with(',') => '^',
                (kind, _) if kind.starts_with('*') => '?',
                _ => continue,
            };
            traits.insert((current.clone(), found[3].to_owned()), flag);
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn print(messages: &Messages, traits: &Traits) {
    let known: BTreeSet<&str> = messages.keys().map(String::as_str).collect();
    for (name, fields) in messages {
        println!("= {}", name.replacen("k8s.io.", "io.k8s.", 1));
        for field in fields {
            let flag = traits.get(&(name.clone(), field.number.clone()));
            let flags: String = field
                .repeated
                .then_some('*')
                .into_iter()
                .chain(flag.copied())
                .collect();
            let kind = field.kind.replacen("io.k8s.", "k8s.io.", 1);
            let foreign = kind.contains('.') && !kind.starts_with("map:") && !known.contains(kind.as_str());
            if !foreign {
                let line = format!("{} {} {} {flags}", field.number, field.name, field.kind);
                println!("{}", line.trim_end());
            }
        }
    }
}
