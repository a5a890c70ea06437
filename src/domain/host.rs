//! What the machine was like around one pair, as the journal keeps it.

use serde::{Deserialize, Serialize};

use super::Arm;

/// CPUs that others must have used more of during one arm than during the other for the pair to be called disturbed.
const DISTURBED_CPUS: f64 = 0.5;

/// How many times as much others must have used during the disturbed arm.
const DISTURBED_RATIO: f64 = 2.0;

/// What the machine was like around one pair; `None` is what the system does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostReading {
    /// One-minute load average before the pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<f64>,
    /// CPU pressure before the pair: share of the last ten seconds in which some task waited for a CPU, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressure: Option<f64>,
    /// Share of the pair's CPU time that the hypervisor took, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steal: Option<f64>,
    /// CPUs' worth of time that others used during the baseline's run and during the candidate's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others: Option<(f64, f64)>,
    /// Mean frequency of the CPUs after the pair, in MHz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mhz: Option<f64>,
    /// The hottest thermal zone after the pair, in degrees Celsius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub celsius: Option<f64>,
    /// How often heat slowed a CPU down during the pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled: Option<u64>,
    /// Whether the machine ran on battery after the pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub battery: Option<bool>,
    /// Seconds that the machine was suspended during the pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asleep: Option<f64>,
}

impl HostReading {
    /// Returns the arm during which others used at least half a CPU more, and at least twice as much, as during the
    /// other. Such a pair counts all the same: the decision rule is built to bear it, and dropping it would be a
    /// choice among values.
    pub fn disturbed(&self) -> Option<Arm> {
        let (baseline, candidate) = self.others?;
        let worse = |one: f64, other: f64| one - other >= DISTURBED_CPUS && one >= DISTURBED_RATIO * other;
        match (worse(baseline, candidate), worse(candidate, baseline)) {
            (true, _) => Some(Arm::Baseline),
            (_, true) => Some(Arm::Candidate),
            (false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_disturbed_when_others_worked_much_more_during_one_arm() {
        let of = |baseline, candidate| HostReading { others: Some((baseline, candidate)), ..HostReading::default() };
        assert_eq!(of(0.1, 0.9).disturbed(), Some(Arm::Candidate));
        assert_eq!(of(1.6, 0.7).disturbed(), Some(Arm::Baseline));
        assert_eq!(of(0.1, 0.5).disturbed(), None, "less than half a CPU");
        assert_eq!(of(1.5, 2.1).disturbed(), None, "the same weather in both");
        assert_eq!(HostReading::default().disturbed(), None);
    }

    #[test]
    fn what_is_unknown_takes_no_room_in_the_journal() {
        assert_eq!(serde_json::to_string(&HostReading::default()).unwrap(), "{}");
        assert_eq!(serde_json::from_str::<HostReading>("{\"later\":1}").unwrap(), HostReading::default());
    }
}
