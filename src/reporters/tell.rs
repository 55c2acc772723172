//! The sentences that all reports share: what a finding says, what to do about it, and which finding is worst.
//!
//! It must never say "nobody", "none" or "in order" over something that could not be read.

use std::borrow::Cow;
use std::cmp::Reverse;

use super::Options;
use crate::assessment::{Assessment, ControlInfo, Finding, ResourceInfo, WaiverInfo};
use crate::checks::Severity;
use crate::estate::AccountKey;
use crate::exit::no_account_was_read;
use crate::fact::{Gap, Why};
use crate::judgement::{Judgement, Observed, Verdict, Violation};

/// The word for a verdict in JSON, the same as in the summary's keys.
pub fn verdict_key(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fail => "fail",
        Verdict::Unknown => "unknown",
        Verdict::Pass => "pass",
        Verdict::NotApplicable => "not_applicable",
    }
}

/// The waiver that accepts the violation or gap at `at`.
pub fn waiver_of<'a>(assessment: &'a Assessment, finding: &Finding, at: usize) -> Option<&'a WaiverInfo> {
    let number = (*finding.waivers.get(at)?)?;
    assessment.waivers.get(number as usize)
}

/// The violations of a finding, each with the waiver that accepts it.
pub fn violations<'a>(
    assessment: &'a Assessment,
    finding: &'a Finding,
) -> impl Iterator<Item = (&'a Violation, Option<&'a WaiverInfo>)> {
    let of: &[Violation] = match &finding.judgement {
        Judgement::Fail(of) => of,
        Judgement::Pass(_) | Judgement::Unknown(_) | Judgement::NotApplicable(_) => &[],
    };
    of.iter().enumerate().map(move |(at, violation)| (violation, waiver_of(assessment, finding, at)))
}

/// The gaps of a finding, each with the waiver that accepts it.
pub fn gaps<'a>(assessment: &'a Assessment, finding: &'a Finding) -> impl Iterator<Item = (&'a Gap, Option<&'a WaiverInfo>)> {
    let of: &[Gap] = match &finding.judgement {
        Judgement::Unknown(of) => of,
        Judgement::Pass(_) | Judgement::Fail(_) | Judgement::NotApplicable(_) => &[],
    };
    of.iter().enumerate().map(move |(at, gap)| (gap, waiver_of(assessment, finding, at)))
}

/// One sentence, without a full stop, that a person understands.
pub fn message(assessment: &Assessment, finding: &Finding) -> String {
    let title = assessment.control(finding).map_or("", |control| control.check.title);
    match &finding.judgement {
        Judgement::Pass(seen) => match seen.first() {
            Some(first) if seen.len() == 1 => format!("{title}: {}", first.seen),
            Some(first) => format!("{title}: {}; and {} more in order", first.seen, seen.len() - 1),
            None => title.to_owned(),
        },
        Judgement::Fail(all) => {
            let open = violations(assessment, finding).find(|(_, waiver)| waiver.is_none()).map(|(violation, _)| violation);
            let said = open.or(all.first()).map_or(Cow::Borrowed(title), says);
            match all.len() {
                0 | 1 => said.into_owned(),
                more => format!("{said}; and {} more", more - 1),
            }
        }
        Judgement::Unknown(all) => {
            let open = gaps(assessment, finding).find(|(_, waiver)| waiver.is_none()).map(|(gap, _)| gap);
            let said = open.or(all.first()).map(self::gap).unwrap_or_default();
            match all.len() {
                0 | 1 => format!("not known: {said}"),
                more => format!("not known: {said}; and {} more could not be read", more - 1),
            }
        }
        Judgement::NotApplicable(reason) => format!("does not apply: {reason}"),
    }
}

/// What could not be read, in one line. What no provider was asked says only what is the matter.
pub fn gap(gap: &Gap) -> String {
    match &gap.detail {
        Some(detail) if matches!(&*gap.operation, "scope" | "judge") => detail.clone(),
        Some(_) | None => gap.to_string(),
    }
}

/// What a violation says. Checks name whom they blame in the sentence; the subject is for machines.
pub fn says(violation: &Violation) -> Cow<'_, str> {
    Cow::Borrowed(&violation.says)
}

/// What to do about a violation.
pub fn violation_fix<'a>(violation: &'a Violation, control: Option<&'a ControlInfo>) -> &'a str {
    violation.fix.as_deref().unwrap_or_else(|| control.map_or("", |control| control.check.fix))
}

/// What to do about a gap, in an account by its key.
pub fn gap_fix(gap: &Gap, account: &AccountKey) -> String {
    let place = if account.as_str().is_empty() { String::new() } else { format!(" in {account}") };
    match (gap.why, gap.action.as_deref()) {
        (_, _) if gap.operation == "AssumeRole" => format!(
            "allow sts:AssumeRole on the role to the credentials that begin, and check that the role{place} trusts them and asks for this external id"
        ),
        (Why::Denied, Some(action)) => format!("allow {action} to the audit credentials{place}"),
        (Why::Denied, None) => format!("allow {} to the audit credentials{place}", gap.operation),
        (Why::Throttled | Why::TimedOut | Why::Failed | Why::Vanished, _) => "run the audit again".to_owned(),
        (Why::Truncated | Why::NotCollected, _) if gap.operation == "scope" => {
            "correct the scope of the control in the policy".to_owned()
        }
        (Why::Truncated | Why::NotCollected, _) => "collect again with this policy".to_owned(),
        (Why::Credentials, _) => format!("configure or renew the audit credentials{place}"),
        (Why::WrongAccount, _) => format!("use credentials of the account that the policy names{place}"),
        (Why::Unreachable, _) => format!("check the endpoint and the network{place}"),
        (Why::NotCompiled, _) => "use a binary that was built with the feature `aws`".to_owned(),
        (Why::Unsupported, _) => "find out at the provider, and waive it with a reason and an expiry".to_owned(),
        (Why::NotEvaluated, _) => "look at the policy document named, or waive it with a reason".to_owned(),
        (Why::Malformed, _) => "run `lastcopy collect` and report what the provider answered".to_owned(),
    }
}

/// What to do about a finding. Empty when nothing is to be done.
pub fn fix(assessment: &Assessment, finding: &Finding) -> String {
    let account = assessment.resource(finding).map_or_else(AccountKey::none, |resource| resource.id.account.clone());
    match &finding.judgement {
        Judgement::Fail(_) => {
            let mut all: Vec<&str> = Vec::new();
            for (violation, waiver) in violations(assessment, finding) {
                let fix = violation_fix(violation, assessment.control(finding));
                if waiver.is_none() && !fix.is_empty() && !all.contains(&fix) {
                    all.push(fix);
                }
            }
            all.join("; ")
        }
        Judgement::Unknown(_) => {
            let mut all: Vec<String> = Vec::new();
            for (gap, waiver) in gaps(assessment, finding) {
                let fix = gap_fix(gap, &account);
                if waiver.is_none() && !all.contains(&fix) {
                    all.push(fix);
                }
            }
            all.join("; ")
        }
        Judgement::Pass(_) | Judgement::NotApplicable(_) => String::new(),
    }
}

/// What was seen and what was required, in one line.
pub fn evidence(observed: &Observed, unit: Option<&ResourceInfo>) -> String {
    let Observed { fact, on, seen, required } = observed;
    let place =
        if unit.is_some_and(|unit| unit.id == *on) || on.name.is_empty() { String::new() } else { format!("{}: ", on.name) };
    format!("{place}{seen}, required: {required} ({})", fact.operation)
}

/// Whether a finding is wrong or not known, and nobody has accepted that.
pub fn is_open(finding: &Finding) -> bool {
    matches!(finding.judgement.verdict(), Verdict::Fail | Verdict::Unknown) && !finding.is_waived()
}

/// Where a finding stands in a report: open failures by severity, open unknowns, waived ones, passes, what does not apply.
pub fn rank(assessment: &Assessment, finding: &Finding) -> (u8, Reverse<Severity>) {
    let severity = assessment.control(finding).map_or(Severity::Low, |control| control.severity);
    let class = match finding.judgement.verdict() {
        Verdict::Fail if !finding.is_waived() => 0,
        Verdict::Unknown if !finding.is_waived() => 1,
        Verdict::Fail | Verdict::Unknown => 2,
        Verdict::Pass => 3,
        Verdict::NotApplicable => 4,
    };
    (class, Reverse(severity))
}

/// The findings that `keep` wants, worst first, else in their own order.
pub fn worst_first(assessment: &Assessment, keep: impl Fn(&Finding) -> bool) -> Vec<&Finding> {
    let mut findings: Vec<_> = assessment.findings.iter().filter(|finding| keep(finding)).collect();
    findings.sort_by_cached_key(|finding| rank(assessment, finding));
    findings
}

/// The answer of a run in a few words.
pub fn answer(all: &Assessment, options: &Options) -> String {
    if no_account_was_read(all) {
        return "no account could be read, so nothing is known".to_owned();
    }
    let mut parts = Vec::new();
    let (counted, open) = (all.open_failures(options.fail_on), all.open_failures(Severity::Low));
    if counted > 0 {
        parts.push(format!("not compliant, {}", count(counted, "open failure")));
    }
    if all.is_incomplete() {
        let unknown = all.findings.iter().filter(|f| f.judgement.verdict() == Verdict::Unknown && !f.is_waived()).count();
        parts.push(match unknown {
            0 => "incomplete".to_owned(),
            some => format!("incomplete, {} unknown", thousands(some)),
        });
    }
    if parts.is_empty() {
        parts.push("compliant".to_owned());
    }
    if open > counted {
        parts.push(format!("{} below {}", count(open - counted, "failure"), options.fail_on));
    }
    parts.join(", ")
}

/// The words for why a waived finding is accepted: the first waiver of it.
pub fn accepted(assessment: &Assessment, finding: &Finding) -> Option<String> {
    let waiver = (0..finding.waivers.len()).find_map(|at| waiver_of(assessment, finding, at))?;
    Some(format!("accepted by {} until {}: {}", waiver.owner, waiver.expires, waiver.reason))
}

/// The resource for a line of its own; S3 ARNs carry no account.
pub fn place(assessment: &Assessment, finding: &Finding) -> String {
    let Some(resource) = assessment.resource(finding) else { return String::new() };
    match resource.id.account.as_str() {
        "" => resource.arn.clone(),
        account => format!("{} ({account})", resource.arn),
    }
}

/// A time for people.
pub fn minute(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// `1 control`, `2 controls`.
pub fn count(number: usize, one: &str) -> String {
    match (number, one.strip_suffix('y')) {
        (1, _) => format!("1 {one}"),
        (_, Some(stem)) if stem.ends_with('p') => format!("{} {stem}ies", thousands(number)),
        (_, _) => format!("{} {one}s", thousands(number)),
    }
}

/// `1,234,567`.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{count, thousands};

    #[test]
    fn numbers_carry_units() {
        assert_eq!(count(1, "copy"), "1 copy");
        assert_eq!(count(3, "copy"), "3 copies");
        assert_eq!(count(2000, "control"), "2,000 controls");
        assert_eq!(count(2, "day"), "2 days");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(100), "100");
    }
}
