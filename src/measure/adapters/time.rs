//! `time` of a shell or of the system, one metric for each number: `wall_ns`, `user_ns`, `sys_ns`, `max_rss_bytes`.
//!
//! Several commands that were timed are several samples of these.

use super::table::Table;
use super::text::failed;
use super::units::number;
use super::{AdapterError, Input};

pub(super) fn read(input: &Input, table: &mut Table) -> Result<(), AdapterError> {
    for line in input.text.lines() {
        let ended =
            line.starts_with("Command exited with non-zero status") || line.starts_with("Command terminated by");
        let status = line.trim_start().strip_prefix("Exit status: ");
        if ended || status.is_some_and(|status| status.trim() != "0") {
            return Err(failed(line));
        }
        for (what, value) in
            gnu(line).or_else(|| verbose(line)).or_else(|| bsd(line)).or_else(|| shell(line)).unwrap_or_default()
        {
            table.add("", "", what, value);
        }
    }
    Ok(())
}

type Values = Vec<(&'static str, f64)>;

/// Reads GNU time's `0.00user 0.00system 0:00.01elapsed 7%CPU (0avgtext+0avgdata 1528maxresident)k`.
fn gnu(line: &str) -> Option<Values> {
    let word = |end: &str| line.split(&[' ', '('][..]).find_map(|word| word.strip_suffix(end));
    let seconds = |text: &str| Some(1e9 * number(text)?);
    Some(vec![
        ("wall_ns", 1e9 * clock(word("elapsed")?)?),
        ("user_ns", seconds(word("user")?)?),
        ("sys_ns", seconds(word("system")?)?),
        ("max_rss_bytes", 1024.0 * number(word("maxresident)k")?)?),
    ])
}

/// Reads a line of GNU `time -v`.
fn verbose(line: &str) -> Option<Values> {
    const KEYS: [(&str, &str); 4] = [
        ("User time (seconds): ", "user_ns"),
        ("System time (seconds): ", "sys_ns"),
        ("Elapsed (wall clock) time (h:mm:ss or m:ss): ", "wall_ns"),
        ("Maximum resident set size (kbytes): ", "max_rss_bytes"),
    ];
    let line = line.trim();
    let (what, text) = KEYS.iter().find_map(|(key, what)| Some((*what, line.strip_prefix(key)?)))?;
    let value = match what {
        "wall_ns" => 1e9 * clock(text)?,
        "max_rss_bytes" => 1024.0 * number(text)?,
        _ => 1e9 * number(text)?,
    };
    Some(vec![(what, value)])
}

/// Reads `0.01 real 0.00 user 0.00 sys` (the time(1) of BSD and macOS; see its manual page).
fn bsd(line: &str) -> Option<Values> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [wall, "real", user, "user", system, "sys"] = words.as_slice() else { return None };
    let seconds = |text: &str| Some(1e9 * number(text)?);
    Some(vec![("wall_ns", seconds(wall)?), ("user_ns", seconds(user)?), ("sys_ns", seconds(system)?)])
}

/// Reads a line of a shell's or of POSIX `time -p`: `real 0.01` in seconds, or `real 0m0.014s`.
fn shell(line: &str) -> Option<Values> {
    let (word, text) = line.split_once([' ', '\t'])?;
    let what = match word {
        "real" => "wall_ns",
        "user" => "user_ns",
        "sys" => "sys_ns",
        _ => return None,
    };
    // Some locales write a comma before the fraction.
    let text = text.trim().replace(',', ".");
    let seconds = match text.strip_suffix('s').and_then(|text| text.split_once('m')) {
        Some((minutes, seconds)) => 60.0 * number(minutes)? + number(seconds)?,
        None => number(&text)?,
    };
    Some(vec![(what, 1e9 * seconds)])
}

/// Reads `h:mm:ss` or `m:ss.ss` in seconds.
fn clock(text: &str) -> Option<f64> {
    text.split(':').try_fold(0.0, |total, part| Some(60.0 * total + number(part)?))
}
