//! The environment of a command: a short list of what may pass, and private folders for the rest.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::ProcessError;

/// Variables that name a build folder or a place for results that all checkouts would share. They never reach a
/// command, not even when `sandbox.env` lists them: the two arms would build into the same folder.
pub const SHARED_BUILD_FOLDERS: [&str; 6] = [
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_BUILD_BUILD_DIR",
    "CARGO_INSTALL_ROOT",
    "GOBIN",
    "PYTHONPYCACHEPREFIX",
];

/// Variables that pass unchanged; every `LC_*` does too.
const PASSED: [&str; 6] = ["PATH", "LANG", "LANGUAGE", "TZ", "USER", "LOGNAME"];

/// Caches and settings of tools, below the private home.
const BELOW_HOME: [(&str, &str); 11] = [
    ("CARGO_HOME", ".cargo"),
    ("GOCACHE", ".cache/go-build"),
    ("GOMODCACHE", "go/pkg/mod"),
    ("GOPATH", "go"),
    ("PIP_CACHE_DIR", ".cache/pip"),
    ("UV_CACHE_DIR", ".cache/uv"),
    ("XDG_CACHE_HOME", ".cache"),
    ("XDG_CONFIG_HOME", ".config"),
    ("XDG_DATA_HOME", ".local/share"),
    ("XDG_STATE_HOME", ".local/state"),
    ("npm_config_cache", ".npm"),
];

/// The private folders of one slot and the variables that its commands see.
#[derive(Debug, Clone)]
pub struct Environment<'a> {
    /// The slot's own `HOME`; caches and settings of tools lie below it.
    pub home: &'a Path,
    /// The slot's own `TMPDIR`.
    pub tmp: &'a Path,
    /// Names of `sandbox.env`: further variables that pass where they are set.
    pub names: &'a [String],
    /// Variables to add, as `AUTORESEARCH_*`; they win over everything else.
    pub added: &'a [(OsString, OsString)],
}

impl Environment<'_> {
    /// Makes the private folders where they are missing, and seeds the slot's `CARGO_HOME` with the user's cargo
    /// configuration, without its shared build folders. `own` is the environment of this program.
    pub fn create_folders(&self, own: impl IntoIterator<Item = (OsString, OsString)>) -> Result<(), ProcessError> {
        let cargo_home = self.home.join(".cargo");
        for folder in [self.home, self.tmp, &cargo_home] {
            fs::create_dir_all(folder).map_err(|source| ProcessError::Folder { path: folder.to_owned(), source })?;
        }
        let own: BTreeMap<OsString, OsString> = own.into_iter().collect();
        let Some(user_cargo) = folder_of(&own, "CARGO_HOME", ".cargo") else { return Ok(()) };
        let seed = cargo_home.join("config.toml");
        seed_cargo_config(&user_cargo, &seed).map_err(|source| ProcessError::Folder { path: seed, source })
    }

    /// Returns the complete environment, sorted by name. `own` is the environment of this program.
    ///
    /// What passes: `PATH`, `LANG`, `LANGUAGE`, `LC_*`, `TZ`, `USER`, `LOGNAME` and the names of `sandbox.env`. What
    /// is set: `TERM=dumb`, `HOME`, `TMPDIR`, the caches of cargo, Go, npm, pip and uv and the XDG folders below
    /// `HOME`, and `RUSTUP_HOME` where the user has one. All else is dropped, [`SHARED_BUILD_FOLDERS`] always.
    pub fn variables(&self, own: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<(OsString, OsString)> {
        let own: BTreeMap<OsString, OsString> = own.into_iter().collect();
        let mut variables: BTreeMap<OsString, OsString> = BTreeMap::new();
        variables.insert("TERM".into(), "dumb".into());
        if let Some(rustup) = folder_of(&own, "RUSTUP_HOME", ".rustup").filter(|folder| folder.is_dir()) {
            variables.insert("RUSTUP_HOME".into(), rustup.into());
        }
        let passing = own.iter().filter(|(name, _)| self.passes(name));
        variables.extend(passing.map(|(name, value)| (name.clone(), value.clone())));
        variables.insert("HOME".into(), self.home.into());
        variables.insert("TMPDIR".into(), self.tmp.into());
        variables.extend(BELOW_HOME.map(|(name, folder)| (name.into(), self.home.join(folder).into())));
        variables.extend(self.added.iter().cloned());
        variables.into_iter().collect()
    }

    fn passes(&self, name: &OsStr) -> bool {
        let Some(name) = name.to_str() else { return false };
        let listed = PASSED.contains(&name) || name.starts_with("LC_") || self.names.iter().any(|n| n == name);
        listed && !SHARED_BUILD_FOLDERS.contains(&name)
    }
}

/// Returns the folder that a variable names, or its usual place in the user's home.
pub(super) fn folder_of(own: &BTreeMap<OsString, OsString>, name: &str, usual: &str) -> Option<PathBuf> {
    let named = own.get(OsStr::new(name)).filter(|value| !value.is_empty()).map(PathBuf::from);
    named.or_else(|| own.get(OsStr::new("HOME")).map(|home| Path::new(home).join(usual)))
}

/// Copies the user's cargo configuration once; credentials stay where they are.
fn seed_cargo_config(user_cargo: &Path, seed: &Path) -> io::Result<()> {
    if seed.exists() {
        return Ok(());
    }
    for name in ["config.toml", "config"] {
        match fs::read_to_string(user_cargo.join(name)) {
            Ok(text) => return fs::write(seed, without_shared_folders(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Comments out the lines that name a build folder for every checkout.
fn without_shared_folders(config: &str) -> String {
    let names_folder = |line: &str| {
        let key = line.split('=').next().unwrap_or_default().trim().trim_start_matches("build.");
        line.contains('=') && matches!(key, "target-dir" | "build-dir")
    };
    let keep = |line: &str| if names_folder(line) { format!("# not shared: {line}\n") } else { format!("{line}\n") };
    config.lines().map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        list.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    fn variables(own: &[(&str, &str)], names: &[&str], added: &[(&str, &str)]) -> BTreeMap<String, String> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let (home, tmp) = (Path::new("/slot/home"), Path::new("/slot/tmp"));
        let environment = Environment { home, tmp, names: &names, added: &pairs(added) };
        let text = |value: OsString| value.into_string().unwrap();
        environment.variables(pairs(own)).into_iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    #[test]
    fn only_listed_variables_pass() {
        let own = [("PATH", "/bin"), ("LC_ALL", "C"), ("SECRET_TOKEN", "x"), ("RUSTFLAGS", "-g"), ("HOME", "/me")];
        let seen = variables(&own, &["RUSTFLAGS"], &[("AUTORESEARCH_ARM", "candidate")]);
        let expected = [("PATH", "/bin"), ("LC_ALL", "C"), ("RUSTFLAGS", "-g"), ("AUTORESEARCH_ARM", "candidate")];
        for (name, value) in expected {
            assert_eq!(seen.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(!seen.contains_key("SECRET_TOKEN"));
        assert_eq!((seen["HOME"].as_str(), seen["TMPDIR"].as_str()), ("/slot/home", "/slot/tmp"));
        assert_eq!(seen["CARGO_HOME"], "/slot/home/.cargo");
    }

    #[test]
    fn shared_build_folders_never_pass_even_when_listed() {
        let seen = variables(&[("CARGO_TARGET_DIR", "/shared")], &["CARGO_TARGET_DIR"], &[]);
        assert!(!seen.contains_key("CARGO_TARGET_DIR"));
    }

    #[test]
    fn the_toolchains_of_the_user_are_found_where_they_are() {
        let home = tempfile::tempdir().unwrap();
        let own = [("HOME", home.path().to_str().unwrap())];
        assert!(!variables(&own, &[], &[]).contains_key("RUSTUP_HOME"));
        fs::create_dir(home.path().join(".rustup")).unwrap();
        assert_eq!(variables(&own, &[], &[])["RUSTUP_HOME"], home.path().join(".rustup").to_str().unwrap());
    }

    #[test]
    fn a_slot_gets_the_users_cargo_configuration_without_its_shared_folder() {
        let root = tempfile::tempdir().unwrap();
        let user = root.path().join("user/.cargo");
        fs::create_dir_all(&user).unwrap();
        fs::write(user.join("config.toml"), "[build]\ntarget-dir = \"/shared\"\njobs = 2\n").unwrap();
        let (home, tmp) = (root.path().join("slot/home"), root.path().join("slot/tmp"));
        let environment = Environment { home: &home, tmp: &tmp, names: &[], added: &[] };
        environment.create_folders([("HOME".into(), root.path().join("user").into())]).unwrap();
        let seeded = fs::read_to_string(home.join(".cargo/config.toml")).unwrap();
        assert_eq!(seeded, "[build]\n# not shared: target-dir = \"/shared\"\njobs = 2\n");
        assert!(tmp.is_dir());
    }
}
