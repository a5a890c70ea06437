//! Confinement of a job: the supervisor shuts itself in, and the thread that starts the command locks itself up for good.
//!
//! The order matters: namespaces first (they need rights and a process of one thread), then mounts, then Landlock
//! (which forbids mounting), then seccomp. Landlock binds only the thread that starts the command, which inherits it:
//! the supervisor stays outside, out of reach of the job's signals, and can look into /proc and write its log files.

mod access;
mod mounts;
mod namespaces;
mod network;
mod privileges;
mod probe;

pub(super) use probe::probe;

use std::fs::File;
use std::path::Path;

use super::error::SetupStep;
use super::sys;
use super::wire::{Abilities, Ability, RunOrder, SetupFailure, Walls};
use crate::domain::Network;

/// Keeps a job of the same user from reading and writing this process's pipes and memory through /proc. Comes after
/// the namespaces, whose id maps an unreadable process may not write.
pub(super) fn shield() -> std::io::Result<()> {
    Ok(rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?)
}

/// Moves this process behind its walls, with the means that work on this machine.
pub(super) fn enter(order: &RunOrder, walls: &Walls) -> Result<(), SetupFailure> {
    let abilities = walls.abilities;
    let mount = abilities.mount_namespace.works() && walls.need_mounts();
    let network = has_own_network(walls);
    let wanted = namespaces::Wanted { user: abilities.user_namespace, mount, network };
    namespaces::enter(wanted).map_err(|error| SetupFailure::new(SetupStep::EnterNamespaces, &order.dir, &error))?;
    if mount {
        mounts::arrange(walls, Path::new(&order.dir))?;
    }
    if network && walls.network == Network::Loopback {
        network::raise_loopback().map_err(|error| SetupFailure::new(SetupStep::RestrictNetwork, &order.dir, &error))?;
    }
    Ok(())
}

/// Locks this thread and all that it starts in; the logs can be opened again, wherever they lie.
pub(super) fn lock(order: &RunOrder, walls: &Walls, logs: [&File; 2]) -> Result<(), SetupFailure> {
    privileges::drop_excess()?;
    if walls.abilities.landlock.works() {
        access::restrict(&access::Grants::of(order, walls, logs))?;
    }
    if walls.network == Network::None && !has_own_network(walls) && walls.abilities.seccomp.works() {
        network::forbid_sockets().map_err(|error| SetupFailure::new(SetupStep::RestrictNetwork, &order.dir, &error))?;
    }
    Ok(())
}

fn has_own_network(walls: &Walls) -> bool {
    walls.abilities.network_namespace.works() && matches!(walls.network, Network::None | Network::Loopback)
}
