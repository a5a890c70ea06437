//! Recomputes the verdicts of a journal from the pairs in it, by the rule that judged them.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use crate::domain::{Comparison, Decided, Effect, Event, ExperimentId, Reason, RunSummary, Settings, Status, Verdict};
use crate::engine::EngineError;
use crate::engine::carry;
use crate::engine::experiment::ExperimentFacts;
use crate::engine::rings::Rings;
use crate::journal::{Reader, Record};
use crate::policy;
use crate::state::{self, SessionState};
use crate::stats::{Budget, HoldoutJudge, Step as Judged};

/// The largest relative difference between a figure and its recomputation: sums may be added in another order.
const ROUNDING: f64 = 1e-9;

/// One verdict, recomputed.
#[derive(Debug, Clone, PartialEq)]
pub struct Recomputed {
    /// The experiment.
    pub experiment: ExperimentId,
    /// What the journal says that was done.
    pub status: Status,
    /// Why.
    pub reason: Reason,
    /// Complete pairs behind it.
    pub pairs: u32,
    /// How it differs from what its pairs say; `None` where both agree.
    pub fault: Option<String>,
}

/// What recomputing a journal found.
#[derive(Debug)]
pub struct Replayed {
    /// The fold of the whole journal.
    pub state: SessionState,
    /// Every verdict that came to numbers, in order.
    pub verdicts: Vec<Recomputed>,
    /// What the journal says of each keep.
    pub keeps: BTreeMap<ExperimentId, Kept>,
}

/// A keep as the journal tells it.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its settling line.
    pub run: RunSummary,
    /// The settings that it was judged by.
    pub settings: Rc<Settings>,
}

/// Reads a journal in one pass and recomputes every verdict from its raw pairs.
pub fn replay(journal: &Path) -> Result<Replayed, EngineError> {
    let reader = Reader::open(journal)?;
    let mut replay = Replay {
        journal,
        state: SessionState::new(reader.header().session),
        rings: None,
        open: BTreeMap::new(),
        verdicts: Vec::new(),
        keeps: BTreeMap::new(),
        settings: None,
    };
    for record in reader.records() {
        replay.take(&record?)?;
    }
    let Replay { state, verdicts, keeps, .. } = replay;
    Ok(Replayed { state, verdicts, keeps })
}

struct Replay<'j> {
    journal: &'j Path,
    state: SessionState,
    rings: Option<Rings>,
    open: BTreeMap<ExperimentId, ExperimentFacts>,
    verdicts: Vec<Recomputed>,
    keeps: BTreeMap<ExperimentId, Kept>,
    settings: Option<Rc<Settings>>,
}

impl Replay<'_> {
    fn take(&mut self, record: &Record) -> Result<(), EngineError> {
        let wanted = state::wants(record.kind()) || Rings::wants(record.kind());
        let Some(event) = (if wanted { record.event()? } else { None }) else {
            self.state.pass_over(record.at);
            return Ok(());
        };
        if let (Event::Decided(decided), Some(id)) = (&event, record.experiment) {
            self.recompute(id, decided)?;
        }
        if let Event::Configured(configured) = &event {
            self.judge_by(&configured.settings, record.position.line)?;
        }
        if state::wants(record.kind()) {
            self.state.apply(record.experiment, record.at, &event);
        } else {
            self.state.pass_over(record.at);
        }
        if let Some(rings) = &mut self.rings {
            rings.apply(record.experiment, &event);
        }
        self.note(record.experiment, &event);
        Ok(())
    }

    /// Judges by other settings from here on: a session that starts with them reads its whole journal by them.
    fn judge_by(&mut self, settings: &Settings, line: u64) -> Result<(), EngineError> {
        if self.settings.as_ref().is_some_and(|before| **before == *settings) {
            return Ok(());
        }
        let mut rings = Rings::new(settings);
        for record in Reader::open(self.journal)?.records() {
            let record = record?;
            if record.position.line >= line {
                break;
            }
            if Rings::wants(record.kind())
                && let Some(event) = record.event()?
            {
                rings.apply(record.experiment, &event);
            }
        }
        self.rings = Some(rings);
        self.settings = Some(Rc::new(settings.clone()));
        Ok(())
    }

    /// Keeps the facts of experiments under way, as a session that reads its journal back does.
    fn note(&mut self, experiment: Option<ExperimentId>, event: &Event) {
        match (event, experiment) {
            (Event::Run(run), Some(id)) => {
                let facts = self.open.remove(&id).unwrap_or_default();
                if facts.moved_branch(event) {
                    self.open.values_mut().for_each(ExperimentFacts::forget_attempts);
                }
                if let Some(settings) = self.settings.clone().filter(|_| run.status == Status::Keep) {
                    self.keeps.insert(id, Kept { run: (**run).clone(), settings });
                }
            }
            (Event::Undone(_), _) => self.open.values_mut().for_each(ExperimentFacts::forget_attempts),
            (Event::Configured(_), _) => self.open.values_mut().for_each(|facts| facts.apply(event)),
            (event, Some(id)) => self.open.entry(id).or_insert_with(|| ExperimentFacts::new(id)).apply(event),
            (_, None) => {}
        }
    }

    fn recompute(&mut self, id: ExperimentId, decided: &Decided) -> Result<(), EngineError> {
        let Some(recorded) = decided.comparison.as_ref().filter(|_| id != ExperimentId::BASELINE) else {
            let fault = (decided.status == Status::Keep && id != ExperimentId::BASELINE)
                .then(|| "it is a keep without a comparison".to_owned());
            if fault.is_some() {
                self.verdicts.push(verdict(id, decided, 0, fault));
            }
            return Ok(());
        };
        let facts = self.open.get(&id).cloned().unwrap_or_default();
        let fault = self.fault(&facts, decided, recorded)?;
        let pairs = recorded.told().1.pairs;
        self.verdicts.push(verdict(id, decided, pairs, fault));
        Ok(())
    }

    /// Says how a verdict differs from what its pairs say.
    fn fault(
        &self,
        facts: &ExperimentFacts,
        decided: &Decided,
        recorded: &Comparison,
    ) -> Result<Option<String>, EngineError> {
        let Some(again) = self.judged_again(facts)? else {
            return Ok(Some("its pairs do not come to a verdict".to_owned()));
        };
        if let Some(difference) = difference(recorded, &again) {
            return Ok(Some(difference));
        }
        let strict = self.settings.as_ref().is_some_and(|settings| settings.decision.strict);
        let said = policy::decide(&again, strict).reason;
        let kept = said.status() == Status::Keep;
        if decided.status == Status::Keep && said != decided.reason {
            return Ok(Some(format!("it is kept as {}, but its pairs say {said}", decided.reason)));
        }
        if decided.status == Status::Discard && !kept && said != decided.reason {
            return Ok(Some(format!("it is dropped as {}, but its pairs say {said}", decided.reason)));
        }
        Ok(if decided.status == Status::Keep { self.held_out(facts, said, strict)? } else { None })
    }

    /// Feeds the recorded pairs to the judge that they had.
    fn judged_again(&self, facts: &ExperimentFacts) -> Result<Option<Comparison>, EngineError> {
        let Some(rings) = &self.rings else { return Ok(None) };
        let earlier = facts.proposed.as_ref().and_then(|proposed| proposed.resumes);
        let carried = match earlier {
            Some(earlier) => carry::evidence_of(self.journal, earlier, rings.first_metric())?,
            None => None,
        };
        let simplify = facts.simplifies();
        let judge = match &carried {
            Some(carried) => rings.judge_further(carried, simplify),
            None => rings.judge(self.budget().alpha(), simplify),
        };
        let Some(mut judge) = judge else { return Ok(None) };
        let before = carried.into_iter().flat_map(|carried| carried.pairs);
        for pair in before.chain(facts.own_pairs()) {
            if let Judged::Done(comparison) = judge.push(&pair)? {
                return Ok(Some(*comparison));
            }
        }
        Ok(None)
    }

    /// Says how a keep differs from what the holdout's pairs say, where there are any in the journal.
    fn held_out(&self, facts: &ExperimentFacts, said: Reason, strict: bool) -> Result<Option<String>, EngineError> {
        let (pairs, Some(rings)) = (facts.holdout_pairs(), &self.rings) else { return Ok(None) };
        let Some(decided) = facts.decided.as_ref() else { return Ok(None) };
        let pass_error =
            (said == Reason::Simpler).then(|| decided.comparison.as_ref().map(|c| c.primary.alpha)).flatten();
        let mut judge = HoldoutJudge::new(rings.holdout_plans(), pass_error);
        for pair in &pairs {
            if let Some(outcomes) = judge.push(pair)? {
                let judged = policy::hold_out(&outcomes, said, strict).reason;
                return Ok((judged != decided.reason).then(|| format!("the holdout's pairs say {judged}")));
            }
        }
        Ok(None)
    }

    /// Returns the error budget as the session had it at this point.
    fn budget(&self) -> Budget {
        let epoch = self.state.epoch();
        let share = self.settings.as_ref().map_or(0.0, |settings| settings.decision.false_keep_share);
        let mut budget = Budget::new(share, epoch.size);
        for spent in 0..epoch.measured {
            budget.spend(spent < epoch.keeps);
        }
        budget
    }
}

fn verdict(experiment: ExperimentId, decided: &Decided, pairs: u32, fault: Option<String>) -> Recomputed {
    Recomputed { experiment, status: decided.status, reason: decided.reason, pairs, fault }
}

/// Names the first figure in which two comparisons differ.
fn difference(recorded: &Comparison, again: &Comparison) -> Option<String> {
    let verdicts = |c: &Comparison| -> Vec<Verdict> {
        std::iter::once(c.verdict).chain(c.co_primaries.iter().map(|co| co.verdict)).collect()
    };
    if verdicts(recorded) != verdicts(again) {
        return Some(format!("its verdict is {:?}, but its pairs say {:?}", recorded.verdict, again.verdict));
    }
    let effects = |c: &Comparison| -> Vec<Effect> {
        std::iter::once(c.primary).chain(c.co_primaries.iter().map(|co| co.effect)).collect()
    };
    let (old, new) = (effects(recorded), effects(again));
    let figures = old.iter().zip(&new).find_map(|(old, new)| figure(old, new));
    let states = |c: &Comparison| c.sentinels.iter().map(|s| (s.metric.clone(), s.state)).collect::<Vec<_>>();
    figures.or_else(|| {
        let (old, new) = (states(recorded), states(again));
        let (metric, _) = old.iter().zip(&new).find(|(old, new)| old != new)?.0;
        Some(format!("sentinel {metric} is another than its pairs say"))
    })
}

fn figure(old: &Effect, new: &Effect) -> Option<String> {
    let figures = [
        ("estimate", old.mu, new.mu),
        ("gain", old.gain, new.gain),
        ("lower limit", old.low, new.low),
        ("upper limit", old.high, new.high),
        ("error budget", old.alpha, new.alpha),
        ("number of pairs", f64::from(old.pairs), f64::from(new.pairs)),
        ("evidence", old.ln_e.unwrap_or(0.0), new.ln_e.unwrap_or(0.0)),
    ];
    let differs = |a: f64, b: f64| (a - b).abs() > ROUNDING * a.abs().max(b.abs()).max(1e-3);
    let (name, a, b) = figures.into_iter().find(|(_, a, b)| differs(*a, *b))?;
    Some(format!("its {name} is {a}, but its pairs say {b}"))
}
