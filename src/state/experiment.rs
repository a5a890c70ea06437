//! What the fold keeps of one experiment: a small fixed record of a settled one, and all of the unfinished one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    Axis, Decided, Effect, ExperimentId, Flag, ObjectId, PatchId, Proposed, Reason, Review, RunSummary, Screened,
    Status,
};

/// Longest description and idea kept of a settled experiment, in bytes; the journal has the whole text.
pub(super) const TEXT_MAX: usize = 96;

/// A set of [`Flag`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FlagSet(u8);

impl FlagSet {
    const ALL: [Flag; 4] = [Flag::SentinelUnresolved, Flag::MechanismUnconfirmed, Flag::Undone, Flag::RebuildDue];

    fn bit(flag: Flag) -> u8 {
        match flag {
            Flag::SentinelUnresolved => 1,
            Flag::MechanismUnconfirmed => 2,
            Flag::Undone => 4,
            Flag::RebuildDue => 8,
        }
    }

    pub(super) fn insert(&mut self, flag: Flag) {
        self.0 |= Self::bit(flag);
    }

    pub(super) fn remove(&mut self, flag: Flag) {
        self.0 &= !Self::bit(flag);
    }

    /// Says whether a flag is in the set.
    pub fn contains(self, flag: Flag) -> bool {
        self.0 & Self::bit(flag) != 0
    }

    /// Returns the flags of the set.
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Self::ALL.into_iter().filter(move |flag| self.contains(*flag))
    }
}

/// An object id in its 20 bytes: a third of what its text takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ObjectId", into = "ObjectId")]
pub(super) struct PackedId([u8; 20]);

impl PackedId {
    pub(super) fn new(id: &ObjectId) -> Self {
        let mut packed = [0; 20];
        for (byte, pair) in packed.iter_mut().zip(id.as_str().as_bytes().chunks_exact(2)) {
            *byte = (digit(pair[0]) << 4) | digit(pair[1]);
        }
        Self(packed)
    }

    pub(super) fn unpack(self) -> ObjectId {
        let mut text = String::with_capacity(40);
        for byte in self.0 {
            text.extend([char::from(HEX[usize::from(byte >> 4)]), char::from(HEX[usize::from(byte & 15)])]);
        }
        ObjectId::new(text).unwrap_or_else(|_| unreachable!("20 bytes are 40 lower-case hexadecimal digits"))
    }
}

impl From<ObjectId> for PackedId {
    fn from(id: ObjectId) -> Self {
        Self::new(&id)
    }
}

impl From<PackedId> for ObjectId {
    fn from(id: PackedId) -> Self {
        id.unpack()
    }
}

/// The digits of an object id.
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Returns the value of a digit that [`ObjectId`] has checked.
fn digit(hex: u8) -> u8 {
    if hex.is_ascii_digit() { hex - b'0' } else { hex - b'a' + 10 }
}

/// The effect of a settled experiment as `log` shows it, on the decision scale (above 0 is better).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EffectSummary {
    /// Reported gain.
    pub gain: f64,
    /// Lower limit of its interval.
    pub low: f64,
    /// Upper limit of its interval.
    pub high: f64,
    /// Complete pairs behind it.
    pub pairs: u32,
    /// Natural logarithm of the evidence; `None` where pairs were compared plainly.
    pub ln_e: Option<f64>,
    /// Which primary it is of: 0 is the primary, 1 the first co-primary.
    pub of: u32,
}

impl EffectSummary {
    fn new(effect: &Effect, of: u32) -> Self {
        let Effect { gain, low, high, pairs, ln_e, .. } = *effect;
        Self { gain, low, high, pairs, ln_e, of }
    }
}

/// A settled experiment: what `log` and resume need of it, in at most about 400 bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExperimentRecord {
    /// Its number; 0 is the baseline.
    pub id: ExperimentId,
    /// What was done.
    pub status: Status,
    /// Why.
    pub reason: Reason,
    /// Remarks on a keep, `undone` among them.
    pub flags: FlagSet,
    /// Whether it reached the build, and so counts as an iteration.
    pub iteration: bool,
    /// Whether it was measured, and so spent an index of the alpha epoch.
    pub measured: bool,
    /// Number of its segment.
    pub segment: u32,
    /// The inconclusive experiment that it went on with.
    pub resumes: Option<ExperimentId>,
    /// What a person decided about it.
    pub review: Option<Review>,
    /// Milliseconds since 1970 (UTC).
    pub timestamp: i64,
    /// Median of the primary over the candidate's runs, in the metric's unit.
    pub metric: Option<f64>,
    /// The primary's effect.
    pub effect: Option<EffectSummary>,
    /// One line, cut at 96 bytes.
    pub description: Box<str>,
    /// The idea that it tried, cut at 96 bytes.
    pub idea: Option<Box<str>>,
    /// The settings that it tried a value of.
    pub axes: Box<[Axis]>,
    commit: PackedId,
    tip: PackedId,
    patch_id: Option<PackedId>,
    patch_key: Option<PatchKey>,
}

impl ExperimentRecord {
    /// Returns the kept commit, else the tip that it was measured against.
    pub fn commit(&self) -> ObjectId {
        self.commit.unpack()
    }

    /// Returns the tip that it was measured against.
    pub fn tip(&self) -> ObjectId {
        self.tip.unpack()
    }

    /// Returns the patch's stable id, where it applied.
    pub fn patch_id(&self) -> Option<PatchId> {
        self.patch_id.map(|id| PatchId(id.unpack()))
    }

    /// Says whether it is a keep that was committed (not only judged) and still stands.
    pub fn stands(&self) -> bool {
        self.status == Status::Keep && self.commit != self.tip && !self.flags.contains(Flag::Undone)
    }

    /// Says whether it tried an idea, by the name that its proposal gave it, whatever the case.
    pub fn tried_idea(&self, idea: &str) -> bool {
        self.idea.as_ref().is_some_and(|tried| tried.trim().eq_ignore_ascii_case(cut(idea.trim()).trim()))
    }

    pub(super) fn is_patch_on(&self, patch: PackedId, tip: PackedId) -> bool {
        self.patch_id == Some(patch) && self.tip == tip
    }

    pub(super) fn has_key(&self, key: PatchKey) -> bool {
        self.patch_key == Some(key)
    }

    pub(super) fn settle(run: &RunSummary, unfinished: Option<&Unfinished>) -> Self {
        let mut flags = FlagSet::default();
        run.flags.iter().for_each(|flag| flags.insert(*flag));
        let proposed = unfinished.map(|u| u.proposed.as_ref());
        Self {
            id: ExperimentId(run.run),
            status: run.status,
            reason: run.reason,
            flags,
            iteration: run.iteration,
            measured: run.measured,
            segment: run.segment,
            resumes: proposed.and_then(|p| p.resumes),
            review: None,
            timestamp: run.timestamp,
            metric: run.metric,
            effect: run.effect.as_ref().map(|effect| EffectSummary::new(effect, run.effect_of)),
            description: cut(&run.description),
            idea: proposed.and_then(|p| p.idea.as_deref()).map(cut),
            axes: proposed.map(|p| p.axes.clone().into_boxed_slice()).unwrap_or_default(),
            commit: PackedId::new(&run.commit),
            tip: PackedId::new(unfinished.map_or(&run.commit, Unfinished::tip)),
            patch_id: run.patch_id.as_ref().map(|id| PackedId::new(&id.0)),
            patch_key: proposed.and_then(|p| PatchKey::new(&p.patch_hash)),
        }
    }
}

/// The first 16 bytes of a patch's BLAKE3 hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PatchKey([u8; 16]);

impl PatchKey {
    /// Takes the key from the hash in hexadecimal digits; `None` where there are fewer than 32.
    pub(super) fn new(hash: &str) -> Option<Self> {
        let digits = hash.as_bytes().get(..32)?;
        if !digits.iter().all(|d| d.is_ascii_digit() || (b'a'..=b'f').contains(d)) {
            return None;
        }
        let mut key = [0; 16];
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = (digit(pair[0]) << 4) | digit(pair[1]);
        }
        Some(Self(key))
    }
}

pub(super) fn cut(text: &str) -> Box<str> {
    text[..text.floor_char_boundary(TEXT_MAX)].into()
}

/// An experiment that was proposed and has no `run` line: the one that a resumed session takes up again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unfinished {
    /// Its number.
    pub id: ExperimentId,
    /// When it was proposed.
    pub since: Timestamp,
    /// The proposal.
    pub proposed: Box<Proposed>,
    /// The screen's outcome, where it got so far.
    pub screened: Option<Box<Screened>>,
    /// The verdict that stands, where it got so far.
    pub decided: Option<Box<Decided>>,
}

impl Unfinished {
    /// Returns the tip that it is measured against: the verdict's, else the proposal's.
    pub fn tip(&self) -> &ObjectId {
        self.decided.as_ref().map_or(&self.proposed.tip, |d| &d.tip)
    }
}
