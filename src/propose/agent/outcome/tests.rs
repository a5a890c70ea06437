//! Outputs as the documentation of each program and reports of its users show them.

use super::*;
use crate::domain::LimitKind;
use crate::propose::agent::preset;

fn now() -> Zoned {
    "2026-05-01T22:00:00[UTC]".parse().unwrap()
}

fn read(name: &str, code: i32, stdout: &str, stderr: &str) -> Reading {
    ended(name, Outcome::Code(code), stdout, stderr)
}

fn ended(name: &str, outcome: Outcome, stdout: &str, stderr: &str) -> Reading {
    let known = preset(name);
    assert!(known.is_some() || name == "own");
    read_output(known, &mut Output { outcome, stdout: &mut stdout.as_bytes(), stderr, now: &now() }).unwrap()
}

#[track_caller]
fn expect_done(reading: &Reading, text: &str, cost: Option<f64>, conversation: Option<&str>) {
    assert_eq!(reading.answer, Answer::Done(text.to_owned()));
    let close = match (reading.cost, cost) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-12,
        (a, b) => a == b,
    };
    assert!(close, "{:?}", reading.cost);
    assert_eq!(reading.conversation.as_deref(), conversation);
}

/// Asserts an obstacle, a part of why, and the minutes until it ends.
#[track_caller]
fn expect_unavailable(reading: &Reading, obstacle: Obstacle, part: &str, minutes: Option<i64>) {
    let Answer::Unavailable { obstacle: found, why, until } = &reading.answer else { panic!("{reading:?}") };
    assert_eq!(*found, obstacle, "{why}");
    assert!(why.contains(part), "{why}");
    assert_eq!(until.map(|at| at.duration_since(now().timestamp()).as_mins()), minutes, "{why}");
}

#[track_caller]
fn expect_failed(reading: &Reading, part: &str, lost: bool) {
    let Answer::Failed { why, lost: found } = &reading.answer else { panic!("{reading:?}") };
    assert!(why.contains(part), "{why}");
    assert_eq!(*found, lost);
}

#[test]
fn claude_prints_one_object() {
    let said = |error: bool, result: &str| {
        serde_json::json!({ "type": "result", "subtype": "success", "is_error": error, "result": result,
            "session_id": "c-1", "total_cost_usd": 0.25, "usage": {} })
        .to_string()
    };
    expect_done(&read("claude", 0, &said(false, "Done."), ""), "Done.", Some(0.25), Some("c-1"));
    let limit = said(true, "Claude AI usage limit reached|1777680000");
    let reading = read("claude", 1, &limit, "");
    expect_unavailable(&reading, Obstacle::UsageLimit, "usage limit reached", Some(120));
    assert_eq!(reading.cost, Some(0.25), "what was spent counts, also where it came to nothing");
    // An error with exit code 0 is one.
    let reading = read("claude", 0, &said(true, "You've hit your limit · resets 1am (UTC)"), "");
    expect_unavailable(&reading, Obstacle::UsageLimit, "resets 1am", Some(180));
    let reading = read("claude", 1, "", "You've hit your session limit · resets 12:50am (UTC)\n");
    expect_unavailable(&reading, Obstacle::UsageLimit, "session limit", Some(170));
    let reading = read("claude", 1, &said(true, "Invalid API key · Please run /login"), "");
    expect_unavailable(&reading, Obstacle::Login, "Please run /login", None);
    let reading = read("claude", 1, &said(true, "API Error: Connection error."), "");
    expect_unavailable(&reading, Obstacle::Network, "Connection error", None);
    let lost = serde_json::json!({ "type": "result", "subtype": "error_during_execution", "is_error": true,
        "total_cost_usd": 0, "session_id": "c-2", "errors": ["No conversation found with session ID: c-1"] });
    expect_failed(&read("claude", 1, &lost.to_string(), ""), "No conversation found", true);
    expect_failed(&read("claude", 1, "", "No conversation found with session ID: c-1\n"), "c-1", true);
    expect_failed(&read("claude", 0, "hello", ""), "its output cannot be read: hello", false);
    let talk = said(false, "I added a rate limit; too many requests get error 429.");
    assert!(matches!(read("claude", 0, &talk, "").answer, Answer::Done(_)), "an answer may speak of limits");
}

#[test]
fn codex_prints_events() {
    let events = concat!(
        "{\"type\":\"thread.started\",\"thread_id\":\"t-1\"}\n{\"type\":\"turn.started\"}\n",
        "{\"type\":\"error\",\"message\":\"Reconnecting... 1/5 (stream disconnected)\"}\n",
        "{\"type\":\"item.completed\",\"item\":{\"id\":\"0\",\"type\":\"reasoning\",\"text\":\"think\"}}\n",
        "{\"type\":\"item.completed\",\"item\":{\"id\":\"1\",\"type\":\"agent_message\",\"text\":\"One.\"}}\n",
        "{\"type\":\"item.completed\",\"item\":{\"id\":\"2\",\"type\":\"agent_message\",\"text\":\"Two.\"}}\n",
        "{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}\n",
    );
    expect_done(&read("codex", 0, events, "noise\n"), "One.\nTwo.", None, Some("t-1"));
    let failed = |message: &str| {
        let line = serde_json::json!({ "type": "turn.failed", "error": { "message": message } });
        format!("{{\"type\":\"thread.started\",\"thread_id\":\"t-1\"}}\n{line}\n")
    };
    let limit = failed("You've hit your usage limit. Upgrade to Pro or try again in 3 hours 2 minutes.");
    expect_unavailable(&read("codex", 1, &limit, ""), Obstacle::UsageLimit, "hit your usage limit", Some(182));
    let limit = failed("You've hit your usage limit, or try again at May 2nd, 2026 8:19 PM.");
    expect_unavailable(&read("codex", 1, &limit, ""), Obstacle::UsageLimit, "usage limit", Some(1339));
    let reading = read("codex", 1, &failed("unexpected status 401 Unauthorized"), "");
    expect_unavailable(&reading, Obstacle::Login, "401", None);
    let reading = read("codex", 1, &failed("stream disconnected before completion"), "");
    expect_unavailable(&reading, Obstacle::Network, "stream disconnected", None);
    let lost = "Error: thread/resume: thread/resume failed: no rollout found for thread id t-1 (code -32600)\n";
    expect_failed(&read("codex", 1, "", lost), "no rollout found", true);
    expect_failed(&read("codex", 2, "", "error: unexpected argument\n"), "unexpected argument", false);
}

#[test]
fn gemini_prints_events_whose_pieces_are_joined() {
    let events = concat!(
        "{\"type\":\"init\",\"session_id\":\"g-1\",\"model\":\"m\"}\n",
        "{\"type\":\"message\",\"role\":\"user\",\"content\":\"prompt\"}\n",
        "{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"Do\",\"delta\":true}\n",
        "{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"ne.\",\"delta\":true}\n",
        "{\"type\":\"result\",\"status\":\"success\",\"stats\":{}}\n",
    );
    expect_done(&read("gemini", 0, events, ""), "Done.", None, Some("g-1"));
    let error = |message: &str| {
        let line =
            serde_json::json!({ "type": "result", "status": "error", "error": { "type": "E", "message": message } });
        format!("{line}\n")
    };
    let limit = error("You have exhausted your capacity on this model. Your quota will reset after 4h28m20s.");
    expect_unavailable(&read("gemini", 1, &limit, ""), Obstacle::UsageLimit, "exhausted your capacity", Some(268));
    let reading = read("gemini", 1, "", "[API Error: {\"error\":{\"code\":429,\"status\":\"RESOURCE_EXHAUSTED\"}}]\n");
    expect_unavailable(&reading, Obstacle::UsageLimit, "RESOURCE_EXHAUSTED", None);
    let reading = read("gemini", 41, "", "Please set an Auth method in your settings.json\n");
    expect_unavailable(&reading, Obstacle::Login, "Auth method", None);
    let reading = read("gemini", 1, "", "Error: getaddrinfo ENOTFOUND generativelanguage.googleapis.com\n");
    expect_unavailable(&reading, Obstacle::Network, "ENOTFOUND", None);
    expect_failed(&read("gemini", 42, "", "Invalid session identifier \"g-1\".\n"), "Invalid session", true);
    expect_failed(&read("gemini", 53, "", "Reached max session turns\n"), "max session turns", false);
}

#[test]
fn opencode_prints_steps_whose_costs_are_added() {
    let events = concat!(
        "{\"type\":\"step_start\",\"sessionID\":\"ses_1\",\"part\":{\"type\":\"step-start\"}}\n",
        "{\"type\":\"step_finish\",\"sessionID\":\"ses_1\",\"part\":{\"type\":\"step-finish\",\"cost\":0.25}}\n",
        "! permission requested: external_directory\n",
        "{\"type\":\"text\",\"sessionID\":\"ses_1\",\"part\":{\"type\":\"text\",\"text\":\"Done.\"}}\n",
        "{\"type\":\"step_finish\",\"sessionID\":\"ses_1\",\"part\":{\"type\":\"step-finish\",\"cost\":0.5}}\n",
    );
    expect_done(&read("opencode", 0, events, ""), "Done.", Some(0.75), Some("ses_1"));
    let error = |name: &str, message: &str| {
        let data = serde_json::json!({ "name": name, "data": { "message": message } });
        format!("{}\n", serde_json::json!({ "type": "error", "sessionID": "ses_1", "error": data }))
    };
    let reading = read("opencode", 1, &error("APIError", "Rate limit exceeded, retry after 30s"), "");
    expect_unavailable(&reading, Obstacle::UsageLimit, "Rate limit", Some(0));
    let reading = read("opencode", 1, &error("ProviderAuthError", "Missing API key for provider"), "");
    expect_unavailable(&reading, Obstacle::Login, "API key", None);
    let reading = read("opencode", 1, &error("APIError", "connect ECONNREFUSED 127.0.0.1:443"), "");
    expect_unavailable(&reading, Obstacle::Network, "ECONNREFUSED", None);
    let lost = "NotFoundError: NotFoundError\n data: {\n  message: \"Session not found: ses_1\",\n},\n";
    let reading = read("opencode", 0, "", lost);
    assert!(matches!(reading.answer, Answer::Failed { lost: true, .. }), "{reading:?}");
    expect_failed(&read("opencode", 0, "", ""), "it printed nothing", false);
}

#[test]
fn pi_prints_messages_with_their_costs() {
    let message = |role: &str, text: &str, cost: f64, stop: &str| {
        let usage = serde_json::json!({ "cost": { "total": cost } });
        let content = serde_json::json!([{ "type": "thinking", "thinking": "t" }, { "type": "text", "text": text }]);
        let body = serde_json::json!({ "role": role, "content": content, "usage": usage, "stopReason": stop });
        format!("{}\n", serde_json::json!({ "type": "message_end", "message": body }))
    };
    let failed = |why: &str| {
        let body =
            serde_json::json!({ "role": "assistant", "content": [], "stopReason": "error", "errorMessage": why });
        format!("{}\n", serde_json::json!({ "type": "message_end", "message": body }))
    };
    let begin = "{\"type\":\"session\",\"version\":3,\"id\":\"p-1\",\"cwd\":\"/w\"}\n";
    let events = [
        begin,
        &message("user", "prompt", 9.0, ""),
        &failed("overloaded_error"),
        &message("assistant", "One.", 0.25, "toolUse"),
        &message("assistant", "Two.", 0.5, "stop"),
        "{\"type\":\"agent_end\",\"messages\":[]}\n",
    ];
    expect_done(&read("pi", 0, &events.concat(), ""), "One.\nTwo.", Some(0.75), Some("p-1"));
    let limit = r#"Codex error: {"type":"error","error":{"type":"usage_limit_reached","resets_at":1777680000}}"#;
    let reading = read("pi", 0, &[begin, &failed(limit)].concat(), "");
    expect_unavailable(&reading, Obstacle::UsageLimit, "usage_limit_reached", Some(120));
    let reading = read("pi", 1, "", "No API key found for anthropic.\n\nUse /login or set an environment variable\n");
    expect_unavailable(&reading, Obstacle::Login, "Use /login", None);
    let reading = read("pi", 0, &[begin, &failed("fetch failed")].concat(), "");
    expect_unavailable(&reading, Obstacle::Network, "fetch failed", None);
    expect_failed(&read("pi", 1, "", "No session found matching 'p-1'\n"), "No session found", true);
}

#[test]
fn aider_prints_text_and_ends_well_whatever_happens() {
    let done = "Applied edit to src/work\nTokens: 2.1k sent, 100 received. Cost: $0.01 message, $0.03 session.\n";
    let reading = read("aider", 0, done, "");
    expect_done(&reading, done, Some(0.03), Some("kept"));
    let limit = "litellm.RateLimitError: AnthropicException - too many\nThe API provider has rate limited you. Try again in 20s.\n";
    expect_unavailable(&read("aider", 0, limit, ""), Obstacle::UsageLimit, "rate limited you", Some(0));
    let reading = read("aider", 0, &format!("{limit}Retrying in 0.2 seconds...\n{done}"), "");
    assert!(matches!(reading.answer, Answer::Done(_)), "what it got over is over");
    let login = "litellm.AuthenticationError: invalid x-api-key\nThe API provider is not able to authenticate you.\n";
    expect_unavailable(&read("aider", 0, login, ""), Obstacle::Login, "authenticate you", None);
    let network = "litellm.APIConnectionError: Cannot connect to host\n";
    expect_unavailable(&read("aider", 0, network, ""), Obstacle::Network, "Cannot connect", None);
    expect_failed(&read("aider", 2, "", "aider: error: unrecognized arguments: --x\n"), "unrecognized", false);
}

#[test]
fn a_command_of_ones_own_has_a_small_contract() {
    let reading = read("own", 0, "I did it.\n{\"cost\": 0.125, \"conversation\": \"x\"}\nbye\n", "");
    assert_eq!((reading.cost, reading.conversation.as_deref()), (Some(0.125), Some("x")));
    assert!(matches!(&reading.answer, Answer::Done(text) if text.starts_with("I did it.")));
    assert_eq!(read("own", 0, "{\"cost\": -1}\n", "").cost, None);
    let reading = read("own", 75, "", "come back: retry after 60s\n");
    expect_unavailable(&reading, Obstacle::UsageLimit, "come back", Some(1));
    expect_unavailable(&read("own", 75, "", ""), Obstacle::UsageLimit, "exit code 75", None);
    let reading = read("own", 1, "Error: rate limit exceeded, resets at 3am\n", "");
    expect_unavailable(&reading, Obstacle::UsageLimit, "rate limit", Some(300));
    expect_unavailable(&read("own", 1, "", "curl: Could not resolve host: x\n"), Obstacle::Network, "resolve", None);
    expect_unavailable(&read("own", 1, "", "error: 401 Unauthorized\n"), Obstacle::Login, "401", None);
    expect_failed(&read("own", 3, "", "Traceback\nValueError: line 429\n"), "ValueError: line 429", false);
    expect_failed(&read("own", 4, "", ""), "exit code 4", false);
}

#[test]
fn what_did_not_end_by_itself_failed() {
    expect_failed(&ended("claude", Outcome::TimedOut, "", ""), "did not end within its time limit", false);
    expect_failed(&ended("pi", Outcome::Signal(9), "", "rate limit"), "signal 9", false);
    expect_failed(&ended("own", Outcome::LimitBroken(LimitKind::Output), "", ""), "output limit", false);
    let part = "{\"type\":\"step_finish\",\"sessionID\":\"s\",\"part\":{\"cost\":0.5}}\n{\"type\":\"te";
    assert_eq!(ended("opencode", Outcome::TimedOut, part, "").cost, Some(0.5), "what was spent counts");
}
