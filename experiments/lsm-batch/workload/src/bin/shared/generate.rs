//! The grants that bench, verify and tests work on; the same for the same seed (frozen).

use lsm_batch::Grant;

/// Sync ids in ascending order; the middle one is what the workloads write.
pub const SYNCS: [&str; 3] = [
    "0ujsswThIGTUYm2K8FjOOfXtY1K",
    "2SwhcnFUuj3FkUp3IYCQGq8ZSbL",
    "5x1eWXqmLrZ0Mfs9aJpDtUcVyNb",
];

/// A generator of numbers that look random.
pub struct Numbers(u64);

impl Numbers {
    /// Starts a sequence.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Returns the next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Returns the next number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit
    }
}

/// Makes grants `first..first + count` of a sync, in the order of their ids.
pub fn grants(seed: u64, sync_id: &str, first: usize, count: usize) -> Vec<Grant> {
    let mut numbers = Numbers::new(seed);
    let ids = first..first + count;
    ids.map(|id| grant(&mut numbers, sync_id, id)).collect()
}

fn grant(numbers: &mut Numbers, sync_id: &str, id: usize) -> Grant {
    let kind = ["user", "user", "user", "group"][numbers.below(4) as usize];
    let entitlement = numbers.below(48);
    Grant {
        sync_id: sync_id.to_owned(),
        external_id: format!("grant:{id:08}"),
        entitlement_id: format!("ent:app-{:02}:role-{:02}", entitlement % 6, entitlement),
        principal_type: kind.to_owned(),
        principal_id: format!("{kind}-{:08x}", numbers.below(1 << 32)),
        payload: payload(numbers),
    }
}

fn payload(numbers: &mut Numbers) -> Vec<u8> {
    let words = (0..12).map(|_| numbers.next().to_le_bytes());
    words.flatten().collect()
}
