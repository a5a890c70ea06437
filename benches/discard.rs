//! What the loop itself costs for one discarded experiment on 20 000 tracked files, beside git doing the same steps.
//!
//! Run with `cargo bench --bench discard`. Both arms take the same candidates in turn, in one process run: this program
//! in a slot as its engine does it (screen, apply, reset, lay, journal with its syncs), git in the checkout
//! (`git apply`, then `git checkout -- . && git clean -fd`). Between apply and removal both get the same build output.
//! Build, bench and checks are in neither; what this program looks at after each of them is a line of its own.

#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use autoresearch::domain::{Event, ExperimentId, ObjectId, Settings};
use autoresearch::gate::{ChangedPath, HarnessSnapshot, ScopeRules};
use autoresearch::git::{HarnessFile, PrivateRepository, Slot, SlotName, UserRepository};
use autoresearch::ideas::{Catalogue, Facts, Question, match_proposal};
use autoresearch::journal::{Journal, Reader, sample};
use autoresearch::state::SessionState;

/// Folders of tracked files, and files in each.
const FOLDERS: usize = 400;
const FILES: usize = 50;
/// Lines of each tracked file, about 1 kB.
const LINES: usize = 30;
/// Candidates that count; one more warms up.
const CANDIDATES: usize = 31;
/// Files that a build leaves behind.
const BUILT: usize = 20;

/// The steps of this program, in the order in which they are printed; the last is no part of the total.
const OURS: [&str; 6] = ["screen", "apply", "reset", "lay", "journal", "look at both slots after a command"];
/// The steps of git.
const GITS: [&str; 2] = ["git apply", "git checkout -- . && git clean -fd"];

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().join("repository");
    let candidates = generate(&root);
    let mut ours = Ours::open(&root, folder.path());
    let (mut our_times, mut git_times) = (vec![Vec::new(); OURS.len()], vec![Vec::new(); GITS.len()]);
    for (at, candidate) in candidates.iter().enumerate() {
        let (mut mine, mut theirs) = (Vec::new(), Vec::new());
        if at % 2 == 0 {
            mine = ours.discard(candidate);
        }
        theirs.extend(discard_with_git(&root, candidate));
        if at % 2 == 1 {
            mine = ours.discard(candidate);
        }
        if at > 0 {
            our_times.iter_mut().zip(mine).for_each(|(all, ms)| all.push(ms));
            git_times.iter_mut().zip(theirs).for_each(|(all, ms)| all.push(ms));
        }
    }
    report(&our_times, &git_times);
}

fn report(ours: &[Vec<f64>], gits: &[Vec<f64>]) {
    println!("{} tracked files, median of {CANDIDATES} discarded candidates", FOLDERS * FILES + 3);
    let steps = &ours[..OURS.len() - 1];
    for (name, times) in OURS.iter().zip(steps) {
        println!("  {:8.1} ms  {name}", median(times.clone()));
    }
    let (mine, theirs) = (median(totals(steps)), median(totals(gits)));
    println!("  {mine:8.1} ms  autoresearch, all steps");
    for (name, times) in GITS.iter().zip(gits) {
        println!("  {:8.1} ms  {name}", median(times.clone()));
    }
    println!("  {theirs:8.1} ms  git, all steps");
    println!("  {:8.2}     autoresearch / git", mine / theirs);
    println!("  {:8.1} ms  {} (not in the total)", median(ours[OURS.len() - 1].clone()), OURS[OURS.len() - 1]);
}

/// Adds the steps of each candidate up.
fn totals(steps: &[Vec<f64>]) -> Vec<f64> {
    (0..steps[0].len()).map(|candidate| steps.iter().map(|times| times[candidate]).sum()).collect()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Runs something and adds its wall time in milliseconds.
fn timed<T>(ms: &mut f64, step: impl FnOnce() -> T) -> T {
    let clock = Instant::now();
    let result = step();
    *ms += clock.elapsed().as_secs_f64() * 1e3;
    result
}

fn git(dir: &Path, args: &[&str], input: &[u8]) {
    let mut command = Command::new("git");
    command.current_dir(dir).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let mut child = command.args(args).stdin(Stdio::piped()).spawn().expect("git starts");
    child.stdin.take().expect("a pipe").write_all(input).expect("git reads");
    assert!(child.wait().expect("git ends").success(), "git {args:?}");
}

fn tracked(number: usize) -> String {
    let (folder, file) = (number / FILES, number % FILES);
    format!("src/part{:02}/unit{folder:03}/file{file:02}.txt", folder / 20)
}

fn line(path: &str, number: usize) -> String {
    format!("line {number} of {path}\n")
}

/// Writes and commits the repository; returns the files with its candidates.
fn generate(root: &Path) -> Vec<PathBuf> {
    fs::create_dir(root).expect("a new folder");
    git(root, &["init", "-q"], b"");
    git(root, &["fast-import", "--quiet", "--force"], &stream());
    git(root, &["checkout", "-q", "-f", "bench"], b"");
    let queue = root.with_file_name("candidates");
    fs::create_dir(&queue).expect("a new folder");
    let file = |candidate: usize| {
        let path = queue.join(format!("{candidate:03}.patch"));
        fs::write(&path, patch(candidate)).expect("a new file");
        path
    };
    (0..=CANDIDATES).map(file).collect()
}

/// Makes what `git fast-import` reads: one commit with every file, packed at once.
fn stream() -> Vec<u8> {
    let mut stream =
        b"commit refs/heads/bench\ncommitter bench <bench@localhost> 1767225600 +0000\ndata 4\nBase".to_vec();
    let mut add = |path: &str, text: &str| {
        stream.extend(format!("\nM 644 inline {path}\ndata {}\n{text}", text.len()).into_bytes());
    };
    for path in (0..FOLDERS * FILES).map(tracked) {
        add(&path, &(1..=LINES).map(|n| line(&path, n)).collect::<String>());
    }
    for path in ["autoresearch.config.json", "bench.sh", "checks/tests.sh"] {
        add(path, "#!/bin/sh\n");
    }
    stream.push(b'\n');
    stream
}

/// Makes a candidate that changes two files and adds one.
fn patch(candidate: usize) -> String {
    let new = format!("src/part00/new{candidate}.txt");
    [
        changed(&tracked(candidate * 601), candidate),
        changed(&tracked(candidate * 601 + 307), candidate),
        format!("diff --git a/{new} b/{new}\nnew file mode 100644\n--- /dev/null\n+++ b/{new}\n@@ -0,0 +1 @@\n+new\n"),
    ]
    .concat()
}

/// Makes the part of a patch that changes one line of a tracked file.
fn changed(path: &str, candidate: usize) -> String {
    let context = |numbers: std::ops::RangeInclusive<usize>| {
        numbers.map(|number| [" ", &line(path, number)].concat()).collect::<String>()
    };
    let (above, old, below) = (context(10..=12), line(path, 13), context(14..=16));
    format!(
        "diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -10,7 +10,7 @@\n{above}-{old}+candidate {candidate}\n{below}"
    )
}

/// Leaves what a build leaves.
fn build(root: &Path) {
    let out = root.join("out");
    fs::create_dir_all(&out).expect("a folder");
    for number in 0..BUILT {
        fs::write(out.join(format!("object{number}")), [0_u8; 4096]).expect("a file");
    }
}

fn discard_with_git(root: &Path, candidate: &Path) -> Vec<f64> {
    let (mut apply, mut remove) = (0.0, 0.0);
    timed(&mut apply, || git(root, &["apply", &candidate.to_string_lossy()], b""));
    build(root);
    timed(&mut remove, || {
        git(root, &["checkout", "-q", "--", "."], b"");
        git(root, &["clean", "-fdq"], b"");
    });
    vec![apply, remove]
}

/// Everything that a session holds, as far as a discarded candidate needs it.
struct Ours {
    settings: Settings,
    private: PrivateRepository,
    /// The candidate's slot and the baseline's.
    slots: [Slot; 2],
    tip: ObjectId,
    private_tip: ObjectId,
    scope: ScopeRules,
    journal: Journal,
    state: SessionState,
    /// One measured and dropped experiment, as the journal has it.
    events: Vec<Event>,
    runs: PathBuf,
    ideas: PathBuf,
    number: u32,
}

impl Ours {
    fn open(root: &Path, folder: &Path) -> Self {
        let settings = sample::settings();
        let user = UserRepository::open(root).expect("a repository");
        let tip = user.require_commit().expect("a commit");
        let survey = user.survey(&tip).expect("a survey");
        let private = PrivateRepository::open_or_create(&folder.join("cache"), &user, &survey).expect("a private one");
        let snapshot = HarnessSnapshot::collect(root, &settings).expect("sealed files");
        let scope = ScopeRules::new(&settings, &snapshot).expect("scope rules");
        let sealed = |file: &autoresearch::gate::HarnessFile| HarnessFile {
            path: file.path.clone(),
            executable: file.executable,
            content: file.bytes.clone(),
        };
        let harness: Vec<HarnessFile> = snapshot.files().iter().map(sealed).collect();
        let private_tip = private.private_commit(&tip, &harness).expect("a private commit");
        let slots = [SlotName::A, SlotName::B].map(|name| {
            let mut slot = Slot::open_or_create(&private, name, &private_tip).expect("a slot");
            slot.reset(&private_tip, &[]).expect("a reset");
            slot
        });
        let journal = Journal::create(&folder.join("state/journal.jsonl"), sample::session(), "bench");
        let ideas = folder.join("ideas.md");
        fs::write(&ideas, include_str!("../ideas.md")).expect("a file");
        Self {
            settings,
            private,
            slots,
            tip,
            private_tip,
            scope,
            journal: journal.expect("a journal"),
            state: SessionState::new(sample::session()),
            events: events(folder),
            runs: folder.join("state/runs"),
            ideas,
            number: 0,
        }
    }

    /// Takes one candidate to its discard; returns the milliseconds of each step.
    fn discard(&mut self, candidate: &Path) -> Vec<f64> {
        self.number += 1;
        let [mut screen, mut apply, mut reset, mut lay, mut journal, mut look] = [0.0; OURS.len()];
        let patch = fs::read(candidate).expect("a patch");
        timed(&mut journal, || {
            self.keep_file("given.patch", &patch);
            self.record("proposed");
        });
        let catalogue = timed(&mut screen, || {
            let catalogue = Catalogue::parse(&fs::read_to_string(&self.ideas).expect("ideas"));
            self.rule_on(&catalogue);
            catalogue
        });
        let bases = [self.tip.clone()];
        let applied = timed(&mut apply, || self.private.apply(&patch, &self.tip, &bases).expect("it applies"));
        timed(&mut screen, || self.private.patch_id(&applied.diff).expect("git runs").expect("a change"));
        timed(&mut journal, || self.keep_file("candidate.patch", &applied.diff));
        timed(&mut screen, || {
            let touched = self.private.touched(&self.tip, &applied.tree).expect("a comparison");
            let change: Vec<ChangedPath> = touched.into_iter().map(|touched| ChangedPath::new(touched.path)).collect();
            assert!(change.len() == 3 && self.scope.judge(&change).is_none());
            self.rule_on(&catalogue);
        });
        timed(&mut journal, || self.record("screened"));
        timed(&mut reset, || self.slots[0].reset(&self.private_tip, &[]).expect("a reset"));
        timed(&mut lay, || self.slots[0].lay(&applied.tree).expect("it is laid"));
        build(self.slots[0].root());
        timed(&mut look, || {
            for slot in &mut self.slots {
                assert_eq!(slot.verify().expect("a look"), []);
            }
        });
        timed(&mut journal, || {
            for kind in ["phase", "pair", "decided", "run"] {
                self.record(kind);
            }
        });
        vec![screen, apply, reset, lay, journal, look]
    }

    fn rule_on(&self, catalogue: &Catalogue) {
        let question = Question { idea: None, axes: &[], patch_id: None, text: &self.settings.name, changes: &[] };
        std::hint::black_box(match_proposal(catalogue, &question, &Facts::default()));
    }

    /// Writes a file of the experiment's folder whole and durably.
    fn keep_file(&self, name: &str, bytes: &[u8]) {
        let folder = self.runs.join(format!("{:04}", self.number));
        fs::create_dir_all(&folder).expect("a folder");
        let mut file = tempfile::NamedTempFile::new_in(&folder).expect("a file");
        file.write_all(bytes).and_then(|()| file.as_file().sync_data()).expect("room");
        file.persist(folder.join(name)).expect("a file");
    }

    /// Journals the sample's events of one kind; what the engine syncs is synced.
    fn record(&mut self, wanted: &str) {
        let id = Some(ExperimentId(self.number));
        for event in self.events.iter().filter(|event| autoresearch::journal::kind(event) == wanted) {
            let synced = matches!(wanted, "proposed" | "screened" | "decided" | "run");
            let at = if synced { self.journal.append_synced(id, event) } else { self.journal.append(id, event) };
            self.state.apply(id, at.expect("a journal"), event);
        }
    }
}

/// Returns the events of one experiment of the sample journal, which is measured in eight pairs and dropped.
fn events(folder: &Path) -> Vec<Event> {
    let path = folder.join("sample.jsonl");
    let mut file = fs::File::create(&path).expect("a file");
    sample::write(&mut file, 1).expect("room");
    let reader = Reader::open(&path).expect("a journal");
    let records = reader.records().map(|record| record.expect("a good line"));
    records
        .filter(|record| record.experiment.is_some())
        .filter_map(|record| record.event().expect("a good payload"))
        .collect()
}
