//! The patch queues of a config, in the order in which they are listed.

use std::collections::BTreeSet;
use std::path::Path;

use crate::domain::{CandidateSource, Settings};
use crate::propose::{Next, Queue, QueueError, QueueFile};

use super::EngineError;
use super::offer::Offer;
use super::session::Candidates;
use super::workbench::join;

/// All queues, and the files that this session took from them.
pub struct PatchQueues {
    queues: Vec<Queue>,
    taken: BTreeSet<String>,
}

impl PatchQueues {
    /// Names the queues of a config; nothing is read yet.
    pub fn new(settings: &Settings, root: &Path) -> Self {
        let folders = settings.candidates.iter().map(|CandidateSource::Patches(folder)| folder);
        let queues = folders.map(|folder| Queue::new(root, &join(&settings.folder, folder))).collect();
        Self { queues, taken: BTreeSet::new() }
    }

    /// Returns every file of every queue, in order.
    pub fn files(&self) -> Result<Vec<QueueFile>, QueueError> {
        let mut files = Vec::new();
        for queue in &self.queues {
            files.extend(queue.files()?);
        }
        Ok(files)
    }

    fn next_file(&self) -> Result<Option<QueueFile>, QueueError> {
        for queue in &self.queues {
            match queue.next(&self.taken)? {
                Next::File(file) => return Ok(Some(file)),
                Next::Empty | Next::AllTaken { .. } => {}
            }
        }
        Ok(None)
    }
}

impl Candidates for PatchQueues {
    fn next(&mut self, tried: &dyn Fn(&str) -> bool) -> Result<Option<Offer>, EngineError> {
        while let Some(file) = self.next_file()? {
            self.taken.insert(file.name.clone());
            let offer = Offer::of_file(&file)?;
            if !tried(&super::session::patch_hash(offer.proposal())) {
                return Ok(Some(offer));
            }
        }
        Ok(None)
    }
}
