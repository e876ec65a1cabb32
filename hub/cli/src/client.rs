//! The hub's REST interface from the client's side: one request, one answer, taken out of its envelope.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use http::uri::Scheme;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

/// The hub answers in milliseconds, and gives up itself after 15 seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// Some ten thousand bundles with a few objects each; more than that nobody reads in a terminal.
const ANSWER_BYTES: usize = 64 * 1024 * 1024;

type Connector = HttpsConnector<HttpConnector>;

/// The REST interface of one hub.
pub struct Client {
    http: HttpClient<Connector, Full<Bytes>>,
    hub: Uri,
    authorization: Option<HeaderValue>,
}

/// Every JSON answer of the hub.
#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    data: Value,
    #[serde(default)]
    error: String,
    #[serde(default)]
    code: String,
}

impl Client {
    /// A client of the hub at `hub`, that asks as whoever `token` stands for.
    ///
    /// # Errors
    /// The address is none, or the token has characters that no token has.
    pub fn new(hub: Uri, token: Option<String>) -> anyhow::Result<Self> {
        let connector = connector(&hub)?;
        let authorization = token.map(authorization).transpose()?;
        Ok(Self {
            http: HttpClient::builder(TokioExecutor::new()).build(connector),
            hub,
            authorization,
        })
    }

    /// The data of a GET.
    ///
    /// # Errors
    /// The hub cannot be reached, or refuses. The message says what to do.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(Method::GET, path, Bytes::new()).await
    }

    /// The data of a POST.
    ///
    /// # Errors
    /// The hub cannot be reached, or refuses. The message says what to do.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(Method::POST, path, body.to_string().into()).await
    }

    async fn ask(&self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Value> {
        let request = self.request(method, path, body)?;
        let hub = &self.hub;
        let answer = timeout(PATIENCE, self.exchange(request)).await;
        let (status, body) =
            answer.with_context(|| format!("the hub at {hub} did not answer in {PATIENCE:?}"))??;
        let envelope: Envelope = serde_json::from_slice(&body).with_context(|| {
            format!("{hub} answered {status}, and not as a hub does: check --hub and OUTHAUL_HUB")
        })?;
        if status.is_success() {
            return Ok(envelope.data);
        }
        bail!("{}{}", refusal(&envelope, status), hint(status))
    }

    fn request(&self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Request<Full<Bytes>>> {
        let uri = format!("{}{path}", self.hub.to_string().trim_end_matches('/'));
        let mut request = Request::builder().method(method).uri(uri).body(Full::new(body))?;
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(authorization) = &self.authorization {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        Ok(request)
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> anyhow::Result<(StatusCode, Bytes)> {
        let hub = &self.hub;
        let response = self.http.request(request).await.with_context(|| {
            format!("cannot reach the hub at {hub}; is it running, and are --hub or OUTHAUL_HUB right?")
        })?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES).collect().await;
        // The limit's error is a box of its own, which has no room for a context.
        let body = body.map_err(|error| anyhow::anyhow!("the answer of {hub} could not be read: {error}"))?;
        Ok((status, body.to_bytes()))
    }
}

/// A name or path segment from the command line, so that it stays one segment.
pub(crate) fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(encode).collect()
}

fn connector(hub: &Uri) -> anyhow::Result<Connector> {
    let scheme = hub.scheme();
    let known = scheme == Some(&Scheme::HTTP) || scheme == Some(&Scheme::HTTPS);
    ensure!(
        known && hub.authority().is_some(),
        "{hub:?} is not the address of a hub; write it like http://127.0.0.1:8080"
    );
    let builder = HttpsConnectorBuilder::new();
    if scheme == Some(&Scheme::HTTPS) {
        let trusting = builder
            .with_native_roots()
            .context("cannot load the certificate authorities that this machine trusts")?;
        return Ok(trusting.https_only().enable_http1().build());
    }
    // Never used for TLS, so it trusts nobody.
    let nobody = rustls::RootCertStore::empty();
    let tls = rustls::ClientConfig::builder()
        .with_root_certificates(nobody)
        .with_no_client_auth();
    Ok(builder
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .build())
}

fn authorization(token: String) -> anyhow::Result<HeaderValue> {
    let value = HeaderValue::from_maybe_shared(Bytes::from(format!("Bearer {token}")));
    let mut value = value.context("the bearer token has characters that no token has")?;
    value.set_sensitive(true);
    Ok(value)
}

fn refusal(envelope: &Envelope, status: StatusCode) -> String {
    match (envelope.error.as_str(), envelope.code.as_str()) {
        ("", _) => format!("the hub answered {status}"),
        (error, "") => error.to_owned(),
        (error, code) => format!("{error} ({code})"),
    }
}

fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "\nGive it by --token-file, --token or OUTHAUL_TOKEN.",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_none_are_said_to_be() {
        for wrong in ["hub:8080", "ftp://hub", "/path", "hub"] {
            let error = Client::new(wrong.parse().unwrap(), None).err().unwrap();
            assert!(
                error.to_string().contains("http://127.0.0.1:8080"),
                "{wrong}: {error}"
            );
        }
    }

    #[test]
    fn names_stay_within_their_segment() {
        assert_eq!(segment("eu-1.prod"), "eu-1.prod");
        assert_eq!(segment("../a/b?c#d e%"), "..%2Fa%2Fb%3Fc%23d%20e%25");
    }
}
