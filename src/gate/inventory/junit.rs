//! JUnit XML: which files a run of a check wrote, and the test cases in them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::read::without_folders;
use super::tally::{TestInventory, Times};
use crate::gate::GateError;

/// Bytes of one file that are read.
const FILE_MAX: u64 = 64 << 20;

/// Files that are looked at; a folder with more has the rest left out.
const FILES_MAX: usize = 4096;

/// Folders below `build/test-results` that are gone into.
const DEPTH_MAX: usize = 4;

/// When a file was written, and its length.
type Stamp = (Option<SystemTime>, u64);

/// The JUnit files of a slot as they were before a check, to tell those that it wrote.
#[derive(Debug, Clone, Default)]
pub struct JunitFiles {
    /// The folder in which the well-known places are.
    dir: PathBuf,
    /// The file, or folder of files, that `$AUTORESEARCH_JUNIT` names.
    named: PathBuf,
    before: BTreeMap<PathBuf, Stamp>,
}

impl JunitFiles {
    /// Removes what an earlier run left at the path of `$AUTORESEARCH_JUNIT`, and notes the well-known files.
    pub fn before_run(dir: &Path, named: &Path) -> Result<Self, GateError> {
        let removed = if named.is_dir() { fs::remove_dir_all(named) } else { fs::remove_file(named) };
        match removed {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(GateError::io("remove", named)(source));
            }
            _ => {}
        }
        let mut files = Self { dir: dir.to_owned(), named: named.to_owned(), before: BTreeMap::new() };
        files.before = files.well_known();
        Ok(files)
    }

    /// Returns the files at the path of `$AUTORESEARCH_JUNIT`.
    pub(super) fn told(&self) -> Vec<PathBuf> {
        let mut found = BTreeMap::new();
        if is_plain(&self.named, fs::Metadata::is_dir) {
            below(&self.named, DEPTH_MAX, &mut found);
        } else {
            add(&self.named, &mut found);
        }
        found.into_keys().collect()
    }

    /// Returns the well-known files that are not as they were before.
    pub(super) fn written_since(&self) -> Vec<PathBuf> {
        let fresh = |(path, stamp): (PathBuf, Stamp)| (self.before.get(&path) != Some(&stamp)).then_some(path);
        self.well_known().into_iter().filter_map(fresh).collect()
    }

    fn well_known(&self) -> BTreeMap<PathBuf, Stamp> {
        let mut found = BTreeMap::new();
        add(&self.dir.join("junit.xml"), &mut found);
        for profile in entries(&self.dir.join("target/nextest")) {
            add(&profile.join("junit.xml"), &mut found);
        }
        below(&self.dir.join("build/test-results"), DEPTH_MAX, &mut found);
        below(&self.dir.join("target/surefire-reports"), 1, &mut found);
        found
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).into_iter().flatten();
    listed.filter_map(|entry| Some(entry.ok()?.path())).take(FILES_MAX).collect()
}

fn below(folder: &Path, depth: usize, found: &mut BTreeMap<PathBuf, Stamp>) {
    for path in entries(folder) {
        if is_plain(&path, fs::Metadata::is_dir) && depth > 1 {
            below(&path, depth - 1, found);
        } else if path.extension().is_some_and(|ending| ending == "xml") && found.len() < FILES_MAX {
            add(&path, found);
        }
    }
}

fn add(path: &Path, found: &mut BTreeMap<PathBuf, Stamp>) {
    if let Ok(metadata) = fs::symlink_metadata(path)
        && metadata.is_file()
    {
        found.insert(path.to_owned(), (metadata.modified().ok(), metadata.len()));
    }
}

/// Says whether a path is of a kind, and no link to one: a link could lead out of the slot.
fn is_plain(path: &Path, kind: impl FnOnce(&fs::Metadata) -> bool) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| kind(&metadata))
}

/// Reads the test cases of one file.
pub(super) fn read(path: &Path, folders: &[(String, &'static str)], into: &mut TestInventory) -> Result<(), GateError> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(GateError::io("read", path))?;
    file.take(FILE_MAX).read_to_end(&mut bytes).map_err(GateError::io("read", path))?;
    cases(&without_folders(&String::from_utf8_lossy(&bytes), folders), into);
    Ok(())
}

/// A `testcase` whose end has not come.
struct Case {
    suite: String,
    name: String,
    skipped: bool,
}

/// Notes every `testcase` of a document; one with a `skipped` element did not run.
pub(super) fn cases(document: &str, into: &mut TestInventory) {
    let mut open: Option<Case> = None;
    let mut rest = document;
    while let Some(tag) = next_tag(&mut rest) {
        let (name, closed) = (tag.split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default(), tag.ends_with('/'));
        match name {
            "testcase" => {
                note(open.take(), into);
                let (suite, test) = (attribute(tag, "classname"), attribute(tag, "name"));
                let skipped = attribute(tag, "status").is_some_and(|status| matches!(&*status, "skipped" | "notrun"));
                let case = Case { suite: suite.unwrap_or_default(), name: test.unwrap_or_default(), skipped };
                if closed { note(Some(case), into) } else { open = Some(case) }
            }
            "skipped" => open.iter_mut().for_each(|case| case.skipped = true),
            "" if tag.starts_with("/testcase") => note(open.take(), into),
            _ => {}
        }
    }
}

fn note(case: Option<Case>, into: &mut TestInventory) {
    if let Some(Case { suite, name, skipped }) = case {
        into.add(&suite, &name, Times { ran: u64::from(!skipped), skipped: u64::from(skipped) });
    }
}

/// Returns the inside of the next tag; comments, declarations and `CDATA` are passed over.
fn next_tag<'t>(rest: &mut &'t str) -> Option<&'t str> {
    loop {
        let start = rest.find('<')?;
        let text = &rest[start..];
        let skipped = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("<!", ">")];
        if let Some((_, end)) = skipped.iter().find(|(begin, _)| text.starts_with(begin)) {
            *rest = &text[text.find(end)? + end.len()..];
            continue;
        }
        let end = tag_end(text)?;
        *rest = &text[end + 1..];
        return Some(&text[1..end]);
    }
}

/// Returns where a tag ends: at the first `>` outside quotes.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    text.bytes().position(|byte| match (quote, byte) {
        (None, b'>') => true,
        (None, b'"' | b'\'') => {
            quote = Some(byte);
            false
        }
        (Some(open), byte) if open == byte => {
            quote = None;
            false
        }
        (None | Some(_), _) => false,
    })
}

/// Returns the value of an attribute, with its entities resolved.
fn attribute(tag: &str, wanted: &str) -> Option<String> {
    let mut rest = tag.split_once([' ', '\t', '\r', '\n'])?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = after[1..].split_once(quote)?;
        if name.trim() == wanted {
            return Some(unescaped(value));
        }
        rest = after;
    }
}

fn unescaped(value: &str) -> String {
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    named.iter().fold(value.to_owned(), |value, (entity, sign)| value.replace(entity, sign))
}
