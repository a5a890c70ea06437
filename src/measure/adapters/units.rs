//! Units of all tools made equal: nanoseconds, bytes, and rates of them per second.

/// Returns how many nanoseconds a unit of time has.
pub(super) fn nanoseconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ps" => 1e-3,
        "ns" => 1.0,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" | "min" => 6e10,
        "h" | "hr" => 3.6e12,
        _ => return None,
    })
}

/// Returns how many bytes a unit of size has: `KB` is 1000, `KiB` 1024.
pub(super) fn bytes(unit: &str) -> Option<f64> {
    let prefix = unit.strip_suffix('B')?;
    let (letter, base) = match prefix.strip_suffix('i') {
        Some(letter) => (letter, 1024_f64),
        None => (prefix, 1000.0),
    };
    let power = match letter {
        "" if base < 1024.0 => 0,
        "k" | "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        "P" => 5,
        _ => return None,
    };
    Some(base.powi(power))
}

/// Reads a decimal number with a point; commas that group its digits are passed over.
pub(super) fn number(text: &str) -> Option<f64> {
    let begins = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    let value: f64 = text.replace(',', "").parse().ok()?;
    (begins && value.is_finite()).then_some(value)
}

/// Reads `1.5 ms`, also without the blank, as a number and the word behind it.
pub(super) fn quantity(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+'))).unwrap_or(text.len());
    Some((number(&text[..end])?, text[end..].trim()))
}

/// Reads a time such as `1.5 ms` in nanoseconds.
pub(super) fn time(text: &str) -> Option<f64> {
    let (value, unit) = quantity(text)?;
    Some(value * nanoseconds(unit)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_made_equal() {
        assert_eq!(time("1.066 ms"), Some(1_066_000.0));
        assert_eq!(time("2\u{b5}s"), time("2 \u{3bc}s"));
        assert_eq!((time("1.5 parsec"), time("-0.3%"), time("ms")), (None, None, None));
        assert_eq!(
            (bytes("B"), bytes("KB"), bytes("MiB"), bytes("iB")),
            (Some(1.0), Some(1e3), Some(1_048_576.0), None)
        );
        assert_eq!(quantity("4.595 GB/s"), Some((4.595, "GB/s")));
        assert_eq!(quantity("19,469,836.5"), Some((19_469_836.5, "")));
        assert_eq!((number("NaN"), number("inf"), number("1e400")), (None, None, None));
    }
}
