//! Runs the binary in a scrubbed environment against demo servers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lastcopy_demo::{Fault, OFFSITE_KEY, Options, PRODUCTION_KEY, Running, Server, World, company};
use serde_json::Value;

/// A command in a scratch folder, without anything of the caller's environment that could change its result.
pub(crate) fn lastcopy(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lastcopy"));
    command.env_clear();
    for keep in ["PATH", "LD_LIBRARY_PATH", "TMPDIR"] {
        if let Some(value) = std::env::var_os(keep) {
            command.env(keep, value);
        }
    }
    command.current_dir(dir).env("HOME", dir).env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// What a command printed and how it ended.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("not JSON ({e}): {}\n{}", self.out, self.err))
    }
}

pub(crate) fn run(command: &mut Command) -> Done {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let done = Done {
        code: status.code().unwrap_or(-1),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    };
    assert!(!done.err.contains("met a bug"), "{}", done.err);
    assert!(!done.err.contains("panicked"), "{}", done.err);
    done
}

/// A demo server on a thread of its own, stopped when dropped.
pub(crate) struct Accounts {
    runtime: tokio::runtime::Runtime,
    running: Option<Running>,
    pub(crate) dir: tempfile::TempDir,
}

impl Accounts {
    pub(crate) fn of(world: World) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let running = runtime.block_on(Server::start(world, Options::default())).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let config =
            format!("[profile offsite]\naws_access_key_id = {}\naws_secret_access_key = {}\n", OFFSITE_KEY.0, OFFSITE_KEY.1);
        std::fs::create_dir(dir.path().join(".aws")).unwrap();
        std::fs::write(dir.path().join(".aws/config"), config).unwrap();
        Self { runtime, running: Some(running), dir }
    }

    pub(crate) fn company() -> Self {
        Self::of(company())
    }

    pub(crate) fn url(&self) -> String {
        self.running.as_ref().unwrap().url()
    }

    pub(crate) fn faults(&self, faults: Vec<Fault>) {
        self.running.as_ref().unwrap().set_faults(faults);
    }

    /// Requests that the server saw, by operation.
    pub(crate) fn calls(&self) -> BTreeMap<String, u64> {
        self.running.as_ref().unwrap().calls()
    }

    pub(crate) fn runtime(&self) -> &tokio::runtime::Runtime {
        &self.runtime
    }

    /// Writes a policy and returns its path.
    pub(crate) fn policy(&self, text: &str) -> PathBuf {
        let path = self.dir.path().join("policy.yaml");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The command with the production credentials and every endpoint pointed at the server.
    pub(crate) fn lastcopy(&self) -> Command {
        let mut command = lastcopy(self.dir.path());
        command
            .env("AWS_ENDPOINT_URL", self.url())
            .env("AWS_ACCESS_KEY_ID", PRODUCTION_KEY.0)
            .env("AWS_SECRET_ACCESS_KEY", PRODUCTION_KEY.1)
            .env("AWS_REGION", "eu-west-1");
        command
    }

    /// `audit POLICY --format json`.
    pub(crate) fn audit(&self, policy: &str) -> Done {
        let path = self.policy(policy);
        run(self.lastcopy().arg("audit").arg(path).args(["--format", "json", "--evidence", "all"]))
    }

    /// `collect POLICY` into a file; the file's path.
    pub(crate) fn collect(&self, policy: &str) -> (Done, PathBuf) {
        let (path, file) = (self.policy(policy), self.dir.path().join("snapshot.jsonl"));
        (run(self.lastcopy().arg("collect").arg(path).arg("--output").arg(&file)), file)
    }
}

impl Drop for Accounts {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }
}

/// Findings of a JSON report by `control resource`, as verdicts.
pub(crate) fn verdicts(report: &Value) -> BTreeMap<String, String> {
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| {
            let text = |key: &str| f[key].as_str().unwrap_or_default().to_owned();
            (format!("{} {}", text("control"), text("resource")), text("verdict"))
        })
        .collect()
}

/// One account, one bucket control per line.
pub(crate) const ONE_ACCOUNT: &str = r#"
lastcopy: v1
name: one
accounts:
  production: { id: "111111111111", region: eu-west-1 }
controls:
  - { id: versioned, check: s3-bucket-versioning, scope: { account: production, buckets: [acme-documents, acme-logs] } }
"#;

/// Holds a file of the repository that a test makes: with `LASTCOPY_GENERATE=1` it is written, else compared.
pub(crate) fn held(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("LASTCOPY_GENERATE").is_some() {
        std::fs::write(&file, text).unwrap();
    } else {
        let there = std::fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
        assert!(there == text, "{path} is stale; run: just generate");
    }
}
