//! Which metrics of a run have a role, and what each must look like.

use std::collections::BTreeMap;

use crate::domain::{MetricCalibration, MetricName, Reduce, Scale, Settings};

/// Says why the metrics of some settings cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A sentinel's name is neither a name nor a glob over names.
    #[error("sentinel '{pattern}' is no metric name and no glob of one; only '*' and '?' stand for other characters")]
    Pattern {
        /// The pattern.
        pattern: String,
    },
    /// A metric stands in two roles.
    #[error("metric '{name}' stands in two roles; remove it from metrics.sentinels once")]
    TwoRoles {
        /// The metric.
        name: String,
    },
}

/// The metrics that a run must print, their roles, and, once calibrated, how many lines of each.
///
/// Globs match printed names; they match an automatic metric only when they begin with `auto.` themselves. A metric
/// has one role: the primary first, then a sentinel of just that name, then the first glob.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricPlan {
    roles: Vec<Role>,
    fixed: Option<BTreeMap<MetricName, Fixed>>,
}

/// What is asked of the metrics of one role.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Role {
    /// The name or glob, as configured.
    pub(super) pattern: String,
    /// How several lines of one run become one value.
    pub(super) reduce: Reduce,
    /// Whether the value must be above zero, because its logarithm is compared.
    pub(super) positive: bool,
}

/// What calibration learned of one metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fixed {
    role: usize,
    lines: u32,
}

/// One metric that a run must have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) name: &'a MetricName,
    pub(super) role: &'a Role,
    /// Lines of it in every run, once known.
    pub(super) lines: Option<u32>,
}

impl MetricPlan {
    /// Plans the metrics of some settings: the primary and every sentinel.
    pub fn new(settings: &Settings) -> Result<Self, PlanError> {
        let primary = &settings.primary;
        let mut roles = vec![Role {
            pattern: primary.name.as_str().to_owned(),
            reduce: primary.reduce,
            positive: primary.scale == Scale::Ratio,
        }];
        for sentinel in &settings.sentinels {
            let pattern = canonical(&sentinel.pattern)?;
            if roles.iter().any(|role| role.pattern == pattern) {
                return Err(PlanError::TwoRoles { name: pattern });
            }
            let positive = sentinel.tolerance.is_some() && sentinel.scale == Scale::Ratio;
            roles.push(Role { pattern, reduce: sentinel.reduce, positive });
        }
        Ok(Self { roles, fixed: None })
    }

    /// Fixes names and line counts as the first calibration run printed them ([`super::RunReading::lines`]).
    #[must_use]
    pub fn fixed_by(&self, lines: &BTreeMap<MetricName, u32>) -> Self {
        let fix = |(name, lines): (&MetricName, &u32)| {
            Some((name.clone(), Fixed { role: self.role_of(name)?, lines: *lines }))
        };
        Self { roles: self.roles.clone(), fixed: Some(lines.iter().filter_map(fix).collect()) }
    }

    /// Fixes names and line counts as a journalled calibration has them.
    #[must_use]
    pub fn restored(&self, calibrated: &[MetricCalibration]) -> Self {
        self.fixed_by(&calibrated.iter().map(|metric| (metric.metric.clone(), metric.lines)).collect())
    }

    /// Says whether names and line counts are fixed.
    pub fn is_fixed(&self) -> bool {
        self.fixed.is_some()
    }

    /// Returns the metrics that have a role, once fixed: the name, and `primary` or the sentinel's pattern.
    pub fn metrics(&self) -> impl Iterator<Item = (&MetricName, &str)> {
        self.fixed.iter().flatten().map(|(name, fixed)| {
            let role = if fixed.role == 0 { "primary" } else { self.roles[fixed.role].pattern.as_str() };
            (name, role)
        })
    }

    /// Says whether a metric has a role, or would have one.
    pub(super) fn has_role(&self, name: &MetricName) -> bool {
        self.role_of(name).is_some()
    }

    fn role_of(&self, name: &MetricName) -> Option<usize> {
        let exact = self.roles.iter().position(|role| role.pattern == name.as_str());
        exact.or_else(|| self.roles.iter().position(|role| role.matches(name)))
    }

    /// Lists what a run must have, given the names that it has; `Err` with the name or glob that nothing matches.
    pub(super) fn wanted<'a>(&'a self, present: &'a [MetricName]) -> Result<Vec<Wanted<'a>>, &'a str> {
        if let Some(fixed) = &self.fixed {
            let want = |(name, fixed): (&'a MetricName, &Fixed)| Wanted {
                name,
                role: &self.roles[fixed.role],
                lines: Some(fixed.lines),
            };
            return Ok(fixed.iter().map(want).collect());
        }
        let roles: Vec<_> = present.iter().filter_map(|name| Some((name, self.role_of(name)?))).collect();
        for (index, role) in self.roles.iter().enumerate() {
            if !roles.iter().any(|(_, of)| *of == index) {
                return Err(&role.pattern);
            }
        }
        Ok(roles.into_iter().map(|(name, of)| Wanted { name, role: &self.roles[of], lines: None }).collect())
    }
}

impl Role {
    fn matches(&self, name: &MetricName) -> bool {
        let reserved = name.is_automatic() && !self.pattern.starts_with("auto.");
        !reserved && glob_matches(&self.pattern, name.as_str())
    }
}

/// Checks a pattern and gives it the one mu sign that stored names have.
fn canonical(pattern: &str) -> Result<String, PlanError> {
    let allowed = |c: char| MetricName::allows(c) || matches!(c, '*' | '?');
    if pattern.is_empty() || !pattern.chars().all(allowed) {
        return Err(PlanError::Pattern { pattern: pattern.to_owned() });
    }
    Ok(pattern.replace('\u{b5}', "\u{3bc}"))
}

/// Matches a name against a pattern in which `*` is any text and `?` any one character.
///
/// On a mismatch only the last `*` takes one character more, so the time is at most pattern times name.
fn glob_matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                (p, n) = (at + 1, taken + 1);
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_stands_for_any_text() {
        for (pattern, name) in [
            ("query.*_ms", "query.a_ms"),
            ("query.*_ms", "query._ms_ms"),
            ("*", "x"),
            ("a?c", "a\u{3bc}c"),
            ("a*b*c", "a1b2b3c"),
            ("exact", "exact"),
        ] {
            assert!(glob_matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("query.*_ms", "query.a_us"), ("a?c", "ac"), ("exact", "exactly"), ("", "x")] {
            assert!(!glob_matches(pattern, name), "{pattern} {name}");
        }
    }
}
