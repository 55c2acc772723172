//! The report for people: the answer first, worst first, what to do last. It reads the same without colour, at any width
//! and when piped.
//!
//! It must never say that nothing is wrong over something that could not be read, and never let a name act on the terminal.

use std::collections::HashMap;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, LineStyle, Table, presets};

use super::tell::{self, count, minute, thousands};
use super::text::{Wrap, columns, visible};
use super::{Evidence, Options, Reporter};
use crate::assessment::{Assessment, ControlInfo, Finding, ResourceInfo, WaiverInfo};
use crate::checks::Severity;
use crate::estate::AccountKey;
use crate::exit::Exit;
use crate::fact::Gap;
use crate::fact::Kind;
use crate::judgement::{Judgement, Verdict, Violation};
use crate::snapshot::AccountRecord;

/// Where the text of a finding begins.
const HANG: usize = 10;
/// A finding with more violations than this shows the first [`FEW`].
const MANY: usize = 20;
const FEW: usize = 10;
/// How many resources of a group are named.
const NAMED: usize = 3;
/// From so many open findings on, a terminal gets a table of counts.
const TABLE_FROM: usize = 8;

/// The report for people.
#[derive(Clone, Copy, Debug)]
pub struct Human;

impl Reporter for Human {
    fn name(&self) -> &'static str {
        "human"
    }

    fn description(&self) -> &'static str {
        "for people: worst first, with what to do"
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn render(&self, assessment: &Assessment, options: &Options, out: &mut dyn Write) -> io::Result<()> {
        let mut out = io::BufWriter::new(out);
        let mut page = Page { assessment, options, out: &mut out };
        page.header()?;
        page.notices()?;
        page.findings()?;
        page.summary()?;
        out.flush()
    }
}

struct Page<'a> {
    assessment: &'a Assessment,
    options: &'a Options,
    out: &'a mut dyn Write,
}

const PLAIN: Style = Style::new();
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

fn color(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(color.into()))
}

fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => color(AnsiColor::Red).bold(),
        Severity::High => color(AnsiColor::Red),
        Severity::Medium => color(AnsiColor::Yellow),
        Severity::Low => color(AnsiColor::Cyan),
    }
}

fn exit_style(exit: Exit) -> Style {
    match exit {
        Exit::Compliant => color(AnsiColor::Green).bold(),
        Exit::Incomplete => color(AnsiColor::Magenta).bold(),
        Exit::Failures | Exit::Usage | Exit::CouldNotWork => color(AnsiColor::Red).bold(),
    }
}

impl<'a> Page<'a> {
    fn style(&self, style: Style) -> Style {
        if self.options.color { style } else { PLAIN }
    }

    /// A paragraph: words broken at the width, further lines after `hang` columns.
    fn para(&mut self, indent: usize, hang: usize, text: &str, style: Style) -> io::Result<()> {
        let style = self.style(style);
        let mut wrap = Wrap::new(self.options.width, hang);
        wrap.indent(self.out, indent)?;
        wrap.words(self.out, 0, &visible(text), style)?;
        writeln!(self.out)
    }

    fn exit(&self) -> Exit {
        Exit::of(self.assessment, self.options.fail_on, self.options.incomplete_as_failure)
    }

    fn header(&mut self) -> io::Result<()> {
        let all = self.assessment;
        let mut wrap = Wrap::new(self.options.width, 2);
        let mut parts = vec![
            count(all.accounts.len(), "account"),
            format!("{} of {}", count(all.copies, "copy"), count(all.stores, "store")),
            count(all.controls.iter().filter(|control| control.check.unit != Kind::Policy).count(), "control"),
            minute(all.now),
        ];
        let calls: u64 = all.calls.values().sum();
        if calls > 0 {
            parts.push(count(usize::try_from(calls).unwrap_or(usize::MAX), "call"));
        }
        let (bold, answer, said) =
            (self.style(BOLD), self.style(exit_style(self.exit())), tell::answer(self.assessment, self.options));
        wrap.words(self.out, 0, &visible(&format!("{}:", all.policy)), bold)?;
        wrap.words(self.out, 1, &said, answer)?;
        for part in parts {
            wrap.word(self.out, 1, &format!("· {part}"), PLAIN)?;
        }
        writeln!(self.out)
    }

    /// What a reader must know before the findings.
    fn notices(&mut self) -> io::Result<()> {
        let all = self.assessment;
        let judged = all.findings.iter().any(|f| matches!(f.judgement, Judgement::Pass(_) | Judgement::Fail(_)));
        if !all.complete {
            self.notice("the snapshot is partial: collection stopped before its end; what it lacks is unknown, not in order")?;
        }
        if !judged {
            self.notice("nothing was judged: no control reached a pass or a failure")?;
        }
        let wall = self.options.clock.unwrap_or(all.now);
        let age = wall.as_second().saturating_sub(all.taken.as_second());
        if age >= 3600 {
            self.notice(&format!("the state was read {} ago ({})", span(age), minute(all.taken)))?;
        }
        if all.now < all.taken {
            self.notice(&format!("judged at {}, before the state was read ({})", minute(all.now), minute(all.taken)))?;
        }
        let notable = all.accounts.values().any(|record| record.gap.is_some() || is_unpinned(record));
        if notable && self.options.terminal && self.options.width.is_some_and(|width| width >= 60) {
            self.accounts()?;
        }
        for (key, record) in &all.accounts {
            if let Some(gap) = &record.gap {
                let fix = tell::gap_fix(gap, key);
                self.notice(&format!("account {key} could not be read, all about it is unknown: {}; {fix}", tell::gap(gap)))?;
            }
            if is_unpinned(record) {
                let id = record.id.as_deref().unwrap_or("the account");
                self.notice(&format!("account {key} is not pinned: add its id to the policy, if {id} is the one you mean"))?;
            }
        }
        Ok(())
    }

    fn notice(&mut self, text: &str) -> io::Result<()> {
        self.para(2, 4, &format!("! {text}"), color(AnsiColor::Magenta))
    }

    fn accounts(&mut self) -> io::Result<()> {
        let mut table = self.table();
        table.set_header(["account", "id or provider", "pinned", "state"]);
        for (key, record) in &self.assessment.accounts {
            let id = record.id.as_deref().or(record.provider.as_deref()).or(record.endpoint.as_deref()).unwrap_or("-");
            let state = record.gap.as_ref().map_or_else(|| "read".to_owned(), |gap| format!("not read: {}", gap.why.label()));
            let pinned = if record.pinned { "yes" } else { "no" };
            table.add_row([&*visible(key.as_str()), &*visible(id), pinned, &state]);
        }
        self.put_table(&table)
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()));
        table.set_content_arrangement(ContentArrangement::Dynamic).force_no_tty();
        if let Some(width) = self.options.width {
            table.set_width(width.saturating_sub(2));
        }
        table
    }

    fn put_table(&mut self, table: &Table) -> io::Result<()> {
        for line in table.lines() {
            writeln!(self.out, "  {}", line.trim_end())?;
        }
        Ok(())
    }

    fn findings(&mut self) -> io::Result<()> {
        let all = self.assessment;
        let everything = self.options.evidence == Evidence::All;
        let shown = tell::worst_first(all, |finding| {
            everything || matches!(finding.judgement.verdict(), Verdict::Fail | Verdict::Unknown)
        });
        if shown.is_empty() {
            return Ok(());
        }
        writeln!(self.out)?;
        let mut ids: Vec<usize> = shown.iter().filter_map(|f| all.control(f)).map(|c| columns(&visible(&c.id))).collect();
        ids.sort_unstable();
        ids.dedup();
        let column = HANG + ids.into_iter().rfind(|width| *width <= 28).unwrap_or(0) + 2;
        let groups = Groups::of(all, &shown);
        for finding in shown {
            match &finding.judgement {
                Judgement::Unknown(_) if !finding.is_waived() => match groups.led_by(all, finding) {
                    Some([one]) => self.unknown(one, column)?,
                    Some(many) => self.unknowns(many)?,
                    None => {}
                },
                Judgement::Fail(_) | Judgement::Unknown(_) if finding.is_waived() => self.waived(finding, column)?,
                Judgement::Fail(_) | Judgement::Unknown(_) => self.failure(finding, column)?,
                Judgement::Pass(seen) => {
                    self.headline("PASS", color(AnsiColor::Green), finding, column)?;
                    for seen in seen {
                        self.para(HANG, HANG + 2, &tell::evidence(seen, all.resource(finding)), DIM)?;
                    }
                }
                Judgement::NotApplicable(reason) => {
                    self.headline("N/A", DIM, finding, column)?;
                    self.para(HANG, HANG, reason, DIM)?;
                }
            }
        }
        writeln!(self.out)
    }

    fn headline(&mut self, label: &str, style: Style, finding: &Finding, column: usize) -> io::Result<()> {
        let (style, bold) = (self.style(style), self.style(BOLD));
        let mut wrap = Wrap::new(self.options.width, HANG);
        wrap.word(self.out, 0, label, style)?;
        let control = self.assessment.control(finding).map_or("", |control| &control.id);
        wrap.word(self.out, wrap.gap_to(HANG), &visible(control), bold)?;
        if let Some(resource) = self.assessment.resource(finding) {
            let gap = if self.options.width.is_some_and(|width| width < 80) { 2 } else { wrap.gap_to(column).max(2) };
            if resource.id.kind == Kind::Account {
                // Its ARN ends in `root`, which reads as if the root user were meant.
                let number = resource.account_id.as_deref().unwrap_or("not known");
                wrap.words(self.out, gap, &visible(&format!("account {number} ({})", resource.id.account)), PLAIN)?;
                return writeln!(self.out);
            }
            wrap.word(self.out, gap, &visible(&resource.arn), PLAIN)?;
            if resource.arn.starts_with("arn:") && !resource.id.account.as_str().is_empty() {
                wrap.word(self.out, 1, &visible(&format!("({})", resource.id.account)), PLAIN)?;
            }
        }
        writeln!(self.out)
    }

    fn failure(&mut self, finding: &Finding, column: usize) -> io::Result<()> {
        let all = self.assessment;
        let control = all.control(finding);
        let severity = control.map_or(Severity::Low, |control| control.severity);
        self.headline(&severity.as_str().to_uppercase(), severity_style(severity), finding, column)?;
        let open: Vec<&Violation> =
            tell::violations(all, finding).filter(|(_, waiver)| waiver.is_none()).map(|(violation, _)| violation).collect();
        let accepted: Vec<&WaiverInfo> = tell::violations(all, finding).filter_map(|(_, waiver)| waiver).collect();
        let shown = if open.len() > MANY && self.options.evidence == Evidence::Failures { FEW } else { open.len() };
        for violation in open.iter().take(shown) {
            self.violation(violation, all.resource(finding))?;
        }
        if open.len() > shown {
            self.para(HANG, HANG, &format!("and {} more", thousands(open.len() - shown)), PLAIN)?;
        }
        if let Some(first) = accepted.iter().min_by_key(|waiver| waiver.expires) {
            let until = expiry(all, first);
            self.para(HANG, HANG, &format!("{} more accepted by waivers ({until})", thousands(accepted.len())), DIM)?;
        }
        self.fixes(&open, control)
    }

    fn violation(&mut self, violation: &Violation, unit: Option<&ResourceInfo>) -> io::Result<()> {
        let says = tell::says(violation);
        if self.options.evidence == Evidence::All {
            self.para(HANG, HANG + 2, &says, PLAIN)?;
            return self.para(HANG + 2, HANG + 4, &tell::evidence(&violation.observed, unit), DIM);
        }
        self.para(HANG, HANG + 2, &format!("{says} ({})", violation.observed.fact.operation), PLAIN)
    }

    fn fixes(&mut self, violations: &[&Violation], control: Option<&ControlInfo>) -> io::Result<()> {
        let mut said: Vec<&str> = Vec::new();
        for violation in violations {
            let fix = tell::violation_fix(violation, control);
            if !fix.is_empty() && !said.contains(&fix) {
                said.push(fix);
            }
        }
        let more = said.len().saturating_sub(FEW);
        for fix in said.iter().take(FEW) {
            self.para(HANG, HANG + 2, &format!("→ {fix}"), PLAIN)?;
        }
        if more > 0 {
            self.para(HANG, HANG + 2, &format!("→ and {more} more things to do"), PLAIN)?;
        }
        Ok(())
    }

    fn waived(&mut self, finding: &Finding, column: usize) -> io::Result<()> {
        let all = self.assessment;
        self.headline("WAIVED", DIM, finding, column)?;
        self.para(HANG, HANG + 2, &tell::message(all, finding), PLAIN)?;
        let mut told: Vec<u32> = Vec::new();
        for number in finding.waivers.iter().flatten() {
            let Some(waiver) = all.waivers.get(*number as usize).filter(|_| !told.contains(number)) else { continue };
            told.push(*number);
            let text =
                format!("accepted by {} until {} ({}): {}", waiver.owner, waiver.expires, expiry(all, waiver), waiver.reason);
            self.para(HANG, HANG + 2, &text, DIM)?;
        }
        Ok(())
    }

    fn unknown(&mut self, finding: &Finding, column: usize) -> io::Result<()> {
        self.headline("UNKNOWN", color(AnsiColor::Magenta), finding, column)?;
        self.gaps(finding)
    }

    fn gaps(&mut self, finding: &Finding) -> io::Result<()> {
        let open: Vec<&Gap> =
            tell::gaps(self.assessment, finding).filter(|(_, waiver)| waiver.is_none()).map(|(gap, _)| gap).collect();
        let shown = if open.len() > MANY && self.options.evidence == Evidence::Failures { FEW } else { open.len() };
        for gap in open.iter().take(shown) {
            self.para(HANG, HANG + 2, &tell::gap(gap), PLAIN)?;
        }
        if open.len() > shown {
            self.para(HANG, HANG, &format!("and {} more that could not be read", thousands(open.len() - shown)), PLAIN)?;
        }
        self.para(HANG, HANG + 2, &format!("→ {}", tell::fix(self.assessment, finding)), PLAIN)
    }

    /// Unknowns of one account with the same cause, as one.
    fn unknowns(&mut self, group: &[&'a Finding]) -> io::Result<()> {
        let all = self.assessment;
        let Some(first) = group.first().copied() else { return Ok(()) };
        let (label, bold) = (self.style(color(AnsiColor::Magenta)), self.style(BOLD));
        let mut wrap = Wrap::new(self.options.width, HANG);
        wrap.word(self.out, 0, "UNKNOWN", label)?;
        let gap = wrap.gap_to(HANG);
        wrap.words(self.out, gap, &count(group.len(), "finding"), bold)?;
        if let Some(resource) = all.resource(first).filter(|resource| !resource.id.account.as_str().is_empty()) {
            let number = resource.account_id.as_deref().map(|id| format!(" ({id})")).unwrap_or_default();
            wrap.words(self.out, 1, &visible(&format!("in {}{number}", resource.id.account)), PLAIN)?;
        }
        writeln!(self.out)?;
        let mut controls: Vec<&str> = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        for finding in group {
            if let Some(control) = all.control(finding).filter(|control| !controls.contains(&control.id.as_str())) {
                controls.push(&control.id);
            }
            if let Some(resource) = all.resource(finding).filter(|r| names.len() <= NAMED && !names.contains(&r.arn.as_str())) {
                names.push(&resource.arn);
            }
        }
        let more = if names.len() > NAMED { ", ..." } else { "" };
        names.truncate(NAMED);
        self.para(HANG, HANG + 2, &format!("{}: {}{more}", controls.join(", "), names.join(", ")), PLAIN)?;
        self.gaps(first)
    }

    fn summary(&mut self) -> io::Result<()> {
        let all = self.assessment;
        let mut fail = 0_usize;
        let mut unknown = 0_usize;
        for finding in all.findings.iter().filter(|finding| tell::is_open(finding)) {
            match finding.judgement.verdict() {
                Verdict::Fail => fail += 1,
                Verdict::Unknown => unknown += 1,
                Verdict::Pass | Verdict::NotApplicable => {}
            }
        }
        if fail + unknown >= TABLE_FROM && self.options.terminal && self.options.width.is_some_and(|width| width >= 60) {
            self.counts()?;
        }
        let counts = all.summary();
        let mut parts = vec![
            format!("{} pass", thousands(counts.pass)),
            format!("{} fail", thousands(fail)),
            format!("{} unknown", thousands(unknown)),
        ];
        if counts.waived > 0 {
            let used =
                all.findings.iter().filter(|finding| finding.is_waived()).flat_map(|finding| finding.waivers.iter().flatten());
            let first = used.filter_map(|number| all.waivers.get(*number as usize)).min_by_key(|waiver| waiver.expires);
            let until = first.map(|waiver| format!(" ({})", expiry(all, waiver))).unwrap_or_default();
            parts.push(format!("{} waived{until}", thousands(counts.waived)));
        }
        if counts.not_applicable > 0 {
            parts.push(format!("{} not applicable", thousands(counts.not_applicable)));
        }
        self.para(2, 2, &parts.join(" · "), PLAIN)?;
        self.last()
    }

    /// Open and waived findings by severity.
    fn counts(&mut self) -> io::Result<()> {
        let all = self.assessment;
        let mut table = self.table();
        table.set_header(["severity", "fail", "unknown", "waived"]);
        for severity in [Severity::Critical, Severity::High, Severity::Medium, Severity::Low] {
            let mut cells = [0_usize; 3];
            for finding in &all.findings {
                if all.control(finding).is_none_or(|control| control.severity != severity) {
                    continue;
                }
                let [fail, unknown, waived] = &mut cells;
                match finding.judgement.verdict() {
                    _ if finding.is_waived() => *waived += 1,
                    Verdict::Fail => *fail += 1,
                    Verdict::Unknown => *unknown += 1,
                    Verdict::Pass | Verdict::NotApplicable => {}
                }
            }
            if cells != [0; 3] {
                let [fail, unknown, waived] = cells.map(thousands);
                table.add_row([severity.as_str().to_owned(), fail, unknown, waived]);
            }
        }
        self.put_table(&table)
    }

    /// What the exit code means and what to do next.
    fn last(&mut self) -> io::Result<()> {
        let (all, exit) = (self.assessment, self.exit());
        let mut meaning = exit.meaning().to_owned();
        if exit == Exit::Failures && all.open_failures(self.options.fail_on) == 0 {
            meaning = format!("{}, which counts as a failure", Exit::Incomplete.meaning());
        } else if exit == Exit::Failures && self.options.fail_on > Severity::Low {
            meaning = format!("open failures at or above {}", self.options.fail_on);
        }
        let worst = all.findings.iter().filter(|f| tell::is_open(f)).min_by_key(|f| tell::rank(all, f));
        let control = worst.and_then(|finding| all.control(finding));
        let explain = control.map(|control| format!("lastcopy policy explain {}", control.check.id));
        let mut next: Vec<String> = match exit {
            Exit::Compliant => Vec::new(),
            Exit::Failures => explain.into_iter().chain(["--evidence all".to_owned()]).collect(),
            Exit::Incomplete | Exit::CouldNotWork => vec!["lastcopy permissions".to_owned()],
            Exit::Usage => vec!["lastcopy policy check".to_owned()],
        };
        if exit != Exit::Compliant {
            next.push("--format json".to_owned());
        }
        let style = self.style(exit_style(exit));
        let mut wrap = Wrap::new(self.options.width, 4);
        wrap.indent(self.out, 2)?;
        wrap.words(self.out, 0, &format!("exit {}: {meaning}.", exit.code()), style)?;
        for (at, command) in next.iter().enumerate() {
            // A command is never broken.
            let (gap, mark) = if at == 0 { (2, "Next:") } else { (1, "·") };
            wrap.word(self.out, gap, &visible(&format!("{mark} {command}")), PLAIN)?;
        }
        writeln!(self.out)
    }
}

/// Open unknowns of one account with the same gaps.
struct Groups<'a>(HashMap<(&'a AccountKey, Vec<&'a Gap>), Vec<&'a Finding>>);

impl<'a> Groups<'a> {
    fn of(assessment: &'a Assessment, findings: &[&'a Finding]) -> Self {
        let mut groups: HashMap<_, Vec<&Finding>> = HashMap::new();
        for finding in findings {
            if let Some(key) = Self::key(assessment, finding) {
                groups.entry(key).or_default().push(finding);
            }
        }
        Self(groups)
    }

    fn key(assessment: &'a Assessment, finding: &'a Finding) -> Option<(&'a AccountKey, Vec<&'a Gap>)> {
        let gaps: Vec<&Gap> =
            tell::gaps(assessment, finding).filter(|(_, waiver)| waiver.is_none()).map(|(gap, _)| gap).collect();
        let resource = assessment.resource(finding)?;
        (!gaps.is_empty()).then_some((&resource.id.account, gaps))
    }

    /// The group of which this finding is the first.
    fn led_by(&self, assessment: &'a Assessment, finding: &'a Finding) -> Option<&[&'a Finding]> {
        let group = self.0.get(&Self::key(assessment, finding)?)?;
        group.first().is_some_and(|first| std::ptr::eq(*first, finding)).then_some(group.as_slice())
    }
}

fn is_unpinned(record: &AccountRecord) -> bool {
    !record.pinned && record.gap.is_none() && (record.partition.is_some() || record.id.is_some())
}

/// `2026-11-22 14:03 UTC`.
fn span(seconds: i64) -> String {
    let hours = usize::try_from(seconds / 3600).unwrap_or(0);
    if hours >= 48 { count(hours / 24, "day") } else { count(hours, "hour") }
}

/// `expires in 12 days`.
fn expiry(assessment: &Assessment, waiver: &WaiverInfo) -> String {
    let today = assessment.now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let days = today.until(waiver.expires).map_or(0, |span| span.get_days());
    match days {
        0 => "expires today".to_owned(),
        1 => "expires in 1 day".to_owned(),
        2.. => format!("expires in {days} days"),
        ..0 => "expired".to_owned(),
    }
}
