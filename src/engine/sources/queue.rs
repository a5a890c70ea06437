//! A patch queue as a source: the folder is read anew each time, so that files dropped into it are picked up.

use std::collections::BTreeSet;
use std::path::Path;

use crate::domain::Settings;
use crate::engine::EngineError;
use crate::engine::offer::Offer;
use crate::engine::session::{Session, proposal_key};
use crate::engine::workbench::join;
use crate::git::UserRepository;
use crate::propose::{Next as NextFile, Queue};

use super::{Candidates, Next, Source};

/// A queue, and the files that this process took from it.
pub(super) struct PatchQueue {
    queue: Queue,
    taken: BTreeSet<String>,
}

impl PatchQueue {
    /// Names the queue; nothing is read yet.
    pub(super) fn new(settings: &Settings, root: &Path, folder: &str) -> Self {
        Self { queue: Queue::new(root, &join(&settings.folder, folder)), taken: BTreeSet::new() }
    }
}

impl Candidates for PatchQueue {
    fn next(&mut self, session: &mut Session<'_, '_>) -> Result<Next, EngineError> {
        while let NextFile::File(file) = self.queue.next(&self.taken)? {
            let offer = Offer::of_file(&file)?;
            self.taken.insert(file.name);
            if session.state().settled_patch(&proposal_key(offer.proposal())).is_none() {
                return Ok(Next::Offer(Box::new(offer)));
            }
        }
        Ok(Next::Done)
    }
}

impl Source for PatchQueue {
    fn keys(&self, _: &UserRepository) -> Result<Option<Vec<String>>, EngineError> {
        let files = self.queue.files()?;
        let key = |file| Ok(proposal_key(Offer::of_file(file)?.proposal()));
        files.iter().map(key).collect::<Result<Vec<_>, EngineError>>().map(Some)
    }
}
