//! What a night can do, as `calibrate`, `doctor`, `run` and `run --dry-run` print it.

use super::duration;
use crate::report::forecast::ForecastView;
use crate::stats::Supply;

/// Writes what a candidate takes, how many there will be, and what they can show; one line each.
pub fn forecast(view: &ForecastView) -> String {
    let (win, smallest) = view.sizes();
    let mut text = format!(
        "a candidate takes about {} without an effect, {} when it wins by {win}, {} when the pairs run out\n{}\n",
        duration(view.no_op_s),
        duration(view.win_s),
        duration(view.inconclusive_s),
        count(view)
    );
    if let Some(smallest) = smallest {
        text.push_str("the smallest effect that they can show is ");
        text.push_str(smallest);
        text.push('\n');
    }
    text
}

fn count(view: &ForecastView) -> String {
    let waiting = view.waiting.map(|n| if n == 1 { "1 waits".to_owned() } else { format!("{n} wait") });
    let allowed = view.iterations_left.map(|n| format!("'stop.maxIterations' leaves {n}"));
    let fit = view.in_time.zip(view.seconds_left).map(|(fit, seconds)| {
        let (left, kept) = (duration(seconds), duration(view.validation_s));
        format!("{fit} fit before the stop in {left} ({kept} of it are kept for the final validation)")
    });
    let limits: Vec<String> = [waiting, allowed, fit].into_iter().flatten().collect();
    match view.candidates {
        Some(count) => format!("about {count} candidates: {}", limits.join(", and ")),
        None => uncounted(view.supply).to_owned(),
    }
}

/// Says what ends a session that has neither a stop time nor a number of candidates.
fn uncounted(supply: Supply) -> &'static str {
    match supply {
        Supply::Finite => "the sources come to an end by themselves; after how many candidates, a climb finds out",
        Supply::Nothing => "no candidate waits",
        Supply::Listed(_) | Supply::Endless => {
            "neither a list nor a stop time ends the session ('stop.maxHours', 'stop.until')"
        }
    }
}
