//! The pairs of the last calibration, read back from the journal.

use std::path::Path;

use crate::domain::{Event, ExperimentId, Pair};
use crate::journal::{JournalError, Reader};

fn of_the_bench(event: &Event) -> bool {
    !matches!(event, Event::Pair(attempt) if attempt.holdout)
}

/// Reads the complete pairs behind the last `calibrated` line, in order; one pass. Pairs of a calibration that was cut
/// off are passed over: the next one counts from 1 again.
pub fn identical_pairs(journal: &Path) -> Result<Vec<Pair>, JournalError> {
    let (mut open, mut last) = (Vec::new(), Vec::new());
    for record in Reader::open(journal)?.records() {
        let record = record?;
        match (record.kind(), record.experiment) {
            ("pair", Some(ExperimentId::BASELINE)) => {
                if let Some(Event::Pair(attempt)) = record.event()?.filter(of_the_bench) {
                    if attempt.pair == 1 {
                        open.clear();
                    }
                    open.extend(attempt.complete());
                }
            }
            ("calibrated", _) => last = std::mem::take(&mut open),
            _ => {}
        }
    }
    Ok(last)
}
