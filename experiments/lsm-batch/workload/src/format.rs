//! The bytes on disk: key classes, entries, variable-length numbers, and the table footer (frozen).

/// What every key starts with.
pub const PREFIX: &[u8; 3] = b"v3|";
/// Position of the class byte in a key.
pub const CLASS_AT: usize = 3;
/// Class of the records themselves.
pub const PRIMARY: u8 = b'G';
/// Class of the index by entitlement.
pub const BY_ENTITLEMENT: u8 = b'e';
/// Class of the index by principal.
pub const BY_PRINCIPAL: u8 = b'p';
/// Bytes of a decoded sync id.
pub const SYNC_BYTES: usize = 20;
/// Bytes of a key before its own part: prefix, class, `|`, sync, `|`.
pub const HEAD_BYTES: usize = CLASS_AT + 2 + SYNC_BYTES + 1;
/// Last eight bytes of a table.
pub const TABLE_MAGIC: u64 = 0x6c73_6d2d_7461_626c;
/// Bytes of a table footer: index offset, entries, index crc, magic.
pub const FOOTER_BYTES: usize = 20;

const PUT: u8 = 1;
const DELETE: u8 = 0;

/// One key with its value, or with none where the key was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The whole key.
    pub key: &'a [u8],
    /// The value; `None` marks a deletion.
    pub value: Option<&'a [u8]>,
}

/// Appends a number, seven bits a byte, low bits first.
pub fn put_varint(dst: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        dst.push(number as u8 | 0x80);
        number >>= 7;
    }
    dst.push(number as u8);
}

/// Reads a number and moves `at` behind it.
pub fn get_varint(src: &[u8], at: &mut usize) -> Option<usize> {
    let mut number = 0;
    for shift in (0..35).step_by(7) {
        let byte = *src.get(*at)?;
        *at += 1;
        number |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Appends bytes behind their length.
pub fn put_bytes(dst: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(dst, bytes.len());
    dst.extend_from_slice(bytes);
}

/// Reads bytes behind their length and moves `at` behind them.
pub fn get_bytes<'a>(src: &'a [u8], at: &mut usize) -> Option<&'a [u8]> {
    let len = get_varint(src, at)?;
    let bytes = src.get(*at..*at + len)?;
    *at += len;
    Some(bytes)
}

/// Appends an entry.
pub fn put_entry(dst: &mut Vec<u8>, entry: Entry<'_>) {
    dst.push(if entry.value.is_some() { PUT } else { DELETE });
    put_bytes(dst, entry.key);
    if let Some(value) = entry.value {
        put_bytes(dst, value);
    }
}

/// Reads an entry and moves `at` behind it.
pub fn get_entry<'a>(src: &'a [u8], at: &mut usize) -> Option<Entry<'a>> {
    let kind = *src.get(*at)?;
    *at += 1;
    let key = get_bytes(src, at)?;
    let value = match kind {
        PUT => Some(get_bytes(src, at)?),
        DELETE => None,
        _ => return None,
    };
    Some(Entry { key, value })
}

/// Reads four bytes, low byte first.
pub fn get_u32(src: &[u8], at: usize) -> Option<u32> {
    let bytes = src.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}
