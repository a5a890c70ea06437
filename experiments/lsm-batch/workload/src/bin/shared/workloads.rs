//! The workloads of the benchmark and what one process reports about them (frozen).

use crate::generate::{grants, SYNCS};
use crate::meter::{measure, peak_rss_kb, Use};
use lsm_batch::format::{CLASS_AT, PRIMARY};
use lsm_batch::legacy::LegacyStore;
use lsm_batch::{get_grant, list_by_entitlement, put_grants, Db, Grant, Options, Result, Storage};
use std::hint::black_box;

/// How much of everything one run does.
pub struct Size {
    /// Processes of one run.
    pub processes: usize,
    rounds: usize,
    fat: usize,
    pages: usize,
    page: usize,
    upsert: usize,
    gets: usize,
}

/// A run of less than 100 ms.
pub const QUICK: Size = Size {
    processes: 5,
    rounds: 5,
    fat: 203,
    pages: 5,
    page: 90,
    upsert: 100,
    gets: 250,
};

/// A run of less than 300 ms.
pub const FULL: Size = Size {
    processes: 6,
    rounds: 7,
    fat: 603,
    pages: 6,
    page: 150,
    upsert: 200,
    gets: 1000,
};

/// Times that one process reads everything back.
const READS: usize = 3;

/// Puts of the reference work.
const REFERENCE_PUTS: usize = 500;

/// The inputs of all workloads, made before anything is measured.
pub struct Bench {
    size: Size,
    template: Storage,
    fat: Vec<Grant>,
    pages: Vec<Vec<Grant>>,
    old: Vec<Grant>,
    new: Vec<Grant>,
    small: Vec<Grant>,
}

/// Takes a name and a sample.
pub type Report<'a> = &'a mut dyn FnMut(&str, String);

impl Bench {
    /// Makes the inputs.
    pub fn new(size: Size) -> Result<Self> {
        let page = |page| grants(page as u64 + 9, SYNCS[1], page * size.page, size.page);
        let old = grants(5, SYNCS[1], 0, size.upsert);
        let mut new = old.clone();
        for grant in new.iter_mut().step_by(2) {
            grant.principal_id.push_str("-moved");
        }
        Ok(Self {
            template: preload()?,
            fat: grants(1, SYNCS[1], 0, size.fat),
            pages: (0..size.pages).map(page).collect(),
            old,
            new,
            small: grants(6, SYNCS[1], 0, 20),
            size,
        })
    }

    /// Runs everything once and the fat put several times.
    pub fn run(&self, report: Report<'_>) -> Result<()> {
        let mut end = End::default();
        let mut fat = (Use::default(), End::default());
        self.reference();
        for _ in 0..self.size.rounds {
            let before = self.reference();
            fat = self.fat()?;
            let after = self.reference();
            report("fat_ratio", ratio(before, fat.0, after));
            report("fat_raw_cpu_ms", fat.0.cpu_ms.to_string());
            report("fat_ms", fat.0.wall_ms.to_string());
            report("legacy_ms", before.cpu_ms.to_string());
        }
        report("allocs", fat.0.allocs.to_string());
        report("alloc_bytes", fat.0.alloc_bytes.to_string());
        end.add(fat.1);
        end.add(self.paged(report)?);
        end.add(self.upsert(report)?);
        self.per_put("small_us", 20, report)?;
        self.per_put("solo_us", 1, report)?;
        report("peak_rss_kb", peak_rss_kb().to_string());
        end.report(report);
        Ok(())
    }

    /// One put of many grants into a new sync, with other syncs around it.
    fn fat(&self) -> Result<(Use, End)> {
        let (storage, mut db) = self.open()?;
        db.begin_sync(SYNCS[1]);
        let (used, done) = measure(|| put_all(&mut db, &[&self.fat]));
        done?;
        Ok((used, End::of(&storage, &db)))
    }

    /// Many puts into a new sync, then the reading of it.
    fn paged(&self, report: Report<'_>) -> Result<End> {
        let (storage, mut db) = self.open()?;
        db.begin_sync(SYNCS[1]);
        let pages: Vec<&[Grant]> = self.pages.iter().map(|page| &page[..]).collect();
        let before = self.reference();
        let (used, done) = measure(|| put_all(&mut db, &pages));
        done?;
        let mut before_read = self.reference();
        report("paged_ratio", ratio(before, used, before_read));
        for _ in 0..READS {
            let (read, done) = measure(|| self.read_back(&db));
            done?;
            let after = self.reference();
            report("read_ratio", ratio(before_read, read, after));
            report("read_ms", read.wall_ms.to_string());
            before_read = after;
        }
        Ok(End::of(&storage, &db))
    }

    /// A put over grants that are stored already, half of them with another holder.
    fn upsert(&self, report: Report<'_>) -> Result<End> {
        let (storage, mut db) = self.open()?;
        put_grants(&mut db, &self.old)?;
        let before = self.reference();
        let (used, done) = measure(|| put_all(&mut db, &[&self.new]));
        done?;
        report("upsert_ratio", ratio(before, used, self.reference()));
        Ok(End::of(&storage, &db))
    }

    /// Puts a few grants, `count` at a time.
    fn per_put(&self, name: &str, count: usize, report: Report<'_>) -> Result<()> {
        let (_, mut db) = self.open()?;
        for batch in self.small.chunks(count) {
            let (used, done) = measure(|| put_grants(&mut db, batch));
            done?;
            report(name, (used.wall_ms * 1e3).to_string());
        }
        Ok(())
    }

    /// The reference work: puts into a store that no candidate touches.
    fn reference(&self) -> Use {
        let work = || {
            let mut store = LegacyStore::default();
            for grant in self.fat[..200].iter().cycle().take(REFERENCE_PUTS) {
                store.put(&grant.external_id, &grant.payload);
            }
            black_box(store.digest());
        };
        measure(work).0
    }

    fn read_back(&self, db: &Db) -> Result<()> {
        let total = self.size.pages * self.size.page;
        for get in 0..self.size.gets {
            let id = get * 7919 % total;
            black_box(get_grant(db, SYNCS[1], &format!("grant:{id:08}"))?);
        }
        for role in 0..48 {
            let entitlement = format!("ent:app-{:02}:role-{role:02}", role % 6);
            black_box(list_by_entitlement(db, SYNCS[1], &entitlement)?);
        }
        Ok(())
    }

    /// Opens a copy of the preloaded database.
    fn open(&self) -> Result<(Storage, Db)> {
        let storage = self.template.copied();
        let db = Db::open(storage.clone(), Options::default())?;
        Ok((storage, db))
    }
}

/// Returns the CPU time of some work in terms of the reference work around it.
fn ratio(before: Use, used: Use, after: Use) -> String {
    let reference = (before.cpu_ms + after.cpu_ms) / 2.0;
    (used.cpu_ms / reference).to_string()
}

/// Makes a database that holds two other syncs, in both levels.
fn preload() -> Result<Storage> {
    let storage = Storage::new();
    let mut db = Db::open(storage.clone(), Options::default())?;
    for (seed, count) in [(7, 60), (8, 20)] {
        for sync in [SYNCS[0], SYNCS[2]] {
            put_grants(&mut db, &grants(seed, sync, seed as usize * 1000, count))?;
        }
        db.flush()?;
        if seed == 7 {
            db.compact()?;
        }
    }
    Ok(storage)
}

fn put_all(db: &mut Db, batches: &[&[Grant]]) -> Result<()> {
    for batch in batches {
        put_grants(db, batch)?;
    }
    db.flush()
}

/// What databases looked like after their workloads.
#[derive(Default)]
struct End {
    digest: u64,
    records: u64,
    fsyncs: u64,
    bytes_written: u64,
    compactions: u64,
    l0_files: usize,
}

impl End {
    fn of(storage: &Storage, db: &Db) -> Self {
        let (mut digest, mut records) = (0, 0);
        for (key, value) in db.scan(&[]) {
            digest = mix(mix(digest, hash(key)), hash(value));
            records += u64::from(key[CLASS_AT] == PRIMARY);
        }
        let stats = db.stats();
        Self {
            digest,
            records,
            fsyncs: storage.fsyncs(),
            bytes_written: storage.bytes_written(),
            compactions: stats.compactions,
            l0_files: stats.l0_files,
        }
    }

    fn add(&mut self, other: Self) {
        self.digest = mix(self.digest, other.digest);
        self.records += other.records;
        self.fsyncs += other.fsyncs;
        self.bytes_written += other.bytes_written;
        self.compactions += other.compactions;
        self.l0_files = self.l0_files.max(other.l0_files);
    }

    fn report(&self, report: Report<'_>) {
        report("digest", format!("{:016x}", self.digest));
        report("records", self.records.to_string());
        report("fsyncs", self.fsyncs.to_string());
        report("bytes_written", self.bytes_written.to_string());
        report("compactions", self.compactions.to_string());
        report("l0_files_end", self.l0_files.to_string());
    }
}

fn hash(bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(bytes.len() as u64, |sum, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        mix(sum, u64::from_le_bytes(word))
    })
}

fn mix(sum: u64, word: u64) -> u64 {
    let product = (sum.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ (product >> 29)
}
