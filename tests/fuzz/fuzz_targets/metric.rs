//! METRIC and INVARIANT lines out of any bytes: no panic, and the same answer whatever stands around the text.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let plain = autoresearch::measure::parse(Cursor::new(bytes)).expect("memory can be read");
    // A line without METRIC in front, and one behind, change no value.
    let mut framed = b"ordinary output\n".to_vec();
    framed.extend_from_slice(bytes);
    framed.extend_from_slice(b"\nmore of it\n");
    let framed = autoresearch::measure::parse(Cursor::new(framed)).expect("memory can be read");
    assert_eq!(format!("{:?}", plain.metrics), format!("{:?}", framed.metrics));
});
