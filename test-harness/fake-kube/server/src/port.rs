//! The TLS port of one cluster, which can be closed and opened again where it was.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::authority::Identity;
use crate::listener;
use crate::service::ApiService;
use crate::setup::StartError;

pub(crate) struct Port {
    identity: Identity,
    address: SocketAddr,
    service: ApiService,
    serving: Mutex<Option<Serving>>,
}

/// The port while it is open.
struct Serving {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Port {
    /// Opens a free port on loopback, with keys of its own.
    pub(crate) async fn open(service: ApiService) -> Result<Self, StartError> {
        let identity = Identity::generate()?;
        let (listener, address) = listener::bind(0).await?;
        let mut port = Self {
            identity,
            address,
            service,
            serving: Mutex::new(None),
        };
        *port.serving.get_mut() = Some(port.serve(listener));
        Ok(port)
    }

    fn serve(&self, listener: TcpListener) -> Serving {
        let stop = CancellationToken::new();
        let tls = self.identity.tls.clone();
        let task = tokio::spawn(listener::serve(listener, tls, self.service.clone(), stop.clone()));
        Serving { stop, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    pub(crate) fn ca_pem(&self) -> &str {
        &self.identity.ca_pem
    }

    pub(crate) async fn close(&self) {
        if let Some(serving) = self.serving.lock().await.take() {
            serving.stop.cancel();
            // It ends at the cancellation; a panic inside it is of no use to who takes the API away.
            if let Err(error) = serving.task.await {
                tracing::warn!(%error, "The listener did not end well");
            }
        }
    }

    pub(crate) async fn reopen(&self) -> io::Result<()> {
        let mut serving = self.serving.lock().await;
        if serving.is_none() {
            let (listener, _) = listener::bind(self.address.port()).await?;
            *serving = Some(self.serve(listener));
        }
        Ok(())
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.get_mut().take() {
            serving.stop.cancel();
            serving.task.abort();
        }
    }
}
