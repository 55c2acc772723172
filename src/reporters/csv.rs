//! The CSV report, for spreadsheets: a header, then one row for each violation, each gap, each pass and what does not apply.
//!
//! RFC 4180, UTF-8. A cell that a spreadsheet would take for a formula begins with an apostrophe. It must never write a cell
//! that a spreadsheet calculates.

use std::io;

use super::text::visible;
use super::{Evidence, Options, Reporter, tell};
use crate::assessment::{Assessment, Finding, WaiverInfo};
use crate::judgement::{Judgement, Observed};

/// The CSV report.
#[derive(Clone, Copy, Debug)]
pub struct Csv;

const HEADER: [&str; 22] = [
    "severity",
    "verdict",
    "waived",
    "control",
    "check",
    "account",
    "account_id",
    "region",
    "kind",
    "resource",
    "subject",
    "message",
    "observed",
    "required",
    "operation",
    "fix",
    "waiver_owner",
    "waiver_expires",
    "waiver_reason",
    "file",
    "line",
    "fingerprint",
];

impl Reporter for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn description(&self) -> &'static str {
        "spreadsheets: one row for each violation, gap and pass"
    }

    fn extension(&self) -> &'static str {
        "csv"
    }

    fn render(&self, assessment: &Assessment, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
        let mut to = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
        to.write_record(HEADER)?;
        for finding in tell::worst_first(assessment, |_| true) {
            for row in rows(assessment, finding, options) {
                to.write_record(row.cells(assessment, finding).iter().map(|cell| inert(cell)))?;
            }
        }
        to.flush()
    }
}

/// What differs between the rows of one finding.
#[derive(Default)]
struct Row<'a> {
    subject: Option<&'a str>,
    message: String,
    observed: Option<&'a Observed>,
    operation: &'a str,
    fix: String,
    waiver: Option<&'a WaiverInfo>,
}

fn rows<'a>(assessment: &'a Assessment, finding: &'a Finding, options: &Options) -> Vec<Row<'a>> {
    let whole = || Row { message: tell::message(assessment, finding), ..Row::default() };
    match &finding.judgement {
        Judgement::Fail(_) => tell::violations(assessment, finding)
            .map(|(violation, waiver)| Row {
                subject: violation.subject.as_deref(),
                message: tell::says(violation).into_owned(),
                observed: Some(&violation.observed),
                operation: violation.observed.fact.operation,
                fix: tell::violation_fix(violation, assessment.control(finding)).to_owned(),
                waiver,
            })
            .collect(),
        Judgement::Unknown(_) => tell::gaps(assessment, finding)
            .map(|(gap, waiver)| Row {
                message: format!("not known: {}", tell::gap(gap)),
                operation: &gap.operation,
                fix: assessment.resource(finding).map(|resource| tell::gap_fix(gap, &resource.id.account)).unwrap_or_default(),
                waiver,
                ..Row::default()
            })
            .collect(),
        Judgement::Pass(seen) if options.evidence == Evidence::All && !seen.is_empty() => {
            seen.iter().map(|seen| Row { observed: Some(seen), operation: seen.fact.operation, ..whole() }).collect()
        }
        Judgement::Pass(seen) => {
            let first = seen.first();
            vec![Row { observed: first, operation: first.map_or("", |seen| seen.fact.operation), ..whole() }]
        }
        Judgement::NotApplicable(_) => vec![whole()],
    }
}

impl Row<'_> {
    fn cells(&self, assessment: &Assessment, finding: &Finding) -> [String; HEADER.len()] {
        let (control, resource) = (assessment.control(finding), assessment.resource(finding));
        let of = |text: Option<&str>| text.unwrap_or_default().to_owned();
        [
            of(control.map(|control| control.severity.as_str())),
            finding.judgement.verdict().as_str().to_owned(),
            if self.waiver.is_some() { "yes" } else { "no" }.to_owned(),
            of(control.map(|control| control.id.as_str())),
            of(control.map(|control| control.check.id)),
            of(resource.map(|resource| resource.id.account.as_str())),
            of(resource.and_then(|resource| resource.account_id.as_deref())),
            of(resource.and_then(|resource| resource.region.as_deref())),
            of(resource.map(|resource| resource.id.kind.as_str())),
            of(resource.map(|resource| resource.arn.as_str())),
            of(self.subject),
            self.message.clone(),
            of(self.observed.map(|observed| &*observed.seen)),
            of(self.observed.map(|observed| &*observed.required)),
            self.operation.to_owned(),
            self.fix.clone(),
            of(self.waiver.map(|waiver| waiver.owner.as_str())),
            self.waiver.map(|waiver| waiver.expires.to_string()).unwrap_or_default(),
            of(self.waiver.map(|waiver| waiver.reason.as_str())),
            of(control.map(|control| &*control.at.file)),
            control.map(|control| control.at.line.to_string()).unwrap_or_default(),
            assessment.fingerprint(finding, self.subject),
        ]
    }
}

/// A cell that no spreadsheet calculates. Full-width signs count too: some spreadsheets take them for the narrow ones.
fn inert(cell: &str) -> String {
    let formula =
        cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) || cell.starts_with(['\t', '\r', '\n']);
    let guard = if formula { "'" } else { "" };
    format!("{guard}{}", visible(cell))
}

#[cfg(test)]
mod tests {
    use super::super::tests::render;
    use super::super::{Evidence, Options, sample};
    use super::{HEADER, inert};

    #[test]
    fn reads_back_with_every_row() {
        let text = render("csv", &sample::sample(), &Options::default());
        let mut from = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        assert_eq!(from.headers().unwrap().iter().collect::<Vec<_>>(), HEADER);
        let rows: Vec<csv::StringRecord> = from.records().map(Result::unwrap).collect();
        // 2 + 1 + 23 + 1 violations, 1 waived, 6 gaps, 2 passes, 1 that does not apply.
        assert_eq!(rows.len(), 37);
        assert_eq!(text.matches("\r\n").count(), 38, "no cell holds a line end");
        assert_eq!(rows.iter().filter(|row| &row[2] == "yes").count(), 2);
        assert!(rows.iter().all(|row| row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r']))));
        assert!(rows.iter().any(|row| row[9].contains("<script>alert(\"1\")</script>&]]>")));
        let all = render("csv", &sample::sample(), &Options { evidence: Evidence::All, ..Options::default() });
        assert_eq!(all.matches("\r\n").count(), 39);
    }

    #[test]
    fn nothing_is_a_formula() {
        for bad in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "＝1"] {
            assert!(inert(bad).starts_with('\''), "{bad}");
        }
        assert_eq!(inert("acme-documents, \"x\""), "acme-documents, \"x\"");
    }
}
