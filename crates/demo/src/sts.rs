//! STS: who one is, and becoming a role of another account. Pages under
//! <https://docs.aws.amazon.com/STS/latest/APIReference/>.

use crate::clock::rfc3339;
use crate::iam::{action_result, invalid_action, validation};
use crate::json::Json;
use crate::people::Role;
use crate::reply::{Answer, Fail, Reply, RequestId};
use crate::route::{Call, Service};
use crate::state::{Caller, State, unique_id};

pub(crate) fn answer(state: &State, call: &Call, caller: &Caller, id: &RequestId) -> Answer {
    match &*call.operation {
        "GetCallerIdentity" => Ok(caller_identity(state, caller, id)),
        "AssumeRole" => assume_role(state, call, caller, id),
        _ => Err(invalid_action(call)),
    }
}

/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>
fn caller_identity(state: &State, caller: &Caller, id: &RequestId) -> Reply {
    action_result(Service::Sts, "GetCallerIdentity", id, |x| {
        x.leaf("Arn", &caller.arn);
        x.leaf("UserId", &caller.user_id);
        x.leaf("Account", &state.account(caller).id);
    })
}

/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>. The trust policy is evaluated; whether the
/// caller's own policies allow `sts:AssumeRole` is not.
fn assume_role(state: &State, call: &Call, caller: &Caller, id: &RequestId) -> Answer {
    let arn = call.param("RoleArn").ok_or_else(|| validation("roleArn"))?;
    let session = call.param("RoleSessionName").filter(|name| session_name(name)).ok_or_else(|| validation("roleSessionName"))?;
    let seconds = match call.param("DurationSeconds").map(str::parse::<i64>) {
        None => 3600,
        Some(Ok(seconds @ 900..=43_200)) => seconds,
        Some(_) => return Err(validation("durationSeconds")),
    };
    let denied = || {
        let who = &caller.arn;
        Fail::new(403, "AccessDenied", format!("User: {who} is not authorized to perform: sts:AssumeRole on resource: {arn}"))
    };
    let (account, role) = find_role(state, arn).ok_or_else(denied)?;
    if !trusts(role, caller, &state.account(caller).id, call.param("ExternalId")) {
        return Err(denied());
    }
    let role_id = unique_id("AROA", arn);
    let user_id = format!("{role_id}:{session}");
    let name = &role.name;
    let assumed = format!("arn:aws:sts::{}:assumed-role/{name}/{session}", state.world.accounts[account].id);
    let minted = state.mint(Caller { account, arn: assumed.clone(), user_id: user_id.clone() }, seconds);
    Ok(action_result(Service::Sts, "AssumeRole", id, |x| {
        x.node("AssumedRoleUser", |x| {
            x.leaf("AssumedRoleId", &user_id);
            x.leaf("Arn", &assumed);
        });
        x.node("Credentials", |x| {
            x.leaf("AccessKeyId", &minted.key);
            x.leaf("SecretAccessKey", &minted.secret);
            x.leaf("SessionToken", &minted.token);
            x.leaf("Expiration", &rfc3339(minted.expires));
        });
    }))
}

fn session_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    (2..=64).contains(&name.len()) && name.chars().all(allowed)
}

fn find_role<'a>(state: &'a State, arn: &str) -> Option<(usize, &'a Role)> {
    let (id, path) = arn.strip_prefix("arn:aws:iam::")?.split_once(":role")?;
    let (at, account) = state.world.accounts.iter().enumerate().find(|(_, account)| !id.is_empty() && account.id == id)?;
    account.roles.iter().find(|role| format!("{}{}", role.path, role.name) == path).map(|role| (at, role))
}

/// Whether the trust policy lets this caller in. A condition that is not understood lets nobody in, and a Deny that names
/// the caller counts whatever its conditions.
fn trusts(role: &Role, caller: &Caller, account: &str, external_id: Option<&str>) -> bool {
    let Some(document) = Json::parse(&role.trust) else { return false };
    let about = |statement: &&Json, effect: &str| {
        let assume = |action: &&str| ["sts:AssumeRole", "sts:*", "*"].contains(action);
        statement.get("Effect").and_then(Json::text) == Some(effect)
            && statement.get("Action").is_some_and(|action| action.texts().iter().any(assume))
            && statement.get("Principal").is_some_and(|principal| names(principal, caller, account))
    };
    let statements = document.get("Statement").map(Json::items).unwrap_or_default();
    let denied = statements.iter().any(|statement| about(&statement, "Deny"));
    let holds = |statement: &Json| conditions_hold(statement.get("Condition"), external_id);
    !denied && statements.iter().any(|statement| about(&statement, "Allow") && holds(statement))
}

fn names(principal: &Json, caller: &Caller, account: &str) -> bool {
    let root = format!("arn:aws:iam::{account}:root");
    let named = |text: &str| text == "*" || text == account || text == root || text == caller.arn;
    principal.text().is_some_and(|text| text == "*") || principal.get("AWS").is_some_and(|aws| aws.texts().into_iter().any(named))
}

fn conditions_hold(condition: Option<&Json>, external_id: Option<&str>) -> bool {
    let tests = condition.map(Json::entries).unwrap_or_default();
    tests.iter().all(|(operator, keys)| {
        operator == "StringEquals"
            && keys.entries().iter().all(|(key, wanted)| {
                key.eq_ignore_ascii_case("sts:ExternalId") && external_id.is_some_and(|given| wanted.texts().contains(&given))
            })
    })
}
