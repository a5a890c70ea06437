//! The encoding of grants: three keys and one value.

use crate::error::{Error, Result};
use crate::format::{get_bytes, put_bytes, BY_ENTITLEMENT, BY_PRINCIPAL, PREFIX, PRIMARY};
use crate::record::Grant;
use crate::sync_id;

/// Returns the key under which a grant itself is stored.
pub(crate) fn primary_key(grant: &Grant) -> Result<Vec<u8>> {
    let parts = [grant.external_id.as_str()];
    key(PRIMARY, &grant.sync_id, &parts)
}

/// Returns the key of a grant in the index by entitlement.
pub(crate) fn entitlement_key(grant: &Grant) -> Result<Vec<u8>> {
    let parts = [
        grant.entitlement_id.as_str(),
        grant.principal_type.as_str(),
        grant.principal_id.as_str(),
        grant.external_id.as_str(),
    ];
    key(BY_ENTITLEMENT, &grant.sync_id, &parts)
}

/// Returns the key of a grant in the index by principal.
pub(crate) fn principal_key(grant: &Grant) -> Result<Vec<u8>> {
    let parts = [
        grant.principal_type.as_str(),
        grant.principal_id.as_str(),
        grant.entitlement_id.as_str(),
        grant.external_id.as_str(),
    ];
    key(BY_PRINCIPAL, &grant.sync_id, &parts)
}

/// Joins prefix, class, sync and parts; a zero byte stands between two parts.
pub(crate) fn key(class: u8, sync_id: &str, parts: &[&str]) -> Result<Vec<u8>> {
    let sync = sync_id::decode(sync_id)?;
    let head = [&PREFIX[..], &[class], b"|", &sync, b"|"].concat();
    let tail = parts.join("\0").into_bytes();
    Ok([head, tail].concat())
}

/// Returns the stored form of a grant: its fields in order, each behind its number and its length.
pub(crate) fn value(grant: &Grant) -> Vec<u8> {
    let fields = [
        field(1, grant.sync_id.as_bytes()),
        field(2, grant.external_id.as_bytes()),
        field(3, grant.entitlement_id.as_bytes()),
        field(4, grant.principal_type.as_bytes()),
        field(5, grant.principal_id.as_bytes()),
        field(6, &grant.payload),
    ];
    fields.concat()
}

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number];
    put_bytes(&mut field, bytes);
    field
}

/// Reads the stored form of a grant.
pub(crate) fn grant(value: &[u8]) -> Result<Grant> {
    let mut at = 0;
    let mut next = |number| field_at(value, &mut at, number).ok_or(Error::Corrupt("record"));
    Ok(Grant {
        sync_id: text(next(1)?)?,
        external_id: text(next(2)?)?,
        entitlement_id: text(next(3)?)?,
        principal_type: text(next(4)?)?,
        principal_id: text(next(5)?)?,
        payload: next(6)?.to_vec(),
    })
}

fn field_at<'a>(value: &'a [u8], at: &mut usize, number: u8) -> Option<&'a [u8]> {
    if *value.get(*at)? != number {
        return None;
    }
    *at += 1;
    get_bytes(value, at)
}

fn text(bytes: &[u8]) -> Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Error::Corrupt("record"))
}
