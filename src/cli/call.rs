//! How this program was called here: the flags that name the place, for commands that people are told to type.
//!
//! Below `cli` nobody knows these flags, so texts name commands bare: `'autoresearch run'`. What is shown names them as
//! they have to be typed here: `'autoresearch --experiment fast run'`.

use std::fmt::Write as _;

use super::args::Global;

/// The program's name, as commands begin.
const PROGRAM: &str = "autoresearch";

/// Commands that work in a repository, but by no config.
const WITHOUT_CONFIG: [&str; 3] = ["init", "import", "compare"];

/// Commands that work by a config.
const BY_CONFIG: [&str; 21] = [
    "accept",
    "bundle",
    "calibrate",
    "clean",
    "config",
    "doctor",
    "export",
    "finalize",
    "ideas",
    "later",
    "log",
    "reject",
    "report",
    "review",
    "run",
    "show",
    "status",
    "stop",
    "try",
    "validate",
    "verify",
];

/// The flags of this call that say where to work, as they were typed.
#[derive(Debug, Clone, Default)]
pub(super) struct Call {
    folder: String,
    config: String,
}

impl Call {
    /// Takes the flags of a call.
    pub(super) fn of(global: &Global) -> Self {
        let mut call = Self::default();
        if let Some(folder) = &global.directory {
            let _ = write!(call.folder, "-C {} ", quoted(&folder.to_string_lossy()));
        }
        if let Some(file) = &global.config {
            let _ = write!(call.config, "--config {} ", quoted(&file.to_string_lossy()));
        }
        if let Some(name) = &global.of_experiment {
            let _ = write!(call.config, "--experiment {} ", quoted(name));
        }
        call
    }

    /// Words a command for this place; `words` are what follows the program's name.
    pub(super) fn command(&self, words: &str) -> String {
        let Self { folder, config } = self;
        let command = words.split_whitespace().next().unwrap_or_default();
        // A session that is named needs no config to be found.
        let by_config = BY_CONFIG.contains(&command) && !words.contains("--session ");
        match (by_config, by_config || BY_CONFIG.contains(&command) || WITHOUT_CONFIG.contains(&command)) {
            (true, _) => format!("{PROGRAM} {folder}{config}{words}"),
            (false, true) => format!("{PROGRAM} {folder}{words}"),
            (false, false) => format!("{PROGRAM} {words}"),
        }
    }

    /// Words the commands of a text for this place: those in quotes, and those on a line of their own.
    pub(super) fn completed(&self, text: &str) -> String {
        if self.folder.is_empty() && self.config.is_empty() {
            return text.to_owned();
        }
        let mut told = String::with_capacity(text.len() + self.folder.len() + self.config.len());
        let mut rest = text;
        while let Some(at) = rest.find(PROGRAM) {
            let (before, from) = rest.split_at(at);
            told += before;
            let words = from[PROGRAM.len()..].strip_prefix(' ').filter(|_| begins_command(&told));
            let words = words.map(|words| words.split(['\'', '`', '\n']).next().unwrap_or_default());
            if let Some(words) = words {
                told += &self.command(words);
                rest = &from[PROGRAM.len() + 1 + words.len()..];
            } else {
                told += PROGRAM;
                rest = &from[PROGRAM.len()..];
            }
        }
        told + rest
    }
}

/// Says whether a command can stand after this text: behind an opening quote, or first on its line.
fn begins_command(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default();
    line.trim().is_empty() || line.ends_with(['\'', '`'])
}

/// Quotes a value where a shell would read more into it than its text.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./~+:,@%".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    let escaped = value.chars().flat_map(|c| "\"\\$`".contains(c).then_some('\\').into_iter().chain([c]));
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::args::{Cli, Colour};

    fn call(directory: Option<&str>, config: Option<&str>, experiment: Option<&str>) -> Call {
        Call::of(&Global {
            directory: directory.map(Into::into),
            config: config.map(Into::into),
            of_experiment: experiment.map(Into::into),
            color: Colour::Never,
        })
    }

    #[test]
    fn a_command_names_the_place_as_the_person_did() {
        assert_eq!(call(None, None, Some("fast")).command("run"), "autoresearch --experiment fast run");
        assert_eq!(call(Some("../p"), None, None).command("run --new"), "autoresearch -C ../p run --new");
        assert_eq!(
            call(None, Some("my $x/a.json"), None).command("status"),
            "autoresearch --config \"my \\$x/a.json\" status"
        );
        assert_eq!(call(None, None, None).command("finalize --preview"), "autoresearch finalize --preview");
    }

    #[test]
    fn a_command_gets_no_flag_that_it_has_no_use_for() {
        let call = call(Some("p"), None, Some("fast"));
        assert_eq!(call.command("log --session fast~1"), "autoresearch -C p log --session fast~1");
        assert_eq!(call.command("init --from-existing"), "autoresearch -C p init --from-existing");
        assert_eq!(call.command("demo"), "autoresearch demo");
    }

    #[test]
    fn the_commands_of_a_text_are_worded_for_the_place() {
        let call = call(None, None, Some("fast"));
        let text = "not validated: 'autoresearch validate' measures it\n  autoresearch log\nthis is autoresearch run by 'autoresearch 0.1.0'";
        assert_eq!(
            call.completed(text),
            "not validated: 'autoresearch --experiment fast validate' measures it\n  autoresearch --experiment fast log\n\
             this is autoresearch run by 'autoresearch 0.1.0'"
        );
        let files = "autoresearch.jsonl, 'autoresearch' and refs/autoresearch-records/x";
        assert_eq!(call.completed(files), files);
        assert_eq!(call.completed("'autoresearch run'"), "'autoresearch --experiment fast run'");
        assert_eq!(Call::default().completed(text), text);
    }

    #[test]
    fn every_command_of_the_program_is_known_to_need_a_place_or_none() {
        let nowhere = ["demo", "simulate", "metrics", "completions", "man"];
        let known = BY_CONFIG.iter().chain(&WITHOUT_CONFIG).chain(&nowhere);
        let mut known: Vec<&str> = known.copied().collect();
        known.sort_unstable();
        let cli = Cli::command();
        let mut all: Vec<&str> = cli.get_subcommands().map(clap::Command::get_name).collect();
        all.sort_unstable();
        assert_eq!(known, all);
    }
}
