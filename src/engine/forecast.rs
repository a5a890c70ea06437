//! The forecast of a session: what the calibration and the settings say about the candidates that a night can try.

use jiff::Timestamp;

use crate::domain::{Build, Calibrated, CheckOrder, MetricCalibration, Settings, VerifyClean};
use crate::git::UserRepository;
use crate::state::SessionState;
use crate::stats::{self, Costs, Forecast, Horizon, PairScale, RaceRule, SlotBias, Supply, runs_needed};

use super::clock::Deadline;
use super::roles::Roles;
use super::session::{Purpose, Session};
use super::sources::Sources;
use super::validate::expected_pairs;
use super::verify_clean::{CHEAP_BUILD, PAIRS as VERIFYING_PAIRS};

/// Measured candidates of the largest alpha epoch, for which forecasts are made (statistics section 3).
const LARGEST_EPOCH: u32 = 100;

/// Says what waits in the sources of a config. A source that cannot be read is told where candidates are taken from it.
fn supply(settings: &Settings, user: &UserRepository, state: &SessionState) -> Supply {
    let sources = Sources::new(settings, user);
    sources.and_then(|sources| sources.supply(user, Some(state))).unwrap_or_default()
}

/// Says what ends a night that begins now, after what a session did already.
pub(super) fn horizon(settings: &Settings, state: Option<&SessionState>, supply: Supply) -> Horizon {
    let now = Timestamp::now();
    let worked = state.map_or(0.0, |state| state.hours(None));
    let of_hours = settings.stop.max_hours.map(|hours| 3600.0 * (hours - worked));
    let of_clock = Deadline::next(settings.stop.until.as_deref(), &jiff::Zoned::now()).seconds_left(now);
    let iterations =
        settings.stop.max_iterations.map(|most| most.saturating_sub(state.map_or(0, SessionState::iterations)));
    let seconds = [of_hours, of_clock].into_iter().flatten().min_by(f64::total_cmp).map(|seconds| seconds.max(0.0));
    Horizon { seconds, supply, iterations }
}

/// Forecasts a session by its calibration; `None` where that says nothing of the primary.
///
/// Races are simulated at `alpha = q / 100`, that of the largest epoch (statistics section 3).
pub(super) fn forecast(settings: &Settings, calibrated: &Calibrated, horizon: Horizon) -> Option<Forecast> {
    let metric = calibrated.metrics.iter().find(|metric| metric.metric == settings.primary.name)?;
    let scale = PairScale { s: metric.s, threshold: metric.threshold };
    let bias = SlotBias { mu: metric.bias, se: metric.bias_se };
    let rule = race_rule(settings, bias);
    let smallest = stats::resolvable_effect(rule.delta0, scale.s, rule.alpha, rule.max_pairs);
    let costs = Costs { validation_pairs: expected_pairs(scale.is_exact()), ..costs(settings, calibrated) };
    Some(Forecast::new(&costs, runs_needed(rule, scale, smallest), horizon))
}

fn race_rule(settings: &Settings, bias: SlotBias) -> RaceRule {
    let decision = &settings.decision;
    let min_effect = settings.primary.scale.setting(settings.primary.min_effect);
    RaceRule {
        alpha: stats::alpha(decision.false_keep_share, 0, LARGEST_EPOCH),
        min_effect,
        delta0: stats::delta0(min_effect, Some(bias)),
        max_pairs: decision.max_pairs,
        patience: decision.patience.z(),
        strict: decision.strict,
    }
}

fn costs(settings: &Settings, calibrated: &Calibrated) -> Costs {
    // Journals of before say only what the slowest check took.
    let slowest = || calibrated.limits.get("check").copied().unwrap_or(0.0);
    let checks_s = calibrated.checks_s.unwrap_or_else(slowest);
    let Calibrated { build_s, run_s, .. } = *calibrated;
    let held_out_s = held_out_s(settings, calibrated);
    let verifies = settings.build.as_ref().is_some_and(|build| verifies(build, build_s));
    Costs {
        build_s,
        checks_s,
        checks_first: settings.checks.order == CheckOrder::ChecksFirst,
        verify_s: held_out_s
            + if verifies { build_s + checks_s + 2.0 * f64::from(VERIFYING_PAIRS) * run_s } else { 0.0 },
        warmup: settings.bench.warmup,
        run_s,
        validation_pairs: expected_pairs(false),
    }
}

/// Returns what the holdout of a keep takes that does it no harm, in seconds.
fn held_out_s(settings: &Settings, calibrated: &Calibrated) -> f64 {
    let Some(holdout) = &calibrated.holdout else { return 0.0 };
    let roles = Roles::of_holdout(settings, holdout.metrics.iter().map(|m| (&m.metric, m.role.as_str())));
    let family = roles.largest_family(settings);
    let pairs_of = |metric: &MetricCalibration| {
        let sentinel = roles.sentinel(&metric.metric)?;
        let tolerance = sentinel.tolerance.or(sentinel.tolerance_abs)?;
        let (_, scale) = roles.lens(settings, &metric.metric);
        Some(stats::pairs_to_pass(metric.s, scale.setting(tolerance), family))
    };
    let fewest = stats::pairs_to_pass(0.0, 0.0, 1);
    let pairs = holdout.metrics.iter().filter_map(pairs_of).max().unwrap_or(fewest);
    2.0 * f64::from(settings.bench.warmup + pairs) * holdout.run_s
}

/// Says whether a keep is rebuilt at once from an empty cache.
fn verifies(build: &Build, build_s: f64) -> bool {
    let wanted = match build.verify_clean {
        VerifyClean::Always => true,
        VerifyClean::Auto => build_s < CHEAP_BUILD,
        VerifyClean::Never => false,
    };
    wanted && !build.keep.is_empty()
}

impl Session<'_, '_> {
    /// Forecasts the rest of the session from now on; `None` before any calibration.
    pub fn forecast(&self) -> Option<Forecast> {
        self.forecast_by(self.recorder.state().calibrated()?)
    }

    fn forecast_by(&self, calibrated: &Calibrated) -> Option<Forecast> {
        forecast(self.settings, calibrated, self.horizon())
    }

    fn horizon(&self) -> Horizon {
        let state = self.recorder.state();
        // The time that a rehearsal took is not that of the session that follows.
        let begun = (self.purpose == Purpose::Session).then_some(state);
        horizon(self.settings, begun, supply(self.settings, self.user, state))
    }

    /// Returns the pairs that a calibration goes on to, by the forecast that its first pairs allow.
    ///
    /// Where every metric is exact so far, more pairs would say the same.
    pub(super) fn affordable_pairs(&self, first: &Calibrated) -> u32 {
        if first.metrics.iter().all(|metric| metric.s <= 0.0) {
            return first.pairs;
        }
        let session_s = match self.forecast_by(first) {
            Some(forecast) => forecast.seconds(),
            None => self.horizon().seconds,
        };
        stats::calibration_pairs(2.0 * first.run_s, session_s).max(first.pairs)
    }

    /// Returns the size `A` of an alpha epoch that begins with this calibration: the candidates forecast where there is
    /// a stop time, within 20 to 100; `None` where that of the settings stands (statistics section 3).
    pub(super) fn forecast_epoch(&self, calibrated: &Calibrated) -> Option<u32> {
        if self.purpose == Purpose::Comparison {
            return None;
        }
        let forecast = self.forecast_by(calibrated).filter(|forecast| forecast.in_time.is_some())?;
        Some(stats::epoch_size(forecast.candidates(), None, None))
    }
}
