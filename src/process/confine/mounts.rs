//! Hiding paths and making them read-only, in a mount namespace of the supervisor's own.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, StatVfsMountFlags, open, statvfs};
use rustix::mount::{MountFlags, mount, mount_bind_recursive, mount_remount};

use super::{SetupFailure, SetupStep, Walls};

/// A path as it was before anything was mounted over it.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    handle: OwnedFd,
    is_dir: bool,
}

impl Place {
    /// Opens a path, without links; `None` when it does not exist.
    fn find(path: &Path) -> io::Result<Option<Self>> {
        let path = match fs::canonicalize(path) {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let handle = open(&path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        let is_dir = path.is_dir();
        Ok(Some(Self { path, handle, is_dir }))
    }

    /// Returns the name under which the original can still be mounted.
    fn original(&self) -> String {
        format!("/proc/self/fd/{}", self.handle.as_raw_fd())
    }
}

/// Hides and protects what the walls say, outer paths before inner ones.
pub(super) fn arrange(walls: &Walls, dir: &Path) -> Result<(), SetupFailure> {
    let hidden = places(SetupStep::Hide, walls.hidden.iter())?;
    let read_only = places(SetupStep::MakeReadOnly, walls.read_only.iter())?;
    let writable = places(SetupStep::Expose, walls.writable.iter())?;
    let start = places(SetupStep::Expose, std::iter::once(&dir.as_os_str().to_owned()))?;
    let visible = outer_first(writable.iter().chain(&read_only).chain(&start));
    for place in outer_first(hidden.iter()) {
        hide(place, &visible)?;
    }
    protect(&read_only, &writable)
}

fn places<'a>(step: SetupStep, paths: impl Iterator<Item = &'a OsString>) -> Result<Vec<Place>, SetupFailure> {
    let find = |path: &'a OsString| {
        Place::find(Path::new(path)).map_err(|error| SetupFailure::new(step, path, &error)).transpose()
    };
    paths.filter_map(find).collect()
}

fn outer_first<'a>(places: impl Iterator<Item = &'a Place>) -> Vec<&'a Place> {
    let mut sorted: Vec<&Place> = places.collect();
    sorted.sort_by_key(|place| place.path.components().count());
    sorted
}

/// Puts an empty folder or file over a place, and what must stay visible below it back into the empty folder.
fn hide(place: &Place, visible: &[&Place]) -> Result<(), SetupFailure> {
    if !place.path.exists() {
        return Ok(()); // It lies in a folder that is hidden already.
    }
    let failed = |error: io::Error| SetupFailure::new(SetupStep::Hide, &place.path, &error);
    if !place.is_dir {
        return mount_bind_recursive("/dev/null", &place.path).map_err(|error| failed(error.into()));
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    let size = c"size=64k,mode=755";
    mount("tmpfs", &place.path, "tmpfs", flags, size).map_err(|error| failed(error.into()))?;
    let mut exposed: Vec<&Path> = Vec::new();
    for below in visible.iter().filter(|other| other.path != place.path && other.path.starts_with(&place.path)) {
        // What lies in a folder that was put back is there already.
        if !exposed.iter().any(|outer| below.path.starts_with(outer)) {
            expose(below).map_err(|error| SetupFailure::new(SetupStep::Expose, &below.path, &error))?;
            exposed.push(&below.path);
        }
    }
    mount_remount(&place.path, flags | MountFlags::RDONLY, size).map_err(|error| failed(error.into()))
}

/// Mounts the original of a place at its own path, whose folders are made.
fn expose(place: &Place) -> io::Result<()> {
    if place.is_dir {
        fs::create_dir_all(&place.path)?;
    } else {
        place.path.parent().map(fs::create_dir_all).transpose()?;
        let _empty: File = OpenOptions::new().create(true).append(true).open(&place.path)?;
    }
    Ok(mount_bind_recursive(place.original(), &place.path)?)
}

/// Makes places read-only, except for writable places below them: those become mounts of their own first, whose
/// flags stay.
fn protect(read_only: &[Place], writable: &[Place]) -> Result<(), SetupFailure> {
    for place in outer_first(writable.iter()) {
        if read_only.iter().any(|outer| outer.path != place.path && place.path.starts_with(&outer.path)) {
            mount_bind_recursive(&place.path, &place.path)
                .map_err(|error| SetupFailure::new(SetupStep::Expose, &place.path, &error.into()))?;
        }
    }
    for place in outer_first(read_only.iter()) {
        make_read_only(&place.path).map_err(|error| SetupFailure::new(SetupStep::MakeReadOnly, &place.path, &error))?;
    }
    Ok(())
}

/// Mounts a path over itself, read-only; other disks mounted below it keep their own flags. Flags of the disk must
/// be kept: a user namespace may not drop them.
fn make_read_only(path: &Path) -> io::Result<()> {
    mount_bind_recursive(path, path)?;
    let present = statvfs(path)?.f_flag;
    let mut flags = MountFlags::BIND | MountFlags::RDONLY;
    for (is, keep) in [
        (StatVfsMountFlags::NODEV, MountFlags::NODEV),
        (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (StatVfsMountFlags::NOSUID, MountFlags::NOSUID),
        (StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (StatVfsMountFlags::NODIRATIME, MountFlags::NODIRATIME),
        (StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
    ] {
        flags.set(keep, present.contains(is));
    }
    Ok(mount_remount(path, flags, c"")?)
}
