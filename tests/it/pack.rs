//! The shipped pack for document stores: a snapshot that meets it, and one that does not.

use std::path::Path;

use lastcopy_demo::{Account, Bucket, Role, Root, RootMfa, World};

use crate::support::{Accounts, lastcopy, run};

const POLICY: &str = r#"
lastcopy: v1
name: acme
extends: [document-store]
accounts:
  production: { id: "111111111111", region: eu-west-1 }
  vault: { id: "222222222222", region: eu-west-1, role-arn: "arn:aws:iam::222222222222:role/lastcopy-audit", external-id: lastcopy-demo }
stores:
  documents:
    copies:
      primary: { account: production, bucket: acme-documents, exclude: ["tmp/"] }
      mirror: { account: vault, bucket: acme-documents-mirror, fed-by: replication }
controls:
  - { id: roles-trusted, with: { allowed: ["111111111111"], require-external-id: true } } # the audit, from production
"#;

/// Every check is of some use to the pack, so a new one is decided upon.
#[test]
fn the_company_of_the_demo_fails_the_pack() {
    let accounts = Accounts::company();
    let file = collected(&accounts);
    let report = judged(&accounts, &file).json();
    let failed: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["verdict"] == "fail")
        .filter_map(|f| f["check"].as_str())
        .collect();
    for check in ["s3-bucket-noncurrent-retention", "store-mirror-grants", "account-root-mfa", "s3-bucket-least-privilege"] {
        assert!(failed.contains(&check), "{check} in {failed:?}");
    }
}

/// The same company after it did what the report said.
#[test]
fn a_company_that_did_its_homework_meets_the_pack() {
    let tls = |bucket: &str, more: &str| {
        let deny = format!(
            r#"{{"Sid":"TlsOnly","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::{bucket}","arn:aws:s3:::{bucket}/*"],"Condition":{{"Bool":{{"aws:SecureTransport":"false"}}}}}}"#
        );
        format!(r#"{{"Version":"2012-10-17","Statement":[{deny}{more}]}}"#)
    };
    let keep = r#"<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ID>tidy</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><NoncurrentVersionExpiration><NoncurrentDays>45</NoncurrentDays></NoncurrentVersionExpiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>"#;
    let sse = r#"<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled><BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>"#;
    let mirrored = r#"<ReplicationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Role>arn:aws:iam::111111111111:role/s3-replication</Role><Rule><ID>all</ID><Priority>1</Priority><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication><Destination><Bucket>arn:aws:s3:::acme-documents-mirror</Bucket><Account>222222222222</Account><AccessControlTranslation><Owner>Destination</Owner></AccessControlTranslation></Destination></Rule></ReplicationConfiguration>"#;
    let feed = r#",{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/s3-replication"},"Action":["s3:ReplicateObject","s3:ReplicateDelete","s3:ObjectOwnerOverrideToBucketOwner"],"Resource":"arn:aws:s3:::acme-documents-mirror/*"}"#;
    let bucket = |name: &str, more: &str| {
        Bucket::new(name)
            .versioned()
            .lifecycle(keep)
            .encryption(sse)
            .blocked()
            .ownership("BucketOwnerEnforced")
            .policy(&tls(name, more))
    };
    let company = lastcopy_demo::company();
    let homework = |id: &str| {
        let before = company.accounts.iter().find(|a| a.id == id).unwrap();
        let mut after = Account::aws(id, &before.name);
        after.root = Root { mfa: RootMfa::Hardware, ..before.root.clone() };
        after.password_policy = Some(lastcopy_demo::PasswordPolicy {
            minimum_length: 16,
            symbols: true,
            numbers: true,
            uppercase: true,
            lowercase: true,
            reuse_prevention: Some(24),
            ..lastcopy_demo::PasswordPolicy::default()
        });
        after.users = before.users.iter().filter(|u| u.name == "auditor").cloned().collect();
        after.roles = before.roles.iter().filter(|r| r.name == "lastcopy-audit").cloned().collect();
        after.policies = before.policies.clone();
        after.public_access_block = Some([true; 4]);
        after
    };
    let (mut production, mut vault) = (homework("111111111111"), homework("222222222222"));
    production.buckets.push(bucket("acme-documents", "").replication(mirrored));
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let replicate = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":["s3:GetReplicationConfiguration","s3:ListBucket"],"Resource":"arn:aws:s3:::acme-documents"},
        {"Effect":"Allow","Action":["s3:GetObjectVersionForReplication","s3:GetObjectVersionAcl","s3:GetObjectVersionTagging"],"Resource":"arn:aws:s3:::acme-documents/*"},
        {"Effect":"Allow","Action":["s3:ReplicateObject","s3:ReplicateDelete","s3:ObjectOwnerOverrideToBucketOwner"],"Resource":"arn:aws:s3:::acme-documents-mirror/*"}]}"#;
    production.roles.push(Role::new("s3-replication", "2026-01-01T00:00:00Z", trust).inline("replication", replicate));
    vault.buckets.push(bucket("acme-documents-mirror", feed));
    let accounts = Accounts::of(World::default().account(production).account(vault));
    let file = collected(&accounts);
    let done = judged(&accounts, &file);
    let report = done.json();
    let open: Vec<String> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["verdict"] != "pass" && f["verdict"] != "not_applicable")
        .map(|f| format!("{} {} {}: {}", f["verdict"], f["control"], f["resource"], f["message"]))
        .collect();
    assert!(open.is_empty(), "{open:#?}");
    assert_eq!(done.code, 0);
}

fn collected(accounts: &Accounts) -> std::path::PathBuf {
    let path = accounts.policy(POLICY);
    let file = accounts.dir.path().join("state.jsonl");
    let endpoints = ["production", "vault"].map(|name| format!("--account={name}=endpoint:{}", accounts.url()));
    let done = run(accounts.lastcopy().arg("collect").arg(path).arg("-o").arg(&file).args(endpoints));
    assert_eq!(done.code, 0, "{}", done.err);
    file
}

fn judged(accounts: &Accounts, file: &Path) -> crate::support::Done {
    let policy = accounts.dir.path().join("policy.yaml");
    run(lastcopy(accounts.dir.path()).arg("audit").arg(policy).arg("--snapshot").arg(file).args([
        "--format",
        "json",
        "--evidence",
        "all",
    ]))
}
