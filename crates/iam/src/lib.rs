//! Judgements about AWS IAM policy documents that err on the side of the documents they protect.
//!
//! The crate is pure: it reads text that somebody else fetched, knows no network, clock or environment, and answers with what
//! the text proves. What it cannot prove it calls partial or unknown, with the reason; it never rounds up to safe.
//!
//! ```
//! use lastcopy_iam::{Cover, Document, refuses_plaintext};
//!
//! let policy = Document::parse(r#"{
//!   "Version": "2012-10-17",
//!   "Statement": [{
//!     "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
//!     "Resource": ["arn:aws:s3:::docs", "arn:aws:s3:::docs/*"],
//!     "Condition": {"Bool": {"aws:SecureTransport": "false"}}
//!   }]
//! }"#)?;
//! // The box "has a TLS statement" is ticked; what it refuses is reading, not writing.
//! let Cover::Part { why } = refuses_plaintext(&policy, "arn:aws:s3:::docs").objects else { unreachable!() };
//! assert_eq!(why[0].to_string(), "statement 1 (Sid TlsOnly) covers only s3:GetObject");
//!
//! let error = Document::parse("{\"Statement\": [{\"Effect\": \"Maybe\"}]}").unwrap_err();
//! assert_eq!(error.to_string(), "1:27: Statement[0].Effect: unknown effect \"Maybe\", expected Allow or Deny");
//! # Ok::<(), lastcopy_iam::ParseError>(())
//! ```
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | document | one IAM policy document: identity policy, boundary, bucket policy, trust policy |
//! | statement | one rule of a document; named by index (from 0) and Sid, in sentences counted from 1 |
//! | pattern | a string with `*` and `?`; it *matches* strings, *covers* patterns all of whose strings it matches, and *meets* patterns that share a string with it |
//! | touch, cover | a statement touches a question if it can apply to some of it, covers it if it surely applies to all of it; an Allow is asked whether it touches, a Deny whether it covers |
//! | outsider | a principal that is not surely of the own account |
//! | grant | an Allow of a resource policy that names an outsider |
//! | layer | one kind of policy in force on a principal: none, these documents, or unread |
//! | unread | could not be read, which is never the same as none |
//! | kill path | a numbered way to destroy the last copy of a document |
//! | escalation | a way by which a principal, the actor, gains what its own policies do not give it |
//!
//! # Which way it errs
//!
//! | question | certain answer | errs towards |
//! |---|---|---|
//! | [`Pattern::covers`](pattern::Pattern::covers) | yes | no |
//! | [`Pattern::intersects`](pattern::Pattern::intersects) | both, a policy variable taken as any string | yes, where a variable is concerned |
//! | [`refuses_plaintext`] | whole | part |
//! | [`grantees`], [`grants_to_others`], [`who_can_assume`] | absence of a principal | listing one that a Deny stops |
//! | [`given_to_everybody`] | absence of a statement | listing one; what a Deny under conditions stops is told as hindered |
//! | [`fixed_accounts`] | the accounts | none |
//! | [`may`] | no; yes | only if |
//! | [`Action::acts_on`](actions::Action::acts_on) | no | yes, where the data leaves it open |
//! | [`actions::problem`] | none | none, for services it does not hold |
//! | [`assume::assumers`] | a safeguard that is there | one that is missing |
//! | [`lint::findings`] | dead | alive |
//! | [`administers`] | with MFA; yes | unclear; no for what [`full_admin`] does not add up |
//! | [`assume::assumers_without_mfa`] | a demand for MFA that is there | one that is missing |
//! | [`full_admin`] | yes | unknown for exclusions and conditions; no for stars put together from several statements |

pub mod actions;
pub mod admin;
pub mod administer;
pub mod assume;
mod condition;
pub mod context;
pub mod decide;
pub mod destroy;
pub mod document;
pub mod escalation;
pub mod evaluate;
pub mod everybody;
pub mod excess;
pub mod explain;
mod fit;
pub mod foreign;
pub mod grantees;
pub mod grants;
pub mod json;
mod json_reader;
pub mod layer;
pub mod limits;
pub mod lint;
pub mod may;
pub mod model;
pub mod pattern;
pub mod principal;
pub mod public;
pub mod reach;
pub mod simulate;
mod statement;
pub mod tls;
pub mod trust;
mod variable;

pub use admin::{FullAdmin, full_admin};
pub use administer::{Administers, administers};
pub use context::Context;
pub use decide::{Decision, decide};
pub use destroy::{Capability, Destroying, ResourceKind, destroying_actions};
pub use document::{ParseError, ParseErrorKind};
pub use evaluate::{Request, Way};
pub use everybody::{Given, given_to_everybody, lets_through_access_points};
pub use explain::{Bearing, Line, explain};
pub use foreign::{destroying, fixed_accounts};
pub use grantees::{GranteeKind, grantees};
pub use grants::{Grant, Outsider, grants_to_others, outsiders};
pub use layer::{AclGrant, Bucket, Deciding, Grantee, Guards, KeyGrant, Layer, LayerName, Level, Named, Policies, Setting};
pub use limits::{Limit, limit};
pub use may::{May, Question, Target, WhyNot, may};
pub use model::{
    Actions, Condition, ConditionOperator, Document, Effect, Operator, Quantifier, Resources, Scalar, Statement, StatementRef,
    Version,
};
pub use pattern::{Case, Pattern};
pub use principal::{Caller, Match, Principal, Principals};
pub use public::{is_public, public_statements};
pub use statement::{Clause, Miss, Topic};
pub use tls::{Cover, Gap, GapReason, Tls, TlsVersion, refuses_plaintext};
pub use trust::{Trusted, who_can_assume};
