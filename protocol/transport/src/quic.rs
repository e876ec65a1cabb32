//! How QUIC is set up: timers, windows, stream counts.

use core::time::Duration;
use std::sync::Arc;

use outhaul_protocol_wire::limits;
use quinn::{IdleTimeout, TransportConfig, VarInt};

/// How often an agent shows that it is there. A hub that was killed is noticed after at most this time, since what a
/// new process does not know it resets. Most NATs keep a UDP mapping for 30 s.
pub const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Silence after which a peer counts as gone: three keep-alives lost in a row.
pub const IDLE: Duration = Duration::from_secs(60);

/// What an agent takes the round trip for before it has measured one. It asks again after three times this, then twice
/// as long each time: a third of a second, not a whole one as RFC 9002 suggests, after a hub begins to listen that was
/// away. On a slower path that is one small packet too many.
const FIRST_ROUND_TRIP: Duration = Duration::from_millis(100);

/// Streams that an agent has open at once: control, eight fetches, and a few that are just ending. The hub reserves
/// places for all of them on every connection: at 17 an idle one is a kilobyte larger.
const AGENT_STREAMS: u32 = 12;

/// What a hub buffers for an agent that does not read: enough to keep 40 MB/s going over 25 ms.
const HUB_SEND: u64 = 1024 * 1024;

/// What an agent may have under way to the hub: two frames of the control stream.
const HUB_RECEIVE: u32 = to_u32(2 * limits::CONTROL_FRAME);

/// What a hub may have under way to an agent: two frames of large content on one stream, eight in all.
const AGENT_STREAM_RECEIVE: u32 = to_u32(2 * limits::FETCH_FRAME);
const AGENT_RECEIVE: u32 = to_u32(8 * limits::FETCH_FRAME);

/// The hub's end. It sends datagrams one by one: to hand the kernel ten at once, every connection would keep a buffer of
/// ten from its handshake on, 15 KiB of what an idle plane may cost. What is saved by that is a microsecond or two for
/// each datagram, and most of what a hub sends is one.
pub(crate) fn hub() -> Arc<TransportConfig> {
    let mut config = common();
    config
        .enable_segmentation_offload(false)
        .max_concurrent_bidi_streams(VarInt::from_u32(AGENT_STREAMS))
        .receive_window(VarInt::from_u32(HUB_RECEIVE))
        .stream_receive_window(VarInt::from_u32(HUB_RECEIVE))
        .send_window(HUB_SEND);
    Arc::new(config)
}

/// The agent's end. Only it keeps the connection alive: that is half the packets for the hub.
pub(crate) fn agent() -> Arc<TransportConfig> {
    let mut config = common();
    config
        .keep_alive_interval(Some(KEEP_ALIVE))
        .initial_rtt(FIRST_ROUND_TRIP)
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .receive_window(VarInt::from_u32(AGENT_RECEIVE))
        .stream_receive_window(VarInt::from_u32(AGENT_STREAM_RECEIVE));
    Arc::new(config)
}

fn common() -> TransportConfig {
    let mut config = TransportConfig::default();
    let idle = IdleTimeout::try_from(IDLE).expect("a minute fits a variable-length integer");
    config
        .max_idle_timeout(Some(idle))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None);
    config
}

#[expect(clippy::cast_possible_truncation, reason = "const, and asserted to fit")]
const fn to_u32(bytes: usize) -> u32 {
    assert!(bytes <= u32::MAX as usize);
    bytes as u32
}
