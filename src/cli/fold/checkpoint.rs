//! A saved fold beside the journal, from which `status` goes on instead of reading the whole journal again.
//!
//! It is a cache: the journal stays the only truth. It counts only for a journal whose file, session, length and last
//! bytes before the saved place are those that it was made from, and only for the very version that wrote it; in every
//! other case it is passed over, and the journal is folded from its start. A journal is only ever appended to, so what
//! stands before those bytes is as it was. `log`, `show` and `report` never read it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Pass;
use crate::cli::night::Night;
use crate::domain::SessionId;
use crate::journal::{Position, Reader, Record};
use crate::report::{Claims, Lenses};
use crate::state::SessionState;

/// Changes with the meaning of what is saved, and with the fields of the records that the fold keeps of each experiment; the
/// fields that an empty fold has already are in [`shape`].
const FORMAT: u32 = 1;

/// Bytes before the saved place that must be the same.
const TAIL: u64 = 1 << 16;

/// Bytes of the journal that must have been folded for a new save; less is faster folded than saved.
const WORTH: u64 = 4 << 20;

/// What is saved; owned when it is read, borrowed when it is written.
#[derive(Serialize, Deserialize)]
struct Saved<State, Lenses, Claims, Night> {
    format: u32,
    version: String,
    shape: String,
    session: SessionId,
    file: (u64, u64),
    end: Position,
    tail: String,
    phase: Option<Position>,
    pair: Option<Position>,
    outside: Option<String>,
    lenses: Lenses,
    claims: Claims,
    night: Night,
    state: State,
}

/// Returns the saved pass and where it goes on; `None` where nothing is saved that fits the journal.
pub(super) fn load(journal: &Path, session: SessionId) -> Option<(Pass, Position)> {
    let text = fs::read(path(journal)).ok()?;
    let (hash, body) = text.split_at_checked(64)?;
    let body = body.strip_prefix(b"\n")?;
    if blake3::hash(body).to_hex().as_bytes() != hash {
        return None;
    }
    let saved: Saved<SessionState, BTreeMap<u32, Lenses>, Claims, Night> = serde_json::from_slice(body).ok()?;
    let fits = saved.format == FORMAT
        && saved.version == env!("CARGO_PKG_VERSION")
        && saved.shape == shape(session).ok()?
        && saved.session == session
        && saved.file == identity(journal).ok()?
        && saved.tail == tail(journal, saved.end.offset).ok()?;
    if !fits {
        return None;
    }
    let record = |position: Option<Position>| position.map_or(Some(None), |p| record_at(journal, p).map(Some));
    let (phase, pair) = (record(saved.phase)?, record(saved.pair)?);
    let Saved { state, lenses, claims, night, outside, end, .. } = saved;
    Some((Pass { state, lenses, claims, phase, pair, outside, night }, end))
}

/// Saves a pass that went on from an offset of the journal to a place, where that was far enough. That it cannot be saved
/// is nobody's concern: the next one folds from the start.
pub(super) fn save(journal: &Path, pass: &Pass, from: u64, end: Position) {
    if end.offset.saturating_sub(from) >= WORTH {
        let _ = write(journal, pass, end);
    }
}

fn write(journal: &Path, pass: &Pass, end: Position) -> io::Result<()> {
    let place = |record: &Option<Record>| record.as_ref().map(|record| record.position);
    let saved = Saved {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        shape: shape(pass.state.session())?,
        session: pass.state.session(),
        file: identity(journal)?,
        end,
        tail: tail(journal, end.offset)?,
        phase: place(&pass.phase),
        pair: place(&pass.pair),
        outside: pass.outside.clone(),
        lenses: &pass.lenses,
        claims: &pass.claims,
        night: &pass.night,
        state: &pass.state,
    };
    let body = serde_json::to_vec(&saved)?;
    let mut file = tempfile::NamedTempFile::new_in(journal.parent().unwrap_or(Path::new(".")))?;
    file.write_all(blake3::hash(&body).to_hex().as_bytes())?;
    file.write_all(b"\n")?;
    file.write_all(&body)?;
    file.persist(path(journal)).map_err(|error| error.error)?;
    Ok(())
}

/// Hashes a fold of nothing: with a field more or less it is another, so that a save of another build is passed over.
fn shape(session: SessionId) -> io::Result<String> {
    let nothing = (SessionState::new(session), BTreeMap::<u32, Lenses>::new(), Claims::default(), Night::default());
    Ok(blake3::hash(&serde_json::to_vec(&nothing)?).to_hex().to_string())
}

/// Returns where the fold of a journal is saved.
fn path(journal: &Path) -> PathBuf {
    journal.with_file_name("fold.cache")
}

/// Returns device and number of the journal's file: an editor that writes a file anew makes another one.
fn identity(journal: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(journal).map(|meta| (meta.dev(), meta.ino()))
}

/// Hashes the last bytes before a place; fails where the file ends before it.
fn tail(journal: &Path, end: u64) -> io::Result<String> {
    let mut file = File::open(journal)?;
    let start = end.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(end - start).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != end - start {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(blake3::hash(&bytes).to_hex().to_string())
}

fn record_at(journal: &Path, position: Position) -> Option<Record> {
    Reader::open(journal).ok()?.records_from(position).ok()?.next()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fold::{Folded, fold, fold_on};
    use crate::journal::sample;

    fn status_of(folded: &Folded) -> String {
        format!("{folded:?}")
    }

    /// A journal long enough to be worth a save, cut in the middle of an experiment and then written on.
    fn long_journal(folder: &Path) -> (PathBuf, String) {
        let path = folder.join("journal.jsonl");
        let mut whole = Vec::new();
        sample::write(&mut whole, 700).unwrap();
        (path, String::from_utf8(whole).unwrap())
    }

    fn first_lines(text: &str, lines: usize) -> &str {
        let end = text.match_indices('\n').nth(lines - 1).unwrap().0;
        &text[..=end]
    }

    #[test]
    fn a_fold_that_goes_on_from_a_saved_one_is_the_fold_of_the_whole_journal() {
        let folder = tempfile::tempdir().unwrap();
        let (path, whole) = long_journal(folder.path());
        for (lines, more) in [(3 + 18 * 600 + 9, 3 + 18 * 600 + 13), (3 + 18 * 620 + 5, 3 + 18 * 640), (11_900, 12_003)]
        {
            let _ = fs::remove_file(folder.path().join("fold.cache"));
            fs::write(&path, first_lines(&whole, lines)).unwrap();
            fold_on(&path).unwrap();
            assert!(folder.path().join("fold.cache").exists());
            let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
            let rest = &first_lines(&whole, more)[first_lines(&whole, lines).len()..];
            file.write_all(rest.as_bytes()).unwrap();
            let session = sample::session();
            let (_, from) = load(&path, session).expect("what was saved fits");
            assert_eq!(from.line, lines as u64 + 1);
            let (on, anew) = (fold_on(&path).unwrap().unwrap(), fold(&path).unwrap().unwrap());
            assert_eq!(status_of(&on), status_of(&anew));
        }
    }

    #[test]
    fn a_saved_fold_counts_only_for_the_journal_that_it_was_made_from() {
        let folder = tempfile::tempdir().unwrap();
        let (path, whole) = long_journal(folder.path());
        let cache = folder.path().join("fold.cache");
        let session = sample::session();
        let saved = |text: &str| {
            fs::write(&path, text).unwrap();
            let _ = fs::remove_file(&cache);
            fold_on(&path).unwrap();
            assert!(load(&path, session).is_some());
        };
        saved(&whole);
        fs::write(&path, first_lines(&whole, 9000)).unwrap();
        assert!(load(&path, session).is_none(), "a shorter journal");
        saved(&whole);
        let other = whole.rfind("no_effect").unwrap();
        fs::write(&path, format!("{}regressed{}", &whole[..other], &whole[other + 9..])).unwrap();
        assert!(load(&path, session).is_none(), "another last experiment");
        saved(&whole);
        fs::rename(&path, folder.path().join("old")).unwrap();
        fs::write(&path, &whole).unwrap();
        assert!(load(&path, session).is_none(), "another file");
        saved(&whole);
        let mut bytes = fs::read(&cache).unwrap();
        *bytes.last_mut().unwrap() = b' ';
        fs::write(&cache, bytes).unwrap();
        assert!(load(&path, session).is_none(), "a damaged save");
        saved(&whole);
        let bytes = fs::read_to_string(&cache).unwrap();
        let body = bytes.split_once('\n').unwrap().1.replacen(&shape(session).unwrap(), &"0".repeat(64), 1);
        fs::write(&cache, format!("{}\n{body}", blake3::hash(body.as_bytes()).to_hex())).unwrap();
        assert!(load(&path, session).is_none(), "the save of a build whose fold has other fields");
        fs::write(&cache, "").unwrap();
        assert!(fold_on(&path).unwrap().is_some(), "an empty save is passed over");
        assert!(load(&path, SessionId(uuid::Uuid::nil())).is_none(), "another session");
    }

    #[test]
    fn a_short_journal_is_folded_and_nothing_is_saved() {
        let folder = tempfile::tempdir().unwrap();
        let (path, whole) = long_journal(folder.path());
        fs::write(&path, first_lines(&whole, 30)).unwrap();
        fold_on(&path).unwrap();
        assert!(!folder.path().join("fold.cache").exists());
    }
}
