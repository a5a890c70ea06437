//! A journal with any bytes after its header: every line is a record, an error with its number, or a torn tail.

#![no_main]

use std::io::Write as _;

use autoresearch::journal::Reader;
use autoresearch::state::SessionState;
use libfuzzer_sys::fuzz_target;

const HEADER: &str = "{\"type\":\"journal\",\"format\":1,\"created_by\":\"fuzz\",\"session\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"at\":\"2026-01-01T00:00:00Z\"}\n";

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    let headed = bytes.first().is_some_and(|byte| byte % 8 != 0);
    if headed {
        file.write_all(HEADER.as_bytes()).expect("room");
    }
    file.write_all(bytes).expect("room");
    let Ok(reader) = Reader::open(file.path()) else { return };
    let mut state = SessionState::new(reader.header().session);
    for record in reader.records() {
        let Ok(record) = record else { break };
        match record.event() {
            Ok(Some(event)) => state.apply(record.experiment, record.at, &event),
            Ok(None) => state.pass_over(record.at),
            Err(error) => assert!(error.to_string().contains("line"), "{error}"),
        }
    }
});
