//! Leaves no process behind, whatever ends us.
//!
//! Every program that `local` starts runs below a small second copy of `local`
//! in supervisor mode. The supervisor holds one end of a pipe whose other end
//! only the parent holds: when the parent ends, also by SIGKILL, the system
//! closes the pipe, and the supervisor ends the program with everything that
//! the program started. The program gets a process group of its own; on Linux
//! the supervisor also adopts whatever loses its parent.

use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, kill, killpg};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

pub mod parent;

pub use parent::{Launcher, Supervised, tail};

/// How long the program may take to end by itself after being asked to.
const GRACE: Duration = Duration::from_secs(1);

/// What the supervisor's threads report.
enum News {
    /// The parent closed the pipe or a signal asked for the end.
    Stop,
    /// The program itself ended, with this code for the shell.
    ProgramEnded(u8),
    /// Neither the program nor anything it started is left.
    AllGone,
}

/// The supervisor mode: runs `program` until it ends or the parent is gone.
pub fn serve(program: &str, arguments: &[String]) -> ExitCode {
    adopt_orphans();
    let signals: SigSet = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().collect();
    // Blocked before any thread starts, so that only the one that waits for
    // them gets them. The standard library clears the mask for the program.
    if signals.thread_block().is_err() {
        return ExitCode::FAILURE;
    }
    let started =
        Command::new(program).args(arguments).stdin(Stdio::null()).process_group(0).spawn().map(|child| child.id());
    let Some(group) = started.ok().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw) else {
        return ExitCode::from(127);
    };
    let (send, news) = channel();
    watch_parent(send.clone());
    watch_signals(signals, send.clone());
    watch_children(group, send);
    let code = match news.recv() {
        Ok(News::ProgramEnded(code)) => code,
        Ok(News::AllGone) => 0,
        Ok(News::Stop) | Err(_) => 143,
    };
    end_all(group, &news);
    ExitCode::from(code)
}

/// Asks the group to end, then ends it; comes back when nothing is left.
fn end_all(group: Pid, news: &Receiver<News>) {
    let _ = killpg(group, Signal::SIGTERM);
    if gone_within(news, GRACE) {
        return;
    }
    // Twice: a process that is being started now is seen by the second round.
    for _ in 0..2 {
        let _ = killpg(group, Signal::SIGKILL);
        for orphan in adopted() {
            let _ = kill(orphan, Signal::SIGKILL);
        }
        if gone_within(news, Duration::from_secs(1)) {
            return;
        }
    }
}

fn gone_within(news: &Receiver<News>, time: Duration) -> bool {
    let end = Instant::now() + time;
    loop {
        match news.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(News::AllGone) | Err(RecvTimeoutError::Disconnected) => return true,
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => return false,
        }
    }
}

/// The pipe is our standard input; nothing is ever written to it.
fn watch_parent(send: Sender<News>) {
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        loop {
            match std::io::stdin().read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
        let _ = send.send(News::Stop);
    });
}

fn watch_signals(signals: SigSet, send: Sender<News>) {
    std::thread::spawn(move || while signals.wait().is_ok() && send.send(News::Stop).is_ok() {});
}

/// Collects every child, the adopted ones too, until none is left.
fn watch_children(program: Pid, send: Sender<News>) {
    std::thread::spawn(move || {
        loop {
            match waitpid(None, None) {
                Ok(WaitStatus::Exited(pid, code)) if pid == program => {
                    let _ = send.send(News::ProgramEnded(u8::try_from(code).unwrap_or(1)));
                }
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == program => {
                    let _ = send.send(News::ProgramEnded(128_u8.saturating_add(signal as u8)));
                }
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => break,
            }
        }
        let _ = send.send(News::AllGone);
    });
}

#[cfg(target_os = "linux")]
fn adopt_orphans() {
    // Without it (an old kernel) the process group alone has to do.
    let _ = nix::sys::prctl::set_child_subreaper(true);
}

#[cfg(not(target_os = "linux"))]
fn adopt_orphans() {}

/// Our children by the system's own list; empty where there is no `/proc`.
fn adopted() -> Vec<Pid> {
    let own = std::process::id().to_string();
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| parent_of(*pid).as_deref() == Some(own.as_str())).map(Pid::from_raw).collect()
}

/// The fourth field of `stat`, counted behind the name, which may hold blanks.
fn parent_of(pid: i32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    fields.split_whitespace().nth(1).map(str::to_owned)
}

/// Whether a supervised program ended well, said for a person.
pub fn outcome(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with code {code}"),
        (None, Some(signal)) => format!("signal {signal} ended it"),
        (None, None) => "it ended".to_owned(),
    }
}
