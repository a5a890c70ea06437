//! The record that callers store.

/// One grant: who holds which entitlement, as seen by one sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The 27-digit id of the sync that saw the grant.
    pub sync_id: String,
    /// The id of the grant, unique within its sync.
    pub external_id: String,
    /// The entitlement that is granted.
    pub entitlement_id: String,
    /// The type of the holder, such as `user` or `group`.
    pub principal_type: String,
    /// The id of the holder.
    pub principal_id: String,
    /// Whatever else the source said about the grant.
    pub payload: Vec<u8>,
}
