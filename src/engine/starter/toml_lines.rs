//! The lines of a TOML file that say `key = value`, with their section: enough to recognise a project.
//!
//! This is no TOML parser: multi-line values are not followed. What it misses leads to a more general proposal.

/// One `key = value` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TomlLine {
    /// Section without brackets: `dependencies`, `bench` for `[[bench]]`.
    pub(super) section: String,
    /// Counts the section headers, so that two `[[bench]]` are told apart.
    pub(super) block: usize,
    /// Key as written, without quotes.
    pub(super) key: String,
    /// Value as written, or what stands between its quotes.
    pub(super) value: String,
}

/// Reads all such lines.
pub(super) fn toml_lines(text: &str) -> Vec<TomlLine> {
    let (mut section, mut block) = (String::new(), 0);
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') && !line.contains('=') {
            line.split('#').next().unwrap_or(line).trim().trim_matches(['[', ']']).trim().clone_into(&mut section);
            block += 1;
        } else if let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
            let key = key.trim().trim_matches('"').to_owned();
            found.push(TomlLine { section: section.clone(), block, key, value: unquoted(value.trim()) });
        }
    }
    found
}

fn unquoted(value: &str) -> String {
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let inner = quote.and_then(|quote| value[1..].split(quote).next());
    inner.unwrap_or_else(|| value.split('#').next().unwrap_or(value).trim()).to_owned()
}

/// Says whether a section header is present.
pub(super) fn has_section(text: &str, section: &str) -> bool {
    let header = format!("[{section}]");
    text.lines().any(|line| line.trim().starts_with(&header))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tables_of_one_array_are_told_apart() {
        let lines =
            toml_lines("[package]\nname = \"x\" # y\n[[bench]]\nname = 'a'\nharness = false\n[[bench]]\nname=\"b\"\n");
        let read: Vec<_> =
            lines.iter().map(|l| (l.section.as_str(), l.block, l.key.as_str(), l.value.as_str())).collect();
        let expected = [
            ("package", 1, "name", "x"),
            ("bench", 2, "name", "a"),
            ("bench", 2, "harness", "false"),
            ("bench", 3, "name", "b"),
        ];
        assert_eq!(read, expected);
    }
}
