//! What a pass over a journal gathers for somebody who watches: waits, troubles, the pace.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{Event, ExperimentId, RunSummary, Status, Waiting};
use crate::journal::Record;
use crate::report::{Latest, Trouble};

/// What was gathered so far.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Night {
    waiting: Option<Waiting>,
    trouble: Option<Trouble>,
    /// The experiment that this process proposed last, and when.
    proposed: Option<(ExperimentId, Timestamp)>,
    seconds: f64,
    iterations: u32,
}

impl Night {
    /// Takes in one event.
    pub(super) fn take(&mut self, record: &Record, event: &Event) {
        if ends_step(event) || matches!(event, Event::ProposalFailed(_)) {
            self.waiting = None;
        }
        match event {
            Event::Waiting(waiting) => self.waiting = Some((**waiting).clone()),
            Event::Proposed(_) => self.proposed = record.experiment.map(|id| (id, record.at)),
            Event::Run(run) => self.settle(record.at, run),
            // What a process left, another takes up: the time between is nobody's.
            Event::Resumed(_) | Event::Configured(_) => self.proposed = None,
            Event::ProposalFailed(failed) => self.trouble(record, format!("{}: {}", failed.source, failed.why)),
            Event::HookRan(hook) => {
                if let Some(failure) = &hook.failure {
                    self.trouble(record, format!("hook: {failure}"));
                }
            }
            _ => {}
        }
    }

    fn settle(&mut self, at: Timestamp, run: &RunSummary) {
        let id = ExperimentId(run.run);
        if let Some((_, since)) = self.proposed.take_if(|(proposed, _)| *proposed == id && run.iteration) {
            self.seconds += (at.as_millisecond() - since.as_millisecond()).max(0) as f64 / 1000.0;
            self.iterations += 1;
        }
        match run.status {
            Status::Crash | Status::ChecksFailed => {
                let why = run.asi.get("auto").and_then(|auto| auto.get("why")).and_then(serde_json::Value::as_str);
                let why = why.map_or_else(String::new, |why| format!(": {why}"));
                let what = format!("{} ({}){why}", run.status, run.reason);
                self.trouble = Some(Trouble { at, experiment: Some(id), what });
            }
            Status::Keep | Status::Discard => {}
        }
    }

    fn trouble(&mut self, record: &Record, what: String) {
        self.trouble = Some(Trouble { at: record.at, experiment: record.experiment, what });
    }

    /// Returns its part of what a view is made from.
    pub(super) fn latest(&self) -> Latest {
        let pace_s = (self.iterations > 0).then(|| self.seconds / f64::from(self.iterations));
        Latest { waiting: self.waiting.clone(), trouble: self.trouble.clone(), pace_s, ..Latest::default() }
    }
}

/// Says whether an event ends the step before it, so that its phases and pairs are over.
pub(super) fn ends_step(event: &Event) -> bool {
    matches!(
        event,
        Event::Proposed(_)
            | Event::Run(_)
            | Event::Validated(_)
            | Event::Finalized(_)
            | Event::Undone(_)
            | Event::Resumed(_)
            | Event::Stopped(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{HookMoment, HookRan, Obstacle, ProposalFailed, Reason};
    use crate::journal::{Reader, sample};

    /// Returns the records of a sample of two settled experiments.
    fn records() -> Vec<Record> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        sample::write(&mut std::fs::File::create(&path).unwrap(), 2).unwrap();
        Reader::open(&path).unwrap().records().map(Result::unwrap).collect()
    }

    fn event(records: &[Record], kind: &str) -> (Record, Event) {
        let record = records.iter().find(|record| record.kind() == kind).unwrap();
        (record.clone(), record.event().unwrap().unwrap())
    }

    #[test]
    fn the_pace_is_the_mean_time_of_what_was_proposed_and_settled_here() {
        let records = records();
        let mut night = Night::default();
        for record in &records {
            night.take(record, &record.event().unwrap().unwrap());
        }
        let at = |kind: &str| {
            let of_kind = records.iter().filter(|record| record.kind() == kind);
            of_kind.map(|record| record.at.as_millisecond()).sum::<i64>()
        };
        let expected = (at("run") - at("proposed")) as f64 / 2000.0;
        assert!((night.latest().pace_s.unwrap() - expected).abs() < 1e-9 && expected > 0.0);
    }

    #[test]
    fn a_wait_lasts_until_something_follows() {
        let records = records();
        let (proposed, settled) = (event(&records, "proposed"), event(&records, "run"));
        let wait = Event::Waiting(Box::new(Waiting {
            source: "claude".to_owned(),
            obstacle: Obstacle::UsageLimit,
            why: "limit reached".to_owned(),
            until: proposed.0.at,
            call: None,
        }));
        let hook = HookRan { moment: HookMoment::After, seconds: 0.1, failure: None, output: String::new() };
        let mut night = Night::default();
        night.take(&settled.0, &wait);
        night.take(&settled.0, &Event::HookRan(Box::new(hook)));
        assert_eq!(night.latest().waiting.unwrap().source, "claude");
        night.take(&proposed.0, &proposed.1);
        assert_eq!(night.latest().waiting, None);
    }

    #[test]
    fn the_last_trouble_is_a_crash_a_failed_check_a_failed_hook_or_a_failed_proposal() {
        let (record, settled) = event(&records(), "run");
        let Event::Run(mut run) = settled else { panic!("a settling line") };
        let mut night = Night::default();
        night.take(&record, &Event::Run(run.clone()));
        assert_eq!(night.latest().trouble, None, "a discard is none");
        (run.status, run.reason) = (Status::Crash, Reason::BuildFailed);
        run.asi.insert("auto".to_owned(), serde_json::json!({ "why": "'make' ended with exit code 2" }));
        night.take(&record, &Event::Run(run));
        let told = |night: &Night| night.latest().trouble.unwrap();
        assert_eq!(told(&night).what, "crash (build_failed): 'make' ended with exit code 2");
        assert_eq!(told(&night).experiment, Some(ExperimentId(1)));
        let hook = HookRan {
            moment: HookMoment::After,
            seconds: 30.0,
            failure: Some("after './tell' did not end within 30 s".to_owned()),
            output: String::new(),
        };
        night.take(&record, &Event::HookRan(Box::new(hook)));
        assert_eq!(told(&night).what, "hook: after './tell' did not end within 30 s");
        let failed = ProposalFailed {
            source: "codex".to_owned(),
            why: "an empty diff".to_owned(),
            handed_back: false,
            stopped: false,
            call: None,
        };
        night.take(&record, &Event::ProposalFailed(Box::new(failed)));
        assert_eq!(told(&night).what, "codex: an empty diff");
    }
}
