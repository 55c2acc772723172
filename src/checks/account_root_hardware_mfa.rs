use serde::Deserialize;

use super::example::{Example, production};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::account::summary::Summary;
use crate::resources::account::virtual_mfa::VirtualMfa;
use crate::view::View;

/// The root user's second factor is a thing, not a program on somebody's phone.
///
/// # Why
/// The root user can lift MFA Delete, rewrite every policy and close the account. A virtual device is a secret that was copied into
/// a program, and perhaps into its backup; a hardware token, a security key or a passkey cannot be copied so.
///
/// # Fails when
/// The root user has a virtual MFA device, or can sign in without any. One virtual device beside a hardware one fails too: it is
/// enough to sign in. A root user without any credentials, as after their central removal in an organization, passes.
///
/// AWS lists virtual devices only: a device that it does not list is taken for hardware. Only a device that shows codes serves
/// MFA Delete; a security key does not.
///
/// # Fix
/// Register a hardware token or security key for the root user and remove the virtual device, or remove the root user's credentials
/// centrally (IAM, root access management).
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/enable-hw-mfa-for-root.html>
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListVirtualMFADevices.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountRootHardwareMfa {}

impl CheckType for AccountRootHardwareMfa {
    const META: &'static Meta = &Meta {
        id: "account-root-hardware-mfa",
        unit: Kind::Account,
        severity: Severity::High,
        title: "The root user has hardware MFA only, or no credentials at all",
        fix: "replace the root user's virtual MFA device by a hardware one, or remove the root user's credentials centrally",
        references: &[
            "CIS-AWS-3.0:1.6",
            "CIS-AWS-5.0:1.5",
            "CIS-AWS-7.0:2.6",
            "SecurityHub:IAM.6",
            "Prowler:iam_root_hardware_mfa_enabled",
            "NIST-800-53:IA-2(1)",
            "ISO-27001:A.8.5",
            "PCI-DSS:8.4.1",
            "NIS2:11.7.2",
        ],
    };

    fn examples() -> Vec<Example> {
        let on = production();
        let case = |example: Example, mfa: i32, password: i32, virtual_devices: usize| {
            let values = [("AccountMFAEnabled", mfa), ("AccountAccessKeysPresent", 0), ("AccountPasswordPresent", password)];
            example
                .known(&production(), Summary(values.iter().map(|(key, n)| ((*key).to_owned(), *n)).collect()))
                .known(&production(), VirtualMfa { root: virtual_devices, ..VirtualMfa::default() })
        };
        vec![
            case(Example::pass("hardware", on.clone()), 1, 1, 0),
            case(Example::pass("without credentials", on.clone()), 0, 0, 0),
            case(Example::fail("virtual", on.clone()), 1, 1, 1),
            case(Example::fail("none", on.clone()), 0, 1, 0),
            Example::unknown("half a summary", on.clone())
                .known(&on, Summary([("AccountMFAEnabled".to_owned(), 0)].into()))
                .known(&on, VirtualMfa::default()),
            case(Example::unknown("devices denied", on.clone()), 1, 1, 0).denied::<VirtualMfa>(&on),
            Example::unknown("summary denied", on.clone()).denied::<Summary>(&on).known(&on, VirtualMfa::default()),
            Example::unknown("devices absent", on.clone()).absent::<Summary>(&on).absent::<VirtualMfa>(&on),
        ]
    }
}

impl Check for AccountRootHardwareMfa {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Summary::SPEC, VirtualMfa::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let required = "hardware MFA, or no credentials";
        let silent = |spec: crate::fact::FactId, detail: &'static str| {
            Gap::new(Why::Malformed, spec.operation).with_action(spec.actions.first().copied()).with_detail(detail)
        };
        let summary = tally.read(view.read::<Summary>(unit));
        let devices = tally.read(view.read::<VirtualMfa>(unit));
        match devices {
            Some(Some(devices)) if devices.root > 0 => {
                let says = "the root user has a virtual MFA device";
                let _ = tally.fail::<VirtualMfa>(unit, says, format!("virtual devices: {}", devices.root), required);
                return tally.finish();
            }
            Some(None) => tally.gap(silent(VirtualMfa::SPEC, "the answer says nothing of devices")),
            Some(Some(_)) | None => {}
        }
        let Some(summary) = summary else { return tally.finish() };
        let incomplete = silent(Summary::SPEC, "the account summary does not say how the root user signs in");
        let Some(summary) = summary else {
            tally.gap(incomplete);
            return tally.finish();
        };
        let credentials = (summary.root_password(), summary.root_keys().map(|keys| keys > 0));
        match (summary.root_mfa(), credentials) {
            (Some(true), _) => tally.pass::<VirtualMfa>(unit, "an MFA device that is not virtual", required),
            (Some(false), (Some(true), _) | (_, Some(true))) => {
                let _ = tally.fail::<Summary>(unit, "the root user can sign in without MFA", "no MFA device", required);
            }
            (Some(false), (Some(false), Some(false))) if !summary.root_certificates() => {
                tally.pass::<Summary>(unit, "the root user has no credentials", required);
            }
            (Some(false) | None, _) => tally.gap(incomplete),
        }
        tally.finish()
    }
}
