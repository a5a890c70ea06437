//! The correctness checks: every case compares the database with an independent model (frozen).

#[path = "shared/generate.rs"]
mod generate;
#[path = "shared/model.rs"]
mod model;

use generate::{grants, SYNCS};
use lsm_batch::{
    crc32, get_grant, list_by_entitlement, list_by_principal, put_grants, Db, Error, Grant,
    Options, Result, Storage,
};
use model::Model;

type Case = fn() -> Result<()>;

const CASES: [(&str, Case); 14] = [
    ("checksum", checksum),
    ("fresh put", fresh_put),
    ("promoted put", promoted_put),
    ("duplicate in one call", duplicate_in_one_call),
    ("duplicate across calls", duplicate_across_calls),
    ("duplicate after a reopen", duplicate_after_reopen),
    ("moved grants", moved_grants),
    ("several syncs in one call", several_syncs),
    ("lookups and lists", lookups),
    ("reopen from the log", reopen),
    ("many pages", many_pages),
    ("bad sync ids", bad_sync_ids),
    ("power cut after each sync", power_cuts),
    ("flipped bytes", flipped_bytes),
];

fn main() {
    let mut failed = 0;
    for (name, case) in CASES {
        match std::panic::catch_unwind(case) {
            Ok(Ok(())) => println!("ok      {name}"),
            Ok(Err(error)) => {
                failed += 1;
                println!("FAILED  {name}: {error}");
            }
            Err(_) => {
                failed += 1;
                println!("FAILED  {name}");
            }
        }
    }
    println!("{} cases, {failed} failed", CASES.len());
    std::process::exit(i32::from(failed > 0));
}

/// A database beside the model of what it must hold.
struct Bench {
    storage: Storage,
    db: Db,
    model: Model,
}

impl Bench {
    fn open(options: &Options) -> Result<Self> {
        let storage = Storage::new();
        let db = Db::open(storage.clone(), options.clone())?;
        let model = Model::default();
        Ok(Self { storage, db, model })
    }

    fn put(&mut self, grants: &[Grant]) -> Result<()> {
        put_grants(&mut self.db, grants)?;
        self.model.put(grants);
        self.compare();
        Ok(())
    }

    fn reopen(&mut self, options: &Options) -> Result<()> {
        self.db = Db::open(self.storage.clone(), options.clone())?;
        self.compare();
        Ok(())
    }

    fn compare(&self) {
        let found: Vec<_> = self.db.scan(&[]).collect();
        assert!(found.windows(2).all(|w| w[0].0 < w[1].0), "keys in order");
        let wanted = self.model.entries();
        assert_eq!(found.len(), wanted.len(), "number of entries");
        for (found, wanted) in found.iter().zip(&wanted) {
            assert_eq!(found.0, &wanted.0[..], "key");
            assert_eq!(found.1, &wanted.1[..], "value of {:?}", wanted.0);
        }
    }
}

/// Options so small that a few grants reach every part of the engine.
fn small() -> Options {
    Options {
        mem_bytes: 24 << 10,
        block_bytes: 512,
        table_bytes: 16 << 10,
        l0_limit: 2,
    }
}

fn checksum() -> Result<()> {
    assert_eq!(crc32(b""), 0);
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    let bytes: Vec<u8> = (0..999u32).map(|n| (n * 31) as u8).collect();
    for start in 0..9 {
        for end in (start..bytes.len()).step_by(7) {
            let part = &bytes[start..end];
            assert_eq!(crc32(part), model::crc(part), "crc of {start}..{end}");
        }
    }
    Ok(())
}

fn fresh_put() -> Result<()> {
    let mut bench = Bench::open(&Options::default())?;
    bench.db.begin_sync(SYNCS[1]);
    bench.put(&grants(1, SYNCS[1], 0, 60))?;
    bench.put(&[])?;
    bench.db.flush()?;
    bench.compare();
    bench.reopen(&Options::default())
}

fn promoted_put() -> Result<()> {
    let mut bench = Bench::open(&small())?;
    bench.db.begin_sync(SYNCS[1]);
    bench.put(&grants(1, SYNCS[1], 0, 90))?;
    assert_eq!(bench.db.stats().l0_files, 1, "a large batch is a table");
    let mut shuffled = grants(2, SYNCS[1], 50, 90);
    shuffled.reverse();
    shuffled.swap(10, 60);
    bench.put(&shuffled)?;
    bench.reopen(&small())
}

fn duplicate_in_one_call() -> Result<()> {
    for options in [Options::default(), small()] {
        let mut bench = Bench::open(&options)?;
        bench.db.begin_sync(SYNCS[1]);
        let mut batch = grants(1, SYNCS[1], 0, 80);
        for (at, id) in [(80, 3), (81, 79), (82, 3)] {
            let mut again = batch[id].clone();
            again.principal_id = format!("again-{at}");
            batch.push(again);
        }
        let mut beside = batch[40].clone();
        beside.entitlement_id = "ent:other".to_owned();
        batch.insert(41, beside);
        bench.put(&batch)?;
        bench.db.flush()?;
        bench.compare();
    }
    Ok(())
}

fn duplicate_across_calls() -> Result<()> {
    for options in [Options::default(), small()] {
        let mut bench = Bench::open(&options)?;
        for sync in SYNCS {
            bench.db.begin_sync(sync);
            bench.put(&grants(1, sync, 0, 70))?;
            bench.put(&grants(2, sync, 40, 70))?;
            bench.put(&grants(3, sync, 69, 1))?;
        }
    }
    Ok(())
}

fn duplicate_after_reopen() -> Result<()> {
    let mut bench = Bench::open(&small())?;
    bench.db.begin_sync(SYNCS[1]);
    bench.put(&grants(1, SYNCS[1], 0, 70))?;
    bench.reopen(&small())?;
    bench.put(&grants(2, SYNCS[1], 0, 70))?;
    bench.db.begin_sync(SYNCS[2]);
    bench.put(&grants(3, SYNCS[1], 35, 70))?;
    bench.reopen(&small())
}

fn moved_grants() -> Result<()> {
    let mut bench = Bench::open(&small())?;
    let mut batch = grants(1, SYNCS[1], 0, 30);
    bench.put(&batch)?;
    for round in 0..6 {
        for grant in batch.iter_mut().skip(round).step_by(3) {
            grant.principal_id = format!("round-{round}");
            grant.payload.truncate(round);
        }
        bench.put(&batch)?;
    }
    bench.db.compact()?;
    bench.compare();
    bench.reopen(&small())
}

fn several_syncs() -> Result<()> {
    let mut bench = Bench::open(&small())?;
    bench.db.begin_sync(SYNCS[0]);
    bench.put(&grants(1, SYNCS[0], 0, 10))?;
    bench.db.begin_sync(SYNCS[1]);
    let of = |seed, sync| grants(seed, sync, 0, 30);
    let (a, b, c) = (of(2, SYNCS[0]), of(3, SYNCS[1]), of(4, SYNCS[2]));
    let mixed: Vec<Grant> = (0..30)
        .flat_map(|at| [a[at].clone(), b[at].clone(), c[at].clone()])
        .collect();
    bench.put(&mixed)?;
    bench.put(&mixed[20..50])
}

fn lookups() -> Result<()> {
    let mut bench = Bench::open(&small())?;
    for page in 0..5 {
        bench.put(&grants(page, SYNCS[1], page as usize * 30, 40))?;
    }
    bench.put(&grants(9, SYNCS[1], 17, 3))?;
    let held: Vec<Grant> = bench.model.grants().cloned().collect();
    for grant in &held {
        let found = get_grant(&bench.db, SYNCS[1], &grant.external_id)?;
        assert_eq!(found.as_ref(), Some(grant));
        let by_entitlement = list_by_entitlement(&bench.db, SYNCS[1], &grant.entitlement_id)?;
        assert!(by_entitlement.contains(&grant.external_id));
        let (kind, id) = (&grant.principal_type, &grant.principal_id);
        let by_principal = list_by_principal(&bench.db, SYNCS[1], kind, id)?;
        assert!(by_principal.contains(&grant.external_id));
    }
    assert_eq!(get_grant(&bench.db, SYNCS[1], "grant:none")?, None);
    assert_eq!(get_grant(&bench.db, SYNCS[2], "grant:00000001")?, None);
    Ok(())
}

fn reopen() -> Result<()> {
    let mut bench = Bench::open(&Options::default())?;
    bench.put(&grants(1, SYNCS[1], 0, 40))?;
    bench.reopen(&Options::default())?;
    bench.put(&grants(2, SYNCS[1], 30, 40))?;
    bench.storage.power_cut();
    bench.reopen(&Options::default())
}

fn many_pages() -> Result<()> {
    let mut bench = Bench::open(&small())?;
    bench.db.begin_sync(SYNCS[1]);
    for page in 0..8 {
        bench.put(&grants(page, SYNCS[1], page as usize * 35, 40))?;
    }
    bench.db.flush()?;
    assert!(bench.db.stats().l0_files <= 12, "level 0 stays small");
    bench.reopen(&small())
}

fn bad_sync_ids() -> Result<()> {
    let mut bench = Bench::open(&Options::default())?;
    let good = grants(1, SYNCS[1], 0, 2);
    for id in ["", "short", "2SwhcnFUuj3FkUp3IYCQGq8ZSb!", &"z".repeat(27)] {
        let mut batch = good.clone();
        batch[1].sync_id = id.to_owned();
        let refused = put_grants(&mut bench.db, &batch);
        assert!(matches!(refused, Err(Error::BadSyncId)), "{id:?}");
        bench.compare();
    }
    bench.put(&good)
}

/// Cuts the power after the first, second, ... sync; whole calls survive, and all that were acknowledged.
fn power_cuts() -> Result<()> {
    for syncs in 1..200 {
        let storage = Storage::new();
        let db = Db::open(storage.clone(), small())?;
        storage.lose_power_after(syncs);
        let acknowledged = put_until_dark(db);
        let finished = acknowledged == SCRIPT.len();
        storage.power_cut();
        let db = Db::open(storage.clone(), small())?;
        let mut allowed = acknowledged..=(acknowledged + 1).min(SCRIPT.len());
        let holds = allowed.any(|calls| after(calls).entries() == owned(&db));
        assert!(
            holds,
            "after sync {syncs}, {acknowledged} calls were acknowledged"
        );
        if finished {
            return Ok(());
        }
    }
    panic!("the script never ended");
}

/// Seed, first id and count of each put of the power-cut script.
const SCRIPT: [(u64, usize, usize); 7] = [
    (1, 0, 20),
    (2, 10, 20),
    (3, 15, 50),
    (4, 80, 5),
    (5, 0, 60),
    (6, 90, 60),
    (7, 3, 12),
];

fn put_until_dark(mut db: Db) -> usize {
    db.begin_sync(SYNCS[1]);
    let puts = SCRIPT
        .iter()
        .map(|(seed, first, count)| grants(*seed, SYNCS[1], *first, *count));
    puts.take_while(|batch| put_grants(&mut db, batch).is_ok())
        .count()
}

fn after(calls: usize) -> Model {
    let mut model = Model::default();
    for (seed, first, count) in &SCRIPT[..calls] {
        model.put(&grants(*seed, SYNCS[1], *first, *count));
    }
    model
}

fn owned(db: &Db) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pairs = db.scan(&[]);
    pairs
        .map(|(key, value)| (key.to_vec(), value.to_vec()))
        .collect()
}

/// Flips one byte in each file at several places; a flip in stored entries must not go unnoticed.
fn flipped_bytes() -> Result<()> {
    let mut bench = Bench::open(&small())?;
    bench.put(&grants(1, SYNCS[1], 0, 90))?;
    bench.put(&grants(2, SYNCS[1], 200, 20))?;
    let names = bench.storage.names();
    assert!(names.len() >= 3, "a manifest, a log and a table");
    for name in names {
        let good = bench.storage.read(&name)?;
        for at in (8..good.len()).step_by(good.len() / 5 + 1) {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            let disk = bench.storage.copied();
            disk.write_new(&name, &bad)?;
            assert!(Db::open(disk, small()).is_err(), "byte {at} of {name}");
        }
    }
    bench.reopen(&small())
}
