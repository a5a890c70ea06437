//! The agent command lines that are known by name, as data: how each is started, goes on, prints, and says that it cannot.
//!
//! Only what each needs to edit the files of its folder is granted; whoever wants it to run commands as well gives a
//! command of his own beside the preset's name.

use super::reset::ResetForm;

/// One known command line. Words may hold `{prompt}`, `{context}`, `{worktree}`, `{folder}` (of prompt and context) and
/// `{conversation}`; the word `{text}` is the prompt itself.
#[derive(Debug)]
pub struct Preset {
    /// Its name in the config.
    pub name: &'static str,
    /// The command of a first call.
    pub first: &'static [&'static str],
    /// The command of a call that goes on with a conversation.
    pub further: &'static [&'static str],
    /// Whether the prompt comes on standard input.
    pub prompt_on_stdin: bool,
    /// How standard output is to be read.
    pub printed: Printed,
    /// How a conversation goes on.
    pub conversation: Conversation,
    /// Where the answer stands; several are joined.
    pub text: &'static [Field],
    /// What stands between two parts of an answer.
    pub joint: &'static str,
    /// Where it says that it failed. A later part of an answer takes that back.
    pub error: &'static [Field],
    /// Where the cost stands; several are added up.
    pub cost: &'static [Field],
    /// How the cost is printed in text, as an expression with one capture; the last one counts, as it is a sum so far.
    pub cost_text: Option<&'static str>,
    /// Expressions for a limit of use, beside the general ones.
    pub limit: &'static [&'static str],
    /// Exit codes for a login that is missing.
    pub login_codes: &'static [i32],
    /// Expressions for a login that is missing, beside the general ones.
    pub login: &'static [&'static str],
    /// Expressions for a network that fails, beside the general ones.
    pub network: &'static [&'static str],
    /// Expressions for a conversation that is gone.
    pub lost: &'static [&'static str],
    /// How it says when a limit ends, the likeliest first.
    pub resets: &'static [ResetForm],
    /// What it leaves in its folder for itself, as exclude patterns.
    pub litter: &'static [&'static str],
}

/// How a program prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Printed {
    /// One JSON object.
    Json,
    /// One JSON object a line.
    JsonLines,
    /// Text.
    Text,
}

/// How a conversation goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversation {
    /// By the id that a call prints.
    Printed(&'static [Field]),
    /// By a flag: the program finds its last conversation in a file.
    Kept,
}

/// Where something stands in a JSON object: a JSON pointer, and what must stand elsewhere for it to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Pointers, each with the text or literal that must stand there.
    pub when: &'static [(&'static str, &'static str)],
    /// Where it stands: a text, a number, or a list of parts with `text`.
    pub at: &'static str,
}

const fn field(when: &'static [(&'static str, &'static str)], at: &'static str) -> Field {
    Field { when, at }
}

/// Every preset.
pub static PRESETS: [Preset; 6] = [CLAUDE, CODEX, GEMINI, OPENCODE, PI, AIDER];

/// Returns the preset of a name.
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// Returns the names of all presets, for people.
pub fn names() -> String {
    PRESETS.iter().map(|preset| preset.name).collect::<Vec<_>>().join(", ")
}

// Sources: Claude Code documentation, "Run Claude Code programmatically" and "CLI reference" (-p, --output-format json with
// result, session_id, total_cost_usd, is_error; --resume ID; --permission-mode; --add-dir; the prompt on standard input);
// anthropics/claude-code issues 2087 and 9236 ("usage limit reached|<unix seconds>", "will reset at 3pm (zone)"), 74079
// ("session limit · resets 12:50am (zone)"), 79500 (is_error with exit code 0), 6270 (login), 40609 (conversation gone).
const CLAUDE: Preset = Preset {
    name: "claude",
    first: &["claude", "-p", "--output-format", "json", "--permission-mode", "acceptEdits", "--add-dir", "{folder}"],
    further: &[
        "claude",
        "-p",
        "--output-format",
        "json",
        "--permission-mode",
        "acceptEdits",
        "--add-dir",
        "{folder}",
        "--resume",
        "{conversation}",
    ],
    prompt_on_stdin: true,
    printed: Printed::Json,
    conversation: Conversation::Printed(&[field(&[], "/session_id")]),
    text: &[field(&[], "/result")],
    joint: "\n",
    error: &[field(&[("/is_error", "true")], "/result"), field(&[("/is_error", "true")], "/errors/0")],
    cost: &[field(&[], "/total_cost_usd")],
    cost_text: None,
    limit: &["(?i)hit your (\\w+ )?limit", "(?i)out of (extra )?usage", "(?i)credit balance is too low"],
    login_codes: &[],
    login: &["(?i)please run /login", "(?i)invalid api key"],
    network: &["(?i)API Error: (Connection|Request timed out)"],
    lost: &["(?i)no conversation found"],
    resets: &[ResetForm::UnixSeconds, ResetForm::Date, ResetForm::Clock, ResetForm::Duration],
    litter: &["/.claude/"],
};

// Sources: openai/codex docs/exec.md, and the Codex manual's "Non-interactive mode" (exec --json with thread.started,
// item.completed, turn.completed, turn.failed and error events; resume SESSION_ID; --sandbox workspace-write; - for standard
// input); openai/codex issues 3124 ("try again in 2 days 17 hours 14 minutes"), 26668 ("try again at Jul 5th, 2026 8:19 PM"),
// 22064 and 19661 (a thread that is gone). No cost is printed, only tokens.
const CODEX: Preset = Preset {
    name: "codex",
    first: &["codex", "exec", "--json", "--sandbox", "workspace-write", "--skip-git-repo-check", "-"],
    further: &[
        "codex",
        "exec",
        "--json",
        "--sandbox",
        "workspace-write",
        "--skip-git-repo-check",
        "resume",
        "{conversation}",
        "-",
    ],
    prompt_on_stdin: true,
    printed: Printed::JsonLines,
    conversation: Conversation::Printed(&[field(&[("/type", "thread.started")], "/thread_id")]),
    text: &[field(&[("/type", "item.completed"), ("/item/type", "agent_message")], "/item/text")],
    joint: "\n",
    error: &[field(&[("/type", "turn.failed")], "/error/message"), field(&[("/type", "error")], "/message")],
    cost: &[],
    cost_text: None,
    limit: &["(?i)hit your usage limit", "usage_limit_reached"],
    login_codes: &[],
    login: &["(?i)codex login", "(?i)not logged in"],
    network: &["(?i)stream disconnected", "(?i)error sending request"],
    lost: &["(?i)no rollout found", "(?i)thread not loaded", "(?i)thread \\S+ not found"],
    resets: &[ResetForm::Duration, ResetForm::Date, ResetForm::Clock, ResetForm::UnixSeconds],
    litter: &["/.codex/"],
};

// Sources: Gemini CLI documentation, "Headless mode reference" (--prompt, --output-format stream-json with init, message and
// result events), "Session management" (--resume with a session's id) and "CLI reference" (--approval-mode,
// --include-directories); google-gemini/gemini-cli issues 25103 ("Your quota will reset after 4h28m20s") and 1848
// (RESOURCE_EXHAUSTED); exit code 41 is a failed authentication. No cost is printed, only tokens.
const GEMINI: Preset = Preset {
    name: "gemini",
    first: &[
        "gemini",
        "--output-format",
        "stream-json",
        "--approval-mode",
        "auto_edit",
        "--include-directories",
        "{folder}",
        "--prompt",
        "{text}",
    ],
    further: &[
        "gemini",
        "--output-format",
        "stream-json",
        "--approval-mode",
        "auto_edit",
        "--include-directories",
        "{folder}",
        "--resume",
        "{conversation}",
        "--prompt",
        "{text}",
    ],
    prompt_on_stdin: false,
    printed: Printed::JsonLines,
    conversation: Conversation::Printed(&[field(&[("/type", "init")], "/session_id")]),
    text: &[field(&[("/type", "message"), ("/role", "assistant")], "/content")],
    joint: "",
    error: &[field(&[("/type", "result"), ("/status", "error")], "/error/message"), field(&[], "/error/message")],
    cost: &[],
    cost_text: None,
    limit: &["RESOURCE_EXHAUSTED", "(?i)exhausted your (daily )?(capacity|quota)", "(?i)quota limit"],
    login_codes: &[41],
    login: &["(?i)set an auth method", "FatalAuthenticationError"],
    network: &[],
    lost: &["(?i)invalid session identifier", "(?i)no previous sessions found", "(?i)error resuming session"],
    resets: &[ResetForm::Duration, ResetForm::Clock],
    litter: &["/.gemini/"],
};

// Sources: OpenCode documentation, "CLI" (run, --format json, --session, --file); anomalyco/opencode pull request 2810 (step_finish
// with part.cost and sessionID), issue 27559 (a missing session: exit code 0, nothing on standard output, NotFoundError on
// standard error) and pull request 26955 (errors of a session end with another exit code).
const OPENCODE: Preset = Preset {
    name: "opencode",
    first: &["opencode", "run", "--format", "json", "{text}", "--file", "{context}"],
    further: &["opencode", "run", "--format", "json", "--session", "{conversation}", "{text}", "--file", "{context}"],
    prompt_on_stdin: false,
    printed: Printed::JsonLines,
    conversation: Conversation::Printed(&[field(&[], "/sessionID")]),
    text: &[field(&[("/type", "text")], "/part/text")],
    joint: "\n",
    error: &[field(&[("/type", "error")], "/error/data/message"), field(&[("/type", "error")], "/error/name")],
    cost: &[field(&[("/type", "step_finish")], "/part/cost")],
    cost_text: None,
    limit: &[],
    login_codes: &[],
    login: &["ProviderAuthError", "(?i)opencode auth login"],
    network: &[],
    lost: &["(?i)session not found"],
    resets: &[ResetForm::UnixSeconds, ResetForm::Duration, ResetForm::Iso, ResetForm::Date, ResetForm::Clock],
    litter: &["/.opencode/"],
};

// Sources: earendil-works/pi packages/coding-agent docs "Command Line" and "JSON event stream" (-p, --mode json, --session; a
// session header with its id, message_end with role, content, usage.cost.total, stopReason and errorMessage); issue 4172
// (resets_at and resets_in_seconds of a provider's limit); YoanWai/agent-manager pull request 201 ("No session found
// matching"); earendil-works/pi issue 343 ("No API key found").
const PI: Preset = Preset {
    name: "pi",
    first: &["pi", "-p", "--mode", "json", "{text}"],
    further: &["pi", "-p", "--mode", "json", "--session", "{conversation}", "{text}"],
    prompt_on_stdin: false,
    printed: Printed::JsonLines,
    conversation: Conversation::Printed(&[field(&[("/type", "session")], "/id")]),
    text: &[field(&[("/type", "message_end"), ("/message/role", "assistant")], "/message/content")],
    joint: "\n",
    error: &[field(&[("/type", "message_end"), ("/message/stopReason", "error")], "/message/errorMessage")],
    cost: &[field(&[("/type", "message_end"), ("/message/role", "assistant")], "/message/usage/cost/total")],
    cost_text: None,
    limit: &["usage_limit_reached"],
    login_codes: &[],
    login: &["(?i)no api key found", "(?i)use /login"],
    network: &[],
    lost: &["(?i)no session found matching"],
    resets: &[ResetForm::UnixSeconds, ResetForm::Duration, ResetForm::Iso, ResetForm::Date, ResetForm::Clock],
    litter: &["/.pi/"],
};

// Sources: aider documentation, "Scripting aider" and "Options reference" (--message-file, --yes-always, --no-auto-commits,
// --no-dirty-commits, --chat-history-file, --restore-chat-history, --read); Aider-AI/aider aider/exceptions.py (the names of
// errors, which it prints and then ends with exit code 0); its cost line ends "Cost: $0.01 message, $0.02 session."
const AIDER: Preset = Preset {
    name: "aider",
    first: &[
        "aider",
        "--message-file",
        "{prompt}",
        "--yes-always",
        "--no-auto-commits",
        "--no-dirty-commits",
        "--no-gitignore",
        "--no-check-update",
        "--no-pretty",
        "--no-stream",
        "--chat-history-file",
        "{folder}/aider.history.md",
        "--input-history-file",
        "{folder}/aider.input",
        "--read",
        "{context}",
    ],
    further: &[
        "aider",
        "--message-file",
        "{prompt}",
        "--yes-always",
        "--no-auto-commits",
        "--no-dirty-commits",
        "--no-gitignore",
        "--no-check-update",
        "--no-pretty",
        "--no-stream",
        "--chat-history-file",
        "{folder}/aider.history.md",
        "--input-history-file",
        "{folder}/aider.input",
        "--read",
        "{context}",
        "--restore-chat-history",
    ],
    prompt_on_stdin: false,
    printed: Printed::Text,
    conversation: Conversation::Kept,
    text: &[],
    joint: "\n",
    error: &[],
    cost: &[],
    cost_text: Some(r"Cost: \$[0-9.]+ message, \$([0-9.]+) session"),
    limit: &["litellm\\.(Router)?RateLimitError", "litellm\\.BudgetExceededError", "(?i)has rate limited you"],
    login_codes: &[],
    login: &["litellm\\.AuthenticationError", "(?i)not able to authenticate you"],
    network: &[
        "litellm\\.(APIConnectionError|InternalServerError|ServiceUnavailableError|Timeout)",
        "(?i)servers are down or overloaded",
    ],
    lost: &[],
    resets: &[ResetForm::Duration, ResetForm::Iso, ResetForm::UnixSeconds],
    litter: &[".aider*"],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_and_found() {
        assert_eq!(names(), "claude, codex, gemini, opencode, pi, aider");
        for known in &PRESETS {
            assert_eq!(preset(known.name).map(|found| found.name), Some(known.name));
            assert_eq!(known.first[0], known.name);
        }
        assert!(preset("none").is_none());
    }

    #[test]
    fn every_expression_compiles() {
        for preset in &PRESETS {
            let lists = [preset.limit, preset.login, preset.network, preset.lost];
            for expression in lists.into_iter().flatten().chain(preset.cost_text.iter()) {
                assert!(regex::Regex::new(expression).is_ok(), "{}: {expression}", preset.name);
            }
        }
    }

    #[test]
    fn every_preset_stands_in_the_documentation() {
        let page = include_str!("../../../docs/agents.md");
        for preset in &PRESETS {
            let row = row(preset);
            assert!(page.contains(&row), "docs/agents.md lacks this row:\n{row}");
        }
    }

    /// Writes a preset as the documentation's table has it.
    fn row(preset: &Preset) -> String {
        let first = preset.first.join(" ").replace("{text}", "'the prompt'");
        let fed = if preset.prompt_on_stdin { " < {prompt}" } else { "" };
        let goes_on = match preset.conversation {
            Conversation::Printed(_) => "the id that it prints",
            Conversation::Kept => "its history file",
        };
        let cost = if preset.cost.is_empty() && preset.cost_text.is_none() { "not printed" } else { "taken" };
        format!("| `{}` | `{first}{fed}` | {goes_on} | {cost} |", preset.name)
    }
}
