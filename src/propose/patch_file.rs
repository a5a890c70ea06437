//! A patch file: a `git format-patch` mail or a bare unified diff.

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::domain::{PatchText, Proposal, ProposalSource};

use super::trailers::{self, TrailerError, Trailers};
use super::{diff, mail};

/// Says why a file is no proposal.
#[derive(Debug, thiserror::Error)]
pub enum PatchFileError {
    /// Nothing in it, or a mail without a diff.
    #[error("{name} contains no change")]
    Empty {
        /// The file.
        name: String,
    },
    /// Text that is neither a mail nor a diff.
    #[error("{name} is not a patch: there is no 'diff --git' line and no '---', '+++', '@@' header in it")]
    NotAPatch {
        /// The file.
        name: String,
    },
    /// The diff of a merge.
    #[error("{name} is the diff of a merge, which cannot be applied; make one with 'git diff <base> <commit>'")]
    Merge {
        /// The file.
        name: String,
    },
    /// A mailbox.
    #[error("{name} contains {count} mails; put each patch into a file of its own ('git format-patch' does)")]
    SeveralMails {
        /// The file.
        name: String,
        /// How many.
        count: usize,
    },
    /// A mail that cannot be read.
    #[error("{name} is a mail that cannot be read: {source}; make it anew with 'git format-patch'")]
    Mail {
        /// The file.
        name: String,
        /// What the parser said.
        source: mail::Fault,
    },
    /// A trailer that cannot be meant.
    #[error("{name}: {source}")]
    Trailer {
        /// The file.
        name: String,
        /// What is wrong with it.
        source: TrailerError,
    },
}

static BASE_COMMIT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^base-commit: ([0-9a-f]{40}(?:[0-9a-f]{24})?)\s*?$").expect("a constant pattern")
});

/// Reads a patch file. `name` is its file name, for messages and, where nothing better is there, for the description.
///
/// The patch is the file's own bytes from the first header of the diff to the end of its last hunk.
pub fn parse(bytes: &[u8], name: &str, source: ProposalSource) -> Result<Proposal, PatchFileError> {
    let owned = || name.to_owned();
    let count = mail::count(bytes);
    if count > 1 {
        return Err(PatchFileError::SeveralMails { name: owned(), count });
    }
    if !mail::is_mail(bytes) {
        return proposal(bytes, name, source, (String::new(), Trailers::default()));
    }
    let mail = mail::read(bytes).map_err(|source| PatchFileError::Mail { name: owned(), source })?;
    let trailers = trailers::take(&mail.message).map_err(|source| PatchFileError::Trailer { name: owned(), source })?;
    if diff::locate(&mail.body).is_none() && !diff::is_combined(&mail.body) {
        return Err(PatchFileError::Empty { name: owned() });
    }
    let mut proposal = proposal(&mail.body, name, source, (mail.subject, trailers))?;
    proposal.author = mail.author;
    Ok(proposal)
}

fn proposal(
    bytes: &[u8],
    name: &str,
    source: ProposalSource,
    (subject, trailers): (String, Trailers),
) -> Result<Proposal, PatchFileError> {
    let Some(range) = diff::locate(bytes) else { return Err(no_diff(bytes, name)) };
    let around = [&bytes[..range.start], b"\n", &bytes[range.end..]].concat();
    let base = BASE_COMMIT.captures(&around).map(|found| String::from_utf8_lossy(&found[1]).into_owned());
    let subject = one_line(&subject);
    Ok(Proposal {
        description: if subject.is_empty() { described(name) } else { subject },
        hypothesis: printable(&trailers.text),
        idea: trailers.idea,
        axes: trailers.axes,
        goal: trailers.goal,
        asi: trailers.asi,
        author: None,
        base_commit: base,
        source,
        patch: PatchText(bytes[range].to_vec()),
        drop_sealed: false,
        call: None,
    })
}

fn no_diff(bytes: &[u8], name: &str) -> PatchFileError {
    let name = name.to_owned();
    if bytes.trim_ascii().is_empty() {
        PatchFileError::Empty { name }
    } else if diff::is_combined(bytes) {
        PatchFileError::Merge { name }
    } else {
        PatchFileError::NotAPatch { name }
    }
}

/// Makes a description of a file name: without ending and number, its separators as blanks.
fn described(name: &str) -> String {
    let file = name.rsplit('/').next().unwrap_or(name);
    let stem = [".patch", ".diff"].iter().find_map(|ending| file.strip_suffix(ending)).unwrap_or(file);
    let words = stem.trim_start_matches(|c: char| c.is_ascii_digit()).replace(['-', '_'], " ");
    let words = one_line(&words);
    if words.is_empty() { one_line(file) } else { words }
}

/// Takes out what a terminal would obey.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// Makes one line that a terminal can show.
pub(super) fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Author, Goal};

    const MAIL: &[u8] = include_bytes!("../../tests/fixtures/patches/mail.patch");
    const ATTACHED: &[u8] = include_bytes!("../../tests/fixtures/patches/attached.patch");
    const DIFF: &[u8] =
        b"diff --git a/a b/a\nindex 7898192..422c2b7 100644\n--- a/a\n+++ b/a\n@@ -1 +1,2 @@\n a\n+b \xff\r\n";

    fn read(bytes: &[u8], name: &str) -> Result<Proposal, PatchFileError> {
        parse(bytes, name, ProposalSource::Queue(name.to_owned()))
    }

    #[test]
    fn a_format_patch_mail_is_read_with_all_it_says() {
        let found = read(MAIL, "0001-x.patch").unwrap();
        assert_eq!(
            found.description,
            "Prêt: a very long subject that is folded because it is much longer than seventy-eight characters, isn't it"
        );
        assert_eq!(found.hypothesis, "Body text why.");
        assert_eq!(found.idea.as_deref(), Some("P1.2"));
        assert_eq!((found.axes[0].name.as_str(), found.axes[0].value.as_str()), ("batch", "1000"));
        assert_eq!(found.goal, Goal::Improve);
        assert_eq!(found.asi["predicted"], serde_json::json!({"a": "lower"}));
        assert_eq!(found.author, Some(Author { name: "Ünï Côdé".into(), email: "u@example.org".into() }));
        assert_eq!(found.base_commit.as_deref(), Some("0e390d775d4333c08356d1fa0f781e5c9df4a96c"));
        assert_eq!(found.patch.0, DIFF);
    }

    #[test]
    fn a_bare_diff_is_kept_byte_for_byte_and_described_by_its_file() {
        let found = read(DIFF, "queue/0012-raise_the-threshold.diff").unwrap();
        assert_eq!(found.description, "raise the threshold");
        assert_eq!(found.patch.0, DIFF);
        assert_eq!((found.author, found.base_commit, found.hypothesis.as_str()), (None, None, ""));
        assert_eq!(read(DIFF, "007.patch").unwrap().description, "007.patch");
    }

    #[test]
    fn an_attached_patch_is_the_same_proposal() {
        let (plain, attached) = (read(MAIL, "x").unwrap(), read(ATTACHED, "x").unwrap());
        assert_eq!(attached, plain);
    }

    #[test]
    fn an_encoded_mail_is_decoded() {
        let head = "From: a <a@b>\nSubject: s\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: quoted-printable\n\n";
        let body =
            "Why =C3=BC.\n---\n\ndiff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a=3D1\n+a=3D=\n2\n--=20\n2.47.3\n";
        let found = read(format!("{head}{body}").as_bytes(), "x").unwrap();
        assert_eq!(found.hypothesis, "Why ü.");
        assert_eq!(found.patch.0, b"diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a=1\n+a=2\n");
    }

    #[test]
    fn a_message_in_another_charset_is_decoded() {
        let head = b"From: a <a@b>\nSubject: s\nContent-Type: text/plain; charset=ISO-8859-1\nContent-Transfer-Encoding: 8bit\n\n";
        let found = read(&[head, b"Why \xfc.\n---\n".as_slice(), DIFF].concat(), "x").unwrap();
        assert_eq!(found.hypothesis, "Why ü.");
        assert_eq!(found.patch.0, DIFF);
    }

    #[test]
    fn what_is_no_patch_is_an_error_that_says_so() {
        let error = |bytes: &[u8]| read(bytes, "x.patch").unwrap_err().to_string();
        assert_eq!(error(b""), "x.patch contains no change");
        assert_eq!(error(b" \n\n"), "x.patch contains no change");
        assert_eq!(error(b"Subject: s\n\nWhy.\n---\n"), "x.patch contains no change");
        assert!(error(b"hello\n").starts_with("x.patch is not a patch: "));
        assert!(error(b"\x00\xff\xfe").starts_with("x.patch is not a patch: "));
        assert!(error(b"diff --cc a\n@@@ -1,1 -1,1 +1,2 @@@\n").starts_with("x.patch is the diff of a merge"));
        let two = [MAIL, MAIL].concat();
        assert_eq!(
            error(&two),
            "x.patch contains 2 mails; put each patch into a file of its own ('git format-patch' does)"
        );
        assert_eq!(
            error(&[b"Subject: s\n\nAxis: x\n---\n".as_slice(), DIFF].concat()),
            "x.patch: trailer 'Axis: x' must be 'Axis: name=value'"
        );
    }

    #[test]
    fn control_characters_do_not_reach_a_terminal() {
        let found = read(&[b"Subject: a\x1b[31m b\n\nWhy\x07.\n---\n".as_slice(), DIFF].concat(), "x").unwrap();
        assert_eq!((found.description.as_str(), found.hypothesis.as_str()), ("a [31m b", "Why."));
    }
}
