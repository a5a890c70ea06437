//! The record of a session as git objects: a ref that can be pushed, and one file that holds it with the kept commits.

use std::path::{Path, PathBuf};

use crate::domain::ObjectId;

use super::command::Git;
use super::error::Doing as _;
use super::{GitError, UserRepository};

/// Where records live, beside branches and tags.
/// Not `refs/autoresearch`: git reads the name of the branch `autoresearch/x` as `refs/autoresearch/x` first.
const REFS: &str = "refs/autoresearch-records";

/// The branch of a record in an unpacked bundle, and the record itself.
const UNPACKED: &str = "refs/bundle";

/// A record that was unpacked from a bundle.
#[derive(Debug)]
pub struct UnpackedRecord {
    /// The commit of the record.
    pub record: ObjectId,
    /// The name of its session.
    pub name: String,
    /// The tip of the kept commits.
    pub tip: Option<ObjectId>,
}

/// Returns the ref of a session's record.
pub fn record_ref(name: &str) -> String {
    format!("{REFS}/{name}")
}

impl UserRepository {
    /// Writes files (the path in the record, the file on disk) as a commit without parent, and points the session's record
    /// ref at it. No branch, no index and no checkout is touched.
    pub fn write_record(&self, name: &str, files: &[(String, PathBuf)], message: &str) -> Result<ObjectId, GitError> {
        let blobs = self.hash_files(files)?;
        let folder = tempfile::tempdir().doing("create a folder in", &std::env::temp_dir())?;
        let index = folder.path().join("index");
        let lines = files.iter().zip(&blobs).map(|((path, _), blob)| format!("100644 {blob}\t{path}\0"));
        let git = || self.git().env("GIT_INDEX_FILE", &index);
        git().args(["update-index", "-z", "--add", "--index-info"]).stdin(lines.collect::<String>()).output()?;
        let tree = git().arg("write-tree").line()?;
        let commit = self.git().args(["commit-tree", "-m", message, &tree]).line()?;
        self.git().args(["update-ref", "-m", "autoresearch: bundle", &record_ref(name), &commit]).output()?;
        Ok(ObjectId::new(commit)?)
    }

    /// Stores files as they are, without filters, and returns their blobs in order.
    fn hash_files(&self, files: &[(String, PathBuf)]) -> Result<Vec<String>, GitError> {
        let mut paths = Vec::new();
        for (_, file) in files {
            paths.extend_from_slice(file.as_os_str().as_encoded_bytes());
            paths.push(b'\n');
        }
        let listed = self.git().args(["hash-object", "-w", "--no-filters", "--stdin-paths"]).stdin(paths).output()?;
        Ok(String::from_utf8_lossy(&listed).lines().map(str::to_owned).collect())
    }

    /// Writes one file with a session's record and its branch from the base on; who reads it must have the base.
    pub fn write_bundle(&self, to: &Path, name: &str, branch: &str, base: &ObjectId) -> Result<(), GitError> {
        let heads = format!("refs/heads/{branch}");
        let git = self.git().args(["bundle", "create", "-q"]).arg(to).arg(record_ref(name));
        // A branch at its base holds nothing, which git refuses to bundle.
        let kept = self.branch_tip(branch)?.is_some_and(|tip| tip != *base);
        let git = if kept { git.arg(heads).arg(format!("^{base}")) } else { git };
        git.output().map(|_| ())
    }

    /// Unpacks a bundle into a bare repository in an empty folder that reads this one's objects.
    pub fn unpack_bundle(&self, bundle: &Path, into: &Path) -> Result<UnpackedRecord, GitError> {
        Git::secluded(into).args(["init", "-q", "--bare", "."]).output()?;
        let stores: Vec<u8> = self
            .object_stores()
            .iter()
            .flat_map(|store| [store.as_os_str().as_encoded_bytes(), b"\n"].concat())
            .collect();
        let alternates = into.join("objects/info/alternates");
        std::fs::write(&alternates, stores).doing("write", &alternates)?;
        let fetch = Git::secluded(into).setting("protocol.allow=always").args(["fetch", "-q", "--no-tags"]);
        fetch.arg(bundle).arg(format!("+refs/*:{UNPACKED}/*")).output()?;
        unpacked(into)
    }

    /// Writes the files of a record, from this repository or an unpacked bundle, into a folder.
    pub fn extract_record(&self, repository: &Path, record: &ObjectId, into: &Path) -> Result<(), GitError> {
        let folder = tempfile::tempdir().doing("create a folder in", &std::env::temp_dir())?;
        let git = Git::secluded(repository).env("GIT_INDEX_FILE", folder.path().join("index"));
        let git = git.env("GIT_WORK_TREE", into).setting("core.autocrlf=false").setting("core.bare=false");
        git.args(["read-tree", "--reset", "-u", record.as_str()]).output().map(|_| ())
    }

    /// Returns the commit of a session's record in this repository, where there is one.
    pub fn record(&self, name: &str) -> Result<Option<ObjectId>, GitError> {
        let out = self.git().args(["rev-parse", "-q", "--verify", &record_ref(name)]).run()?;
        if out.code != 0 {
            return Ok(None);
        }
        Ok(Some(ObjectId::new(String::from_utf8_lossy(&out.stdout).trim_end())?))
    }
}

/// Finds what a bundle held.
fn unpacked(repository: &Path) -> Result<UnpackedRecord, GitError> {
    let listed =
        Git::secluded(repository).args(["for-each-ref", "--format=%(objectname) %(refname)", UNPACKED]).output()?;
    let text = String::from_utf8_lossy(&listed).into_owned();
    let refs: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once(' ')).collect();
    let below =
        |part: &str| refs.iter().find_map(|(id, name)| Some((*id, name.strip_prefix(&format!("{UNPACKED}/{part}/"))?)));
    let (record, name) =
        below("autoresearch-records").ok_or_else(|| GitError::NoRecord { path: repository.to_owned() })?;
    let tip = below("heads").map(|(id, _)| ObjectId::new(id)).transpose()?;
    Ok(UnpackedRecord { record: ObjectId::new(record)?, name: name.to_owned(), tip })
}
