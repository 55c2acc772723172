//! What a check says of one resource, and how partial knowledge adds up.
//!
//! It must never offer a way from a gap to a pass.

use std::borrow::Cow;

use crate::estate::ResourceId;
use crate::fact::{Fact, FactId, FactSpec, Gap, Kind, Per};
use crate::resources::FactType;

/// The verdict on one resource with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    Pass(Vec<Observed>),
    /// At least one violation.
    Fail(Vec<Violation>),
    /// At least one gap.
    Unknown(Vec<Gap>),
    NotApplicable(Cow<'static, str>),
}

/// Whether a bucket exists comes with the answer of whichever of its facts is read first.
pub const EXISTENCE: FactId = &FactSpec {
    id: "s3-bucket.exists",
    kind: Kind::S3Bucket,
    operation: "the first read of the bucket",
    also: &[],
    actions: &[],
    per: Per::Free,
};

/// The four verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Fail,
    Unknown,
    Pass,
    NotApplicable,
}

impl Verdict {
    /// The word in reports and policy tests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Pass => "pass",
            Self::NotApplicable => "not-applicable",
        }
    }
}

/// One way in which a requirement is not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The principal, rule or statement that is to blame; part of the fingerprint.
    pub subject: Option<Box<str>>,
    /// One sentence without a full stop.
    pub says: Cow<'static, str>,
    pub observed: Observed,
    /// What to do, when it differs from the check's general advice.
    pub fix: Option<Cow<'static, str>>,
}

/// Evidence: what was seen, where, and what was required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    pub fact: FactId,
    pub on: ResourceId,
    pub seen: Cow<'static, str>,
    pub required: Cow<'static, str>,
}

impl Judgement {
    /// Which of the four.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Pass(_) => Verdict::Pass,
            Self::Fail(_) => Verdict::Fail,
            Self::Unknown(_) => Verdict::Unknown,
            Self::NotApplicable(_) => Verdict::NotApplicable,
        }
    }
}

/// Collects what a check finds. A violation outweighs a gap, a gap outweighs everything that is in order: so losing a fact
/// leaves the verdict as it was or makes it unknown.
#[derive(Debug, Default)]
pub struct Tally {
    passes: Vec<Observed>,
    violations: Vec<Violation>,
    gaps: Vec<Gap>,
}

impl Tally {
    /// Nothing seen yet. Finished like this it is a bug of the check and judged unknown.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a fact: `Some(value or None for absent)`, or notes the gap.
    pub fn read<T: Clone>(&mut self, fact: Fact<T>) -> Option<Option<T>> {
        match fact.read() {
            Ok(value) => Some(value),
            Err(gap) => {
                self.gap(gap);
                None
            }
        }
    }

    /// Notes something in order.
    pub fn pass<T: FactType>(
        &mut self,
        on: &ResourceId,
        seen: impl Into<Cow<'static, str>>,
        required: impl Into<Cow<'static, str>>,
    ) {
        // Most passes are one observation; a vector would make room for four.
        if self.passes.is_empty() {
            self.passes.reserve_exact(1);
        }
        self.passes.push(observed::<T>(on, seen, required));
    }

    /// Notes a violation; returns it for a subject or a special fix.
    pub fn fail<T: FactType>(
        &mut self,
        on: &ResourceId,
        says: impl Into<Cow<'static, str>>,
        seen: impl Into<Cow<'static, str>>,
        required: impl Into<Cow<'static, str>>,
    ) -> Blame<'_> {
        let at = self.violations.len();
        self.violations.push(Violation {
            subject: None,
            says: says.into(),
            observed: observed::<T>(on, seen, required),
            fix: None,
        });
        Blame(self.violations.get_mut(at))
    }

    /// Notes that a bucket is not what the policy says it is: missing, or another account's.
    pub fn fail_existence(&mut self, on: &ResourceId, says: String, seen: &'static str, required: String) -> Blame<'_> {
        let at = self.violations.len();
        let observed = Observed { fact: EXISTENCE, on: on.clone(), seen: seen.into(), required: required.into() };
        self.violations.push(Violation { subject: None, says: says.into(), observed, fix: None });
        Blame(self.violations.get_mut(at))
    }

    /// Notes something that could not be known.
    pub fn gap(&mut self, gap: Gap) {
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }

    /// The judgement.
    pub fn finish(self) -> Judgement {
        if !self.violations.is_empty() {
            Judgement::Fail(self.violations)
        } else if !self.gaps.is_empty() {
            Judgement::Unknown(self.gaps)
        } else if !self.passes.is_empty() {
            Judgement::Pass(self.passes)
        } else {
            Judgement::Unknown(vec![Gap::new(crate::fact::Why::NotCollected, "judge").with_detail("the check looked at nothing")])
        }
    }
}

/// A violation just noted, to be told more about.
#[derive(Debug)]
pub struct Blame<'a>(Option<&'a mut Violation>);

impl Blame<'_> {
    /// Names who or what is to blame.
    pub fn subject(mut self, subject: &str) -> Self {
        if let Some(violation) = self.0.as_mut() {
            violation.subject = Some(subject.into());
        }
        self
    }

    /// Says what to do.
    pub fn fix(mut self, fix: impl Into<Cow<'static, str>>) -> Self {
        if let Some(violation) = self.0.as_mut() {
            violation.fix = Some(fix.into());
        }
        self
    }
}

fn observed<T: FactType>(
    on: &ResourceId,
    seen: impl Into<Cow<'static, str>>,
    required: impl Into<Cow<'static, str>>,
) -> Observed {
    Observed { fact: T::SPEC, on: on.clone(), seen: seen.into(), required: required.into() }
}
