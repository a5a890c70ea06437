//! Closes the knobs in ideas.md that a sweep has mapped, once nothing is left to try.

use crate::domain::{Axis, Change, ExperimentId, Settings};
use crate::engine::EngineError;
use crate::engine::session::{Purpose, Session};
use crate::ideas::Closing;
use crate::propose::sweep::{Fate, Mapping, ValueFate, mapping};
use crate::state::SessionState;

use super::{KnobSweep, Scene};

/// Why values beside the present one are not to be tried again.
const MECHANISM: &str = "knee mapped by a sweep";

impl KnobSweep {
    /// Closes each mapped knob, and tells of each that a failure kept open.
    ///
    /// Not before the sweep is over: the values beside a knob's present one are other points after a keep of another
    /// knob, and a closed value would be refused there.
    pub(super) fn close(&mut self, session: &mut Session<'_, '_>, scene: &Scene) -> Result<(), EngineError> {
        let now = (session.bench.tip().clone(), session.state().experiments().len());
        if session.purpose != Purpose::Session || self.closed_at.as_ref() == Some(&now) {
            return Ok(());
        }
        for knob in 0..self.sweep().knobs.len() {
            let found = self.with_ground(scene, session.state(), |ground| mapping(ground, knob));
            if !found.mapped {
                if let Some(text) = self.kept_open(knob, &found) {
                    self.tell(session, text)?;
                }
            } else if let Some(closing) = self.closing(session.state(), scene, (knob, &found)) {
                session.close_axis(closing)?;
            }
        }
        self.closed_at = Some(now);
        Ok(())
    }

    /// Says which failure keeps a knob open.
    fn kept_open(&self, knob: usize, found: &Mapping) -> Option<String> {
        let name = &self.sweep().knobs[knob].name;
        let failed = |value: &ValueFate| Some(format!("{name}={} failed (#{})", value.value, value.failed()?));
        let failures: Vec<String> = found.beside.iter().filter_map(failed).collect();
        (!failures.is_empty()).then(|| {
            let failures = failures.join(", ");
            format!("the sweep does not close {name}: {failures}, which says nothing of what the value is worth")
        })
    }

    /// Makes the entry that closes a mapped knob; `None` where nothing was measured for it.
    fn closing(&self, state: &SessionState, scene: &Scene, (knob, found): (usize, &Mapping)) -> Option<Closing> {
        let name = self.sweep().knobs[knob].name.clone();
        let closed: Vec<&ValueFate> = found.without_gain.iter().filter(|value| value.is_measured()).collect();
        let fates = || closed.iter().flat_map(|value| &value.fates);
        let mut experiments: Vec<ExperimentId> = fates().filter_map(|fate| fate.measured()).collect();
        let last = *experiments.iter().max()?;
        let path = self.knobs.path(knob);
        // The file last changed by a keep of the sweep itself, which is no reason to reopen.
        let moved = scene.earlier.last().map(|earlier| earlier.replaced_by);
        experiments.extend(moved.filter(|moved| path.is_some() && *moved > last));
        experiments.sort_unstable();
        experiments.dedup();
        let values = closed.iter().map(|value| value.value.as_str()).collect::<Vec<_>>().join(", ");
        let stays = match &scene.present[knob] {
            Some(value) => format!("{name} stays at {value}"),
            None => format!("{name} stays unset"),
        };
        let effects = closed.iter().flat_map(|value| {
            let said = |fate: &Fate| effect(&self.settings, state, (&name, &value.value), *fate);
            value.fates.iter().filter_map(said).collect::<Vec<_>>()
        });
        Some(Closing {
            id: name.clone(),
            axis: Some(name.clone()),
            text: format!("{stays}: no gain at {values}"),
            axes: closed.iter().map(|value| Axis { name: name.clone(), value: value.value.clone() }).collect(),
            effect: effects.collect::<Vec<_>>().join("; "),
            mechanism: MECHANISM.to_owned(),
            reopen: path.map(|path| format!("{path} changed")),
            experiments,
            ..Closing::default()
        })
    }
}

/// Says what was measured of a value.
fn effect(settings: &Settings, state: &SessionState, (name, value): (&str, &str), fate: Fate) -> Option<String> {
    let record = state.experiment(fate.measured()?)?;
    let change = record.effect.map(|effect| {
        let objective = settings.objective(effect.of);
        let limits = (effect.gain, effect.low, effect.high);
        let change = Change::of_effect(limits, objective.scale, objective.direction);
        format!("{} {change}", objective.name)
    });
    let change = change.unwrap_or_else(|| "nothing measured".to_owned());
    let better = record.axes.iter().find(|axis| axis.name == name && axis.value != value);
    Some(match (fate, better) {
        (Fate::Beaten(_), Some(better)) => format!("{value}: {} was better, {change} (#{})", better.value, record.id),
        (Fate::Beaten(_), None) => format!("{value}: left for a better one, {change} (#{})", record.id),
        (Fate::NoGain(_) | Fate::Closed(_) | Fate::Failed(_) | Fate::Untried, _) => {
            format!("{value}: {change} ({}, #{})", record.reason, record.id)
        }
    })
}
