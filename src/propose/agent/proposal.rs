//! Makes a proposal of what an agent left: the change of its worktree, else a diff that it printed.

use crate::domain::{ObjectId, PatchText, Proposal, ProposalSource};
use crate::propose::diff;
use crate::propose::patch_file::one_line;

use super::lines::head;
use super::side::Side;

/// The largest patch that is taken, in bytes.
const LARGEST: usize = 64 << 20;
/// The longest description that is made of an answer, in bytes.
const DESCRIPTION_MAX: usize = 100;

/// What came of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Made {
    /// A proposal.
    Proposal(Box<Proposal>),
    /// Nothing to try, in a proposal's place: why.
    Nothing(Box<Proposal>, String),
}

/// Makes a proposal. `worktree` is the change of the worktree, `answer` what the agent said at the end, `base` the commit that
/// the worktree was at.
pub fn compose(name: &str, worktree: Vec<u8>, answer: &str, side: Side, base: &ObjectId) -> Made {
    let printed = || diff::locate(answer.as_bytes()).map(|range| answer.as_bytes()[range].to_vec());
    let patch = if worktree.is_empty() { printed().unwrap_or_default() } else { worktree };
    let description = side.description.or_else(|| first_words(answer)).or_else(|| first_file(&patch));
    let source = ProposalSource::Agent(name.to_owned());
    let fallback = || format!("a change by {name}");
    let mut proposal = Proposal::untold(description.unwrap_or_else(fallback), source, PatchText(Vec::new()));
    proposal.hypothesis = side.hypothesis;
    proposal.idea = side.idea;
    proposal.axes = side.axes;
    proposal.goal = side.goal;
    proposal.asi = side.asi;
    proposal.base_commit = Some(base.to_string());
    if patch.is_empty() {
        let why = "no file of the worktree was changed, and no diff was printed".to_owned();
        return Made::Nothing(Box::new(proposal), why);
    }
    if patch.len() > LARGEST {
        let why = format!("the change has more than {} MiB, which none has", LARGEST >> 20);
        return Made::Nothing(Box::new(proposal), why);
    }
    proposal.patch = PatchText(patch);
    Made::Proposal(Box::new(proposal))
}

/// Returns the first line of prose in an answer, without the marks of its markup.
fn first_words(answer: &str) -> Option<String> {
    let lines = answer.lines().take_while(|line| !line.starts_with("```") && !line.starts_with("diff --git"));
    let plain = lines.map(|line| one_line(line.trim_start_matches(['#', '*', '-', '>', ' ']).trim_end_matches('*')));
    let line = plain.into_iter().find(|line| line.chars().any(char::is_alphabetic) && !line.starts_with('{'))?;
    Some(head(&line, DESCRIPTION_MAX).to_owned())
}

/// Names the first file that a diff changes.
fn first_file(patch: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(patch);
    let file = text.lines().find_map(|line| line.strip_prefix("+++ b/").or_else(|| line.strip_prefix("--- a/")))?;
    Some(format!("change {}", one_line(file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIFF: &str = "--- a/src/work\n+++ b/src/work\n@@ -1 +1 @@\n-1000\n+900\n";

    fn made(worktree: &str, answer: &str) -> Made {
        let base = ObjectId::new("1".repeat(40)).unwrap();
        compose("claude", worktree.as_bytes().to_vec(), answer, Side::default(), &base)
    }

    #[track_caller]
    fn proposal(worktree: &str, answer: &str) -> Proposal {
        match made(worktree, answer) {
            Made::Proposal(proposal) => *proposal,
            Made::Nothing(_, why) => panic!("{why}"),
        }
    }

    #[test]
    fn the_worktree_comes_before_what_is_printed() {
        let found = proposal(DIFF, &format!("I did it.\n\n{}", DIFF.replace("900", "1")));
        assert_eq!(found.patch.0, DIFF.as_bytes());
        assert_eq!(found.description, "I did it.");
        assert_eq!(found.source, ProposalSource::Agent("claude".to_owned()));
        assert_eq!(found.base_commit.as_deref(), Some("1".repeat(40).as_str()));
    }

    #[test]
    fn a_printed_diff_is_found_bare_and_fenced() {
        assert_eq!(proposal("", DIFF).patch.0, DIFF.as_bytes());
        let fenced = format!("## **Halve the work**\n\nHere:\n\n```diff\n{DIFF}```\nThat is all.\n");
        let found = proposal("", &fenced);
        assert_eq!((found.patch.0.as_slice(), found.description.as_str()), (DIFF.as_bytes(), "Halve the work"));
        assert_eq!(proposal("", &format!("```\n{DIFF}```\n")).description, "change src/work");
    }

    #[test]
    fn nothing_is_told_from_a_proposal() {
        let Made::Nothing(proposal, why) = made("", "I could not think of anything.") else { panic!("a proposal") };
        assert!(proposal.patch.0.is_empty() && why.starts_with("no file of the worktree"), "{why}");
    }

    #[test]
    fn what_the_agent_says_of_it_is_taken() {
        let base = ObjectId::new("1".repeat(40)).unwrap();
        let side = Side { description: Some("Halve it".to_owned()), idea: Some("P1".to_owned()), ..Side::default() };
        let Made::Proposal(found) = compose("pi", DIFF.into(), "words", side, &base) else { panic!("no proposal") };
        assert_eq!((found.description.as_str(), found.idea.as_deref()), ("Halve it", Some("P1")));
    }
}
