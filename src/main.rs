//! The `autoresearch` program: hands the command line to the library and returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = autoresearch::process::supervisor_main(std::env::args_os()) {
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    autoresearch::cli::main()
}
