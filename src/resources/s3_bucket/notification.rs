//! What is told when objects of a bucket change, and to whom. Absent: nobody is told.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketNotificationConfiguration.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// All destinations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Notification {
    /// Every event of the bucket goes to EventBridge, where rules decide what becomes of it.
    pub event_bridge: bool,
    pub targets: Vec<Target>,
}

/// One destination with what it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Target {
    pub id: Option<String>,
    pub kind: TargetKind,
    pub arn: String,
    /// `s3:ObjectRemoved:*` and the like.
    pub events: Vec<String>,
    /// Only keys that begin so.
    pub prefix: String,
    /// Only keys that end so.
    pub suffix: String,
}

/// What a destination is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// An SNS topic.
    #[default]
    Topic,
    /// An SQS queue.
    Queue,
    /// A Lambda function.
    Function,
}

impl Target {
    /// It is told of this event. `s3:ObjectRemoved:*` holds `s3:ObjectRemoved:Delete`.
    pub fn hears(&self, event: &str) -> bool {
        self.events.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => event.starts_with(start),
            None => pattern == event,
        })
    }
}

impl FactType for Notification {
    const SPEC: FactId = &FactSpec {
        id: "s3-bucket.notification",
        kind: Kind::S3Bucket,
        operation: "GetBucketNotificationConfiguration",
        also: &[],
        actions: &["s3:GetBucketNotification"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::BucketReader> for Notification {
    async fn read(from: &crate::aws::BucketReader) -> crate::aws::Reading<Self> {
        let found = from
            .ask(|s3, of| async move {
                s3.get_bucket_notification_configuration().bucket(of.name).set_expected_bucket_owner(of.owner).send().await
            })
            .await?;
        let topics = found.topic_configurations.unwrap_or_default().into_iter();
        let queues = found.queue_configurations.unwrap_or_default().into_iter();
        let functions = found.lambda_function_configurations.unwrap_or_default().into_iter();
        let targets = topics
            .map(|to| target(TargetKind::Topic, to.id, to.topic_arn, to.events, to.filter))
            .chain(queues.map(|to| target(TargetKind::Queue, to.id, to.queue_arn, to.events, to.filter)))
            .chain(functions.map(|to| target(TargetKind::Function, to.id, to.lambda_function_arn, to.events, to.filter)))
            .collect::<Result<Vec<_>, _>>()?;
        let found = Self { event_bridge: found.event_bridge_configuration.is_some(), targets };
        Ok(Some(found).filter(|found| *found != Self::default()))
    }
}

#[cfg(feature = "aws")]
fn target(
    kind: TargetKind,
    id: Option<String>,
    arn: String,
    events: Vec<aws_sdk_s3::types::Event>,
    filter: Option<aws_sdk_s3::types::NotificationConfigurationFilter>,
) -> Result<Target, crate::aws::Failure> {
    use crate::aws::Failure;
    if arn.is_empty() || events.is_empty() {
        return Err(Failure::malformed("a notification without destination or event"));
    }
    let events: Vec<String> = events.iter().map(|event| event.as_str().to_owned()).collect();
    if let Some(event) = events.iter().find(|event| !event.starts_with("s3:")) {
        return Err(Failure::malformed(format!("unknown event `{event}` in a notification")));
    }
    let (mut prefix, mut suffix) = (None, None);
    for rule in filter.and_then(|filter| filter.key).and_then(|key| key.filter_rules).unwrap_or_default() {
        let name = rule.name.as_ref().map(|name| name.as_str().to_ascii_lowercase()).unwrap_or_default();
        let slot = match name.as_str() {
            "prefix" => &mut prefix,
            "suffix" => &mut suffix,
            _ => return Err(Failure::malformed(format!("unknown filter `{name}` in a notification"))),
        };
        let Some(value) = rule.value else { return Err(Failure::malformed("a notification filter without value")) };
        if slot.replace(value).is_some() {
            return Err(Failure::malformed(format!("a notification with two filters of {name}")));
        }
    }
    let (prefix, suffix) = (prefix.unwrap_or_default(), suffix.unwrap_or_default());
    Ok(Target { id: id.filter(|id| !id.is_empty()), kind, arn, events, prefix, suffix })
}
