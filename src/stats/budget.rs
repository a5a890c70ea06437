//! The error budget of a session: how much evidence each candidate must bring (e-LOND in epochs).

/// The error budget of `compare`, which belongs to no session.
pub const COMPARE_ALPHA: f64 = 0.005;

/// Largest budget of one candidate, however many keeps an epoch has.
const LARGEST_ALPHA: f64 = 0.02;

/// Limits of an epoch's size.
const SMALLEST_EPOCH: u32 = 20;
const LARGEST_EPOCH: u32 = 100;

/// Returns the size `A` of an alpha epoch: the forecast of candidates measured, else the number `listed` when every
/// source is finite, else `stop.maxIterations`, else 100; always within 20 to 100 (statistics section 3).
pub fn epoch_size(forecast: Option<u32>, listed: Option<u32>, max_iterations: Option<u32>) -> u32 {
    forecast.or(listed).or(max_iterations).unwrap_or(LARGEST_EPOCH).clamp(SMALLEST_EPOCH, LARGEST_EPOCH)
}

/// Returns a candidate's error budget `min(.02, q (keeps + 1) / A)`.
///
/// `share` is `q`, the wanted share of false keeps; `keeps` counts those of the present epoch; `epoch` is `A`. Hence
/// `E[false keeps] <= q (E[keeps] + epochs)` (e-LOND; Xu and Ramdas 2024; statistics section 3).
pub fn alpha(share: f64, keeps: u32, epoch: u32) -> f64 {
    (share * (f64::from(keeps) + 1.0) / f64::from(epoch)).min(LARGEST_ALPHA)
}

/// The budget of one session, epoch after epoch. It goes on across restarts and segments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    share: f64,
    epoch: u32,
    measured: u32,
    keeps: u32,
}

impl Budget {
    /// Starts the first epoch; `epoch` is its size in measured candidates ([`epoch_size`]).
    pub fn new(share: f64, epoch: u32) -> Self {
        Self { share, epoch: epoch.max(1), measured: 0, keeps: 0 }
    }

    /// Returns the next candidate's error budget.
    pub fn alpha(&self) -> f64 {
        alpha(self.share, self.keeps, self.epoch)
    }

    /// Returns how many candidates the present epoch can still take.
    pub fn left(&self) -> u32 {
        self.epoch - self.measured
    }

    /// Spends one index on a candidate that was measured; one that never got there spends none.
    pub fn spend(&mut self, kept: bool) {
        self.measured += 1;
        self.keeps += u32::from(kept);
        if self.measured == self.epoch {
            self.measured = 0;
            self.keeps = 0;
        }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use super::*;

    #[test]
    fn the_epoch_takes_the_best_known_count_within_its_limits() {
        assert_eq!(epoch_size(None, None, None), 100);
        assert_eq!(epoch_size(None, None, Some(50)), 50);
        assert_eq!(epoch_size(None, Some(30), Some(50)), 30);
        assert_eq!(epoch_size(Some(70), Some(30), Some(50)), 70);
        assert_eq!(epoch_size(None, Some(3), None), 20);
        assert_eq!(epoch_size(None, Some(300), None), 100);
    }

    #[test]
    fn each_keep_earns_budget_up_to_a_limit() {
        assert_eq!(alpha(0.1, 0, 100), 0.001);
        assert_eq!(alpha(0.1, 4, 100), 0.005);
        assert_eq!(alpha(0.1, 3, 20), 0.02);
        assert_eq!(alpha(0.1, 9, 20), 0.02);
    }

    #[test]
    fn a_new_epoch_starts_over() {
        let mut budget = Budget::new(0.1, 20);
        budget.spend(true);
        assert_eq!((budget.alpha(), budget.left()), (0.01, 19));
        (0..19).for_each(|_| budget.spend(false));
        assert_eq!((budget.alpha(), budget.left()), (0.005, 20));
    }
}
