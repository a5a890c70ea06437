//! The journal cut at every byte of its last two events: what is whole counts, and the session ends as if nothing was.
//!
//! That a cut leaves exactly the whole lines is tried at every byte in `src/journal/tests.rs`; that the program then goes
//! on to the same end, here at each end of a line and at a few bytes within. The long form runs it at every byte:
//!
//! ```text
//! AUTORESEARCH_CUTS=all cargo test --test cuts -- --nocapture
//! ```

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::fs;
use std::ops::Range;

use serde_json::Value;
use support::TestEnvironment;
use support::facts::{assert_same_facts, facts};

const BRANCH: &str = "refs/heads/autoresearch/counting";

/// Makes a finished session of a win, or of a win and a no-op, with an idea for each, and returns the ideas before it.
fn finished(dropped: bool) -> (TestEnvironment, String) {
    let env = TestEnvironment::counting_project();
    let ideas = "## To try\n\n- [ ] **less** Less work.\n- [ ] **other** Other words.\n\n## Tried\n";
    env.write("ideas.md", ideas);
    mail(&env, "1-less", "less", "src/work", ("1000", "900"));
    if dropped {
        mail(&env, "2-other", "other", "src/other", ("first\n second\n-third", "last"));
    }
    env.run(["run"]).expect(0);
    (env, ideas.to_owned())
}

/// Writes a candidate that replaces the last line of a file and names an idea.
fn mail(env: &TestEnvironment, name: &str, idea: &str, file: &str, (old, new): (&str, &str)) {
    let (old, count) = match old.rsplit_once('-') {
        Some((kept, old)) => (format!(" {kept}-{old}"), 3),
        None => (format!("-{old}"), 1),
    };
    let head = format!("From: Ann Other <ann@example.org>\nSubject: [PATCH] {name}\n\nBecause.\n\nIdea: {idea}\n---\n");
    let diff = format!(
        "diff --git a/{file} b/{file}\n--- a/{file}\n+++ b/{file}\n@@ -1,{count} +1,{count} @@\n{old}\n+{new}\n"
    );
    env.raw_patch(&format!("{name}.patch"), head + &diff);
}

/// Returns the bytes of each line, its newline included.
fn lines(journal: &[u8]) -> Vec<Range<usize>> {
    let mut start = 0;
    let ends = journal.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    ends.map(|end| std::mem::replace(&mut start, end)..end).collect()
}

fn kind(journal: &[u8], line: &Range<usize>) -> String {
    let line: Value = serde_json::from_slice(&journal[line.clone()]).unwrap();
    line["type"].as_str().unwrap().to_owned()
}

/// Returns where to cut a line: at every byte, or at its ends and a few within.
fn cuts(line: &Range<usize>) -> Vec<usize> {
    if std::env::var("AUTORESEARCH_CUTS").is_ok_and(|cuts| cuts == "all") {
        return line.clone().collect();
    }
    vec![line.start, line.start + 1, line.start + line.len() / 2, line.end - 1]
}

/// Cuts a finished session in its last verdict, its settling line and what follows, and runs it on each time.
fn goes_on_to_the_same_end(dropped: bool) {
    let (env, ideas) = finished(dropped);
    let (whole, expected, kept) = (env.journal_bytes("counting"), facts(&env), env.rev(BRANCH));
    let (edited, base) = (env.read("ideas.md"), env.rev("main"));
    assert_ne!(edited, ideas);
    let all = lines(&whole);
    let decided = all.iter().rposition(|line| kind(&whole, line) == "decided").unwrap();
    let unsettled = if dropped { first_idea(&edited, &ideas) } else { ideas };
    for (n, line) in all.iter().enumerate().skip(decided) {
        let settled = n > decided + 1;
        // What a crash can have left done already: the move of the branch, once the verdict is there.
        let tips: &[&str] = match (dropped || settled, n > decided) {
            (true, _) => &[&kept],
            (false, true) => &[&kept, &base],
            (false, false) => &[&base],
        };
        for (cut, tip) in cuts(line).into_iter().flat_map(|cut| tips.iter().map(move |tip| (cut, tip))) {
            fs::write(env.state("counting").join("journal.jsonl"), &whole[..cut]).unwrap();
            env.git(["update-ref", BRANCH, tip]);
            env.write("ideas.md", if settled { &edited } else { &unsettled });
            env.run(["run"]).expect(0);
            let (at, kind) = (cut - line.start, kind(&whole, line));
            let when = format!("after a cut at byte {at} of {} of '{kind}'", line.len());
            assert_same_facts(&facts(&env), &expected, &when);
        }
    }
}

/// Returns ideas.md as it was when only the first candidate was settled.
fn first_idea(edited: &str, ideas: &str) -> String {
    let done = edited.lines().find(|line| line.contains("(#1)")).unwrap();
    let open = ideas.lines().find(|line| line.contains("**less**")).unwrap();
    format!("{}\n{done}\n", ideas.replace(&format!("{open}\n"), ""))
}

#[test]
fn a_keep_cut_in_its_last_events_goes_on_to_the_same_end() {
    goes_on_to_the_same_end(false);
}

#[test]
fn a_drop_cut_in_its_last_events_goes_on_to_the_same_end() {
    goes_on_to_the_same_end(true);
}
