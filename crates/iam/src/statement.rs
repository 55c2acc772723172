//! Does one statement apply to a request: surely, under conditions, or not, and then why not.
//!
//! It must never answer "surely" for what hangs on something unknown. Over many resources at once it errs by effect: an Allow
//! applies where it touches some of them, a Deny only where it covers them all.

use std::fmt;

use crate::condition::{self, Truth};
use crate::context::Keys;
use crate::fit::{actions_match, resources_cover, resources_touch};
use crate::layer::Deciding;
use crate::model::{Condition, Effect, Resources, Statement, Version};
use crate::pattern::Pattern;
use crate::principal::{By, Match, Principals};

/// What must hold for an answer to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clause<'a> {
    /// The condition of this statement.
    Condition(Deciding<'a>, &'a Condition),
    /// A policy variable in a resource of this statement stands for something that fits.
    Variable(Deciding<'a>, &'a Pattern),
    /// The Principal element of this statement, of an unusual form, names the caller.
    Names(Deciding<'a>),
    /// This statement is in force, though it has a principal or no resource, unlike a policy of its kind.
    Form(Deciding<'a>),
    /// This Deny does not apply: not all of these hold.
    NotAll(Deciding<'a>, Vec<Clause<'a>>),
    /// A layer that could not be read grants it.
    Unread(crate::layer::LayerName),
    /// The resources that the policies name have one in common with what is asked.
    Overlap,
}

impl fmt::Display for Clause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Condition(_, condition) => condition.fmt(f),
            Self::Variable(_, pattern) => write!(f, "the variable in {pattern} fits"),
            Self::Names(by) => write!(f, "{by} names the caller"),
            Self::Form(by) => write!(f, "{by} is in force, though of a form AWS does not take"),
            Self::NotAll(by, clauses) => {
                let list: Vec<String> = clauses.iter().map(ToString::to_string).collect();
                write!(f, "not ({}), by {by}", list.join(" and "))
            }
            Self::Unread(layer) => write!(f, "{layer}, which could not be read, grant it"),
            Self::Overlap => f.write_str("the resources of the policies have one in common"),
        }
    }
}

/// What a condition is about, so that one who reads an answer can tell what to make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Multi-factor authentication.
    Mfa,
    /// The address the request comes from.
    SourceIp,
    /// A VPC or VPC endpoint.
    Vpc,
    /// The organization of the caller or the resource.
    Organization,
    /// Tags of the caller, the resource or the request.
    Tag,
    /// The time of the request or of the session.
    Time,
    /// TLS, which every caller can use.
    Transport,
    /// The service or resource on whose behalf the request is made.
    Source,
    /// Who the caller is.
    Caller,
    /// What the request itself says: the caller chooses.
    Request,
    /// Anything else.
    Other,
}

impl Topic {
    /// Of a condition key in lower case.
    #[must_use]
    pub fn of(key: &str) -> Self {
        let name = key.split('/').next().unwrap_or(key);
        match name {
            "aws:multifactorauthpresent" | "aws:multifactorauthage" => Self::Mfa,
            "aws:sourceip" | "aws:vpcsourceip" => Self::SourceIp,
            "aws:sourcevpc" | "aws:sourcevpce" | "aws:sourcevpcarn" | "aws:vpceaccount" | "aws:vpceorgid"
            | "aws:vpceorgpaths" => Self::Vpc,
            "aws:principalorgid"
            | "aws:principalorgpaths"
            | "aws:resourceorgid"
            | "aws:resourceorgpaths"
            | "aws:sourceorgid"
            | "aws:sourceorgpaths" => Self::Organization,
            "aws:principaltag"
            | "aws:resourcetag"
            | "aws:requesttag"
            | "aws:tagkeys"
            | "iam:resourcetag"
            | "s3:existingobjecttag"
            | "s3:requestobjecttag"
            | "s3:requestobjecttagkeys"
            | "s3:buckettag" => Self::Tag,
            "aws:currenttime" | "aws:epochtime" | "aws:tokenissuetime" => Self::Time,
            "aws:securetransport" | "s3:tlsversion" => Self::Transport,
            "aws:sourcearn"
            | "aws:sourceaccount"
            | "aws:sourceowner"
            | "aws:calledvia"
            | "aws:calledviafirst"
            | "aws:calledvialast"
            | "aws:viaawsservice"
            | "kms:viaservice"
            | "aws:principalisawsservice" => Self::Source,
            "aws:principalarn"
            | "aws:principalaccount"
            | "aws:principaltype"
            | "aws:userid"
            | "aws:username"
            | "aws:federatedprovider"
            | "aws:sourceidentity" => Self::Caller,
            _service
                if name.starts_with("s3:")
                    || name.starts_with("sts:")
                    || name.starts_with("kms:")
                    || name.starts_with("iam:") =>
            {
                Self::Request
            }
            "aws:requestedregion" | "aws:useragent" | "aws:referer" => Self::Request,
            _other => Self::Other,
        }
    }

    /// The word in policies and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mfa => "mfa",
            Self::SourceIp => "source-ip",
            Self::Vpc => "vpc",
            Self::Organization => "organization",
            Self::Tag => "tag",
            Self::Time => "time",
            Self::Transport => "transport",
            Self::Source => "source",
            Self::Caller => "caller",
            Self::Request => "request",
            Self::Other => "other",
        }
    }
}

impl Clause<'_> {
    /// What it is about; `None` for what no condition key decides.
    #[must_use]
    pub fn topic(&self) -> Option<Topic> {
        match self {
            Self::Condition(_, condition) => Some(Topic::of(&condition.key)),
            // One topic if all agree: to fail one of them is then about it too.
            Self::NotAll(_, clauses) => {
                let mut topics = clauses.iter().map(Clause::topic);
                let first = topics.next().flatten();
                topics.all(|topic| topic == first).then_some(first).flatten()
            }
            Self::Variable(..) | Self::Names(_) | Self::Form(_) | Self::Unread(_) | Self::Overlap => None,
        }
    }
}

/// Whether a statement applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fit<'a> {
    /// It does not.
    No(Miss<'a>),
    /// It does, if these hold; none: surely.
    If(By, Vec<Clause<'a>>),
}

/// The first element by which a statement does not apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss<'a> {
    /// Action or NotAction.
    Action,
    /// Resource or NotResource.
    Resource,
    /// Principal or NotPrincipal.
    Principal,
    /// This condition.
    Condition(&'a Condition),
    /// It has a principal, or no resource, unlike a policy of its kind.
    Form,
}

impl fmt::Display for Miss<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Action => f.write_str("another action"),
            Self::Resource => f.write_str("another resource"),
            Self::Principal => f.write_str("another principal"),
            Self::Condition(condition) => write!(f, "its condition is not met: {condition}"),
            Self::Form => f.write_str("of a form AWS does not take"),
        }
    }
}

/// The resource of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked<'a> {
    /// This one.
    One(&'a str),
    /// Some resource that both match.
    Some(&'a Pattern, &'a Pattern),
}

/// Where a policy stands decides what its elements mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On a principal: it names no principal.
    Principal,
    /// On a resource: it must.
    Resource,
    /// On a role that is assumed: it names no resource.
    Trust,
}

/// A request as one statement sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Probe<'a> {
    pub(crate) action: &'a str,
    pub(crate) asked: Asked<'a>,
    pub(crate) keys: Keys<'a>,
    /// A Deny with NotPrincipal refuses every principal that has a boundary.
    /// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>.
    pub(crate) bounded: bool,
}

impl Probe<'_> {
    pub(crate) fn fit<'d>(&self, statement: &'d Statement, version: Version, place: Place, by: Deciding<'d>) -> Fit<'d> {
        let mut clauses = Vec::new();
        let open = self.keys.context.is_open();
        if !actions_match(&statement.actions, self.action) {
            return Fit::No(Miss::Action);
        }
        if place != Place::Trust && statement.resources == Resources::None {
            if !open {
                return Fit::No(Miss::Form);
            }
            clauses.push(Clause::Form(by));
        } else {
            match self.on(statement, version, place) {
                Reach::No => return Fit::No(Miss::Resource),
                Reach::Yes => {}
                Reach::Perhaps(pattern) => clauses.push(Clause::Variable(by, pattern)),
            }
        }
        let given = match (place, &statement.principals) {
            (Place::Principal, Principals::None) => By::Direct,
            (Place::Principal, _) if open => {
                clauses.push(Clause::Form(by));
                By::Direct
            }
            (Place::Principal, _) => return Fit::No(Miss::Form),
            (Place::Resource | Place::Trust, Principals::Not(_)) if statement.effect == Effect::Deny && self.bounded => {
                By::Direct
            }
            (Place::Resource | Place::Trust, principals) => match principals.gives(&self.keys.caller) {
                None | Some((_, Match::No)) => return Fit::No(Miss::Principal),
                Some((given, Match::Yes)) => given,
                Some((given, Match::Maybe)) if open => {
                    clauses.push(Clause::Names(by));
                    given
                }
                Some((_, Match::Maybe)) => return Fit::No(Miss::Principal),
            },
        };
        for condition in &statement.conditions {
            match condition::holds(condition, version, &self.keys) {
                Truth::No => return Fit::No(Miss::Condition(condition)),
                Truth::Yes => {}
                Truth::Unknown => clauses.push(Clause::Condition(by, condition)),
            }
        }
        Fit::If(given, clauses)
    }

    fn on<'d>(&self, statement: &'d Statement, version: Version, place: Place) -> Reach<'d> {
        match self.asked {
            Asked::One(resource) => match &statement.resources {
                Resources::None => {
                    if place == Place::Trust {
                        Reach::Yes
                    } else {
                        Reach::No
                    }
                }
                Resources::In(list) => self.any(list, version, resource),
                Resources::NotIn(list) => match self.any(list, version, resource) {
                    Reach::No => Reach::Yes,
                    Reach::Perhaps(pattern) => Reach::Perhaps(pattern),
                    Reach::Yes => Reach::No,
                },
            },
            Asked::Some(part, target) => {
                let applies = match statement.effect {
                    Effect::Allow => [part, target].iter().all(|asked| resources_touch(&statement.resources, asked)),
                    Effect::Deny => [part, target].iter().any(|asked| resources_cover(&statement.resources, asked)),
                };
                if applies { Reach::Yes } else { Reach::No }
            }
        }
    }

    fn any<'d>(&self, list: &'d [Pattern], version: Version, resource: &str) -> Reach<'d> {
        let mut perhaps = Reach::No;
        for pattern in list {
            let fits = if version == Version::V2012 && pattern.has_variable() {
                condition::resolve(pattern, &self.keys, |pattern| pattern.matches(resource))
            } else {
                pattern.matches(resource).into()
            };
            match fits {
                Truth::Yes => return Reach::Yes,
                Truth::Unknown => perhaps = Reach::Perhaps(pattern),
                Truth::No => {}
            }
        }
        perhaps
    }
}

enum Reach<'a> {
    No,
    Perhaps(&'a Pattern),
    Yes,
}
