//! Agents as a source: stand-ins that behave as the documentation of each program says, and whole sessions with them.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use support::{Answer, TestEnvironment, wait_for};

/// A counting project whose candidates come from agents, and a folder of stand-ins for them.
struct Room {
    env: TestEnvironment,
}

impl Room {
    /// Makes a project with these sources.
    fn new(candidates: &Value) -> Self {
        let env = TestEnvironment::counting_project();
        for folder in ["bin", "calls"] {
            fs::create_dir(env.beside(folder)).unwrap();
        }
        let room = Self { env };
        room.env.configure(|config| config["candidates"] = candidates.clone());
        room
    }

    /// Makes a project with one agent and its stand-in.
    fn with(agent: &Value, program: &str, body: &str) -> Self {
        let room = Self::new(&json!([{ "agent": agent }]));
        room.stand_in(program, body);
        room
    }

    /// Writes a stand-in. It finds in `$calls` the folder of what is kept of calls, in `$n` its number from 1, and keeps its
    /// arguments and what it reads.
    fn stand_in(&self, program: &str, body: &str) {
        let path = self.env.beside("bin").join(program);
        let calls = self.env.beside("calls");
        let script = format!(
            "#!/bin/sh\ncalls={}\nn=$(($(ls \"$calls\" | grep -c '^{program}-.*-args$') + 1))\n\
             echo \"$*\" >\"$calls/{program}-$n-args\"\ncat >\"$calls/{program}-$n-stdin\"\n\
             cp \"$AUTORESEARCH_PROMPT\" \"$calls/{program}-$n-prompt\"\n\
             cp \"$AUTORESEARCH_CONTEXT\" \"$calls/{program}-$n-context\"\n{body}\n",
            calls.display()
        );
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.env.command(args);
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.env.beside("bin").display()));
        command.stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Answer {
        self.command(args).output().unwrap().into()
    }

    fn spawn(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Returns what was kept of a call: `args`, `stdin`, `prompt` or `context`.
    #[track_caller]
    fn kept(&self, name: &str) -> String {
        let path: PathBuf = self.env.beside("calls").join(name);
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Counts the calls of a stand-in.
    fn calls(&self, program: &str) -> usize {
        let entries = fs::read_dir(self.env.beside("calls")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(&format!("{program}-")) && name.ends_with("-args")).count()
    }

    fn events(&self, kind: &str) -> Vec<Value> {
        self.env.events("counting", kind)
    }

    /// Returns the rule that the session stopped by last.
    fn stopped_by(&self) -> String {
        self.events("stopped").last().unwrap()["rule"].as_str().unwrap().to_owned()
    }
}

/// Prints what claude does at its end: a text, and a cost.
fn claude_says(text: &str, cost: f64) -> String {
    let said = json!({ "type": "result", "subtype": "success", "is_error": false, "result": text,
        "session_id": "c-1", "total_cost_usd": cost });
    format!("printf '%s\\n' '{said}'")
}

#[test]
fn an_agent_that_edits_its_worktree_is_measured_kept_and_asked_again_in_one_conversation() {
    let body = format!(
        "git log --oneline >\"$calls/log\"\ngit status --porcelain >\"$calls/status\"\npwd >\"$calls/pwd\"\n\
         echo $((900 - 10 * $n)) >src/work\necho new >src/new\n\
         echo '{{\"description\": \"Do less\", \"hypothesis\": \"Less is less.\", \"mechanism\": \"fewer\", \"axis\": \"n='$n'\"}}' \
         >asi.json\n{}",
        claude_says("Done.", 0.5)
    );
    let room = Room::with(&json!({ "preset": "claude" }), "claude", &body);
    room.env
        .write("ideas.md", "# To try\n\n- [ ] **P1** count less\n\n# Closed\n\n- **P0** count backwards: no effect\n");
    let before = room.env.belongings();
    room.run(&["run", "--max-iterations", "1"]).expect(0);
    assert_eq!(room.env.verdicts("counting"), [("Do less".into(), "keep".into(), "improved".into())]);
    assert_eq!(room.env.git(["diff", "--name-only", "main", "autoresearch/counting"]), "src/new\nsrc/work\n");
    assert_eq!(room.env.belongings(), before, "nothing of the user's was touched");
    let proposed = &room.events("proposed")[0];
    assert_eq!(proposed["source"], json!({ "agent": "claude" }));
    assert_eq!(
        (proposed["hypothesis"].as_str(), proposed["base_commit"].as_str()),
        (Some("Less is less."), Some(room.env.rev("main").as_str()))
    );
    assert_eq!((proposed["call"]["cost"].as_f64(), proposed["call"]["number"].as_u64()), (Some(0.5), Some(1)));
    assert_eq!(
        (proposed["axes"][0]["name"].as_str(), proposed["asi"]["mechanism"].as_str()),
        (Some("n"), Some("fewer"))
    );
    assert_eq!(room.kept("log").lines().count(), 1, "its repository has no history of the user's");
    assert_eq!(room.kept("status"), "", "its repository knows the files as they are");
    assert!(!room.kept("claude-1-args").contains("--resume"), "{}", room.kept("claude-1-args"));
    assert_eq!(room.kept("claude-1-stdin"), room.kept("claude-1-prompt"), "the prompt is on standard input");
    let context: Value = serde_json::from_str(&room.kept("claude-1-context")).unwrap();
    assert_eq!((context["goal"]["metric"].as_str(), context["goal"]["now"].as_f64()), (Some("work"), Some(1000.0)));
    assert_eq!(
        (context["openIdeas"][0]["name"].as_str(), context["closedIdeas"][0]["name"].as_str()),
        (Some("P1"), Some("P0"))
    );
    assert_eq!(context["allow"], json!(["src/**"]));
    assert!(context["sealed"].as_array().unwrap().contains(&json!("bench.sh")), "{}", context["sealed"]);

    room.run(&["run", "--max-iterations", "2"]).expect(0);
    assert!(room.kept("claude-2-args").trim_end().ends_with("--resume c-1"), "{}", room.kept("claude-2-args"));
    let context: Value = serde_json::from_str(&room.kept("claude-2-context")).unwrap();
    assert_eq!(
        (context["goal"]["now"].as_f64(), context["experiments"][0]["status"].as_str()),
        (Some(890.0), Some("keep"))
    );
    assert_eq!(context["experiments"][0]["asi"]["mechanism"], "fewer");
    assert_eq!(room.env.git(["show", "autoresearch/counting:src/work"]), "880\n");
    let log = room.env.state("counting").join("agent/0002");
    for file in ["prompt.md", "context.json", "stdout", "stderr", "change.patch", "asi.json"] {
        assert!(log.join(file).is_file(), "{file}");
    }
}

#[test]
fn every_preset_works_with_a_program_that_prints_as_documented() {
    let names = ["claude", "codex", "gemini", "opencode", "pi", "aider"];
    let agents: Vec<Value> = names.iter().map(|name| json!({ "agent": { "preset": name } })).collect();
    let room = Room::new(&json!(agents));
    room.env.configure(|config| config["candidatesOrder"] = json!("turns"));
    let events = |events: &[Value]| {
        let lines: Vec<String> = events.iter().map(|event| format!("printf '%s\\n' '{event}'\n")).collect();
        lines.concat()
    };
    let usage = json!({ "cost": { "total": 0.25 } });
    let parts = json!([{ "type": "text", "text": "Done." }]);
    let message = json!({ "role": "assistant", "content": parts, "usage": usage, "stopReason": "stop" });
    let prints = [
        claude_says("Done.", 0.25),
        events(&[
            json!({ "type": "thread.started", "thread_id": "x-2" }),
            json!({ "type": "item.completed", "item": { "type": "agent_message", "text": "Done." } }),
            json!({ "type": "turn.completed", "usage": {} }),
        ]),
        events(&[
            json!({ "type": "init", "session_id": "x-3" }),
            json!({ "type": "message", "role": "assistant", "content": "Done.", "delta": true }),
            json!({ "type": "result", "status": "success" }),
        ]),
        events(&[
            json!({ "type": "text", "sessionID": "x-4", "part": { "text": "Done." } }),
            json!({ "type": "step_finish", "sessionID": "x-4", "part": { "cost": 0.25 } }),
        ]),
        events(&[json!({ "type": "session", "id": "x-5" }), json!({ "type": "message_end", "message": message })]),
        "mkdir -p .aider.tags.cache.v4 && touch .aider.tags.cache.v4/x\necho 'Done.'\n\
         echo 'Tokens: 2k sent, 1k received. Cost: $0.25 message, $0.25 session.'"
            .to_owned(),
    ];
    for (place, (name, prints)) in names.iter().zip(prints).enumerate() {
        room.stand_in(name, &format!("echo $((900 - 20 * {place} - 200 * ($n - 1))) >src/work\n{prints}"));
    }
    room.run(&["run", "--max-iterations", "7"]).expect(0);
    let sources: Vec<Value> = room.events("proposed").iter().map(|line| line["source"]["agent"].clone()).collect();
    assert_eq!(sources, ["claude", "codex", "gemini", "opencode", "pi", "aider", "claude"]);
    let verdicts = room.env.verdicts("counting");
    assert!(verdicts.iter().all(|(text, status, _)| text == "Done." && status == "keep"), "{verdicts:?}");
    let costs: Vec<Option<f64>> = room.events("proposed").iter().map(|line| line["call"]["cost"].as_f64()).collect();
    assert_eq!(costs[..6], [Some(0.25), None, None, Some(0.25), Some(0.25), Some(0.25)]);
    let files = room.env.git(["diff", "--name-only", "main", "autoresearch/counting"]);
    assert_eq!(files, "src/work\n", "what a program leaves for itself is no change");
    for name in ["gemini", "opencode", "pi"] {
        assert!(room.kept(&format!("{name}-1-args")).contains("Propose one performance experiment"), "{name}");
    }
    assert!(room.kept("codex-1-stdin").contains("Propose one performance experiment"));
    assert!(room.kept("aider-1-args").contains("--message-file /"));
}

#[test]
fn a_command_of_ones_own_may_print_a_diff() {
    let room = Room::new(&json!([{ "agent": { "command": "./tools/propose --in {context} <{prompt}" } }]));
    let diff = "--- a/src/work\n+++ b/src/work\n@@ -1 +1 @@\n-1000\n+800\n";
    let answer = format!("Count less.\n\n```diff\n{diff}```\n{{\"cost\": 0.25}}\n");
    fs::write(room.env.beside("answer"), answer).unwrap();
    let body = format!(
        "#!/bin/sh\ngrep -q 'Propose one' || exit 9\ntest \"$2\" = \"$AUTORESEARCH_CONTEXT\" || exit 9\ncat {}\n",
        room.env.beside("answer").display()
    );
    // Neither committed nor in the worktree: it lies beside the config.
    room.env.script("tools/propose", &body);
    room.run(&["run", "--max-iterations", "1"]).expect(0);
    assert_eq!(room.env.verdicts("counting"), [("Count less.".into(), "keep".into(), "improved".into())]);
    assert_eq!(room.events("proposed")[0]["source"], json!({ "agent": "propose" }));
    assert_eq!(room.events("proposed")[0]["call"]["cost"], 0.25);
}

#[test]
fn an_empty_answer_is_handed_back_once_with_the_reason() {
    let body = format!("if [ $n = 2 ]; then echo 900 >src/work; fi\n{}", claude_says("I thought.", 0.25));
    let room = Room::with(&json!({ "preset": "claude" }), "claude", &body);
    room.run(&["run", "--max-iterations", "1"]).expect(0);
    assert_eq!(room.env.verdicts("counting"), [("I thought.".into(), "keep".into(), "improved".into())]);
    let failed = room.events("proposal_failed");
    assert_eq!(failed.len(), 1);
    assert_eq!((failed[0]["handed_back"].as_bool(), failed[0]["call"]["cost"].as_f64()), (Some(true), Some(0.25)));
    assert!(!room.kept("claude-1-prompt").contains("handed back"));
    let prompt = room.kept("claude-2-prompt");
    assert!(prompt.contains("handed back") && prompt.contains("no file of the worktree was changed"), "{prompt}");
}

#[test]
fn what_is_refused_is_handed_back_once_and_then_stands_on_the_record() {
    let body = format!("echo mine >bench.sh\necho $n >>src/other\n{}", claude_says("Try it.", 0.0));
    let room = Room::with(&json!({ "preset": "claude" }), "claude", &body);
    room.env.configure(|config| config["stop"] = json!({ "agentCost": 1 }));
    // After five refusals in a row it would be waited for; a queue ends the session before.
    room.env.patch("1-win.patch", "src/work", "900\n");
    room.env.configure(|config| {
        config["candidates"] = json!([{ "agent": { "preset": "claude" } }, { "patches": "candidates" }]);
        config["candidatesOrder"] = json!("turns");
    });
    room.run(&["run", "--max-iterations", "1"]).expect(0);
    assert_eq!(
        room.env.verdicts("counting"),
        [
            ("Try it.".into(), "checks_failed".into(), "sealed_path".into()),
            ("win".into(), "keep".into(), "improved".into())
        ]
    );
    assert_eq!((room.calls("claude"), room.events("proposal_failed").len()), (2, 1));
    let prompt = room.kept("claude-2-prompt");
    assert!(prompt.contains("sealed_path: bench.sh") && prompt.contains("rejected.patch"), "{prompt}");
    assert_eq!(room.events("proposed").len(), 2, "what was handed back has no number");
}

#[test]
fn a_usage_limit_is_waited_for_and_no_experiment() {
    let limit = json!({ "type": "result", "is_error": true, "result": "Claude AI usage limit reached|RESET", "session_id": "c-1" });
    let body = format!(
        "if [ $n = 1 ]; then printf '%s\\n' '{limit}' | sed \"s/RESET/$(($(date +%s) + 3))/\"; exit 1; fi\n\
         echo 900 >src/work\n{}",
        claude_says("Done.", 0.25)
    );
    let room = Room::with(&json!({ "preset": "claude" }), "claude", &body);
    room.run(&["run", "--max-iterations", "1"]).expect(0);
    let waiting = room.events("waiting");
    assert_eq!(waiting.len(), 1);
    assert_eq!((waiting[0]["source"].as_str(), waiting[0]["obstacle"].as_str()), (Some("claude"), Some("usage_limit")));
    assert!(waiting[0]["why"].as_str().unwrap().starts_with("Claude AI usage limit reached"));
    let moment = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let (until, proposed) = (moment(&waiting[0]["until"]), moment(&room.events("proposed")[0]["at"]));
    assert!(proposed >= until, "asked again at {proposed}, before {until}");
    assert_eq!(room.env.verdicts("counting"), [("Done.".into(), "keep".into(), "improved".into())]);
}

#[test]
fn other_sources_run_while_an_agent_is_waited_for_and_the_wait_outlives_the_program() {
    let body = "echo \"You've hit your usage limit. Try again in 3 hours 2 minutes.\" >&2\nexit 1";
    let room = Room::with(&json!({ "preset": "codex" }), "codex", body);
    room.env.configure(|config| {
        config["candidates"] = json!([{ "agent": { "preset": "codex" } }, { "patches": "candidates" }]);
    });
    room.env.patch("1-win.patch", "src/work", "900\n");
    room.run(&["run", "--max-iterations", "1"]).expect(0);
    room.env.patch("2-no-op.patch", "src/other", "first\nsecond\nlast\n");
    room.run(&["run", "--max-iterations", "2"]).expect(0);
    let reasons: Vec<String> = room.env.verdicts("counting").into_iter().map(|(_, _, reason)| reason).collect();
    assert_eq!(reasons, ["improved", "no_effect"]);
    assert_eq!(room.calls("codex"), 1, "the second start knows of the wait");
    let waiting = room.events("waiting");
    let at = |key: &str| waiting[0][key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!((at("until").duration_since(at("at")).as_secs() + 30) / 60, 182);
}

#[test]
fn an_agent_that_stays_away_is_given_up_and_ends_the_session() {
    let body = "echo 'Invalid API key. Please run /login' >&2\nexit 1";
    let room = Room::with(&json!({ "preset": "claude", "maxWaitSeconds": 1 }), "claude", body);
    room.run(&["run"]).expect(8);
    assert_eq!(room.stopped_by(), "agent_unavailable");
    let waiting = room.events("waiting");
    assert_eq!((waiting.len(), room.calls("claude")), (2, 2));
    assert!(waiting.iter().all(|line| line["obstacle"] == "login"), "{waiting:?}");
    assert!(room.env.verdicts("counting").is_empty(), "it is no experiment");
    assert!(room.events("note").iter().any(|note| note["text"].as_str().unwrap().contains("it is not asked again")));
    // Another start is patient again, and asks at once.
    room.run(&["run"]).expect(8);
    assert_eq!(room.calls("claude"), 4);
}

#[test]
fn what_agents_cost_ends_the_session_also_over_restarts() {
    let body = format!("echo $((1000 - 50 * $n)) >src/work\n{}", claude_says("Done.", 0.5));
    let room = Room::with(&json!({ "preset": "claude" }), "claude", &body);
    room.env.configure(|config| config["stop"] = json!({ "agentCost": 0.9 }));
    room.run(&["run"]).expect(0);
    assert_eq!(
        (room.stopped_by().as_str(), room.calls("claude"), room.env.verdicts("counting").len()),
        ("agent_cost", 2, 2)
    );
    room.run(&["run"]).expect(0);
    assert_eq!((room.stopped_by().as_str(), room.calls("claude")), ("agent_cost", 2));
}

#[test]
fn a_call_over_its_time_limit_ends_with_its_whole_tree_and_is_made_again() {
    let body = format!(
        "if [ $n = 1 ]; then setsid sleep 1000 & sleep 1000; fi\necho 900 >src/work\n{}",
        claude_says("Done.", 0.25)
    );
    let room = Room::with(&json!({ "preset": "claude", "timeoutSeconds": 3 }), "claude", &body);
    room.run(&["run", "--max-iterations", "1"]).expect(0);
    let failed = room.events("proposal_failed");
    assert_eq!(failed.len(), 1);
    assert_eq!(
        (failed[0]["why"].as_str(), failed[0]["handed_back"].as_bool()),
        (Some("it did not end within its time limit"), Some(false))
    );
    assert_eq!(room.env.verdicts("counting"), [("Done.".into(), "keep".into(), "improved".into())]);
    room.env.wait_for_quiet();
}

#[test]
fn a_stop_ends_a_call_with_its_whole_tree_and_leaves_no_experiment() {
    let body = "setsid sleep 1000 &\ntouch \"$calls/began\"\nsleep 1000";
    let room = Room::with(&json!({ "preset": "claude" }), "claude", body);
    for (signal, code) in [(None, 0), (Some("INT"), 0), (Some("TERM"), 130)] {
        let child = room.spawn(&["run"]);
        wait_for("the call", || room.env.beside("calls/began").exists());
        match signal {
            None => _ = room.run(&["stop"]).expect(0),
            Some(signal) => {
                let pid = child.id().to_string();
                assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
            }
        }
        let answer: Answer = child.wait_with_output().unwrap().into();
        answer.expect(code);
        room.env.wait_for_quiet();
        fs::remove_file(room.env.beside("calls/began")).unwrap();
    }
    assert!(room.events("proposed").is_empty());
    let failed = room.events("proposal_failed");
    assert!(failed.len() == 3 && failed.iter().all(|line| line["stopped"] == true), "{failed:?}");
}

#[test]
fn nothing_of_the_holdout_is_in_the_worktree_its_history_or_what_is_told() {
    let body = format!(
        "grep -rl HELDOUTMARK . >\"$calls/found\"\ngit log --all -p >\"$calls/history\"\n\
         git cat-file --batch --batch-all-objects >>\"$calls/history\"\nls -A >\"$calls/files\"\necho $((1000 - 100 * $n)) >src/work\n{}",
        claude_says("Done.", 0.0)
    );
    let room = Room::with(&json!({ "preset": "claude" }), "claude", &body);
    room.env.script("secret-bench.sh", "#!/bin/sh\n# HELDOUTMARK\necho \"METRIC held_work=$(cat src/work)\"\n");
    room.env.configure(|config| {
        config["holdout"] = json!({ "command": "./secret-bench.sh",
            "metrics": [{ "name": "held_work", "direction": "lower", "tolerance": 0.03 }] });
    });
    room.env.commit("a holdout in the repository");
    room.run(&["run", "--max-iterations", "1"]).expect(0);
    room.run(&["run", "--max-iterations", "2"]).expect(0);
    assert_eq!(room.env.verdicts("counting")[0].1, "keep");
    assert_eq!(room.kept("found"), "");
    assert!(!room.kept("files").contains("secret-bench"));
    let seen = ["history", "claude-1-prompt", "claude-1-context", "claude-2-prompt", "claude-2-context"];
    for kept in seen {
        let text = room.kept(kept);
        for secret in ["HELDOUTMARK", "secret-bench", "held_work"] {
            assert!(!text.contains(secret), "{kept} has {secret}:\n{text}");
        }
    }
}

#[test]
fn a_queue_and_an_agent_take_turns() {
    let body = format!("echo $((900 - 100 * $n)) >src/work\n{}", claude_says("Asked.", 0.25));
    let room = Room::with(&json!({ "preset": "claude" }), "claude", &body);
    room.env.configure(|config| {
        config["candidates"] = json!([{ "patches": "candidates" }, { "agent": { "preset": "claude" } }]);
        config["candidatesOrder"] = json!("turns");
    });
    room.env.patch("1-first.patch", "src/other", "one\nsecond\nthird\n");
    room.env.patch("2-second.patch", "src/other", "two\nsecond\nthird\n");
    room.run(&["run", "--max-iterations", "5"]).expect(0);
    let order: Vec<String> = room.env.verdicts("counting").into_iter().map(|(text, _, _)| text).collect();
    assert_eq!(order, ["first", "Asked.", "second", "Asked.", "Asked."]);
}

#[test]
fn a_conversation_that_is_gone_begins_anew() {
    let body = format!(
        "case \"$*\" in *--resume*) echo 'No conversation found with session ID: c-1' >&2; exit 1;; esac\n\
         echo $((900 - 100 * $n)) >src/work\n{}",
        claude_says("Done.", 0.25)
    );
    let room = Room::with(&json!({ "preset": "claude" }), "claude", &body);
    room.run(&["run", "--max-iterations", "2"]).expect(0);
    assert_eq!((room.calls("claude"), room.env.verdicts("counting").len()), (3, 2));
    assert!(room.events("proposal_failed").is_empty() && room.events("waiting").is_empty());
    assert!(room.events("note").iter().any(|note| note["text"].as_str().unwrap().contains("a new one begins")));
}

#[test]
fn the_next_proposal_can_be_made_while_the_present_one_is_measured() {
    let body = format!(
        "cat src/work >\"$calls/saw-$n\"\nif [ $n = 1 ]; then echo 900 >src/work; else echo $n >>src/other; fi\n{}",
        claude_says("Done.", 0.25)
    );
    let room = Room::with(&json!({ "preset": "claude", "whileMeasuring": true }), "claude", &body);
    room.run(&["run", "--max-iterations", "2"]).expect(0);
    let reasons: Vec<String> = room.env.verdicts("counting").into_iter().map(|(_, _, reason)| reason).collect();
    assert_eq!(reasons, ["improved", "no_effect"]);
    assert_eq!(room.kept("saw-2"), "1000\n", "it began before the first was kept");
    let second = &room.events("proposed")[1];
    assert_eq!(second["base_commit"].as_str(), Some(room.env.rev("main").as_str()));
    assert_eq!(
        second["tip"].as_str(),
        Some(room.env.rev("autoresearch/counting").as_str()),
        "it was merged onto the keep"
    );
    assert_eq!(room.calls("claude"), 2, "none is asked for that would not be tried");
}

#[test]
fn what_cannot_work_is_refused_at_once_and_a_rehearsal_starts_no_agent() {
    let room = Room::with(&json!({ "preset": "claude" }), "claude", "exit 9");
    let answer = room.run(&["run", "--dry-run"]).expect(0);
    assert_eq!(room.calls("claude"), 0, "{}", answer.stdout);
    fs::remove_file(room.env.beside("bin/claude")).unwrap();
    for (agent, key, part) in [
        (json!({ "preset": "claude-none" }), "preset", "name one of claude, codex, gemini, opencode, pi, aider"),
        (json!({ "preset": "claude" }), "preset", "there is no program 'claude'"),
        (json!({ "command": "no-such-agent {prompt}" }), "command", "there is no program 'no-such-agent'"),
        (json!({ "command": ["./none.sh"] }), "command", "there is no program './none.sh'"),
    ] {
        room.env.configure(|config| config["candidates"] = json!([{ "agent": agent }]));
        let answer = room.run(&["run"]).expect(1);
        let place = "autoresearch.config.json:1:";
        let key = format!(": 'candidates[0].agent.{key}': ");
        assert!([part, place, &key].iter().all(|part| answer.stderr.contains(*part)), "{}", answer.stderr);
    }
    assert!(!room.env.state("counting").join("journal.jsonl").exists());
}

#[test]
fn an_agent_that_only_proposes_what_is_refused_does_not_spin_the_night() {
    let room = Room::with(&json!({ "preset": "claude", "maxWaitSeconds": 0 }), "claude", &claude_says("Hm.", 0.0));
    room.run(&["run"]).expect(8);
    assert_eq!(room.stopped_by(), "agent_unavailable");
    let refused = ("Hm.".to_owned(), "discard".to_owned(), "empty".to_owned());
    assert_eq!((room.env.verdicts("counting"), room.calls("claude")), (vec![refused; 5], 10));
    assert_eq!(room.events("waiting")[0]["obstacle"], "nothing_new");
}

#[test]
fn a_call_that_fails_again_and_again_is_waited_for_like_a_limit() {
    let room = Room::with(&json!({ "preset": "claude", "maxWaitSeconds": 0 }), "claude", "echo broken >&2\nexit 3");
    room.env.configure(|config| {
        config["candidates"] =
            json!([{ "agent": { "preset": "claude", "maxWaitSeconds": 0 } }, { "patches": "candidates" }]);
    });
    room.env.patch("1-win.patch", "src/work", "900\n");
    room.run(&["run", "--max-iterations", "1"]).expect(0);
    assert_eq!((room.events("proposal_failed").len(), room.events("waiting").len()), (1, 0));
    // Four more as a killed process leaves them.
    let failed = r#"{"type":"proposal_failed","at":"2026-01-01T00:00:00Z","source":"claude","why":"broken","handed_back":false}"#;
    let journal = room.env.state("counting").join("journal.jsonl");
    fs::write(&journal, format!("{}{}", room.env.journal_text("counting"), format!("{failed}\n").repeat(4))).unwrap();
    room.run(&["run", "--max-iterations", "2"]).expect(8);
    let waiting = room.events("waiting");
    assert_eq!(
        (waiting.len(), waiting[0]["obstacle"].as_str(), waiting[0]["why"].as_str()),
        (1, Some("nothing_new"), Some("broken"))
    );
    assert_eq!((room.stopped_by().as_str(), room.calls("claude")), ("agent_unavailable", 2));
}
