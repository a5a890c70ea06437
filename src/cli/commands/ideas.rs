//! `autoresearch ideas`: the catalogue of ideas, listed, searched and checked, and asked about a candidate.

use serde_json::{Value, json};

use super::{ideas_edit, try_one};
use crate::cli::args::{Global, Ideas, IdeasAction, IdeasSearch, IdeasWhy};
use crate::cli::error::CliError;
use crate::cli::fold::{Folded, fold};
use crate::cli::place::Place;
use crate::cli::ui::Ui;
use crate::config::Overrides;
use crate::domain::{Screened, Screening};
use crate::engine::{self, Past};
use crate::ideas::{Catalogue, Facts, Finding, LintFacts, lint, search};
use crate::report::{IdeasView, Screen, text};

/// The exit code of a candidate that would be refused.
const REFUSED: u8 = 4;

/// The exit code of what is not as it was to be verified.
const NOT_SO: u8 = 7;

/// Does what was asked of the ideas: 0, or what the action says.
pub(in crate::cli) fn run(global: &Global, args: &Ideas, ui: &Ui) -> Result<u8, CliError> {
    let place = Place::with_holdout(global, &Overrides::default(), None)?;
    match &args.action {
        IdeasAction::List(args) => list(&place, args.json, ui),
        IdeasAction::Search(args) => find(&place, args, ui),
        IdeasAction::Add(args) => ideas_edit::add(&Book::open(&place)?, args, ui),
        IdeasAction::Close(args) => ideas_edit::close(&Book::open(&place)?, args, ui),
        IdeasAction::Reopen(args) => ideas_edit::reopen(&Book::open(&place)?, args, ui),
        IdeasAction::Why(args) => why(global, &place, args, ui),
        IdeasAction::Lint(args) => check(&place, args.json, ui),
    }
}

/// ideas.md, and what the journal says.
pub(super) struct Book<'a> {
    /// Where the session is.
    pub(super) place: &'a Place,
    /// The file, relative to the repository root.
    pub(super) file: String,
    /// Its text; empty where there is no file.
    pub(super) text: String,
    /// Its text, parsed.
    pub(super) catalogue: Catalogue,
    /// The journal, where there is one.
    pub(super) folded: Option<Folded>,
}

impl<'a> Book<'a> {
    /// Reads the file and the journal.
    pub(super) fn open(place: &'a Place) -> Result<Self, CliError> {
        let root = place.repository.root();
        let text = engine::read_ideas(root, &place.settings)?;
        let path = engine::ideas_file(root, &place.settings);
        let file = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        Ok(Self { place, file, catalogue: Catalogue::parse(&text), text, folded: fold(&place.places.journal())? })
    }

    /// Collects what the entries are judged by.
    fn facts(&self) -> Result<Facts, CliError> {
        let (place, state) = (self.place, self.folded.as_ref().map(|folded| &folded.state));
        let tip = match state.and_then(|state| state.tip().cloned()) {
            Some(tip) => tip,
            None => place.repository.require_commit()?,
        };
        let journal = place.places.journal();
        let past = Past { state, journal: &journal, user: &place.repository, tip: &tip };
        Ok(engine::idea_facts(&self.catalogue, past)?)
    }
}

fn list(place: &Place, as_json: bool, ui: &Ui) -> Result<u8, CliError> {
    let book = Book::open(place)?;
    show(&IdeasView::of_all(book.file.clone(), &book.catalogue, &book.facts()?), as_json, ui)
}

fn find(place: &Place, args: &IdeasSearch, ui: &Ui) -> Result<u8, CliError> {
    let book = Book::open(place)?;
    let found = search(&book.catalogue, &args.words);
    show(&IdeasView::of_found(book.file.clone(), &found, &book.facts()?), args.json, ui)
}

fn show(view: &IdeasView, as_json: bool, ui: &Ui) -> Result<u8, CliError> {
    if as_json {
        ui.json(&json!(view))?;
    } else {
        ui.print(&text::ideas(view, Screen::of_stdout()))?;
    }
    Ok(0)
}

fn why(global: &Global, place: &Place, args: &IdeasWhy, ui: &Ui) -> Result<u8, CliError> {
    let proposal = try_one::named(global, &args.candidate, place)?;
    let screened = engine::would_be_screened((&place.settings, &place.places, &place.repository), &proposal)?;
    if args.json {
        ui.json(&answer(&screened))?;
    } else {
        ui.print(&told(&screened))?;
    }
    Ok(match screened.outcome {
        Screening::Accepted { .. } => 0,
        Screening::Refused { .. } => REFUSED,
    })
}

fn answer(screened: &Screened) -> Value {
    let (refused, reason, why) = match &screened.outcome {
        Screening::Accepted { .. } => (false, None, None),
        Screening::Refused { reason, detail } => (true, Some(reason), Some(detail)),
    };
    json!({
        "refused": refused,
        "reason": reason,
        "why": why,
        "warnings": screened.warnings,
        "touched": screened.touched,
        "patch_id": screened.patch_id,
    })
}

fn told(screened: &Screened) -> String {
    let verdict = match &screened.outcome {
        Screening::Accepted { rung, .. } => format!("open: nothing stands against it; it applies ({rung})\n"),
        Screening::Refused { reason, detail } => format!("refused ({reason}): {detail}\n"),
    };
    let warnings = screened.warnings.iter().map(|warning| format!("warning: {warning}\n"));
    verdict + &warnings.collect::<String>()
}

fn check(place: &Place, as_json: bool, ui: &Ui) -> Result<u8, CliError> {
    let book = Book::open(place)?;
    let experiments = book.folded.as_ref().map(|folded| {
        let unfinished = folded.state.all_unfinished().map(|left| left.id);
        folded.state.experiments().iter().map(|record| record.id).chain(unfinished).collect()
    });
    let candidates = engine::named_ideas(place.repository.root(), &place.settings)?;
    let found = lint(&book.text, &book.catalogue, &LintFacts { experiments, candidates });
    let found: Vec<Finding> = found.into_iter().map(|f| Finding { cure: ui.worded(&f.cure), ..f }).collect();
    let file = |finding: &Finding| finding.file.clone().unwrap_or_else(|| book.file.clone());
    if as_json {
        let all = found.iter().map(
            |f| json!({"file": file(f), "line": f.line, "rule": f.rule.name(), "problem": f.problem, "cure": f.cure}),
        );
        ui.json(&json!({ "file": book.file, "findings": all.collect::<Vec<_>>() }))?;
    } else {
        let line = |f: &Finding| format!("{}:{}: {}: {}; {}\n", file(f), f.line, f.rule.name(), f.problem, f.cure);
        let lines: String = found.iter().map(line).collect();
        ui.print(if found.is_empty() { "nothing is wrong\n" } else { &lines })?;
    }
    Ok(if found.is_empty() { 0 } else { NOT_SO })
}
