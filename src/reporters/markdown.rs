//! The Markdown report, for the comment of a pull or merge request: the answer, a table of what is open, the rest folded away.
//!
//! It stays within the 65,536 characters that GitHub takes, counts what it leaves out, and leaves out what is in order first. It
//! must never let a name act: no markup, HTML, link, mention or reference to an issue comes out of a name.

use std::fmt::Write as _;
use std::io;

use super::tell::{self, count, minute, thousands};
use super::text::visible;
use super::{Options, Reporter};
use crate::assessment::{Assessment, Finding};
use crate::exit::Exit;
use crate::fact::Kind;
use crate::judgement::Verdict;

/// What GitHub takes in a comment. Bytes are counted, of which a text has no fewer than characters.
pub const LIMIT: usize = 65_536;
/// Kept free for the ends of tables and the counts of what was left out.
const RESERVE: usize = 1_024;
/// What a cell holds of one text, in characters.
const CELL: usize = 300;

/// The Markdown report.
#[derive(Clone, Copy, Debug)]
pub struct Markdown;

impl Reporter for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn description(&self) -> &'static str {
        "the comment of a pull or merge request"
    }

    fn extension(&self) -> &'static str {
        "md"
    }

    fn render(&self, assessment: &Assessment, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
        let mut page = Page { assessment, text: String::new() };
        page.head(options);
        page.open();
        page.folded("waived", |finding| finding.is_waived());
        page.folded("pass", |finding| finding.judgement.verdict() == Verdict::Pass);
        page.folded("not applicable", |finding| finding.judgement.verdict() == Verdict::NotApplicable);
        out.write_all(page.text.as_bytes())
    }
}

struct Page<'a> {
    assessment: &'a Assessment,
    text: String,
}

impl Page<'_> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn head(&mut self, options: &Options) {
        let all = self.assessment;
        // By this line a pipeline finds its own comment again.
        self.line("<!-- lastcopy -->");
        self.line(&format!("### lastcopy: {}\n", tell::answer(all, options)));
        let summary = all.summary();
        let exit = Exit::of(all, options.fail_on, options.incomplete_as_failure);
        let controls = all.controls.iter().filter(|control| control.check.unit != Kind::Policy).count();
        self.line(&format!(
            "{} · {} pass · {} fail · {} unknown · {} waived · {} not applicable\n",
            code(&all.policy),
            thousands(summary.pass),
            thousands(summary.fail),
            thousands(summary.unknown),
            thousands(summary.waived),
            thousands(summary.not_applicable),
        ));
        self.line(&format!(
            "{}, {} · state of {}, judged at {} · exit {}: {}\n",
            count(all.accounts.len(), "account"),
            count(controls, "control"),
            minute(all.taken),
            minute(all.now),
            exit.code(),
            exit.meaning()
        ));
        if !all.complete {
            self.line("**The snapshot is partial**: what it lacks is unknown, not in order.\n");
        }
        for (key, record) in all.accounts.iter().filter_map(|(key, record)| Some((key, record.gap.as_ref()?))).take(10) {
            let said = format!("Account {} could not be read: {}\n", code(key.as_str()), prose(&tell::gap(record)));
            self.line(&said);
        }
    }

    /// What somebody has to do something about.
    fn open(&mut self) {
        let all = self.assessment;
        let open = tell::worst_first(all, tell::is_open);
        if open.is_empty() {
            return;
        }
        self.line("| | control | resource | what | to do |");
        self.line("|---|---|---|---|---|");
        self.rows(&open, |finding| {
            let control = all.control(finding);
            let severity = control.map_or("", |control| control.severity.as_str());
            let verdict = match finding.judgement.verdict() {
                Verdict::Unknown => format!("unknown ({severity})"),
                Verdict::Fail | Verdict::Pass | Verdict::NotApplicable => format!("**{severity}**"),
            };
            format!(
                "| {verdict} | {} | {} | {} | {} |\n",
                code(control.map_or("", |control| &control.id)),
                code(&tell::place(all, finding)),
                prose(&tell::message(all, finding)),
                prose(&tell::fix(all, finding))
            )
        });
        self.line("");
    }

    /// What needs nothing, behind a line that unfolds.
    fn folded(&mut self, what: &str, keep: impl Fn(&Finding) -> bool) {
        let all = self.assessment;
        let found = tell::worst_first(all, keep);
        if found.is_empty() {
            return;
        }
        self.line(&format!("<details><summary>{} {what}</summary>\n", thousands(found.len())));
        self.line("| control | resource | what |");
        self.line("|---|---|---|");
        self.rows(&found, |finding| {
            let said = tell::message(all, finding);
            let accepted =
                tell::accepted(all, finding).filter(|_| finding.is_waived()).map(|accepted| format!("; {}", prose(&accepted)));
            format!(
                "| {} | {} | {}{} |\n",
                code(all.control(finding).map_or("", |control| &control.id)),
                code(&tell::place(all, finding)),
                prose(&said),
                accepted.unwrap_or_default()
            )
        });
        self.line("\n</details>\n");
    }

    /// As many rows as there is room for, and how many more there are.
    fn rows(&mut self, findings: &[&Finding], row: impl Fn(&Finding) -> String) {
        for (at, finding) in findings.iter().enumerate() {
            let row = row(finding);
            if self.text.len() + row.len() + RESERVE > LIMIT {
                self.line(&format!("\n{} more: see the other reports", thousands(findings.len() - at)));
                return;
            }
            self.text.push_str(&row);
        }
    }
}

/// A name, as code: neither mentions nor references are looked for in there.
fn code(text: &str) -> String {
    format!("<code>{}</code>", prose(text))
}

/// Words. Whatever could be markup is a character reference, which is text wherever it stands. Signs that begin a mention or a
/// reference at GitHub or GitLab stand alone in an element; without `://` and `www.` nothing becomes a link.
fn prose(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len() + 32);
    for (at, (byte, c)) in text.char_indices().enumerate() {
        if at == CELL {
            out.push('…');
            break;
        }
        let (before, after) = text.split_at(byte);
        let plain = match c {
            ':' => !after.starts_with("://"),
            '.' => !before.get(byte.saturating_sub(3)..).is_some_and(|www| www.eq_ignore_ascii_case("www")),
            ' ' | ',' | ';' | '-' | '(' | ')' | '/' | '=' | '"' | '\'' => true,
            _ => c.is_alphanumeric() || !c.is_ascii(),
        };
        match c {
            _ if plain => out.push(c),
            '@' | '#' | '!' | '~' | '%' | '$' | '&' | '^' | '*' => {
                let _ = write!(out, "<span>&#{};</span>", u32::from(c));
            }
            _ => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::render;
    use super::super::{Options, sample};
    use super::{LIMIT, prose};
    use crate::assessment::Assessment;
    use crate::judgement::Judgement;

    /// The raw text holds no markup but our own.
    fn inert(text: &str) {
        let mut bare = text.to_owned();
        for ours in
            ["<!-- lastcopy -->", "<code>", "</code>", "<span>", "</span>", "<details>", "</details>", "<summary>", "</summary>"]
        {
            bare = bare.replace(ours, "");
        }
        assert!(!bare.contains(['<', '>', '@', '`', '[', ']', '_', '~', '\\', '!']), "{bare}");
        assert!(bare.split("&#").skip(1).all(|part| part.split_once(';').is_some_and(|(n, _)| n.parse::<u32>().is_ok())));
        for line in bare.lines().filter(|line| line.starts_with('|')) {
            assert!(matches!(line.matches('|').count(), 4 | 6), "{line}");
        }
        for word in ["://", "www.", "&lt;", "**x"] {
            assert!(!bare.contains(word), "{word}");
        }
    }

    #[test]
    fn names_stay_names() {
        for assessment in [sample::sample(), sample::clean(), sample::unreadable()] {
            inert(&render("markdown", &assessment, &Options::default()));
        }
        for bad in [
            "a|b",
            "`x`",
            "<b>",
            "@org/team",
            "#12",
            "[x](https://e.example)",
            "www.e.example",
            "a@b.example",
            "a\nb",
            "$x$",
            "**x**",
            ":smile:",
        ] {
            inert(&prose(bad));
        }
        assert_eq!(prose("a|b@c"), "a&#124;b<span>&#64;</span>c");
    }

    #[test]
    fn what_is_open_comes_first_and_the_rest_is_folded() {
        let text = render("markdown", &sample::sample(), &Options::default());
        let (open, folded) = text.split_once("<details>").unwrap();
        assert!(open.contains("**critical**") && open.contains("unknown (high)"), "{open}");
        assert!(folded.contains("1 waived") && folded.contains("2 pass"), "{folded}");
        let first = open.lines().find(|line| line.starts_with("| **")).unwrap();
        assert!(first.contains("recover-30-days"), "{first}");
        let clean = render("markdown", &sample::clean(), &Options::default());
        assert!(clean.contains("### lastcopy: compliant\n") && !clean.contains("| to do |"), "{clean}");
    }

    #[test]
    fn it_fits_and_says_what_it_left_out() {
        let mut many: Assessment = sample::sample();
        let failure = many.findings.iter().find(|f| matches!(f.judgement, Judgement::Fail(_))).unwrap().clone();
        many.findings.extend(vec![failure; 2_000]);
        let text = render("markdown", &many, &Options::default());
        assert!(text.len() <= LIMIT, "{}", text.len());
        assert!(text.contains(" more: see the other reports"), "{text}");
        assert!(text.contains("<summary>2 pass</summary>"), "what was left out is still counted");
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
        let rows = text.lines().filter(|line| line.starts_with("| **critical**")).count();
        let more: usize = text
            .lines()
            .find_map(|line| line.strip_suffix(" more: see the other reports"))
            .unwrap()
            .replace(',', "")
            .parse()
            .unwrap();
        let open = many.findings.iter().filter(|f| super::tell::is_open(f)).count();
        assert!(rows > 50 && rows + more == open, "{rows} + {more} = {open}");
    }
}
