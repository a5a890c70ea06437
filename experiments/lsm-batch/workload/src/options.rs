//! The settings of a database.

/// Sizes and thresholds; the defaults are what the benchmark runs with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes that the memtable may hold before it is flushed.
    pub mem_bytes: usize,

    /// Target size of one table block in bytes.
    pub block_bytes: usize,

    /// Size in bytes at which the output of a compaction starts a new table.
    pub table_bytes: usize,

    /// Tables that level 0 may hold before it is merged into level 1.
    pub l0_limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mem_bytes: 64 << 10,

            block_bytes: 1 << 10,

            table_bytes: 128 << 10,

            l0_limit: 2,
        }
    }
}
