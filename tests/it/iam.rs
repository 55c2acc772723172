//! The IAM engine by hand: who-can, why and iam simulate, on the demo, on snapshots and on files of the AWS CLI.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Accounts, Done, lastcopy, run};

/// A published output of `aws iam get-account-authorization-details`; its README says from where.
const DETAILS: &str = include_str!("../data/authorization-details/cloudsplaining.json");

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn run(&self, args: &[&str]) -> Done {
        run(lastcopy(self.0.path()).args(args))
    }

    /// who-can on a file of authorization details, with everything else settled.
    fn who_can(&self, details: &str, more: &[&str]) -> Done {
        self.file("details.json", details);
        let settled = ["--bucket-policy", "none", "--object-ownership", "BucketOwnerEnforced", "--scp", "none", "--rcp", "none"];
        let mut args = vec!["who-can", "s3:DeleteObjectVersion", "example-documents", "--authorization-details", "details.json"];
        args.extend(settled);
        args.extend(more);
        self.run(&args)
    }
}

/// `name answer` of each answer, sorted.
fn answers(done: &Done) -> Vec<String> {
    let report = done.json();
    let text = |answer: &Value, key: &str| answer[key].as_str().unwrap().to_owned();
    let mut all: Vec<String> = report["answers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| format!("{} {}", text(answer, "name"), text(answer, "answer")))
        .collect();
    all.sort();
    all
}

#[test]
fn the_demo_answers_at_a_glance() {
    let dir = Dir::new();
    let done = dir.run(&["who-can", "s3:DeleteObjectVersion", "acme-documents", "--demo"]);
    assert_eq!(done.code, 0, "{}", done.err);
    insta::assert_snapshot!("who-can-demo", done.out);
    let done = dir.run(&["who-can", "s3:*Delete*", "acme-documents-mirror", "--demo"]);
    insta::assert_snapshot!("who-can-demo-wildcard", done.out);
    for line in done.out.lines() {
        assert!(!line.contains('\u{1b}'), "{line}");
    }
}

#[test]
fn the_demo_says_why() {
    let dir = Dir::new();
    for (name, args) in [
        ("why-demo-mirror", ["role/s3-replication", "s3:PutLifecycleConfiguration", "acme-documents-mirror"]),
        ("why-demo-no", ["role/docs-api", "s3:DeleteObjectVersion", "acme-documents"]),
        ("why-demo-anonymous", ["anonymous", "s3:GetObject", "acme-documents"]),
    ] {
        let done = dir.run(&["why", args[0], args[1], args[2], "--demo"]);
        assert_eq!(done.code, 0, "{}", done.err);
        insta::assert_snapshot!(name, done.out);
    }
}

#[test]
fn only_what_the_question_needs_is_read() {
    let accounts = Accounts::company();
    let policy = accounts.policy(include_str!("../../policies/demo.yaml").split("\ncontrols:").next().unwrap());
    let text = std::fs::read_to_string(&policy).unwrap()
        + "\ncontrols:\n  - { id: v, check: s3-bucket-versioning, scope: { store: documents } }\n";
    std::fs::write(&policy, text.replace("https://s3.offsite.example", &accounts.url())).unwrap();
    let done = run(accounts.lastcopy().args(["who-can", "s3:DeleteObject", "acme-documents", "--format", "json"]).arg(&policy));
    assert_eq!(done.code, 0, "{}", done.err);
    let calls = accounts.calls();
    let calls: Vec<String> = calls.iter().map(|(call, times)| format!("{call} {times}")).collect();
    insta::assert_snapshot!("who-can-calls", calls.join("\n"));
}

#[test]
fn a_snapshot_answers_as_the_live_accounts_do() {
    let accounts = Accounts::company();
    let policy = format!(
        "lastcopy: v1\nname: one\naccounts:\n  production: {{ id: \"111111111111\", region: eu-west-1 }}\ncontrols:\n{}{}{}",
        "  - { id: a, check: s3-bucket-least-privilege, scope: { account: production, buckets: [acme-documents] } }\n",
        "  - { id: b, check: s3-bucket-ownership, scope: { account: production, buckets: [acme-documents] } }\n",
        "  - { id: c, check: s3-bucket-public-access-block, scope: { account: production, buckets: [acme-documents] } }\n",
    );
    let (_, snapshot) = accounts.collect(&policy);
    let path = accounts.policy(&policy);
    let ask = |more: &[&Path]| {
        run(accounts.lastcopy().args(["who-can", "s3:*Object*", "acme-documents", "--format", "json", "--all"]).args(more))
    };
    let live = ask(&[&path]);
    assert_eq!(live.code, 0, "{}", live.err);
    let stored = ask(&[Path::new("--snapshot"), &snapshot]);
    assert_eq!(stored.code, 0, "{}", stored.err);
    assert_eq!(live.json()["answers"], stored.json()["answers"]);
    assert!(live.json()["answers"].as_array().unwrap().len() > 20);
    // A bucket that the snapshot does not hold is asked of the one account, with its policy unread.
    let other = run(accounts.lastcopy().args(["who-can", "s3:GetObject", "acme-elsewhere", "--snapshot"]).arg(&snapshot));
    assert_eq!(other.code, 3, "{}{}", other.out, other.err);
    assert!(other.out.contains("GetBucketPolicy was not collected"), "{}", other.out);
}

#[test]
fn an_account_in_a_file_as_worked_out_by_hand() {
    let dir = Dir::new();
    let done = dir.who_can(DETAILS, &["--format", "json", "--all"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let expected = [
        "role/MyOtherRole never",
        "role/MyRole never",
        "role/OverprivilegedEC2 never",
        "the root user of 012345678901 always",
        "user/biden always",
        "user/obama always",
        "user/userwithlotsofpermissions always",
    ];
    assert_eq!(answers(&done), expected);
    let report = done.json();
    let by = |name: &str| {
        let all = report["answers"].as_array().unwrap();
        all.iter().find(|answer| answer["name"] == name).unwrap()["ways"][0]["by"][0].clone()
    };
    assert_eq!(by("user/biden")["policy"], "arn:aws:iam::aws:policy/AWSLambdaFullAccess");
    assert_eq!(by("user/biden")["index"], 0);
    assert_eq!(by("user/userwithlotsofpermissions")["policy"], "arn:aws:iam::aws:policy/AdministratorAccess");
    for role in ["MyRole", "MyOtherRole", "OverprivilegedEC2"] {
        let arn = format!("arn:aws:iam::012345678901:role/{role}");
        let done = dir.run(&["who-can", "sts:AssumeRole", &arn, "--authorization-details", "details.json", "--format", "json"]);
        assert_eq!(done.code, 0, "{}", done.err);
        let report = done.json();
        assert_eq!(report["principals"], json!({"all": 6, "always": 0, "only_if": 0, "unknown": 0, "never": 6}), "{role}");
        assert_eq!(report["outsiders"]["always"], 1, "{role}: the service");
    }
}

#[test]
fn what_is_not_given_is_unknown_and_exits_3() {
    let dir = Dir::new();
    dir.file("details.json", DETAILS);
    let args = ["who-can", "s3:DeleteObjectVersion", "example-documents", "--authorization-details", "details.json"];
    let done = dir.run(&args);
    assert_eq!(done.code, 3, "{}", done.err);
    assert!(
        done.out
            .starts_with("3 of 6 principals can s3:DeleteObjectVersion on some object of example-documents: 3 always; 3 unknown")
    );
    assert!(done.out.contains("GetBucketPolicy was not collected"), "{}", done.out);
    assert!(
        done.out.contains("unless an RCP, an SCP or the resource's policy forbids it: they could not be read"),
        "{}",
        done.out
    );
    // A bucket policy settles it, and so do service control policies.
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Sid":"No","Effect":"Deny","Principal":"*","Action":"s3:Delete*","Resource":"arn:aws:s3:::example-documents/*"}]}"#;
    dir.file("deny.json", serde_json::to_string(&json!({ "Policy": deny })).unwrap());
    let mut more = args.to_vec();
    more.extend(["--bucket-policy", "deny.json", "--format", "json"]);
    let done = dir.run(&more);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert_eq!(done.json()["principals"]["never"], 6, "{}", done.out);
    dir.file("scp.json", r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#);
    dir.file("lock.json", r#"{"Version":"2012-10-17","Statement":[{"Sid":"Lock","Effect":"Deny","Action":"s3:DeleteObjectVersion","Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/obama"}}}]}"#);
    let settled = [
        "--scp",
        "root=scp.json",
        "--scp",
        "root=lock.json",
        "--bucket-policy",
        "none",
        "--rcp",
        "none",
        "--object-ownership",
        "BucketOwnerEnforced",
    ];
    let mut more = args.to_vec();
    more.extend(settled);
    more.extend(["--format", "json"]);
    let done = dir.run(&more);
    assert_eq!(answers(&done), ["user/obama always"], "{}", done.out);
    let mut why = vec!["why", "root", "s3:DeleteObjectVersion", "example-documents", "--authorization-details", "details.json"];
    why.extend(settled);
    let done = dir.run(&why);
    assert!(done.out.contains("statement 1 (Sid Lock) of lock.json denies it"), "{}", done.out);
}

#[test]
fn documents_may_be_url_encoded_and_pages_many() {
    let dir = Dir::new();
    let mut details: Value = serde_json::from_str(DETAILS).unwrap();
    encode(&mut details);
    let object = dir.who_can(DETAILS, &["--format", "json", "--all"]);
    let encoded = dir.who_can(&details.to_string(), &["--format", "json", "--all"]);
    assert_eq!(object.out, encoded.out);
    // One page for each list.
    let pages: Vec<String> = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"]
        .into_iter()
        .map(|list| json!({ list: details[list], "IsTruncated": list != "Policies" }).to_string())
        .collect();
    assert_eq!(dir.who_can(&pages.join("\n"), &["--format", "json", "--all"]).out, object.out);
    assert_eq!(dir.who_can(&format!("[{}]", pages.join(",")), &["--format", "json", "--all"]).out, object.out);
    let cut = dir.who_can(&pages[..3].join("\n"), &["--format", "json", "--all"]);
    assert_eq!(cut.code, 3, "{}", cut.out);
    assert!(cut.out.contains("its last page says that there are more"), "{}", cut.out);
}

fn encode(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if matches!(key.as_str(), "Document" | "PolicyDocument" | "AssumeRolePolicyDocument") {
                    let text = value.to_string();
                    *value = json!(text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>());
                } else {
                    encode(value);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(encode),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn files_that_are_something_else_are_refused_with_their_place() {
    let dir = Dir::new();
    let half = &DETAILS[..DETAILS.len() / 2];
    for (text, says) in [
        (half, "while parsing"),
        ("{\n\"UserDetailList\": [{\"UserName\": 7}]}", "invalid type: integer `7`, expected a string at line 2 column 33"),
        ("{\"UserDetailList\": {}}", "expected a sequence at line 1"),
        ("[]", "holds none of UserDetailList"),
        ("hello", "line 1 column 1"),
    ] {
        let done = dir.who_can(text, &[]);
        assert_eq!(done.code, 4, "{text:.40}: {}", done.err);
        assert!(done.err.contains("details.json") && done.err.contains(says), "{says} in {}", done.err);
        assert!(done.out.is_empty(), "{}", done.out);
    }
    dir.file("utf16.json", b"\xff\xfe{\0");
    let done = dir.run(&["who-can", "s3:GetObject", "b-b", "--authorization-details", "utf16.json"]);
    assert!(done.code == 4 && done.err.contains("UTF-16"), "{}", done.err);
    let done = dir.run(&["who-can", "s3:GetObject", "b-b", "--authorization-details", "absent.json"]);
    assert!(done.code == 4 && done.err.contains("cannot read absent.json"), "{}", done.err);
    let done = dir.who_can(DETAILS, &["--account", "999999999999"]);
    assert!(done.code == 2 && done.err.contains("is of account 012345678901"), "{}", done.err);
    dir.file("bad.json", "{\n  \"Statement\": [{\"Effect\": \"Maybe\"}]}");
    let done =
        dir.run(&["who-can", "s3:GetObject", "b-b", "--authorization-details", "details.json", "--bucket-policy", "bad.json"]);
    assert!(done.code == 4 && done.err.contains("bad.json: 2:28: Statement[0].Effect"), "{}", done.err);
    let empty = r#"{"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}"#;
    let done = dir.who_can(empty, &[]);
    assert!(done.code == 2 && done.err.contains("say which it is with --account ID"), "{}", done.err);
    let done = dir.who_can(empty, &["--account", "999999999999"]);
    assert!(done.code == 0 && done.out.starts_with("none of 0 principals can"), "{}{}", done.out, done.err);
}

#[test]
fn a_document_that_is_none_leaves_its_holder_unknown() {
    let dir = Dir::new();
    let mut details: Value = serde_json::from_str(DETAILS).unwrap();
    details["RoleDetailList"][0]["RolePolicyList"][0]["PolicyDocument"] = json!("%7Bnot json");
    let done = dir.who_can(&details.to_string(), &["--format", "json"]);
    assert_eq!(done.code, 3, "{}", done.err);
    assert!(answers(&done).contains(&"role/MyRole unknown".to_owned()), "{}", done.out);
    let done = dir.who_can(&details.to_string(), &[]);
    assert!(done.out.contains("; 1 unknown") && done.out.contains("is not a valid IAM policy document"), "{}", done.out);
    // A policy that is attached and not in the file.
    let mut details: Value = serde_json::from_str(DETAILS).unwrap();
    details["Policies"] = json!([]);
    let done = dir.who_can(&details.to_string(), &["--format", "json"]);
    assert_eq!(done.code, 3, "{}", done.err);
    assert!(answers(&done).contains(&"user/obama unknown".to_owned()), "{}", done.out);
    let done = dir.run(&["why", "user/obama", "s3:GetObject", "example-documents", "--authorization-details", "details.json"]);
    assert!(done.code == 3 && done.out.starts_with("it is not known whether user/obama can"), "{}{}", done.out, done.err);
}

#[test]
fn names_move_no_cursor() {
    let dir = Dir::new();
    let odd = "x\u{1b}[2J\u{202e}\u{7}y";
    let mut details: Value = serde_json::from_str(DETAILS).unwrap();
    details["UserDetailList"][0]["UserName"] = json!(odd);
    details["UserDetailList"][0]["Arn"] = json!(format!("arn:aws:iam::012345678901:user/{odd}"));
    details["RoleDetailList"][0]["RolePolicyList"][0] = json!({"PolicyName": odd, "PolicyDocument": {"Version": "2012-10-17", "Statement":
        [{"Sid": odd, "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/x": odd}}}]}});
    let details = details.to_string();
    for more in [&["--all"][..], &["--format", "json", "--all"]] {
        let done = dir.who_can(&details, more);
        let bad: Vec<char> = done.out.chars().filter(|c| *c != '\n' && lastcopy::visible::is_unsafe(*c)).collect();
        assert!(bad.is_empty(), "{bad:?} in {}", done.out);
        assert!(done.out.contains("202e"), "it is shown: {}", done.out);
    }
    for who in [odd, "role/MyRole", "role/MyRol\u{1b}"] {
        let why = dir.run(&["why", who, "s3:GetObject", "b-b", "--authorization-details", "details.json"]);
        let bad = format!("{}{}", why.out, why.err).chars().any(|c| c != '\n' && lastcopy::visible::is_unsafe(c));
        assert!(!bad, "{}{}", why.out, why.err);
    }
}

#[test]
fn large_files_are_read() {
    let dir = Dir::new();
    let mut details: Value = serde_json::from_str(DETAILS).unwrap();
    let role = details["RoleDetailList"][2].clone();
    let roles = details["RoleDetailList"].as_array_mut().unwrap();
    for at in 0..6_000 {
        let mut role = role.clone();
        role["RoleName"] = json!(format!("app-{at}"));
        role["Arn"] = json!(format!("arn:aws:iam::012345678901:role/app-{at}"));
        role["RolePolicyList"][0]["PolicyDocument"]["Statement"][0]["Resource"] = json!(format!("arn:aws:s3:::app-{at}/*"));
        roles.push(role);
    }
    let text = serde_json::to_string_pretty(&details).unwrap();
    assert!(text.len() > 10_000_000, "{}", text.len());
    let began = Instant::now();
    let done = dir.who_can(&text, &[]);
    assert!(began.elapsed() < Duration::from_secs(60), "too slow");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.starts_with("3 of 6,006 principals can"), "{}", done.out);
}

#[test]
fn questions_that_cannot_be_asked() {
    let dir = Dir::new();
    dir.file("details.json", DETAILS);
    let file = ["--authorization-details", "details.json"];
    for (args, says) in [
        (&["who-can", "s3:DeleteObjectVersions", "docs"][..], "did you mean s3:DeleteObjectVersion?"),
        (&["who-can", "s3:GetObject", "x"], "is no resource"),
        (&["who-can", "s3:GetObject", "arn:aws:s3:::doc*/a"], "name one"),
        (&["why", "user/bidden", "s3:GetObject", "docs"], "did you mean user/biden?"),
        (&["why", "biden", "s3:GetObject", "docs"], "did you mean user/biden?"),
        (
            &["why", "arn:aws:iam::012345678901:role/MyRoll", "s3:GetObject", "docs"],
            "did you mean arn:aws:iam::012345678901:role/MyRole?",
        ),
        (&["why", "user/biden", "s3:Get*", "docs"], "name one, or ask"),
        (&["why", "user/biden", "s3:GetObject", "docs", "--context", "mfa"], "KEY=VALUE"),
    ] {
        let done = run(lastcopy(dir.0.path()).args(args).args(file));
        assert_eq!(done.code, 2, "{args:?}: {}{}", done.out, done.err);
        assert!(done.err.contains(says), "{says} in {}", done.err);
    }
    let done = dir.run(&["who-can", "s3:GetObject", "docs"]);
    assert!(done.code == 2 && done.err.contains("no policy given"), "{}", done.err);
}

#[test]
fn why_names_every_statement_that_matters() {
    let dir = Dir::new();
    let statements = |list: Value| json!({ "Version": "2012-10-17", "Statement": list });
    let details = json!({
        "UserDetailList": [], "GroupDetailList": [],
        "RoleDetailList": [{
            "RoleName": "ops", "Arn": "arn:aws:iam::111111111111:role/team/ops",
            "AssumeRolePolicyDocument": statements(json!([])),
            "AttachedManagedPolicies": [{ "PolicyName": "ops", "PolicyArn": "arn:aws:iam::111111111111:policy/ops" }],
        }],
        "Policies": [{ "Arn": "arn:aws:iam::111111111111:policy/ops", "DefaultVersionId": "v1", "PolicyVersionList": [{
            "VersionId": "v1", "IsDefaultVersion": true, "Document": statements(json!([
                { "Effect": "Allow", "Action": "ec2:*", "Resource": "*" },
                { "Sid": "Docs", "Effect": "Allow", "Action": "s3:DeleteObject*", "Resource": "arn:aws:s3:::acme-documents/a/*",
                  "Condition": { "Bool": { "aws:MultiFactorAuthPresent": "true" } } },
                { "Sid": "Logs", "Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::acme-logs/*" },
            ])),
        }]}],
    });
    dir.file("details.json", details.to_string());
    let tls = statements(json!([
        { "Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::acme-documents/*",
          "Condition": { "Bool": { "aws:SecureTransport": "false" } } },
        { "Sid": "Frozen", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject*", "Resource": "arn:aws:s3:::acme-documents/b/*" },
    ]));
    dir.file("bucket.json", tls.to_string());
    let base =
        ["s3:DeleteObjectVersion", "acme-documents", "--authorization-details", "details.json", "--bucket-policy", "bucket.json"];
    let why = |who: &str, more: &[&str]| {
        let mut args = vec!["why", who];
        args.extend(base);
        args.extend(more);
        dir.run(&args)
    };
    let done = why("role/ops", &[]);
    assert_eq!(done.code, 0, "{}", done.err);
    insta::assert_snapshot!("why-conditions", done.out);
    assert_eq!(why("role/team/ops", &[]).out, done.out);
    assert_eq!(why("arn:aws:iam::111111111111:role/team/ops", &[]).out, done.out);
    let met = why("role/ops", &["--context", "aws:MultiFactorAuthPresent=true", "--context", "aws:SecureTransport=true"]);
    assert!(met.out.starts_with("role/ops can always s3:DeleteObjectVersion"), "{}", met.out);
    assert!(met.out.contains("denies, not here: its condition is not met: aws:SecureTransport is false"), "{}", met.out);
    let unmet = why("role/ops", &["--context", "aws:MultiFactorAuthPresent="]);
    assert!(unmet.out.starts_with("role/ops cannot"), "{}", unmet.out);
    let json = why("role/ops", &["--format", "json", "--all"]).json();
    assert_eq!(json["statements"].as_array().unwrap().len(), 5, "{json}");
    assert_eq!(json["answer"], "only-if");
    for who in ["999999999999", "arn:aws:iam::999999999999:role/x", "backup.amazonaws.com", "anonymous"] {
        let done = why(who, &["--object-ownership", "BucketOwnerEnforced"]);
        assert!(done.code == 0 && done.out.contains("cannot s3:DeleteObjectVersion"), "{who}: {}{}", done.out, done.err);
    }
}

const REQUEST: &str = r#"{"id":"a","request":{"principal":"arn:aws:iam::111111111111:user/u","action":"s3:GetObject","resource":"arn:aws:s3:::d/k"},"identity_policies":[{"Version":"2012-10-17","Statement":[{"Sid":"S","Effect":"Allow","Action":"s3:*","Resource":"*"}]}]}"#;

#[test]
fn simulate_answers_every_line() {
    let dir = Dir::new();
    let denied = REQUEST.replace("s3:*", "ec2:*").replace("\"a\"", "17");
    let good = dir.file("good.jsonl", format!("{REQUEST}\n\n{denied}"));
    let done = dir.run(&["iam", "simulate", "--requests", "good.jsonl"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let lines: Vec<Value> = done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{}", done.out);
    assert_eq!(lines[0]["decision"], "allow");
    assert_eq!(lines[0]["statement"], json!({"layer": "identity", "policy": "identity_policies[0]", "index": 0, "sid": "S"}));
    assert_eq!(
        lines[1],
        json!({"id": 17, "decision": "implicit_deny", "blocked_by": ["identity"], "statement": null, "statements": []})
    );
    let piped =
        run(lastcopy(dir.0.path()).args(["iam", "simulate", "--requests", "-"]).stdin(std::fs::File::open(&good).unwrap()));
    assert_eq!((piped.code, piped.out), (0, done.out));
    let mut mixed = format!("{REQUEST}\n{{\n").into_bytes();
    mixed.extend_from_slice(b"\xff\n");
    mixed.extend_from_slice(REQUEST.as_bytes());
    dir.file("mixed.jsonl", mixed);
    let done = dir.run(&["iam", "simulate", "--requests", "mixed.jsonl"]);
    assert_eq!(done.code, 2, "{}", done.err);
    assert!(done.err.contains("2 of 4 requests could not be evaluated"), "{}", done.err);
    let kinds: Vec<&str> =
        done.out.lines().map(|line| if line.contains("\"error\":\"line ") { "error" } else { "decision" }).collect();
    assert_eq!(kinds, ["decision", "error", "error", "decision"], "{}", done.out);
    let done = dir.run(&["iam", "simulate", "--requests", "absent.jsonl"]);
    assert!(done.code == 4 && done.err.contains("absent.jsonl"), "{}", done.err);
    let long = REQUEST.replace("arn:aws:s3:::d/k", &format!("arn:aws:s3:::d/{}", "k".repeat(8 << 20)));
    dir.file("long.jsonl", format!("{long}\n"));
    assert_eq!(dir.run(&["iam", "simulate", "--requests", "long.jsonl"]).code, 0);
}
