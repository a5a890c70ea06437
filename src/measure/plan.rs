//! Which metrics of a run have a role, and what each must look like.

use std::collections::BTreeMap;

use crate::domain::{
    Aggregate, Calibrated, Direction, Holdout, MetricCalibration, MetricName, Objective, Reduce, Scale, Sentinel,
    Settings,
};

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
    #[error("metric '{name}' stands in two roles; remove it from metrics.sentinels or metrics.coPrimary once")]
    TwoRoles {
        /// The metric.
        name: String,
    },
}

/// The metrics that a run must print, their roles, and, once calibrated, how many lines of each.
///
/// Globs match printed names; they match an automatic metric only when they begin with `auto.` themselves. A metric
/// has one role: a primary or sentinel of just that name first, then the first glob, primaries before sentinels.
///
/// `worst(glob)` gives its role to every metric that matches, so that each is judged by itself. `geomean(glob)` is a
/// metric of its own; those that match may have another role beside it. Which metrics match is fixed by the calibration.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricPlan {
    roles: Vec<Role>,
    fixed: Option<BTreeMap<MetricName, Fixed>>,
    /// Calibrated medians, to which a primary's `worst(...)` is told as a ratio.
    medians: BTreeMap<MetricName, f64>,
}

/// What is asked of the metrics of one role.
#[derive(Debug, Clone, PartialEq)]
struct Role {
    /// `primary`, `coPrimary[n]` or the sentinel's pattern.
    label: String,
    /// The name, glob or aggregate, as configured.
    pattern: String,
    /// The function of an aggregate, and its name as a metric.
    aggregate: Option<(Aggregate, MetricName)>,
    reduce: Reduce,
    direction: Direction,
    /// Whether the value must be above zero, because its logarithm is compared.
    positive: bool,
}

/// What calibration learned of one metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fixed {
    /// `None` for a metric that only stands in a geometric mean.
    role: Option<usize>,
    lines: u32,
}

/// One metric that a run must have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) name: &'a MetricName,
    pub(super) reduce: Reduce,
    pub(super) positive: bool,
    /// Lines of it in every run, once known.
    pub(super) lines: Option<u32>,
}

/// Returns the name under which the calibration journals a primary: 0 is the primary, 1 the first co-primary.
pub fn primary_label(number: u32) -> String {
    match number.checked_sub(1) {
        None => "primary".to_owned(),
        Some(index) => format!("coPrimary[{index}]"),
    }
}

impl MetricPlan {
    /// Plans the metrics of some settings: every primary and every sentinel.
    pub fn new(settings: &Settings) -> Result<Self, PlanError> {
        let mut roles: Vec<Role> = Vec::new();
        let primaries =
            settings.objectives().zip(0..).map(|(objective, number)| Ok(Role::of_primary(objective, number)));
        for role in primaries.chain(settings.sentinels.iter().map(Role::of_sentinel)) {
            let role = role?;
            if roles.iter().any(|other| other.reach() == role.reach()) {
                return Err(PlanError::TwoRoles { name: role.pattern });
            }
            roles.push(role);
        }
        Ok(Self { roles, fixed: None, medians: BTreeMap::new() })
    }

    /// Plans the metrics of a holdout, each of which stands as a sentinel does.
    pub fn of_holdout(holdout: &Holdout) -> Result<Self, PlanError> {
        let roles = holdout.metrics.iter().map(Role::of_sentinel).collect::<Result<_, _>>()?;
        Ok(Self { roles, fixed: None, medians: BTreeMap::new() })
    }

    /// Fixes names and line counts as the first calibration run printed them ([`super::RunReading::lines`]).
    #[must_use]
    pub fn fixed_by(&self, lines: &BTreeMap<MetricName, u32>) -> Self {
        let fix = |(name, lines): (&MetricName, &u32)| {
            let role = self.role_of(name);
            (role.is_some() || self.is_part(name)).then(|| (name.clone(), Fixed { role, lines: *lines }))
        };
        Self { fixed: Some(lines.iter().filter_map(fix).collect()), ..self.clone() }
    }

    /// Fixes names, line counts and medians as a journalled calibration has them.
    #[must_use]
    pub fn restored(&self, calibrated: &Calibrated) -> Self {
        self.restored_from(&calibrated.metrics, &calibrated.parts)
    }

    /// Does the same for the metrics, and the lines of what stands only in geometric means, of one command.
    #[must_use]
    pub fn restored_from(&self, metrics: &[MetricCalibration], parts: &BTreeMap<MetricName, u32>) -> Self {
        let judged = metrics.iter().map(|metric| (metric.metric.clone(), metric.lines));
        let parts = parts.iter().map(|(name, lines)| (name.clone(), *lines));
        let medians = metrics.iter().map(|metric| (metric.metric.clone(), metric.median)).collect();
        Self { medians, ..self.fixed_by(&judged.chain(parts).collect()) }
    }

    /// Says whether names and line counts are fixed.
    pub fn is_fixed(&self) -> bool {
        self.fixed.is_some()
    }

    /// Returns the metrics that have a role, once fixed: the name, and `primary`, `coPrimary[n]` or the sentinel's
    /// pattern.
    pub fn metrics(&self) -> impl Iterator<Item = (&MetricName, &str)> {
        let printed = self.fixed.iter().flatten().filter_map(|(name, fixed)| Some((name, &self.roles[fixed.role?])));
        let means = self.roles.iter().filter_map(|role| Some((role.geomean()?.0, role)));
        let means = means.filter(|_| self.is_fixed());
        printed.chain(means).map(|(name, role)| (name, role.label.as_str()))
    }

    /// Says whether a metric has a role, would have one, or stands in a geometric mean.
    pub(super) fn has_role(&self, name: &MetricName) -> bool {
        self.role_of(name).is_some() || self.is_part(name)
    }

    fn role_of(&self, name: &MetricName) -> Option<usize> {
        if name.aggregate().is_some() {
            return None;
        }
        let exact = self.roles.iter().position(|role| role.pattern == name.as_str());
        exact.or_else(|| self.roles.iter().position(|role| role.matches(name)))
    }

    fn is_part(&self, name: &MetricName) -> bool {
        let in_mean = |role: &Role| role.geomean().is_some_and(|(_, glob)| matches_printed(glob, name));
        name.aggregate().is_none() && self.roles.iter().any(in_mean)
    }

    /// Lists what a run must have, given the names that it has; `Err` with the name or glob that nothing matches.
    pub(super) fn wanted<'a>(&'a self, present: &'a [MetricName]) -> Result<Vec<Wanted<'a>>, &'a str> {
        if let Some(fixed) = &self.fixed {
            return Ok(fixed.iter().map(|(name, fixed)| self.want(name, fixed.role, Some(fixed.lines))).collect());
        }
        let wanted: Vec<_> = present.iter().filter(|name| self.has_role(name)).collect();
        for (index, role) in self.roles.iter().enumerate() {
            let mean = role.geomean().map(|(_, glob)| glob);
            let is_of = |name: &&&MetricName| {
                mean.map_or_else(|| self.role_of(name) == Some(index), |glob| matches_printed(glob, name))
            };
            if !wanted.iter().any(|name| is_of(&name)) {
                return Err(&role.pattern);
            }
        }
        Ok(wanted.into_iter().map(|name| self.want(name, self.role_of(name), None)).collect())
    }

    fn want<'a>(&'a self, name: &'a MetricName, role: Option<usize>, lines: Option<u32>) -> Wanted<'a> {
        let role = role.map(|index| &self.roles[index]);
        Wanted {
            name,
            reduce: role.map(|role| role.reduce).unwrap_or_default(),
            positive: role.is_some_and(|role| role.positive) || self.is_part(name),
            lines,
        }
    }

    /// Computes the aggregates of a run whose printed metrics are all there: geometric means, and, after the
    /// calibration, for each primary that is `worst(...)` the worst ratio to the calibrated medians.
    ///
    /// The ratio is for people and existing readers; the primary itself is judged metric by metric.
    pub(super) fn aggregates(&self, values: &BTreeMap<MetricName, f64>) -> BTreeMap<MetricName, f64> {
        let of = |role: &Role| {
            let (_, name) = role.aggregate.as_ref()?;
            let value = match role.geomean() {
                Some((_, glob)) => geometric_mean(self.counted(values).filter(|(n, _)| matches_printed(glob, n))),
                None => self.worst_ratio(role, values),
            };
            Some((name.clone(), value?))
        };
        self.roles.iter().filter_map(of).collect()
    }

    /// Returns the values that count: after the calibration those of the names that it fixed.
    fn counted<'a>(
        &'a self,
        values: &'a BTreeMap<MetricName, f64>,
    ) -> impl Iterator<Item = (&'a MetricName, f64)> + 'a {
        let counts = |name: &MetricName| self.fixed.as_ref().is_none_or(|fixed| fixed.contains_key(name));
        values.iter().filter(move |(name, _)| counts(name)).map(|(name, value)| (name, *value))
    }

    fn worst_ratio(&self, role: &Role, values: &BTreeMap<MetricName, f64>) -> Option<f64> {
        let fixed = self.fixed.as_ref()?;
        let members = fixed.iter().filter(|(_, fixed)| fixed.role.map(|index| &self.roles[index]) == Some(role));
        let ratios = members.map(|(name, _)| Some(values.get(name)? / self.medians.get(name)?));
        let ratios = ratios.collect::<Option<Vec<f64>>>()?.into_iter();
        match role.direction {
            Direction::Lower => ratios.max_by(f64::total_cmp),
            Direction::Higher => ratios.min_by(f64::total_cmp),
        }
    }
}

/// Returns the geometric mean of positive values; `None` where there are none.
fn geometric_mean<'a>(values: impl Iterator<Item = (&'a MetricName, f64)>) -> Option<f64> {
    let logarithms: Vec<f64> = values.map(|(_, value)| value.ln()).collect();
    (!logarithms.is_empty()).then(|| (logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp())
}

impl Role {
    fn of_primary(objective: &Objective, number: u32) -> Self {
        Self {
            label: primary_label(number),
            pattern: objective.name.as_str().to_owned(),
            aggregate: objective.name.aggregate().map(|(kind, _)| (kind, objective.name.clone())),
            reduce: objective.reduce,
            direction: objective.direction,
            positive: objective.scale == Scale::Ratio,
        }
    }

    fn of_sentinel(sentinel: &Sentinel) -> Result<Self, PlanError> {
        let pattern = canonical(&sentinel.pattern)?;
        let name = MetricName::new(&pattern).ok();
        Ok(Self {
            label: pattern.clone(),
            aggregate: name.and_then(|name| name.aggregate().map(|(kind, _)| kind).map(|kind| (kind, name))),
            pattern,
            reduce: sentinel.reduce,
            direction: sentinel.direction,
            positive: sentinel.tolerance.is_some() && sentinel.scale == Scale::Ratio,
        })
    }

    /// Returns the name or glob of the metrics that get this role: two roles of the same one would leave one empty.
    fn reach(&self) -> &str {
        match self.aggregate.as_ref().and_then(|(_, name)| name.aggregate()) {
            Some((Aggregate::Worst, glob)) => glob,
            Some((Aggregate::Geomean, _)) | None => &self.pattern,
        }
    }

    /// Returns name and glob of a geometric mean.
    fn geomean(&self) -> Option<(&MetricName, &str)> {
        let (kind, name) = self.aggregate.as_ref()?;
        (*kind == Aggregate::Geomean).then(|| Some((name, name.aggregate()?.1)))?
    }

    /// Says whether a printed metric has this role because its name matches.
    fn matches(&self, name: &MetricName) -> bool {
        match self.aggregate.as_ref().map(|(_, aggregate)| aggregate.aggregate()) {
            None => matches_printed(&self.pattern, name),
            Some(Some((Aggregate::Worst, glob))) => matches_printed(glob, name),
            Some(_) => false,
        }
    }
}

/// Matches a glob against a name; an automatic metric is meant only by a glob that begins with `auto.` itself.
fn matches_printed(glob: &str, name: &MetricName) -> bool {
    let reserved = name.is_automatic() && !glob.starts_with("auto.");
    !reserved && glob_matches(glob, name.as_str())
}

/// Checks a pattern and gives it the one mu sign that stored names have.
fn canonical(pattern: &str) -> Result<String, PlanError> {
    let allowed = |c: char| MetricName::allows(c) || matches!(c, '*' | '?');
    let plain = !pattern.is_empty() && pattern.chars().all(allowed);
    if !plain && Aggregate::split(pattern).is_none() {
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
