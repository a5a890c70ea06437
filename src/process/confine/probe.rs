//! Finds out by trying what of a confinement works on this machine.

use std::fs;
use std::io;
use std::path::Path;

use super::access::{self, Grants};
use super::{Abilities, Ability, mounts, namespaces, network};
use crate::domain::Network;
use crate::process::wire::{SetupFailure, Walls};

/// Tries every mechanism in this process, which is of no use for anything else afterwards. `scratch` is an empty
/// folder that may be filled.
pub(in crate::process) fn probe(scratch: &Path) -> Abilities {
    let (user_namespace, mount) = enter_mount_namespace();
    let mount = mount.and_then(|()| hide_something(scratch));
    let network = match &mount {
        // The first attempt made the user namespace already.
        Ok(()) => namespaces::enter(namespaces::Wanted { user: false, mount: false, network: true }),
        Err(_) => namespaces::enter(namespaces::Wanted { user: user_namespace, mount: false, network: true }),
    };
    let network = network.and_then(|()| network::raise_loopback());
    let landlock = forbid_something(scratch);
    Abilities {
        user_namespace,
        mount_namespace: Ability::of(&mount),
        network_namespace: Ability::of(&network),
        landlock: Ability::of(&landlock),
        signal_scope: Ability::of(&landlock.and_then(|()| signals_are_confined())),
        seccomp: Ability::of(&network::forbid_sockets().and_then(|()| network::sockets_are_forbidden())),
    }
}

/// Enters a mount namespace, in a user namespace where it must be so; says whether it was.
fn enter_mount_namespace() -> (bool, io::Result<()>) {
    let wanted = namespaces::Wanted { user: false, mount: true, network: false };
    if namespaces::enter(wanted).is_ok() {
        return (false, Ok(()));
    }
    (true, namespaces::enter(namespaces::Wanted { user: true, ..wanted }))
}

/// Hides a folder and protects another, and looks whether it is so.
fn hide_something(scratch: &Path) -> io::Result<()> {
    let (hidden, kept) = (scratch.join("hidden"), scratch.join("kept"));
    fs::create_dir(&hidden)?;
    fs::create_dir(&kept)?;
    fs::write(hidden.join("secret"), "")?;
    let walls = Walls {
        writable: Vec::new(),
        hidden: vec![hidden.clone().into()],
        replaced: Vec::new(),
        read_only: vec![kept.clone().into()],
        network: Network::Full,
        abilities: Abilities {
            user_namespace: false,
            mount_namespace: Ability::Works,
            network_namespace: Ability::Missing(0),
            landlock: Ability::Missing(0),
            seccomp: Ability::Missing(0),
            signal_scope: Ability::Missing(0),
        },
    };
    mounts::arrange(&walls, scratch).map_err(|failure| reason(&failure))?;
    if hidden.join("secret").exists() || fs::write(kept.join("file"), "").is_ok() {
        return Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP));
    }
    Ok(())
}

/// Restricts writing to one folder, and looks whether another one is shut and moving between folders is not.
fn forbid_something(scratch: &Path) -> io::Result<()> {
    let (open, shut) = (scratch.join("open"), scratch.join("shut"));
    fs::create_dir_all(open.join("inner"))?;
    fs::create_dir_all(&shut)?;
    let grants = Grants { write: vec![open.clone()], ..Grants::default() };
    access::restrict(&grants).map_err(|failure| reason(&failure))?;
    fs::write(open.join("file"), "")?;
    fs::rename(open.join("file"), open.join("inner/file"))?;
    if fs::write(shut.join("file"), "").is_ok() {
        return Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP));
    }
    Ok(())
}

/// Fails unless the process that started this one is out of reach of signals, which it is only by a restriction.
fn signals_are_confined() -> io::Result<()> {
    let parent = rustix::process::getppid().ok_or(io::Error::from_raw_os_error(libc::EOPNOTSUPP))?;
    match rustix::process::test_kill_process(parent) {
        Err(rustix::io::Errno::PERM) => Ok(()),
        Ok(()) | Err(_) => Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP)),
    }
}

fn reason(failure: &SetupFailure) -> io::Error {
    io::Error::from_raw_os_error(failure.errno)
}
