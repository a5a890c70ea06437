//! What a commit's message claims to gain: given as side information, in trailers of an earlier run, or in a phrase.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use crate::domain::{Asi, MetricName};

use super::patch_file::one_line;

/// Longest claim that is kept, in characters; a table shows it.
const LONGEST: usize = 60;

/// Trailers that tools of this kind write on what they kept: claims about another tip, and no word of the author.
const OF_AN_EARLIER_RUN: [&str; 5] = ["Result", "Effect", "Experiment", "Session", "Patch-Id"];

/// Returns what side information says of the gain: `predicted` of the primary, else `expected`.
pub(super) fn given(asi: &Asi, primary: &MetricName) -> Option<String> {
    let predicted = asi.get("predicted").and_then(|predicted| match predicted {
        Value::Object(metrics) => metrics.get(primary.as_str()),
        Value::String(_) | Value::Number(_) => Some(predicted),
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    });
    predicted.or_else(|| asi.get("expected")).map(text)
}

fn text(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    one_line(&text).chars().take(LONGEST).collect()
}

/// Takes the trailers of an earlier run off a message, and returns what they claim: `Effect:` as it stands, else the
/// primary's value in `Result:`.
pub(super) fn take_results(body: &str, primary: &MetricName) -> (String, Option<String>) {
    let field = |line: &str| {
        let (key, value) = line.split_once(':')?;
        OF_AN_EARLIER_RUN.contains(&key).then(|| (key.to_owned(), value.trim().to_owned()))
    };
    let fields: Vec<(String, String)> = body.lines().filter_map(field).collect();
    let last = |key: &str| fields.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let result = last("Result").and_then(|value| serde_json::from_str::<Map<String, Value>>(value).ok());
    let effect = last("Effect").filter(|effect| effect.contains(|c: char| c.is_ascii_digit()));
    if result.is_none() && effect.is_none() {
        return (body.to_owned(), None);
    }
    let rest: Vec<&str> = body.lines().filter(|line| field(line).is_none()).collect();
    let value = || result.and_then(|result| metric(&result, primary));
    (rest.join("\n"), effect.map(|effect| text(&effect.into())).or_else(value))
}

/// Returns the primary's value, else that of the first metric there is.
fn metric(result: &Map<String, Value>, primary: &MetricName) -> Option<String> {
    let own = result.get_key_value(primary.as_str());
    let (name, value) = own.or_else(|| result.iter().find(|(_, value)| value.is_number()))?;
    Some(format!("{} {}", one_line(name), text(value)))
}

/// Words that make a percentage or a factor one of speed.
const WORDS: &str = r"(?:faster|slower|quicker|speed-?\s?ups?|slow-?downs?|less|fewer|lower|shorter|better|cheaper|improvements?|reductions?|regressions?|gains?|wins?|overhead|(?:more|higher)\s+throughput|as\s+fast)\b";

/// A number, and one with a percent sign; both may be ranges.
const NUMBER: &str = r"\d+(?:[.,]\d+)?(?:\s?[-–]\s?\d+(?:[.,]\d+)?)?";

/// What may stand before a phrase.
const START: &str = r"(?:^|[\s(\[~≈:;,=])";

/// Figures of speed; the first group of each is the phrase.
static FIGURES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let unit = r"(?:ns|us|µs|μs|ms|s|secs?|seconds|minutes|min)";
    let verbs = r"(?:speed(?:s|ing)?[-\s]?up|sped|accelerat\w+|faster|improv\w+|reduc\w+|lower\w*|decreas\w+|cut\w*|drop\w*|shav\w+|sav(?:es?|ing)|boost\w*)";
    [
        // -15.8 %, with a word behind it or without; a blank after the sign would make a list of it.
        format!(r"{START}([-+−–]{NUMBER}\s?%(?:\s+{WORDS})?)"),
        // 12% faster, 10-15 percent fewer, 20% throughput improvement
        format!(r"{START}({NUMBER}\s?(?:%|percent)\s+(?:[a-z]+\s+)?{WORDS})"),
        // speeds it up by about 20 %, saves 12%
        format!(r"\b({verbs}\b[^.\n]{{0,40}}?{START}{NUMBER}\s?(?:%|percent\b))"),
        // 1.8x faster, 3 times faster
        format!(r"{START}({NUMBER}\s?(?:[x×]|times)\s+{WORDS})"),
        // 2.3x alone: a whole number alone may count anything
        r"(?:^|[\s(\[~≈:;,=])(\d+[.,]\d+\s?[x×])(?:$|[\s).,;:\]])".to_owned(),
        // speeds it up 2x
        format!(r"\b({verbs}\b[^.\n]{{0,40}}?{START}\d+\s?[x×])(?:$|[\s).,;:\]])"),
        r"\b(twice\s+as\s+fast)\b".to_owned(),
        // from 12.3 ms to 8 ms, 12 -> 8 ms
        format!(r"{START}(\d+(?:[.,]\d+)?\s?{unit}\s*(?:->|→|=>|to|down\s+to)\s*\d+(?:[.,]\d+)?\s?{unit})\b"),
        format!(r"{START}(\d+(?:[.,]\d+)?\s*(?:->|→|=>)\s*\d+(?:[.,]\d+)?\s?{unit})\b"),
    ]
    .iter()
    .map(|pattern| Regex::new(&format!("(?im){pattern}")).expect("a constant pattern"))
    .collect()
});

/// Those of [`FIGURES`] that begin with a verb.
const VERBS: [usize; 2] = [2, 5];

/// Returns the first phrase of a message that is a figure of speed, as it stands there.
pub(super) fn phrase(message: &str) -> Option<String> {
    let found = FIGURES.iter().enumerate().filter_map(|(at, figure)| Some((at, figure.captures(message)?.get(1)?)));
    let mut found: Vec<_> = found.collect();
    found.sort_by_key(|(_, phrase)| (phrase.start(), std::cmp::Reverse(phrase.len())));
    let (at, first) = *found.first()?;
    // A verb may stand before a figure that says itself what it is of: `Drop the waste (5% faster)`.
    let within = |(other, phrase): &&(usize, regex::Match<'_>)| {
        !VERBS.contains(other) && first.range().contains(&phrase.start())
    };
    let inner = found.iter().skip(1).find(within).filter(|_| VERBS.contains(&at));
    Some(text(&inner.map_or(first, |(_, phrase)| *phrase).as_str().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_of_speed_is_found_as_it_stands() {
        for (message, claimed) in [
            ("Skip the copy (-15.8 %)", "-15.8 %"),
            ("Skip the copy: −15.8% on large inputs", "−15.8%"),
            ("parse is now ~-3%", "-3%"),
            ("12% faster decode", "12% faster"),
            ("- 12% faster decode\n- less code", "12% faster"),
            ("10-15% fewer allocations", "10-15% fewer"),
            ("A 20 percent throughput improvement", "20 percent throughput improvement"),
            ("decode: 1.8× faster", "1.8× faster"),
            ("Use a table, 2.3x on the corpus", "2.3x"),
            ("Gives 2.3x.", "2.3x"),
            ("It is 10x faster", "10x faster"),
            ("Speeds up decoding 2x", "Speeds up decoding 2x"),
            ("Drop the waste (5% faster)", "5% faster"),
            ("Three lines, 3 times faster", "3 times faster"),
            ("Speed up parsing by about 20%", "Speed up parsing by about 20%"),
            ("This saves 12 % of the time", "saves 12 %"),
            ("now twice as fast", "twice as fast"),
            ("decode goes from 12.5 ms to 8 ms", "12.5 ms to 8 ms"),
            ("decode 12.5 -> 8.1ms, 35% less", "12.5 -> 8.1ms"),
            ("a 4 % regression in one case", "4 % regression"),
            ("First 3% faster, then 2x faster", "3% faster"),
        ] {
            assert_eq!(phrase(message).as_deref(), Some(claimed), "{message}");
        }
    }

    #[test]
    fn what_is_no_figure_of_speed_claims_nothing() {
        for message in [
            "Use 0x10 as the mask",
            "Support 1920x1080 and 2x2 tiles",
            "Unroll the loop 4x",
            "Target x86",
            "95% of the inputs are ASCII",
            "Grow the buffer by 50%",
            "Bump version 1.2 -> 1.3",
            "Fix a crash at 100 %",
            "Make it faster",
            "Pages 10-15",
            "",
        ] {
            assert_eq!(phrase(message), None, "{message}");
        }
    }

    #[test]
    fn the_results_of_an_earlier_run_are_a_claim_and_no_part_of_the_message() {
        let primary = MetricName::new("total_ms").unwrap();
        let take = |body: &str| take_results(body, &primary);
        let pi = "Why.\n\nResult: {\"status\":\"keep\",\"total_ms\":15200}";
        assert_eq!(take(pi), ("Why.\n".to_owned(), Some("total_ms 15200".to_owned())));
        let other = "Result: {\"status\":\"keep\",\"parse_us\":12.5}";
        assert_eq!(take(other).1.as_deref(), Some("parse_us 12.5"));
        let own = "Result: {\"status\":\"keep\",\"total_ms\":9}\nExperiment: 7\nEffect: -12.7 % [-13.8, -11.6], 5 pairs\nPatch-Id: 1";
        assert_eq!(take(own), (String::new(), Some("-12.7 % [-13.8, -11.6], 5 pairs".to_owned())));
        let prose = "Result: it works\nEffect: none";
        assert_eq!(take(prose), (prose.to_owned(), None));
    }
}
