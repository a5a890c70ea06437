//! The private repository: where candidates become trees and commits, out of reach of the user's references.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use git2::{Oid, Repository};

use crate::domain::ObjectId;

use super::command::{Git, records};
use super::error::Doing;
use super::survey::EffectiveConfig;
use super::{GitError, Survey, UserRepository};

/// Settings of the user that decide how files are checked out, copied where they are set.
pub(super) const MIRRORED: [&str; 10] = [
    "core.autocrlf",
    "core.eol",
    "core.safecrlf",
    "core.filemode",
    "core.symlinks",
    "core.ignorecase",
    "core.precomposeunicode",
    "core.sparsecheckout",
    "core.sparsecheckoutcone",
    "core.checkroundtripencoding",
];

/// A bare repository in the cache folder that sees the user's objects and shares nothing else with it.
pub struct PrivateRepository {
    pub(super) user: UserRepository,
    pub(super) repo: Repository,
    pub(super) traits: Traits,
    pub(super) filters: Filters,
    folder: PathBuf,
    path: PathBuf,
}

/// The user's filters.
#[derive(Debug, Clone, Default)]
pub(super) struct Filters {
    /// Paths of the base that have one.
    pub(super) paths: BTreeSet<Vec<u8>>,
    /// Settings that switch all of them off.
    pub(super) off: Vec<String>,
}

/// How the bytes of a checked-out file come from its blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bytes {
    /// They are the blob's.
    OfTheBlob,
    /// Git converts line ends, encodings or identifiers.
    Converted,
    /// Some come from the user's filters, which commands in a slot do not see.
    Filtered,
}

/// What the slots need to know about the kind of repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Traits {
    /// How the bytes of a file come from its blob.
    pub(super) bytes: Bytes,
    /// Whether only a part of the tree is checked out.
    pub(super) sparse: bool,
    /// Whether executable bits count (`core.fileMode`).
    pub(super) file_mode: bool,
}

impl PrivateRepository {
    /// Opens `folder/git`, creating it when missing, and brings it up to date with the user's repository.
    ///
    /// A repository that the survey refuses is refused here too ([`GitError::Refused`]).
    pub fn open_or_create(folder: &Path, user: &UserRepository, survey: &Survey) -> Result<Self, GitError> {
        if let Some(refusal) = survey.refusals().into_iter().next() {
            return Err(GitError::Refused { reason: refusal.reason, cure: refusal.cure });
        }
        fs::create_dir_all(folder).doing("create", folder)?;
        let folder = folder.canonicalize().doing("find", folder)?;
        let path = folder.join("git");
        for part in ["objects/info", "objects/pack", "refs/heads", "info", "worktrees", "autoresearch"] {
            fs::create_dir_all(path.join(part)).doing("create", &path.join(part))?;
        }
        let config = EffectiveConfig::read(user)?;
        mirror(user, &config, &path)?;
        let repo = open_library(&path)?;
        let traits = Traits {
            bytes: match (survey.converts(), survey.filtered.is_empty()) {
                (false, _) => Bytes::OfTheBlob,
                (true, true) => Bytes::Converted,
                (true, false) => Bytes::Filtered,
            },
            sparse: survey.sparse,
            file_mode: config.get("core.filemode").is_none_or(super::survey::truth),
        };
        let paths = survey.filtered.iter().map(|path| path.clone().into_bytes()).collect();
        let filters = Filters { paths, off: config.without_filters() };
        Ok(Self { user: user.clone(), repo, traits, filters, folder, path })
    }

    /// Brings settings and references up to date with the user's repository, as at a session's start.
    pub fn refresh(&self) -> Result<(), GitError> {
        mirror(&self.user, &EffectiveConfig::read(&self.user)?, &self.path)
    }

    /// Returns the folder that holds the repository and its slots.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the bare repository's folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens another handle on the same repository.
    pub(super) fn library(&self) -> Result<Repository, GitError> {
        open_library(&self.path)
    }

    /// Prepares a git process in the private repository, with no configuration but its own.
    pub(super) fn git(&self) -> Git {
        Git::secluded(&self.path).env("GIT_DIR", &self.path)
    }
}

/// Opens the repository with its own configuration alone, so that nobody's global settings change a merge or a diff.
fn open_library(path: &Path) -> Result<Repository, GitError> {
    let repo = Repository::open_bare(path).doing("open the private repository", path)?;
    let config = git2::Config::open(&path.join("config")).doing("read the configuration", path)?;
    repo.set_config(&config).doing("use the configuration", path)?;
    Ok(repo)
}

/// Reads an id of the domain as the library's.
pub(super) fn oid(id: &ObjectId) -> Result<Oid, GitError> {
    Oid::from_str(id.as_str()).doing("read an object id", Path::new(id.as_str()))
}

/// Reads an id of the library as the domain's.
pub(super) fn object_id(id: Oid) -> Result<ObjectId, GitError> {
    Ok(ObjectId::new(id.to_string())?)
}

/// Writes everything that makes a checkout of the private repository equal to one of the user's.
fn mirror(user: &UserRepository, config: &EffectiveConfig, path: &Path) -> Result<(), GitError> {
    write_atomic(&path.join("HEAD"), b"ref: refs/heads/none\n")?;
    write_atomic(&path.join("config"), configuration(config, path).as_bytes())?;
    write_atomic(&path.join("objects/info/alternates"), &alternates_line(&user.objects()))?;
    copy(&user.common_dir().join("shallow"), &path.join("shallow"), Missing::Remove)?;
    for name in ["info/attributes", "info/exclude"] {
        copy(&user.common_dir().join(name), &path.join(name), Missing::Empty)?;
    }
    copy(
        &global_file(user, "core.attributesFile", "attributes")?,
        &path.join("autoresearch/attributes"),
        Missing::Empty,
    )?;
    copy(&global_file(user, "core.excludesFile", "ignore")?, &path.join("autoresearch/exclude"), Missing::Empty)?;
    copy(&user.git_dir().join("info/sparse-checkout"), &path.join("autoresearch/sparse-checkout"), Missing::Remove)?;
    write_atomic(&path.join("packed-refs"), &packed_references(user)?)
}

fn configuration(user: &EffectiveConfig, path: &Path) -> String {
    let mut text = String::from("[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tlogallrefupdates = false\n");
    for key in MIRRORED {
        if let (Some(name), Some(value)) = (key.strip_prefix("core."), user.get(key)) {
            text.extend(["\t", name, " = ", &quoted(value), "\n"]);
        }
    }
    for (name, file) in [("attributesFile", "attributes"), ("excludesFile", "exclude")] {
        let file = path.join("autoresearch").join(file);
        text.extend(["\t", name, " = ", &quoted(&file.to_string_lossy()), "\n"]);
    }
    text.push_str("\thooksPath = /dev/null\n\tfsmonitor = false\n\tuntrackedCache = false\n\tsplitIndex = false\n");
    text.push_str("[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[index]\n\tsparse = false\n\tversion = 2\n");
    text.push_str("[advice]\n\tdetachedHead = false\n[commit]\n\tgpgsign = false\n[submodule]\n\trecurse = false\n");
    text
}

fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

fn alternates_line(objects: &Path) -> Vec<u8> {
    let mut line = objects.as_os_str().as_bytes().to_vec();
    line.push(b'\n');
    line
}

/// Finds a file that the user's global configuration names, or git's own place for it.
fn global_file(user: &UserRepository, key: &str, usual: &str) -> Result<PathBuf, GitError> {
    let named = user.git().args(["config", "--type=path", "--get", key]).run()?;
    if named.code == 0 {
        let text = String::from_utf8_lossy(&named.stdout).trim_end_matches('\n').to_owned();
        return Ok(user.root().join(text));
    }
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config"));
    let config = std::env::var_os("XDG_CONFIG_HOME").filter(|v| !v.is_empty()).map(PathBuf::from).or_else(home);
    Ok(config.unwrap_or_default().join("git").join(usual))
}

/// Writes tags, the current branch and remote-tracking references in the packed format.
fn packed_references(user: &UserRepository) -> Result<Vec<u8>, GitError> {
    let mut git =
        user.git().args(["for-each-ref", "--format=%(refname)%00%(objectname)%00%(*objectname)%00", "--sort=refname"]);
    git = git.args(["refs/tags", "refs/remotes"]);
    let current = user.git().args(["symbolic-ref", "-q", "HEAD"]).run()?;
    if current.code == 0 {
        git = git.arg(String::from_utf8_lossy(&current.stdout).trim_end());
    }
    let listed = git.output()?;
    let mut text = b"# pack-refs with: peeled fully-peeled sorted \n".to_vec();
    let fields: Vec<&[u8]> = records(listed.strip_suffix(b"\n").unwrap_or(&listed)).collect();
    for [name, id, peeled] in fields.as_chunks::<3>().0 {
        let name = name.strip_prefix(b"\n").unwrap_or(name);
        text.extend([id, b" ".as_slice(), name, b"\n"].concat());
        if !peeled.is_empty() {
            text.extend([b"^", *peeled, b"\n"].concat());
        }
    }
    Ok(text)
}

/// What the copy of a missing file is.
enum Missing {
    Empty,
    Remove,
}

fn copy(from: &Path, to: &Path, missing: Missing) -> Result<(), GitError> {
    match (fs::read(from), missing) {
        (Ok(bytes), _) => write_atomic(to, &bytes),
        (Err(e), Missing::Empty) if absent(&e) => write_atomic(to, b""),
        (Err(e), Missing::Remove) if absent(&e) => match fs::remove_file(to) {
            Err(e) if !absent(&e) => Err(e).doing("remove", to),
            _ => Ok(()),
        },
        (Err(e), Missing::Empty | Missing::Remove) => Err(e).doing("read", from),
    }
}

/// Says whether an error means that there is no such file.
pub(super) fn absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Replaces a whole file, unless it holds these bytes already.
pub(super) fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), GitError> {
    if fs::symlink_metadata(path).is_ok_and(|m| m.is_file()) && fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path);
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder).doing("write below", folder)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).doing("write", path)?;
    set_readable(file.path())?;
    file.persist(path).map_err(|e| e.error).doing("replace", path)?;
    Ok(())
}

/// Gives a temporary file the mode of an ordinary one.
fn set_readable(path: &Path) -> Result<(), GitError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).doing("set the mode of", path)
}
