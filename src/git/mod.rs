//! The user's repository, the private one beside it, the two slots, and the ladder on which patches are applied.
//!
//! * [`UserRepository`] asks git itself and writes nothing but objects and one branch ([`UserRepository::create_branch`],
//!   [`UserRepository::move_branch`]), and when asked review branches ([`UserRepository::write_commit`],
//!   [`UserRepository::create_branches`]); [`Survey`] says what kind of repository it is and what is refused.
//! * [`PrivateRepository`] sees the user's objects through alternates; patches become trees and commits there
//!   ([`PrivateRepository::apply`], [`PrivateRepository::commit`]), and a keep is copied back ([`PrivateRepository::publish`]).
//! * [`Slot`] is a working tree of it. Per experiment: [`Slot::reset`], [`Slot::lay`], commands with [`Slot::verify`]
//!   after each, [`Slot::reset`]. What a slot must hold is remembered in memory, where no command can change it.

mod apply;
mod branches;
mod checkout;
mod command;
mod diff;
mod error;
mod house;
mod hunks;
mod manifest;
mod materialise;
mod objects;
mod part;
mod patch;
mod private;
mod range;
mod record;
mod rejection;
mod revert;
mod scan;
mod scratch;
mod slot;
mod slot_admin;
mod slot_index;
mod survey;
mod user;
mod workspace;

pub use apply::{Applied, Rung};
pub use branches::BranchAt;
pub use checkout::{CommitPatch, Unversioned};
pub use diff::{ChangedLines, TouchKind, Touched, changed_lines, lines_removed};
pub use error::{GitError, LibraryError};
pub use house::{HouseCommit, Prompts, Signature, Signing};
pub use objects::{HarnessFile, NewCommit};
pub use part::PatchPart;
pub use private::PrivateRepository;
pub use range::CommitWords;
pub use record::{UnpackedRecord, record_ref};
pub use rejection::{ApplyError, Rejection, RejectionKind};
pub use revert::{Merged, Without};
pub use scan::DeviationKind;
pub use scratch::Scratch;
pub use slot::{Deviation, Slot, SlotName};
pub use survey::{Conversion, RefStorage, Refusal, Submodule, Survey};
pub use user::{BranchMove, Head, UserRepository};
pub use workspace::{WorkspaceSize, remove_below, remove_workspace, workspace_size};
