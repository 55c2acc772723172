//! S3: reading buckets and their settings. Each answer cites the page it follows, under
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/>.

use crate::faults::{moved, no_such_bucket};
use crate::json::Json;
use crate::reply::{Answer, Fail, Reply, hash, mix};
use crate::route::{Call, Service};
use crate::s3_more as more;
use crate::s3_versions;
use crate::state::{Caller, State};
use crate::world::{Account, AccountKind, Bucket, Versioning};
use crate::xml::{Xml, declared};

pub(crate) const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

pub(crate) fn answer(state: &State, call: &Call, caller: &Caller) -> Answer {
    let account = state.account(caller);
    let Some(name) = &call.bucket else {
        return if call.operation == "ListBuckets" { list_buckets(state, call, caller) } else { Err(not_implemented()) };
    };
    let (owner, bucket) = state.find_bucket(caller, name).ok_or_else(|| no_such_bucket(name))?;
    let provider = account.kind == AccountKind::Provider;
    if !provider {
        right_region(call, bucket)?;
        let owner_id = &state.world.accounts[owner].id;
        if call.expected_owner.as_ref().is_some_and(|expected| expected != owner_id) {
            return Err(denied(bucket));
        }
        let shared = bucket.shared_with.contains(&account.id) && call.operation != "GetBucketPolicy";
        if owner != caller.account && !shared {
            // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html: only the owner's identities.
            return Err(if call.operation == "GetBucketPolicy" {
                Fail::new(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
            } else {
                denied(bucket)
            });
        }
    }
    match &*call.operation {
        "HeadBucket" => Ok(head_bucket(bucket, provider)),
        "GetBucketLocation" => Ok(location(bucket)),
        "GetBucketVersioning" => Ok(versioning(bucket)),
        "GetBucketLifecycleConfiguration" => lifecycle(bucket),
        "GetBucketPolicy" => policy(bucket),
        "GetBucketTagging" => tagging(bucket),
        "GetBucketAcl" => Ok(more::acl(&canonical_id(&state.world.accounts[owner]), bucket)),
        "ListMultipartUploads" => more::uploads(call, bucket),
        "GetBucketEncryption" => encryption(bucket, provider),
        _ if provider => Err(not_implemented()),
        "GetObjectLockConfiguration" => object_lock(bucket),
        "ListObjectVersions" => s3_versions::list(bucket, call),
        "GetObjectRetention" => s3_versions::retention(bucket, call),
        "GetObjectLegalHold" => s3_versions::legal_hold(bucket, call),
        "GetBucketReplication" => replication(bucket),
        "GetBucketPolicyStatus" => policy_status(bucket),
        "GetPublicAccessBlock" => public_access_block(bucket),
        "GetBucketOwnershipControls" => ownership(bucket),
        "GetBucketLogging" => Ok(logging(bucket)),
        "GetBucketNotificationConfiguration" => Ok(more::notification(bucket)),
        "ListBucketInventoryConfigurations" => more::configurations(call, "ListInventoryConfigurationsResult", &bucket.inventory),
        "ListBucketIntelligentTieringConfigurations" => {
            more::configurations(call, "ListBucketIntelligentTieringConfigurationsOutput", &bucket.tiering)
        }
        _ => Err(not_implemented()),
    }
}

fn not_implemented() -> Fail {
    Fail::new(501, "NotImplemented", "A header or query you provided implies functionality that is not implemented.")
}

fn denied(bucket: &Bucket) -> Fail {
    Fail::new(403, "AccessDenied", "Access Denied").header("x-amz-bucket-region", &bucket.region)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>: PermanentRedirect, AuthorizationHeaderMalformed.
fn right_region(call: &Call, bucket: &Bucket) -> Result<(), Fail> {
    let asked = call.scope.as_ref().map_or("", |scope| scope.region.as_str());
    if asked == bucket.region || (call.operation == "GetBucketLocation" && asked == "us-east-1") {
        return Ok(());
    }
    if asked == "us-east-1" {
        return Err(moved(&bucket.name, &bucket.region));
    }
    let message = format!("The authorization header is malformed; the region '{asked}' is wrong; expecting '{}'", bucket.region);
    Err(Fail::new(400, "AuthorizationHeaderMalformed", message)
        .detail("Region", &bucket.region)
        .header("x-amz-bucket-region", &bucket.region))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>. `BucketRegion` comes only with a parameter;
/// `BucketArn` is of directory buckets only (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_Bucket.html>).
fn list_buckets(state: &State, call: &Call, caller: &Caller) -> Answer {
    let account = state.account(caller);
    let aws = account.kind == AccountKind::Aws;
    let (prefix, region) = (call.param("prefix").unwrap_or_default(), call.param("bucket-region"));
    let token = call.param("continuation-token");
    let after = token.map(|token| unhex(token).ok_or_else(|| invalid("The continuation token provided is incorrect")));
    let after = after.transpose()?;
    let max = match call.param("max-buckets").map(str::parse::<usize>) {
        None => usize::MAX,
        Some(Ok(max @ 1..=10_000)) => max,
        Some(_) => return Err(invalid("Argument max-buckets must be an integer between 1 and 10000")),
    };
    let asked = ["prefix", "bucket-region", "continuation-token", "max-buckets"].iter().any(|name| call.param(name).is_some());
    let wanted = |bucket: &&Bucket| {
        bucket.name.starts_with(prefix)
            && region.is_none_or(|region| region == bucket.region)
            && (call.repeat_token || after.as_ref().is_none_or(|after| bucket.name > *after))
    };
    let mut matching = state.buckets(caller.account).filter(wanted).peekable();
    let page: Vec<&Bucket> = matching.by_ref().take(max).collect();
    let more = matching.peek().is_some() || call.repeat_token;
    let next = page.last().filter(|_| more).map(|last| match token {
        Some(token) if call.repeat_token => token.to_owned(),
        _ => hex(&last.name),
    });
    Ok(Reply::xml(Xml::document("ListAllMyBucketsResult", NAMESPACE, |x| {
        x.node("Owner", |x| {
            x.leaf("ID", &canonical_id(account));
        });
        x.node("Buckets", |x| {
            for bucket in page {
                x.node("Bucket", |x| {
                    x.leaf("Name", &bucket.name);
                    x.leaf("CreationDate", &bucket.created);
                    x.maybe("BucketRegion", (aws && asked).then_some(&bucket.region));
                });
            }
        });
        x.maybe("ContinuationToken", next.as_deref());
        x.maybe("Prefix", call.param("prefix"));
    })))
}

pub(crate) fn invalid(message: &str) -> Fail {
    Fail::new(400, "InvalidArgument", message)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>
fn head_bucket(bucket: &Bucket, provider: bool) -> Reply {
    let reply = Reply::xml(String::new()).header("x-amz-bucket-region", &bucket.region);
    if provider { reply } else { reply.header("x-amz-access-point-alias", "false") }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html>: us-east-1 is empty.
fn location(bucket: &Bucket) -> Reply {
    let region = if bucket.region == "us-east-1" { "" } else { &bucket.region };
    Reply::xml(Xml::document("LocationConstraint", NAMESPACE, |x| x.text(region)))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>: empty when it was never set.
fn versioning(bucket: &Bucket) -> Reply {
    let status = match bucket.versioning {
        Versioning::Never => None,
        Versioning::Enabled => Some("Enabled"),
        Versioning::Suspended => Some("Suspended"),
    };
    Reply::xml(Xml::document("VersioningConfiguration", NAMESPACE, |x| {
        x.maybe("Status", status);
        x.maybe("MfaDelete", bucket.mfa_delete.map(|on| if on { "Enabled" } else { "Disabled" }));
    }))
}

fn absent(bucket: &Bucket, code: &'static str, message: &str) -> Fail {
    Fail::new(404, code, message).detail("BucketName", &bucket.name)
}

/// A setting that is stored as a document, or the error for not having it.
fn document(setting: Option<&String>, bucket: &Bucket, code: &'static str, message: &str) -> Answer {
    setting.map(|xml| Reply::xml(declared(xml))).ok_or_else(|| absent(bucket, code, message))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html>
fn lifecycle(bucket: &Bucket) -> Answer {
    let message = "The lifecycle configuration does not exist";
    let reply = document(bucket.lifecycle.as_ref(), bucket, "NoSuchLifecycleConfiguration", message)?;
    Ok(reply.header("x-amz-transition-default-minimum-object-size", "all_storage_classes_128K"))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html>
fn object_lock(bucket: &Bucket) -> Answer {
    let message = "Object Lock configuration does not exist for this bucket";
    document(bucket.object_lock.as_ref(), bucket, "ObjectLockConfigurationNotFoundError", message)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketReplication.html>
fn replication(bucket: &Bucket) -> Answer {
    let message = "The replication configuration was not found";
    document(bucket.replication.as_ref(), bucket, "ReplicationConfigurationNotFoundError", message)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html>: SSE-S3 unless configured, since 2023.
fn encryption(bucket: &Bucket, provider: bool) -> Answer {
    let message = "The server side encryption configuration was not found";
    let answer = document(bucket.encryption.as_ref(), bucket, "ServerSideEncryptionConfigurationNotFoundError", message);
    if provider || answer.is_ok() {
        return answer;
    }
    Ok(Reply::xml(Xml::document("ServerSideEncryptionConfiguration", NAMESPACE, |x| {
        x.node("Rule", |x| {
            x.node("ApplyServerSideEncryptionByDefault", |x| x.leaf("SSEAlgorithm", "AES256"));
            x.leaf("BucketKeyEnabled", "false");
        });
    })))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html>: the document itself, as JSON.
fn policy(bucket: &Bucket) -> Answer {
    let body = bucket.policy.clone().ok_or_else(|| no_policy(bucket))?;
    Ok(Reply { status: 200, content_type: "application/json", headers: Vec::new(), body: body.into() })
}

fn no_policy(bucket: &Bucket) -> Fail {
    absent(bucket, "NoSuchBucketPolicy", "The bucket policy does not exist")
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html>. Public here means an unconditional
/// Allow to everybody; AWS also weighs some conditions.
fn policy_status(bucket: &Bucket) -> Answer {
    let policy = bucket.policy.as_ref().ok_or_else(|| no_policy(bucket))?;
    let document = Json::parse(policy).unwrap_or(Json::Null);
    let everybody = |statement: &Json| {
        let principal = statement.get("Principal");
        let whole = principal.and_then(Json::text) == Some("*");
        let aws = principal.and_then(|p| p.get("AWS")).is_some_and(|aws| aws.texts().contains(&"*"));
        statement.get("Effect").and_then(Json::text) == Some("Allow")
            && (whole || aws)
            && statement.get("Condition").is_none_or(|condition| condition.entries().is_empty())
    };
    let public = document.get("Statement").is_some_and(|statements| statements.items().iter().any(everybody));
    Ok(Reply::xml(Xml::document("PolicyStatus", NAMESPACE, |x| {
        x.leaf("IsPublic", if public { "true" } else { "false" });
    })))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html>
fn public_access_block(bucket: &Bucket) -> Answer {
    let settings = bucket.public_access_block.ok_or_else(|| {
        absent(bucket, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
    })?;
    Ok(Reply::xml(blocks(settings, Service::S3)))
}

/// The four settings, as S3 and S3 Control write them.
pub(crate) fn blocks(settings: [bool; 4], service: Service) -> String {
    let names = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
    Xml::document("PublicAccessBlockConfiguration", service.namespace(), |x| {
        names.iter().zip(settings).for_each(|(name, on)| x.leaf(name, if on { "true" } else { "false" }));
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html>
fn ownership(bucket: &Bucket) -> Answer {
    let value = bucket
        .ownership
        .as_ref()
        .ok_or_else(|| absent(bucket, "OwnershipControlsNotFoundError", "The bucket ownership controls were not found"))?;
    Ok(Reply::xml(Xml::document("OwnershipControls", NAMESPACE, |x| {
        x.node("Rule", |x| x.leaf("ObjectOwnership", value));
    })))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html>
fn tagging(bucket: &Bucket) -> Answer {
    let tags = bucket.tags.as_ref().ok_or_else(|| absent(bucket, "NoSuchTagSet", "The TagSet does not exist"))?;
    Ok(Reply::xml(Xml::document("Tagging", NAMESPACE, |x| {
        x.node("TagSet", |x| {
            for (key, value) in tags {
                x.node("Tag", |x| {
                    x.leaf("Key", key);
                    x.leaf("Value", value);
                });
            }
        });
    })))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLogging.html>: empty when it is off.
fn logging(bucket: &Bucket) -> Reply {
    Reply::xml(Xml::document("BucketLoggingStatus", NAMESPACE, |x| {
        if let Some((target, prefix)) = &bucket.logging {
            x.node("LoggingEnabled", |x| {
                x.leaf("TargetBucket", target);
                x.leaf("TargetPrefix", prefix);
            });
        }
    }))
}

/// The canonical user id of an account: 64 hexadecimal digits.
fn canonical_id(account: &Account) -> String {
    let seed = hash(account.id.as_bytes()) ^ hash(account.name.as_bytes());
    (0..4).map(|i| format!("{:016x}", mix(seed ^ i))).collect()
}

pub(crate) fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Option<String> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    String::from_utf8(digits?.chunks(2).map(|pair| pair.iter().fold(0, |value, digit| value << 4 | digit)).collect()).ok()
}
