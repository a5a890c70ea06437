//! The decoding of sync ids: 27 base-62 digits to 20 bytes.

use crate::error::{Error, Result};
use crate::format::SYNC_BYTES;

const DIGITS: usize = 27;

/// Decodes a sync id.
pub(crate) fn decode(id: &str) -> Result<[u8; SYNC_BYTES]> {
    if id.len() != DIGITS {
        return Err(Error::BadSyncId);
    }
    let mut number = [0; SYNC_BYTES];
    for digit in id.bytes() {
        let digit = value_of(digit).ok_or(Error::BadSyncId)?;
        multiply_add(&mut number, digit)?;
    }
    Ok(number)
}

/// Returns what a digit stands for: `0-9`, `A-Z`, `a-z` are 0 to 61.
fn value_of(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'Z' => Some(digit - b'A' + 10),
        b'a'..=b'z' => Some(digit - b'a' + 36),
        _ => None,
    }
}

/// Multiplies a number, high byte first, by 62 and adds a digit.
fn multiply_add(number: &mut [u8; SYNC_BYTES], digit: u8) -> Result<()> {
    let mut carry = u32::from(digit);
    for byte in number.iter_mut().rev() {
        let sum = u32::from(*byte) * 62 + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    match carry {
        0 => Ok(()),
        _ => Err(Error::BadSyncId),
    }
}
