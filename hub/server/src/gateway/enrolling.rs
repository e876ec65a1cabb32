//! A connection without a certificate.

use outhaul_protocol_transport::enrolment::Stranger;
use tracing::debug;

use crate::tokens::Tokens;

pub(super) async fn serve(stranger: Stranger, tokens: &Tokens) {
    let enrolling = match stranger.request().await {
        Ok(enrolling) => enrolling,
        Err(error) => {
            debug!(error = &error as &dyn std::error::Error, "No enrolment");
            return;
        }
    };
    let answer = tokens.redeem(&enrolling.request).await;
    if let Err(error) = enrolling.answer(&answer).await {
        debug!(
            error = &error as &dyn std::error::Error,
            "The answer to an enrolment was lost"
        );
    }
}
