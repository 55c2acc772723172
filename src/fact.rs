//! What is known about one property of one resource, and what keeps it from being known.
//!
//! This module imports nothing of ours. It must never offer a way to turn `Unreadable` into a value.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// One observed property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fact<T> {
    /// The provider answered with this value.
    Known(T),
    /// The provider says that this is not configured. The default behind it is applied by the fact's accessor.
    Absent,
    /// It could not be read; nothing may be concluded.
    Unreadable(Box<Gap>),
}

impl<T> Fact<T> {
    /// The same fact by reference.
    pub fn as_ref(&self) -> Fact<&T> {
        match self {
            Self::Known(value) => Fact::Known(value),
            Self::Absent => Fact::Absent,
            Self::Unreadable(gap) => Fact::Unreadable(gap.clone()),
        }
    }

    /// Known → `Some(value)`, absent → `None`, unreadable → the gap. The one way into a judgement.
    pub fn read(self) -> Result<Option<T>, Gap> {
        match self {
            Self::Known(value) => Ok(Some(value)),
            Self::Absent => Ok(None),
            Self::Unreadable(gap) => Err(*gap),
        }
    }

    /// Applies `f` to a known value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Known(value) => Fact::Known(f(value)),
            Self::Absent => Fact::Absent,
            Self::Unreadable(gap) => Fact::Unreadable(gap),
        }
    }
}

/// Why a fact is not known, and which permission would make it known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Gap {
    pub why: Why,
    /// The API operation that did not answer, for example `GetBucketVersioning`.
    pub operation: Cow<'static, str>,
    /// The IAM action that the operation needs, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Cow<'static, str>>,
    /// The provider's error code, for example `AccessDenied`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// More for a person: which account was expected, what could not be parsed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Gap {
    /// A gap of an operation.
    pub fn new(why: Why, operation: impl Into<Cow<'static, str>>) -> Self {
        Self { why, operation: operation.into(), action: None, code: None, detail: None }
    }

    /// The gap of a fact that nobody asked the provider for.
    pub fn not_collected(spec: FactId) -> Self {
        Self::new(Why::NotCollected, spec.operation).with_action(spec.actions.first().copied())
    }

    /// Names the IAM action.
    #[must_use]
    pub fn with_action(mut self, action: Option<&'static str>) -> Self {
        self.action = action.map(Cow::Borrowed);
        self
    }

    /// Adds a sentence fragment for a person.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.as_deref();
        match self.why {
            Why::Denied => {
                write!(f, "{} was denied", self.operation)?;
                if let Some(code) = code {
                    write!(f, " ({code})")?;
                }
                if let Some(action) = &self.action {
                    write!(f, ", needs {action}")?;
                }
            }
            Why::NotCollected => write!(f, "{} was not collected", self.operation)?,
            Why::Throttled
            | Why::TimedOut
            | Why::Malformed
            | Why::Truncated
            | Why::Unsupported
            | Why::NotCompiled
            | Why::Vanished
            | Why::WrongAccount
            | Why::Credentials
            | Why::Unreachable
            | Why::NotEvaluated
            | Why::Failed => {
                write!(f, "{}: {}", self.operation, self.why.label())?;
                if let Some(code) = code {
                    write!(f, " ({code})")?;
                }
            }
        }
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        Ok(())
    }
}

/// The kinds of not knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The credentials may not call the operation.
    Denied,
    /// The service kept refusing for load.
    Throttled,
    /// No answer in time.
    TimedOut,
    /// The answer was not what the API documents.
    Malformed,
    /// A listing stopped before its end.
    Truncated,
    /// The provider does not know the operation.
    Unsupported,
    /// This binary was built without the service.
    NotCompiled,
    /// Nobody asked.
    NotCollected,
    /// The resource went away while it was read.
    Vanished,
    /// The credentials belong to another account than the policy names.
    WrongAccount,
    /// No usable credentials: missing, expired or refused.
    Credentials,
    /// No connection to the endpoint.
    Unreachable,
    /// It was read, and what it means depends on conditions that are not evaluated.
    NotEvaluated,
    /// The service failed.
    Failed,
}

impl Why {
    /// A phrase for a report.
    pub fn label(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::TimedOut => "no answer in time",
            Self::Malformed => "the answer could not be understood",
            Self::Truncated => "the listing did not finish",
            Self::Unsupported => "the provider does not support it",
            Self::NotCompiled => "not compiled into this binary",
            Self::NotCollected => "not collected",
            Self::Vanished => "the resource vanished while it was read",
            Self::WrongAccount => "the credentials belong to another account",
            Self::Credentials => "no usable credentials",
            Self::Unreachable => "the endpoint could not be reached",
            Self::NotEvaluated => "could not be evaluated",
            Self::Failed => "the service failed",
        }
    }
}

/// What kind of thing is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An S3 bucket.
    S3Bucket,
    /// An account as a whole, its root user included.
    Account,
    /// An IAM user.
    IamUser,
    /// An IAM group.
    IamGroup,
    /// An IAM role.
    IamRole,
    /// A customer or AWS managed IAM policy.
    IamPolicy,
    /// A KMS key; its name is its ARN, or the ARN of an alias.
    KmsKey,
    /// A store: a set of documents with its copies.
    Store,
    /// The policy itself: what is wrong with its waivers and attestations.
    Policy,
}

impl Kind {
    /// The name in policies, snapshots and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::S3Bucket => "s3-bucket",
            Self::Account => "account",
            Self::IamUser => "iam-user",
            Self::IamGroup => "iam-group",
            Self::IamRole => "iam-role",
            Self::IamPolicy => "iam-policy",
            Self::KmsKey => "kms-key",
            Self::Store => "store",
            Self::Policy => "policy",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Describes one fact: what it is called, what it costs and which permission it needs.
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FactSpec {
    /// `<kind>.<fact>`, the name in snapshots and evidence.
    pub id: &'static str,
    pub kind: Kind,
    /// The operation that reads it.
    pub operation: &'static str,
    /// Further operations of the read path, for example the request to generate a report.
    pub also: &'static [&'static str],
    /// The IAM actions that the operations need. API names and action names differ.
    pub actions: &'static [&'static str],
    /// Some operations answer for all resources of an account at once.
    pub per: Per,
}

/// How often a fact's operation is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Per {
    /// Once for each resource.
    Resource,
    /// Once for the account: the answer holds this fact of every resource of the kind.
    Account,
    /// Once in each Region where the account has buckets in question: read last, when they are known.
    Region,
    /// Nothing is called: it comes with the listing or with another answer.
    Free,
}

/// A fact by its description.
pub type FactId = &'static FactSpec;
