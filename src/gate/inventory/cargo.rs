//! `cargo test`: blocks of `test name ... ok`, one block for each test binary.
//!
//! The binaries' names are on standard error and the tests on standard output. Cargo runs one binary after another, so
//! the n-th name belongs to the n-th block; where their numbers differ, the tests stand without a binary.

use std::sync::LazyLock;

use regex::Regex;

use super::read::Format;
use super::tally::{TestInventory, Times};

/// Most tests held before they are handed over.
const HELD_MAX: usize = 200_000;

static BINARY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^\s*Running (?:(?P<source>[^(`]+?) )?[(`](?P<path>[^)` ]+)").ok());
static BEGIN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^running \d+ tests?$").ok());
static LINE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r" \(line \d+\)").ok());
static RESULT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^test result: \S+ (\d+) passed; (\d+) failed; (\d+) ignored; (\d+) measured").ok());

/// The tests of one binary.
#[derive(Debug, Default)]
struct Block {
    binary: Option<String>,
    /// Names with whether each was ignored.
    tests: Vec<(String, bool)>,
    /// Tests of a block that prints none of its names.
    counted: Times,
}

/// Reads the output of `cargo test`.
#[derive(Debug, Default)]
pub(super) struct Cargo {
    binaries: Vec<String>,
    blocks: Vec<Block>,
    /// The binary named last in this very stream, which the next block belongs to.
    named: Option<String>,
    open: bool,
    held: usize,
}

impl Format for Cargo {
    fn line(&mut self, line: &str, _: &mut TestInventory) {
        if self.open {
            self.inside(line);
        } else if BEGIN.as_ref().is_some_and(|begin| begin.is_match(line)) {
            self.blocks.push(Block { binary: self.named.take(), ..Block::default() });
            self.open = true;
        } else if let Some(binary) = binary(line) {
            self.binaries.push(binary.clone());
            self.named = Some(binary);
        }
    }

    fn end_of_stream(&mut self, _: &mut TestInventory) {
        (self.open, self.named) = (false, None);
    }

    fn finish(&mut self, into: &mut TestInventory) {
        let loose = self.blocks.iter().filter(|block| block.binary.is_none()).count();
        if loose == self.blocks.len() && loose == self.binaries.len() {
            for (block, binary) in self.blocks.iter_mut().zip(&self.binaries) {
                block.binary = Some(binary.clone());
            }
        }
        for block in &self.blocks {
            into.unassigned |= block.binary.is_none() && (!block.tests.is_empty() || block.counted.ran > 0);
            let suite = block.binary.as_deref().unwrap_or_default();
            for (name, ignored) in &block.tests {
                into.add(suite, name, Times { ran: u64::from(!ignored), skipped: u64::from(*ignored) });
            }
            into.add(suite, "", block.counted);
        }
    }
}

impl Cargo {
    fn inside(&mut self, line: &str) {
        if let Some(counts) = RESULT.as_ref().and_then(|result| result.captures(line)) {
            let count = |at: usize| counts[at].parse::<u64>().unwrap_or(0);
            self.open = false;
            if let Some(block) = self.blocks.last_mut().filter(|block| block.tests.is_empty()) {
                block.counted = Times { ran: count(1) + count(2) + count(4), skipped: count(3) };
            }
            return;
        }
        let Some((name, outcome)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ")) else {
            return;
        };
        if self.held < HELD_MAX
            && let Some(block) = self.blocks.last_mut()
        {
            self.held += 1;
            block.tests.push((plain(name), outcome.starts_with("ignored")));
        }
    }
}

/// Returns the binary that a line announces, without the hash of its build.
fn binary(line: &str) -> Option<String> {
    if let Some(library) = line.trim_start().strip_prefix("Doc-tests ") {
        return Some(format!("doc-tests {}", library.trim()));
    }
    let found = BINARY.as_ref()?.captures(line)?;
    let file = found["path"].rsplit(['/', '\\']).next()?.trim_end_matches(".exe");
    let stem =
        file.rsplit_once('-').filter(|(_, hash)| hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
    let stem = stem.map_or(file, |(stem, _)| stem);
    Some(match found.name("source") {
        Some(source) => format!("{stem} {}", source.as_str().trim()),
        None => stem.to_owned(),
    })
}

/// Takes out of a test's name what is no part of it: the line of a doc-test moves with every edit above it.
fn plain(name: &str) -> String {
    let name = name.strip_suffix(" - should panic").unwrap_or(name);
    LINE.as_ref().map_or_else(|| name.to_owned(), |line| line.replace(name, "").into_owned())
}
