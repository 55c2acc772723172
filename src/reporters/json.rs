//! The JSON report: versioned, streamed finding by finding, with types of its own.
//!
//! It must never serialise an internal type: what is written here is a promise, described by `docs/report.schema.json`.
//! [`SCHEMA_VERSION`] goes up when a field changes its meaning, goes away or is added.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::{Evidence, Options, Reporter, tell, wire};
use crate::assessment::{Assessment, At, Finding, WaiverInfo};
use crate::exit::Exit;
use crate::fact::{Gap, Why};
use crate::judgement::{Judgement, Observed, Verdict};

/// The version of the report's schema.
pub const SCHEMA_VERSION: u32 = 1;

/// The JSON report.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl Reporter for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn description(&self) -> &'static str {
        "everything, for programs; versioned, one finding a line"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn render(&self, assessment: &Assessment, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
        wire::write(&Report::of(assessment, options), 2, out)
    }
}

/// The JSON Schema (draft 2020-12) of the report.
pub fn schema() -> schemars::Schema {
    schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Report<'static>>()
}

/// The schema of the report as committed under docs/.
pub fn schema_text() -> String {
    serde_json::to_string_pretty(&schema()).map(|text| text + "\n").unwrap_or_default()
}

/// The result of one lastcopy run.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Report")]
struct Report<'a> {
    /// The version of this schema.
    schema_version: u32,
    /// Always `lastcopy`.
    tool: &'static str,
    /// The version that judged.
    tool_version: &'static str,
    policy: PolicyDto<'a>,
    /// When the state was read (RFC 3339, UTC).
    taken: String,
    /// The time that was judged at (RFC 3339, UTC).
    judged_at: String,
    /// False: collection was interrupted or the snapshot is partial.
    collection_complete: bool,
    /// Something could not be judged that nobody has accepted, or nothing was judged at all.
    incomplete: bool,
    /// Unwaived failures at or above `fail_on`.
    open_failures: usize,
    /// Failures below this severity do not count for the exit code.
    fail_on: &'static str,
    /// 0 compliant, 1 failures, 3 incomplete, 4 no account could be read.
    exit_code: u8,
    /// The exit code in words.
    exit_meaning: &'static str,
    /// Counts of findings by true verdict; `waived` counts those of them that are accepted.
    summary: SummaryDto,
    /// Requests by `service:Operation`, retries included.
    calls: &'a BTreeMap<String, u64>,
    accounts: Vec<AccountDto<'a>>,
    controls: Vec<ControlDto<'a>>,
    /// In the order of controls, then resources.
    #[schemars(with = "Vec<FindingDto<'static>>")]
    findings: Findings<'a>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Policy")]
struct PolicyDto<'a> {
    name: &'a str,
    /// SHA-256 over the policy files.
    digest: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Summary")]
struct SummaryDto {
    pass: usize,
    fail: usize,
    unknown: usize,
    not_applicable: usize,
    waived: usize,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Account")]
struct AccountDto<'a> {
    /// The policy's alias.
    key: &'a str,
    /// The twelve digits, as the provider said.
    id: Option<&'a str>,
    partition: Option<&'a str>,
    endpoint: Option<&'a str>,
    provider: Option<&'a str>,
    /// Whether the policy pins the id.
    pinned: bool,
    /// Why nothing of the account could be read.
    gap: Option<GapDto<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Control")]
struct ControlDto<'a> {
    id: &'a str,
    check: &'a str,
    /// The check's requirement in half a line.
    title: &'a str,
    #[schemars(with = "SeverityWord")]
    severity: &'static str,
    references: Vec<&'a str>,
    description: Option<&'a str>,
    location: Location<'a>,
}

/// A place in a policy file; lines and columns count from 1, columns in characters.
#[derive(Serialize, JsonSchema)]
struct Location<'a> {
    file: &'a str,
    line: usize,
    column: usize,
}

/// One control on one resource.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Finding")]
struct FindingDto<'a> {
    /// Stays the same as long as control, account, kind and name do.
    fingerprint: String,
    control: &'a str,
    check: &'a str,
    /// The kind of the resource: `s3-bucket`, `account`, `store`, ...
    unit: &'static str,
    /// The ARN, or what stands for it where there is none. For display: S3 ARNs carry no account.
    resource: &'a str,
    name: &'a str,
    /// The policy's alias of the account; null for stores and the policy itself.
    account: Option<&'a str>,
    account_id: Option<&'a str>,
    region: Option<&'a str>,
    #[schemars(with = "SeverityWord")]
    severity: &'static str,
    #[schemars(with = "VerdictWord")]
    verdict: &'static str,
    /// Everything that is wrong or not known is accepted by waivers. The verdict stays what it is.
    waived: bool,
    /// One sentence.
    message: String,
    /// What to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    fix: String,
    /// The first waiver that accepts something of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiver: Option<WaiverDto<'a>>,
    /// Of a failure: each way in which the requirement is not met.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<ViolationDto<'a>>,
    /// Of an unknown: what could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<GapDto<'a>>,
    /// What the verdict rests on.
    evidence: Vec<EvidenceDto<'a>>,
    /// How many further pieces of evidence `--evidence all` adds.
    #[serde(skip_serializing_if = "is_zero")]
    evidence_omitted: usize,
    /// The control in the policy file.
    location: Location<'a>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Violation")]
struct ViolationDto<'a> {
    fingerprint: String,
    /// The principal, rule or statement that is to blame.
    subject: Option<&'a str>,
    message: &'a str,
    fix: &'a str,
    waived: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiver: Option<WaiverDto<'a>>,
    evidence: EvidenceDto<'a>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Waiver")]
struct WaiverDto<'a> {
    reason: &'a str,
    owner: &'a str,
    /// The last day on which it holds (UTC).
    expires: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Gap")]
struct GapDto<'a> {
    /// The API operation that did not answer.
    operation: &'a str,
    /// The IAM action that would allow it.
    action: Option<&'a str>,
    #[schemars(with = "WhyWord")]
    why: &'static str,
    /// The provider's error code.
    code: Option<&'a str>,
    detail: Option<&'a str>,
    /// In one sentence.
    message: String,
    /// Whether a waiver accepts that it is not known.
    waived: bool,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Evidence")]
struct EvidenceDto<'a> {
    /// `<kind>.<fact>`; null when nothing could be read or nothing was looked at.
    fact: Option<&'a str>,
    /// The name of the resource on which it was seen, when it was.
    resource: Option<&'a str>,
    /// The policy's alias of the account of that resource.
    account: Option<&'a str>,
    observed: Cow<'a, str>,
    required: Option<&'a str>,
    operation: Option<&'a str>,
}

#[derive(JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "names the words in the schema; the words themselves come from the domain's types")]
enum VerdictWord {
    Pass,
    Fail,
    Unknown,
    NotApplicable,
}

#[derive(JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "names the words in the schema; the words themselves come from the domain's types")]
enum SeverityWord {
    Low,
    Medium,
    High,
    Critical,
}

#[derive(JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "names the words in the schema; the words themselves come from the domain's types")]
enum WhyWord {
    Denied,
    Throttled,
    TimedOut,
    Malformed,
    Truncated,
    Unsupported,
    NotCompiled,
    NotCollected,
    Vanished,
    WrongAccount,
    Credentials,
    Unreachable,
    NotEvaluated,
    Failed,
}

fn why(why: Why) -> &'static str {
    match why {
        Why::Denied => "denied",
        Why::Throttled => "throttled",
        Why::TimedOut => "timed_out",
        Why::Malformed => "malformed",
        Why::Truncated => "truncated",
        Why::Unsupported => "unsupported",
        Why::NotCompiled => "not_compiled",
        Why::NotCollected => "not_collected",
        Why::Vanished => "vanished",
        Why::WrongAccount => "wrong_account",
        Why::Credentials => "credentials",
        Why::Unreachable => "unreachable",
        Why::NotEvaluated => "not_evaluated",
        Why::Failed => "failed",
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Makes each finding when it is written.
struct Findings<'a> {
    assessment: &'a Assessment,
    evidence: Evidence,
}

impl Serialize for Findings<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.assessment.findings.iter().map(|finding| FindingDto::of(self.assessment, finding, self.evidence)))
    }
}

impl<'a> Report<'a> {
    fn of(assessment: &'a Assessment, options: &Options) -> Self {
        let exit = Exit::of(assessment, options.fail_on, options.incomplete_as_failure);
        let summary = assessment.summary();
        Self {
            schema_version: SCHEMA_VERSION,
            tool: "lastcopy",
            tool_version: assessment.tool,
            policy: PolicyDto { name: &assessment.policy, digest: &assessment.policy_digest },
            taken: assessment.taken.to_string(),
            judged_at: assessment.now.to_string(),
            collection_complete: assessment.complete,
            incomplete: assessment.is_incomplete(),
            open_failures: assessment.open_failures(options.fail_on),
            fail_on: options.fail_on.as_str(),
            exit_code: exit.code(),
            exit_meaning: exit.meaning(),
            summary: SummaryDto {
                pass: summary.pass,
                fail: summary.fail,
                unknown: summary.unknown,
                not_applicable: summary.not_applicable,
                waived: summary.waived,
            },
            calls: &assessment.calls,
            accounts: assessment
                .accounts
                .iter()
                .map(|(key, record)| AccountDto {
                    key: key.as_str(),
                    id: record.id.as_deref(),
                    partition: record.partition.as_deref(),
                    endpoint: record.endpoint.as_deref(),
                    provider: record.provider.as_deref(),
                    pinned: record.pinned,
                    gap: record.gap.as_ref().map(|gap| GapDto::of(gap, None)),
                })
                .collect(),
            controls: assessment
                .controls
                .iter()
                .map(|control| ControlDto {
                    id: &control.id,
                    check: control.check.id,
                    title: control.check.title,
                    severity: control.severity.as_str(),
                    references: control.references.iter().map(String::as_str).collect(),
                    description: control.description.as_deref(),
                    location: Location::of(&control.at),
                })
                .collect(),
            findings: Findings { assessment, evidence: options.evidence },
        }
    }
}

impl<'a> Location<'a> {
    fn of(at: &'a At) -> Self {
        Self { file: &at.file, line: at.line, column: at.column }
    }
}

impl<'a> WaiverDto<'a> {
    fn of(waiver: &'a WaiverInfo) -> Self {
        Self { reason: &waiver.reason, owner: &waiver.owner, expires: waiver.expires.to_string() }
    }
}

impl<'a> GapDto<'a> {
    fn of(gap: &'a Gap, waiver: Option<&WaiverInfo>) -> Self {
        Self {
            operation: &gap.operation,
            action: gap.action.as_deref(),
            why: why(gap.why),
            code: gap.code.as_deref(),
            detail: gap.detail.as_deref(),
            message: tell::gap(gap),
            waived: waiver.is_some(),
        }
    }
}

impl<'a> EvidenceDto<'a> {
    fn of(observed: &'a Observed) -> Self {
        Self {
            fact: Some(observed.fact.id),
            resource: Some(&observed.on.name),
            account: some(observed.on.account.as_str()),
            observed: Cow::Borrowed(&observed.seen),
            required: Some(&observed.required),
            operation: Some(observed.fact.operation),
        }
    }

    fn gap(gap: &'a Gap) -> Self {
        let (observed, operation) = (Cow::Owned(tell::gap(gap)), Some(&*gap.operation));
        Self { fact: None, resource: None, account: None, observed, required: None, operation }
    }

    fn reason(reason: &'a str) -> Self {
        Self { fact: None, resource: None, account: None, observed: Cow::Borrowed(reason), required: None, operation: None }
    }
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

impl<'a> FindingDto<'a> {
    fn of(assessment: &'a Assessment, finding: &'a Finding, evidence: Evidence) -> Self {
        let control = assessment.control(finding);
        let resource = assessment.resource(finding);
        let brief = evidence == Evidence::Failures && finding.judgement.verdict() == Verdict::Pass;
        let seen: Vec<EvidenceDto<'a>> = match &finding.judgement {
            Judgement::Pass(seen) if brief => seen.iter().take(1).map(EvidenceDto::of).collect(),
            Judgement::Pass(seen) => seen.iter().map(EvidenceDto::of).collect(),
            Judgement::Fail(violations) => {
                let mut all: Vec<&Observed> = Vec::new();
                for violation in violations {
                    if !all.iter().rev().take(8).any(|known| **known == violation.observed) {
                        all.push(&violation.observed);
                    }
                }
                all.into_iter().map(EvidenceDto::of).collect()
            }
            Judgement::Unknown(gaps) => gaps.iter().map(EvidenceDto::gap).collect(),
            Judgement::NotApplicable(reason) => vec![EvidenceDto::reason(reason)],
        };
        let omitted = match &finding.judgement {
            Judgement::Pass(seen) if brief => seen.len().saturating_sub(1),
            Judgement::Pass(_) | Judgement::Fail(_) | Judgement::Unknown(_) | Judgement::NotApplicable(_) => 0,
        };
        let waiver = finding.waivers.iter().flatten().next().and_then(|number| assessment.waivers.get(*number as usize));
        Self {
            fingerprint: assessment.fingerprint(finding, None),
            control: control.map_or("", |control| &control.id),
            check: control.map_or("", |control| control.check.id),
            unit: resource.map_or("", |resource| resource.id.kind.as_str()),
            resource: resource.map_or("", |resource| &resource.arn),
            name: resource.map_or("", |resource| &resource.id.name),
            account: resource.and_then(|resource| some(resource.id.account.as_str())),
            account_id: resource.and_then(|resource| resource.account_id.as_deref()),
            region: resource.and_then(|resource| resource.region.as_deref()),
            severity: control.map_or("low", |control| control.severity.as_str()),
            verdict: tell::verdict_key(finding.judgement.verdict()),
            waived: finding.is_waived(),
            message: tell::message(assessment, finding),
            fix: tell::fix(assessment, finding),
            waiver: waiver.map(WaiverDto::of),
            violations: tell::violations(assessment, finding)
                .map(|(violation, waiver)| ViolationDto {
                    fingerprint: assessment.fingerprint(finding, violation.subject.as_deref()),
                    subject: violation.subject.as_deref(),
                    message: &violation.says,
                    fix: tell::violation_fix(violation, control),
                    waived: waiver.is_some(),
                    waiver: waiver.map(WaiverDto::of),
                    evidence: EvidenceDto::of(&violation.observed),
                })
                .collect(),
            gaps: tell::gaps(assessment, finding).map(|(gap, waiver)| GapDto::of(gap, waiver)).collect(),
            evidence: seen,
            evidence_omitted: omitted,
            location: Location {
                file: control.map_or("", |control| &control.at.file),
                line: control.map_or(0, |control| control.at.line),
                column: control.map_or(0, |control| control.at.column),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::render;
    use super::super::{Evidence, Options, sample};

    #[test]
    fn reports_fit_the_schema() {
        let schema = serde_json::to_value(super::schema()).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        for assessment in [sample::sample(), sample::clean(), sample::unreadable()] {
            for evidence in [Evidence::Failures, Evidence::All] {
                let text = render("json", &assessment, &Options { evidence, ..Options::default() });
                let report: serde_json::Value = serde_json::from_str(&text).unwrap();
                let errors: Vec<String> = validator.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
                assert!(errors.is_empty(), "{errors:#?}");
            }
        }
    }

    #[test]
    fn counts_add_up() {
        let assessment = sample::sample();
        let report: serde_json::Value = serde_json::from_str(&render("json", &assessment, &Options::default())).unwrap();
        let findings = report["findings"].as_array().unwrap();
        for verdict in ["pass", "fail", "unknown", "not_applicable"] {
            let count = findings.iter().filter(|finding| finding["verdict"] == verdict).count();
            assert_eq!(report["summary"][verdict], count, "{verdict}");
        }
        assert_eq!(report["summary"]["waived"], findings.iter().filter(|finding| finding["waived"] == true).count());
        for finding in findings {
            assert!(!finding["evidence"].as_array().unwrap().is_empty(), "{finding}");
            assert!(!finding["message"].as_str().unwrap().is_empty(), "{finding}");
        }
    }
}
