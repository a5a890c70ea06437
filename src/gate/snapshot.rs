//! The harness as it was at session start: every sealed file of the user's checkout, with its bytes and hash.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::GateError;
use super::glob::{Globs, contains, join};
use super::words::sealed_words;
use crate::domain::Settings;

/// Largest size of all sealed files together, in bytes: they are held in memory and laid over both slots.
const BYTES_MAX: u64 = 512 << 20;

/// Why a file is sealed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SealReason {
    /// It is the config.
    Config,
    /// It is in the checks folder.
    Checks,
    /// A glob of `harness` matches it.
    Harness(String),
    /// A word of the bench command names it.
    Command(String),
    /// It is the holdout's, and so in no slot but for that stage.
    Holdout,
}

impl fmt::Display for SealReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config => f.write_str("the config"),
            Self::Checks => f.write_str("in the checks folder"),
            Self::Harness(glob) => write!(f, "matched by harness '{glob}'"),
            Self::Command(word) => write!(f, "named by '{word}' in the bench command"),
            Self::Holdout => f.write_str("a file of the holdout, out of sight but for its stage"),
        }
    }
}

/// One sealed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HarnessFile {
    /// The path relative to the repository root, with `/`.
    pub path: String,
    /// Whether the owner may execute it.
    pub executable: bool,
    /// Its content.
    pub bytes: Vec<u8>,
    /// BLAKE3 of its content, in hexadecimal digits.
    pub hash: String,
    /// Why it is sealed.
    pub why: SealReason,
}

/// A sealed file that is no longer what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HarnessChange {
    /// Its content differs.
    Content(String),
    /// Its executable bit differs.
    Mode(String),
    /// It is gone, or no regular file any more.
    Gone(String),
}

impl fmt::Display for HarnessChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content(path) => write!(f, "{path}: the content changed"),
            Self::Mode(path) => write!(f, "{path}: the executable bit changed"),
            Self::Gone(path) => write!(f, "{path}: the file is gone"),
        }
    }
}

/// The harness as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HarnessSnapshot {
    files: Vec<HarnessFile>,
    checks_dir: String,
    unmatched: Vec<String>,
}

impl HarnessSnapshot {
    /// Reads the harness from the user's checkout, committed or not.
    ///
    /// A symbolic link is read as the file that it leads to, and that file is sealed too where it is in the checkout.
    pub fn collect(root: &Path, settings: &Settings) -> Result<Self, GateError> {
        let inside = |path: &str, key| {
            join(&settings.folder, path).ok_or_else(|| GateError::Outside { path: path.to_owned(), key })
        };
        let checks_dir = inside(&settings.checks.dir, "checks.dir")?;
        let mut collector = Collector::new(root);
        let config = inside(&settings.file, "the config file")?;
        if root.join(&config).exists() {
            collector.add(&config, &SealReason::Config)?;
        }
        for path in walk(root, &checks_dir, &[])? {
            collector.add(&path, &SealReason::Checks)?;
        }
        let skip = kept_folders(settings);
        let (globs, why) = (&settings.harness, |glob: &str| SealReason::Harness(glob.to_owned()));
        let unmatched = collector.add_globs((globs, &settings.folder, "harness"), &skip, &why)?;
        for (path, word) in sealed_words(root, settings, &settings.bench.command)? {
            collector.add(&path, &SealReason::Command(word))?;
        }
        collector.add_holdout(settings)?;
        Ok(Self { files: collector.into_files(), checks_dir, unmatched })
    }

    /// Returns the sealed files in the order of their paths, each with why it is sealed.
    pub fn files(&self) -> &[HarnessFile] {
        &self.files
    }

    /// Returns the hash of each sealed file, as the journal keeps them.
    pub fn hashes(&self) -> BTreeMap<String, String> {
        self.files.iter().map(|file| (file.path.clone(), file.hash.clone())).collect()
    }

    /// Returns the checks in the order in which they run: the executable files right in the checks folder, by name.
    pub fn checks(&self) -> impl Iterator<Item = &HarnessFile> {
        self.files.iter().filter(|file| file.executable && self.check_name(file).is_some())
    }

    /// Returns the name of a check: its path below the checks folder, for a file right in it.
    pub fn check_name<'a>(&self, file: &'a HarnessFile) -> Option<&'a str> {
        let rest = if self.checks_dir.is_empty() {
            file.path.as_str()
        } else {
            file.path.strip_prefix(&self.checks_dir)?.strip_prefix('/')?
        };
        (!rest.contains('/')).then_some(rest)
    }

    /// Returns the globs of `harness` that match no file: most likely a mistake.
    pub fn unmatched(&self) -> &[String] {
        &self.unmatched
    }

    /// Compares the sealed files below a folder, such as a slot, with the snapshot; returns the first that differs.
    pub fn first_change(&self, root: &Path) -> Result<Option<HarnessChange>, GateError> {
        for file in &self.files {
            if let Some(change) = file.change(&root.join(&file.path))? {
                return Ok(Some(change));
            }
        }
        Ok(None)
    }
}

impl HarnessFile {
    fn change(&self, path: &Path) -> Result<Option<HarnessChange>, GateError> {
        let metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Some(HarnessChange::Gone(self.path.clone())));
            }
            Err(source) => return Err(GateError::io("look at", path)(source)),
        };
        if !metadata.is_file() {
            return Ok(Some(HarnessChange::Gone(self.path.clone())));
        }
        if metadata.len() != self.bytes.len() as u64
            || hash_file(path).map_err(GateError::io("read", path))? != self.hash
        {
            return Ok(Some(HarnessChange::Content(self.path.clone())));
        }
        Ok((is_executable(&metadata) != self.executable).then(|| HarnessChange::Mode(self.path.clone())))
    }
}

/// Hashes a file in pieces, whatever its length.
fn hash_file(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut file = File::open(path)?;
    let mut block = vec![0; 1 << 16];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(hasher.finalize().to_hex().to_string()),
            Ok(read) => hasher.update(&block[..read]),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
    }
}

/// Reads sealed files, each once and with the first reason that it is found for.
pub(super) struct Collector<'a> {
    root: &'a Path,
    files: BTreeMap<String, HarnessFile>,
    bytes: u64,
}

impl<'a> Collector<'a> {
    /// Starts with no files of a folder.
    pub(super) fn new(root: &'a Path) -> Self {
        Self { root, files: BTreeMap::new(), bytes: 0 }
    }

    /// Returns the folder that all paths are relative to.
    pub(super) fn root(&self) -> &'a Path {
        self.root
    }

    /// Returns the files in the order of their paths.
    pub(super) fn into_files(self) -> Vec<HarnessFile> {
        self.files.into_values().collect()
    }

    /// Adds one file, and the file that it leads to where it is a link; the first reason stays.
    pub(super) fn add(&mut self, path: &str, why: &SealReason) -> Result<(), GateError> {
        if self.files.contains_key(path) {
            return Ok(());
        }
        self.read(path, why)?;
        let full = self.root.join(path);
        if full.is_symlink() {
            let resolve = |path: &Path| fs::canonicalize(path).map_err(GateError::io("follow the link", path));
            if let Ok(target) = resolve(&full)?.strip_prefix(resolve(self.root)?) {
                let target = text(target)?;
                if !self.files.contains_key(&target) {
                    self.read(&target, why)?;
                }
            }
        }
        Ok(())
    }

    fn read(&mut self, path: &str, why: &SealReason) -> Result<(), GateError> {
        let full = self.root.join(path);
        let metadata = fs::metadata(&full).map_err(GateError::io("look at", &full))?;
        self.bytes += metadata.len();
        if self.bytes > BYTES_MAX {
            return Err(GateError::TooLarge { path: path.to_owned(), limit: BYTES_MAX });
        }
        let bytes = fs::read(&full).map_err(GateError::io("read", &full))?;
        let file = HarnessFile {
            path: path.to_owned(),
            executable: is_executable(&metadata),
            hash: blake3::hash(&bytes).to_hex().to_string(),
            bytes,
            why: why.clone(),
        };
        self.files.insert(path.to_owned(), file);
        Ok(())
    }

    /// Adds what the globs of a key match that are relative to a folder; returns the globs that match nothing.
    pub(super) fn add_globs(
        &mut self,
        (written, folder, key): (&[String], &str, &'static str),
        skip: &[String],
        why: &dyn Fn(&str) -> SealReason,
    ) -> Result<Vec<String>, GateError> {
        let globs = Globs::new(written, folder, key)?;
        let mut unmatched: BTreeSet<usize> = (0..written.len()).collect();
        for start in starts(written, folder) {
            for path in walk(self.root, &start, skip)? {
                let matching = globs.all(&path);
                if let Some(first) = matching.first() {
                    self.add(&path, &why(&written[*first]))?;
                }
                for index in matching {
                    unmatched.remove(&index);
                }
            }
        }
        Ok(unmatched.into_iter().map(|index| written[index].clone()).collect())
    }
}

/// Returns the folders of `build.keep`, relative to the repository root.
pub(super) fn kept_folders(settings: &Settings) -> Vec<String> {
    let kept = settings.build.iter().flat_map(|build| &build.keep);
    kept.filter_map(|folder| join(&settings.folder, folder)).collect()
}

/// Returns the folders in which globs relative to a folder can match, none inside another.
fn starts(globs: &[String], folder: &str) -> Vec<String> {
    let literal = |glob: &String| {
        let is_plain = |part: &&str| !part.contains(['*', '?', '[', '{', '\\']);
        glob.split('/').take_while(is_plain).collect::<Vec<_>>().join("/")
    };
    let starts: BTreeSet<_> = globs.iter().filter_map(|glob| join(folder, &literal(glob))).collect();
    let inside_another = |start: &String| starts.iter().any(|other| other != start && contains(other, start));
    starts.iter().filter(|start| !inside_another(start)).cloned().collect()
}

/// Lists the files at or below a path of the repository, sorted. Links to folders, `.git` and `skip` are left out.
fn walk(root: &Path, start: &str, skip: &[String]) -> Result<Vec<String>, GateError> {
    let mut found = Vec::new();
    let mut open = vec![start.to_owned()];
    while let Some(path) = open.pop() {
        let full = root.join(&path);
        let Ok(metadata) = fs::metadata(&full) else { continue };
        if metadata.is_file() {
            found.push(path);
            continue;
        }
        let skipped = path.split('/').next_back() == Some(".git") || skip.contains(&path);
        if !metadata.is_dir() || skipped || (full.is_symlink() && path != start) {
            continue;
        }
        for entry in fs::read_dir(&full).map_err(GateError::io("list", &full))? {
            let name = entry.map_err(GateError::io("list", &full))?.file_name();
            let Some(name) = name.to_str() else {
                return Err(GateError::NotUtf8 { path: full.join(name) });
            };
            open.push(if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") });
        }
    }
    found.sort();
    Ok(found)
}

fn is_executable(metadata: &fs::Metadata) -> bool {
    metadata.permissions().mode() & 0o100 != 0
}

fn text(path: &Path) -> Result<String, GateError> {
    path.to_str().map(str::to_owned).ok_or_else(|| GateError::NotUtf8 { path: PathBuf::from(path) })
}
