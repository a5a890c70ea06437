//! What a night can do, in people's terms, and what to change where that is little.

use serde::Serialize;

use super::lens::Lens;
use crate::domain::{CheckOrder, Patience, Settings};
use crate::stats::{Forecast, Part, Supply};

/// A forecast of a session. Seconds, candidates and bench runs; effects in percent or in the metric's unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ForecastView {
    /// Seconds of a candidate without an effect.
    pub no_op_s: f64,
    /// Seconds of one that wins by `win_effect`.
    pub win_s: f64,
    /// Seconds of one that runs out of pairs.
    pub inconclusive_s: f64,
    /// Seconds of the mean candidate: one in ten wins.
    pub candidate_s: f64,
    /// Mean bench runs behind the first three.
    pub runs: RunsView,
    /// The effect of the win.
    pub win_effect: f64,
    /// The smallest effect that a race can show, where known.
    pub smallest_effect: Option<f64>,
    /// Unit of both effects.
    pub effect_unit: String,
    /// Seconds kept for the final validation.
    pub validation_s: f64,
    /// Seconds until the stop time, where there is one.
    pub seconds_left: Option<f64>,
    /// Candidates that fit before it.
    pub in_time: Option<u32>,
    /// Candidates waiting.
    pub waiting: Option<u32>,
    /// Iterations that `stop.maxIterations` leaves.
    pub iterations_left: Option<u32>,
    /// Candidates expected: the least of these.
    pub candidates: Option<u32>,
    /// What to change, where time leaves fewer than 20.
    pub warning: Option<String>,
    /// What is known of the candidates that wait.
    #[serde(skip)]
    pub(super) supply: Supply,
    /// The effects as text.
    #[serde(skip)]
    sizes: (String, Option<String>),
}

/// Mean bench runs of a race, both arms together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RunsView {
    /// Without an effect.
    pub no_op: f64,
    /// With an effect.
    pub win: f64,
    /// When the pairs run out.
    pub inconclusive: f64,
}

impl ForecastView {
    /// Takes a forecast; `resolves` is the smallest effect of the primary on the decision scale.
    pub fn new(forecast: &Forecast, settings: &Settings, resolves: Option<f64>) -> Self {
        let lens = Lens::from(&settings.primary);
        let (runs, horizon) = (forecast.runs, forecast.horizon);
        Self {
            no_op_s: forecast.no_op_s,
            win_s: forecast.win_s,
            inconclusive_s: forecast.inconclusive_s,
            candidate_s: forecast.candidate_s,
            runs: RunsView { no_op: runs.no_op, win: runs.win, inconclusive: runs.inconclusive },
            win_effect: lens.magnitude(runs.win_effect),
            smallest_effect: resolves.map(|size| lens.magnitude(size)),
            effect_unit: lens.step_unit().to_owned(),
            validation_s: forecast.validation_s,
            seconds_left: horizon.seconds,
            in_time: forecast.in_time,
            waiting: horizon.supply.listed(),
            iterations_left: horizon.iterations,
            candidates: forecast.candidates(),
            warning: forecast.is_short().then(|| warning(forecast, settings)),
            supply: horizon.supply,
            sizes: (lens.size(runs.win_effect), resolves.map(|size| lens.size(size))),
        }
    }

    /// Returns the effects as text: of a win, and the smallest.
    pub(super) fn sizes(&self) -> (&str, Option<&str>) {
        (&self.sizes.0, self.sizes.1.as_deref())
    }
}

/// Says how few candidates fit, what takes the time, and what would help.
fn warning(forecast: &Forecast, settings: &Settings) -> String {
    let (part, share) = forecast.largest;
    let (what, lever) = match part {
        Part::Build => ("the build takes", of_build(settings)),
        Part::Checks if settings.checks.order == CheckOrder::ChecksFirst => (
            "the checks take",
            "fewer or faster checks, or \"order\": \"bench-first\" in 'checks', which checks only what would be kept",
        ),
        Part::Checks => ("the checks take", "fewer or faster checks"),
        Part::Warmup => ("warm-up runs take", "a shorter bench, or a smaller 'bench.warmup'"),
        Part::Pairs => ("the pairs take", of_pairs(settings)),
    };
    let fit = match forecast.in_time.unwrap_or(0) {
        0 => "no candidate fits".to_owned(),
        1 => "only about 1 candidate fits".to_owned(),
        fit => format!("only about {fit} candidates fit"),
    };
    format!("{fit} before the stop; {what} {:.0} % of each: {lever}", 100.0 * share)
}

fn of_build(settings: &Settings) -> &'static str {
    match &settings.build {
        Some(build) if build.keep.is_empty() => {
            "keep its cache warm between candidates (list its folders in 'build.keep')"
        }
        Some(_) | None => "build less (only what the bench runs), or with fewer optimisations that take long",
    }
}

fn of_pairs(settings: &Settings) -> &'static str {
    match settings.decision.patience {
        Patience::Thorough => "a shorter bench, or \"patience\": \"normal\" in 'decision'",
        Patience::Normal => "a shorter bench, or \"patience\": \"thrifty\" in 'decision'",
        Patience::Thrifty => "a shorter bench, or fewer pairs at most ('decision.maxPairs')",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Configured;
    use crate::report::text;
    use crate::stats::{Costs, Horizon, RunsNeeded};

    fn settings() -> Settings {
        let line = include_str!("../../tests/golden/journal-format-1.jsonl").lines().nth(1).unwrap();
        *serde_json::from_str::<Configured>(line).unwrap().settings
    }

    fn view(costs: Costs, seconds: Option<f64>, settings: &Settings) -> ForecastView {
        let runs = RunsNeeded { no_op: 6.0, win: 12.0, inconclusive: 60.0, win_effect: 0.0295 };
        let horizon = Horizon { seconds, supply: Supply::Listed(200), iterations: None };
        ForecastView::new(&Forecast::new(&costs, runs, horizon), settings, Some(0.0145))
    }

    const COSTS: Costs = Costs {
        build_s: 50.0,
        checks_s: 7.0,
        checks_first: true,
        verify_s: 50.0,
        warmup: 1,
        run_s: 5.0,
        validation_pairs: 20,
    };

    #[test]
    fn a_long_night_is_told_in_three_lines() {
        let told = text::forecast(&view(COSTS, Some(36_000.0), &settings()));
        assert_eq!(
            told,
            "a candidate takes about 1 min 37 s without an effect, 2 min 57 s when it wins by 3.0 %, 6 min 07 s when \
             the pairs run out\n\
             about 200 candidates: 200 wait, and 339 fit before the stop in 10 h 00 min (5 min 10 s of it are kept for \
             the final validation)\n\
             the smallest effect that they can show is 1.5 %\n"
        );
    }

    #[test]
    fn a_night_without_a_number_says_what_ends_it() {
        let runs = RunsNeeded { no_op: 6.0, win: 12.0, inconclusive: 60.0, win_effect: 0.0295 };
        let told = |supply| {
            let forecast = Forecast::new(&COSTS, runs, Horizon { supply, ..Horizon::default() });
            text::forecast(&ForecastView::new(&forecast, &settings(), None)).lines().nth(1).unwrap().to_owned()
        };
        assert!(told(Supply::Finite).starts_with("the sources come to an end by themselves"));
        assert_eq!(told(Supply::Nothing), "no candidate waits");
        assert!(told(Supply::Endless).starts_with("neither a list nor a stop time ends the session"));
    }

    #[test]
    fn a_short_night_names_its_largest_cost_and_the_lever() {
        let mut settings = settings();
        let warning = |costs, settings: &Settings| view(costs, Some(1500.0), settings).warning.unwrap();
        let told = warning(COSTS, &settings);
        assert!(told.starts_with("only about 11 candidates fit before the stop; the build takes 52 %"), "{told}");
        let told = warning(Costs { checks_s: 100.0, ..COSTS }, &settings);
        assert!(told.contains("the checks take") && told.contains("bench-first"), "{told}");
        let pairs = Costs { run_s: 30.0, warmup: 0, ..COSTS };
        assert!(warning(pairs, &settings).contains("\"patience\": \"normal\""));
        settings.decision.patience = Patience::Thrifty;
        assert!(warning(pairs, &settings).contains("decision.maxPairs"));
        assert_eq!(view(COSTS, Some(36_000.0), &settings).warning, None);
    }
}
