//! Writes that others may make at the same time.

use std::future::Future;

/// More conflicts in a row are a fault.
const ATTEMPTS: usize = 5;

/// Reads and writes again where somebody else wrote in between, a few times.
///
/// # Errors
/// That of the last attempt.
pub(crate) async fn retry<T, E, F>(
    mut attempt: impl FnMut() -> F,
    is_conflict: impl Fn(&E) -> bool,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let mut result = attempt().await;
    for _ in 1..ATTEMPTS {
        if !result.as_ref().is_err_and(&is_conflict) {
            break;
        }
        result = attempt().await;
    }
    result
}

/// Whether somebody else made or wrote the object in the meantime.
pub(crate) fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of attempts that end like this, and how many there were.
    async fn attempts(ends: &[Result<(), u16>]) -> (Result<(), u16>, usize) {
        let mut made = 0;
        let attempt = || {
            made += 1;
            std::future::ready(ends[made - 1])
        };
        let result = retry(attempt, |code| *code == 409).await;
        (result, made)
    }

    #[tokio::test]
    async fn only_conflicts_are_tried_again_and_not_for_ever() {
        assert_eq!(attempts(&[Ok(())]).await, (Ok(()), 1));
        assert_eq!(attempts(&[Err(409), Err(409), Ok(())]).await, (Ok(()), 3));
        assert_eq!(attempts(&[Err(409), Err(403)]).await, (Err(403), 2));
        assert_eq!(attempts(&[Err(409); ATTEMPTS]).await, (Err(409), ATTEMPTS));
    }
}
