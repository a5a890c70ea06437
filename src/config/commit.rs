//! The part of the config that says how the commits of review branches are written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::domain::{CommitRules, SubjectTemplate};

use super::resolve::Context;
use super::{ConfigError, Problem};

/// How the commits of review branches are written.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CommitFile {
    /// Whether they are signed, by git and the key that it is configured with. Default: as git's commit.gpgsign.
    pub(super) sign: Option<bool>,
    /// Whether the committer signs them off (Signed-off-by).
    #[schemars(extend("default" = false))]
    pub(super) sign_off: Option<bool>,
    /// Whether they have a Change-Id, the same each time that a keep is finalized.
    #[schemars(extend("default" = false))]
    pub(super) change_id: Option<bool>,
    /// Their first line: {description}, {group}, {metric} and {change} are filled in.
    #[schemars(extend("default" = "{description}"))]
    pub(super) subject: Option<String>,
    /// Whether the agent that proposed a change is named in Assisted-by.
    #[schemars(extend("default" = false))]
    pub(super) assisted_by: Option<bool>,
}

/// Resolves the house rules.
pub(super) fn resolve(context: &Context, file: &CommitFile) -> Result<CommitRules, ConfigError> {
    let subject = file.subject.as_deref().map(|text| SubjectTemplate::new(text).map_err(Problem::from));
    Ok(CommitRules {
        sign: file.sign,
        sign_off: file.sign_off.unwrap_or_default(),
        change_id: file.change_id.unwrap_or_default(),
        subject: subject.map(|subject| context.check("commit.subject", subject)).transpose()?.unwrap_or_default(),
        assisted_by: file.assisted_by.unwrap_or_default(),
    })
}
