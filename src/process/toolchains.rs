//! What of the user's home a command must see to work at all, and what of the system it has no business with.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::environment::folder_of;

/// Folders of tools below the home that their own launchers look into; none of them holds credentials.
const KNOWN: [&str; 29] = [
    ".asdf",
    ".bun/bin",
    ".cargo/bin",
    ".deno/bin",
    ".dotnet",
    ".elan",
    ".fnm",
    ".ghcup",
    ".goenv",
    ".jenv",
    ".juliaup",
    ".local/bin",
    ".local/lib",
    ".local/pipx",
    ".local/share/fnm",
    ".local/share/mise/installs",
    ".local/share/mise/shims",
    ".local/share/pipx",
    ".local/share/uv/python",
    ".local/share/uv/tools",
    ".nodenv",
    ".nvm",
    ".opam",
    ".pyenv",
    ".rbenv",
    ".rvm",
    ".sdkman",
    ".volta",
    "sdk",
];

/// Folders that hold more than programs: of a program's prefix `NAME/bin` only `bin` is shown there.
const MIXED: [&str; 4] = ["", ".local", ".cargo", ".config"];

/// Parts of `/run` that hold programs and libraries (NixOS), not sockets.
const RUN_PROGRAMS: [&str; 3] = ["/run/current-system", "/run/booted-system", "/run/opengl-driver"];
/// Parts of `/run` by which names of the network are found.
const RUN_NAMES: [&str; 3] = ["/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager/resolv.conf"];

/// Lists what of the folders in `hidden` must stay visible: toolchains in the usual places of the home, each folder
/// of `PATH` with the prefix that it belongs to and the targets of its links, and `RUSTUP_HOME`. `own` is the
/// environment of this program.
pub fn toolchains(own: &[(OsString, OsString)], hidden: &[PathBuf]) -> Vec<PathBuf> {
    let own: BTreeMap<OsString, OsString> = own.iter().cloned().collect();
    let home = own.get(OsStr::new("HOME")).map(PathBuf::from).unwrap_or_default();
    let is_hidden = |path: &Path| hidden.iter().any(|outer| path != outer && path.starts_with(outer));
    let mut found: BTreeSet<PathBuf> = KNOWN.iter().map(|name| home.join(name)).collect();
    found.extend(folder_of(&own, "RUSTUP_HOME", ".rustup"));
    for folder in own.get(OsStr::new("PATH")).iter().flat_map(std::env::split_paths) {
        if is_hidden(&folder) {
            found.insert(prefix(&folder, &home));
        }
        // Only folders of this user hold links into the home; those of the system are passed over unread.
        let settled = folder.canonicalize().unwrap_or(folder);
        if is_hidden(&settled) {
            found.insert(prefix(&settled, &home));
            found.extend(link_targets(&settled).filter(|to| is_hidden(to)).map(|to| program_prefix(&to, &home)));
        }
    }
    found.into_iter().filter(|path| is_hidden(path) && path.exists()).collect()
}

/// Returns the folder that a folder of programs belongs to: `PREFIX` of `PREFIX/bin` or `PREFIX/shims`.
fn prefix(folder: &Path, home: &Path) -> PathBuf {
    let is_programs = folder.file_name().is_some_and(|name| name == "bin" || name == "shims" || name == "sbin");
    let parent = folder.parent().filter(|_| is_programs).filter(|parent| !is_mixed(parent, home));
    parent.unwrap_or(folder).to_owned()
}

fn is_mixed(folder: &Path, home: &Path) -> bool {
    home.starts_with(folder) || MIXED.iter().any(|name| home.join(name) == folder)
}

/// Returns what is to be seen of the program that a link leads to.
fn program_prefix(program: &Path, home: &Path) -> PathBuf {
    let Some(folder) = program.parent() else { return program.to_owned() };
    let whole = prefix(folder, home);
    if whole == folder { program.to_owned() } else { whole }
}

fn link_targets(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let links = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()));
    links.filter_map(|entry| entry.path().canonicalize().ok())
}

/// Lists what of the system no command needs: the sockets of services in `/run`, and disks that this user may read
/// past all permissions. `network` says whether names of the network are to be found.
pub fn system_places(network: bool) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let devices = fs::read_dir("/dev").into_iter().flatten().flatten();
    let disks = devices.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_block_device()));
    let readable = disks.map(|entry| entry.path()).filter(|disk| rustix::fs::access(disk, Access::READ_OK).is_ok());
    let hidden = readable.chain([PathBuf::from("/run")]).collect();
    let names = RUN_NAMES.iter().filter(|_| network);
    (hidden, RUN_PROGRAMS.iter().chain(names).map(PathBuf::from).filter(|path| path.exists()).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn seen(home: &Path, path: &str) -> Vec<String> {
        let own = [("HOME".into(), home.into()), ("PATH".into(), path.replace('~', home.to_str().unwrap()).into())];
        let found = toolchains(&own, &[home.to_owned()]);
        found.iter().map(|path| path.strip_prefix(home).unwrap().to_str().unwrap().to_owned()).collect()
    }

    fn home_with(folders: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().canonicalize().unwrap();
        for folder in folders {
            fs::create_dir_all(path.join(folder)).unwrap();
        }
        (home, path)
    }

    #[test]
    fn toolchains_in_their_usual_places_stay_in_sight_and_keys_do_not() {
        let (_home, path) = home_with(&[".rustup", ".cargo/bin", ".nvm", ".ssh", ".aws"]);
        fs::write(path.join(".cargo/credentials.toml"), "").unwrap();
        assert_eq!(seen(&path, "/usr/bin"), [".cargo/bin", ".nvm", ".rustup"]);
    }

    #[test]
    fn a_folder_of_the_path_brings_its_prefix_but_never_a_folder_of_many_things() {
        let (_home, path) = home_with(&["miniconda3/bin", "bin", ".local/bin", ".local/share/keyrings"]);
        assert_eq!(seen(&path, "~/miniconda3/bin:~/bin:~/.local/bin"), [".local/bin", "bin", "miniconda3"]);
    }

    #[test]
    fn a_link_among_the_programs_brings_what_it_leads_to() {
        let (_home, path) = home_with(&[".local/bin", "tools/black/bin", "notes"]);
        fs::write(path.join("tools/black/bin/black"), "").unwrap();
        fs::write(path.join("notes/script"), "").unwrap();
        symlink(path.join("tools/black/bin/black"), path.join(".local/bin/black")).unwrap();
        symlink(path.join("notes/script"), path.join(".local/bin/script")).unwrap();
        assert_eq!(seen(&path, "~/.local/bin"), [".local/bin", "notes/script", "tools/black"]);
    }

    #[test]
    fn a_relative_or_foreign_home_shows_nothing() {
        let (_home, path) = home_with(&[".nvm"]);
        let own = [("HOME".into(), path.clone().into())];
        assert!(toolchains(&own, &[PathBuf::from("/elsewhere")]).is_empty());
        assert!(toolchains(&[], &[path]).is_empty());
    }
}
