//! The JUnit report, for CI systems that show tests: one test suite for each control, one test case for each resource.
//!
//! A failure is a `failure`, an unknown is an `error`; waived and not-applicable findings are `skipped`. It must never
//! write an unknown as a passed or skipped test. Reports fit the XML Schema that Jenkins publishes (`tests/schemas/`).

use std::io::{self, Write};

use super::text::xml;
use super::{Evidence, Options, Reporter, tell};
use crate::assessment::{Assessment, Finding, WaiverInfo};
use crate::judgement::{Judgement, Verdict};

/// The JUnit report.
#[derive(Clone, Copy, Debug)]
pub struct Junit;

impl Reporter for Junit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn description(&self) -> &'static str {
        "JUnit XML, for CI systems that show tests"
    }

    fn extension(&self) -> &'static str {
        "xml"
    }

    fn render(&self, assessment: &Assessment, options: &Options, out: &mut dyn Write) -> io::Result<()> {
        let mut out = io::BufWriter::new(out);
        let mut findings: Vec<&Finding> = assessment.findings.iter().collect();
        findings.sort_by_key(|finding| finding.control);
        let all = Counts::of(&findings);
        writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
        writeln!(
            out,
            r#"<testsuites name="{}" tests="{}" failures="{}" errors="{}" time="0">"#,
            xml(&assessment.policy),
            all.tests,
            all.failures,
            all.errors
        )?;
        for suite in findings.chunk_by(|a, b| a.control == b.control) {
            self::suite(assessment, suite, options, &mut out)?;
        }
        writeln!(out, "</testsuites>")?;
        out.flush()
    }
}

#[derive(Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Counts {
    fn of(findings: &[&Finding]) -> Self {
        let mut counts = Self { tests: findings.len(), ..Self::default() };
        for finding in findings {
            match finding.judgement.verdict() {
                Verdict::Fail | Verdict::Unknown if finding.is_waived() => counts.skipped += 1,
                Verdict::Fail => counts.failures += 1,
                Verdict::Unknown => counts.errors += 1,
                Verdict::NotApplicable => counts.skipped += 1,
                Verdict::Pass => {}
            }
        }
        counts
    }
}

fn suite(assessment: &Assessment, findings: &[&Finding], options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let Some(control) = findings.first().and_then(|finding| assessment.control(finding)) else { return Ok(()) };
    let counts = Counts::of(findings);
    writeln!(
        out,
        r#"  <testsuite name="{}" package="{}" tests="{}" failures="{}" errors="{}" skipped="{}" time="0" timestamp="{}">"#,
        xml(&control.id),
        xml(&assessment.policy),
        counts.tests,
        counts.failures,
        counts.errors,
        counts.skipped,
        assessment.now.strftime("%Y-%m-%dT%H:%M:%S")
    )?;
    writeln!(out, "    <properties>")?;
    let place = format!("{}:{}:{}", control.at.file, control.at.line, control.at.column);
    for (name, value) in [
        ("check", control.check.id),
        ("title", control.check.title),
        ("severity", control.severity.as_str()),
        ("location", &place),
    ] {
        writeln!(out, r#"      <property name="{name}" value="{}"/>"#, xml(value))?;
    }
    writeln!(out, "    </properties>")?;
    for finding in findings {
        case(assessment, finding, &control.id, options, out)?;
    }
    writeln!(out, "  </testsuite>")
}

fn case(assessment: &Assessment, finding: &Finding, control: &str, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let resource = assessment.resource(finding);
    let account = resource.map_or("", |resource| resource.id.account.as_str());
    let arn = resource.map_or("", |resource| &resource.arn);
    // S3 ARNs carry no account, and the names of cases must differ.
    let name = if account.is_empty() { arn.to_owned() } else { format!("{arn} ({account})") };
    let class = format!("{}.{control}", assessment.policy);
    write!(out, r#"    <testcase name="{}" classname="{}" time="0""#, xml(&name), xml(&class))?;
    let message = tell::message(assessment, finding);
    let message = xml(&message);
    let severity = assessment.control(finding).map_or("", |control| control.severity.as_str());
    match &finding.judgement {
        Judgement::Pass(seen) if options.evidence == Evidence::All => {
            write!(out, ">\n      <system-out>")?;
            for seen in seen {
                writeln!(out, "{}", xml(&tell::evidence(seen, resource)))?;
            }
            writeln!(out, "</system-out>\n    </testcase>")
        }
        Judgement::Pass(_) => writeln!(out, "/>"),
        Judgement::NotApplicable(_) => writeln!(out, ">\n      <skipped>{message}</skipped>\n    </testcase>"),
        Judgement::Fail(_) | Judgement::Unknown(_) if finding.is_waived() => {
            write!(out, ">\n      <skipped>{message}")?;
            for waiver in distinct(assessment, finding) {
                let text = format!("accepted by {} until {}: {}", waiver.owner, waiver.expires, waiver.reason);
                write!(out, "\n{}", xml(&text))?;
            }
            writeln!(out, "</skipped>\n    </testcase>")
        }
        Judgement::Fail(_) => {
            write!(out, ">\n      <failure type=\"{severity}\" message=\"{message}\">")?;
            for (violation, waiver) in tell::violations(assessment, finding) {
                let waived = if waiver.is_some() { " (waived)" } else { "" };
                writeln!(out, "{}{waived}", xml(&tell::says(violation)))?;
                writeln!(out, "  {}", xml(&tell::evidence(&violation.observed, resource)))?;
            }
            writeln!(out, "to do: {}</failure>\n    </testcase>", xml(&tell::fix(assessment, finding)))
        }
        Judgement::Unknown(_) => {
            write!(out, ">\n      <error type=\"unknown\" message=\"{message}\">")?;
            for (gap, waiver) in tell::gaps(assessment, finding) {
                let waived = if waiver.is_some() { " (waived)" } else { "" };
                writeln!(out, "{}{waived}", xml(&tell::gap(gap)))?;
            }
            writeln!(out, "to do: {}</error>\n    </testcase>", xml(&tell::fix(assessment, finding)))
        }
    }
}

fn distinct<'a>(assessment: &'a Assessment, finding: &'a Finding) -> impl Iterator<Item = &'a WaiverInfo> {
    let mut numbers: Vec<u32> = finding.waivers.iter().flatten().copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.into_iter().filter_map(|number| assessment.waivers.get(number as usize))
}

#[cfg(test)]
mod tests {
    use super::super::tests::render;
    use super::super::{Evidence, Options, sample};

    /// Checks nesting and escaping, and returns how often each element occurs.
    fn elements(text: &str) -> std::collections::BTreeMap<String, usize> {
        let mut open: Vec<String> = Vec::new();
        let mut seen = std::collections::BTreeMap::new();
        let mut rest = text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap();
        while let Some(at) = rest.find('<') {
            assert!(!rest[..at].contains("]]>") && !rest[..at].contains('>'), "{}", &rest[..at]);
            let end = at + rest[at..].find('>').unwrap();
            let tag = &rest[at + 1..end];
            rest = &rest[end + 1..];
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop().as_deref(), Some(name));
                continue;
            }
            assert!(!tag.contains('<') && tag.matches('"').count().is_multiple_of(2), "{tag}");
            let name = tag.split([' ', '/']).next().unwrap().to_owned();
            *seen.entry(name.clone()).or_default() += 1;
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "{open:?}");
        for part in text.split('&').skip(1) {
            assert!(["amp;", "lt;", "gt;", "quot;", "apos;"].iter().any(|entity| part.starts_with(entity)), "&{part}");
        }
        seen
    }

    #[test]
    fn is_well_formed_and_counts_right() {
        for evidence in [Evidence::Failures, Evidence::All] {
            let assessment = sample::sample();
            let text = render("junit", &assessment, &Options { evidence, ..Options::default() });
            let seen = elements(&text);
            let summary = assessment.summary();
            assert_eq!(seen["testcase"], assessment.findings.len());
            assert_eq!(seen["error"], summary.unknown);
            assert_eq!(seen["skipped"], summary.waived + summary.not_applicable);
            assert_eq!(seen["failure"], summary.fail - summary.waived);
            assert_eq!(seen["testsuite"], 5);
        }
        assert_eq!(elements(&render("junit", &sample::clean(), &Options::default())).get("failure"), None);
    }
}
