//! Holds the METRIC parser against the grammar of FORMATS section 1, written a second time as regular expressions.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::sync::LazyLock;

use autoresearch::domain::MetricName;
use autoresearch::measure::{Parsed, parse};
use proptest::prelude::*;
use regex::Regex;

/// Gives out a text in pieces of one size.
struct Pieces<'a>(Cursor<&'a [u8]>, usize);

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let size = self.1.min(into.len());
        self.0.read(&mut into[..size])
    }
}

impl Seek for Pieces<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

/// The grammar, one line at a time.
struct Reference {
    ansi: Regex,
    metric: Regex,
    digits_for_unit: Regex,
    named: Regex,
    invariant: Regex,
}

/// What the reference makes of a whole output.
#[derive(Debug, Default, PartialEq)]
struct Expected {
    values: BTreeMap<String, Vec<f64>>,
    invalid: BTreeMap<String, u64>,
    invariants: Vec<String>,
    warned: u64,
}

const NAME: &str = r"[\p{Alphabetic}\p{N}_.\-/:%\u{b5}\u{3bc}]+";

static REFERENCE: LazyLock<Reference> = LazyLock::new(Reference::new);

impl Reference {
    fn new() -> Self {
        let number = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?";
        let regex = |pattern: String| Regex::new(&pattern).expect("a regular expression");
        Self {
            ansi: regex(r"\x1b\[[\x20-\x3f]*[\x40-\x7e]".to_owned()),
            metric: regex(format!(r"^[ \t]*METRIC[ \t]+({NAME})=({number})((?:[ \t].*)?)$")),
            digits_for_unit: regex(r"^[ \t]+[0-9.,_]+(?:[ \t]|$)".to_owned()),
            named: regex(format!(r"^[ \t]*METRIC[ \t]+({NAME})(?:=|[ \t]|$)")),
            invariant: regex(format!(r"^[ \t]*INVARIANT[ \t]+({NAME})=(.*)$")),
        }
    }

    fn read(&self, text: &str) -> Expected {
        let mut expected = Expected::default();
        for (index, line) in text.split('\n').enumerate() {
            let plain = self.ansi.replace_all(line, "");
            let plain = plain.strip_suffix('\r').unwrap_or(&plain);
            self.line(plain, index as u64 + 1, &mut expected);
        }
        expected
    }

    fn line(&self, line: &str, number: u64, expected: &mut Expected) {
        let word = line.trim_start_matches([' ', '\t']);
        if word.starts_with("METRIC ") || word.starts_with("METRIC\t") {
            match self.value(line) {
                Some((name, value)) => expected.values.entry(name).or_default().push(value),
                None => match self.named.captures(line) {
                    Some(named) => {
                        expected.invalid.entry(one_mu(&named[1])).or_insert(number);
                    }
                    None => expected.warned += 1,
                },
            }
        } else if word.starts_with("INVARIANT ") || word.starts_with("INVARIANT\t") {
            match self.invariant.captures(line) {
                Some(found) => expected.invariants.push(format!("{}={}", &found[1], &found[2])),
                None => expected.warned += 1,
            }
        }
    }

    fn value(&self, line: &str) -> Option<(String, f64)> {
        let found = self.metric.captures(line)?;
        let value: f64 = found[2].parse().ok()?;
        let reserved = found[1].starts_with("auto.");
        let fine = value.is_finite() && !reserved && !self.digits_for_unit.is_match(&found[3]);
        fine.then(|| (one_mu(&found[1]), value))
    }
}

fn one_mu(name: &str) -> String {
    name.replace('\u{b5}', "\u{3bc}")
}

fn found(parsed: Parsed) -> Expected {
    Expected {
        values: parsed.samples.into_iter().map(|(name, s)| (name.to_string(), s.values)).collect(),
        invalid: parsed.invalid.into_iter().map(|(name, invalid)| (name.to_string(), invalid.line)).collect(),
        invariants: parsed.invariants.into_lines(),
        warned: parsed.warned,
    }
}

/// Numbers of the grammar and things that are almost numbers.
fn number_like() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => "[+-]?([0-9]{1,4}\\.?[0-9]{0,3}|\\.[0-9]{1,3})([eE][+-]?[0-9]{1,2})?",
        1 => "[+-]?[0-9.eE+-]{0,6}",
        1 => prop::sample::select(vec![
            "NaN", "nan", "inf", "-Infinity", "1e999", "-1e400", "1e-999", "0x1f", "1_000", "1,000", "5ms", "", "."
        ])
        .prop_map(str::to_owned),
    ]
}

/// Words from which lines are put together, right and wrong.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(vec![
            "METRIC", "INVARIANT", "METRICS", "metric", "RI", " ", " ", "\t", "=", "=", "\r", "\u{1b}[32m", "\u{1b}[0m",
            "auto.wall_s", "total_ms", "t_\u{b5}s", "t_\u{3bc}s", "ms", "ä", "query/a:1%", "000",
        ])
        .prop_map(str::to_owned),
        1 => number_like(),
        1 => "[ -~]{0,5}",
    ]
}

fn line() -> impl Strategy<Value = String> {
    let name = "[a-zA-Z0-9_.\\-/:%µμäé]{1,6}";
    let unit = prop_oneof![Just(String::new()), "[ \t]{1,2}[a-z%/0-9., ]{0,6}"];
    let colour = || prop::sample::select(vec!["", "", "\u{1b}[1;32m", "  ", "\t"]);
    let metric = (colour(), "[ \t]{1,2}", name, number_like(), unit, prop::sample::select(vec!["", "\r", "\u{1b}[0m"]))
        .prop_map(|(before, blank, name, number, unit, after)| {
            format!("{before}METRIC{blank}{name}={number}{unit}{after}")
        });
    prop_oneof![2 => metric, 2 => prop::collection::vec(piece(), 0..9).prop_map(|pieces| pieces.concat())]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_output_reads_as_the_grammar_says(lines in prop::collection::vec(line(), 0..12), size in 1_usize..64) {
        let text = lines.join("\n");
        let parsed = parse(Pieces(Cursor::new(text.as_bytes()), size)).unwrap();
        prop_assert_eq!(found(parsed), REFERENCE.read(&text));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), size in 1_usize..64) {
        let mut output = b"METRIC a=1\n".to_vec();
        output.extend(bytes.iter().map(|b| if *b == b'\n' { b' ' } else { *b }));
        output.extend(b"\nMETRIC b=2");
        let parsed = parse(Pieces(Cursor::new(&output), size)).unwrap();
        prop_assert_eq!(&parsed.samples[&MetricName::new("b").unwrap()].values, &[2.0]);
    }

    #[test]
    fn every_finite_float_is_read_as_it_was_printed(value in any::<f64>().prop_filter("finite", |v| v.is_finite())) {
        for text in [format!("METRIC v={value}\n"), format!("METRIC v={value:e} s\r\n")] {
            let parsed = parse(Cursor::new(text.as_bytes())).unwrap();
            let read = parsed.samples[&MetricName::new("v").unwrap()].values[0];
            prop_assert_eq!(read.to_bits(), value.to_bits());
        }
    }
}
