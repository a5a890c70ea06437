//! Which settings say what is measured and how it is judged; the others may change without touching any evidence.

use super::{Base, CandidatesOrder, Hooks, Host, Limits, Scope, Settings, Stop};

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
            candidates: _,
            candidates_order: _,
            decision,
            stop: _,
            hooks: _,
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
            candidates: Vec::new(),
            candidates_order: CandidatesOrder::default(),
            decision,
            stop: Stop::default(),
            hooks: Hooks::default(),
            limits: Limits { disk_free_bytes: 0, ..limits },
            sandbox,
            slots_dir,
            host: Host { max_wait_s: 0.0, ..host },
        }
    }
}
