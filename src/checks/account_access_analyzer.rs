use lastcopy_iam::{Case, Pattern};
use serde::Deserialize;

use super::example::{Example, production};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::account::analyzers::{Analyzer, Analyzers, Finds, Status};
use crate::view::View;

/// Somebody watches for access from outside wherever there are documents.
///
/// # Why
/// A bucket policy, key policy or trust policy that lets a stranger in can be written at any time. IAM Access Analyzer reports it
/// within half an hour; an audit, when it runs next.
///
/// # Fails when
/// A Region that was asked has no active analyzer for external access. Asked are the Regions where the account has buckets in
/// question, and the one where its calls begin. Analyzers for unused or internal access do not count, nor one that is disabled or has
/// failed. An analyzer of the organization counts where it shows: in the account that runs it. Whether anybody reads its findings is
/// not judged.
///
/// # Fix
/// Create an analyzer of type ACCOUNT in the Region; it costs nothing. Where the organization's analyzer covers the account,
/// name the Region under `except`.
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/what-is-access-analyzer.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountAccessAnalyzer {
    /// Regions that need none. `*` and `?` are wildcards.
    #[serde(default)]
    except: Vec<String>,
}

impl CheckType for AccountAccessAnalyzer {
    const META: &'static Meta = &Meta {
        id: "account-access-analyzer",
        unit: Kind::Account,
        severity: Severity::Medium,
        title: "Access from outside is watched for",
        fix: "create an external access analyzer in the Region (access-analyzer CreateAnalyzer, type ACCOUNT)",
        references: &[
            "CIS-AWS-3.0:1.20",
            "CIS-AWS-5.0:1.19",
            "CIS-AWS-7.0:2.18",
            "SecurityHub:IAM.28",
            "Prowler:accessanalyzer_enabled",
            "NIST-800-53:AC-6",
            "ISO-27001:A.8.3",
            "NIS2:11.2.1",
        ],
    };

    fn examples() -> Vec<Example> {
        let on = production();
        let one = |finds, organization, status| vec![Analyzer { name: "watch".to_owned(), finds, organization, status }];
        let good = || one(Finds::ExternalAccess, false, Status::Active);
        let case = |example: Example, paris: Vec<Analyzer>| {
            let regions = [("eu-west-1".to_owned(), good()), ("eu-west-3".to_owned(), paris)];
            example.known(&production(), Analyzers(regions.into()))
        };
        vec![
            case(Example::pass("in each Region", on.clone()), good()),
            case(Example::pass("the organization's", on.clone()), one(Finds::ExternalAccess, true, Status::Active)),
            case(Example::pass("a Region that needs none", on.clone()), vec![])
                .with(serde_json::json!({ "except": ["eu-west-3"] })),
            case(Example::fail("none in one Region", on.clone()), vec![]),
            case(Example::fail("for unused access", on.clone()), one(Finds::UnusedAccess, false, Status::Active)),
            case(Example::fail("disabled", on.clone()), one(Finds::ExternalAccess, false, Status::Disabled)),
            Example::unknown("no Region", on.clone()).known(&on, Analyzers::default()),
            Example::unknown("absent", on.clone()).absent::<Analyzers>(&on),
            Example::unknown("denied", on.clone()).denied::<Analyzers>(&on),
        ]
    }
}

impl Check for AccountAccessAnalyzer {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Analyzers::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(found) = tally.read(view.read::<Analyzers>(unit)) else { return tally.finish() };
        let required = "an active analyzer for external access";
        let except: Vec<Pattern> = self.except.iter().map(|glob| Pattern::new(glob, Case::Sensitive)).collect();
        let regions = found.into_iter().flat_map(|found| &found.0);
        for (region, analyzers) in regions.filter(|(region, _)| !except.iter().any(|glob| glob.matches(region))) {
            let external = || analyzers.iter().filter(|analyzer| analyzer.finds == Finds::ExternalAccess);
            if let Some(active) = external().find(|analyzer| analyzer.status == Status::Active) {
                tally.pass::<Analyzers>(unit, format!("{region}: {}", active.name), required);
                continue;
            }
            let seen = match external().next() {
                Some(analyzer) => format!("{region}: analyzer {} is not active", analyzer.name),
                None => format!("{region}: no analyzer for external access"),
            };
            let _ = tally
                .fail::<Analyzers>(unit, format!("nobody watches for access from outside, {seen}"), seen, required)
                .subject(region);
        }
        if found.is_none_or(|found| found.0.is_empty()) {
            let spec = Analyzers::SPEC;
            let gap = Gap::new(Why::Malformed, spec.operation).with_action(spec.actions.first().copied());
            tally.gap(gap.with_detail("no Region was asked"));
        } else {
            let regions = found.map(|found| found.0.keys().cloned().collect::<Vec<_>>().join(", ")).unwrap_or_default();
            tally.pass::<Analyzers>(unit, format!("judged in {regions}"), required);
        }
        tally.finish()
    }
}
