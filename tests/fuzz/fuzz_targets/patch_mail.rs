//! Any bytes as a candidate: a proposal with a description, or an error that names the file.

#![no_main]

use autoresearch::domain::ProposalSource;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match autoresearch::propose::parse(bytes, "some.patch", ProposalSource::Queue("some.patch".to_owned())) {
        Ok(proposal) => {
            assert!(!proposal.description.contains('\n'), "{:?}", proposal.description);
            assert!(!proposal.patch.0.is_empty());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
