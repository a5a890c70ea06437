//! What another tool left in a checkout: its bench and checks scripts, ideas, config and log, under the names of the field.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::ImportError;
use super::log::{Log, Start, read_log};

/// Names of the files, the older layout in the root and the newer one in a folder.
const BENCH: [&str; 2] = ["autoresearch.sh", ".auto/measure.sh"];
const CHECKS: [&str; 2] = ["autoresearch.checks.sh", ".auto/checks.sh"];
const IDEAS: [&str; 2] = ["autoresearch.ideas.md", ".auto/ideas.md"];
const CONFIG: [&str; 2] = ["autoresearch.config.json", ".auto/config.json"];
const LOG: [&str; 2] = ["autoresearch.jsonl", ".auto/log.jsonl"];
const NOTES: [&str; 2] = ["autoresearch.md", ".auto/prompt.md"];

/// The files of another tool that were found; paths are relative to the checkout's root.
#[derive(Debug, Clone, Default)]
pub struct Existing {
    /// The bench script, with its text.
    pub bench: Option<(String, String)>,
    /// The script that says whether a result is right.
    pub checks: Option<String>,
    /// Its ideas, with their text.
    pub ideas: Option<(String, String)>,
    /// Its config, with what it says.
    pub config: Option<(String, TheirConfig)>,
    /// Its log, with what it says.
    pub log: Option<(String, Log)>,
    /// What it was told, in prose.
    pub notes: Option<String>,
}

/// The settings that their config has.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TheirConfig {
    /// Runs after which a session ends.
    pub max_iterations: Option<u32>,
    /// Where commands start; often an absolute path.
    pub working_dir: Option<PathBuf>,
    /// A key of this program's config: the file is one already.
    bench: Option<serde_json::Value>,
}

impl Existing {
    /// Looks for the files below a checkout's root; a config that is this program's own already is none of theirs.
    pub fn find(root: &Path) -> Result<Self, ImportError> {
        let first = |names: [&str; 2]| names.into_iter().find(|name| root.join(name).is_file()).map(str::to_owned);
        let text = |name: String| {
            let bytes = fs::read(root.join(&name)).map_err(ImportError::io("read", root.join(&name)))?;
            Ok::<_, ImportError>((name, bytes))
        };
        let lossy = |(name, bytes): (String, Vec<u8>)| (name, String::from_utf8_lossy(&bytes).into_owned());
        let config = first(CONFIG).map(text).transpose()?.map(|(name, bytes)| {
            let read = serde_json::from_slice::<TheirConfig>(&bytes);
            let config = read.map_err(|source| ImportError::Config { path: root.join(&name), source })?;
            Ok::<_, ImportError>((name, config))
        });
        let log = first(LOG).map(text).transpose()?;
        Ok(Self {
            bench: first(BENCH).map(text).transpose()?.map(lossy),
            checks: first(CHECKS),
            ideas: first(IDEAS).map(text).transpose()?.map(lossy),
            config: config.transpose()?.filter(|(_, config)| config.bench.is_none()),
            log: log.map(|(name, bytes)| (name, read_log(&bytes, Start::default()))),
            notes: first(NOTES),
        })
    }

    /// Says whether there is anything to go on from.
    pub fn is_empty(&self) -> bool {
        self.bench.is_none() && self.log.is_none()
    }

    /// Lists the files that are theirs and belong to no candidate.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let ideas = self.ideas.as_ref().map(|(name, _)| name);
        let config = self.config.as_ref().map(|(name, _)| name);
        let log = self.log.as_ref().map(|(name, _)| name);
        let bench = self.bench.as_ref().map(|(name, _)| name);
        let all = [bench, self.checks.as_ref(), ideas, config, log, self.notes.as_ref()];
        all.into_iter().flatten().map(String::as_str)
    }
}
