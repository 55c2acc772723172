use lastcopy_iam::{Document, Outsider, grants_to_others};
use serde::Deserialize;

use super::example::{Example, PRODUCTION, VAULT, documents, mirror};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::{Demand, On};
use crate::estate::{Account, Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::principals::parse;
use crate::resources::FactType;
use crate::resources::account::identity::Identity;
use crate::resources::s3_bucket::policy::BucketPolicy;
use crate::view::View;

/// What a mirror's bucket policy gives to other accounts is what replication needs, and nothing more.
///
/// # Why
/// A mirror in another account survives the primary account only if the primary account cannot touch it. AWS's own
/// example policy gives the source account `s3:PutBucketVersioning` on the mirror: whoever controls the replication role there
/// can suspend the mirror's versioning.
///
/// # Fails when
/// An Allow of the mirror's bucket policy names somebody outside the mirror's account (another account of yours too, a
/// service, or everybody) and holds an action pattern that no pattern of `allow` covers, or gives even those to everybody
/// (under conditions: unknown). Conditions do not excuse an excess, and
/// Deny statements are not subtracted. A statement by `NotAction` or `NotPrincipal` is judged as giving everything it does not list.
///
/// Only copies that are fed by replication in AWS accounts are judged. ACLs, access points and access grants are not seen:
/// require `s3-bucket-ownership` too.
///
/// # Fix
/// Replace the statement by one for the replication role alone, with the actions of the default of `allow`.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StoreMirrorGrants {
    /// Action patterns that other accounts may be given.
    #[serde(default = "replication")]
    allow: Vec<String>,
}

/// What replication needs on the bucket that it feeds.
pub(super) const REPLICATION: [&str; 7] = [
    "s3:ReplicateObject",
    "s3:ReplicateDelete",
    "s3:ReplicateTags",
    "s3:ObjectOwnerOverrideToBucketOwner",
    "s3:GetBucketVersioning",
    "s3:GetObjectVersionTagging",
    "s3:List*",
];

fn replication() -> Vec<String> {
    REPLICATION.map(str::to_owned).to_vec()
}

impl CheckType for StoreMirrorGrants {
    const META: &'static Meta = &Meta {
        id: "store-mirror-grants",
        unit: Kind::Store,
        severity: Severity::Critical,
        title: "Other accounts may only replicate into the mirror",
        fix: "reduce the grants of the mirror's bucket policy to the replication actions, for the replication role",
        references: &["SecurityHub:S3.6", "NIST-800-53:CA-9(1)", "NIST-800-53:CP-6", "PCI-DSS:7.2", "DORA:Art.28"],
    };

    fn examples() -> Vec<Example> {
        let unit = documents();
        let case = |example: Example, principal: &str, actions: &str| {
            let text = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"Mirror","Effect":"Allow",{principal},"Action":{actions},
                "Resource":["arn:aws:s3:::acme-documents-mirror","arn:aws:s3:::acme-documents-mirror/*"]}}]}}"#
            );
            example.known(&mirror(), BucketPolicy(text))
        };
        let role = format!(r#""Principal":{{"AWS":"arn:aws:iam::{PRODUCTION}:role/s3-replication"}}"#);
        let own = format!(r#""Principal":{{"AWS":"{VAULT}"}}"#);
        let fine = r#"["s3:ReplicateObject","s3:ReplicateDelete","s3:List*"]"#;
        let mut nameless = case(Example::unknown("whose mirror is not known", unit.clone()), &role, fine);
        nameless.estate.accounts.values_mut().for_each(|account| account.id = None);
        nameless.snapshot.accounts.values_mut().for_each(|record| record.id = None);
        vec![
            case(Example::pass("replication only", unit.clone()), &role, fine),
            case(Example::pass("its own account", unit.clone()), &own, r#""s3:*""#),
            case(Example::pass("allowed besides", unit.clone()), &role, r#""s3:GetObject""#)
                .with(serde_json::json!({ "allow": ["s3:Get*"] })),
            Example::pass("no policy", unit.clone()).absent::<BucketPolicy>(&mirror()),
            case(Example::fail("AWS's example", unit.clone()), &role, r#"["s3:ReplicateObject","s3:PutBucketVersioning"]"#),
            case(Example::fail("everything", unit.clone()), &role, r#""s3:*""#),
            case(Example::fail("everybody", unit.clone()), r#""Principal":"*""#, r#""s3:PutObject""#),
            case(Example::fail("all but one", unit.clone()), &role, fine).known(
                &mirror(),
                BucketPolicy(
                    r#"{"Statement":{"Effect":"Allow","Principal":"*","NotAction":"s3:DeleteBucket","Resource":"*"}}"#.to_owned(),
                ),
            ),
            nameless,
            Example::unknown("not a policy", unit.clone()).known(&mirror(), BucketPolicy("{".to_owned())),
            Example::unknown("denied", unit.clone()).denied::<BucketPolicy>(&mirror()),
            Example::not_applicable("no mirror", unit).by_declaration().estate(|estate| {
                for copy in estate.stores.values_mut().flat_map(|store| store.copies.values_mut()) {
                    copy.fed_by = None;
                }
            }),
        ]
    }
}

impl Check for StoreMirrorGrants {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::of(On::Replicas, &[BucketPolicy::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let aws = |bucket: &ResourceId| view.estate.accounts.get(&bucket.account).is_none_or(Account::is_aws);
        let mirrors: Vec<ResourceId> = view
            .estate
            .stores
            .get(&*unit.name)
            .into_iter()
            .flat_map(|store| store.copies.values())
            .filter(|copy| copy.is_replica())
            .flat_map(|copy| copy.resources())
            .filter(aws)
            .collect();
        if mirrors.is_empty() {
            return Judgement::NotApplicable("no copy of the store is fed by replication in an AWS account".into());
        }
        for mirror in mirrors {
            if !view.is_there(&mirror, &mut tally) {
                continue;
            }
            match tally.read(view.read::<BucketPolicy>(&mirror)) {
                Some(Some(policy)) => match parse(&policy.0, BucketPolicy::SPEC, &format!("the policy of {}", mirror.name)) {
                    Ok(doc) => self.document(&doc, &mirror, view, &mut tally),
                    Err(gap) => tally.gap(gap),
                },
                Some(None) => tally.pass::<BucketPolicy>(&mirror, "no bucket policy", "replication actions at most"),
                None => {}
            }
        }
        tally.finish()
    }
}

impl StoreMirrorGrants {
    fn document(&self, doc: &Document, mirror: &ResourceId, view: &View<'_>, tally: &mut Tally) {
        let Some(own) = view.account_number(&mirror.account) else {
            let detail = format!("the number of account {} is not known, so nobody is surely inside it", mirror.account);
            tally.gap(Gap::new(Why::NotCollected, Identity::SPEC.operation).with_detail(detail));
            return;
        };
        let allowed: Vec<&str> = self.allow.iter().map(String::as_str).collect();
        let required = format!("at most {}", self.allow.join(", "));
        for grant in grants_to_others(doc, own) {
            let statement = grant.statement.reference();
            let to = grant.to.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let excess = grant.outside(&allowed);
            let anyone = grant.to.iter().any(|to| match to {
                Outsider::Anyone => true,
                Outsider::Service(name) => name.contains('*'),
                Outsider::Account(_) | Outsider::Principal { .. } | Outsider::Federated(_) | Outsider::Unseen(_) => false,
            });
            if anyone && excess.is_empty() && !grant.statement.conditions.is_empty() {
                let detail = format!("{statement} of the policy of {} is for everybody under conditions", mirror.name);
                tally.gap(Gap::new(Why::NotEvaluated, BucketPolicy::SPEC.operation).with_detail(detail));
                continue;
            }
            if anyone && excess.is_empty() {
                let says =
                    format!("{statement} of the policy of {} lets everybody write to the mirror or read of it", mirror.name);
                let _ = tally
                    .fail::<BucketPolicy>(mirror, says, format!("granted to {to}"), "granted to the replication role")
                    .subject(&format!("{} {statement}", mirror.name));
                continue;
            }
            if excess.is_empty() {
                tally.pass::<BucketPolicy>(mirror, format!("{statement}: replication only, to {to}"), required.clone());
                continue;
            }
            let seen = excess.join(", ");
            let says = format!("{statement} of the policy of {} gives {seen} to {to}", mirror.name);
            let subject = format!("{} {statement}", mirror.name);
            let _ = tally.fail::<BucketPolicy>(mirror, says, seen, required.clone()).subject(&subject);
        }
        tally.pass::<BucketPolicy>(mirror, "no other grant to other accounts", required);
    }
}
