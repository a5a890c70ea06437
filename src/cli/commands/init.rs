//! `autoresearch init`: writes a working starting set, or shows it.

use std::fs;
use std::path::Path;

use crate::cli::args::{Global, Init};
use crate::cli::error::CliError;
use crate::cli::place::start;
use crate::cli::ui::Ui;
use crate::domain::ObjectId;
use crate::engine::starter::{self, OldKeeps, Starter};
use crate::git::UserRepository;
use crate::import::existing::Existing;

/// Proposes a starting set for the repository, and writes it unless it is only to be shown.
pub(in crate::cli) fn run(global: &Global, args: &Init, ui: &Ui) -> Result<u8, CliError> {
    if let Some(name) = &global.of_experiment {
        return Err(CliError::InitExperiment { name: name.clone() });
    }
    let repository = UserRepository::open(&start(global)?)?;
    let root = repository.root();
    let name = root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let existing = if args.from_existing { Some(existing(root)?) } else { None };
    let starter = match &existing {
        Some(existing) => from_existing(&repository, &name, existing)?,
        None => starter::propose(root, &name)?,
    };
    if args.print {
        ui.print(&contents(&starter))?;
        return Ok(0);
    }
    let moved = match &existing {
        Some(existing) => move_config_away(root, existing)?,
        None => None,
    };
    if let Err(error) = starter::write(root, &starter) {
        if let Some(old) = moved {
            let _ = fs::rename(root.join(old), root.join(CONFIG));
        }
        return Err(error.into());
    }
    ui.advise(&explained(&starter))?;
    if let Some(old) = moved {
        ui.line(&format!("\nthe config of the other tool is now {old}"))?;
    }
    Ok(0)
}

const CONFIG: &str = "autoresearch.config.json";

/// The name that another tool's config of the same name gets.
const OLD_CONFIG: &str = "autoresearch.config.old.json";

fn existing(root: &Path) -> Result<Existing, CliError> {
    let existing = Existing::find(root)?;
    if existing.is_empty() { Err(CliError::NothingExisting { root: root.to_owned() }) } else { Ok(existing) }
}

fn from_existing(repository: &UserRepository, name: &str, existing: &Existing) -> Result<Starter, CliError> {
    let keeps = old_keeps(repository, existing);
    let branch = free_branch(repository, name)?;
    Ok(starter::propose_existing(repository.root(), name, existing, keeps.as_ref(), branch.as_deref())?)
}

/// Finds the first and the last keep of the log that are commits here.
fn old_keeps(repository: &UserRepository, existing: &Existing) -> Option<OldKeeps> {
    let (_, log) = existing.log.as_ref()?;
    let commit = |text: &str| {
        let is_id = (7..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
        if is_id { repository.resolve(text).ok() } else { None }
    };
    let kept = || log.rows().filter(|row| row.status.as_deref() == Some("keep"));
    let base: ObjectId = kept().find_map(|row| commit(row.commit.as_deref()?))?;
    let tip = kept().rev().find_map(|row| commit(row.commit.as_deref()?))?;
    (base != tip).then_some(OldKeeps { base, tip })
}

/// Returns a branch for the session where the usual name is taken or blocked, as by the other tool's own branch.
fn free_branch(repository: &UserRepository, name: &str) -> Result<Option<String>, CliError> {
    let usual = format!("autoresearch/{name}");
    let mut names = std::iter::once(usual.clone()).chain((1..).map(|n| match n {
        1 => format!("measured-again/{name}"),
        n => format!("measured-again-{n}/{name}"),
    }));
    let free = names.find_map(|branch| match (repository.branch_tip(&branch), repository.blocking_branch(&branch)) {
        (Ok(None), Ok(None)) => Some(Ok(branch)),
        (Err(error), _) | (_, Err(error)) => Some(Err(error)),
        (Ok(_), Ok(_)) => None,
    });
    Ok(free.transpose()?.filter(|branch| *branch != usual))
}

/// Gives another tool's config a new name where ours has to stand in its place; returns that name.
fn move_config_away(root: &Path, existing: &Existing) -> Result<Option<&'static str>, CliError> {
    let in_the_way = existing.config.as_ref().is_some_and(|(path, _)| path == CONFIG);
    if !in_the_way {
        return Ok(None);
    }
    let old = root.join(OLD_CONFIG);
    if old.symlink_metadata().is_ok() {
        return Err(CliError::io("move the other tool's config to", &old, std::io::ErrorKind::AlreadyExists.into()));
    }
    fs::rename(root.join(CONFIG), &old)
        .map_err(|source| CliError::io("move the other tool's config to", &old, source))?;
    Ok(Some(OLD_CONFIG))
}

/// Writes every file under a line with its name.
fn contents(starter: &Starter) -> String {
    let file = |file: &starter::StarterFile| {
        let program = if file.executable { ", executable" } else { "" };
        format!("==> {} ({}{program})\n{}\n", file.path, file.why, file.text)
    };
    starter.files.iter().map(file).collect()
}

fn explained(starter: &Starter) -> String {
    let mut text = format!("project: {}\n\nwrote\n", starter.ecosystem);
    let width = starter.files.iter().map(|file| file.path.chars().count()).max().unwrap_or_default();
    text.extend(starter.files.iter().map(|file| format!("  {:width$}  {}\n", file.path, file.why)));
    text += "\nwhy, and what to change\n";
    text.extend(starter.explanations.iter().map(|line| format!("  - {line}\n")));
    text += "\nnext\n";
    text.extend(starter.next.iter().zip(1..).map(|(step, number)| format!("  {number}. {step}\n")));
    text
}
