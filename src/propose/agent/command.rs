//! The command line of one call.

use std::path::Path;

use crate::domain::Command;

use super::presets::Preset;

/// Where a call's files lie; all absolute.
#[derive(Debug, Clone, Copy)]
pub struct CallPaths<'a> {
    /// The prompt.
    pub prompt: &'a Path,
    /// The JSON context.
    pub context: &'a Path,
    /// The worktree that it edits.
    pub worktree: &'a Path,
}

impl CallPaths<'_> {
    /// Returns the values of the placeholders.
    fn values(&self) -> [(&'static str, String); 4] {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let folder = self.prompt.parent().unwrap_or(Path::new("/"));
        [
            ("{prompt}", text(self.prompt)),
            ("{context}", text(self.context)),
            ("{worktree}", text(self.worktree)),
            ("{folder}", text(folder)),
        ]
    }
}

/// Returns the command of a preset: its first call, or one that goes on with a conversation.
pub fn preset_command(preset: &Preset, paths: CallPaths<'_>, prompt: &str, conversation: Option<&str>) -> Command {
    let words = if conversation.is_some() { preset.further } else { preset.first };
    let mut values = paths.values().to_vec();
    values.push(("{conversation}", conversation.unwrap_or_default().to_owned()));
    // The text comes last: what stands in it is no placeholder.
    let word = |word: &&str| if *word == "{text}" { prompt.to_owned() } else { filled(word, &values) };
    let argv: Vec<String> = words.iter().map(word).collect();
    if !preset.prompt_on_stdin {
        return Command::Argv(argv);
    }
    let fed = ["sh", "-c", "exec \"$@\" <\"$0\""].map(str::to_owned).into_iter();
    Command::Argv(fed.chain([paths.prompt.to_string_lossy().into_owned()]).chain(argv).collect())
}

/// Returns a command of the config with its placeholders filled in. A program with a relative path lies in the config's
/// folder.
pub fn own_command(command: &Command, paths: CallPaths<'_>, folder: &Path) -> Command {
    match command {
        Command::Argv(argv) => {
            let mut words = argv.iter().map(|word| filled(word, &paths.values()));
            let program = words.next().map(|program| located(&program, folder).unwrap_or(program));
            Command::Argv(program.into_iter().chain(words).collect())
        }
        Command::Shell(line) => {
            let values = paths.values().map(|(name, value)| (name, quoted(&value)));
            let line = filled(line, &values);
            let (program, rest) = line.split_at(line.find(char::is_whitespace).unwrap_or(line.len()));
            Command::Shell(match located(program, folder) {
                Some(found) => format!("{}{rest}", quoted(&found)),
                None => line,
            })
        }
    }
}

/// Returns where a program with a relative path lies; `None` for any other word.
pub(super) fn located(program: &str, folder: &Path) -> Option<String> {
    let plain = program.chars().all(|c| c.is_alphanumeric() || "./_-+".contains(c));
    let relative = plain && program.contains('/') && !program.starts_with('/');
    relative.then(|| folder.join(program).to_string_lossy().into_owned())
}

fn filled(word: &str, values: &[(&str, String)]) -> String {
    values.iter().fold(word.to_owned(), |word, (name, value)| word.replace(name, value))
}

/// Quotes a word for a shell where it needs that.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "./_-+=:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::propose::agent::{PRESETS, preset};

    fn paths() -> CallPaths<'static> {
        CallPaths {
            prompt: Path::new("/c/call/prompt.md"),
            context: Path::new("/c/call/context.json"),
            worktree: Path::new("/c/work"),
        }
    }

    fn line(name: &str, conversation: Option<&str>) -> String {
        let Command::Argv(argv) = preset_command(preset(name).unwrap(), paths(), "Improve {prompt}", conversation)
        else {
            panic!("a preset is an argument list")
        };
        argv.join(" ")
    }

    #[test]
    fn each_preset_starts_as_its_documentation_says() {
        let fed = "sh -c exec \"$@\" <\"$0\" /c/call/prompt.md";
        let expected = [
            ("claude", format!("{fed} claude -p --output-format json --permission-mode acceptEdits --add-dir /c/call")),
            ("codex", format!("{fed} codex exec --json --sandbox workspace-write --skip-git-repo-check -")),
            (
                "gemini",
                "gemini --output-format stream-json --approval-mode auto_edit --include-directories /c/call --prompt \
                 Improve {prompt}"
                    .to_owned(),
            ),
            ("opencode", "opencode run --format json Improve {prompt} --file /c/call/context.json".to_owned()),
            ("pi", "pi -p --mode json Improve {prompt}".to_owned()),
            (
                "aider",
                "aider --message-file /c/call/prompt.md --yes-always --no-auto-commits --no-dirty-commits --no-gitignore \
                 --no-check-update --no-pretty --no-stream --chat-history-file /c/call/aider.history.md \
                 --input-history-file /c/call/aider.input --read /c/call/context.json"
                    .to_owned(),
            ),
        ];
        assert_eq!(expected.len(), PRESETS.len());
        for (name, expected) in expected {
            assert_eq!(line(name, None), expected);
        }
    }

    #[test]
    fn each_preset_goes_on_with_its_conversation() {
        let expected = [
            ("claude", "--add-dir /c/call --resume c-1"),
            ("codex", "--skip-git-repo-check resume c-1 -"),
            ("gemini", "--include-directories /c/call --resume c-1 --prompt Improve {prompt}"),
            ("opencode", "--format json --session c-1 Improve {prompt} --file /c/call/context.json"),
            ("pi", "pi -p --mode json --session c-1 Improve {prompt}"),
            ("aider", "--read /c/call/context.json --restore-chat-history"),
        ];
        for (name, expected) in expected {
            let line = line(name, Some("c-1"));
            assert!(line.ends_with(expected), "{line}");
        }
    }

    #[test]
    fn an_own_command_gets_its_paths_and_is_found_beside_the_config() {
        let argv = |words: &[&str]| Command::Argv(words.iter().map(ToString::to_string).collect());
        let folder = Path::new("/repo/it's");
        let own = |command: &Command| own_command(command, paths(), folder);
        assert_eq!(
            own(&argv(&["./agent", "--in={worktree}", "{prompt}"])),
            argv(&["/repo/it's/./agent", "--in=/c/work", "/c/call/prompt.md"])
        );
        assert_eq!(own(&argv(&["agent", "a/b"])), argv(&["agent", "a/b"]));
        let shell = |line: &str| own(&Command::Shell(line.to_owned())).to_string();
        assert_eq!(shell("./agent < {prompt}"), r"'/repo/it'\''s/./agent' < /c/call/prompt.md");
        assert_eq!(shell("cd {worktree} && agent"), "cd /c/work && agent");
        let spaced = CallPaths { prompt: Path::new("/a b/p"), ..paths() };
        assert_eq!(own_command(&Command::Shell("x {prompt}".into()), spaced, folder).to_string(), "x '/a b/p'");
    }
}
