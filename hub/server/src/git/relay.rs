//! The way from Git to its server: TLS is ours.
//!
//! libgit2 is built without TLS, since its own would be OpenSSL, a second one in the hub. So Git speaks plain HTTP to
//! this relay, on loopback and under a path that only this process knows, and the relay speaks HTTPS to the server. It
//! also shows the credentials, which Git therefore never holds. Dropping it closes every connection, and so ends what Git
//! is doing.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use http::header::{AUTHORIZATION, CONNECTION, HOST, LOCATION, TRANSFER_ENCODING};
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use uuid::Uuid;

/// Connections at once. Git opens one, and another where a server closed the first.
const CONNECTIONS: usize = 8;

/// How the server is reached.
pub(super) type Connector = HttpsConnector<HttpConnector>;

/// A relay to one repository.
pub(super) struct Relay {
    address: String,
    problem: Arc<OnceLock<String>>,
    _serving: JoinSet<()>,
}

struct Server {
    client: Client<Connector, Incoming>,
    /// The repository.
    repository: Uri,
    authorization: Option<HeaderValue>,
    /// What Git's paths begin with.
    prefix: String,
    problem: Arc<OnceLock<String>>,
}

impl Relay {
    /// Opens a relay to a repository.
    ///
    /// # Errors
    /// There is no port.
    pub(super) async fn open(
        repository: Uri,
        authorization: Option<HeaderValue>,
        connector: Connector,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let prefix = format!("/{}", Uuid::new_v4().simple());
        let address = format!("http://{}{prefix}", listener.local_addr()?);
        let problem = Arc::new(OnceLock::new());
        let server = Server {
            client: Client::builder(TokioExecutor::new()).build(connector),
            repository,
            authorization,
            prefix,
            problem: Arc::clone(&problem),
        };
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Arc::new(server)));
        Ok(Self {
            address,
            problem,
            _serving: serving,
        })
    }

    /// What Git is to use as the address of the repository.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// What the server did first that Git has no good words for.
    pub(super) fn problem(&self) -> Option<&str> {
        self.problem.get().map(String::as_str)
    }
}

async fn serve(listener: TcpListener, server: Arc<Server>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            return;
        };
        while connections.len() >= CONNECTIONS {
            connections.join_next().await;
        }
        let server = Arc::clone(&server);
        connections.spawn(async move {
            let service = service_fn(|request| {
                let server = Arc::clone(&server);
                async move { Ok::<_, Infallible>(server.answer(request).await) }
            });
            // Git closes as it likes; what matters it hears itself.
            let _closed = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

impl Server {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let Some(uri) = self.upstream(request.uri()) else {
            // Nobody but Git knows the prefix.
            return empty(StatusCode::NOT_FOUND);
        };
        match self.forward(request, uri).await {
            Ok(response) => response,
            Err(problem) => {
                // The first one leads to the others.
                self.problem.get_or_init(|| problem);
                empty(StatusCode::BAD_GATEWAY)
            }
        }
    }

    async fn forward(&self, request: Request<Incoming>, uri: Uri) -> Result<Response<Body>, String> {
        let (mut parts, body) = request.into_parts();
        parts.uri = uri;
        for name in [HOST, CONNECTION, TRANSFER_ENCODING] {
            parts.headers.remove(name);
        }
        if let Some(authorization) = &self.authorization {
            parts.headers.insert(AUTHORIZATION, authorization.clone());
        }
        let answer = self.client.request(Request::from_parts(parts, body)).await;
        let mut response =
            answer.map_err(|error| format!("{} cannot be reached: {}", self.repository, chain(&error)))?;
        let status = response.status();
        if status.is_redirection() {
            let location = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            let location = location.unwrap_or_default();
            return Err(format!(
                "{} leads on to {location:?}: write the address of the repository itself into spec.repoURL",
                self.repository
            ));
        }
        if !status.is_success() {
            self.problem.get_or_init(|| self.refusal(status));
        }
        for name in [CONNECTION, TRANSFER_ENCODING] {
            response.headers_mut().remove(name);
        }
        Ok(response.map(Body::new))
    }

    fn refusal(&self, status: StatusCode) -> String {
        let repository = &self.repository;
        let hint = match (status, self.authorization.is_some()) {
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND, false) => {
                "; if it needs a login, name a Secret with username and password in spec.authSecretRef"
            }
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, true) => {
                "; correct username and password in the Secret of spec.authSecretRef, or what they may do"
            }
            _ => "",
        };
        format!("{repository} answered {status}{hint}")
    }

    /// The address at the server of what Git asks for here.
    fn upstream(&self, asked: &Uri) -> Option<Uri> {
        let rest = asked.path_and_query()?.as_str().strip_prefix(&self.prefix)?;
        let mut parts = self.repository.clone().into_parts();
        let path = format!("{}{rest}", self.repository.path().trim_end_matches('/'));
        parts.path_and_query = Some(path.parse::<PathAndQuery>().ok()?);
        Uri::from_parts(parts).ok()
    }
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::Request as Asked;
    use http_body_util::{BodyExt as _, Full};
    use hyper_rustls::HttpsConnectorBuilder;
    use rustls::{ClientConfig, RootCertStore};

    use super::*;

    /// A server of repositories that says what it was asked.
    async fn server() -> SocketAddr {
        let answer = |asked: Asked| async move {
            let (parts, body) = asked.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let login = parts
                .headers
                .get(AUTHORIZATION)
                .map(|login| login.to_str().unwrap());
            let said = format!("{} {} {login:?} {body:?}", parts.method, parts.uri);
            let status = match parts.uri.path() {
                "/team/moved/info/refs" => StatusCode::MOVED_PERMANENTLY,
                "/team/closed/info/refs" => StatusCode::UNAUTHORIZED,
                _ => StatusCode::OK,
            };
            let response = Response::builder()
                .status(status)
                .header(LOCATION, "https://new.example/");
            response.body(Body::from(said)).unwrap()
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        address
    }

    async fn relay(path: &str, login: Option<&'static str>) -> Relay {
        let tls = ClientConfig::builder()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .build();
        let repository = format!("http://{}{path}", server().await).parse().unwrap();
        let login = login.map(HeaderValue::from_static);
        Relay::open(repository, login, connector).await.unwrap()
    }

    async fn ask(address: &str, body: &'static str) -> (StatusCode, String) {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let request = Request::post(address).body(Full::new(body.as_bytes())).unwrap();
        let (parts, body) = client.request(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts.status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn what_git_asks_reaches_the_repository_with_its_login() {
        let relay = relay("/team/repository.git/", Some("Basic abc")).await;
        let address = format!("{}/info/refs?service=git-upload-pack", relay.address());
        let (status, said) = ask(&address, "want").await;
        let expected =
            r#"POST /team/repository.git/info/refs?service=git-upload-pack Some("Basic abc") b"want""#;
        assert_eq!((status, said.as_str()), (StatusCode::OK, expected));
        assert_eq!(relay.problem(), None);
    }

    #[tokio::test]
    async fn who_does_not_know_the_path_gets_nowhere() {
        let relay = relay("/team/repository.git", Some("Basic abc")).await;
        let (host, _) = relay.address().rsplit_once('/').unwrap();
        for path in [
            "",
            "/",
            "/info/refs",
            "/0123456789abcdef0123456789abcdef/info/refs",
        ] {
            let (status, said) = ask(&format!("{host}{path}"), "").await;
            assert_eq!((status, said.as_str()), (StatusCode::NOT_FOUND, ""), "{path}");
        }
    }

    #[tokio::test]
    async fn what_the_server_says_against_it_is_kept_in_words() {
        for (path, login, words) in [
            ("/team/moved", None, "leads on to \"https://new.example/\""),
            ("/team/closed", None, "spec.authSecretRef"),
            ("/team/closed", Some("Basic abc"), "correct username and password"),
        ] {
            let relay = relay(path, login).await;
            ask(&format!("{}/info/refs", relay.address()), "").await;
            let problem = relay.problem().unwrap();
            assert!(problem.contains(words), "{problem}");
        }
    }

    #[tokio::test]
    async fn a_relay_that_is_dropped_answers_nobody() {
        let relay = relay("/team/repository.git", None).await;
        let address = relay.address().to_owned();
        drop(relay);
        let host = address.split('/').nth(2).unwrap();
        let closed = async {
            while tokio::net::TcpStream::connect(host).await.is_ok() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), closed)
            .await
            .unwrap();
    }
}
