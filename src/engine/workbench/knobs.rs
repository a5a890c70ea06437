//! The values of knobs as the tree that an arm stands at holds them, put into the commands of that arm.

use std::ffi::OsString;

use crate::domain::{Arm, Command, KNOBS_FILE, KnobCommand, ObjectId, command_knobs};
use crate::engine::EngineError;
use crate::propose::sweep::{KnobValues, Setting, set};

use super::{Workbench, join};

/// Environment variables that a command gets.
type Variables = Vec<(OsString, OsString)>;

impl Workbench<'_> {
    /// Puts the values of the configured knobs behind a command of an arm, and returns the variables that they set.
    ///
    /// The values are those of the arm's tree, not of the files in its slot: no command can change them.
    pub(in crate::engine) fn with_knobs(
        &self,
        arm: Arm,
        of: KnobCommand,
        command: &Command,
    ) -> Result<(Command, Variables), EngineError> {
        let knobs = command_knobs(&self.settings.candidates);
        if knobs.is_empty() {
            return Ok((command.clone(), Vec::new()));
        }
        let path = join(&self.settings.folder, KNOBS_FILE);
        let bytes = self.private.read_file(self.tree_of(arm), &path)?;
        let Setting { command, env } = set(command, of, &knobs, &KnobValues::parse(&path, bytes.as_deref())?);
        Ok((command, env.into_iter().map(|(name, value)| (name.into(), value.into())).collect()))
    }

    /// Returns the tree, or a commit with the tree, that an arm's commands work on.
    fn tree_of(&self, arm: Arm) -> &ObjectId {
        let laid = self.laid.as_ref().filter(|_| arm == Arm::Candidate);
        laid.unwrap_or_else(|| self.stands_at(arm))
    }
}
