use serde::Deserialize;

use super::example::{Example, denial, primary, production};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Copy, Estate, ResourceId};
use crate::fact::{Fact, Gap, Kind};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::account::trails::{Basic, Selectors, Trail, TrailState, Trails};
use crate::trails::{Covers, management_writes};
use crate::view::View;

/// A CloudTrail trail records every change in the account, in all Regions, where the change cannot be hidden.
///
/// # Why
/// The time to recover is the time until something expires: noticing late is losing. Whoever stops the trail, or writes its logs
/// where documents lie, works in the dark.
///
/// # Fails when
/// No trail of the account or its organization does all of this: it covers all Regions; is logging, and its last log file was
/// delivered; records management events that write, those of KMS included; signs its log files (log file validation); and puts
/// them into a bucket that holds no documents, that is, none that a store declares. With `separate-account`, the trail must be
/// one of the organization, made by another account, whose log bucket is not in the account's hands.
///
/// Of a trail of the organization a member may be refused the details: if no other trail is enough, the verdict is unknown. How
/// well the log bucket itself is protected is judged by controls on that bucket. Trails are looked for in the Regions where the
/// account has buckets in question; a trail of all Regions shows in each. CloudTrail Lake and the event history of 90 days do not
/// count.
///
/// # Fix
/// Make a trail of all Regions, best one of the organization, with log file validation, into a bucket of a log archive account:
/// CreateTrail with IsMultiRegionTrail and EnableLogFileValidation, then StartLogging.
///
/// # References
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html>
/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountTrail {
    /// Whether the logs must be out of the account's hands: a trail of the organization that another account made.
    #[serde(default)]
    separate_account: bool,
}

/// A trail with nothing wrong.
pub(super) fn good_trail() -> Trail {
    let management = Basic { reads: true, writes: true, management: true, ..Basic::default() };
    Trail {
        arn: "arn:aws:cloudtrail:eu-west-1:111111111111:trail/main".to_owned(),
        name: "main".to_owned(),
        home_region: "eu-west-1".to_owned(),
        multi_region: true,
        organization: false,
        validation: true,
        bucket: "acme-trail-logs".to_owned(),
        key: None,
        state: Fact::Known(TrailState { logging: true, delivery_error: None }),
        selectors: Fact::Known(Selectors::Basic(vec![management])),
    }
}

impl CheckType for AccountTrail {
    const META: &'static Meta = &Meta {
        id: "account-trail",
        unit: Kind::Account,
        severity: Severity::High,
        title: "A trail records every change in the account",
        fix: "make a trail of all Regions with log file validation, into a bucket that holds no documents, and start it",
        references: &[
            "SecurityHub:CloudTrail.1",
            "SecurityHub:CloudTrail.4",
            "CIS-AWS-5:3.1",
            "CIS-AWS-5:3.2",
            "NIST-800-53:AU-9",
            "SOC2:CC7.2",
            "ISO-27001:A.8.15",
            "PCI-DSS:10.2.1",
            "HIPAA:164.312(b)",
            "NIS2:3.4.2(d)",
        ],
    };

    fn examples() -> Vec<Example> {
        fn refused<T>() -> Fact<T> {
            Fact::Unreadable(Box::new(denial(Trails::SPEC)))
        }
        let on = production();
        let world = |example: Example, trails: Vec<Trail>| example.known(&production(), Trails(trails));
        let one = |name, change: &dyn Fn(&mut Trail)| {
            let mut trail = good_trail();
            change(&mut trail);
            world(Example::fail(name, production()), vec![trail])
        };
        let organizations = || {
            let arn = "arn:aws:cloudtrail:eu-west-1:333333333333:trail/main".to_owned();
            Trail { organization: true, arn, ..good_trail() }
        };
        let off = || Trail { state: Fact::Known(TrailState::default()), name: "old".into(), ..good_trail() };
        let separate = serde_json::json!({ "separate-account": true });
        vec![
            world(Example::pass("one that does it all", on.clone()), vec![good_trail()]),
            world(Example::pass("one of two is enough", on.clone()), vec![off(), good_trail()]),
            world(Example::pass("the organization's", on.clone()), vec![organizations()]).with(separate.clone()),
            world(Example::fail("none", on.clone()), Vec::new()),
            one("it is not logging", &|trail| trail.state = Fact::Known(TrailState::default())),
            one("its logs are not delivered", &|trail| {
                let delivery_error = Some("NoSuchBucket".to_owned());
                trail.state = Fact::Known(TrailState { logging: true, delivery_error });
            }),
            one("one Region", &|trail| trail.multi_region = false),
            one("no validation", &|trail| trail.validation = false),
            one("into a bucket of documents", &|trail| trail.bucket = primary().name.to_string()),
            one("only what reads", &|trail| {
                let reads = Basic { reads: true, management: true, ..Basic::default() };
                trail.selectors = Fact::Known(Selectors::Basic(vec![reads]));
            }),
            world(Example::fail("in the account's own hands", on.clone()), vec![good_trail()]).with(separate),
            world(
                Example::unknown("selectors of the organization's trail are refused", on.clone()),
                vec![off(), Trail { selectors: refused(), ..organizations() }],
            ),
            world(Example::unknown("its state is refused", on.clone()), vec![Trail { state: refused(), ..organizations() }]),
            Example::unknown("denied", on.clone()).denied::<Trails>(&on),
        ]
    }
}

impl Check for AccountTrail {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Trails::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(trails) = tally.read(view.read::<Trails>(unit)) else { return tally.finish() };
        let trails = trails.map(|trails| trails.0.as_slice()).unwrap_or_default();
        let required = "a trail that records every change of all Regions, signed, away from the documents";
        let (mut wrong, mut gaps) = (Vec::new(), Vec::new());
        for trail in trails {
            let (reasons, unsure) = self.wrong(trail, unit, view);
            match (reasons.as_slice(), unsure.is_empty()) {
                ([], true) => {
                    tally.pass::<Trails>(unit, format!("trail {}", trail.name), required);
                    return tally.finish();
                }
                ([], false) => gaps.extend(unsure),
                (reasons, _) => wrong.push(format!("trail {} {}", trail.name, reasons.join(" and "))),
            }
        }
        if gaps.is_empty() {
            let seen = if wrong.is_empty() { "no trail".to_owned() } else { wrong.join("; ") };
            let _ = tally
                .fail::<Trails>(unit, format!("no trail records every change safely: {seen}"), seen, required)
                .subject("trail");
        }
        gaps.into_iter().for_each(|gap| tally.gap(gap));
        tally.finish()
    }
}

impl AccountTrail {
    /// What a trail lacks, and what is not known of it.
    fn wrong(&self, trail: &Trail, unit: &ResourceId, view: &View<'_>) -> (Vec<String>, Vec<Gap>) {
        let (mut out, mut gaps) = (Vec::new(), Vec::new());
        let mut no = |is: bool, says: &str| {
            if is {
                out.push(says.to_owned());
            }
        };
        no(!trail.multi_region, "covers only one Region");
        no(!trail.validation, "does not sign its log files");
        let mut copies = view.estate.stores.values().flat_map(|store| store.copies.values()).flat_map(Copy::resources);
        no(copies.any(|bucket| *bucket.name == *trail.bucket), "puts its logs into a bucket of documents");
        if self.separate_account {
            let of = trail.arn.split(':').nth(4);
            match view.account_number(&unit.account) {
                Some(own) => no(!trail.organization || of == Some(own), "is in the hands of the account itself"),
                None => gaps.push(Gap::not_collected(Trails::SPEC).with_detail("the number of the account is not known")),
            }
        }
        match not_running(trail) {
            Ok(None) => {}
            Ok(Some(says)) => out.push(says),
            Err(gap) => gaps.push(gap),
        }
        match &trail.selectors {
            Fact::Known(selectors) => match management_writes(selectors) {
                Covers::All => {}
                Covers::Not(why) if why.is_empty() => out.push("does not record management events that write".to_owned()),
                Covers::Not(why) => out.push(format!("does not record every change ({why})")),
                Covers::Unsure(why) => gaps.push(unsure(trail, &why)),
            },
            Fact::Absent => out.push("records nothing".to_owned()),
            Fact::Unreadable(gap) => gaps.push(of_trail(trail, gap)),
        }
        (out, gaps)
    }
}

/// Why a trail records nothing now, if so.
pub(super) fn not_running(trail: &Trail) -> Result<Option<String>, Gap> {
    match &trail.state {
        Fact::Known(TrailState { logging: false, .. }) | Fact::Absent => Ok(Some("is not logging".to_owned())),
        Fact::Known(TrailState { delivery_error: Some(error), .. }) => Ok(Some(format!("cannot deliver its logs ({error})"))),
        Fact::Known(TrailState { delivery_error: None, .. }) => Ok(None),
        Fact::Unreadable(gap) => Err(of_trail(trail, gap)),
    }
}

/// The gap, naming the trail.
pub(super) fn of_trail(trail: &Trail, gap: &Gap) -> Gap {
    let detail = gap.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
    gap.clone().with_detail(format!("trail {}{detail}", trail.arn))
}

/// What a trail records cannot be told.
pub(super) fn unsure(trail: &Trail, why: &str) -> Gap {
    let gap = Gap::new(crate::fact::Why::NotEvaluated, "cloudtrail:GetEventSelectors");
    gap.with_detail(format!("trail {}: {why}", trail.arn))
}
