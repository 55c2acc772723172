//! Reads the stores that policies declare, with their copies.
//!
//! It must never let one document belong to two copies: a copy that is the same bucket protects from nothing.

use std::collections::BTreeMap;

use super::cursor::Cursor;
use super::diagnostic::{Diagnostic, quote};
use super::suggest;
use crate::estate::{Account, AccountKey, Copy, FedBy, KeySpace, Store};

/// The copy that uses a bucket, for which keys, and where it says so.
type Use<'a> = (String, KeySpace, Cursor<'a>);

/// The stores of all files. Without all files, names that are not known are not told.
pub(super) fn read(
    files: &[Cursor<'_>],
    accounts: &BTreeMap<AccountKey, Account>,
    whole: bool,
    problems: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Store> {
    let mut stores = BTreeMap::new();
    let mut names: BTreeMap<&str, Cursor<'_>> = BTreeMap::new();
    let mut used: BTreeMap<(AccountKey, String), Vec<Use<'_>>> = BTreeMap::new();
    for (key, value) in files.iter().flat_map(|file| file.entries("stores")) {
        let Some(name) = key.text() else { continue };
        if let Some(first) = names.get(name) {
            problems.push(key.error(format!("store {} is declared twice", quote(name))).label("here again").also(
                first.source,
                first.node.place,
                "first here",
            ));
            continue;
        }
        names.insert(name, key);
        let mut store = Store::default();
        for (key, value) in value.entries("copies") {
            let Some(copy_name) = key.text() else { continue };
            let copy = copy(&format!("{name}/{copy_name}"), key, value, problems);
            if let Some(at) = value.get("account")
                && let Some(account) = at.text()
                && whole
                && !accounts.contains_key(&copy.account)
            {
                problems.push(
                    at.error(format!("there is no account {}", quote(account)))
                        .maybe_hint(suggest::hint(account, accounts.keys().map(AccountKey::as_str), "there are"))
                        .label("not under `accounts`"),
                );
            }
            for (at, bucket) in buckets(value) {
                let owner = (copy.account.clone(), bucket.to_owned());
                used.entry(owner).or_default().push((format!("{name}/{copy_name}"), copy.keys.clone(), at));
            }
            store.copies.insert(copy_name.to_owned(), copy);
        }
        if !store.copies.is_empty() && !store.copies.values().any(Copy::is_origin) {
            problems.push(
                key.warning(format!("store {} has no copy where documents are written", quote(name)))
                    .note("every copy says how it is fed")
                    .hint("leave `fed-by` out of the copy where documents are written"),
            );
        }
        stores.insert(name.to_owned(), store);
    }
    for ((_, bucket), uses) in &used {
        overlaps(bucket, uses, problems);
    }
    stores
}

fn buckets(copy: Cursor<'_>) -> Vec<(Cursor<'_>, &str)> {
    let mut all = copy.texts("bucket");
    all.extend(copy.texts("buckets"));
    all
}

fn copy(name: &str, key: Cursor<'_>, value: Cursor<'_>, problems: &mut Vec<Diagnostic>) -> Copy {
    match (value.key("bucket"), value.key("buckets")) {
        (Some(one), Some(many)) => problems.push(
            many.error(format!("copy {} has `bucket` and `buckets`", quote(name)))
                .also(one.source, one.node.place, "also here")
                .hint("put all of them under `buckets`"),
        ),
        (None, None) if value.node.entries().next().is_some() => problems.push(
            key.error(format!("copy {} has no bucket", quote(name)))
                .label("`bucket` or `buckets` is missing")
                .hint("write for example: bucket: acme-documents"),
        ),
        (Some(_), None) | (None, Some(_)) | (None, None) => {}
    }
    for (at, bucket) in buckets(value) {
        if let Some(why) = refuse_bucket(bucket) {
            problems.push(at.error(format!("{} is not the name of a bucket: {why}", quote(bucket))));
        }
    }
    let keys = KeySpace { prefixes: strings(value, "prefixes"), exclude: strings(value, "exclude") };
    for (at, prefix) in value.texts("prefixes").into_iter().chain(value.texts("exclude")) {
        if prefix.is_empty() {
            problems.push(at.error("an empty prefix is every key").hint("remove it"));
        } else if prefix.contains('*') {
            problems.push(
                at.warning(format!("the prefix {} is taken literally", quote(prefix)))
                    .note("keys begin with exactly these characters, `*` included")
                    .hint("leave out the `*`: a prefix matches whatever follows"),
            );
        }
    }
    for (at, out) in value.texts("exclude") {
        if !out.is_empty() && keys.prefixes.iter().any(|prefix| prefix.starts_with(out)) {
            problems.push(
                at.error(format!("`exclude` {} leaves out a whole prefix of the copy", quote(out))).hint("remove one of them"),
            );
        }
    }
    let fed_by = value
        .get("fed-by")
        .and_then(Cursor::text)
        .and_then(|word| [FedBy::Replication, FedBy::Sync, FedBy::Backup].into_iter().find(|fed_by| fed_by.as_str() == word));
    let account = AccountKey::new(value.get("account").and_then(Cursor::text).unwrap_or_default());
    Copy { account, buckets: buckets(value).into_iter().map(|(_, name)| name.to_owned()).collect(), keys, fed_by }
}

fn strings(value: Cursor<'_>, key: &str) -> Vec<String> {
    value.texts(key).into_iter().map(|(_, text)| text.to_owned()).collect()
}

/// Why S3 would refuse a bucket of this name. Names of old buckets may have capitals; they are rare and refused.
pub(super) fn refuse_bucket(name: &str) -> Option<&'static str> {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if name.starts_with("arn:") {
        return Some("write the name alone, not the ARN");
    }
    if name.starts_with("s3://") {
        return Some("write the name alone, not the URL");
    }
    if name.contains(['*', '?']) {
        return Some("a copy names its buckets exactly");
    }
    if name.ends_with("--x-s3") {
        return Some("it is a directory bucket, whose permissions and protections are others (no versioning, no replication)");
    }
    if name.len() < 3 || name.len() > 63 {
        return Some("it has 3 to 63 characters");
    }
    if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.') {
        return Some("it has lower-case letters, digits, hyphens and dots only");
    }
    if !edge(name.chars().next()) || !edge(name.chars().last()) {
        return Some("it begins and ends with a letter or digit");
    }
    if name.contains("..") {
        return Some("it has no two dots in a row");
    }
    if name.parse::<std::net::Ipv4Addr>().is_ok() {
        return Some("it must not look like an IP address");
    }
    None
}

/// A key space may be named by a copy only once.
fn overlaps(bucket: &str, uses: &[Use<'_>], problems: &mut Vec<Diagnostic>) {
    for (at, (name, keys, here)) in uses.iter().enumerate() {
        let earlier = uses.iter().take(at).find(|(_, other, _)| meet(keys, other));
        if let Some((other, _, first)) = earlier {
            let title = if other == name {
                format!("copy {} names the bucket {} twice", quote(name), quote(bucket))
            } else {
                format!("copies {} and {} are the same documents in bucket {}", quote(other), quote(name), quote(bucket))
            };
            problems.push(
                here.error(title)
                    .label("here again")
                    .also(first.source, first.node.place, "first here")
                    .note("one delete would destroy both")
                    .hint("name another bucket, or keep them apart with `prefixes` and `exclude`"),
            );
        }
    }
}

/// Whether a key may lie in both.
fn meet(a: &KeySpace, b: &KeySpace) -> bool {
    fn roots(keys: &KeySpace) -> Vec<&str> {
        if keys.prefixes.is_empty() { vec![""] } else { keys.prefixes.iter().map(String::as_str).collect() }
    }
    let others = roots(b);
    roots(a).iter().any(|one| {
        others.iter().any(|other| {
            let narrower = if one.len() > other.len() { one } else { other };
            (one.starts_with(other) || other.starts_with(one))
                && !a.exclude.iter().chain(&b.exclude).any(|out| narrower.starts_with(out.as_str()))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::refuse_bucket;

    #[test]
    fn bucket_names() {
        for good in ["abc", "acme-documents", "a.b.c", "123", &"a".repeat(63)] {
            assert_eq!(refuse_bucket(good), None, "{good}");
        }
        for bad in
            ["", "ab", &"a".repeat(64), "Abc", "a_b", "-abc", "abc-", "a..b", "192.168.1.1", "a*b", "arn:aws:s3:::abc", "äbc"]
        {
            assert!(refuse_bucket(bad).is_some(), "{bad}");
        }
    }
}
