//! Further settings of buckets, read from the wire: ACLs, logs, notifications, inventories, tiering, uploads, access points,
//! replication and where it leads.

use std::collections::BTreeMap;

use lastcopy_demo::{AccessKey, AccessPoint, Account, Bucket, Fault, FaultKind, PRODUCTION_KEY, User, World};
use serde_json::{Value, json};

use crate::support::{Accounts, run, verdicts};

const POLICY: &str = r#"
lastcopy: v1
name: more
accounts:
  production: { id: "111111111111", region: eu-west-1 }
  vault: { id: "222222222222", region: eu-west-1, role-arn: "arn:aws:iam::222222222222:role/audit" }
controls:
  - { id: public, check: s3-bucket-not-public, scope: { account: production, buckets: "docs-*" } }
  - { id: acl, check: s3-bucket-acl, scope: { account: production, buckets: "docs-*" } }
  - { id: foreign, check: s3-bucket-no-foreign-grants, scope: { account: production, buckets: "docs-*" } }
  - { id: points, check: s3-bucket-access-points, scope: { account: production, buckets: "docs-*" } }
  - { id: logs, check: s3-bucket-access-logging, scope: { account: production, buckets: "docs-*" } }
  - { id: events, check: s3-bucket-delete-events, scope: { account: production, buckets: "docs-*" } }
  - { id: inventory, check: s3-bucket-inventory, scope: { account: production, buckets: "docs-*" } }
  - { id: uploads, check: s3-bucket-no-stale-uploads, scope: { account: production, buckets: "docs-*" } }
  - { id: replicated, check: s3-bucket-replication, with: { to: other-account }, scope: { account: production, buckets: "docs-*" } }
  - { id: block, check: account-public-access-block, scope: { account: production } }
"#;

const TRUST: &str = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}}"#;

fn statement(rest: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"S","Effect":"Allow",{rest}}}]}}"#)
}

fn inventory(id: &str, prefix: &str) -> String {
    format!(
        "<InventoryConfiguration><Destination><S3BucketDestination><AccountId>222222222222</AccountId><Bucket>arn:aws:s3:::lists</Bucket>\
         <Format>Parquet</Format></S3BucketDestination></Destination><IsEnabled>true</IsEnabled><Filter><Prefix>{prefix}</Prefix></Filter>\
         <Id>{id}</Id><IncludedObjectVersions>All</IncludedObjectVersions><OptionalFields><Field>Size</Field></OptionalFields>\
         <Schedule><Frequency>Daily</Frequency></Schedule></InventoryConfiguration>"
    )
}

const EVENTS: &str = r#"<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TopicConfiguration><Id>t</Id><Topic>arn:aws:sns:eu-west-1:111111111111:deleted</Topic><Event>s3:ObjectRemoved:*</Event><Event>s3:LifecycleExpiration:*</Event></TopicConfiguration><QueueConfiguration><Id>q</Id><Queue>arn:aws:sqs:eu-west-1:111111111111:created</Queue><Event>s3:ObjectCreated:Put</Event><Filter><S3Key><FilterRule><Name>Prefix</Name><Value>in/</Value></FilterRule><FilterRule><Name>Suffix</Name><Value>.pdf</Value></FilterRule></S3Key></Filter></QueueConfiguration></NotificationConfiguration>"#;

const REPLICATION: &str = r#"<ReplicationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Role>arn:aws:iam::111111111111:role/r</Role><Rule><ID>all</ID><Priority>7</Priority><Filter/><Status>Enabled</Status><Destination><Bucket>arn:aws:s3:::mirror</Bucket><Account>222222222222</Account><AccessControlTranslation><Owner>Destination</Owner></AccessControlTranslation></Destination><DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication></Rule></ReplicationConfiguration>"#;

const TIERING: &str = "<IntelligentTieringConfiguration><Id>old</Id><Filter><And><Prefix>a/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter><Status>Enabled</Status><Tiering><Days>90</Days><AccessTier>ARCHIVE_ACCESS</AccessTier></Tiering><Tiering><Days>180</Days><AccessTier>DEEP_ARCHIVE_ACCESS</AccessTier></Tiering></IntelligentTieringConfiguration>";

/// `docs-good` in another Region than the account's first, `docs-bad` open to everybody, `docs-bare` with nothing,
/// `docs-open` with a policy and no block.
fn world() -> World {
    let logs = statement(
        r#""Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/*""#,
    );
    let good = Bucket::new("docs-good")
        .region("eu-central-1")
        .versioned()
        .policy(&statement(r#""Principal":{"AWS":"222222222222"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::docs-good/*""#))
        .ownership("BucketOwnerEnforced")
        .grant("AllUsers", "READ")
        .logging("logs", "good/")
        .notification(EVENTS)
        .inventory(&inventory("all", ""))
        .tiering(TIERING)
        .upload("a key & more", "2026-11-21T12:00:00.000Z")
        .replication(REPLICATION)
        .blocked()
        .access_point(AccessPoint {
            name: "inside".to_owned(),
            vpc: Some("vpc-1".to_owned()),
            public_access_block: [true; 4],
            policy: Some(statement(r#""Principal":{"AWS":"111111111111"},"Action":"s3:*","Resource":"*""#)),
        });
    let bad = Bucket::new("docs-bad")
        .policy(&statement(r#""Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::docs-bad","arn:aws:s3:::docs-bad/*"]"#))
        .grant("AllUsers", "WRITE")
        .grant("LogDelivery", "WRITE")
        .logging("docs-bad", "")
        .inventory(&inventory("some", "invoices/"))
        .upload("forgotten", "2026-11-01T12:00:00.000Z")
        .access_point(AccessPoint {
            name: "outside".to_owned(),
            public_access_block: [true, true, true, false],
            policy: Some(statement(r#""Principal":{"AWS":"999999999999"},"Action":"s3:GetObject","Resource":"*""#)),
            ..AccessPoint::default()
        });
    let production = Account::aws("111111111111", "production")
        .user(User::new("auditor", "2024-01-01T09:00:00Z").key(AccessKey::of(PRODUCTION_KEY, "2026-11-01T09:00:00Z")))
        .bucket(good)
        .bucket(bad)
        .bucket(Bucket::new("docs-bare"))
        .bucket(
            Bucket::new("docs-open").policy(&statement(r#""Principal":{"AWS":"111111111111"},"Action":"s3:*","Resource":"*""#)),
        )
        .bucket(Bucket::new("logs").region("eu-central-1").policy(&logs));
    let vault = Account::aws("222222222222", "vault")
        .role(lastcopy_demo::Role::new("audit", "2024-01-01T09:00:00Z", TRUST))
        .bucket(Bucket::new("mirror").region("eu-central-1").versioned().ownership("BucketOwnerEnforced"));
    World::default().account(production).account(vault)
}

fn by_bucket(report: &Value) -> BTreeMap<String, String> {
    verdicts(report).into_iter().map(|(row, verdict)| (row.replace("arn:aws:s3:::", ""), verdict)).collect()
}

/// The known facts of a bucket in a collected snapshot, by id.
fn facts(accounts: &Accounts, bucket: &str) -> BTreeMap<String, Value> {
    let (done, file) = accounts.collect(POLICY);
    assert_eq!(done.code, 0, "{}", done.err);
    let text = std::fs::read_to_string(file).unwrap();
    assert!(!text.contains("a key & more"), "no key is kept");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["fact"].clone());
    lines
        .filter(|fact| fact["resource"]["name"] == bucket)
        .map(|fact| (fact["fact"].as_str().unwrap().to_owned(), fact["state"]["known"].clone()))
        .collect()
}

#[test]
fn what_is_set_is_read_and_judged() {
    let accounts = Accounts::of(world());
    let done = accounts.audit(POLICY);
    let report = done.json();
    let seen = by_bucket(&report);
    let expected = [
        ("public", ["pass", "fail", "pass"]),
        ("acl", ["pass", "fail", "pass"]),
        ("foreign", ["pass", "fail", "pass"]),
        ("points", ["pass", "fail", "pass"]),
        ("logs", ["pass", "fail", "fail"]),
        ("events", ["pass", "fail", "fail"]),
        ("inventory", ["pass", "fail", "fail"]),
        ("uploads", ["pass", "fail", "pass"]),
        ("replicated", ["pass", "fail", "fail"]),
    ];
    for (control, verdicts) in expected {
        for (bucket, verdict) in ["docs-good", "docs-bad", "docs-bare"].iter().zip(verdicts) {
            let row = format!("{control} {bucket}");
            assert_eq!(seen.get(&row).map(String::as_str), Some(verdict), "{row}\n{}", done.out);
        }
    }
    assert!(seen.iter().any(|(row, verdict)| row.starts_with("block ") && verdict == "fail"), "{seen:?}");
    let said: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|finding| finding["violations"].as_array().into_iter().flatten())
        .map(|violation| violation["message"].as_str().unwrap())
        .collect();
    for part in [
        "statement 1 (Sid S) of the bucket policy lets everybody read and write",
        "the ACL lets everybody write and delete",
        "the ACL gives WRITE to the log delivery group",
        "statement 1 (Sid S) of the policy of access point outside gives s3:GetObject to account 999999999999",
        "RestrictPublicBuckets off for access point outside",
        "begun on 2026-11-01T12:00:00Z",
    ] {
        assert!(said.iter().any(|says| says.contains(part)), "{part} in {said:#?}");
    }
    // Once for each bucket, and the bucket in another Region is asked there.
    let calls = &report["calls"];
    for call in
        ["s3control:ListAccessPoints", "s3:GetBucketLogging", "s3:ListMultipartUploads", "s3:ListBucketInventoryConfigurations"]
    {
        assert_eq!(calls[call], 4, "{call}: {calls}");
    }
    assert_eq!(calls["s3control:GetAccessPoint"], 2, "{calls}");
    // The log bucket was found through what a bucket says; so was the mirror, at the cost of one redirect to its Region.
    assert_eq!(calls["s3:GetBucketAcl"], 5, "{calls}");
    let count = |call: &str| calls[call].as_u64().unwrap();
    assert_eq!(count("s3:GetBucketVersioning") + count("s3:GetBucketOwnershipControls"), 8, "{calls}");
}

#[test]
fn what_a_bucket_leads_to_is_forecast_and_permitted() {
    let accounts = Accounts::of(world());
    let path = accounts.policy(POLICY);
    let forecast = run(accounts.lastcopy().args(["collect", "--dry-run", "-q"]).arg(&path));
    assert_eq!(forecast.code, 0, "{}", forecast.err);
    let report = accounts.audit(POLICY).json();
    for call in report["calls"].as_object().unwrap().keys() {
        assert!(forecast.out.lines().any(|line| line.split('\t').nth(1) == Some(call)), "{call} in\n{}", forecast.out);
    }
    let needed = run(accounts.lastcopy().arg("permissions").arg(&path));
    for action in [
        "s3:ListAccessPoints",
        "s3:GetAccessPointPolicy",
        "s3:ListBucketMultipartUploads",
        "s3:GetInventoryConfiguration",
        "s3:GetBucketNotification",
        "s3:GetBucketAcl",
        "s3:GetBucketPolicyStatus",
    ] {
        assert!(needed.out.contains(action), "{action} in {}", needed.out);
    }
}

#[test]
fn facts_hold_what_was_answered() {
    let accounts = Accounts::of(world());
    let good = facts(&accounts, "docs-good");
    let known = |fact: &str| good[fact].clone();
    assert_eq!(known("s3-bucket.logging"), json!({ "bucket": "logs", "prefix": "good/" }));
    assert_eq!(known("s3-bucket.uploads"), json!({ "count": 1, "oldest": "2026-11-21T12:00:00Z", "truncated": false }));
    let notification = known("s3-bucket.notification");
    assert_eq!(notification["targets"][1]["prefix"], "in/");
    assert_eq!(notification["targets"][1]["suffix"], ".pdf");
    assert_eq!(known("s3-bucket.inventory")["configs"][0]["bucket"], "lists");
    assert_eq!(known("s3-bucket.replication")["rules"][0]["priority"], 7);
    let point = &known("s3-bucket.access-points")["points"][0];
    assert_eq!(point["arn"], "arn:aws:s3:eu-central-1:111111111111:accesspoint/inside");
    assert_eq!(known("s3-bucket.acl")["grants"].as_array().unwrap().len(), 1, "ACLs are off");
}

/// Whatever goes wrong on the way, no control passes that passed or failed before.
#[test]
fn every_operation_that_fails_makes_unknown() {
    let accounts = Accounts::of(world());
    let truth = by_bucket(&accounts.audit(POLICY).json());
    let operations = [
        ("GetBucketPolicyStatus", "public"),
        ("GetBucketAcl", "acl"),
        ("GetBucketLogging", "logs"),
        ("GetBucketNotificationConfiguration", "events"),
        ("ListBucketInventoryConfigurations", "inventory"),
        ("ListMultipartUploads", "uploads"),
        ("s3control:ListAccessPoints", "points"),
        ("s3control:GetAccessPoint", "points"),
        ("s3control:GetAccessPointPolicy", "points"),
    ];
    for (operation, control) in operations {
        for kind in [FaultKind::Deny, FaultKind::Empty200, FaultKind::Truncate, FaultKind::Html(200)] {
            let shown = format!("{operation} {kind:?}");
            accounts.faults(vec![Fault::new(operation, kind)]);
            let seen = by_bucket(&accounts.audit(POLICY).json());
            for (row, verdict) in &seen {
                assert!(verdict == "unknown" || *verdict == truth[row], "{shown}: {row}: {} became {verdict}", truth[row]);
            }
            assert!(seen.iter().any(|(row, verdict)| row.starts_with(control) && verdict == "unknown"), "{shown}: {seen:#?}");
        }
    }
}

#[test]
fn long_lists_are_read_to_their_end_or_not_taken_as_whole() {
    let mut many = Bucket::new("docs-many");
    for at in 0..1500 {
        many = many
            .upload(&format!("key +%{at:05}"), if at == 1400 { "2026-01-01T00:00:00.000Z" } else { "2026-11-22T11:00:00.000Z" });
    }
    for at in 0..120 {
        many = many.inventory(&inventory(&format!("i{at:03}"), if at == 110 { "" } else { "x/" }));
        many =
            many.access_point(AccessPoint { name: format!("p{at}"), public_access_block: [true; 4], ..AccessPoint::default() });
    }
    let mut world = world();
    world.accounts[0].buckets.push(many);
    let accounts = Accounts::of(world);
    let report = accounts.audit(POLICY).json();
    let seen = by_bucket(&report);
    assert_eq!(seen["uploads docs-many"], "fail", "the old one is on the second page");
    assert_eq!(seen["inventory docs-many"], "pass", "the one that covers everything is on the second page");
    assert_eq!(report["calls"]["s3control:GetAccessPoint"], 122);
    accounts.faults(vec![
        Fault::new("ListBucketInventoryConfigurations", FaultKind::RepeatToken).on("docs-many"),
        Fault::new("ListMultipartUploads", FaultKind::RepeatToken).on("docs-many"),
        Fault::new("s3control:ListAccessPoints", FaultKind::RepeatToken),
    ]);
    let report = accounts.audit(POLICY).json();
    for finding in report["findings"].as_array().unwrap().iter().filter(|finding| finding["resource"] == "arn:aws:s3:::docs-many")
    {
        if ["inventory", "uploads", "points"].contains(&finding["control"].as_str().unwrap()) {
            assert_eq!(finding["gaps"][0]["why"], "truncated", "{finding}");
        }
    }
}

/// S3 Control lists nothing for a bucket that it does not know, which must not pass for "none".
#[test]
fn a_bucket_that_is_missing_or_foreign_has_no_known_access_points() {
    let accounts = Accounts::of(world());
    let policy = r#"
lastcopy: v1
name: points
accounts:
  production: { id: "111111111111", region: eu-west-1 }
controls:
  - { id: points, check: s3-bucket-access-points, scope: { account: production, buckets: [docs-good, mirror, nowhere] } }
"#;
    let report = accounts.audit(policy).json();
    let seen = by_bucket(&report);
    assert_eq!(seen["points docs-good"], "pass", "found in its own Region: {report}");
    assert_ne!(seen["points mirror"], "pass");
    assert_ne!(seen["points nowhere"], "pass");
}

/// No check reads the tiers yet.
#[test]
fn archive_tiers_are_read() {
    use lastcopy::collect::run::{Options, Stop, Watch, collect};
    use lastcopy::demand::{Demand, Want};
    use lastcopy::estate::{Account as Declared, AccountKey, Estate, ResourceId};
    use lastcopy::fact::{Fact, Kind};
    use lastcopy::resources::FactType;
    use lastcopy::resources::s3_bucket::intelligent_tiering::{Config, IntelligentTiering, Tier, Tiering};

    struct Quiet;
    impl Watch for Quiet {
        fn phase(&self, _: &str, _: usize) {}
        fn step(&self) {}
    }
    let accounts = Accounts::of(world());
    let key = AccountKey::new("production");
    let mut estate = Estate::default();
    estate.accounts.insert(key.clone(), Declared { region: Some("eu-west-1".to_owned()), ..Declared::default() });
    let scope = lastcopy::scope::Scope { names: vec!["docs-*".to_owned()], ..Default::default() };
    let wants = [Want { scope, unit: Kind::S3Bucket, demands: vec![Demand::unit(&[IntelligentTiering::SPEC])] }];
    let connection = lastcopy::aws::session::Connection {
        endpoint: Some(accounts.url()),
        credentials: Some((PRODUCTION_KEY.0.to_owned(), PRODUCTION_KEY.1.to_owned())),
        ..Default::default()
    };
    let options = Options {
        connections: [(key.clone(), connection)].into(),
        shared: lastcopy::aws::session::Shared::new(8),
        concurrency: 8,
        policy_digest: None,
        clock: || "2026-11-22T12:00:00Z".parse().unwrap(),
    };
    let snapshot = accounts.runtime().block_on(collect(&wants, &estate, &options, &Quiet, &Stop::default()));
    let of = |bucket: &str| snapshot.read::<IntelligentTiering>(&ResourceId::bucket(&key, bucket));
    let expected = Config {
        id: "old".to_owned(),
        enabled: true,
        prefix: "a/".to_owned(),
        narrowed: true,
        tiers: vec![Tiering { tier: Tier::ArchiveAccess, days: 90 }, Tiering { tier: Tier::DeepArchiveAccess, days: 180 }],
    };
    assert_eq!(of("docs-good"), Fact::Known(&IntelligentTiering { configs: vec![expected] }));
    assert_eq!(of("docs-bare"), Fact::Absent);
}
