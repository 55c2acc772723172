//! The exit codes of every command, and which of them an assessment earns.
//!
//! It must never let what could not be known look like compliance: an incomplete run is 3, never 0.

use crate::assessment::Assessment;
use crate::checks::Severity;

/// How a command ended. When several apply, the first of 2, 4, 1, 3, 0 wins: see [`Exit::worst`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// 0: everything required was judged and is met, or what is not is waived or below the severity that counts.
    Compliant = 0,
    /// 1: at least one open failure at or above the severity that counts.
    Failures = 1,
    /// 2: the command line or a policy is wrong; nothing was judged.
    Usage = 2,
    /// 3: something could not be judged that nobody has accepted, or nothing was judged at all.
    Incomplete = 3,
    /// 4: the tool could not do its work: no account could be read, or a file could not be read or written.
    CouldNotWork = 4,
}

impl Exit {
    /// All of them, in the order in which they win.
    pub const ALL: [Self; 5] = [Self::Usage, Self::CouldNotWork, Self::Failures, Self::Incomplete, Self::Compliant];

    /// What an assessment earns. Failures below `fail_on` do not count; `incomplete_as_failure` makes an incomplete run a
    /// failed one.
    pub fn of(assessment: &Assessment, fail_on: Severity, incomplete_as_failure: bool) -> Self {
        if no_account_was_read(assessment) {
            Self::CouldNotWork
        } else if assessment.open_failures(fail_on) > 0 {
            Self::Failures
        } else if assessment.is_incomplete() {
            if incomplete_as_failure { Self::Failures } else { Self::Incomplete }
        } else {
            Self::Compliant
        }
    }

    /// The number that the process returns.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The one that wins when both apply.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        Self::ALL.into_iter().find(|exit| *exit == self || *exit == other).unwrap_or(self)
    }

    /// Half a sentence for the last line of a report.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Compliant => "compliant",
            Self::Failures => "open failures",
            Self::Usage => "the command line or a policy is wrong",
            Self::Incomplete => "incomplete: not everything could be judged",
            Self::CouldNotWork => "no account could be read",
        }
    }
}

/// Whether every account that was to be read could not be.
pub fn no_account_was_read(assessment: &Assessment) -> bool {
    !assessment.accounts.is_empty() && assessment.accounts.values().all(|record| record.gap.is_some())
}

#[cfg(test)]
mod tests {
    use super::Exit;
    use crate::checks::Severity;
    use crate::fact::{Gap, Why};
    use crate::reporters::sample;

    #[test]
    fn codes() {
        let codes: Vec<u8> = Exit::ALL.into_iter().map(Exit::code).collect();
        assert_eq!(codes, [2, 4, 1, 3, 0]);
    }

    #[test]
    fn the_worst_wins() {
        for (at, better) in Exit::ALL.into_iter().enumerate() {
            for worse in Exit::ALL.into_iter().take(at + 1) {
                assert_eq!(better.worst(worse), worse);
                assert_eq!(worse.worst(better), worse);
            }
        }
    }

    #[test]
    fn what_an_assessment_earns() {
        use sample::{clean, sample};
        let unreadable = |mut assessment: crate::assessment::Assessment| {
            for record in assessment.accounts.values_mut() {
                record.gap = Some(Gap::new(Why::Credentials, "GetCallerIdentity"));
            }
            assessment
        };
        let partial = || crate::assessment::Assessment { complete: false, ..clean() };
        let nothing = || crate::assessment::Assessment { findings: Vec::new(), ..clean() };
        let only = |verdict: &str| {
            let mut assessment = sample();
            assessment.findings.retain(|f| f.judgement.verdict().as_str() == verdict || f.judgement.verdict().as_str() == "pass");
            assessment
        };
        let cases = [
            ("clean", clean(), Severity::Low, false, Exit::Compliant),
            ("failures and unknowns", sample(), Severity::Low, false, Exit::Failures),
            ("failures at the limit", only("fail"), Severity::Critical, false, Exit::Failures),
            ("unknown alone", only("unknown"), Severity::Low, false, Exit::Incomplete),
            ("unknown as failure", only("unknown"), Severity::Low, true, Exit::Failures),
            ("partial", partial(), Severity::Low, false, Exit::Incomplete),
            ("nothing judged", nothing(), Severity::Low, false, Exit::Incomplete),
            ("no account", unreadable(sample()), Severity::Low, false, Exit::CouldNotWork),
            ("no account, incomplete as failure", unreadable(partial()), Severity::Low, true, Exit::CouldNotWork),
        ];
        for (name, assessment, fail_on, strict, expected) in cases {
            assert_eq!(Exit::of(&assessment, fail_on, strict), expected, "{name}");
        }
        let mut low = crate::assessment::Assessment { complete: true, ..only("fail") };
        for control in &mut low.controls {
            control.severity = Severity::Low;
        }
        assert_eq!(Exit::of(&low, Severity::Low, false), Exit::Failures);
        assert_eq!(Exit::of(&low, Severity::Medium, false), Exit::Compliant);
    }
}
