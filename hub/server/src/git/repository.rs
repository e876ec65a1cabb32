//! One commit in one repository: fetched, made, pushed. It blocks; who calls it gives it a thread.
//!
//! The committer of the commit is this hub, with uid and generation of the request in the address, so that whoever looks
//! at the branch finds whether the request was served: an edit of it asks for another commit. It is made of nothing but
//! the request and its parent: made again on the same parent it is the same commit.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use git2::build::TreeUpdateBuilder;
use git2::{
    AutotagOption, Commit, FetchOptions, FileMode, Oid, PushOptions, RemoteCallbacks, Repository, Signature,
    Sort, Time, Tree,
};
use outhaul_hub_core::controllers::{NotPushed, Pushed, Stage};
use outhaul_hub_render::git_commit;
use outhaul_hub_resources::{CommitAuthor, GitCommitRequestSpec};

/// Who commits.
const COMMITTER: &str = "outhaul-hub";
/// What follows uid and generation of the request in the committer's address. Nobody receives mail there.
const COMMITTER_DOMAIN: &str = "gitcommitrequest.openchoreo.dev";

/// Our name of the branch.
const BRANCH: &str = "refs/heads/request";

/// How many commits are fetched at first, and how many then. If even those do not reach back to before the request,
/// the whole branch is: a commit must not be made twice.
const DEPTHS: [i32; 3] = [1, 200, 0];

/// How far clocks of those who commit may be behind: in a branch that only has older commits ours is not hidden.
const CLOCK_SKEW: i64 = 24 * 3600;

/// Where to push, and what.
pub(super) struct Order<'a> {
    /// The address that Git is given.
    pub(super) address: &'a str,
    /// Whether the end of a branch can be fetched without the rest; a repository on disk cannot do that.
    pub(super) shallow: bool,
    /// The most that may be fetched.
    pub(super) most_bytes: usize,
    pub(super) uid: &'a str,
    pub(super) generation: u64,
    /// When the request was created, in Unix seconds.
    pub(super) created: i64,
    pub(super) spec: &'a GitCommitRequestSpec,
}

/// Has the commit of a request in its branch. Nothing is pushed where it is there already.
///
/// # Errors
/// It is not there, or nobody can tell.
pub(super) fn have_commit(order: &Order<'_>, folder: &Path) -> Result<Pushed, NotPushed> {
    let depths = match order.shallow {
        true => &DEPTHS[..],
        false => &[0],
    };
    for depth in depths {
        let repository = Repository::init_bare(folder.join(depth.to_string())).map_err(fetching)?;
        fetch(&repository, order, *depth)?;
        let tip = tip(&repository, order)?;
        match history(&repository, tip, order).map_err(fetching)? {
            History::Has(commit) => return Ok(pushed(commit, order)),
            History::EndsTooSoon => {}
            History::HasNot => {
                let commit = commit(&repository, tip, order)?;
                push(&repository, order)?;
                return Ok(pushed(commit, order));
            }
        }
    }
    Err(failed(
        Stage::Fetch,
        "the repository does not show the whole branch",
    ))
}

fn pushed(commit: Oid, order: &Order<'_>) -> Pushed {
    Pushed {
        commit: commit.to_string(),
        branch: order.spec.branch.clone(),
    }
}

fn fetch(repository: &Repository, order: &Order<'_>, depth: i32) -> Result<(), NotPushed> {
    let is_too_much = Cell::new(false);
    let mut callbacks = RemoteCallbacks::new();
    callbacks.transfer_progress(|progress| {
        is_too_much.set(progress.received_bytes() > order.most_bytes);
        !is_too_much.get()
    });
    let mut options = FetchOptions::new();
    options
        .remote_callbacks(callbacks)
        .download_tags(AutotagOption::None)
        .depth(depth);
    let mut remote = repository.remote_anonymous(order.address).map_err(fetching)?;
    let refspec = format!("+refs/heads/{}:{BRANCH}", order.spec.branch);
    let fetched = remote.fetch(&[refspec.as_str()], Some(&mut options), None);
    fetched.map_err(|error| match is_too_much.get() {
        true => {
            let (branch, most) = (&order.spec.branch, order.most_bytes);
            let message =
                format!("branch {branch:?} is larger than the {most} bytes that are fetched at most");
            failed(Stage::Fetch, message)
        }
        false => fetching(error),
    })
}

fn tip(repository: &Repository, order: &Order<'_>) -> Result<Oid, NotPushed> {
    repository.refname_to_id(BRANCH).map_err(|_absent| {
        let message = format!(
            "branch {:?} does not exist in {}: create it, or correct spec.branch",
            order.spec.branch, order.spec.repo_url
        );
        failed(Stage::Fetch, message)
    })
}

/// What the commits that were fetched say of the request.
enum History {
    /// Its commit is there.
    Has(Oid),
    /// It is not there.
    HasNot,
    /// It may be behind what was fetched.
    EndsTooSoon,
}

/// Children come before their parents, whatever their times: those of one request have the same.
fn history(repository: &Repository, tip: Oid, order: &Order<'_>) -> Result<History, git2::Error> {
    let address = committer_address(order);
    let cut = cut(repository);
    let (mut ends_too_soon, mut is_last) = (false, true);
    let mut walk = repository.revwalk()?;
    walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME)?;
    walk.push(tip)?;
    for id in walk {
        let commit = repository.find_commit(id?)?;
        let is_cut = cut.contains(&commit.id().to_string());
        let committer = commit.committer();
        let committer = committer.email_bytes();
        if committer == address.as_bytes() {
            return Ok(History::Has(commit.id()));
        }
        if is_of(committer, order.uid) && is_last {
            is_last = false;
            ends_too_soon |= is_cut;
            if !is_cut && asks_for(repository, &commit, order)? {
                return Ok(History::Has(commit.id()));
            }
        }
        let is_old = commit.time().seconds() < order.created - CLOCK_SKEW;
        ends_too_soon |= is_cut && !is_old;
    }
    Ok(match ends_too_soon {
        true => History::EndsTooSoon,
        false => History::HasNot,
    })
}

/// Whether a commit was made for some generation of the request. Older hubs did not say for which.
fn is_of(committer: &[u8], uid: &str) -> bool {
    let Some(rest) = committer.strip_prefix(uid.as_bytes()) else {
        return false;
    };
    let Some(generation) = rest.strip_suffix(format!("@{COMMITTER_DOMAIN}").as_bytes()) else {
        return false;
    };
    generation.is_empty() || generation.starts_with(b"+")
}

/// Whether the request as it is now asks for this very commit, which was made for another generation of it, or for one
/// that nobody knows. An edit of something else, such as the Secret, asks for no other.
fn asks_for(repository: &Repository, made: &Commit<'_>, order: &Order<'_>) -> Result<bool, git2::Error> {
    let (author, committer) = (made.author(), made.committer());
    let wanted = order.spec.author.clone().unwrap_or_default();
    let or = |text: &str, other: &[u8], is: &[u8]| match text {
        "" => is == other,
        text => is == text.as_bytes(),
    };
    let is_same = made.message_bytes() == order.spec.message.as_bytes()
        && or(&wanted.name, COMMITTER.as_bytes(), author.name_bytes())
        && or(&wanted.email, committer.email_bytes(), author.email_bytes());
    if !is_same || made.parent_count() == 0 {
        return Ok(false);
    }
    let before = made.parent(0)?.tree()?;
    Ok(edited(repository, &before, order.spec).is_ok_and(|tree| tree == made.tree_id()))
}

/// The commits whose parents were not fetched, as Git keeps them.
fn cut(repository: &Repository) -> BTreeSet<String> {
    let list = fs::read_to_string(repository.path().join("shallow"));
    list.unwrap_or_default().lines().map(str::to_owned).collect()
}

fn commit(repository: &Repository, tip: Oid, order: &Order<'_>) -> Result<Oid, NotPushed> {
    let parent = repository.find_commit(tip).map_err(editing)?;
    let before = parent.tree().map_err(editing)?;
    let after = edited(repository, &before, order.spec)?;
    if after == before.id() {
        let message = format!(
            "branch {:?} has these contents already: there is nothing to commit",
            order.spec.branch
        );
        return Err(failed(Stage::Edit, message));
    }
    write(repository, &parent, after, order).map_err(editing)
}

/// The tree with every file changed, in the order of the request.
fn edited(repository: &Repository, before: &Tree<'_>, spec: &GitCommitRequestSpec) -> Result<Oid, NotPushed> {
    let mut tree = before.clone();
    for edit in &spec.files {
        let entry = tree.get_path(Path::new(&edit.path)).ok();
        let is_executable = entry
            .as_ref()
            .is_some_and(|entry| entry.filemode() == i32::from(FileMode::BlobExecutable));
        let mode = match is_executable {
            true => FileMode::BlobExecutable,
            false => FileMode::Blob,
        };
        let present = match entry {
            None => None,
            Some(entry) => Some(repository.find_blob(entry.id()).map_err(|_other| {
                failed(
                    Stage::Edit,
                    format!("{:?} is no file in the repository", edit.path),
                )
            })?),
        };
        let present = present.as_ref().map(git2::Blob::content);
        let content =
            git_commit::edited(edit, present).map_err(|error| failed(Stage::Edit, error.to_string()))?;
        let blob = repository.blob(&content).map_err(editing)?;
        let id = TreeUpdateBuilder::new()
            .upsert(edit.path.as_str(), blob, mode)
            .create_updated(repository, &tree)
            .map_err(editing)?;
        tree = repository.find_tree(id).map_err(editing)?;
    }
    Ok(tree.id())
}

fn write(
    repository: &Repository,
    parent: &Commit<'_>,
    tree: Oid,
    order: &Order<'_>,
) -> Result<Oid, git2::Error> {
    let time = Time::new(order.created, 0);
    let committer_address = committer_address(order);
    let committer = Signature::new(COMMITTER, &committer_address, &time)?;
    let CommitAuthor { name, email } = order.spec.author.clone().unwrap_or_default();
    let or = |text: String, other: &str| if text.is_empty() { other.to_owned() } else { text };
    let author = Signature::new(&or(name, COMMITTER), &or(email, &committer_address), &time)?;
    let tree = repository.find_tree(tree)?;
    repository.commit(
        Some(BRANCH),
        &author,
        &committer,
        &order.spec.message,
        &tree,
        &[parent],
    )
}

fn push(repository: &Repository, order: &Order<'_>) -> Result<(), NotPushed> {
    let refused = RefCell::new(None);
    let mut callbacks = RemoteCallbacks::new();
    callbacks.push_update_reference(|_reference, why| {
        *refused.borrow_mut() = why.map(str::to_owned);
        Ok(())
    });
    let mut options = PushOptions::new();
    options.remote_callbacks(callbacks);
    let mut remote = repository.remote_anonymous(order.address).map_err(pushing)?;
    let refspec = format!("{BRANCH}:refs/heads/{}", order.spec.branch);
    remote
        .push(&[refspec.as_str()], Some(&mut options))
        .map_err(pushing)?;
    drop(options);
    match refused.into_inner() {
        None => Ok(()),
        Some(why) => {
            let branch = &order.spec.branch;
            Err(failed(
                Stage::Push,
                format!("the repository refuses the commit on {branch:?}: {why}"),
            ))
        }
    }
}

fn committer_address(order: &Order<'_>) -> String {
    format!("{}+{}@{COMMITTER_DOMAIN}", order.uid, order.generation)
}

fn failed(at: Stage, message: impl Into<String>) -> NotPushed {
    NotPushed {
        at,
        message: message.into(),
    }
}

fn fetching(error: git2::Error) -> NotPushed {
    failed(
        Stage::Fetch,
        format!("cannot fetch the branch: {}", error.message()),
    )
}

fn editing(error: git2::Error) -> NotPushed {
    failed(
        Stage::Edit,
        format!("cannot make the commit: {}", error.message()),
    )
}

fn pushing(error: git2::Error) -> NotPushed {
    failed(
        Stage::Push,
        format!("cannot push the commit: {}", error.message()),
    )
}

#[cfg(test)]
mod tests {
    use git2::ObjectType;
    use serde_json::{Value, json};
    use tempfile::TempDir;

    use super::*;

    /// Some hours after the first commit of [`server`].
    const CREATED: i64 = 1_800_000_000;

    /// A repository that everybody pushes to, on disk.
    struct Server {
        folder: TempDir,
        repository: Repository,
    }

    fn server() -> Server {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::init_bare(folder.path().join("team.git")).unwrap();
        let server = Server { folder, repository };
        let files = [
            ("apps/cart.json", "{\"image\":\"one\"}\n", FileMode::Blob),
            ("run.sh", "#!/bin/sh\n", FileMode::BlobExecutable),
        ];
        server.commit(&files, "somebody@example.org");
        server
    }

    impl Server {
        /// Somebody else commits to the branch.
        fn commit(&self, files: &[(&str, &str, FileMode)], who: &str) -> Oid {
            let repository = &self.repository;
            let mut parents = Vec::new();
            if let Ok(tip) = repository.refname_to_id("refs/heads/main") {
                parents.push(repository.find_commit(tip).unwrap());
            }
            let empty = repository.treebuilder(None).unwrap().write().unwrap();
            let before = match parents.first() {
                Some(parent) => parent.tree().unwrap(),
                None => repository.find_tree(empty).unwrap(),
            };
            let mut update = TreeUpdateBuilder::new();
            for (path, content, mode) in files {
                update.upsert(*path, repository.blob(content.as_bytes()).unwrap(), *mode);
            }
            let tree = update.create_updated(repository, &before).unwrap();
            let tree = repository.find_tree(tree).unwrap();
            let who = Signature::new("somebody", who, &Time::new(CREATED - 7_200, 0)).unwrap();
            let parents: Vec<_> = parents.iter().collect();
            let name = Some("refs/heads/main");
            repository
                .commit(name, &who, &who, "change", &tree, &parents)
                .unwrap()
        }

        fn tip(&self) -> Commit<'_> {
            let id = self.repository.refname_to_id("refs/heads/main").unwrap();
            self.repository.find_commit(id).unwrap()
        }

        fn commits(&self) -> usize {
            let mut walk = self.repository.revwalk().unwrap();
            walk.push(self.tip().id()).unwrap();
            walk.count()
        }

        fn file(&self, path: &str) -> (String, i32) {
            let tree = self.tip().tree().unwrap();
            let entry = tree.get_path(Path::new(path)).unwrap();
            let blob = self.repository.find_blob(entry.id()).unwrap();
            (
                String::from_utf8(blob.content().to_vec()).unwrap(),
                entry.filemode(),
            )
        }

        /// One attempt of the request with this uid.
        fn serve(&self, uid: &str, spec: &GitCommitRequestSpec) -> Result<Pushed, NotPushed> {
            self.serve_edited(uid, 1, spec)
        }

        /// The same after edits.
        fn serve_edited(
            &self,
            uid: &str,
            generation: u64,
            spec: &GitCommitRequestSpec,
        ) -> Result<Pushed, NotPushed> {
            let folder = tempfile::tempdir().unwrap();
            let address = self.repository.path().to_str().unwrap().to_owned();
            let order = Order {
                generation,
                ..order(&address, uid, spec)
            };
            have_commit(&order, folder.path())
        }

        /// The tip as a hub made it that does not say for which generation it is.
        fn forget_generation(&self) -> Oid {
            let tip = self.tip();
            let address = format!("u1@{COMMITTER_DOMAIN}");
            let committer = Signature::new(COMMITTER, &address, &Time::new(CREATED, 0)).unwrap();
            let tree = tip.tree().unwrap();
            let parent = tip.parent(0).unwrap();
            let message = tip.message().unwrap();
            let made = self
                .repository
                .commit(None, &tip.author(), &committer, message, &tree, &[&parent]);
            let made = made.unwrap();
            let name = "refs/heads/main";
            self.repository.reference(name, made, true, "older hub").unwrap();
            made
        }
    }

    fn order<'a>(address: &'a str, uid: &'a str, spec: &'a GitCommitRequestSpec) -> Order<'a> {
        Order {
            address,
            shallow: false,
            most_bytes: 1 << 20,
            uid,
            generation: 1,
            created: CREATED,
            spec,
        }
    }

    fn spec(branch: &str, files: Value) -> GitCommitRequestSpec {
        serde_json::from_value(json!({
            "repoURL": "https://git.example/team.git", "branch": branch, "message": "Deploy cart",
            "author": {"name": "Ada", "email": "ada@example.org"}, "files": files,
        }))
        .unwrap()
    }

    fn deploy() -> GitCommitRequestSpec {
        let patch = r#"[{"op": "replace", "path": "/image", "value": "two"}]"#;
        spec(
            "main",
            json!([
                {"path": "apps/cart.json", "patch": patch},
                {"path": "run.sh", "content": "#!/bin/sh\nexec cart\n"},
                {"path": "new/folder/file", "content": "x"},
                {"path": "new/folder/file", "content": "y"},
            ]),
        )
    }

    #[test]
    fn a_commit_says_what_the_request_says() {
        let server = server();
        let parent = server.tip().id();
        let pushed = server.serve("u1", &deploy()).unwrap();
        let commit = server.tip();
        assert_eq!(
            (pushed.commit, pushed.branch.as_str()),
            (commit.id().to_string(), "main")
        );
        assert_eq!(commit.message().unwrap(), "Deploy cart");
        assert_eq!(commit.author().email().unwrap(), "ada@example.org");
        assert_eq!(commit.parent_id(0).unwrap(), parent);
        assert_eq!(
            server.file("apps/cart.json"),
            ("{\n  \"image\": \"two\"\n}\n".into(), 0o100_644)
        );
        assert_eq!(server.file("run.sh").1, 0o100_755);
        assert_eq!(server.file("new/folder/file").0, "y");
    }

    #[test]
    fn a_commit_that_is_there_is_found_and_not_made_again() {
        let server = server();
        let first = server.serve("u1", &deploy()).unwrap();
        assert_eq!(server.serve("u1", &deploy()).unwrap(), first);
        assert_eq!(server.commits(), 2);
        // Others go on, and even take it back.
        server.commit(
            &[("apps/cart.json", "{\"image\":\"one\"}\n", FileMode::Blob)],
            "b@example.org",
        );
        assert_eq!(server.serve("u1", &deploy()).unwrap(), first);
        assert_eq!(server.commits(), 3);
        // Another request of the same words is another commit.
        assert_ne!(server.serve("u2", &deploy()).unwrap(), first);
        assert_eq!(server.commits(), 4);
    }

    #[test]
    fn an_edited_request_is_another_commit_unless_it_asks_for_the_same() {
        let server = server();
        let first = server.serve("u1", &deploy()).unwrap();
        // Its answer is lost, and the Secret is edited.
        let mut edited = deploy();
        edited.auth_secret_ref = "other".to_owned();
        assert_eq!(server.serve_edited("u1", 2, &edited).unwrap(), first);
        edited.files[3].content = "z".to_owned();
        let second = server.serve_edited("u1", 3, &edited).unwrap();
        assert_eq!(second.commit, server.tip().id().to_string());
        assert_eq!(server.file("new/folder/file").0, "z");
        assert_ne!(second, first);
        assert_eq!(server.serve_edited("u1", 3, &edited).unwrap(), second);
        // Back to what it was: the commit of then is not the last of the request.
        let third = server.serve_edited("u1", 4, &deploy()).unwrap();
        assert!(third != first && third != second);
        edited.message = "Once more".to_owned();
        edited.files[3].content = "zz".to_owned();
        server.serve_edited("u1", 5, &edited).unwrap();
        assert_eq!(server.commits(), 5);
    }

    #[test]
    fn a_commit_of_a_hub_that_did_not_say_of_which_generation_is_not_made_again() {
        let server = server();
        server.serve("u1", &deploy()).unwrap();
        let made = server.forget_generation().to_string();
        for generation in [1, 2] {
            let found = server.serve_edited("u1", generation, &deploy()).unwrap();
            assert_eq!(found.commit, made);
        }
        let mut edited = deploy();
        edited.files[3].content = "z".to_owned();
        assert_ne!(server.serve_edited("u1", 2, &edited).unwrap().commit, made);
        assert_eq!(server.commits(), 3);
    }

    #[test]
    fn on_the_same_parent_it_is_the_same_commit() {
        let server = server();
        let parent = server.tip().id();
        let first = server.serve("u1", &deploy()).unwrap();
        server
            .repository
            .reference("refs/heads/main", parent, true, "lost")
            .unwrap();
        assert_eq!(server.serve("u1", &deploy()).unwrap(), first);
    }

    #[test]
    fn a_push_that_others_overtook_takes_nothing_from_them() {
        let server = server();
        let folder = tempfile::tempdir().unwrap();
        let address = server.repository.path().to_str().unwrap().to_owned();
        let spec = deploy();
        let order = order(&address, "u1", &spec);
        let repository = Repository::init_bare(folder.path()).unwrap();
        fetch(&repository, &order, 0).unwrap();
        let tip = tip(&repository, &order).unwrap();
        commit(&repository, tip, &order).unwrap();
        let theirs = server.commit(&[("other", "x", FileMode::Blob)], "b@example.org");
        let failed = push(&repository, &order).unwrap_err();
        assert_eq!(failed.at, Stage::Push);
        assert_eq!(server.tip().id(), theirs);
        server.serve("u1", &deploy()).unwrap();
        assert_eq!(server.tip().parent_id(0).unwrap(), theirs);
    }

    #[test]
    fn what_fails_says_why_and_leaves_the_branch_as_it_is() {
        let server = server();
        let patch = r#"[{"op": "replace", "path": "/nothing", "value": 1}]"#;
        let same = json!([{"path": "run.sh", "content": "#!/bin/sh\n"}]);
        for (spec, at, words) in [
            (
                spec("nowhere", same.clone()),
                Stage::Fetch,
                "branch \"nowhere\" does not exist",
            ),
            (spec("main", same), Stage::Edit, "nothing to commit"),
            (
                spec("main", json!([{"path": "apps/cart.json", "patch": patch}])),
                Stage::Edit,
                "does not fit \"apps/cart.json\"",
            ),
            (
                spec("main", json!([{"path": "apps", "content": "x"}])),
                Stage::Edit,
                "\"apps\" is no file",
            ),
            (
                spec("main", json!([{"path": "run.sh/below", "content": "x"}])),
                Stage::Edit,
                "cannot make the commit",
            ),
        ] {
            let failed = server.serve("u1", &spec).unwrap_err();
            assert_eq!(failed.at, at, "{}", failed.message);
            assert!(failed.message.contains(words), "{}", failed.message);
            assert_eq!(server.commits(), 1);
        }
        let nowhere = server.folder.path().join("nowhere").to_str().unwrap().to_owned();
        let folder = tempfile::tempdir().unwrap();
        let failed = have_commit(&order(&nowhere, "u1", &deploy()), folder.path()).unwrap_err();
        assert_eq!(failed.at, Stage::Fetch);
    }

    #[test]
    fn a_branch_that_is_too_large_is_not_fetched() {
        let server = server();
        let (address, spec) = (server.repository.path().to_str().unwrap(), deploy());
        let order = Order {
            most_bytes: 10,
            ..order(address, "u1", &spec)
        };
        let folder = tempfile::tempdir().unwrap();
        let failed = have_commit(&order, folder.path()).unwrap_err();
        let expected = "branch \"main\" is larger than the 10 bytes that are fetched at most";
        assert_eq!((failed.at, failed.message.as_str()), (Stage::Fetch, expected));
    }

    #[test]
    fn a_history_that_was_cut_hides_no_commit_unless_it_is_old() {
        for (age, may_hide) in [(0, true), (CLOCK_SKEW / 2, true), (2 * CLOCK_SKEW, false)] {
            let folder = tempfile::tempdir().unwrap();
            let repository = Repository::init_bare(folder.path()).unwrap();
            let tree = repository.treebuilder(None).unwrap().write().unwrap();
            let at = CREATED - age;
            let missing = "1".repeat(40);
            let raw = format!(
                "tree {tree}\nparent {missing}\nauthor a <a@b> {at} +0000\ncommitter a <a@b> {at} +0000\n\nx\n"
            );
            let tip = repository
                .odb()
                .unwrap()
                .write(ObjectType::Commit, raw.as_bytes())
                .unwrap();
            fs::write(folder.path().join("shallow"), format!("{tip}\n")).unwrap();
            let repository = Repository::open(folder.path()).unwrap();
            let spec = deploy();
            let found = history(&repository, tip, &order("", "u1", &spec)).unwrap();
            assert_eq!(matches!(found, History::EndsTooSoon), may_hide, "{age}");
        }
    }
}
