//! What S3 reports about replication in CloudWatch, for the buckets of the account: how far behind, how much waits, how much
//! failed. No metric is an empty list, never absent.
//!
//! S3 publishes latency and what waits in the Region of the destination, what failed in the Region of the source, and in the
//! account of the source; a rule without metrics enabled publishes nothing.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html>

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// One line for each replication rule that has metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ReplicationMetrics {
    pub rules: Vec<RuleMetrics>,
}

/// What is reported of one rule. A number that is not there was not reported in time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct RuleMetrics {
    pub source: String,
    pub destination: String,
    pub rule: String,
    /// How many seconds the destination is behind: the most of the last hour.
    pub latency_seconds: Option<u64>,
    /// Operations that wait: the most of the last hour.
    pub pending: Option<u64>,
    /// Operations that failed in the last 24 hours.
    pub failed: Option<u64>,
}

impl FactType for ReplicationMetrics {
    const SPEC: FactId = &FactSpec {
        id: "account.replication-metrics",
        kind: Kind::Account,
        operation: "cloudwatch:ListMetrics",
        also: &["cloudwatch:GetMetricData"],
        actions: &["cloudwatch:ListMetrics", "cloudwatch:GetMetricData"],
        per: Per::Region,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::AccountReader> for ReplicationMetrics {
    #[cfg(not(feature = "cloudwatch"))]
    async fn read(_: &crate::aws::AccountReader) -> crate::aws::Reading<Self> {
        Err(crate::aws::Failure::not_compiled("cloudwatch"))
    }

    #[cfg(feature = "cloudwatch")]
    async fn read(from: &crate::aws::AccountReader) -> crate::aws::Reading<Self> {
        let mut rules: Vec<RuleMetrics> = Vec::new();
        // The destination may lie in a Region where the account has no bucket.
        let found = from.clone().with_regions(from.everywhere.clone());
        for (_, region) in found.in_regions(async |region| live::region(from, &region).await).await? {
            for one in region {
                let same = |known: &&mut RuleMetrics| {
                    (&known.source, &known.destination, &known.rule) == (&one.source, &one.destination, &one.rule)
                };
                match rules.iter_mut().find(same) {
                    Some(known) => {
                        known.latency_seconds = known.latency_seconds.max(one.latency_seconds);
                        known.pending = known.pending.max(one.pending);
                        known.failed = known.failed.max(one.failed);
                    }
                    None => rules.push(one),
                }
            }
        }
        rules.sort_by(|a, b| (&a.source, &a.rule, &a.destination).cmp(&(&b.source, &b.rule, &b.destination)));
        Ok(Some(Self { rules }))
    }
}

#[cfg(all(feature = "aws", feature = "cloudwatch"))]
mod live {
    use aws_sdk_cloudwatch::types::{Metric, MetricDataQuery, MetricStat, StatusCode};
    use jiff::SignedDuration;

    use super::{ReplicationMetrics, RuleMetrics};
    use crate::aws::{AccountReader, Failure, pages};
    use crate::resources::FactType;

    /// The metric, its statistic, the seconds of one value, how many hours back.
    const METRICS: [(&str, &str, i32, i64); 3] = [
        ("ReplicationLatency", "Maximum", 3600, 1),
        ("OperationsPendingReplication", "Maximum", 3600, 1),
        ("OperationsFailedReplication", "Sum", 3600, 24),
    ];

    pub(super) async fn region(from: &AccountReader, region: &str) -> Result<Vec<RuleMetrics>, Failure> {
        let mut rules = Vec::new();
        for (at, (name, statistic, period, hours)) in METRICS.iter().enumerate() {
            let listed = pages(async |token| {
                let send = |watch: aws_sdk_cloudwatch::Client| {
                    let request = watch.list_metrics().namespace("AWS/S3").metric_name(*name).set_next_token(token);
                    async move { request.send().await }
                };
                let page = from.cloudwatch(region, ReplicationMetrics::SPEC.operation, send).await?;
                Ok((page.metrics.unwrap_or_default(), page.next_token))
            })
            .await?;
            for metric in listed {
                let named = |name: &str| {
                    let mut dimensions = metric.dimensions.iter().flatten().filter(|found| found.name.as_deref() == Some(name));
                    dimensions.next().and_then(|found| found.value.clone())
                };
                let (Some(source), Some(destination), Some(rule)) =
                    (named("SourceBucket"), named("DestinationBucket"), named("RuleId"))
                else {
                    return Err(Failure::malformed(format!("a metric {name} without source, destination or rule")));
                };
                let value = value(from, region, metric, (statistic, *period, *hours)).await?;
                let mut one = RuleMetrics { source, destination, rule, ..RuleMetrics::default() };
                *[&mut one.latency_seconds, &mut one.pending, &mut one.failed][at] = value;
                rules.push(one);
            }
        }
        Ok(rules)
    }

    async fn value(
        from: &AccountReader,
        region: &str,
        metric: Metric,
        (statistic, period, hours): (&str, i32, i64),
    ) -> Result<Option<u64>, Failure> {
        let stat = MetricStat::builder().metric(metric).period(period).stat(statistic).build();
        let query = MetricDataQuery::builder().id("m").metric_stat(stat).build();
        let seconds = aws_smithy_types::DateTime::from_secs;
        let until = from.now.as_second();
        let start = (from.now - SignedDuration::from_hours(hours)).as_second();
        let results = pages(async |token| {
            let send = |watch: aws_sdk_cloudwatch::Client| {
                let request = watch.get_metric_data().metric_data_queries(query.clone());
                let request = request.start_time(seconds(start)).end_time(seconds(until)).set_next_token(token);
                async move { request.send().await }
            };
            let page = from.cloudwatch(region, "cloudwatch:GetMetricData", send).await?;
            Ok((page.metric_data_results.unwrap_or_default(), page.next_token))
        })
        .await?;
        let mut best: Option<u64> = None;
        for result in results {
            let whole = matches!(result.status_code, Some(StatusCode::Complete | StatusCode::PartialData) | None);
            if !whole {
                return Err(Failure::malformed("CloudWatch could not give the data of a metric"));
            }
            for value in result.values.unwrap_or_default() {
                let value = number(value)?;
                best =
                    Some(if statistic == "Sum" { best.unwrap_or(0).saturating_add(value) } else { best.unwrap_or(0).max(value) });
            }
        }
        Ok(best)
    }

    /// A count or seconds, rounded up.
    fn number(value: f64) -> Result<u64, Failure> {
        let text = format!("{:.0}", value.ceil());
        text.parse().map_err(|_| Failure::malformed("a metric whose value is no count"))
    }
}
