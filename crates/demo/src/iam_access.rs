//! IAM's answers that somebody put there word for word, and when a user or role last used which service.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLastAccessedDetails.html>

use std::sync::PoisonError;

use crate::iam::{action_result, page, yes};
use crate::people::Role;
use crate::reply::{Answer, Fail, RequestId, hash};
use crate::route::{Call, Service};
use crate::state::State;
use crate::world::Account;

/// What was put with [`Account::answer`] under `iam:OPERATION`: the XML inside `<OPERATIONResult>`.
pub(crate) fn canned(account: &Account, call: &Call, id: &RequestId) -> Option<Answer> {
    let wanted = |about: &str| about.is_empty() || call.params.iter().any(|(_, value)| value.contains(about));
    let named = |operation: &str| operation.strip_prefix("iam:") == Some(&*call.operation);
    let canned = account.answers.iter().find(|canned| named(&canned.operation) && wanted(&canned.about))?;
    Some(Ok(action_result(Service::Iam, &call.operation, id, |x| x.raw(&canned.body))))
}

/// Names whatever has this ARN, as a job.
fn job(arn: &str) -> String {
    let (high, low) = (hash(arn.as_bytes()), hash(format!("{arn} ").as_bytes()));
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

/// ARN, services used and when, of every user and role.
fn principals(account: &Account) -> Vec<(String, Vec<(String, String)>)> {
    let users = account.users.iter().map(|user| {
        let used =
            user.keys.iter().filter_map(|key| key.last_used.as_ref()).map(|(at, _, service)| (service.clone(), at.clone()));
        (format!("arn:aws:iam::{}:user/{}", account.id, user.name), used.collect())
    });
    let roles = account.roles.iter().map(|role| {
        let Role { name, path, last_used, .. } = role;
        let used = last_used.iter().map(|(at, _)| ("s3".to_owned(), at.clone())).collect();
        (format!("arn:aws:iam::{}:role{path}{name}", account.id), used)
    });
    users.chain(roles).collect()
}

pub(crate) fn generate(account: &Account, call: &Call, id: &RequestId) -> Answer {
    let arn = call.param("Arn").unwrap_or_default();
    if !principals(account).iter().any(|(known, _)| known == arn) {
        return Err(Fail::new(404, "NoSuchEntity", format!("{arn} cannot be found.")));
    }
    Ok(action_result(Service::Iam, "GenerateServiceLastAccessedDetails", id, |x| x.leaf("JobId", &job(arn))))
}

/// In progress when first asked about. Then three services in pages: a user's by its keys, a role's last use as one of S3.
pub(crate) fn get(state: &State, account: &Account, call: &Call, id: &RequestId) -> Answer {
    let now = &state.world.now;
    let asked = call.param("JobId").unwrap_or_default();
    let known = principals(account).into_iter().find(|(arn, _)| job(arn) == asked);
    let Some((arn, used)) = known else {
        return Err(Fail::new(404, "NoSuchEntity", format!("Job {asked} cannot be found.")));
    };
    if state.jobs.lock().unwrap_or_else(PoisonError::into_inner).insert(asked.to_owned()) {
        return Ok(action_result(Service::Iam, "GetServiceLastAccessedDetails", id, |x| {
            x.leaf("JobStatus", "IN_PROGRESS");
            x.leaf("JobType", "SERVICE_LEVEL");
            x.leaf("JobCreationDate", now);
            x.leaf("IsTruncated", "false");
        }));
    }
    let services = [("AWS Backup", "backup"), ("AWS Key Management Service", "kms"), ("Amazon S3", "s3")];
    let page = page(call, services.len())?;
    Ok(action_result(Service::Iam, "GetServiceLastAccessedDetails", id, |x| {
        x.leaf("JobStatus", "COMPLETED");
        x.leaf("JobType", "SERVICE_LEVEL");
        x.leaf("JobCreationDate", now);
        x.leaf("JobCompletionDate", now);
        x.node("ServicesLastAccessed", |x| {
            for (title, name) in &services[page.from..page.to] {
                let last = used.iter().filter(|(service, _)| service == name).map(|(_, at)| at.as_str()).max();
                x.node("member", |x| {
                    x.leaf("ServiceName", title);
                    x.leaf("ServiceNamespace", name);
                    x.maybe("LastAuthenticated", last);
                    x.maybe("LastAuthenticatedEntity", last.map(|_| arn.as_str()));
                    x.leaf("TotalAuthenticatedEntities", if last.is_some() { "1" } else { "0" });
                });
            }
        });
        x.leaf("IsTruncated", yes(page.marker.is_some()));
        x.maybe("Marker", page.marker.as_deref());
    }))
}
