//! Where a session stands, as `status` prints it.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::log::{Room, cells, columns};
use super::{duration, evidence, labelled};
use crate::domain::{Obstacle, Phase};
use crate::report::grid::{Grid, Screen};
use crate::report::night::{TimeLeft, TroubleView, WaitView};
use crate::report::session::{BudgetView, CalibrationView, Counts, SessionView, Standing, UnderWay};
use crate::report::validation::ValidationView;

/// Keeps that are listed; `log` has all.
const KEEPS: usize = 10;

/// Writes where the session stands, and the last keeps.
pub fn status(view: &SessionView, screen: Screen) -> String {
    let mut text = String::new();
    text += &labelled("session", &format!("{} ({})", view.name, view.session));
    text += &labelled("state", &standing(&view.standing));
    text += &labelled("branch", &branch(view));
    text += &labelled("time", &time(view));
    text += &labelled("goal", &format!("{}, {} is better", view.primary.metric, view.primary.direction));
    for lens in &view.co_primaries {
        text += &labelled("or", &format!("{}, {} is better", lens.metric, lens.direction));
    }
    if let Some(calibration) = &view.calibration {
        text += &labelled("baseline", &baseline(calibration, view));
    }
    text += &labelled("tried", &counts(view.counts));
    text += &labelled("budget", &budget(view.budget));
    if let Some(validated) = &view.validated {
        text += &labelled("validated", &gain(validated, view));
        text += &labelled("", &validated.remark);
    }
    if let Some(outside) = &view.outside {
        text += &labelled("now", &outside.what);
        text += &labelled("", &steps(outside.phase, outside.step.as_ref(), outside.pairs).join(", "));
    }
    if let Some(under_way) = &view.under_way {
        let running = matches!(view.standing, Standing::Running { .. }) && view.outside.is_none();
        let label = if running { "now" } else { "unfinished" };
        text += &labelled(label, &format!("#{} {}", under_way.experiment, under_way.description));
        text += &labelled("", &progress(under_way));
    }
    if let Some(waiting) = &view.waiting {
        text += &labelled("waits", &waits(waiting));
    }
    text += &labelled("left", &left(&view.time_left));
    if let Some(trouble) = &view.last_error {
        text += &labelled("last error", &last_error(trouble));
    }
    if view.waiting_edits > 0 {
        text += &labelled("ideas.md", &format!("{} edits wait until the file is there", view.waiting_edits));
    }
    text + &keeps(view, screen)
}

fn standing(standing: &Standing) -> String {
    match standing {
        Standing::Running { pid: Some(pid) } => format!("running (pid {pid}); 'autoresearch stop' ends it"),
        Standing::Running { pid: None } => "running; 'autoresearch stop' ends it".to_owned(),
        Standing::Stopped { rule, detail } if detail.is_empty() => format!("stopped: {rule}"),
        Standing::Stopped { rule, detail } => format!("stopped: {rule} ({detail})"),
        Standing::CutOff => "not running, cut off in the middle; 'autoresearch run' goes on from there".to_owned(),
    }
}

fn branch(view: &SessionView) -> String {
    format!("{} at {}, from base {}", view.branch, view.tip.short(), view.base.short())
}

fn time(view: &SessionView) -> String {
    let minute = |at: Option<Timestamp>| at.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
    let worked = duration(view.hours * 3600.0);
    match (minute(view.started), minute(view.last_event)) {
        (Some(started), Some(last)) => format!("{worked} at work; started {started}, last event {last}"),
        _ => format!("{worked} at work"),
    }
}

fn baseline(calibration: &CalibrationView, view: &SessionView) -> String {
    let lens = &view.primary;
    let resolves = calibration.resolves.map(|r| format!(", {} can be resolved", lens.size(r))).unwrap_or_default();
    format!(
        "{} in {} a run; a pair's noise is {}{resolves}",
        lens.value(calibration.median),
        duration(calibration.run_s),
        lens.size(calibration.noise)
    )
}

fn counts(counts: Counts) -> String {
    let named = [
        (counts.kept, "kept"),
        (counts.judged_only, "judged only"),
        (counts.undone, "undone"),
        (counts.earlier_base, "kept on an earlier base"),
        (counts.discarded, "discarded"),
        (counts.checks_failed, "failed checks"),
        (counts.crashed, "crashed"),
    ];
    let parts: Vec<String> = named.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let all = format!("{} settled, {} of them reached the build", counts.settled, counts.iterations);
    if parts.is_empty() { all } else { format!("{all}: {}", parts.join(", ")) }
}

fn budget(budget: BudgetView) -> String {
    format!(
        "{} of {} measured candidates of this alpha epoch; the next has alpha {:.4}",
        budget.measured, budget.size, budget.alpha
    )
}

fn gain(validated: &ValidationView, view: &SessionView) -> String {
    let since = if validated.tip == view.tip { "" } else { "; what was kept since is not in it" };
    let shown = if validated.shown { "" } else { "; not shown to be a gain" };
    let short = if validated.falls_short { "; less than the keeps claim" } else { "" };
    let ValidationView { metric, change, pairs, base, tip, .. } = validated;
    let (base, tip) = (base.short(), tip.short());
    format!("{metric} {change} from {base} to {tip}, {pairs} fresh pairs{shown}{short}{since}")
}

fn progress(under_way: &UnderWay) -> String {
    // Pairs that confirm a win in swapped slots are no part of the race.
    let raced = under_way.pairs > 0 && under_way.phase != Some(Phase::Confirm);
    let mut parts = steps(under_way.phase, under_way.what.as_ref(), under_way.pairs);
    if let Some(last) = parts.last_mut().filter(|_| raced) {
        let _ = write!(last, " of at most {}", under_way.max_pairs);
    }
    parts.extend(under_way.change.as_ref().map(ToString::to_string));
    parts.extend(under_way.ln_e.map(|ln_e| evidence(ln_e, under_way.ln_e_needed)));
    if parts.is_empty() { "proposed".to_owned() } else { parts.join(", ") }
}

/// Names the phase and the pair that something is at.
fn steps(phase: Option<Phase>, what: Option<&String>, pairs: u32) -> Vec<String> {
    let phase = phase.map(|phase| what.map_or_else(|| phase.to_string(), |what| format!("{phase} {what}")));
    let pair = (pairs > 0).then(|| format!("pair {pairs}"));
    phase.into_iter().chain(pair).collect()
}

fn waits(waiting: &WaitView) -> String {
    let what = match waiting.obstacle {
        Obstacle::UsageLimit => "a limit of use",
        Obstacle::Network => "the network",
        Obstacle::Login => "a login",
        Obstacle::NothingNew => "nothing new",
    };
    let WaitView { source, why, left_s, .. } = waiting;
    format!("for {source} ({what}: {why}); it is asked again in {}", duration(*left_s))
}

fn left(times: &[TimeLeft]) -> String {
    let said = |left: &TimeLeft| {
        let time = duration(left.seconds);
        match (left.iterations, &left.until) {
            (Some(1), _) => format!("about {time} for 1 more iteration"),
            (Some(count), _) => format!("about {time} for {count} more iterations"),
            (None, Some(until)) => format!("{time} until {until}"),
            (None, None) => format!("{time} by {}", left.rule),
        }
    };
    times.iter().map(said).collect::<Vec<_>>().join("; ")
}

fn last_error(trouble: &TroubleView) -> String {
    let of = trouble.experiment.map(|id| format!("#{id} ")).unwrap_or_default();
    format!("{of}{} ({} ago)", trouble.what, duration(trouble.age_s))
}

fn keeps(view: &SessionView, screen: Screen) -> String {
    let keeps: Vec<_> = view.keeps().collect();
    if keeps.is_empty() {
        return String::new();
    }
    let shown = &keeps[keeps.len().saturating_sub(KEEPS)..];
    let title = if shown.len() < keeps.len() {
        format!("\nthe last {} of {} keeps (each measured against the best before it):\n", shown.len(), keeps.len())
    } else {
        "\nkept, each measured against the best before it:\n".to_owned()
    };
    let room = match Room::on(screen) {
        Room::Wide | Room::Usual => Room::Usual,
        Room::Narrow => Room::Narrow,
    };
    let mut grid = Grid::new(&columns(room), screen);
    for row in shown {
        grid.row(cells(row, view, room));
    }
    title + &grid.text()
}
