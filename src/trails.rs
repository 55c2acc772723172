//! What the event selectors of trails record, judged by effect. Pure.
//!
//! It must never say that events are recorded when some of them may be left out.
//!
//! An event is recorded if one selector of one trail matches it. In a selector by fields every field must match; within a
//! field one of the conditions that select, and none of those that leave out.
//! See <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html> and, for how
//! several conditions combine, <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/filtering-data-events.html>.

use crate::estate::KeySpace;
use crate::resources::account::trails::{Advanced, Basic, Field, Selectors};

/// Whether all events of a class are recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Covers {
    All,
    /// Some are not; which, in half a sentence.
    Not(String),
    /// It depends on something that cannot be judged; on what.
    Unsure(String),
}

/// Calls on objects that a trail can record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Events {
    Write,
    Read,
}

/// Calls that change or destroy an object or what protects it.
/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html>.
const WRITES: &[&str] = &[
    "DeleteObject",
    "DeleteObjects",
    "PutObject",
    "CopyObject",
    "UploadPart",
    "UploadPartCopy",
    "CompleteMultipartUpload",
    "RenameObject",
    "UpdateObjectEncryption",
    "PutObjectRetention",
    "PutObjectLegalHold",
    "PutObjectTagging",
    "DeleteObjectTagging",
    "PutObjectAcl",
    "RestoreObject",
];
/// Calls that read one.
const READS: &[&str] =
    &["GetObject", "HeadObject", "GetObjectAcl", "GetObjectTagging", "GetObjectAttributes", "SelectObjectContent"];

/// Whether these selectors together record every call of a kind on every object of the key space. `objects` is
/// `arn:aws:s3:::BUCKET/`.
pub fn object_events(selectors: &[&Selectors], objects: &str, keys: &KeySpace, events: Events) -> Covers {
    let names = match events {
        Events::Write => WRITES,
        Events::Read => READS,
    };
    let all = [String::new()];
    let roots = if keys.prefixes.is_empty() { &all[..] } else { &keys.prefixes };
    for root in roots {
        let space = Space { objects, root: format!("{objects}{root}"), exclude: &keys.exclude };
        for name in names {
            let event = Event { name, write: events == Events::Write, space: &space };
            match any(selectors.iter().map(|selectors| event.recorded(selectors))) {
                Covers::All => {}
                Covers::Not(why) if why.is_empty() => {
                    return Covers::Not(format!("no selector records {name} on {}*", space.root));
                }
                Covers::Not(why) => return Covers::Not(format!("{name} on {}*: {why}", space.root)),
                Covers::Unsure(why) => return Covers::Unsure(format!("{name} on {}*: {why}", space.root)),
            }
        }
    }
    Covers::All
}

/// Whether these selectors record every management call that changes something.
pub fn management_writes(selectors: &Selectors) -> Covers {
    let basic = |selector: &Basic| {
        if !selector.management || !selector.writes {
            return Covers::Not(String::new());
        }
        match selector.without.iter().find(|source| !is_harmless(source)) {
            Some(source) => Covers::Not(format!("events of {source} are left out")),
            None => Covers::All,
        }
    };
    let advanced = |Advanced(fields): &Advanced| {
        if !fields.iter().any(|field| field.field == "eventCategory") {
            return Covers::Not(String::new());
        }
        every(fields.iter().map(|field| match field.field.as_str() {
            _ if field.says_nothing() => unknown(field),
            "eventCategory" => exactly(field, "Management"),
            "readOnly" => exactly(field, "false"),
            "eventSource" if !selects(field) && field.not_starts_with.is_empty() && field.not_ends_with.is_empty() => {
                match field.not_equals.iter().find(|source| !is_harmless(source)) {
                    Some(source) => Covers::Not(format!("events of {source} are left out")),
                    None => Covers::All,
                }
            }
            "eventSource" | "eventName" | "eventType" | "userIdentity.arn" | "sessionCredentialFromConsole" => narrowed(field),
            _ => unknown(field),
        }))
    };
    match selectors {
        Selectors::Basic(list) => any(list.iter().map(basic)),
        Selectors::Advanced(list) => any(list.iter().map(advanced)),
    }
}

/// Calls of the RDS Data API are many, and nothing of S3, IAM or KMS.
fn is_harmless(source: &str) -> bool {
    source == "rdsdata.amazonaws.com"
}

/// The objects in question.
struct Space<'a> {
    objects: &'a str,
    /// What the ARN of each begins with.
    root: String,
    /// Keys that do not matter.
    exclude: &'a [String],
}

impl Space<'_> {
    /// Whether some object that matters has an ARN that begins with `prefix`.
    fn touches(&self, prefix: &str) -> bool {
        let Some(key) = prefix.strip_prefix(self.objects) else { return self.root.starts_with(prefix) };
        let out = self.exclude.iter().any(|out| key.starts_with(out.as_str()));
        self.root.starts_with(prefix) || (prefix.starts_with(&self.root) && !out)
    }
}

struct Event<'a> {
    name: &'a str,
    write: bool,
    space: &'a Space<'a>,
}

impl Event<'_> {
    fn recorded(&self, selectors: &Selectors) -> Covers {
        match selectors {
            Selectors::Basic(list) => any(list.iter().map(|selector| self.basic(selector))),
            Selectors::Advanced(list) => any(list.iter().map(|Advanced(fields)| self.advanced(fields))),
        }
    }

    fn basic(&self, selector: &Basic) -> Covers {
        let right = if self.write { selector.writes } else { selector.reads };
        let objects = selector.data.iter().filter(|data| right && data.kind == "AWS::S3::Object");
        // `arn:aws:s3` and `arn:aws:s3:::` mean all buckets; a bucket needs its slash.
        let whole = |value: &str| value.ends_with(":s3") || value.ends_with(":s3:::") || value.contains('/');
        any(objects.flat_map(|data| &data.values).map(|value| {
            if !whole(value) && self.space.root.starts_with(value.as_str()) {
                Covers::Unsure(format!("`{value}` names a bucket without the slash that AWS asks for"))
            } else if self.space.root.starts_with(value.as_str()) {
                Covers::All
            } else if self.space.touches(value) {
                Covers::Not(format!("only objects under {value} are recorded"))
            } else {
                Covers::Not(String::new())
            }
        }))
    }

    fn advanced(&self, fields: &[Field]) -> Covers {
        let has = |name: &str| fields.iter().any(|field| field.field == name);
        if !has("eventCategory") || !has("resources.type") {
            return Covers::Not(String::new());
        }
        every(fields.iter().map(|field| match field.field.as_str() {
            _ if field.says_nothing() => unknown(field),
            "eventCategory" => exactly(field, "Data"),
            "resources.type" => exactly(field, "AWS::S3::Object"),
            "readOnly" => exactly(field, if self.write { "false" } else { "true" }),
            "eventName" => text(field, self.name),
            "eventSource" => text(field, "s3.amazonaws.com"),
            "eventType" => text(field, "AwsApiCall"),
            "resources.ARN" => self.arn(field),
            "userIdentity.arn" | "sessionCredentialFromConsole" => narrowed(field),
            _ => unknown(field),
        }))
    }

    fn arn(&self, field: &Field) -> Covers {
        let space = self.space;
        if selects(field) && !field.starts_with.iter().any(|prefix| space.root.starts_with(prefix.as_str())) {
            let some = field.starts_with.iter().chain(&field.equals).find(|value| space.touches(value));
            return match (some, field.ends_with.first()) {
                (Some(value), _) => Covers::Not(format!("only {value} is recorded")),
                (None, Some(end)) => Covers::Not(format!("only objects that end in {end} are recorded")),
                (None, None) => Covers::Not(String::new()),
            };
        }
        let out = field.not_starts_with.iter().chain(&field.not_equals).find(|value| space.touches(value));
        match (out, field.not_ends_with.first()) {
            (Some(value), _) => Covers::Not(format!("{value} is left out")),
            (None, Some(end)) => Covers::Not(format!("objects that end in {end} are left out")),
            (None, None) => Covers::All,
        }
    }
}

fn selects(field: &Field) -> bool {
    !(field.equals.is_empty() && field.starts_with.is_empty() && field.ends_with.is_empty())
}

/// A field for which AWS takes only `Equals`.
fn exactly(field: &Field, value: &str) -> Covers {
    let others = [&field.starts_with, &field.ends_with, &field.not_equals, &field.not_starts_with, &field.not_ends_with];
    if others.iter().any(|list| !list.is_empty()) || field.equals.is_empty() {
        unknown(field)
    } else if field.equals.iter().any(|equal| equal == value) {
        Covers::All
    } else {
        Covers::Not(String::new())
    }
}

/// A field whose value in the event is known.
fn text(field: &Field, value: &str) -> Covers {
    let begins = |list: &[String]| list.iter().any(|part| value.starts_with(part.as_str()));
    let ends = |list: &[String]| list.iter().any(|part| value.ends_with(part.as_str()));
    let is = |list: &[String]| list.iter().any(|part| value == part);
    let chosen = !selects(field) || is(&field.equals) || begins(&field.starts_with) || ends(&field.ends_with);
    let out = is(&field.not_equals) || begins(&field.not_starts_with) || ends(&field.not_ends_with);
    if out || !chosen { Covers::Not(format!("left out by {}", field.field)) } else { Covers::All }
}

/// A field that has another value for each caller.
fn narrowed(field: &Field) -> Covers {
    Covers::Not(format!("only some are recorded, by {}", field.field))
}

fn unknown(field: &Field) -> Covers {
    Covers::Unsure(format!("a selector on {} cannot be judged", field.field))
}

/// One of several is enough. The longest reason is the nearest.
fn any(each: impl Iterator<Item = Covers>) -> Covers {
    let mut best = Covers::Not(String::new());
    for one in each {
        match (&one, &best) {
            (Covers::All, _) => return Covers::All,
            (Covers::Unsure(_), Covers::Not(_)) => best = one,
            (Covers::Not(why), Covers::Not(before)) if before.is_empty() && !why.is_empty() => best = one,
            (Covers::Unsure(_) | Covers::Not(_), _) => {}
        }
    }
    best
}

/// All are needed. What is surely left out outweighs what cannot be judged.
fn every(each: impl Iterator<Item = Covers>) -> Covers {
    let mut worst = Covers::All;
    for one in each {
        match (&one, &worst) {
            (Covers::Not(why), _) if why.is_empty() => return one,
            (Covers::Not(_), Covers::All | Covers::Unsure(_)) | (Covers::Unsure(_), Covers::All) => worst = one,
            (Covers::All | Covers::Unsure(_) | Covers::Not(_), _) => {}
        }
    }
    worst
}

#[cfg(test)]
mod tests;
