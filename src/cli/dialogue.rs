//! The dialogue of `review --interactive`: what a typed line means at which keep.
//!
//! Nothing here reads, prints or writes; whoever holds the dialogue does what [`Action`] says.

use crate::domain::{ExperimentId, Review, Reviewed};

/// A keep on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stop {
    /// The keep.
    pub(super) experiment: ExperimentId,
    /// What was answered on this walk; the last answer stands.
    pub(super) answer: Option<Review>,
}

/// A walk over keeps, one after another.
#[derive(Debug)]
pub(super) struct Dialogue {
    stops: Vec<Stop>,
    at: usize,
    wants_reason: bool,
}

/// What is to be done about a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Write a decision; the walk is at the next keep then.
    Decide(ExperimentId, Reviewed),
    /// Show the keep that the walk is at now.
    Present,
    /// Show the patch of a keep.
    Patch(ExperimentId),
    /// Show everything about a keep.
    Whole(ExperimentId),
    /// Say something, and ask again.
    Say(String),
    /// Ask again, or for what belongs to the answer.
    Ask,
    /// End the walk.
    End,
}

/// What can be answered.
const HELP: &str = "\
a  accept: it is to be merged
r  reject: it is not to be merged; asks why, or type the reason behind the r
l  later: it comes again in the next review
p  show its patch
s  show everything about it: hypothesis, patch, pairs, sentinels, checks
b  back to the keep before
q  end the review; what is undecided stays so
Each answer is written at once. The last answer about a keep stands.";

impl Dialogue {
    /// Begins a walk over these keeps, in this order.
    pub(super) fn new(keeps: impl IntoIterator<Item = ExperimentId>) -> Self {
        let stops = keeps.into_iter().map(|experiment| Stop { experiment, answer: None }).collect();
        Self { stops, at: 0, wants_reason: false }
    }

    /// Returns the keep that is asked about, and its place on the way, from 1; `None` at the end.
    pub(super) fn present(&self) -> Option<(usize, &Stop)> {
        self.stops.get(self.at).map(|stop| (self.at + 1, stop))
    }

    /// Returns all keeps of the way.
    pub(super) fn stops(&self) -> &[Stop] {
        &self.stops
    }

    /// Returns the question that the next line answers.
    pub(super) fn question(&self) -> String {
        let number = self.present().map(|(_, stop)| format!("#{} ", stop.experiment)).unwrap_or_default();
        if self.wants_reason {
            format!("{number}why is it not to be merged? ")
        } else {
            format!("{number}[a]ccept [r]eject [l]ater [p]atch [s]how [b]ack [q]uit [?] ")
        }
    }

    /// Takes a line in; `None` is the end of the input.
    pub(super) fn take(&mut self, line: Option<&str>) -> Action {
        let (Some(line), Some(stop)) = (line.map(str::trim), self.stops.get(self.at)) else { return Action::End };
        let experiment = stop.experiment;
        if self.wants_reason {
            return self.reason(experiment, line);
        }
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match (word.to_lowercase().as_str(), rest.trim()) {
            ("a" | "accept", "") => self.decide(Review::Accepted, ""),
            ("l" | "later", "") => self.decide(Review::Later, ""),
            ("r" | "reject", "") => {
                self.wants_reason = true;
                Action::Ask
            }
            ("r" | "reject", reason) => self.decide(Review::Rejected, reason),
            ("p" | "patch", "") => Action::Patch(experiment),
            ("s" | "show", "") => Action::Whole(experiment),
            ("b" | "back", "") => self.back(),
            ("q" | "quit", "") => Action::End,
            ("?" | "h" | "help", "") => Action::Say(HELP.to_owned()),
            ("", _) => Action::Ask,
            _ => Action::Say(format!("'{line}' is no answer; a, r, l, p, s, b or q, and ? explains them")),
        }
    }

    fn reason(&mut self, experiment: ExperimentId, line: &str) -> Action {
        match line {
            "" => Action::Say(format!("a rejection needs its reason; - leaves #{experiment} as it was")),
            "-" => {
                self.wants_reason = false;
                Action::Say(format!("#{experiment} stays as it was"))
            }
            reason => self.decide(Review::Rejected, reason),
        }
    }

    fn decide(&mut self, review: Review, because: &str) -> Action {
        let stop = &mut self.stops[self.at];
        stop.answer = Some(review);
        let decided = Action::Decide(stop.experiment, Reviewed { review, because: because.to_owned() });
        self.at += 1;
        self.wants_reason = false;
        decided
    }

    fn back(&mut self) -> Action {
        match self.at.checked_sub(1) {
            Some(before) => {
                self.at = before;
                Action::Present
            }
            None => Action::Say("this is the first".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialogue() -> Dialogue {
        Dialogue::new([4, 2, 9].map(ExperimentId))
    }

    fn decide(number: u32, review: Review, because: &str) -> Action {
        Action::Decide(ExperimentId(number), Reviewed { review, because: because.to_owned() })
    }

    /// Takes lines in and returns what became of each.
    fn taken(dialogue: &mut Dialogue, lines: &[&str]) -> Vec<Action> {
        lines.iter().map(|line| dialogue.take(Some(line))).collect()
    }

    #[test]
    fn each_answer_decides_a_keep_and_goes_on_to_the_next() {
        let mut walk = dialogue();
        assert_eq!(walk.question(), "#4 [a]ccept [r]eject [l]ater [p]atch [s]how [b]ack [q]uit [?] ");
        assert_eq!(
            taken(&mut walk, &["a\n", "LATER", "r breaks  the format \r\n"]),
            [
                decide(4, Review::Accepted, ""),
                decide(2, Review::Later, ""),
                decide(9, Review::Rejected, "breaks  the format"),
            ]
        );
        assert_eq!((walk.present().is_none(), walk.take(Some("a"))), (true, Action::End));
        let answers: Vec<_> = walk.stops().iter().map(|stop| stop.answer.unwrap()).collect();
        assert_eq!(answers, [Review::Accepted, Review::Later, Review::Rejected]);
    }

    #[test]
    fn a_rejection_asks_for_its_reason_until_there_is_one() {
        let mut walk = dialogue();
        let said = Action::Say("a rejection needs its reason; - leaves #4 as it was".to_owned());
        assert_eq!(taken(&mut walk, &["r", "", "  "]), [Action::Ask, said.clone(), said]);
        assert_eq!(walk.question(), "#4 why is it not to be merged? ");
        assert_eq!(walk.take(Some("a")), decide(4, Review::Rejected, "a"), "a word of the dialogue is a reason here");
        assert!(walk.question().starts_with("#2 [a]ccept"));
    }

    #[test]
    fn a_rejection_can_be_taken_back_before_its_reason() {
        let mut walk = dialogue();
        assert_eq!(taken(&mut walk, &["reject", "-"]), [Action::Ask, Action::Say("#4 stays as it was".to_owned())]);
        assert_eq!(
            (walk.take(Some("a")), walk.stops()[0].answer),
            (decide(4, Review::Accepted, ""), Some(Review::Accepted))
        );
    }

    #[test]
    fn one_can_go_back_and_answer_again() {
        let mut walk = dialogue();
        assert_eq!(walk.take(Some("b")), Action::Say("this is the first".to_owned()));
        assert_eq!(taken(&mut walk, &["a", "b"]), [decide(4, Review::Accepted, ""), Action::Present]);
        let (place, stop) = walk.present().unwrap();
        assert_eq!((place, stop.experiment, stop.answer), (1, ExperimentId(4), Some(Review::Accepted)));
        assert_eq!(walk.take(Some("l")), decide(4, Review::Later, ""));
        assert_eq!(walk.present().unwrap().0, 2);
    }

    #[test]
    fn looking_and_asking_for_help_decide_nothing() {
        let mut walk = dialogue();
        assert_eq!(
            taken(&mut walk, &["p", "show", "", "?", "x", "a 3"]),
            [
                Action::Patch(ExperimentId(4)),
                Action::Whole(ExperimentId(4)),
                Action::Ask,
                Action::Say(HELP.to_owned()),
                Action::Say("'x' is no answer; a, r, l, p, s, b or q, and ? explains them".to_owned()),
                Action::Say("'a 3' is no answer; a, r, l, p, s, b or q, and ? explains them".to_owned()),
            ]
        );
        assert!(walk.stops().iter().all(|stop| stop.answer.is_none()));
    }

    #[test]
    fn the_end_of_the_input_ends_the_walk_wherever_it_is() {
        assert_eq!(dialogue().take(None), Action::End);
        assert_eq!(dialogue().take(Some("q")), Action::End);
        let mut walk = dialogue();
        assert_eq!(taken(&mut walk, &["a", "r"]), [decide(4, Review::Accepted, ""), Action::Ask]);
        assert_eq!((walk.take(None), walk.stops()[1].answer), (Action::End, None), "no rejection without a reason");
    }

    #[test]
    fn without_keeps_there_is_nothing_to_ask() {
        let mut walk = Dialogue::new([]);
        assert_eq!((walk.present().is_none(), walk.take(Some("a"))), (true, Action::End));
    }
}
