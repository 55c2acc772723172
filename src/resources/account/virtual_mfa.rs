//! Whose MFA devices are programs rather than things. An MFA device that is not among them is a hardware token, a security key
//! or a passkey: with `mfa-active` of the credential report this tells the kind of a user's device in one call for the account,
//! where ListMFADevices takes one for each user.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListVirtualMFADevices.html>

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// Who has a virtual device assigned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct VirtualMfa {
    /// How many virtual devices the root user has.
    pub root: usize,
    /// IAM users, by name.
    pub users: BTreeSet<String>,
}

impl FactType for VirtualMfa {
    const EMPTY: bool = false;
    const SPEC: FactId = &FactSpec {
        id: "account.virtual-mfa",
        kind: Kind::Account,
        operation: "ListVirtualMFADevices",
        also: &[],
        actions: &["iam:ListVirtualMFADevices"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::AccountReader> for VirtualMfa {
    async fn read(from: &crate::aws::AccountReader) -> crate::aws::Reading<Self> {
        use crate::aws::Failure;
        use aws_sdk_iam::types::AssignmentStatusType::Assigned;

        let devices = crate::aws::pages(|token| async move {
            let body = crate::aws::elements::Body::default();
            let keep = body.clone();
            let ask = |iam: aws_sdk_iam::Client| async move {
                let asked = iam.list_virtual_mfa_devices().assignment_status(Assigned).set_marker(token);
                asked.customize().interceptor(keep).send().await
            };
            let answer = from.iam(ask).await?;
            // The SDK reads an answer without the list as one with an empty list.
            if !body.elements().iter().any(|path| path.last().is_some_and(|name| name == "VirtualMFADevices")) {
                return Err(Failure::malformed("the answer holds no VirtualMFADevices"));
            }
            Ok((answer.virtual_mfa_devices, crate::aws::iam::next(answer.is_truncated, answer.marker)?))
        })
        .await?;
        let account = from.account_id()?;
        let mut found = Self::default();
        for device in devices {
            let owner = device.user.map(|user| (user.arn, user.user_name));
            match owner {
                Some((arn, _)) if arn.split(':').nth(4) != Some(&account) => {
                    return Err(Failure::malformed(format!("device {} is of `{arn}`", device.serial_number)));
                }
                Some((arn, _)) if arn.ends_with(":root") => found.root += 1,
                Some((_, name)) if !name.is_empty() => {
                    found.users.insert(name);
                }
                // The root user's device says whose it is by its name, too.
                None if device.serial_number.ends_with(":mfa/root-account-mfa-device") => found.root += 1,
                Some(_) | None => {
                    return Err(Failure::malformed(format!("assigned device {} has no owner", device.serial_number)));
                }
            }
        }
        Ok(Some(found))
    }
}
