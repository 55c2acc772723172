//! GitHub's workflow commands: each failure and unknown becomes an annotation at its control's line in the policy file.
//!
//! A failure is an `error`, an unknown a `warning`, a waived one a `notice`. GitHub shows ten annotations of each type for a
//! step, so the worst are written and one line counts the rest. It must never let a name end a command or begin another.
//!
//! <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>

use std::io::{self, Write};

use super::tell::{self, count};
use super::text::visible;
use super::{Options, Reporter};
use crate::assessment::{Assessment, Finding};
use crate::judgement::Verdict;

/// Annotations of one type that GitHub shows for a step.
const SHOWN: usize = 10;

/// GitHub's workflow commands.
#[derive(Clone, Copy, Debug)]
pub struct Github;

impl Reporter for Github {
    fn name(&self) -> &'static str {
        "github"
    }

    fn description(&self) -> &'static str {
        "annotations of GitHub Actions, on stdout of a step"
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn render(&self, assessment: &Assessment, options: &Options, out: &mut dyn Write) -> io::Result<()> {
        let mut out = io::BufWriter::new(out);
        let open = |verdict| move |finding: &Finding| finding.judgement.verdict() == verdict && !finding.is_waived();
        annotate(assessment, "error", "open failure", open(Verdict::Fail), &mut out)?;
        annotate(assessment, "warning", "unknown", open(Verdict::Unknown), &mut out)?;
        annotate(assessment, "notice", "waived finding", Finding::is_waived, &mut out)?;
        if !assessment.complete {
            let said = "the snapshot is partial: what it lacks is unknown, not in order";
            writeln!(out, "::warning title=lastcopy::{}", data(said))?;
        }
        // A step without an annotation still says how it ended. No name stands here: older commands act anywhere in a line.
        writeln!(out, "lastcopy: {}", tell::answer(assessment, options))?;
        out.flush()
    }
}

fn annotate(
    assessment: &Assessment,
    command: &str,
    what: &str,
    keep: impl Fn(&Finding) -> bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let all = tell::worst_first(assessment, keep);
    let shown = if all.len() > SHOWN { SHOWN - 1 } else { all.len() };
    let (first, rest) = all.split_at(shown);
    for finding in first {
        let Some(control) = assessment.control(finding) else { continue };
        write!(out, "::{command} ")?;
        if !control.at.file.is_empty() {
            write!(out, "file={},line={},col={},", property(&control.at.file), control.at.line.max(1), control.at.column.max(1))?;
        }
        let title = format!("{}: {}", control.severity, control.id);
        let mut said = format!("{}: {}", tell::place(assessment, finding), tell::message(assessment, finding));
        let fix =
            tell::accepted(assessment, finding).filter(|_| finding.is_waived()).unwrap_or_else(|| tell::fix(assessment, finding));
        if !fix.is_empty() {
            said.push_str(". ");
            said.push_str(&fix);
        }
        writeln!(out, "title={}::{}", property(&title), data(&said))?;
    }
    if let Some(worst) = rest.first().and_then(|finding| assessment.control(finding)) {
        let what = if what == "unknown" { format!("{} unknown", tell::thousands(rest.len())) } else { count(rest.len(), what) };
        let said = format!("and {what} more, of severity {} or lower: see the report", worst.severity);
        writeln!(out, "::{command} title=lastcopy::{}", data(&said))?;
    }
    Ok(())
}

/// The text of a command. Line ends are shown by `visible` already; they are escaped should that change.
fn data(text: &str) -> String {
    visible(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::tests::render;
    use super::super::{Options, sample};
    use super::{data, property};
    use crate::assessment::Assessment;

    /// A command as the runner of GitHub Actions reads it (`ActionCommand.TryParseV2`).
    fn parse(line: &str) -> (String, Vec<(String, String)>, String) {
        let unescape = |text: &str| {
            text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",").replace("%25", "%")
        };
        let rest = line.strip_prefix("::").unwrap();
        let (head, data) = rest.split_once("::").unwrap();
        let (command, properties) = head.split_once(' ').unwrap();
        let properties = properties.split(',').map(|pair| pair.split_once('=').unwrap());
        (command.to_owned(), properties.map(|(key, value)| (key.to_owned(), unescape(value))).collect(), unescape(data))
    }

    #[test]
    fn each_line_is_one_command_and_names_stay_inside() {
        let text = render("github", &sample::sample(), &Options::default());
        let (last, commands) = text.trim_end().rsplit_once('\n').unwrap();
        assert!(last.starts_with("::") || last.starts_with("lastcopy") || !commands.is_empty());
        for line in text.lines().filter(|line| line.starts_with("::")) {
            let (command, properties, said) = parse(line);
            assert!(["error", "warning", "notice"].contains(&command.as_str()), "{line}");
            assert!(properties.iter().all(|(key, _)| ["file", "line", "col", "title"].contains(&key.as_str())), "{line}");
            assert!(!said.is_empty());
        }
        assert_eq!(
            text.lines().filter(|line| line.starts_with("::error ")).count(),
            sample::sample().open_failures(crate::checks::Severity::Low)
        );
        assert_eq!(text.lines().filter(|line| !line.starts_with("::")).count(), 1, "{text}");
        assert!(!text.contains("file=policies/customer documents.yaml,line=52,col=5,title=high: "), "{text}");
    }

    #[test]
    fn ten_of_a_type_at_most_the_worst_first() {
        let mut many = sample::sample();
        let failure = many.findings[0].clone();
        many.findings.extend(vec![failure; 30]);
        let text = render("github", &many, &Options::default());
        let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("::error ")).collect();
        assert_eq!(errors.len(), 10);
        assert!(errors[0].contains("title=critical%3A"), "{}", errors[0]);
        assert!(errors[9].contains("title=lastcopy::and 25 open failures more, of severity critical or lower"), "{}", errors[9]);
    }

    #[test]
    fn escapes() {
        assert_eq!(property("a:b,c%d\n::error::x"), "a%3Ab%2Cc%25d\\u{a}%3A%3Aerror%3A%3Ax");
        assert_eq!(data("100%\r"), "100%25\\u{d}");
        let clean: Assessment = sample::clean();
        assert!(!render("github", &clean, &Options::default()).contains("::error"));
    }
}
