//! Why a patch does not apply: which file, which hunk, and what is in the way.

use super::GitError;

/// What is in the way of a patch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RejectionKind {
    /// The text holds no diff.
    #[error("the patch holds no diff (no 'diff --git' line and no '---'/'+++' pair)")]
    NoDiff,
    /// A line of the patch cannot be read.
    #[error("line {line} of the patch has {what}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A path leads out of the repository (`../`, absolute).
    #[error("the path leads out of the repository")]
    OutsideTheTree,
    /// A path lies in a `.git` folder.
    #[error("the path lies in a .git folder")]
    GitFolder,
    /// It changes a submodule.
    #[error("it changes a submodule, and candidates may change only files")]
    Submodule,
    /// A binary file without its content.
    #[error("the binary content is missing; make the patch with 'git diff --binary' or 'git format-patch --binary'")]
    BinaryWithoutContent,
    /// The binary file is not the one that the patch was made for.
    #[error("the file is not the one that this binary patch was made for")]
    BinaryMismatch,
    /// The file to change is not there.
    #[error("there is no such file")]
    Missing,
    /// The file to create is there.
    #[error("there is such a file already")]
    Exists,
    /// The file is of another type (link, file, submodule).
    #[error("the file is of another type (file, symbolic link) than the patch says")]
    TypeDiffers,
    /// A file to delete has more content than the patch removes.
    #[error("the file to delete holds more than the patch removes")]
    NotEmptied,
    /// The hunk's lines are not at the line that it names.
    #[error("the lines it expects are not at line {line}")]
    NotThere {
        /// The line named, from 1.
        line: usize,
    },
    /// The hunk's lines are nowhere.
    #[error("the lines it expects are nowhere in the file")]
    Nowhere,
    /// The hunk's lines are at several places.
    #[error("the lines it expects are at {places} places; more context would tell them apart")]
    Ambiguous {
        /// How many places.
        places: usize,
    },
    /// The hunk has no context to be found by.
    #[error("it has no context lines, and the file is not the one it was made for; make the patch with context")]
    NoContext,
    /// It changes what a keep since its base changed too.
    #[error("it changes the same place as a commit since its base")]
    Conflict,
}

/// A patch that does not apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The file, relative to the repository root, where one can be named.
    pub file: Option<String>,
    /// The hunk within the file's part of the patch, from 1.
    pub hunk: Option<u32>,
    /// What is in the way.
    pub why: RejectionKind,
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the patch does not apply")?;
        if let Some(file) = &self.file {
            write!(f, ": {file}")?;
        }
        if let Some(hunk) = self.hunk {
            write!(f, ", hunk {hunk}")?;
        }
        write!(f, ": {}", self.why)
    }
}

/// Says why [`super::PrivateRepository::apply`] gave no tree.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The patch's fault: the experiment crashes as `apply_failed`.
    #[error("{0}")]
    Rejected(Rejection),
    /// Git's or the machine's fault.
    #[error(transparent)]
    Git(#[from] GitError),
}
