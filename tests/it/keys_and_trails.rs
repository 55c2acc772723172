//! KMS keys are followed from the buckets that name them, and trails are read where buckets lie.

use lastcopy_demo::{Account, Bucket, Fault, FaultKind, World, company};
use serde_json::Value;

use crate::support::{Accounts, run, verdicts};

const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/5c9d2f5e-2d0f-4f0a-9a0e-6f1f3c1f7a10";

const HEAD: &str = r#"
lastcopy: v1
name: keys
accounts:
  production: { id: "111111111111", region: eu-west-1 }
  vault: { id: "222222222222", region: eu-west-1, role-arn: "arn:aws:iam::222222222222:role/lastcopy-audit", external-id: lastcopy-demo }
stores:
  documents:
    copies:
      primary: { account: production, bucket: acme-documents }
      mirror: { account: vault, bucket: acme-documents-mirror, fed-by: replication }
controls:
"#;

fn policy(controls: &[(&str, &str, &str)]) -> String {
    let line = |(id, check, rest): &(&str, &str, &str)| format!("  - {{ id: {id}, check: {check}, {rest} }}\n");
    HEAD.to_owned() + &controls.iter().map(line).collect::<String>()
}

fn all() -> String {
    let of_primary = "scope: { copy: documents/primary }";
    policy(&[
        ("usable", "s3-bucket-key-usable", of_primary),
        ("rotates", "s3-bucket-key-rotation", of_primary),
        ("guarded", "s3-bucket-key-guarded", of_primary),
        ("independent", "store-key-independence", "scope: { store: documents }"),
        ("trail", "account-trail", "scope: { account: production }"),
        ("deletes", "s3-bucket-data-events", of_primary),
    ])
}

fn finding<'a>(report: &'a Value, control: &str) -> &'a Value {
    report["findings"].as_array().unwrap().iter().find(|finding| finding["control"] == control).unwrap()
}

fn verdict<'a>(report: &'a Value, control: &str) -> &'a str {
    finding(report, control)["verdict"].as_str().unwrap()
}

fn sent(accounts: &Accounts, operation: &str) -> u64 {
    accounts.calls().iter().filter(|(call, _)| call.ends_with(operation)).map(|(_, times)| times).sum()
}

/// The company, with one answer of production before all others.
fn answering(operation: &str, about: &str, body: &str) -> Accounts {
    let mut world = company();
    let account = world.accounts.iter_mut().find(|account| account.id == "111111111111").unwrap();
    let others = std::mem::take(&mut account.answers);
    *account = account.clone().answer(operation, about, body);
    account.answers.extend(others);
    Accounts::of(world)
}

#[test]
fn keys_are_followed_and_trails_read() {
    let accounts = Accounts::company();
    let done = accounts.audit(&all());
    let report = done.json();
    assert_eq!(verdict(&report, "usable"), "pass", "{}", done.out);
    assert_eq!(verdict(&report, "rotates"), "fail");
    assert_eq!(verdict(&report, "guarded"), "fail");
    assert_eq!(verdict(&report, "independent"), "fail");
    assert_eq!(verdict(&report, "trail"), "pass");
    assert_eq!(verdict(&report, "deletes"), "fail");
    // Both copies name one key: it is asked once for each fact, in its own account.
    let calls = &report["calls"];
    for call in ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "cloudtrail:GetTrailStatus"] {
        assert_eq!(calls[call], 1, "{call} {calls}");
    }
    assert_eq!(calls["kms:ListGrants"], Value::Null, "no check asks for grants");
    let says = finding(&report, "independent")["message"].as_str().unwrap();
    assert!(says.contains(KEY), "{says}");
    let guarded = finding(&report, "guarded")["violations"].as_array().unwrap();
    assert!(guarded.iter().any(|v| v["subject"].as_str().unwrap().ends_with(&format!(" on {KEY}"))), "{guarded:#?}");

    // The snapshot says the same.
    let (_, file) = accounts.collect(&all());
    let path = accounts.policy(&all());
    let again = run(accounts.lastcopy().arg("audit").arg(path).args(["--format", "json", "--snapshot"]).arg(file)).json();
    assert_eq!(verdicts(&again), verdicts(&report));
}

#[test]
fn what_is_denied_is_unknown_and_names_its_permission() {
    let accounts = Accounts::company();
    for (operation, action, controls) in [
        ("DescribeKey", "kms:DescribeKey", &["usable", "rotates", "guarded"][..]),
        ("GetKeyPolicy", "kms:GetKeyPolicy", &["guarded"]),
        ("GetKeyRotationStatus", "kms:GetKeyRotationStatus", &["rotates"]),
        ("DescribeTrails", "cloudtrail:DescribeTrails", &["trail", "deletes"]),
        ("GetTrailStatus", "cloudtrail:GetTrailStatus", &["trail"]),
        ("GetEventSelectors", "cloudtrail:GetEventSelectors", &["trail", "deletes"]),
    ] {
        accounts.faults(vec![Fault::new(operation, FaultKind::Deny)]);
        let done = accounts.audit(&all());
        let report = done.json();
        for control in controls {
            let found = finding(&report, control);
            assert_eq!(found["verdict"], "unknown", "{operation} {control}: {found}");
            let gaps = found["gaps"].as_array().unwrap();
            assert!(gaps.iter().any(|gap| gap["action"] == action && gap["why"] == "denied"), "{operation}: {found}");
        }
    }
}

#[test]
fn answers_of_another_shape_are_malformed() {
    let described = |from: &str, to: &str| {
        let body = format!(
            r#"{{"KeyMetadata":{{"KeyId":"a","Arn":"{KEY}","Enabled":true,"KeyUsage":"ENCRYPT_DECRYPT","KeyState":"Enabled","Origin":"AWS_KMS","KeyManager":"CUSTOMER","KeySpec":"SYMMETRIC_DEFAULT"}}}}"#
        );
        assert!(body.contains(from));
        body.replace(from, to)
    };
    let trails = r#"{"trailList":[{"Name":"a","S3BucketName":"b","IsMultiRegionTrail":true,"HomeRegion":"eu-west-1","TrailARN":"arn:aws:cloudtrail:eu-west-1:111111111111:trail/a"}]}"#;
    for (operation, body, control) in [
        ("kms:DescribeKey", described("\"Enabled\",\"Origin\"", "\"Asleep\",\"Origin\""), "usable"),
        ("kms:DescribeKey", described("AWS_KMS", "ELSEWHERE"), "usable"),
        ("kms:DescribeKey", described("CUSTOMER", "SOMEBODY"), "usable"),
        ("kms:DescribeKey", described(KEY, "arn:aws:kms:eu-west-1:111111111111:key/another"), "usable"),
        ("kms:DescribeKey", "{}".to_owned(), "usable"),
        ("kms:GetKeyPolicy", "{}".to_owned(), "guarded"),
        ("kms:GetKeyRotationStatus", r#"{"KeyRotationEnabled":true,"RotationPeriodInDays":0}"#.to_owned(), "rotates"),
        ("cloudtrail:DescribeTrails", "{}".to_owned(), "trail"),
        ("cloudtrail:DescribeTrails", trails.to_owned(), "trail"),
        ("cloudtrail:DescribeTrails", trails.replace("eu-west-1\"", "evil.example/\""), "trail"),
        ("cloudtrail:GetTrailStatus", "{}".to_owned(), "trail"),
        ("cloudtrail:GetEventSelectors", "{}".to_owned(), "trail"),
        (
            "cloudtrail:GetEventSelectors",
            r#"{"EventSelectors":[{"ReadWriteType":"Some","IncludeManagementEvents":true}]}"#.to_owned(),
            "trail",
        ),
    ] {
        let accounts = answering(operation, "", &body);
        let report = accounts.audit(&all()).json();
        let found = finding(&report, control);
        assert_eq!(
            (found["verdict"].as_str(), found["gaps"][0]["why"].as_str()),
            (Some("unknown"), Some("malformed")),
            "{operation} {body}: {found}"
        );
    }
}

#[test]
fn grants_and_the_key_policy_answer_who_may_use_a_key() {
    let ask = |accounts: &Accounts, action: &str| {
        let path = accounts.policy(&all());
        run(accounts.lastcopy().args(["who-can", action, KEY, "--format", "json", "--all"]).arg(path))
    };
    let accounts = Accounts::company();
    let done = ask(&accounts, "kms:Decrypt");
    let report = done.json();
    let answer = |report: &Value, name: &str| {
        let answers = report["answers"].as_array().unwrap();
        answers.iter().find(|a| a["name"].as_str().unwrap().contains(name)).map(|a| a["answer"].as_str().unwrap().to_owned())
    };
    assert_eq!(answer(&report, "role/s3-replication").as_deref(), Some("always"), "{}", done.out);
    assert_eq!([sent(&accounts, "GetKeyPolicy"), sent(&accounts, "ListGrants")], [1, 1]);

    // A list that leads back to the same page is not a list of all grants.
    let page = r#"{"Grants":[],"Truncated":true,"NextMarker":"again"}"#;
    let looping = answering("kms:ListGrants", "", page);
    let report = ask(&looping, "kms:Decrypt");
    assert!((2..5).contains(&sent(&looping, "ListGrants")), "{:?}", looping.calls());
    assert_eq!(report.code, 3, "what a grant may give is not known\n{}", report.out);
}

/// A key of a third account: nothing else is asked there, so it is entered only when a bucket leads to it.
#[test]
fn an_alias_leads_to_a_key_of_another_account() {
    let encryption = |key: &str| {
        format!(
            r#"<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>{key}</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"#
        )
    };
    let alias = "arn:aws:kms:eu-central-1:222222222222:alias/documents";
    let key = "arn:aws:kms:eu-central-1:222222222222:key/0a";
    let state = format!(
        r#"{{"KeyMetadata":{{"KeyId":"0a","Arn":"{key}","Enabled":false,"KeyUsage":"ENCRYPT_DECRYPT","KeyState":"PendingDeletion","DeletionDate":1796212800.0,"Origin":"AWS_KMS","KeyManager":"CUSTOMER","KeySpec":"SYMMETRIC_DEFAULT"}}}}"#
    );
    let mut world = company();
    let bucket = |name: &str, key: &str| Bucket::new(name).region("eu-central-1").encryption(&encryption(key));
    let add = |account: &mut Account, bucket: Bucket| account.buckets.push(bucket);
    let production = world.accounts.iter_mut().find(|account| account.id == "111111111111").unwrap();
    add(production, bucket("acme-aliased", alias));
    add(production, bucket("acme-of-aws", "").encryption(&encryption("").replace("<KMSMasterKeyID></KMSMasterKeyID>", "")));
    add(production, bucket("acme-foreign", &KEY.replace("111111111111", "999999999999")));
    let vault = world.accounts.iter_mut().find(|account| account.id == "222222222222").unwrap();
    // Only to requests that are signed for the key's Region.
    *vault = vault.clone().answer("kms:DescribeKey", "region=eu-central-1", &state);
    let accounts = Accounts::of(world);
    let text = policy(&[(
        "usable",
        "s3-bucket-key-usable",
        "scope: { account: production, buckets: [acme-aliased, acme-of-aws, acme-foreign, acme-logs] }",
    )]);
    let path = accounts.policy(&text);
    let forecast = run(accounts.lastcopy().args(["collect", "--dry-run"]).arg(&path)).out;
    for line in ["vault\tkms:DescribeKey", "vault\tsts:AssumeRole", "production\tkms:DescribeKey"] {
        assert!(forecast.contains(line), "{line}\n{forecast}");
    }
    let permissions = run(accounts.lastcopy().arg("permissions").arg(&path)).out;
    assert!(permissions.contains("kms:DescribeKey"), "{permissions}");

    let done = accounts.audit(&text);
    let report = done.json();
    let seen = verdicts(&report);
    let of = |bucket: &str| seen[&format!("usable arn:aws:s3:::{bucket}")].as_str();
    assert_eq!(
        [of("acme-aliased"), of("acme-of-aws"), of("acme-foreign"), of("acme-logs")],
        ["fail", "pass", "unknown", "not_applicable"],
        "{}",
        done.out
    );
    let message = finding(&report, "usable")["message"].as_str().unwrap();
    assert!(message.contains("scheduled for deletion on 2026-12-02"), "{message}");
    assert!(done.out.contains("lies in account 999999999999, which no policy declares"), "{}", done.out);
    // The alias, then the key behind it; nothing about the key that AWS manages.
    assert_eq!(report["calls"]["kms:DescribeKey"], 2, "{}", report["calls"]);
    assert_eq!(report["calls"]["sts:AssumeRole"], 1);
}

/// A trail of the organization whose selectors a member may not read does not take the others with it.
#[test]
fn a_trail_that_is_refused_leaves_the_others() {
    let trail = |name: &str, account: &str, organization: bool| {
        format!(
            r#"{{"Name":"{name}","S3BucketName":"logs","IsMultiRegionTrail":true,"HomeRegion":"us-east-1","TrailARN":"arn:aws:cloudtrail:us-east-1:{account}:trail/{name}","LogFileValidationEnabled":true,"IsOrganizationTrail":{organization}}}"#
        )
    };
    let list = format!(r#"{{"trailList":[{},{}]}}"#, trail("own", "111111111111", false), trail("org", "333333333333", true));
    let accounts = answering("cloudtrail:DescribeTrails", "", &list);
    let selectors = |accounts: &Accounts| {
        let report = accounts.audit(&all()).json();
        (verdict(&report, "trail").to_owned(), verdict(&report, "deletes").to_owned())
    };
    // The canned selectors, management only, are those of both.
    assert_eq!(selectors(&accounts), ("pass".to_owned(), "fail".to_owned()));
    accounts.faults(vec![Fault::new("GetEventSelectors", FaultKind::Deny).after(1)]);
    let (trail, deletes) = selectors(&accounts);
    assert!(trail == "pass" || trail == "unknown", "{trail}");
    assert_eq!(deletes, "unknown", "the refused trail may record them");
}

#[test]
fn a_world_without_services_has_no_keys_and_no_trails() {
    let accounts = Accounts::of(World::many(2));
    let policy = r#"
lastcopy: v1
name: many
accounts:
  production: { id: "111111111111", region: eu-west-1 }
controls:
  - { id: usable, check: s3-bucket-key-usable, scope: { account: production } }
  - { id: trail, check: account-trail, scope: { account: production } }
  - { id: deletes, check: s3-bucket-data-events, scope: { account: production } }
"#;
    let report = accounts.audit(policy).json();
    assert_eq!(verdict(&report, "usable"), "not_applicable");
    assert_eq!(verdict(&report, "trail"), "fail");
    assert_eq!(verdict(&report, "deletes"), "fail");
    assert_eq!(report["calls"]["kms:DescribeKey"], Value::Null);
}
