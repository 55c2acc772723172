//! Everybody who might act on a resource, each with caller and policies: the users and roles of the accounts, the root user of
//! the account that owns it, and the outsiders whom its policy names.
//!
//! It must never leave out a principal whose policies could not be read, nor an outsider of a form that is not understood.

use std::collections::HashSet;

use lastcopy_iam::{Caller, Effect, Layer, LayerName, Named, Outsider, Policies, Principal, Principals, outsiders};

use super::{Guarded, Material, is_account};
use crate::document::allow_all;
use crate::estate::AccountKey;
use crate::fact::{Gap, Kind};
use crate::principals::PolicySet;

/// Somebody.
#[derive(Debug)]
pub struct Who<'a> {
    /// `user/alice`; with the account, where there are several.
    pub label: String,
    /// `user/alice`, or the same as `label`.
    pub short: String,
    /// The ARN, the name of a service or identity provider, or what the policy has in its place.
    pub name: String,
    pub sort: Sort,
    /// The account it belongs to; empty for those that belong to none.
    pub account: String,
    as_: As,
    set: usize,
    /// Of a user or role, what its policies come from.
    pub held: Option<&'a PolicySet>,
    /// The account whose policies cannot be seen from here: what the resource gives, it may still withhold.
    pub left_to: Option<String>,
}

/// What somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    User,
    Role,
    /// The root user of an account in the snapshot.
    Root,
    /// Whom only the resource's policy names.
    Outsider,
}

impl Sort {
    /// The word in answers for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Role => "role",
            Self::Root => "root",
            Self::Outsider => "outsider",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    Aws,
    Service,
    Federated,
    Anonymous,
    /// Somebody of the account, or of any other than the resource's.
    Someone,
}

/// All of them. Many share one set of policies.
#[derive(Debug)]
pub struct Cast<'a> {
    pub who: Vec<Who<'a>>,
    sets: Vec<Policies<'a>>,
    /// Why the list of users and roles may not be whole, by account.
    pub gaps: Vec<(AccountKey, Gap)>,
}

impl Who<'_> {
    /// As a caller.
    pub fn caller(&self) -> Caller<'_> {
        match self.as_ {
            As::Aws => Caller::Aws { arn: &self.name, account: &self.account },
            As::Service => Caller::Service(&self.name),
            As::Federated => Caller::Federated(&self.name),
            As::Anonymous => Caller::Anonymous,
            As::Someone => Caller::Someone { account: Some(self.account.as_str()).filter(|account| !account.is_empty()) },
        }
    }

    /// The group that gives a policy, by the policy's name as an answer has it.
    pub fn group_of(&self, policy: &str) -> Option<&str> {
        let same = |held: &&crate::principals::Held| std::ptr::eq(held.name.as_str(), policy);
        self.held?.held.iter().find(same)?.group.as_deref()
    }
}

impl<'a> Cast<'a> {
    /// The users and roles of every account, and their root users, without regard to any resource.
    pub fn principals(material: &'a Material<'_>) -> Self {
        let mut out = Self { who: Vec::new(), sets: Vec::new(), gaps: Vec::new() };
        let several = material.accounts.len() > 1;
        for account in &material.accounts {
            let Some(of) = material.principals.of_account(&account.key) else { continue };
            out.gaps.extend(of.gaps.iter().map(|gap| (account.key.clone(), gap.clone())));
            let first = out.sets.len();
            let scps = material.scps(&account.key);
            out.sets.extend(of.sets.iter().map(|set| Policies { scps: scps.clone(), ..set.policies() }));
            for holder in of.holders.iter().filter(|holder| holder.id.kind != Kind::IamGroup) {
                let label = holder.label();
                out.who.push(Who {
                    label: if several { format!("{label} ({})", account.key) } else { label.clone() },
                    short: label,
                    name: holder.arn.clone().unwrap_or_else(|| material.snapshot.arn(&holder.id)),
                    sort: if holder.id.kind == Kind::IamRole { Sort::Role } else { Sort::User },
                    account: account.number.clone(),
                    as_: As::Aws,
                    set: first + holder.set,
                    held: of.set_of(holder),
                    left_to: None,
                });
            }
        }
        out
    }

    /// Everybody whom a question about a resource is about.
    pub fn of(material: &'a Material<'_>, guarded: &'a Guarded) -> Self {
        let mut out = Self::principals(material);
        if let Some(owner) = guarded.account.as_deref().and_then(|number| material.account(number)) {
            out.add_root(material, &owner.number);
        }
        let own = guarded.account.as_deref().unwrap_or_default();
        let mut seen = HashSet::new();
        for statement in guarded.documents().iter().flat_map(|document| &document.statements) {
            if statement.effect != Effect::Allow {
                continue;
            }
            let named = outsiders(&statement.principals, own);
            // Of the own account, what no list of users and roles holds: federated sessions, principals made since.
            if let Principals::Any(list) = &statement.principals {
                for principal in list {
                    if let Principal::Arn { arn, account } = principal
                        && account == own
                        && seen.insert(arn.clone())
                    {
                        out.add_outsider(material, &Outsider::Principal { arn, account });
                    }
                }
            }
            for outsider in &named {
                if seen.insert(outsider.to_string()) {
                    out.add_outsider(material, outsider);
                }
            }
            if !named.contains(&Outsider::Anyone) {
                continue;
            }
            // "Everybody" with a condition on the service that asks means that service.
            for condition in &statement.conditions {
                if condition.key == "aws:principalisawsservice" && seen.insert("by service".to_owned()) {
                    out.add_outsider(material, &Outsider::Service("of AWS, whichever"));
                }
                if condition.key == "aws:principalservicename" {
                    for value in condition.values.iter().map(lastcopy_iam::model::Scalar::as_str) {
                        if seen.insert(format!("service {value}")) {
                            out.add_outsider(material, &Outsider::Service(value));
                        }
                    }
                }
            }
        }
        // ACLs name accounts and nobody reads them; a policy that was not read may name anybody.
        if (guarded.acls || guarded.policy.is_unread()) && !seen.contains("anyone") {
            out.add_outsider(material, &Outsider::Anyone);
        }
        out
    }

    /// Each with caller and policies: what `reach` starts from.
    pub fn each(&self) -> impl Iterator<Item = (&Who<'a>, Caller<'_>, &Policies<'a>)> {
        self.who.iter().filter_map(|who| Some((who, who.caller(), self.sets.get(who.set)?)))
    }

    /// The policies of one.
    pub fn policies(&self, who: &Who<'a>) -> Option<&Policies<'a>> {
        self.sets.get(who.set)
    }

    /// Somebody whom no list holds: a service, an account, an ARN of another account, `anonymous`. The place in [`Cast::who`].
    /// `None`: the text names nobody of that kind.
    pub fn add_named(&mut self, material: &'a Material<'_>, text: &str) -> Option<usize> {
        let at = self.who.len();
        let caller = Caller::parse(text);
        if text == "anonymous" || text == "*" {
            self.push("everybody without credentials".to_owned(), "*", "", As::Anonymous, None, Policies::default());
        } else if let Caller::Aws { account, .. } = caller {
            if !is_account(account) {
                return None;
            }
            let root = is_account(text) || text.ends_with(":root");
            match material.account(account) {
                Some(_) if root => self.add_root(material, account),
                Some(_) => self.add_session(text, account)?,
                None if root => self.add_outsider(material, &Outsider::Account(account)),
                None => self.add_outsider(material, &Outsider::Principal { arn: text, account }),
            }
        } else if matches!(caller, Caller::Federated(_)) {
            self.add_outsider(material, &Outsider::Federated(text));
        } else if text.contains(".amazonaws.com") || text.contains(".amazon.com") || text.contains(".aws.internal") {
            self.add_outsider(material, &Outsider::Service(text));
        } else {
            return None;
        }
        Some(at)
    }

    /// A session of a role that is known: it has the role's policies, within a session policy that nobody sees.
    fn add_session(&mut self, arn: &str, account: &str) -> Option<()> {
        let name = arn.split_once(":assumed-role/")?.1.split('/').next()?;
        let of = |who: &&Who<'a>| {
            who.sort == Sort::Role && who.account == account && who.name.rsplit('/').next().is_some_and(|last| last == name)
        };
        let role = self.who.iter().find(of)?;
        let (of, held) = (role.set, role.held);
        let set = self.sets.len();
        let policies = Policies { session: Layer::Unread(Vec::new()), ..self.sets.get(of).cloned().unwrap_or_default() };
        self.sets.push(policies);
        self.who.push(Who {
            label: format!("a session of role/{name}"),
            short: arn.to_owned(),
            name: arn.to_owned(),
            sort: Sort::Role,
            account: account.to_owned(),
            as_: As::Aws,
            set,
            held,
            left_to: None,
        });
        Some(())
    }

    fn push(&mut self, label: String, name: &str, account: &str, as_: As, left_to: Option<&str>, policies: Policies<'a>) {
        self.who.push(Who {
            short: label.clone(),
            label,
            name: name.to_owned(),
            sort: Sort::Outsider,
            account: account.to_owned(),
            as_,
            set: self.sets.len(),
            held: None,
            left_to: left_to.map(str::to_owned),
        });
        self.sets.push(policies);
    }

    fn add_root(&mut self, material: &'a Material<'_>, number: &str) {
        let Some(account) = material.account(number) else { return };
        let arn = format!("arn:{}:iam::{number}:root", account.partition);
        if self.who.iter().any(|who| who.sort == Sort::Root && who.name == arn) {
            return;
        }
        let policies = Policies { scps: material.scps(&account.key), ..Policies::default() };
        self.push(format!("the root user of {number}"), &arn, number, As::Aws, None, policies);
        if let Some(root) = self.who.last_mut() {
            root.sort = Sort::Root;
        }
    }

    fn add_outsider(&mut self, material: &'a Material<'_>, outsider: &Outsider<'_>) {
        // Whatever an account outside allows its own, it may.
        let others = || Policies {
            identity: Layer::Docs(vec![Named { name: OTHERS, document: allow_all() }]),
            scps: Layer::Unread(Vec::new()),
            ..Policies::default()
        };
        let nobody = Policies::default;
        match outsider {
            Outsider::Anyone => {
                self.push("everybody without credentials".to_owned(), "*", "", As::Anonymous, None, nobody());
                let whose = Some("whatever account it is");
                self.push("anybody of any AWS account".to_owned(), "any AWS account", "", As::Someone, whose, others());
            }
            Outsider::Account(number) if material.account(number).is_some() => self.add_root(material, number),
            Outsider::Account(number) => {
                let arn = format!("arn:aws:iam::{number}:root");
                let label = format!("whomever account {number} lets");
                self.push(label, &arn, number, As::Someone, Some(number), others());
            }
            Outsider::Principal { arn, account } if material.account(account).is_some() => {
                let known = self.who.iter().any(|who| who.name == *arn) || arn.contains(":assumed-role/");
                if !known {
                    // The snapshot does not hold it: made since, or deleted.
                    let scps = material.account(account).map_or(Layer::Unread(Vec::new()), |account| material.scps(&account.key));
                    let unread = Policies { identity: Layer::Unread(Vec::new()), scps, ..nobody() };
                    self.push((*arn).to_owned(), arn, account, As::Aws, None, unread);
                }
            }
            Outsider::Principal { arn, account } => {
                self.push((*arn).to_owned(), arn, account, As::Aws, Some(account), others());
            }
            Outsider::Service(name) => self.push(format!("service {name}"), name, "", As::Service, None, nobody()),
            Outsider::Federated(name) => {
                self.push(format!("whomever identity provider {name} vouches for"), name, "", As::Federated, None, nobody());
            }
            Outsider::Unseen(principal) => {
                self.push(principal.to_string(), &principal.to_string(), "", As::Someone, Some("its account"), others());
            }
        }
    }
}

/// What an account outside allows is called so.
const OTHERS: &str = "the policies of its own account";

/// Whether a deciding statement is only what an account outside is taken to allow.
pub fn is_assumed(deciding: &lastcopy_iam::Deciding<'_>) -> bool {
    deciding.layer == LayerName::Identity && deciding.policy == OTHERS
}
