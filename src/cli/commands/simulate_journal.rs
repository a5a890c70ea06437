//! The noise of a session as its journal recorded it, for `simulate --from-journal`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::args::Global;
use crate::cli::error::CliError;
use crate::cli::place;
use crate::domain::{Calibrated, CandidateRun, Event, ExperimentId, Scale, Settings};
use crate::git::UserRepository;
use crate::journal::Reader;
use crate::stats::simulation::{Noise, Recorded};
use crate::stats::{RaceRule, delta0, y_pairs};

/// What a journal says of the noise of its primary, and how it was judged.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) noise: Noise,
    pub(super) rule: RaceRule,
    pub(super) share: f64,
    pub(super) scale: Scale,
    /// Where the noise comes from, in words.
    pub(super) source: String,
}

/// Reads the journal that a name or a path leads to.
pub(super) fn read(global: &Global, named: &str) -> Result<Measured, CliError> {
    let journal = find(global, named)?;
    let missing = || CliError::NoSession { name: named.to_owned(), journal: journal.clone() };
    if !journal.exists() {
        return Err(missing());
    }
    let pass = Pass::over(&journal)?;
    let settings = pass.settings.as_deref().ok_or_else(missing)?;
    let experiments: Vec<Vec<(f64, f64)>> = pass.experiments.into_values().collect();
    let recorded = Recorded::new(&experiments, &pass.calibrations)
        .map_err(|source| CliError::TooFewPairs { journal: journal.clone(), source })?;
    Ok(measured(settings, recorded))
}

/// Finds the journal: a file, a folder with one, or a session of the present repository.
fn find(global: &Global, named: &str) -> Result<PathBuf, CliError> {
    let start = place::start(global)?;
    let path = start.join(named);
    let inside = path.join("journal.jsonl");
    if path.is_file() {
        return Ok(path);
    }
    if inside.is_file() {
        return Ok(inside);
    }
    let repository = UserRepository::open(&start)?;
    Ok(repository.common_dir().join("autoresearch").join(named).join("journal.jsonl"))
}

fn measured(settings: &Settings, recorded: Recorded) -> Measured {
    let (primary, decision) = (&settings.primary, &settings.decision);
    let min_effect = primary.scale.setting(primary.min_effect);
    let source = format!(
        "{} as measured by session '{}': {} pairs of {} experiments and calibrations; its settings",
        primary.name,
        settings.name,
        recorded.pairs(),
        recorded.races()
    );
    let rule = RaceRule {
        alpha: 0.0,
        min_effect,
        delta0: delta0(min_effect, None),
        max_pairs: decision.max_pairs,
        patience: decision.patience.z(),
        strict: decision.strict,
    };
    let noise = Noise::Measured(Arc::new(recorded));
    Measured { noise, rule, share: decision.false_keep_share, scale: primary.scale, source }
}

/// One pass over a journal; what another metric measured before is forgotten.
#[derive(Debug, Default)]
struct Pass {
    settings: Option<Box<Settings>>,
    experiments: BTreeMap<ExperimentId, Vec<(f64, f64)>>,
    calibrations: Vec<Vec<f64>>,
}

impl Pass {
    fn over(journal: &Path) -> Result<Self, CliError> {
        let mut pass = Self::default();
        for record in Reader::open(journal)?.records() {
            let record = record?;
            if !matches!(record.kind(), "config" | "calibrated" | "pair") {
                continue;
            }
            match (record.event()?, record.experiment) {
                (Some(Event::Configured(configured)), _) => pass.configure(configured.settings),
                (Some(Event::Calibrated(calibrated)), _) => pass.calibrate(&calibrated),
                (Some(Event::Pair(attempt)), Some(id)) if id != ExperimentId::BASELINE => pass.measure(id, &attempt),
                _ => {}
            }
        }
        Ok(pass)
    }

    fn configure(&mut self, settings: Box<Settings>) {
        let same = self.settings.as_ref().is_some_and(|known| {
            let lens = |s: &Settings| (s.primary.name.clone(), s.primary.scale, s.primary.direction, s.bench.clone());
            lens(known) == lens(&settings)
        });
        if !same {
            self.experiments.clear();
            self.calibrations.clear();
        }
        self.settings = Some(settings);
    }

    fn calibrate(&mut self, calibrated: &Calibrated) {
        let Some(settings) = &self.settings else { return };
        let primary = calibrated.metrics.iter().find(|metric| metric.metric == settings.primary.name);
        self.calibrations.extend(primary.map(|metric| metric.ring.clone()));
    }

    fn measure(&mut self, id: ExperimentId, attempt: &CandidateRun) {
        let Some(settings) = self.settings.as_ref().filter(|_| !attempt.holdout) else { return };
        let primary = &settings.primary;
        // A pair without a value of the primary ended its experiment as a crash, and says nothing of noise.
        let pair = attempt.complete().map(|pair| y_pairs(&[pair], &primary.name, primary.scale, primary.direction));
        if let Some(Ok(values)) = pair {
            self.experiments.entry(id).or_default().extend(values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::sample;

    #[test]
    fn the_pairs_and_the_calibration_of_a_session_become_its_noise() {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("journal.jsonl");
        sample::write(&mut std::fs::File::create(&journal).unwrap(), 3).unwrap();
        let pass = Pass::over(&journal).unwrap();
        assert_eq!((pass.experiments.len(), pass.calibrations.len()), (3, 1));
        assert!(pass.experiments.values().all(|pairs| pairs.len() == 8));
        let experiments: Vec<_> = pass.experiments.into_values().collect();
        let recorded = Recorded::new(&experiments, &pass.calibrations).unwrap();
        let measured = measured(&pass.settings.unwrap(), recorded);
        assert!(measured.source.contains("34 pairs of 4 experiments and calibrations"), "{}", measured.source);
        assert!((measured.rule.min_effect - 0.01_f64.ln_1p()).abs() < 1e-12);
    }
}
