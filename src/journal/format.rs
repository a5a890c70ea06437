//! The lines of a journal: how an event becomes one, and how one is read back.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{Event, ExperimentId, SessionId};

/// The journal format that this version writes, and the only major format that it reads.
pub const FORMAT: u64 = 1;

/// The first line of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The session.
    pub session: SessionId,
    /// The program that began the journal, with its version.
    pub created_by: String,
}

#[derive(Serialize, Deserialize)]
struct HeaderLine<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    format: u64,
    created_by: Cow<'a, str>,
    session: SessionId,
}

/// The part of a header that every format, past and future, has.
#[derive(Deserialize)]
struct HeaderProbe<'a> {
    #[serde(rename = "type")]
    kind: Cow<'a, str>,
    format: u64,
    #[serde(default)]
    created_by: Cow<'a, str>,
}

/// What a first line turned out to be.
pub(super) enum ReadHeader {
    Ours(Header),
    Other { format: u64, created_by: String },
}

impl Header {
    /// Renders the line, with its newline.
    pub(super) fn line(&self) -> Result<Vec<u8>, serde_json::Error> {
        let created_by = Cow::Borrowed(self.created_by.as_str());
        let mut line =
            serde_json::to_vec(&HeaderLine { kind: "journal", format: FORMAT, created_by, session: self.session })?;
        line.push(b'\n');
        Ok(line)
    }

    /// Reads the line, without its newline.
    pub(super) fn read(line: &[u8]) -> Result<ReadHeader, serde_json::Error> {
        let probe: HeaderProbe<'_> = serde_json::from_slice(line)?;
        if probe.kind != "journal" {
            return Err(serde::de::Error::custom("its type is not \"journal\""));
        }
        if probe.format != FORMAT {
            return Ok(ReadHeader::Other { format: probe.format, created_by: probe.created_by.into_owned() });
        }
        let header: HeaderLine<'_> = serde_json::from_slice(line)?;
        Ok(ReadHeader::Ours(Self { session: header.session, created_by: header.created_by.into_owned() }))
    }
}

/// What every event line has, whatever its type.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Cow<'a, str>,
    pub(super) at: Timestamp,
    #[serde(default)]
    pub(super) experiment: Option<ExperimentId>,
}

/// Tells the two ends of a phase apart.
#[derive(Deserialize)]
struct PhaseState<'a> {
    #[serde(borrow)]
    state: Cow<'a, str>,
}

/// Returns the `type` that an event's line has.
pub fn kind(event: &Event) -> &'static str {
    match event {
        Event::Configured(_) => "config",
        Event::Calibrated(_) => "calibrated",
        Event::Proposed(_) => "proposed",
        Event::Screened(_) => "screened",
        Event::PhaseStarted(_) | Event::PhaseEnded(_) => "phase",
        Event::Pair(_) => "pair",
        Event::Decided(_) => "decided",
        Event::Run(_) => "run",
        Event::Undone(_) => "undone",
        Event::Validated(_) => "validated",
        Event::Resumed(_) => "resumed",
        Event::Recovered(_) => "recovered",
        Event::IdeaEdited(_) => "idea_edit",
        Event::SandboxApplied(_) => "sandbox",
        Event::Inventoried(_) => "inventory",
        Event::Waiting(_) => "waiting",
        Event::ProposalFailed(_) => "proposal_failed",
        Event::HookRan(_) => "hook",
        Event::Rebased(_) => "rebased",
        Event::Reviewed(_) => "reviewed",
        Event::Finalized(_) => "finalized",
        Event::Imported(_) => "imported",
        Event::ImportedSegment(_) => "imported_segment",
        Event::ImportedRun(_) => "imported_run",
        Event::Note(_) => "note",
        Event::Stopped(_) => "stopped",
    }
}

/// Every `type` that this version reads.
const KINDS: [&str; 26] = [
    "pair",
    "phase",
    "proposed",
    "screened",
    "decided",
    "run",
    "config",
    "calibrated",
    "undone",
    "validated",
    "resumed",
    "recovered",
    "idea_edit",
    "sandbox",
    "inventory",
    "waiting",
    "proposal_failed",
    "hook",
    "rebased",
    "reviewed",
    "finalized",
    "imported",
    "imported_segment",
    "imported_run",
    "note",
    "stopped",
];

/// Keeps a type's name: the known ones cost nothing.
pub(super) fn intern(kind: &str) -> Cow<'static, str> {
    match KINDS.iter().find(|known| **known == kind) {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(kind.to_owned()),
    }
}

/// Appends an event's line, with its newline, to a buffer.
///
/// The payload's own object is spliced into the envelope: its opening brace becomes the comma after the envelope.
pub fn encode(
    out: &mut Vec<u8>,
    at: Timestamp,
    experiment: Option<ExperimentId>,
    event: &Event,
) -> Result<(), serde_json::Error> {
    out.extend_from_slice(format!(r#"{{"type":"{}","at":"{at}""#, kind(event)).as_bytes());
    if let Some(experiment) = experiment {
        out.extend_from_slice(format!(r#","experiment":{experiment}"#).as_bytes());
    }
    match event {
        Event::PhaseStarted(_) => out.extend_from_slice(br#","state":"started""#),
        Event::PhaseEnded(_) => out.extend_from_slice(br#","state":"ended""#),
        _ => {}
    }
    let brace = out.len();
    write_payload(out, event)?;
    out[brace] = b',';
    out.push(b'\n');
    Ok(())
}

fn write_payload(out: &mut Vec<u8>, event: &Event) -> Result<(), serde_json::Error> {
    match event {
        Event::Configured(e) => serde_json::to_writer(out, e),
        Event::Calibrated(e) => serde_json::to_writer(out, e),
        Event::Proposed(e) => serde_json::to_writer(out, e),
        Event::Screened(e) => serde_json::to_writer(out, e),
        Event::PhaseStarted(e) => serde_json::to_writer(out, e),
        Event::PhaseEnded(e) => serde_json::to_writer(out, e),
        Event::Pair(e) => serde_json::to_writer(out, e),
        Event::Decided(e) => serde_json::to_writer(out, e),
        Event::Run(e) => serde_json::to_writer(out, e),
        Event::Undone(e) => serde_json::to_writer(out, e),
        Event::Validated(e) => serde_json::to_writer(out, e),
        Event::Resumed(e) => serde_json::to_writer(out, e),
        Event::Recovered(e) => serde_json::to_writer(out, e),
        Event::IdeaEdited(e) => serde_json::to_writer(out, e),
        Event::SandboxApplied(e) => serde_json::to_writer(out, e),
        Event::Inventoried(e) => serde_json::to_writer(out, e),
        Event::Waiting(e) => serde_json::to_writer(out, e),
        Event::ProposalFailed(e) => serde_json::to_writer(out, e),
        Event::HookRan(e) => serde_json::to_writer(out, e),
        Event::Rebased(e) => serde_json::to_writer(out, e),
        Event::Reviewed(e) => serde_json::to_writer(out, e),
        Event::Finalized(e) => serde_json::to_writer(out, e),
        Event::Imported(e) => serde_json::to_writer(out, e),
        Event::ImportedSegment(e) => serde_json::to_writer(out, e),
        Event::ImportedRun(e) => serde_json::to_writer(out, e),
        Event::Note(e) => serde_json::to_writer(out, e),
        Event::Stopped(e) => serde_json::to_writer(out, e),
    }
}

/// Reads the payload of a line of this type; `None` where the type is not known.
pub(super) fn decode(kind: &str, line: &str) -> Result<Option<Event>, serde_json::Error> {
    Ok(Some(match kind {
        "config" => Event::Configured(serde_json::from_str(line)?),
        "calibrated" => Event::Calibrated(serde_json::from_str(line)?),
        "proposed" => Event::Proposed(serde_json::from_str(line)?),
        "screened" => Event::Screened(serde_json::from_str(line)?),
        "phase" => return decode_phase(line),
        "pair" => Event::Pair(serde_json::from_str(line)?),
        "decided" => Event::Decided(serde_json::from_str(line)?),
        "run" => Event::Run(serde_json::from_str(line)?),
        "undone" => Event::Undone(serde_json::from_str(line)?),
        "validated" => Event::Validated(serde_json::from_str(line)?),
        "resumed" => Event::Resumed(serde_json::from_str(line)?),
        "recovered" => Event::Recovered(serde_json::from_str(line)?),
        "idea_edit" => Event::IdeaEdited(serde_json::from_str(line)?),
        "sandbox" => Event::SandboxApplied(serde_json::from_str(line)?),
        "inventory" => Event::Inventoried(serde_json::from_str(line)?),
        "waiting" => Event::Waiting(serde_json::from_str(line)?),
        "proposal_failed" => Event::ProposalFailed(serde_json::from_str(line)?),
        "hook" => Event::HookRan(serde_json::from_str(line)?),
        "rebased" => Event::Rebased(serde_json::from_str(line)?),
        "reviewed" => Event::Reviewed(serde_json::from_str(line)?),
        "finalized" => Event::Finalized(serde_json::from_str(line)?),
        "imported" => Event::Imported(serde_json::from_str(line)?),
        "imported_segment" => Event::ImportedSegment(serde_json::from_str(line)?),
        "imported_run" => Event::ImportedRun(serde_json::from_str(line)?),
        "note" => Event::Note(serde_json::from_str(line)?),
        "stopped" => Event::Stopped(serde_json::from_str(line)?),
        _ => return Ok(None),
    }))
}

fn decode_phase(line: &str) -> Result<Option<Event>, serde_json::Error> {
    let PhaseState { state } = serde_json::from_str(line)?;
    Ok(match state.as_ref() {
        "started" => Some(Event::PhaseStarted(serde_json::from_str(line)?)),
        "ended" => Some(Event::PhaseEnded(serde_json::from_str(line)?)),
        _ => None,
    })
}
