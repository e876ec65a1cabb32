//! Frames between a hub and a peer that may do anything with its stream.

use std::time::Duration;

use outhaul_protocol_wire::frame::FrameError;
use quinn::{RecvStream, SendStream};
use tokio::time::timeout;

use super::*;
use crate::link::{HubLink, PlaneLink};
use crate::testing::TestHub;

const LIMIT: usize = 1024 * 1024;

/// Long enough for loopback on a loaded machine.
const SOON: Duration = Duration::from_secs(10);

/// A hub's reader and writer, and the bare stream of the agent at their other end. Whoever holds it keeps all alive.
struct Rig {
    reader: FrameReader<Vec<u8>, LIMIT>,
    writer: FrameWriter<Vec<u8>, LIMIT>,
    send: SendStream,
    receive: RecvStream,
    plane: PlaneLink,
    _agent: HubLink,
    _hub: TestHub,
}

async fn rig() -> Rig {
    let hub = TestHub::open();
    let (plane, agent) = hub.connect("eu-1").await;
    let opening = async {
        let (mut send, receive) = agent.connection.open_bi().await.unwrap();
        // A stream exists for the peer once something was sent on it.
        send.write_all(&frame::encode::<LIMIT>(&vec![0_u8]).unwrap())
            .await
            .unwrap();
        (send, receive)
    };
    let ((send, receive), accepted) = tokio::join!(opening, plane.connection.accept_bi());
    let (hub_send, hub_receive) = accepted.unwrap();
    let mut reader = FrameReader::new(hub_receive);
    assert_eq!(reader.read().await.unwrap(), Some(vec![0]));
    Rig {
        reader,
        writer: FrameWriter::new(hub_send),
        send,
        receive,
        plane,
        _agent: agent,
        _hub: hub,
    }
}

#[tokio::test]
async fn a_frame_that_claims_four_gigabytes_is_refused_from_its_header() {
    let mut rig = rig().await;
    rig.send.write_all(&[0xff; 4]).await.unwrap();
    let error = rig.reader.read().await.unwrap_err();
    assert!(matches!(
        error,
        ReadError::Frame(FrameError::TooLong {
            claimed: 0xffff_ffff,
            ..
        })
    ));
    assert!(rig.reader.partial.capacity() < 1024);
}

#[tokio::test]
async fn memory_follows_what_has_come_and_not_what_was_claimed() {
    let mut rig = rig().await;
    let claim = u32::try_from(LIMIT).unwrap().to_be_bytes();
    rig.send.write_all(&claim).await.unwrap();
    rig.send.write_all(&[1; 100]).await.unwrap();
    // Cancelled over and over, as in a select.
    while rig.reader.partial.len() < HEADER + 100 {
        assert!(
            timeout(Duration::from_millis(1), rig.reader.read())
                .await
                .is_err()
        );
    }
    assert!(
        rig.reader.partial.capacity() < 4096,
        "{}",
        rig.reader.partial.capacity()
    );
}

#[tokio::test]
async fn a_cancelled_read_loses_nothing_and_an_idle_reader_keeps_nothing() {
    let mut rig = rig().await;
    let message: Vec<u8> = (0..200).collect();
    let bytes = frame::encode::<LIMIT>(&message).unwrap();
    let (first, second) = bytes.split_at(50);
    rig.send.write_all(first).await.unwrap();
    while rig.reader.partial.len() < first.len() {
        assert!(
            timeout(Duration::from_millis(1), rig.reader.read())
                .await
                .is_err()
        );
    }
    rig.send.write_all(second).await.unwrap();
    assert_eq!(rig.reader.read().await.unwrap(), Some(message));
    assert_eq!(rig.reader.partial.capacity(), 0);
}

#[tokio::test]
async fn a_stream_that_ends_within_a_frame_is_cut() {
    let mut rig = rig().await;
    rig.send.write_all(&[0, 0, 0, 9, 1]).await.unwrap();
    rig.send.finish().unwrap();
    assert!(matches!(rig.reader.read().await, Err(ReadError::Cut)));
}

#[tokio::test]
async fn a_stream_that_is_given_up_is_no_end() {
    let mut rig = rig().await;
    rig.send.reset(0_u32.into()).unwrap();
    assert!(matches!(rig.reader.read().await, Err(ReadError::Abandoned)));
}

#[tokio::test]
async fn a_damaged_frame_is_refused() {
    let mut rig = rig().await;
    rig.send.write_all(&[0, 0, 0, 2, 200, 1]).await.unwrap();
    assert!(matches!(
        rig.reader.read().await,
        Err(ReadError::Frame(FrameError::Message { .. }))
    ));
}

/// A peer that reads nothing takes what flow control allows, then holds the writer up. The writer notices after
/// [`STALL`] and not before, and what waits for the peer meanwhile is bounded.
#[tokio::test]
async fn a_peer_that_reads_nothing_pins_little_and_is_given_up() {
    let mut rig = rig().await;
    let message = vec![7; LIMIT / 2];
    let mut written = 0;
    while timeout(SOON / 10, rig.writer.write(&message)).await.is_ok() {
        written += message.len();
        assert!(
            written < 64 * LIMIT,
            "there is no end to what the peer does not read"
        );
    }
    // The windows of one stream at the agent and of one connection at the hub.
    assert!(written <= 4 * LIMIT, "{written} bytes");
    // From here on time jumps from timer to timer.
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    let error = rig.writer.write(&message).await.unwrap_err();
    assert!(matches!(error, WriteError::Stalled), "{error}");
    assert!(start.elapsed() >= STALL);
    rig.plane.close(crate::close::Close::Stalled, "it reads nothing");
    drop(rig.receive);
}

#[tokio::test]
async fn a_slow_reader_is_waited_for() {
    let mut rig = rig().await;
    let message = vec![7; LIMIT / 2];
    let reading = async {
        let mut taken = 0;
        let mut buffer = vec![0; 64 * 1024];
        while taken < 8 * message.len() {
            taken += rig.receive.read(&mut buffer).await.unwrap().unwrap();
            tokio::task::yield_now().await;
        }
    };
    let writing = async {
        for _ in 0..9 {
            rig.writer.write(&message).await.unwrap();
        }
    };
    tokio::join!(reading, writing);
}

#[tokio::test]
async fn a_message_over_the_limit_is_a_bug_of_this_end() {
    let mut rig = rig().await;
    let error = rig.writer.write(&vec![0; LIMIT + 1]).await.unwrap_err();
    assert!(matches!(error, WriteError::Frame(FrameError::TooLong { .. })));
}
