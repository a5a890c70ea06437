//! Blobs, trees and commits of the private repository, changed by path and never as a whole.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use git2::{ObjectType, Oid, Repository, Signature, Tree};

use crate::domain::{Author, ObjectId};

use super::error::Doing;
use super::private::{object_id, oid};
use super::{GitError, PrivateRepository};

/// Mode of a folder in a tree.
const FOLDER: u32 = 0o040_000;
/// Mode of an ordinary file.
pub(super) const FILE: u32 = 0o100_644;
/// Mode of an executable file.
pub(super) const EXECUTABLE: u32 = 0o100_755;
/// Mode of a symbolic link.
pub(super) const SYMLINK: u32 = 0o120_000;
/// Mode of a submodule.
pub(super) const GITLINK: u32 = 0o160_000;

/// A file of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) mode: u32,
    pub(super) id: Oid,
}

/// What becomes of one path below a folder.
type Update<'a> = (&'a [u8], Option<Node>);

/// What becomes of paths; `None` removes one.
pub(super) type Updates = BTreeMap<Vec<u8>, Option<Node>>;

/// A path that differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) path: Vec<u8>,
    pub(super) old: Option<Node>,
    pub(super) new: Option<Node>,
}

/// A file of the harness, laid over the tip's tree in both slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HarnessFile {
    /// The path relative to the repository root.
    pub path: String,
    /// Whether it is executable.
    pub executable: bool,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// A commit about to be written.
#[derive(Debug, Clone, Copy)]
pub struct NewCommit<'a> {
    /// Its tree.
    pub tree: &'a ObjectId,
    /// Its parent.
    pub parent: &'a ObjectId,
    /// Its whole message.
    pub message: &'a str,
    /// Who wrote the change.
    pub author: &'a Author,
    /// Who commits it.
    pub committer: &'a Author,
}

impl PrivateRepository {
    /// Writes a blob.
    pub fn write_blob(&self, content: &[u8]) -> Result<ObjectId, GitError> {
        object_id(self.repo.blob(content).doing("write a blob", self.path())?)
    }

    /// Writes the commit that the slots stand at: the tip's tree with the harness laid over it, child of the tip.
    ///
    /// The same tip and harness give the same commit.
    pub fn private_commit(&self, tip: &ObjectId, harness: &[HarnessFile]) -> Result<ObjectId, GitError> {
        self.private_commit_without(tip, harness, &[])
    }

    /// Writes the same commit without some files of the tip, which so are in neither slot.
    pub fn private_commit_without(
        &self,
        tip: &ObjectId,
        harness: &[HarnessFile],
        absent: &[String],
    ) -> Result<ObjectId, GitError> {
        self.write_blob(b"")?;
        let parent = self.repo.find_commit(oid(tip)?).doing("read the tip", self.path())?;
        let mut updates = Updates::new();
        for file in harness {
            let id = self.repo.blob(&file.content).doing("write a blob", self.path())?;
            let mode = if file.executable { EXECUTABLE } else { FILE };
            updates.insert(file.path.clone().into_bytes(), Some(Node { mode, id }));
        }
        updates.extend(absent.iter().map(|path| (path.clone().into_bytes(), None)));
        let tree = update_tree(&self.repo, Some(parent.tree_id()), &updates)?;
        let tree = self.repo.find_tree(tree).doing("read a tree", self.path())?;
        let who =
            Signature::new("autoresearch", "autoresearch@localhost", &parent.time()).doing("sign", self.path())?;
        let message = "Harness over the tip (private to autoresearch)\n";
        object_id(self.repo.commit(None, &who, &who, message, &tree, &[&parent]).doing("commit", self.path())?)
    }

    /// Writes a commit and makes it durable in the private store.
    pub fn commit(&self, new: &NewCommit<'_>) -> Result<ObjectId, GitError> {
        let parent = self.repo.find_commit(oid(new.parent)?).doing("read the parent", self.path())?;
        let tree = self.repo.find_tree(oid(new.tree)?).doing("read the tree", self.path())?;
        let sign = |who: &Author| Signature::now(&who.name, &who.email).doing("sign a commit", self.path());
        let (author, committer) = (sign(new.author)?, sign(new.committer)?);
        let commit = self.repo.commit(None, &author, &committer, new.message, &tree, &[&parent]);
        let commit = commit.doing("write a commit", self.path())?;
        let mut fresh = vec![commit];
        collect_new(&self.repo, Some(parent.tree_id()), tree.id(), &mut fresh)?;
        self.sync(&fresh)?;
        object_id(commit)
    }

    /// Makes loose objects durable, with the folders that name them.
    fn sync(&self, objects: &[Oid]) -> Result<(), GitError> {
        let store = self.path().join("objects");
        for id in objects {
            let file = self.loose(*id);
            if !file.exists() {
                continue; // known to the user's store, or to a pack, before
            }
            for path in file.ancestors().take(2) {
                File::open(path).and_then(|f| f.sync_all()).doing("make durable", path)?;
            }
        }
        File::open(&store).and_then(|f| f.sync_all()).doing("make durable", &store)
    }

    /// Takes those new objects of a tree into the private store that so far only the user's has: what nothing there
    /// refers to, such as a change tried by hand, the next `git gc` may throw away.
    pub(super) fn hold(&self, tree: Oid, tip: Oid) -> Result<(), GitError> {
        let mut fresh = Vec::new();
        collect_new(&self.repo, Some(tip), tree, &mut fresh)?;
        fresh.retain(|id| !self.loose(*id).exists());
        if fresh.is_empty() {
            return Ok(());
        }
        let list: Vec<String> = fresh.iter().map(Oid::to_string).collect();
        let pack = self.path().join("objects/pack/pack");
        self.git().args(["pack-objects", "-q"]).arg(pack).stdin(list.join("\n")).output()?;
        Ok(())
    }

    /// Returns where a loose object of the private store would be.
    fn loose(&self, id: Oid) -> PathBuf {
        let hex = id.to_string();
        self.path().join("objects").join(&hex[..2]).join(&hex[2..])
    }

    /// Copies a commit's new objects (those that `tip` does not reach) durably into the user's store.
    pub fn publish(&self, new: &ObjectId, tip: &ObjectId) -> Result<(), GitError> {
        let wanted = format!("{new}\n^{tip}\n");
        let pack = self.git().args(["pack-objects", "--revs", "--stdout", "-q"]).stdin(wanted).output()?;
        let git = self.user.git().setting("core.fsync=all").setting("core.fsyncMethod=fsync");
        git.args(["index-pack", "--stdin"]).stdin(pack).output()?;
        Ok(())
    }

    /// Copies a tree's new objects (those that the tree of `onto` does not hold) durably into the user's store.
    pub fn publish_tree(&self, tree: &ObjectId, onto: &ObjectId) -> Result<(), GitError> {
        self.publish(tree, &self.tree_of(onto)?)
    }

    /// Returns the tree of a commit.
    pub fn tree_of(&self, commit: &ObjectId) -> Result<ObjectId, GitError> {
        object_id(self.tree(commit)?.id())
    }

    /// Lists the paths of a commit or tree, submodules included.
    pub fn paths_in(&self, commit: &ObjectId) -> Result<Vec<String>, GitError> {
        let all = tree_delta(&self.repo, None, Some(self.tree(commit)?.id()))?;
        Ok(all.into_iter().map(|change| String::from_utf8_lossy(&change.path).into_owned()).collect())
    }

    /// Reads a file of a commit or tree, where there is one; a symbolic link is its target.
    pub fn read_file(&self, commit: &ObjectId, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        match lookup(&self.repo, &self.tree(commit)?, path.as_bytes())? {
            Found::File(node) if node.mode != GITLINK => {
                Ok(Some(self.repo.find_blob(node.id).doing("read a file", self.path())?.content().to_vec()))
            }
            Found::File(_) | Found::Folder | Found::Nothing => Ok(None),
        }
    }

    /// Returns the tree of a commit or tree id.
    pub(super) fn tree(&self, id: &ObjectId) -> Result<Tree<'_>, GitError> {
        let object = self.repo.find_object(oid(id)?, None).doing("read an object", self.path())?;
        object.peel_to_tree().doing("read a tree", self.path())
    }
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    File(Node),
    Folder,
    Nothing,
}

/// Looks a path up in a tree.
pub(super) fn lookup(repo: &Repository, tree: &Tree<'_>, path: &[u8]) -> Result<Found, GitError> {
    let (first, rest) = split_first(path);
    let Some(entry) = tree.iter().find(|e| e.name_bytes() == first) else { return Ok(Found::Nothing) };
    let folder = entry.kind() == Some(ObjectType::Tree);
    Ok(match (folder, rest) {
        (true, Some(rest)) => {
            let below = repo.find_tree(entry.id()).doing("read a tree", repo.path())?;
            lookup(repo, &below, rest)?
        }
        (true, None) => Found::Folder,
        (false, Some(_)) => Found::Nothing,
        (false, None) => Found::File(node(&entry)),
    })
}

fn split_first(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    match path.iter().position(|&b| b == b'/') {
        Some(at) => (&path[..at], Some(&path[at + 1..])),
        None => (path, None),
    }
}

fn node(entry: &git2::TreeEntry<'_>) -> Node {
    let mode = u32::try_from(entry.filemode()).unwrap_or(FILE);
    Node { mode, id: entry.id() }
}

/// One level of a tree: files and folders by name.
fn level(repo: &Repository, tree: Option<Oid>) -> Result<BTreeMap<Vec<u8>, Node>, GitError> {
    let Some(id) = tree else { return Ok(BTreeMap::new()) };
    let tree = repo.find_tree(id).doing("read a tree", repo.path())?;
    Ok(tree.iter().map(|e| (e.name_bytes().to_vec(), node(&e))).collect())
}

/// Lists the paths that differ between two trees, without opening folders that are the same in both.
pub(super) fn tree_delta(repo: &Repository, old: Option<Oid>, new: Option<Oid>) -> Result<Vec<Change>, GitError> {
    let mut all = Vec::new();
    delta_below(repo, &mut Vec::new(), (old, new), &mut all)?;
    Ok(all)
}

fn delta_below(
    repo: &Repository,
    prefix: &mut Vec<u8>,
    (old, new): (Option<Oid>, Option<Oid>),
    all: &mut Vec<Change>,
) -> Result<(), GitError> {
    let (before, after) = (level(repo, old)?, level(repo, new)?);
    let mut names: Vec<&Vec<u8>> = before.keys().chain(after.keys().filter(|n| !before.contains_key(*n))).collect();
    names.sort_unstable();
    for name in names {
        let (a, b) = (before.get(name).copied(), after.get(name).copied());
        if a == b {
            continue;
        }
        let length = prefix.len();
        prefix.extend_from_slice(name);
        let file = |n: Option<Node>| n.filter(|n| n.mode != FOLDER);
        let folder = |n: Option<Node>| n.filter(|n| n.mode == FOLDER).map(|n| n.id);
        if file(a) != file(b) {
            all.push(Change { path: prefix.clone(), old: file(a), new: file(b) });
        }
        if folder(a) != folder(b) {
            prefix.push(b'/');
            delta_below(repo, prefix, (folder(a), folder(b)), all)?;
        }
        prefix.truncate(length);
    }
    Ok(())
}

/// Collects the folders and files of a tree that another one does not have at the same place.
fn collect_new(repo: &Repository, old: Option<Oid>, new: Oid, fresh: &mut Vec<Oid>) -> Result<(), GitError> {
    if old == Some(new) {
        return Ok(());
    }
    fresh.push(new);
    let before = level(repo, old)?;
    for (name, entry) in level(repo, Some(new))? {
        let old = before.get(&name);
        if entry.mode == FOLDER {
            collect_new(repo, old.filter(|n| n.mode == FOLDER).map(|n| n.id), entry.id, fresh)?;
        } else if entry.mode != GITLINK && old.map(|n| n.id) != Some(entry.id) {
            fresh.push(entry.id);
        }
    }
    Ok(())
}

/// Writes a tree with some paths changed; only the folders on their way are written anew.
pub(super) fn update_tree(repo: &Repository, base: Option<Oid>, updates: &Updates) -> Result<Oid, GitError> {
    let all: Vec<Update<'_>> = updates.iter().map(|(path, node)| (path.as_slice(), *node)).collect();
    match update_level(repo, base, &all, &mut Vec::new())? {
        Some(id) => Ok(id),
        None => repo.treebuilder(None).and_then(|empty| empty.write()).doing("write a tree", repo.path()),
    }
}

/// Writes one level; an empty one is `None`.
fn update_level(
    repo: &Repository,
    base: Option<Oid>,
    updates: &[Update<'_>],
    prefix: &mut Vec<u8>,
) -> Result<Option<Oid>, GitError> {
    let mut entries = level(repo, base)?;
    let mut below: BTreeMap<&[u8], Vec<Update<'_>>> = BTreeMap::new();
    let mut files = Vec::new();
    for &(path, change) in updates {
        match (split_first(path), change) {
            ((name, Some(rest)), _) => below.entry(name).or_default().push((rest, change)),
            ((name, None), None) => drop(entries.remove(name)),
            ((name, None), Some(node)) => files.push((name, node)),
        }
    }
    for (name, updates) in below {
        let old = entries.get(name).copied();
        let length = prefix.len();
        prefix.extend_from_slice(name);
        let written = updates.iter().any(|(_, change)| change.is_some());
        if written && old.is_some_and(|n| n.mode != FOLDER) {
            return Err(GitError::DirectoryConflict { path: String::from_utf8_lossy(prefix).into_owned() });
        }
        prefix.push(b'/');
        let folder = old.filter(|n| n.mode == FOLDER).map(|n| n.id);
        if folder.is_some() || written {
            match update_level(repo, folder, &updates, prefix)? {
                Some(id) => drop(entries.insert(name.to_vec(), Node { mode: FOLDER, id })),
                None => drop(entries.remove(name)),
            }
        }
        prefix.truncate(length);
    }
    for (name, node) in files {
        if entries.insert(name.to_vec(), node).is_some_and(|old| old.mode == FOLDER) {
            prefix.extend_from_slice(name);
            return Err(GitError::DirectoryConflict { path: String::from_utf8_lossy(prefix).into_owned() });
        }
    }
    write_level(repo, &entries)
}

fn write_level(repo: &Repository, entries: &BTreeMap<Vec<u8>, Node>) -> Result<Option<Oid>, GitError> {
    if entries.is_empty() {
        return Ok(None);
    }
    let mut builder = repo.treebuilder(None).doing("build a tree", repo.path())?;
    for (name, node) in entries {
        let mode = i32::try_from(node.mode).unwrap_or_default();
        builder.insert(to_os(name), node.id, mode).doing("build a tree", repo.path())?;
    }
    builder.write().map(Some).doing("write a tree", repo.path())
}

/// Reads bytes of a tree as a path.
pub(super) fn to_os(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}
