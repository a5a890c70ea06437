//! Finding the keywords `METRIC` and `INVARIANT` in a block of output, as fast as it can be read.

use memchr::memmem::Finder;

/// Bytes for each `RI` below which looking at every one costs more than a second search.
const DENSE: usize = 1 << 10;

/// Blocks that are searched twice after one in which `RI` was frequent.
const DENSE_BLOCKS: u32 = 63;

/// Finds keywords, wherever in a line they stand.
///
/// Both keywords contain `RI`, which ordinary output has seldom: one search finds both. Where the output has it often
/// (much upper case), the next blocks are searched for each keyword by itself, which costs the same whatever they hold.
pub(super) struct Search {
    both: Finder<'static>,
    metric: Finder<'static>,
    invariant: Finder<'static>,
    /// Blocks left to search for each keyword by itself.
    dense_blocks: u32,
    /// `RI` seen in this block.
    seen: usize,
    /// Where each keyword is next, in a block that is searched for each by itself.
    next: [Option<usize>; 2],
}

impl Search {
    pub(super) fn new() -> Self {
        Self {
            both: Finder::new("RI"),
            metric: Finder::new("METRIC"),
            invariant: Finder::new("INVARIANT"),
            dense_blocks: 0,
            seen: 0,
            next: [None; 2],
        }
    }

    /// Begins a block, of which what stands before `start` is passed over.
    pub(super) fn begin(&mut self, block: &[u8], start: usize) {
        self.seen = 0;
        self.dense_blocks = self.dense_blocks.saturating_sub(1);
        if self.dense_blocks > 0 {
            self.next = [find(&self.metric, block, start), find(&self.invariant, block, start)];
        }
    }

    /// Returns a place inside the next keyword that begins at `start` or later.
    pub(super) fn next(&mut self, block: &[u8], start: usize) -> Option<usize> {
        if self.dense_blocks > 0 { self.next_of_each(block, start) } else { self.next_of_both(block, start) }
    }

    fn next_of_each(&mut self, block: &[u8], start: usize) -> Option<usize> {
        for (next, finder) in self.next.iter_mut().zip([&self.metric, &self.invariant]) {
            if next.is_some_and(|at| at < start) {
                *next = find(finder, block, start);
            }
        }
        self.next.iter().flatten().min().copied()
    }

    fn next_of_both(&mut self, block: &[u8], start: usize) -> Option<usize> {
        let found = self.both.find_iter(&block[start..]).map(|at| start + at);
        let hit = found.inspect(|_| self.seen += 1).find(|at| is_keyword(block, *at));
        if hit.is_none() && self.seen > block.len() / DENSE {
            self.dense_blocks = DENSE_BLOCKS + 1;
        }
        hit
    }
}

fn find(finder: &Finder<'_>, block: &[u8], start: usize) -> Option<usize> {
    finder.find(&block[start..]).map(|at| start + at)
}

/// Says whether the `RI` found at this place is that of a keyword.
fn is_keyword(block: &[u8], hit: usize) -> bool {
    block[..hit].ends_with(b"MET") && block[hit..].starts_with(b"RIC")
        || block[..hit].ends_with(b"INVA") && block[hit..].starts_with(b"RIANT")
}
