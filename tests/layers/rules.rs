//! Which path a module may write: the table of modules, and the owners of third-party crates.

use crate::paths::{Form, Found, Written};

/// A module and what it may import. A module imports only from rows above its own.
pub(crate) struct Row {
    /// The module.
    pub(crate) module: &'static str,
    /// What it may import.
    pub(crate) imports: &'static [&'static str],
}

const fn row(module: &'static str, imports: &'static [&'static str]) -> Row {
    Row { module, imports }
}

/// The modules, from the bottom to the top.
pub(crate) const TABLE: [Row; 17] = [
    row("domain", &[]),
    row("stats", &["domain"]),
    row("policy", &["domain"]),
    row("state", &["domain"]),
    row("config", &["domain"]),
    row("journal", &["domain"]),
    row("host", &["domain"]),
    row("process", &["domain"]),
    row("git", &["domain", "process"]),
    row("ideas", &["domain", "state"]),
    row("gate", &["domain", "process", "git"]),
    row("measure", &["domain", "process", "host"]),
    row("propose", &["domain", "state", "process", "git", "ideas"]),
    row("import", &["domain", "journal"]),
    row(
        "engine",
        &[
            "domain", "stats", "policy", "state", "config", "journal", "host", "process", "git", "ideas", "gate",
            "measure", "propose", "import",
        ],
    ),
    row("report", &["domain", "state", "stats", "ideas"]),
    row(
        "cli",
        &[
            "domain", "state", "stats", "config", "journal", "host", "process", "git", "ideas", "measure", "propose",
            "import", "engine", "report",
        ],
    ),
];

/// Third-party crates that every module may use.
pub(crate) const VOCABULARY: [&str; 8] =
    ["serde", "serde_json", "thiserror", "regex", "jiff", "uuid", "blake3", "tempfile"];

/// Every other third-party crate with the modules that own it; its types do not leave them.
pub(crate) const OWNERS: [(&str, &[&str]); 21] = [
    ("git2", &["git"]),
    ("duct", &["process"]),
    ("libc", &["process"]),
    ("landlock", &["process"]),
    ("seccompiler", &["process"]),
    ("rustix", &["process", "host"]),
    ("schemars", &["config"]),
    ("statrs", &["stats"]),
    ("mailparse", &["propose"]),
    ("globset", &["gate"]),
    ("pulldown_cmark", &["ideas"]),
    ("memchr", &["measure"]),
    ("comfy_table", &["report"]),
    ("maud", &["report"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("anstream", &["cli"]),
    ("anstyle", &["cli"]),
    ("indicatif", &["cli"]),
    ("include_dir", &["cli"]),
];

/// Crates for tests only. Test code may use them everywhere, because they test every module and reach no user;
/// in all else it is held to the same rules as the code that it tests.
pub(crate) const DEVELOPMENT: [&str; 6] = ["assert_cmd", "divan", "insta", "proc_macro2", "proptest", "syn"];

/// A rule that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// A module imports one that its row does not list.
    Import,
    /// A module, or a path into one, that the table does not have.
    UnknownModule,
    /// The crate's root under another name, or everything in it.
    WholeCrate,
    /// A third-party crate outside the module that owns it.
    Owner,
    /// A third-party crate's name passed on by its owner.
    Reexport,
    /// A crate for tests in what users run.
    Development,
    /// A module in a file that is not its own.
    MovedModule,
}

/// A broken rule and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// The line.
    pub(crate) line: usize,
    /// The rule.
    pub(crate) rule: Rule,
    /// The path, for people.
    pub(crate) path: String,
}

/// Judges everything that a file contains.
pub(crate) fn judge(found: &Found) -> Vec<Violation> {
    let moved = found.moved_modules.iter().map(|line| violation(*line, Rule::MovedModule, "#[path]"));
    let mut all: Vec<_> = found.paths.iter().filter_map(judge_path).chain(moved).collect();
    all.sort();
    all.dedup();
    all
}

fn violation(line: usize, rule: Rule, path: &str) -> Violation {
    Violation { line, rule, path: path.to_owned() }
}

fn judge_path(path: &Written) -> Option<Violation> {
    let broken = |rule| violation(path.line, rule, &path.segments.join("::"));
    match resolve(path) {
        Target::Module(to) => judge_import(path, &to).map(broken),
        Target::Root if path.form == Form::Plain => None,
        Target::Root => Some(broken(Rule::WholeCrate)),
        Target::Outside(name) => judge_crate(path, &name).map(broken),
        Target::Here => None,
    }
}

/// What a path leads to.
enum Target {
    /// A module of the table, or what claims to be one.
    Module(String),
    /// The crate's root itself.
    Root,
    /// Another crate.
    Outside(String),
    /// Something in the module itself.
    Here,
}

fn resolve(path: &Written) -> Target {
    let mut base = path.module.clone();
    let mut rest = path.segments.as_slice();
    match rest.first().map(String::as_str) {
        Some("crate" | "autoresearch") => {
            base.clear();
            rest = &rest[1..];
        }
        Some("self") => rest = &rest[1..],
        Some("super") => {
            while rest.first().is_some_and(|segment| segment == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
        Some(name) if is_crate(name) && (path.is_global || path.form != Form::Plain || rest.len() > 1) => {
            return Target::Outside(name.to_owned());
        }
        Some(name) if base.is_empty() && rest.len() > 1 && has_row(name) => return Target::Module(name.to_owned()),
        Some(_) | None => return Target::Here,
    }
    let name = base.first().or(rest.first().filter(|name| *name != "*" && *name != "self"));
    name.map_or(Target::Root, |name| Target::Module(name.clone()))
}

fn judge_import(path: &Written, to: &str) -> Option<Rule> {
    match path.module.first().map(String::as_str) {
        // The root of the library and the program; only the program imports, and only the top.
        None if to == "cli" => None,
        Some(from) if from == to => None,
        _ if !has_row(to) => Some(Rule::UnknownModule),
        Some(from) => match TABLE.iter().find(|row| row.module == from) {
            Some(row) if row.imports.contains(&to) => None,
            Some(_) => Some(Rule::Import),
            None => Some(Rule::UnknownModule),
        },
        None => Some(Rule::Import),
    }
}

fn judge_crate(path: &Written, name: &str) -> Option<Rule> {
    let module = path.module.first().map_or("", String::as_str);
    if VOCABULARY.contains(&name) {
        return None;
    }
    if DEVELOPMENT.contains(&name) {
        return (!path.in_test).then_some(Rule::Development);
    }
    let owners = OWNERS.iter().find(|(owned, _)| *owned == name).map_or(&[][..], |(_, owners)| *owners);
    match owners.contains(&module) {
        false => Some(Rule::Owner),
        true if path.form == Form::Reexport => Some(Rule::Reexport),
        true => None,
    }
}

fn has_row(name: &str) -> bool {
    TABLE.iter().any(|row| row.module == name)
}

fn is_crate(name: &str) -> bool {
    VOCABULARY.contains(&name) || DEVELOPMENT.contains(&name) || OWNERS.iter().any(|(owned, _)| *owned == name)
}
