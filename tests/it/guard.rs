//! An audit cannot write: the guard refuses before signing.

use lastcopy::aws::session::{Connection, Session, Shared};
use lastcopy::aws::{Failure, guard};
use lastcopy::estate::{Account, AccountKey};
use lastcopy_demo::PRODUCTION_KEY;

use crate::support::Accounts;

#[test]
fn a_write_through_the_audit_session_is_refused_before_signing() {
    let accounts = Accounts::company();
    let connection = Connection {
        endpoint: Some(accounts.url()),
        credentials: Some((PRODUCTION_KEY.0.to_owned(), PRODUCTION_KEY.1.to_owned())),
        ..Connection::default()
    };
    accounts.runtime().block_on(async {
        let shared = Shared::new(4);
        let session = Session::open(&AccountKey::new("production"), &Account::default(), &connection, &shared).await.unwrap();
        let s3 = session.s3("eu-west-1");

        let versioning = aws_sdk_s3::types::VersioningConfiguration::builder()
            .status(aws_sdk_s3::types::BucketVersioningStatus::Suspended)
            .build();
        let write = s3.put_bucket_versioning().bucket("acme-documents").versioning_configuration(versioning).send().await;
        let failure = Failure::of(&write.unwrap_err());
        assert!(failure.detail.unwrap().contains("refused before signing: s3:PutBucketVersioning"));

        let delete = s3.delete_object().bucket("acme-documents").key("a").send().await;
        assert!(Failure::of(&delete.unwrap_err()).detail.unwrap().contains("s3:DeleteObject"));
        // Not every Get is a configuration: documents themselves are never read.
        let read = s3.get_object().bucket("acme-documents").key("a").send().await;
        assert!(Failure::of(&read.unwrap_err()).detail.unwrap().contains("s3:GetObject"));
        let user = session.iam().create_user().user_name("mallory").send().await;
        assert!(Failure::of(&user.unwrap_err()).detail.unwrap().contains("iam:CreateUser"));

        assert!(s3.get_bucket_versioning().bucket("acme-documents").send().await.is_ok());
        let sent: Vec<String> = shared.ledger.calls().into_keys().collect();
        assert_eq!(sent, ["s3:GetBucketVersioning", "sts:GetCallerIdentity"]);
    });
    let seen: Vec<String> = accounts.calls().into_keys().collect();
    assert_eq!(seen, ["GetBucketVersioning", "GetCallerIdentity"], "the server saw what the ledger counted and nothing else");
    assert!(!guard::allowed().iter().any(|call| call.contains(":Put") || call.contains(":Delete")));
}
