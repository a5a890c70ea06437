//! A patch queue as a source: the folder is read anew each time, so that files dropped into it are picked up.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::domain::Settings;
use crate::engine::EngineError;
use crate::engine::offer::Offer;
use crate::engine::session::{Session, proposal_key};
use crate::engine::workbench::join;
use crate::git::UserRepository;
use crate::propose::{Next as NextFile, Queue, QueueError, Watched};

use super::{Candidates, Next, Source};

/// A queue, and what this process knows of its files.
pub(super) struct PatchQueue {
    queue: Queue,
    watched: Watched,
    /// Whether it was told that the folder is gone.
    missed: bool,
}

impl PatchQueue {
    /// Names the queue; nothing is read yet.
    pub(super) fn new(settings: &Settings, root: &Path, folder: &str) -> Self {
        let queue = Queue::new(root, &join(&settings.folder, folder));
        Self { queue, watched: Watched::default(), missed: false }
    }

    /// Takes the next file. A folder that went away while the session runs is as good as empty, and told once.
    fn take(&mut self, session: &mut Session<'_, '_>) -> Result<NextFile, EngineError> {
        match self.queue.next(&mut self.watched) {
            Ok(next) => {
                self.missed = false;
                Ok(next)
            }
            Err(QueueError::Missing { dir }) => {
                if !std::mem::replace(&mut self.missed, true) {
                    session.note(format!(
                        "the candidate folder {} is gone; files are taken once it is back",
                        dir.display()
                    ))?;
                }
                Ok(NextFile::Nothing)
            }
            Err(other) => Err(other.into()),
        }
    }
}

impl Candidates for PatchQueue {
    fn next(&mut self, session: &mut Session<'_, '_>) -> Result<Next, EngineError> {
        loop {
            let file = match self.take(session)? {
                NextFile::File(file) => file,
                NextFile::Later(left) => {
                    let left = SignedDuration::try_from(left).unwrap_or(SignedDuration::MAX);
                    return Ok(Next::Wait(Timestamp::now() + left));
                }
                NextFile::Nothing => return Ok(Next::Done),
            };
            // One that is gone by now was never there.
            let Some(offer) = Offer::of_file(&file) else { continue };
            if session.state().settled_patch(&proposal_key(offer.proposal())).is_none() {
                return Ok(Next::Offer(Box::new(offer)));
            }
        }
    }
}

impl Source for PatchQueue {
    fn keys(&self, _: &UserRepository) -> Result<Option<Vec<String>>, EngineError> {
        let files = self.queue.files()?;
        let offers = files.iter().filter_map(Offer::of_file);
        Ok(Some(offers.map(|offer| proposal_key(offer.proposal())).collect()))
    }

    fn lacks(&self) -> String {
        format!("no *.patch or *.diff file in {}", self.queue.folder())
    }
}
