//! The manifest: which tables are live, at which level, and which log is open.

use crate::error::{Error, Result};
use crate::format::{get_varint, put_varint};
use crate::log;
use crate::storage::Storage;

const NAME: &str = "manifest";
const ADD: usize = 1;
const REMOVE: usize = 2;
const OPEN_LOG: usize = 3;

/// A change of the live files; one edit is applied whole or not at all.
#[derive(Default)]
pub(crate) struct Edit {
    bytes: Vec<u8>,
}

impl Edit {
    pub(crate) fn add(&mut self, level: usize, id: usize) {
        self.push(&[ADD, level, id]);
    }

    pub(crate) fn remove(&mut self, id: usize) {
        self.push(&[REMOVE, id]);
    }

    pub(crate) fn open_log(&mut self, id: usize) {
        self.push(&[OPEN_LOG, id]);
    }

    pub(crate) fn write(&self, storage: &Storage) -> Result<()> {
        log::append(storage, NAME, &self.bytes)
    }

    fn push(&mut self, numbers: &[usize]) {
        for number in numbers {
            put_varint(&mut self.bytes, *number);
        }
    }
}

/// The live files as the last whole edit left them.
#[derive(Default)]
pub(crate) struct Live {
    /// Level and id of each table, oldest first.
    pub(crate) tables: Vec<(usize, usize)>,
    /// The id of the open log.
    pub(crate) log: usize,
    /// The largest id that was ever used.
    pub(crate) last_id: usize,
}

impl Live {
    pub(crate) fn read(storage: &Storage) -> Result<Self> {
        let mut live = Self::default();
        for edit in log::replay(storage, NAME)? {
            live.apply(&edit).ok_or(Error::Corrupt("manifest"))?;
        }
        Ok(live)
    }

    fn apply(&mut self, edit: &[u8]) -> Option<()> {
        let mut at = 0;
        while at < edit.len() {
            match get_varint(edit, &mut at)? {
                ADD => {
                    let level = get_varint(edit, &mut at)?;
                    let id = self.seen(get_varint(edit, &mut at)?);
                    self.tables.push((level, id));
                }
                REMOVE => {
                    let id = get_varint(edit, &mut at)?;
                    self.tables.retain(|table| table.1 != id);
                }
                OPEN_LOG => {
                    let id = get_varint(edit, &mut at)?;
                    self.log = self.seen(id);
                }
                _ => return None,
            }
        }
        Some(())
    }

    fn seen(&mut self, id: usize) -> usize {
        self.last_id = self.last_id.max(id);
        id
    }
}
