//! What a GitCommitRequest asks for: whether it can be done at all, and what becomes of one file.
//!
//! Git itself is not here: who has a repository at hand asks for each file in turn.

mod number;

use outhaul_hub_resources::{FileEdit, GitCommitRequestSpec};

/// Why a request cannot be done, whatever the repository holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// The address is none that is taken.
    #[error(
        "spec.repoURL {0:?} is no address that is taken: write it like https://git.example/team/repository.git"
    )]
    Address(String),
    /// The address has a password, which everybody would read.
    #[error(
        "spec.repoURL has a user or password in it: put them into a Secret and name that in spec.authSecretRef"
    )]
    Credentials,
    /// There is no branch of that name.
    #[error("spec.branch {0:?} cannot be the name of a branch: name the branch to commit to")]
    Branch(String),
    /// A commit needs a message.
    #[error("spec.message is empty: say what the commit is for")]
    Message,
    /// Git would not take it, or take it for more than it is.
    #[error(
        "spec.author.{0} {1:?} cannot stand in a commit: leave out '<', '>' and line breaks, and do not make it of \
         punctuation alone"
    )]
    Author(&'static str, String),
    /// A commit needs a file.
    #[error("spec.files is empty: name the files to change")]
    Files,
    /// The path leads out of the repository, or into what Git keeps for itself.
    #[error(
        "spec.files[{0}].path {1:?} does not stay in the repository: write it like folder/file, without '..'"
    )]
    Path(usize, String),
    /// The patch cannot be read.
    #[error("spec.files[{0}].patch is no JSON patch (RFC 6902): {1}")]
    Patch(usize, String),
}

/// Why a file cannot be changed as it is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// There is nothing to patch.
    #[error("{0:?} does not exist, so it cannot be patched: give its content instead")]
    NoFile(String),
    /// What is there is no JSON.
    #[error("{path:?} holds no JSON, so it cannot be patched: {why}")]
    NoJson {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A number that would come out as another.
    #[error(
        "{what} has the number {number}, which would not stay as it is: write it as text, or give the content of the file \
         instead"
    )]
    Number {
        /// Where it is.
        what: String,
        /// The number.
        number: String,
    },
    /// The patch does not fit.
    #[error("the patch does not fit {path:?}: {why}")]
    Patch {
        /// The file.
        path: String,
        /// What does not fit.
        why: String,
    },
}

/// Checks a request by itself.
///
/// # Errors
/// It can never be done; the error names the field.
pub fn check(spec: &GitCommitRequestSpec) -> Result<(), InvalidRequest> {
    check_address(&spec.repo_url)?;
    if !is_branch(&spec.branch) {
        return Err(InvalidRequest::Branch(spec.branch.clone()));
    }
    if spec.message.trim().is_empty() {
        return Err(InvalidRequest::Message);
    }
    let author = spec.author.iter();
    let author = author.flat_map(|author| [("name", &author.name), ("email", &author.email)]);
    for (field, text) in author {
        if !is_signature(text) {
            return Err(InvalidRequest::Author(field, text.clone()));
        }
    }
    if spec.files.is_empty() {
        return Err(InvalidRequest::Files);
    }
    for (index, edit) in spec.files.iter().enumerate() {
        if !is_inside(&edit.path) {
            return Err(InvalidRequest::Path(index, edit.path.clone()));
        }
        if !edit.patch.is_empty() {
            patch(edit).map_err(|error| InvalidRequest::Patch(index, error.to_string()))?;
        }
    }
    Ok(())
}

/// What becomes of a file that is this now.
///
/// # Errors
/// The patch does not fit what is there.
pub fn edited(edit: &FileEdit, present: Option<&[u8]>) -> Result<Vec<u8>, EditError> {
    if edit.patch.is_empty() {
        return Ok(edit.content.clone().into_bytes());
    }
    let path = || edit.path.clone();
    let present = present.ok_or_else(|| EditError::NoFile(path()))?;
    let no_json = |error: serde_json::Error| EditError::NoJson {
        path: path(),
        why: error.to_string(),
    };
    let no_fit = |why: String| EditError::Patch { path: path(), why };
    let mut document: serde_json::Value = serde_json::from_slice(present).map_err(no_json)?;
    let patch = patch(edit).map_err(|error| no_fit(error.to_string()))?;
    for (what, text) in [
        (format!("{:?}", edit.path), present),
        (format!("the patch of {:?}", edit.path), edit.patch.as_bytes()),
    ] {
        if let Some(number) = number::that_changes(text) {
            return Err(EditError::Number { what, number });
        }
    }
    json_patch::patch(&mut document, &patch).map_err(|error| no_fit(error.to_string()))?;
    let mut text = serde_json::to_vec_pretty(&document).expect("JSON that was read can be written");
    if present.ends_with(b"\n") {
        text.push(b'\n');
    }
    Ok(text)
}

fn patch(edit: &FileEdit) -> serde_json::Result<json_patch::Patch> {
    serde_json::from_str(&edit.patch)
}

/// Whoever may write requests must not have the hub look at its own files or speak without TLS.
fn check_address(address: &str) -> Result<(), InvalidRequest> {
    let invalid = || InvalidRequest::Address(address.to_owned());
    let rest = address.strip_prefix("https://").ok_or_else(invalid)?;
    let (host, path) = rest.split_once('/').ok_or_else(invalid)?;
    if host.contains('@') {
        return Err(InvalidRequest::Credentials);
    }
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\\\"<>#?".contains(&byte);
    match !host.is_empty() && !path.is_empty() && rest.bytes().all(is_plain) {
        true => Ok(()),
        false => Err(invalid()),
    }
}

/// As `git check-ref-format --branch` has it.
fn is_branch(name: &str) -> bool {
    let is_plain = |byte: u8| byte > b' ' && byte != 0x7f && !b"~^:?*[\\".contains(&byte);
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    !name.is_empty()
        && name != "@"
        && !name.starts_with('-')
        && !name.ends_with('.')
        && !name.contains("..")
        && !name.contains("@{")
        && name.bytes().all(is_plain)
        && name.split('/').all(is_part)
}

/// Whether Git writes it as it is. Empty is unset; punctuation and white space around it are left out there.
fn is_signature(text: &str) -> bool {
    let is_left_out = |letter: char| letter.is_whitespace() || ".,:;\"\\'".contains(letter);
    text.is_empty()
        || !text.trim_matches(is_left_out).is_empty()
            && !text.contains(|letter: char| letter.is_control() || "<>".contains(letter))
}

/// Whether a path stays in the repository, and out of what Git keeps there.
fn is_inside(path: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part != "." && part != ".." && !part.eq_ignore_ascii_case(".git");
    path.split('/').all(is_part) && !path.contains(['\\', '\0'])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn spec(change: Value) -> GitCommitRequestSpec {
        let mut spec = json!({
            "repoURL": "https://git.example/team/repository.git", "branch": "main", "message": "Deploy cart",
            "files": [{"path": "apps/cart.json", "content": "{}"}],
        });
        json_patch::merge(&mut spec, &change);
        serde_json::from_value(spec).unwrap()
    }

    #[test]
    fn what_can_never_be_done_is_named() {
        assert_eq!(check(&spec(json!({}))), Ok(()));
        let file = |path: &str| json!({"files": [{"path": "good"}, {"path": path, "content": "x"}]});
        for (change, words) in [
            (json!({"repoURL": ""}), "spec.repoURL"),
            (json!({"repoURL": "file:///etc"}), "spec.repoURL"),
            (json!({"repoURL": "http://git.example/x"}), "spec.repoURL"),
            (json!({"repoURL": "git@git.example:x"}), "spec.repoURL"),
            (json!({"repoURL": "https://git.example"}), "spec.repoURL"),
            (json!({"repoURL": "https://git.example/a b"}), "spec.repoURL"),
            (
                json!({"repoURL": "https://me:secret@git.example/x"}),
                "spec.authSecretRef",
            ),
            (json!({"branch": ""}), "spec.branch"),
            (json!({"branch": "a..b"}), "spec.branch"),
            (json!({"branch": "+main:other"}), "spec.branch"),
            (json!({"branch": "feature/.x"}), "spec.branch"),
            (json!({"message": " \n"}), "spec.message"),
            (json!({"author": {"name": "Ada\nparent 1"}}), "spec.author.name"),
            (
                json!({"author": {"name": "Ada <ada@example.org>"}}),
                "spec.author.name",
            ),
            (json!({"author": {"name": " .,"}}), "spec.author.name"),
            (json!({"author": {"email": "a>b"}}), "spec.author.email"),
            (json!({"author": {"email": " "}}), "spec.author.email"),
            (json!({"files": []}), "spec.files"),
            (file(""), "spec.files[1].path"),
            (file("../up"), "spec.files[1].path"),
            (file("a/../../up"), "spec.files[1].path"),
            (file("/etc/passwd"), "spec.files[1].path"),
            (file(".git/config"), "spec.files[1].path"),
            (file("a/.GIT/hooks"), "spec.files[1].path"),
            (file("a\\..\\b"), "spec.files[1].path"),
            (
                json!({"files": [{"path": "a", "patch": "no"}]}),
                "spec.files[0].patch",
            ),
        ] {
            let error = check(&spec(change.clone()))
                .expect_err(&change.to_string())
                .to_string();
            assert!(error.contains(words) && !error.contains("secret@"), "{error}");
        }
        for author in [
            json!({}),
            json!({"name": "", "email": ""}),
            json!({"name": "Ada Lovelace, Jr.", "email": "ada"}),
        ] {
            assert_eq!(check(&spec(json!({"author": author}))), Ok(()));
        }
        for branch in ["main", "release/1.0", "a-b_c"] {
            assert_eq!(check(&spec(json!({"branch": branch}))), Ok(()));
        }
    }

    #[test]
    fn a_patch_wins_over_content_and_must_fit() {
        let edit = |patch: &str| FileEdit {
            path: "a.json".into(),
            content: "whole".into(),
            patch: patch.into(),
        };
        let go = |patch: &str, present: Option<&str>| {
            let edited = edited(&edit(patch), present.map(str::as_bytes));
            edited
                .map(|bytes| String::from_utf8(bytes).unwrap())
                .map_err(|error| error.to_string())
        };
        assert_eq!(go("", Some("old")), Ok("whole".into()));
        assert_eq!(go("", None), Ok("whole".into()));
        let add = r#"[{"op": "replace", "path": "/image", "value": "two"}]"#;
        assert_eq!(
            go(add, Some("{\"image\":\"one\"}\n")),
            Ok("{\n  \"image\": \"two\"\n}\n".into())
        );
        // Whoever reads it again reads the same.
        let numbers = "{\"image\":\"one\",\"rate\":0.10,\"id\":18446744073709551615}";
        let patched = go(add, Some(numbers)).unwrap();
        assert!(patched.contains("\"id\": 18446744073709551615") && patched.contains("\"rate\": 0.1"));
        let large = "{\"name\":\"cart\",\"image\":\"one\",\"id\":12345678901234567890123}";
        assert_eq!(
            go(add, Some(large)).unwrap_err(),
            "\"a.json\" has the number 12345678901234567890123, which would not stay as it is: write it as text, or give the \
             content of the file instead"
        );
        let grow = r#"[{"op": "replace", "path": "/image", "value": 12345678901234567890123}]"#;
        let error = go(grow, Some("{\"image\":1}")).unwrap_err();
        assert!(
            error.starts_with("the patch of \"a.json\" has the number"),
            "{error}"
        );
        for (patch, present) in [(add, None), (add, Some("image: one")), (add, Some("{}"))] {
            let error = go(patch, present).unwrap_err();
            assert!(error.contains("\"a.json\""), "{error}");
        }
    }
}
