//! The patterns of dangerous habits, each over the code of a line or over the line as written.

use std::sync::LazyLock;

use regex::Regex;

use super::script::QUOTED;

const NUMBER: &str = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?";
/// What may follow a command word.
const END: &str = r"(?:\s|$|[;|&)>`])";

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a fixed pattern")
}

/// A METRIC line whose number is written in the script; starts a line or a quoted text.
pub(super) static LITERAL: LazyLock<Regex> = LazyLock::new(|| {
    let start = r#"(?:^|["'`]|\\n|\becho\s+(?:-[neE]+\s+)?|\bprintf\s+)\s*METRIC\s+[\w.\-/:%µμ]+="#;
    let constant = format!(r#"{NUMBER}(?:\s|\\n|["'`)]|$)"#);
    let filled = format!(r#"%[-+.0-9]*[a-z](?:\\n)?["']\s+["']?{NUMBER}["']?{END}"#);
    pattern(&format!("{start}(?:{constant}|{filled})"))
});

/// A search for METRIC lines, which prints none.
pub(super) static SEARCH: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b[efz]?grep\b"));

/// What follows `||` and prints a number or a METRIC line.
pub(super) static PRINTS_VALUE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r#"^\s*\{{?\s*(?:echo|printf)\s+(?:-[neE]+\s+)?["']?\s*(?:METRIC\b|{NUMBER}(?:["'\s;)}}]|\\n|$))"#
    ))
});

/// What follows `||` and sets a variable to a number.
pub(super) static SETS_VALUE: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r#"^\s*\{{?\s*(\w+)=["']?{NUMBER}(?:["'\s;)}}]|$)"#)));

/// Variables that remember a failure, which is no fallback.
pub(super) static REMEMBERS_FAILURE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^(?:rc|ret\w*|status|code|exit\w*|ok|\w*fail\w*|\w*err\w*)$"));

/// What follows `||` and makes a failure a success.
pub(super) static IGNORES: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s*(?:true|:|exit\s+0|return\s+0)\s*(?:$|[;)}&|`])"));

/// What follows `||` and only talks about the failure.
pub(super) static TALKS: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*(?:echo|printf)\b"));

/// What still ends the script after `||`.
pub(super) static ENDS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(?:exit|return|false|kill)\b"));

/// Where the last command before `||` begins.
pub(super) static COMMAND_START: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:\|\||&&|[;|&({`!]|\b(?:then|do|else|if|while)\s)\s*"));

/// Commands whose failure means nothing for a measurement: cleaning up, asking, searching.
pub(super) static HARMLESS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:sudo\s+)?(?:(?:rm|mkdir|rmdir|kill|pkill|killall|wait|sync|umount|[efz]?grep|command|type|which|ulimit|renice|chmod|unset|trap|test|\[\[?)(?:\s|$)|.*\s(?:clean|stop|down|rm|shutdown|prune)(?:\s|$))",
    )
});

/// A default number in a parameter expansion.
pub(super) static DEFAULT: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r#"\$\{{(\w+):?[-=]["']?{NUMBER}["']?\}}"#)));

/// An assignment, with the name.
pub(super) static ASSIGNS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:^|[;&\s])(?:export\s+|local\s+|readonly\s+)?(\w+)="));

/// A METRIC line with what follows its name.
pub(super) static METRIC_VALUE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bMETRIC\s+[^\s=]+=(.*)$"));

/// A variable in use.
pub(super) static VARIABLE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\$\{?(\w+)"));

/// `set` with `-e`.
pub(super) static ERREXIT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:^|[;&])\s*set\b(?:.*\s-[a-zA-Z]*e[a-zA-Z]*(?:\s|$|;)|.*-o\s+errexit\b)"));

/// `set` with `pipefail`.
pub(super) static PIPEFAIL: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:^|[;&])\s*set\b.*\bpipefail\b"));

/// A first line that names a shell.
pub(super) static SHELL: LazyLock<Regex> = LazyLock::new(|| pattern(r"^#!.*\b(?:ba|da|z|k|a|mk)?sh\b"));

/// `-e` in the first line.
pub(super) static SHEBANG_E: LazyLock<Regex> = LazyLock::new(|| pattern(r"^#!.*sh\s+.*-[a-zA-Z]*e"));

/// A pattern of a `case`, where `|` means "or".
pub(super) static CASE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*\(?[^\s|()]+(?:\s*\|\s*[^\s|()]+)+\s*\)"));

/// A pipe: not `||`, not `>|`.
pub(super) static PIPE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:^|[^|>])\|(?:[^|]|$)"));

/// The left side of a pipe that cannot fail.
pub(super) static SAFE_LEFT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?:^|[;&({{`]|\b(?:then|do|else)\s)\s*(?:echo|printf|seq|yes)\b[^|;&{QUOTED}]*(?:{QUOTED}[^|;&]*)*\|"
    ))
});

/// A clock read or a timing program: what stands outside the first and last of them is not timed.
pub(super) static CLOCK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\bdate\s+(?:-u\s+)?\S*\+|\$\{?(?:EPOCHREALTIME|EPOCHSECONDS|SECONDS)\b|(?:^|[\s;&|({!/])time\s|\bhyperfine\b|\bperf\s+stat\b|\bperf_counter\b",
    )
});

/// Test runners, each with what makes the call none.
pub(super) static TEST_RUNNERS: LazyLock<Vec<(Regex, Option<Regex>)>> = LazyLock::new(|| {
    let install = r"\binstall\b";
    let runners = [
        (r"\bcargo\s+(?:\+\S+\s+)?(?:test|nextest\s+run)".to_owned() + END, r"--no-run\b"),
        (r"(?:^|[\s/(;&|])(?:pytest|py\.test)".to_owned() + END, r"--benchmark-only\b|\binstall\b|--collect-only\b"),
        (r"-m\s+unittest".to_owned() + END, ""),
        (r"\bgo\s+test".to_owned() + END, r"\s-c(?:\s|$)|-run\b.*-bench\b|-bench\b.*-run\b"),
        (r"\b(?:npm|pnpm|yarn|bun)\s+(?:run\s+)?(?:-\S+\s+)*(?:test|t)".to_owned() + END, ""),
        (r"(?:^|[\s/(;&|])(?:jest|mocha|tox|ctest|rspec|phpunit)".to_owned() + END, install),
        (r"(?:^|[\s/(;&|])vitest".to_owned() + END, r"\bvitest\s+bench\b|\binstall\b"),
        (r"\bnode\s+(?:-\S+\s+)*--test".to_owned() + END, ""),
        (
            r"\b(?:rake|make|ninja|gradlew?|mvn|mix|swift|dotnet|bazel|zig\s+build)\s+(?:-\S+\s+)*(?:test|tests|check|spec)".to_owned() + END,
            "",
        ),
    ];
    runners.iter().map(|(runs, not)| (pattern(runs), (!not.is_empty()).then(|| pattern(not)))).collect()
});
