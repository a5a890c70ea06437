//! How values of environment and argument knobs reach a command.

use crate::domain::{Command, Knob, KnobCommand, KnobPlace};

use super::values::KnobValues;

/// What stands for the value in an argument's template.
const PLACE: &str = "{value}";

/// A command with the values of knobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The command, with the arguments behind it.
    pub command: Command,
    /// The variables that are set.
    pub env: Vec<(String, String)>,
}

/// Puts the values of knobs into a command; a knob without a value sets nothing.
pub fn set(command: &Command, of: KnobCommand, knobs: &[&Knob], values: &KnobValues) -> Setting {
    let mut setting = Setting { command: command.clone(), env: Vec::new() };
    for knob in knobs {
        let Some(value) = values.get(&knob.name) else { continue };
        match &knob.place {
            KnobPlace::Env { variable, of: own } if *own == of => {
                setting.env.push((variable.clone(), value.to_owned()));
            }
            KnobPlace::Arg { template, of: own } if *own == of => {
                let words = template.split_whitespace().map(|word| word.replace(PLACE, value));
                setting.command = behind(setting.command, words.collect());
            }
            KnobPlace::File { .. } | KnobPlace::Env { .. } | KnobPlace::Arg { .. } => {}
        }
    }
    setting
}

/// Puts words behind a command, quoted where a shell reads it.
fn behind(command: Command, words: Vec<String>) -> Command {
    match command {
        Command::Argv(argv) => Command::Argv([argv, words].concat()),
        Command::Shell(line) => {
            let quoted = words.iter().map(|word| quoted(word));
            Command::Shell([line.trim_end().to_owned()].into_iter().chain(quoted).collect::<Vec<_>>().join(" "))
        }
    }
}

/// Quotes a word for a shell, where it holds more than plain characters.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=./,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knob(name: &str, place: KnobPlace) -> Knob {
        Knob { name: name.to_owned(), place, values: vec!["1".to_owned()], default: None }
    }

    fn arg(name: &str, template: &str) -> Knob {
        knob(name, KnobPlace::Arg { template: template.to_owned(), of: KnobCommand::Bench })
    }

    #[test]
    fn only_the_knobs_of_a_command_that_have_a_value_change_it() {
        let env = |name: &str, of| knob(name, KnobPlace::Env { variable: name.to_uppercase(), of });
        let (of_bench, of_build, unset) =
            (env("a", KnobCommand::Bench), env("b", KnobCommand::Build), env("c", KnobCommand::Bench));
        let values = KnobValues::parse("k", Some(br#"{"a": "1", "b": "2", "unknown": "3"}"#)).unwrap();
        let command = Command::Shell("./bench.sh".to_owned());
        let knobs = [&of_bench, &of_build, &unset];
        let bench = set(&command, KnobCommand::Bench, &knobs, &values);
        assert_eq!((bench.command, bench.env), (command.clone(), vec![("A".to_owned(), "1".to_owned())]));
        let build = set(&command, KnobCommand::Build, &knobs, &values);
        assert_eq!(build.env, [("B".to_owned(), "2".to_owned())]);
        assert_eq!(set(&command, KnobCommand::Bench, &knobs, &KnobValues::default()).env, []);
    }

    #[test]
    fn arguments_are_words_behind_the_command_and_no_shell_reads_their_values() {
        let (threads, name) = (arg("t", "--threads {value}"), arg("n", "--name={value}"));
        let values = KnobValues::parse("k", Some(br#"{"t": "4", "n": "it's; $x"}"#)).unwrap();
        let put = |command: Command| set(&command, KnobCommand::Bench, &[&threads, &name], &values).command;
        let argv = put(Command::Argv(vec!["./b".to_owned()]));
        assert_eq!(argv.argv(), ["./b", "--threads", "4", "--name=it's; $x"]);
        let line = put(Command::Shell("make && ./b\n".to_owned()));
        assert_eq!(line.to_string(), r"make && ./b --threads 4 '--name=it'\''s; $x'");
    }
}
