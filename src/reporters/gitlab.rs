//! GitLab's code quality report: one issue for each violation and each unknown, at its control's line in the policy file.
//!
//! The severity is the control's: low is `minor`, medium `major`, high `critical`, critical `blocker`; what is waived is `info`.
//! An unknown keeps its control's severity and says that it is one. Passes are no issues. It must never write one fingerprint
//! twice: GitLab would show one of the two.
//!
//! <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;

use serde::ser::{Serialize, SerializeSeq, Serializer};

use super::text::visible;
use super::{Options, Reporter, tell, wire};
use crate::assessment::{Assessment, Finding, WaiverInfo};
use crate::checks::Severity;
use crate::judgement::Judgement;

/// GitLab's code quality report.
#[derive(Clone, Copy, Debug)]
pub struct Gitlab;

impl Reporter for Gitlab {
    fn name(&self) -> &'static str {
        "gitlab"
    }

    fn description(&self) -> &'static str {
        "the code quality report of GitLab merge requests"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn render(&self, assessment: &Assessment, _: &Options, out: &mut dyn io::Write) -> io::Result<()> {
        wire::write(&Issues { assessment, seen: RefCell::default() }, 1, out)
    }
}

/// Makes each issue when it is written.
struct Issues<'a> {
    assessment: &'a Assessment,
    seen: RefCell<HashMap<String, u32>>,
}

#[derive(serde::Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(serde::Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(serde::Serialize)]
struct Lines {
    begin: usize,
}

impl Serialize for Issues<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(None)?;
        for finding in
            tell::worst_first(self.assessment, |finding| matches!(finding.judgement, Judgement::Fail(_) | Judgement::Unknown(_)))
        {
            match &finding.judgement {
                Judgement::Fail(_) => {
                    for (violation, waiver) in tell::violations(self.assessment, finding) {
                        let fix = tell::violation_fix(violation, self.assessment.control(finding));
                        let said = format!("{}. {fix}", tell::says(violation));
                        if let Some(issue) = self.issue(finding, violation.subject.as_deref(), &said, waiver) {
                            list.serialize_element(&issue)?;
                        }
                    }
                }
                Judgement::Unknown(_) => {
                    let said = format!("{}. {}", tell::message(self.assessment, finding), tell::fix(self.assessment, finding));
                    let waiver = tell::waiver_of(self.assessment, finding, 0).filter(|_| finding.is_waived());
                    if let Some(issue) = self.issue(finding, None, &said, waiver) {
                        list.serialize_element(&issue)?;
                    }
                }
                Judgement::Pass(_) | Judgement::NotApplicable(_) => {}
            }
        }
        list.end()
    }
}

impl<'a> Issues<'a> {
    fn issue(&self, finding: &Finding, subject: Option<&str>, said: &str, waiver: Option<&WaiverInfo>) -> Option<Issue<'a>> {
        let control = self.assessment.control(finding)?;
        let place = tell::place(self.assessment, finding);
        let said = said.trim_end_matches([' ', '.']);
        let description = match waiver {
            None => format!("{}: {place}: {said}", control.id),
            Some(waiver) => format!(
                "{}: {place}: waived: {said}. Accepted by {} until {}: {}",
                control.id, waiver.owner, waiver.expires, waiver.reason
            ),
        };
        // Violations without a subject share the fingerprint of their finding.
        let mut fingerprint = self.assessment.fingerprint(finding, subject);
        let mut seen = self.seen.borrow_mut();
        let times = seen.entry(fingerprint.clone()).or_default();
        *times += 1;
        if *times > 1 {
            fingerprint = format!("{fingerprint}-{times}");
        }
        let path = control.at.file.strip_prefix("./").unwrap_or(&control.at.file);
        Some(Issue {
            description: visible(&description).into_owned(),
            check_name: control.check.id,
            fingerprint,
            severity: if waiver.is_some() { "info" } else { severity(control.severity) },
            location: Location {
                path: if path.is_empty() { "lastcopy.yaml" } else { path },
                lines: Lines { begin: control.at.line.max(1) },
            },
        })
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "minor",
        Severity::Medium => "major",
        Severity::High => "critical",
        Severity::Critical => "blocker",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::tests::render;
    use super::super::{Options, sample};

    #[test]
    fn is_valid_and_no_fingerprint_is_there_twice() {
        let schema = include_str!("../../tests/schemas/gitlab-code-quality.json");
        let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
        for assessment in [sample::sample(), sample::clean(), sample::unreadable()] {
            let report: Value = serde_json::from_str(&render("gitlab", &assessment, &Options::default())).unwrap();
            let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:#?}");
            let issues = report.as_array().unwrap();
            let unique: BTreeSet<&str> = issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
            assert_eq!(unique.len(), issues.len());
        }
        let report: Value = serde_json::from_str(&render("gitlab", &sample::sample(), &Options::default())).unwrap();
        // 2 + 1 + 23 + 1 violations, 1 waived, 6 unknown.
        assert_eq!(report.as_array().unwrap().len(), 34);
        assert_eq!(report.as_array().unwrap().iter().filter(|issue| issue["severity"] == "info").count(), 2);
    }
}
