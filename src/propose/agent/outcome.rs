//! What the end and the output of a call mean: an answer, an obstacle, or a failure.

use std::io::{self, BufRead};

use jiff::{Timestamp, Zoned};
use regex::Regex;
use serde_json::Value;

use crate::domain::{Obstacle, Outcome};

use super::lines::{head, next_line, tail};
use super::presets::{Conversation, Field, Preset, Printed};
use super::reset::{self, ANY};

/// The longest line that is read, in bytes; a longer one of JSON says nothing.
const LINE_MAX: usize = 16 << 20;
/// The longest answer kept, in bytes: its end.
const TEXT_MAX: usize = 4 << 20;
/// Bytes at the end of an output in which words of a failure are looked for.
const WORDS_MAX: usize = 8 << 10;
/// The longest reason told, in bytes.
const WHY_MAX: usize = 200;
/// `EX_TEMPFAIL` of sysexits.h: the contract of a command without a preset for "try again later".
const TRY_LATER: i32 = 75;

/// What words mean a limit of use, whatever the program.
const LIMIT: &str = r"(?i)usage limit|rate.?limit|limit (was |has been )?reached|too many requests|quota (was |has been )?(exceeded|exhausted)|exceeded your current quota|insufficient.quota|overloaded|(status|code|error|http)\W{0,4}(429|529)\b";
/// What words mean a login that is missing, whatever the program.
const LOGIN: &str = r"(?i)not logged in|login (is )?required|log in again|please log ?in|unauthori[sz]ed|authentication.?(failed|error|required)|(invalid|missing|incorrect|no) (x-)?api.?key|token (has )?expired|(status|code|error|http)\W{0,4}401\b";
/// What words mean a network that fails, whatever the program.
const NETWORK: &str = r"(?i)\b(ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH)\b|getaddrinfo|could not resolve host|temporary failure in name resolution|network (error|is unreachable)|connection (error|refused|reset|timed out|closed)|fetch failed|socket hang up|(service|temporarily) unavailable|bad gateway|gateway timeout|internal server error|(status|code|error|http)\W{0,4}50[0234]\b";

/// The end of a call and what it printed.
pub struct Output<'a> {
    /// How the program ended.
    pub outcome: Outcome,
    /// Standard output.
    pub stdout: &'a mut dyn BufRead,
    /// The end of standard error.
    pub stderr: &'a str,
    /// The moment of its end, in the zone in which times without one are meant.
    pub now: &'a Zoned,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It worked; what it said at the end.
    Done(String),
    /// It cannot be had now, through no fault of any proposal.
    Unavailable {
        /// What is in the way.
        obstacle: Obstacle,
        /// What it said, in one line.
        why: String,
        /// When that ends, where it says so.
        until: Option<Timestamp>,
    },
    /// It failed.
    Failed {
        /// How, in one line.
        why: String,
        /// Whether the conversation that it was to go on with is gone.
        lost: bool,
    },
}

/// All that an output says.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What the call came to.
    pub answer: Answer,
    /// What it cost, where it says so.
    pub cost: Option<f64>,
    /// By what its conversation goes on.
    pub conversation: Option<String>,
}

/// Reads an output as a preset says; `None` is a command that nothing is known of.
///
/// Such a command's contract: exit code 0 = it answered; 75 = try again later; any other = it failed, and general words of
/// limits, logins and networks are looked for. The last line of standard output that is a JSON object may have `cost`
/// (a number) and `conversation` (a text, handed to the next call).
pub fn read_output(preset: Option<&Preset>, output: &mut Output<'_>) -> io::Result<Reading> {
    let gathered = match preset {
        Some(preset) => gather(preset, output.stdout)?,
        None => gather_plain(output.stdout)?,
    };
    let answer = judge(preset, &gathered, output);
    let kept = preset.is_some_and(|preset| preset.conversation == Conversation::Kept);
    let done = matches!(answer, Answer::Done(_));
    let conversation = if kept && done { Some("kept".to_owned()) } else { gathered.conversation };
    Ok(Reading { answer, cost: gathered.cost, conversation })
}

/// What stands in standard output.
#[derive(Debug, Default)]
struct Gathered {
    text: String,
    error: Option<String>,
    cost: Option<f64>,
    conversation: Option<String>,
    /// The end of what is no JSON.
    plain: String,
    /// Whether anything could be read in the form that it should have.
    readable: bool,
}

fn gather(preset: &Preset, stdout: &mut dyn BufRead) -> io::Result<Gathered> {
    match preset.printed {
        Printed::JsonLines => gather_lines(preset, stdout),
        Printed::Json => {
            let whole = whole(stdout)?;
            let mut gathered = Gathered { plain: tail(&whole, WORDS_MAX).to_owned(), ..Gathered::default() };
            if let Some(value) = object_in(&whole) {
                gathered.take(preset, &value);
            }
            Ok(gathered)
        }
        Printed::Text => {
            let text = whole(stdout)?;
            let cost = preset.cost_text.and_then(|pattern| last_number(pattern, &text));
            let plain = tail(&text, WORDS_MAX).to_owned();
            Ok(Gathered { cost, plain, readable: true, text, ..Gathered::default() })
        }
    }
}

fn gather_lines(preset: &Preset, stdout: &mut dyn BufRead) -> io::Result<Gathered> {
    let mut gathered = Gathered::default();
    let mut line = Vec::new();
    while let Some(complete) = next_line(&mut &mut *stdout, &mut line, LINE_MAX)? {
        match serde_json::from_slice::<Value>(&line) {
            Ok(value) if value.is_object() => gathered.take(preset, &value),
            Ok(_) | Err(_) if complete => gathered.plain_line(&String::from_utf8_lossy(&line)),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(gathered)
}

/// Reads the output of a command that nothing is known of.
fn gather_plain(stdout: &mut dyn BufRead) -> io::Result<Gathered> {
    let text = whole(stdout)?;
    let last = text.lines().rev().find_map(|line| {
        let line = line.trim();
        let object = line.starts_with('{').then(|| serde_json::from_str::<Value>(line).ok()).flatten();
        object.filter(Value::is_object)
    });
    let said = |key: &str| last.as_ref().and_then(|object| object.get(key));
    Ok(Gathered {
        cost: said("cost").and_then(cost),
        conversation: said("conversation").and_then(Value::as_str).map(str::to_owned),
        plain: tail(&text, WORDS_MAX).to_owned(),
        readable: true,
        error: None,
        text,
    })
}

impl Gathered {
    /// Takes one JSON object in.
    fn take(&mut self, preset: &Preset, value: &Value) {
        self.readable = true;
        for text in preset.text.iter().filter_map(|field| field.text(value)).filter(|text| !text.is_empty()) {
            let joint = if self.text.is_empty() { "" } else { preset.joint };
            self.text.extend([joint, &text]);
            self.error = None;
        }
        self.text.drain(..self.text.len() - tail(&self.text, TEXT_MAX).len());
        if let Some(error) = preset.error.iter().find_map(|field| field.text(value)) {
            self.error = Some(error);
        }
        for cost in preset.cost.iter().filter_map(|field| field.value(value)).filter_map(cost) {
            self.cost = Some(self.cost.unwrap_or(0.0) + cost);
        }
        if let Conversation::Printed(fields) = preset.conversation {
            let id = fields.iter().find_map(|field| field.text(value)).filter(|id| !id.is_empty());
            self.conversation = self.conversation.take().or(id);
        }
    }

    fn plain_line(&mut self, line: &str) {
        self.plain.extend([line, "\n"]);
        self.plain.drain(..self.plain.len() - tail(&self.plain, WORDS_MAX).len());
    }
}

impl Field {
    fn value<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        let is = |(at, wanted): &(&str, &str)| match value.pointer(at) {
            Some(Value::String(text)) => text == wanted,
            Some(Value::Bool(truth)) => truth.then_some("true").unwrap_or("false") == *wanted,
            Some(_) | None => false,
        };
        if self.when.iter().all(is) { value.pointer(self.at) } else { None }
    }

    /// Returns a text, or the texts of a list of parts.
    fn text(&self, value: &Value) -> Option<String> {
        match self.value(value)? {
            Value::String(text) => Some(text.clone()),
            Value::Array(parts) => {
                let texts = parts.iter().filter_map(|part| part.get("text")?.as_str());
                Some(texts.collect::<Vec<_>>().join("\n"))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
        }
    }
}

/// Reads a cost: no less than nothing.
fn cost(value: &Value) -> Option<f64> {
    value.as_f64().filter(|cost| cost.is_finite() && *cost >= 0.0)
}

fn last_number(pattern: &str, text: &str) -> Option<f64> {
    let pattern = Regex::new(pattern).expect("a constant pattern");
    pattern.captures_iter(text).last().and_then(|found| found[1].trim_end_matches('.').parse().ok())
}

/// Reads everything, of a very long output its end.
fn whole(stdout: &mut dyn BufRead) -> io::Result<String> {
    let (mut text, mut line) = (String::new(), Vec::new());
    while next_line(&mut &mut *stdout, &mut line, TEXT_MAX)?.is_some() {
        text.extend([&String::from_utf8_lossy(&line), "\n"]);
        if text.len() > 2 * TEXT_MAX {
            text.drain(..text.len() - tail(&text, TEXT_MAX).len());
        }
    }
    text.drain(..text.len() - tail(&text, TEXT_MAX).len());
    Ok(text)
}

/// Finds the JSON object in a text that may have warnings around it.
fn object_in(text: &str) -> Option<Value> {
    let (start, end) = (text.find('{')?, text.rfind('}')?);
    let object = serde_json::from_str::<Value>(text.get(start..=end)?);
    object.ok().filter(Value::is_object).or_else(|| {
        let lines = text.lines().rev().filter(|line| line.trim_start().starts_with('{'));
        lines.filter_map(|line| serde_json::from_str(line).ok()).find(Value::is_object)
    })
}

fn judge(preset: Option<&Preset>, gathered: &Gathered, output: &Output<'_>) -> Answer {
    let code = match output.outcome {
        Outcome::Code(code) => code,
        Outcome::TimedOut => return failed("it did not end within its time limit".to_owned()),
        Outcome::Signal(_) | Outcome::LimitBroken(_) | Outcome::Aborted => {
            return failed(format!("it ended with {}", output.outcome));
        }
    };
    if code == 0 && gathered.error.is_none() {
        return match ended_well(preset, gathered, output) {
            None => Answer::Done(gathered.text.clone()),
            Some(answer) => answer,
        };
    }
    let said = match &gathered.error {
        Some(error) => error.clone(),
        None => format!("{}\n{}", tail(&gathered.plain, WORDS_MAX), tail(output.stderr, WORDS_MAX)),
    };
    let all = format!("{said}\n{}", tail(output.stderr, WORDS_MAX));
    let why = line_of(&said).map_or_else(|| format!("it ended with exit code {code}"), str::to_owned);
    if let Some(obstacle) = by_code(preset, code).or_else(|| by_words(preset, &all)) {
        return unavailable((obstacle, why), &all, preset, output.now);
    }
    Answer::Failed { why, lost: lost(preset, &all) }
}

/// Looks at a call that says it went well: one that printed nothing of the kind that it should did not, nor one that prints
/// its errors as text and then ends well.
fn ended_well(preset: Option<&Preset>, gathered: &Gathered, output: &Output<'_>) -> Option<Answer> {
    let preset = preset?;
    if !gathered.readable {
        let all = format!("{}\n{}", gathered.plain, tail(output.stderr, WORDS_MAX));
        let why = line_of(&all).unwrap_or("it printed nothing").to_owned();
        if lost(Some(preset), &all) {
            return Some(Answer::Failed { why, lost: true });
        }
        return Some(match by_words(Some(preset), &all) {
            Some(obstacle) => unavailable((obstacle, why), &all, Some(preset), output.now),
            None => failed(format!("its output cannot be read: {why}")),
        });
    }
    if preset.printed != Printed::Text {
        return None;
    }
    // Only the words of the program itself: an answer may speak of limits and networks too.
    let settled = preset.cost_text.and_then(|pattern| last_match(&[pattern], &gathered.text)).unwrap_or(0);
    let lists =
        [(Obstacle::UsageLimit, preset.limit), (Obstacle::Login, preset.login), (Obstacle::Network, preset.network)];
    let after = |list: &[&str]| last_match(list, &gathered.text).filter(|at| *at >= settled);
    let (obstacle, at) = lists.iter().find_map(|(obstacle, list)| after(list).map(|at| (*obstacle, at)))?;
    let said = &gathered.text[at..];
    let why = line_of(said).unwrap_or_default().to_owned();
    Some(unavailable((obstacle, why), said, Some(preset), output.now))
}

/// Returns where the last match of any of these expressions begins.
fn last_match(patterns: &[&str], text: &str) -> Option<usize> {
    let last = |pattern: &&str| {
        let pattern = Regex::new(pattern).expect("a constant pattern");
        pattern.find_iter(text).last().map(|found| found.start())
    };
    patterns.iter().filter_map(last).max()
}

fn failed(why: String) -> Answer {
    Answer::Failed { why, lost: false }
}

fn unavailable((obstacle, why): (Obstacle, String), all: &str, preset: Option<&Preset>, now: &Zoned) -> Answer {
    let forms = preset.map_or(&ANY[..], |preset| preset.resets);
    let until = match obstacle {
        Obstacle::UsageLimit => reset::find(all, forms, now),
        Obstacle::Network | Obstacle::Login | Obstacle::NothingNew => None,
    };
    Answer::Unavailable { obstacle, why, until }
}

fn by_code(preset: Option<&Preset>, code: i32) -> Option<Obstacle> {
    match preset {
        None => (code == TRY_LATER).then_some(Obstacle::UsageLimit),
        Some(preset) => preset.login_codes.contains(&code).then_some(Obstacle::Login),
    }
}

fn by_words(preset: Option<&Preset>, text: &str) -> Option<Obstacle> {
    let of = |own: fn(&Preset) -> &'static [&'static str], general: &str| {
        let own = preset.map(own).unwrap_or_default();
        own.iter().chain([&general]).any(|pattern| matches(pattern, text))
    };
    if of(|preset| preset.limit, LIMIT) {
        Some(Obstacle::UsageLimit)
    } else if of(|preset| preset.login, LOGIN) {
        Some(Obstacle::Login)
    } else {
        of(|preset| preset.network, NETWORK).then_some(Obstacle::Network)
    }
}

fn lost(preset: Option<&Preset>, text: &str) -> bool {
    preset.is_some_and(|preset| preset.lost.iter().any(|pattern| matches(pattern, text)))
}

fn matches(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).expect("a constant pattern").is_match(text)
}

/// Returns the last line that says anything, shortened.
fn line_of(text: &str) -> Option<&str> {
    let mut lines = text.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    lines.next().map(|line| head(line, WHY_MAX))
}

#[cfg(test)]
mod tests;
