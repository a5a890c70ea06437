//! Hiding paths, putting folders in the place of others and making paths read-only, in a mount namespace of the
//! supervisor's own.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, StatVfsMountFlags, open, statvfs};
use rustix::mount::{MountFlags, mount, mount_bind_recursive, mount_remount};

use super::{SetupFailure, SetupStep, Walls};

/// Shared memory of the job's own, at the size that the system gives to everybody's.
const SHARED_MEMORY: &str = "/dev/shm";

/// A path as it was before anything was mounted over it.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    /// The path as it was named, where links lead from there to `path`.
    alias: Option<PathBuf>,
    handle: OwnedFd,
    is_dir: bool,
}

impl Place {
    /// Opens a path, without links; `None` when it does not exist or cannot be reached.
    fn find(named: &Path) -> io::Result<Option<Self>> {
        let unreachable = [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied, io::ErrorKind::NotADirectory];
        let path = match fs::canonicalize(named) {
            Ok(path) => path,
            Err(error) if unreachable.contains(&error.kind()) => return Ok(None),
            Err(error) => return Err(error),
        };
        let handle = open(&path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        let is_dir = path.is_dir();
        let alias = (path != named).then(|| named.to_owned());
        Ok(Some(Self { path, alias, handle, is_dir }))
    }

    /// Returns the name under which the original can still be mounted.
    fn original(&self) -> String {
        format!("/proc/self/fd/{}", self.handle.as_raw_fd())
    }

    /// Mounts the original somewhere, where a mount point is made.
    fn bind(&self, at: &Path) -> io::Result<()> {
        if self.is_dir {
            fs::create_dir_all(at)?;
        } else {
            at.parent().map(fs::create_dir_all).transpose()?;
            let _empty: File = OpenOptions::new().create(true).append(true).open(at)?;
        }
        Ok(mount_bind_recursive(self.original(), at)?)
    }
}

/// What is to be seen at a path.
#[derive(Debug)]
enum Sight<'p> {
    /// Nothing.
    Nothing,
    /// An empty folder that can be written.
    Fresh,
    /// Another folder.
    Other(&'p Place),
    /// What is there in truth.
    Itself(&'p Place),
}

/// A path and what is to be seen there; what lies deeper is seen too unless a deeper layer says otherwise.
#[derive(Debug)]
struct Layer<'p> {
    at: &'p Path,
    sight: Sight<'p>,
}

/// Hides, replaces and protects what the walls say, outer paths before inner ones.
pub(super) fn arrange(walls: &Walls, dir: &Path) -> Result<(), SetupFailure> {
    let hidden = places(SetupStep::Hide, walls.hidden.iter())?;
    let replaced = replacements(walls)?;
    let read_only = places(SetupStep::MakeReadOnly, walls.read_only.iter())?;
    let writable = places(SetupStep::Expose, walls.writable.iter())?;
    let start = places(SetupStep::Expose, std::iter::once(&dir.as_os_str().to_owned()))?;
    let shared_memory = Path::new(SHARED_MEMORY);
    let fresh = shared_memory.is_dir().then_some(Layer { at: shared_memory, sight: Sight::Fresh });
    let mut layers: Vec<Layer<'_>> = hidden.iter().map(|p| Layer { at: &p.path, sight: Sight::Nothing }).collect();
    layers.extend(fresh);
    layers.extend(replaced.iter().map(|(at, by)| Layer { at, sight: Sight::Other(by) }));
    let shown = writable.iter().chain(&read_only).chain(&start);
    layers.extend(shown.map(|place| Layer { at: &place.path, sight: Sight::Itself(place) }));
    lay(&in_order(layers))?;
    let mut granted: Vec<&Path> = writable.iter().map(|place| place.path.as_path()).collect();
    granted.extend(replaced.iter().map(|(at, _)| at.as_path()));
    if !walls.abilities.landlock.works() {
        granted.push(Path::new("/"));
    }
    protect(&read_only, &writable, &granted)
}

fn places<'a>(step: SetupStep, paths: impl Iterator<Item = &'a OsString>) -> Result<Vec<Place>, SetupFailure> {
    let find = |path: &'a OsString| {
        Place::find(Path::new(path)).map_err(|error| SetupFailure::new(step, path, &error)).transpose()
    };
    paths.filter_map(find).collect()
}

/// Finds the folders that stand in the place of others, which need not exist.
fn replacements(walls: &Walls) -> Result<Vec<(PathBuf, Place)>, SetupFailure> {
    let settled = |place: &Path| fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
    let find = |(place, by): &(OsString, OsString)| match Place::find(Path::new(by)) {
        Ok(found) => found.map(|by| Ok((settled(Path::new(place)), by))),
        Err(error) => Some(Err(SetupFailure::new(SetupStep::Replace, by, &error))),
    };
    walls.replaced.iter().filter_map(find).collect()
}

/// Sorts layers from the outside in; of those at the same path the last one counts.
fn in_order(layers: Vec<Layer<'_>>) -> Vec<Layer<'_>> {
    let mut sorted: Vec<Layer<'_>> = Vec::with_capacity(layers.len());
    for layer in layers {
        sorted.retain(|earlier| earlier.at != layer.at);
        sorted.push(layer);
    }
    sorted.sort_by_key(|layer| layer.at.components().count());
    sorted
}

fn lay(layers: &[Layer<'_>]) -> Result<(), SetupFailure> {
    let mut emptied = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let above = layers[..index].iter().rfind(|outer| layer.at.starts_with(outer.at)).map(|outer| &outer.sight);
        let failed = |step, error: &io::Error| SetupFailure::new(step, layer.at, error);
        match &layer.sight {
            // It may lie in a folder that is hidden already.
            Sight::Nothing if !layer.at.exists() => {}
            Sight::Nothing => {
                empty(layer.at).map_err(|error| failed(SetupStep::Hide, &error))?;
                emptied.push(layer.at);
            }
            Sight::Fresh => {
                mount("tmpfs", layer.at, "tmpfs", EMPTY, c"mode=1777")
                    .map_err(|error| failed(SetupStep::Replace, &error.into()))?;
            }
            // Nothing is made on the user's disk for the sake of a mount point.
            Sight::Other(_) if !layer.at.exists() && !matches!(above, Some(Sight::Nothing)) => {}
            Sight::Other(place) => place.bind(layer.at).map_err(|error| failed(SetupStep::Replace, &error))?,
            Sight::Itself(place) => {
                if matches!(above, Some(Sight::Nothing | Sight::Fresh | Sight::Other(_))) {
                    place.bind(layer.at).map_err(|error| failed(SetupStep::Expose, &error))?;
                }
                link(place, &emptied).map_err(|error| failed(SetupStep::Expose, &error))?;
            }
        }
    }
    emptied.into_iter().rev().filter(|at| at.is_dir()).try_for_each(|at| {
        // This mount alone is meant, whatever it is of.
        mount_remount(at, EMPTY | MountFlags::BIND | MountFlags::RDONLY, c"")
            .map_err(|error| SetupFailure::new(SetupStep::Hide, at, &error.into()))
    })
}

const EMPTY: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV);
const EMPTY_SIZE: &std::ffi::CStr = c"size=256k,mode=755";

/// Puts an empty folder or file over a path.
fn empty(at: &Path) -> io::Result<()> {
    if at.is_dir() {
        Ok(mount("tmpfs", at, "tmpfs", EMPTY, EMPTY_SIZE)?)
    } else {
        Ok(mount_bind_recursive("/dev/null", at)?)
    }
}

/// Lets a place be found by the name that it was asked for too, where the link of that name is hidden.
fn link(place: &Place, emptied: &[&Path]) -> io::Result<()> {
    let Some(alias) = place.alias.as_deref() else { return Ok(()) };
    let is_hidden = emptied.iter().any(|outer| alias.starts_with(outer)) && alias.symlink_metadata().is_err();
    if !is_hidden {
        return Ok(());
    }
    alias.parent().map(fs::create_dir_all).transpose()?;
    std::os::unix::fs::symlink(&place.path, alias)
}

/// Makes those places read-only that lie below a path where writing is granted: Landlock, which grants by folder,
/// lets them be written too, and keeps all others from that already. Writable places below them become mounts of their
/// own first, whose flags stay.
fn protect(read_only: &[Place], writable: &[Place], granted: &[&Path]) -> Result<(), SetupFailure> {
    let below = |inner: &Path, outer: &Path| outer != inner && inner.starts_with(outer);
    let read_only: Vec<&Place> =
        read_only.iter().filter(|place| granted.iter().any(|outer| below(&place.path, outer))).collect();
    for place in outer_first(writable.iter()) {
        if read_only.iter().any(|outer| below(&place.path, &outer.path)) {
            mount_bind_recursive(&place.path, &place.path)
                .map_err(|error| SetupFailure::new(SetupStep::Expose, &place.path, &error.into()))?;
        }
    }
    for place in outer_first(read_only.into_iter()) {
        make_read_only(&place.path).map_err(|error| SetupFailure::new(SetupStep::MakeReadOnly, &place.path, &error))?;
    }
    Ok(())
}

fn outer_first<'a>(places: impl Iterator<Item = &'a Place>) -> Vec<&'a Place> {
    let mut sorted: Vec<&Place> = places.collect();
    sorted.sort_by_key(|place| place.path.components().count());
    sorted
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
