//! The put of grants: one call becomes one batch, with both indexes kept in step.

use crate::batch::Batch;
use crate::encode;
use crate::engine::Db;
use crate::error::Result;
use crate::record::Grant;
use std::collections::HashMap;

/// Stores grants, all or none; of several with one id the last wins.
pub fn put_grants(db: &mut Db, grants: &[Grant]) -> Result<()> {
    let mut writer = Writer::default();

    let mut earlier = Earlier::default();
    for grant in grants {
        if let Some(old) = earlier.version(db, grant)? {
            writer.unlink(&old)?;
        }
        writer.add(grant)?;
    }

    db.commit(&writer.batch)?;

    for grant in grants {
        db.sync_was_written(&grant.sync_id);
    }
    Ok(())
}

/// Finds the version of a grant that a put replaces.
#[derive(Default)]
struct Earlier {
    /// What this call has put so far; the database does not know it yet.
    in_call: HashMap<Vec<u8>, Grant>,
}

impl Earlier {
    fn version(&mut self, db: &Db, grant: &Grant) -> Result<Option<Grant>> {
        let key = encode::primary_key(grant)?;
        let stored = db.get(&key).map(encode::grant).transpose()?;
        let put = self.in_call.insert(key, grant.clone());
        Ok(put.or(stored))
    }
}

/// Collects the entries of one call.
#[derive(Default)]
struct Writer {
    batch: Batch,
}

impl Writer {
    /// Adds a grant and its place in both indexes.
    fn add(&mut self, grant: &Grant) -> Result<()> {
        let key = encode::primary_key(grant)?;
        let value = encode::value(grant);
        self.batch.put(&key, &value);

        let key = encode::entitlement_key(grant)?;
        self.batch.put(&key, b"");

        let key = encode::principal_key(grant)?;
        self.batch.put(&key, b"");
        Ok(())
    }

    /// Takes a replaced version out of both indexes.
    fn unlink(&mut self, old: &Grant) -> Result<()> {
        let key = encode::entitlement_key(old)?;
        self.batch.delete(&key);

        let key = encode::principal_key(old)?;
        self.batch.delete(&key);
        Ok(())
    }
}
