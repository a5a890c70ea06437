//! METRIC and INVARIANT lines out of any bytes: the same answer whatever stands around them and however they arrive.

#![no_main]

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use autoresearch::measure::{Parsed, parse};
use libfuzzer_sys::fuzz_target;

/// Gives a few bytes at a time.
struct Dripping<'a>(Cursor<&'a [u8]>, usize);

impl Read for Dripping<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let end = into.len().min(self.1);
        self.0.read(&mut into[..end])
    }
}

impl Seek for Dripping<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// Everything that was found but the line numbers.
fn told(parsed: &Parsed) -> String {
    let invalid: Vec<_> = parsed.invalid.iter().map(|(name, invalid)| (name, &invalid.text, invalid.why)).collect();
    let warnings: Vec<_> = parsed.warnings.iter().map(|warning| (&warning.text, warning.why)).collect();
    let Parsed { first, samples, invariants, warned, .. } = parsed;
    format!("{first:?} {samples:?} {invariants:?} {warned} {invalid:?} {warnings:?}")
}

fuzz_target!(|bytes: &[u8]| {
    let plain = parse(Cursor::new(bytes)).expect("memory can be read");
    for samples in plain.samples.values() {
        assert!(samples.values.iter().all(|value| value.is_finite()));
        assert_eq!(samples.values.len() as u64, samples.count);
    }
    let dripped = parse(Dripping(Cursor::new(bytes), 1 + bytes.len() % 7)).expect("memory can be read");
    assert_eq!(format!("{plain:?}"), format!("{dripped:?}"), "read in pieces");
    let framed = [b"ordinary output\n", bytes, b"\nmore of it\n"].concat();
    let framed = parse(Cursor::new(framed)).expect("memory can be read");
    assert_eq!(told(&plain), told(&framed), "with a line before and a line after");
    for (name, invalid) in &plain.invalid {
        assert_eq!(framed.invalid[name].line, invalid.line + 1);
    }
});
