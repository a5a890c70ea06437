//! The catalogue of ideas: its commands, what the loop closes by itself, and what a closed idea needs to be tried again.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::{Answer, TestEnvironment};

const IDEAS: &str = "\
# Ideas

Mine.

## To try

- [ ] **P1** fewer rounds <!-- autoresearch: id=rounds -->
- [ ] other order
  of the lines

## Tried

## Closed (do not retry)

- **bloom** filters cost more than they save. <!-- autoresearch: id=bloom reopen=\"src/work changed\" closed=1 -->

## Settled decisions

- **sync** The log is synced. <!-- autoresearch: path=src/other pattern=\"^second$\" forbid=unsafe -->
";

fn project(ideas: &str) -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.write("ideas.md", ideas);
    env.commit("ideas");
    env
}

/// Writes a candidate with trailers that changes a file to new content.
fn candidate(env: &TestEnvironment, name: &str, trailers: &str, file: &str, content: &str) {
    let (diff, _) = env.diff_of(|env| env.write(file, content));
    let head = format!("From: Ann Other <ann@example.org>\nSubject: [PATCH] {name}\n\nBecause.\n\n{trailers}\n---\n");
    env.raw_patch(&format!("{name}.patch"), [head.into_bytes(), diff].concat());
}

/// Writes a candidate that has no effect: it touches a file that the bench does not read.
fn idle(env: &TestEnvironment, name: &str, trailers: &str) {
    candidate(env, name, trailers, "src/other", &format!("first\nsecond\nthird\n{name}\n"));
}

fn ideas(env: &TestEnvironment, args: &[&str]) -> Answer {
    env.run([&["ideas"], args].concat())
}

fn listed(env: &TestEnvironment, name: &str) -> Value {
    let all = ideas(env, &["list", "--json"]).expect(0).json();
    let found = all["ideas"].as_array().unwrap().iter().find(|idea| idea["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {all:#}")).clone()
}

#[test]
fn ideas_are_listed_open_ones_first_and_found_by_words() {
    let env = project(IDEAS);
    let all = ideas(&env, &["list", "--json"]).expect(0).json();
    assert_eq!(all["file"], "ideas.md");
    let states: Vec<_> = all["ideas"].as_array().unwrap().iter().map(|idea| (&idea["state"], &idea["line"])).collect();
    let expected = json!([["to_try", 7], ["to_try", 8], ["closed", 15], ["settled", 19]]);
    assert_eq!(json!(states), expected);
    let bloom = listed(&env, "bloom");
    assert_eq!(bloom["reopen"]["holds"], false);
    assert_eq!(bloom["reopen"]["condition"], "src/work changed");
    assert_eq!(bloom["text"], "filters cost more than they save.");
    let text = ideas(&env, &["list"]).expect(0).stdout;
    assert!(text.starts_with("to try (2)\n"), "{text}");
    assert!(text.contains("closed: refused before anything runs (1)"), "{text}");
    let found = ideas(&env, &["search", "LINES", "order", "--json"]).expect(0).json();
    assert_eq!(found["ideas"].as_array().unwrap().len(), 1);
    assert_eq!(found["ideas"][0]["text"], "other order of the lines");
    assert_eq!(ideas(&env, &["search", "nowhere"]).expect(0).stdout, "there is no idea in ideas.md\n");
    assert_eq!(env.read("ideas.md"), IDEAS);
    ideas(&env, &["search"]).expect(2);
}

#[test]
fn an_idea_is_added_at_the_end_of_its_section_and_a_missing_file_is_made() {
    let env = project(&IDEAS.replace('\n', "\r\n"));
    let told = ideas(&env, &["add", "Skip the lookup where it is not needed"]).expect(0).stdout;
    assert_eq!(told, "added 'skip-the-lookup-where' (ideas.md:10)\n");
    let line = "  of the lines\n- [ ] Skip the lookup where it is not needed <!-- autoresearch: id=skip-the-lookup-where -->\n";
    assert_eq!(env.read("ideas.md"), IDEAS.replace("  of the lines\n", line).replace('\n', "\r\n"));
    let told = ideas(&env, &["add", "**P7** look at the lock", "--section", "settled"]).expect(0).stdout;
    assert_eq!(told, "added 'P7' (ideas.md:21)\n");
    assert!(env.read("ideas.md").ends_with("- **P7** look at the lock\r\n"));
    let refused = ideas(&env, &["add", "again", "--id", "ROUNDS"]).expect(1).stderr;
    assert!(refused.contains("'ROUNDS' is the name of another entry (line 7)"), "{refused}");
    let refused = ideas(&env, &["add", "x y z", "--section", "nowhere"]).expect(1).stderr;
    assert!(refused.contains("there is no section 'nowhere'; the file has: Ideas, To try, Tried"), "{refused}");

    fs::remove_file(env.repo().join("ideas.md")).unwrap();
    ideas(&env, &["add", "first of all"]).expect(0);
    let made = env.read("ideas.md");
    assert!(
        made.starts_with("# Ideas\n\n## To try\n\n- [ ] first of all <!-- autoresearch: id=first-all -->\n"),
        "{made}"
    );
}

#[test]
fn closing_takes_experiments_effect_and_base_from_the_journal() {
    let env = project(IDEAS);
    idle(&env, "1-a", "Idea: rounds");
    idle(&env, "2-b", "Idea: P9\nAxis: level=8");
    env.run(["run"]).expect(0);
    let base = &env.rev("main")[..10];
    let told = ideas(&env, &["close", "P1", "--because", "rounds are not the limit", "--experiments", "1"]).expect(0);
    assert_eq!(told.stdout, "closed 'P1', by #1 (ideas.md:17)\n");
    let text = env.read("ideas.md");
    let entry = format!(
        "- [x] **P1** fewer rounds: dropped (no_effect), +0.0 % (#1). Tried: #1 on {base}. Effect: +0.0 % [+0.0, +0.0]. \
         Mechanism: rounds are not the limit. Reopen: by a person. <!-- autoresearch: id=rounds closed=1 base={base} -->\n"
    );
    assert!(text.contains(&entry), "{text}");
    assert!(!text.contains("- [ ] **P1**"), "{text}");

    let axis = ["close", "level=8", "--because", "it is not read", "--reopen", "2 keeps since"];
    assert_eq!(ideas(&env, &axis).expect(0).stdout, "closed 'level=8', by #2 (ideas.md:18)\n");
    assert!(env.read("ideas.md").contains("axis=level=8 closed=2"));
    let again = ideas(&env, &axis).expect(1).stderr;
    assert!(again.contains("'level=8' is closed already (ideas.md:18), and no experiment is new"), "{again}");
    assert_eq!(listed(&env, "level=8")["mechanism"], "it is not read");
    assert_eq!(listed(&env, "level=8")["reopen"]["standing"], "0 of 2 keeps since");

    let unknown = ideas(&env, &["close", "nobody", "--because", "x"]).expect(1).stderr;
    assert!(unknown.contains("no idea is called 'nobody' in ideas.md, and no experiment tried it"), "{unknown}");
    let number = ideas(&env, &["close", "other", "--because", "x", "--experiments", "1,9"]).expect(1).stderr;
    assert!(number.contains("there is no experiment 9; the last one is 2"), "{number}");
    let words = ideas(&env, &["close", "bloom", "--because", "x", "--reopen", "one fine day"]).expect(2).stderr;
    assert!(words.contains("'N keeps since'"), "{words}");
}

#[test]
fn a_closed_idea_is_reopened_with_its_history() {
    let env = project(IDEAS);
    let told = ideas(&env, &["reopen", "Bloom", "--because", "reads changed."]).expect(0).stdout;
    assert_eq!(told, "reopened 'Bloom' (ideas.md:10)\n");
    let line = "- [ ] **bloom** filters cost more than they save. Reopened: reads changed. <!-- autoresearch: id=bloom closed=1 -->\n";
    assert!(env.read("ideas.md").contains(&format!("  of the lines\n{line}")), "{}", env.read("ideas.md"));
    let refused = ideas(&env, &["reopen", "rounds", "--because", "x"]).expect(1).stderr;
    assert!(refused.contains("no closed entry is called 'rounds'"), "{refused}");
}

#[test]
fn why_answers_as_the_screen_would_and_leaves_nothing_behind() {
    let env = project(IDEAS);
    idle(&env, "1-closed", "Idea: bloom");
    idle(&env, "2-open", "Idea: rounds");
    candidate(&env, "3-keeps", "Idea: rounds", "src/other", "first\nthird\n");
    candidate(&env, "4-forbids", "Idea: rounds", "src/other", "first\nsecond\nthird\nunsafe {}\n");
    candidate(&env, "5-moves", "Idea: rounds", "src/other", "second\nfirst\nthird\n");
    candidate(&env, "6-scope", "Idea: rounds", "README.md", "x\n");
    env.raw_patch("7-nowhere.patch", "--- a/src/none\n+++ b/src/none\n@@ -1 +1 @@\n-a\n+b\n");
    let before = env.belongings();
    let asked = |name: &str, code: i32, said: &str| {
        let answer = ideas(&env, &["why", &format!("candidates/{name}.patch")]).expect(code);
        assert!(answer.stdout.starts_with(said), "{name}: {}", answer.stdout);
        let told = ideas(&env, &["why", &format!("candidates/{name}.patch"), "--json"]).expect(code).json();
        assert_eq!(told["refused"], code == 4, "{name}");
    };
    asked(
        "1-closed",
        4,
        "refused (closed_idea): idea bloom is closed in ideas.md:15 ('bloom'); to be reopened when src/work",
    );
    asked("2-open", 0, "open: nothing stands against it; it applies (strict)\n");
    asked(
        "3-keeps",
        4,
        "refused (settled_decision): removing 'second' from src/other (pattern '^second$') is settled in",
    );
    asked(
        "4-forbids",
        4,
        "refused (settled_decision): adding 'unsafe {}' to src/other (forbid 'unsafe') is settled in",
    );
    asked("5-moves", 0, "open");
    asked("6-scope", 4, "refused (out_of_scope): README.md");
    asked("7-nowhere", 4, "refused (apply_failed): the patch does not apply: src/none");
    assert_eq!(env.belongings(), before);
    assert!(!env.state("counting").exists(), "no session was begun");
    let left = support::listing(&env.beside("cache"), &[]);
    assert!(!left.iter().any(|path| path.contains("why-")), "no private repository is left: {left:?}");

    // The screen of a session says the same; after it the same patch is a duplicate.
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[
            ("1-closed", "discard", "closed_idea", "idea bloom is closed in ideas.md:15"),
            ("2-open", "discard", "no_effect", ""),
            ("3-keeps", "discard", "settled_decision", "removing 'second' from src/other (pattern '^second$')"),
            ("4-forbids", "discard", "settled_decision", "adding 'unsafe {}' to src/other (forbid 'unsafe')"),
            ("5-moves", "discard", "no_effect", ""),
            ("6-scope", "checks_failed", "out_of_scope", "README.md"),
        ],
    );
    asked("2-open", 4, "refused (duplicate): the same patch on the same base was experiment 2");
    env.git(["checkout", "-q", "-b", "work"]);
    env.write("src/other", "first\nthird\n");
    env.git(["commit", "-q", "-m", "drop a line", "--", "src/other"]);
    let told = ideas(&env, &["why", "work", "--json"]).expect(4).json();
    assert_eq!(told["reason"], "settled_decision");
    assert_eq!(told["touched"], json!(["src/other"]));
}

#[test]
fn the_loop_closes_what_was_tried_in_vain_often_enough() {
    let env = project(IDEAS);
    env.configure(|config| config["ideas"] = json!({ "closeAfter": 2 }));
    env.commit("close ideas");
    idle(&env, "1-a", "Idea: rounds\nAsi-mechanism: rounds are free");
    candidate(&env, "2-crash", "Idea: rounds", "src/work", "none\n");
    idle(&env, "3-b", "Idea: rounds\nAxis: level=8\nAsi-mechanism: the bench does not read it");
    idle(&env, "4-c", "Idea: rounds");
    idle(&env, "5-d", "Axis: level=8");
    idle(&env, "6-e", "Axis: level=8");
    env.run(["run"]).expect(0);
    env.expect_verdicts(
        "counting",
        &[
            ("1-a", "discard", "no_effect", ""),
            ("2-crash", "crash", "metric_invalid", ""),
            ("3-b", "discard", "no_effect", ""),
            ("4-c", "discard", "closed_idea", "idea rounds is closed in ideas.md"),
            ("5-d", "discard", "no_effect", ""),
            ("6-e", "discard", "closed_idea", "axis level=8 is closed in ideas.md"),
        ],
    );
    let text = env.read("ideas.md");
    let rounds = listed(&env, "rounds");
    assert_eq!(rounds["state"], "closed");
    assert_eq!(rounds["mechanism"], "the bench does not read it");
    assert!(text.contains("Effect: +0.0 % [+0.0, +0.0] (#1); +0.0 % [+0.0, +0.0] (#3)."), "{text}");
    assert!(text.contains("id=rounds closed=1,3 base="), "{text}");
    assert!(text.contains("- **level=8** 5-d. Tried: #3, #5 on "), "{text}");
    assert_eq!(listed(&env, "level=8")["mechanism"], "not known; 2 experiments had no effect");
    let edits = env.events("counting", "idea_edit");
    let closed: Vec<_> = edits.iter().filter(|edit| edit["edit"] == "closed after 2 experiments").collect();
    assert_eq!(closed.iter().map(|edit| &edit["idea"]).collect::<Vec<_>>(), ["rounds", "level=8"]);
    assert!(closed.iter().all(|edit| edit["written"] == true));

    // What was closed is said to lack a reason until a person writes one.
    let lint = ideas(&env, &["lint"]).expect(7).stdout;
    assert!(lint.contains("no_mechanism: the closed entry 'level=8' does not say why it failed; write"), "{lint}");
}

#[test]
fn a_closing_that_a_crash_cut_off_is_made_at_the_next_start() {
    let env = project(IDEAS);
    env.configure(|config| config["ideas"] = json!({ "closeAfter": 1 }));
    env.commit("close ideas");
    idle(&env, "1-a", "Idea: rounds");
    env.run(["run"]).expect(0);
    let whole = env.read("ideas.md");
    assert!(whole.contains("id=rounds closed=1"), "{whole}");
    // As after a kill between the settling line and the edits: neither they nor their lines are there.
    let run = env.journal_text("counting").split_inclusive('\n').position(|line| line.contains(r#""run":1,"#)).unwrap();
    let cut: String = env.journal_text("counting").split_inclusive('\n').take(run + 1).collect();
    fs::write(env.state("counting").join("journal.jsonl"), cut).unwrap();
    env.write("ideas.md", IDEAS);
    env.run(["run"]).expect(0);
    assert_eq!(env.read("ideas.md"), whole);
    // As after a kill between the edits and their lines.
    let run = env.journal_text("counting").split_inclusive('\n').position(|line| line.contains(r#""run":1,"#)).unwrap();
    let cut: String = env.journal_text("counting").split_inclusive('\n').take(run + 1).collect();
    fs::write(env.state("counting").join("journal.jsonl"), cut).unwrap();
    env.run(["run"]).expect(0);
    assert_eq!(env.read("ideas.md"), whole);
    // What a person reopens stays open over a restart.
    ideas(&env, &["reopen", "rounds", "--because", "once more"]).expect(0);
    let open = env.read("ideas.md");
    env.run(["run"]).expect(0);
    assert_eq!(env.read("ideas.md"), open);
}

#[test]
fn an_idea_is_tried_again_as_soon_as_its_condition_holds() {
    let closed = "## Closed\n\n\
        - **path** a b c d e. <!-- autoresearch: closed=1 reopen=\"src/work changed\" -->\n\
        - **metric** a b c d e. <!-- autoresearch: closed=1 reopen=\"work moved 9 %\" -->\n\
        - **little** a b c d e. <!-- autoresearch: closed=1 reopen=\"work moved 11 %\" -->\n\
        - **keeps** a b c d e. <!-- autoresearch: closed=1 reopen=\"2 keeps since\" -->\n\
        - **day** a b c d e. <!-- autoresearch: closed=1 reopen=\"after 2020-01-01\" -->\n";
    let env = project(closed);
    idle(&env, "0-first", "Idea: other");
    idle(&env, "1-path", "Idea: path");
    idle(&env, "2-metric", "Idea: metric");
    candidate(&env, "3-win", "Idea: win", "src/work", "900\n");
    idle(&env, "4-path", "Idea: path");
    idle(&env, "5-metric", "Idea: metric");
    idle(&env, "6-little", "Idea: little");
    idle(&env, "7-keeps", "Idea: keeps");
    idle(&env, "8-day", "Idea: day");
    env.run(["run"]).expect(0);
    let (closed, tried) = (("discard", "closed_idea"), ("discard", "no_effect"));
    let expected = [
        ("1-path", closed),
        ("2-metric", closed),
        ("3-win", ("keep", "improved")),
        ("4-path", tried),
        ("5-metric", tried),
        ("6-little", closed),
        ("7-keeps", closed),
        ("8-day", tried),
    ];
    env.expect_verdicts("counting", &expected.map(|(name, (status, reason))| (name, status, reason, "")));
    assert_eq!(listed(&env, "path")["state"], "reopened");
    assert_eq!(listed(&env, "path")["reopen"]["standing"], "#4 changed src/work");
    assert_eq!(listed(&env, "little")["reopen"]["standing"], "work moved -10.0 % of 11 %");
    assert_eq!(listed(&env, "keeps")["reopen"]["standing"], "1 of 2 keeps since");
    env.git(["commit", "-q", "-m", "what was tried", "--", "ideas.md"]);
    idle(&env, "9-again", "Idea: path");
    ideas(&env, &["why", "candidates/9-again.patch"]).expect(0);
}

#[test]
fn what_changed_since_the_commit_of_a_closing_reopens_it_without_a_journal() {
    let env = project("");
    let entry = |base: &str| {
        format!("## Closed\n- **a** x y z u v <!-- autoresearch: base={base} reopen=\"src/work changed\" -->\n")
    };
    env.write("ideas.md", entry(&env.rev("main")[..10]));
    assert_eq!(listed(&env, "a")["reopen"]["holds"], false);
    env.write("src/work", "990\n");
    env.commit("by hand");
    assert_eq!(listed(&env, "a")["state"], "reopened");
    env.write("ideas.md", entry("0123456789"));
    assert_eq!(listed(&env, "a")["reopen"]["standing"], "no later keep changed src/work");
}

#[test]
fn lint_names_file_line_and_cure() {
    let env = project(IDEAS);
    assert_eq!(ideas(&env, &["lint"]).expect(0).stdout, "nothing is wrong\n");
    idle(&env, "1-a", "Idea: P3");
    let wrong = IDEAS.replace("reopen=\"src/work changed\"", "reopen=\"some day\" colour=red");
    env.write("ideas.md", &wrong);
    let found = ideas(&env, &["lint", "--json"]).expect(7).json();
    let told: Vec<_> =
        found["findings"].as_array().unwrap().iter().map(|f| json!([f["file"], f["line"], f["rule"]])).collect();
    let expected = json!([
        ["ideas.md", 15, "broken_comment"],
        ["ideas.md", 15, "unknown_reopen"],
        ["candidates/1-a.patch", 6, "unknown_idea"],
    ]);
    assert_eq!(json!(told), expected);
    let text = ideas(&env, &["lint"]).expect(7).stdout;
    let line = "candidates/1-a.patch:6: unknown_idea: no entry of ideas.md is called 'P3'; correct the trailer, or add the idea: \
                'autoresearch ideas add TEXT --id P3'\n";
    assert!(text.ends_with(line), "{text}");
    assert_eq!(env.read("ideas.md"), wrong);
    env.write("ideas.md", IDEAS);
    fs::remove_file(env.repo().join("candidates/1-a.patch")).unwrap();
    idle(&env, "2-b", "Idea: rounds");
    env.run(["run"]).expect(0);
    env.write("ideas.md", env.read("ideas.md").replace("(#1)", "(#7)"));
    let text = ideas(&env, &["lint"]).expect(7).stdout;
    assert!(text.contains("unknown_experiment: experiment 7 is not in the session's journal"), "{text}");
}
