//! Golden tests: each report over the shared sample, against committed files. `LASTCOPY_GENERATE=1` rewrites them.

use std::path::Path;

use super::text::{columns, is_unsafe};
use super::{Evidence, Options, REPORTERS, reporter, sample};
use crate::assessment::Assessment;

/// Renders to text.
pub(super) fn render(name: &str, assessment: &Assessment, options: &Options) -> String {
    let mut out = Vec::new();
    reporter(name).unwrap().render(assessment, options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Compares with a committed file, or rewrites it.
pub(super) fn committed(path: &str, text: &str, advice: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("LASTCOPY_GENERATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        return;
    }
    let known = std::fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    assert!(known == text, "{path} is not current; {advice}\n--- committed\n{known}\n--- now\n{text}");
}

fn golden(name: &str, text: &str) {
    committed(&format!("src/reporters/golden/{name}"), text, "run: just generate");
}

fn at(width: Option<u16>) -> Options {
    Options { width, terminal: width.is_some(), ..Options::default() }
}

#[test]
fn names_are_unique_and_found() {
    for entry in REPORTERS {
        assert_eq!(reporter(entry.name()).unwrap().name(), entry.name());
        assert_eq!(REPORTERS.iter().filter(|other| other.name() == entry.name()).count(), 1);
        assert!(!entry.description().is_empty());
    }
    assert!(reporter("pdf").is_none());
}

#[test]
fn human() {
    for width in [60, 100, 200] {
        golden(&format!("human-{width}.txt"), &render("human", &sample::sample(), &at(Some(width))));
    }
    golden("human-piped.txt", &render("human", &sample::sample(), &at(None)));
    golden("human-all.txt", &render("human", &sample::sample(), &Options { evidence: Evidence::All, ..at(Some(100)) }));
    golden(
        "human-color.txt",
        &render("human", &sample::sample(), &Options { color: true, ..at(Some(100)) }).replace('\u{1b}', "^["),
    );
    golden("human-clean.txt", &render("human", &sample::clean(), &at(Some(100))));
    golden("human-unreadable.txt", &render("human", &sample::unreadable(), &at(Some(100))));
}

#[test]
fn machines() {
    golden("report.json", &render("json", &sample::sample(), &Options::default()));
    golden("report.sarif", &render("sarif", &sample::sample(), &Options::default()));
    golden("report.junit.xml", &render("junit", &sample::sample(), &Options::default()));
    golden("report.md", &render("markdown", &sample::sample(), &Options::default()));
    golden("report.github.txt", &render("github", &sample::sample(), &Options::default()));
    golden("report.gitlab.json", &render("gitlab", &sample::sample(), &Options::default()));
    golden("report.csv", &render("csv", &sample::sample(), &Options::default()).replace("\r\n", "\n"));
}

#[test]
fn a_clean_run_is_three_lines() {
    assert_eq!(render("human", &sample::clean(), &at(Some(200))).lines().count(), 3);
    assert_eq!(render("human", &sample::clean(), &at(None)).lines().count(), 3);
}

#[test]
fn an_incomplete_run_says_so_first() {
    let partial = Assessment { complete: false, ..sample::clean() };
    let nothing = Assessment { findings: Vec::new(), ..sample::clean() };
    for assessment in [partial, nothing, sample::unreadable(), sample::sample()] {
        let text = render("human", &assessment, &at(None));
        let first = text.lines().next().unwrap();
        assert!(first.contains("incomplete") || first.contains("could be read"), "{first}");
        assert!(!text.contains("exit 0"), "{text}");
    }
}

#[test]
fn no_report_lets_a_name_act() {
    for entry in REPORTERS {
        for evidence in [Evidence::Failures, Evidence::All] {
            // RFC 4180 ends lines with both.
            let text = render(entry.name(), &sample::sample(), &Options { evidence, ..at(Some(100)) }).replace("\r\n", "\n");
            let bad: Vec<char> = text.chars().filter(|c| *c != '\n' && is_unsafe(*c)).collect();
            assert!(bad.is_empty(), "{}: {bad:?}", entry.name());
        }
    }
}

#[test]
fn lines_fit() {
    for width in [40, 60, 80, 100, 200] {
        let text = render("human", &sample::sample(), &at(Some(width)));
        for line in text.lines() {
            // Names and commands are never broken, whatever they hold.
            let name = ["PASS everything", "many-statements [", "lastcopy policy explain"].iter().any(|name| line.contains(name));
            let long_word = name || line.trim_start().split(' ').count() == 1;
            assert!(columns(line) <= usize::from(width) || long_word, "{width}: {line}");
        }
    }
}

#[test]
fn piped_is_plain() {
    let text = render("human", &sample::sample(), &at(None));
    assert!(!text.contains(|c: char| c == '\u{1b}' || ('\u{2500}'..='\u{257f}').contains(&c)), "{text}");
}

/// Without colour, the same words.
#[test]
fn colour_adds_nothing() {
    let plain = render("human", &sample::sample(), &at(Some(100)));
    let colored = render("human", &sample::sample(), &Options { color: true, ..at(Some(100)) });
    let stripped: String = anstream::adapter::strip_str(&colored).to_string();
    assert_eq!(stripped, plain);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for entry in REPORTERS {
        let once = render(entry.name(), &sample::sample(), &at(Some(100)));
        assert_eq!(once, render(entry.name(), &sample::sample(), &at(Some(100))));
    }
}
