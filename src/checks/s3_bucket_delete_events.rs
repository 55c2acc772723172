use serde::Deserialize;

use super::example::{Example, primary};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::s3_bucket::notification::{Notification, Target};
use crate::view::View;

/// Somebody is told when documents are deleted.
///
/// # Why
/// Every window of recovery begins with somebody noticing. A deletion that nobody hears of is noticed when the document is missed,
/// often after the old versions are gone. Deletions by lifecycle rules are in no CloudTrail event of the object: only these
/// notifications tell of them.
///
/// # Fails when
/// For some kind of event in `of` there are keys of the store of which no topic, queue or function is told, and EventBridge is not
/// told either. `deletions` are deletions of versions and new delete markers by a request (`s3:ObjectRemoved:*`), `expirations`
/// the same by lifecycle rules (`s3:LifecycleExpiration:*`). Notifications with different prefixes may cover the keys together;
/// one with a suffix does not count.
///
/// Not seen: who reads the topic or queue, whether a rule of EventBridge picks the events up (with `event-bridge: false` it does not
/// count), and whether the destination exists and accepts messages.
///
/// # Fix
/// PutBucketNotificationConfiguration with both events for all keys, or with EventBridge and a rule there. The call replaces the
/// whole configuration: keep the others.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketDeleteEvents {
    /// The kinds of events that must be told.
    #[serde(default = "both")]
    of: Vec<Kinds>,
    /// Whether it is enough that EventBridge is told.
    #[serde(default = "yes")]
    event_bridge: bool,
}

/// Who deletes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Kinds {
    /// Requests.
    Deletions,
    /// Lifecycle rules.
    Expirations,
}

impl Kinds {
    fn events(self) -> [&'static str; 2] {
        match self {
            Self::Deletions => ["s3:ObjectRemoved:Delete", "s3:ObjectRemoved:DeleteMarkerCreated"],
            Self::Expirations => ["s3:LifecycleExpiration:Delete", "s3:LifecycleExpiration:DeleteMarkerCreated"],
        }
    }
}

fn both() -> Vec<Kinds> {
    vec![Kinds::Deletions, Kinds::Expirations]
}

fn yes() -> bool {
    true
}

impl CheckType for S3BucketDeleteEvents {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-delete-events",
        unit: Kind::S3Bucket,
        severity: Severity::Medium,
        title: "Deletions of documents are told to somebody",
        fix: "notify s3:ObjectRemoved:* and s3:LifecycleExpiration:* of all keys, or turn on EventBridge",
        references: &["SecurityHub:S3.11", "Prowler:s3_bucket_event_notifications_enabled"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let target = |events: &[&str]| Target {
            arn: "arn:aws:sns:eu-west-1:111111111111:deletions".to_owned(),
            events: events.iter().map(|event| (*event).to_owned()).collect(),
            ..Target::default()
        };
        let case =
            |example: Example, targets: Vec<Target>| example.known(&primary(), Notification { event_bridge: false, targets });
        let all = ["s3:ObjectRemoved:*", "s3:LifecycleExpiration:*"];
        let bridge = || Notification { event_bridge: true, targets: Vec::new() };
        let deletions = serde_json::json!({ "of": ["deletions"] });
        vec![
            case(Example::pass("a topic", on.clone()), vec![target(&all)]),
            case(Example::pass("two of them together", on.clone()), vec![target(&all[..1]), target(&all[1..])]),
            case(Example::pass("deletions only", on.clone()), vec![target(&all[..1])]).with(deletions.clone()),
            Example::pass("EventBridge", on.clone()).known(&on, bridge()),
            Example::fail("EventBridge is not enough", on.clone())
                .known(&on, bridge())
                .with(serde_json::json!({ "event-bridge": false })),
            case(Example::fail("no expirations", on.clone()), vec![target(&all[..1])]),
            case(Example::fail("markers only", on.clone()), vec![target(&["s3:ObjectRemoved:DeleteMarkerCreated"])])
                .with(deletions),
            case(Example::fail("one prefix", on.clone()), vec![Target { prefix: "invoices/".to_owned(), ..target(&all) }]),
            case(Example::fail("one suffix", on.clone()), vec![Target { suffix: ".pdf".to_owned(), ..target(&all) }]),
            case(Example::fail("other events", on.clone()), vec![target(&["s3:ObjectCreated:*"])]),
            Example::fail("nobody is told", on.clone()).absent::<Notification>(&on),
            Example::unknown("denied", on.clone()).denied::<Notification>(&on),
        ]
    }
}

impl Check for S3BucketDeleteEvents {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Notification::SPEC])]
    }

    fn problems(&self) -> Vec<String> {
        self.of.is_empty().then(|| "`of` nothing asks for nothing; leave it out to ask for both".to_owned()).into_iter().collect()
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(found) = tally.read(view.read::<Notification>(unit)) else { return tally.finish() };
        let required = "told of all keys";
        if self.event_bridge && found.is_some_and(|found| found.event_bridge) {
            tally.pass::<Notification>(unit, "EventBridge is told", required);
            return tally.finish();
        }
        let spaces = view.estate.key_spaces(unit);
        for event in self.of.iter().flat_map(|kind| kind.events()) {
            let hearing: Vec<&Target> = found.into_iter().flat_map(|found| &found.targets).filter(|to| to.hears(event)).collect();
            let whole = || hearing.iter().filter(|to| to.suffix.is_empty()).map(|to| to.prefix.as_str());
            if spaces.iter().all(|space| space.within(whole().collect::<Vec<_>>())) {
                let to: Vec<&str> = hearing.iter().map(|to| to.arn.as_str()).collect();
                tally.pass::<Notification>(unit, format!("{event} told to {}", to.join(", ")), required);
                continue;
            }
            let told = hearing.iter().map(|to| format!("{} for \"{}*{}\"", to.arn, to.prefix, to.suffix)).collect::<Vec<_>>();
            let (says, seen) = if told.is_empty() {
                (format!("nobody is told of {event}"), "told to nobody".to_owned())
            } else {
                (format!("{event} is told for some keys only"), told.join("; "))
            };
            let _ = tally.fail::<Notification>(unit, says, seen, required).subject(event);
        }
        tally.finish()
    }
}
