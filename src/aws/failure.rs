//! Why a call brought no answer, told apart once for all readers.
//!
//! Anything unexpected is a gap. It must never turn an error into "not configured" unless the reader names the code.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::{Mutex, PoisonError};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::aws::guard::Refused;
use crate::aws::whole::Cut;
use crate::fact::{FactId, Gap, Why};

/// A call without a usable answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub why: Why,
    pub code: Option<String>,
    pub detail: Option<String>,
    /// The Region that the provider points to.
    pub region: Option<String>,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
}

impl Failure {
    /// A failure of a kind.
    pub fn new(why: Why) -> Self {
        Self { why, code: None, detail: None, region: None, status: None }
    }

    /// An answer that is not what the API documents.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::new(Why::Malformed) }
    }

    /// The service was left out of this binary; `feature` would bring it.
    pub fn not_compiled(feature: &str) -> Self {
        Self { detail: Some(format!("built without the feature `{feature}`")), ..Self::new(Why::NotCompiled) }
    }

    /// The same of another operation of the read path than the fact's own.
    #[must_use]
    pub fn during(self, call: &str) -> Self {
        let detail = match self.detail {
            Some(detail) => format!("{call}: {detail}"),
            None => call.to_owned(),
        };
        Self { detail: Some(detail), ..self }
    }

    /// The bucket does not exist.
    pub fn is_no_such_bucket(&self) -> bool {
        self.code.as_deref() == Some("NoSuchBucket")
    }

    /// The gap that it leaves in a fact.
    pub fn gap(self, spec: FactId) -> Gap {
        self.gap_of(spec.operation, spec.actions.first().copied())
    }

    /// The gap that it leaves for an operation.
    pub fn gap_of(self, operation: &'static str, action: Option<&'static str>) -> Gap {
        let mut gap = Gap::new(self.why, operation).with_action(action);
        gap.code = self.code;
        gap.detail = self.detail;
        gap
    }

    /// From an error of the SDK.
    pub fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        if sources(error).any(|source| source.downcast_ref::<Cut>().is_some()) {
            return Self::malformed(Cut.to_string());
        }
        match error {
            SdkError::ServiceError(service) => Self::of_service(service.err(), service.raw()),
            SdkError::TimeoutError(_) => Self::new(Why::TimedOut),
            SdkError::ResponseError(response) => {
                let detail = chain(error).last().cloned();
                Self {
                    detail: detail.map(|d| format!("HTTP {}: {d}", response.raw().status().as_u16())),
                    ..Self::new(Why::Malformed)
                }
            }
            SdkError::DispatchFailure(dispatch) => {
                let why = if dispatch.is_timeout() { Why::TimedOut } else { Why::Unreachable };
                Self { detail: chain(error).last().cloned(), ..Self::new(credentials(error).unwrap_or(why)) }
            }
            SdkError::ConstructionFailure(_) => {
                let refused = sources(error).any(|source| source.downcast_ref::<Refused>().is_some());
                let why = if refused { Why::Failed } else { Why::Credentials };
                Self { detail: chain(error).last().cloned(), ..Self::new(credentials(error).unwrap_or(why)) }
            }
            _ => Self { detail: chain(error).last().cloned(), ..Self::new(Why::Failed) },
        }
    }

    fn of_service<E: ProvideErrorMetadata>(error: &E, raw: &HttpResponse) -> Self {
        let status = raw.status().as_u16();
        let region = raw.headers().get("x-amz-bucket-region").map(str::to_owned);
        let body = raw.body().bytes().unwrap_or_default();
        let text = String::from_utf8_lossy(body.get(..body.len().min(2048)).unwrap_or_default());
        let Some(code) = error.code().filter(|code| !code.is_empty()) else {
            let html = text.trim_start().get(..1) == Some("<") && text.to_ascii_lowercase().contains("<html");
            let why = match status {
                _ if html && status != 403 => Why::Malformed,
                301 | 307 => Why::Failed,
                403 => Why::Denied,
                405 | 501 => Why::Unsupported,
                429 => Why::Throttled,
                400..=499 => Why::Malformed,
                500..=599 => Why::Failed,
                _ => Why::Malformed,
            };
            let what = if html { "an HTML page" } else { "no error code" };
            return Self { region, detail: Some(format!("HTTP {status} with {what}")), ..Self::new(why) };
        };
        let region = region.or_else(|| between(&text, "<Region>", "</Region>"));
        let moved = matches!(
            code,
            "PermanentRedirect" | "AuthorizationHeaderMalformed" | "TemporaryRedirect" | "IllegalLocationConstraintException"
        );
        let why = why(code, status);
        let detail =
            error.message().map(|message| scrubbed(message).chars().take(300).collect()).filter(|m: &String| !m.is_empty());
        // Codes are words; anything else may be what was sent.
        let word = code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_'));
        let code = if word && scrubbed(code) == code { code } else { "(unusual code)" };
        let region = region.filter(|region| moved && is_region(region));
        Self { why, code: Some(code.to_owned()), detail, region, status: Some(status) }
    }
}

fn why(code: &str, status: u16) -> Why {
    match code {
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "AllAccessDisabled"
        | "AccountProblem"
        | "UnauthorizedAccess" => Why::Denied,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch"
        | "InvalidToken"
        | "UnrecognizedClientException"
        | "RequestTimeTooSkewed"
        | "RequestExpired"
        | "TokenRefreshRequired" => Why::Credentials,
        "SlowDown"
        | "Throttling"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "ThrottledException"
        | "RequestThrottled"
        | "PriorRequestNotComplete" => Why::Throttled,
        "RequestTimeout" | "RequestTimeoutException" => Why::TimedOut,
        "NotImplemented" | "MethodNotAllowed" | "InvalidAction" | "UnsupportedOperation" | "XNotImplemented" => Why::Unsupported,
        "NoSuchBucket" => Why::Vanished,
        _ if status == 403 => Why::Denied,
        _ if status == 429 => Why::Throttled,
        _ if status == 501 || status == 405 => Why::Unsupported,
        _ => Why::Failed,
    }
}

/// `Ok(None)` when the error is one of the codes by which the provider says "not configured".
pub fn absent_on<T>(answer: Result<T, Failure>, codes: &[&str]) -> Result<Option<T>, Failure> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(failure) if failure.status == Some(404) && failure.code.as_deref().is_some_and(|code| codes.contains(&code)) => {
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

/// The same for services that speak JSON: they say "there is none" with status 400 and a code. Name the exact codes.
pub fn absent_on_code<T>(answer: Result<T, Failure>, codes: &[&str]) -> Result<Option<T>, Failure> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(failure) if failure.status == Some(400) && failure.code.as_deref().is_some_and(|code| codes.contains(&code)) => {
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

fn chain(error: &(dyn Error + 'static)) -> Vec<String> {
    let line = |text: String| scrubbed(&text).chars().take(200).collect();
    sources(error).map(|error| line(error.to_string())).collect()
}

/// What was sent to prove who we are. A provider may send it back in a message, which must not be told.
static SENT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Notes something that no message may hold.
pub fn never_tell(secret: &str) {
    let mut sent = SENT.lock().unwrap_or_else(PoisonError::into_inner);
    if secret.len() >= 8 && !sent.contains(secret) {
        sent.insert(secret.to_owned());
    }
}

/// One line without what was sent as credentials. Pieces of a long token count too.
fn scrubbed(text: &str) -> String {
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for secret in SENT.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        text = text.replace(secret.as_str(), "(hidden)");
        for piece in
            secret.as_bytes().chunks(16).filter_map(|piece| std::str::from_utf8(piece).ok()).filter(|piece| piece.len() == 16)
        {
            text = text.replace(piece, "(hidden)");
        }
    }
    // A credential process writes what it likes.
    if text.contains("credential_process") || text.contains("external process") {
        return "the credential process failed".to_owned();
    }
    text.split(' ').map(|word| if word.contains("Signature=") { "(hidden)" } else { word }).collect::<Vec<_>>().join(" ")
}

/// Whether a text can be the name of a Region: it goes into host names and signatures.
pub fn is_region(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn credentials(error: &(dyn Error + 'static)) -> Option<Why> {
    sources(error)
        .find_map(|source| source.downcast_ref::<aws_credential_types::provider::error::CredentialsError>())
        .map(|_| Why::Credentials)
}

fn between(text: &str, open: &str, close: &str) -> Option<String> {
    let (_, rest) = text.split_once(open)?;
    rest.split_once(close).map(|(inner, _)| inner.to_owned())
}
