//! Which ecosystem a checkout belongs to.

use std::fmt;

use super::proposal::StarterError;
use super::toml_lines::has_section;
use super::tree::Tree;

/// The build and test tools of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ecosystem {
    /// Rust with Cargo.
    Cargo,
    /// Go modules.
    Go,
    /// JavaScript or TypeScript with npm.
    Npm,
    /// JavaScript or TypeScript with pnpm.
    Pnpm,
    /// Python with a virtual environment and pip.
    Pytest,
    /// Python with uv.
    Uv,
    /// Ruby with bundler.
    Bundler,
    /// C or C++ with `CMake`.
    CMake,
    /// Anything with a Makefile.
    Make,
    /// Nothing that is known.
    Generic,
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cargo => "Cargo",
            Self::Go => "Go",
            Self::Npm => "npm",
            Self::Pnpm => "pnpm",
            Self::Pytest => "Python (venv, pip)",
            Self::Uv => "Python (uv)",
            Self::Bundler => "Ruby (bundler)",
            Self::CMake => "CMake",
            Self::Make => "Make",
            Self::Generic => "unknown",
        })
    }
}

/// Files in the root that tell an ecosystem.
const MANIFESTS: [&str; 13] = [
    "Cargo.toml",
    "go.mod",
    "pyproject.toml",
    "setup.py",
    "package.json",
    "Gemfile",
    "CMakeLists.txt",
    "requirements.txt",
    "pytest.ini",
    "conftest.py",
    "Makefile",
    "GNUmakefile",
    "makefile",
];

/// The names under which make looks for its file.
pub(super) const MAKEFILES: [&str; 3] = ["GNUmakefile", "makefile", "Makefile"];

/// Picks the ecosystem that builds the project itself; a Makefile or package.json beside it is mostly for chores.
pub(super) fn detect(tree: &Tree) -> Result<Ecosystem, StarterError> {
    Ok(if tree.has("Cargo.toml") {
        Ecosystem::Cargo
    } else if tree.has("go.mod") {
        Ecosystem::Go
    } else if tree.has("uv.lock") {
        Ecosystem::Uv
    } else if is_python_package(tree)? {
        Ecosystem::Pytest
    } else if tree.has("package.json") {
        if tree.has("pnpm-lock.yaml") { Ecosystem::Pnpm } else { Ecosystem::Npm }
    } else if tree.has("Gemfile") {
        Ecosystem::Bundler
    } else if tree.has("CMakeLists.txt") {
        Ecosystem::CMake
    } else if tree.first_of(&["pyproject.toml", "requirements.txt", "pytest.ini", "conftest.py"]).is_some() {
        Ecosystem::Pytest
    } else if tree.first_of(&MAKEFILES).is_some() {
        Ecosystem::Make
    } else {
        Ecosystem::Generic
    })
}

/// A pyproject.toml alone may only configure a formatter; one with a project in it is a package.
fn is_python_package(tree: &Tree) -> Result<bool, StarterError> {
    let text = tree.text("pyproject.toml")?;
    Ok(tree.has("setup.py") || has_section(&text, "project") || has_section(&text, "tool.poetry"))
}

/// Says what else was found, so that a wrong guess is seen: other manifests in the root, manifests one folder down.
pub(super) fn other_manifests(tree: &Tree, chosen: Ecosystem) -> Vec<String> {
    let own: &[&str] = match chosen {
        Ecosystem::Cargo => &["Cargo.toml"],
        Ecosystem::Go => &["go.mod"],
        Ecosystem::Npm | Ecosystem::Pnpm => &["package.json"],
        Ecosystem::Pytest | Ecosystem::Uv => {
            &["pyproject.toml", "setup.py", "requirements.txt", "pytest.ini", "conftest.py"]
        }
        Ecosystem::Bundler => &["Gemfile"],
        Ecosystem::CMake => &["CMakeLists.txt"],
        Ecosystem::Make => &MAKEFILES,
        Ecosystem::Generic => &[],
    };
    let below = |file: &str| {
        let mut parts = file.split('/');
        parts.next().is_some() && parts.next().is_some_and(|name| MANIFESTS.contains(&name)) && parts.next().is_none()
    };
    let beside = MANIFESTS.iter().filter(|name| tree.has(name) && !own.contains(name)).map(ToString::to_string);
    match chosen {
        Ecosystem::Generic => beside.chain(tree.files().filter(|file| below(file)).map(str::to_owned)).collect(),
        Ecosystem::Cargo
        | Ecosystem::Go
        | Ecosystem::Npm
        | Ecosystem::Pnpm
        | Ecosystem::Pytest
        | Ecosystem::Uv
        | Ecosystem::Bundler
        | Ecosystem::CMake
        | Ecosystem::Make => beside.collect(),
    }
}
