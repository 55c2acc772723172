//! AWS Backup and CloudWatch: what they say of buckets is read where the buckets lie.

use lastcopy_demo::{AccessKey, Account, Bucket, Fault, FaultKind, PRODUCTION_KEY, User, World};
use serde_json::{Value, json};

use crate::support::Accounts;

const POLICY: &str = r#"
lastcopy: v1
name: backup
accounts:
  production: { id: "111111111111", region: eu-west-1 }
controls:
  - { id: backed-up, check: s3-bucket-backup, scope: { account: production, buckets: [docs, bare] } }
  - { id: vaults, check: account-backup-vault-lock, scope: { account: production } }
  - { id: healthy, check: s3-bucket-replication-health, scope: { account: production, buckets: [docs, bare] } }
"#;

const REPLICATION: &str = r#"<ReplicationConfiguration><Role>arn:aws:iam::111111111111:role/r</Role><Rule><ID>all</ID><Priority>1</Priority>
<Status>Enabled</Status><Filter/><DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>
<Destination><Bucket>arn:aws:s3:::mirror</Bucket></Destination></Rule></ReplicationConfiguration>"#;

/// `docs` has a recovery point of an hour ago and replicates without a failure; `bare` has nothing.
fn world(failed: f64) -> World {
    let now = jiff::Timestamp::now().as_second();
    let point = "arn:aws:backup:eu-west-1:111111111111:recovery-point:1";
    let dimension = |name: &str, value: &str| json!({ "Name": name, "Value": value });
    let metric = |name: &str| {
        let dimensions =
            [dimension("SourceBucket", "docs"), dimension("DestinationBucket", "mirror"), dimension("RuleId", "all")];
        json!({ "Metrics": [{ "Namespace": "AWS/S3", "MetricName": name, "Dimensions": dimensions }] }).to_string()
    };
    let data = |value: f64| {
        let result =
            json!({ "Id": "m", "Label": "m", "Timestamps": [{ "$epoch": now }], "Values": [value], "StatusCode": "Complete" });
        json!({ "MetricDataResults": [result] }).to_string()
    };
    let auditor = User::new("auditor", "2024-01-01T09:00:00Z").key(AccessKey::of(PRODUCTION_KEY, "2026-11-01T09:00:00Z"));
    let docs = Bucket { replication: Some(REPLICATION.to_owned()), ..Bucket::new("docs").versioned() };
    let vault = json!({ "BackupVaultName": "kept", "Locked": true, "LockDate": 1_600_000_000, "MinRetentionDays": 35,
        "NumberOfRecoveryPoints": 1 });
    let points = json!({ "RecoveryPoints": [{ "RecoveryPointArn": point, "BackupVaultName": "kept", "Status": "COMPLETED",
        "CreationDate": now - 3600 }] });
    let described =
        json!({ "RecoveryPointArn": point, "IsEncrypted": true, "CalculatedLifecycle": { "DeleteAt": now + 40 * 86_400 } });
    let account = Account::aws("111111111111", "production")
        .user(auditor)
        .bucket(docs)
        .bucket(Bucket::new("bare"))
        // Two pages.
        .answer("backup:ListBackupVaults", "nextToken=more", &json!({ "BackupVaultList": [vault] }).to_string())
        .answer("backup:ListBackupVaults", "", &json!({ "BackupVaultList": [], "NextToken": "more" }).to_string())
        .answer("backup:GetBackupVaultAccessPolicy", "", &json!({ "BackupVaultName": "kept" }).to_string())
        .answer("backup:ListRecoveryPointsByResource", ":::docs", &points.to_string())
        .answer("backup:DescribeRecoveryPoint", "", &described.to_string())
        .answer("cloudwatch:ListMetrics", "ReplicationLatency", &metric("ReplicationLatency"))
        .answer("cloudwatch:ListMetrics", "OperationsPending", &metric("OperationsPendingReplication"))
        .answer("cloudwatch:ListMetrics", "OperationsFailed", &metric("OperationsFailedReplication"))
        .answer("cloudwatch:GetMetricData", "OperationsFailed", &data(failed))
        .answer("cloudwatch:GetMetricData", "", &data(40.5));
    World::default().account(account)
}

fn verdicts(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let mut all: Vec<String> = findings
        .map(|f| format!("{} {} {}", f["control"].as_str().unwrap(), f["name"].as_str().unwrap(), f["verdict"].as_str().unwrap()))
        .collect();
    all.sort();
    all
}

#[test]
fn what_they_say_is_judged() {
    let accounts = Accounts::of(world(0.0));
    let report = accounts.audit(POLICY).json();
    assert_eq!(
        verdicts(&report),
        [
            "backed-up bare fail",
            "backed-up docs pass",
            "healthy bare not_applicable",
            "healthy docs pass",
            "vaults production pass",
        ],
        "{report:#}"
    );
    assert_eq!(report["calls"]["cloudwatch:GetMetricData"], 3, "{:#}", report["calls"]);
    let failed = Accounts::of(world(7.0)).audit(POLICY).json();
    assert!(verdicts(&failed).contains(&"healthy docs fail".to_owned()), "{failed:#}");
    assert!(failed.to_string().contains("7 operations of rule all to mirror failed in the last 24 hours of docs"));
}

#[test]
fn what_they_do_not_say_is_unknown() {
    for (operation, row) in [
        ("backup:ListRecoveryPointsByResource", "backed-up docs unknown"),
        ("backup:DescribeRecoveryPoint", "backed-up docs unknown"),
        ("backup:ListBackupVaults", "vaults production unknown"),
        ("cloudwatch:ListMetrics", "healthy docs unknown"),
        ("cloudwatch:GetMetricData", "healthy docs unknown"),
    ] {
        for kind in [FaultKind::Deny, FaultKind::Truncate] {
            let accounts = Accounts::of(world(0.0));
            accounts.faults(vec![Fault::new(operation, kind.clone())]);
            let report = accounts.audit(POLICY).json();
            assert!(verdicts(&report).contains(&row.to_owned()), "{operation} {kind:?}: {:?}", verdicts(&report));
        }
    }
}
