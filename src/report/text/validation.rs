//! A validation in words, as `validate` and the end of `run` print it.

use crate::report::validation::ValidationView;

/// Writes what was gained, and what the figure does not say; `now` is the present tip.
pub fn validation(view: &ValidationView, now: &str) -> String {
    let ValidationView { metric, change, pairs, base, tip, .. } = view;
    let mut text = format!(
        "validated: {metric} {change} from {} to {}, {pairs} fresh pairs\n  {}\n",
        base.short(),
        tip.short(),
        view.remark
    );
    if !view.shown {
        text += "  the interval does not exclude that nothing was gained\n";
    }
    if view.falls_short {
        text += &shortfall(view);
    }
    if tip.as_str() != now {
        text += "  what was kept since is not in it; 'autoresearch validate' measures again\n";
    }
    text
}

fn shortfall(view: &ValidationView) -> String {
    let claimed = view.claimed.map_or_else(String::new, |claimed| {
        let unit = if view.change.unit.is_empty() { String::new() } else { format!(" {}", view.change.unit) };
        format!(" ({claimed:+.1}{unit})")
    });
    format!("  warning: less than the keeps claim together{claimed}, by more than two standard errors\n")
}
