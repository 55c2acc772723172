//! S3: the versions of a bucket and their locks. Nothing else of a document is held here, least of all its content.

use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::reply::{Answer, Fail, Reply};
use crate::route::Call;
use crate::world::{Bucket, Version};
use crate::xml::Xml;

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
/// What `encoding-type=url` leaves as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/').remove(b'*');

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>: by key, of each the newest first.
pub(crate) fn list(bucket: &Bucket, call: &Call) -> Answer {
    let text = |name: &str| call.param(name).filter(|text| !text.is_empty());
    let (prefix, delimiter) = (text("prefix").unwrap_or_default(), text("delimiter"));
    let (key_marker, version_marker) = (text("key-marker"), text("version-id-marker"));
    let most = call.param("max-keys").and_then(|text| text.parse::<usize>().ok()).unwrap_or(1000).min(1000);
    let mut all: Vec<&Version> = bucket.versions.iter().filter(|version| version.key.starts_with(prefix)).collect();
    all.sort_by(|a, b| a.key.cmp(&b.key));
    let marked = all.iter().position(|v| Some(v.key.as_str()) == key_marker && Some(v.id.as_str()) == version_marker);
    let after = |at: usize, version: &Version| match (key_marker, marked) {
        (None, _) => true,
        (Some(_), Some(marked)) => at > marked,
        (Some(key), None) => version.key.as_str() > key,
    };
    let folder = |version: &Version| {
        let delimiter = delimiter?;
        let rest = version.key.get(prefix.len()..)?;
        rest.find(delimiter).map(|at| format!("{prefix}{}", &rest[..at + delimiter.len()]))
    };
    let (mut page, mut folders, mut next) = (Vec::new(), BTreeSet::new(), None);
    let mut last: Option<(&str, &str)> = None;
    for (at, version) in all.iter().enumerate().filter(|(at, version)| after(*at, version)) {
        let folder = folder(version);
        if folder.as_ref().is_some_and(|folder| folders.contains(folder) || key_marker == Some(folder)) {
            last = Some((&version.key, &version.id));
            continue;
        }
        if page.len() + folders.len() == most || (call.repeat_token && at > 0) {
            next = last;
            break;
        }
        match folder {
            Some(folder) => {
                folders.insert(folder);
            }
            None => page.push(*version),
        }
        last = Some((&version.key, &version.id));
    }
    let encoded = call.param("encoding-type") == Some("url");
    let told = |text: &str| if encoded { utf8_percent_encode(text, ESCAPED).to_string() } else { text.to_owned() };
    Ok(Reply::xml(Xml::document("ListVersionsResult", NAMESPACE, |x| {
        x.leaf("Name", &bucket.name);
        x.leaf("Prefix", &told(prefix));
        x.leaf("KeyMarker", &told(key_marker.unwrap_or_default()));
        x.leaf("VersionIdMarker", version_marker.unwrap_or_default());
        if let Some((key, id)) = next {
            x.leaf("NextKeyMarker", &told(key));
            x.leaf("NextVersionIdMarker", id);
        }
        x.leaf("MaxKeys", &most.to_string());
        x.maybe("EncodingType", encoded.then_some("url"));
        x.leaf("IsTruncated", if next.is_some() { "true" } else { "false" });
        for version in page {
            x.node(if version.marker { "DeleteMarker" } else { "Version" }, |x| {
                x.leaf("Key", &told(&version.key));
                x.leaf("VersionId", &version.id);
                x.leaf("IsLatest", if version.latest { "true" } else { "false" });
                x.leaf("LastModified", &bucket.created);
                if !version.marker {
                    x.leaf("Size", "1");
                    x.leaf("StorageClass", "STANDARD");
                }
            });
        }
        for folder in &folders {
            x.node("CommonPrefixes", |x| x.leaf("Prefix", &told(folder)));
        }
    })))
}

fn version<'a>(bucket: &'a Bucket, call: &Call) -> Result<&'a Version, Fail> {
    if bucket.object_lock.is_none() {
        return Err(Fail::new(400, "InvalidRequest", "Bucket is missing Object Lock Configuration"));
    }
    let key = call.key.as_deref().unwrap_or_default();
    let of_key = || bucket.versions.iter().filter(|version| version.key == key);
    let Some(id) = call.param("versionId") else {
        let current = of_key().find(|version| version.latest && !version.marker);
        return current.ok_or_else(|| Fail::new(404, "NoSuchKey", "The specified key does not exist."));
    };
    of_key()
        .find(|version| version.id == id)
        .ok_or_else(|| Fail::new(404, "NoSuchVersion", "The specified version does not exist."))
}

fn no_lock() -> Fail {
    Fail::new(404, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration")
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectRetention.html>
pub(crate) fn retention(bucket: &Bucket, call: &Call) -> Answer {
    let (mode, until) = version(bucket, call)?.retention.as_ref().ok_or_else(no_lock)?;
    Ok(Reply::xml(Xml::document("Retention", NAMESPACE, |x| {
        x.leaf("Mode", mode);
        x.leaf("RetainUntilDate", until);
    })))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLegalHold.html>
pub(crate) fn legal_hold(bucket: &Bucket, call: &Call) -> Answer {
    let on = version(bucket, call)?.legal_hold.ok_or_else(no_lock)?;
    Ok(Reply::xml(Xml::document("LegalHold", NAMESPACE, |x| x.leaf("Status", if on { "ON" } else { "OFF" }))))
}
