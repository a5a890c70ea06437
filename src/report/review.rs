//! The morning's question: which keeps to merge. Effect against cost, and how much of the gain the first few give.

use serde::Serialize;

use crate::domain::{Change, ExperimentId, Flag, ObjectId, Review};

use super::cost::Cost;

/// Lines below which a change costs a reviewer the same.
const LEAST_LINES: u32 = 10;

/// Share of the gain that the curve is read at.
const MOST_OF_IT: f64 = 0.8;

/// What is known of one keep.
#[derive(Debug, Clone)]
pub struct ReviewInput {
    /// The experiment.
    pub experiment: ExperimentId,
    /// Its commit.
    pub commit: ObjectId,
    /// One line.
    pub description: String,
    /// The gain on the decision scale: what is left of it on the final code where that was measured, else as it was raced.
    pub gain: f64,
    /// The change of the metric for people, of the same measurement.
    pub change: Option<Change>,
    /// Whether `gain` was measured on the final code (leave-one-out).
    pub on_final_code: bool,
    /// What it costs.
    pub cost: Cost,
    /// Remarks.
    pub flags: Vec<Flag>,
    /// What was decided.
    pub review: Option<Review>,
}

/// The keeps in the order in which to look at them.
#[derive(Debug, Clone, Serialize)]
pub struct ReviewView {
    /// Each keep.
    pub rows: Vec<ReviewRow>,
    /// The fewest of the first rows that give most of the gain; `None` without a gain.
    pub most_of_it: Option<MostOfIt>,
}

/// One keep.
#[derive(Debug, Clone, Serialize)]
pub struct ReviewRow {
    /// The experiment.
    pub experiment: ExperimentId,
    /// Its commit.
    pub commit: ObjectId,
    /// One line.
    pub description: String,
    /// The change for people.
    pub change: Option<String>,
    /// Whether it was measured on the final code.
    pub on_final_code: bool,
    /// What it costs.
    pub cost: Cost,
    /// Remarks.
    pub flags: Vec<Flag>,
    /// What was decided; `None` = nothing yet.
    pub review: Option<Review>,
    /// Share of the gain that this and all rows above give together; 0 to 1.
    pub cumulative: f64,
}

/// How few keeps give how much.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MostOfIt {
    /// That many of the first rows.
    pub keeps: usize,
    /// Of so many.
    pub of: usize,
    /// Give this share of the gain.
    pub share: f64,
    /// In so many changed lines.
    pub lines: u32,
}

impl ReviewView {
    /// Orders keeps by gain per changed line, and sums up.
    pub fn new(mut inputs: Vec<ReviewInput>) -> Self {
        let worth = |input: &ReviewInput| input.gain.max(0.0) / f64::from(input.cost.lines.max(LEAST_LINES));
        inputs.sort_by(|a, b| worth(b).total_cmp(&worth(a)).then(a.experiment.cmp(&b.experiment)));
        let total: f64 = inputs.iter().map(|input| input.gain.max(0.0)).sum();
        let mut so_far = 0.0;
        let rows: Vec<ReviewRow> = inputs
            .into_iter()
            .map(|input| {
                so_far += input.gain.max(0.0);
                row(input, if total > 0.0 { so_far / total } else { 0.0 })
            })
            .collect();
        let most_of_it = (total > 0.0).then(|| most_of_it(&rows));
        Self { rows, most_of_it }
    }

    /// Says in one sentence how few keeps give most of the gain; `None` without a gain.
    pub fn sentence(&self) -> Option<String> {
        let MostOfIt { keeps, of, share, lines } = self.most_of_it?;
        let plural = if lines == 1 { "line" } else { "lines" };
        Some(format!("{keeps} of {of} give {:.0} % of the gain in {lines} {plural}", 100.0 * share))
    }
}

fn most_of_it(rows: &[ReviewRow]) -> MostOfIt {
    let keeps = rows.iter().position(|row| row.cumulative >= MOST_OF_IT).map_or(rows.len(), |at| at + 1);
    let lines = rows[..keeps].iter().map(|row| row.cost.lines).sum();
    MostOfIt { keeps, of: rows.len(), share: rows[keeps - 1].cumulative, lines }
}

fn row(input: ReviewInput, cumulative: f64) -> ReviewRow {
    ReviewRow {
        experiment: input.experiment,
        commit: input.commit,
        description: input.description,
        change: input.change.map(|change| change.to_string()),
        on_final_code: input.on_final_code,
        cost: input.cost,
        flags: input.flags,
        review: input.review,
        cumulative,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(number: u32, gain: f64, lines: u32) -> ReviewInput {
        ReviewInput {
            experiment: ExperimentId(number),
            commit: ObjectId::new(format!("{number:040x}")).unwrap(),
            description: String::new(),
            gain,
            change: None,
            on_final_code: false,
            cost: Cost { lines, ..Cost::default() },
            flags: Vec::new(),
            review: None,
        }
    }

    #[test]
    fn a_few_cheap_keeps_come_first_and_give_most_of_it() {
        let view = ReviewView::new(vec![keep(1, 0.02, 400), keep(2, 0.30, 40), keep(3, 0.10, 12), keep(4, -0.01, 1)]);
        let order: Vec<u32> = view.rows.iter().map(|row| row.experiment.0).collect();
        assert_eq!(order, [3, 2, 1, 4]);
        assert_eq!(view.sentence().unwrap(), "2 of 4 give 95 % of the gain in 52 lines");
    }

    #[test]
    fn without_a_gain_nothing_is_said() {
        assert_eq!(ReviewView::new(Vec::new()).sentence(), None);
        assert_eq!(ReviewView::new(vec![keep(1, 0.0, 3)]).sentence(), None);
    }
}
