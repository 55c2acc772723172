//! Judges a snapshot by a policy. Pure: no clock, no environment, no network.
//!
//! It must never lose a row: every member of a scope gets a finding, and so does every list that could not be finished.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::assessment::{Assessment, ControlInfo, Finding, ResourceInfo, WaiverInfo};
use crate::checks::{Meta, Severity};
use crate::demand::Want;
use crate::estate::{AccountKey, Estate, ResourceId};
use crate::fact::{Fact, FactId, FactSpec, Gap, Kind, Per, Why};
use crate::judgement::{Judgement, Observed, Tally, Verdict, Violation};
use crate::policy::{Accepts, Control, Policy, Waiver};
use crate::resources::capability::ELSEWHERE;
use crate::resources::s3_bucket::region::Region;
use crate::scope::Member;
use crate::snapshot::{AccountRecord, Resource, Snapshot};
use crate::view::{Derived, View, is_same};

impl Policy {
    /// The controls as the collector sees them.
    pub fn wants(&self) -> Vec<Want> {
        self.controls.iter().map(|control| control.want(&self.estate)).collect()
    }
}

impl Control {
    fn want(&self, estate: &Estate) -> Want {
        Want { scope: self.scope.clone(), unit: self.check.meta().unit, demands: self.check.demands(estate) }
    }
}

/// Judges every control on every resource of its scope.
pub fn evaluate(policy: &Policy, snapshot: &Snapshot, now: Timestamp) -> Assessment {
    let snapshot = &*of_pinned_accounts(policy, snapshot);
    let derived = Derived::default();
    let view = View::new(snapshot, &policy.estate, now, &derived);
    let mut rows =
        Rows { view: &view, index: HashMap::new(), next: 0, resources: Vec::new(), observed: Vec::new(), findings: Vec::new() };
    let mut controls = Vec::with_capacity(policy.controls.len());
    for (number, control) in policy.controls.iter().enumerate() {
        controls.push(info(control));
        rows.control(u32::try_from(number).unwrap_or(u32::MAX), control);
    }
    let used = apply_waivers(policy, now, &controls, &rows.resources, &mut rows.findings);
    report_waivers(policy, now, &used, &mut controls, &mut rows);
    Assessment {
        policy: policy.name.clone(),
        policy_digest: policy.digest.clone(),
        tool: env!("CARGO_PKG_VERSION"),
        taken: snapshot.taken,
        now,
        complete: snapshot.complete,
        accounts: accounts(policy, snapshot),
        stores: policy.estate.stores.len(),
        copies: policy.estate.stores.values().map(|store| store.copies.len()).sum(),
        controls,
        waivers: policy.waivers.iter().map(waiver_info).collect(),
        calls: snapshot.calls.clone(),
        resources: rows.resources,
        findings: rows.findings,
    }
}

/// What a snapshot says of an account that is not the one the policy pins does not count.
fn of_pinned_accounts<'s>(policy: &Policy, snapshot: &'s Snapshot) -> Cow<'s, Snapshot> {
    let mut held = Cow::Borrowed(snapshot);
    for (key, account) in &policy.estate.accounts {
        let found = snapshot.accounts.get(key).and_then(|record| record.id.as_deref());
        if let (Some(pinned), Some(found)) = (account.id.as_deref(), found)
            && pinned != found
        {
            let detail = format!("the policy pins {key} to {pinned}, the snapshot is of {found}");
            held.to_mut().forget_account(key, Gap::new(Why::WrongAccount, "GetCallerIdentity").with_detail(detail));
        }
    }
    held
}

/// The accounts as they were read; whether they are pinned is what the policy says now.
fn accounts(policy: &Policy, snapshot: &Snapshot) -> BTreeMap<AccountKey, AccountRecord> {
    let mut accounts = snapshot.accounts.clone();
    for (key, record) in &mut accounts {
        record.pinned = policy.estate.accounts.get(key).is_some_and(|account| account.id.is_some());
    }
    accounts
}

fn info(control: &Control) -> ControlInfo {
    ControlInfo {
        id: control.id.clone(),
        check: control.check.meta(),
        severity: control.severity,
        references: control.references.clone(),
        description: control.description.clone(),
        at: control.at.clone(),
    }
}

fn waiver_info(waiver: &Waiver) -> WaiverInfo {
    WaiverInfo {
        control: waiver.control.clone(),
        reason: waiver.reason.clone(),
        owner: waiver.owner.clone(),
        expires: waiver.expires,
        at: waiver.at.clone(),
    }
}

struct Rows<'v, 'a> {
    view: &'v View<'a>,
    index: HashMap<ResourceId, u32>,
    /// The unit after the one of the row before: controls of one scope go through the same resources in the same order.
    next: u32,
    resources: Vec<ResourceInfo>,
    /// Each of them in the snapshot.
    observed: Vec<Option<&'a Resource>>,
    findings: Vec<Finding>,
}

impl Rows<'_, '_> {
    fn control(&mut self, number: u32, control: &Control) {
        let view = self.view;
        // The same question that the collector asked, so that both mean the same members.
        let want = control.want(view.estate);
        let unit = want.unit;
        let found = want.scope.members(view.estate, unit, &want.unit_facts(), view.snapshot);
        let nothing = found.members.is_empty() && found.gaps.is_empty();
        self.findings.reserve(found.members.len());
        for member in found.members {
            let (Member::In(id) | Member::Unknown(id, _)) = &member;
            let unit = self.unit(id);
            let judgement = match member {
                Member::In(id) => {
                    view.looked_up(&id, self.observed.get(unit as usize).copied().flatten());
                    judge(control, &id, view)
                }
                Member::Unknown(_, gap) => {
                    let detail = format!("whether it is in scope is not known; {}", gap.detail.clone().unwrap_or_default());
                    let detail = detail.trim_end_matches(['.', ' ', ';']).to_owned();
                    Judgement::Unknown(vec![gap.with_detail(detail)])
                }
            };
            self.findings.push(Finding { control: number, unit, judgement, waivers: Vec::new() });
        }
        // One row for each account whose list is not whole.
        let mut gaps: BTreeMap<AccountKey, Vec<Gap>> = BTreeMap::new();
        for (account, gap) in found.gaps {
            gaps.entry(account).or_default().push(gap);
        }
        for (account, gaps) in gaps {
            let all = format!("not all of kind {unit} could be listed");
            let gaps =
                gaps.into_iter().map(|gap| if gap.detail.is_some() { gap } else { gap.with_detail(all.clone()) }).collect();
            self.push(number, &ResourceId::account(&account), Judgement::Unknown(gaps));
        }
        if nothing && !control.allow_empty {
            let gap = Gap::new(Why::NotCollected, "scope")
                .with_detail("the control matched nothing; if that is intended, say `allow-empty: true`");
            self.push(number, &ResourceId::new(&AccountKey::none(), Kind::Policy, &control.id), Judgement::Unknown(vec![gap]));
        }
    }

    /// The number of a resource.
    fn unit(&mut self, id: &ResourceId) -> u32 {
        let guess = self.resources.get(self.next as usize).is_some_and(|resource| is_same(&resource.id, id));
        let known = if guess { Some(self.next) } else { self.index.get(id).copied() };
        let unit = match known {
            Some(unit) => unit,
            None => {
                let unit = u32::try_from(self.resources.len()).unwrap_or(u32::MAX);
                let snapshot = self.view.snapshot;
                let observed = snapshot.resource(id);
                let region = match snapshot.read_of::<Region>(id, observed) {
                    Fact::Known(region) => Some(region.0.clone()),
                    Fact::Absent | Fact::Unreadable(_) => None,
                };
                let account_id = snapshot.accounts.get(&id.account).and_then(|record| record.id.clone());
                self.resources.push(ResourceInfo { arn: snapshot.arn(id), region, account_id, id: id.clone() });
                self.observed.push(observed);
                self.index.insert(id.clone(), unit);
                unit
            }
        };
        self.next = unit.saturating_add(1);
        unit
    }

    fn push(&mut self, control: u32, id: &ResourceId, judgement: Judgement) {
        let unit = self.unit(id);
        self.findings.push(Finding { control, unit, judgement, waivers: Vec::new() });
    }
}

fn judge(control: &Control, id: &ResourceId, view: &View<'_>) -> Judgement {
    let elsewhere = !matches!(id.kind, Kind::S3Bucket | Kind::Store | Kind::Policy)
        && view.estate.accounts.get(&id.account).is_some_and(|account| !account.is_aws());
    if elsewhere {
        return Judgement::NotApplicable(ELSEWHERE.into());
    }
    if id.kind == Kind::S3Bucket {
        let mut tally = Tally::new();
        if !view.is_there(id, &mut tally) {
            return tally.finish();
        }
    }
    control.check.judge(id, view)
}

/// Marks what waivers accept; returns which waivers found something to accept.
fn apply_waivers(
    policy: &Policy,
    now: Timestamp,
    controls: &[ControlInfo],
    resources: &[ResourceInfo],
    findings: &mut [Finding],
) -> Vec<bool> {
    let mut used = vec![false; policy.waivers.len()];
    for finding in findings {
        let (Some(control), Some(resource)) = (controls.get(finding.control as usize), resources.get(finding.unit as usize))
        else {
            continue;
        };
        let items: Vec<(Option<&str>, Option<&Gap>)> = match &finding.judgement {
            Judgement::Fail(violations) => violations.iter().map(|v| (v.subject.as_deref(), None)).collect(),
            Judgement::Unknown(gaps) => gaps.iter().map(|gap| (None, Some(gap))).collect(),
            Judgement::Pass(_) | Judgement::NotApplicable(_) => continue,
        };
        let mut accepted = vec![None; items.len()];
        for (number, waiver) in policy.waivers.iter().enumerate() {
            if waiver.control != control.id {
                continue;
            }
            let account = waiver.account.as_deref().is_none_or(|name| name == "*" || name == resource.id.account.as_str());
            if finding.judgement.verdict() == Verdict::Unknown && account {
                // What could not be judged may be what it accepts: it is not called unused.
                if let Some(used) = used.get_mut(number) {
                    *used = true;
                }
            }
            if !waiver.selects(&resource.id, &policy.estate) {
                continue;
            }
            for ((subject, gap), slot) in items.iter().zip(&mut accepted) {
                let right = match (&waiver.accepts, gap) {
                    (Accepts::Fail, None) => waiver.subject.as_deref().is_none_or(|wanted| Some(wanted) == *subject),
                    (Accepts::Unknown { operation }, Some(gap)) => {
                        let lasts = matches!(gap.why, Why::Denied | Why::Unsupported | Why::NotEvaluated | Why::NotCompiled);
                        lasts && *gap.operation == **operation
                    }
                    (Accepts::Fail, Some(_)) => false,
                    (Accepts::Unknown { .. }, None) => false,
                };
                if right {
                    if let Some(used) = used.get_mut(number) {
                        *used = true;
                    }
                    if waiver.holds(now) {
                        slot.get_or_insert(u32::try_from(number).unwrap_or(u32::MAX));
                    }
                }
            }
        }
        if accepted.iter().any(Option::is_some) {
            finding.waivers = accepted;
        }
    }
    used
}

const WAIVER_META: Meta = Meta {
    id: "policy-waivers",
    unit: Kind::Policy,
    severity: Severity::Low,
    title: "Waivers are current and needed",
    fix: "renew the waiver with a new expiry and reason, or remove it",
    references: &[],
};

/// What a policy says of itself; it is read with the policy.
const WAIVERS: FactId =
    &FactSpec { id: "policy.waivers", kind: Kind::Policy, operation: "load policy", also: &[], actions: &[], per: Per::Free };

/// An expired waiver, or one that accepted nothing, is a finding of its own.
fn report_waivers(policy: &Policy, now: Timestamp, used: &[bool], controls: &mut Vec<ControlInfo>, rows: &mut Rows<'_, '_>) {
    for (waiver, used) in policy.waivers.iter().zip(used) {
        let (says, fix) = if !waiver.holds(now) {
            let says = format!("the waiver of {} by {} expired on {}", waiver.control, waiver.owner, waiver.expires);
            (says, "renew the waiver with a new expiry and reason, or remove it")
        } else if !used {
            let says = format!("the waiver of {} by {} matched nothing", waiver.control, waiver.owner);
            (says, "correct what the waiver names, or remove it")
        } else {
            continue;
        };
        let number = u32::try_from(controls.len()).unwrap_or(u32::MAX);
        controls.push(ControlInfo {
            id: WAIVER_META.id.to_owned(),
            check: &WAIVER_META,
            severity: WAIVER_META.severity,
            references: Vec::new(),
            description: None,
            at: waiver.at.clone(),
        });
        let id = ResourceId::new(&AccountKey::none(), Kind::Policy, &policy.name);
        let observed =
            Observed { fact: WAIVERS, on: id.clone(), seen: "expired or unused".into(), required: "current and used".into() };
        let violation =
            Violation { subject: Some(waiver.subject_line().into()), says: says.into(), observed, fix: Some(fix.into()) };
        rows.push(number, &id, Judgement::Fail(vec![violation]));
    }
}
