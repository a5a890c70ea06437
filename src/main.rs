//! The `autoresearch` program: hands the command line to the library and returns its exit code.

fn main() {
    // First of all: the command line of a supervisor is nobody else's.
    if let Some(code) = autoresearch::process::supervisor_main(std::env::args_os()) {
        std::process::exit(code);
    }
}
