//! The human report of the demo at several widths, and piped.

use crate::support::{lastcopy, run};

fn at(args: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    run(lastcopy(dir.path()).args(["audit", "--demo"]).args(args)).out
}

#[test]
fn piped_it_is_plain_text() {
    let text = at(&[]);
    assert!(!text.contains('\u{1b}'), "no colour");
    assert!(!text.chars().any(|c| ('\u{2500}'..='\u{257f}').contains(&c)), "no box drawing:\n{text}");
    insta::assert_snapshot!("human-piped", text);
}

#[test]
fn it_fits_every_width() {
    for width in ["60", "100", "200"] {
        let text = at(&["--width", width]);
        let columns: usize = width.parse().unwrap();
        assert!(!text.chars().any(|c| ('\u{2500}'..='\u{257f}').contains(&c)), "no box drawing when piped:\n{text}");
        for line in text.lines().filter(|line| line.chars().count() > columns) {
            // A name and a command are never broken.
            let whole = line.contains("lastcopy policy explain") || line.split_whitespace().any(|word| word.len() > 40);
            assert!(whole, "{width}: {line}");
        }
        insta::assert_snapshot!(format!("human-{width}"), text);
    }
}

#[test]
fn colour_only_when_asked_for() {
    let text = at(&["--color", "always"]);
    assert!(text.contains('\u{1b}'));
    let stripped: String = anstream::adapter::strip_str(&text).to_string();
    assert_eq!(stripped, at(&[]), "the same words without colour");
}

#[test]
fn worst_first() {
    let text = at(&[]);
    let order: Vec<usize> = ["CRITICAL", "HIGH", "UNKNOWN"].iter().filter_map(|word| text.find(word)).collect();
    assert_eq!(order.len(), 3, "{text}");
    assert!(order.is_sorted(), "{text}");
}
