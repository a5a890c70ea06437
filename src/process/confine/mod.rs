//! Confinement of a job: the supervisor shuts itself in before it starts the command, which inherits the walls.
//!
//! The order matters: namespaces first (they need rights), then Landlock (which forbids mounting), then seccomp.
//! The supervisor still has one thread here. It keeps its open pipe and log files, and reading is never restricted,
//! so it can report and look into /proc.

mod memory;
mod mounts;
mod namespaces;
mod network;
mod probe;
mod writes;

pub(super) use memory::limit_memory;
pub(super) use probe::probe;

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

/// Shuts this process in, with the means that work on this machine.
pub(super) fn apply(order: &RunOrder, walls: &Walls) -> Result<(), SetupFailure> {
    let abilities = walls.abilities;
    let cut_off = matches!(walls.network, Network::None | Network::Loopback);
    let mount = abilities.mount_namespace.works() && !(walls.hidden.is_empty() && walls.read_only.is_empty());
    let network = abilities.network_namespace.works() && cut_off;
    let wanted = namespaces::Wanted { user: abilities.user_namespace, mount, network };
    namespaces::enter(wanted).map_err(|error| SetupFailure::new(SetupStep::EnterNamespaces, &order.dir, &error))?;
    if mount {
        mounts::arrange(walls, Path::new(&order.dir))?;
    }
    let no_network = |error| SetupFailure::new(SetupStep::RestrictNetwork, &order.dir, &error);
    if network && walls.network == Network::Loopback {
        network::raise_loopback().map_err(no_network)?;
    }
    if abilities.landlock.works() {
        writes::restrict(&writes::allowed(order, walls))?;
    }
    if walls.network == Network::None && !network && abilities.seccomp.works() {
        network::forbid_sockets().map_err(no_network)?;
    }
    Ok(())
}
