//! The prompt: what is asked for, by which rules, and where the rest is told.

use std::fmt::Write as _;
use std::path::Path;

use super::lines::{head, tail};

/// Bytes of a reason that is handed back, and of hook output, that go into a prompt.
pub const HANDED_OVER_MAX: usize = 8 << 10;
/// Paths that a list names before it refers to the context.
const PATHS_MAX: usize = 20;

/// What a prompt is made of.
#[derive(Debug, Clone, Copy)]
pub struct PromptParts<'a> {
    /// What is to be reached, in one sentence.
    pub goal: &'a str,
    /// The JSON context.
    pub context: &'a Path,
    /// The worktree.
    pub worktree: &'a Path,
    /// Paths that may be changed; empty is every one that is not sealed.
    pub allow: &'a [String],
    /// Paths that may not be changed.
    pub protect: &'a [String],
    /// Sealed paths.
    pub sealed: &'a [String],
    /// Why the last answer was handed back, and where its change lies, where it was one.
    pub handed_back: Option<(&'a str, Option<&'a Path>)>,
    /// What hooks printed since the last answer.
    pub hooks: &'a str,
}

/// Writes the prompt.
pub fn prompt(parts: &PromptParts<'_>) -> String {
    let mut text = String::from("# Propose one performance experiment\n\n");
    if let Some((why, change)) = parts.handed_back {
        let _ = write!(
            text,
            "Your last answer was handed back and not tried:\n\n    {}\n\n",
            indented(head(why, HANDED_OVER_MAX))
        );
        if let Some(change) = change {
            let _ = write!(text, "Its change was kept as {}; the worktree is as it was before it. ", change.display());
        }
        text.push_str("Answer again, better; a second answer like it counts as a failed experiment.\n\n");
    }
    let _ = write!(
        text,
        "Goal: {goal}\n\nWhat is known stands in {context} (JSON): the metrics with their present values and noise, what may be \
         changed, ideas that are open, ideas that are closed and why, the last experiments and what came of them. Read it \
         first. Do not try again what is closed or was dropped, unless you can say what is different now.\n\n",
        goal = parts.goal,
        context = parts.context.display(),
    );
    text.push_str("## Rules\n\n");
    let _ = write!(
        text,
        "- Edit the files in {worktree}, which is the program as it is now. If you cannot edit files, print one unified diff \
         against it instead.\n\
         - One idea for each proposal: the smallest change that shows whether the idea helps. The program must do the same \
         work and give the same results.\n",
        worktree = parts.worktree.display(),
    );
    paths(&mut text, "- Change only", parts.allow);
    paths(&mut text, "- Never change", parts.protect);
    paths(&mut text, "- Sealed, a change of these is refused:", parts.sealed);
    text.push_str(
        "- Do not run the benchmark for the verdict, and report no figures: the loop builds and measures your change against \
         the present program, in pairs, and decides by its own numbers.\n\
         - Commit nothing, and leave no other files behind.\n\n\
         ## What to leave\n\n\
         A file asi.json in the root of the worktree (no part of the change), as far as you can say it:\n\n\
         {\n  \"description\": \"one line: what it changes\",\n  \"hypothesis\": \"why it should help\",\n  \"mechanism\": \"what \
         happens differently\",\n  \"predicted\": {\"a metric that should move\": \"lower or higher\"},\n  \"idea\": \"the open \
         idea that it tries, by its name\",\n  \"axis\": \"setting=value, where it tries a value of a setting\"\n}\n",
    );
    if !parts.hooks.trim().is_empty() {
        let _ =
            write!(text, "\n## What the hooks of this project say\n\n{}\n", tail(parts.hooks.trim(), HANDED_OVER_MAX));
    }
    text
}

fn indented(text: &str) -> String {
    text.trim().replace('\n', "\n    ")
}

fn paths(text: &mut String, words: &str, paths: &[String]) {
    if paths.is_empty() {
        return;
    }
    let more = if paths.len() > PATHS_MAX { ", and those that the context lists" } else { "" };
    let shown: Vec<&str> = paths.iter().take(PATHS_MAX).map(|path| head(path, 200)).collect();
    let _ = writeln!(text, "{words} {}{more}.", shown.join(", "));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> PromptParts<'static> {
        PromptParts {
            goal: "make work lower",
            context: Path::new("/c/context.json"),
            worktree: Path::new("/c/work"),
            allow: &[],
            protect: &[],
            sealed: &[],
            handed_back: None,
            hooks: "",
        }
    }

    #[test]
    fn a_first_prompt_says_goal_rules_and_where_to_read_on() {
        let text = prompt(&parts());
        for part in [
            "Goal: make work lower",
            "/c/context.json",
            "/c/work",
            "asi.json",
            "unified diff",
            "Do not run the benchmark",
        ] {
            assert!(text.contains(part), "{part}");
        }
        for part in ["handed back", "hooks of this project", "Change only", "Sealed"] {
            assert!(!text.contains(part), "{part}");
        }
    }

    #[test]
    fn reason_paths_and_hook_output_go_in_within_bounds() {
        let many: Vec<String> = (0..50).map(|n| format!("src/{n}")).collect();
        let (why, hooks) = ("src/x: outside scope.allow\n".repeat(2000), format!("{}last words", "x".repeat(20_000)));
        let text = prompt(&PromptParts {
            handed_back: Some((&why, Some(Path::new("/c/rejected.patch")))),
            hooks: &hooks,
            allow: &many[..1],
            protect: &many[1..3],
            sealed: &many,
            ..parts()
        });
        assert!(
            text.contains("outside scope.allow")
                && text.contains("/c/rejected.patch")
                && text.ends_with("last words\n")
        );
        assert!(text.contains("- Change only src/0.\n- Never change src/1, src/2.\n"), "{text}");
        assert!(text.contains("src/19, and those that the context lists.\n"));
        assert!(text.len() < 2 * HANDED_OVER_MAX + 20_000, "{}", text.len());
    }
}
