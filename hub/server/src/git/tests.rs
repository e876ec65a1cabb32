//! Commits over HTTPS, with a login, to Git's own server: `git http-backend` behind TLS.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use axum::body::Body;
use git2::{Repository, Signature};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use outhaul_hub_core::controllers::{Id, Kind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// `ada:secret`, as a Secret has it and as a server is shown it.
const LOGIN: (&str, &str) = ("ada", "secret");
const BASIC: &str = "Basic YWRhOnNlY3JldA==";

/// A server of the repository `team.git`, whose branch `main` has one commit.
struct Server {
    folder: TempDir,
    address: SocketAddr,
    certificate: CertificateDer<'static>,
}

impl Server {
    /// None where Git's server is not on this machine.
    async fn start() -> Option<Self> {
        let backend = backend()?;
        let folder = tempfile::tempdir().unwrap();
        first_commit(&Repository::init_bare(folder.path().join("team.git")).unwrap());
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let tls = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let root = folder.path().to_owned();
        tokio::spawn(serve(listener, acceptor, Arc::new((backend, root))));
        Some(Self {
            folder,
            address,
            certificate,
        })
    }

    fn repository(&self) -> Repository {
        Repository::open(self.folder.path().join("team.git")).unwrap()
    }

    fn commits(&self) -> usize {
        let repository = self.repository();
        let mut walk = repository.revwalk().unwrap();
        walk.push_ref("refs/heads/main").unwrap();
        walk.count()
    }

    /// One attempt at a request for this content, with this password in its Secret.
    async fn attempt(&self, generation: u64, content: &str, password: &str) -> Result<Pushed, NotPushed> {
        self.attempt_trusting(&self.certificate, generation, content, password)
            .await
    }

    async fn attempt_trusting(
        &self,
        root: &CertificateDer<'static>,
        generation: u64,
        content: &str,
        password: &str,
    ) -> Result<Pushed, NotPushed> {
        let port = self.address.port();
        let spec = json!({
            "repoURL": format!("https://localhost:{port}/team.git"), "branch": "main", "message": "Deploy cart",
            "authSecretRef": "login", "files": [{"path": "apps/cart.json", "content": content}],
        });
        let commit = Commit {
            id: Id {
                kind: Kind::GitCommitRequest,
                namespace: "shop".to_owned(),
                name: "deploy".to_owned(),
            },
            uid: "u1".to_owned(),
            generation: Some(generation),
            created: 1_800_000_000,
            spec: serde_json::from_value(spec).unwrap(),
        };
        attempt(secret(password), &commit, Ok(trusting(root))).await
    }
}

/// Git's server program.
fn backend() -> Option<PathBuf> {
    let found = Command::new("git")
        .arg("--exec-path")
        .output()
        .ok()
        .map(|output| {
            let folder = String::from_utf8(output.stdout).unwrap();
            Path::new(folder.trim()).join("git-http-backend")
        });
    let found = found.filter(|program| program.exists());
    let required = std::env::var_os("OUTHAUL_REQUIRE_KUBERNETES").is_some_and(|value| value == "1");
    assert!(
        found.is_some() || !required,
        "git http-backend is not on this machine: install Git"
    );
    found
}

fn first_commit(repository: &Repository) {
    let tree = repository.treebuilder(None).unwrap().write().unwrap();
    let tree = repository.find_tree(tree).unwrap();
    let who = Signature::now("somebody", "somebody@example.org").unwrap();
    let first = repository.commit(Some("refs/heads/main"), &who, &who, "first", &tree, &[]);
    first.unwrap();
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, backend: Arc<(PathBuf, PathBuf)>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (acceptor, backend) = (acceptor.clone(), Arc::clone(&backend));
        tokio::spawn(async move {
            // Whoever does not trust this server goes away.
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let answer = service_fn(|request| {
                let backend = Arc::clone(&backend);
                async move { Ok::<_, Infallible>(answer(request, &backend.0, &backend.1).await) }
            });
            let _closed = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer)
                .await;
        });
    }
}

/// What the program says to one request, if the login is right (RFC 3875 has how it is asked).
async fn answer(request: Request<Incoming>, program: &Path, root: &Path) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if parts
        .headers
        .get(AUTHORIZATION)
        .is_none_or(|login| login != BASIC)
    {
        let refused = Response::builder().status(StatusCode::UNAUTHORIZED);
        return refused.body(Body::empty()).unwrap();
    }
    let kind = parts.headers.get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap());
    let body = body.collect().await.unwrap().to_bytes();
    let mut running = tokio::process::Command::new(program)
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REMOTE_USER", LOGIN.0)
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", kind.unwrap_or_default())
        .env("CONTENT_LENGTH", body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = running.stdin.take().unwrap();
    let (written, output) = tokio::join!(
        async move { input.write_all(&body).await },
        running.wait_with_output()
    );
    written.unwrap();
    said(&output.unwrap().stdout)
}

fn said(output: &[u8]) -> Response<Body> {
    let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let mut response = Response::builder();
    for line in std::str::from_utf8(&output[..end]).unwrap().lines() {
        let (name, value) = line.split_once(": ").unwrap();
        response = match name {
            "Status" => response.status(value.split(' ').next().unwrap()),
            name => response.header(name, value),
        };
    }
    response.body(Body::from(output[end + 4..].to_vec())).unwrap()
}

fn trusting(root: &CertificateDer<'static>) -> Connector {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let tls = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let trusting = HttpsConnectorBuilder::new().with_tls_config(tls);
    trusting.https_only().enable_http1().build()
}

/// A control plane that has one Secret.
fn secret(password: &str) -> kube::Client {
    let encoded = |text: &str| BASE64_STANDARD.encode(text);
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": "shop"},
        "data": {"username": encoded(LOGIN.0), "password": encoded(password)},
    });
    let answer = move |request: Request<kube::client::Body>| {
        assert_eq!(request.uri().path(), "/api/v1/namespaces/shop/secrets/login");
        let secret = kube::client::Body::from(secret.to_string().into_bytes());
        async move { Ok::<_, Infallible>(Response::new(secret)) }
    };
    kube::Client::new(tower::service_fn(answer), "default")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_pushed_over_https_once_for_each_edit() {
    let Some(server) = Server::start().await else {
        return;
    };
    let pushed = server.attempt(1, "{\"image\":\"one\"}", LOGIN.1).await.unwrap();
    assert_eq!(pushed.branch, "main");
    let repository = server.repository();
    let tip = repository.find_reference("refs/heads/main").unwrap();
    let tip = tip.peel_to_commit().unwrap();
    assert_eq!(tip.id().to_string(), pushed.commit);
    assert_eq!(tip.message().unwrap(), "Deploy cart");
    let file = tip.tree().unwrap().get_path(Path::new("apps/cart.json")).unwrap();
    let file = repository.find_blob(file.id()).unwrap();
    assert_eq!(file.content(), b"{\"image\":\"one\"}");

    let again = server.attempt(1, "{\"image\":\"one\"}", LOGIN.1).await.unwrap();
    assert_eq!((again, server.commits()), (pushed.clone(), 2));

    let edited = server.attempt(2, "{\"image\":\"two\"}", LOGIN.1).await.unwrap();
    assert_ne!(edited.commit, pushed.commit);
    assert_eq!(server.commits(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_wrong_pushes_nothing_and_says_so() {
    let Some(server) = Server::start().await else {
        return;
    };
    let not = server.attempt(1, "{}", "wrong").await.unwrap_err();
    assert_eq!(not.at, Stage::Fetch);
    assert!(
        not.message.contains("correct username and password"),
        "{}",
        not.message
    );
    assert_eq!(server.commits(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_nobody_vouches_for_is_not_shown_the_login() {
    let Some(server) = Server::start().await else {
        return;
    };
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let not = server.attempt_trusting(other.cert.der(), 1, "{}", LOGIN.1).await;
    let not = not.unwrap_err();
    assert!(not.message.contains("cannot be reached"), "{}", not.message);
    assert_eq!(server.commits(), 1);
}
