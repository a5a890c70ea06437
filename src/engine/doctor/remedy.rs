//! What a command lacks that fails in the sandbox and works outside: found by granting more, one thing at a time.

use std::path::{Path, PathBuf};

use crate::domain::{Arm, Network};
use crate::engine::EngineError;
use crate::engine::logs;
use crate::engine::reach::Ease;
use crate::engine::session::Session;

use super::steps::Step;

/// Bytes of a log that are searched for paths.
const SEARCHED: usize = 1 << 16;
/// Paths of a log that are tried.
const TRIED: usize = 8;
/// How deep below the home a needed folder is looked for.
const DEPTH: usize = 3;
/// Hidden folders of the system that a command may want.
const SYSTEM: [&str; 3] = ["/run", "/tmp", "/var/tmp"];

/// What a command lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Need {
    /// The other slot or the user's checkout.
    Project,
    /// More of the network.
    Network(Network),
    /// Files or folders to read.
    Readable(Vec<PathBuf>),
    /// Folders to write.
    Writable(Vec<PathBuf>),
    /// Environment variables.
    Env(Vec<String>),
    /// More than one of these.
    Several,
}

/// Finds what a failed step lacks; `None` when it fails with everything in reach too.
pub(super) fn find(session: &mut Session<'_, '_>, step: &Step, arm: Arm) -> Result<Option<Need>, EngineError> {
    let paths = mentioned(session, step, arm);
    let home = session.bench.runner().reach().home().map(Path::to_owned);
    let mut trial = Trial { session, step, arm };
    let env = trial.variables();
    let system = SYSTEM.map(PathBuf::from);
    let everything = Ease {
        project: true,
        network: Some(Network::Full),
        readable: home.iter().chain(&system).cloned().collect(),
        writable: home.iter().chain(&paths).cloned().collect(),
        env: env.clone(),
    };
    if !trial.passes(&everything)? {
        return Ok(None);
    }
    if trial.passes(&Ease { project: true, ..Ease::default() })? {
        return Ok(Some(Need::Project));
    }
    for network in [Network::Loopback, Network::Host, Network::Full] {
        if trial.passes(&Ease { network: Some(network), ..Ease::default() })? {
            return Ok(Some(Need::Network(network)));
        }
    }
    let names = narrow(env, |names| trial.passes(&Ease { env: names.to_vec(), ..Ease::default() }))?;
    if let Some(names) = names {
        return Ok(Some(Need::Env(names)));
    }
    let readable = |readable: &[PathBuf]| Ease { readable: readable.to_vec(), ..Ease::default() };
    if let Some(found) = trial.path(&paths, home.as_deref(), readable)? {
        return Ok(Some(Need::Readable(found)));
    }
    let writable = |writable: &[PathBuf]| Ease { writable: writable.to_vec(), ..Ease::default() };
    let folders = folders_of(&paths, home.as_deref());
    let found = trial.path(&folders, home.as_deref(), writable)?;
    Ok(Some(found.map_or(Need::Several, Need::Writable)))
}

/// A step that is run again and again with more in reach.
struct Trial<'t, 's, 'o> {
    session: &'t mut Session<'s, 'o>,
    step: &'t Step,
    arm: Arm,
}

impl Trial<'_, '_, '_> {
    fn passes(&mut self, ease: &Ease) -> Result<bool, EngineError> {
        self.session.pause_point()?;
        let before = self.session.bench.runner().reach().eased().clone();
        self.session.bench.ease(ease.clone());
        let log = self.step.log(self.session, self.arm).with_added_extension("trial");
        let ended = self.step.once(self.session, self.arm, log);
        self.session.bench.ease(before);
        match ended {
            Ok(result) => Ok(result.is_ok()),
            // These paths cannot be granted; the command did not run.
            Err(EngineError::Process(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Lists the variables that do not pass by themselves.
    fn variables(&self) -> Vec<String> {
        let inherited = self.session.bench.runner().inherited();
        inherited.iter().filter_map(|(name, _)| name.to_str().map(str::to_owned)).collect()
    }

    /// Finds the path whose grant is enough: one that the output mentions, a folder of the system, or one of the home.
    fn path(
        &mut self,
        mentioned: &[PathBuf],
        home: Option<&Path>,
        ease: impl Fn(&[PathBuf]) -> Ease,
    ) -> Result<Option<Vec<PathBuf>>, EngineError> {
        let system = SYSTEM.map(PathBuf::from);
        for path in mentioned.iter().chain(&system) {
            if self.passes(&ease(std::slice::from_ref(path)))? {
                return Ok(Some(vec![path.clone()]));
            }
        }
        let Some(home) = home else { return Ok(None) };
        let mut found = vec![home.to_owned()];
        if !self.passes(&ease(&found))? {
            return Ok(None);
        }
        for _ in 0..DEPTH {
            let [folder] = found.as_slice() else { break };
            match narrow(children(folder), |paths| self.passes(&ease(paths)))? {
                Some(inner) if inner.len() == 1 => found = inner,
                Some(_) | None => break,
            }
        }
        Ok(Some(found))
    }
}

/// Narrows a list down as far as one half of it is enough; `None` where the whole list is not.
fn narrow<T: Clone>(
    mut items: Vec<T>,
    mut is_enough: impl FnMut(&[T]) -> Result<bool, EngineError>,
) -> Result<Option<Vec<T>>, EngineError> {
    if items.is_empty() || !is_enough(&items)? {
        return Ok(None);
    }
    while items.len() > 1 {
        let rest = items.split_off(items.len() / 2);
        if is_enough(&items)? {
            continue;
        }
        if is_enough(&rest)? {
            items = rest;
        } else {
            items.extend(rest);
            break;
        }
    }
    Ok(Some(items))
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    all.sort();
    all
}

/// Lists the paths outside the slot that the output of a step mentions, as folders where they are not alone in one.
fn mentioned(session: &Session<'_, '_>, step: &Step, arm: Arm) -> Vec<PathBuf> {
    let log = step.log(session, arm);
    let mut text = step.command(session);
    for ending in ["err", "out"] {
        text.push('\n');
        text += &logs::tail(&log.with_added_extension(ending), SEARCHED).unwrap_or_default();
    }
    let own = [session.bench.root(arm).to_owned(), session.bench.home(arm)];
    let mut found = Vec::new();
    for path in paths_in(&text) {
        let is_outside = !own.iter().any(|own| path.starts_with(own));
        if is_outside && !found.contains(&path) && found.len() < TRIED {
            found.push(path);
        }
    }
    found
}

/// Returns the existing folders and files that a text names by absolute paths; of a file that is not there, its folder.
fn paths_in(text: &str) -> impl Iterator<Item = PathBuf> {
    let words = text.split(|c: char| c.is_whitespace() || "'\"`:,;()[]{}<>=".contains(c));
    words.filter(|word| word.starts_with('/')).filter_map(|word| {
        let path = Path::new(word.trim_end_matches('.'));
        let existing = path.ancestors().take(2).find(|path| path.exists())?;
        let system = ["/proc", "/sys", "/dev", "/usr", "/bin", "/lib", "/etc"];
        let is_system = system.iter().any(|folder| existing.starts_with(folder));
        (existing.components().count() > 2 && !is_system).then(|| existing.to_owned())
    })
}

/// Returns the folders among paths and those of the files among them, but for the home itself.
fn folders_of(paths: &[PathBuf], home: Option<&Path>) -> Vec<PathBuf> {
    let folder = |path: &PathBuf| if path.is_dir() { Some(path.clone()) } else { path.parent().map(Path::to_owned) };
    paths.iter().filter_map(folder).filter(|folder| Some(folder.as_path()) != home).collect()
}

impl Need {
    /// Returns the setting that grants it.
    pub(super) fn setting(&self, step: &Step) -> &'static str {
        match self {
            Self::Network(Network::Host | Network::Full) if *step == Step::Prepare => "prepare.network",
            Self::Network(_) => "sandbox.network",
            Self::Readable(_) => "sandbox.readOnly",
            Self::Writable(_) => "sandbox.caches",
            Self::Env(_) => "sandbox.env",
            Self::Project | Self::Several => "sandbox",
        }
    }

    /// Says what to do about it.
    pub(super) fn cure(&self, step: &Step, home: Option<&Path>) -> String {
        let list = |paths: &[PathBuf]| quoted(paths.iter().map(|path| named(path, home)));
        match self {
            Self::Network(Network::Host | Network::Full) if *step == Step::Prepare => {
                "set \"prepare\": {\"network\": true}".to_owned()
            }
            Self::Network(network) => format!("set \"sandbox\": {{\"network\": {}}}", serde_json::json!(network)),
            Self::Readable(paths) => format!("set \"sandbox\": {{\"readOnly\": [{}]}}", list(paths)),
            Self::Writable(paths) => {
                format!("set \"sandbox\": {{\"caches\": [{}]}}, which gives each slot a copy", list(paths))
            }
            Self::Env(names) => format!("set \"sandbox\": {{\"env\": [{}]}}", quoted(names.iter().cloned())),
            Self::Project => "name files relative to the folder that the command starts in".to_owned(),
            Self::Several => "it needs more than one of 'sandbox.network', 'sandbox.readOnly', 'sandbox.caches' and \
                              'sandbox.env'; see docs/security.md"
                .to_owned(),
        }
    }
}

fn quoted(words: impl Iterator<Item = String>) -> String {
    words.map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

/// Names a path as a config does.
fn named(path: &Path, home: Option<&Path>) -> String {
    match home.and_then(|home| path.strip_prefix(home).ok()) {
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_narrowed_to_what_is_enough() {
        let mut runs = 0;
        let found = narrow((0..64).collect(), |items| {
            runs += 1;
            Ok(items.contains(&41))
        });
        assert_eq!(found.unwrap(), Some(vec![41]));
        assert!(runs <= 13, "{runs}");
        let both = |items: &[i32]| Ok(items.contains(&1) && items.contains(&6));
        assert_eq!(narrow((0..8).collect(), both).unwrap(), Some((0..8).collect()));
        assert_eq!(narrow(vec![1, 2], |_| Ok(false)).unwrap(), None);
    }

    #[test]
    fn paths_of_a_message_are_found_and_those_of_the_system_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let text = format!("open '{}/new.txt': denied, /usr/bin/env: no\n/no/such/place/at/all", folder.display());
        assert_eq!(paths_in(&text).collect::<Vec<_>>(), [folder]);
    }

    #[test]
    fn a_cure_names_the_home_as_a_config_does() {
        let need = Need::Readable(vec!["/home/u/.aws".into(), "/run/db".into()]);
        let cure = need.cure(&Step::Bench, Some(Path::new("/home/u")));
        assert_eq!(cure, "set \"sandbox\": {\"readOnly\": [\"~/.aws\", \"/run/db\"]}");
        assert_eq!(Need::Network(Network::Full).setting(&Step::Prepare), "prepare.network");
        assert_eq!(Need::Network(Network::Host).cure(&Step::Build, None), "set \"sandbox\": {\"network\": \"host\"}");
    }
}
