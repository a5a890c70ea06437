//! The knobs of a sweep in a tree: their values, and the files of a tree in which they have others.

use std::collections::BTreeMap;

use crate::domain::{Axis, KNOBS_FILE, KnobPlace, ObjectId, Sweep};
use crate::engine::EngineError;
use crate::engine::workbench::join;
use crate::propose::sweep::{KnobFileError, KnobValues, Point, Values, read_value, with_value};

/// Reads a file of a tree, by its path relative to the repository root; `None` where there is none.
pub(super) type ReadFile<'a> = &'a dyn Fn(&str) -> Result<Option<Vec<u8>>, EngineError>;

/// A sweep, and the folder that its files are relative to.
pub(super) struct Knobs {
    folder: String,
    sweep: Sweep,
}

/// What a point changes.
pub(super) struct Change {
    /// The knobs and values.
    pub axes: Vec<Axis>,
    /// The same in words.
    pub description: String,
    /// The files, by their paths relative to the repository root.
    pub contents: BTreeMap<String, Vec<u8>>,
}

impl Knobs {
    pub(super) fn new(folder: &str, sweep: &Sweep) -> Self {
        Self { folder: folder.to_owned(), sweep: sweep.clone() }
    }

    pub(super) fn sweep(&self) -> &Sweep {
        &self.sweep
    }

    /// Returns the path of a file knob's file, relative to the repository root; `None` for other knobs.
    pub(super) fn path(&self, knob: usize) -> Option<String> {
        match &self.sweep.knobs[knob].place {
            KnobPlace::File { file, .. } => Some(join(&self.folder, file)),
            KnobPlace::Env { .. } | KnobPlace::Arg { .. } => None,
        }
    }

    /// Reads the values that the knobs have at a commit.
    pub(super) fn values_at(&self, commit: &ObjectId, read: ReadFile<'_>) -> Result<Values, EngineError> {
        let kept = self.kept(read)?;
        let value = |knob: &crate::domain::Knob| match &knob.place {
            KnobPlace::File { file, pattern } => {
                let path = join(&self.folder, file);
                let bytes = existing(&knob.name, &path, commit, read)?;
                Ok(Some(read_value((&knob.name, &path, pattern), &bytes)?))
            }
            KnobPlace::Env { .. } | KnobPlace::Arg { .. } => {
                Ok(kept.get(&knob.name).map(str::to_owned).or_else(|| knob.default.clone()))
            }
        };
        self.sweep.knobs.iter().map(value).collect()
    }

    /// Fails where a value of a file knob would not be found again in its file.
    pub(super) fn check_values(&self, commit: &ObjectId, read: ReadFile<'_>) -> Result<(), EngineError> {
        for knob in &self.sweep.knobs {
            let KnobPlace::File { file, pattern } = &knob.place else { continue };
            let path = join(&self.folder, file);
            let bytes = existing(&knob.name, &path, commit, read)?;
            for value in &knob.values {
                with_value((&knob.name, &path, pattern), &bytes, value)?;
            }
        }
        Ok(())
    }

    /// Returns what a point changes where the knobs have the present values.
    pub(super) fn change(
        &self,
        point: &Point,
        present: &[Option<String>],
        read: ReadFile<'_>,
    ) -> Result<Change, EngineError> {
        let mut change = Change { axes: Vec::new(), description: String::new(), contents: BTreeMap::new() };
        let mut kept = self.kept(read)?;
        let mut words = Vec::new();
        for (place, (knob, value)) in self.sweep.knobs.iter().zip(&point.0).enumerate() {
            let Some(value) = value.as_ref().filter(|_| !point.only(place).is_at(present)) else { continue };
            match &knob.place {
                KnobPlace::File { file, pattern } => {
                    let path = join(&self.folder, file);
                    let edited = change.contents.remove(&path);
                    let before = edited.map_or_else(|| Ok(read(&path)?.unwrap_or_default()), Ok::<_, EngineError>)?;
                    let after = with_value((&knob.name, &path, pattern), &before, value)?;
                    change.contents.insert(path, after);
                }
                KnobPlace::Env { .. } | KnobPlace::Arg { .. } => {
                    kept.insert(&knob.name, value);
                    change.contents.insert(self.kept_path(), kept.render());
                }
            }
            let before = present[place].as_deref().map_or_else(|| "not set".to_owned(), |was| format!("was {was}"));
            words.push(format!("{} = {value} ({before})", knob.name));
            change.axes.push(Axis { name: knob.name.clone(), value: value.clone() });
        }
        change.description = words.join(", ");
        Ok(change)
    }

    fn kept_path(&self) -> String {
        join(&self.folder, KNOBS_FILE)
    }

    /// Reads the kept values of environment and argument knobs, where the sweep has such knobs.
    fn kept(&self, read: ReadFile<'_>) -> Result<KnobValues, EngineError> {
        if !self.sweep.knobs.iter().any(|knob| knob.place.is_of_command()) {
            return Ok(KnobValues::default());
        }
        let path = self.kept_path();
        Ok(KnobValues::parse(&path, read(&path)?.as_deref())?)
    }
}

fn existing(knob: &str, path: &str, commit: &ObjectId, read: ReadFile<'_>) -> Result<Vec<u8>, EngineError> {
    let missing =
        || KnobFileError::NoFile { knob: knob.to_owned(), file: path.to_owned(), commit: commit.short().to_owned() };
    Ok(read(path)?.ok_or_else(missing)?)
}
