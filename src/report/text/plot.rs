//! A strip of characters that shows where each of a few values lies, and where zero is.

/// Columns of a strip.
const WIDTH: usize = 25;

/// The range that a group of strips shares: all of the values, and zero.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strip {
    low: f64,
    span: f64,
}

impl Strip {
    /// Makes the range; `None` where there is no value to show.
    pub(super) fn over(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut values = values.filter(|value| value.is_finite()).peekable();
        values.peek()?;
        let (low, high) = values.fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        Some(Self { low, span: high - low })
    }

    fn column(self, value: f64) -> usize {
        if self.span <= 0.0 {
            return WIDTH / 2;
        }
        let share = ((value - self.low) / self.span).clamp(0.0, 1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 to WIDTH - 1")]
        let column = (share * (WIDTH - 1) as f64).round() as usize;
        column
    }

    /// Draws one value as `*` beside the zero line `|`.
    pub(super) fn draw(self, value: f64) -> String {
        let (zero, mark) = (self.column(0.0), self.column(value));
        let draw = |column| {
            if column == mark {
                '*'
            } else if column == zero {
                '|'
            } else {
                ' '
            }
        };
        (0..WIDTH).map(draw).collect::<String>().trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_zero_share_one_range() {
        let strip = Strip::over([-10.0, -5.0, 2.0].into_iter()).unwrap();
        assert_eq!(strip.draw(-10.0), "*                   |");
        assert_eq!(strip.draw(2.0), "                    |   *");
        assert_eq!(strip.draw(0.0), "                    *");
    }

    #[test]
    fn equal_values_stand_in_the_middle_and_no_value_draws_nothing() {
        assert_eq!(Strip::over([0.0].into_iter()).unwrap().draw(0.0).len(), 13);
        assert!(Strip::over([f64::NAN].into_iter()).is_none());
    }
}
