//! What a candidate source offers next, whatever its state.

use crate::domain::{PatchText, Proposal, ProposalSource, Reason};
use crate::propose::{PatchFileError, QueueError, QueueFile};

/// One candidate as it was found.
#[derive(Debug)]
pub enum Offer {
    /// A proposal that can be screened.
    Readable(Proposal),
    /// Something in a candidate's place that is no proposal; it is recorded and refused.
    Unreadable {
        /// The proposal as far as it is known: the name and the bytes.
        proposal: Proposal,
        /// Why it is refused.
        reason: Reason,
        /// What is wrong with it.
        detail: String,
    },
}

impl Offer {
    /// Reads a file of a queue; one that is no patch or cannot be read becomes an offer to refuse. `None` where it is gone.
    pub fn of_file(file: &QueueFile) -> Option<Self> {
        let error = match file.read() {
            Ok(proposal) => return Some(Self::Readable(proposal)),
            Err(QueueError::Patch(error)) => error,
            Err(QueueError::Missing { .. }) => return None,
            Err(QueueError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error @ (QueueError::Read { .. } | QueueError::TooLarge { .. })) => {
                let proposal = nameless(&file.name, Vec::new());
                return Some(Self::Unreadable { proposal, reason: Reason::ApplyFailed, detail: error.to_string() });
            }
        };
        let reason = match &error {
            PatchFileError::Empty { .. } => Reason::Empty,
            PatchFileError::NotAPatch { .. }
            | PatchFileError::Merge { .. }
            | PatchFileError::SeveralMails { .. }
            | PatchFileError::Mail { .. }
            | PatchFileError::Trailer { .. } => Reason::ApplyFailed,
        };
        let proposal = nameless(&file.name, file.bytes().ok()?);
        Some(Self::Unreadable { proposal, reason, detail: error.to_string() })
    }

    /// Returns the proposal as far as it is known.
    pub fn proposal(&self) -> &Proposal {
        match self {
            Self::Readable(proposal) | Self::Unreadable { proposal, .. } => proposal,
        }
    }
}

/// Makes a proposal of bytes that say nothing of themselves.
fn nameless(name: &str, bytes: Vec<u8>) -> Proposal {
    let description = name.rsplit('/').next().unwrap_or(name).to_owned();
    Proposal::untold(description, ProposalSource::Queue(name.to_owned()), PatchText(bytes))
}
