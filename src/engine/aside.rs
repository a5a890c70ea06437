//! Starts over: moves a session's state and branch aside, where both stay readable.
//!
//! In order: a file in the state folder says what is about to move where, then the branch gets its other name by
//! compare-and-swap, then the state folder does. A kill before the second step leaves the session as it was, and one after it is
//! finished by the next `run --new`. The name is the session's with `~` and a number, which no session can have.

use std::fs::{self, File};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::{Event, ObjectId, Settings};
use crate::git::UserRepository;
use crate::journal::{Reader, SessionLock};

use super::EngineError;
use super::opening::refuse_checked_out;
use super::places::Places;
use super::screen::write_whole;

/// The file in a state folder that says where it moves, and where it moved from then on.
const FILE: &str = "aside.json";

/// What becomes of a session that is moved aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aside {
    /// The name by which it can be read.
    pub name: String,
    /// The branch that holds what it kept; `None` where it had none.
    pub branch: Option<String>,
    /// The commit of that branch when it moved.
    pub tip: Option<ObjectId>,
}

/// A session that was moved aside; as long as this lives, nobody takes its lock file for that of the new one.
#[derive(Debug)]
pub struct Moved {
    /// Where it is.
    pub aside: Aside,
    /// Its folder.
    pub folder: PathBuf,
    _lock: SessionLock,
}

/// Moves the session of a place aside; `None` where there is none.
///
/// Refused while another process is at work on it, and where its branch is checked out.
pub fn set_aside(user: &UserRepository, places: &Places, settings: &Settings) -> Result<Option<Moved>, EngineError> {
    let journal = places.journal();
    if !journal.exists() {
        return Ok(None);
    }
    let lock = SessionLock::acquire(&journal)?;
    let branch = branch_of(places).unwrap_or_else(|| settings.branch.clone());
    refuse_checked_out(user, &branch)?;
    let tip = user.branch_tip(&branch)?;
    // Where the config names another branch by now, that of the session is in nobody's way.
    let stays = branch != settings.branch;
    let (aside, folder) = match planned(places)? {
        Some((begun, folder)) if tip.is_none() || stays => (begun, folder),
        _ if stays => {
            let (number, folder) = free_number(user, places, None)?;
            (Aside { name: name_of(places, number), branch: Some(branch.clone()), tip: tip.clone() }, folder)
        }
        _ => {
            let (number, folder) = free_number(user, places, Some((&branch, tip.as_ref())))?;
            let other = tip.as_ref().map(|_| format!("{branch}-{number}"));
            (Aside { name: name_of(places, number), branch: other, tip: tip.clone() }, folder)
        }
    };
    let text = serde_json::to_vec_pretty(&aside)
        .map_err(|error| EngineError::io("write", &places.state().join(FILE), std::io::Error::other(error)))?;
    write_whole(&places.state().join(FILE), &text)?;
    if let (Some(other), Some(tip), false) = (&aside.branch, &tip, stays) {
        user.rename_branch((&branch, other), tip, "autoresearch: start over")?;
    }
    move_folder(places, &folder)?;
    Ok(Some(Moved { aside, folder, _lock: lock }))
}

/// Refuses a session whose branch was given its other name already, by a `run --new` that was killed then.
pub(super) fn refuse_half_moved(user: &UserRepository, places: &Places, branch: &str) -> Result<(), EngineError> {
    let Some(aside) = read_aside(places.state()) else { return Ok(()) };
    let (Some(other), Some(tip)) = (aside.branch, aside.tip) else { return Ok(()) };
    if user.branch_tip(branch)?.is_some() || user.branch_tip(&other)?.as_ref() != Some(&tip) {
        return Ok(());
    }
    Err(EngineError::Refused {
        reason: format!("'run --new' was interrupted after it had renamed branch '{branch}' to '{other}'"),
        cure: format!(
            "'autoresearch run --new' finishes that, or 'git branch -m {other} {branch}' goes on with the old session"
        ),
    })
}

/// Reads what became of the session in a state folder; `None` where nothing moved it.
pub fn read_aside(state: &std::path::Path) -> Option<Aside> {
    serde_json::from_slice(&fs::read(state.join(FILE)).ok()?).ok()
}

/// Returns what an interrupted move began, as long as its place is still free.
fn planned(places: &Places) -> Result<Option<(Aside, PathBuf)>, EngineError> {
    let Some(aside) = read_aside(places.state()) else { return Ok(None) };
    let folder = places.state().with_file_name(&aside.name);
    let taken = folder.try_exists().map_err(|source| EngineError::io("look at", &folder, source))?;
    Ok((!taken).then_some((aside, folder)))
}

/// Returns the branch that the journal says the session has; a journal that cannot be read says nothing.
fn branch_of(places: &Places) -> Option<String> {
    let mut branch = None;
    for record in Reader::open(&places.journal()).ok()?.records() {
        let Ok(record) = record else { break };
        if record.kind() == "config"
            && let Ok(Some(Event::Configured(configured))) = record.event()
        {
            branch = Some(configured.settings.branch);
        }
    }
    branch
}

fn name_of(places: &Places, number: u32) -> String {
    format!("{}~{number}", places.name())
}

/// Returns the first number under which neither a folder nor a branch is in the way. A branch that an interrupted move made is not.
fn free_number(
    user: &UserRepository,
    places: &Places,
    branch: Option<(&str, Option<&ObjectId>)>,
) -> Result<(u32, PathBuf), EngineError> {
    let begun = read_aside(places.state()).and_then(|aside| aside.branch);
    for number in 1.. {
        let folder = places.state().with_file_name(name_of(places, number));
        let namesake = places.state().with_file_name(format!("{}-{number}", places.name()));
        let blocked = match branch {
            None => false,
            Some((branch, tip)) => {
                let other = format!("{branch}-{number}");
                let found = user.branch_tip(&other)?;
                found.is_some() && !(begun.as_ref() == Some(&other) && found.as_ref() == tip)
            }
        };
        if !folder.exists() && !namesake.exists() && !blocked {
            return Ok((number, folder));
        }
    }
    unreachable!("there are more numbers than folders")
}

fn move_folder(places: &Places, to: &std::path::Path) -> Result<(), EngineError> {
    let state = places.state();
    fs::rename(state, to).map_err(|source| EngineError::io("move aside", state, source))?;
    let parent = state.parent().unwrap_or(state);
    let sync = File::open(parent).and_then(|folder| folder.sync_all());
    sync.map_err(|source| EngineError::io("make durable", parent, source))
}
