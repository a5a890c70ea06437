//! thin
use crate::domain::{Reason, Settings};
use std::path::Path;
/// e
#[derive(Debug, thiserror::Error)]
#[error("gate")]
pub struct GateError(#[from] globset::Error);
/// c
#[derive(Debug, Clone)]
pub struct ChangedPath {
    /// p
    pub path: String,
    /// o
    pub old_path: Option<String>,
    /// s
    pub becomes_symlink_to: Option<String>,
}
/// s
pub struct Scope {
    allow: globset::GlobSet,
    any: bool,
    sealed: Vec<String>,
}
impl Scope {
    /// c
    pub fn compile(settings: &Settings, snapshot: &HarnessSnapshot) -> Result<Self, GateError> {
        let mut b = globset::GlobSetBuilder::new();
        for g in &settings.scope.allow {
            b.add(globset::Glob::new(g)?);
        }
        Ok(Self {
            allow: b.build()?,
            any: settings.scope.allow.is_empty(),
            sealed: snapshot.files.iter().map(|f| f.path.clone()).collect(),
        })
    }
    /// j
    pub fn judge(&self, changed: &[ChangedPath]) -> Option<(Reason, String)> {
        for c in changed {
            if self.sealed.contains(&c.path) {
                return Some((Reason::SealedPath, c.path.clone()));
            }
            if !self.any && !self.allow.is_match(&c.path) {
                return Some((Reason::OutOfScope, c.path.clone()));
            }
        }
        None
    }
}
/// f
#[derive(Debug, Clone)]
pub struct SnapshotFile {
    /// p
    pub path: String,
    /// e
    pub executable: bool,
    /// c
    pub bytes: Vec<u8>,
}
/// s
pub struct HarnessSnapshot {
    /// f
    pub files: Vec<SnapshotFile>,
}
impl HarnessSnapshot {
    /// c
    pub fn collect(root: &Path, settings: &Settings) -> Result<Self, GateError> {
        let mut files = Vec::new();
        for p in ["autoresearch.config.json", "bench.sh"] {
            if let Ok(bytes) = std::fs::read(root.join(p)) {
                files.push(SnapshotFile { path: p.into(), executable: p.ends_with("sh"), bytes });
            }
        }
        if let Ok(dir) = std::fs::read_dir(root.join(&settings.checks.dir)) {
            for e in dir.flatten() {
                files.push(SnapshotFile {
                    path: format!("{}/{}", settings.checks.dir, e.file_name().to_string_lossy()),
                    executable: true,
                    bytes: std::fs::read(e.path()).unwrap_or_default(),
                });
            }
        }
        Ok(Self { files })
    }
}
