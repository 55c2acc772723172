use std::collections::BTreeMap;

use lastcopy_iam::{Capability, Case, Document, Guards, Layer, Named, Pattern, ResourceKind, Target, destroying_actions};
use serde::Deserialize;

use super::example::{Example, PRODUCTION, VAULT, primary, user};
use super::s3_bucket_key_usable::{good_key, keys_of, none_of, under_key};
use super::s3_bucket_least_privilege::{Ask, Bucket, Found, every, problems, worst};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::{Demand, On};
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind};
use crate::judgement::{Judgement, Tally};
use crate::keys::{self, KeyArn};
use crate::principals::{self, FACTS, parse};
use crate::resources::FactType;
use crate::resources::iam_user::permissions::{AUTHORIZATION, Inline, UserPermissions};
use crate::resources::kms_key::policy::KeyPolicy;
use crate::resources::kms_key::state::{KeyState, Manager, Origin};
use crate::view::View;

/// Nobody but the named principals may destroy a KMS key of the bucket.
///
/// # Why
/// Who can delete the key can delete every version of every document under it, past Object Lock and MFA Delete: AWS tells you
/// to consider protection for the key as well.
///
/// # Fails when
/// For a key that default encryption or a replication rule names, somebody who is not among `allowed` may schedule its deletion,
/// disable it, rewrite its policy or, where its material was imported, delete the material: a user or role of the key's account
/// by the key policy and its own policies together (a key policy that names the account leaves it to IAM); or somebody outside
/// whom the key policy names, an account, a role of another account, a service, everybody.
///
/// Conditions are evaluated as in `s3-bucket-least-privilege`: a permission that holds only under conditions is one too, and the
/// finding says which. A policy that could not be read makes the verdict unknown, and so does a key of an account that no policy
/// declares.
///
/// A bucket without a KMS key (SSE-S3) has nothing to judge. A key that AWS manages passes. Grants cannot hold these actions.
/// Revoking or retiring a grant only stops its use, and is not asked for. Not seen: RCPs, the root user of the key's
/// account, who may give itself more, and who may disconnect a custom key store (`s3-bucket-key-usable` fails on those).
///
/// # Fix
/// Take `kms:ScheduleKeyDeletion`, `kms:DisableKey`, `kms:PutKeyPolicy` and `kms:DeleteImportedKeyMaterial` out of the statements
/// for administrators, or deny them in the key policy to everybody but a break-glass role. Better, keep keys in an account of
/// their own.
///
/// # References
/// <https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys-adding-permission.html>
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html>
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketKeyGuarded {
    /// Principals that may: ARNs, or `role/name` for those of the key's account. `*` and `?` are wildcards.
    #[serde(default)]
    allowed: Vec<String>,
}

const TITLE: &str = "the key policy";

impl CheckType for S3BucketKeyGuarded {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-key-guarded",
        unit: Kind::S3Bucket,
        severity: Severity::Critical,
        title: "Only named principals may destroy the KMS keys of the bucket",
        fix: "take the action away from the principal, deny it in the key policy, or name the principal under `allowed`",
        references: &["NIST-800-53:SC-12", "NIST-800-53:AC-6", "ISO-27001:A.8.24", "PCI-DSS:3.6.1", "NIS2:9.2(c)"],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let statement = |effect: &str, rest: &str, action: &str| {
            format!(r#"{{"Effect":"{effect}",{rest}"Action":"{action}","Resource":"*"}}"#)
        };
        let doc = |statements: &[String]| format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
        let delegates = || statement("Allow", &format!(r#""Principal":{{"AWS":"arn:aws:iam::{PRODUCTION}:root"}},"#), "kms:*");
        let to = |arn: &str, action: &str| statement("Allow", &format!(r#""Principal":{{"AWS":"{arn}"}},"#), action);
        let bob = format!("arn:aws:iam::{PRODUCTION}:user/bob");
        let outside = format!("arn:aws:iam::{VAULT}:role/sync");
        let deny_all = statement("Deny", r#""Principal":"*","#, "kms:*");
        let long_wait = statement(
            "Allow",
            r#""Condition":{"NumericGreaterThanEquals":{"kms:ScheduleKeyDeletionPendingWindowInDays":"30"}},"#,
            "kms:ScheduleKeyDeletion",
        );
        let described = |example: Example, state: KeyState| {
            let (example, key) = under_key(example);
            (example.listed("production", AUTHORIZATION).known(&key, state), key)
        };
        let world = |example: Example, policy: &[String], own: &[String]| {
            let (example, key) = described(example, good_key());
            let inline = vec![Inline { name: "own".to_owned(), document: doc(own) }];
            example
                .known(&key, KeyPolicy(doc(policy)))
                .known(&user("bob"), UserPermissions { inline, ..UserPermissions::default() })
        };
        let may = |action: &str| statement("Allow", "", action);
        let allowed = serde_json::json!({ "allowed": ["user/bob"] });
        let plain = crate::resources::s3_bucket::encryption::Encryption { algorithm: "AES256".into(), ..Default::default() };
        vec![
            world(Example::pass("nobody may", on.clone()), &[delegates()], &[may("kms:Decrypt")]),
            world(Example::pass("the key policy does not leave it to IAM", on.clone()), &[to(&bob, "kms:Decrypt")], &[may("*")]),
            world(Example::pass("denied to everybody", on.clone()), &[delegates(), deny_all.clone()], &[may("*")]),
            world(Example::pass("allowed by name", on.clone()), &[delegates()], &[may("kms:*")]).with(allowed),
            world(
                Example::pass("the material was not imported", on.clone()),
                &[delegates()],
                &[may("kms:DeleteImportedKeyMaterial")],
            ),
            described(Example::pass("a key that AWS manages", on.clone()), KeyState { manager: Manager::Aws, ..good_key() }).0,
            {
                let none = Example::not_applicable("no KMS key", on.clone()).known(&on, plain);
                none.absent::<crate::resources::s3_bucket::replication::Replication>(&on)
            },
            world(Example::fail("an administrator", on.clone()), &[delegates()], &[may("*")]),
            world(Example::fail("by the key policy alone", on.clone()), &[to(&bob, "kms:PutKeyPolicy")], &[may("s3:GetObject")]),
            world(Example::fail("under a condition", on.clone()), &[delegates()], &[long_wait]),
            world(Example::fail("a role of another account", on.clone()), &[delegates(), to(&outside, "kms:*")], &[]),
            world(Example::fail("everybody", on.clone()), &[to("*", "kms:ScheduleKeyDeletion")], &[]),
            world(Example::fail("the imported material", on.clone()), &[delegates()], &[may("kms:DeleteImportedKeyMaterial")])
                .known(&under_key(Example::fail("", on.clone())).1, KeyState { origin: Origin::External, ..good_key() }),
            {
                let (example, key) = described(Example::unknown("the key policy was not read", on.clone()), good_key());
                example.denied::<KeyPolicy>(&key)
            },
            {
                let (example, key) = described(Example::unknown("not a policy", on.clone()), good_key());
                example.known(&key, KeyPolicy("{".to_owned()))
            },
            world(Example::unknown("its own policies are none", on), &[delegates()], &["{".to_owned()]),
        ]
    }
}

impl Check for S3BucketKeyGuarded {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![
            Demand::unit(keys::FACTS),
            Demand::of(On::Keys, &[KeyState::SPEC, KeyPolicy::SPEC]),
            Demand::of(On::KeyAccounts, FACTS),
            principals::rails(),
        ]
    }

    fn problems(&self) -> Vec<String> {
        problems(None, &self.allowed)
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(named) = keys_of(unit, view, &mut tally) else { return Judgement::NotApplicable(none_of(unit, view).into()) };
        let mut judged: BTreeMap<ResourceId, KeyArn> = BTreeMap::new();
        for (_, arn) in named {
            let Some((key, state)) = view.key(&arn, &mut tally) else { continue };
            if judged.insert(key.clone(), arn.clone()).is_some() {
                continue;
            }
            if state.manager == Manager::Aws {
                tally.pass::<KeyState>(&key, "managed by AWS", "only allowed principals");
                continue;
            }
            let Some(policy) = tally.read(view.read::<KeyPolicy>(&key)) else { continue };
            match policy.map(|policy| parse(&policy.0, KeyPolicy::SPEC, TITLE)) {
                Some(Ok(policy)) => self.judge_key(&key, &arn.account, state.origin, &policy, view, &mut tally),
                Some(Err(gap)) => tally.gap(gap),
                // A key always has a policy; no reader says otherwise.
                None => tally.gap(Gap::not_collected(KeyPolicy::SPEC)),
            }
        }
        tally.finish()
    }
}

impl S3BucketKeyGuarded {
    fn judge_key(&self, key: &ResourceId, own: &str, origin: Origin, policy: &Document, view: &View<'_>, tally: &mut Tally) {
        let named = vec![Named { name: TITLE, document: policy }];
        let question = Bucket {
            arn: &key.name,
            own,
            title: TITLE,
            policy: Some(policy),
            guards: Guards { resource: Layer::Docs(named), rcps: Layer::Unread(Vec::new()), ..Guards::default() },
            asks: asks(&key.name, origin),
            reach: None,
            accept: Vec::new(),
            allowed: self.allowed.iter().map(|glob| Pattern::new(glob, Case::Sensitive)).collect(),
        };
        let mut found = Found::default();
        let account = view.principals().of_account(&key.account);
        let everyone = question.grants(account, &mut found);
        match account {
            Some(account) => {
                account.gaps.iter().for_each(|gap| tally.gap(gap.clone()));
                question.holders(account, &everyone, &mut found);
                tally.pass::<KeyPolicy>(key, format!("{} principals", account.holders.len()), "only allowed principals");
            }
            None => tally.gap(Gap::not_collected(UserPermissions::SPEC)),
        }
        for (subject, (who, can)) in &found.can {
            let says = format!("{who} {} (key {})", can.says(worst), key.name);
            let _ = tally
                .fail::<KeyPolicy>(key, says, can.says(every), "only allowed principals")
                .subject(&format!("{subject} on {}", key.name));
        }
        found.doubts.into_gaps().for_each(|gap| tally.gap(gap));
    }
}

/// What destroys a key. Without a grant the key is only out of use.
fn asks(arn: &str, origin: Origin) -> Vec<Ask<'static>> {
    let destroys = |capability| matches!(capability, Capability::DestroyKey | Capability::ChangePolicy);
    let rows = destroying_actions().iter().filter(|row| row.resource == ResourceKind::Key && destroys(row.capability));
    let rows = rows.filter(|row| !row.kill_paths.contains(&"KP25"));
    let rows = rows.filter(|row| row.action != "kms:DeleteImportedKeyMaterial" || origin == Origin::External);
    let can = |action: &'static str| match action {
        "kms:ScheduleKeyDeletion" => "schedule the deletion of the key",
        "kms:DisableKey" => "disable the key",
        "kms:PutKeyPolicy" => "rewrite the key policy",
        "kms:DeleteImportedKeyMaterial" => "delete the key's imported material",
        other => other,
    };
    rows.map(|row| Ask { action: row.action, can: can(row.action), targets: vec![Target::One(arn).pattern()] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_destroys_a_key_is_asked_for() {
        let names =
            |origin| asks("arn:aws:kms:eu-west-1:111111111111:key/a", origin).iter().map(|a| a.action).collect::<Vec<_>>();
        assert_eq!(names(Origin::Kms), ["kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"]);
        assert_eq!(names(Origin::External).len(), 4);
    }
}
