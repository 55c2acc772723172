//! The output of `aws iam get-account-authorization-details`, read from a file into the facts that a live reading makes.
//!
//! It must never drop a principal or a policy: a document that is none stays as its text, which no later step can parse, and a
//! file that is not the whole answer makes a listing that did not finish.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html>

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::estate::{AccountKey, ResourceId};
use crate::fact::{Fact, Gap, Kind, Why};
use crate::resources::FactType;
use crate::resources::iam_group::permissions::GroupPermissions;
use crate::resources::iam_policy::document::ManagedDocument;
use crate::resources::iam_role::permissions::RolePermissions;
use crate::resources::iam_user::permissions::{AUTHORIZATION, Inline, UserPermissions};
use crate::snapshot::Snapshot;

/// Why a file is not such an output.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not JSON, or of another shape.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// PowerShell writes it so.
    #[error("the file is UTF-16; it must be UTF-8")]
    Utf16,
    /// JSON, and nothing of what the command prints.
    #[error(
        "it holds none of UserDetailList, GroupDetailList, RoleDetailList and Policies; \
        it must be the output of `aws iam get-account-authorization-details`"
    )]
    Nothing,
    /// A name that can only be once has two values.
    #[error("{0} is in it twice, with different content")]
    Twice(String),
    /// An ARN that cannot be.
    #[error("{of} has the ARN `{arn}`, which is none of IAM")]
    Arn {
        /// Of whom.
        of: String,
        /// The ARN as it stands there.
        arn: String,
    },
    /// Files of two accounts put together.
    #[error("it holds principals of two accounts, {0} and {1}")]
    TwoAccounts(String, String),
}

/// The principals and policies of one account, as a file holds them.
#[derive(Debug, Default)]
pub struct Details {
    /// The account, where an ARN tells it.
    pub account: Option<String>,
    partition: Option<String>,
    users: BTreeMap<String, UserPermissions>,
    groups: BTreeMap<String, GroupPermissions>,
    roles: BTreeMap<String, RolePermissions>,
    policies: BTreeMap<String, Result<ManagedDocument, String>>,
    /// Why it may not be everything.
    cut: Option<String>,
}

/// Reads one page, several one after the other, or a list of them.
pub fn read(bytes: &[u8]) -> Result<Details, ReadError> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(ReadError::Utf16);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut out = Details::default();
    let (mut seen, mut last) = ([false; 4], false);
    for pages in serde_json::Deserializer::from_slice(bytes).into_iter::<Pages<'_>>() {
        for page in pages?.0 {
            let lists = [page.users.is_some(), page.groups.is_some(), page.roles.is_some(), page.policies.is_some()];
            seen.iter_mut().zip(lists).for_each(|(seen, there)| *seen |= there);
            last = page.is_truncated.unwrap_or_default() || page.next_token.as_ref().is_some_and(|token| !token.is_empty());
            out.add(page)?;
        }
    }
    let lists = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"];
    let missing: Vec<&str> = lists.into_iter().zip(seen).filter_map(|(name, there)| (!there).then_some(name)).collect();
    if missing.len() == lists.len() {
        return Err(ReadError::Nothing);
    }
    out.cut = if last {
        Some("its last page says that there are more".to_owned())
    } else {
        (!missing.is_empty()).then(|| format!("it has no {}", missing.join(" and no ")))
    };
    Ok(out)
}

impl Details {
    fn add(&mut self, page: Page<'_>) -> Result<(), ReadError> {
        for user in page.users.unwrap_or_default() {
            self.own(&user.arn, "user", &user.user_name)?;
            let found = UserPermissions {
                arn: user.arn,
                inline: inline(user.user_policy_list),
                attached: attached(user.attached_managed_policies),
                groups: user.group_list.unwrap_or_default(),
                boundary: user.permissions_boundary.and_then(|b| b.permissions_boundary_arn),
                created: created(user.create_date),
            };
            once(&mut self.users, user.user_name, found, "user")?;
        }
        for group in page.groups.unwrap_or_default() {
            self.own(&group.arn, "group", &group.group_name)?;
            let found = GroupPermissions {
                arn: group.arn,
                inline: inline(group.group_policy_list),
                attached: attached(group.attached_managed_policies),
            };
            once(&mut self.groups, group.group_name, found, "group")?;
        }
        for role in page.roles.unwrap_or_default() {
            self.own(&role.arn, "role", &role.role_name)?;
            let found = RolePermissions {
                arn: role.arn,
                inline: inline(role.role_policy_list),
                attached: attached(role.attached_managed_policies),
                boundary: role.permissions_boundary.and_then(|b| b.permissions_boundary_arn),
                created: created(role.create_date),
                trust: role.assume_role_policy_document.map(text_of).unwrap_or_default(),
            };
            once(&mut self.roles, role.role_name, found, "role")?;
        }
        for policy in page.policies.unwrap_or_default() {
            let versions = policy.policy_version_list.unwrap_or_default();
            let mut defaults = versions.iter().filter(|version| version.is_default_version);
            let (default, further) = (defaults.next(), defaults.next());
            let agreed =
                |found: &Version<'_>| policy.default_version_id.is_none() || found.version_id == policy.default_version_id;
            let found = match (default, further) {
                (Some(found), None) if agreed(found) => Ok(ManagedDocument {
                    document: found.document.map(text_of).unwrap_or_default(),
                    attachments: policy.attachment_count.unwrap_or_default(),
                }),
                _ => Err(format!("policy {} has no one default version", policy.arn)),
            };
            once(&mut self.policies, policy.arn, found, "policy")?;
        }
        Ok(())
    }

    /// Notes the account of a principal.
    fn own(&mut self, arn: &str, kind: &str, name: &str) -> Result<(), ReadError> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let (partition, account) = match parts.as_slice() {
            ["arn", partition, "iam", "", account, _] if is_account(account) => (*partition, *account),
            _ => return Err(ReadError::Arn { of: format!("{kind} {name}"), arn: arn.to_owned() }),
        };
        match &self.account {
            Some(known) if known != account => Err(ReadError::TwoAccounts(known.clone(), account.to_owned())),
            Some(_) => Ok(()),
            None => {
                self.account = Some(account.to_owned());
                self.partition = Some(partition.to_owned());
                Ok(())
            }
        }
    }

    /// As a snapshot of this account, as a live reading would have left it.
    pub fn into_snapshot(self, account: &str, taken: Timestamp) -> Snapshot {
        let mut snapshot = Snapshot::empty(taken);
        let key = AccountKey::new(account);
        self.put(&mut snapshot, &key, account, taken);
        snapshot
    }

    /// Into a snapshot, under the key of the account.
    pub fn put(self, snapshot: &mut Snapshot, key: &AccountKey, account: &str, taken: Timestamp) {
        let record = snapshot.accounts.entry(key.clone()).or_default();
        record.id = Some(account.to_owned());
        record.partition = Some(self.partition.unwrap_or_else(|| "aws".to_owned()));
        let used: BTreeSet<String> = {
            let users = self.users.values().flat_map(|user| user.attached.iter().chain(&user.boundary));
            let roles = self.roles.values().flat_map(|role| role.attached.iter().chain(&role.boundary));
            let groups = self.groups.values().flat_map(|group| &group.attached);
            users.chain(roles).chain(groups).cloned().collect()
        };
        let mut count = self.users.len() + self.groups.len() + self.roles.len();
        for (name, found) in self.users {
            snapshot.put(&ResourceId::new(key, Kind::IamUser, &name), Fact::Known(found), taken);
        }
        for (name, found) in self.groups {
            snapshot.put(&ResourceId::new(key, Kind::IamGroup, &name), Fact::Known(found), taken);
        }
        for (name, found) in self.roles {
            snapshot.put(&ResourceId::new(key, Kind::IamRole, &name), Fact::Known(found), taken);
        }
        let of = ManagedDocument::SPEC;
        let gap = |why, detail: String| {
            Box::new(Gap::new(why, AUTHORIZATION).with_action(of.actions.first().copied()).with_detail(detail))
        };
        for (arn, found) in self.policies {
            // AWS lists all of its own policies; those that nobody has say nothing.
            if arn.split(':').nth(4) == Some("aws") && !used.contains(&arn) {
                continue;
            }
            count += 1;
            let fact = found.map_or_else(|detail| Fact::Unreadable(gap(Why::Malformed, detail)), Fact::Known);
            snapshot.put(&ResourceId::new(key, Kind::IamPolicy, &arn), fact, taken);
        }
        let state = match self.cut {
            Some(cut) => Fact::Unreadable(gap(Why::Truncated, format!("the file is not the whole answer: {cut}"))),
            None => Fact::Known(count),
        };
        snapshot.put_listing(key, AUTHORIZATION, state);
    }
}

/// The policy document of a file: the text itself, or what `aws s3api get-bucket-policy` and `aws organizations
/// describe-policy` print around it.
pub fn document_of(text: &str) -> Cow<'_, str> {
    #[derive(Deserialize)]
    struct Around<'a> {
        #[serde(rename = "Policy", borrow)]
        policy: &'a RawValue,
    }
    #[derive(Deserialize)]
    struct Described<'a> {
        #[serde(rename = "Content", borrow)]
        content: Cow<'a, str>,
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Ok(around) = serde_json::from_str::<Around<'_>>(text) else { return Cow::Borrowed(text) };
    let described = serde_json::from_str::<Described<'_>>(around.policy.get());
    described.map_or_else(|_| Cow::Owned(text_of(around.policy)), |found| Cow::Owned(found.content.into_owned()))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn once<T: PartialEq>(into: &mut BTreeMap<String, T>, name: String, found: T, kind: &str) -> Result<(), ReadError> {
    match into.get(&name) {
        // Pages that were saved twice do no harm.
        Some(before) if *before == found => Ok(()),
        Some(_) => Err(ReadError::Twice(format!("{kind} {name}"))),
        None => {
            into.insert(name, found);
            Ok(())
        }
    }
}

fn inline(policies: Option<Vec<InlinePolicy<'_>>>) -> Vec<Inline> {
    let each = |policy: InlinePolicy<'_>| Inline {
        name: policy.policy_name.unwrap_or_default(),
        document: policy.policy_document.map(text_of).unwrap_or_default(),
    };
    policies.unwrap_or_default().into_iter().map(each).collect()
}

fn attached(policies: Option<Vec<Attached>>) -> Vec<String> {
    policies.unwrap_or_default().into_iter().map(|policy| policy.policy_arn).collect()
}

/// A date as the command line writes it; another form tells nothing.
fn created(date: Option<&RawValue>) -> Option<Timestamp> {
    serde_json::from_str::<String>(date?.get()).ok()?.parse().ok()
}

/// A document that is an object, as its own text; one that is a string, decoded as AWS encodes it (RFC 3986). Anything else
/// stays as it is, and is no document.
fn text_of(raw: &RawValue) -> String {
    let Ok(text) = serde_json::from_str::<String>(raw.get()) else { return raw.get().to_owned() };
    if text.trim_start().starts_with('{') {
        return text;
    }
    percent_encoding::percent_decode_str(&text).decode_utf8().map_or_else(|_| text.clone(), Cow::into_owned)
}

/// One page or a list of them.
struct Pages<'a>(Vec<Page<'a>>);

impl<'de> Deserialize<'de> for Pages<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Pages<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with UserDetailList, or a list of such objects")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Ok(Pages(vec![Page::deserialize(MapAccessDeserializer::new(map))?]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut pages = Vec::new();
                while let Some(page) = list.next_element()? {
                    pages.push(page);
                }
                Ok(Pages(pages))
            }
        }
        from.deserialize_any(Either)
    }
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(rename = "UserDetailList", borrow)]
    users: Option<Vec<User<'a>>>,
    #[serde(rename = "GroupDetailList", borrow)]
    groups: Option<Vec<Group<'a>>>,
    #[serde(rename = "RoleDetailList", borrow)]
    roles: Option<Vec<Role<'a>>>,
    #[serde(rename = "Policies", borrow)]
    policies: Option<Vec<Policy<'a>>>,
    #[serde(rename = "IsTruncated")]
    is_truncated: Option<bool>,
    #[serde(rename = "NextToken", borrow)]
    next_token: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct User<'a> {
    user_name: String,
    arn: String,
    group_list: Option<Vec<String>>,
    #[serde(borrow)]
    user_policy_list: Option<Vec<InlinePolicy<'a>>>,
    attached_managed_policies: Option<Vec<Attached>>,
    permissions_boundary: Option<Boundary>,
    #[serde(borrow)]
    create_date: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Group<'a> {
    group_name: String,
    arn: String,
    #[serde(borrow)]
    group_policy_list: Option<Vec<InlinePolicy<'a>>>,
    attached_managed_policies: Option<Vec<Attached>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Role<'a> {
    role_name: String,
    arn: String,
    #[serde(borrow)]
    assume_role_policy_document: Option<&'a RawValue>,
    #[serde(borrow)]
    role_policy_list: Option<Vec<InlinePolicy<'a>>>,
    attached_managed_policies: Option<Vec<Attached>>,
    permissions_boundary: Option<Boundary>,
    #[serde(borrow)]
    create_date: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Policy<'a> {
    arn: String,
    default_version_id: Option<String>,
    attachment_count: Option<i32>,
    #[serde(borrow)]
    policy_version_list: Option<Vec<Version<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version<'a> {
    version_id: Option<String>,
    #[serde(default)]
    is_default_version: bool,
    #[serde(borrow)]
    document: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InlinePolicy<'a> {
    policy_name: Option<String>,
    #[serde(borrow)]
    policy_document: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attached {
    policy_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Boundary {
    permissions_boundary_arn: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"{"UserDetailList": [{"UserName": "a", "Arn": "arn:aws:iam::111111111111:user/a", "CreateDate": 3,
        "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": "%7B%22Statement%22%3A%5B%5D%7D"}, {"PolicyName": "q", "PolicyDocument": {"Statement": []}}]}],
        "GroupDetailList": [], "RoleDetailList": [], "Policies": []"#;

    fn snapshot(text: &str) -> Snapshot {
        let details = read(text.as_bytes()).unwrap();
        assert_eq!(details.account.as_deref(), Some("111111111111"));
        details.into_snapshot("111111111111", Timestamp::UNIX_EPOCH)
    }

    fn whole(snapshot: &Snapshot) -> bool {
        snapshot.list(&AccountKey::new("111111111111"), Kind::IamUser, &[AUTHORIZATION]).gaps.is_empty()
    }

    #[test]
    fn documents_as_objects_and_as_encoded_strings() {
        let snapshot = snapshot(&format!("{PAGE}}}"));
        let id = ResourceId::new(&AccountKey::new("111111111111"), Kind::IamUser, "a");
        let Fact::Known(user) = snapshot.read::<UserPermissions>(&id) else { panic!("no user") };
        assert_eq!(user.inline[0].document, r#"{"Statement":[]}"#);
        assert_eq!(user.inline[1].document, r#"{"Statement": []}"#);
        assert!(whole(&snapshot));
    }

    #[test]
    fn pages_and_what_is_cut_off() {
        let other = PAGE.replace("user/a", "user/b").replace(r#""UserName": "a""#, r#""UserName": "b""#);
        let both = format!("{PAGE}, \"IsTruncated\": true}}\n{other}, \"IsTruncated\": false}}");
        assert!(whole(&snapshot(&both)));
        assert!(whole(&snapshot(&format!("[{PAGE}}}, {other}}}]"))));
        assert!(!whole(&snapshot(&format!("{PAGE}, \"IsTruncated\": true}}"))));
        assert!(!whole(&snapshot(&format!("{PAGE}, \"NextToken\": \"x\"}}"))));
        assert!(!whole(&snapshot(&format!("{}}}", PAGE.replace(r#""GroupDetailList": [], "#, "")))));
    }

    #[test]
    fn what_is_refused() {
        let twice = PAGE.replace("%7B", "%7B%20");
        for (text, says) in [
            (String::new(), "none of UserDetailList"),
            ("{}".to_owned(), "none of UserDetailList"),
            ("3".to_owned(), "expected an object with UserDetailList"),
            (PAGE.to_owned(), "EOF while parsing an object at line 3 column"),
            (format!("{}}}", PAGE.replace("\"a\"", "7")), "invalid type: integer `7`, expected a string at line 1"),
            (format!("{}}}", PAGE.replace("arn:aws:iam::1", "arn:aws:s3::1")), "which is none of IAM"),
            (format!("{PAGE}}}{twice}}}"), "user a is in it twice"),
            (format!("{PAGE}}}{}}}", PAGE.replace("1111", "2222")), "two accounts, 111111111111 and 222222222222"),
            ("\u{feff}[".to_owned(), "EOF"),
        ] {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(says), "{error} for {text}");
        }
        assert!(matches!(read(b"\xff\xfe{\0"), Err(ReadError::Utf16)));
    }

    #[test]
    fn what_the_command_line_prints_around_a_document() {
        let document = r#"{"Version":"2012-10-17","Statement":[]}"#;
        let quoted = serde_json::to_string(document).unwrap();
        for text in [
            document.to_owned(),
            format!("\u{feff}{document}"),
            format!("{{\"Policy\": {quoted}}}"),
            format!("{{\"Policy\": {document}}}"),
            format!("{{\"Policy\": {{\"PolicySummary\": {{}}, \"Content\": {quoted}}}}}"),
        ] {
            assert_eq!(document_of(&text), document, "{text}");
        }
        assert_eq!(document_of("{"), "{");
    }
}
