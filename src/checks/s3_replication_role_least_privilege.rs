use lastcopy_iam::excess::{Surplus, beyond};
use lastcopy_iam::{Case, Pattern, Principal, who_can_assume};
use serde::Deserialize;

use super::example::{Example, mirror, primary};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::principals::FACTS;
use crate::resources::FactType;
use crate::resources::iam_role::permissions::RolePermissions;
use crate::resources::iam_user::permissions::{AUTHORIZATION, Inline};
use crate::resources::s3_bucket::replication::{Replication, Rule};
use crate::view::View;

const REQUIRED: &str = "replication from this bucket to its destinations, for S3 alone";

/// The role that replicates the bucket can replicate it, and nothing else.
///
/// # Why
/// The replication role reaches into both copies at once. Whoever can use it with more than replication needs, or can assume it
/// besides S3, holds the primary and the mirror in one hand.
///
/// # Fails when
/// A policy of the role in the bucket's replication configuration allows an action that replication does not need, or any
/// action of S3 on anything but this bucket and the destinations of its rules; or the role can be assumed by anybody but `s3.amazonaws.com`
/// and `batchoperations.s3.amazonaws.com`; or there is no such role.
///
/// Statements are judged as they are written: conditions, Deny statements and boundaries do not excuse an excess. On which keys
/// `kms:Decrypt` and the like are allowed is not judged. A bucket without replication is not judged.
///
/// # Fix
/// Give the role the actions of AWS's example, on the source and the destination, and a trust policy for S3 alone.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3ReplicationRoleLeastPrivilege {
    /// Action patterns that the role may have besides those of replication.
    #[serde(default)]
    allow: Vec<String>,
    /// ARNs of other buckets that the role replicates from or to. `*` and `?` are wildcards.
    #[serde(default)]
    buckets: Vec<String>,
}

/// What replication needs, replicas under other owners and keys included.
const REPLICATION: &[&str] = &[
    "s3:GetReplicationConfiguration",
    "s3:ListBucket",
    "s3:GetBucketVersioning",
    "s3:GetObjectVersionForReplication",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionTagging",
    "s3:GetObjectRetention",
    "s3:GetObjectLegalHold",
    "s3:InitiateReplication",
    "s3:ReplicateObject",
    "s3:ReplicateObjectAnnotation",
    "s3:ReplicateDelete",
    "s3:ReplicateTags",
    "s3:ObjectOwnerOverrideToBucketOwner",
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:GenerateDataKey",
];

impl CheckType for S3ReplicationRoleLeastPrivilege {
    const META: &'static Meta = &Meta {
        id: "s3-replication-role-least-privilege",
        unit: Kind::S3Bucket,
        severity: Severity::High,
        title: "The replication role can replicate and nothing else",
        fix: "reduce the role to the replication actions on source and destination, and its trust to s3.amazonaws.com",
        references: &["NIST-800-53:AC-6", "NIST-800-53:CP-6", "SOC2:CC6.3", "ISO-27001:A.5.18", "DORA:Art.28"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let role = ResourceId::new(&on.account, Kind::IamRole, "s3-replication");
        let arn = "arn:aws:iam::111111111111:role/s3-replication";
        let replicated = |example: Example| {
            let rule = Rule { enabled: true, bucket: mirror().name.to_string(), ..Rule::default() };
            example.known(&primary(), Replication { role: arn.to_owned(), rules: vec![rule] }).listed("production", AUTHORIZATION)
        };
        let case = |example: Example, actions: &str, resource: &str, trusted: &str| {
            let document = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":{actions},"Resource":"{resource}"}}]}}"#
            );
            let trust = format!(r#"{{"Statement":{{"Effect":"Allow","Principal":{{{trusted}}},"Action":"sts:AssumeRole"}}}}"#);
            let inline = vec![Inline { name: "replicate".to_owned(), document }];
            replicated(example).known(&role, RolePermissions { arn: arn.to_owned(), inline, trust, ..RolePermissions::default() })
        };
        let (source, target) = ("arn:aws:s3:::acme-documents/*", "arn:aws:s3:::acme-documents-mirror/*");
        let (s3, writes) =
            (r#""Service":"s3.amazonaws.com""#, r#"["s3:ReplicateObject","s3:ReplicateDelete","s3:ReplicateTags"]"#);
        let (pass, fail) = (|name| Example::pass(name, on.clone()), |name| Example::fail(name, on.clone()));
        vec![
            case(pass("writes replicas"), writes, target, s3),
            case(pass("reads the source"), r#""s3:GetObjectVersionForReplication""#, source, s3),
            case(pass("allowed besides"), r#""s3:GetObject""#, source, s3).with(serde_json::json!({ "allow": ["s3:GetObject"] })),
            case(pass("another bucket, named"), writes, "arn:aws:s3:::acme-invoices/*", s3)
                .with(serde_json::json!({ "buckets": ["arn:aws:s3:::acme-invoices"] })),
            case(fail("deletes too"), r#"["s3:ReplicateObject","s3:DeleteObjectVersion"]"#, target, s3),
            case(fail("everything of S3"), r#""s3:*""#, target, s3),
            case(fail("every bucket"), writes, "*", s3),
            case(fail("people can assume it"), writes, target, r#""AWS":"111111111111","Service":"s3.amazonaws.com""#),
            replicated(fail("the role does not exist")),
            replicated(Example::unknown("the list of principals was denied", on.clone())).denied::<RolePermissions>(&role),
            Example::unknown("replication denied", on.clone()).denied::<Replication>(&on),
            Example::not_applicable("nothing is replicated", on.clone()).absent::<Replication>(&on),
        ]
    }
}

impl Check for S3ReplicationRoleLeastPrivilege {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Replication::SPEC]), Demand::account(FACTS)]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let replication = match tally.read(view.read::<Replication>(unit)) {
            Some(Some(replication)) => replication,
            Some(None) => return Judgement::NotApplicable("nothing is replicated from the bucket".into()),
            None => return tally.finish(),
        };
        let Some(account) = view.principals().of_account(&unit.account) else {
            tally.gap(Gap::not_collected(RolePermissions::SPEC));
            return tally.finish();
        };
        let Some(own) = view.account_number(&unit.account) else {
            tally.gap(
                Gap::new(Why::NotCollected, "GetCallerIdentity").with_detail("the number of the bucket's account is not known"),
            );
            return tally.finish();
        };
        let name = replication.role.rsplit('/').next().unwrap_or_default();
        let roles = || account.holders.iter().filter(|holder| holder.id.kind == Kind::IamRole);
        let Some(role) = roles().find(|holder| *holder.id.name == *name) else {
            account.gaps.iter().for_each(|gap| tally.gap(gap.clone()));
            if account.gaps.is_empty() {
                let says = format!("the replication role {} does not exist", replication.role);
                let _ = tally
                    .fail::<Replication>(unit, says, format!("{}, which does not exist", replication.role), REQUIRED)
                    .subject(&replication.role);
            }
            return tally.finish();
        };
        let Some(set) = account.set_of(role) else { return tally.finish() };
        set.gaps.iter().for_each(|gap| tally.gap(gap.clone()));
        let allowed: Vec<&str> = REPLICATION.iter().copied().chain(self.allow.iter().map(String::as_str)).collect();
        let resources = self.resources(unit, replication, view);
        for held in &set.held {
            for excess in beyond(&held.policy.document, &allowed, "s3", &resources) {
                let statement = &excess.statement;
                let says = match &excess.what {
                    Surplus::Actions(_) => format!("{} may {} by {statement} of {}", role.label(), excess.what, held.name),
                    Surplus::Resource(_) => {
                        format!("{} reaches {} by {statement} of {}", role.label(), excess.what, held.name)
                    }
                };
                let subject = match &excess.what {
                    Surplus::Actions(_) => format!("{} {statement} actions", held.name),
                    Surplus::Resource(resource) => format!("{} {statement} {resource}", held.name),
                };
                let _ = tally.fail::<RolePermissions>(&role.id, says, excess.what.to_string(), REQUIRED).subject(&subject);
            }
        }
        match &role.trust {
            None => tally.gap(Gap::not_collected(RolePermissions::SPEC)),
            Some(Err(gap)) => tally.gap(gap.clone()),
            Some(Ok(trust)) => {
                for trusted in who_can_assume(&trust.document, own).iter().filter(|trusted| !is_s3(&trusted.principal)) {
                    let who = &trusted.principal;
                    let says = format!(
                        "{} can be assumed by {who} ({} of its trust policy), not by S3 alone",
                        role.label(),
                        trusted.statement
                    );
                    let _ = tally
                        .fail::<RolePermissions>(&role.id, says, format!("trusts {who}"), REQUIRED)
                        .subject(&format!("trust of {who} {}", trusted.statement));
                }
            }
        }
        tally.pass::<RolePermissions>(&role.id, "replication actions only, trusted by S3", REQUIRED);
        tally.finish()
    }
}

impl S3ReplicationRoleLeastPrivilege {
    fn resources(&self, unit: &ResourceId, replication: &Replication, view: &View<'_>) -> Vec<Pattern> {
        let own = view.bucket_arn(unit);
        let destination = |rule: &Rule| match own.strip_suffix(&*unit.name) {
            Some(head) => format!("{head}{}", rule.bucket),
            None => format!("arn:aws:s3:::{}", rule.bucket),
        };
        let named = replication.rules.iter().map(destination).chain([own.clone()]);
        let named = named.flat_map(|arn| {
            [Pattern::literal(&arn, Case::Sensitive), Pattern::starting_with(&format!("{arn}/"), Case::Sensitive)]
        });
        let more = self.buckets.iter().flat_map(|glob| [glob.clone(), format!("{glob}/*")]);
        named.chain(more.map(|glob| Pattern::new(&glob, Case::Sensitive))).collect()
    }
}

fn is_s3(principal: &Principal) -> bool {
    matches!(principal, Principal::Service(name) if name == "s3.amazonaws.com" || name == "batchoperations.s3.amazonaws.com")
}
