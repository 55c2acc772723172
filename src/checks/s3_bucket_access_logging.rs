use lastcopy_iam::{Caller, Context, Document, Guards, Layer, May, Named, Policies, Question, Target, WhyNot, may};
use serde::Deserialize;

use super::example::{Example, PRODUCTION, primary};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::{Demand, On};
use crate::estate::{Account, Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::principals::parse;
use crate::resources::FactType;
use crate::resources::s3_bucket::acl::{Acl, Grantee, Permission};
use crate::resources::s3_bucket::logging::Logging;
use crate::resources::s3_bucket::ownership::Ownership;
use crate::resources::s3_bucket::policy::BucketPolicy;
use crate::view::View;

/// Server access logs are written to another bucket that is there and takes them.
///
/// # Why
/// After a loss the logs say who deleted what, and when: which versions to bring back, and whose keys to revoke. S3 writes them
/// without a word when it cannot write them either.
///
/// # Fails when
/// No logs are written; they are written into the bucket itself, where they count as requests and are deleted by the same hand; the
/// target does not match `target`, does not exist or belongs to another account; or it does not take them: neither its policy lets
/// `logging.s3.amazonaws.com` put objects there for this bucket, nor does its ACL let the log delivery group (which has no effect
/// under `BucketOwnerEnforced`).
///
/// At other providers than AWS only the target's name is judged. Not seen: whether logs arrived (S3 promises best effort), Object
/// Lock or a KMS key on the target that keep them out, and who can delete them there.
///
/// # Fix
/// PutBucketLogging to a bucket that is for logs only, in the same account and Region, with a statement for the log service in its
/// policy.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketAccessLogging {
    /// Where the logs must go: a name of a bucket with `*` and `?`.
    target: Option<String>,
}

const SERVICE: &str = "logging.s3.amazonaws.com";

impl CheckType for S3BucketAccessLogging {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-access-logging",
        unit: Kind::S3Bucket,
        severity: Severity::Medium,
        title: "Access logs are written to another bucket that takes them",
        fix: "write access logs to a bucket for logs whose policy lets logging.s3.amazonaws.com put objects (PutBucketLogging)",
        references: &["SecurityHub:S3.9", "Prowler:s3_bucket_server_access_logging_enabled"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let target = ResourceId::bucket(&primary().account, "acme-logs");
        let to = |bucket: &str| Logging { bucket: bucket.to_owned(), prefix: "documents/".to_owned() };
        let policy = |effect: &str, more: &str| {
            BucketPolicy(format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Principal":{{"Service":"{SERVICE}"}},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/*"{more}}}]}}"#
            ))
        };
        let for_account =
            |number: &str| policy("Allow", &format!(r#","Condition":{{"StringEquals":{{"aws:SourceAccount":"{number}"}}}}"#));
        let acl = |grantee, permission| Acl {
            owner: "0a".to_owned(),
            grants: vec![crate::resources::s3_bucket::acl::Grant { to: grantee, id: None, permission }],
        };
        let logs = || acl(Grantee::LogDelivery, Permission::Write);
        let world = |example: Example, policy: Option<BucketPolicy>, acl: Acl| {
            let target = ResourceId::bucket(&primary().account, "acme-logs");
            let example = example.known(&primary(), to("acme-logs")).known(&target, acl).absent::<Ownership>(&target);
            match policy {
                Some(policy) => example.known(&target, policy),
                None => example.absent::<BucketPolicy>(&target),
            }
        };
        let enforced = || Ownership("BucketOwnerEnforced".to_owned());
        vec![
            world(Example::pass("by the target's policy", on.clone()), Some(for_account(PRODUCTION)), Acl::default()),
            world(Example::pass("by the target's ACL", on.clone()), None, logs()),
            world(Example::pass("to the right bucket", on.clone()), Some(for_account(PRODUCTION)), Acl::default())
                .with(serde_json::json!({ "target": "*-logs" })),
            world(Example::fail("to another bucket", on.clone()), Some(for_account(PRODUCTION)), Acl::default())
                .with(serde_json::json!({ "target": "security-*" })),
            world(Example::fail("for another account", on.clone()), Some(for_account("999999999999")), Acl::default()),
            world(Example::fail("ACLs of the target are off", on.clone()), None, logs()).known(&target, enforced()),
            world(Example::fail("denied by the target's policy", on.clone()), Some(policy("Deny", "")), logs()),
            world(Example::fail("the target takes nothing", on.clone()), None, acl(Grantee::LogDelivery, Permission::ReadAcp)),
            Example::fail("into itself", on.clone()).known(&on, to(&on.name)),
            Example::fail("none", on.clone()).absent::<Logging>(&on),
            {
                let mut gone = world(Example::fail("the target is gone", on.clone()), None, Acl::default());
                if let Some(bucket) = gone.snapshot.resource_mut(&target) {
                    bucket.exists = crate::fact::Fact::Absent;
                }
                gone
            },
            world(Example::unknown("target's policy denied", on.clone()), None, logs()).denied::<BucketPolicy>(&target),
            world(Example::unknown("target's ownership denied", on.clone()), None, logs()).denied::<Ownership>(&target),
            world(Example::unknown("not a policy", on.clone()), Some(BucketPolicy("{".to_owned())), logs()),
            Example::unknown("denied", on.clone()).denied::<Logging>(&on),
        ]
    }
}

impl Check for S3BucketAccessLogging {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Logging::SPEC]), Demand::of(On::LogTarget, &[BucketPolicy::SPEC, Acl::SPEC, Ownership::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let required = match &self.target {
            Some(glob) => format!("logs written to {glob}"),
            None => "logs written to another bucket".to_owned(),
        };
        match tally.read(view.read::<Logging>(unit)) {
            None => {}
            Some(None) => {
                let _ = tally.fail::<Logging>(unit, "no access logs are written", "none", required);
            }
            Some(Some(found)) if *found.bucket == *unit.name => {
                let _ = tally.fail::<Logging>(unit, "access logs are written into the bucket itself", "into itself", required);
            }
            Some(Some(found)) => {
                let (name, case) = (&found.bucket, lastcopy_iam::Case::Sensitive);
                if self.target.as_ref().is_none_or(|glob| lastcopy_iam::Pattern::new(glob, case).matches(name)) {
                    tally.pass::<Logging>(unit, format!("written to {name} under \"{}\"", found.prefix), required);
                } else {
                    let _ = tally.fail::<Logging>(unit, format!("access logs are written to {name}"), name.clone(), required);
                }
                let target = ResourceId::bucket(&unit.account, name);
                let aws = view.estate.accounts.get(&unit.account).is_none_or(Account::is_aws);
                if aws && view.is_there(&target, &mut tally) {
                    takes_logs(unit, &target, &found.prefix, view, &mut tally);
                }
            }
        }
        tally.finish()
    }
}

/// Whether the target takes the logs of the bucket, by its policy or its ACL.
fn takes_logs(unit: &ResourceId, target: &ResourceId, prefix: &str, view: &View<'_>, tally: &mut Tally) {
    let required = format!("{SERVICE} may put objects");
    let Some(policy) = tally.read(view.read::<BucketPolicy>(target)) else { return };
    let document = match policy.map(|text| parse(&text.0, BucketPolicy::SPEC, "the policy of the log bucket")).transpose() {
        Ok(document) => document,
        Err(gap) => return tally.gap(gap),
    };
    match by_policy(document.as_ref(), unit, target, prefix, view) {
        May::Yes(_) => return tally.pass::<BucketPolicy>(target, "lets the log service put objects", required),
        May::OnlyIf(_) | May::Unknown(_) => {
            let detail = format!("the policy of {} lets the log service put objects under conditions only", target.name);
            return tally.gap(Gap::new(Why::NotEvaluated, BucketPolicy::SPEC.operation).with_detail(detail));
        }
        May::No(WhyNot::Denied(by)) => {
            let says = format!("the policy of {} denies the log service ({})", target.name, by.join(", "));
            let _ = tally.fail::<BucketPolicy>(target, says, "denied", required).subject(&target.name);
            return;
        }
        May::No(WhyNot::NotAllowed(_)) => {}
    }
    let (ownership, acl) = (view.read::<Ownership>(target).read(), view.read::<Acl>(target).read());
    let enforced = ownership.as_ref().map(|found| found.is_some_and(Ownership::is_enforced));
    let given = acl.as_ref().map(|acl| {
        let writes = |permission| matches!(permission, Permission::Write | Permission::FullControl);
        acl.is_some_and(|acl| acl.grants.iter().any(|grant| grant.to == Grantee::LogDelivery && writes(grant.permission)))
    });
    match (enforced, given) {
        (Ok(false), Ok(true)) => tally.pass::<Acl>(target, "lets the log delivery group write", required),
        (Ok(true), _) | (_, Ok(false)) => {
            let says =
                format!("{} does not take the logs: neither its policy nor its ACL lets the log service write", target.name);
            let _ = tally.fail::<BucketPolicy>(target, says, "no grant for the log service", required).subject(&target.name);
        }
        (enforced, given) => {
            for gap in enforced.err().into_iter().chain(given.err()) {
                tally.gap(gap.clone());
            }
        }
    }
}

fn by_policy<'d>(
    document: Option<&'d Document>,
    unit: &ResourceId,
    target: &ResourceId,
    prefix: &str,
    view: &View<'_>,
) -> May<'d> {
    let resource = match document {
        Some(document) => Layer::Docs(vec![Named { name: "the policy of the log bucket", document }]),
        None => Layer::None,
    };
    let mut context = Context::open().with("aws:SourceArn", [view.bucket_arn(unit)]).with("aws:SecureTransport", ["true"]);
    let own = view.account_number(&unit.account);
    if let Some(own) = own {
        context.set("aws:SourceAccount", [own]);
    }
    // S3 ends the key with the time and a random text.
    let key = format!("{}/{prefix}2026-11-22-12-00-00-0123456789ABCDEF", view.bucket_arn(target));
    let object = Target::One(&key).pattern();
    let question = Question {
        caller: Caller::Service(SERVICE),
        action: "s3:PutObject",
        target: &object,
        resource_account: own,
        context: &context,
    };
    may(&question, &Policies::default(), &Guards { resource, ..Guards::default() })
}
