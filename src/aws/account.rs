//! What a reader of an account's fact calls, and the two answers that hold facts of many resources at once.
//!
//! It must never present the part of a listing that was read as the whole.

use std::collections::{BTreeMap, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use jiff::Timestamp;

use crate::aws::failure::Failure;
use crate::aws::iam::time;
use crate::aws::pages::MAX_PAGES;
use crate::aws::session::Session;
use crate::fact::{FactId, Why};
use crate::resources::iam_group::permissions::GroupPermissions;
use crate::resources::iam_policy::document::ManagedDocument;
use crate::resources::iam_role::permissions::RolePermissions;
use crate::resources::iam_user::credentials::{UserCredentials, own_arn};
use crate::resources::iam_user::permissions::{Inline, UserPermissions};

/// Reads one fact of an account.
#[derive(Clone, Debug)]
pub struct AccountReader {
    pub(super) session: Arc<Session>,
    call: String,
    /// Where the account has buckets in question, and where its calls begin.
    pub regions: Vec<String>,
    /// Where any account has buckets in question.
    pub everywhere: Vec<String>,
    /// When the reading began.
    pub now: Timestamp,
}

impl AccountReader {
    /// A reader for calls to further services, which name their operation.
    pub fn of(session: Arc<Session>) -> Self {
        let regions = vec![session.region.clone()];
        Self { session, call: String::new(), everywhere: regions.clone(), regions, now: Timestamp::UNIX_EPOCH }
    }

    /// A reader of one fact.
    pub fn new(session: Arc<Session>, spec: FactId) -> Self {
        Self { call: crate::collect::plan::call_of(spec, spec.operation), ..Self::of(session) }
    }

    /// The Region where the account's calls begin.
    pub fn home(&self) -> &str {
        &self.session.region
    }

    /// The partition of the account.
    pub fn partition(&self) -> &str {
        let arn = self.session.identity.as_ref().map(|identity| identity.arn.as_str()).unwrap_or_default();
        arn.split(':').nth(1).unwrap_or("aws")
    }

    /// The same reader, at a time, where there are buckets in these Regions.
    #[must_use]
    pub fn at(self, now: Timestamp, everywhere: Vec<String>) -> Self {
        Self { now, everywhere, ..self }
    }

    /// The same reader, for these Regions.
    #[must_use]
    pub fn with_regions(self, regions: Vec<String>) -> Self {
        Self { regions, ..self }
    }

    /// The number of the account.
    pub fn account_id(&self) -> Result<String, Failure> {
        self.session.account_id().map(str::to_owned).ok_or_else(|| Failure::malformed("the account number is not known"))
    }

    /// Where the account's calls begin; what is no matter of a Region is asked there.
    pub fn region(&self) -> &str {
        &self.session.region
    }

    /// The same reader, about to send another operation than the fact's own.
    #[must_use]
    pub fn calling(&self, call: &str) -> Self {
        Self { call: call.to_owned(), ..self.clone() }
    }

    /// Sends one request to IAM.
    pub async fn iam<F, Fut, O, E>(&self, send: F) -> Result<O, Failure>
    where
        F: FnOnce(aws_sdk_iam::Client) -> Fut,
        Fut: Future<Output = Result<O, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let _room = self.session.room(&self.session.region, &self.call).await;
        send(self.session.iam()).await.map_err(|error| Failure::of(&error))
    }

    /// Sends one request to S3 Control.
    pub async fn s3control<F, Fut, O, E>(&self, send: F) -> Result<O, Failure>
    where
        F: FnOnce(aws_sdk_s3control::Client) -> Fut,
        Fut: Future<Output = Result<O, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let _room = self.session.room(&self.session.region, &self.call).await;
        send(self.session.s3control(&self.session.region)).await.map_err(|error| Failure::of(&error))
    }

    /// All principals and the managed policies in use. The failure says why the list is not whole.
    pub async fn authorization(&self) -> (Authorization, Option<Failure>) {
        let mut all = Authorization::default();
        let mut marker: Option<String> = None;
        let mut seen = HashSet::new();
        loop {
            let page = marker.clone();
            let answer = self
                .iam(|iam| async move { iam.get_account_authorization_details().max_items(1000).set_marker(page).send().await })
                .await;
            let answer = match answer {
                Ok(answer) => answer,
                Err(failure) => return (all, Some(failure)),
            };
            let (more, next) = (answer.is_truncated, answer.marker.clone().filter(|marker| !marker.is_empty()));
            if let Err(failure) = all.add(answer, self.session.account_id()) {
                return (all, Some(failure));
            }
            let cut = |detail: &str| Some(Failure { detail: Some(detail.to_owned()), ..Failure::new(Why::Truncated) });
            match next {
                None if !more && all.users.is_empty() && all.roles.is_empty() && !self.session.is_root() => {
                    return (all, Some(Failure::malformed("the list lacks the caller itself")));
                }
                None if !more => return (all, None),
                None => return (all, cut("the list goes on, and the service does not say where")),
                Some(_) if !more => return (all, cut("the service names a next page of a list that it says is complete")),
                Some(token) if !seen.insert(token.clone()) => return (all, cut("the service repeated a page token")),
                Some(_) if seen.len() > MAX_PAGES => return (all, cut("the list does not end")),
                Some(token) => marker = Some(token),
            }
        }
    }

    /// The credential report: asks AWS to make one and waits for it, for at most a minute.
    pub async fn credential_report(&self) -> Result<BTreeMap<String, UserCredentials>, Failure> {
        use aws_sdk_iam::types::ReportStateType;
        let mut wait = Duration::from_millis(200);
        let generate = self.calling("iam:GenerateCredentialReport");
        // 0.2 + 0.4 + … + 6.4 s, then eight seconds each: about a minute.
        for _ in 0..12 {
            let answer = generate.iam(|iam| async move { iam.generate_credential_report().send().await }).await?;
            if answer.state == Some(ReportStateType::Complete) {
                let answer = self.iam(|iam| async move { iam.get_credential_report().send().await }).await?;
                let Some(content) = answer.content else { return Err(Failure::malformed("the credential report is empty")) };
                let Some(generated) = answer.generated_time else {
                    return Err(Failure::malformed("the credential report does not say when it was made"));
                };
                let generated = time(&generated)?;
                let rows = UserCredentials::rows(content.as_ref(), generated, self.session.account_id());
                return rows.map_err(Failure::malformed);
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(8));
        }
        Err(Failure { detail: Some("AWS did not finish the credential report".to_owned()), ..Failure::new(Why::TimedOut) })
    }
}

/// Principals and managed policies by name (policies by ARN).
#[derive(Debug, Default)]
pub struct Authorization {
    pub users: BTreeMap<String, UserPermissions>,
    pub groups: BTreeMap<String, GroupPermissions>,
    pub roles: BTreeMap<String, RolePermissions>,
    pub policies: BTreeMap<String, ManagedDocument>,
}

impl Authorization {
    fn add(
        &mut self,
        answer: aws_sdk_iam::operation::get_account_authorization_details::GetAccountAuthorizationDetailsOutput,
        account: Option<&str>,
    ) -> Result<(), Failure> {
        let lists = [
            answer.user_detail_list.is_none(),
            answer.group_detail_list.is_none(),
            answer.role_detail_list.is_none(),
            answer.policies.is_none(),
        ];
        if lists == [true; 4] {
            return Err(Failure::malformed("the answer holds no list at all"));
        }
        for user in answer.user_detail_list.unwrap_or_default() {
            let name = named(user.user_name, "user")?;
            let found = UserPermissions {
                arn: own(user.arn, account, &name)?,
                inline: inline(user.user_policy_list)?,
                attached: attached(user.attached_managed_policies)?,
                groups: user.group_list.unwrap_or_default(),
                boundary: user.permissions_boundary.and_then(|b| b.permissions_boundary_arn),
                created: user.create_date.as_ref().map(time).transpose()?,
            };
            once(self.users.insert(name.clone(), found), &name)?;
        }
        for group in answer.group_detail_list.unwrap_or_default() {
            let name = named(group.group_name, "group")?;
            let found = GroupPermissions {
                arn: own(group.arn, account, &name)?,
                inline: inline(group.group_policy_list)?,
                attached: attached(group.attached_managed_policies)?,
            };
            once(self.groups.insert(name.clone(), found), &name)?;
        }
        for role in answer.role_detail_list.unwrap_or_default() {
            let name = named(role.role_name, "role")?;
            let found = RolePermissions {
                arn: own(role.arn, account, &name)?,
                inline: inline(role.role_policy_list)?,
                attached: attached(role.attached_managed_policies)?,
                boundary: role.permissions_boundary.and_then(|b| b.permissions_boundary_arn),
                created: role.create_date.as_ref().map(time).transpose()?,
                trust: decoded(role.assume_role_policy_document.as_deref().unwrap_or_default())?,
            };
            once(self.roles.insert(name.clone(), found), &name)?;
        }
        for policy in answer.policies.unwrap_or_default() {
            let arn = named(policy.arn, "managed policy")?;
            let aws_managed = arn.split(':').nth(4) == Some("aws");
            let used = policy.attachment_count.unwrap_or(1) + policy.permissions_boundary_usage_count.unwrap_or_default();
            if aws_managed && used == 0 {
                continue;
            }
            let versions = policy.policy_version_list.unwrap_or_default();
            let mut defaults = versions.iter().filter(|version| version.is_default_version);
            let (default, further) = (defaults.next(), defaults.next());
            let agreed =
                default.is_some_and(|found| policy.default_version_id.is_none() || found.version_id == policy.default_version_id);
            let document = default.and_then(|version| version.document.as_deref()).filter(|_| agreed && further.is_none());
            let Some(document) = document else {
                return Err(Failure::malformed(format!("policy {arn} has no one default version")));
            };
            let found =
                ManagedDocument { document: decoded(document)?, attachments: policy.attachment_count.unwrap_or_default() };
            once(self.policies.insert(arn.clone(), found), &arn)?;
        }
        Ok(())
    }
}

fn named(name: Option<String>, what: &str) -> Result<String, Failure> {
    name.filter(|name| !name.is_empty()).ok_or_else(|| Failure::malformed(format!("{what} without a name")))
}

fn inline(policies: Option<Vec<aws_sdk_iam::types::PolicyDetail>>) -> Result<Vec<Inline>, Failure> {
    policies
        .unwrap_or_default()
        .into_iter()
        .map(|policy| {
            let document = decoded(policy.policy_document.as_deref().unwrap_or_default())?;
            Ok(Inline { name: policy.policy_name.unwrap_or_default(), document })
        })
        .collect()
}

fn attached(policies: Option<Vec<aws_sdk_iam::types::AttachedPolicy>>) -> Result<Vec<String>, Failure> {
    policies.unwrap_or_default().into_iter().map(|policy| named(policy.policy_arn, "attached policy")).collect()
}

fn own(arn: Option<String>, account: Option<&str>, name: &str) -> Result<String, Failure> {
    own_arn(arn.unwrap_or_default(), account, name).map_err(Failure::malformed)
}

fn once<T>(before: Option<T>, name: &str) -> Result<(), Failure> {
    if before.is_some() { Err(Failure::malformed(format!("{name} is in the answer twice"))) } else { Ok(()) }
}

/// AWS answers documents URL-encoded (RFC 3986); others as they are.
fn decoded(document: &str) -> Result<String, Failure> {
    if document.trim_start().starts_with('{') {
        return Ok(document.to_owned());
    }
    percent_encoding::percent_decode_str(document)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Failure::malformed("a policy document is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_decoded_once() {
        assert_eq!(decoded("%7B%22a%22%3A%22%2520%22%7D").unwrap(), r#"{"a":"%20"}"#);
        assert_eq!(decoded(r#"{"a":"%20"}"#).unwrap(), r#"{"a":"%20"}"#);
        assert!(decoded("%7B%FF").is_err());
    }
}
