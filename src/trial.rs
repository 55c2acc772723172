//! Judges the cases of a policy's tests, and says which controls no case makes fail.
//!
//! Pure. It must never change a policy or a world: both are handed in.

use std::collections::BTreeSet;

use crate::assessment::{Assessment, At, Finding};
use crate::estate::{Estate, ResourceId};
use crate::evaluate::evaluate;
use crate::fact::Kind;
use crate::judgement::{Judgement, Verdict};
use crate::policy::Policy;
use crate::policy::cases::{Case, Expected};
use crate::scope::glob_matches;

/// How one case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub case: String,
    pub at: At,
    /// None: the case is as expected.
    pub mismatches: Vec<Mismatch>,
    /// Controls that were expected to fail and did.
    pub failed: BTreeSet<String>,
}

/// An expectation that is not met.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Mismatch {
    pub control: String,
    /// The resource, as the case names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// `fail`, or more of what is expected.
    pub expected: String,
    /// The verdict, or why there is none.
    pub actual: String,
    /// What the check said, each with the resource.
    pub says: Vec<String>,
    pub line: usize,
    pub column: usize,
}

/// Judges one case.
pub fn judge(policy: &Policy, case: &Case) -> Outcome {
    let assessment = evaluate(policy, &case.snapshot, case.now);
    let world = Judged { assessment: &assessment, estate: &policy.estate };
    let mut outcome = Outcome { case: case.name.clone(), at: case.at.clone(), mismatches: Vec::new(), failed: BTreeSet::new() };
    for expected in &case.expected {
        match world.compare(expected) {
            Some(mismatch) => outcome.mismatches.push(mismatch),
            None if expected.verdict == Verdict::Fail => {
                outcome.failed.insert(expected.control.clone());
            }
            None => {}
        }
    }
    if case.rest_passes {
        let named = |id: &str| case.expected.iter().any(|expected| expected.control == id);
        for control in policy.controls.iter().filter(|control| !named(&control.id)) {
            let findings = world.findings(&control.id, None);
            let bad: Vec<&Finding> =
                findings.into_iter().filter(|f| matches!(f.judgement, Judgement::Fail(_) | Judgement::Unknown(_))).collect();
            if let Some(worst) = bad.iter().map(|finding| finding.judgement.verdict()).min() {
                outcome.mismatches.push(Mismatch {
                    control: control.id.clone(),
                    on: None,
                    expected: "pass, as everything else".to_owned(),
                    actual: worst.as_str().to_owned(),
                    says: world.says(&bad),
                    line: case.at.line,
                    column: case.at.column,
                });
            }
        }
    }
    outcome
}

/// Of `controls`, those that no case makes fail; in their order.
pub fn uncovered<'c>(controls: &[&'c str], outcomes: &[Outcome]) -> Vec<&'c str> {
    controls.iter().copied().filter(|id| !outcomes.iter().any(|outcome| outcome.failed.contains(*id))).collect()
}

struct Judged<'a> {
    assessment: &'a Assessment,
    estate: &'a Estate,
}

impl Judged<'_> {
    fn compare(&self, expected: &Expected) -> Option<Mismatch> {
        let found = self.findings(&expected.control, expected.on.as_deref());
        let mismatch = |wanted: String, actual: &str, says: Vec<String>| {
            Some(Mismatch {
                control: expected.control.clone(),
                on: expected.on.clone(),
                expected: wanted,
                actual: actual.to_owned(),
                says,
                line: expected.at.line,
                column: expected.at.column,
            })
        };
        let verdict = expected.verdict.as_str();
        // Of one copy or resource every bucket must have the verdict; of the whole control the worst one counts.
        let odd = match &expected.on {
            Some(_) => found.iter().map(|f| f.judgement.verdict()).find(|is| *is != expected.verdict),
            None => found.iter().map(|f| f.judgement.verdict()).min().filter(|is| *is != expected.verdict),
        };
        if found.is_empty() {
            let mut judged: Vec<String> =
                self.findings(&expected.control, None).into_iter().filter_map(|f| Some(self.name(self.id(f)?))).collect();
            judged.dedup();
            let actual = match judged.as_slice() {
                [] => "not judged: the control has no resource".to_owned(),
                some => format!("not judged; the control judges {}", some.join(", ")),
            };
            return mismatch(verdict.to_owned(), &actual, Vec::new());
        }
        if let Some(is) = odd {
            return mismatch(verdict.to_owned(), is.as_str(), self.says(&found));
        }
        let violations = || {
            found.iter().flat_map(|finding| match &finding.judgement {
                Judgement::Fail(violations) => violations.as_slice(),
                Judgement::Pass(_) | Judgement::Unknown(_) | Judgement::NotApplicable(_) => &[],
            })
        };
        for glob in &expected.subjects {
            if !violations().any(|violation| violation.subject.as_deref().is_some_and(|subject| glob_matches(glob, subject))) {
                return mismatch(format!("{verdict} with subject {glob}"), verdict, self.says(&found));
            }
        }
        match &expected.says {
            Some(part) if !self.says(&found).iter().any(|line| line.contains(part.as_str())) => {
                mismatch(format!("{verdict} saying \"{part}\""), verdict, self.says(&found))
            }
            Some(_) | None => None,
        }
    }

    fn findings(&self, control: &str, on: Option<&str>) -> Vec<&Finding> {
        let of = |finding: &&Finding| {
            self.assessment.control(finding).is_some_and(|info| info.id == control)
                && on.is_none_or(|on| self.id(finding).is_some_and(|id| self.is_called(id, on)))
        };
        self.assessment.findings.iter().filter(of).collect()
    }

    fn id(&self, finding: &Finding) -> Option<&ResourceId> {
        self.assessment.resource(finding).map(|resource| &resource.id)
    }

    fn is_called(&self, id: &ResourceId, name: &str) -> bool {
        *id.name == *name
            || name == format!("{}/{}", id.account, id.name)
            || name == format!("{}/{}", id.kind, id.name)
            || self.estate.copies_of(id).any(|(store, copy, _)| name == format!("{store}/{copy}"))
    }

    /// As a test would call it.
    fn name(&self, id: &ResourceId) -> String {
        match self.estate.copies_of(id).next() {
            Some((store, copy, _)) => format!("{store}/{copy}"),
            None if matches!(id.kind, Kind::Store | Kind::Account | Kind::Policy) => id.name.to_string(),
            None => format!("{}/{}", id.account, id.name),
        }
    }

    /// What the check said, one line for each reason.
    fn says(&self, findings: &[&Finding]) -> Vec<String> {
        let mut lines = Vec::new();
        for finding in findings {
            let on = self.id(finding).map(|id| self.name(id)).unwrap_or_default();
            let verdict = finding.judgement.verdict().as_str();
            let mut say = |text: &str| lines.push(format!("{on}: {verdict}: {text}"));
            match &finding.judgement {
                Judgement::Pass(seen) => seen.iter().for_each(|seen| say(&seen.seen)),
                Judgement::Fail(violations) => violations.iter().for_each(|violation| {
                    say(&match &violation.subject {
                        Some(subject) => format!("{} [{subject}]", violation.says),
                        None => violation.says.to_string(),
                    });
                }),
                Judgement::Unknown(gaps) => gaps.iter().for_each(|gap| say(&gap.to_string())),
                Judgement::NotApplicable(reason) => say(reason),
            }
        }
        lines
    }
}
