//! The well-kept world: every fact of every declared account and copy has a safe value, and every list is whole.
//!
//! What is the same for all is in `well_kept.yaml`. It must never hold a fact of a resource that the estate does not declare,
//! but for the roles that replicate and the buckets that take access logs.

use std::sync::OnceLock;

use serde_json::{Map, Value as Json, json};

use super::state::{State, put};
use super::world::{lists, number};
use crate::estate::{AccountKey, Copy, Estate, ResourceId, Store};
use crate::fact::{Fact, Kind};
use crate::resources::account::replication_metrics::{ReplicationMetrics, RuleMetrics};
use crate::resources::iam_role::permissions::RolePermissions;
use crate::resources::iam_role::service_last_accessed::RoleLastAccessed;
use crate::resources::s3_bucket::logging::Logging;
use crate::resources::s3_bucket::policy::BucketPolicy;
use crate::resources::s3_bucket::replication::Replication;
use crate::resources::{FactType, spec};
use crate::snapshot::{Existence, Snapshot};

fn template() -> &'static Map<String, Json> {
    static TEMPLATE: OnceLock<Map<String, Json>> = OnceLock::new();
    TEMPLATE.get_or_init(|| serde_yaml::from_str(include_str!("well_kept.yaml")).unwrap_or_default())
}

/// Writes it. The error is lastcopy's own.
pub(super) fn write(snapshot: &mut Snapshot, estate: &Estate) -> Result<(), String> {
    for (key, account) in &estate.accounts {
        for list in lists() {
            snapshot.put_listing(key, list, Fact::Known(0));
        }
        if account.is_aws() {
            all(snapshot, estate, &ResourceId::account(key), "account")?;
        }
    }
    for copy in estate.stores.values().flat_map(|store| store.copies.values()) {
        for bucket in copy.resources() {
            if let Some(resource) = snapshot.resource_mut(&bucket) {
                (resource.exists, resource.listed) = (Fact::Known(Existence::Here), true);
            }
            all(snapshot, estate, &bucket, "bucket")?;
            logged(snapshot, estate, &bucket)?;
        }
    }
    for (name, store) in &estate.stores {
        replicated(snapshot, estate, name, store)?;
    }
    Ok(())
}

/// The facts of one resource, from the template.
fn all(snapshot: &mut Snapshot, estate: &Estate, id: &ResourceId, part: &str) -> Result<(), String> {
    let partition = estate.partition(&id.account);
    for (fact, value) in template().get(part).and_then(Json::as_object).into_iter().flatten() {
        let spec = spec(&format!("{}.{fact}", id.kind)).ok_or_else(|| format!("there is no fact {}.{fact}", id.kind))?;
        let state = if value.as_str() == Some("absent") { State::Absent } else { State::Whole(in_partition(value, partition)) };
        put(snapshot, id, spec, state, &number(estate, &id.account)).map_err(|why| format!("{}: {why}", spec.id))?;
    }
    Ok(())
}

fn in_partition(value: &Json, partition: &str) -> Json {
    match value {
        Json::String(text) => Json::String(text.replace("${partition}", partition)),
        Json::Array(items) => items.iter().map(|item| in_partition(item, partition)).collect(),
        Json::Object(map) => map.iter().map(|(key, value)| (key.clone(), in_partition(value, partition))).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) => value.clone(),
    }
}

/// Origins feed every copy that S3 replication feeds, by a role that can do nothing else.
fn replicated(snapshot: &mut Snapshot, estate: &Estate, name: &str, store: &Store) -> Result<(), String> {
    let replicas: Vec<&Copy> = store.copies.values().filter(|copy| copy.is_replica()).collect();
    let aws = |key: &AccountKey| estate.accounts.get(key).is_some_and(crate::estate::Account::is_aws);
    for origin in store.copies.values().filter(|copy| copy.is_origin() && aws(&copy.account)) {
        let role = ResourceId::new(&origin.account, Kind::IamRole, &format!("replication-{name}"));
        let arn = snapshot.arn(&role);
        let account = number(estate, &origin.account);
        let partition = estate.partition(&origin.account);
        let mut destinations = Vec::new();
        for (at, bucket) in origin.resources().enumerate() {
            let to = |copy: &&Copy| copy.buckets.get(at).or(copy.buckets.last()).map(|to| ResourceId::bucket(&copy.account, to));
            let fed: Vec<ResourceId> = replicas.iter().filter_map(to).collect();
            if fed.is_empty() {
                continue;
            }
            let rules: Vec<Json> = fed
                .iter()
                .map(|to| {
                    json!({
                        "id": format!("to-{}", to.name), "enabled": true, "bucket": to.name, "sse-kms": true,
                        "account": number(estate, &to.account), "owner-override": true,
                    })
                })
                .collect();
            let replication = State::Whole(json!({ "role": arn, "rules": rules }));
            put(snapshot, &bucket, Replication::SPEC, replication, &account)?;
            keeps_up(snapshot, estate, &bucket, &fed)?;
            destinations.extend(fed);
        }
        if destinations.is_empty() {
            continue;
        }
        let s3 = |bucket: &str, keys: &str| format!("arn:{partition}:s3:::{bucket}{keys}");
        let from = |keys: &str| origin.buckets.iter().map(|bucket| s3(bucket, keys)).collect::<Vec<_>>();
        let to: Vec<String> = destinations.iter().map(|bucket| s3(&bucket.name, "/*")).collect();
        let document = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": ["s3:GetReplicationConfiguration", "s3:ListBucket"], "Resource": from("") },
            { "Effect": "Allow", "Action": ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"],
              "Resource": from("/*") },
            { "Effect": "Allow", "Action": REPLICATE, "Resource": to },
        ]});
        let trust = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": { "Service": "s3.amazonaws.com" }, "Action": "sts:AssumeRole" },
        ]});
        let inline = json!([{ "name": "replicate", "document": document }]);
        let permissions = State::Whole(json!({ "arn": arn, "inline": inline, "trust": trust }));
        put(snapshot, &role, RolePermissions::SPEC, permissions, &account)?;
        let used = json!({ "generated": "${now}", "services": { "s3": { "at": "${now-1d}" } } });
        put(snapshot, &role, RoleLastAccessed::SPEC, State::Whole(used), &account)?;
        for bucket in &destinations {
            grant(snapshot, estate, bucket, &arn)?;
        }
    }
    Ok(())
}

/// CloudWatch says that every rule of a bucket keeps up, beside what it says of others.
fn keeps_up(snapshot: &mut Snapshot, estate: &Estate, from: &ResourceId, fed: &[ResourceId]) -> Result<(), String> {
    let account = ResourceId::account(&from.account);
    let mut metrics = match snapshot.read::<ReplicationMetrics>(&account) {
        Fact::Known(metrics) => metrics.clone(),
        Fact::Absent | Fact::Unreadable(_) => ReplicationMetrics::default(),
    };
    metrics.rules.extend(fed.iter().map(|to| RuleMetrics {
        source: from.name.to_string(),
        destination: to.name.to_string(),
        rule: format!("to-{}", to.name),
        latency_seconds: Some(40),
        pending: Some(0),
        failed: Some(0),
    }));
    let metrics = serde_json::to_value(metrics).map_err(|error| error.to_string())?;
    put(snapshot, &account, ReplicationMetrics::SPEC, State::Whole(metrics), &number(estate, &from.account))
}

/// The bucket that a bucket logs to takes the logs. No control is about it: it is not listed.
fn logged(snapshot: &mut Snapshot, estate: &Estate, bucket: &ResourceId) -> Result<(), String> {
    let target = match snapshot.read::<Logging>(bucket) {
        Fact::Known(logging) => ResourceId::bucket(&bucket.account, &logging.bucket),
        Fact::Absent | Fact::Unreadable(_) => return Ok(()),
    };
    if let Some(resource) = snapshot.resource_mut(&target) {
        resource.exists = Fact::Known(Existence::Here);
    }
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "logging.s3.amazonaws.com" }, "Action": "s3:PutObject",
        "Resource": format!("arn:{}:s3:::{}/*", estate.partition(&target.account), target.name),
    }]});
    put(snapshot, &target, BucketPolicy::SPEC, State::Whole(policy), &number(estate, &bucket.account))
}

const REPLICATE: &[&str] =
    &["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner"];

/// Lets a role replicate into a bucket, beside what its policy says already.
fn grant(snapshot: &mut Snapshot, estate: &Estate, bucket: &ResourceId, role: &str) -> Result<(), String> {
    let allow = json!({
        "Effect": "Allow", "Principal": { "AWS": role }, "Action": REPLICATE,
        "Resource": format!("arn:{}:s3:::{}/*", estate.partition(&bucket.account), bucket.name),
    });
    let before = match snapshot.read::<BucketPolicy>(bucket) {
        Fact::Known(policy) => policy.0.clone(),
        Fact::Absent | Fact::Unreadable(_) => "{}".to_owned(),
    };
    let mut document: Json = serde_json::from_str(&before).map_err(|error| error.to_string())?;
    if let Some(statements) = document.get_mut("Statement").and_then(Json::as_array_mut)
        && !statements.contains(&allow)
    {
        statements.push(allow);
    }
    put(snapshot, bucket, BucketPolicy::SPEC, State::Whole(document), &number(estate, &bucket.account))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::example::{Example, primary};

    #[test]
    fn every_fact_of_accounts_and_buckets_has_a_safe_value() {
        let example = Example::pass("", primary());
        let mut snapshot = super::super::world::empty(&example.estate, crate::checks::example::now());
        write(&mut snapshot, &example.estate).unwrap();
        for (part, kind) in [("account", Kind::Account), ("bucket", Kind::S3Bucket)] {
            for spec in crate::resources::specs_of(kind) {
                let short = super::super::schema::short(spec.id);
                assert!(template()[part].get(short).is_some(), "{} has no value in well_kept.yaml", spec.id);
            }
        }
    }
}
