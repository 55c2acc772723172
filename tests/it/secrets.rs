//! Credentials appear nowhere: reports, snapshots, talk, errors.

use lastcopy_demo::{Fault, FaultKind, OFFSITE_KEY, PRODUCTION_KEY};

use crate::support::{Accounts, run};

#[test]
fn no_output_holds_a_secret() {
    let accounts = Accounts::company();
    let policy = accounts.policy(include_str!("../../policies/demo.yaml"));
    let endpoints: Vec<String> = ["production", "vault", "offsite"]
        .iter()
        .flat_map(|name| ["--account".to_owned(), format!("{name}=endpoint:{}", accounts.url())])
        .chain(["--account".to_owned(), "offsite=profile:offsite".to_owned()])
        .collect();
    for faults in [
        Vec::new(),
        vec![Fault::new("*", FaultKind::ExpiredToken)],
        vec![Fault::new("*", FaultKind::Html(403))],
        vec![Fault::new("AssumeRole", FaultKind::Deny)],
        vec![Fault::new("Get*", FaultKind::MalformedXml)],
    ] {
        accounts.faults(faults);
        let snapshot = accounts.dir.path().join("state.jsonl");
        let mut texts = Vec::new();
        for format in ["human", "json", "sarif", "junit"] {
            let mut command = accounts.lastcopy();
            command
                .arg("audit")
                .arg(&policy)
                .args(["--format", format, "--evidence", "all", "-v", "--timeout", "2"])
                .args(&endpoints);
            let done = run(&mut command);
            texts.extend([done.out, done.err]);
        }
        let done = run(accounts
            .lastcopy()
            .arg("collect")
            .arg(&policy)
            .arg("-o")
            .arg(&snapshot)
            .args(["-v", "--timeout", "2"])
            .args(&endpoints));
        texts.extend([done.out, done.err, std::fs::read_to_string(&snapshot).unwrap()]);
        for text in &texts {
            for secret in [PRODUCTION_KEY.1, OFFSITE_KEY.1, "x-amz-security-token", "AWS4-HMAC-SHA256"] {
                assert!(!text.contains(secret), "{secret} in:\n{text}");
            }
        }
    }
}
