//! One agent's session: its control stream in both directions, and its fetches.

use std::time::Duration;

use jiff::Timestamp;
use outhaul_hub_core::{Dialer, SessionId};
use outhaul_protocol_transport::close::Close;
use outhaul_protocol_transport::control::Control;
use outhaul_protocol_transport::framed::FrameWriter;
use outhaul_protocol_transport::link::PlaneLink;
use outhaul_protocol_wire::limits::{CONTROL_FRAME, HANDSHAKE_TIME};
use outhaul_protocol_wire::message::{AgentMessage, ClosingReason, Hello, HubMessage, Refused};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tracing::{debug, info};

use super::{Context, fetching};
use crate::fleet::{Ending, Opening, Receiving, Signal, outbox};

/// How long last words may take.
const LAST_WORDS: Duration = Duration::from_secs(2);

type Stream = Control<AgentMessage, HubMessage>;
type Writer = FrameWriter<HubMessage, CONTROL_FRAME>;

pub(super) async fn serve(link: PlaneLink, context: Context) {
    let mut control = match link.accept_control().await {
        Ok(control) => control,
        Err(error) => {
            info!(error = &error as &dyn std::error::Error, "No session");
            return;
        }
    };
    let Some(hello) = hello(&link, &mut control).await else {
        return;
    };
    let (sender, receiving) = outbox();
    let (answer, answered) = oneshot::channel();
    let opening = Opening {
        dialer: dialer(&link),
        hello,
        outbox: sender,
        answer,
    };
    if context
        .signals
        .send(Signal::Open(Box::new(opening)))
        .await
        .is_err()
    {
        return;
    }
    match answered.await {
        Ok(Ok(session)) => {
            converse(&link, control, receiving, session, &context.signals).await;
            // The fleet may be gone by now: then it has ended all sessions itself.
            let _stopped = context.signals.send(Signal::Closed(session)).await;
        }
        Ok(Err(refused)) => refuse(&link, control, refused).await,
        Err(_stopped) => link.close(Close::Restarting, "the hub restarts"),
    }
}

async fn hello(link: &PlaneLink, control: &mut Stream) -> Option<Hello> {
    let (close, problem) = match timeout(HANDSHAKE_TIME, control.reader.read()).await {
        Ok(Ok(Some(AgentMessage::Hello(hello)))) => return Some(hello),
        Ok(Ok(Some(_) | None)) => (Close::Violation, "the first message is no hello".to_owned()),
        Ok(Err(error)) => (Close::Violation, format!("the hello cannot be read: {error}")),
        Err(_elapsed) => (Close::TooSlow, "no hello in time".to_owned()),
    };
    debug!(problem, "No session");
    link.close(close, &problem);
    None
}

fn dialer(link: &PlaneLink) -> Dialer {
    let peer = link.peer();
    Dialer {
        plane: peer.plane.clone(),
        key: peer.key,
        certificate_expires: Timestamp::try_from(peer.expires).unwrap_or(Timestamp::MAX),
        remote: link.remote_address().to_string(),
    }
}

/// Talks until either end is done. The three parts are independent: a slow reader on the other end holds up only what
/// is sent to it.
async fn converse(
    link: &PlaneLink,
    control: Stream,
    receiving: Receiving,
    session: SessionId,
    signals: &mpsc::Sender<Signal>,
) {
    let Control {
        mut reader, writer, ..
    } = control;
    let listening = async {
        loop {
            match reader.read().await {
                Ok(Some(message)) => {
                    // Not sent in one go: an idle session would keep room for a second signal, which is large.
                    let Ok(room) = signals.reserve().await else {
                        return;
                    };
                    room.send(Signal::Message(session, message));
                }
                Ok(None) => {
                    link.close(Close::Finished, "the agent ended the session");
                    return;
                }
                Err(error) => {
                    info!(error = &error as &dyn std::error::Error, "Session lost");
                    link.close(Close::Violation, &error.to_string());
                    return;
                }
            }
        }
    };
    // Whichever part ends first ends the session, and the link with it: half-read frames of the others are of no use.
    tokio::select! {
        () = listening => {}
        () = speak(link, writer, receiving, session, signals) => {}
        () = fetching::serve(link, session, signals) => {}
    }
}

async fn speak(
    link: &PlaneLink,
    mut writer: Writer,
    mut receiving: Receiving,
    session: SessionId,
    signals: &mpsc::Sender<Signal>,
) {
    // Last words are boxed: a fleet of sessions would keep room for them.
    loop {
        // Both arms only receive: dropping one loses nothing.
        let message = tokio::select! {
            biased;
            ending = &mut receiving.ending => return Box::pin(end(link, writer, ending.ok())).await,
            message = receiving.messages.recv() => message,
        };
        let Some(message) = message else {
            return Box::pin(end(link, writer, None)).await;
        };
        if let Err(error) = writer.write(&message).await {
            info!(
                error = &error as &dyn std::error::Error,
                "Agent does not take messages"
            );
            return link.close(Close::Stalled, &error.to_string());
        }
        if receiving.was_starved() && signals.send(Signal::Room(session)).await.is_err() {
            return;
        }
    }
}

async fn end(link: &PlaneLink, mut writer: Writer, ending: Option<Ending>) {
    match ending {
        Some(Ending::Goodbye(closing)) => {
            info!(reason = ?closing.reason, "Session ended");
            let word = HubMessage::Closing(closing.clone());
            let words = async {
                if writer.write(&word).await.is_ok() {
                    writer.finish();
                    writer.delivered().await;
                }
            };
            let _cut_short = timeout(LAST_WORDS, words).await;
            let close = match closing.reason {
                ClosingReason::Restarting => Close::Restarting,
                ClosingReason::Superseded => Close::Superseded,
                ClosingReason::Revoked => Close::Refused,
            };
            link.close(close, "the session has ended");
        }
        Some(Ending::Violation(text)) => {
            info!(text, "Agent broke the protocol");
            link.close(Close::Violation, &text);
        }
        None => link.close(Close::Restarting, "the hub restarts"),
    }
}

async fn refuse(link: &PlaneLink, control: Stream, refused: Refused) {
    let mut writer = control.writer;
    let words = async {
        if writer.write(&HubMessage::Refused(refused)).await.is_ok() {
            writer.finish();
            writer.delivered().await;
        }
    };
    let _cut_short = timeout(LAST_WORDS, words).await;
    link.close(Close::Refused, "the session was refused");
}
