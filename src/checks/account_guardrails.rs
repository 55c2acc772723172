use lastcopy_iam::{Caller, Context, Guards, Layer, May, Named, Policies, Question, Target, may};
use serde::Deserialize;

use super::example::{Example, PRODUCTION, VAULT, production};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::{Demand, On};
use crate::document::allow_all;
use crate::estate::{AccountKey, Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::guardrails::{Guardrails, levels};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::account::organization::Organization;
use crate::resources::account::organization_policies::{ControlKind, ControlPolicy, OrganizationPolicies};
use crate::view::View;

/// The organization forbids everybody in the account, its root user included, what would destroy documents or the protection of
/// documents.
///
/// # Why
/// A Deny in a bucket policy or a permissions boundary holds until an administrator of the account removes it. What a service or
/// resource control policy denies, nobody in a member account can do, the root user included.
///
/// # Fails when
/// With every policy inside the account allowing it, the root user, a role or a user could still do one of the actions: no
/// control policy between the root of the organization and the account denies it in every request. A Deny with a
/// condition that a caller can meet or leave out does not count; one that exempts named principals counts, and only they are
/// exempt. Fails too when the account is in no organization, or manages it.
///
/// The policies are read from the account that the policy marks with `manages-organization: true`; without one it is unknown.
///
/// # Fix
/// Attach a service control policy that denies the actions to the organizational unit of the account, without conditions, or
/// with an exemption for one role that only a break-glass procedure can use.
///
/// # References
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html>,
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountGuardrails {
    /// The actions that must be denied, each written in full.
    #[serde(default = "denied")]
    #[schemars(length(min = 1), extend("examples" = [["s3:BypassGovernanceRetention"]]))]
    deny: Vec<String>,
    /// The resources on which they must be denied; `*` and `?` match. Without it: every resource.
    #[serde(default)]
    #[schemars(extend("examples" = [["arn:aws:s3:::acme-documents/*"]]))]
    on: Vec<String>,
}

fn denied() -> Vec<String> {
    let actions = [
        "organizations:LeaveOrganization",
        "s3:BypassGovernanceRetention",
        "s3:UpdateObjectEncryption",
        "kms:ScheduleKeyDeletion",
        "kms:DeleteImportedKeyMaterial",
        "cloudtrail:StopLogging",
        "cloudtrail:DeleteTrail",
    ];
    actions.map(str::to_owned).to_vec()
}

impl CheckType for AccountGuardrails {
    const META: &'static Meta = &Meta {
        id: "account-guardrails",
        unit: Kind::Account,
        severity: Severity::High,
        title: "The organization forbids what destroys documents and their protection",
        fix: "attach a service control policy that denies the actions to the account's organizational unit",
        references: &["NIST-800-53:AC-6"],
    };

    fn examples() -> Vec<Example> {
        let on = production();
        let world = |example: Example, scps: &[&str]| {
            let id = |id: &str, above: &str| (id.to_owned(), above.to_owned());
            let policies = scps.iter().enumerate().map(|(number, document)| ControlPolicy {
                id: format!("p-{number}"),
                name: format!("rail-{number}"),
                of: ControlKind::Scp,
                document: (*document).to_owned(),
                targets: if number == 0 { vec!["r-1".into(), "ou-1".into(), PRODUCTION.into()] } else { vec!["ou-1".into()] },
            });
            let tree = OrganizationPolicies {
                management_account: VAULT.to_owned(),
                parents: [id("ou-1", "r-1"), id(PRODUCTION, "ou-1"), id(VAULT, "r-1")].into(),
                policies: policies.collect(),
            };
            let own = Organization { id: "o-acme".to_owned(), management_account: VAULT.to_owned(), all_features: true };
            manager(example).known(&production(), own).known(&ResourceId::account(&AccountKey::new("vault")), tree)
        };
        let all = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let rail = |condition: &str| {
            let actions = serde_json::json!(denied());
            format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"Rail","Effect":"Deny","Action":{actions},"Resource":"*"{condition}}}]}}"#
            )
        };
        let exempt = r#","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/break-glass"}}"#;
        let asked = r#","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-central-1"}}"#;
        vec![
            world(Example::pass("denied to all", on.clone()), &[all, &rail("")]),
            world(Example::pass("but for a break-glass role", on.clone()), &[all, &rail(exempt)]),
            world(Example::fail("in one Region only", on.clone()), &[all, &rail(asked)]),
            world(Example::fail("nothing but FullAWSAccess", on.clone()), &[all]),
            world(Example::fail("no policy type is enabled", on.clone()), &[]),
            manager(Example::fail("in no organization", on.clone())).absent::<Organization>(&on),
            manager(world(Example::unknown("the policies are denied", on.clone()), &[]))
                .denied::<OrganizationPolicies>(&ResourceId::account(&AccountKey::new("vault"))),
            Example::unknown("nobody manages the organization", on.clone())
                .known(&on, Organization { id: "o-acme".to_owned(), management_account: VAULT.to_owned(), all_features: true }),
            manager(Example::unknown("denied", on.clone())).denied::<Organization>(&on),
        ]
    }
}

/// The vault manages the organization.
fn manager(example: Example) -> Example {
    example.estate(|estate| {
        if let Some(vault) = estate.accounts.get_mut(&AccountKey::new("vault")) {
            vault.manages_organization = true;
        }
    })
}

const REQUIRED: &str = "denied to everybody by the organization";

impl Check for AccountGuardrails {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Organization::SPEC]), Demand::of(On::Managers, &[OrganizationPolicies::SPEC])]
    }

    fn problems(&self) -> Vec<String> {
        let whole = |action: &&String| action.contains(':') && !action.contains(['*', '?']);
        let wrong = self.deny.iter().filter(|action| !whole(action));
        wrong.map(|action| format!("`{action}` is not one action written in full, such as `s3:DeleteObjectVersion`")).collect()
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(organization) = tally.read(view.read::<Organization>(unit)) else { return tally.finish() };
        let Some(organization) = organization else {
            let says = "the account is in no organization, so nothing stands above its own administrators";
            let _ = tally.fail::<Organization>(unit, says, "in no organization", REQUIRED);
            return tally.finish();
        };
        let Some(own) = view.account_number(&unit.account) else {
            tally.gap(Gap::new(Why::NotCollected, "GetCallerIdentity").with_detail("the number of the account is not known"));
            return tally.finish();
        };
        if own == organization.management_account {
            let says = "the account manages its organization, and no control policy binds it";
            let _ = tally.fail::<Organization>(unit, says, "the management account", REQUIRED).subject("management");
            return tally.finish();
        }
        let rails = Guardrails::over(&unit.account, view.estate, view.snapshot);
        if let Some(gap) = rails.gap {
            tally.gap(gap);
            return tally.finish();
        }
        if rails.scps.is_unread() {
            let detail = "no account of the policy that manages the organization says what is above this one; mark it with \
                          `manages-organization: true`";
            tally.gap(Gap::not_collected(OrganizationPolicies::SPEC).with_detail(detail));
            return tally.finish();
        }
        for action in &self.deny {
            match self.way_to(action, own, &rails) {
                None => tally.pass::<OrganizationPolicies>(unit, format!("{action} is denied"), REQUIRED),
                Some(way) => {
                    let says = format!("nothing above the account denies {action}{way}");
                    let _ = tally
                        .fail::<OrganizationPolicies>(unit, says, format!("{action} possible{way}"), REQUIRED)
                        .subject(action);
                }
            }
        }
        tally.finish()
    }
}

impl AccountGuardrails {
    /// How somebody of the account whom its own policies allow everything can do the action.
    fn way_to(&self, action: &str, own: &str, rails: &Guardrails) -> Option<String> {
        let all = Layer::Docs(vec![Named { name: "whatever the account allows", document: allow_all() }]);
        let policies = Policies { identity: all, scps: levels(&rails.scps), ..Policies::default() };
        let guards = Guards { rcps: levels(&rails.rcps), ..Guards::default() };
        let context = Context::open();
        let targets = if self.on.is_empty() {
            vec![Target::Any.pattern()]
        } else {
            self.on.iter().map(|glob| Target::Matching(glob).pattern()).collect()
        };
        // Nobody exempts these two by name: they stand for all whom nobody names.
        let callers = ["root", "role/lastcopy-nobody-in-particular", "user/lastcopy-nobody-in-particular"];
        for who in callers {
            let arn = format!("arn:aws:iam::{own}:{who}");
            for target in &targets {
                let caller = Caller::Aws { arn: &arn, account: own };
                let question = Question { caller, action, target, resource_account: Some(own), context: &context };
                let way = match may(&question, &policies, &guards) {
                    May::No(_) => continue,
                    May::Yes(_) => String::new(),
                    May::OnlyIf(ways) => {
                        let only = ways.first().map(|way| way.conditions.iter().map(ToString::to_string).collect::<Vec<_>>());
                        format!(" if {}", only.unwrap_or_default().join(" and "))
                    }
                    May::Unknown(_) => " as far as could be read".to_owned(),
                };
                let who = if who == "root" { "the root user" } else { "somebody" };
                return Some(format!(" to {who}{way}"));
            }
        }
        None
    }
}
