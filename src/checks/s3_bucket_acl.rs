use serde::Deserialize;

use super::example::{Example, primary};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::s3_bucket::acl::{Acl, Grant, Grantee, Permission};
use crate::resources::s3_bucket::ownership::Ownership;
use crate::view::View;

/// The ACL of the bucket gives nothing to anybody but its owner, or ACLs are off.
///
/// # Why
/// An ACL is a second list of permissions beside policies, which most people forget. `WRITE` for a group lets its members
/// overwrite and delete documents; `WRITE_ACP` lets them give themselves the rest.
///
/// # Fails when
/// ACLs are on (ownership is not `BucketOwnerEnforced`; not configured means on) and a grant names anybody but the owner:
/// everybody, everybody with an AWS account, another account, or the log delivery group, which `log-delivery: true` lets pass
/// for reading the ACL and writing logs.
///
/// That IgnorePublicAcls takes the effect of public grants away does not count here: `s3-bucket-not-public` judges the effect.
/// ACLs of single objects are not seen; with ACLs off they have no effect either.
///
/// # Fix
/// Turn ACLs off (PutBucketOwnershipControls, `BucketOwnerEnforced`) once no writer depends on them; else remove the grant
/// (PutBucketAcl). Give the log delivery service a statement of the bucket policy instead.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketAcl {
    /// Whether the log delivery group may have its usual grants (`WRITE`, `READ_ACP`).
    #[serde(default)]
    log_delivery: bool,
}

impl CheckType for S3BucketAcl {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-acl",
        unit: Kind::S3Bucket,
        severity: Severity::High,
        title: "The ACL gives nothing to others",
        fix: "turn ACLs off (BucketOwnerEnforced), or remove the grant (PutBucketAcl)",
        references: &[
            "SecurityHub:S3.12",
            "Prowler:s3_bucket_acl_prohibited",
            "Prowler:s3_bucket_public_write_acl",
            "Prowler:s3_bucket_public_list_acl",
        ],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let own = || Grant { to: Grantee::Canonical, id: Some("0a".to_owned()), permission: Permission::FullControl };
        let acl = |more: &[(Grantee, Option<&str>, Permission)]| {
            let more =
                more.iter().map(|(to, id, permission)| Grant { to: *to, id: id.map(str::to_owned), permission: *permission });
            Acl { owner: "0a".to_owned(), grants: std::iter::once(own()).chain(more).collect() }
        };
        let public = |permission| [(Grantee::AllUsers, None, permission)];
        let logs = [(Grantee::LogDelivery, None, Permission::Write), (Grantee::LogDelivery, None, Permission::ReadAcp)];
        let enforced = || Ownership("BucketOwnerEnforced".to_owned());
        let allow_logs = serde_json::json!({ "log-delivery": true });
        vec![
            Example::pass("the owner alone", on.clone()).known(&on, acl(&[])).absent::<Ownership>(&on),
            Example::pass("ACLs are off", on.clone()).known(&on, acl(&public(Permission::Write))).known(&on, enforced()),
            Example::pass("ACLs are off, the list denied", on.clone()).denied::<Acl>(&on).known(&on, enforced()),
            Example::pass("logs, as they may", on.clone())
                .known(&on, acl(&logs))
                .absent::<Ownership>(&on)
                .with(allow_logs.clone()),
            Example::fail("logs", on.clone()).known(&on, acl(&logs)).absent::<Ownership>(&on),
            Example::fail("log delivery in full control", on.clone())
                .known(&on, acl(&[(Grantee::LogDelivery, None, Permission::FullControl)]))
                .absent::<Ownership>(&on)
                .with(allow_logs),
            Example::fail("everybody may write", on.clone()).known(&on, acl(&public(Permission::Write))).absent::<Ownership>(&on),
            Example::fail("everybody may list", on.clone())
                .known(&on, acl(&public(Permission::Read)))
                .known(&on, Ownership("BucketOwnerPreferred".to_owned())),
            Example::fail("any account", on.clone())
                .known(&on, acl(&[(Grantee::AuthenticatedUsers, None, Permission::Read)]))
                .absent::<Ownership>(&on),
            Example::fail("another account", on.clone())
                .known(&on, acl(&[(Grantee::Canonical, Some("0b"), Permission::FullControl)]))
                .absent::<Ownership>(&on),
            Example::unknown("ownership denied", on.clone()).known(&on, acl(&public(Permission::Read))).denied::<Ownership>(&on),
            Example::unknown("denied", on.clone()).denied::<Acl>(&on).absent::<Ownership>(&on),
        ]
    }
}

impl Check for S3BucketAcl {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Acl::SPEC, Ownership::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let ownership = view.read::<Ownership>(unit).read();
        if ownership.as_ref().is_ok_and(|found| found.is_some_and(Ownership::is_enforced)) {
            tally.pass::<Ownership>(unit, "ACLs are off (BucketOwnerEnforced)", "no grants to others");
            return tally.finish();
        }
        let Some(acl) = tally.read(view.read::<Acl>(unit)) else { return tally.finish() };
        let mut others = Vec::new();
        for grant in acl.iter().flat_map(|acl| acl.grants.iter().filter(|grant| !grant.is_of(&acl.owner))) {
            let usual = matches!(grant.permission, Permission::Write | Permission::ReadAcp);
            if self.log_delivery && grant.to == Grantee::LogDelivery && usual {
                tally.pass::<Acl>(unit, format!("{} for the log delivery group", grant.permission.as_str()), "log delivery");
            } else {
                others.push(grant);
            }
        }
        match ownership {
            Err(gap) if !others.is_empty() => tally.gap(gap),
            Ok(_) | Err(_) => {
                for grant in &others {
                    let (whom, permission) = (grant.whom(), grant.permission.as_str());
                    let does = if grant.permission.writes() {
                        "overwrite and delete documents, or change who may"
                    } else {
                        "list keys or read the ACL"
                    };
                    let says = format!("the ACL gives {permission} to {whom}, who can so {does}");
                    let seen = format!("{permission} for {whom}");
                    let _ = tally.fail::<Acl>(unit, says, seen.clone(), "no grants to others").subject(&seen);
                }
                tally.pass::<Acl>(unit, "no further grants to others", "no grants to others");
            }
        }
        tally.finish()
    }
}
