//! Reads what one run of a check left: both outputs, then its JUnit files.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use super::cargo::Cargo;
use super::go::Go;
use super::javascript::JavaScript;
use super::junit::{self, JunitFiles};
use super::lines::each_line;
use super::nextest::Nextest;
use super::node::Node;
use super::pytest::Pytest;
use super::tally::TestInventory;
use crate::gate::GateError;

/// One form of test output, read line by line.
pub(super) trait Format {
    /// Takes in one line, without colours.
    fn line(&mut self, line: &str, into: &mut TestInventory);

    /// Takes note that another stream begins.
    fn end_of_stream(&mut self, _into: &mut TestInventory) {}

    /// Hands over what waited for the end of all streams.
    fn finish(&mut self, _into: &mut TestInventory) {}
}

/// The files that one run of a check left.
#[derive(Debug, Clone, Copy)]
pub struct CheckOutput<'a> {
    /// Standard output, whole.
    pub stdout: &'a Path,
    /// Standard error, whole.
    pub stderr: &'a Path,
    /// The JUnit files as they were before the run.
    pub before: &'a JunitFiles,
    /// Folders with what stands in place of each in the names of tests: paths that differ between the slots.
    pub folders: &'a [(String, &'static str)],
}

/// Reads which tests a check ran. A file named by `$AUTORESEARCH_JUNIT` that was written is the whole inventory.
pub fn read_inventory(output: CheckOutput<'_>) -> Result<TestInventory, GateError> {
    let mut told = TestInventory::default();
    for path in output.before.told() {
        junit::read(&path, output.folders, &mut told)?;
    }
    if !told.is_empty() {
        return Ok(told);
    }
    let mut found = printed(&[output.stdout, output.stderr], output.folders)?;
    for path in output.before.written_since() {
        junit::read(&path, output.folders, &mut told)?;
    }
    found.merge(&told);
    Ok(found)
}

fn printed(streams: &[&Path], folders: &[(String, &'static str)]) -> Result<TestInventory, GateError> {
    let mut formats = formats();
    let mut found = TestInventory::default();
    for path in streams {
        let file = File::open(path).map_err(GateError::io("read", *path))?;
        read_stream(BufReader::new(file), folders, (&mut formats, &mut found)).map_err(GateError::io("read", *path))?;
    }
    for format in &mut formats {
        format.finish(&mut found);
    }
    Ok(found)
}

/// Returns every form of output that is recognised by its lines.
pub(super) fn formats() -> [Box<dyn Format>; 6] {
    [
        Box::<Cargo>::default(),
        Box::<Nextest>::default(),
        Box::<Go>::default(),
        Box::<Pytest>::default(),
        Box::<JavaScript>::default(),
        Box::<Node>::default(),
    ]
}

/// Reads one stream to its end.
pub(super) fn read_stream(
    stream: impl io::BufRead,
    folders: &[(String, &'static str)],
    (formats, found): (&mut [Box<dyn Format>], &mut TestInventory),
) -> io::Result<()> {
    each_line(stream, |line| {
        let line = without_folders(line, folders);
        for format in formats.iter_mut() {
            format.line(&line, found);
        }
    })?;
    for format in formats.iter_mut() {
        format.end_of_stream(found);
    }
    Ok(())
}

/// Puts the same word in place of a folder in both slots.
pub(super) fn without_folders<'t>(text: &'t str, folders: &[(String, &'static str)]) -> std::borrow::Cow<'t, str> {
    let mut text = std::borrow::Cow::Borrowed(text);
    for (folder, word) in folders {
        if text.contains(folder.as_str()) {
            text = text.replace(folder.as_str(), word).into();
        }
    }
    text
}
