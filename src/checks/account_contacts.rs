use lastcopy_iam::{Case, Pattern};
use serde::Deserialize;

use super::example::{Example, production};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::account::contacts::{Contact, Contacts};
use crate::view::View;

/// AWS can reach somebody before it limits or closes the account.
///
/// # Why
/// AWS writes before it suspends an account for an unpaid bill or an abuse report, and deletes what is in it some time later. The mail
/// goes to the root user's address and to these contacts. If that is one mailbox of somebody who left, nobody hears of it.
///
/// # Fails when
/// One of the contacts in `require` is not set; or two of them have the same mail address (unless `distinct: false`); or an address
/// is of a domain that is not among `domains`. The root user's own address cannot be read and is not compared. Whether anybody reads
/// the mail is not known.
///
/// Addresses are not kept: only their domain and a short digest.
///
/// # Fix
/// Set the contacts (PutAlternateContact), each to a mailbox that several people read.
///
/// # References
/// <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-contact-alternate.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountContacts {
    /// The contacts that must be set; without it, all three.
    #[serde(default = "all")]
    require: Vec<Which>,
    /// Whether their mail addresses must differ.
    #[serde(default = "yes")]
    distinct: bool,
    /// The domains that mail addresses may be of, in lower case; without it, any. `*` and `?` are wildcards.
    domains: Option<Vec<String>>,
}

/// An alternate contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Which {
    Security,
    Billing,
    Operations,
}

impl Which {
    const ALL: [Self; 3] = [Self::Security, Self::Billing, Self::Operations];

    fn as_str(self) -> &'static str {
        match self {
            Self::Security => "security",
            Self::Billing => "billing",
            Self::Operations => "operations",
        }
    }

    fn of(self, contacts: &Contacts) -> Option<&Contact> {
        match self {
            Self::Security => contacts.security.as_ref(),
            Self::Billing => contacts.billing.as_ref(),
            Self::Operations => contacts.operations.as_ref(),
        }
    }
}

fn all() -> Vec<Which> {
    Which::ALL.to_vec()
}

fn yes() -> bool {
    true
}

impl CheckType for AccountContacts {
    const META: &'static Meta = &Meta {
        id: "account-contacts",
        unit: Kind::Account,
        severity: Severity::Medium,
        title: "AWS can reach somebody before it closes the account",
        fix: "set the security, billing and operations contacts, each to another mailbox (account PutAlternateContact)",
        references: &[
            "CIS-AWS-7.0:2.2",
            "CIS-AWS-7.0:2.3",
            "SecurityHub:Account.1",
            "Prowler:account_maintain_different_contact_details_to_security_billing_and_operations",
            "Prowler:account_security_contact_information_is_registered",
        ],
    };

    fn examples() -> Vec<Example> {
        let on = production();
        let contact = |address: &str| Contact::of("111111111111", address);
        let case = |example: Example, security: &str, billing: &str, operations: &str| {
            let (security, billing, operations) = (contact(security), contact(billing), contact(operations));
            example.known(&production(), Contacts { security, billing, operations })
        };
        let (security, billing, operations) = ("security@acme.example", "billing@acme.example", "ops@acme.example");
        let only_security = serde_json::json!({ "require": ["security"] });
        let of_acme = serde_json::json!({ "domains": ["acme.example"] });
        vec![
            case(Example::pass("all three", on.clone()), security, billing, operations),
            case(Example::pass("only the one required", on.clone()), security, "", "").with(only_security),
            case(Example::pass("one mailbox is enough", on.clone()), security, security, security)
                .with(serde_json::json!({ "distinct": false })),
            case(Example::pass("of the domain", on.clone()), security, billing, operations).with(of_acme.clone()),
            case(Example::fail("one is missing", on.clone()), security, "", operations),
            case(Example::fail("one mailbox for two", on.clone()), security, "Security@ACME.example", operations),
            case(Example::fail("of another domain", on.clone()), "acme@mail.example", billing, operations).with(of_acme),
            Example::unknown("absent", on.clone()).absent::<Contacts>(&on),
            Example::unknown("denied", on.clone()).denied::<Contacts>(&on),
        ]
    }
}

impl Check for AccountContacts {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Contacts::SPEC])]
    }

    fn problems(&self) -> Vec<String> {
        self.require.is_empty().then(|| "`require` names no contact".to_owned()).into_iter().collect()
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(found) = tally.read(view.read::<Contacts>(unit)) else { return tally.finish() };
        let Some(contacts) = found else {
            let spec = Contacts::SPEC;
            let gap = Gap::new(Why::Malformed, spec.operation).with_action(spec.actions.first().copied());
            tally.gap(gap.with_detail("the answer says nothing of contacts"));
            return tally.finish();
        };
        let domains: Option<Vec<Pattern>> =
            self.domains.as_ref().map(|globs| globs.iter().map(|glob| Pattern::new(glob, Case::Insensitive)).collect());
        let mut known: Vec<(Which, &Contact)> = Vec::new();
        for which in Which::ALL.into_iter().filter(|which| self.require.contains(which)) {
            let name = which.as_str();
            let Some(contact) = which.of(contacts) else {
                let says = format!("the account has no {name} contact");
                let _ = tally.fail::<Contacts>(unit, says, "not set", format!("a {name} contact")).subject(name);
                continue;
            };
            let seen = format!("{name}: an address at {}", contact.domain);
            let same = known.iter().find(|(_, other)| *other == contact);
            if domains.as_ref().is_some_and(|domains| !domains.iter().any(|glob| glob.matches(&contact.domain))) {
                let says = format!("the {name} contact has an address at {}, which is not among `domains`", contact.domain);
                let _ = tally.fail::<Contacts>(unit, says, seen, "an address at one of `domains`").subject(name);
            } else if let Some((other, _)) = same.filter(|_| self.distinct) {
                let says = format!("the {name} contact has the same mail address as the {} contact", other.as_str());
                let _ = tally.fail::<Contacts>(unit, says, seen, "different addresses").subject(name);
            } else {
                tally.pass::<Contacts>(unit, seen, format!("a {name} contact"));
            }
            known.push((which, contact));
        }
        tally.finish()
    }
}
