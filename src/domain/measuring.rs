//! Which settings say what is measured and how it is judged; the others may change without touching any evidence.

use super::{
    Base, CandidateSource, CandidatesOrder, CommitRules, Hooks, Host, IdeaRules, Knob, Limits, Scope, Settings, Stop,
    Strategy, Sweep, command_knobs,
};

impl Settings {
    /// Says whether other settings measure and judge in the same way, so that what was measured under one counts under
    /// the other. Sealed files are no part of this: their hashes tell.
    pub fn measures_like(&self, other: &Self) -> bool {
        self.measuring() == other.measuring()
    }

    /// Returns the settings with everything else at one and the same value. Each field is named, so that a new one is decided on.
    fn measuring(&self) -> Self {
        let Self {
            name,
            folder,
            file,
            working_dir,
            base: _,
            branch: _,
            prepare,
            build,
            bench,
            primary,
            co_primaries,
            sentinels,
            holdout,
            checks,
            harness: _,
            scope: _,
            candidates,
            candidates_order: _,
            decision,
            stop: _,
            hooks: _,
            ideas: _,
            commit: _,
            limits,
            sandbox,
            slots_dir,
            host,
        } = self.clone();
        Self {
            name,
            folder,
            file,
            working_dir,
            base: Base::Current,
            branch: String::new(),
            prepare,
            build,
            bench,
            primary,
            co_primaries,
            sentinels,
            holdout,
            checks,
            harness: Vec::new(),
            scope: Scope::default(),
            candidates: knobs_in_force(&candidates),
            candidates_order: CandidatesOrder::default(),
            decision,
            stop: Stop::default(),
            hooks: Hooks::default(),
            ideas: IdeaRules::default(),
            commit: CommitRules::default(),
            limits: Limits { disk_free_bytes: 0, ..limits },
            sandbox,
            slots_dir,
            host: Host { max_wait_s: 0.0, ..host },
        }
    }
}

/// Returns what of the sources commands are run by: where a kept value of an environment or argument knob is set.
fn knobs_in_force(candidates: &[CandidateSource]) -> Vec<CandidateSource> {
    let place = |knob: &Knob| Knob { values: Vec::new(), default: None, ..knob.clone() };
    let mut knobs: Vec<Knob> = command_knobs(candidates).into_iter().map(place).collect();
    knobs.sort_by(|a, b| a.name.cmp(&b.name));
    if knobs.is_empty() {
        return Vec::new();
    }
    vec![CandidateSource::Sweep(Sweep { knobs, strategy: Strategy::default() })]
}
