use lastcopy_iam::{Document, Given, given_to_everybody, lets_through_access_points};
use serde::Deserialize;

use super::blocks::{Blocks, Switch};
use super::example::{Example, PRODUCTION, primary, production};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::principals::parse;
use crate::resources::FactType;
use crate::resources::account::identity::Identity;
use crate::resources::account::public_access_block::AccountPublicAccessBlock;
use crate::resources::s3_bucket::access_points::{AccessPoint, AccessPoints};
use crate::resources::s3_bucket::acl::{Acl, Grant, Grantee, Permission};
use crate::resources::s3_bucket::ownership::Ownership;
use crate::resources::s3_bucket::policy::BucketPolicy;
use crate::resources::s3_bucket::policy_status::PolicyStatus;
use crate::resources::s3_bucket::public_access_block::PublicAccessBlock;
use crate::view::View;

/// Nobody can reach the bucket without belonging to somebody: not by its policy, its ACL or its access points.
///
/// # Why
/// A document that everybody can write is lost to the first who overwrites or deletes it; one that everybody can read has left the
/// house.
///
/// # Fails when
/// One of these lets everybody read or write, and nothing takes the effect away:
///
/// - a statement of the bucket policy that is public in S3's sense, Deny statements counted; RestrictPublicBuckets of the bucket
///   or its account takes the effect away;
/// - a grant of the ACL to everybody or to everybody with an AWS account; IgnorePublicAcls, or ACLs being off
///   (`BucketOwnerEnforced`), takes the effect away;
/// - a public policy of an access point that is open to the internet, where the bucket policy lets it through; RestrictPublicBuckets
///   of the access point, the bucket or the account takes the effect away.
///
/// AWS's own opinion of the bucket policy (its policy status) is compared: where AWS counts a policy as public in which no way in
/// for everybody is found, or where only a Deny under conditions is in the way, the verdict is unknown.
///
/// It judges the effect of today; `s3-bucket-public-access-block` asks for the guard against that of tomorrow. Not seen: ACLs of single
/// objects, access points of other accounts and of several Regions, CloudFront and whatever else hands out documents, presigned
/// addresses, and a block that is set for a whole organization.
///
/// # Fix
/// Turn on all four settings of the public access block; then remove the statement or grant.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketNotPublic {}

const REQUIRED: &str = "nothing for everybody";

impl CheckType for S3BucketNotPublic {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-not-public",
        unit: Kind::S3Bucket,
        severity: Severity::Critical,
        title: "The bucket is not public",
        fix: "turn on the public access block, then remove the public statement or grant",
        references: &[
            "SecurityHub:S3.2",
            "SecurityHub:S3.3",
            "Prowler:s3_bucket_public_access",
            "Prowler:s3_bucket_policy_public_write_access",
            "NIST-800-53:AC-3",
        ],
    };

    fn examples() -> Vec<Example> {
        let (on, account) = (primary(), production());
        let policy = |statements: &str| BucketPolicy(format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#));
        let allow = |action: &str, more: &str| {
            format!(
                r#"{{"Sid":"Web","Effect":"Allow","Principal":"*","Action":"{action}","Resource":"arn:aws:s3:::acme-documents/*"{more}}}"#
            )
        };
        let by_vpc = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}}"#;
        let acl = |to: Grantee, permission| Acl {
            owner: "0a".to_owned(),
            grants: vec![
                Grant { to: Grantee::Canonical, id: Some("0a".to_owned()), permission: Permission::FullControl },
                Grant { to, id: None, permission },
            ],
        };
        let off = PublicAccessBlock::default;
        let restrict = || PublicAccessBlock { restrict_public_buckets: true, ..off() };
        let ignore = || PublicAccessBlock { ignore_public_acls: true, ..off() };
        // Nothing blocks and nothing gives.
        let world = |example: Example| {
            example
                .absent::<BucketPolicy>(&primary())
                .absent::<PolicyStatus>(&primary())
                .known(&primary(), Acl { owner: "0a".to_owned(), grants: Vec::new() })
                .absent::<Ownership>(&primary())
                .absent::<AccessPoints>(&primary())
                .known(&primary(), off())
                .absent::<AccountPublicAccessBlock>(&production())
        };
        let status = |example: Example, is_public| example.known(&primary(), PolicyStatus { is_public });
        let open = |example: Example, statements: &str, is_public| {
            status(world(example), is_public).known(&primary(), policy(statements))
        };
        let point = |vpc: Option<&str>, block| {
            let policy = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:eu-west-1:111111111111:accesspoint/web/object/*"}}"#;
            AccessPoints {
                points: vec![AccessPoint {
                    name: "web".to_owned(),
                    arn: "arn:aws:s3:eu-west-1:111111111111:accesspoint/web".to_owned(),
                    vpc: vpc.map(str::to_owned),
                    block,
                    policy: Some(policy.to_owned()),
                }],
            }
        };
        let delegated = format!(
            r#"{{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Condition":{{"StringEquals":{{"s3:DataAccessPointAccount":"{PRODUCTION}"}}}}}}"#
        );
        let through = |example: Example, points: AccessPoints| open(example, &delegated, false).known(&primary(), points);
        let everything_unread = |example: Example| {
            example
                .denied::<BucketPolicy>(&primary())
                .denied::<PolicyStatus>(&primary())
                .denied::<Acl>(&primary())
                .denied::<AccessPoints>(&primary())
        };
        let get = || allow("s3:GetObject", "");
        let (pass, fail, unknown) = (Example::pass, Example::fail, Example::unknown);
        vec![
            world(pass("nothing gives", on.clone())),
            open(pass("a public policy that is restricted", on.clone()), &get(), true).known(&on, restrict()),
            open(pass("restricted by the account", on.clone()), &get(), true)
                .known(&account, AccountPublicAccessBlock(PublicAccessBlock::full())),
            everything_unread(pass("everything blocked, the rest denied", on.clone())).known(&on, PublicAccessBlock::full()),
            open(
                pass("for one network", on.clone()),
                &allow("s3:GetObject", r#","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#),
                false,
            ),
            open(pass("a Deny that AWS counts too", on.clone()), &format!("{},{by_vpc}", get()), false),
            world(pass("public ACL, ignored", on.clone()))
                .known(&on, acl(Grantee::AllUsers, Permission::Write))
                .known(&on, ignore()),
            world(pass("public ACL, ACLs off", on.clone()))
                .known(&on, acl(Grantee::AllUsers, Permission::Write))
                .known(&on, Ownership("BucketOwnerEnforced".to_owned())),
            through(pass("access point in a VPC", on.clone()), point(Some("vpc-1"), off())),
            through(pass("access point that restricts", on.clone()), point(None, restrict())),
            world(pass("access point that the bucket does not let through", on.clone())).known(&on, point(None, off())),
            open(fail("everybody reads", on.clone()), &get(), true),
            open(fail("everybody writes", on.clone()), &allow("s3:PutObject", ""), true),
            open(fail("everybody, though AWS says no", on.clone()), &get(), false),
            open(fail("ignoring ACLs is no help", on.clone()), &get(), true).known(&on, ignore()),
            world(fail("ACL for any account", on.clone())).known(&on, acl(Grantee::AuthenticatedUsers, Permission::Read)),
            world(fail("restricting is no help against ACLs", on.clone()))
                .known(&on, acl(Grantee::AllUsers, Permission::Write))
                .known(&on, restrict()),
            through(fail("access point for everybody", on.clone()), point(None, off())),
            open(unknown("AWS finds more", on.clone()), by_vpc, true),
            open(unknown("only a Deny in the way", on.clone()), &format!("{},{by_vpc}", get()), true),
            open(unknown("the account's block denied", on.clone()), &get(), true).denied::<AccountPublicAccessBlock>(&account),
            world(unknown("policy denied", on.clone())).denied::<BucketPolicy>(&on),
            world(unknown("access points denied", on.clone())).denied::<AccessPoints>(&on),
            world(unknown("not a policy", on.clone())).known(&on, BucketPolicy("{".to_owned())),
        ]
    }
}

impl Check for S3BucketNotPublic {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, estate: &Estate) -> Vec<Demand> {
        let mut demands = Blocks::demands(estate);
        demands.push(Demand::unit(&[BucketPolicy::SPEC, PolicyStatus::SPEC, Acl::SPEC, Ownership::SPEC, AccessPoints::SPEC]));
        demands
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let blocks = Blocks::of(unit, view);
        let Some(own) = view.account_number(&unit.account).or_else(|| off_aws(unit, view)) else {
            let detail = format!("the number of account {} is not known", unit.account);
            tally.gap(Gap::new(Why::NotCollected, Identity::SPEC.operation).with_detail(detail));
            return tally.finish();
        };
        if blocks.restrict() == Switch::On {
            tally.pass::<PublicAccessBlock>(unit, "RestrictPublicBuckets is on: no policy is public in effect", REQUIRED);
        } else {
            let bucket = Bucket { unit, own, arn: view.bucket_arn(unit), blocks: &blocks };
            bucket.policies(view, &mut tally);
        }
        acl(unit, &blocks, view, &mut tally);
        tally.finish()
    }
}

/// Other providers number no accounts.
fn off_aws(unit: &ResourceId, view: &View<'_>) -> Option<&'static str> {
    view.estate.accounts.get(&unit.account).filter(|account| !account.is_aws()).map(|_| "")
}

struct Bucket<'a> {
    unit: &'a ResourceId,
    own: &'a str,
    arn: String,
    blocks: &'a Blocks,
}

impl Bucket<'_> {
    /// The bucket policy, and what comes through access points. Only where RestrictPublicBuckets is not known to be on.
    fn policies(&self, view: &View<'_>, tally: &mut Tally) {
        let unit = self.unit;
        let policy = match view.read::<BucketPolicy>(unit).read() {
            Ok(Some(text)) => parse(&text.0, BucketPolicy::SPEC, "the bucket policy").map(Some),
            Ok(None) => Ok(None),
            Err(gap) => Err(gap),
        };
        match &policy {
            Ok(Some(document)) => self.document(document, view, tally),
            Ok(None) => tally.pass::<BucketPolicy>(unit, "no bucket policy", REQUIRED),
            Err(gap) => tally.gap(gap.clone()),
        }
        let Some(points) = tally.read(view.read::<AccessPoints>(unit)) else { return };
        for point in points.iter().flat_map(|found| &found.points) {
            self.access_point(point, policy.as_ref().ok().map(Option::as_ref), tally);
        }
        tally.pass::<AccessPoints>(unit, "no other access point for everybody", REQUIRED);
    }

    fn document(&self, document: &Document, view: &View<'_>, tally: &mut Tally) {
        let given = given_to_everybody(document, &self.arn, &format!("{}/", self.arn), self.own);
        let open: Vec<&Given<'_>> = given.iter().filter(|given| !given.hindered).collect();
        let status = view.read::<PolicyStatus>(self.unit).read().map(|status| status.is_some_and(|status| status.is_public));
        for given in &open {
            let statement = given.statement.reference();
            let does = does(given);
            let second = if status == Ok(false) { ", although AWS does not count the policy as public" } else { "" };
            let says = format!("{statement} of the bucket policy lets everybody {does}{second}");
            self.fail::<BucketPolicy>(says, format!("everybody can {does}"), &statement.to_string(), tally);
        }
        if !open.is_empty() {
            return;
        }
        match status {
            Err(gap) => tally.gap(gap),
            Ok(false) => tally.pass::<BucketPolicy>(self.unit, "no statement for everybody", REQUIRED),
            Ok(true) => {
                let why = match given.first() {
                    Some(given) => {
                        format!("{} gives to everybody, hindered by a Deny under conditions", given.statement.reference())
                    }
                    None => "no way in for everybody was found in it".to_owned(),
                };
                let detail = format!("AWS counts the bucket policy as public; {why}");
                tally.gap(Gap::new(Why::NotEvaluated, PolicyStatus::SPEC.operation).with_detail(detail));
            }
        }
    }

    /// Both must let a request through: the access point's policy and the bucket's.
    fn access_point(&self, point: &AccessPoint, bucket_policy: Option<Option<&Document>>, tally: &mut Tally) {
        let Some(text) = point.policy.as_deref().filter(|_| point.vpc.is_none() && !point.block.restrict_public_buckets) else {
            return;
        };
        let what = format!("the policy of access point {}", point.name);
        let document = match parse(text, AccessPoints::SPEC, &what) {
            Ok(document) => document,
            Err(gap) => return tally.gap(gap),
        };
        let through = match bucket_policy {
            // Its gap is noted.
            None => return,
            Some(policy) => policy.is_some_and(|policy| lets_through_access_points(policy, &self.arn, self.own)),
        };
        for given in given_to_everybody(&document, &point.arn, &format!("{}/object/", point.arn), self.own) {
            let (statement, does) = (given.statement.reference(), does(&given));
            if !through {
                let seen = format!("{statement} of {what} is for everybody, and the bucket policy does not let it through");
                tally.pass::<AccessPoints>(self.unit, seen, REQUIRED);
            } else if given.hindered {
                let detail = format!("{statement} of {what} gives to everybody, hindered by a Deny under conditions");
                tally.gap(Gap::new(Why::NotEvaluated, AccessPoints::SPEC.operation).with_detail(detail));
            } else {
                let says = format!("{statement} of {what} lets everybody {does}");
                self.fail::<AccessPoints>(says, format!("everybody can {does}"), &format!("{} {statement}", point.name), tally);
            }
        }
    }

    /// A violation, unless RestrictPublicBuckets may be on where it could not be read.
    fn fail<T: FactType>(&self, says: String, seen: String, subject: &str, tally: &mut Tally) {
        match self.blocks.restrict() {
            Switch::Unknown => self.blocks.note_gaps(tally),
            Switch::On | Switch::Off => {
                let _ = tally.fail::<T>(self.unit, says, seen, REQUIRED).subject(subject);
            }
        }
    }
}

fn does(given: &Given<'_>) -> &'static str {
    match (given.reads, given.writes) {
        (true, true) => "read and write",
        (_, true) => "write",
        (_, false) => "read",
    }
}

fn acl(unit: &ResourceId, blocks: &Blocks, view: &View<'_>, tally: &mut Tally) {
    if blocks.ignore_acls() == Switch::On {
        return tally.pass::<PublicAccessBlock>(unit, "IgnorePublicAcls is on: no ACL is public in effect", REQUIRED);
    }
    let ownership = view.read::<Ownership>(unit).read();
    if ownership.as_ref().is_ok_and(|found| found.is_some_and(Ownership::is_enforced)) {
        return tally.pass::<Ownership>(unit, "ACLs are off (BucketOwnerEnforced)", REQUIRED);
    }
    let Some(acl) = tally.read(view.read::<Acl>(unit)) else { return };
    let public: Vec<&Grant> = acl.iter().flat_map(|acl| &acl.grants).filter(|grant| grant.is_public()).collect();
    if public.is_empty() {
        return tally.pass::<Acl>(unit, "no public grant", REQUIRED);
    }
    if blocks.ignore_acls() == Switch::Unknown || ownership.is_err() {
        blocks.note_gaps(tally);
        return ownership.err().into_iter().for_each(|gap| tally.gap(gap));
    }
    for grant in public {
        let does = match grant.permission {
            Permission::Read => "list the keys",
            Permission::ReadAcp => "read the ACL",
            Permission::Write | Permission::FullControl => "write and delete",
            Permission::WriteAcp => "rewrite the ACL",
        };
        let seen = format!("{} for {}", grant.permission.as_str(), grant.whom());
        let says = format!("the ACL lets {} {does}", grant.whom());
        let _ = tally.fail::<Acl>(unit, says, seen.clone(), REQUIRED).subject(&seen);
    }
}
