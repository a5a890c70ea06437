//! What the fold makes of made-up sessions.

use jiff::Timestamp;
use serde_json::json;

use super::experiment::TEXT_MAX;
use super::*;
use crate::domain::{
    Asi, Axis, Decided, Direction, Event, ExperimentId, Flag, Goal, IdeaEdited, MetricName, Note, ObjectId, PatchId,
    ProposalSource, Proposed, Reason, Recovered, Resumed, RunSummary, Scale, SessionId, Status, StopRule, Stopped,
    Undone, Validated,
};

fn object(number: u32) -> ObjectId {
    ObjectId::new(format!("{number:040x}")).unwrap()
}

fn patch(number: u32) -> PatchId {
    PatchId(object(0xf000 + number))
}

/// A session told minute by minute.
struct Story {
    state: SessionState,
    minute: i64,
}

impl Story {
    fn new() -> Self {
        Self { state: SessionState::new(SessionId(uuid::Uuid::nil())), minute: 0 }
    }

    fn started(epoch: u32) -> Self {
        let mut story = Self::new();
        story.configure(epoch, 0);
        story
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_second(1_767_225_600 + 60 * self.minute).unwrap()
    }

    fn tell(&mut self, experiment: u32, event: &Event) -> &mut Self {
        self.minute += 1;
        self.state.apply(Some(ExperimentId(experiment)), self.at(), event);
        self
    }

    /// The settings come from a journal of format 1, because nothing below makes them up.
    fn configure(&mut self, epoch: u32, segment: u32) -> &mut Self {
        let line = include_str!("../../tests/golden/journal-format-1.jsonl").lines().nth(1).unwrap();
        let mut configured: crate::domain::Configured = serde_json::from_str(line).unwrap();
        (configured.base, configured.epoch, configured.segment) = (object(1), epoch, segment);
        self.minute += 1;
        self.state.apply(None, self.at(), &Event::Configured(Box::new(configured)));
        self
    }

    fn calibrate(&mut self, epoch: Option<u32>) -> &mut Self {
        let line = include_str!("../../tests/golden/journal-format-1.jsonl").lines().nth(2).unwrap();
        let mut calibrated: crate::domain::Calibrated = serde_json::from_str(line).unwrap();
        calibrated.epoch = epoch;
        self.minute += 1;
        self.state.apply(None, self.at(), &Event::Calibrated(Box::new(calibrated)));
        self
    }

    fn propose(&mut self, id: u32) -> &mut Self {
        let tip = self.state.tip().unwrap().clone();
        let proposed = Proposed {
            author: None,
            base_commit: None,
            commit: true,
            resumes: None,
            drop_sealed: false,
            call: None,
            given_by: None,
            unreadable: None,
            description: format!("change {id}"),
            hypothesis: String::new(),
            idea: Some("batching".to_owned()),
            axes: vec![Axis { name: "batch".to_owned(), value: id.to_string() }],
            goal: Goal::Improve,
            asi: Asi::new(),
            source: ProposalSource::Queue(format!("{id}.patch")),
            patch_hash: format!("{id:032x}").repeat(2),
            tip,
        };
        self.tell(id, &Event::Proposed(Box::new(proposed)))
    }

    fn decide(&mut self, id: u32, reason: Reason, detail: &str, moves_branch: bool) -> &mut Self {
        let decided = Decided {
            status: reason.status(),
            reason,
            detail: detail.to_owned(),
            flags: Vec::new(),
            comparison: None,
            holdout: Vec::new(),
            commit: None,
            tip: self.state.tip().unwrap().clone(),
            moves_branch,
        };
        self.tell(id, &Event::Decided(Box::new(decided)))
    }

    fn run(&mut self, id: u32, reason: Reason) -> &mut Self {
        let mut run = summary(id, reason);
        if reason.status() != Status::Keep {
            run.commit = self.state.tip().unwrap().clone();
        }
        self.tell(id, &Event::Run(Box::new(run)))
    }

    fn settle(&mut self, id: u32, reason: Reason) -> &mut Self {
        self.propose(id).decide(id, reason, "40-lint", true).run(id, reason)
    }
}

fn summary(id: u32, reason: Reason) -> RunSummary {
    let screened = matches!(reason, Reason::SealedPath | Reason::Duplicate);
    let numbers = matches!(reason.status(), Status::Keep | Status::Discard) && !screened;
    RunSummary {
        run: id,
        commit: object(100 + id),
        metric: numbers.then_some(90.0),
        metrics: [].into(),
        status: reason.status(),
        description: format!("change {id}"),
        timestamp: 1_767_225_600_000,
        segment: 0,
        confidence: None,
        asi: Asi::new(),
        reason,
        flags: Vec::new(),
        effect: None,
        effect_of: 0,
        patch_id: Some(patch(id)),
        iteration: !screened,
        measured: numbers,
    }
}

fn validated(number: u32, without: Option<u32>, rebuilt: &[u32]) -> Event {
    Event::Validated(Box::new(Validated {
        number,
        without: without.map(ExperimentId),
        base: object(1),
        tip: object(101),
        metric: MetricName::new("total_ms").unwrap(),
        direction: Direction::Lower,
        scale: Scale::Ratio,
        pairs: 20,
        gain: 0.1,
        low: 0.05,
        high: 0.15,
        claimed: None,
        rebuilt: rebuilt.iter().copied().map(ExperimentId).collect(),
        values: vec![(2.0, 1.0); 20],
        seconds: 1.0,
        remark: String::new(),
    }))
}

#[test]
fn the_last_validation_of_the_gain_is_kept_without_its_readings_and_a_retest_takes_only_a_number() {
    let mut story = Story::started(100);
    story.settle(1, Reason::Improved);
    assert_eq!((story.state.validated(), story.state.validations()), (None, 0));
    story.tell(0, &validated(1, None, &[])).tell(0, &validated(2, Some(1), &[]));
    let last = story.state.validated().unwrap();
    assert_eq!((last.number, last.values.len(), story.state.validations()), (1, 0, 2));
    assert!(story.state.validated_hours() > 0.0);
}

#[test]
fn a_rebuild_is_due_until_a_validation_says_that_it_was_made() {
    let mut story = Story::started(100);
    for id in [1, 2] {
        story.propose(id).decide(id, Reason::Improved, "", true);
        let run = RunSummary { flags: vec![Flag::RebuildDue], ..summary(id, Reason::Improved) };
        story.tell(id, &Event::Run(Box::new(run)));
    }
    let due = |story: &Story| story.state.rebuilds_due().map(|record| record.id.0).collect::<Vec<_>>();
    assert_eq!(due(&story), [1, 2]);
    story.tell(0, &validated(1, None, &[1]));
    assert_eq!(due(&story), [2]);
    let undone = Undone { commit: object(9), why: String::new(), tip: Some(object(102)) };
    story.tell(2, &Event::Undone(undone));
    assert_eq!(due(&story), [] as [u32; 0]);
    let revert = story.state.reverted().unwrap();
    assert_eq!((revert.experiment, &revert.from, &revert.to), (ExperimentId(2), &object(102), &object(9)));
    story.settle(3, Reason::Improved);
    assert_eq!(story.state.reverted(), None, "it is history once the tip moved on");
}

#[test]
fn a_resumed_keep_counts_as_a_keep_of_the_epoch_and_spends_no_index() {
    let mut story = Story::started(100);
    story.settle(1, Reason::Inconclusive);
    let before = story.state.epoch();
    let tip = story.state.tip().unwrap().clone();
    story.propose(2);
    let mut proposed = (*story.state.unfinished().unwrap().proposed).clone();
    (proposed.resumes, proposed.tip) = (Some(ExperimentId(1)), tip);
    story.tell(2, &Event::Proposed(Box::new(proposed))).decide(2, Reason::Improved, "", true);
    let run = RunSummary { measured: false, ..summary(2, Reason::Improved) };
    story.tell(2, &Event::Run(Box::new(run)));
    assert_eq!(story.state.epoch(), Epoch { keeps: before.keeps + 1, ..before });
    assert_eq!(story.state.experiment(ExperimentId(2)).unwrap().resumes, Some(ExperimentId(1)));
}

#[test]
fn the_tip_is_the_base_then_each_keep_then_its_revert() {
    let mut story = Story::started(100);
    assert_eq!(story.state.tip(), Some(&object(1)));
    story.settle(1, Reason::NoEffect);
    assert_eq!(story.state.tip(), Some(&object(1)));
    story.settle(2, Reason::Improved);
    assert_eq!(story.state.tip(), Some(&object(102)));
    story.tell(2, &Event::Undone(Undone { commit: object(9), why: String::new(), tip: None }));
    assert_eq!(story.state.tip(), Some(&object(9)));
    let record = story.state.experiment(ExperimentId(2)).unwrap();
    assert!(record.flags.contains(Flag::Undone) && !record.stands());
    assert_eq!(record.flags.iter().collect::<Vec<_>>(), [Flag::Undone]);
    assert_eq!(story.state.keeps().count(), 0);
}

#[test]
fn a_keep_without_commit_leaves_the_tip() {
    let mut story = Story::started(100);
    story.propose(1).decide(1, Reason::Improved, "", false).run(1, Reason::Improved);
    assert_eq!(story.state.tip(), Some(&object(1)));
    assert_eq!(story.state.keeps().count(), 1);
}

#[test]
fn an_unfinished_experiment_is_kept_whole_until_its_run_line() {
    let mut story = Story::started(100);
    story.settle(1, Reason::NoEffect).propose(2);
    assert_eq!(story.state.unfinished().unwrap().id, ExperimentId(2));
    assert!(story.state.unfinished().unwrap().decided.is_none());
    story.decide(2, Reason::Improved, "", true);
    let unfinished = story.state.unfinished().unwrap();
    assert_eq!(unfinished.decided.as_ref().unwrap().reason, Reason::Improved);
    assert_eq!(unfinished.tip(), &object(1));
    story.run(2, Reason::Improved);
    assert!(story.state.unfinished().is_none());
    assert_eq!(story.state.next_id(), ExperimentId(3));
}

#[test]
fn a_record_gives_back_what_it_packed() {
    let mut story = Story::started(100);
    story.settle(1, Reason::Improved);
    let record = &story.state.experiments()[0];
    assert_eq!((record.commit(), record.tip(), record.patch_id()), (object(101), object(1), Some(patch(1))));
    assert_eq!(record.idea.as_deref(), Some("batching"));
    assert_eq!(record.axes[0].value, "1");
}

#[test]
fn an_experiment_takes_at_most_four_hundred_bytes() {
    let record =
        ExperimentRecord::settle(&RunSummary { description: "ä".repeat(500), ..summary(1, Reason::NoEffect) }, None);
    assert!(record.description.len() <= TEXT_MAX);
    let heap = 16 + TEXT_MAX + 16 + 32;
    assert!(size_of::<ExperimentRecord>() + heap <= 400, "{} bytes", size_of::<ExperimentRecord>() + heap);
}

#[test]
fn the_baseline_is_a_record_and_no_candidate() {
    let mut story = Story::started(100);
    let baseline = RunSummary {
        commit: object(1),
        description: "baseline".to_owned(),
        iteration: false,
        measured: false,
        ..summary(0, Reason::Improved)
    };
    story.tell(0, &Event::Run(Box::new(baseline)));
    assert_eq!(story.state.experiments().len(), 1);
    assert_eq!(story.state.keeps().count() + story.state.iterations() as usize, 0);
    assert_eq!(story.state.next_id(), ExperimentId(1));
}

#[test]
fn refusals_at_the_screen_spend_neither_iterations_nor_alpha() {
    let mut story = Story::started(100);
    story.settle(1, Reason::SealedPath).settle(2, Reason::CheckFailed).settle(3, Reason::NoEffect);
    assert_eq!(story.state.iterations(), 2);
    assert_eq!(story.state.epoch(), Epoch { size: 100, measured: 1, keeps: 0 });
}

#[test]
fn an_epoch_goes_on_over_segments_and_the_next_takes_the_size_of_its_settings() {
    let mut story = Story::started(20);
    for id in 1..=19 {
        story.settle(id, if id == 5 { Reason::Improved } else { Reason::NoEffect });
    }
    story.configure(30, 1);
    assert_eq!(story.state.epoch(), Epoch { size: 20, measured: 19, keeps: 1 });
    story.settle(20, Reason::NoEffect);
    assert_eq!(story.state.epoch(), Epoch { size: 30, measured: 0, keeps: 0 });
}

#[test]
fn the_forecast_sizes_an_epoch_before_its_first_candidate_and_never_after() {
    let mut story = Story::started(100);
    let size = |story: &Story| story.state.epoch().size;
    assert_eq!(size(story.calibrate(Some(40))), 40);
    assert_eq!(size(story.calibrate(Some(30))), 30);
    // A restart reads the same lines: segments, calibrations and proposals leave the size alone from here on.
    story.propose(1).calibrate(Some(50));
    assert_eq!(size(&story), 30);
    story.configure(100, 1);
    story.tell(0, &Event::Resumed(Resumed { tip: object(1), calibration_reused: false }));
    story.calibrate(Some(60)).run(1, Reason::NoEffect);
    assert_eq!(story.state.epoch(), Epoch { size: 30, measured: 1, keeps: 0 });
    for id in 2..=30 {
        story.settle(id, Reason::NoEffect);
    }
    assert_eq!(story.state.epoch(), Epoch { size: 60, measured: 0, keeps: 0 });
    assert!(!story.state.epoch_began());
}

#[test]
fn a_calibration_without_a_forecast_leaves_the_size_of_the_settings() {
    let mut story = Story::started(70);
    story.calibrate(Some(40)).calibrate(None);
    assert_eq!(story.state.epoch().size, 70);
    assert_eq!(story.state.calibrated_at(), Some(story.at()));
}

#[test]
fn the_plateau_counts_iterations_since_the_last_keep_that_stands() {
    let mut story = Story::started(100);
    story.settle(1, Reason::Improved).settle(2, Reason::NoEffect).settle(3, Reason::SealedPath);
    story.settle(4, Reason::BuildFailed);
    assert_eq!(story.state.plateau(), 2);
    story.tell(1, &Event::Undone(Undone { commit: object(9), why: String::new(), tip: None }));
    assert_eq!(story.state.plateau(), 3);
    story.configure(100, 1);
    assert_eq!(story.state.plateau(), 0);
}

#[test]
fn the_same_check_is_counted_in_a_row_and_by_name() {
    let mut story = Story::started(100);
    story.settle(1, Reason::CheckFailed).settle(2, Reason::SealedPath).settle(3, Reason::CheckTimeout);
    assert_eq!(story.state.same_check(), Some(&SameCheck { name: "40-lint".to_owned(), count: 2 }));
    let mut other = summary(4, Reason::CheckFailed);
    other.asi.insert("auto".to_owned(), json!({"failed": {"phase": "check", "what": "10-tests"}}));
    story.propose(4).tell(4, &Event::Run(Box::new(other)));
    assert_eq!(story.state.same_check(), Some(&SameCheck { name: "10-tests".to_owned(), count: 1 }));
    story.settle(5, Reason::NoEffect);
    assert_eq!(story.state.same_check(), None);
}

#[test]
fn hours_add_up_over_starts_and_leave_out_the_time_between() {
    let mut story = Story::started(100);
    story.minute = 60;
    story.tell(1, &Event::Note(Note { text: String::new() }));
    let stopped = Stopped { rule: StopRule::Requested, detail: String::new() };
    story.minute = 120;
    story.tell(0, &Event::Stopped(stopped.clone()));
    assert_eq!(story.state.stopped(), Some(&stopped));
    story.minute = 1000;
    story.tell(0, &Event::Resumed(Resumed { tip: object(1), calibration_reused: true }));
    assert_eq!(story.state.stopped(), None);
    assert!((story.state.hours(None) - 2.0).abs() < 1e-9);
    story.minute = 1031;
    assert!((story.state.hours(Some(story.at())) - 2.5).abs() < 1e-9);
}

#[test]
fn a_killed_start_ends_at_its_last_event_of_any_type() {
    let mut story = Story::started(100);
    story.minute += 30;
    story.state.pass_over(story.at());
    story.minute += 600;
    story.configure(100, 1);
    assert!((story.state.hours(None) - 0.5).abs() < 1e-9);
}

#[test]
fn what_a_start_recovers_does_not_count_the_time_since_the_kill() {
    let mut story = Story::started(100);
    story.minute += 30;
    story.state.pass_over(story.at());
    story.minute += 600;
    let recovered = Recovered { found: "a torn line".to_owned(), action: "cut it".to_owned() };
    story.tell(0, &Event::Recovered(recovered));
    story.tell(0, &Event::Resumed(Resumed { tip: object(1), calibration_reused: true }));
    assert!((story.state.hours(None) - 0.5).abs() < 1e-9, "{}", story.state.hours(None));
}

#[test]
fn a_clock_that_goes_back_takes_no_time_away() {
    let mut story = Story::started(100);
    story.minute = 61;
    story.state.pass_over(story.at());
    story.minute = 2;
    story.state.pass_over(story.at());
    assert!((story.state.hours(None) - 1.0).abs() < 1e-9);
}

#[test]
fn a_duplicate_is_the_same_patch_tried_on_the_same_tip() {
    let mut story = Story::started(100);
    story.settle(1, Reason::NoEffect).settle(2, Reason::SealedPath);
    assert_eq!(story.state.duplicate(&patch(1), &object(1)).unwrap().id, ExperimentId(1));
    assert!(story.state.duplicate(&patch(2), &object(1)).is_none(), "what was refused was not tried");
    story.settle(3, Reason::Improved);
    assert!(story.state.duplicate(&patch(1), &object(103)).is_none(), "another tip is another experiment");
    assert_eq!(story.state.settled_patch(&format!("{:032x}", 2)).unwrap().reason, Reason::SealedPath);
    assert!(story.state.settled_patch(&format!("{:032x}", 7)).is_none());
}

#[test]
fn an_edit_of_ideas_waits_until_it_is_written() {
    let mut story = Story::started(100);
    let mut edit =
        IdeaEdited { idea: "batching".to_owned(), edit: "closed".to_owned(), axes: Vec::new(), written: false };
    story.tell(1, &Event::IdeaEdited(edit.clone())).tell(1, &Event::IdeaEdited(edit.clone()));
    assert_eq!(story.state.waiting_edits(), [edit.clone()]);
    edit.written = true;
    story.tell(1, &Event::IdeaEdited(edit));
    assert_eq!(story.state.waiting_edits(), []);
}

#[test]
fn what_the_fold_does_not_want_changes_nothing_but_the_time() {
    for kind in ["phase", "pair", "note", "sandbox", "type_of_a_later_version"] {
        assert!(!wants(kind), "{kind}");
    }
    let wanted = ["config", "calibrated", "proposed", "screened", "decided", "run", "undone", "validated", "resumed"];
    for kind in wanted.into_iter().chain(["recovered", "stopped"]) {
        assert!(wants(kind), "{kind}");
    }
}
