//! Any two patterns: asking about them never panics, and the three answers agree.
//!
//! ```sh
//! cd crates/iam && cargo +nightly fuzz run pattern
//! ```
#![no_main]

use lastcopy_iam::{Case, Pattern};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str, bool, bool)| {
    let (a, b, text, a_folds, b_folds) = input;
    let (a, b) = (pattern(a, a_folds), pattern(b, b_folds));
    assert!(a.covers(&a) && b.covers(&b), "a pattern covers itself");
    // Few texts match by chance; those made from a pattern always do.
    for text in [text.to_owned(), filled(a.as_str(), text), filled(b.as_str(), text)] {
        agree(&a, &b, &text);
        agree(&b, &a, &text);
    }
    for own in [&a, &b].into_iter().filter(|own| !own.as_str().contains("${")) {
        assert!(own.matches(&filled(own.as_str(), text)), "{own:?} refuses its own text, filled with {text:?}");
    }
});

fn pattern(text: &str, folds: bool) -> Pattern {
    Pattern::with_variables(text, if folds { Case::Insensitive } else { Case::Sensitive })
}

fn agree(a: &Pattern, b: &Pattern, text: &str) {
    assert_eq!(a.intersects(b), b.intersects(a), "{a:?} and {b:?}");
    if !b.matches(text) {
        return;
    }
    assert!(!a.covers(b) || a.matches(text), "{a:?} covers {b:?} and refuses {text:?}");
    assert!(!a.matches(text) || a.intersects(b), "{a:?} and {b:?} match {text:?} and do not meet");
}

/// The text of a pattern with something in the place of each wildcard.
fn filled(pattern: &str, with: &str) -> String {
    let mut out = String::new();
    for c in pattern.chars() {
        match c {
            '*' => out.push_str(with),
            '?' => out.push(with.chars().next().unwrap_or('?')),
            literal => out.push(literal),
        }
    }
    out
}
