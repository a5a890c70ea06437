//! `autoresearch import`: another tool's log becomes a session of its own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::args::{Global, Import};
use crate::cli::error::CliError;
use crate::cli::place::start;
use crate::cli::ui::Ui;
use crate::domain::{Imported, ObjectId};
use crate::engine::Places;
use crate::git::UserRepository;
use crate::import::{Source, record};

/// Lines that were not understood and are printed; `log` and the JSON have more.
const UNREAD: usize = 20;

/// Characters that a session's name made of a log's may have; whole words only.
const NAME_LENGTH: usize = 48;

/// Imports the files as one session and says what became of each line.
pub(in crate::cli) fn run(global: &Global, args: &Import, ui: &Ui) -> Result<u8, CliError> {
    let start = start(global)?;
    let repository = UserRepository::open(&start)?;
    let paths: Vec<PathBuf> = args.files.iter().map(|file| start.join(file)).collect();
    let sources = Source::read(&paths)?;
    let name = args.name.clone().unwrap_or_else(|| default_name(&sources));
    let state = Places::state_of(repository.common_dir(), &name);
    let resolve = |text: &str| commit(&repository, text);
    let created_by = concat!("autoresearch ", env!("CARGO_PKG_VERSION"));
    let imported = record(&sources, &state, created_by, &resolve)?;
    if args.json {
        ui.json(&json!({"name": name, "journal": state.join("journal.jsonl"), "files": imported}))?;
    } else {
        ui.print(&told(&name, &imported))?;
    }
    Ok(0)
}

/// Resolves a commit as written: digits of an id only, since words such as HEAD meant something else then.
fn commit(repository: &UserRepository, text: &str) -> Option<ObjectId> {
    let is_id = (7..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    if is_id { repository.resolve(text).ok() } else { None }
}

/// Names the session after the log's first config line, else after the file.
fn default_name(sources: &[Source]) -> String {
    let named = sources.iter().flat_map(|source| source.log.segments()).find_map(|segment| segment.name.as_deref());
    let stem =
        || sources.first().and_then(|source| Path::file_stem(&source.path)).unwrap_or_default().to_string_lossy();
    let text = named.map_or_else(|| stem().into_owned(), str::to_owned);
    let kept: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let mut name = String::from("imported");
    for part in kept.split('-').filter(|part| !part.is_empty()) {
        if name.len() + part.len() > NAME_LENGTH {
            break;
        }
        name.push('-');
        name.push_str(part);
    }
    name
}

fn told(name: &str, imported: &[Imported]) -> String {
    let mut text = String::new();
    for file in imported {
        let Imported { source, lines, runs, configs, hooks, blank, unread, .. } = file;
        let _ = writeln!(
            text,
            "{source}: {lines} lines: {runs} runs, {configs} config, {hooks} of hooks, {blank} blank, {} not understood",
            unread.len()
        );
        text.extend(unread.iter().take(UNREAD).map(|unread| format!("  {source}:{}: {}\n", unread.line, unread.why)));
        if unread.len() > UNREAD {
            let _ = writeln!(
                text,
                "  and {} more; 'autoresearch log --session {name} --json' lists all",
                unread.len() - UNREAD
            );
        }
    }
    text + &format!(
        "imported as session '{name}'; its keeps are as written and not validated\n\
         look at it:              autoresearch log --session {name}\n\
         measure its keeps again: autoresearch init --from-existing\n"
    )
}
