//! A bad day: every fault leaves the truth or an unknown, in bounded time, never a pass and never a panic.

use std::time::{Duration, Instant};

use lastcopy_demo::{Fault, FaultKind};

use crate::support::{Accounts, ONE_ACCOUNT, lastcopy, run, verdicts};

fn audit(accounts: &Accounts) -> crate::support::Done {
    let path = accounts.policy(&ONE_ACCOUNT.replace("[acme-documents, acme-logs]", "acme-*"));
    run(accounts.lastcopy().arg("audit").arg(path).args(["--format", "json", "--timeout", "1"]))
}

#[test]
fn faults_never_change_a_verdict_but_to_unknown() {
    let accounts = Accounts::company();
    let truth = verdicts(&audit(&accounts).json());
    assert!(truth.len() >= 5, "{truth:?}");
    let bad = [
        FaultKind::Deny,
        FaultKind::Throttle,
        FaultKind::SlowDown503,
        FaultKind::Internal500,
        FaultKind::Reset,
        FaultKind::Truncate,
        FaultKind::Hang,
        FaultKind::Html(200),
        FaultKind::Html(502),
        FaultKind::MalformedXml,
        FaultKind::ExpiredToken,
        FaultKind::ClockSkew,
        FaultKind::NoSuchBucket,
        FaultKind::Redirect301("mars-north-1".to_owned()),
    ];
    for kind in bad {
        let shown = format!("{kind:?}");
        accounts.faults(vec![Fault::new("GetBucketVersioning", kind).on("acme-documents")]);
        let began = Instant::now();
        let done = audit(&accounts);
        assert!(began.elapsed() < Duration::from_secs(60), "{shown}");
        let report = done.json();
        for (row, verdict) in verdicts(&report) {
            let hit = row.ends_with(":acme-documents");
            let expected = if hit { "unknown" } else { truth[&row].as_str() };
            assert_eq!(verdict, expected, "{shown}: {row}: {}", done.out);
        }
        assert!(done.code == 1 || done.code == 3, "{shown}: {}", done.code);
    }
}

#[test]
fn an_empty_answer_is_unknown() {
    // An empty VersioningConfiguration means never enabled; an empty body is not one.
    let accounts = Accounts::company();
    accounts.faults(vec![Fault::new("GetBucketVersioning", FaultKind::Empty200)]);
    let report = audit(&accounts).json();
    for (row, verdict) in verdicts(&report) {
        assert_eq!(verdict, "unknown", "{row}");
    }
}

#[test]
fn a_share_of_throttles_resets_and_errors_is_waited_out() {
    let accounts = Accounts::company();
    let truth = verdicts(&audit(&accounts).json());
    for kind in [FaultKind::SlowDown503, FaultKind::Throttle, FaultKind::Reset, FaultKind::Internal500] {
        let shown = format!("{kind:?}");
        accounts.faults(vec![Fault::new("GetBucketVersioning", kind).attempts(1)]);
        let report = audit(&accounts).json();
        assert_eq!(verdicts(&report), truth, "{shown}");
        let calls = report["calls"]["s3:GetBucketVersioning"].as_u64().unwrap();
        assert!(calls >= 2 * truth.len() as u64, "{shown}: retries are counted: {calls}");
    }
}

#[test]
fn slow_first_bytes_and_slow_bodies_are_read() {
    let accounts = Accounts::company();
    let truth = verdicts(&audit(&accounts).json());
    for kind in [FaultKind::SlowFirstByte(Duration::from_millis(150)), FaultKind::SlowBody(Duration::from_millis(150))] {
        accounts.faults(vec![Fault::new("GetBucketVersioning", kind)]);
        assert_eq!(verdicts(&audit(&accounts).json()), truth);
    }
}

#[test]
fn credentials_that_expire_mid_run_make_the_rest_unknown() {
    let accounts = Accounts::company();
    let truth = verdicts(&audit(&accounts).json());
    accounts.faults(vec![Fault::new("GetBucketVersioning", FaultKind::ExpiredToken).after(2)]);
    let report = audit(&accounts).json();
    let now = verdicts(&report);
    assert_eq!(now.keys().collect::<Vec<_>>(), truth.keys().collect::<Vec<_>>());
    assert!(now.values().filter(|verdict| *verdict == "unknown").count() >= truth.len() - 2);
    assert!(now.iter().all(|(row, verdict)| verdict == "unknown" || *verdict == truth[row]));
}

#[test]
fn a_repeated_page_token_ends_and_is_unknown() {
    let world = lastcopy_demo::World::many(2500);
    let accounts = Accounts::of(world);
    accounts.faults(vec![Fault::new("ListBuckets", FaultKind::RepeatToken)]);
    let done = run(accounts
        .lastcopy()
        .arg("audit")
        .arg(accounts.policy(&ONE_ACCOUNT.replace("buckets: [acme-documents, acme-logs]", "buckets: \"*\"")))
        .args(["--format", "json"]));
    let report = done.json();
    let truncated = report["findings"].as_array().unwrap().iter().any(|f| f["gaps"][0]["why"] == "truncated");
    assert!(truncated, "{}", done.err);
    assert_ne!(done.code, 0);
}

#[test]
fn an_endpoint_that_does_not_answer_is_exit_4_in_bounded_time() {
    let accounts = Accounts::company();
    let path = accounts.policy(ONE_ACCOUNT);
    // A port that nobody listens on, and one that accepts and says nothing.
    let closed = {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        socket.local_addr().unwrap()
    };
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for address in [closed, silent.local_addr().unwrap()] {
        let began = Instant::now();
        let done = run(lastcopy(accounts.dir.path())
            .env("AWS_ENDPOINT_URL", format!("http://{address}"))
            .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .arg("audit")
            .arg(&path)
            .args(["--timeout", "1"]));
        assert_eq!(done.code, 4, "{}{}", done.out, done.err);
        assert!(done.out.contains("account production cannot be entered"), "{}", done.out);
        assert!(began.elapsed() < Duration::from_secs(30));
    }
}

#[test]
fn no_credentials_is_exit_4_and_says_so() {
    let accounts = Accounts::company();
    let path = accounts.policy(ONE_ACCOUNT);
    let done = run(lastcopy(accounts.dir.path()).arg("audit").arg(path).env("AWS_REGION", "eu-west-1"));
    assert_eq!(done.code, 4, "{}{}", done.out, done.err);
    assert!(done.out.contains("no usable credentials"), "{}", done.out);
}

#[test]
fn an_interrupt_ends_cleanly_with_what_was_read() {
    let accounts = Accounts::company();
    accounts.faults(vec![Fault::new("GetBucketVersioning", FaultKind::Hang).on("acme-documents")]);
    let path = accounts.policy(&ONE_ACCOUNT.replace("[acme-documents, acme-logs]", "acme-*"));
    let began = Instant::now();
    let child = accounts
        .lastcopy()
        .arg("audit")
        .arg(path)
        .args(["--format", "json", "--timeout", "60"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Only when the hanging call is on its way is there something to interrupt.
    while accounts.calls().get("GetBucketVersioning").copied().unwrap_or_default() < 5 {
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", accounts.calls());
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(300));
    let interrupted = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let output = child.wait_with_output().unwrap();
    assert!(began.elapsed() < Duration::from_secs(30));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["collection_complete"], false);
    assert_eq!(report["incomplete"], true);
    let verdicts = verdicts(&report);
    assert!(verdicts.iter().any(|(row, verdict)| row.ends_with(":acme-documents") && verdict == "unknown"), "{verdicts:?}");
    assert!(verdicts.values().any(|verdict| verdict == "pass"), "what was read counts: {verdicts:?}");
    assert_ne!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"));
}
