//! One connection of the proxy.

#![expect(clippy::indexing_slicing, reason = "every range ends where a length that was looked at says")]

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::wire::{self, Answer, Request};
use super::{Death, Fault, Shared};

/// Longer than any function waits.
const FOR_EVER: Duration = Duration::from_secs(120);

/// What a fault leaves of a connection.
enum After {
    Go,
    Close,
    Reset,
    Hold,
}

/// Counts connections, however they end.
struct Counted(Arc<Shared>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::SeqCst);
    }
}

pub(super) async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    shared.connections.fetch_add(1, Ordering::SeqCst);
    let _counted = Counted(Arc::clone(&shared));
    let mut deaths = shared.deaths.subscribe();
    deaths.mark_unchanged();
    drop(stream.set_nodelay(true));
    if shared.resets_at_once() {
        return reset(&stream);
    }
    loop {
        let after = tokio::select! {
            after = exchange(&mut stream, &shared) => after.unwrap_or(After::Close),
            _ = deaths.changed() => match deaths.borrow().1 {
                Death::Reset => After::Reset,
                Death::Closed => After::Close,
                Death::Forgotten => After::Hold,
            },
        };
        match after {
            After::Go => {}
            After::Close => return,
            After::Reset => return reset(&stream),
            After::Hold => return tokio::time::sleep(FOR_EVER).await,
        }
    }
}

/// An end by RST.
fn reset(stream: &TcpStream) {
    drop(stream.set_zero_linger());
}

/// One request and what becomes of it.
async fn exchange(stream: &mut TcpStream, shared: &Shared) -> Result<After> {
    let mut bytes = Vec::new();
    let head = read_head(stream, &mut bytes).await?;
    let request = Request::read(&bytes[..head])?;
    let fate = shared.fate(&request.operation);
    if fate == Some(Fault::ResetWithin) {
        return Ok(After::Reset);
    }
    while bytes.len() < head + request.body_length {
        read_more(stream, &mut bytes).await?;
    }
    if let Some(skewed) = wire::skewed(&request, SystemTime::now()) {
        stream.write_all(&skewed.bytes()).await?;
        return Ok(After::Go);
    }
    let upstream = if request.is_of_the_database() { shared.database } else { shared.others };
    let answer = match fate {
        Some(fault) if !fault.is_carried_out() => Answer::default(),
        _ => forward(upstream, &request, &bytes[head..]).await?,
    };
    match fate {
        None => stream.write_all(&answer.bytes()).await.map(|()| After::Go).context("the caller is gone"),
        Some(fault) => spoil(stream, fault, &request, answer).await,
    }
}

/// Answers as the fault has it.
async fn spoil(stream: &mut TcpStream, fault: Fault, request: &Request, answer: Answer) -> Result<After> {
    if let Some(refusal) = wire::refusal(fault, request) {
        stream.write_all(&refusal.bytes()).await?;
        return Ok(After::Go);
    }
    let whole = answer.bytes();
    Ok(match fault {
        Fault::Truncated => {
            stream.write_all(&whole[..whole.len() - (answer.body.len() / 2).max(1)]).await?;
            After::Close
        }
        Fault::Overlong => {
            stream.write_all(&answer.with_length(answer.body.len() / 2).bytes()).await?;
            After::Go
        }
        Fault::WrongChecksum => {
            stream.write_all(&answer.with_header("x-amz-crc32", "1").bytes()).await?;
            After::Go
        }
        Fault::Huge => {
            stream.write_all(&answer.with_length(usize::MAX / 2).head()).await?;
            while stream.write_all(&[b' '; 65_536]).await.is_ok() {}
            After::Close
        }
        Fault::Drip => {
            for byte in whole {
                stream.write_all(&[byte]).await?;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            After::Go
        }
        Fault::ResetInAnswer => {
            stream.write_all(&whole[..whole.len() - (answer.body.len() / 2).max(1)]).await?;
            // What was written has to leave first: a reset discards it.
            tokio::time::sleep(Duration::from_millis(10)).await;
            After::Reset
        }
        Fault::HalfClosed => {
            stream.shutdown().await?;
            After::Hold
        }
        Fault::Silent | Fault::HeldReply => After::Hold,
        _ => After::Reset,
    })
}

/// Sends a request on and waits for the whole answer.
async fn forward(upstream: std::net::SocketAddr, request: &Request, body: &[u8]) -> Result<Answer> {
    let mut stream = TcpStream::connect(upstream).await?;
    stream.write_all(&request.head_for_upstream()).await?;
    stream.write_all(body).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    Answer::read(&bytes)
}

async fn read_head(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Result<usize> {
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            return Ok(end + 4);
        }
        read_more(stream, bytes).await?;
    }
}

async fn read_more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Result<()> {
    let mut part = [0; 16 * 1024];
    let count = stream.read(&mut part).await?;
    anyhow::ensure!(count > 0, "the caller is gone");
    bytes.extend_from_slice(&part[..count]);
    Ok(())
}
