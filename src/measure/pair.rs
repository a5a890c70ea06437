//! One pair: both arms in the order of the coin, and whose fault a failure is.

use crate::domain::{Arm, CandidateRun, Exit, Order, Outcome, Pair, Reading, Reason, VoidPair};

use super::run::RunFailure;

/// Void attempts in a row that end the session.
pub const VOIDS_MAX: u32 = 3;

/// Runs the bench once in one arm.
///
/// The error type is for what is no arm's fault and ends the experiment: an abort, a disk that is full.
pub trait Bench {
    /// What ends the experiment at once.
    type Error;

    /// Runs the bench in the arm's slot and reads it.
    fn run(&mut self, arm: Arm) -> Result<Result<Reading, BenchFailure>, Self::Error>;
}

/// Why one run of the bench is no measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchFailure {
    /// The reason that a candidate dropped for it has.
    pub reason: Reason,
    /// What happened, in one line.
    pub detail: String,
    /// How the command ended, where it ran.
    pub exit: Option<Exit>,
}

impl BenchFailure {
    /// Reads a failure off the end of the command; `None` when it exited with code 0.
    ///
    /// An abort is for [`Bench::Error`]: it says nothing about the arm.
    pub fn of_exit(exit: &Exit) -> Option<Self> {
        let reason = match exit.outcome {
            Outcome::Code(0) => return None,
            Outcome::Code(_) | Outcome::Signal(_) | Outcome::Aborted => Reason::BenchFailed,
            Outcome::TimedOut => Reason::BenchTimeout,
            Outcome::LimitBroken(_) => Reason::ResourceLimit,
        };
        Some(Self { reason, detail: format!("the bench ended by {}", exit.outcome), exit: Some(*exit) })
    }

    /// Makes a failure of a run that exited well and printed no measurement.
    pub fn of_run(failure: &RunFailure, exit: Exit) -> Self {
        Self { reason: failure.reason(), detail: failure.to_string(), exit: Some(exit) }
    }

    fn voids(self, arm: Arm) -> VoidPair {
        VoidPair { arm, why: self.detail, exit: self.exit }
    }
}

/// How one attempt at a pair ended.
#[derive(Debug, Clone, PartialEq)]
pub enum PairAttempt {
    /// Both arms ran.
    Complete(Pair),
    /// The baseline failed: nobody's measurement, nobody's fault.
    Void(VoidPair),
    /// The candidate failed, and the baseline did not when it was asked after it.
    CandidateFailed(BenchFailure),
    /// The machine was suspended meanwhile: void, whatever the runs said, and no sign of a broken baseline.
    Suspended(VoidPair),
}

impl PairAttempt {
    /// Makes an attempt void during which the machine was suspended, for so many seconds in an arm.
    ///
    /// The rule does not look at what the runs said, so it favours no arm.
    #[must_use]
    pub fn unless_suspended(self, suspended: Option<(Arm, f64)>) -> Self {
        let Some((arm, seconds)) = suspended else { return self };
        Self::Suspended(VoidPair { arm, why: format!("the machine was suspended for {seconds:.0} s"), exit: None })
    }

    /// Returns the attempt as the journal keeps it; host, estimate and evidence are for the caller to add.
    pub fn to_event(&self, number: u32, order: Order) -> CandidateRun {
        let (baseline, candidate, void) = match self {
            Self::Complete(pair) => (Some(pair.baseline.clone()), Some(pair.candidate.clone()), None),
            Self::Void(void) | Self::Suspended(void) => (None, None, Some(void.clone())),
            Self::CandidateFailed(failure) => (None, None, Some(failure.clone().voids(Arm::Candidate))),
        };
        CandidateRun {
            pair: number,
            order,
            baseline,
            candidate,
            void,
            load: None,
            host: None,
            swapped: false,
            holdout: false,
            estimate: None,
            ln_e: None,
        }
    }
}

/// Runs one pair. The first arm that fails ends the attempt.
///
/// A failed candidate run is followed by one run of the baseline: where that fails too, the pair is void and the
/// candidate is not blamed (DESIGN 1.3).
pub fn run_pair<B: Bench + ?Sized>(number: u32, order: Order, bench: &mut B) -> Result<PairAttempt, B::Error> {
    let [first, second] = order.arms();
    let one = match bench.run(first)? {
        Ok(reading) => reading,
        Err(failure) => return blame(first, failure, bench),
    };
    let other = match bench.run(second)? {
        Ok(reading) => reading,
        Err(failure) => return blame(second, failure, bench),
    };
    let (baseline, candidate) = match order {
        Order::BaselineFirst => (one, other),
        Order::CandidateFirst => (other, one),
    };
    Ok(PairAttempt::Complete(Pair { number, order, baseline, candidate }))
}

fn blame<B: Bench + ?Sized>(arm: Arm, failure: BenchFailure, bench: &mut B) -> Result<PairAttempt, B::Error> {
    Ok(match arm {
        Arm::Baseline => PairAttempt::Void(failure.voids(Arm::Baseline)),
        Arm::Candidate => match bench.run(Arm::Baseline)? {
            Ok(_) => PairAttempt::CandidateFailed(failure),
            Err(too) => {
                let detail = format!("{}; the baseline failed too: {}", failure.detail, too.detail);
                PairAttempt::Void(BenchFailure { detail, ..failure }.voids(Arm::Candidate))
            }
        },
    })
}

/// What to do after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextPair {
    /// Go on: the attempt counts, or the candidate is dropped for it.
    GoOn,
    /// Try the same pair again.
    TryAgain,
    /// End the session: the baseline is broken.
    BaselineBroken,
}

/// Counts void attempts in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VoidCount(u32);

impl VoidCount {
    /// Takes one attempt and says what to do after it; a complete or blamed one begins the count anew.
    pub fn record(&mut self, attempt: &PairAttempt) -> NextPair {
        match attempt {
            PairAttempt::Complete(_) | PairAttempt::CandidateFailed(_) => {
                self.0 = 0;
                NextPair::GoOn
            }
            PairAttempt::Void(_) => self.void(),
            PairAttempt::Suspended(_) => NextPair::TryAgain,
        }
    }

    /// Counts one void attempt of anything that both arms are asked for, such as a check.
    pub fn void(&mut self) -> NextPair {
        self.0 += 1;
        if self.0 >= VOIDS_MAX { NextPair::BaselineBroken } else { NextPair::TryAgain }
    }
}
