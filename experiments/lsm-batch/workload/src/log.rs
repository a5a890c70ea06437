//! The framing of append-only logs: length, checksum, payload.

use crate::crc::crc32;
use crate::error::{Error, Result};
use crate::format::get_u32;
use crate::storage::Storage;

const HEAD_BYTES: usize = 8;

/// Appends one payload and makes it durable.
pub(crate) fn append(storage: &Storage, name: &str, payload: &[u8]) -> Result<()> {
    let mut frame = Vec::with_capacity(HEAD_BYTES + payload.len());
    frame.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    frame.extend_from_slice(&crc32(payload).to_le_bytes());
    frame.extend_from_slice(payload);
    storage.append(name, &frame)?;
    storage.sync(name)
}

/// Returns every whole payload of a log and cuts a torn tail away.
pub(crate) fn replay(storage: &Storage, name: &str) -> Result<Vec<Vec<u8>>> {
    let bytes = storage.read(name)?;
    let mut payloads = Vec::new();
    let mut at = 0;
    while let Some(payload) = frame_at(&bytes, at)? {
        at += HEAD_BYTES + payload.len();
        payloads.push(payload.to_vec());
    }
    if at < bytes.len() {
        storage.truncate(name, at)?;
    }
    Ok(payloads)
}

fn frame_at(bytes: &[u8], at: usize) -> Result<Option<&[u8]>> {
    let (Some(len), Some(crc)) = (get_u32(bytes, at), get_u32(bytes, at + 4)) else {
        return Ok(None);
    };
    let start = at + HEAD_BYTES;
    let Some(payload) = bytes.get(start..start + len as usize) else {
        return Ok(None);
    };
    if crc32(payload) != crc {
        return Err(Error::Corrupt("log"));
    }
    Ok(Some(payload))
}
