//! Why a new segment begins: what of settings, sealed files and machine is not as the journal has it.

use std::collections::BTreeMap;

use crate::config;
use crate::domain::{Configured, Settings};
use crate::host;

use super::EngineError;
use super::session::Session;
use super::workbench::join;

/// Changed keys, files or facts that are named.
const NAMED: usize = 8;

/// A new segment about to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Beginning {
    /// Why, in one line.
    pub why: String,
    /// Whether what was measured before is no evidence any more.
    pub anew: bool,
}

impl Beginning {
    /// Begins for a reason that touches all evidence.
    pub(super) fn anew(why: impl Into<String>) -> Self {
        Self { why: why.into(), anew: true }
    }

    /// Says what changed since the last segment began; `None` where nothing did.
    ///
    /// The config file is one of the sealed files, but what counts of it are its settings, and those that only say which
    /// candidates are tried and when it ends touch no evidence.
    pub(super) fn since(
        old: &Configured,
        settings: &Settings,
        harness: &BTreeMap<String, String>,
        machine: &BTreeMap<String, String>,
    ) -> Option<Self> {
        let config = join(&settings.folder, &settings.file);
        let mut files = differing(&old.harness, harness);
        let sealed = files.iter().any(|file| *file != config);
        let settings_differ = old.settings.as_ref() != settings;
        if settings_differ {
            // Its keys say it better.
            files.retain(|file| *file != config);
        }
        let keys = if settings_differ { config::changed_keys(&old.settings, settings) } else { Vec::new() };
        let facts = differing(&old.environment, machine);
        let whys = [
            settings_differ.then(|| told("the settings changed", &keys)),
            (!files.is_empty()).then(|| told("the harness changed", &files)),
            (!facts.is_empty()).then(|| told("the machine changed", &facts)),
        ];
        let whys: Vec<String> = whys.into_iter().flatten().collect();
        let anew = sealed || !facts.is_empty() || !old.settings.measures_like(settings);
        (!whys.is_empty()).then(|| Self { why: whys.join("; "), anew })
    }
}

impl Session<'_, '_> {
    /// Says whether a new segment begins, and why.
    pub(super) fn beginning(&self, harness: &BTreeMap<String, String>) -> Option<Beginning> {
        let state = self.recorder.state();
        let Some(old) = state.configured() else { return Some(Beginning::anew(self.purpose.why())) };
        let changed = Beginning::since(old, self.settings, harness, &host::fingerprint());
        let Some(rebased) = state.rebasing() else { return changed };
        let whys = [Some(format!("rebased onto {}", rebased.named)), changed.map(|changed| changed.why)];
        Some(Beginning::anew(whys.into_iter().flatten().collect::<Vec<_>>().join("; ")))
    }

    /// Says that another `base` in the config moves nothing by itself.
    pub(super) fn tell_unmoved_base(&mut self) -> Result<(), EngineError> {
        let state = self.recorder.state();
        let other = state.configured().is_some_and(|old| old.settings.base != self.settings.base);
        if !other || state.rebasing().is_some() {
            return Ok(());
        }
        let base = self.base.short().to_owned();
        self.note(format!("the session's base stays {base}; 'autoresearch run --rebase REF' moves it"))
    }
}

/// Lists the keys whose values differ between two maps.
fn differing(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<String> {
    let all = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
    all.filter(|key| old.get(*key) != new.get(*key)).cloned().collect()
}

/// Says what changed, with the names of the first few parts of it.
fn told(what: &str, names: &[String]) -> String {
    let shown = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(NAMED) {
        _ if names.is_empty() => what.to_owned(),
        None | Some(0) => format!("{what}: {shown}"),
        Some(more) => format!("{what}: {shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::CandidateSource;
    use crate::journal::sample;

    fn since(old: &Configured, new: &Configured) -> Option<Beginning> {
        Beginning::since(old, &new.settings, &new.harness, &new.environment)
    }

    #[test]
    fn a_change_of_what_is_tried_and_when_it_ends_touches_no_evidence() {
        let old = sample::configured();
        assert_eq!(since(&old, &old), None);
        let mut new = old.clone();
        new.settings.stop.max_hours = Some(3.0);
        new.settings.candidates = vec![CandidateSource::Patches("more".to_owned())];
        new.settings.limits.disk_free_bytes = 7;
        let found = since(&old, &new).unwrap();
        assert!(!found.anew);
        assert!(found.why.starts_with("the settings changed: "), "{}", found.why);
        for key in ["stop.maxHours", "candidates[0].patches", "limits.diskFreeBytes"] {
            assert!(found.why.contains(key), "{}", found.why);
        }
    }

    #[test]
    fn a_change_of_bench_sealed_file_or_machine_touches_all_evidence_and_is_named() {
        let old = sample::configured();
        let mut new = old.clone();
        new.settings.bench.warmup += 1;
        new.settings.stop.max_hours = Some(3.0);
        assert_eq!(since(&old, &new), Some(Beginning::anew("the settings changed: bench.warmup, stop.maxHours")));
        let mut new = old.clone();
        new.harness.insert("bench.sh".to_owned(), "other".to_owned());
        new.environment.insert("kernel".to_owned(), "other".to_owned());
        let why = "the harness changed: bench.sh; the machine changed: kernel";
        assert_eq!(since(&old, &new), Some(Beginning::anew(why)));
    }

    #[test]
    fn a_config_file_that_says_the_same_in_other_words_touches_no_evidence() {
        let mut old = sample::configured();
        let config = join(&old.settings.folder, &old.settings.file);
        old.harness.insert(config.clone(), "one".to_owned());
        let mut new = old.clone();
        new.harness.insert(config.clone(), "two".to_owned());
        let found = since(&old, &new).unwrap();
        assert_eq!((found.why, found.anew), (format!("the harness changed: {config}"), false));
    }

    #[test]
    fn a_long_list_is_cut() {
        let names: Vec<String> = (0..10).map(|n| format!("k{n}")).collect();
        assert_eq!(told("x", &names), "x: k0, k1, k2, k3, k4, k5, k6, k7 and 2 more");
        assert_eq!(told("x", &[]), "x");
    }
}
