//! The service and resource control policies of the organization, and what they are attached to. Only the management account
//! and delegated administrators may read them. Absent: the account is in no organization.
//!
//! <https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListPolicies.html>

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// The tree of the organization with its control policies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct OrganizationPolicies {
    /// The account that no policy binds.
    pub management_account: String,
    /// The root or unit above each unit and account, by id. A root is above, and not below.
    pub parents: BTreeMap<String, String>,
    /// The policies whose type is enabled at the root; others are not in force.
    pub policies: Vec<ControlPolicy>,
}

/// One SCP or RCP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ControlPolicy {
    pub id: String,
    pub name: String,
    pub of: ControlKind,
    /// The IAM policy document.
    pub document: String,
    /// Ids of roots, units and accounts that it is attached to.
    pub targets: Vec<String>,
}

/// Whom a control policy limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ControlKind {
    /// Principals of member accounts.
    Scp,
    /// Everybody, on resources of member accounts.
    Rcp,
}

impl OrganizationPolicies {
    /// From the root down to the account, by id. `None`: the account is not in the tree.
    pub fn levels(&self, account: &str) -> Option<Vec<&str>> {
        let (mut at, _) = self.parents.get_key_value(account)?;
        let mut levels = vec![at.as_str()];
        while let Some(above) = self.parents.get(at) {
            // A tree that bites its tail is no tree.
            if levels.len() > 32 {
                return None;
            }
            levels.push(above);
            at = above;
        }
        levels.reverse();
        Some(levels)
    }
}

impl FactType for OrganizationPolicies {
    const EMPTY: bool = false;
    const SPEC: FactId = &FactSpec {
        id: "account.organization-policies",
        kind: Kind::Account,
        operation: "organizations:ListPolicies",
        also: &[
            "organizations:DescribeOrganization",
            "organizations:ListRoots",
            "organizations:ListOrganizationalUnitsForParent",
            "organizations:ListAccountsForParent",
            "organizations:DescribePolicy",
            "organizations:ListTargetsForPolicy",
        ],
        actions: &[
            "organizations:ListPolicies",
            "organizations:DescribeOrganization",
            "organizations:ListRoots",
            "organizations:ListOrganizationalUnitsForParent",
            "organizations:ListAccountsForParent",
            "organizations:DescribePolicy",
            "organizations:ListTargetsForPolicy",
        ],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::AccountReader> for OrganizationPolicies {
    #[cfg(not(feature = "organizations"))]
    async fn read(_: &crate::aws::AccountReader) -> crate::aws::Reading<Self> {
        Err(crate::aws::Failure::not_compiled("organizations"))
    }

    #[cfg(feature = "organizations")]
    async fn read(from: &crate::aws::AccountReader) -> crate::aws::Reading<Self> {
        let Some(organization) = super::organization::Organization::read(from).await? else { return Ok(None) };
        live::read(from, organization.management_account).await.map(Some)
    }
}

#[cfg(all(feature = "aws", feature = "organizations"))]
mod live {
    use std::collections::BTreeMap;

    use aws_sdk_organizations::types::{PolicyType, PolicyTypeStatus, Root};

    use super::{ControlKind, ControlPolicy, OrganizationPolicies};
    use crate::aws::{AccountReader, Failure, pages};

    type Ids = Result<(Vec<String>, Option<String>), Failure>;

    pub(super) async fn read(from: &AccountReader, management_account: String) -> Result<OrganizationPolicies, Failure> {
        let roots = roots(from).await?;
        let mut parents = BTreeMap::new();
        let mut above: Vec<String> = roots.iter().filter_map(|root| root.id.clone()).collect();
        if above.is_empty() || above.len() != roots.len() {
            return Err(Failure::malformed("the organization has no root with an id"));
        }
        while let Some(parent) = above.pop() {
            let units = pages(|token| units(from, parent.clone(), token)).await?;
            let accounts = pages(|token| accounts(from, parent.clone(), token)).await?;
            for child in units.iter().chain(&accounts) {
                if parents.insert(child.clone(), parent.clone()).is_some() {
                    return Err(Failure::malformed(format!("{child} has two parents")));
                }
            }
            above.extend(units);
        }
        let mut policies = Vec::new();
        for (of, name) in
            [(ControlKind::Scp, PolicyType::ServiceControlPolicy), (ControlKind::Rcp, PolicyType::ResourceControlPolicy)]
        {
            if roots.iter().any(|root| is_enabled(root, &name)) {
                policies.extend(all(from, of, name).await?);
            }
        }
        Ok(OrganizationPolicies { management_account, parents, policies })
    }

    fn is_enabled(root: &Root, of: &PolicyType) -> bool {
        let types = root.policy_types.iter().flatten();
        types.into_iter().any(|found| found.r#type.as_ref() == Some(of) && found.status == Some(PolicyTypeStatus::Enabled))
    }

    async fn roots(from: &AccountReader) -> Result<Vec<Root>, Failure> {
        pages(async |token| {
            let send = |org: aws_sdk_organizations::Client| async move { org.list_roots().set_next_token(token).send().await };
            let page = from.organizations(from.home(), "organizations:ListRoots", send).await?;
            Ok((listed(page.roots, "Roots")?, page.next_token))
        })
        .await
    }

    async fn units(from: &AccountReader, parent: String, token: Option<String>) -> Ids {
        let send = |org: aws_sdk_organizations::Client| async move {
            org.list_organizational_units_for_parent().parent_id(parent).set_next_token(token).send().await
        };
        let page = from.organizations(from.home(), "organizations:ListOrganizationalUnitsForParent", send).await?;
        Ok((ids(listed(page.organizational_units, "OrganizationalUnits")?, |unit| unit.id)?, page.next_token))
    }

    async fn accounts(from: &AccountReader, parent: String, token: Option<String>) -> Ids {
        let send = |org: aws_sdk_organizations::Client| async move {
            org.list_accounts_for_parent().parent_id(parent).set_next_token(token).send().await
        };
        let page = from.organizations(from.home(), "organizations:ListAccountsForParent", send).await?;
        Ok((ids(listed(page.accounts, "Accounts")?, |account| account.id)?, page.next_token))
    }

    /// A list that the answer leaves out is not an empty one.
    fn listed<T>(found: Option<Vec<T>>, name: &str) -> Result<Vec<T>, Failure> {
        found.ok_or_else(|| Failure::malformed(format!("the answer holds no {name}")))
    }

    fn ids<T>(found: Vec<T>, id: impl Fn(T) -> Option<String>) -> Result<Vec<String>, Failure> {
        found.into_iter().map(|one| id(one).ok_or_else(|| Failure::malformed("a unit or an account without an id"))).collect()
    }

    async fn all(from: &AccountReader, of: ControlKind, name: PolicyType) -> Result<Vec<ControlPolicy>, Failure> {
        let found = pages(async |token| {
            let name = name.clone();
            let send = |org: aws_sdk_organizations::Client| async move {
                org.list_policies().filter(name).set_next_token(token).send().await
            };
            let page = from.organizations(from.home(), "organizations:ListPolicies", send).await?;
            Ok((listed(page.policies, "Policies")?, page.next_token))
        })
        .await?;
        let mut policies = Vec::new();
        for summary in found {
            let Some(id) = summary.id else { return Err(Failure::malformed("a control policy without an id")) };
            let asked = id.clone();
            let send = |org: aws_sdk_organizations::Client| async move { org.describe_policy().policy_id(asked).send().await };
            let answer = from.organizations(from.home(), "organizations:DescribePolicy", send).await?;
            let Some(document) = answer.policy.and_then(|policy| policy.content) else {
                return Err(Failure::malformed(format!("the control policy {id} has no document")));
            };
            let targets = pages(|token| targets(from, id.clone(), token)).await?;
            policies.push(ControlPolicy { name: summary.name.unwrap_or_else(|| id.clone()), id, of, document, targets });
        }
        Ok(policies)
    }

    async fn targets(from: &AccountReader, policy: String, token: Option<String>) -> Ids {
        let send = |org: aws_sdk_organizations::Client| async move {
            org.list_targets_for_policy().policy_id(policy).set_next_token(token).send().await
        };
        let page = from.organizations(from.home(), "organizations:ListTargetsForPolicy", send).await?;
        Ok((ids(listed(page.targets, "Targets")?, |target| target.target_id)?, page.next_token))
    }
}
