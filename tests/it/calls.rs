//! The policies decide what is fetched; nothing else is called.

use lastcopy_demo::World;

use crate::support::{Accounts, ONE_ACCOUNT, run};

#[test]
fn named_buckets_cost_no_listing_and_each_fact_one_call() {
    let accounts = Accounts::company();
    let done = accounts.audit(ONE_ACCOUNT);
    let calls = &done.json()["calls"];
    assert_eq!(*calls, serde_json::json!({ "s3:GetBucketVersioning": 2, "sts:GetCallerIdentity": 1 }));
    let seen = accounts.calls();
    assert_eq!(seen["GetBucketVersioning"], 2);
    assert_eq!(seen.values().sum::<u64>(), 3, "{seen:?}");
}

#[test]
fn calls_for_each_bucket_are_the_facts_of_the_policy() {
    let accounts = Accounts::of(World::many(300));
    let policy = r#"
lastcopy: v1
name: many
accounts:
  production: { id: "111111111111", region: eu-west-1 }
controls:
  - { id: a, check: s3-bucket-versioning, scope: { account: production } }
  - { id: b, check: s3-bucket-mfa-delete, scope: { account: production } }
  - { id: c, check: s3-bucket-encryption, scope: { account: production } }
"#;
    let report = accounts.audit(policy).json();
    assert_eq!(report["calls"]["s3:GetBucketVersioning"], 300, "two controls, one call");
    assert_eq!(report["calls"]["s3:GetBucketEncryption"], 300);
    assert_eq!(report["calls"]["s3:ListBuckets"], 1);
    assert_eq!(report["calls"].as_object().unwrap().len(), 4, "{}", report["calls"]);
}

#[test]
fn the_forecast_is_what_is_sent() {
    let accounts = Accounts::company();
    let path = accounts.policy(ONE_ACCOUNT);
    let done = run(accounts.lastcopy().arg("collect").arg("--dry-run").arg(path));
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.out, "production\ts3:GetBucketVersioning\t2\nproduction\tsts:GetCallerIdentity\t1\n");
    assert!(accounts.calls().is_empty(), "a dry run sends nothing");
}

/// Of the demo, of the pack and of every example: what is forecast is sent, and needs the permissions that are printed.
#[test]
fn forecast_ledger_and_permissions_agree() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/policies");
    let mut policies: Vec<String> = vec![include_str!("../../policies/demo.yaml").to_owned()];
    for entry in std::fs::read_dir(examples).unwrap() {
        policies.push(std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    for policy in policies {
        let accounts = Accounts::company();
        let path = accounts.policy(&policy);
        let forecast = run(accounts.lastcopy().args(["collect", "--dry-run", "-q"]).arg(&path));
        assert_eq!(forecast.code, 0, "{}", forecast.err);
        let names: Vec<String> = lastcopy::policy::load::load(&[lastcopy::policy::source::SourceFile {
            path: "p.yaml".to_owned(),
            bytes: policy.clone().into_bytes(),
        }])
        .unwrap()
        .policy
        .estate
        .accounts
        .keys()
        .map(|key| key.as_str().to_owned())
        .collect();
        let mut command = accounts.lastcopy();
        command.arg("audit").arg(&path).args(["--format", "json"]);
        for name in &names {
            command.arg("--account").arg(format!("{name}=endpoint:{}", accounts.url()));
            if policy.contains("profile: offsite") && name == "offsite" {
                command.args(["--account", "offsite=profile:offsite"]);
            }
        }
        let report = run(&mut command).json();
        let sent: std::collections::BTreeSet<&str> = report["calls"].as_object().unwrap().keys().map(String::as_str).collect();
        let entered: Vec<&str> = report["accounts"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|account| account["gap"].is_null())
            .map(|account| account["key"].as_str().unwrap())
            .collect();
        let mut foreseen = std::collections::BTreeSet::new();
        for line in forecast.out.lines() {
            let mut columns = line.split('\t');
            let (account, call) = (columns.next().unwrap(), columns.next().unwrap());
            if entered.contains(&account) || call.starts_with("sts:") {
                foreseen.insert(call);
            }
        }
        for call in &sent {
            assert!(foreseen.contains(call), "{call} was sent and not foreseen: {foreseen:?}\n{policy}");
        }
    }
}

/// Which of the buckets are in scope is known only by their tags.
#[test]
fn tags_of_named_buckets_are_read_and_so_are_their_facts() {
    let accounts = Accounts::company();
    let policy = ONE_ACCOUNT
        .replace("buckets: [acme-documents, acme-logs]", "buckets: [acme-documents, acme-logs], tags: { data: customer }");
    let path = accounts.policy(&policy);
    let forecast = run(accounts.lastcopy().args(["collect", "--dry-run"]).arg(&path));
    assert!(forecast.out.contains("s3:GetBucketVersioning"), "{}", forecast.out);
    let permissions = run(accounts.lastcopy().arg("permissions").arg(&path));
    assert!(permissions.out.contains("s3:GetBucketVersioning"), "{}", permissions.out);
    let done = accounts.audit(&policy);
    assert_eq!(done.code, 0, "{}", done.out);
    assert_eq!(done.json()["summary"]["pass"], 1);
}

#[test]
fn what_another_control_names_does_not_enter_a_glob() {
    let accounts = Accounts::company();
    let policy = ONE_ACCOUNT.replace("[acme-documents, acme-logs]", "\"acme-doc*\"");
    let alone = accounts.audit(&policy);
    let other = format!(
        "{policy}  - {{ id: other, check: s3-bucket-versioning, scope: {{ account: production, buckets: acme-documents-mirror }} }}\n"
    );
    let both = accounts.audit(&other);
    let of_first = |done: &crate::support::Done| {
        let rows = crate::support::verdicts(&done.json());
        rows.into_iter().filter(|(row, _)| row.starts_with("versioned ")).collect::<Vec<_>>()
    };
    assert_eq!(of_first(&alone), of_first(&both));
}

#[test]
fn a_bucket_in_another_region_costs_one_redirect() {
    let accounts = Accounts::company();
    let policy = ONE_ACCOUNT.replace("[acme-documents, acme-logs]", "acme-exports-eu");
    let report = accounts.audit(&policy).json();
    assert_eq!(report["findings"][0]["region"], "eu-central-1");
    assert_eq!(report["calls"]["s3:GetBucketVersioning"], 2);
    // From a listing the Region is known.
    let policy = ONE_ACCOUNT.replace("[acme-documents, acme-logs]", "acme-exports-*");
    let report = accounts.audit(&policy).json();
    assert_eq!(report["calls"]["s3:GetBucketVersioning"], 1);
}
