//! The user's repository, the private one beside it, the two slots, and the ladder on which patches are applied.
//!
//! Public interface:
//!
//! ```text
//! pub enum Head { Branch { name: String, commit: ObjectId }, Detached { commit: ObjectId }, Unborn { name: String } }
//! pub struct UserRepository (Clone, Send, Sync: only paths; every call is one git process)
//!   open(start: &Path) -> Result<Self, GitError>            NoRepository, Bare, (unborn HEAD is no error here: see head())
//!   root() / git_dir() / common_dir() -> &Path
//!   head() -> Result<Head, GitError>
//!   require_commit() -> Result<ObjectId, GitError>          NoCommits
//!   resolve(revision: &str) -> Result<ObjectId, GitError>   peels to a commit; NoSuchRevision
//!   identity() -> Result<Author, GitError>                  IdentityMissing says how to set it
//!   branch_tip(name) -> Result<Option<ObjectId>, GitError>  name without refs/heads/
//!   checked_out_in(name) -> Result<Option<PathBuf>, GitError>
//!   blocking_branch(name) -> Result<Option<String>, GitError>
//!   create_branch(name, at: &ObjectId, reflog: &str) -> Result<(), GitError>            BranchExists
//!   move_branch(&BranchMove { name, from: &ObjectId, to: &ObjectId, reflog }) -> Result<(), GitError>   BranchMoved { found }
//!   is_dirty() -> Result<bool, GitError>
//!   unversioned() -> Result<Vec<Unversioned { path, ignored: bool }>, GitError>         folders collapsed, end in '/'
//!   worktree_patch(exclude: &[String]) -> Result<Vec<u8>, GitError>
//!   commit_patch(revision) -> Result<CommitPatch { author, message, patch }, GitError>
//!   survey(base: &ObjectId) -> Result<Survey, GitError>
//! pub struct Survey { object_format, ref_storage, shallow, sparse, promisor, missing_objects, submodules, filters, converts }
//!   refusals() -> Vec<Refusal { reason, cure }>;  plain() -> bool
//!
//! pub struct PrivateRepository (Send)
//!   open_or_create(folder: &Path, user: &UserRepository, survey: &Survey) -> Result<Self, GitError>   folder/git; also refreshes
//!   refresh(&self) -> Result<(), GitError>
//!   path() / folder() -> &Path
//!   write_blob(&[u8]) -> Result<ObjectId, GitError>
//!   private_commit(tip: &ObjectId, harness: &[HarnessFile]) -> Result<ObjectId, GitError>
//!   apply(patch: &[u8], tip: &ObjectId, bases: &[ObjectId]) -> Result<Applied { tree, rung, diff }, ApplyError>
//!   touched(tip: &ObjectId, tree: &ObjectId) -> Result<Vec<Touched>, GitError>   both commits or trees
//!   patch_id(diff: &[u8]) -> Result<Option<PatchId>, GitError>                   None for an empty diff
//!   commit(&NewCommit { tree, parent, message, author, committer }) -> Result<ObjectId, GitError>   durable
//!   publish(new: &ObjectId, tip: &ObjectId) -> Result<(), GitError>
//!   tree_of(commit) / paths_in(commit) / read_file(commit, path) -> Option<Vec<u8>>
//! pub fn workspace_size(folder: &Path) -> Result<WorkspaceSize, GitError>;  pub fn remove_workspace(folder: &Path) -> Result<(), GitError>
//!
//! pub struct HarnessFile { path: String, executable: bool, content: Vec<u8> }
//! pub enum Rung { KnownBase, Strict, Offset, ThreeWay }
//! pub enum ApplyError { Rejected(Rejection { file: Option<String>, hunk: Option<u32>, why: RejectionKind }), Git(GitError) }
//! pub struct Touched { path: String, old_path: Option<String>, kind: TouchKind }
//! pub enum TouchKind { Added, Deleted, Modified, Renamed, ModeChanged, Symlink, Submodule }
//!
//! pub enum SlotName { A, B }
//! pub struct Slot (Send)
//!   open_or_create(private: &PrivateRepository, name: SlotName, commit: &ObjectId) -> Result<Self, GitError>  folder/a, folder/b
//!   name() / root()
//!   reset(private_commit: &ObjectId, keep: &[String]) -> Result<(), GitError>    keep: folders relative to the repository root
//!   record_prepared(keep: &[String]) -> Result<(), GitError>                     after `prepare`: what is unversioned now stays
//!   forget_prepared() -> Result<(), GitError>                                    before `prepare` runs again
//!   lay(tree: &ObjectId) -> Result<(), GitError>                                 candidate tree (of apply); right after reset
//!   verify() -> Result<Vec<Deviation { path, kind }>, GitError>                  the next reset mends every deviation
//! pub enum DeviationKind { Rewritten, Missing, TypeChanged, ModeChanged, HeadMoved, IndexChanged, LinkChanged }
//! ```

mod apply;
mod checkout;
mod command;
mod diff;
mod error;
mod hunks;
mod manifest;
mod materialise;
mod objects;
mod patch;
mod private;
mod rejection;
mod scan;
mod slot;
mod slot_admin;
mod slot_index;
mod survey;
mod user;
mod workspace;

pub use apply::{Applied, Rung};
pub use checkout::{CommitPatch, Unversioned};
pub use diff::{TouchKind, Touched};
pub use error::{GitError, LibraryError};
pub use objects::{HarnessFile, NewCommit};
pub use private::PrivateRepository;
pub use rejection::{ApplyError, Rejection, RejectionKind};
pub use scan::DeviationKind;
pub use slot::{Deviation, Slot, SlotName};
pub use survey::{Conversion, ObjectFormat, RefStorage, Refusal, Submodule, Survey};
pub use user::{BranchMove, Head, UserRepository};
pub use workspace::{WorkspaceSize, remove_workspace, workspace_size};
