//! How accounts are reached, when the command line says otherwise than the policy.

use clap::Args;

/// Flags of commands that read live accounts.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Accounts")]
pub(super) struct Accounts {
    /// Reach an account in another way than the policy says: NAME=profile:X, NAME=role:ARN, NAME=endpoint:URL or
    /// NAME=ambient (the credentials of the environment). Repeatable
    #[arg(long = "account", value_name = "NAME=HOW")]
    pub(super) how: Vec<String>,
    /// Calls in flight at most, over all accounts; the time that a call spends in this process counts too
    #[arg(long, default_value_t = 80, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) concurrency: u16,
    /// Seconds to wait for one answer before trying again
    #[arg(long, default_value_t = 20, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..=600))]
    pub(super) timeout: u16,
}

#[cfg(feature = "aws")]
mod live {
    use std::collections::BTreeMap;
    use std::io::IsTerminal;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use anyhow::Context;

    use super::Accounts;
    use crate::aws::session::{Connection, Shared};
    use crate::cli::progress::Bar;
    use crate::cli::{Failed, Global, wall};
    use crate::collect::run::{Options, Stop, collect};
    use crate::demand::Want;
    use crate::estate::{AccountKey, Estate};
    use crate::policy::Policy;
    use crate::snapshot::Snapshot;

    impl Accounts {
        /// The connections that the flags name.
        pub(in crate::cli) fn connections(&self, estate: &Estate) -> Result<BTreeMap<AccountKey, Connection>, Failed> {
            let mut connections: BTreeMap<AccountKey, Connection> = BTreeMap::new();
            for flag in &self.how {
                let shown = flag.split_once('=').map_or("…", |(name, _)| name);
                let wrong = || {
                    let text =
                        format!("--account {shown}=…: write NAME=profile:X, NAME=role:ARN, NAME=endpoint:URL or NAME=ambient");
                    Failed::Usage(text)
                };
                let (name, how) = flag.split_once('=').ok_or_else(wrong)?;
                let key = AccountKey::new(name);
                if !estate.accounts.contains_key(&key) {
                    let known: Vec<&str> = estate.accounts.keys().map(AccountKey::as_str).collect();
                    return Err(Failed::Usage(format!(
                        "--account {name}=…: the policy has no account {name}; it has {}",
                        known.join(", ")
                    )));
                }
                let connection = connections.entry(key).or_default();
                match how.split_once(':') {
                    None if how == "ambient" => connection.ambient = true,
                    Some(("profile", profile)) if !profile.is_empty() => connection.profile = Some(profile.to_owned()),
                    Some(("role", arn)) if arn.starts_with("arn:") => connection.role_arn = Some(arn.to_owned()),
                    Some(("endpoint", url)) => {
                        // The same rules as in a policy; a URL may hold a password, so it is not said again.
                        if let Some(problem) = crate::policy::endpoint_problem(url) {
                            return Err(Failed::Usage(format!("--account {name}=endpoint:…: {problem}")));
                        }
                        connection.endpoint = Some(url.to_owned());
                    }
                    None | Some(_) => return Err(wrong()),
                }
            }
            Ok(connections)
        }

        /// Reads what the policy demands of the live accounts. Ctrl-C ends cleanly with what was read so far.
        pub(in crate::cli) fn read(
            &self,
            policy: &Policy,
            connections: BTreeMap<AccountKey, Connection>,
            clock: Option<fn() -> jiff::Timestamp>,
            runtime: &tokio::runtime::Runtime,
            global: &Global,
        ) -> Snapshot {
            self.read_wants(policy, &policy.wants(), connections, clock, runtime, global)
        }

        /// Reads these wants instead.
        pub(in crate::cli) fn read_wants(
            &self,
            policy: &Policy,
            wants: &[Want],
            connections: BTreeMap<AccountKey, Connection>,
            clock: Option<fn() -> jiff::Timestamp>,
            runtime: &tokio::runtime::Runtime,
            global: &Global,
        ) -> Snapshot {
            let mut shared = Shared::new(usize::from(self.concurrency));
            shared.attempt_timeout = Duration::from_secs(u64::from(self.timeout));
            shared.call_timeout = shared.attempt_timeout * 6;
            let options = Options {
                connections,
                shared,
                concurrency: usize::from(self.concurrency),
                policy_digest: Some(policy.digest.clone()),
                clock: clock.unwrap_or(wall),
            };
            let bar = Bar::new(!global.quiet && std::io::stderr().is_terminal());
            let stop = Arc::new(Stop::default());
            let snapshot = runtime.block_on(async {
                let (asked, say) = (stop.clone(), global.clone());
                let reading = Arc::new(AtomicBool::new(true));
                let still = reading.clone();
                tokio::spawn(async move {
                    interrupted().await;
                    if still.load(Ordering::Relaxed) {
                        say.say("interrupted: finishing with what was read so far (again to quit at once)");
                        asked.ask();
                        interrupted().await;
                    }
                    quit();
                });
                let snapshot = collect(wants, &policy.estate, &options, &bar, &stop).await;
                reading.store(false, Ordering::Relaxed);
                snapshot
            });
            bar.finish();
            if global.verbose {
                for (key, record) in &snapshot.accounts {
                    let state = match (&record.gap, &record.id) {
                        (Some(gap), _) => gap.to_string(),
                        (None, Some(id)) => format!("entered as {id}"),
                        (None, None) => "not run by AWS".to_owned(),
                    };
                    global.say(&format!("account {key}: {state}"));
                }
                for (call, times) in &snapshot.calls {
                    global.say(&format!("{times:>7} {call}"));
                }
            }
            snapshot
        }
    }

    /// Ctrl-C, or a request to terminate.
    async fn interrupted() {
        #[cfg(unix)]
        if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
        let _ = tokio::signal::ctrl_c().await;
    }

    #[expect(clippy::exit, reason = "asked for twice; nothing is being written, so nothing can be left half done")]
    fn quit() {
        std::process::exit(130);
    }

    /// The runtime of everything live.
    pub(in crate::cli) fn runtime() -> Result<tokio::runtime::Runtime, Failed> {
        let built = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        Ok(built.context("cannot start the asynchronous runtime")?)
    }
}

#[cfg(feature = "aws")]
pub(super) use live::runtime;
