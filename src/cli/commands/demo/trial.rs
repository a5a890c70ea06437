//! One session over the candidates of one experiment, in a repository of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::experiments::{Experiment, Layout, own_name};
use crate::cli::error::CliError;
use crate::cli::progress::Progress;
use crate::cli::ui::Ui;
use crate::config::{self, Overrides};
use crate::domain::{Confirm, Settings, Validated};
use crate::engine::demo::{self, Found, Row};
use crate::engine::truth::{self, End, Truth};
use crate::engine::{Context, Places, Session, Sources};
use crate::git::UserRepository;
use crate::process::{Interrupts, SupervisorProgram};

/// What every trial of a demo is done with.
pub(super) struct Bench<'a> {
    /// Where progress goes.
    pub ui: &'a Ui,
    /// Requests to stop.
    pub interrupts: &'a Interrupts,
    /// The program that supervises commands.
    pub supervisor: &'a SupervisorProgram,
    /// Whether runs are small and keeps are not confirmed.
    pub quick: bool,
}

/// What a trial found.
pub(super) struct Trial {
    /// The experiment's name.
    pub name: String,
    /// The settings of the session.
    pub settings: Settings,
    /// Where its journal and slots are.
    pub places: Places,
    /// The repository.
    pub project: PathBuf,
    /// What was found beside what is true, in the order of the truth file.
    pub rows: Vec<Row>,
    /// The last validation of all keeps.
    pub validated: Option<Validated>,
    /// What they must reach; `None` where that is not known or only some candidates were tried.
    pub end: Option<End>,
    /// How long it took.
    pub took: Duration,
}

impl Trial {
    /// Says whether everything that was found is true.
    pub(super) fn agrees(&self) -> bool {
        self.rows.iter().all(Row::agrees) && self.end_is_right() != Some(false)
    }

    /// Says whether all keeps together reach what they must.
    pub(super) fn end_is_right(&self) -> Option<bool> {
        truth::judge_end(self.end.as_ref(), self.validated.as_ref())
    }
}

impl Bench<'_> {
    /// Returns the size that the file `profile` names.
    pub(super) fn size(&self) -> &'static str {
        if self.quick { "quick" } else { "full" }
    }

    /// Tries candidates in this order in a new folder; `numbered` where it is not the order of their names.
    pub(super) fn try_in(
        &self,
        folder: &Path,
        experiment: &Experiment,
        candidates: &[Truth],
        numbered: bool,
    ) -> Result<Trial, CliError> {
        let start = Instant::now();
        let project = folder.join(experiment.name());
        experiment.lay_out(&project, &Layout { size: self.size(), candidates, numbered })?;
        demo::make_repository(&project)?;
        let user = UserRepository::open(&project)?;
        let settings = self.settings(&user)?;
        let places = Places::new(user.common_dir(), &folder.join("cache"), &settings);
        self.ui.tell(&format!("demo {} ({}) in {}", experiment.name(), self.size(), project.display()));
        let (found, validated) = self.run(&settings, &places, &user)?;
        let complete = candidates.len() == experiment.known().candidates.len();
        Ok(Trial {
            name: experiment.name().to_owned(),
            rows: demo::rows(candidates, &found, &settings),
            end: experiment.known().end.clone().filter(|_| complete),
            settings,
            places,
            project,
            validated,
            took: start.elapsed(),
        })
    }

    fn settings(&self, user: &UserRepository) -> Result<Settings, CliError> {
        let file = user.root().join(config::FILE_NAME);
        let mut settings = config::load(user.root(), &file, &BTreeMap::new(), &Overrides::default())?.settings;
        if self.quick {
            // Two more builds for each keep are a large part of a short demo; the full one confirms where its races are longer.
            settings.decision.confirm = Confirm::Off;
        }
        Ok(settings)
    }

    fn run(
        &self,
        settings: &Settings,
        places: &Places,
        user: &UserRepository,
    ) -> Result<(Vec<Found>, Option<Validated>), CliError> {
        let mut progress = Progress::new(self.ui);
        let mut collector = demo::Collector::default();
        let context = Context {
            settings,
            places,
            user,
            supervisor: self.supervisor,
            interrupts: self.interrupts,
            inherited: std::env::vars_os().collect(),
            purpose: crate::engine::Purpose::Session,
        };
        let mut session = Session::open(&context, vec![&mut progress, &mut collector])?;
        session.ready()?;
        session.run(&mut Sources::new(settings, user)?)?;
        drop(session);
        let (mut found, validated) = collector.found();
        for found in &mut found {
            found.patch = own_name(&found.patch).to_owned();
        }
        Ok((found, validated))
    }
}
