//! The command line: one file for each command. The only place for printing, the clock and `anyhow`.
//!
//! stdout is the report, stderr is talk. It must never print a credential.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

use crate::exit::Exit;

mod accounts;
mod audit;
mod collect;
mod demo;
mod files;
mod generate;
mod iam;
mod outputs;
mod page;
mod permissions;
mod policy;
#[cfg(feature = "aws")]
mod progress;
mod sources;
mod who_can;
mod why;

/// Will a recoverable copy of your documents in S3 survive? Policies say what must hold; lastcopy reads the live accounts,
/// judges and reports.
#[derive(Debug, Parser)]
#[command(name = "lastcopy", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct App {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

const EXIT_CODES: &str = "\
Exit codes: 0 compliant (or waived) · 1 open failures · 2 usage or policy error · 3 incomplete: something could not be
judged · 4 could not work: no account could be read, or a file could not be read or written";

/// Flags of every command.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Talk")]
struct Global {
    /// Colours: on a terminal, always or never (NO_COLOR is honoured)
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    color: Color,
    /// Only the report and errors: no progress, no notes
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Say more on stderr; nothing secret is ever said
    #[arg(long, short, global = true)]
    verbose: bool,
    /// A value for a parameter of the policies; it outweighs theirs. Repeatable
    #[arg(long, global = true, value_name = "NAME=VALUE", help_heading = "Policies")]
    set: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read the accounts, judge them by the policies and report: the main job
    Audit(Box<audit::Audit>),
    /// Read the accounts and keep what was seen in a snapshot file, to be judged later or elsewhere
    Collect(collect::Collect),
    /// Print the exact IAM policy document that a policy's audit needs
    Permissions(permissions::Permissions),
    /// Check policies, print their schema, explain checks
    Policy(policy::Policy),
    /// Who may do this to that bucket, object or other resource, and by which statement
    WhoCan(Box<who_can::WhoCan>),
    /// Why one principal may or may not, statement by statement
    Why(Box<why::Why>),
    /// The IAM engine by hand: decide requests that come as JSON Lines
    Iam(iam::Iam),
    /// The demo accounts
    #[cfg(feature = "demo")]
    Demo(demo::Demo),
    /// Print shell completions
    Completions(generate::Completions),
    /// Print the man page
    Man,
}

#[cfg(feature = "demo")]
pub(crate) use generate::reference;

/// An error that ends a command.
#[derive(Debug, thiserror::Error)]
enum Failed {
    /// Exit 2.
    #[error("{0}")]
    Usage(String),
    /// Exit 2; already rendered.
    #[error("{0}")]
    Policy(String),
    /// Exit 4.
    #[error("{0:#}")]
    Work(#[from] anyhow::Error),
}

/// Runs the command line and returns its exit code.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|info| {
        // Only the place: a message could hold what was being read.
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(io::stderr(), "error: lastcopy met a bug at {place}; nothing was written to any account");
    }));
    let app = match App::try_parse() {
        Ok(app) => app,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::Usage.code() } else { Exit::Compliant.code() });
        }
    };
    app.global.color.apply();
    let global = app.global;
    let done = std::panic::catch_unwind(|| match app.command {
        Command::Audit(audit) => audit.run(&global),
        Command::Collect(collect) => collect.run(&global),
        Command::Permissions(permissions) => permissions.run(&global),
        Command::Policy(policy) => policy.run(&global),
        Command::WhoCan(who_can) => who_can.run(&global),
        Command::Why(why) => why.run(&global),
        Command::Iam(iam) => iam.run(&global),
        #[cfg(feature = "demo")]
        Command::Demo(demo) => demo.run(&global),
        Command::Completions(completions) => completions.run(),
        Command::Man => generate::man(),
    });
    let exit = match done {
        Ok(Ok(exit)) => exit,
        Ok(Err(failed)) => {
            if is_broken_pipe(&failed) {
                return ExitCode::from(Exit::Compliant.code());
            }
            let mut err = anstream::stderr();
            let (text, exit) = match &failed {
                Failed::Usage(text) => (plain(&format!("error: {text}")), Exit::Usage),
                Failed::Policy(text) => (text.trim_end().to_owned(), Exit::Usage),
                Failed::Work(error) => (plain(&format!("error: {error:#}")), Exit::CouldNotWork),
            };
            let _ = writeln!(err, "{text}");
            exit
        }
        Err(_) => Exit::CouldNotWork,
    };
    ExitCode::from(exit.code())
}

/// Every line with its unsafe characters shown.
fn plain(text: &str) -> String {
    text.split('\n').map(crate::visible::visible).collect::<Vec<_>>().join("\n")
}

fn is_broken_pipe(failed: &Failed) -> bool {
    let Failed::Work(error) = failed else { return false };
    error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

impl Color {
    fn apply(self) {
        match self {
            Self::Auto => {}
            Self::Always => anstream::ColorChoice::Always.write_global(),
            Self::Never => anstream::ColorChoice::Never.write_global(),
        }
    }

    /// Whether a stream that may be a terminal gets colours.
    fn on(self, terminal: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }
}

impl Global {
    /// Talk on stderr. What comes from AWS or the command line is data: it moves no cursor.
    fn say(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr(), "{}", plain(text));
        }
    }

    /// Diagnostics, which are rendered and safe already.
    fn say_rendered(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }

    fn stderr_colors(&self) -> bool {
        self.color.on(io::stderr().is_terminal())
    }
}

/// The command tree, for generated documents.
fn command() -> clap::Command {
    App::command()
}

/// The clock of the command line.
fn wall() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
