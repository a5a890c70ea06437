//! The base in two slots, as a session would build, check and measure it.

use std::path::Path;

use crate::domain::{Arm, Calibrated, ExperimentId, Pair};
use crate::engine::EngineError;
use crate::engine::calibrate::SetupTimes;
use crate::engine::experiment::ExperimentFacts;
use crate::engine::identical::identical_pairs;
use crate::engine::places::Places;
use crate::engine::runner::Failure;
use crate::engine::session::{Context, Purpose, Session};
use crate::journal::SessionLock;
use crate::process;
use crate::stats::Forecast;

use super::arms;
use super::finding::{Finding, Group, Report, Verdict};
use super::inventory;
use super::missing;
use super::noise;
use super::remedy::Need;
use super::steps::{Outcome, Step, rewrote};

const ARMS: [Arm; 2] = [Arm::Baseline, Arm::Candidate];

/// What a rehearsal measured.
#[derive(Debug, Clone)]
pub struct Rehearsed {
    /// What the pairs of the base against itself say.
    pub calibrated: Calibrated,
    /// These pairs.
    pub pairs: Vec<Pair>,
    /// What a session that starts now can do.
    pub forecast: Option<Forecast>,
}

/// Builds, checks and measures the base in two slots of its own, and returns what it measured where that works. What
/// the project does wrong is a finding; the only error is [`EngineError::Interrupted`].
///
/// The slots are removed afterwards; logs stay below the session's state when something failed.
pub fn rehearse(context: &Context<'_>, report: &mut dyn Report) -> Result<Option<Rehearsed>, EngineError> {
    let places = context.places.rehearsal();
    let mut told = Told { report, failed: false };
    let ended = in_folders(&places, |places| {
        let context = Context {
            places,
            settings: context.settings,
            user: context.user,
            supervisor: context.supervisor,
            interrupts: context.interrupts,
            inherited: context.inherited.clone(),
            purpose: Purpose::Rehearsal,
        };
        told.doing("making two slots");
        let mut session = Session::open(&context, Vec::new())?;
        let hide = can_hide(&context);
        go_through(&mut session, &context, hide, &mut told)
    });
    let found = match ended {
        Err(EngineError::Interrupted | EngineError::StopRequested) => return Err(EngineError::Interrupted),
        Err(error) => {
            told.found(Finding::failure((Group::Slots, "slots"), error.to_string()));
            None
        }
        Ok(found) => found,
    };
    if !told.failed {
        // A log too many does no harm.
        let _ = std::fs::remove_dir_all(places.state());
    }
    Ok(found)
}

/// Passes findings on and remembers whether one was a failure.
struct Told<'r> {
    report: &'r mut dyn Report,
    failed: bool,
}

impl Report for Told<'_> {
    fn found(&mut self, finding: Finding) {
        self.failed |= finding.verdict == Verdict::Failure;
        self.report.found(finding);
    }

    fn doing(&mut self, what: &str) {
        self.report.doing(what);
    }

    fn progress(&mut self, how_far: &str) {
        self.report.progress(how_far);
    }
}

/// Runs the rehearsal in empty folders that nobody else uses, and removes the slots.
fn in_folders<T>(places: &Places, run: impl FnOnce(&Places) -> Result<T, EngineError>) -> Result<T, EngineError> {
    if let Some(folder) = places.state().parent() {
        std::fs::create_dir_all(folder).map_err(|source| EngineError::io("create folder", folder, source))?;
    }
    let _lock = SessionLock::acquire(places.state())?;
    remove(places.state())?;
    remove(places.cache())?;
    let ended = run(places);
    let removed = remove(places.cache());
    ended.and_then(|found| removed.map(|()| found))
}

fn remove(folder: &Path) -> Result<(), EngineError> {
    match std::fs::remove_dir_all(folder) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(EngineError::io("remove", folder, source)),
        _ => Ok(()),
    }
}

fn can_hide(context: &Context<'_>) -> bool {
    let found = process::probe(context.supervisor).unwrap_or_default();
    found.get("reading").is_some_and(|state| state.starts_with("works"))
}

/// Goes through prepare, build, checks, bench and calibration; what cannot be done after a failure is skipped.
fn go_through(
    session: &mut Session<'_, '_>,
    context: &Context<'_>,
    hide: bool,
    report: &mut dyn Report,
) -> Result<Option<Rehearsed>, EngineError> {
    session.recorder.begin(ExperimentFacts::new(ExperimentId::BASELINE));
    let mut walk = Walk { session, report, hide, alone: true };
    let mut times = match walk.set_up()? {
        Some(times) if walk.each_arm(&Step::Bench)?.is_some() => times,
        _ => {
            walk.skip();
            return Ok(None);
        }
    };
    if walk.session.settings.holdout.is_some() {
        times.held = walk.each_arm(&Step::Holdout)?;
        if times.held.is_none() {
            walk.skip();
            return Ok(None);
        }
    }
    arms::report(walk.session, context, (walk.hide, walk.alone), walk.report);
    noise::measure(walk.session, times, walk.report)?;
    let Some(calibrated) = walk.session.state().calibrated().cloned() else { return Ok(None) };
    let pairs = identical_pairs(&walk.session.places.journal())?;
    Ok(Some(Rehearsed { calibrated, pairs, forecast: walk.session.forecast() }))
}

/// The rehearsal under way.
struct Walk<'w, 's, 'o> {
    session: &'w mut Session<'s, 'o>,
    report: &'w mut dyn Report,
    /// Whether this machine can hide the other slot and the user's checkout.
    hide: bool,
    /// Whether every step so far worked without them.
    alone: bool,
}

impl Walk<'_, '_, '_> {
    /// Prepares, builds and checks; `None` after a failure that leaves nothing to measure.
    fn set_up(&mut self) -> Result<Option<SetupTimes>, EngineError> {
        let mut times = SetupTimes::default();
        if self.session.settings.prepare.is_some() && self.each_arm(&Step::Prepare)?.is_none() {
            return Ok(None);
        }
        if self.session.settings.build.is_some() {
            let Some(seconds) = self.each_arm(&Step::Build)? else { return Ok(None) };
            times.build = seconds;
        }
        let checks = self.session.bench.harness().checks();
        let count = checks.len();
        let mut passed = 0;
        for check in checks {
            let step = Step::Check(check);
            if let Some(seconds) = self.step(&step, Arm::Baseline)? {
                passed += 1;
                times.add_check(seconds);
            }
        }
        if count == 0 {
            let detail = "there are no checks: a faster program that answers wrongly would be kept";
            let cure = format!(
                "put executables into {}/ that exit with 0 when the answers are right",
                self.session.settings.checks.dir
            );
            self.report.found(Finding::warning((Group::Baseline, "checks"), detail).cure(cure));
        } else if passed == count {
            let check = (Group::Baseline, "checks");
            let (detail, slowest) = (
                format!("{count} {} on the base", if count == 1 { "check passes" } else { "checks pass" }),
                times.check,
            );
            self.report.found(Finding::ok(check, detail).fact("checks", count).fact("slowest_s", slowest));
        }
        inventory::report(self.session, self.report);
        Ok(Some(times))
    }

    /// Runs a step in both slots and returns the seconds of the slower one.
    fn each_arm(&mut self, step: &Step) -> Result<Option<f64>, EngineError> {
        let mut slowest: f64 = 0.0;
        for arm in ARMS {
            let Some(seconds) = self.step(step, arm)? else { return Ok(None) };
            slowest = slowest.max(seconds);
        }
        let detail = format!("'{}' works in both slots ({slowest:.1} s)", step.command(self.session));
        self.report.found(Finding::ok((Group::Baseline, step.name()), detail).fact("seconds", slowest));
        Ok(Some(slowest))
    }

    fn step(&mut self, step: &Step, arm: Arm) -> Result<Option<f64>, EngineError> {
        self.session.pause_point()?;
        self.report.doing(&format!("{} in the {arm}'s slot: {}", step.name(), step.command(self.session)));
        match step.run(self.session, arm)? {
            Outcome::Done(seconds) => Ok(Some(seconds)),
            Outcome::NotAlone(seconds, alone) => {
                self.not_alone(step, &alone);
                Ok(Some(seconds))
            }
            Outcome::Failed(failure, need) => {
                let log = step.log(self.session, arm);
                match need {
                    Some(need) => self.lacks(step, &need, &failure, &log),
                    None => self.failed(step, arm, &failure, &log)?,
                }
                Ok(None)
            }
        }
    }

    /// Tells that a command needs the other slot or the user's checkout, once for all commands.
    fn not_alone(&mut self, step: &Step, alone: &Failure) {
        if !std::mem::replace(&mut self.alone, false) {
            return;
        }
        let detail = format!(
            "'{}' fails while the other slot and your checkout are hidden, and works when they are in sight, so \
             both arms could measure the same files: {}",
            step.command(self.session),
            alone.detail
        );
        self.report.found(
            Finding::failure((Group::Slots, "separate"), detail)
                .cure("name files relative to the folder that the command starts in"),
        );
    }

    /// Tells what a command needs that the sandbox keeps from it.
    fn lacks(&mut self, step: &Step, need: &Need, failure: &Failure, log: &Path) {
        let home = self.session.bench.runner().reach().home();
        let detail = format!(
            "{}; it works when more is in reach than the sandbox gives; its output is in {}.out and .err",
            failure.detail,
            log.display()
        );
        let finding = Finding::failure((Group::Baseline, step.name()), detail);
        self.report.found(finding.cure(need.cure(step, home)).fact("setting", need.setting(step)));
    }

    fn failed(&mut self, step: &Step, arm: Arm, failure: &Failure, log: &Path) -> Result<(), EngineError> {
        let logs = format!("its output is in {}.out and .err", log.display());
        if rewrote(failure) {
            let cure =
                "let it write elsewhere, or commit what it writes; a candidate's own change could not be told from it";
            self.report.found(Finding::failure((Group::Baseline, "tracked-files"), &failure.detail).cure(cure));
            return Ok(());
        }
        let files = missing::find(self.session, arm, step, log)?;
        let mut finding = Finding::failure((Group::Baseline, step.name()), format!("{}; {logs}", failure.detail));
        if failure.detail.contains("is not above zero") {
            finding = finding.cure("a counter that may be 0 needs \"scale\": \"linear\" in its entry of 'metrics'");
        }
        if !files.is_empty() {
            finding = finding.cure(files.cure(self.session.settings)).fact("missing", files.names());
        }
        self.report.found(finding);
        Ok(())
    }

    fn skip(self) {
        let why = "not measured: the base must build and run first";
        self.report.found(Finding::skipped((Group::Baseline, "noise"), why));
    }
}
