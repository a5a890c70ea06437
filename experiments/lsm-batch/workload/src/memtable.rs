//! The memtable: recent entries in key order.

use crate::format::Entry;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Entries that are in the log but not yet in a table.
#[derive(Default)]
pub(crate) struct Memtable {
    map: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
}

impl Memtable {
    pub(crate) fn insert(&mut self, entry: Entry<'_>) {
        let value = entry.value.map(<[u8]>::to_vec);
        self.bytes += entry.key.len() + value.as_ref().map_or(0, Vec::len) + 48;
        self.map.insert(entry.key.to_vec(), value);
    }

    /// Returns what is known of a key: nothing, a deletion, or a value.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.map.get(key).map(Option::as_deref)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Iterates in key order from the first key that is not below `start`.
    pub(crate) fn iter_from<'a>(&'a self, start: &[u8]) -> impl Iterator<Item = Entry<'a>> {
        let range = (Bound::Included(start), Bound::Unbounded);
        let pairs = self.map.range::<[u8], _>(range);
        pairs.map(|(key, value)| Entry {
            key,
            value: value.as_deref(),
        })
    }
}
