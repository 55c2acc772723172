//! IAM over the Query protocol: dispatch, paging, and the small answers. Pages under
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/>.

use crate::people::{RootMfa, User};
use crate::reply::{Answer, Fail, Reply, RequestId};
use crate::route::{Call, Service};
use crate::state::{Caller, State, unique_id};
use crate::world::Account;
use crate::xml::Xml;
use crate::{iam_access, iam_details, iam_report};

pub(crate) fn answer(state: &State, call: &Call, caller: &Caller, id: &RequestId) -> Answer {
    let account = state.account(caller);
    if let Some(reply) = iam_access::canned(account, call, id) {
        return reply;
    }
    match &*call.operation {
        "GetAccountAuthorizationDetails" => iam_details::answer(account, call, id),
        "GetAccountSummary" => Ok(summary(account, id)),
        "GetAccountPasswordPolicy" => password_policy(account, id),
        "GenerateCredentialReport" => Ok(iam_report::generate(&state.reports[caller.account], id)),
        "GetCredentialReport" => iam_report::get(&state.reports[caller.account], account, &state.world.now, id),
        "ListUsers" => list_users(account, call, id),
        "ListVirtualMFADevices" => list_mfa_devices(account, call, id),
        "ListSAMLProviders" => Ok(action_result(Service::Iam, "ListSAMLProviders", id, |x| x.node("SAMLProviderList", |_| {}))),
        "ListOpenIDConnectProviders" => {
            Ok(action_result(Service::Iam, "ListOpenIDConnectProviders", id, |x| x.node("OpenIDConnectProviderList", |_| {})))
        }
        "ListOrganizationsFeatures" => {
            Err(Fail::new(404, "OrganizationNotFoundException", "The account is not a member of an organization."))
        }
        "GenerateServiceLastAccessedDetails" => iam_access::generate(account, call, id),
        "GetServiceLastAccessedDetails" => iam_access::get(state, account, call, id),
        "ListAccountAliases" => Ok(list_aliases(account, id)),
        _ => Err(invalid_action(call)),
    }
}

/// `<XResponse><XResult>...</XResult><ResponseMetadata>...`, as every Query answer is wrapped.
pub(crate) fn action_result(service: Service, action: &str, id: &RequestId, fill: impl FnOnce(&mut Xml)) -> Reply {
    let body = Xml::bare(&format!("{action}Response"), service.namespace(), |x| {
        x.node(&format!("{action}Result"), fill);
        x.node("ResponseMetadata", |x| x.leaf("RequestId", &id.long()));
    });
    Reply { content_type: "text/xml", ..Reply::xml(body) }
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>
pub(crate) fn invalid_action(call: &Call) -> Fail {
    let version = call.param("Version").unwrap_or_default();
    Fail::new(400, "InvalidAction", format!("Could not find operation {} for version {version}", call.operation))
}

pub(crate) fn validation(member: &str) -> Fail {
    Fail::new(400, "ValidationError", format!("1 validation error detected: Value at '{member}' failed to satisfy constraint"))
}

/// The part of a listing that a call asked for.
pub(crate) struct Page {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) marker: Option<String>,
}

/// `Marker` and `MaxItems` (100 unless told), over `total` items.
pub(crate) fn page(call: &Call, total: usize) -> Result<Page, Fail> {
    let max = match call.param("MaxItems").map(str::parse::<usize>) {
        None => 100,
        Some(Ok(max @ 1..=1000)) => max,
        Some(_) => return Err(validation("maxItems")),
    };
    let from = match call.param("Marker") {
        None => 0,
        Some(marker) => {
            let at = marker.strip_prefix("AAE").and_then(|digits| usize::from_str_radix(digits, 16).ok());
            at.filter(|at| *at <= total).ok_or_else(|| Fail::new(400, "ValidationError", "Invalid Marker."))?
        }
    };
    if call.repeat_token {
        let marker = call.param("Marker").map_or_else(|| format!("AAE{:08x}", 0), str::to_owned);
        return Ok(Page { from, to: total.min(from + max), marker: Some(marker) });
    }
    let to = total.min(from + max);
    Ok(Page { from, to, marker: (to < total).then(|| format!("AAE{to:08x}")) })
}

impl Page {
    pub(crate) fn write(&self, x: &mut Xml) {
        x.leaf("IsTruncated", yes(self.marker.is_some()));
        x.maybe("Marker", self.marker.as_deref());
    }
}

pub(crate) fn yes(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html>
fn summary(account: &Account, id: &RequestId) -> Reply {
    let root = &account.root;
    let mfa_users = account.users.iter().filter(|user| user.mfa.is_some()).count();
    let root_mfa = usize::from(root.mfa != RootMfa::None);
    let local = account.policies.iter().filter(|policy| !policy.arn.starts_with("arn:aws:iam::aws:"));
    let versions = local.clone().map(|policy| policy.versions.len()).sum::<usize>();
    let profiles = account.roles.iter().map(|role| role.instance_profiles.len()).sum::<usize>();
    let entries = [
        ("Users", account.users.len()),
        ("UsersQuota", 5000),
        ("Groups", account.groups.len()),
        ("GroupsQuota", 300),
        ("Roles", account.roles.len()),
        ("RolesQuota", 1000),
        ("Policies", local.count()),
        ("PoliciesQuota", 1500),
        ("PolicyVersionsInUse", versions),
        ("PolicyVersionsInUseQuota", 10_000),
        ("VersionsPerPolicyQuota", 5),
        ("InstanceProfiles", profiles),
        ("InstanceProfilesQuota", 1000),
        ("AccessKeysPerUserQuota", 2),
        ("GroupsPerUserQuota", 10),
        ("MFADevices", mfa_users + root_mfa),
        ("MFADevicesInUse", mfa_users + root_mfa),
        ("AccountMFAEnabled", root_mfa),
        ("AccountAccessKeysPresent", usize::from(root.keys.iter().any(|key| key.active))),
        ("AccountPasswordPresent", usize::from(root.password)),
        ("AccountSigningCertificatesPresent", 0),
        ("SigningCertificatesPerUserQuota", 2),
        ("AttachedPoliciesPerUserQuota", 10),
        ("AttachedPoliciesPerGroupQuota", 10),
        ("AttachedPoliciesPerRoleQuota", 10),
        ("UserPolicySizeQuota", 2048),
        ("GroupPolicySizeQuota", 5120),
        ("RolePolicySizeQuota", 10_240),
        ("AssumeRolePolicySizeQuota", 2048),
        ("PolicySizeQuota", 6144),
        ("Providers", 0),
        ("ServerCertificates", 0),
        ("ServerCertificatesQuota", 20),
        ("GlobalEndpointTokenVersion", 1),
    ];
    action_result(Service::Iam, "GetAccountSummary", id, |x| {
        x.node("SummaryMap", |x| {
            for (key, value) in entries {
                x.node("entry", |x| {
                    x.leaf("key", key);
                    x.leaf("value", &value.to_string());
                });
            }
        });
    })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountPasswordPolicy.html>
fn password_policy(account: &Account, id: &RequestId) -> Answer {
    let policy = account.password_policy.as_ref().ok_or_else(|| {
        Fail::new(404, "NoSuchEntity", format!("The Password Policy with domain name {} cannot be found.", account.id))
    })?;
    Ok(action_result(Service::Iam, "GetAccountPasswordPolicy", id, |x| {
        x.node("PasswordPolicy", |x| {
            x.leaf("MinimumPasswordLength", &policy.minimum_length.to_string());
            x.leaf("RequireSymbols", yes(policy.symbols));
            x.leaf("RequireNumbers", yes(policy.numbers));
            x.leaf("RequireUppercaseCharacters", yes(policy.uppercase));
            x.leaf("RequireLowercaseCharacters", yes(policy.lowercase));
            x.leaf("AllowUsersToChangePassword", yes(policy.users_may_change));
            x.leaf("ExpirePasswords", yes(policy.max_age.is_some()));
            x.maybe("MaxPasswordAge", policy.max_age.map(|n| n.to_string()).as_deref());
            x.maybe("PasswordReusePrevention", policy.reuse_prevention.map(|n| n.to_string()).as_deref());
            x.maybe("HardExpiry", policy.hard_expiry.map(yes));
        });
    }))
}

fn user_fields(x: &mut Xml, account: &Account, user: &User) {
    let arn = format!("arn:aws:iam::{}:user/{}", account.id, user.name);
    x.leaf("Path", "/");
    x.leaf("UserName", &user.name);
    x.leaf("UserId", &unique_id("AIDA", &arn));
    x.leaf("Arn", &arn);
    x.leaf("CreateDate", &user.created);
    x.maybe("PasswordLastUsed", user.password.as_ref().and_then(|password| password.last_used.as_deref()));
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html>: without tags and boundary, as documented.
fn list_users(account: &Account, call: &Call, id: &RequestId) -> Answer {
    let page = page(call, account.users.len())?;
    Ok(action_result(Service::Iam, "ListUsers", id, |x| {
        page.write(x);
        x.node("Users", |x| {
            for user in &account.users[page.from..page.to] {
                x.node("member", |x| user_fields(x, account, user));
            }
        });
    }))
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListVirtualMFADevices.html>: a hardware device of the root user
/// is not among them.
fn list_mfa_devices(account: &Account, call: &Call, id: &RequestId) -> Answer {
    let assigned = call.param("AssignmentStatus") != Some("Unassigned");
    let root = (assigned && account.root.mfa == RootMfa::Virtual).then_some(None);
    let users = account.users.iter().filter(|user| assigned && user.mfa.is_some()).map(Some);
    let devices: Vec<Option<&User>> = root.into_iter().chain(users).collect();
    let page = page(call, devices.len())?;
    let serial = |name: &str| format!("arn:aws:iam::{}:mfa/{name}", account.id);
    Ok(action_result(Service::Iam, "ListVirtualMFADevices", id, |x| {
        page.write(x);
        x.node("VirtualMFADevices", |x| {
            for device in &devices[page.from..page.to] {
                x.node("member", |x| match device {
                    Some(user) => {
                        x.leaf("SerialNumber", &serial(&user.name));
                        x.maybe("EnableDate", user.mfa.as_deref());
                        x.node("User", |x| user_fields(x, account, user));
                    }
                    None => {
                        x.leaf("SerialNumber", &serial("root-account-mfa-device"));
                        x.leaf("EnableDate", &account.root.created);
                        x.node("User", |x| {
                            x.leaf("UserId", &account.id);
                            x.leaf("Arn", &format!("arn:aws:iam::{}:root", account.id));
                            x.leaf("CreateDate", &account.root.created);
                            x.maybe("PasswordLastUsed", account.root.password_last_used.as_deref());
                        });
                    }
                });
            }
        });
    }))
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccountAliases.html>
fn list_aliases(account: &Account, id: &RequestId) -> Reply {
    action_result(Service::Iam, "ListAccountAliases", id, |x| {
        x.node("AccountAliases", |x| x.leaf("member", &account.name));
        x.leaf("IsTruncated", "false");
    })
}
