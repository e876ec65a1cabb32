//! The worker's end of the talk with its owner.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines, Stdin, stdin};

/// Who started this process.
pub(crate) struct Owner(Lines<BufReader<Stdin>>);

impl Owner {
    pub(crate) fn new() -> Self {
        Self(BufReader::new(stdin()).lines())
    }

    /// The first line.
    pub(crate) async fn setup<T: DeserializeOwned>(&mut self) -> Result<T> {
        self.order()
            .await?
            .context("the owner ended before it said what to do")
    }

    /// The next order; none once the owner has ended or wants no more.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn order<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        match self.0.next_line().await? {
            Some(line) => Ok(Some(
                serde_json::from_str(&line).context("an order that is none")?,
            )),
            None => Ok(None),
        }
    }

    /// Waits until the owner wants no more.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn gone(&mut self) {
        // An input that cannot be read has no owner either.
        while let Ok(Some(_)) = self.0.next_line().await {}
    }

    /// Answers the setup or an order.
    pub(crate) fn answer(&self, answer: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(answer)?;
        line.push(b'\n');
        let mut output = std::io::stdout().lock();
        output.write_all(&line)?;
        output.flush().context("the owner does not listen")
    }
}
