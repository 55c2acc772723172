use serde::Deserialize;

use super::example::{Example, primary, production};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::account::replication_metrics::{ReplicationMetrics, RuleMetrics};
use crate::resources::s3_bucket::replication::{Replication, Rule};
use crate::units::Span;
use crate::view::View;

/// Replication keeps up, and nothing has failed to replicate.
///
/// # Why
/// A replication rule that is configured says nothing about the documents: its role may have lost a permission, the key of the
/// mirror may be disabled, the destination may lag by hours. What failed once is not tried again by itself.
///
/// # Fails when
/// For an enabled rule, CloudWatch reports an operation that failed within the last 24 hours, or a destination that was more
/// than `behind` behind its source within the last hour. A rule for which nothing is reported is unknown: metrics are not enabled
/// on it, it was made minutes ago, or they are published where nobody looked. A bucket that replicates nothing is not judged.
///
/// # Fix
/// Enable metrics on the rule. Find out why operations fail (the failure reason is in the S3 event
/// `s3:Replication:OperationFailedReplication`), mend it, and copy what failed with S3 Batch Replication.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html>,
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketReplicationHealth {
    /// The destination is at most this far behind.
    #[serde(default = "quarter")]
    behind: Span,
}

fn quarter() -> Span {
    Span::minutes(15)
}

impl CheckType for S3BucketReplicationHealth {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-replication-health",
        unit: Kind::S3Bucket,
        severity: Severity::High,
        title: "Replication keeps up and nothing failed",
        fix: "enable replication metrics, mend what fails, and replicate again what failed",
        references: &["NIST-800-53:CP-9", "ISO-27001:A.8.14"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let rule =
            Rule { id: Some("all".to_owned()), enabled: true, bucket: "acme-documents-mirror".to_owned(), ..Rule::default() };
        let replicates = |example: Example| {
            let role = "arn:aws:iam::111111111111:role/replication".to_owned();
            example.known(&primary(), Replication { role, rules: vec![rule.clone()] })
        };
        let reports = |example: Example, latency: Option<u64>, failed: Option<u64>| {
            let one = RuleMetrics {
                source: "acme-documents".to_owned(),
                destination: "acme-documents-mirror".to_owned(),
                rule: "all".to_owned(),
                latency_seconds: latency,
                pending: Some(3),
                failed,
            };
            replicates(example).known(&production(), ReplicationMetrics { rules: vec![one] })
        };
        vec![
            reports(Example::pass("keeps up", on.clone()), Some(40), Some(0)),
            reports(Example::pass("nothing ever failed", on.clone()), Some(40), None),
            reports(Example::fail("an hour behind", on.clone()), Some(3600), Some(0)),
            reports(Example::fail("some failed", on.clone()), Some(40), Some(7)),
            reports(Example::fail("some failed, lag not reported", on.clone()), None, Some(7)),
            reports(Example::unknown("lag not reported", on.clone()), None, Some(0)),
            replicates(Example::unknown("no metrics", on.clone())).known(&production(), ReplicationMetrics::default()),
            Example::not_applicable("replicates nothing", on.clone()).absent::<Replication>(&on),
            replicates(Example::unknown("metrics denied", on.clone())).denied::<ReplicationMetrics>(&production()),
            Example::unknown("denied", on.clone()).denied::<Replication>(&on),
        ]
    }
}

impl Check for S3BucketReplicationHealth {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Replication::SPEC]), Demand::account(&[ReplicationMetrics::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(found) = tally.read(view.read::<Replication>(unit)) else { return tally.finish() };
        let rules: Vec<&Rule> = found.iter().flat_map(|found| &found.rules).filter(|rule| rule.enabled).collect();
        if rules.is_empty() {
            return Judgement::NotApplicable("the bucket replicates nothing".into());
        }
        let account = ResourceId::account(&unit.account);
        let Some(metrics) = tally.read(view.read::<ReplicationMetrics>(&account)) else { return tally.finish() };
        for rule in rules {
            let of_rule = |one: &&RuleMetrics| {
                one.source == *unit.name && one.destination == rule.bucket && Some(&*one.rule) == rule.id.as_deref()
            };
            let told: Vec<&RuleMetrics> = metrics.iter().flat_map(|metrics| &metrics.rules).filter(of_rule).collect();
            if told.is_empty() {
                self.rule(unit, &account, rule, None, &mut tally);
            }
            told.into_iter().for_each(|one| self.rule(unit, &account, rule, Some(one), &mut tally));
        }
        tally.finish()
    }
}

impl S3BucketReplicationHealth {
    fn rule(&self, unit: &ResourceId, account: &ResourceId, rule: &Rule, found: Option<&RuleMetrics>, tally: &mut Tally) {
        let name = format!("rule {} to {}", rule.label(), rule.bucket);
        let silent = |what: &str| {
            let detail = format!("CloudWatch reports {what} of {name}; are metrics enabled on it, and were all Regions read?");
            Gap::new(Why::NotCollected, ReplicationMetrics::SPEC.operation).with_detail(detail)
        };
        let Some(found) = found else { return tally.gap(silent("nothing")) };
        if let Some(failed @ 1..) = found.failed {
            let says = format!("{failed} operations of {name} failed in the last 24 hours of {}", unit.name);
            let _ =
                tally.fail::<ReplicationMetrics>(account, says, format!("{failed} failed"), "none failed").subject(rule.label());
        }
        let required = format!("at most {} behind", self.behind);
        match found.latency_seconds {
            None => tally.gap(silent("no lag")),
            Some(seconds) if i64::try_from(seconds).is_ok_and(|seconds| seconds <= self.behind.seconds()) => {
                tally.pass::<ReplicationMetrics>(account, format!("{name}: {seconds} s behind, none failed"), required);
            }
            Some(seconds) => {
                let says = format!("{name} was {seconds} s behind within the last hour");
                let _ = tally
                    .fail::<ReplicationMetrics>(account, says, format!("{seconds} s behind"), required)
                    .subject(rule.label());
            }
        }
    }
}
