//! `permissions` names exactly what the controls need.

use crate::support::{Accounts, run};

#[test]
fn a_policy_of_two_controls_needs_their_actions_and_no_others() {
    let accounts = Accounts::company();
    let path = accounts.policy(
        r#"
lastcopy: v1
name: two
accounts:
  production: { id: "111111111111" }
controls:
  - { id: versioned, check: s3-bucket-versioning, scope: { account: production, buckets: acme-documents } }
  - { id: root, check: account-root-mfa, scope: { account: production } }
"#,
    );
    let done = run(accounts.lastcopy().arg("permissions").arg(path));
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(
        done.json(),
        serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [
                { "Effect": "Allow", "Action": ["iam:GetAccountSummary"], "Resource": ["*"] },
                { "Effect": "Allow", "Action": ["s3:GetBucketVersioning"], "Resource": ["arn:aws:s3:::acme-documents"] },
            ]
        })
    );
}

#[test]
fn a_listing_needs_the_right_to_list() {
    let accounts = Accounts::company();
    let path = accounts.policy(&crate::support::ONE_ACCOUNT.replace("[acme-documents, acme-logs]", "acme-*"));
    let done = run(accounts.lastcopy().arg("permissions").arg(path));
    assert_eq!(
        done.json(),
        serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": ["s3:GetBucketVersioning", "s3:ListAllMyBuckets"], "Resource": ["*"] }]
        })
    );
}
