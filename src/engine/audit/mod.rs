//! Holds a session's record against itself: every verdict recomputed from its raw pairs, every kept commit against the
//! journal. Reads only; nothing is believed that can be computed.

mod commits;
mod replay;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::domain::{ExperimentId, ObjectId, SessionId};
use crate::git::UserRepository;

use super::EngineError;
use super::bundle::JOURNAL;
pub use commits::CommitFinding;
pub use replay::{Kept, Recomputed, Replayed, replay};

/// A session's record, wherever it came from.
#[derive(Debug, Clone)]
pub struct Record {
    /// The journal.
    pub journal: PathBuf,
    /// The tip of the kept commits, where the record holds it.
    pub tip: Option<ObjectId>,
    /// The session's branch, where that is known beforehand.
    pub branch: Option<String>,
}

impl Record {
    /// Unpacks a bundle into an empty folder.
    pub fn of_bundle(user: &UserRepository, bundle: &Path, into: &Path) -> Result<Self, EngineError> {
        let (repository, files) = (fresh(into, "repository")?, fresh(into, "files")?);
        let unpacked = user.unpack_bundle(bundle, &repository)?;
        user.extract_record(&repository, &unpacked.record, &files)?;
        Ok(Self { journal: files.join(JOURNAL), tip: unpacked.tip, branch: None })
    }

    /// Extracts the record that a ref of this repository holds into an empty folder.
    pub fn of_ref(user: &UserRepository, name: &str, into: &Path) -> Result<Self, EngineError> {
        let record = user.resolve(name)?;
        let files = fresh(into, "files")?;
        user.extract_record(user.common_dir(), &record, &files)?;
        Ok(Self { journal: files.join(JOURNAL), tip: None, branch: None })
    }
}

fn fresh(folder: &Path, name: &str) -> Result<PathBuf, EngineError> {
    let path = folder.join(name);
    std::fs::create_dir(&path).map_err(|source| EngineError::io("create folder", &path, source))?;
    Ok(path)
}

/// What an audit found.
#[derive(Debug)]
pub struct Audit {
    /// The session.
    pub session: SessionId,
    /// Every verdict that came to numbers.
    pub verdicts: Vec<Recomputed>,
    /// Every commit of the branch since the session's base, oldest first.
    pub commits: Vec<CommitFinding>,
    /// Keeps of the record that stand and that the branch does not have; a branch may hold a part of them.
    pub missing: Vec<ExperimentId>,
}

impl Audit {
    /// Says whether messages, journal and patches agree, and every verdict follows from its pairs.
    pub fn holds(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.fault.is_none())
            && self.commits.iter().all(|commit| commit.fault.is_none())
    }
}

/// Recomputes the verdicts of a record, and holds a branch's commits since the session's base against it.
pub fn audit(user: &UserRepository, record: &Record, branch: &str) -> Result<Audit, EngineError> {
    let replayed = replay(&record.journal)?;
    let base = replayed.state.configured().map(|configured| configured.base.clone());
    let base = base.ok_or_else(|| EngineError::Refused {
        reason: format!("{} tells of no session", record.journal.display()),
        cure: "name the record of a session that has begun".to_owned(),
    })?;
    let tip = user.resolve(branch)?;
    let fork = user.merge_base(&base, &tip)?.unwrap_or(base);
    let ids = user.commits_between(&fork, &tip)?;
    let words = ids.iter().map(|id| user.commit_words(id)).collect::<Result<Vec<_>, _>>()?;
    let commits = commits::audit_commits(user, &words, &replayed)?;
    let there: BTreeSet<ExperimentId> = commits.iter().filter_map(|commit| commit.experiment).collect();
    let standing = replayed.state.keeps().map(|record| record.id);
    let missing = standing.filter(|id| !there.contains(id)).collect();
    Ok(Audit { session: replayed.state.session(), verdicts: replayed.verdicts, commits, missing })
}
