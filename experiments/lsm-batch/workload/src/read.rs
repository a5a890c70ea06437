//! The reading of grants: one by its id, or the ids of an index.

use crate::encode;
use crate::engine::Db;
use crate::error::Result;
use crate::format::{BY_ENTITLEMENT, BY_PRINCIPAL, PRIMARY};
use crate::record::Grant;

/// Returns a grant of a sync.
pub fn get_grant(db: &Db, sync_id: &str, external_id: &str) -> Result<Option<Grant>> {
    let key = encode::key(PRIMARY, sync_id, &[external_id])?;
    db.get(&key).map(encode::grant).transpose()
}

/// Returns the ids of the grants of an entitlement, ordered by holder.
pub fn list_by_entitlement(db: &Db, sync_id: &str, entitlement_id: &str) -> Result<Vec<String>> {
    list(db, BY_ENTITLEMENT, sync_id, &[entitlement_id, ""])
}

/// Returns the ids of the grants of a holder, ordered by entitlement.
pub fn list_by_principal(db: &Db, sync_id: &str, kind: &str, id: &str) -> Result<Vec<String>> {
    list(db, BY_PRINCIPAL, sync_id, &[kind, id, ""])
}

fn list(db: &Db, class: u8, sync_id: &str, parts: &[&str]) -> Result<Vec<String>> {
    let prefix = encode::key(class, sync_id, parts)?;
    let keys = db.scan(&prefix).map(|(key, _)| key);
    let matching = keys.take_while(|key| key.starts_with(&prefix));
    Ok(matching.map(external_id).collect())
}

/// Returns the last part of an index key.
fn external_id(key: &[u8]) -> String {
    let last = key.rsplit(|byte| *byte == 0).next().unwrap_or(key);
    String::from_utf8_lossy(last).into_owned()
}
