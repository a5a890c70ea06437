//! The house rules of commits: how the commits of a review branch are written.

use serde::{Deserialize, Serialize};

/// How the commits of `finalize` are written; keeps on the session's branch follow none of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitRules {
    /// Whether they are signed; `None` follows git's `commit.gpgsign`.
    pub sign: Option<bool>,
    /// Whether the committer signs them off.
    pub sign_off: bool,
    /// Whether they have a `Change-Id`.
    pub change_id: bool,
    /// Their first line.
    pub subject: SubjectTemplate,
    /// Whether an agent that proposed the change is named in `Assisted-by`.
    pub assisted_by: bool,
}

/// The first line of a commit, with places that are filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectTemplate(String);

/// What a subject is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubjectParts<'a> {
    /// What the keep changes.
    pub description: &'a str,
    /// The group that it is in.
    pub group: &'a str,
    /// The primary.
    pub metric: &'a str,
    /// The change of the primary: `-12.7 %`.
    pub change: &'a str,
}

/// Says why a text is no subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// A place that nothing is known for.
    #[error("has the place {{{0}}}, but only {{description}}, {{group}}, {{metric}} and {{change}} are filled in")]
    Unknown(String),
    /// A text without what tells one commit from another.
    #[error("must hold {{description}}, and be one line")]
    SayingNothing,
}

impl SubjectTemplate {
    /// Checks a template: one line that holds `{description}`, and no place that is not known.
    pub fn new(text: &str) -> Result<Self, SubjectError> {
        let template = Self(text.trim().to_owned());
        if template.0.contains('\n') || !template.0.contains("{description}") {
            return Err(SubjectError::SayingNothing);
        }
        let filled = template.fill(&SubjectParts { description: "", group: "", metric: "", change: "" });
        let place = filled.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
        match place {
            Some((place, _)) => Err(SubjectError::Unknown(place.to_owned())),
            None => Ok(template),
        }
    }

    /// Returns the text as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Fills the places in; what is filled in is not looked at again.
    pub fn fill(&self, parts: &SubjectParts<'_>) -> String {
        let places = [
            ("{description}", parts.description),
            ("{group}", parts.group),
            ("{metric}", parts.metric),
            ("{change}", parts.change),
        ];
        let (mut text, mut rest) = (String::new(), self.0.as_str());
        while let Some(at) = rest.find('{') {
            let (before, place) = rest.split_at(at);
            text.push_str(before);
            let known = places.iter().find(|(name, _)| place.starts_with(name));
            let (name, value) = known.copied().unwrap_or(("{", "{"));
            text.push_str(value);
            rest = &place[name.len()..];
        }
        text + rest
    }
}

impl Default for SubjectTemplate {
    /// Returns the description alone.
    fn default() -> Self {
        Self("{description}".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_filled_in_once() {
        let template = SubjectTemplate::new("{group}: {description} ({metric} {change})").unwrap();
        let parts = SubjectParts { description: "Use {group}", group: "wal", metric: "ms", change: "-3.0 %" };
        assert_eq!(template.fill(&parts), "wal: Use {group} (ms -3.0 %)");
        assert_eq!(SubjectTemplate::default().fill(&parts), "Use {group}");
    }

    #[test]
    fn a_template_that_says_nothing_or_asks_for_the_unknown_is_refused() {
        assert_eq!(SubjectTemplate::new("perf: {group}"), Err(SubjectError::SayingNothing));
        assert_eq!(SubjectTemplate::new("{description}\nmore"), Err(SubjectError::SayingNothing));
        assert_eq!(SubjectTemplate::new("{description} {what}"), Err(SubjectError::Unknown("what".to_owned())));
    }
}
