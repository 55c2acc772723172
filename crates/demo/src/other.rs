//! The services beyond S3, IAM and STS: what an account was told to answer, in the service's own words.
//!
//! Nothing is computed: an answer is the JSON document that the service would send, so that a test can say exactly what
//! arrives. CloudWatch speaks CBOR on the wire; the same JSON is put into it.

use hyper::Method;
use hyper::http::request::Parts;

use crate::reply::{Answer, Fail, Reply};
use crate::route::Call;
use crate::state::{Caller, State};

/// One answer of a service beyond S3, IAM and STS.
#[derive(Debug, Clone)]
pub struct Canned {
    /// As in `kms:DescribeKey`.
    pub operation: String,
    /// Only for requests whose path, query or body holds this text; the signing Region counts as `region=REGION`.
    pub about: String,
    /// 200, or the status of an error.
    pub status: u16,
    /// The JSON document.
    pub body: String,
}

/// What AWS answers where nothing was ever set up.
const EMPTY: &[(&str, &str)] = &[
    ("accessanalyzer:ListAnalyzers", r#"{"analyzers":[]}"#),
    ("backup:ListBackupVaults", r#"{"BackupVaultList":[]}"#),
    ("backup:ListRecoveryPointsByResource", r#"{"RecoveryPoints":[]}"#),
    ("cloudtrail:DescribeTrails", r#"{"trailList":[]}"#),
    ("cloudwatch:ListMetrics", r#"{"Metrics":[]}"#),
    ("cloudwatch:GetMetricData", r#"{"MetricDataResults":[]}"#),
];

/// What AWS refuses where nothing was ever set up: status, code, message.
const REFUSED: &[(&str, u16, &str, &str)] = &[
    ("account:GetAlternateContact", 404, "ResourceNotFoundException", "No contact of the inputted alternate contact type found."),
    ("kms:DescribeKey", 400, "NotFoundException", "The key does not exist."),
    (
        "organizations:DescribeOrganization",
        400,
        "AWSOrganizationsNotInUseException",
        "Your account is not a member of an organization.",
    ),
];

pub(crate) fn answer(state: &State, call: &Call, caller: &Caller) -> Answer {
    let operation = format!("{}:{}", call.service.name(), call.operation);
    let region = call.scope.as_ref().map(|scope| format!("region={}", scope.region)).unwrap_or_default();
    let about = |wanted: &str| call.text.contains(wanted) || region == wanted;
    let canned = state.account(caller).answers.iter().find(|canned| canned.operation == operation && about(&canned.about));
    if let Some(canned) = canned {
        return Ok(Reply { status: canned.status, ..Reply::of(call.service, &canned.body) });
    }
    if let Some((_, body)) = EMPTY.iter().find(|(known, _)| *known == operation) {
        return Ok(Reply::of(call.service, body));
    }
    match REFUSED.iter().find(|(known, ..)| *known == operation) {
        Some((_, status, code, message)) => Err(Fail::new(*status, code, *message)),
        None => Err(Fail::new(400, "InvalidAction", "This account is read-only.")),
    }
}

/// The service and the operation of a request to one of these services.
pub(crate) fn operation(parts: &Parts, signed_for: &str) -> Option<(&'static str, String)> {
    const SIGNED: &[(&str, &str)] = &[
        ("access-analyzer", "accessanalyzer"),
        ("account", "account"),
        ("backup", "backup"),
        ("cloudtrail", "cloudtrail"),
        ("kms", "kms"),
        ("monitoring", "cloudwatch"),
        ("organizations", "organizations"),
    ];
    let (_, service) = SIGNED.iter().find(|(signed, _)| *signed == signed_for)?;
    if let Some(target) = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()) {
        return Some((service, target.rsplit('.').next().unwrap_or_default().to_owned()));
    }
    let path = parts.uri.path();
    if let Some((_, operation)) = path.split_once("/operation/") {
        return Some((service, operation.to_owned()));
    }
    let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
    let operation = match (*service, &parts.method, steps.as_slice()) {
        ("accessanalyzer", &Method::GET, ["analyzer"]) => "ListAnalyzers",
        ("account", &Method::POST, ["getAlternateContact"]) => "GetAlternateContact",
        ("account", &Method::POST, ["getContactInformation"]) => "GetContactInformation",
        ("backup", &Method::GET, ["backup-vaults"]) => "ListBackupVaults",
        ("backup", &Method::GET, ["backup-vaults", _]) => "DescribeBackupVault",
        ("backup", &Method::GET, ["backup-vaults", _, "access-policy"]) => "GetBackupVaultAccessPolicy",
        ("backup", &Method::GET, ["resources", .., "recovery-points"]) => "ListRecoveryPointsByResource",
        ("backup", &Method::GET, ["backup-vaults", _, "recovery-points", ..]) if steps.len() > 3 => "DescribeRecoveryPoint",
        ("backup", &Method::GET, ["backup-vaults", _, "recovery-points"]) => "ListRecoveryPointsByBackupVault",
        _ => return Some((service, format!("{} {path}", parts.method))),
    };
    Some((service, operation.to_owned()))
}
