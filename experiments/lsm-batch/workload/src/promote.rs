//! The promotion of a large batch: its entries go to a table in key order.

use crate::batch::Batch;
use crate::memtable::Memtable;
use crate::table::Builder;

/// Adds the entries of a batch to a table in key order; of several with one key, only the last written.
pub(crate) fn add_sorted(batch: &Batch, table: &mut Builder) {
    let mut sorted = Memtable::default();
    for offset in batch.offsets() {
        sorted.insert(batch.entry(*offset));
    }
    for entry in sorted.iter_from(&[]) {
        table.add(entry);
    }
}
