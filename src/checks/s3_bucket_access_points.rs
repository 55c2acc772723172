use serde::Deserialize;

use super::blocks::Blocks;
use super::example::{Example, PRODUCTION, VAULT, primary, production};
use super::foreign::{Declared, problems};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Account, Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::principals::parse;
use crate::resources::FactType;
use crate::resources::account::public_access_block::AccountPublicAccessBlock;
use crate::resources::s3_bucket::access_points::{AccessPoint, AccessPoints};
use crate::resources::s3_bucket::public_access_block::PublicAccessBlock;
use crate::view::View;

/// The bucket's access points block public access, and their policies give nothing to strangers.
///
/// # Why
/// An access point is another door to the same documents with a lock of its own. A bucket policy that delegates to access points, as
/// AWS recommends, leaves every decision to their policies: whoever reviews the bucket policy alone sees nothing of it.
///
/// # Fails when
/// An access point has one of the four settings of the public access block off, and bucket and account have it off too; its policy
/// names an account that is not among `accounts`, or everybody, unless a condition fixes the caller's account to a declared one; or
/// `vpc` is true and the access point lets in requests from the internet. Conditions of other kinds do not excuse a grant, Deny
/// statements are not subtracted, and it does not matter whether the bucket policy lets the grant through:
/// `s3-bucket-not-public` judges that.
///
/// A bucket without access points passes. Not seen: access points that other accounts made for the bucket (they need a grant of the
/// bucket policy, see `s3-bucket-no-foreign-grants`), those of several Regions, and those of Object Lambda.
///
/// # Fix
/// The public access block of an access point cannot be changed: make a new one, move its users, delete the old one; or turn the
/// account's block on. Remove the statement from the access point's policy (PutAccessPointPolicy).
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketAccessPoints {
    /// Numbers or aliases of accounts that may be given to, besides the bucket's own. Without it: the accounts of the policy.
    accounts: Option<Vec<String>>,
    /// Whether every access point must be bound to a VPC.
    #[serde(default)]
    vpc: bool,
}

impl CheckType for S3BucketAccessPoints {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-access-points",
        unit: Kind::S3Bucket,
        severity: Severity::High,
        title: "Access points block public access and give nothing to strangers",
        fix: "turn on the account's public access block, and remove foreign grants from the access point's policy",
        references: &["SecurityHub:S3.19", "Prowler:s3_access_point_public_access_block"],
    };

    fn examples() -> Vec<Example> {
        let (on, account) = (primary(), production());
        let point = |block, principal: Option<&str>| AccessPoint {
            name: "web".to_owned(),
            arn: "arn:aws:s3:eu-west-1:111111111111:accesspoint/web".to_owned(),
            block,
            policy: principal.map(|principal| {
                format!(r#"{{"Statement":{{"Effect":"Allow","Principal":{principal},"Action":"s3:GetObject","Resource":"*"}}}}"#)
            }),
            ..AccessPoint::default()
        };
        let full = PublicAccessBlock::full;
        let case = |example: Example, point: AccessPoint| {
            example
                .known(&primary(), AccessPoints { points: vec![point] })
                .absent::<PublicAccessBlock>(&primary())
                .absent::<AccountPublicAccessBlock>(&production())
        };
        let of = |account: &str| format!(r#"{{"AWS":"{account}"}}"#);
        let off = PublicAccessBlock { restrict_public_buckets: false, ..full() };
        let vpc = serde_json::json!({ "vpc": true });
        vec![
            Example::pass("none", on.clone()).absent::<AccessPoints>(&on),
            case(Example::pass("blocked, no policy", on.clone()), point(full(), None)),
            case(Example::pass("for its own account", on.clone()), point(full(), Some(&of(PRODUCTION)))),
            case(Example::pass("for a declared account", on.clone()), point(full(), Some(&of(VAULT)))),
            case(Example::pass("blocked by the account", on.clone()), point(off, None))
                .known(&account, AccountPublicAccessBlock(full())),
            case(Example::pass("in a VPC", on.clone()), AccessPoint { vpc: Some("vpc-1".to_owned()), ..point(full(), None) })
                .with(vpc.clone()),
            case(Example::fail("from the internet", on.clone()), point(full(), None)).with(vpc),
            case(Example::fail("not blocked", on.clone()), point(off, None)),
            case(Example::fail("for a stranger", on.clone()), point(full(), Some(&of("999999999999")))),
            case(Example::fail("not among the accounts", on.clone()), point(full(), Some(&of(VAULT))))
                .with(serde_json::json!({ "accounts": [] })),
            case(Example::fail("for everybody", on.clone()), point(full(), Some(r#""*""#))),
            case(Example::unknown("half blocked, the account denied", on.clone()), point(off, None))
                .denied::<AccountPublicAccessBlock>(&account),
            case(
                Example::unknown("not a policy", on.clone()),
                AccessPoint { policy: Some("{".to_owned()), ..point(full(), None) },
            ),
            Example::unknown("denied", on.clone()).denied::<AccessPoints>(&on),
        ]
    }
}

impl Check for S3BucketAccessPoints {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, estate: &Estate) -> Vec<Demand> {
        let mut demands = Blocks::demands(estate);
        demands.push(Demand::unit(&[AccessPoints::SPEC]));
        demands
    }

    fn problems(&self) -> Vec<String> {
        problems(self.accounts.as_deref())
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        if !view.estate.accounts.get(&unit.account).is_none_or(Account::is_aws) {
            return Judgement::NotApplicable("the provider is not AWS and has no access points".into());
        }
        let mut tally = Tally::new();
        let Some(found) = tally.read(view.read::<AccessPoints>(unit)) else { return tally.finish() };
        let points: &[AccessPoint] = found.map(|found| found.points.as_slice()).unwrap_or_default();
        if points.is_empty() {
            tally.pass::<AccessPoints>(unit, "no access points", "no open access point");
            return tally.finish();
        }
        let (blocks, declared) = (Blocks::of(unit, view), Declared::of(self.accounts.as_deref(), unit, view));
        for point in points {
            let off = blocks.known.or(point.block).off();
            if off.is_empty() {
                tally.pass::<AccessPoints>(unit, format!("access point {} is blocked", point.name), "all four settings on");
            } else if blocks.gaps.is_empty() {
                let off = off.join(", ");
                let says = format!("{off} off for access point {}, its bucket and account", point.name);
                let _ = tally
                    .fail::<AccessPoints>(unit, says, format!("off: {off}"), "all four settings on")
                    .subject(&format!("{} block", point.name));
            } else {
                blocks.note_gaps(&mut tally);
            }
            if self.vpc && point.vpc.is_none() {
                let says = format!("access point {} lets in requests from the internet", point.name);
                let _ = tally.fail::<AccessPoints>(unit, says, "internet", "a VPC").subject(&format!("{} origin", point.name));
            }
            let Some(text) = &point.policy else { continue };
            let what = format!("the policy of access point {}", point.name);
            match (parse(text, AccessPoints::SPEC, &what), &declared) {
                (Ok(doc), Ok(declared)) => declared.judge::<AccessPoints>(&doc, &what, unit, &mut tally),
                (Err(gap), _) => tally.gap(gap),
                (_, Err(gap)) => tally.gap(gap.clone()),
            }
        }
        tally.finish()
    }
}
