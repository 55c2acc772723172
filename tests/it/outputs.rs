//! What the AWS CLI printed, in place of live accounts: the shipped script against moto, and folders that are hostile.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::moto;
use crate::support::{Done, ONE_ACCOUNT, lastcopy, run, verdicts};

fn write(dir: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

const CALLER: &str = r#"{"UserId":"A","Account":"111111111111","Arn":"arn:aws:iam::111111111111:user/audit"}"#;

fn audit(dir: &Path, extra: &[&str]) -> Done {
    std::fs::write(dir.join("policy.yaml"), ONE_ACCOUNT).unwrap();
    run(lastcopy(dir).args(["audit", "policy.yaml", "--cli-outputs", "outputs", "--format", "json"]).args(extra))
}

/// The script needs nothing but the AWS CLI; what it cannot read of moto is the account's public access block, whose endpoint
/// begins with the account number.
#[test]
fn the_folder_says_what_the_accounts_say() {
    let url = moto::url("LASTCOPY_MOTO_CLI_URL");
    let world = moto::made(&url);
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("policy.yaml");
    std::fs::write(&policy, moto::POLICY.replace("ACCOUNT", world["account"].as_str().unwrap())).unwrap();
    let env = |command: &mut Command| {
        command.env("AWS_ENDPOINT_URL", &url).env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
    };
    let mut live = lastcopy(dir.path());
    env(&mut live);
    let live = verdicts(&run(live.args(["audit", "--format", "json"]).arg(&policy)).json());

    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/cli-outputs/collect.sh");
    let bin = Path::new(&std::env::var("LASTCOPY_PYTHON").unwrap()).parent().unwrap().to_owned();
    let mut collect = Command::new("bash");
    collect.env_clear().env("HOME", dir.path()).env("AWS_REGION", "eu-west-1").current_dir(dir.path());
    collect.env("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()));
    env(&mut collect);
    let collected = run(collect.args([script, "outputs", "moto-good", "moto-bare"]));
    assert_eq!(collected.code, 0, "{}", collected.err);

    let report = run(lastcopy(dir.path()).args(["audit", "--format", "json", "--cli-outputs", "outputs"]).arg(&policy)).json();
    let (mut same, mut unread) = (0, 0);
    for finding in report["findings"].as_array().unwrap() {
        let name = finding["name"].as_str().unwrap();
        let row = format!("{} {}", finding["control"].as_str().unwrap(), finding["resource"].as_str().unwrap());
        let verdict = finding["verdict"].as_str().unwrap();
        if live.get(&row).map(String::as_str) == Some(verdict) {
            same += 1;
            continue;
        }
        assert_eq!(verdict, "unknown", "{row}: {finding}, live {:?}", live.get(&row));
        let asked = !["moto-good", "moto-bare", "main"].contains(&name);
        let block = finding["gaps"].as_array().unwrap().iter().all(|gap| gap["operation"] == "GetAccountPublicAccessBlock");
        assert!(asked || block, "{finding}");
        unread += 1;
    }
    assert!(same > 20, "{same} the same, {unread} unread");
    let kept = run(lastcopy(dir.path()).args(["collect", "--cli-outputs", "outputs", "-o", "state.jsonl"]).arg(&policy));
    assert_eq!(kept.code, 0, "{}", kept.err);
    let replayed = run(lastcopy(dir.path()).args(["audit", "--format", "json", "--snapshot", "state.jsonl"]).arg(&policy)).json();
    assert_eq!(replayed["findings"], report["findings"]);

    let details = format!("outputs/{}/get-account-authorization-details.json", world["account"].as_str().unwrap());
    let told = run(lastcopy(dir.path()).args(["audit", "--format", "json", "--authorization-details", &details]).arg(&policy));
    let told = verdicts(&told.json());
    for (row, verdict) in told.iter().filter(|(_, verdict)| *verdict != "unknown") {
        assert_eq!(live.get(row), Some(verdict), "{row}");
    }
    assert!(told.iter().any(|(row, verdict)| row.starts_with("no-admin ") && verdict == "fail"), "{told:#?}");
}

#[cfg(unix)]
#[test]
fn links_pipes_and_broken_files_are_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let outputs = dir.path().join("outputs");
    write(
        &outputs,
        &[
            ("production/collected-at", "2026-11-22T14:00:00Z"),
            ("production/get-caller-identity.json", CALLER),
            ("production/acme-documents/get-bucket-versioning.json", r#"{"Status": "Enabled"}"#),
            ("production/acme-logs/get-bucket-versioning.json", r#"{"Status": "Enabled"}"#),
            ("elsewhere/get-bucket-versioning.json", r#"{"Status": "Enabled"}"#),
        ],
    );
    let verdict = |done: &Done, bucket: &str| verdicts(&done.json())[&format!("versioned arn:aws:s3:::{bucket}")].clone();
    let good = audit(dir.path(), &[]);
    assert_eq!((good.code, verdict(&good, "acme-documents").as_str()), (0, "pass"), "{}", good.err);
    assert!(good.err.contains("folder elsewhere is of no account"), "{}", good.err);

    let file = outputs.join("production/acme-documents/get-bucket-versioning.json");
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(outputs.join("elsewhere/get-bucket-versioning.json"), &file).unwrap();
    let linked = audit(dir.path(), &[]);
    assert_eq!((linked.code, verdict(&linked, "acme-documents").as_str()), (3, "unknown"));
    assert!(linked.out.contains("links are not followed"), "{}", linked.out);

    let folder = outputs.join("production/acme-logs");
    std::fs::remove_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink(outputs.join("elsewhere"), &folder).unwrap();
    assert_eq!(verdict(&audit(dir.path(), &[]), "acme-logs"), "unknown", "a folder that is a link is none");

    std::fs::remove_file(&file).unwrap();
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    assert_eq!(verdict(&audit(dir.path(), &[]), "acme-documents"), "unknown", "a pipe is not waited for");
    std::fs::remove_file(&file).unwrap();
    std::fs::File::create(&file).unwrap().set_len(300 << 20).unwrap();
    let huge = audit(dir.path(), &[]);
    assert!(huge.out.contains("is larger than 256 MiB"), "{}", huge.out);
}

#[test]
fn times_and_accounts_of_folders() {
    let dir = tempfile::tempdir().unwrap();
    let outputs = dir.path().join("outputs");
    let files = [
        ("111111111111/collected-at", "2026-11-20T14:00:00Z"),
        ("111111111111/acme-documents/get-bucket-versioning.json", r#"{"Status": "Enabled"}"#),
        ("111111111111/acme-logs/get-bucket-versioning.json", ""),
    ];
    write(&outputs, &files);
    let done = audit(dir.path(), &[]);
    let report = done.json();
    assert_eq!((done.code, report["judged_at"].as_str()), (1, Some("2026-11-20T14:00:00Z")), "{}", done.err);
    assert_eq!(report["accounts"][0]["id"], "111111111111");
    let old = audit(dir.path(), &["--now", "2026-11-22T14:00:00Z", "--max-age", "24h"]).json();
    assert!(old["findings"].as_array().unwrap().iter().all(|f| f["verdict"] == "unknown"), "{old}");

    std::fs::remove_file(outputs.join("111111111111/collected-at")).unwrap();
    assert!(audit(dir.path(), &[]).err.contains("without a file collected-at"));
    write(&outputs, &[("111111111111/collected-at", "yesterday")]);
    assert_eq!(audit(dir.path(), &[]).code, 4, "no account could be read");
    write(&outputs, &[files[0], ("111111111111/get-caller-identity.json", &CALLER.replace("1111", "2222"))]);
    let wrong = audit(dir.path(), &[]);
    assert_eq!(wrong.code, 4);
    let gap: &Value = &wrong.json()["accounts"][0]["gap"];
    assert_eq!(gap["why"], "wrong_account", "{gap}");
    assert_eq!(run(lastcopy(dir.path()).args(["audit", "policy.yaml", "--cli-outputs", "nowhere"])).code, 4);
}
