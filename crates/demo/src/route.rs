//! From an HTTP request to a call: which service, which operation, on which bucket, signed by whom.
//!
//! Path-style addressing only. Operations that are not served get the name AWS gives them too, so that a ledger shows what
//! was asked: `PutBucketVersioning` in it means that somebody tried to write.

use std::borrow::Cow;

use hyper::http::request::Parts;
use hyper::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

/// A service that is spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    S3,
    S3Control,
    Iam,
    Sts,
    /// One that speaks JSON, by name.
    Other(&'static str),
}

impl Service {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::S3Control => "s3control",
            Self::Iam => "iam",
            Self::Sts => "sts",
            Self::Other(name) => name,
        }
    }

    pub(crate) fn namespace(self) -> &'static str {
        match self {
            Self::S3 => "http://s3.amazonaws.com/doc/2006-03-01/",
            Self::S3Control => "http://awss3control.amazonaws.com/doc/2018-08-20/",
            Self::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Self::Other(_) => "",
        }
    }
}

/// The credential scope of a signed request. The signature itself is not looked at.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) key: String,
    pub(crate) region: String,
    pub(crate) service: String,
}

/// One request, understood.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) service: Service,
    pub(crate) operation: Cow<'static, str>,
    /// The bucket, in S3.
    pub(crate) bucket: Option<String>,
    /// The key of an object, in S3.
    pub(crate) key: Option<String>,
    pub(crate) head: bool,
    pub(crate) scope: Option<Scope>,
    pub(crate) token: Option<String>,
    pub(crate) expected_owner: Option<String>,
    /// `x-amz-account-id`, in S3 Control.
    pub(crate) account_id: Option<String>,
    /// Query string and form, in this order.
    pub(crate) params: Vec<(String, String)>,
    /// Path, query and body, for services beyond S3, IAM and STS.
    pub(crate) text: String,
    /// Set by a fault: answer with a page token that leads nowhere.
    pub(crate) repeat_token: bool,
}

impl Call {
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The values of a Query-protocol list: `Filter.member.1`, `Filter.member.2`, ...
    pub(crate) fn members<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let member = move |key: &str| key.strip_prefix(name).is_some_and(|rest| rest.starts_with(".member."));
        self.params.iter().filter(move |(key, _)| member(key)).map(|(_, value)| value.as_str())
    }

    /// `S3` operations by name alone, those of S3 Control with their service, as both have a GetPublicAccessBlock.
    pub(crate) fn ledger_name(&self) -> Cow<'static, str> {
        match self.service {
            Service::S3Control | Service::Other(_) => Cow::Owned(format!("{}:{}", self.service.name(), self.operation)),
            Service::S3 | Service::Iam | Service::Sts => self.operation.clone(),
        }
    }

    /// What is asked about: the bucket, the role, or nothing.
    pub(crate) fn resource(&self) -> &str {
        self.bucket.as_deref().or_else(|| self.param("RoleArn")).or(self.account_id.as_deref()).unwrap_or_default()
    }

    /// Understands a request.
    pub(crate) fn read(parts: &Parts, body: &[u8]) -> Self {
        let headers = &parts.headers;
        let path = parts.uri.path();
        let mut params = pairs(parts.uri.query().unwrap_or_default());
        let scope = scope(headers);
        let signed_for = scope.as_ref().map_or("", |scope| scope.service.as_str());
        let form = path == "/" && parts.method == Method::POST || signed_for == "iam" || signed_for == "sts";
        if form {
            params.extend(pairs(&String::from_utf8_lossy(body)));
        }
        let mut call = Self {
            service: Service::S3,
            operation: Cow::Borrowed(""),
            bucket: None,
            key: None,
            head: parts.method == Method::HEAD,
            scope: None,
            token: header(headers, "x-amz-security-token"),
            expected_owner: header(headers, "x-amz-expected-bucket-owner"),
            account_id: None,
            params,
            text: String::new(),
            repeat_token: false,
        };
        if let Some((service, operation)) = crate::other::operation(parts, signed_for) {
            call.service = Service::Other(service);
            call.operation = Cow::Owned(operation);
            call.text = format!("{}\n{}", decode(&parts.uri.to_string()), String::from_utf8_lossy(body));
            call.scope = scope;
            return call;
        }
        let action = call.param("Action").map(str::to_owned);
        match (action, form) {
            (Some(action), true) => {
                call.service = match (signed_for, call.param("Version")) {
                    ("sts", _) | ("", Some("2011-06-15")) => Service::Sts,
                    _ => Service::Iam,
                };
                call.operation = Cow::Owned(action);
            }
            _ if path.starts_with("/v20180820/") => {
                call.service = Service::S3Control;
                call.account_id = header(headers, "x-amz-account-id");
                call.text = decode(path);
                call.operation = control_operation(&parts.method, path);
            }
            _ => {
                let path = path.strip_prefix('/').unwrap_or(path);
                let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
                call.bucket = (!bucket.is_empty()).then(|| decode(bucket));
                call.key = (!key.is_empty()).then(|| decode(key));
                call.operation = s3_operation(&parts.method, bucket, key, &call.params);
            }
        }
        call.scope = scope;
        call
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// `Authorization: AWS4-HMAC-SHA256 Credential=KEY/20261122/eu-west-1/s3/aws4_request, ...`
fn scope(headers: &HeaderMap) -> Option<Scope> {
    let value = headers.get("authorization")?.to_str().ok()?;
    let credential = value.split_once("Credential=")?.1.split([',', ' ']).next()?;
    let mut fields = credential.split('/');
    let (key, _date) = (fields.next()?.to_owned(), fields.next()?);
    Some(Scope { key, region: fields.next()?.to_owned(), service: fields.next()?.to_owned() })
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(&key.replace('+', " ")), decode(&value.replace('+', " ")))
    };
    text.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn control_operation(method: &Method, path: &str) -> Cow<'static, str> {
    let what = path.trim_start_matches("/v20180820/");
    let point: Vec<&str> = what.split('/').collect();
    match (method, point.as_slice()) {
        (&Method::GET, ["accesspoint"]) => return Cow::Borrowed("ListAccessPoints"),
        (&Method::GET, ["accesspoint", _]) => return Cow::Borrowed("GetAccessPoint"),
        (&Method::GET, ["accesspoint", _, "policy"]) => return Cow::Borrowed("GetAccessPointPolicy"),
        _ => {}
    }
    match (method, what) {
        (&Method::GET, "configuration/publicAccessBlock") => Cow::Borrowed("GetPublicAccessBlock"),
        (&Method::PUT, "configuration/publicAccessBlock") => Cow::Borrowed("PutPublicAccessBlock"),
        (&Method::DELETE, "configuration/publicAccessBlock") => Cow::Borrowed("DeletePublicAccessBlock"),
        _ => Cow::Owned(format!("{method} {what}")),
    }
}

/// Sub-resources of a bucket: query key, and what operations on it are called.
const SUB_RESOURCES: &[(&str, &str, &str)] = &[
    ("versioning", "BucketVersioning", "GetBucketVersioning"),
    ("lifecycle", "BucketLifecycleConfiguration", "GetBucketLifecycleConfiguration"),
    ("object-lock", "ObjectLockConfiguration", "GetObjectLockConfiguration"),
    ("replication", "BucketReplication", "GetBucketReplication"),
    ("policy", "BucketPolicy", "GetBucketPolicy"),
    ("policyStatus", "BucketPolicyStatus", "GetBucketPolicyStatus"),
    ("publicAccessBlock", "PublicAccessBlock", "GetPublicAccessBlock"),
    ("encryption", "BucketEncryption", "GetBucketEncryption"),
    ("ownershipControls", "BucketOwnershipControls", "GetBucketOwnershipControls"),
    ("tagging", "BucketTagging", "GetBucketTagging"),
    ("acl", "BucketAcl", "GetBucketAcl"),
    ("logging", "BucketLogging", "GetBucketLogging"),
    ("notification", "BucketNotificationConfiguration", "GetBucketNotificationConfiguration"),
    ("location", "BucketLocation", "GetBucketLocation"),
    ("accelerate", "BucketAccelerateConfiguration", "GetBucketAccelerateConfiguration"),
    ("requestPayment", "BucketRequestPayment", "GetBucketRequestPayment"),
    ("cors", "BucketCors", "GetBucketCors"),
    ("website", "BucketWebsite", "GetBucketWebsite"),
    ("inventory", "BucketInventoryConfiguration", "GetBucketInventoryConfiguration"),
    ("intelligent-tiering", "BucketIntelligentTieringConfiguration", "GetBucketIntelligentTieringConfiguration"),
    ("metrics", "BucketMetricsConfiguration", "GetBucketMetricsConfiguration"),
    ("analytics", "BucketAnalyticsConfiguration", "GetBucketAnalyticsConfiguration"),
    ("versions", "ObjectVersions", "ListObjectVersions"),
    ("uploads", "MultipartUploads", "ListMultipartUploads"),
    ("delete", "Objects", "GetObjects"),
];

fn s3_operation(method: &Method, bucket: &str, key: &str, params: &[(String, String)]) -> Cow<'static, str> {
    let has = |name: &str| params.iter().any(|(key, _)| key == name);
    let sub_resource = SUB_RESOURCES.iter().find(|(query, _, _)| has(query));
    let verb = match method.as_str() {
        "GET" => "Get",
        "HEAD" => "Head",
        "PUT" => "Put",
        "DELETE" => "Delete",
        "POST" => "Post",
        other => return Cow::Owned(format!("{other} {bucket}")),
    };
    if !key.is_empty() {
        let of_object = ["retention", "legal-hold"].into_iter().zip(["Retention", "LegalHold"]).find(|(query, _)| has(query));
        if let Some((_, noun)) = of_object {
            return Cow::Owned(format!("{verb}Object{noun}"));
        }
        return match sub_resource {
            Some((query, _, _)) => Cow::Owned(format!("{verb}Object?{query}")),
            None => Cow::Owned(format!("{verb}Object")),
        };
    }
    match (verb, bucket, sub_resource) {
        ("Get", "", _) => Cow::Borrowed("ListBuckets"),
        // Without an id, all of them.
        ("Get", _, Some(("inventory" | "intelligent-tiering", noun, _))) if !has("id") => Cow::Owned(format!("List{noun}s")),
        (_, "", _) => Cow::Owned(format!("{method} /")),
        ("Get", _, Some((_, _, get))) => Cow::Borrowed(get),
        ("Post", _, Some(("delete", _, _))) => Cow::Borrowed("DeleteObjects"),
        ("Delete", _, Some(("lifecycle", _, _))) => Cow::Borrowed("DeleteBucketLifecycle"),
        (_, _, Some((_, noun, _))) => Cow::Owned(format!("{verb}{noun}")),
        ("Head", _, None) => Cow::Borrowed("HeadBucket"),
        ("Get", _, None) if has("list-type") => Cow::Borrowed("ListObjectsV2"),
        ("Get", _, None) => Cow::Borrowed("ListObjects"),
        ("Put", _, None) => Cow::Borrowed("CreateBucket"),
        ("Delete", _, None) => Cow::Borrowed("DeleteBucket"),
        (_, _, None) => Cow::Borrowed("PostObject"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: &str, uri: &str, authorization: &str, body: &str) -> Call {
        let request = hyper::Request::builder().method(method).uri(uri).header("authorization", authorization).body(()).unwrap();
        Call::read(&request.into_parts().0, body.as_bytes())
    }

    #[test]
    fn operations_are_named_as_aws_names_them() {
        for (method, uri, name) in [
            ("GET", "/?x-id=ListBuckets", "ListBuckets"),
            ("HEAD", "/b", "HeadBucket"),
            ("GET", "/b?versioning", "GetBucketVersioning"),
            ("GET", "/b/?policyStatus=", "GetBucketPolicyStatus"),
            ("PUT", "/b?versioning", "PutBucketVersioning"),
            ("DELETE", "/b?lifecycle", "DeleteBucketLifecycle"),
            ("POST", "/b?delete", "DeleteObjects"),
            ("PUT", "/b", "CreateBucket"),
            ("DELETE", "/b/key?versionId=1", "DeleteObject"),
            ("GET", "/v20180820/configuration/publicAccessBlock", "GetPublicAccessBlock"),
            ("GET", "/v20180820/accesspoint?bucket=b", "ListAccessPoints"),
            ("GET", "/v20180820/accesspoint/p/policy", "GetAccessPointPolicy"),
            ("GET", "/b?inventory&x-id=ListBucketInventoryConfigurations", "ListBucketInventoryConfigurations"),
            ("GET", "/b?inventory&id=x", "GetBucketInventoryConfiguration"),
        ] {
            assert_eq!(read(method, uri, "", "").operation, name, "{method} {uri}");
        }
    }

    #[test]
    fn the_scope_tells_who_where_and_what() {
        let authorization = "AWS4-HMAC-SHA256 Credential=AKID/20261122/eu-west-1/sts/aws4_request, SignedHeaders=a, Signature=b";
        let call = read("POST", "/", authorization, "Action=AssumeRole&RoleArn=arn%3Aaws&Filter.member.1=A&Filter.member.2=B+C");
        assert_eq!((call.service, &*call.operation), (Service::Sts, "AssumeRole"));
        let scope = call.scope.as_ref().unwrap();
        assert_eq!((&*scope.key, &*scope.region), ("AKID", "eu-west-1"));
        assert_eq!(call.members("Filter").collect::<Vec<_>>(), ["A", "B C"]);
        assert_eq!(call.resource(), "arn:aws");
    }

    #[test]
    fn an_unsigned_query_call_is_told_apart_by_its_version() {
        assert_eq!(read("POST", "/", "", "Action=ListUsers&Version=2010-05-08").service, Service::Iam);
        assert_eq!(read("POST", "/", "", "Action=GetCallerIdentity&Version=2011-06-15").service, Service::Sts);
    }
}
