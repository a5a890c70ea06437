//! What a night can do: the time of a candidate of each kind, how many fit before the stop, and what costs the most.

use super::simulation::{Machine, Noise};
use super::{Call, PairScale, Race, RaceRule};
use crate::domain::Decision;

/// Races simulated for each kind of candidate: their mean number of runs is known to about 5 %.
const RACES: u64 = 200;

/// Seed of the simulated races; one forecast of the same facts is always the same.
const SEED: u64 = 1;

/// Share of candidates that win; the rest is taken to have no effect (the mixture of statistics section 1, in which
/// a regression costs no more than a no-op).
const WINS: f64 = 0.1;

/// Programs built for the final validation: the original baseline and the tip.
const VALIDATION_BUILDS: f64 = 2.0;

/// Candidates below which a night is short: an alpha epoch is not even filled once.
const FEW: u32 = 20;

/// Share of the session's time that a calibration of more than its first pairs may take: two candidates in a hundred.
const CALIBRATION_SHARE: f64 = 0.02;

/// Seconds that it may take where nothing says how long the session lasts: nobody waits for a minute.
const CALIBRATION_UNTIMED_S: f64 = 60.0;

/// Returns the A/A pairs of a calibration that is not told how many, once its first ten are measured: the most of 30,
/// 20 and 10 whose runs, `pair_s` seconds a pair, fit into 2 % of the session.
///
/// `s` is a median of absolute values, whose relative standard error over n normal pairs is 1.17 / sqrt(n): 37 % after
/// ten, 26 % after 20, 21 % after 30; beyond that the pairs of the candidates add more than any calibration. `T` is 1.25
/// times the largest of fewer than 20 values, which grows with each pair, and a quantile from 20 on (statistics
/// section 3); hence no number between. The choice looks at time only, never at a difference that was measured.
pub fn calibration_pairs(pair_s: f64, session_s: Option<f64>) -> u32 {
    let time = session_s.map_or(CALIBRATION_UNTIMED_S, |seconds| CALIBRATION_SHARE * seconds);
    let (first, most) = (Decision::FIRST_CALIBRATION_PAIRS, Decision::MOST_CALIBRATION_PAIRS);
    let fits = |pairs: &u32| f64::from(*pairs) * pair_s <= time;
    [most, 2 * first].into_iter().find(fits).unwrap_or(first)
}

/// Mean bench runs that a race takes, both arms together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunsNeeded {
    /// Without an effect.
    pub no_op: f64,
    /// With an effect of [`RunsNeeded::win_effect`].
    pub win: f64,
    /// When the pairs run out before the rule can tell.
    pub inconclusive: f64,
    /// The effect of the win: twice what the race can just resolve, on the decision scale.
    pub win_effect: f64,
}

/// Simulates races by this rule on a machine whose pairs scatter by `scale.s`: independent normal runs of standard
/// deviation `s / sqrt 2`, the calibrated scale known. `smallest` is the smallest effect that the race can resolve.
pub fn runs_needed(rule: RaceRule, scale: PairScale, smallest: f64) -> RunsNeeded {
    let win_effect = 2.0 * smallest.max(rule.min_effect);
    RunsNeeded {
        no_op: mean_runs(rule, scale, 0.0),
        win: mean_runs(rule, scale, win_effect),
        inconclusive: 2.0 * f64::from(rule.max_pairs),
        win_effect,
    }
}

fn mean_runs(rule: RaceRule, scale: PairScale, effect: f64) -> f64 {
    let noise = if scale.is_exact() { Noise::Exact } else { Noise::Iid(scale.s / std::f64::consts::SQRT_2) };
    let pairs: u32 = (0..RACES).map(|race| pairs_of(rule, scale, (Machine::new(&noise, SEED + race), effect))).sum();
    2.0 * f64::from(pairs) / RACES as f64
}

fn pairs_of(rule: RaceRule, scale: PairScale, (mut machine, effect): (Machine, f64)) -> u32 {
    let mut race = Race::new(rule, scale);
    loop {
        let (baseline, candidate) = machine.contest(effect);
        if race.push(baseline, candidate) != Call::Undecided {
            return race.standing().pairs;
        }
    }
}

/// What a candidate costs on this machine, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// A build. Known is the first full one, so that a warm cache makes forecasts rather too long.
    pub build_s: f64,
    /// All checks together.
    pub checks_s: f64,
    /// Whether every candidate is checked, and not only what would be kept.
    pub checks_first: bool,
    /// The clean build, with its checks and pairs, that verifies a keep; 0 where there is none.
    pub verify_s: f64,
    /// Discarded runs of each arm after a build.
    pub warmup: u32,
    /// One bench run.
    pub run_s: f64,
    /// Pairs of the final validation.
    pub validation_pairs: u32,
}

/// A part of what a candidate costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Builds, and what verifies a keep.
    Build,
    /// Checks.
    Checks,
    /// Warm-up runs.
    Warmup,
    /// The pairs.
    Pairs,
}

/// What is known of the candidates that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Supply {
    /// So many.
    Listed(u32),
    /// A number that shows on the way: every source comes to its end, and at least one of them is a climb.
    Finite,
    /// None, as every source is empty.
    Nothing,
    /// As many as somebody asks for.
    #[default]
    Endless,
}

impl Supply {
    /// Returns the number, where it is known and any source has candidates.
    pub fn listed(self) -> Option<u32> {
        match self {
            Self::Listed(count) => Some(count),
            Self::Finite | Self::Nothing | Self::Endless => None,
        }
    }
}

/// What ends the night.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Horizon {
    /// Seconds until the stop time; `None` where there is none.
    pub seconds: Option<f64>,
    /// Candidates waiting.
    pub supply: Supply,
    /// Iterations that `stop.maxIterations` leaves.
    pub iterations: Option<u32>,
}

/// What a night can do, in seconds and candidates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// A candidate without an effect.
    pub no_op_s: f64,
    /// One that wins by [`RunsNeeded::win_effect`].
    pub win_s: f64,
    /// One that runs out of pairs.
    pub inconclusive_s: f64,
    /// The mean candidate: one in ten wins, the others have no effect.
    pub candidate_s: f64,
    /// The bench runs behind these.
    pub runs: RunsNeeded,
    /// Time kept for the final validation: two builds, their warm-up, and its pairs.
    pub validation_s: f64,
    /// Until when there is time, and for what.
    pub horizon: Horizon,
    /// Candidates that fit before the stop time, validation reserved; `None` without a stop time.
    pub in_time: Option<u32>,
    /// What costs a mean candidate the most, and its share of the time.
    pub largest: (Part, f64),
}

impl Forecast {
    /// Adds up builds, checks, warm-up and pairs.
    pub fn new(costs: &Costs, runs: RunsNeeded, horizon: Horizon) -> Self {
        let (no_op, win) = (costs.candidate(runs.no_op, false), costs.candidate(runs.win, true));
        let validation_runs = 2.0 * f64::from(costs.validation_pairs);
        let validation_s = VALIDATION_BUILDS * costs.build_s + costs.warmup_s() + validation_runs * costs.run_s;
        let mean = mix(&no_op, &win);
        let candidate_s = total(&mean);
        let in_time = horizon.seconds.map(|seconds| whole((seconds - validation_s) / candidate_s));
        Self {
            no_op_s: total(&no_op),
            win_s: total(&win),
            inconclusive_s: total(&costs.candidate(runs.inconclusive, false)),
            candidate_s,
            runs,
            validation_s,
            horizon,
            in_time,
            largest: largest(&mean),
        }
    }

    /// Returns the expected number of candidates: what time, list and iterations leave, whichever ends first; `None`
    /// where nothing ends the night.
    pub fn candidates(&self) -> Option<u32> {
        [self.in_time, self.horizon.supply.listed(), self.horizon.iterations].into_iter().flatten().min()
    }

    /// Returns the expected seconds of the session: to its stop time, or until there is nothing left to try; `None`
    /// where nothing ends it.
    pub fn seconds(&self) -> Option<f64> {
        let others = [self.horizon.supply.listed(), self.horizon.iterations].into_iter().flatten();
        let of_others = others.map(|count| f64::from(count) * self.candidate_s);
        of_others.chain(self.horizon.seconds).min_by(f64::total_cmp)
    }

    /// Says whether time alone leaves fewer than 20 candidates, although more could come.
    pub fn is_short(&self) -> bool {
        let others = [self.horizon.supply.listed(), self.horizon.iterations].into_iter().flatten().min();
        self.in_time.is_some_and(|fit| fit < FEW && others.is_none_or(|others| fit < others))
    }
}

impl Costs {
    fn warmup_s(&self) -> f64 {
        2.0 * f64::from(self.warmup) * self.run_s
    }

    /// Returns the seconds of each part.
    fn candidate(&self, runs: f64, kept: bool) -> [(Part, f64); 4] {
        let verify = if kept { self.verify_s } else { 0.0 };
        let checks = if kept || self.checks_first { self.checks_s } else { 0.0 };
        [
            (Part::Build, self.build_s + verify),
            (Part::Checks, checks),
            (Part::Warmup, self.warmup_s()),
            (Part::Pairs, runs * self.run_s),
        ]
    }
}

fn mix(no_op: &[(Part, f64); 4], win: &[(Part, f64); 4]) -> [(Part, f64); 4] {
    let mut mixed = *no_op;
    for ((_, seconds), (_, of_win)) in mixed.iter_mut().zip(win) {
        *seconds += WINS * (of_win - *seconds);
    }
    mixed
}

fn total(parts: &[(Part, f64)]) -> f64 {
    parts.iter().map(|(_, seconds)| seconds).sum()
}

fn largest(parts: &[(Part, f64)]) -> (Part, f64) {
    let all = total(parts);
    let most = parts.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((Part::Pairs, 0.0));
    (most.0, if all > 0.0 { most.1 / all } else { 0.0 })
}

/// Returns the whole candidates of a number that may be negative or, where nothing takes time, infinite.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the limits of a u32")]
fn whole(candidates: f64) -> u32 {
    if candidates.is_nan() { u32::MAX } else { candidates.clamp(0.0, f64::from(u32::MAX)) as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSTS: Costs = Costs {
        build_s: 50.0,
        checks_s: 7.0,
        checks_first: true,
        verify_s: 50.0,
        warmup: 1,
        run_s: 5.0,
        validation_pairs: 20,
    };
    const RUNS: RunsNeeded = RunsNeeded { no_op: 6.0, win: 12.0, inconclusive: 60.0, win_effect: 0.03 };

    fn rule(alpha: f64) -> RaceRule {
        RaceRule { alpha, min_effect: 0.01, delta0: 0.005, max_pairs: 30, patience: 1.0, strict: false }
    }

    fn near(found: f64, expected: f64) -> bool {
        (found - expected).abs() < 1e-9
    }

    #[test]
    fn a_candidate_takes_its_build_its_checks_its_warm_up_and_its_pairs() {
        let forecast = Forecast::new(&COSTS, RUNS, Horizon::default());
        assert!(near(forecast.no_op_s, 50.0 + 7.0 + 10.0 + 30.0), "{forecast:?}");
        assert!(near(forecast.win_s, 100.0 + 7.0 + 10.0 + 60.0), "{forecast:?}");
        assert!(near(forecast.inconclusive_s, 50.0 + 7.0 + 10.0 + 300.0), "{forecast:?}");
        assert!(near(forecast.candidate_s, 0.9 * 97.0 + 0.1 * 177.0), "{forecast:?}");
        assert!(near(forecast.validation_s, 100.0 + 10.0 + 200.0), "{forecast:?}");
        assert_eq!((forecast.in_time, forecast.candidates(), forecast.is_short()), (None, None, false));
    }

    #[test]
    fn checks_after_the_bench_cost_only_those_that_would_be_kept() {
        let costs = Costs { checks_first: false, ..COSTS };
        let forecast = Forecast::new(&costs, RUNS, Horizon::default());
        assert!(near(forecast.no_op_s, 90.0) && near(forecast.win_s, 177.0), "{forecast:?}");
    }

    #[test]
    fn the_validation_is_reserved_before_candidates_are_counted() {
        let at = |seconds| Forecast::new(&COSTS, RUNS, Horizon { seconds: Some(seconds), ..Horizon::default() });
        assert_eq!(at(310.0 + 10.5 * 105.0).in_time, Some(10));
        assert_eq!(at(100.0).in_time, Some(0));
        assert!(at(100.0).is_short());
    }

    #[test]
    fn an_exact_metric_reserves_the_few_pairs_that_its_validation_takes() {
        let costs = Costs { validation_pairs: 3, ..COSTS };
        assert!(near(Forecast::new(&costs, RUNS, Horizon::default()).validation_s, 100.0 + 10.0 + 30.0));
    }

    #[test]
    fn what_ends_first_is_the_forecast_and_only_time_is_short() {
        let of = |seconds: f64, listed: Option<u32>, iterations| {
            let supply = listed.map_or(Supply::Endless, Supply::Listed);
            Forecast::new(&COSTS, RUNS, Horizon { seconds: Some(seconds), supply, iterations })
        };
        assert_eq!(of(36_000.0, Some(12), Some(30)).candidates(), Some(12));
        assert!(!of(36_000.0, Some(12), None).is_short());
        assert_eq!(of(36_000.0, None, Some(30)).candidates(), Some(30));
        let short = of(1500.0, Some(200), None);
        assert!(short.is_short() && short.candidates() == Some(11), "{short:?}");
    }

    #[test]
    fn a_session_lasts_to_its_stop_or_until_nothing_is_left() {
        let of = |seconds, listed: Option<u32>, iterations| {
            let supply = listed.map_or(Supply::Endless, Supply::Listed);
            Forecast::new(&COSTS, RUNS, Horizon { seconds, supply, iterations }).seconds()
        };
        assert_eq!(of(None, None, None), None);
        assert!(near(of(Some(36_000.0), Some(12), Some(30)).unwrap(), 12.0 * 105.0));
        assert!(near(of(Some(1000.0), Some(12), None).unwrap(), 1000.0));
    }

    #[test]
    fn a_calibration_takes_more_pairs_while_they_are_two_percent_of_the_session() {
        let night = Some(9.0 * 3600.0);
        assert_eq!(calibration_pairs(0.2, night), 30);
        assert_eq!(calibration_pairs(21.6, night), 30, "648 s of 648 s");
        assert_eq!((calibration_pairs(21.7, night), calibration_pairs(32.4, night)), (20, 20));
        assert_eq!((calibration_pairs(32.5, night), calibration_pairs(3600.0, night)), (10, 10));
        assert_eq!(calibration_pairs(0.4, Some(60.0)), 10, "a demonstration is not lengthened");
        assert_eq!(calibration_pairs(0.4, Some(0.0)), 10);
        assert_eq!(
            (calibration_pairs(2.0, None), calibration_pairs(3.0, None), calibration_pairs(3.1, None)),
            (30, 20, 10)
        );
    }

    #[test]
    fn the_largest_cost_is_named_with_its_share() {
        let (part, share) = Forecast::new(&COSTS, RUNS, Horizon::default()).largest;
        assert_eq!(part, Part::Build);
        assert!((share - 55.0 / 105.0).abs() < 1e-9, "{share}");
        let long = Costs { run_s: 60.0, ..COSTS };
        assert_eq!(Forecast::new(&long, RUNS, Horizon::default()).largest.0, Part::Pairs);
    }

    #[test]
    fn simulated_races_take_what_the_published_table_says() {
        // Statistics section 4, alpha .005, iid 1 %: a no-op 4.6 runs, an effect of 5 % 14.
        let scale = PairScale { s: 0.01 * std::f64::consts::SQRT_2, threshold: 0.032 };
        let runs = runs_needed(rule(0.005), scale, 0.025);
        assert!((runs.no_op / 4.6 - 1.0).abs() < 0.15, "{runs:?}");
        assert!((runs.win / 14.0 - 1.0).abs() < 0.25, "{runs:?}");
        assert_eq!(runs, runs_needed(rule(0.005), scale, 0.025));
    }

    #[test]
    fn an_exact_metric_takes_one_pair_to_drop_and_three_to_keep() {
        let runs = runs_needed(rule(0.001), PairScale { s: 0.0, threshold: 0.0 }, 0.005);
        assert!(near(runs.no_op, 2.0) && near(runs.win, 6.0), "{runs:?}");
    }

    #[test]
    fn what_takes_no_time_at_all_is_no_division_by_zero() {
        let free =
            Costs { build_s: 0.0, checks_s: 0.0, checks_first: true, verify_s: 0.0, warmup: 0, run_s: 0.0, ..COSTS };
        let forecast = Forecast::new(&free, RUNS, Horizon { seconds: Some(10.0), ..Horizon::default() });
        assert_eq!(forecast.in_time, Some(u32::MAX));
    }
}
