//! The tables of `simulate`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::simulate::{Answer, Question};
use crate::domain::Scale;
use crate::report::{Cell as Text, Column, Grid, Screen, Tone};
use crate::stats::simulation::{Finding, Ledger, Limit, Mix, Night, NightFigures, Watched, Watching};

/// Writes what single candidates and whole sessions come to.
pub(super) fn answer(question: &Question, answer: &Answer) -> String {
    let mut text = format!("{}\n\n", question.source);
    text += &candidates(question, answer);
    text.push('\n');
    text += &simplifications(question, answer);
    for nights in answer.nights.chunks(2 * question.noises.len()) {
        text.push('\n');
        text += &sessions(question, nights);
    }
    text
}

/// Names what effects and gains are counted in.
fn unit(question: &Question) -> &'static str {
    match question.scale {
        Scale::Ratio => "% (ln units)",
        Scale::Linear => "minimum effects",
    }
}

fn candidates(question: &Question, answer: &Answer) -> String {
    let mut text = format!(
        "One candidate: share kept [mean benchmark runs] by its true effect in {}; alpha {}, {} races each.\n\
         The column 0 is the rate of false keeps.\n\n",
        unit(question),
        question.rule.alpha,
        question.races
    );
    let effects = ["0", "1", "2", "5", "10", "20"].map(Column::Number);
    let columns: Vec<Column> = std::iter::once(Column::Text("noise")).chain(effects).collect();
    let mut grid = Grid::new(&columns, Screen::of_stdout());
    for row in answer.cells.chunks(columns.len() - 1) {
        let name = row.first().map_or_else(String::new, |(cell, _)| cell.noise.to_string());
        let figures = row.iter().map(|(_, found)| format!("{:.4} [{:.1}]", found.keeps, found.runs));
        grid.row(std::iter::once(name).chain(figures).map(Text::from));
    }
    text += &grid.text();
    text
}

fn simplifications(question: &Question, answer: &Answer) -> String {
    let mut text = format!(
        "One candidate of 'Goal: simplify', kept when a regression of the minimum effect is excluded: share kept [mean \
         benchmark runs]\nby what it truly costs; alpha {}, {} races each.\n\n",
        question.rule.alpha, question.races
    );
    let five = match question.scale {
        Scale::Ratio => "5 %",
        Scale::Linear => "5 minEffects",
    };
    let costs = ["nothing", "minEffect", "twice minEffect", five].map(Column::Number);
    let columns: Vec<Column> = std::iter::once(Column::Text("noise")).chain(costs).collect();
    let mut grid = Grid::new(&columns, Screen::of_stdout());
    for row in answer.simplifications.chunks(columns.len() - 1) {
        let name = row.first().map_or_else(String::new, |(plan, _)| plan.noise.to_string());
        let figures = row.iter().map(|(_, found)| format!("{:.4} [{:.1}]", found.keeps, found.runs));
        grid.row(std::iter::once(name).chain(figures).map(Text::from));
    }
    text += &grid.text();
    text
}

/// Writes the sessions of one length: two rows for each noise, the rule and one-run-vs-best.
fn sessions(question: &Question, nights: &[(Night, NightFigures)]) -> String {
    let Some((first, _)) = nights.first() else { return String::new() };
    let mut text = format!(
        "Sessions of {} candidates (1 in 10 better by 2 to 6, 2 in 10 worse, the rest no-ops; {} sessions; gains in {}).\n\
         The last two columns: the same sessions with no-ops only.\n\n",
        first.candidates,
        first.sessions,
        unit(question)
    );
    let columns = [
        Column::Text("noise"),
        Column::Text("decided by"),
        Column::Number("kept"),
        Column::Number("false"),
        Column::Number("false share"),
        Column::Number("gain captured"),
        Column::Number("true / reported"),
        Column::Number("runs"),
        Column::Number("no-ops kept"),
        Column::Number("reported"),
    ];
    let mut grid = Grid::new(&columns, Screen::of_stdout());
    let of = |mix| nights.iter().filter(move |(night, _)| night.mix == mix);
    for ((night, found), (_, null)) in of(Mix::Usual).zip(of(Mix::Null)) {
        let noise = night.noise.to_string();
        grid.row(session_row(question, [&noise, "this rule"], found.offered, [&found.rule, &null.rule]));
        grid.row(session_row(question, ["", "one run vs best"], found.offered, [&found.one_run, &null.one_run]));
    }
    text += &grid.text();
    text
}

fn session_row(question: &Question, names: [&str; 2], offered: f64, ledgers: [&Ledger; 2]) -> Vec<Text> {
    let [usual, null] = ledgers;
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let gain = |gain: f64| format!("{:.1}", gain / question.unit);
    let figures = [
        format!("{:.2}", usual.keeps),
        format!("{:.2}", usual.false_keeps),
        usual.false_share().map_or_else(|| "-".to_owned(), percent),
        if offered > 0.0 { percent(usual.gain / offered) } else { "-".to_owned() },
        format!("{} / {}", gain(usual.gain), gain(usual.reported)),
        format!("{:.0}", usual.runs),
        format!("{:.2}", null.false_keeps),
        gain(null.reported),
    ];
    names.into_iter().map(Text::from).chain(figures.iter().map(Text::from)).collect()
}

/// Writes what sentinels block.
pub(super) fn sentinels(sentinels: usize, races: u32, rows: &[(&Watching, Watched)]) -> String {
    let mut text = format!(
        "{sentinels} sentinels with a tolerance of 5 %, each with its own noise, on a patch that wins clearly; {races} \
         races each.\nUnresolved = kept with a flag, because 20 pairs could not tell (strict: dropped).\n\
         Named = the calibration says that this sentinel cannot be guarded.\n\n"
    );
    let columns = [
        Column::Text("noise"),
        Column::Number("harmless: blocked"),
        Column::Number("unresolved"),
        Column::Number("pairs"),
        Column::Number("one is 10 % worse: blocked"),
        Column::Number("unresolved"),
        Column::Number("pairs"),
        Column::Number("named"),
        Column::Number("let pass unnamed"),
    ];
    let mut grid = Grid::new(&columns, Screen::of_stdout());
    for both in rows.chunks(2) {
        let name = both.first().map_or_else(String::new, |(plan, _)| plan.noise.to_string());
        let figures = both.iter().flat_map(|(_, found)| {
            [format!("{:.4}", found.blocked), format!("{:.4}", found.unresolved), format!("{:.1}", found.pairs)]
        });
        let warned = both.last().map(|(_, found)| [found.named, found.unwarned]).unwrap_or_default();
        let warned = warned.map(|share| format!("{share:.4}"));
        grid.row(std::iter::once(name).chain(figures).chain(warned).map(Text::from));
    }
    text += &grid.text();
    text
}

/// Writes every figure that is not what it must be, then one line for each property.
pub(super) fn check(findings: &[Finding], seconds: f64) -> String {
    let mut properties: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        properties.entry(finding.property).or_default().push(finding);
    }
    let columns =
        [Column::Text(""), Column::Text("property"), Column::Number("figures"), Column::Text("closest to its limit")];
    let mut grid = Grid::new(&columns, Screen::of_stdout());
    for (property, of_it) in &properties {
        let holds = of_it.iter().all(|finding| finding.holds());
        let mark = if holds { Text::toned("ok", Tone::Good) } else { Text::toned("MISSED", Tone::Bad) };
        let closest = of_it.iter().min_by(|a, b| room(a).total_cmp(&room(b))).map(|finding| one(finding));
        grid.row([mark, (*property).into(), of_it.len().to_string().into(), closest.unwrap_or_default().into()]);
    }
    let mut text = String::new();
    for missed in findings.iter().filter(|finding| !finding.holds()) {
        let _ = writeln!(text, "MISSED: {}: {}", missed.property, one(missed));
    }
    text += &grid.text();
    let missed = findings.iter().filter(|finding| !finding.holds()).count();
    let _ = writeln!(text, "\n{} figures, {missed} missed ({seconds:.0} s).", findings.len());
    text
}

/// Returns how far a figure is from its limit, as a share of the limit.
fn room(finding: &Finding) -> f64 {
    match finding.limit {
        Limit::AtMost(limit) => (limit - finding.found) / limit,
        Limit::AtLeast(limit) => (finding.found - limit) / limit,
        Limit::Near { published, within } => 1.0 - (finding.found - published).abs() / within,
    }
}

fn one(finding: &Finding) -> String {
    let figure = |value: f64| if value >= 1.5 { format!("{value:.2}") } else { format!("{value:.5}") };
    let limit = match finding.limit {
        Limit::AtMost(limit) => format!("at most {limit}"),
        Limit::AtLeast(limit) => format!("at least {limit}"),
        Limit::Near { published, within } => format!("published {published}, within {within}"),
    };
    format!("{}: {} ({limit})", finding.figure, figure(finding.found))
}
