//! What kind of repository the user's is, and what of it this version cannot work with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::domain::ObjectId;

use super::command::{records, to_path};
use super::{GitError, UserRepository};

/// How many missing objects or paths a refusal names.
const NAMED: usize = 3;

/// How references are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefStorage {
    /// Loose and packed files.
    Files,
    /// The reftable format; read and moved by git itself.
    Reftable,
}

/// Something that makes the bytes of a checked-out file differ from its blob.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conversion {
    /// `core.autocrlf`.
    AutoCrlf,
    /// `core.eol`.
    CoreEol,
    /// An `eol` attribute.
    EolAttribute,
    /// An `ident` attribute.
    Ident,
    /// A `working-tree-encoding` attribute.
    Encoding,
    /// A `filter` attribute whose driver is configured, by its name.
    Filter(String),
}

/// A submodule of the base tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submodule {
    /// Its path.
    pub path: String,
    /// Whether it is checked out.
    pub populated: bool,
}

/// A reason why a session cannot run here, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was found.
    pub reason: String,
    /// What to do.
    pub cure: String,
}

/// What was found out about a repository and its base commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// How references are stored.
    pub ref_storage: RefStorage,
    /// Whether history is cut off.
    pub shallow: bool,
    /// Whether only a part of the tree is checked out.
    pub sparse: bool,
    /// Whether objects may be missing (a partial clone).
    pub promisor: bool,
    /// Ids of objects of the base commit's tree that are missing.
    pub missing_objects: Vec<String>,
    /// Submodules of the base tree.
    pub submodules: Vec<Submodule>,
    /// What makes checked-out bytes differ from blobs.
    pub conversions: BTreeSet<Conversion>,
    /// Paths with a configured filter: their blobs are not what is built, so candidates should not touch them.
    pub filtered: Vec<String>,
    base: ObjectId,
}

impl Survey {
    /// Says whether the repository has nothing out of the ordinary.
    pub fn plain(&self) -> bool {
        self.ref_storage == RefStorage::Files
            && !(self.shallow || self.sparse || self.promisor || self.converts())
            && self.submodules.is_empty()
    }

    /// Says whether git must write the files of a checkout, because their bytes may differ from their blobs.
    pub fn converts(&self) -> bool {
        !self.conversions.is_empty()
    }

    /// Lists what makes a session impossible; empty when it can run.
    pub fn refusals(&self) -> Vec<Refusal> {
        let mut all = Vec::new();
        if !self.missing_objects.is_empty() {
            let count = self.missing_objects.len();
            let some = self.missing_objects.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
            all.push(Refusal {
                reason: format!("this partial clone lacks {count} objects of the base commit ({some} ...), and a session never fetches"),
                cure: format!("get them once with 'git checkout {}'", self.base),
            });
        }
        let populated: Vec<&str> = self.submodules.iter().filter(|s| s.populated).map(|s| s.path.as_str()).collect();
        if !populated.is_empty() {
            let some = populated.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
            all.push(Refusal {
                reason: format!("the checkout has submodules ({some}), which the slots of this version would lack"),
                cure: format!("if the program builds without them, run 'git submodule deinit {}'; else commit their files into a branch", populated[0]),
            });
        }
        all
    }
}

impl UserRepository {
    /// Finds out what kind of repository this is, as far as the tree of a base commit is concerned.
    pub fn survey(&self, base: &ObjectId) -> Result<Survey, GitError> {
        let config = EffectiveConfig::read(self)?;
        let yes = |git: super::command::Git| -> Result<bool, GitError> { Ok(git.line()? == "true") };
        let promisor = config.any(|key, value| {
            key == "extensions.partialclone"
                || (key.starts_with("remote.") && key.ends_with(".promisor") && truth(value))
        });
        let (conversions, filtered) = self.conversions(base, &config)?;
        Ok(Survey {
            ref_storage: if config.get("extensions.refstorage") == Some("reftable") {
                RefStorage::Reftable
            } else {
                RefStorage::Files
            },
            shallow: yes(self.git().args(["rev-parse", "--is-shallow-repository"]))?,
            sparse: config.truth("core.sparsecheckout"),
            promisor,
            missing_objects: if promisor { self.missing_objects(base)? } else { Vec::new() },
            submodules: self.submodules(base)?,
            conversions,
            filtered,
            base: base.clone(),
        })
    }

    fn missing_objects(&self, base: &ObjectId) -> Result<Vec<String>, GitError> {
        let listed = self
            .git()
            .args(["rev-list", "--objects", "--no-object-names", "--missing=print", "--no-walk", base.as_str()])
            .output()?;
        let text = String::from_utf8_lossy(&listed).into_owned();
        Ok(text.lines().filter_map(|line| line.strip_prefix('?')).map(str::to_owned).collect())
    }

    fn submodules(&self, base: &ObjectId) -> Result<Vec<Submodule>, GitError> {
        let listed = self.git().args(["ls-tree", "-r", "-z", base.as_str()]).output()?;
        let gitlink = |record: &[u8]| -> Option<PathBuf> {
            let tab = record.iter().position(|&b| b == b'\t')?;
            record.starts_with(b"160000 ").then(|| to_path(&record[tab + 1..]))
        };
        let found = records(&listed).filter_map(gitlink);
        Ok(found
            .map(|path| Submodule {
                populated: self.root().join(&path).join(".git").exists(),
                path: path.to_string_lossy().into_owned(),
            })
            .collect())
    }

    fn conversions(
        &self,
        base: &ObjectId,
        config: &EffectiveConfig,
    ) -> Result<(BTreeSet<Conversion>, Vec<String>), GitError> {
        let mut found = BTreeSet::new();
        if config.get("core.autocrlf").is_some_and(|v| v != "input" && truth(v)) {
            found.insert(Conversion::AutoCrlf);
        }
        if config.get("core.eol").is_some_and(|v| v.eq_ignore_ascii_case("crlf")) {
            found.insert(Conversion::CoreEol);
        }
        let paths = self.git().args(["ls-tree", "-r", "-z", "--name-only", base.as_str()]).output()?;
        let (by_attributes, filtered) = self.attributes(paths, config)?;
        found.extend(by_attributes);
        Ok((found, filtered))
    }

    /// Lists which of these paths have a configured filter by the attributes of the checkout.
    pub fn filtered(&self, paths: &[String]) -> Result<Vec<String>, GitError> {
        let listed = paths.iter().flat_map(|path| [path.as_bytes(), b"\0".as_slice()]).collect::<Vec<_>>().concat();
        Ok(self.attributes(listed, &EffectiveConfig::read(self)?)?.1)
    }

    /// Finds the conversions that attributes ask for on NUL-terminated paths, and those of them that have a filter.
    fn attributes(
        &self,
        paths: Vec<u8>,
        config: &EffectiveConfig,
    ) -> Result<(BTreeSet<Conversion>, Vec<String>), GitError> {
        let attributes = self
            .git()
            .args(["check-attr", "-z", "--stdin", "eol", "ident", "working-tree-encoding", "filter"])
            .stdin(paths)
            .output()?;
        let fields: Vec<&[u8]> = records(&attributes).collect();
        let mut filtered = Vec::new();
        let mut seen = BTreeMap::new();
        for &[path, name, value] in fields.as_chunks::<3>().0 {
            let kind =
                seen.entry((name, value)).or_insert_with(|| conversion(name, &String::from_utf8_lossy(value), config));
            if matches!(kind, Some(Conversion::Filter(_))) {
                filtered.push(String::from_utf8_lossy(path).into_owned());
            }
        }
        Ok((seen.into_values().flatten().collect(), filtered))
    }
}

fn conversion(name: &[u8], value: &str, config: &EffectiveConfig) -> Option<Conversion> {
    let given = !matches!(value, "unspecified" | "unset");
    match name {
        b"eol" if value == "crlf" => Some(Conversion::EolAttribute),
        b"ident" if given => Some(Conversion::Ident),
        b"working-tree-encoding" if given && !value.eq_ignore_ascii_case("utf-8") => Some(Conversion::Encoding),
        b"filter" if given => {
            let driver = |part: &str| config.get(&format!("filter.{value}.{part}")).is_some();
            ["smudge", "clean", "process"].into_iter().any(driver).then(|| Conversion::Filter(value.to_owned()))
        }
        _ => None,
    }
}

/// Reads a boolean as git does; a key without a value is true.
pub(super) fn truth(value: &str) -> bool {
    let number = value.parse::<i64>().is_ok_and(|n| n != 0);
    value.is_empty() || number || ["true", "yes", "on"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// The user's effective configuration: system, global, local and worktree, the last one wins.
pub(super) struct EffectiveConfig(BTreeMap<String, String>);

impl EffectiveConfig {
    pub(super) fn read(user: &UserRepository) -> Result<Self, GitError> {
        let listed = user.git().args(["config", "--list", "-z", "--includes"]).output()?;
        let pair = |record: &[u8]| {
            let text = String::from_utf8_lossy(record).into_owned();
            match text.split_once('\n') {
                Some((key, value)) => (key.to_owned(), value.to_owned()),
                None => (text, String::new()),
            }
        };
        Ok(Self(records(&listed).map(pair).collect()))
    }

    /// Returns a value; section and last part of the key in lower case.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    pub(super) fn truth(&self, key: &str) -> bool {
        self.get(key).is_some_and(truth)
    }

    /// Returns the settings that switch every configured filter off.
    pub(super) fn without_filters(&self) -> Vec<String> {
        let names = self.0.keys().filter_map(|key| key.strip_prefix("filter.")?.rsplit_once('.'));
        let names: BTreeSet<&str> = names.map(|(name, _)| name).collect();
        let off = |name: &str| ["smudge=", "process=", "required=false"].map(|part| format!("filter.{name}.{part}"));
        names.into_iter().flat_map(off).collect()
    }

    fn any(&self, test: impl Fn(&str, &str) -> bool) -> bool {
        self.0.iter().any(|(key, value)| test(key, value))
    }
}
