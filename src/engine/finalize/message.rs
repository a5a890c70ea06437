//! The messages of review commits: what the keep's own commit says, what was measured here, and the trailers of the house.

use std::fmt::Write as _;

use crate::domain::{Author, ExperimentId, SessionId, Settings, SubjectParts, Validated};
use crate::policy::Remaining;

use super::Onto;

/// What a message says of a measurement, and what that leaves of the effect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    /// What fresh pairs said.
    pub measured: &'a Validated,
    /// What is left.
    pub remaining: Remaining,
}

/// Everything that a review commit's message says.
#[derive(Debug)]
pub(super) struct ReviewMessage<'a> {
    /// The session's settings, with the rules of the house.
    pub settings: &'a Settings,
    /// The session.
    pub session: SessionId,
    /// The keep.
    pub experiment: ExperimentId,
    /// The message of the keep's own commit.
    pub own: &'a str,
    /// What the session measured of it, in short: `-12.7 %`; empty where nothing is known.
    pub claimed: &'a str,
    /// The group's name.
    pub group: &'a str,
    /// The group's keeps.
    pub keeps: &'a str,
    /// The base.
    pub onto: &'a Onto,
    /// What the commit is worth on the one before it; `None` where that was not measured.
    pub alone: Option<Told<'a>>,
    /// What the whole branch is worth on the base, where it has more than this commit.
    pub whole: Option<Told<'a>>,
    /// Keeps of the group whose effect is gone on the base.
    pub gone: &'a [ExperimentId],
    /// The agent that proposed the change, where it is to be named.
    pub agent: Option<&'a str>,
    /// Who commits.
    pub committer: &'a Author,
}

/// A commit message taken apart.
struct Parts<'a> {
    subject: &'a str,
    paragraphs: Vec<&'a str>,
    trailers: Vec<&'a str>,
}

/// Takes a keep's message apart; the table of what the session measured is left out, as it is of another base.
fn parts(message: &str) -> Parts<'_> {
    let mut paragraphs: Vec<&str> =
        message.trim().split("\n\n").map(|text| text.trim_matches('\n')).filter(|text| !text.is_empty()).collect();
    let subject = if paragraphs.is_empty() { "" } else { paragraphs.remove(0) };
    let trailers = match paragraphs.last() {
        Some(last) if last.lines().all(is_trailer) => paragraphs.pop().unwrap_or_default().lines().collect(),
        Some(_) | None => Vec::new(),
    };
    paragraphs.retain(|text| !text.starts_with("    metric "));
    Parts { subject, paragraphs, trailers }
}

fn is_trailer(line: &str) -> bool {
    let name = line.split_once(": ").map_or("", |(name, _)| name);
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Writes the message of a review commit.
pub(super) fn review_message(review: &ReviewMessage<'_>) -> String {
    let Parts { subject, paragraphs, trailers } = parts(review.own);
    let change = review.alone.map(|told| told.measured.change().short());
    let filled = review.settings.commit.subject.fill(&SubjectParts {
        description: subject,
        group: review.group,
        metric: review.settings.primary.name.as_str(),
        change: change.as_deref().unwrap_or(review.claimed),
    });
    let mut text = format!("{filled}\n");
    for paragraph in paragraphs {
        let _ = write!(text, "\n{paragraph}\n");
    }
    let _ = write!(text, "\n{}\n", measured_here(review));
    let trailers: Vec<String> =
        trailers.into_iter().map(str::to_owned).chain(own_trailers(review)).chain(house_trailers(review)).collect();
    let _ = write!(text, "\n{}\n", trailers.join("\n"));
    text
}

/// Says in sentences what was measured on this base.
fn measured_here(review: &ReviewMessage<'_>) -> String {
    let onto = review.onto;
    let Some(alone) = review.alone else {
        return format!("Built and checked on {onto}, and not measured there.");
    };
    let mut lines = vec![format!("Measured on {onto}: {}.", effect(alone.measured, review.settings))];
    lines.extend(verdict(alone.remaining).map(str::to_owned));
    if let Some(whole) = review.whole {
        lines.push(format!(
            "The whole branch '{}' ({}): {}.",
            review.group,
            review.keeps,
            effect(whole.measured, review.settings)
        ));
        if !review.gone.is_empty() {
            lines.push(format!("Effect gone on that base: {}.", numbers(review.gone)));
        }
    }
    lines.join("\n")
}

fn verdict(remaining: Remaining) -> Option<&'static str> {
    match remaining {
        Remaining::Pays => None,
        Remaining::NoLonger => Some("Its effect is gone on that base."),
        Remaining::Untold => Some("These pairs do not tell whether any effect is left on that base."),
    }
}

/// Writes an effect with its metric: `import_ms -12.7 % [-13.8, -11.6], 20 pairs`.
fn effect(measured: &Validated, settings: &Settings) -> String {
    let change = measured.change();
    let unit = if change.percent { String::new() } else { format!(" {}", settings.primary.unit) };
    format!("{} {change}{}, {} pairs", measured.metric, unit.trim_end(), measured.pairs)
}

fn own_trailers(review: &ReviewMessage<'_>) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(alone) = review.alone {
        all.push(format!("Measured-On: {}", review.onto.commit));
        all.push(format!("Measured-Effect: {}", effect(alone.measured, review.settings)));
    }
    all.extend(review.whole.map(|whole| format!("Group-Effect: {}", effect(whole.measured, review.settings))));
    all
}

fn house_trailers(review: &ReviewMessage<'_>) -> Vec<String> {
    let rules = &review.settings.commit;
    let mut all: Vec<String> = review.agent.map(|agent| format!("Assisted-by: {agent}")).into_iter().collect();
    if rules.change_id {
        all.push(format!("Change-Id: {}", change_id(review.session, review.experiment)));
    }
    if rules.sign_off {
        all.push(format!("Signed-off-by: {} <{}>", review.committer.name, review.committer.email));
    }
    all
}

/// Returns the same id each time that a keep is finalized, so that a review server sees one change.
fn change_id(session: SessionId, experiment: ExperimentId) -> String {
    let hash = blake3::hash(format!("{session} {experiment}").as_bytes()).to_hex();
    format!("I{}", &hash[..40])
}

/// Writes numbers of keeps: `#3, #5`.
pub(super) fn numbers(keeps: &[ExperimentId]) -> String {
    keeps.iter().map(|id| format!("#{id}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keeps_message_comes_apart_into_subject_text_and_trailers() {
        let own = "Use a buffer\n\nIt saves a copy:\nof 4 KiB\n\n    metric  baseline  candidate  change\n    \
                   work        1000        900  -10.0 %\n\nResult: {\"status\":\"keep\"}\nExperiment: 3\nPatch-Id: ab\n";
        let Parts { subject, paragraphs, trailers } = parts(own);
        assert_eq!((subject, paragraphs.as_slice()), ("Use a buffer", ["It saves a copy:\nof 4 KiB"].as_slice()));
        assert_eq!(trailers, ["Result: {\"status\":\"keep\"}", "Experiment: 3", "Patch-Id: ab"]);
    }

    #[test]
    fn a_last_paragraph_of_prose_is_no_trailer() {
        let Parts { paragraphs, trailers, .. } = parts("Use a buffer\n\nNote: it is small.\nAnd it is new.\n");
        assert_eq!((paragraphs.len(), trailers.len()), (1, 0));
    }

    #[test]
    fn a_change_id_is_that_of_the_keep() {
        let (one, two) = (SessionId::generate(), SessionId::generate());
        let id = change_id(one, ExperimentId(3));
        assert_eq!((id.len(), &id[..1]), (41, "I"));
        assert_eq!(id, change_id(one, ExperimentId(3)));
        assert_ne!(id, change_id(two, ExperimentId(3)));
        assert_ne!(id, change_id(one, ExperimentId(4)));
    }
}
