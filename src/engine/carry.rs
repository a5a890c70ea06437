//! Goes on with an inconclusive experiment: more pairs for the same evidence, at its original alpha.

use std::path::Path;

use crate::domain::{Comparison, Effect, Event, ExperimentId, MetricName, MetricTerms, Pair, Reason, RunSummary};
use crate::journal::{JournalError, Reader, Record};
use crate::state::ExperimentRecord;
use crate::stats::Step as Judged;

use super::EngineError;
use super::experiment::ExperimentFacts;
use super::pipeline::Commit;
use super::resume::{GIVEN_PATCH, proposal_of};
use super::session::Session;

/// What an experiment goes on from: the pairs of an inconclusive one, and the numbers that it was judged by.
#[derive(Debug, Clone)]
pub(super) struct Carried {
    /// All of its pairs, those that it went on from itself included, numbered from 1.
    pub pairs: Vec<Pair>,
    /// The error budget that each of its primaries had.
    pub alpha: f64,
    /// What each of its metrics was judged by.
    pub terms: Vec<MetricTerms>,
}

impl Carried {
    /// Takes what a comparison says of the races behind it; of a single metric the effect of the primary says all.
    fn new(pairs: Vec<Pair>, comparison: &Comparison, primary: &MetricName) -> Self {
        let Effect { alpha, delta0, s, threshold, .. } = comparison.primary;
        let single = || {
            // A metric that was calibrated as exact learned its scale from these very pairs, and learns it again.
            let s = if threshold == 0.0 { 0.0 } else { s };
            vec![MetricTerms { metric: primary.clone(), primary: 0, delta0, s, threshold }]
        };
        let terms = if comparison.terms.is_empty() { single() } else { comparison.terms.clone() };
        Self { pairs, alpha, terms }
    }

    /// Returns what a metric of a primary was judged by, where that is on record.
    pub(super) fn of(&self, primary: u32, metric: &MetricName) -> Option<&MetricTerms> {
        self.terms.iter().find(|terms| terms.primary == primary && terms.metric == *metric)
    }
}

/// Reads the evidence of a settled experiment; `None` where it never came to numbers.
pub(super) fn evidence_of(
    journal: &Path,
    id: ExperimentId,
    primary: &MetricName,
) -> Result<Option<Carried>, EngineError> {
    let mut facts = ExperimentFacts::new(id);
    let mut settled = false;
    for record in Reader::open(journal)?.records() {
        settled |= take(&mut facts, settled, id, &record?)?;
    }
    let comparison = facts.decided.as_ref().and_then(|decided| decided.comparison.clone());
    let Some(comparison) = comparison else { return Ok(None) };
    if let Some(earlier) = facts.proposed.as_ref().and_then(|proposed| proposed.resumes) {
        facts.carried = evidence_of(journal, earlier, primary)?.map(Box::new);
    }
    Ok(Some(Carried::new(facts.pairs(), &comparison, primary)))
}

/// Takes in one line of a journal; returns whether it settled the experiment.
fn take(facts: &mut ExperimentFacts, settled: bool, id: ExperimentId, record: &Record) -> Result<bool, JournalError> {
    if settled || record.experiment != Some(id) {
        return Ok(false);
    }
    match record.event()? {
        Some(Event::Run(_)) => return Ok(true),
        Some(event) => {
            // A race that began anew, after another segment or tip came between, left its first pairs behind.
            if let Event::Pair(attempt) = &event
                && !attempt.holdout
                && facts.own_pairs().last().is_some_and(|last| attempt.pair <= last.number)
            {
                facts.forget_attempts();
            }
            facts.apply(&event);
        }
        None => {}
    }
    Ok(false)
}

impl Session<'_, '_> {
    /// Goes on with an inconclusive experiment as the session's next one.
    ///
    /// Its pairs count from the start, its alpha is the one it had, and no new index of the epoch is spent; at most
    /// `decision.maxPairs` further pairs are measured. Refused where its evidence does not count any more.
    pub fn go_on_with(&mut self, id: ExperimentId, commit: Commit) -> Result<RunSummary, EngineError> {
        let result = self.carry_on(id, commit);
        if let Err(error) = &result {
            self.stopped_by(error)?;
        }
        result
    }

    fn carry_on(&mut self, id: ExperimentId, commit: Commit) -> Result<RunSummary, EngineError> {
        self.refuse_to_resume(id)?;
        let carried = self.evidence_of(id)?;
        self.refuse_where_nothing_can_change(id, &carried)?;
        let given = self.places.run(id).join(GIVEN_PATCH);
        let patch = std::fs::read(&given).map_err(|source| EngineError::io("read", &given, source))?;
        let proposed = proposed_as(&self.places.journal(), id)?;
        let proposal = proposal_of(proposed, patch);
        self.propose_resuming(&proposal, commit, id)?;
        let facts = ExperimentFacts { carried: Some(Box::new(carried)), ..self.recorder.facts().clone() };
        self.recorder.begin(facts);
        let run = self.experiment(&proposal, commit)?;
        self.note_idea(&run)?;
        Ok(run)
    }

    /// Says why an experiment cannot be gone on with, where its record tells.
    pub fn refuse_to_resume(&self, id: ExperimentId) -> Result<(), EngineError> {
        let state = self.recorder.state();
        let refused = |reason: String, cure: &str| Err(EngineError::Refused { reason, cure: cure.to_owned() });
        let Some(record) = state.experiment(id).filter(|_| id != ExperimentId::BASELINE) else {
            return refused(format!("there is no settled experiment {id}"), "'autoresearch log' lists them");
        };
        if record.reason != Reason::Inconclusive {
            let reason = format!("experiment {id} is settled: {} ({})", record.status, record.reason);
            return refused(reason, "only an inconclusive one can be resumed");
        }
        if let Some(later) = state.experiments().iter().find(|other| other.resumes == Some(id)) {
            let reason = format!("experiment {} went on with experiment {id} already", later.id);
            return refused(reason, "evidence is used once; resume that one where it is inconclusive too");
        }
        self.refuse_other_ground(record)?;
        self.refuse_lost_races(id)
    }

    fn evidence_of(&self, id: ExperimentId) -> Result<Carried, EngineError> {
        let found = evidence_of(&self.places.journal(), id, self.rings.first_metric())?;
        found.ok_or(EngineError::Unrecorded { experiment: id })
    }

    /// Refuses an experiment of several metrics whose journal does not say what each was judged by: those of before
    /// said it of the first only.
    fn refuse_lost_races(&self, id: ExperimentId) -> Result<(), EngineError> {
        let carried = self.evidence_of(id)?;
        if self.rings.are_all_in(&carried) {
            return Ok(());
        }
        let reason = format!("experiment {id} was judged by several metrics, whose races are not all on record");
        Err(EngineError::Refused { reason, cure: self.as_new(id) })
    }

    /// Says how to try the patch of an experiment again.
    fn as_new(&self, id: ExperimentId) -> String {
        let given = self.places.run(id).join(GIVEN_PATCH);
        format!("try its patch as a new candidate: 'autoresearch try {}'", given.display())
    }

    /// Refuses evidence of another baseline: another tip, or another segment.
    fn refuse_other_ground(&self, record: &ExperimentRecord) -> Result<(), EngineError> {
        let (id, tip) = (record.id, self.bench.tip());
        if record.tip() != *tip {
            let (then, now) = (record.tip(), tip.short());
            let reason = format!(
                "experiment {id} was measured against {} but the tip is {now} now, where its pairs are no evidence",
                then.short()
            );
            return Err(EngineError::Refused { reason, cure: self.as_new(id) });
        }
        if record.segment < self.recorder.state().measured_since() {
            let reason = format!("settings or harness changed since experiment {id}, so its pairs are no evidence");
            return Err(EngineError::Refused { reason, cure: self.as_new(id) });
        }
        Ok(())
    }

    /// Refuses where the recorded pairs end the race whatever comes after them.
    fn refuse_where_nothing_can_change(&self, id: ExperimentId, carried: &Carried) -> Result<(), EngineError> {
        let mut judge = self.rings.judge_further(carried, false).ok_or(EngineError::NotCalibrated)?;
        for pair in &carried.pairs {
            if let Judged::Done(_) = judge.push(pair)? {
                let reason = format!("more pairs cannot change the verdict of experiment {id}");
                let cure = "its evidence stood, and then its gain fell below decision's minEffect".to_owned();
                return Err(EngineError::Refused { reason, cure });
            }
        }
        Ok(())
    }

    /// Says why a resumed experiment has no evidence any more, where an interruption cost it that.
    pub(super) fn lost_evidence(&self) -> Option<String> {
        let facts = self.recorder.facts();
        let earlier = facts.proposed.as_ref()?.resumes?;
        let lost = || format!("the tip or the settings changed, so the pairs of experiment {earlier} are no evidence");
        facts.carried.is_none().then(lost)
    }
}

/// Reads how an experiment was proposed.
pub(super) fn proposed_as(journal: &Path, id: ExperimentId) -> Result<crate::domain::Proposed, EngineError> {
    for record in Reader::open(journal)?.records() {
        let record = record?;
        if record.experiment == Some(id)
            && record.kind() == "proposed"
            && let Some(Event::Proposed(proposed)) = record.event()?
        {
            return Ok(*proposed);
        }
    }
    Err(EngineError::Unrecorded { experiment: id })
}
