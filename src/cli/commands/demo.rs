//! `autoresearch demo`: the loop on a real workload whose candidates have a known truth.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::cli::args::{Demo, Global};
use crate::cli::error::CliError;
use crate::cli::progress::Progress;
use crate::cli::ui::Ui;
use crate::config::{self, Overrides};
use crate::domain::{Confirm, Settings};
use crate::engine::demo::{self, Found, Row};
use crate::engine::{Context, Places, Session, Sources, truth};
use crate::git::UserRepository;
use crate::process::{Interrupts, SupervisorProgram};

/// The experiments that come with the program.
static EXPERIMENTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/experiments");

/// Runs the demo and says whether the loop found the truth: 0, or 7 where it did not.
pub(in crate::cli) fn run(_global: &Global, args: &Demo, ui: &Ui) -> Result<u8, CliError> {
    let scratch = Scratch::new(args.keep.as_deref())?;
    let project = scratch.path().join(&args.name);
    unpack(args, &project)?;
    demo::make_repository(&project)?;
    let user = UserRepository::open(&project)?;
    let file = user.root().join(config::FILE_NAME);
    let resolved = config::load(user.root(), &file, &BTreeMap::new(), &Overrides::default())?;
    let mut settings = resolved.settings;
    if args.quick {
        // Two more builds for each keep are a large part of a short demo; the full one confirms where its races are longer.
        settings.decision.confirm = Confirm::Off;
    }
    let places = Places::new(user.common_dir(), &scratch.path().join("cache"), &settings);
    let size = if args.quick { "quick" } else { "full" };
    ui.tell(&format!("demo {} ({size}) in {}", args.name, project.display()));
    let found = try_candidates(&settings, &places, &user, ui)?;
    let mut truths = truth::read(&project.join("truth.json"))?;
    truths.retain(|truth| args.takes(&truth.patch));
    let rows = demo::rows(&truths, &found, &settings);
    ui.print(&super::demo_table::table(&rows, &settings))?;
    ui.line(&where_to_look(&settings, &places, &project, args.keep.is_some()))?;
    Ok(if rows.iter().all(Row::agrees) { 0 } else { 7 })
}

fn try_candidates(
    settings: &Settings,
    places: &Places,
    user: &UserRepository,
    ui: &Ui,
) -> Result<Vec<Found>, CliError> {
    let supervisor = SupervisorProgram::current()?;
    let interrupts = Interrupts::default();
    interrupts.install_signal_handlers()?;
    let mut progress = Progress::new(ui);
    let mut collector = demo::Collector::default();
    let context = Context {
        settings,
        places,
        user,
        supervisor: &supervisor,
        interrupts: &interrupts,
        inherited: std::env::vars_os().collect(),
        purpose: crate::engine::Purpose::Session,
    };
    let mut session = Session::open(&context, vec![&mut progress, &mut collector])?;
    session.ready()?;
    session.run(&mut Sources::new(settings, user)?)?;
    drop(session);
    Ok(collector.found())
}

fn where_to_look(settings: &Settings, places: &Places, project: &Path, kept: bool) -> String {
    if !kept {
        return "The scratch folder is gone; '--keep DIR' leaves repository, branch and journal for a look.".to_owned();
    }
    format!("Branch:  git -C {} log {}\nJournal: {}", project.display(), settings.branch, places.journal().display())
}

/// The folder that the demo works in; a temporary one unless the person named one.
enum Scratch {
    Temporary(tempfile::TempDir),
    Kept(PathBuf),
}

impl Scratch {
    fn new(keep: Option<&Path>) -> Result<Self, CliError> {
        let Some(folder) = keep else {
            let dir = tempfile::Builder::new()
                .prefix("autoresearch-demo-")
                .tempdir()
                .map_err(|source| CliError::io("create a temporary folder in", &std::env::temp_dir(), source))?;
            return Ok(Self::Temporary(dir));
        };
        fs::create_dir_all(folder).map_err(|source| CliError::io("create folder", folder, source))?;
        let absolute = folder.canonicalize().map_err(|source| CliError::io("find folder", folder, source))?;
        Ok(Self::Kept(absolute))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(dir) => dir.path(),
            Self::Kept(path) => path,
        }
    }
}

impl Demo {
    fn takes(&self, patch: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|text| patch.contains(text.as_str()))
    }
}

/// Writes an experiment's files into a new folder.
fn unpack(args: &Demo, folder: &Path) -> Result<(), CliError> {
    let Some(experiment) = EXPERIMENTS.get_dir(&args.name).filter(|dir| dir.get_file(truth_of(dir.path())).is_some())
    else {
        let known = EXPERIMENTS.dirs().filter(|dir| dir.get_file(truth_of(dir.path())).is_some());
        let names = known.map(|dir| dir.path().display().to_string()).collect();
        return Err(CliError::NoSuchExperiment { name: args.name.clone(), known: names });
    };
    if folder.exists() {
        return Err(CliError::FolderExists { path: folder.to_owned() });
    }
    write_files(experiment, experiment.path(), folder, args)?;
    let profile = folder.join("profile");
    fs::write(&profile, if args.quick { "quick\n" } else { "full\n" })
        .map_err(|source| CliError::io("write", &profile, source))
}

fn truth_of(experiment: &Path) -> PathBuf {
    experiment.join("truth.json")
}

fn write_files(dir: &Dir<'_>, root: &Path, folder: &Path, args: &Demo) -> Result<(), CliError> {
    for file in dir.files() {
        let Ok(relative) = file.path().strip_prefix(root) else { continue };
        let candidate = relative.starts_with("candidates");
        if candidate && !args.takes(&relative.to_string_lossy()) {
            continue;
        }
        write_file(&folder.join(without_in(relative)), file.contents())?;
    }
    dir.dirs().try_for_each(|sub| write_files(sub, root, folder, args))
}

/// Names a file as the workload needs it: manifests are stored as `Cargo.toml.in`, so that the published crate has them.
fn without_in(path: &Path) -> PathBuf {
    if path.extension().is_some_and(|ending| ending == "in") { path.with_extension("") } else { path.to_owned() }
}

/// Writes a file; a script is executable, a mode that the embedded form does not keep.
fn write_file(path: &Path, content: &[u8]) -> Result<(), CliError> {
    let write = || {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, content)?;
        let mode = if content.starts_with(b"#!") { 0o755 } else { 0o644 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    };
    write().map_err(|source| CliError::io("write", path, source))
}
