//! Any bytes as a candidate: a proposal that a terminal can show, or an error that names the file.

#![no_main]

use autoresearch::domain::ProposalSource;
use autoresearch::propose::parse;
use libfuzzer_sys::fuzz_target;

const NAME: &str = "0007-some.patch";

fuzz_target!(|bytes: &[u8]| {
    let source = || ProposalSource::Queue(NAME.to_owned());
    match parse(bytes, NAME, source()) {
        Ok(proposal) => {
            assert!(!proposal.description.is_empty());
            assert!(!proposal.description.chars().any(char::is_control), "{:?}", proposal.description);
            assert!(!proposal.hypothesis.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')));
            let again = parse(&proposal.patch.0, NAME, source()).expect("the patch alone is a patch");
            assert_eq!(again.patch, proposal.patch, "the patch of the patch");
        }
        Err(error) => assert!(error.to_string().contains(NAME), "{error}"),
    }
});
