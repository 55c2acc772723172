use serde::Deserialize;

use super::example::{Example, VAULT, mirror, primary};
use super::feeds::{DeleteMarkers, brings_encrypted, extent, owned_by_target};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::{Demand, On};
use crate::estate::{AccountKey, Estate, ResourceId};
use crate::fact::{Fact, Gap, Kind, Why};
use crate::judgement::{Judgement, Tally, Verdict};
use crate::resources::FactType;
use crate::resources::account::identity::Identity;
use crate::resources::s3_bucket::encryption::Encryption;
use crate::resources::s3_bucket::ownership::Ownership;
use crate::resources::s3_bucket::region::Region;
use crate::resources::s3_bucket::replication::{Replication, Rule};
use crate::resources::s3_bucket::versioning::Versioning;
use crate::snapshot::Existence;
use crate::view::View;

/// Everything that is written to the bucket is replicated to where it is required to be.
///
/// # Why
/// A second bucket survives what happens to the first one: a Region that fails, an account that is taken over. Of the two the account
/// is the harder test: a mirror in another account also survives whoever controls the first, so it counts where another Region is
/// asked for, even within one Region.
///
/// # Fails when
/// There are keys of the store that no enabled rule replicates to a place that counts. Rules with different prefixes may cover the
/// keys together; a rule that asks for tags does not count. A destination does not count if it does not exist, keeps no versions (so
/// replication fails), or lies, for `to: other-account`, in the bucket's own account; for `to: other-region`, in its own account and
/// Region.
///
/// Of the rules that count it also fails when documents under SSE-KMS are left out, when delete markers are not treated as
/// `delete-markers` says (rules of the first form, without `Filter`, always replicate those that users make), when `time-control` is
/// true and a rule has no Replication Time Control, when replicas in another account stay the property of the source account
/// although `to: other-account` is asked for, and when two rules for the same keys and bucket have the same priority and differ.
///
/// A destination in an account that the policy does not declare cannot be read: unknown. A bucket that is itself fed by replication is
/// not judged: S3 does not replicate replicas. Not seen: documents older than the rule, and whether role, keys and the destination's
/// policy work; `store-cross-account-mirror` judges a whole store.
///
/// # Fix
/// Add a rule with an empty `Filter` to a versioned bucket of another account, with owner override, and run Batch Replication for
/// the documents that are there already.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketReplication {
    /// Where a copy must be.
    #[serde(default)]
    to: To,
    /// What is required of delete markers.
    #[serde(default)]
    delete_markers: DeleteMarkers,
    /// Whether Replication Time Control is required, which measures the delay and promises one.
    #[serde(default)]
    time_control: bool,
}

/// Where a copy counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum To {
    /// In any other bucket.
    #[default]
    Any,
    /// In another Region, or in another account.
    OtherRegion,
    /// In another account.
    OtherAccount,
}

impl To {
    fn words(self) -> &'static str {
        match self {
            Self::Any => "another bucket",
            Self::OtherRegion => "another Region or account",
            Self::OtherAccount => "another account",
        }
    }
}

/// Whether a rule brings documents to a place that counts.
enum Lands {
    Yes,
    No(String),
    Unknown(Gap),
}

impl Lands {
    /// Notes why it is not known.
    fn note(&self, tally: &mut Tally) {
        if let Self::Unknown(gap) = self {
            tally.gap(gap.clone());
        }
    }
}

impl CheckType for S3BucketReplication {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-replication",
        unit: Kind::S3Bucket,
        severity: Severity::High,
        title: "Everything is replicated to where it is required to be",
        fix: "replicate the whole key space to a versioned bucket of another account, with owner override",
        references: &["SecurityHub:S3.7", "Prowler:s3_bucket_cross_region_replication", "NIST-800-53:CP-6"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let rule = || Rule {
            id: Some("all".to_owned()),
            enabled: true,
            bucket: mirror().name.to_string(),
            account: Some(VAULT.to_owned()),
            owner_override: true,
            sse_kms: true,
            ..Rule::default()
        };
        let rules = |rules: Vec<Rule>| Replication { role: "arn:aws:iam::111111111111:role/s3-replication".to_owned(), rules };
        let region = |name: &str| Region(name.to_owned());
        let kms = || Encryption { algorithm: "aws:kms".to_owned(), ..Encryption::default() };
        let world = |example: Example, with: Vec<Rule>| {
            example
                .known(&primary(), rules(with))
                .known(&primary(), kms())
                .known(&primary(), region("eu-west-1"))
                .known(&mirror(), region("eu-west-1"))
                .known(&mirror(), Versioning::enabled())
                .known(&mirror(), Ownership("BucketOwnerEnforced".to_owned()))
        };
        // A second bucket of the same account.
        let sibling = || ResourceId::bucket(&primary().account, "acme-second");
        let near = || Rule { bucket: "acme-second".to_owned(), account: None, owner_override: false, ..rule() };
        let beside = |example: Example, at: &str| {
            world(example, vec![near()]).known(&sibling(), region(at)).known(&sibling(), Versioning::enabled())
        };
        let to = |to: &str| serde_json::json!({ "to": to });
        let (pass, fail, unknown) = (Example::pass, Example::fail, Example::unknown);
        vec![
            world(pass("another account", on.clone()), vec![rule()]).with(to("other-account")),
            world(pass("another account counts as another Region", on.clone()), vec![rule()]).with(to("other-region")),
            beside(pass("another bucket", on.clone()), "eu-west-1"),
            beside(pass("another Region", on.clone()), "eu-central-1").with(to("other-region")),
            beside(fail("the same Region", on.clone()), "eu-west-1").with(to("other-region")),
            beside(fail("the same account", on.clone()), "eu-central-1").with(to("other-account")),
            world(fail("one prefix", on.clone()), vec![Rule { prefix: "invoices/".to_owned(), ..rule() }]),
            world(fail("some tags", on.clone()), vec![Rule { narrowed: true, ..rule() }]),
            world(fail("disabled", on.clone()), vec![Rule { enabled: false, ..rule() }]),
            world(fail("KMS left out", on.clone()), vec![Rule { sse_kms: false, ..rule() }]),
            world(fail("no time control", on.clone()), vec![rule()]).with(serde_json::json!({ "time-control": true })),
            world(pass("time control", on.clone()), vec![Rule { within_minutes: Some(15), ..rule() }])
                .with(serde_json::json!({ "time-control": true })),
            world(fail("the first form", on.clone()), vec![Rule { first_form: true, delete_markers: true, ..rule() }])
                .with(serde_json::json!({ "delete-markers": "kept-out" })),
            world(fail("markers kept out", on.clone()), vec![rule()]).with(serde_json::json!({ "delete-markers": "replicated" })),
            world(
                fail("two rules of one priority", on.clone()),
                vec![
                    Rule { priority: Some(1), ..rule() },
                    Rule { priority: Some(1), id: Some("b".to_owned()), delete_markers: true, prefix: "a/".to_owned(), ..rule() },
                ],
            ),
            world(
                pass("two rules of two priorities", on.clone()),
                vec![
                    Rule { priority: Some(1), ..rule() },
                    Rule { priority: Some(2), id: Some("b".to_owned()), delete_markers: true, prefix: "a/".to_owned(), ..rule() },
                ],
            ),
            world(fail("the source account owns the replicas", on.clone()), vec![Rule { owner_override: false, ..rule() }])
                .known(&mirror(), Ownership("ObjectWriter".to_owned()))
                .with(to("other-account")),
            world(fail("the destination keeps no versions", on.clone()), vec![rule()]).known(&mirror(), Versioning::suspended()),
            Example::fail("none", on.clone()).absent::<Replication>(&on),
            world(
                unknown("an account that nobody declared", on.clone()),
                vec![Rule { bucket: "x".to_owned(), account: Some("999999999999".to_owned()), ..rule() }],
            ),
            world(unknown("the destination's versioning denied", on.clone()), vec![rule()]).denied::<Versioning>(&mirror()),
            beside(unknown("the Region is not known", on.clone()), "eu-west-1")
                .denied::<Region>(&sibling())
                .with(to("other-region")),
            Example::unknown("denied", on.clone()).denied::<Replication>(&on),
            Example::not_applicable("a mirror", mirror()).by_declaration(),
        ]
    }
}

impl Check for S3BucketReplication {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![
            Demand::unit(&[Replication::SPEC, Encryption::SPEC, Region::SPEC]),
            Demand::of(On::Destinations, &[Versioning::SPEC, Ownership::SPEC, Region::SPEC]),
        ]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut copies = view.estate.copies_of(unit).peekable();
        if copies.peek().is_some() && copies.all(|(_, _, copy)| copy.is_replica()) {
            return Judgement::NotApplicable("the bucket is fed by replication, and S3 does not replicate replicas".into());
        }
        let mut tally = Tally::new();
        let Some(replication) = tally.read(view.read::<Replication>(unit)) else { return tally.finish() };
        let required = format!("every document replicated to {}", self.to.words());
        let rules: &[Rule] = replication.map(|found| found.rules.as_slice()).unwrap_or_default();
        if rules.is_empty() {
            let _ = tally.fail::<Replication>(unit, "nothing is replicated from the bucket", "no replication", required);
            return tally.finish();
        }
        let landing: Vec<(&Rule, Lands)> = rules.iter().map(|rule| (rule, self.lands(rule, unit, view))).collect();
        let sure: Vec<&Rule> = landing.iter().filter(|(_, lands)| matches!(lands, Lands::Yes)).map(|(rule, _)| *rule).collect();
        let perhaps = || landing.iter().filter(|(_, lands)| !matches!(lands, Lands::No(_))).map(|(rule, _)| *rule);
        let spaces = view.estate.key_spaces(unit);
        let whole = |rules: &[&Rule]| {
            let prefixes: Vec<&str> = rules.iter().filter(|rule| !rule.narrowed).map(|rule| rule.prefix.as_str()).collect();
            spaces.iter().all(|space| space.within(prefixes.iter().copied()))
        };
        if whole(&sure) {
            let labels: Vec<&str> = sure.iter().map(|rule| rule.label()).collect();
            tally.pass::<Replication>(unit, format!("covered by {}", labels.join(", ")), required);
        } else if whole(&perhaps().collect::<Vec<_>>()) {
            landing.iter().for_each(|(_, lands)| lands.note(&mut tally));
        } else {
            let told = landing.iter().map(|(rule, lands)| match lands {
                Lands::No(why) => format!("rule {} {why}", rule.label()),
                Lands::Yes | Lands::Unknown(_) => extent(rule),
            });
            let told = told.collect::<Vec<_>>().join("; ");
            let says = format!("not every document is replicated to {}: {told}", self.to.words());
            let _ = tally.fail::<Replication>(unit, says, told, required);
        }
        self.settings(&sure, unit, view, &mut tally);
        // A rule that may count matters where it would be at fault.
        for (rule, lands) in &landing {
            let mut alone = Tally::new();
            alone.pass::<Replication>(unit, "in order", "in order");
            self.settings(&[rule], unit, view, &mut alone);
            if alone.finish().verdict() != Verdict::Pass {
                lands.note(&mut tally);
            }
        }
        conflicts(rules, unit, &mut tally);
        tally.finish()
    }
}

impl S3BucketReplication {
    fn lands(&self, rule: &Rule, unit: &ResourceId, view: &View<'_>) -> Lands {
        if !rule.enabled {
            return Lands::No("is disabled".to_owned());
        }
        let Some(to) = rule.destination(unit, view.estate) else {
            let detail = format!("{} is in no account that the policy declares", rule.bucket);
            return Lands::Unknown(Gap::new(Why::NotCollected, Replication::SPEC.operation).with_detail(detail));
        };
        match view.snapshot.exists(&to) {
            Fact::Absent => return Lands::No(format!("leads to {}, which does not exist", to.name)),
            Fact::Known(Existence::Foreign) => {
                let detail = format!("{} belongs to another account than {}", to.name, to.account);
                return Lands::Unknown(Gap::new(Why::WrongAccount, Replication::SPEC.operation).with_detail(detail));
            }
            Fact::Known(Existence::Here) | Fact::Unreadable(_) => {}
        }
        match view.read::<Versioning>(&to).read() {
            Err(gap) => return Lands::Unknown(gap),
            Ok(Some(versioning)) if versioning.is_enabled() => {}
            Ok(_) => return Lands::No(format!("leads to {}, which is not versioned, so replication fails", to.name)),
        }
        if self.to == To::Any {
            return Lands::Yes;
        }
        match other_account(&unit.account, &to.account, view) {
            Ok(true) => return Lands::Yes,
            Ok(false) if self.to == To::OtherAccount => return Lands::No(format!("leads to {} in the same account", to.name)),
            Err(gap) if self.to == To::OtherAccount => return Lands::Unknown(gap),
            Ok(false) | Err(_) => {}
        }
        let region = |of: &ResourceId| {
            let known = view.read::<Region>(of).read();
            known.and_then(|region| region.ok_or_else(|| Gap::not_collected(Region::SPEC)))
        };
        match (region(unit), region(&to), other_account(&unit.account, &to.account, view)) {
            (Ok(here), Ok(there), _) if here != there => Lands::Yes,
            (Ok(_), Ok(_), Ok(_)) => Lands::No(format!("leads to {} in the same account and Region", to.name)),
            (Err(gap), _, _) | (_, Err(gap), _) | (_, _, Err(gap)) => Lands::Unknown(gap),
        }
    }

    /// What else is required of the rules that count.
    fn settings(&self, rules: &[&Rule], unit: &ResourceId, view: &View<'_>, tally: &mut Tally) {
        for rule in rules {
            self.delete_markers.judge(rule, unit, tally);
            if self.time_control && rule.within_minutes.is_none() {
                let says = format!("rule {} has no Replication Time Control", rule.label());
                let _ = tally.fail::<Replication>(unit, says, "off", "Replication Time Control on").subject(rule.label());
            }
            if self.to == To::OtherAccount
                && !rule.owner_override
                && let Some(target) = rule.destination(unit, view.estate)
            {
                owned_by_target(&target, view, tally);
            }
        }
        brings_encrypted(unit, rules, view, tally);
    }
}

/// Whether two aliases are two accounts. The gap: their numbers are not known.
fn other_account(a: &AccountKey, b: &AccountKey, view: &View<'_>) -> Result<bool, Gap> {
    match (view.account_number(a), view.account_number(b)) {
        _ if a == b => Ok(false),
        (Some(a), Some(b)) => Ok(a != b),
        _ => {
            let detail = format!("whether {a} and {b} are two accounts is not known");
            Err(Gap::new(Why::NotCollected, Identity::SPEC.operation).with_detail(detail))
        }
    }
}

/// Of rules that lead to one bucket and share keys the one with the higher priority applies; with the same one nobody can tell.
fn conflicts(rules: &[Rule], unit: &ResourceId, tally: &mut Tally) {
    let enabled: Vec<&Rule> = rules.iter().filter(|rule| rule.enabled && rule.priority.is_some()).collect();
    let does =
        |rule: &Rule| (rule.delete_markers, rule.sse_kms, rule.owner_override, rule.within_minutes, rule.replica_key.clone());
    for (at, a) in enabled.iter().enumerate() {
        for b in enabled.iter().skip(at + 1) {
            let share = a.prefix.starts_with(&b.prefix) || b.prefix.starts_with(&a.prefix);
            if a.bucket == b.bucket && a.priority == b.priority && share && does(a) != does(b) {
                let says = format!("rules {} and {} share keys, differ, and have the same priority", a.label(), b.label());
                let _ = tally.fail::<Replication>(unit, says, "the same priority", "different priorities").subject(b.label());
            }
        }
    }
}
