//! `autoresearch simulate`: the decision rule on simulated noise, or on the noise that a session measured.

use std::time::Instant;

use serde_json::{Value, json};

use super::{simulate_journal, simulate_table};
use crate::cli::args::{Global, Simulate};
use crate::cli::error::CliError;
use crate::cli::ui::Ui;
use crate::domain::Scale;
use crate::stats::RaceRule;
use crate::stats::simulation::{
    Cell, Effort, Finding, Frequency, Ledger, Limit, Mix, Night, NightFigures, Noise, Simplification, WatchError,
    Watched, Watching, check, nights, power, simplified, usual_rule, watches,
};

/// The exit code when a figure is not what it must be.
const NOT_SO: u8 = 7;

/// True effects, in percent of a ratio or in minimum effects of a linear metric.
const EFFECTS: [f64; 6] = [0.0, 1.0, 2.0, 5.0, 10.0, 20.0];

/// Candidates in a simulated session.
const SESSIONS: [u32; 3] = [8, 20, 200];

/// Wanted share of false keeps, where no session sets it.
const SHARE: f64 = 0.10;

/// A regression of 10 %, in ln units.
const HARM: f64 = 0.10;

/// Simulates and prints: 0, or 7 where `--check` finds a figure that is not what it must be.
pub(in crate::cli) fn run(global: &Global, args: &Simulate, ui: &Ui) -> Result<u8, CliError> {
    if args.check {
        return run_check(args, ui);
    }
    if let Some(sentinels) = args.sentinels {
        return run_sentinels(args, usize::from(sentinels), ui);
    }
    let question = match &args.from_journal {
        Some(named) => Question::measured(simulate_journal::read(global, named)?, args),
        None => Question::modelled(args),
    };
    let answer = question.answer()?;
    if args.json {
        ui.json(&answer_json(&question, &answer))?;
    } else {
        ui.print(&simulate_table::answer(&question, &answer))?;
    }
    Ok(0)
}

/// What is simulated.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) noises: Vec<Noise>,
    pub(super) rule: RaceRule,
    pub(super) share: f64,
    /// Size on the decision scale of what effects and gains are counted in.
    pub(super) unit: f64,
    pub(super) scale: Scale,
    /// Where the noise comes from, in words.
    pub(super) source: String,
    pub(super) races: u32,
    pub(super) seed: u64,
}

/// The simulated figures.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) cells: Vec<(Cell, Frequency)>,
    pub(super) simplifications: Vec<(Simplification, Frequency)>,
    pub(super) nights: Vec<(Night, NightFigures)>,
}

impl Question {
    fn modelled(args: &Simulate) -> Self {
        Self {
            noises: Noise::PUBLISHED.to_vec(),
            rule: usual_rule(args.alpha),
            share: SHARE,
            unit: 0.01,
            scale: Scale::Ratio,
            source: "noise models, the rule at its defaults".to_owned(),
            races: args.races,
            seed: args.seed,
        }
    }

    fn measured(measured: simulate_journal::Measured, args: &Simulate) -> Self {
        Self {
            noises: vec![measured.noise],
            rule: RaceRule { alpha: args.alpha, ..measured.rule },
            share: measured.share,
            unit: match measured.scale {
                Scale::Ratio => 0.01,
                Scale::Linear => measured.rule.min_effect,
            },
            scale: measured.scale,
            source: measured.source,
            races: args.races,
            seed: args.seed,
        }
    }

    fn answer(&self) -> Result<Answer, WatchError> {
        let (cells, simplifications, plans) = (self.cells(), self.simplifications(), self.plans());
        let (found, simpler, figures) = (power(&cells), simplified(&simplifications)?, nights(&plans));
        Ok(Answer {
            cells: cells.into_iter().zip(found).collect(),
            simplifications: simplifications.into_iter().zip(simpler).collect(),
            nights: plans.into_iter().zip(figures).collect(),
        })
    }

    /// Plans simplifications of each cost.
    fn simplifications(&self) -> Vec<Simplification> {
        let plan = |noise: &Noise, effect: f64| {
            let (noise, rule, races, seed) = (noise.clone(), self.rule, self.races, self.seed);
            Simplification { noise, effect, rule, races, seed }
        };
        let m = self.rule.min_effect;
        self.noises
            .iter()
            .flat_map(|noise| [0.0, -m, -2.0 * m, -5.0 * self.unit].map(|effect| plan(noise, effect)))
            .collect()
    }

    fn cells(&self) -> Vec<Cell> {
        let cell = |noise: &Noise, effect: f64| Cell {
            noise: noise.clone(),
            effect: effect * self.unit,
            rule: self.rule,
            races: self.races,
            seed: self.seed,
        };
        self.noises.iter().flat_map(|noise| EFFECTS.map(|effect| cell(noise, effect))).collect()
    }

    /// Plans five times as many candidates in sessions as races of one figure, in at least one session.
    fn plans(&self) -> Vec<Night> {
        let plan = |candidates, noise: &Noise, mix| Night {
            noise: noise.clone(),
            rule: self.rule,
            share: self.share,
            mix,
            unit: self.unit,
            candidates,
            sessions: (self.races.saturating_mul(5) / candidates).max(1),
            seed: self.seed,
        };
        let both = |(candidates, noise)| [Mix::Usual, Mix::Null].map(|mix| plan(candidates, noise, mix));
        SESSIONS.into_iter().flat_map(|c| self.noises.iter().map(move |noise| (c, noise))).flat_map(both).collect()
    }
}

fn answer_json(question: &Question, answer: &Answer) -> Value {
    let cell = |(cell, found): &(Cell, Frequency)| json!({ "noise": cell.noise.to_string(), "effect": cell.effect, "keeps": found.keeps, "runs": found.runs });
    let simpler = |(plan, found): &(Simplification, Frequency)| json!({ "noise": plan.noise.to_string(), "effect": plan.effect, "keeps": found.keeps, "runs": found.runs });
    let night = |(plan, found): &(Night, NightFigures)| {
        json!({
            "noise": plan.noise.to_string(),
            "candidates": plan.candidates,
            "mix": match plan.mix { Mix::Usual => "usual", Mix::Null => "null" },
            "sessions": plan.sessions,
            "offered": found.offered,
            "rule": ledger_json(&found.rule),
            "one_run_vs_best": ledger_json(&found.one_run),
        })
    };
    json!({
        "source": question.source,
        "scale": question.scale,
        "alpha": question.rule.alpha,
        "min_effect": question.rule.min_effect,
        "false_keep_share": question.share,
        "races": question.races,
        "seed": question.seed,
        "candidates": answer.cells.iter().map(cell).collect::<Vec<_>>(),
        "simplifications": answer.simplifications.iter().map(simpler).collect::<Vec<_>>(),
        "sessions": answer.nights.iter().map(night).collect::<Vec<_>>(),
    })
}

fn ledger_json(ledger: &Ledger) -> Value {
    json!({
        "keeps": ledger.keeps,
        "false_keeps": ledger.false_keeps,
        "false_share": ledger.false_share(),
        "gain": ledger.gain,
        "reported_gain": ledger.reported,
        "runs": ledger.runs,
    })
}

fn run_sentinels(args: &Simulate, sentinels: usize, ui: &Ui) -> Result<u8, CliError> {
    let plan = |noise: &Noise, harm| {
        let (noise, alpha, races, seed) = (noise.clone(), args.alpha, args.races, args.seed);
        Watching { noise, sentinels, harm, alpha, races, seed }
    };
    let plans: Vec<Watching> =
        Noise::PUBLISHED.iter().flat_map(|noise| [0.0, HARM].map(|harm| plan(noise, harm))).collect();
    let found = watches(&plans)?;
    let rows: Vec<(&Watching, Watched)> = plans.iter().zip(found).collect();
    if args.json {
        let row = |(plan, found): &(&Watching, Watched)| {
            json!({ "noise": plan.noise.to_string(), "regression": plan.harm, "blocked": found.blocked,
                    "unresolved": found.unresolved, "pairs": found.pairs, "named": found.named, "unwarned": found.unwarned })
        };
        let rows: Vec<Value> = rows.iter().map(row).collect();
        ui.json(&json!({ "sentinels": sentinels, "races": args.races, "seed": args.seed, "noises": rows }))?;
    } else {
        ui.print(&simulate_table::sentinels(sentinels, args.races, &rows))?;
    }
    Ok(0)
}

fn run_check(args: &Simulate, ui: &Ui) -> Result<u8, CliError> {
    let start = Instant::now();
    let findings = check(Effort::full(args.races), args.seed)?;
    let holds = findings.iter().all(Finding::holds);
    if args.json {
        ui.json(&json!({
            "holds": holds,
            "seed": args.seed,
            "findings": findings.iter().map(finding_json).collect::<Vec<_>>(),
        }))?;
    } else {
        ui.print(&simulate_table::check(&findings, start.elapsed().as_secs_f64()))?;
    }
    Ok(if holds { 0 } else { NOT_SO })
}

fn finding_json(finding: &Finding) -> Value {
    let limit = match finding.limit {
        Limit::AtMost(limit) => json!({ "at_most": limit }),
        Limit::AtLeast(limit) => json!({ "at_least": limit }),
        Limit::Near { published, within } => json!({ "published": published, "within": within }),
    };
    json!({ "property": finding.property, "figure": finding.figure, "found": finding.found, "limit": limit,
            "holds": finding.holds() })
}
