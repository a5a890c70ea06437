//! A small LSM engine for grant records: write batches, a log, a memtable and two levels of tables.

mod batch;
mod crc;
mod encode;
mod engine;
mod error;
pub mod format;
pub mod legacy;
mod log;
mod manifest;
mod memtable;
mod merge;
mod options;
mod promote;
mod put;
mod read;
mod record;
pub mod storage;
mod sync_id;
mod table;

pub use batch::Batch;
pub use crc::crc32;
pub use engine::{Db, Stats};
pub use error::{Error, Result};
pub use options::Options;
pub use put::put_grants;
pub use read::{get_grant, list_by_entitlement, list_by_principal};
pub use record::Grant;
pub use storage::Storage;
