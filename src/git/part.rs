//! What a patch does to one file, for those who choose which of its parts are applied.

use super::objects::SYMLINK;
use super::patch::{Body, FilePatch, Origin};

/// What a patch does to one file, as far as the patch says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchPart {
    /// The path after the change; of a deleted file, the one before.
    pub path: String,
    /// The path before, where it is another one.
    pub old_path: Option<String>,
    /// The target, where the path is a symbolic link afterwards.
    pub link: Option<String>,
}

impl PatchPart {
    pub(super) fn of(file: &FilePatch) -> Self {
        let path = file.path().to_owned();
        let link = match &file.body {
            Body::Text(hunks) if file.new_mode == Some(SYMLINK) => {
                let lines = hunks.iter().flat_map(|hunk| &hunk.lines).filter(|(origin, _)| *origin != Origin::Removed);
                let target: Vec<u8> = lines.flat_map(|(_, line)| line.iter().copied()).collect();
                Some(String::from_utf8_lossy(&target).into_owned())
            }
            Body::Text(_) | Body::Binary(_) => None,
        };
        Self { old_path: file.old.clone().filter(|old| *old != path), path, link }
    }
}
