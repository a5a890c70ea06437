//! A write batch: entries in the order of their writing, and where each one starts.

use crate::format::{get_entry, put_entry, Entry};

/// Entries that are committed together.
#[derive(Default)]
pub struct Batch {
    data: Vec<u8>,
    offsets: Vec<u32>,
}

impl Batch {
    /// Makes an empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value for a key.
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        let value = Some(value);
        self.push(Entry { key, value });
    }

    /// Adds the deletion of a key.
    pub fn delete(&mut self, key: &[u8]) {
        self.push(Entry { key, value: None });
    }

    /// Says whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Returns the entries as the log stores them.
    pub fn bytes(&self) -> &[u8] {
        &self.data
    }

    /// Returns where each entry starts, in the order of writing.
    pub fn offsets(&self) -> &[u32] {
        &self.offsets
    }

    /// Returns the entry that starts at an offset of this batch.
    pub fn entry(&self, offset: u32) -> Entry<'_> {
        let mut at = offset as usize;
        get_entry(&self.data, &mut at).expect("an offset of this batch")
    }

    fn push(&mut self, entry: Entry<'_>) {
        self.offsets.push(self.data.len() as u32);
        put_entry(&mut self.data, entry);
    }
}
