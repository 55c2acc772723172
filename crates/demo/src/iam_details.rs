//! GetAccountAuthorizationDetails: the whole IAM graph of an account, in pages.

use std::collections::HashMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::iam::{Page, action_result, page, validation, yes};
use crate::people::{Group, ManagedPolicy, Role, User};
use crate::reply::{Answer, RequestId};
use crate::route::{Call, Service};
use crate::state::unique_id;
use crate::world::Account;
use crate::xml::Xml;

/// Everything but the unreserved characters of RFC 3986, as the page says.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const KINDS: [&str; 5] = ["User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"];

enum Item<'a> {
    User(&'a User),
    Group(&'a Group),
    Role(&'a Role),
    Policy(&'a ManagedPolicy),
}

/// How often a policy is attached, and how often it is a boundary.
type Usage<'a> = HashMap<&'a str, (usize, usize)>;

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html>
pub(crate) fn answer(account: &Account, call: &Call, id: &RequestId) -> Answer {
    let filters: Vec<&str> = call.members("Filter").collect();
    if filters.iter().any(|filter| !KINDS.contains(filter)) {
        return Err(validation("filter"));
    }
    let items: Vec<Item<'_>> = items(account).filter(|item| filters.is_empty() || filters.contains(&item.kind())).collect();
    let page = page(call, items.len())?;
    let usage = usage(account);
    Ok(action_result(Service::Iam, "GetAccountAuthorizationDetails", id, |x| write(x, account, &items, &page, &usage)))
}

fn items(account: &Account) -> impl Iterator<Item = Item<'_>> {
    let users = account.users.iter().map(Item::User);
    let groups = account.groups.iter().map(Item::Group);
    let roles = account.roles.iter().map(Item::Role);
    users.chain(groups).chain(roles).chain(account.policies.iter().map(Item::Policy))
}

impl Item<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "User",
            Self::Group(_) => "Group",
            Self::Role(_) => "Role",
            Self::Policy(policy) if aws_managed(policy) => "AWSManagedPolicy",
            Self::Policy(_) => "LocalManagedPolicy",
        }
    }
}

fn aws_managed(policy: &ManagedPolicy) -> bool {
    policy.arn.starts_with("arn:aws:iam::aws:")
}

fn usage(account: &Account) -> Usage<'_> {
    let mut usage = Usage::new();
    let attached = account.users.iter().map(|user| &user.attached).chain(account.groups.iter().map(|group| &group.attached));
    for arn in attached.chain(account.roles.iter().map(|role| &role.attached)).flatten() {
        usage.entry(arn).or_default().0 += 1;
    }
    let boundaries = account.users.iter().map(|user| &user.boundary).chain(account.roles.iter().map(|role| &role.boundary));
    for arn in boundaries.flatten() {
        usage.entry(arn).or_default().1 += 1;
    }
    usage
}

fn write(x: &mut Xml, account: &Account, items: &[Item<'_>], page: &Page, usage: &Usage<'_>) {
    let shown = &items[page.from..page.to];
    page.write(x);
    list(x, "UserDetailList", shown, |x, item| {
        if let Item::User(user) = item {
            write_user(x, account, user)
        }
    });
    list(x, "GroupDetailList", shown, |x, item| {
        if let Item::Group(group) = item {
            write_group(x, account, group)
        }
    });
    list(x, "RoleDetailList", shown, |x, item| {
        if let Item::Role(role) = item {
            write_role(x, account, role)
        }
    });
    list(x, "Policies", shown, |x, item| {
        if let Item::Policy(policy) = item {
            write_policy(x, policy, usage)
        }
    });
}

fn list<T>(x: &mut Xml, tag: &str, items: &[T], mut each: impl FnMut(&mut Xml, &T)) {
    x.node(tag, |x| items.iter().for_each(|item| each(x, item)));
}

fn write_user(x: &mut Xml, account: &Account, user: &User) {
    let arn = format!("arn:aws:iam::{}:user/{}", account.id, user.name);
    x.node("member", |x| {
        x.leaf("Path", "/");
        x.leaf("UserName", &user.name);
        x.leaf("UserId", &unique_id("AIDA", &arn));
        x.leaf("Arn", &arn);
        x.leaf("CreateDate", &user.created);
        inline(x, "UserPolicyList", &user.inline);
        list(x, "GroupList", &user.groups, |x, group| x.leaf("member", group));
        attached(x, &user.attached);
        boundary(x, user.boundary.as_deref());
        tags(x, &user.tags);
    });
}

fn write_group(x: &mut Xml, account: &Account, group: &Group) {
    let arn = format!("arn:aws:iam::{}:group/{}", account.id, group.name);
    x.node("member", |x| {
        x.leaf("Path", "/");
        x.leaf("GroupName", &group.name);
        x.leaf("GroupId", &unique_id("AGPA", &arn));
        x.leaf("Arn", &arn);
        x.leaf("CreateDate", &group.created);
        inline(x, "GroupPolicyList", &group.inline);
        attached(x, &group.attached);
    });
}

fn role_fields(x: &mut Xml, account: &Account, role: &Role) {
    let arn = format!("arn:aws:iam::{}:role{}{}", account.id, role.path, role.name);
    x.leaf("Path", &role.path);
    x.leaf("RoleName", &role.name);
    x.leaf("RoleId", &unique_id("AROA", &arn));
    x.leaf("Arn", &arn);
    x.leaf("CreateDate", &role.created);
    x.leaf("AssumeRolePolicyDocument", &encoded(&role.trust));
}

fn write_role(x: &mut Xml, account: &Account, role: &Role) {
    x.node("member", |x| {
        role_fields(x, account, role);
        list(x, "InstanceProfileList", &role.instance_profiles, |x, profile| {
            let arn = format!("arn:aws:iam::{}:instance-profile/{profile}", account.id);
            x.node("member", |x| {
                x.leaf("Path", "/");
                x.leaf("InstanceProfileName", profile);
                x.leaf("InstanceProfileId", &unique_id("AIPA", &arn));
                x.leaf("Arn", &arn);
                x.leaf("CreateDate", &role.created);
                x.node("Roles", |x| x.node("member", |x| role_fields(x, account, role)));
            });
        });
        inline(x, "RolePolicyList", &role.inline);
        attached(x, &role.attached);
        boundary(x, role.boundary.as_deref());
        tags(x, &role.tags);
        x.node("RoleLastUsed", |x| {
            if let Some((date, region)) = &role.last_used {
                x.leaf("LastUsedDate", date);
                x.leaf("Region", region);
            }
        });
    });
}

fn write_policy(x: &mut Xml, policy: &ManagedPolicy, usage: &Usage<'_>) {
    let path = policy.arn.split_once(":policy").map_or(policy.arn.as_str(), |(_, path)| path);
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let (attachments, boundaries) = usage.get(policy.arn.as_str()).copied().unwrap_or_default();
    let default = policy.versions.iter().find(|version| version.default);
    x.node("member", |x| {
        x.leaf("PolicyName", name);
        x.leaf("PolicyId", &unique_id("ANPA", &policy.arn));
        x.leaf("Arn", &policy.arn);
        x.leaf("Path", &format!("{folder}/"));
        x.maybe("DefaultVersionId", default.map(|version| version.id.as_str()));
        x.leaf("AttachmentCount", &attachments.to_string());
        x.leaf("PermissionsBoundaryUsageCount", &boundaries.to_string());
        x.leaf("IsAttachable", "true");
        x.maybe("Description", policy.description.as_deref());
        x.maybe("CreateDate", policy.versions.first().map(|version| version.created.as_str()));
        x.maybe("UpdateDate", policy.versions.last().map(|version| version.created.as_str()));
        list(x, "PolicyVersionList", &policy.versions, |x, version| {
            x.node("member", |x| {
                x.leaf("Document", &encoded(&version.document));
                x.leaf("VersionId", &version.id);
                x.leaf("IsDefaultVersion", yes(version.default));
                x.leaf("CreateDate", &version.created);
            });
        });
    });
}

fn inline(x: &mut Xml, tag: &str, policies: &[(String, String)]) {
    list(x, tag, policies, |x, (name, document)| {
        x.node("member", |x| {
            x.leaf("PolicyName", name);
            x.leaf("PolicyDocument", &encoded(document));
        });
    });
}

fn attached(x: &mut Xml, arns: &[String]) {
    list(x, "AttachedManagedPolicies", arns, |x, arn| {
        x.node("member", |x| {
            x.leaf("PolicyName", arn.rsplit('/').next().unwrap_or(arn));
            x.leaf("PolicyArn", arn);
        });
    });
}

fn boundary(x: &mut Xml, arn: Option<&str>) {
    if let Some(arn) = arn {
        x.node("PermissionsBoundary", |x| {
            x.leaf("PermissionsBoundaryType", "Policy");
            x.leaf("PermissionsBoundaryArn", arn);
        });
    }
}

fn tags(x: &mut Xml, tags: &[(String, String)]) {
    list(x, "Tags", tags, |x, (key, value)| {
        x.node("member", |x| {
            x.leaf("Key", key);
            x.leaf("Value", value);
        });
    });
}

fn encoded(document: &str) -> String {
    utf8_percent_encode(document, RESERVED).to_string()
}
