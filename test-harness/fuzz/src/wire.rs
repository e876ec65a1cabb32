//! Frames and the messages in them.

use bincode::{Decode, Encode};
use outhaul_protocol_wire::codec;
use outhaul_protocol_wire::content::{Fetch, Fetched};
use outhaul_protocol_wire::enrolment::{Answer, Request};
use outhaul_protocol_wire::frame::{self, HEADER};
use outhaul_protocol_wire::limits::{CONTROL_FRAME, ENROLMENT_FRAME, FETCH_FRAME};
use outhaul_protocol_wire::message::{AgentMessage, HubMessage};

/// The first byte says which stream this is; frames follow.
pub(crate) fn frames(bytes: &[u8]) -> bool {
    let Some((stream, frames)) = bytes.split_first() else {
        return false;
    };
    match stream % 6 {
        0 => all::<AgentMessage, CONTROL_FRAME>(frames),
        1 => all::<HubMessage, CONTROL_FRAME>(frames),
        2 => all::<Fetch, FETCH_FRAME>(frames),
        3 => all::<Fetched, FETCH_FRAME>(frames),
        4 => all::<Request, ENROLMENT_FRAME>(frames),
        _ => all::<Answer, ENROLMENT_FRAME>(frames),
    }
}

/// The bytes as any message.
pub(crate) fn messages(bytes: &[u8]) -> bool {
    let said = [
        decoded::<AgentMessage, CONTROL_FRAME>(bytes).is_some(),
        decoded::<HubMessage, CONTROL_FRAME>(bytes).is_some(),
        decoded::<Fetch, FETCH_FRAME>(bytes).is_some(),
        decoded::<Fetched, FETCH_FRAME>(bytes).is_some(),
        decoded::<Request, ENROLMENT_FRAME>(bytes).is_some(),
        decoded::<Answer, ENROLMENT_FRAME>(bytes).is_some(),
    ];
    said.contains(&true)
}

fn all<T: Decode<()> + Encode + PartialEq, const LIMIT: usize>(bytes: &[u8]) -> bool {
    let mut said = false;
    for message in read::<T, LIMIT>(bytes) {
        said = true;
        let framed = frame::encode::<LIMIT>(&message).expect("what came in a frame goes back into one");
        let again: Vec<T> = read::<T, LIMIT>(&framed).collect();
        assert!(again == [message], "a frame does not read back");
    }
    said
}

/// The messages of a stream, up to the first that is damaged.
pub(crate) fn read<T: Decode<()> + Encode + PartialEq, const LIMIT: usize>(
    mut bytes: &[u8],
) -> impl Iterator<Item = T> {
    std::iter::from_fn(move || {
        let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
        let length = frame::body_length::<LIMIT>(*header).ok()?;
        let (body, rest) = rest.split_at_checked(length)?;
        bytes = rest;
        decoded::<T, LIMIT>(body)
    })
}

/// A message, which says no more than its bytes do.
fn decoded<T: Decode<()> + Encode + PartialEq, const LIMIT: usize>(body: &[u8]) -> Option<T> {
    let message = frame::decode::<T, LIMIT>(body).ok()?;
    let bytes = codec::encode(&message);
    assert!(
        bytes.len() <= body.len(),
        "a message grew from {} to {} bytes",
        body.len(),
        bytes.len()
    );
    let again = codec::decode::<T, LIMIT>(&bytes);
    assert!(
        again.is_ok_and(|again| again == message),
        "a message does not read back"
    );
    Some(message)
}
