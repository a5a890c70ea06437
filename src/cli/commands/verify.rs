//! `autoresearch verify`: recomputes what a branch and its record claim.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::args::{Global, Verify};
use crate::cli::error::CliError;
use crate::cli::place::{self, Place};
use crate::cli::ui::Ui;
use crate::config::Overrides;
use crate::engine::{Audit, Record, audit};
use crate::git::UserRepository;

/// The exit code for a record that does not hold (FORMATS section 8).
const NOT_SO: u8 = 7;

/// Checks the commits of a branch and every verdict of the record: 0 where all agree, 7 where something does not.
pub(in crate::cli) fn run(global: &Global, args: &Verify, ui: &Ui) -> Result<u8, CliError> {
    let user = UserRepository::open(&place::start(global)?)?;
    let scratch =
        tempfile::tempdir().map_err(|source| CliError::io("make a folder in", &std::env::temp_dir(), source))?;
    let record = record(global, args, &user, scratch.path())?;
    let branch = args.branch.clone().or(record.branch.clone()).ok_or(CliError::NoBranch)?;
    let audit = audit(&user, &record, &branch)?;
    if args.json {
        ui.json(&as_json(&audit, &branch))?;
    } else {
        ui.print(&as_text(&audit, &branch))?;
    }
    Ok(if audit.holds() { 0 } else { NOT_SO })
}

fn record(global: &Global, args: &Verify, user: &UserRepository, scratch: &Path) -> Result<Record, CliError> {
    if let Some(file) = &args.bundle {
        let file: PathBuf = place::start(global)?.join(file);
        return Ok(Record::of_bundle(user, &file, scratch)?);
    }
    if let Some(name) = &args.reference {
        return Ok(Record::of_ref(user, name, scratch)?);
    }
    let place = Place::find(global, &Overrides::default())?;
    place.require_session()?;
    let branch = Some(place.settings.branch.clone());
    Ok(Record { journal: place.places.journal(), tip: None, branch })
}

fn as_json(audit: &Audit, branch: &str) -> serde_json::Value {
    json!({
        "branch": branch,
        "holds": audit.holds(),
        "session": audit.session,
        "verdicts": audit.verdicts.iter().map(|v| json!({
            "experiment": v.experiment, "status": v.status, "reason": v.reason, "pairs": v.pairs, "fault": v.fault,
        })).collect::<Vec<_>>(),
        "commits": audit.commits.iter().map(|c| json!({
            "commit": c.commit, "subject": c.subject, "experiment": c.experiment, "fault": c.fault,
        })).collect::<Vec<_>>(),
        "missing": audit.missing,
    })
}

fn as_text(audit: &Audit, branch: &str) -> String {
    let mut text = String::new();
    let wrong = audit.verdicts.iter().filter_map(|v| Some((v, v.fault.as_ref()?)));
    for (verdict, fault) in wrong.clone() {
        let _ = writeln!(text, "experiment {} ({}): {fault}", verdict.experiment, verdict.reason);
    }
    let _ = writeln!(
        text,
        "{} of {} verdicts follow from their pairs",
        audit.verdicts.len() - wrong.count(),
        audit.verdicts.len()
    );
    for commit in &audit.commits {
        match &commit.fault {
            Some(fault) => _ = writeln!(text, "{} {}: {fault}", commit.commit.short(), commit.subject),
            None => _ = writeln!(text, "{} {}: agrees", commit.commit.short(), commit.subject),
        }
    }
    if !audit.missing.is_empty() {
        let numbers: Vec<String> = audit.missing.iter().map(|id| format!("#{id}")).collect();
        let _ = writeln!(text, "not on {branch}: the keeps {}", numbers.join(", "));
    }
    text + if audit.holds() { "the record holds\n" } else { "the record does not hold\n" }
}
