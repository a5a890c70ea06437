//! The comparison of the implementation with its published figures: what `simulate --check` asserts.

use super::nulls::{Ordeal, keep_rates, traps};
use super::published::{CAREFUL, MIN_EFFECT, NO_OP_RUNS_BEYOND, TOLERANCE, Table, UNGUARDED, USUAL};
use super::{
    Cell, Frequency, Noise, Simplification, WatchError, Watched, Watching, power, simplified, usual_rule, watches,
};

/// Error budgets at which no-ops are raced.
const ALPHAS: [f64; 3] = [0.001, 0.005, 0.02];

/// Most benchmark runs that a no-op may cost.
const NO_OP_RUNS: f64 = 7.5;

/// Most benchmark runs that a win of ten times the noise may cost, by error budget.
const CLEAR_WIN_RUNS: [(f64, f64); 2] = [(0.005, 10.0), (0.001, 13.0)];

/// Numbers of sentinels for which figures are asserted.
const FAMILIES: [usize; 3] = [4, 12, 40];

/// Largest share of harmless patches that sentinels may block.
const HARMLESS: f64 = 0.05;

/// Smallest share of patches with a regression of 10 % that sentinels must block.
const HARMFUL: f64 = 0.95;

/// Smallest share of calibrations that must name a sentinel which cannot be guarded: ten pairs know the noise to a third,
/// so that one in seven may find it quiet enough.
const NAMED: f64 = 0.8;

/// Error budget of the simplifications.
const SIMPLIFY_ALPHA: f64 = 0.005;

/// Smallest share of simplifications without a cost that must be kept on a quiet machine.
///
/// Such a one is better than what must be excluded by one minimum effect. 30 pairs resolve
/// `s sqrt(2 ln(4 / alpha) / 30)`, which is .0094 at a noise of 1 % a run, about the minimum effect of .01: an even chance,
/// less what futility ends early. Found: .39.
static NEUTRAL_KEPT: [(Noise, f64); 2] = [(Noise::Iid(0.01), 0.35), (Noise::Exact, 1.0)];

/// What a figure must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// Within a distance of a published figure.
    Near {
        /// The published figure.
        published: f64,
        /// The largest distance.
        within: f64,
    },
}

impl Limit {
    fn holds(self, found: f64) -> bool {
        match self {
            Self::AtMost(limit) => found <= limit,
            Self::AtLeast(limit) => found >= limit,
            Self::Near { published, within } => (found - published).abs() <= within,
        }
    }
}

/// One figure of the implementation beside what it must be.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The property that it belongs to.
    pub property: &'static str,
    /// Which figure exactly.
    pub figure: String,
    /// The simulated value.
    pub found: f64,
    /// What it must be.
    pub limit: Limit,
}

impl Finding {
    /// Says whether the figure is what it must be.
    pub fn holds(&self) -> bool {
        self.limit.holds(self.found)
    }
}

/// How much is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Races of a candidate that is better.
    pub races: u32,
    /// Races of one that is not.
    pub nulls: u32,
    /// Patches under sentinels.
    pub watched: u32,
}

impl Effort {
    /// Returns what an acceptance needs, or more where more is asked for: chance alone misses nothing then.
    pub fn full(races: u32) -> Self {
        Self { races: races.max(4000), nulls: races.max(20_000), watched: (races / 2).max(2000) }
    }
}

/// Simulates everything that is published of the rule and says how the implementation compares.
pub fn check(effort: Effort, seed: u64) -> Result<Vec<Finding>, WatchError> {
    let mut findings = powers(&USUAL, effort, seed);
    findings.extend(powers(&CAREFUL, effort, seed));
    findings.extend(singles(effort, seed));
    findings.extend(whole_sessions(effort, seed));
    findings.extend(sentinels(effort, seed)?);
    findings.extend(simplifications(effort, seed)?);
    Ok(findings)
}

/// Compares one table of powers.
fn powers<const EFFECTS: usize>(table: &Table<EFFECTS>, effort: Effort, seed: u64) -> Vec<Finding> {
    let cell = |noise: &Noise, effect| Cell {
        noise: noise.clone(),
        effect,
        rule: usual_rule(table.alpha),
        races: if effect > 0.0 { effort.races } else { effort.nulls },
        seed,
    };
    let published = table.rows.iter().flat_map(|(_, row)| row.iter().copied());
    let cells: Vec<Cell> =
        table.rows.iter().flat_map(|(noise, _)| table.effects.map(|effect| cell(noise, effect))).collect();
    let finding = |((cell, found), published): ((&Cell, Frequency), f64)| Finding {
        property: "power within .03 of the published one",
        figure: format!("{}, {:.0} %, alpha {}", cell.noise, 100.0 * cell.effect, table.alpha),
        found: found.keeps,
        limit: Limit::Near { published, within: TOLERANCE },
    };
    cells.iter().zip(power(&cells)).zip(published).map(finding).collect()
}

/// A cell with what is asserted of it.
struct Claim {
    property: &'static str,
    cell: Cell,
    /// Whether the claim is about the runs, and not the share of keeps.
    of_runs: bool,
    limit: Limit,
}

/// Compares single candidates: false keeps, and what no-ops and clear wins cost.
fn singles(effort: Effort, seed: u64) -> Vec<Finding> {
    let claims = claims(effort, seed);
    let cells: Vec<Cell> = claims.iter().map(|claim| claim.cell.clone()).collect();
    let finding = |(claim, found): (Claim, Frequency)| Finding {
        property: claim.property,
        figure: format!("{}, {:.0} %, alpha {}", claim.cell.noise, 100.0 * claim.cell.effect, claim.cell.rule.alpha),
        found: if claim.of_runs { found.runs } else { found.keeps },
        limit: claim.limit,
    };
    let found = power(&cells);
    claims.into_iter().zip(found).map(finding).collect()
}

fn claims(effort: Effort, seed: u64) -> Vec<Claim> {
    let cell = |noise: &Noise, effect, alpha, races| Cell {
        noise: noise.clone(),
        effect,
        rule: usual_rule(alpha),
        races,
        seed: seed.wrapping_add(1),
    };
    let mut claims = Vec::new();
    for noise in &Noise::PUBLISHED {
        for alpha in ALPHAS {
            let null = |effect, property, limit| {
                let cell = cell(noise, effect, alpha, effort.nulls);
                Claim { property, cell, of_runs: false, limit: Limit::AtMost(limit) }
            };
            claims.push(null(0.0, "a no-op is kept less often than alpha", alpha));
            claims.push(null(-0.02, "a regression is kept less often than alpha / 10", alpha / 10.0));
        }
        let (property, limit) = no_op_runs(noise);
        claims.push(Claim { property, cell: cell(noise, 0.0, 0.005, effort.nulls), of_runs: true, limit });
    }
    for (alpha, runs) in CLEAR_WIN_RUNS {
        let cell = cell(&Noise::Iid(0.01), 0.1, alpha, effort.races);
        let property = "mean runs of a win of ten times the noise";
        claims.push(Claim { property, cell, of_runs: true, limit: Limit::AtMost(runs) });
    }
    let cell = cell(&Noise::Exact, 0.02, 0.005, effort.races);
    claims.push(Claim { property: "mean runs of an exact win", cell, of_runs: true, limit: Limit::AtMost(6.0) });
    claims
}

fn no_op_runs(noise: &Noise) -> (&'static str, Limit) {
    let (beyond, published, within) = &NO_OP_RUNS_BEYOND;
    match noise {
        Noise::Exact => ("mean runs of a no-op", Limit::AtMost(2.0)),
        noise if noise == beyond => {
            let limit = Limit::Near { published: *published, within: *within };
            ("mean runs of a no-op, beyond the wanted 7.5", limit)
        }
        _ => ("mean runs of a no-op", Limit::AtMost(NO_OP_RUNS)),
    }
}

/// Compares no-ops in whole sessions on machines that break what a calibration learned.
fn whole_sessions(effort: Effort, seed: u64) -> Vec<Finding> {
    let at = |alpha| traps().map(|trap| Ordeal { trap, alpha, races: effort.nulls, seed });
    let ordeals: Vec<Ordeal> = ALPHAS.into_iter().flat_map(at).collect();
    let finding = |(ordeal, found): (&Ordeal, f64)| Finding {
        property: "whole sessions of no-ops keep less often than alpha",
        figure: format!("{}, alpha {}", ordeal.trap.name, ordeal.alpha),
        found,
        limit: Limit::AtMost(ordeal.alpha),
    };
    ordeals.iter().zip(keep_rates(&ordeals)).map(finding).collect()
}

/// Compares what sentinels block.
fn sentinels(effort: Effort, seed: u64) -> Result<Vec<Finding>, WatchError> {
    let plans: Vec<Watching> = Noise::PUBLISHED
        .iter()
        .flat_map(|noise| FAMILIES.map(|family| (noise, family)))
        .flat_map(|(noise, sentinels)| {
            let races = effort.watched;
            [0.0, 0.1].map(|harm| Watching { noise: noise.clone(), sentinels, harm, alpha: 0.005, races, seed })
        })
        .collect();
    let findings = plans
        .iter()
        .zip(watches(&plans)?)
        .flat_map(|(plan, found)| if plan.harm > 0.0 { harmful(plan, found) } else { harmless(plan, found) });
    Ok(findings.collect())
}

fn finding_of(plan: &Watching, property: &'static str, found: f64, limit: Limit) -> Finding {
    Finding { property, figure: format!("{}, {} sentinels", plan.noise, plan.sentinels), found, limit }
}

/// Nearly every harmless patch must pass, on every noise.
fn harmless(plan: &Watching, found: Watched) -> Vec<Finding> {
    vec![finding_of(plan, "a harmless patch is blocked", found.blocked, Limit::AtMost(HARMLESS))]
}

/// Every harmful patch must be blocked; where that is beyond what 20 pairs can tell, the calibration must have said so.
fn harmful(plan: &Watching, found: Watched) -> Vec<Finding> {
    let finding = |property, share, limit| finding_of(plan, property, share, limit);
    let warned = finding(
        "a regression of 10 % is blocked, or its sentinel named as unguarded",
        1.0 - found.unwarned,
        Limit::AtLeast(HARMFUL),
    );
    let sure = if plan.noise == UNGUARDED {
        finding("a sentinel that cannot be guarded is named", found.named, Limit::AtLeast(NAMED))
    } else {
        finding("a regression of 10 % is blocked", found.blocked, Limit::AtLeast(HARMFUL))
    };
    vec![warned, sure]
}

/// Compares simplifications: one that costs as much as the minimum effect or more must hardly ever be kept.
fn simplifications(effort: Effort, seed: u64) -> Result<Vec<Finding>, WatchError> {
    let plan = |noise: &Noise, effect, races| {
        let (noise, rule) = (noise.clone(), usual_rule(SIMPLIFY_ALPHA));
        Simplification { noise, effect, rule, races, seed: seed.wrapping_add(2) }
    };
    let costly = Noise::PUBLISHED.iter().flat_map(|noise| {
        [(-MIN_EFFECT, effort.nulls), (-2.0 * MIN_EFFECT, effort.races), (-0.05, effort.races)]
            .map(|(effect, races)| (plan(noise, effect, races), Limit::AtMost(SIMPLIFY_ALPHA)))
    });
    let free = NEUTRAL_KEPT.iter().map(|(noise, least)| (plan(noise, 0.0, effort.races), Limit::AtLeast(*least)));
    let (plans, limits): (Vec<_>, Vec<_>) = costly.chain(free).unzip();
    let finding = |((plan, limit), found): ((&Simplification, Limit), Frequency)| Finding {
        property: if plan.effect < 0.0 {
            "a simplification that costs the minimum effect is kept less often than alpha"
        } else {
            "a simplification that costs nothing is kept on a quiet machine"
        },
        figure: format!("{}, {:.0} %, alpha {SIMPLIFY_ALPHA}", plan.noise, 100.0 * plan.effect),
        found: found.keeps,
        limit,
    };
    Ok(plans.iter().zip(limits).zip(simplified(&plans)?).map(finding).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_noise_is_kept_as_often_as_published_at_two_percent_and_at_ten() {
        let races = 500;
        let mut published = Vec::new();
        let mut cells = Vec::new();
        for (noise, row) in USUAL.rows {
            for column in [2, 4] {
                published.push(row[column]);
                let (noise, effect) = (noise.clone(), USUAL.effects[column]);
                cells.push(Cell { noise, effect, rule: usual_rule(USUAL.alpha), races, seed: 1 });
            }
        }
        for ((cell, found), published) in cells.iter().zip(power(&cells)).zip(published) {
            let chance = 2.0 * (published * (1.0 - published) / f64::from(races)).sqrt();
            let distance = (found.keeps - published).abs();
            assert!(distance <= TOLERANCE + chance, "{} {}: {found:?} for {published}", cell.noise, cell.effect);
        }
    }

    #[test]
    fn every_property_is_among_the_findings_of_a_check() {
        let findings = check(Effort { races: 1, nulls: 1, watched: 1 }, 1).unwrap();
        assert_eq!(findings.len(), 357);
        let properties: std::collections::BTreeSet<_> = findings.iter().map(|finding| finding.property).collect();
        assert_eq!(properties.len(), 14, "{properties:#?}");
    }

    #[test]
    fn a_limit_holds_on_its_edge_and_not_beyond() {
        assert!(Limit::AtMost(0.5).holds(0.5) && !Limit::AtMost(0.5).holds(0.51));
        assert!(Limit::AtLeast(0.5).holds(0.5) && !Limit::AtLeast(0.5).holds(0.49));
        let near = Limit::Near { published: 0.5, within: 0.25 };
        assert!(near.holds(0.75) && near.holds(0.25) && !near.holds(0.76) && !near.holds(0.2));
    }
}
