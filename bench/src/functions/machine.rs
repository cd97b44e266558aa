//! Cores, and a share of one.
//!
//! One core is the function's, one everybody else's, so that neither takes the
//! other's time or cache.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::{Pid, gettid};

/// Who a core belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Core {
    /// This program, and what stands in for AWS.
    OfDriver,
    /// The measured program alone.
    OfFunction,
}

impl Core {
    /// Moves this thread, and the threads that it will start, to the core.
    pub(crate) fn take(self) -> Result<()> {
        let mut set = CpuSet::new();
        set.set(match self {
            Self::OfDriver => 0,
            Self::OfFunction => 1,
        })?;
        sched_setaffinity(Pid::from_raw(0), &set).context("this machine has no second core to measure on")
    }

    /// Does something on the core, in a share of it where one is given. Processes
    /// that it starts stay there.
    pub(crate) fn during<T>(self, throttle: Option<&Throttle>, work: impl FnOnce() -> T) -> Result<T> {
        self.take()?;
        throttle.map_or(Ok(()), Throttle::enter)?;
        let done = work();
        throttle.map_or(Ok(()), Throttle::leave)?;
        Self::OfDriver.take()?;
        Ok(done)
    }
}

/// A control group that gives a function of some memory its share of a core.
///
/// Lambda gives a function one core for 1,769 MB, and less in proportion.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
#[derive(Debug)]
pub(crate) struct Throttle {
    group: PathBuf,
}

/// The hierarchy that can throttle single threads.
const HIERARCHY: &str = "/sys/fs/cgroup/cpu";
/// How often the share is given anew, in microseconds.
const PERIOD: u64 = 20_000;

impl Throttle {
    /// Makes the group for a function of `megabytes`; an error says why this
    /// machine cannot.
    pub(crate) fn of(megabytes: u64) -> Result<Self> {
        let group = PathBuf::from(HIERARCHY).join(format!("poolhouse-{}", std::process::id()));
        fs::create_dir(&group).with_context(|| format!("{HIERARCHY} takes no group of ours"))?;
        let throttle = Self { group };
        let quota = PERIOD * megabytes / 1_769;
        if quota < 1_000 {
            bail!("{megabytes} MB are a smaller share than the kernel gives");
        }
        fs::write(throttle.group.join("cpu.cfs_period_us"), PERIOD.to_string())?;
        fs::write(throttle.group.join("cpu.cfs_quota_us"), quota.to_string())?;
        Ok(throttle)
    }

    fn enter(&self) -> Result<()> {
        fs::write(self.group.join("tasks"), gettid().to_string()).context("the group takes no thread")
    }

    fn leave(&self) -> Result<()> {
        fs::write(PathBuf::from(HIERARCHY).join("tasks"), gettid().to_string()).context("no way out of the group")
    }
}

impl Drop for Throttle {
    fn drop(&mut self) {
        drop(fs::remove_dir(&self.group));
    }
}

/// The machine in one line, for the report. To be asked before a core is taken.
pub(crate) fn description() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{} cores, {}, Linux {}", cores, model.trim_matches([':', ' ', '\t']), kernel.trim())
}
