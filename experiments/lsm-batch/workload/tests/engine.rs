//! What the engine promises, as sentences.

#[path = "../src/bin/shared/generate.rs"]
mod generate;

use generate::{grants, SYNCS};
use lsm_batch::{get_grant, list_by_principal, put_grants, Batch, Db, Options, Result, Storage};

fn open() -> Result<Db> {
    Db::open(Storage::new(), Options::default())
}

#[test]
fn a_deleted_key_is_gone_from_every_level() -> Result<()> {
    let mut db = open()?;
    let mut batch = Batch::new();
    batch.put(b"a", b"1");
    batch.put(b"b", b"2");
    db.commit(&batch)?;
    db.compact()?;
    let mut batch = Batch::new();
    batch.delete(b"a");
    db.commit(&batch)?;
    assert_eq!(db.get(b"a"), None);
    db.flush()?;
    assert_eq!(db.get(b"a"), None);
    db.compact()?;
    assert_eq!(db.scan(&[]).collect::<Vec<_>>(), [(&b"b"[..], &b"2"[..])]);
    Ok(())
}

#[test]
fn the_last_write_of_a_key_in_a_batch_wins() -> Result<()> {
    let mut db = open()?;
    let mut batch = Batch::new();
    let filler = vec![7; 200];
    for key in 0..200u8 {
        batch.put(&[key % 100], &filler);
        batch.put(&[key % 100], &[key]);
    }
    batch.delete(&[99]);
    db.commit(&batch)?;
    assert_eq!(db.get(&[5]), Some(&[105][..]));
    assert_eq!(db.get(&[99]), None);
    assert_eq!(db.scan(&[]).count(), 99);
    Ok(())
}

#[test]
fn a_sync_is_empty_until_its_first_put() -> Result<()> {
    let mut db = open()?;
    assert!(!db.sync_is_empty(SYNCS[1]));
    db.begin_sync(SYNCS[1]);
    assert!(db.sync_is_empty(SYNCS[1]));
    put_grants(&mut db, &grants(1, SYNCS[1], 0, 1))?;
    assert!(!db.sync_is_empty(SYNCS[1]));
    Ok(())
}

#[test]
fn a_moved_grant_leaves_no_trace_at_its_old_holder() -> Result<()> {
    let mut db = open()?;
    let old = grants(1, SYNCS[1], 0, 5);
    let mut new = old.clone();
    new[2].principal_id = "new".to_owned();
    put_grants(&mut db, &old)?;
    put_grants(&mut db, &new)?;
    let kind = &old[2].principal_type;
    assert!(list_by_principal(&db, SYNCS[1], kind, &old[2].principal_id)?.is_empty());
    let moved = list_by_principal(&db, SYNCS[1], kind, "new")?;
    assert_eq!(moved, [new[2].external_id.clone()]);
    assert_eq!(
        get_grant(&db, SYNCS[1], &new[2].external_id)?,
        Some(new[2].clone())
    );
    Ok(())
}
