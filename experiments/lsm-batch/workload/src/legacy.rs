//! An older store that shares no code with the engine; it serves as a sentinel (frozen).

use std::collections::BTreeMap;

/// Records by id, with a checksum of everything that was ever put.
#[derive(Default)]
pub struct LegacyStore {
    records: BTreeMap<String, Vec<u8>>,
    low: u32,
    high: u32,
}

impl LegacyStore {
    /// Puts a record.
    pub fn put(&mut self, id: &str, record: &[u8]) {
        for byte in id.bytes().chain(record.iter().copied()) {
            self.low = (self.low + u32::from(byte)) % 65521;
            self.high = (self.high + self.low) % 65521;
        }
        self.records.insert(id.to_owned(), record.to_vec());
    }

    /// Returns a number that depends on every record and on their order.
    pub fn digest(&self) -> u64 {
        let start = u64::from(self.high) << 16 | u64::from(self.low);
        let bytes = self.records.values().flatten();
        bytes.fold(start, |sum, byte| {
            sum.rotate_left(5).wrapping_add(u64::from(*byte))
        })
    }
}
