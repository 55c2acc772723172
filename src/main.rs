//! The `lastcopy` command.

fn main() -> std::process::ExitCode {
    lastcopy::cli::main()
}
