//! An independent model of what a database must hold, with encoders of its own (frozen).

use lsm_batch::Grant;
use std::collections::BTreeMap;

/// Grants by sync and id.
#[derive(Default)]
pub struct Model {
    grants: BTreeMap<(String, String), Grant>,
}

impl Model {
    /// Puts grants, one after the other.
    pub fn put(&mut self, grants: &[Grant]) {
        for grant in grants {
            let id = (grant.sync_id.clone(), grant.external_id.clone());
            self.grants.insert(id, grant.clone());
        }
    }

    /// Iterates over the grants that are held.
    pub fn grants(&self) -> impl Iterator<Item = &Grant> {
        self.grants.values()
    }

    /// Returns every key and value that a scan must find, in order.
    pub fn entries(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut entries: Vec<_> = self.grants.values().flat_map(entries_of).collect();
        entries.sort();
        entries
    }
}

fn entries_of(grant: &Grant) -> [(Vec<u8>, Vec<u8>); 3] {
    let Grant {
        sync_id,
        external_id,
        entitlement_id,
        principal_type,
        principal_id,
        ..
    } = grant;
    let by_entitlement = [entitlement_id, principal_type, principal_id, external_id];
    let by_principal = [principal_type, principal_id, entitlement_id, external_id];
    [
        (key('G', sync_id, &[external_id]), record(grant)),
        (key('e', sync_id, &by_entitlement), Vec::new()),
        (key('p', sync_id, &by_principal), Vec::new()),
    ]
}

fn key(class: char, sync_id: &str, parts: &[&String]) -> Vec<u8> {
    let mut key = format!("v3|{class}|").into_bytes();
    key.extend(sync_bytes(sync_id));
    key.push(b'|');
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            key.push(0);
        }
        key.extend(part.bytes());
    }
    key
}

fn record(grant: &Grant) -> Vec<u8> {
    let fields: [&[u8]; 6] = [
        grant.sync_id.as_bytes(),
        grant.external_id.as_bytes(),
        grant.entitlement_id.as_bytes(),
        grant.principal_type.as_bytes(),
        grant.principal_id.as_bytes(),
        &grant.payload,
    ];
    let mut record = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        record.push(at as u8 + 1);
        let mut len = field.len();
        while len > 127 {
            record.push((len % 128 + 128) as u8);
            len /= 128;
        }
        record.push(len as u8);
        record.extend(*field);
    }
    record
}

/// Decodes base 62 in limbs of 32 bits, low limb first.
fn sync_bytes(id: &str) -> Vec<u8> {
    const DIGITS: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut limbs = [0u32; 5];
    for digit in id.chars() {
        let mut carry = DIGITS.find(digit).expect("a digit") as u64;
        for limb in &mut limbs {
            carry += u64::from(*limb) * 62;
            *limb = carry as u32;
            carry >>= 32;
        }
    }
    limbs.iter().rev().flat_map(|l| l.to_be_bytes()).collect()
}

/// Returns the CRC-32 of some bytes, bit by bit.
pub fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let low = crc & 1;
            crc >>= 1;
            if low == 1 {
                crc ^= 0xedb8_8320;
            }
        }
    }
    !crc
}
