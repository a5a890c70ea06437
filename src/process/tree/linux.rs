//! The process tree of a job: every descendant of this supervisor, found in /proc.

use std::collections::BTreeSet;
use std::fs;

use rustix::process::{Pid, Signal, getpgrp, getpid, kill_process, kill_process_group, set_child_subreaper};

/// One process, from `/proc/<pid>/stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    pid: i32,
    parent: i32,
    group: i32,
    session: i32,
    is_zombie: bool,
}

/// Makes this process the parent of every orphan below it.
pub(super) fn adopt_orphans() -> std::io::Result<()> {
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// The process tree of a job.
#[derive(Debug)]
pub(super) struct Tree;

impl Tree {
    /// Names the tree that a job just started with.
    pub(super) fn new(_job: Pid) -> Self {
        Self
    }

    /// Says whether nothing is left, given that this process has no child: then it has no descendant either.
    #[expect(clippy::unused_self, reason = "where orphans cannot be adopted this asks the process group")]
    pub(super) fn is_gone(&self) -> bool {
        true
    }

    /// Returns the process ids of the tree without those that only wait to be reaped.
    #[expect(clippy::unused_self, reason = "where orphans cannot be adopted this asks the process group")]
    pub(super) fn pids(&self) -> Vec<i32> {
        let own = getpid().as_raw_pid();
        descendants(&processes(), own).iter().filter(|p| !p.is_zombie).map(|p| p.pid).collect()
    }

    /// Says whether the processes of the tree hold more memory together. Pages that they share are counted once, which
    /// is slow to find out and asked only where the quick sum is above the limit.
    pub(super) fn holds_more_than(&self, bytes: u64) -> bool {
        let pids = self.pids();
        let sum = |held: fn(i32) -> Option<u64>| pids.iter().filter_map(|pid| held(*pid)).sum::<u64>();
        sum(resident) > bytes && sum(proportional) > bytes
    }

    /// Sends a signal to every process of the tree; SIGTERM wakes stopped ones.
    ///
    /// Whole groups are signalled, as no fork can slip through that. All members of a descendant's group are
    /// descendants, because a group never leaves its session; a group that is the supervisor's own is spared.
    #[expect(clippy::unused_self, reason = "where orphans cannot be adopted this asks the process group")]
    pub(super) fn signal(&self, signal: Signal) {
        let (own, own_group) = (getpid().as_raw_pid(), getpgrp().as_raw_pid());
        let tree = descendants(&processes(), own);
        let groups: BTreeSet<i32> = tree.iter().map(|p| p.group).filter(|group| *group != own_group).collect();
        let strays = tree.iter().filter(|p| p.group == own_group);
        // A process that ended meanwhile is no error: the caller asks again until none is left.
        let deliver = |signal| {
            for group in groups.iter().filter_map(|group| Pid::from_raw(*group)) {
                let _gone = kill_process_group(group, signal);
            }
            for pid in strays.clone().filter_map(|p| Pid::from_raw(p.pid)) {
                let _gone = kill_process(pid, signal);
            }
        };
        deliver(signal);
        if signal == Signal::TERM {
            deliver(Signal::CONT);
        }
    }
}

/// Returns the resident memory of a process, in bytes.
fn resident(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// Returns the resident memory of a process, each page divided by the number of processes that share it, in bytes.
fn proportional(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok();
    let line = text.as_deref().and_then(|text| text.lines().find_map(|line| line.strip_prefix("Pss:")));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    // A process that changed its rights cannot be looked into.
    kilobytes.map(|kilobytes| kilobytes * 1024).or_else(|| resident(pid))
}

/// Kills what is left of the session of a supervisor that died; processes that left its session stay.
pub(super) fn kill_session(supervisor: u32) {
    let Ok(session) = i32::try_from(supervisor) else { return };
    for process in processes().iter().filter(|p| p.session == session && p.pid != session) {
        if let Some(pid) = Pid::from_raw(process.pid) {
            let _gone = kill_process(pid, Signal::KILL);
        }
    }
}

/// Reads every process of the system; those that end meanwhile are left out.
fn processes() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let is_pid = |name: &str| name.bytes().all(|b| b.is_ascii_digit());
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok().filter(|name| is_pid(name)))
        .filter_map(|pid| parse_stat(&fs::read(format!("/proc/{pid}/stat")).ok()?))
        .collect()
}

/// Parses `/proc/<pid>/stat`; the name in brackets may hold anything, also brackets.
fn parse_stat(stat: &[u8]) -> Option<Process> {
    let text = String::from_utf8_lossy(stat);
    let (pid, rest) = text.split_once(" (")?;
    let (_, rest) = rest.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let is_zombie = matches!(fields.next()?, "Z" | "X");
    let mut number = || fields.next()?.parse().ok();
    Some(Process { pid: pid.parse().ok()?, parent: number()?, group: number()?, session: number()?, is_zombie })
}

/// Returns the descendants of a process.
fn descendants(all: &[Process], root: i32) -> Vec<Process> {
    let mut found = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for process in all.iter().filter(|p| p.parent == parent) {
            found.push(*process);
            parents.push(process.pid);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32) -> Process {
        Process { pid, parent, group: pid, session: pid, is_zombie: false }
    }

    #[test]
    fn a_name_with_brackets_and_blanks_does_not_shift_the_fields() {
        let parsed = parse_stat(b"42 (a) R 1 (b) S 7 40 39 0 -1 4194560 1 2").unwrap();
        assert_eq!(parsed, Process { pid: 42, parent: 7, group: 40, session: 39, is_zombie: false });
        assert!(parse_stat(b"42 (x) Z 7 40 39 0").unwrap().is_zombie);
        assert_eq!(parse_stat(b"42 (x"), None);
    }

    #[test]
    fn descendants_are_found_at_any_depth_and_strangers_are_not() {
        let all = [process(5, 4), process(3, 2), process(4, 3), process(9, 1), process(2, 1)];
        let mut pids: Vec<i32> = descendants(&all, 2).iter().map(|p| p.pid).collect();
        pids.sort_unstable();
        assert_eq!(pids, [3, 4, 5]);
    }
}
