//! Checks that the commits of review branches can be written: one is signed, verified and passed to the hook.

use crate::domain::{Settings, SubjectParts};
use crate::git::{GitError, Prompts, Signature, UserRepository};

use super::finding::{Finding, Group, Report};

/// Makes and verifies one commit where commits are signed, without any prompt; nothing of it is left.
pub fn examine_signing(user: &UserRepository, settings: &Settings, report: &mut dyn Report) {
    let signs = settings.commit.sign.map_or_else(|| user.signs_commits(), Ok);
    match signs {
        Ok(false) => {}
        Ok(true) => {
            let message = message(settings);
            report.found(signing(user.rehearse_signing(&message, Prompts::Never)));
            report.found(hook(user.pass_message(&message)));
        }
        Err(error) => report.found(Finding::warning((Group::Repository, "signing"), error.to_string())),
    }
}

/// Writes a message as a review commit of this session has it.
fn message(settings: &Settings) -> String {
    let parts = SubjectParts {
        description: "Try whether a commit can be written",
        group: &settings.name,
        metric: settings.primary.name.as_str(),
        change: "-1.0 %",
    };
    let mut message = format!("{}\n\nExperiment: 1\n", settings.commit.subject.fill(&parts));
    if settings.commit.change_id {
        message.push_str("Change-Id: I0123456789012345678901234567890123456789\n");
    }
    if settings.commit.sign_off {
        message.push_str("Signed-off-by: Nobody <nobody@localhost>\n");
    }
    message
}

fn signing(tried: Result<Signature, GitError>) -> Finding {
    let check = (Group::Repository, "signing");
    let only = "which stops no session: only 'finalize' signs";
    match tried {
        Ok(Signature::Good { key }) => {
            let key = if key.is_empty() { String::new() } else { format!(" by {key}") };
            Finding::ok(check, format!("a commit was signed{key} and verified, without a prompt"))
        }
        Ok(Signature::NotMade { words }) => Finding::warning(
            check,
            format!("no commit can be signed without a prompt ({}), {only}", one_line(&words)),
        )
        .cure(
            "set 'user.signingkey' and 'gpg.format' of git and load the key into the agent (ssh-add, or sign once with \
                     gpg); or set \"commit\": {\"sign\": false}",
        ),
        Ok(Signature::Bad { letter, words }) => {
            let words = if words.is_empty() { format!("git calls it {letter}") } else { one_line(&words) };
            Finding::warning(
                check,
                format!("a commit was signed but its signature cannot be verified ({words}), {only}"),
            )
            .cure("see 'git log -1 --show-signature' of a signed commit of yours")
        }
        Err(error) => Finding::warning(check, error.to_string()),
    }
}

fn hook(passed: Result<Result<String, String>, GitError>) -> Finding {
    let check = (Group::Repository, "commit-msg");
    match passed {
        Ok(Ok(_)) => Finding::ok(check, "the message of a review commit passes the repository's hooks"),
        Ok(Err(words)) => {
            let detail = format!("the commit-msg hook refuses the message of a review commit: {}", one_line(&words));
            Finding::warning(check, detail).cure(
                "set 'commit.subject', 'commit.signOff' or 'commit.changeId' in the config to what the hook asks for",
            )
        }
        Err(error) => Finding::warning(check, error.to_string()),
    }
}

fn one_line(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
