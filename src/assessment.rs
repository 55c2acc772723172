//! All findings of a run, with everything a report needs to tell them.
//!
//! It must never change a verdict: a waiver is noted beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::checks::{Meta, Severity};
use crate::estate::{AccountKey, ResourceId};
use crate::judgement::{Judgement, Verdict};
use crate::snapshot::AccountRecord;
use crate::snapshot::file::hex;

/// A place in a policy file; lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct At {
    pub file: Arc<str>,
    pub line: usize,
    pub column: usize,
}

/// The judgement of one control on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Index into [`Assessment::controls`].
    pub control: u32,
    /// Index into [`Assessment::resources`].
    pub unit: u32,
    pub judgement: Judgement,
    /// For each violation (for each gap, when unknown), the waiver that accepts it: index into [`Assessment::waivers`].
    pub waivers: Vec<Option<u32>>,
}

impl Finding {
    /// Whether everything that is wrong is accepted by a waiver.
    pub fn is_waived(&self) -> bool {
        !self.waivers.is_empty() && self.waivers.iter().all(Option::is_some)
    }
}

/// A control as reports tell it.
#[derive(Clone, Debug)]
pub struct ControlInfo {
    pub id: String,
    pub check: &'static Meta,
    pub severity: Severity,
    pub references: Vec<String>,
    pub description: Option<String>,
    pub at: At,
}

/// A resource as reports tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceInfo {
    pub id: ResourceId,
    /// For display.
    pub arn: String,
    pub region: Option<String>,
    /// The twelve digits, where known.
    pub account_id: Option<String>,
}

/// A waiver as reports tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaiverInfo {
    pub control: String,
    pub reason: String,
    pub owner: String,
    pub expires: jiff::civil::Date,
    pub at: At,
}

/// All findings of a run.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// The policy's name.
    pub policy: String,
    /// SHA-256 over the policy files.
    pub policy_digest: String,
    /// The version of lastcopy that judges.
    pub tool: &'static str,
    /// When the snapshot was taken.
    pub taken: Timestamp,
    /// The time that was judged at.
    pub now: Timestamp,
    /// False: collection was interrupted or the snapshot is partial.
    pub complete: bool,
    pub accounts: BTreeMap<AccountKey, AccountRecord>,
    /// How many stores and copies the policy declares.
    pub stores: usize,
    pub copies: usize,
    pub controls: Vec<ControlInfo>,
    pub resources: Vec<ResourceInfo>,
    pub waivers: Vec<WaiverInfo>,
    /// In the order of controls, then resources.
    pub findings: Vec<Finding>,
    /// Requests by `service:Operation`, retries included.
    pub calls: BTreeMap<String, u64>,
}

/// Counts of findings by true verdict, and how many of them are waived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    pub pass: usize,
    pub fail: usize,
    pub unknown: usize,
    pub not_applicable: usize,
    pub waived: usize,
}

impl Assessment {
    /// Counts.
    pub fn summary(&self) -> Summary {
        let mut counts = Summary::default();
        for finding in &self.findings {
            match finding.judgement.verdict() {
                Verdict::Pass => counts.pass += 1,
                Verdict::Fail => counts.fail += 1,
                Verdict::Unknown => counts.unknown += 1,
                Verdict::NotApplicable => counts.not_applicable += 1,
            }
            counts.waived += usize::from(finding.is_waived());
        }
        counts
    }

    /// The control of a finding.
    pub fn control(&self, finding: &Finding) -> Option<&ControlInfo> {
        self.controls.get(finding.control as usize)
    }

    /// The resource of a finding.
    pub fn resource(&self, finding: &Finding) -> Option<&ResourceInfo> {
        self.resources.get(finding.unit as usize)
    }

    /// Unwaived failures at or above a severity.
    pub fn open_failures(&self, at_least: Severity) -> usize {
        let open = |finding: &&Finding| {
            finding.judgement.verdict() == Verdict::Fail
                && !finding.is_waived()
                && self.control(finding).is_some_and(|control| control.severity >= at_least)
        };
        self.findings.iter().filter(open).count()
    }

    /// Whether something could not be judged that nobody has accepted, or nothing was judged at all.
    pub fn is_incomplete(&self) -> bool {
        let judged = self.findings.iter().any(|f| matches!(f.judgement, Judgement::Pass(_) | Judgement::Fail(_)));
        let unknown = self.findings.iter().any(|f| f.judgement.verdict() == Verdict::Unknown && !f.is_waived());
        !self.complete || unknown || !judged
    }

    /// The identity of a finding, or of one of its violations: never text, region, line, severity or time.
    pub fn fingerprint(&self, finding: &Finding, subject: Option<&str>) -> String {
        let mut sha = Sha256::new();
        let (control, resource) = (self.control(finding), self.resource(finding));
        let parts = [
            "v1",
            &self.policy,
            control.map_or("", |control| &control.id),
            resource.map_or("", |resource| resource.id.account.as_str()),
            resource.map_or("", |resource| resource.id.kind.as_str()),
            resource.map_or("", |resource| &resource.id.name),
            subject.unwrap_or(""),
        ];
        for part in parts {
            sha.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            sha.update(part);
        }
        hex(&sha.finalize())
    }
}
