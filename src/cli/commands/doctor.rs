//! `autoresearch doctor`: checks everything that a session needs, and says what to mend.

use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use serde_json::json;

use super::calibrate;
use super::run::context;
use crate::cli::args::{Doctor, Global};
use crate::cli::error::CliError;
use crate::cli::place::{self, Place};
use crate::cli::progress::Now;
use crate::cli::ui::Ui;
use crate::config::{Overrides, place_of};
use crate::engine::doctor::{self, Finding, Group, Rehearsed, Report, Verdict};
use crate::engine::{EngineError, Purpose};
use crate::git::UserRepository;
use crate::process::{Interrupts, SupervisorProgram};
use crate::report::{self, Ailment, CalibrationReport, ForecastView};

/// The exit code when somebody stopped it.
const INTERRUPTED: u8 = 130;

/// Checks, tells each finding as it comes, and returns 0 when nothing failed, 3 when the baseline did, else 1.
pub(in crate::cli) fn run(global: &Global, args: &Doctor, ui: &Ui) -> Result<u8, CliError> {
    let mut told =
        Told { ui, shown: !args.json, now: Now::new(ui, args.json), config: None, findings: Vec::new(), closed: None };
    let flags = Overrides { pin: args.pin.clone(), ..Overrides::default() };
    let ended = examine(global, &flags, args.holdout.as_deref(), &mut told);
    told.now.clear();
    let interrupted = matches!(ended, Err(CliError::Engine(EngineError::Interrupted)));
    if interrupted {
        told.found(Finding::skipped((Group::Slots, "slots"), "interrupted; what comes after this was not looked at"));
    } else {
        ended?;
    }
    if let Some(error) = told.closed {
        return Err(error.into());
    }
    let code = if interrupted { INTERRUPTED } else { doctor::exit_code(&told.findings) };
    if args.json {
        ui.json(&json!({ "exit_code": code, "findings": told.findings }))?;
    } else if !interrupted {
        ui.advise(&summary(&told.findings))?;
    }
    Ok(code)
}

fn examine(global: &Global, flags: &Overrides, holdout: Option<&Path>, told: &mut Told<'_>) -> Result<(), CliError> {
    let start = place::start(global)?;
    let user = match UserRepository::open(&start) {
        Ok(user) => user,
        Err(error) => {
            told.found(Finding::failure((Group::Repository, "repository"), CliError::from(error).message()));
            return Ok(());
        }
    };
    let place = Place::with_holdout(global, flags, holdout);
    let good = doctor::examine_repository(&user, place.as_ref().ok().map(|place| &place.settings), told);
    let place = match place {
        Ok(place) => place,
        Err(error) => {
            told.found(Finding::failure((Group::Config, "config"), error.message()));
            return Ok(());
        }
    };
    told.config = Some(place.config.clone());
    told.found(Finding::ok((Group::Config, "config"), format!("{} is complete", place.config.display())));
    if good {
        doctor::examine_branch(&place.repository, &place.settings, &place.places, told);
        doctor::examine_signing(&place.repository, &place.settings, told);
    }
    let inherited: Vec<_> = std::env::vars_os().collect();
    doctor::examine_config(&place.repository, &place.settings, &inherited, told);
    doctor::examine_commands(&place.repository, &place.settings, &inherited, told);
    let supervisor = SupervisorProgram::current()?;
    doctor::examine_machine(&place.settings, &place.places, &supervisor, told);
    if !good {
        told.found(Finding::skipped((Group::Slots, "slots"), "not made: mend the repository first"));
        return Ok(());
    }
    let interrupts = Interrupts::default();
    interrupts.install_signal_handlers()?;
    let context = context(&place, &supervisor, &interrupts, Purpose::Rehearsal);
    let Some(Rehearsed { calibrated, pairs, forecast: foreseen }) = doctor::rehearse(&context, told)? else {
        return Ok(());
    };
    for ailment in diagnosis(&calibrate::report(&calibrated, &pairs, &place.settings)) {
        told.found(ailment);
    }
    if let Some(foreseen) = foreseen {
        told.found(forecast(&ForecastView::new(&foreseen, &place.settings, None)));
    }
    Ok(())
}

/// Makes a finding of everything that ails the machine; how coarse the metrics are is told with their noise.
fn diagnosis(report: &CalibrationReport) -> Vec<Finding> {
    let check = (Group::Baseline, "diagnosis");
    let mut found = Vec::new();
    for metric in &report.metrics {
        for ailment in metric.findings.iter().filter(|finding| finding.about != Ailment::Resolution) {
            let detail = format!("{}: {}", metric.lens.metric, ailment.what);
            let warning = Finding::warning(check, detail).cure(&ailment.cure);
            found.push(warning.fact("metric", metric.lens.metric.to_string()).fact("about", ailment.about.word()));
        }
    }
    if found.is_empty() {
        let nothing = "no drift, no effect of the order, no two levels, few outliers, no difference of the slots";
        found.push(Finding::ok(check, nothing));
    }
    found
}

/// Makes a finding of what a session that starts now can do.
fn forecast(view: &ForecastView) -> Finding {
    let check = (Group::Baseline, "forecast");
    let detail = report::text::forecast(view).trim_end().replace('\n', "; ");
    let found = match &view.warning {
        Some(warning) => Finding::warning(check, detail).cure(warning),
        None => Finding::ok(check, detail),
    };
    found
        .fact("no_op_s", view.no_op_s)
        .fact("win_s", view.win_s)
        .fact("inconclusive_s", view.inconclusive_s)
        .fact("validation_s", view.validation_s)
        .fact("candidates", view.candidates)
}

/// Tells findings as they come and keeps them.
struct Told<'a> {
    ui: &'a Ui,
    /// Whether to tell them as they come; not when JSON is printed at the end.
    shown: bool,
    /// What is being done.
    now: Now<'a>,
    /// The config, once it was read.
    config: Option<PathBuf>,
    findings: Vec<Finding>,
    closed: Option<crate::cli::ui::OutputError>,
}

impl Told<'_> {
    /// Returns what was found, with the place in the config where a key of it is at fault.
    fn located(&self, finding: &Finding) -> String {
        let key = finding.facts.get("key").and_then(serde_json::Value::as_str);
        let place = key.zip(self.config.as_deref()).and_then(|(key, config)| place_of(config, key));
        place.map_or_else(|| finding.detail.clone(), |(place, key)| format!("{place}: '{key}': {}", finding.detail))
    }
}

impl Report for Told<'_> {
    fn found(&mut self, finding: Finding) {
        self.now.clear();
        let finding = Finding { detail: self.located(&finding), ..finding };
        let finding = Finding { cure: finding.cure.map(|cure| self.ui.worded(&cure)), ..finding };
        if self.shown && self.closed.is_none() {
            self.closed = self.ui.print(&text(&finding)).err();
        }
        self.findings.push(finding);
    }

    fn doing(&mut self, what: &str) {
        self.now.doing(what);
    }

    fn progress(&mut self, how_far: &str) {
        self.now.progress(how_far);
    }
}

fn text(finding: &Finding) -> String {
    let (word, colour) = match finding.verdict {
        Verdict::Ok => ("ok", AnsiColor::Green),
        Verdict::Warning => ("warning", AnsiColor::Yellow),
        Verdict::Failure => ("FAILURE", AnsiColor::Red),
        Verdict::Skipped => ("skipped", AnsiColor::Cyan),
    };
    let style = Style::new().fg_color(Some(colour.into()));
    let mut text = format!("{style}{word:<9}{style:#}{:<14}{}\n", finding.check, finding.detail);
    if let Some(cure) = &finding.cure {
        text.push_str(&" ".repeat(23));
        text.extend(["-> ", cure, "\n"]);
    }
    text
}

fn summary(findings: &[Finding]) -> String {
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let warnings = count(Verdict::Warning);
    match count(Verdict::Failure) {
        0 => format!("\nready ({warnings} warnings); 'autoresearch run' starts the session\n"),
        failures => format!("\n{failures} to mend before a session can run ({warnings} warnings)\n"),
    }
}
