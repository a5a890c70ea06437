//! The database: commit, lookup, scan, flush and compaction, all synchronous.

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::format::{get_entry, Entry};
use crate::log;
use crate::manifest::{Edit, Live};
use crate::memtable::Memtable;
use crate::merge::{Merge, Source};
use crate::options::Options;
use crate::promote;
use crate::storage::Storage;
use crate::table::{Builder, Table};
use std::collections::HashSet;

/// An open database.
pub struct Db {
    storage: Storage,
    options: Options,
    mem: Memtable,
    /// Level 0, oldest first; the tables may overlap.
    l0: Vec<Table>,
    /// Level 1 in key order; the tables do not overlap.
    l1: Vec<Table>,
    log_id: usize,
    last_id: usize,
    empty_syncs: HashSet<String>,
    compactions: u64,
}

/// Counters of a database since it was opened.
#[derive(Clone, Copy, Debug)]
pub struct Stats {
    /// Merges of level 0 into level 1.
    pub compactions: u64,
    /// Tables at level 0 now.
    pub l0_files: usize,
    /// Tables at level 1 now.
    pub l1_files: usize,
}

impl Db {
    /// Opens a database, checks its tables and replays its log.
    pub fn open(storage: Storage, options: Options) -> Result<Self> {
        let live = Live::read(&storage)?;
        let mut db = Self {
            storage,
            options,
            mem: Memtable::default(),
            l0: Vec::new(),
            l1: Vec::new(),
            log_id: live.log,
            last_id: live.last_id,
            empty_syncs: HashSet::new(),
            compactions: 0,
        };
        for (level, id) in live.tables {
            let table = Table::open_checked(id, db.storage.read(&table_name(id))?)?;
            let tables = if level == 0 { &mut db.l0 } else { &mut db.l1 };
            tables.push(table);
        }
        db.replay_log()?;
        Ok(db)
    }

    /// Notes that a new sync starts, of which nothing is stored yet.
    pub fn begin_sync(&mut self, sync_id: &str) {
        self.empty_syncs.insert(sync_id.to_owned());
    }

    /// Says whether a sync was begun and nothing of it was written since.
    pub fn sync_is_empty(&self, sync_id: &str) -> bool {
        self.empty_syncs.contains(sync_id)
    }

    /// Notes that something of a sync was written.
    pub(crate) fn sync_was_written(&mut self, sync_id: &str) {
        self.empty_syncs.remove(sync_id);
    }

    /// Makes the entries of a batch durable and visible, all or none.
    pub fn commit(&mut self, batch: &Batch) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }

        let large = batch.bytes().len() > self.options.mem_bytes / 2;
        if large {
            self.flush()?;
        }

        let log = log_name(self.log_id);
        log::append(&self.storage, &log, batch.bytes())?;

        if large {
            return self.promote(batch);
        }
        for offset in batch.offsets() {
            self.mem.insert(batch.entry(*offset));
        }
        match self.mem.bytes() > self.options.mem_bytes {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        if let Some(found) = self.mem.get(key) {
            return found;
        }
        let newest_first = self.l0.iter().rev();
        if let Some(found) = newest_first.filter_map(|t| t.get(key)).next() {
            return found;
        }
        let after = self.l1.partition_point(|t| t.first_key() <= key);
        self.l1.get(after.checked_sub(1)?)?.get(key)?
    }

    /// Iterates over live keys and values from the first key that is not below `start`.
    pub fn scan<'a>(&'a self, start: &[u8]) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let mut sources: Vec<Source<'a>> = vec![Box::new(self.mem.iter_from(start))];
        sources.extend(self.table_sources(start));
        Merge::new(sources).filter_map(|entry| Some((entry.key, entry.value?)))
    }

    /// Moves the memtable into a table of level 0.
    pub fn flush(&mut self) -> Result<()> {
        if self.mem.is_empty() {
            return Ok(());
        }
        let mut builder = Builder::new(self.options.block_bytes);
        for entry in self.mem.iter_from(&[]) {
            builder.add(entry);
        }
        self.install(builder)?;
        self.mem.clear();
        self.compact_if_due()
    }

    /// Merges level 0 into level 1, whatever the limit says.
    pub fn compact(&mut self) -> Result<()> {
        let (merged, mut edit) = (self.merged_tables(), Edit::default());
        let old: Vec<usize> = self.l0.iter().chain(&self.l1).map(|t| t.id).collect();
        let mut l1 = Vec::new();
        for bytes in merged {
            let table = self.write_table(bytes)?;
            edit.add(1, table.id);
            l1.push(table);
        }
        for id in &old {
            edit.remove(*id);
        }
        edit.write(&self.storage)?;
        self.l1 = l1;
        self.l0.clear();
        self.compactions += 1;
        for id in old {
            self.storage.remove(&table_name(id))?;
        }
        Ok(())
    }

    /// Returns the counters.
    pub fn stats(&self) -> Stats {
        Stats {
            compactions: self.compactions,
            l0_files: self.l0.len(),
            l1_files: self.l1.len(),
        }
    }

    /// Turns a batch that is too large for the memtable into a table.
    fn promote(&mut self, batch: &Batch) -> Result<()> {
        let mut builder = Builder::new(self.options.block_bytes);
        promote::add_sorted(batch, &mut builder);
        self.install(builder)?;
        self.compact_if_due()
    }

    /// Writes a table to level 0 and starts a new log, as one edit.
    fn install(&mut self, builder: Builder) -> Result<()> {
        let old_log = log_name(self.log_id);
        let table = self.write_table(builder.finish())?;
        self.last_id += 1;
        self.log_id = self.last_id;
        let mut edit = Edit::default();
        edit.add(0, table.id);
        edit.open_log(self.log_id);
        edit.write(&self.storage)?;
        self.l0.push(table);
        self.storage.remove(&old_log)
    }

    fn write_table(&mut self, bytes: Vec<u8>) -> Result<Table> {
        self.last_id += 1;
        let name = table_name(self.last_id);
        self.storage.write_new(&name, &bytes)?;
        self.storage.sync(&name)?;
        Table::open(self.last_id, bytes)
    }

    fn compact_if_due(&mut self) -> Result<()> {
        match self.l0.len() > self.options.l0_limit {
            true => self.compact(),
            false => Ok(()),
        }
    }

    /// Returns the bytes of the tables that replace both levels.
    fn merged_tables(&self) -> Vec<Vec<u8>> {
        let mut finished = Vec::new();
        let mut builder = Builder::new(self.options.block_bytes);
        let live = Merge::new(self.table_sources(&[])).filter(|entry| entry.value.is_some());
        for entry in live {
            builder.add(entry);
            if builder.len() >= self.options.table_bytes {
                let full = std::mem::replace(&mut builder, Builder::new(self.options.block_bytes));
                finished.push(full.finish());
            }
        }
        if builder.len() > 0 {
            finished.push(builder.finish());
        }
        finished
    }

    fn table_sources<'a>(&'a self, start: &[u8]) -> Vec<Source<'a>> {
        let mut sources: Vec<Source<'a>> = Vec::new();
        for table in self.l0.iter().rev() {
            sources.push(Box::new(table.iter_from(start)));
        }
        let after = self.l1.partition_point(|t| t.first_key() <= start);
        let tables = &self.l1[after.saturating_sub(1)..];
        let start = start.to_vec();
        let level = tables.iter().flat_map(move |table| table.iter_from(&start));
        sources.push(Box::new(level));
        sources
    }

    fn replay_log(&mut self) -> Result<()> {
        for payload in log::replay(&self.storage, &log_name(self.log_id))? {
            let mut at = 0;
            while at < payload.len() {
                let entry: Entry<'_> = get_entry(&payload, &mut at).ok_or(Error::Corrupt("log"))?;
                self.mem.insert(entry);
            }
        }
        Ok(())
    }
}

fn table_name(id: usize) -> String {
    format!("{id:06}.table")
}

fn log_name(id: usize) -> String {
    format!("{id:06}.log")
}
