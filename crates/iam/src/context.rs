//! What is known of a request besides principal, action and resource: its condition keys.
//!
//! It must never call a key absent that is only not known: in an open context what was not said is unknown.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::principal::{Caller, Form};

/// The condition keys of a request, or what is known of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// By key in lower case.
    keys: BTreeMap<String, Vec<String>>,
    open: bool,
}

/// What is known of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen<'a> {
    /// The request has it, with one value.
    One(Cow<'a, str>),
    /// The request has it, with these values.
    Many(&'a [String]),
    /// The request does not have it.
    Absent,
    /// Not known.
    Unknown,
}

impl Context {
    /// One whole request: a key that is not set is absent.
    #[must_use]
    pub const fn closed() -> Self {
        Self { keys: BTreeMap::new(), open: false }
    }

    /// Any request that agrees with what is set: every other key is unknown.
    #[must_use]
    pub const fn open() -> Self {
        Self { keys: BTreeMap::new(), open: true }
    }

    /// Sets a key; keys are case-insensitive. No value at all counts as absent.
    #[must_use]
    pub fn with(mut self, key: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.set(key, values);
        self
    }

    /// Sets a key, as [`Context::with`] does.
    pub fn set(&mut self, key: &str, values: impl IntoIterator<Item = impl Into<String>>) {
        self.keys.insert(key.to_lowercase(), values.into_iter().map(Into::into).collect());
    }

    /// Is what was not set unknown?
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open
    }
}

/// Keys that are lists even when they hold one value.
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>.
fn is_list(key: &str) -> bool {
    matches!(key, "aws:tagkeys" | "aws:calledvia" | "aws:principalorgpaths" | "aws:resourceorgpaths" | "aws:sourceorgpaths")
        || matches!(key, "aws:principalservicenameslist" | "s3:requestobjecttagkeys" | "kms:encryptioncontextkeys")
}

/// A request as conditions see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys<'a> {
    pub(crate) context: &'a Context,
    pub(crate) caller: Caller<'a>,
    pub(crate) resource_account: Option<&'a str>,
}

impl<'a> Keys<'a> {
    /// What is known of a key, given in lower case. What follows from the caller need not be set.
    pub(crate) fn get(&self, key: &str) -> Seen<'a> {
        if let Some(values) = self.context.keys.get(key) {
            return match values.as_slice() {
                [] => Seen::Absent,
                [one] if !is_list(key) => Seen::One(Cow::Borrowed(one)),
                many => Seen::Many(many),
            };
        }
        self.follows(key).unwrap_or(if self.context.open { Seen::Unknown } else { Seen::Absent })
    }

    /// The value of a key in any case, if it has one.
    pub(crate) fn value(&self, key: &str) -> Seen<'a> {
        if key.bytes().any(|b| b.is_ascii_uppercase()) { self.get(&key.to_lowercase()) } else { self.get(key) }
    }

    fn follows(&self, key: &str) -> Option<Seen<'a>> {
        if !key.starts_with("aws:") {
            return None;
        }
        let text = |value: &'a str| Some(Seen::One(Cow::Borrowed(value)));
        let form = || self.caller.form();
        match (key, &self.caller) {
            ("aws:resourceaccount", _) => self.resource_account.and_then(text),
            ("aws:principalisawsservice", Caller::Service(_)) => text("true"),
            ("aws:principalisawsservice", _) => text("false"),
            ("aws:principalservicename", Caller::Service(name)) => text(name),
            ("aws:principalaccount", Caller::Aws { account, .. } | Caller::Someone { account: Some(account) }) => text(account),
            (_, Caller::Someone { .. }) => None,
            ("aws:principalarn", Caller::Aws { arn, account }) => Some(Seen::One(match form() {
                // The path of the role cannot be seen.
                Form::Session(_) if self.context.open => return None,
                Form::Session(role) => {
                    let partition = arn.split(':').nth(1).unwrap_or("aws");
                    format!("arn:{partition}:iam::{account}:role/{role}").into()
                }
                Form::Root | Form::User(_) | Form::Role(_) | Form::FederatedUser(_) | Form::Other => Cow::Borrowed(arn),
            })),
            ("aws:principaltype", _) => match form() {
                Form::Root => text("Account"),
                Form::User(_) => text("User"),
                Form::Role(_) | Form::Session(_) => text("AssumedRole"),
                Form::FederatedUser(_) => text("FederatedUser"),
                Form::Other => matches!(self.caller, Caller::Anonymous).then_some(Seen::One(Cow::Borrowed("Anonymous"))),
            },
            ("aws:username", Caller::Aws { .. }) => match form() {
                Form::User(name) => text(name),
                Form::Root | Form::Role(_) | Form::Session(_) => Some(Seen::Absent),
                Form::FederatedUser(_) | Form::Other => None,
            },
            // They describe a principal of IAM, which these callers are not.
            ("aws:principalaccount" | "aws:userid", Caller::Anonymous) => text("anonymous"),
            (_, Caller::Service(_) | Caller::Anonymous) => (key.starts_with("aws:principaltag/")
                || [
                    "aws:principalarn",
                    "aws:principalorgid",
                    "aws:principalorgpaths",
                    "aws:username",
                    "aws:multifactorauthpresent",
                    "aws:multifactorauthage",
                    "aws:tokenissuetime",
                ]
                .contains(&key))
            .then_some(Seen::Absent),
            (_, Caller::Aws { .. } | Caller::Federated(_)) => None,
        }
    }
}
