//! CPU time and resident memory of a process, as Linux tells them.

use std::collections::BTreeMap;
use std::ops::Add;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// What a process has used until now.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// CPU time of all its threads, user and system. The clock has ticks of 10 ms.
    pub cpu: Duration,
    /// Resident memory.
    pub rss_kib: f64,
}

impl Usage {
    /// Of a running process.
    ///
    /// # Errors
    /// It does not run, or this is no Linux.
    pub fn of(pid: u32) -> Result<Self> {
        let read = |file: &str| {
            let path = format!("/proc/{pid}/{file}");
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
        };
        let per_second = rustix::param::clock_ticks_per_second();
        Self::parse(&read("stat")?, &read("status")?, per_second)
            .with_context(|| format!("/proc/{pid} is not in the form that Linux gives it"))
    }

    fn parse(stat: &str, status: &str, ticks_per_second: u64) -> Option<Self> {
        // The name in parentheses may hold anything; user and system time are the 12th and 13th field behind it.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut times = fields.split_whitespace().skip(11);
        let mut ticks = || times.next()?.parse::<u64>().ok();
        let ticks = ticks()? + ticks()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let rss_kib: u32 = line.split_whitespace().next()?.parse().ok()?;
        Some(Self {
            cpu: Duration::from_millis(ticks * 1_000 / ticks_per_second),
            rss_kib: rss_kib.into(),
        })
    }

    /// What was used since `earlier`: the CPU since then, the memory as it is.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            rss_kib: self.rss_kib,
        }
    }
}

impl Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            cpu: self.cpu + other.cpu,
            rss_kib: self.rss_kib + other.rss_kib,
        }
    }
}

/// Programs of Kubernetes that were started by this process, by name: how many, and what they used in all.
///
/// # Errors
/// This is no Linux.
pub fn programs() -> Result<Vec<(&'static str, usize, Usage)>> {
    const NAMES: [&str; 4] = ["kube-apiserver", "etcd", "kube-controller", "kwok"];
    let mut found = NAMES.map(|name| (name, 0, Usage::default()));
    let running = running()?;
    for (pid, Running { name, .. }) in &running {
        let entry = found.iter_mut().find(|(known, _, _)| name.starts_with(known));
        if let Some((_, count, usage)) = entry
            && is_below(*pid, std::process::id(), &running)
            && let Ok(used) = Usage::of(*pid)
        {
            *count += 1;
            *usage = *usage + used;
        }
    }
    Ok(found.into_iter().filter(|(_, count, _)| *count > 0).collect())
}

/// A process, as its `stat` shows it.
#[derive(Debug, PartialEq, Eq)]
struct Running {
    /// Its first 15 bytes.
    name: String,
    parent: u32,
}

impl Running {
    fn parse(stat: &str) -> Option<Self> {
        let (head, fields) = stat.rsplit_once(')')?;
        Some(Self {
            name: head.split_once('(')?.1.to_owned(),
            parent: fields.split_whitespace().nth(1)?.parse().ok()?,
        })
    }
}

/// All processes, by their id.
fn running() -> Result<BTreeMap<u32, Running>> {
    let entries = std::fs::read_dir("/proc").context("cannot read /proc")?;
    let process = |entry: std::fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        Some((pid, Running::parse(&stat)?))
    };
    // A process may end while it is looked at.
    Ok(entries.flatten().filter_map(process).collect())
}

fn is_below(mut pid: u32, ancestor: u32, running: &BTreeMap<u32, Running>) -> bool {
    while let Some(Running { parent, .. }) = running.get(&pid) {
        if *parent == ancestor {
            return true;
        }
        pid = *parent;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "77 (a b) c) S 1 77 77 0 -1 4194560 500 0 0 0 130 20 0 0 20 0 3 0 5 9 6 7";

    #[test]
    fn ticks_and_resident_pages_are_read_past_any_name() {
        let status = "Name:\ta\nVmHWM:\t   9000 kB\nVmRSS:\t   8192 kB\n";
        let usage = Usage::parse(STAT, status, 100).unwrap();
        assert_eq!(
            (usage.cpu, usage.rss_kib),
            (Duration::from_millis(1_500), 8_192.0)
        );
        assert_eq!(Usage::parse(STAT, "Name:\ta\n", 100), None);
        assert_eq!(Usage::parse("77 (a) S 1", status, 100), None);
    }

    #[test]
    fn name_and_parent_are_read_past_any_parentheses() {
        let running = Running::parse(STAT).unwrap();
        assert_eq!((running.name.as_str(), running.parent), ("a b) c", 1));
        assert_eq!(Running::parse("77 (a"), None);
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(Usage::of(std::process::id()).unwrap().rss_kib > 100.0);
    }

    #[test]
    fn cpu_counts_from_a_moment_and_memory_does_not() {
        let usage = |seconds, rss_kib| Usage {
            cpu: Duration::from_secs(seconds),
            rss_kib,
        };
        assert_eq!(usage(5, 30.0).since(usage(2, 10.0)), usage(3, 30.0));
        assert_eq!(usage(5, 30.0) + usage(2, 10.0), usage(7, 40.0));
    }

    #[test]
    fn descent_is_followed_over_several_generations() {
        let process = |parent| Running {
            name: String::new(),
            parent,
        };
        let running = BTreeMap::from([(3, process(2)), (2, process(1)), (9, process(8))]);
        assert!(is_below(3, 1, &running));
        assert!(!is_below(9, 1, &running));
    }
}
