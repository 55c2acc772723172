//! Making answers go wrong on purpose, the same way in every run.
//!
//! Whether a fault strikes is decided by a hash of the request and of how often it was seen, never by chance or by the
//! clock: a share of 0.3 hits the same requests whatever the order in which they arrive.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use crate::reply::{Fail, hash, mix};
use crate::route::{Call, Service};

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// 403 AccessDenied.
    Deny,
    /// Rate limit in the service's dialect: 503 RequestLimitExceeded from S3, 400 Throttling from IAM and STS.
    Throttle,
    /// 503 SlowDown.
    SlowDown503,
    /// 500 InternalError, or ServiceFailure from IAM and STS.
    Internal500,
    /// The connection is reset without an answer.
    Reset,
    /// The connection closes after half of the promised body.
    Truncate,
    /// The answer starts late.
    SlowFirstByte(Duration),
    /// The answer stalls after half of the body.
    SlowBody(Duration),
    /// No answer, ever; the connection stays open.
    Hang,
    /// 301 PermanentRedirect to a region.
    Redirect301(String),
    /// A well-formed HTML page with this status, as a proxy or a login portal would send.
    Html(u16),
    /// 200 with XML that breaks off inside a tag.
    MalformedXml,
    /// 200 with no body.
    Empty200,
    /// The session token is said to have expired.
    ExpiredToken,
    /// The client's clock is said to be wrong.
    ClockSkew,
    /// A listing whose page token leads to the same page again.
    RepeatToken,
    /// 404 NoSuchBucket (NoSuchEntity from IAM): gone between listing and reading.
    NoSuchBucket,
}

/// A fault and where it strikes. The first fault that strikes wins.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Operation name with `*`, such as `GetBucket*`; with a service in front, `s3control:*`, only there.
    pub operation: String,
    /// Text that the bucket name or role ARN must contain.
    pub resource: Option<String>,
    /// Id or name of the account whose credentials sign the request.
    pub account: Option<String>,
    pub kind: FaultKind,
    /// Share of the requests that are struck, 0 to 1.
    pub share: f64,
    /// Requests that match and are let through first.
    pub after: u64,
    /// Strikes in total.
    pub times: Option<u64>,
    /// Strikes only the first n attempts of the same request, so that a retry gets through.
    pub attempts: Option<u64>,
}

impl Fault {
    /// A fault that strikes every request of the operation.
    pub fn new(operation: &str, kind: FaultKind) -> Self {
        Self {
            operation: operation.to_owned(),
            resource: None,
            account: None,
            kind,
            share: 1.0,
            after: 0,
            times: None,
            attempts: None,
        }
    }

    pub fn on(mut self, resource: &str) -> Self {
        self.resource = Some(resource.to_owned());
        self
    }

    pub fn in_account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    pub fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    pub fn after(mut self, requests: u64) -> Self {
        self.after = requests;
        self
    }

    pub fn times(mut self, strikes: u64) -> Self {
        self.times = Some(strikes);
        self
    }

    pub fn attempts(mut self, attempts: u64) -> Self {
        self.attempts = Some(attempts);
        self
    }

    fn covers(&self, call: &Call, account: Option<(&str, &str)>) -> bool {
        let operation = match self.operation.split_once(':') {
            Some((service, operation)) => glob(service, call.service.name()) && glob(operation, &call.operation),
            None => glob(&self.operation, &call.operation),
        };
        operation
            && self.resource.as_deref().is_none_or(|text| call.resource().contains(text))
            && self.account.as_deref().is_none_or(|wanted| account.is_some_and(|(id, name)| wanted == id || wanted == name))
    }
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    matched: AtomicU64,
    struck: AtomicU64,
}

/// The faults that are set now. Costs one atomic load per request while there are none.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    any: AtomicBool,
    armed: RwLock<Arc<Vec<Armed>>>,
    attempts: Mutex<HashMap<u64, u64>>,
}

impl Faults {
    pub(crate) fn set(&self, faults: Vec<Fault>) {
        let any = !faults.is_empty();
        let armed = |fault| Armed { fault, matched: AtomicU64::new(0), struck: AtomicU64::new(0) };
        *self.armed.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(faults.into_iter().map(armed).collect());
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.any.store(any, Ordering::Release);
    }

    /// The fault that strikes this call, if any. `account` is id and name.
    pub(crate) fn strike(&self, call: &Call, account: Option<(&str, &str)>) -> Option<FaultKind> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let armed = Arc::clone(&self.armed.read().unwrap_or_else(PoisonError::into_inner));
        let request = fingerprint(call, account);
        let attempt = {
            let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
            let seen = attempts.entry(request).or_default();
            *seen += 1;
            *seen
        };
        let strikes = |(at, armed): (usize, &Armed)| armed.strikes(at, request, attempt).then(|| armed.fault.kind.clone());
        armed.iter().enumerate().filter(|(_, armed)| armed.fault.covers(call, account)).find_map(strikes)
    }
}

impl Armed {
    fn strikes(&self, at: usize, request: u64, attempt: u64) -> bool {
        let fault = &self.fault;
        if self.matched.fetch_add(1, Ordering::Relaxed) < fault.after || fault.attempts.is_some_and(|first| attempt > first) {
            return false;
        }
        let salt = mix(u64::try_from(at).unwrap_or_default());
        if unit(mix(request ^ mix(attempt) ^ salt)) >= fault.share {
            return false;
        }
        let room = |struck: u64| (fault.times.is_none_or(|times| struck < times)).then_some(struck + 1);
        self.struck.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok()
    }
}

/// A hash as a number from 0 up to, not including, 1.
fn unit(hash: u64) -> f64 {
    f64::from(u32::try_from(hash >> 32).unwrap_or(u32::MAX)) / (f64::from(u32::MAX) + 1.0)
}

/// The same for every attempt of one request.
fn fingerprint(call: &Call, account: Option<(&str, &str)>) -> u64 {
    let mut hashed = hash(call.operation.as_bytes()) ^ mix(hash(call.service.name().as_bytes()));
    hashed = mix(hashed ^ hash(call.resource().as_bytes()));
    hashed = mix(hashed ^ hash(account.map_or("", |(id, _)| id).as_bytes()));
    call.params.iter().fold(hashed, |h, (key, value)| mix(h ^ hash(key.as_bytes()) ^ mix(hash(value.as_bytes()))))
}

/// `*` stands for any text.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => text
            .strip_prefix(head)
            .is_some_and(|rest| (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| glob(tail, &rest[at..]))),
    }
}

impl FaultKind {
    /// The error answer of those faults that are one.
    pub(crate) fn fail(&self, service: Service, resource: &str) -> Option<Fail> {
        let query = matches!(service, Service::Iam | Service::Sts | Service::Other(_));
        let fail = match self {
            Self::Deny if query => Fail::new(403, "AccessDenied", "User is not authorized to perform this operation"),
            Self::Deny => Fail::new(403, "AccessDenied", "Access Denied"),
            Self::Throttle if query => Fail::new(400, "Throttling", "Rate exceeded"),
            Self::Throttle => Fail::new(503, "RequestLimitExceeded", "Request limit exceeded."),
            Self::SlowDown503 => Fail::new(503, "SlowDown", "Please reduce your request rate."),
            Self::Internal500 if query => Fail::new(500, "ServiceFailure", "The request processing has failed."),
            Self::Internal500 => Fail::new(500, "InternalError", "We encountered an internal error. Please try again."),
            Self::Redirect301(region) => moved(resource, region),
            Self::ExpiredToken if query => {
                Fail::new(403, "ExpiredToken", "The security token included in the request is expired")
            }
            Self::ExpiredToken => Fail::new(400, "ExpiredToken", "The provided token has expired."),
            Self::ClockSkew if query => Fail::new(403, "SignatureDoesNotMatch", "Signature expired: the request is too old"),
            Self::ClockSkew => Fail::new(
                403,
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
            ),
            Self::NoSuchBucket if query => Fail::new(404, "NoSuchEntity", "The entity cannot be found."),
            Self::NoSuchBucket => no_such_bucket(resource),
            Self::Reset
            | Self::Truncate
            | Self::SlowFirstByte(_)
            | Self::SlowBody(_)
            | Self::Hang
            | Self::Html(_)
            | Self::MalformedXml
            | Self::Empty200
            | Self::RepeatToken => return None,
        };
        Some(fail)
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>: NoSuchBucket.
pub(crate) fn no_such_bucket(bucket: &str) -> Fail {
    Fail::new(404, "NoSuchBucket", "The specified bucket does not exist").detail("BucketName", bucket)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html>: the bucket is in another region.
pub(crate) fn moved(bucket: &str, region: &str) -> Fail {
    let message = "The bucket you are attempting to access must be addressed using the specified endpoint. \
                   Please send all future requests to this endpoint.";
    Fail::new(301, "PermanentRedirect", message)
        .detail("Endpoint", &format!("{bucket}.s3.{region}.amazonaws.com"))
        .detail("Bucket", bucket)
        .header("x-amz-bucket-region", region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, text, hit) in [
            ("GetBucket*", "GetBucketAcl", true),
            ("*", "", true),
            ("*Policy*", "GetBucketPolicyStatus", true),
            ("Get*Acl", "GetBucketPolicy", false),
            ("GetBucketAcl", "GetBucketAc", false),
        ] {
            assert_eq!(glob(pattern, text), hit, "{pattern} {text}");
        }
    }

    #[test]
    fn a_share_is_a_share() {
        let struck = (0..10_000u64).filter(|i| unit(mix(*i)) < 0.3).count();
        assert!((2_700..3_300).contains(&struck), "{struck}");
    }
}
