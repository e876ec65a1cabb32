//! Bodies of answers: whole ones, and watches that go on.

use std::io;

use bytes::Bytes;
use futures::Stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;

/// The body of an answer.
pub type ResponseBody = UnsyncBoxBody<Bytes, io::Error>;

pub(crate) fn whole(bytes: Bytes) -> ResponseBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

pub(crate) fn streamed(chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> ResponseBody {
    use futures::StreamExt as _;
    StreamBody::new(chunks.map(|chunk| chunk.map(Frame::data))).boxed_unsync()
}
