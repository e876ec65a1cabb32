//! A reader of the hub's event stream.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Longer than anything that is not a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// The events of kind `bundle` from now on.
pub(super) struct Events {
    body: Incoming,
    parser: Parser,
    /// Drives the connection for as long as its owner lives.
    _connection: JoinSet<()>,
}

/// Server-sent events, put together from chunks that end anywhere.
#[derive(Debug, Default)]
struct Parser {
    text: Vec<u8>,
}

impl Events {
    pub(super) async fn follow(rest: SocketAddr, path: &str, token: &str) -> Result<Self> {
        let stream = TcpStream::connect(rest).await.context("cannot reach REST")?;
        stream.set_nodelay(true)?;
        let (mut sender, driver) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let mut connection = JoinSet::new();
        connection.spawn(async move {
            // Its end is the end of the body, which the reader sees.
            let _ended = driver.await;
        });
        let request = Request::get(path)
            .header(header::HOST, rest.to_string())
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Empty::<Bytes>::new())?;
        let response = sender.send_request(request).await?;
        ensure!(
            response.status() == StatusCode::OK,
            "{path} answered {}",
            response.status()
        );
        Ok(Self {
            body: response.into_body(),
            parser: Parser::default(),
            _connection: connection,
        })
    }

    /// The next bundle that has changed, and when its event was here.
    pub(super) async fn next(&mut self) -> Result<(Value, Instant)> {
        loop {
            while let Some(event) = self.parser.next() {
                if let Some(data) = bundle(&event) {
                    return Ok((serde_json::from_str(data)?, Instant::now()));
                }
            }
            let frame = timeout(PATIENCE, self.body.frame()).await;
            let frame = frame.with_context(|| format!("no event for {PATIENCE:?}"))?;
            let frame = frame.context("the event stream has ended")??;
            self.parser.text.extend(frame.into_data().unwrap_or_default());
        }
    }
}

impl Parser {
    /// Takes a whole event out of what has come.
    fn next(&mut self) -> Option<String> {
        let end = self.text.windows(2).position(|pair| pair == b"\n\n")?;
        let event = self.text.drain(..end + 2).collect::<Vec<_>>();
        Some(String::from_utf8_lossy(&event).into_owned())
    }
}

/// The data of an event of kind `bundle`.
fn bundle(event: &str) -> Option<&str> {
    let field = |name: &str| {
        event
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
    };
    (field("event")?.trim() == "bundle").then_some(())?;
    field("data").map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_whole_however_they_are_cut() {
        let mut parser = Parser::default();
        parser.text.extend(b"id: a.1\nevent: bundle\ndata: {\"na");
        assert_eq!(parser.next(), None);
        parser.text.extend(b"me\":\"x\"}\n\n: comment\n\n");
        let event = parser.next().unwrap();
        assert_eq!(bundle(&event), Some(r#"{"name":"x"}"#));
        assert_eq!(parser.next().as_deref().and_then(bundle), None);
        assert_eq!(parser.next(), None);
    }

    #[test]
    fn only_bundles_count() {
        assert_eq!(bundle("event: plane\ndata: {}\n\n"), None);
    }
}
