//! A starting set as a value: its files, its explanations, the next steps, and how it is put together.

use std::io;
use std::path::{Path, PathBuf};

use super::detect::{Ecosystem, detect};
use super::plan::Plan;
use super::tree::Tree;
use super::{bundler, cargo, cmake, config_file, golang, make, node, python, scripts, texts};

/// Says why no starting set was proposed or written.
#[derive(Debug, thiserror::Error)]
pub enum StarterError {
    /// A file or folder of the checkout could not be read.
    #[error("cannot read {}: {source}; check that it exists and may be read, then run init again", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A manifest is not what its name promises.
    #[error("cannot understand {}: {source}; repair it, then run init again", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Files are in the way; nothing was written.
    #[error(
        "these exist already, and init overwrites nothing: {}; move them away, or take what you need from `autoresearch init --print`",
        paths.join(", ")
    )]
    Exists {
        /// All that are in the way, relative to the root.
        paths: Vec<String>,
    },
    /// A file could not be written; what had been written before it was removed again.
    #[error("cannot write {}: {source}; the files written before it were removed again, repair the cause and run init again", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The config could not be put into words.
    #[error("cannot write the config as JSON: {source}; this is a bug")]
    Config {
        /// What the writer said.
        source: serde_json::Error,
    },
}

/// A starting set for one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Starter {
    /// What the repository is built with.
    pub ecosystem: Ecosystem,
    /// The files to write.
    pub files: Vec<StarterFile>,
    /// Short lines: why each choice was made and what to change.
    pub explanations: Vec<String>,
    /// What to do next, in order.
    pub next: Vec<String>,
}

/// One file of a starting set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StarterFile {
    /// Path relative to the repository root, with `/` between the parts.
    pub path: String,
    /// Whether it is a program.
    pub executable: bool,
    /// Its whole text.
    pub text: String,
    /// What it is for, in a few words.
    pub why: String,
}

/// Looks at a checkout and proposes a starting set under a session name; reads files only and writes nothing.
pub fn propose(root: &Path, name: &str) -> Result<Starter, StarterError> {
    let tree = Tree::read(root)?;
    let (ecosystem, plan) = plan(&tree)?;
    let session = session_name(name);
    let mut explanations = texts::explanations(&tree, ecosystem, &plan);
    if session != name {
        explanations.push(format!("name: \"{session}\", because a branch cannot be named after \"{name}\"."));
    }
    Ok(Starter { ecosystem, files: files(&session, &plan)?, explanations, next: texts::next_steps(&plan) })
}

/// Decides the parts of a starting set for a checkout.
pub(super) fn plan_of(root: &Path) -> Result<(Ecosystem, Plan), StarterError> {
    plan(&Tree::read(root)?)
}

fn plan(tree: &Tree) -> Result<(Ecosystem, Plan), StarterError> {
    let ecosystem = detect(tree)?;
    let plan = match ecosystem {
        Ecosystem::Cargo => cargo::plan(tree)?,
        Ecosystem::Go => golang::plan(tree)?,
        Ecosystem::Npm | Ecosystem::Pnpm => node::plan(tree, ecosystem)?,
        Ecosystem::Pytest | Ecosystem::Uv => python::plan(tree, ecosystem)?,
        Ecosystem::Bundler => bundler::plan(tree)?,
        Ecosystem::CMake => cmake::plan(tree)?,
        Ecosystem::Make => make::plan(tree)?,
        Ecosystem::Generic => generic(),
    };
    Ok((ecosystem, plan))
}

fn generic() -> Plan {
    Plan {
        folder: "",
        prepare: None,
        build: None,
        workload: scripts::unknown("For example: ./your-program some-input > /dev/null"),
        checks: Vec::new(),
        harness: Vec::new(),
        protect: Vec::new(),
        notes: Vec::new(),
    }
}

/// Keeps of a name what a branch and a folder may be called.
pub(super) fn session_name(name: &str) -> String {
    let kept: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    let parts: Vec<&str> = kept.split('-').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "experiment".to_owned() } else { parts.join("-") }
}

pub(super) fn files(name: &str, plan: &Plan) -> Result<Vec<StarterFile>, StarterError> {
    let config = config_file::config_text(name, plan).map_err(|source| StarterError::Config { source })?;
    let file = |path: &str, executable: bool, text: String, why: &str| StarterFile {
        path: path.to_owned(),
        executable,
        text,
        why: why.to_owned(),
    };
    let mut files = vec![
        file("autoresearch.config.json", false, config, "what to optimise, how to measure, when to stop"),
        file("bench.sh", true, plan.workload.script.clone(), "one measured run"),
    ];
    let fill_in = [scripts::unknown_check()];
    let checks = if plan.checks.is_empty() { &fill_in[..] } else { &plan.checks };
    for check in checks {
        files.push(file(&format!("{}checks/{}", plan.folder, check.name), true, scripts::check(check), &check.why));
    }
    files.push(file("ideas.md", false, texts::ideas(name), "ideas to try, tried, closed"));
    files.push(file(
        &format!("{}candidates/README.md", plan.folder),
        false,
        texts::candidates(plan.folder),
        "the queue of patches",
    ));
    Ok(files)
}
