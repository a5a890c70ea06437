//! The merge of several sorted sources; the newest source decides about a key.

use crate::format::Entry;

/// Sorted entries of one memtable or table.
pub(crate) type Source<'a> = Box<dyn Iterator<Item = Entry<'a>> + 'a>;

/// Iterates over the newest entry of every key, deletions included.
pub(crate) struct Merge<'a> {
    sources: Vec<Source<'a>>,
    heads: Vec<Option<Entry<'a>>>,
}

impl<'a> Merge<'a> {
    /// Makes a merge of sources that are given newest first.
    pub(crate) fn new(mut sources: Vec<Source<'a>>) -> Self {
        let heads = sources.iter_mut().map(Iterator::next).collect();
        Self { sources, heads }
    }
}

impl<'a> Iterator for Merge<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let newest = |best: Entry<'a>, next: Entry<'a>| match next.key < best.key {
            true => next,
            false => best,
        };
        let first = self.heads.iter().flatten().copied().reduce(newest)?;
        for (head, source) in self.heads.iter_mut().zip(&mut self.sources) {
            if head.is_some_and(|entry| entry.key == first.key) {
                *head = source.next();
            }
        }
        Some(first)
    }
}
