//! Sorted tables: blocks with checksums, a sparse index, and a footer.

use crate::crc::crc32;
use crate::error::{Error, Result};
use crate::format::{get_bytes, get_entry, get_u32, get_varint, put_bytes, put_entry, put_varint};
use crate::format::{Entry, FOOTER_BYTES, TABLE_MAGIC};
use std::ops::Range;

/// Writes a table, one entry after another in key order.
pub(crate) struct Builder {
    data: Vec<u8>,
    index: Vec<u8>,
    block_start: usize,
    block_bytes: usize,
    first_key: Vec<u8>,
    entries: u32,
}

impl Builder {
    pub(crate) fn new(block_bytes: usize) -> Self {
        Self {
            data: Vec::new(),
            index: Vec::new(),
            block_start: 0,
            block_bytes,
            first_key: Vec::new(),
            entries: 0,
        }
    }

    pub(crate) fn add(&mut self, entry: Entry<'_>) {
        if self.data.len() == self.block_start {
            self.first_key.clear();
            self.first_key.extend_from_slice(entry.key);
        }
        put_entry(&mut self.data, entry);
        self.entries += 1;
        if self.data.len() - self.block_start >= self.block_bytes {
            self.end_block();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }

    /// Ends the table and returns its bytes.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.end_block();
        let index_at = self.data.len() as u32;
        self.data.extend_from_slice(&self.index);
        let index_crc = crc32(&self.index);
        for number in [index_at, self.entries, index_crc] {
            self.data.extend_from_slice(&number.to_le_bytes());
        }
        self.data.extend_from_slice(&TABLE_MAGIC.to_le_bytes());
        self.data
    }

    fn end_block(&mut self) {
        let block = &self.data[self.block_start..];
        if block.is_empty() {
            return;
        }
        put_bytes(&mut self.index, &self.first_key);
        put_varint(&mut self.index, self.block_start);
        put_varint(&mut self.index, block.len());
        let crc = crc32(block);
        self.data.extend_from_slice(&crc.to_le_bytes());
        self.block_start = self.data.len();
    }
}

/// A table that is open for reading; its bytes stay in memory.
pub(crate) struct Table {
    pub(crate) id: usize,
    data: Vec<u8>,
    blocks: Vec<Block>,
}

struct Block {
    first_key: Range<usize>,
    entries: Range<usize>,
}

impl Table {
    /// Opens the bytes of a table that was just built.
    pub(crate) fn open(id: usize, data: Vec<u8>) -> Result<Self> {
        let blocks = read_index(&data).ok_or(Error::Corrupt("table"))?;
        Ok(Self { id, data, blocks })
    }

    /// Opens the bytes of a table that was read back, and checks every block.
    pub(crate) fn open_checked(id: usize, data: Vec<u8>) -> Result<Self> {
        let table = Self::open(id, data)?;
        for block in &table.blocks {
            let crc = get_u32(&table.data, block.entries.end);
            if crc != Some(crc32(&table.data[block.entries.clone()])) {
                return Err(Error::Corrupt("block"));
            }
        }
        Ok(table)
    }

    pub(crate) fn first_key(&self) -> &[u8] {
        self.blocks.first().map_or(&[], |block| self.key_of(block))
    }

    /// Returns what is known of a key: nothing, a deletion, or a value.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        let after = self.blocks.partition_point(|b| self.key_of(b) <= key);
        let block = self.blocks.get(after.checked_sub(1)?)?;
        let mut entries = self.entries(block).skip_while(|entry| entry.key < key);
        entries
            .next()
            .filter(|entry| entry.key == key)
            .map(|entry| entry.value)
    }

    /// Iterates in key order from the first key that is not below `start`.
    pub(crate) fn iter_from<'a>(&'a self, start: &[u8]) -> impl Iterator<Item = Entry<'a>> {
        let after = self.blocks.partition_point(|b| self.key_of(b) <= start);
        let start = start.to_vec();
        self.blocks[after.saturating_sub(1)..]
            .iter()
            .flat_map(|block| self.entries(block))
            .skip_while(move |entry| entry.key < &start[..])
    }

    fn key_of(&self, block: &Block) -> &[u8] {
        &self.data[block.first_key.clone()]
    }

    fn entries<'a>(&'a self, block: &Block) -> impl Iterator<Item = Entry<'a>> {
        let bytes = &self.data[block.entries.clone()];
        let mut at = 0;
        std::iter::from_fn(move || get_entry(bytes, &mut at))
    }
}

fn read_index(data: &[u8]) -> Option<Vec<Block>> {
    let footer = data.len().checked_sub(FOOTER_BYTES)?;
    let start = get_u32(data, footer)? as usize;
    let index = data.get(start..footer)?;
    let magic_ok = data[footer + 12..] == TABLE_MAGIC.to_le_bytes();
    if !magic_ok || get_u32(data, footer + 8)? != crc32(index) {
        return None;
    }
    let mut blocks = Vec::new();
    let mut at = 0;
    while at < index.len() {
        let key = get_bytes(index, &mut at)?;
        let end = start + at;
        let offset = get_varint(index, &mut at)?;
        let len = get_varint(index, &mut at)?;
        blocks.push(Block {
            first_key: end - key.len()..end,
            entries: offset..offset + len,
        });
    }
    Some(blocks)
}
