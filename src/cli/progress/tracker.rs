//! What a run's events add up to for somebody who watches: the lines to write and the state to show.

use crate::domain::{
    Calibrated, CandidateRun, Configured, Event, ExperimentId, Phase, PhaseStarted, ProposalFailed, Rebased, Resumed,
    RunSummary, Settings, Status, StopRule, Stopped, Validated, Waiting,
};
use crate::engine::Roles;
use crate::report::{ChangeView, Lens, Lenses, one_line, text};
use crate::state::SessionState;
use crate::stats;

/// A line that stays.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    /// Something that happened to the session.
    Milestone(String),
    /// A settled experiment.
    Settled {
        /// `#7`.
        number: String,
        /// What was done.
        status: Status,
        /// The effect or the reason, and the description.
        rest: String,
    },
}

/// The state of a run, as its events tell it.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    session: Option<Session>,
    epoch: Epoch,
    /// The size of the next epoch: by the settings, and by the last forecast, which goes first.
    planned: (u32, Option<u32>),
    iterations: u32,
    settled: u32,
    kept: u32,
    step: Option<Step>,
    /// Whether the verdict of the experiment under way moves the branch; one that only judges keeps nothing.
    moves_branch: bool,
}

/// What the settings say that is shown.
#[derive(Debug)]
struct Session {
    lens: Lens,
    /// How every primary is read.
    lenses: Lenses,
    settings: Settings,
}

/// The error budget of the present epoch.
#[derive(Debug, Clone, Copy, Default)]
struct Epoch {
    size: u32,
    measured: u32,
    keeps: u32,
    /// Whether it has had a candidate, so that its size is fixed.
    began: bool,
}

/// The experiment under way.
#[derive(Debug, Default)]
struct Step {
    title: String,
    calibrates: bool,
    /// Whether it belongs to no experiment: a validation.
    validates: bool,
    phase: Option<String>,
    pairs: u32,
    change: Option<ChangeView>,
    ln_e: Option<f64>,
}

impl Tracker {
    /// Takes over what a journal tells.
    pub(super) fn resume(&mut self, state: &SessionState) {
        if let Some(configured) = state.configured() {
            self.configure(configured);
        }
        let epoch = state.epoch();
        self.planned.1 = state.calibrated().and_then(|calibrated| calibrated.epoch);
        let began = state.epoch_began();
        self.epoch = Epoch { size: epoch.size, measured: epoch.measured, keeps: epoch.keeps, began };
        self.iterations = state.iterations();
        let candidates = state.experiments().iter().filter(|record| record.id != ExperimentId::BASELINE);
        self.settled = u32::try_from(candidates.count()).unwrap_or(u32::MAX);
        self.kept = u32::try_from(state.keeps().count()).unwrap_or(u32::MAX);
    }

    /// Takes one event in; returns the line that it is worth.
    pub(super) fn take(&mut self, experiment: Option<ExperimentId>, event: &Event) -> Option<Line> {
        match event {
            Event::Configured(configured) => Some(milestone(self.configure(configured))),
            Event::Calibrated(calibrated) => self.calibrated(calibrated).map(milestone),
            Event::Proposed(proposed) => {
                self.propose(experiment, &proposed.description);
                None
            }
            // What belongs to no experiment begins with a line that names it.
            Event::PhaseStarted(PhaseStarted { phase: Phase::Measure, what: Some(what) }) if experiment.is_none() => {
                self.step = Some(Step { title: one_line(what), validates: true, ..Step::default() });
                None
            }
            Event::PhaseStarted(started) => {
                self.phase(experiment, started.phase, started.what.as_deref());
                None
            }
            Event::Pair(attempt) => {
                self.pair(experiment, attempt);
                None
            }
            Event::Run(run) => Some(self.settle(run)),
            Event::Undone(undone) => {
                self.kept = self.kept.saturating_sub(1);
                let number = experiment.map(|id| id.to_string()).unwrap_or_default();
                Some(milestone(format!("#{number} was undone by {}: {}", undone.commit.short(), undone.why)))
            }
            Event::Validated(validated) => Some(milestone(self.validated(validated))),
            Event::Resumed(resumed) => Some(milestone(resumes(resumed))),
            Event::Recovered(recovered) => {
                Some(milestone(format!("recovered: {}; {}", recovered.found, recovered.action)))
            }
            Event::IdeaEdited(edit) if !edit.written => {
                Some(milestone(format!("ideas.md: an edit of '{}' waits until the file is there", edit.idea)))
            }
            Event::Waiting(waiting) => Some(milestone(waits(waiting))),
            Event::ProposalFailed(failed) => Some(milestone(fails(failed))),
            Event::HookRan(hook) => hook.failure.as_ref().map(|failure| milestone(format!("hook: {failure}"))),
            Event::Rebased(rebased) => {
                self.kept = 0;
                Some(milestone(rebases(rebased)))
            }
            Event::Note(note) => Some(milestone(format!("note: {}", note.text))),
            Event::Stopped(stopped) => Some(milestone(self.stop(stopped))),
            Event::PhaseEnded(ended) => {
                self.phase_ended(experiment, ended.phase);
                None
            }
            Event::Decided(decided) => {
                self.moves_branch = decided.moves_branch;
                None
            }
            Event::Imported(_)
            | Event::ImportedSegment(_)
            | Event::ImportedRun(_)
            | Event::Reviewed(_)
            | Event::Finalized(_)
            | Event::Screened(_)
            | Event::IdeaEdited(_)
            | Event::SandboxApplied(_)
            | Event::Inventoried(_) => None,
        }
    }

    fn propose(&mut self, experiment: Option<ExperimentId>, description: &str) {
        self.epoch.began = true;
        let number = experiment.map(|id| format!("#{id} ")).unwrap_or_default();
        let title = format!("{number}{}", one_line(description));
        self.step = Some(Step { title, ..Step::default() });
    }

    /// Returns the two lines of the live area: what is under way, and where it and the session stand.
    pub(super) fn area(&self) -> Option<[String; 2]> {
        let step = self.step.as_ref()?;
        let mut parts = Vec::new();
        parts.extend(step.phase.clone());
        if step.pairs > 0 {
            let limit = self.session.as_ref().and_then(|session| step.limit(&session.settings));
            parts.push(limit.map_or_else(|| format!("pair {}", step.pairs), |n| format!("pair {} of {n}", step.pairs)));
        }
        parts.extend(step.change.as_ref().map(ToString::to_string));
        parts.extend(step.ln_e.zip(self.needed()).map(|(ln_e, needed)| text::evidence(ln_e, needed)));
        parts.push(self.standing());
        Some([step.title.clone(), format!("  {}", parts.join(" | "))])
    }

    fn configure(&mut self, configured: &Configured) -> String {
        let settings = *configured.settings.clone();
        let lens = Lens::from(&settings.primary);
        self.planned.0 = configured.epoch;
        self.size_epoch();
        let branch = if settings.branch.is_empty() { String::new() } else { format!(" on branch {}", settings.branch) };
        let goals: Vec<String> =
            settings.objectives().map(|goal| format!("{}, {} is better", goal.name, goal.direction)).collect();
        let text = format!(
            "session '{}' from {}{branch}: {} ({})",
            settings.name,
            configured.base.short(),
            goals.join(", or "),
            configured.why
        );
        self.session = Some(Session { lens, lenses: Lenses::from(&settings), settings });
        text
    }

    /// Gives an epoch without a candidate its size; one that began keeps its own.
    fn size_epoch(&mut self) {
        if !self.epoch.began {
            self.epoch.size = self.planned.1.unwrap_or(self.planned.0);
        }
    }

    fn calibrated(&mut self, calibrated: &Calibrated) -> Option<String> {
        self.step = None;
        self.planned.1 = calibrated.epoch;
        self.size_epoch();
        let session = self.session.as_ref()?;
        let lens = &session.lens;
        let metric = calibrated.primary()?;
        let value =
            if metric.metric == lens.metric { format!(" {}", lens.value(metric.median)) } else { String::new() };
        let resolves = metric.resolves.map(|r| format!(", {} can be resolved", lens.size(r))).unwrap_or_default();
        Some(format!(
            "calibrated: {}{value}, a pair's noise is {}{resolves} ({} pairs, {} a run){}",
            lens.metric,
            lens.size(metric.s),
            calibrated.pairs,
            text::duration(calibrated.run_s),
            unguarded(calibrated, &session.settings)
        ))
    }

    /// Returns the step that an event belongs to; what has no proposal is the baseline's.
    fn step(&mut self, experiment: Option<ExperimentId>) -> &mut Step {
        let calibrates = experiment == Some(ExperimentId::BASELINE);
        self.step.get_or_insert_with(|| {
            let title = experiment.filter(|_| !calibrates).map(|id| format!("#{id}"));
            // A validation belongs to no experiment.
            let other = if calibrates { "the baseline" } else { "the validation" };
            Step {
                title: title.unwrap_or_else(|| other.to_owned()),
                calibrates,
                validates: experiment.is_none(),
                ..Step::default()
            }
        })
    }

    fn phase(&mut self, experiment: Option<ExperimentId>, phase: Phase, what: Option<&str>) {
        let name = what.map_or_else(|| phase.to_string(), |what| format!("{phase} {}", one_line(what)));
        self.step(experiment).phase = Some(name);
    }

    fn phase_ended(&mut self, experiment: Option<ExperimentId>, phase: Phase) {
        if phase == Phase::Warmup {
            // Pairs follow a warm-up, and the first of them may take long.
            self.phase(experiment, Phase::Measure, None);
        }
    }

    fn pair(&mut self, experiment: Option<ExperimentId>, attempt: &CandidateRun) {
        let lens = self.session.as_ref().map(|session| &session.lens);
        let change = attempt.estimate.zip(lens).map(|(estimate, lens)| lens.change(estimate));
        let step = self.step(experiment);
        if attempt.holdout {
            // No figure of it: a proposer may watch.
            step.phase = Some(Phase::Holdout.to_string());
            step.pairs = 0;
            return;
        }
        step.phase = Some(Phase::Measure.to_string());
        step.pairs = attempt.pair;
        step.change = change.or(step.change.take());
        step.ln_e = attempt.ln_e.or(step.ln_e);
    }

    fn validated(&mut self, validated: &Validated) -> String {
        self.step = None;
        let lens = self.session.as_ref().map(|session| &session.lens);
        let change = ChangeView::new(validated.change(), lens.map_or("", |lens| lens.unit.as_str()));
        let pairs = validated.pairs;
        match validated.without {
            None => format!("validated: {} {change} over the base, {pairs} fresh pairs", validated.metric),
            Some(keep) => format!("re-tested: #{keep} changes {} by {change} on the final code", validated.metric),
        }
    }

    fn settle(&mut self, run: &RunSummary) -> Line {
        self.step = None;
        if run.run == ExperimentId::BASELINE.0 {
            let lens = self.session.as_ref().map(|session| &session.lens);
            let value = run.metric.zip(lens).map(|(metric, lens)| format!(": {} {}", lens.metric, lens.value(metric)));
            return milestone(format!("the baseline is good{}", value.unwrap_or_default()));
        }
        self.count(run);
        Line::Settled { number: format!("#{}", run.run), status: run.status, rest: self.rest(run) }
    }

    fn count(&mut self, run: &RunSummary) {
        self.settled += 1;
        self.iterations += u32::from(run.iteration);
        self.kept += u32::from(run.status == Status::Keep && self.moves_branch);
        if run.measured {
            self.epoch.measured += 1;
            self.epoch.keeps += u32::from(run.status == Status::Keep);
            if self.epoch.measured >= self.epoch.size {
                self.epoch = Epoch::default();
                self.size_epoch();
            }
        }
    }

    fn rest(&self, run: &RunSummary) -> String {
        let lenses = self.session.as_ref().map(|session| &session.lenses);
        let effect = run.effect.zip(lenses).map(|(effect, lenses)| {
            let lens = lenses.of(run.effect_of);
            let change = lens.change((effect.gain, effect.low, effect.high));
            let of = if run.effect_of == 0 { String::new() } else { format!("{} ", lens.metric) };
            format!("{of}{change}, {} pairs", effect.pairs)
        });
        let flags = run.flags.iter().map(ToString::to_string);
        let reason = std::iter::once(run.reason.to_string()).chain(flags).collect::<Vec<_>>().join(", ");
        format!("{:<34}{reason:<20}{}", effect.unwrap_or_default(), one_line(&run.description)).trim_end().to_owned()
    }

    fn stop(&mut self, stopped: &Stopped) -> String {
        self.step = None;
        // The program ends with that error and tells it whole.
        let told = matches!(stopped.rule, StopRule::BaselineBroken | StopRule::BranchMoved | StopRule::Interrupted);
        let detail = if told || stopped.detail.is_empty() { String::new() } else { format!(" ({})", stopped.detail) };
        format!("stopped: {}{detail}; {} settled, {} kept", stopped.rule, self.settled, self.kept)
    }

    /// Returns the evidence that the candidate under way needs: `ln K/alpha` with K primaries.
    fn needed(&self) -> Option<f64> {
        let settings = &self.session.as_ref()?.settings;
        let share = settings.decision.false_keep_share;
        let primaries = settings.objectives().count() as f64;
        (self.epoch.size > 0).then(|| -(stats::alpha(share, self.epoch.keeps, self.epoch.size) / primaries).ln())
    }

    fn standing(&self) -> String {
        let mut parts = vec![format!("{} tried, {} kept", self.settled, self.kept)];
        if let Some(most) = self.session.as_ref().and_then(|session| session.settings.stop.max_iterations) {
            parts.push(format!("{} iterations left", most.saturating_sub(self.iterations)));
        }
        if let Some(left) = self.epoch.size.checked_sub(self.epoch.measured).filter(|_| self.epoch.size > 0) {
            parts.push(format!("alpha budget {left} of {} left", self.epoch.size));
        }
        parts.join(", ")
    }
}

/// Names the sentinels whose regression would show only when it is large.
fn unguarded(calibrated: &Calibrated, settings: &Settings) -> String {
    let roles = Roles::of_calibration(settings, calibrated);
    let named: Vec<String> = calibrated.metrics.iter().filter_map(|metric| roles.unguarded(settings, metric)).collect();
    if named.is_empty() { String::new() } else { format!("\ncannot guard: {}", named.join("; ")) }
}

impl Step {
    fn limit(&self, settings: &Settings) -> Option<u32> {
        let decision = &settings.decision;
        let most = if self.calibrates { decision.calibration_pairs } else { Some(decision.max_pairs) };
        most.filter(|_| !self.validates)
    }
}

/// Says whom the session waits for, why and until when.
fn waits(waiting: &Waiting) -> String {
    let until = waiting.until.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M").to_string();
    format!("{} is not available: {}; it is asked again at {until}", waiting.source, waiting.why)
}

/// Says what a source had to offer.
fn fails(failed: &ProposalFailed) -> String {
    let back = if failed.handed_back { "; handed back" } else { "" };
    format!("{} proposed nothing to try: {}{back}", failed.source, failed.why)
}

/// Says where a session goes on.
fn resumes(resumed: &Resumed) -> String {
    let reused = if resumed.calibration_reused { "; its calibration still serves" } else { "" };
    format!("goes on from {}{reused}", resumed.tip.short())
}

/// Says what the session goes on from.
fn rebases(rebased: &Rebased) -> String {
    let Rebased { base, named, saved, .. } = rebased;
    format!("the base is now {} ({named}); the tip before is branch {saved}", base.short())
}

fn milestone(text: impl AsRef<str>) -> Line {
    Line::Milestone(one_line(text.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Note;
    use crate::journal::{Reader, sample};

    /// Returns the events of a sample journal of ten experiments, of which the last is kept.
    fn events() -> Vec<(Option<ExperimentId>, Event)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        sample::write(&mut std::fs::File::create(&path).unwrap(), 10).unwrap();
        let records = Reader::open(&path).unwrap().records();
        records.map(Result::unwrap).map(|r| (r.experiment, r.event().unwrap().unwrap())).collect()
    }

    fn written(line: Option<Line>) -> Option<String> {
        line.map(|line| match line {
            Line::Milestone(text) => text,
            Line::Settled { number, status, rest } => format!("{number} {status} {rest}"),
        })
    }

    #[test]
    fn one_line_stays_for_each_experiment_and_each_milestone() {
        let mut tracker = Tracker::default();
        let lines: Vec<String> = events().iter().filter_map(|(id, event)| written(tracker.take(*id, event))).collect();
        assert_eq!(lines.len(), 12);
        assert_eq!(
            lines[0],
            "session 'sample' from 0000000000 on branch autoresearch/sample: total_ms, lower is better (session start)"
        );
        assert_eq!(
            lines[1],
            "calibrated: total_ms 100 ms, a pair's noise is 1.0 %, 2.0 % can be resolved (10 pairs, 0.2 s a run)"
        );
        assert_eq!(
            lines[2],
            "#1 discard -0.1 % [-1.1, +0.9], 8 pairs      no_effect           Batch the writes of level 1 before the merge"
        );
        assert!(lines[11].starts_with("#10 keep -9.8 % [-10.9, -9.1], 8 pairs"), "{}", lines[11]);
    }

    #[test]
    fn the_live_area_shows_candidate_phase_pairs_estimate_evidence_and_budget() {
        let mut tracker = Tracker::default();
        let last_pair = events().iter().rposition(|(_, event)| matches!(event, Event::Pair(_))).unwrap();
        for (id, event) in &events()[..=last_pair] {
            tracker.take(*id, event);
        }
        let [title, standing] = tracker.area().unwrap();
        assert_eq!(title, "#10 Batch the writes of level 3 before the merge");
        assert_eq!(
            standing,
            "  measure | pair 8 of 30 | -9.5 % [-10.4, -8.6] | ln E 8.0 of 6.9 | 9 tried, 0 kept, alpha budget 91 of 100 left"
        );
    }

    #[test]
    fn what_happens_before_any_candidate_is_the_baselines() {
        let mut tracker = Tracker::default();
        let build = PhaseStarted { phase: Phase::Build, what: None };
        assert_eq!(tracker.take(Some(ExperimentId::BASELINE), &Event::PhaseStarted(build)), None);
        assert_eq!(tracker.area().unwrap(), ["the baseline", "  build | 0 tried, 0 kept"]);
    }

    #[test]
    fn a_resumed_session_counts_on_from_its_journal() {
        let mut state = SessionState::new(sample::session());
        for (id, event) in events() {
            state.apply(id, jiff::Timestamp::UNIX_EPOCH, &event);
        }
        let mut tracker = Tracker::default();
        tracker.resume(&state);
        let stopped = Stopped { rule: StopRule::Requested, detail: "asked to stop".to_owned() };
        let line = written(tracker.take(None, &Event::Stopped(stopped))).unwrap();
        assert_eq!(line, "stopped: requested (asked to stop); 10 settled, 1 kept");
        assert_eq!(tracker.area(), None);
    }

    #[test]
    fn the_forecasts_epoch_holds_until_it_is_spent() {
        let mut tracker = Tracker::default();
        let mut told = events();
        let Event::Calibrated(calibrated) = &mut told[1].1 else { panic!("the second event calibrates") };
        calibrated.epoch = Some(20);
        let recalibrated = Event::Calibrated(Box::new(Calibrated { epoch: Some(40), ..(**calibrated).clone() }));
        let first_run = told.iter().position(|(_, event)| matches!(event, Event::Run(_))).unwrap();
        for (id, event) in &told[..=first_run] {
            tracker.take(*id, event);
        }
        tracker.take(None, &recalibrated);
        assert!(tracker.standing().contains("alpha budget 19 of 20 left"), "{}", tracker.standing());
    }

    #[test]
    fn a_broken_baseline_is_told_by_the_error_alone() {
        let detail = "the baseline is broken: it does not build".to_owned();
        let line = Tracker::default().take(None, &Event::Stopped(Stopped { rule: StopRule::BaselineBroken, detail }));
        assert_eq!(written(line).unwrap(), "stopped: baseline_broken; 0 settled, 0 kept");
    }

    #[test]
    fn a_note_cannot_command_the_terminal() {
        let note = Event::Note(Note { text: "a\u{1b}[2Jb".to_owned() });
        assert_eq!(written(Tracker::default().take(None, &note)).unwrap(), "note: a\u{fffd}[2Jb");
    }
}
