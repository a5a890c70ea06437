//! The nearest known word to a misspelt one.

/// Returns the known word that the given one most likely means, if any is near enough.
///
/// Case and the separators `_` and `-` do not count; at most one edit for each three letters.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = plain(word);
    let limit = (plain.len() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (distance(&plain, &self::plain(candidate)), candidate))
        .filter(|(edits, _)| *edits <= limit)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Says whether two words differ in nothing but case and separators.
pub(super) fn same(a: &str, b: &str) -> bool {
    plain(a) == plain(b)
}

fn plain(word: &str) -> Vec<char> {
    word.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// Counts insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut edits = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                edits = edits.min(before[j - 1] + 1);
            }
            row.push(edits);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted_with_swaps_as_one() {
        let count = |a: &str, b: &str| distance(&plain(a), &plain(b));
        assert_eq!(count("bench", "bench"), 0);
        assert_eq!(count("bnech", "bench"), 1);
        assert_eq!(count("benchs", "bench"), 1);
        assert_eq!(count("", "bench"), 5);
        assert_eq!(count("max_hours", "maxHours"), 0);
        assert_eq!(count("kitten", "sitting"), 3);
    }

    #[test]
    fn a_word_far_from_all_has_no_neighbour() {
        assert_eq!(nearest("metrisc", ["bench", "metrics"]), Some("metrics"));
        assert_eq!(nearest("mcp", ["bench", "metrics", "name"]), None);
    }
}
