//! A knob in a file: what the one capture of a regular expression matches.

use regex::bytes::Regex;

/// Says why a knob cannot be read from its file, or written to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KnobFileError {
    /// There is no such file.
    #[error("there is no file {file} at {commit}, which knob '{knob}' is read from; commit it, or mend 'file'")]
    NoFile {
        /// The knob.
        knob: String,
        /// The file, relative to the repository root.
        file: String,
        /// The commit.
        commit: String,
    },
    /// The pattern does not match exactly once.
    #[error(
        "the pattern '{pattern}' of knob '{knob}' matches {count} times in {file} and must match once; \
         {}", if *count == 0 { "mend it" } else { "write more of what stands before the value" }
    )]
    Matches {
        /// The knob.
        knob: String,
        /// The file, relative to the repository root.
        file: String,
        /// The pattern.
        pattern: String,
        /// How often it matches.
        count: usize,
    },
    /// A value that the pattern does not find again.
    #[error(
        "the pattern '{pattern}' of knob '{knob}' does not find the value '{value}' again once it stands in {file}; \
         let its group match every value"
    )]
    NotFound {
        /// The knob.
        knob: String,
        /// The file, relative to the repository root.
        file: String,
        /// The pattern.
        pattern: String,
        /// The value.
        value: String,
    },
    /// A pattern that does not compile, though the config took it.
    #[error("the pattern '{pattern}' of knob '{knob}' is no regular expression: {why}")]
    Pattern {
        /// The knob.
        knob: String,
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
}

impl KnobFileError {
    /// Returns the knob's name.
    pub fn knob(&self) -> &str {
        match self {
            Self::NoFile { knob, .. }
            | Self::Matches { knob, .. }
            | Self::NotFound { knob, .. }
            | Self::Pattern { knob, .. } => knob,
        }
    }
}

/// Returns the value of a knob (named for errors) in the bytes of its file.
pub fn read_value((knob, file, pattern): (&str, &str, &str), bytes: &[u8]) -> Result<String, KnobFileError> {
    let place = find((knob, file, pattern), bytes)?;
    Ok(String::from_utf8_lossy(&bytes[place]).into_owned())
}

/// Returns the bytes of a knob's file with another value, which the pattern must find again.
pub fn with_value(
    (knob, file, pattern): (&str, &str, &str),
    bytes: &[u8],
    value: &str,
) -> Result<Vec<u8>, KnobFileError> {
    let place = find((knob, file, pattern), bytes)?;
    let edited = [&bytes[..place.start], value.as_bytes(), &bytes[place.end..]].concat();
    match read_value((knob, file, pattern), &edited) {
        Ok(found) if found == value => Ok(edited),
        Ok(_) | Err(_) => Err(KnobFileError::NotFound {
            knob: knob.to_owned(),
            file: file.to_owned(),
            pattern: pattern.to_owned(),
            value: value.to_owned(),
        }),
    }
}

/// Finds the one place of the value.
fn find((knob, file, pattern): (&str, &str, &str), bytes: &[u8]) -> Result<std::ops::Range<usize>, KnobFileError> {
    let compiled = Regex::new(pattern).map_err(|error| KnobFileError::Pattern {
        knob: knob.to_owned(),
        pattern: pattern.to_owned(),
        why: error.to_string(),
    })?;
    let all: Vec<_> =
        compiled.captures_iter(bytes).filter_map(|found| found.get(1).map(|group| group.range())).collect();
    match all.as_slice() {
        [one] => Ok(one.clone()),
        several => Err(KnobFileError::Matches {
            knob: knob.to_owned(),
            file: file.to_owned(),
            pattern: pattern.to_owned(),
            count: several.len(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOB: (&str, &str, &str) = ("BATCH", "src/options.rs", r"BATCH: usize = (\d+)");

    #[test]
    fn the_one_capture_is_read_and_replaced_and_every_other_byte_stays() {
        let text = b"// caf\xe9\r\nconst BATCH: usize = 100;\r\n";
        assert_eq!(read_value(KNOB, text).unwrap(), "100");
        assert_eq!(with_value(KNOB, text, "7").unwrap(), b"// caf\xe9\r\nconst BATCH: usize = 7;\r\n");
    }

    #[test]
    fn a_pattern_that_matches_never_or_twice_is_named_with_file_and_count() {
        let said = |text: &[u8]| read_value(KNOB, text).unwrap_err().to_string();
        assert_eq!(
            said(b"const SIZE: usize = 1;"),
            r"the pattern 'BATCH: usize = (\d+)' of knob 'BATCH' matches 0 times in src/options.rs and must match once; mend it"
        );
        assert!(said(b"BATCH: usize = 1 BATCH: usize = 2").contains("matches 2 times in src/options.rs"));
    }

    #[test]
    fn a_value_that_the_pattern_does_not_find_again_is_refused() {
        let error = with_value(KNOB, b"BATCH: usize = 100;", "1.5").unwrap_err();
        assert!(error.to_string().contains("does not find the value '1.5' again"), "{error}");
        assert!(with_value(KNOB, b"BATCH: usize = 100;", "many").is_err());
    }
}
