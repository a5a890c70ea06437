//! `autoresearch report`: the whole session for who reviews it.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::cli::args::{Global, Report};
use crate::cli::error::CliError;
use crate::cli::gather;
use crate::cli::place::{Place, start};
use crate::cli::ui::Ui;
use crate::config::Overrides;
use crate::report::{html, markdown, report_json};

/// Writes the report: html into a file, markdown or JSON to standard output.
pub(in crate::cli) fn run(global: &Global, args: &Report, ui: &Ui) -> Result<u8, CliError> {
    let place = Place::find(global, &Overrides::default())?;
    let view = gather::overview(&place, ui)?;
    match &args.html {
        Some(file) if file == Path::new("-") => ui.print(&html::page(&view))?,
        Some(file) => {
            let path = start(global)?.join(file);
            let page = html::page(&view);
            write(&path, &page)?;
            ui.line(&format!("wrote {} ({} KB); it needs no other file", file.display(), page.len().div_ceil(1024)))?;
        }
        None if args.json => ui.rendered(report_json(&view))?,
        None => ui.print(&markdown::body(&view))?,
    }
    Ok(0)
}

/// Puts a file in place whole, with the mode of any new file.
fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let failed = |source| CliError::io("write", path, source);
    let folder = path.parent().unwrap_or(Path::new("."));
    let mode = Permissions::from_mode(0o666);
    let mut file = tempfile::Builder::new().permissions(mode).tempfile_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
