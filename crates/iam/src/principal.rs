//! Whom a Principal or NotPrincipal element names.
//!
//! It must never resolve a doubt in favour of "nobody": what it cannot recognise may be anybody.
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>.

use std::collections::BTreeSet;
use std::fmt;

/// The Principal element of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principals {
    /// Absent: an identity policy. In a bucket policy such a statement applies to nobody.
    None,
    /// `Principal`: these.
    Any(Vec<Principal>),
    /// `NotPrincipal`: everybody except these.
    Not(Vec<Principal>),
}

/// One entry of a Principal element.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// The bare `"*"`: everybody, anonymous callers included.
    Everyone,
    /// `{"AWS": "*"}`, which AWS documents as equal to the bare one in a resource policy.
    AwsEveryone,
    /// A whole account: `123456789012` or `arn:aws:iam::123456789012:root`.
    Account(String),
    /// A user, role or session.
    Arn {
        /// The ARN as written.
        arn: String,
        /// Its twelve digits.
        account: String,
    },
    /// `AROA...`, `AIDA...`: what AWS shows in place of the ARN once the principal was deleted. Its account is not visible.
    UniqueId(String),
    /// An AWS service, such as `backup.amazonaws.com`.
    Service(String),
    /// An identity provider: `accounts.google.com` or the ARN of a SAML or OIDC provider.
    Federated(String),
    /// An S3 canonical user id. Its account is not visible.
    CanonicalUser(String),
    /// An `AWS` entry of another form.
    Unrecognised(String),
}

impl Principal {
    /// Reads one entry under `AWS`.
    #[must_use]
    pub fn aws(text: &str) -> Self {
        if text == "*" {
            return Self::AwsEveryone;
        }
        if is_account(text) {
            return Self::Account(text.to_owned());
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        if let ["arn", partition, "iam" | "sts", "", account, resource] = parts[..]
            && is_account(account)
            && partition.starts_with("aws")
            && !text.contains(['*', '?'])
        {
            let account = account.to_owned();
            return if resource == "root" { Self::Account(account) } else { Self::Arn { arn: text.to_owned(), account } };
        }
        let unique =
            text.len() >= 16 && text.starts_with('A') && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if unique { Self::UniqueId(text.to_owned()) } else { Self::Unrecognised(text.to_owned()) }
    }

    /// The account it surely belongs to. Services, federations and what hides its account have none.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Account(account) | Self::Arn { account, .. } => Some(account),
            Self::Everyone
            | Self::AwsEveryone
            | Self::UniqueId(_)
            | Self::Service(_)
            | Self::Federated(_)
            | Self::CanonicalUser(_)
            | Self::Unrecognised(_) => None,
        }
    }

    /// Everybody?
    #[must_use]
    pub fn is_everyone(&self) -> bool {
        matches!(self, Self::Everyone | Self::AwsEveryone)
    }

    fn names(&self, caller: &Caller<'_>) -> Match {
        match (self, caller) {
            (Self::Everyone, _) | (Self::AwsEveryone, Caller::Aws { .. } | Caller::Anonymous) => Match::Yes,
            (Self::AwsEveryone, Caller::Someone { .. }) => Match::Yes,
            (Self::AwsEveryone, Caller::Service(_) | Caller::Federated(_)) => Match::Maybe,
            (Self::Account(named), Caller::Someone { account: Some(account) }) => Match::from(named == account),
            (Self::Arn { account: named, .. }, Caller::Someone { account: Some(account) }) if named != account => Match::No,
            (Self::Account(_) | Self::Arn { .. } | Self::UniqueId(_) | Self::CanonicalUser(_), Caller::Someone { .. }) => {
                Match::Maybe
            }
            (Self::Service(_) | Self::Federated(_), Caller::Someone { .. }) => Match::No,
            (Self::Account(named), Caller::Aws { account, .. }) => Match::from(named == account),
            (Self::Arn { arn: named, .. }, Caller::Aws { arn, .. }) => same_principal(named, arn),
            (Self::Service(named), Caller::Service(service)) => {
                Match::from(named == service || named == "*").or_maybe(named.contains('*'))
            }
            (Self::Federated(named), Caller::Federated(provider)) => Match::from(named == provider).or_maybe(named.contains('*')),
            (Self::UniqueId(_) | Self::CanonicalUser(_), Caller::Aws { .. }) => Match::Maybe,
            (Self::Unrecognised(_), _) => Match::Maybe,
            (
                Self::Account(_) | Self::Arn { .. } | Self::UniqueId(_) | Self::CanonicalUser(_),
                Caller::Service(_) | Caller::Federated(_) | Caller::Anonymous,
            )
            | (Self::Service(_), Caller::Aws { .. } | Caller::Federated(_) | Caller::Anonymous)
            | (Self::Federated(_), Caller::Aws { .. } | Caller::Service(_) | Caller::Anonymous) => Match::No,
        }
    }
}

impl Principal {
    fn by(&self, caller: &Caller<'_>) -> By {
        let session = caller.is_session();
        match self {
            Self::Account(_) if caller.form() == Form::Root => By::Direct,
            Self::Account(_) => By::Account,
            Self::Arn { arn, .. } if session && !arn.contains(":assumed-role/") && !arn.contains(":federated-user/") => By::Role,
            Self::Everyone
            | Self::AwsEveryone
            | Self::Arn { .. }
            | Self::UniqueId(_)
            | Self::Service(_)
            | Self::Federated(_)
            | Self::CanonicalUser(_)
            | Self::Unrecognised(_) => By::Direct,
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone | Self::AwsEveryone => f.write_str("everyone"),
            Self::Account(account) => write!(f, "account {account}"),
            Self::Arn { arn, .. } => f.write_str(arn),
            Self::UniqueId(id) => write!(f, "deleted principal {id}"),
            Self::Service(name) => write!(f, "service {name}"),
            Self::Federated(name) => write!(f, "identity provider {name}"),
            Self::CanonicalUser(id) => write!(f, "canonical user {id}"),
            Self::Unrecognised(text) => write!(f, "unrecognised principal {text}"),
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller<'a> {
    /// A user, a role, or a session of a role.
    Aws {
        /// Its ARN.
        arn: &'a str,
        /// Its account.
        account: &'a str,
    },
    /// An AWS service.
    Service(&'a str),
    /// Somebody vouched for by this identity provider.
    Federated(&'a str),
    /// Nobody in particular.
    Anonymous,
    /// Some user or role, of which no more is known than perhaps the account.
    Someone {
        /// Its account; `None`: any account other than the resource's.
        account: Option<&'a str>,
    },
}

/// What kind of principal an ARN is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form<'a> {
    /// The root user of an account.
    Root,
    /// A user, by name without path.
    User(&'a str),
    /// A role: some session of it, whatever its name.
    Role(&'a str),
    /// A session of the role of this name. The path of the role cannot be seen in the ARN of a session.
    Session(&'a str),
    /// A session that `GetFederationToken` gave to a user.
    FederatedUser(&'a str),
    /// None of these.
    Other,
}

/// How a resource policy names a caller; what limits the grant depends on it.
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// Its account: whether the caller may is for the account to say.
    Account,
    /// Its role, or the user that a federated session was made for: the session's own limits stay.
    Role,
    /// Itself, or everybody.
    Direct,
}

impl<'a> Caller<'a> {
    /// Reads an ARN, the name of a service (`backup.amazonaws.com`), of an identity provider, or `*` for an anonymous caller.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        if text == "*" {
            return Self::Anonymous;
        }
        let parts: Vec<&'a str> = text.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", _, "iam", "", _, resource]
                if resource.starts_with("saml-provider/") || resource.starts_with("oidc-provider/") =>
            {
                Self::Federated(text)
            }
            &["arn", _, _, _, account, _] => Self::Aws { arn: text, account },
            _ if is_account(text) => Self::Aws { arn: text, account: text },
            _ if ["cognito-identity.amazonaws.com", "accounts.google.com", "graph.facebook.com", "www.amazon.com"]
                .contains(&text) =>
            {
                Self::Federated(text)
            }
            _name => Self::Service(text),
        }
    }

    /// The account that the caller belongs to; services, federations and the anonymous have none.
    #[must_use]
    pub fn account(&self) -> Option<&'a str> {
        match self {
            Self::Aws { account, .. } => Some(account),
            Self::Someone { account } => *account,
            Self::Service(_) | Self::Federated(_) | Self::Anonymous => None,
        }
    }

    pub(crate) fn form(&self) -> Form<'a> {
        let Self::Aws { arn, .. } = *self else { return Form::Other };
        let Some((service, resource)) = service_and_resource(arn) else {
            return if is_account(arn) { Form::Root } else { Form::Other };
        };
        let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
        let last = rest.rsplit('/').next().unwrap_or_default();
        match (service, kind) {
            ("iam", "root") => Form::Root,
            ("iam", "user") => Form::User(last),
            ("iam", "role") => Form::Role(last),
            ("sts", "assumed-role") => Form::Session(rest.split('/').next().unwrap_or_default()),
            ("sts", "federated-user") => Form::FederatedUser(last),
            _other => Form::Other,
        }
    }

    /// Does it act with the rights of a role, or of a user for whom it was made?
    pub(crate) fn is_session(&self) -> bool {
        matches!(self.form(), Form::Role(_) | Form::Session(_) | Form::FederatedUser(_))
    }

    /// Is it a role that AWS made for one of its services? Neither SCPs nor RCPs bind it.
    #[must_use]
    pub fn is_service_linked(&self) -> bool {
        match self {
            // A session shows no path; the names of these roles begin alike.
            Self::Aws { arn, .. } => arn.contains(":role/aws-service-role/") || arn.contains(":assumed-role/AWSServiceRoleFor"),
            Self::Service(_) | Self::Federated(_) | Self::Anonymous | Self::Someone { .. } => false,
        }
    }
}

/// The answer to "does this element name the caller".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Match {
    /// Surely not.
    No,
    /// Cannot be told from the document.
    Maybe,
    /// Surely.
    Yes,
}

impl From<bool> for Match {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

impl Match {
    fn or_maybe(self, doubt: bool) -> Self {
        if doubt { self.max(Self::Maybe) } else { self }
    }
}

impl Principals {
    /// Does the element name the caller? Naming an account names everybody in it: for a Deny that is the whole truth, for an Allow
    /// the account must still grant it. NotPrincipal is `Yes` only for callers that the list surely misses.
    #[must_use]
    pub fn names(&self, caller: &Caller<'_>) -> Match {
        let best = |list: &[Principal]| list.iter().map(|p| p.names(caller)).max().unwrap_or(Match::No);
        match self {
            Self::None => Match::No,
            Self::Any(list) => best(list),
            Self::Not(list) if list.iter().any(|p| matches!(p, Principal::Everyone)) => Match::No,
            Self::Not(list) => match best(list) {
                Match::No => Match::Yes,
                // AWS wants the account listed beside the user, and the role beside the session: else never rely on an exception.
                Match::Yes if is_excepted(list, caller) => Match::No,
                Match::Maybe | Match::Yes => Match::Maybe,
            },
        }
    }

    /// How an Allow that names the caller gives to it: the strongest way that surely names it, and whether a stronger or only
    /// way is doubtful. `None`: it does not name the caller at all.
    pub(crate) fn gives(&self, caller: &Caller<'_>) -> Option<(By, Match)> {
        let list = match self {
            Self::None => return None,
            Self::Any(list) => list,
            Self::Not(_) => {
                let named = self.names(caller);
                return (named != Match::No).then_some((By::Direct, named));
            }
        };
        let ways = list.iter().map(|entry| (entry.by(caller), entry.names(caller))).filter(|(_, named)| *named != Match::No);
        // A sure way before a doubtful one, then the stronger.
        ways.max_by_key(|(by, named)| (*named, *by))
    }

    /// Does it surely name everybody? NotPrincipal does not.
    #[must_use]
    pub fn is_everyone(&self) -> bool {
        match self {
            Self::Any(list) => list.iter().any(Principal::is_everyone),
            Self::None | Self::Not(_) => false,
        }
    }

    /// Can anybody at all be among those it names? NotPrincipal counts.
    #[must_use]
    pub fn anyone(&self) -> bool {
        self.is_everyone() || matches!(self, Self::Not(_))
    }

    /// The accounts it names that are not this one, in order. NotPrincipal names no account.
    #[must_use]
    pub fn foreign_accounts(&self, own_account: &str) -> BTreeSet<&str> {
        match self {
            Self::Any(list) => list.iter().filter_map(Principal::account).filter(|account| *account != own_account).collect(),
            Self::None | Self::Not(_) => BTreeSet::new(),
        }
    }
}

impl fmt::Display for Principals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |list: &[Principal]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Self::None => f.write_str("nobody"),
            Self::Any(list) if list.is_empty() => f.write_str("nobody"),
            Self::Any(list) => f.write_str(&join(list)),
            Self::Not(list) => write!(f, "everyone except {}", join(list)),
        }
    }
}

/// The third segment of an ARN, and what follows the fifth colon.
fn service_and_resource(arn: &str) -> Option<(&str, &str)> {
    let rest = arn.strip_prefix("arn:")?;
    let (_partition, rest) = rest.split_once(':')?;
    let (service, rest) = rest.split_once(':')?;
    let (_region, rest) = rest.split_once(':')?;
    let (_account, resource) = rest.split_once(':')?;
    Some((service, resource))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a user, or somebody who is no principal of IAM, is listed as completely as AWS wants.
fn is_excepted(list: &[Principal], caller: &Caller<'_>) -> bool {
    let Caller::Aws { account, .. } = caller else { return true };
    let own = list.iter().any(|entry| matches!(entry, Principal::Account(listed) if listed == account));
    let itself = list.iter().any(|entry| matches!(entry, Principal::Arn { .. }) && entry.names(caller) == Match::Yes);
    own && (caller.form() == Form::Root || (itself && !caller.is_session()))
}

/// A session belongs to the role it came from: the role's path is missing in the session's ARN, its name is unique without.
fn same_principal(named: &str, caller: &str) -> Match {
    if named == caller {
        return Match::Yes;
    }
    if let Some(name) = caller.split_once(":federated-user/").map(|(_, name)| name) {
        // A federated session acts for the user who asked for it. Its ARN shows a name that this user chose; that it is the
        // user's own is taken to be so, as nothing else is to be seen.
        let account = |arn: &str| arn.split(':').nth(4).map(str::to_owned);
        let user = named.contains(":user/") && named.rsplit('/').next() == Some(name) && account(named) == account(caller);
        return Match::from(user);
    }
    match (role_of(named), role_of(caller)) {
        (Some((a, false)), Some((b, true))) if a == b => Match::Yes,
        (Some((a, true)), Some((b, false))) if a == b => Match::Maybe,
        _different => Match::No,
    }
}

/// `((partition, account, role name), is it a session)`
fn role_of(arn: &str) -> Option<((&str, &str, &str), bool)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, _service, "", account, resource] = parts[..] else { return None };
    if let Some(path) = resource.strip_prefix("role/") {
        return Some(((partition, account, path.rsplit('/').next()?), false));
    }
    let name = resource.strip_prefix("assumed-role/")?.split('/').next()?;
    Some(((partition, account, name), true))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "111122223333";

    fn any(entries: &[&str]) -> Principals {
        Principals::Any(entries.iter().map(|e| Principal::aws(e)).collect())
    }

    fn arn(resource: &str) -> String {
        format!("arn:aws:iam::{OWN}:{resource}")
    }

    #[test]
    fn entries_are_recognised_or_say_that_they_are_not() {
        assert_eq!(Principal::aws("*"), Principal::AwsEveryone);
        assert_eq!(Principal::aws(OWN), Principal::Account(OWN.into()));
        assert_eq!(Principal::aws("arn:aws-cn:iam::111122223333:root"), Principal::Account(OWN.into()));
        assert_eq!(Principal::aws(&arn("user/a/b")).account(), Some(OWN));
        assert!(matches!(Principal::aws("AROAEXAMPLEID1234567"), Principal::UniqueId(_)));
        for odd in ["", "arn:aws:iam::*:role/x", "arn:aws:iam::111122223333:role/*", "11112222333", "arn:aws:s3:::b", "anna"] {
            assert!(matches!(Principal::aws(odd), Principal::Unrecognised(_)), "{odd}");
        }
    }

    #[test]
    fn naming() {
        let (user, role, session) = (arn("user/anna"), arn("role/team/ops"), format!("arn:aws:sts::{OWN}:assumed-role/ops/anna"));
        let anna = Caller::Aws { arn: &user, account: OWN };
        let ops = Caller::Aws { arn: &role, account: OWN };
        let on_duty = Caller::Aws { arn: &session, account: OWN };
        let stranger = Caller::Aws { arn: "arn:aws:iam::999999999999:user/anna", account: "999999999999" };
        let cases = [
            (any(&["*"]), anna, Match::Yes),
            (any(&["*"]), Caller::Anonymous, Match::Yes),
            (any(&["*"]), Caller::Service("backup.amazonaws.com"), Match::Maybe),
            (any(&[OWN]), anna, Match::Yes),
            (any(&[OWN]), stranger, Match::No),
            (any(&[&user]), anna, Match::Yes),
            (any(&[&user]), ops, Match::No),
            (any(&[&role]), on_duty, Match::Yes),
            (any(&[&session]), ops, Match::Maybe),
            (any(&["AIDAEXAMPLEID1234567"]), anna, Match::Maybe),
            (any(&["arn:aws:iam::*:user/anna"]), anna, Match::Maybe),
            (any(&[]), anna, Match::No),
            (Principals::None, anna, Match::No),
            (Principals::Not(vec![Principal::aws(&user)]), stranger, Match::Yes),
            (Principals::Not(vec![Principal::aws(&user)]), anna, Match::Maybe),
            (Principals::Not(vec![Principal::aws(OWN)]), ops, Match::Maybe),
            (Principals::Not(vec![Principal::Everyone]), anna, Match::No),
            (
                Principals::Any(vec![Principal::Service("s3.amazonaws.com".into())]),
                Caller::Service("s3.amazonaws.com"),
                Match::Yes,
            ),
            (Principals::Any(vec![Principal::Service("s3.amazonaws.com".into())]), anna, Match::No),
            (Principals::Any(vec![Principal::Federated("accounts.google.com".into())]), Caller::Federated("x"), Match::No),
        ];
        for (element, caller, expected) in cases {
            assert_eq!(element.names(&caller), expected, "{element} names {caller:?}");
        }
    }

    #[test]
    fn anybody_and_foreign_accounts() {
        let mixed = any(&[OWN, "999999999999", "arn:aws:iam::888888888888:role/r", "AROAEXAMPLEID1234567"]);
        assert_eq!(mixed.foreign_accounts(OWN).into_iter().collect::<Vec<_>>(), ["888888888888", "999999999999"]);
        assert!(!mixed.anyone());
        assert!(any(&[OWN, "*"]).anyone() && any(&["*"]).is_everyone());
        assert!(Principals::Not(vec![]).anyone() && !Principals::Not(vec![]).is_everyone() && !Principals::None.anyone());
    }
}
