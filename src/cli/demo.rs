//! The demo: loopback accounts of a company in a mixed state, audited by a shipped policy through the real SDK.

#[cfg(feature = "demo")]
pub(super) use live::{AFTER, Demo, collect, collect_wants};

#[cfg(feature = "demo")]
mod live {
    use std::collections::BTreeMap;
    use std::io::Write;
    use std::path::PathBuf;

    use anyhow::Context;
    use clap::{Args, Subcommand};
    use lastcopy_demo::{EXTERNAL_ID, NOW, OFFSITE_KEY, Options, PRODUCTION_KEY, Running, Server, company};

    use crate::aws::session::Connection;
    use crate::cli::accounts::{Accounts, runtime};
    use crate::cli::{Failed, Global, files};
    use crate::demand::Want;
    use crate::estate::AccountKey;
    use crate::exit::Exit;
    use crate::policy::Policy;
    use crate::policy::source::SourceFile;
    use crate::snapshot::Snapshot;

    const POLICY: &str = include_str!("../../policies/demo.yaml");

    /// Said after the demo's report.
    pub(in crate::cli) const AFTER: &str = "
This was a demo: three accounts of an invented company, served on this machine and read through the AWS SDK.
Try next:
  lastcopy audit --demo --format json      the same for programs
  lastcopy policy explain                  what can be required
  lastcopy demo serve                      keep the demo accounts running, for any AWS client
  lastcopy audit my-policy.yaml            your own accounts, read only";

    /// The demo accounts.
    #[derive(Debug, Args)]
    pub(in crate::cli) struct Demo {
        #[command(subcommand)]
        command: Command,
    }

    #[derive(Debug, Subcommand)]
    enum Command {
        /// Keep the demo accounts running and print the environment that points any AWS client at them
        Serve {
            /// The port on 127.0.0.1; 0 takes a free one
            #[arg(long, default_value_t = 0)]
            port: u16,
        },
        /// Print the demo's policy, as a start for your own
        Policy,
    }

    impl Demo {
        pub(in crate::cli) fn run(&self, global: &Global) -> Result<Exit, Failed> {
            match self.command {
                Command::Serve { port } => serve(port, global),
                Command::Policy => {
                    write!(std::io::stdout(), "{POLICY}").context("cannot write the policy")?;
                    Ok(Exit::Compliant)
                }
            }
        }
    }

    async fn start(port: u16) -> Result<Running, Failed> {
        let server = Server::start(company(), Options { port, ..Options::default() }).await;
        Ok(server.with_context(|| format!("cannot listen on 127.0.0.1:{port}"))?)
    }

    fn serve(port: u16, global: &Global) -> Result<Exit, Failed> {
        let runtime = runtime()?;
        runtime.block_on(async {
            let running = start(port).await?;
            let (url, (id, secret), (off_id, off_secret)) = (running.url(), PRODUCTION_KEY, OFFSITE_KEY);
            let environment = format!(
                "export AWS_ENDPOINT_URL={url}\nexport AWS_ACCESS_KEY_ID={id}\nexport AWS_SECRET_ACCESS_KEY={secret}\n\
                 export AWS_REGION=eu-west-1\nunset AWS_SESSION_TOKEN AWS_PROFILE"
            );
            writeln!(std::io::stdout(), "{environment}").context("cannot write")?;
            global.say(&format!(
                "\nThese are demo accounts and demo credentials; they open nothing else.\n\
                 vault: assume arn:aws:iam::222222222222:role/lastcopy-audit with external id {EXTERNAL_ID}\n\
                 off-site provider: {url} with {off_id} / {off_secret}\nServing on {url}; Ctrl-C ends."
            ));
            tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
            running.stop().await;
            Ok(Exit::Compliant)
        })
    }

    fn demo_now() -> jiff::Timestamp {
        NOW.parse().unwrap_or_default()
    }

    /// Starts the demo accounts and reads them by the demo's policy, or by the policies given.
    pub(in crate::cli) fn collect(paths: &[PathBuf], accounts: &Accounts, global: &Global) -> Result<(Policy, Snapshot), Failed> {
        collect_wants(paths, accounts, global, &Policy::wants)
    }

    /// The same, and reads what the wants say.
    pub(in crate::cli) fn collect_wants(
        paths: &[PathBuf],
        accounts: &Accounts,
        global: &Global,
        wants: &dyn Fn(&Policy) -> Vec<Want>,
    ) -> Result<(Policy, Snapshot), Failed> {
        let policy = if paths.is_empty() {
            let file = SourceFile { path: "policies/demo.yaml".to_owned(), bytes: POLICY.as_bytes().to_vec() };
            files::checked(&[file], global)?.policy
        } else {
            files::policies(paths, global)?.policy
        };
        let runtime = runtime()?;
        let running = runtime.block_on(start(0))?;
        let to = |key: (&str, &str)| Connection {
            endpoint: Some(running.url()),
            credentials: Some((key.0.to_owned(), key.1.to_owned())),
            ..Connection::default()
        };
        let connections: BTreeMap<AccountKey, Connection> = policy
            .estate
            .accounts
            .iter()
            .map(|(key, account)| (key.clone(), to(if account.is_aws() { PRODUCTION_KEY } else { OFFSITE_KEY })))
            .collect();
        let mut snapshot = accounts.read_wants(&policy, &wants(&policy), connections, Some(demo_now), &runtime, global);
        // The port differs from run to run, and tells nobody anything.
        for record in snapshot.accounts.values_mut() {
            record.endpoint = Some("the demo on this machine".to_owned());
        }
        runtime.block_on(running.stop());
        runtime.shutdown_background();
        Ok((policy, snapshot))
    }
}
