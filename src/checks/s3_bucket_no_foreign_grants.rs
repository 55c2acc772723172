use serde::Deserialize;

use super::example::{Example, PRODUCTION, VAULT, mirror, primary};
use super::foreign::{Declared, problems};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::principals::parse;
use crate::resources::FactType;
use crate::resources::s3_bucket::policy::BucketPolicy;
use crate::view::View;

/// The bucket policy gives nothing to accounts that nobody declared.
///
/// # Why
/// A statement for another account hands part of the bucket to people whom this audit does not see: what they do with their own
/// users, roles and keys decides who reads, overwrites or deletes the documents.
///
/// # Fails when
/// An Allow of the bucket policy names an account, or a principal of one, that is not among `accounts`; or everybody, unless a
/// condition fixes the caller's account (`aws:PrincipalAccount`, `s3:DataAccessPointAccount`, the account in `aws:PrincipalArn`)
/// to a declared one. Other conditions do not excuse a grant, and Deny statements are not subtracted. What the grant lets the
/// account destroy is named.
///
/// On a copy that is fed by replication the account of the original documents may be given what replication needs, whether it is
/// among `accounts` or not; `store-mirror-grants` is stricter.
///
/// Unknown are grants to everybody under conditions that do not name accounts (an organization, a VPC, addresses), to identity
/// providers, canonical users and deleted principals, and every foreign grant while the number of a declared account is not
/// known. AWS services are not judged here, nor are ACLs and access points: require `s3-bucket-acl` and
/// `s3-bucket-access-points` too.
///
/// # Fix
/// Remove the statement, or declare the account if it is meant to have access.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-walkthroughs-managing-access-example2.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketNoForeignGrants {
    /// Numbers or aliases of accounts that may be given to, besides the bucket's own. Without it: the accounts of the policy.
    accounts: Option<Vec<String>>,
}

impl CheckType for S3BucketNoForeignGrants {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-no-foreign-grants",
        unit: Kind::S3Bucket,
        severity: Severity::High,
        title: "The bucket policy gives nothing to undeclared accounts",
        fix: "remove the statement of the bucket policy, or declare the account that it names",
        references: &["SecurityHub:S3.6", "Prowler:s3_bucket_cross_account_access", "NIST-800-53:CA-9(1)"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let case = |example: Example, on: &ResourceId, principal: &str, action: &str, more: &str| {
            let text = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"S","Effect":"Allow","Principal":{principal},"Action":{action},"Resource":"*"{more}}}]}}"#
            );
            example.known(on, BucketPolicy(text))
        };
        let of = |account: &str| format!(r#"{{"AWS":"arn:aws:iam::{account}:role/sync"}}"#);
        let get = r#""s3:GetObject""#;
        let none = || serde_json::json!({ "accounts": [] });
        let when = |condition: &str| format!(r#","Condition":{{{condition}}}"#);
        let mut nameless =
            case(Example::unknown("a declared account without number", on.clone()), &on, &of("999999999999"), get, "");
        let vault = mirror().account;
        if let Some(account) = nameless.estate.accounts.get_mut(&vault) {
            account.id = None;
        }
        if let Some(record) = nameless.snapshot.accounts.get_mut(&vault) {
            record.id = None;
        }
        vec![
            case(Example::pass("a declared account", on.clone()), &on, &of(VAULT), get, ""),
            case(Example::pass("its own account", on.clone()), &on, &of(PRODUCTION), r#""s3:*""#, "").with(none()),
            case(Example::pass("by number", on.clone()), &on, &of("999999999999"), get, "")
                .with(serde_json::json!({ "accounts": ["999999999999"] })),
            case(
                Example::pass("a service", on.clone()),
                &on,
                r#"{"Service":"logging.s3.amazonaws.com"}"#,
                r#""s3:PutObject""#,
                "",
            ),
            case(
                Example::pass("through access points of its own", on.clone()),
                &on,
                r#""*""#,
                r#""s3:*""#,
                &when(&format!(r#""StringEquals":{{"s3:DataAccessPointAccount":"{PRODUCTION}"}}"#)),
            ),
            case(
                Example::pass("replication from the source account", mirror()),
                &mirror(),
                &of(PRODUCTION),
                r#"["s3:ReplicateObject","s3:ReplicateDelete"]"#,
                "",
            )
            .with(none()),
            Example::pass("no policy", on.clone()).absent::<BucketPolicy>(&on),
            case(Example::fail("an undeclared account", on.clone()), &on, &of("999999999999"), get, ""),
            case(Example::fail("not among the accounts", on.clone()), &on, &of(VAULT), r#""s3:DeleteObjectVersion""#, "")
                .with(none()),
            case(Example::fail("more than replication", mirror()), &mirror(), &of(PRODUCTION), r#""s3:PutBucketVersioning""#, "")
                .with(none()),
            case(Example::fail("everybody", on.clone()), &on, r#""*""#, get, ""),
            case(
                Example::fail("everybody of another account", on.clone()),
                &on,
                r#""*""#,
                get,
                &when(r#""StringEquals":{"aws:PrincipalAccount":"999999999999"}"#),
            ),
            case(
                Example::unknown("everybody of an organization", on.clone()),
                &on,
                r#""*""#,
                get,
                &when(r#""StringEquals":{"aws:PrincipalOrgID":"o-1"}"#),
            ),
            case(Example::unknown("a canonical user", on.clone()), &on, r#"{"CanonicalUser":"79a5"}"#, get, ""),
            nameless,
            Example::unknown("not a policy", on.clone()).known(&on, BucketPolicy("{".to_owned())),
            Example::unknown("denied", on.clone()).denied::<BucketPolicy>(&on),
        ]
    }
}

impl Check for S3BucketNoForeignGrants {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[BucketPolicy::SPEC])]
    }

    fn problems(&self) -> Vec<String> {
        problems(self.accounts.as_deref())
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        if view.estate.accounts.get(&unit.account).is_some_and(|account| !account.is_aws()) {
            let detail = "whom a policy at another provider than AWS means cannot be told";
            tally.gap(Gap::new(Why::Unsupported, BucketPolicy::SPEC.operation).with_detail(detail));
            return tally.finish();
        }
        match tally.read(view.read::<BucketPolicy>(unit)) {
            Some(Some(policy)) => {
                let parsed = parse(&policy.0, BucketPolicy::SPEC, "the bucket policy");
                match parsed.and_then(|doc| Ok((doc, Declared::of(self.accounts.as_deref(), unit, view)?))) {
                    Ok((doc, declared)) => {
                        tally.pass::<BucketPolicy>(unit, "no other grant to other accounts", "grants to declared accounts only");
                        declared.judge::<BucketPolicy>(&doc, "the bucket policy", unit, &mut tally);
                    }
                    Err(gap) => tally.gap(gap),
                }
            }
            Some(None) => tally.pass::<BucketPolicy>(unit, "no bucket policy", "grants to declared accounts only"),
            None => {}
        }
        tally.finish()
    }
}
