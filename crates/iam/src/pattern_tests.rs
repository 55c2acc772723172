//! Tests of patterns: by hand, against enumeration of all short strings, and as laws.

use super::*;
use proptest::prelude::*;

fn p(text: &str) -> Pattern {
    Pattern::new(text, Case::Sensitive)
}

fn v(text: &str) -> Pattern {
    Pattern::with_variables(text, Case::Sensitive)
}

/// All strings up to seven letters over the two letters of the patterns and one that occurs in none.
fn strings() -> Vec<String> {
    let mut all = vec![String::new()];
    let mut from = 0;
    for _ in 0..7 {
        let to = all.len();
        for i in from..to {
            for c in ['a', 'b', 'z'] {
                all.push(format!("{}{c}", all[i]));
            }
        }
        from = to;
    }
    all
}

/// The definition, slowly: a second opinion on `matches`.
fn naive(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, rest) => rest.is_none(),
        (Some(('*', more)), rest) => naive(more, text) || rest.is_some_and(|(_, tail)| naive(pattern, tail)),
        (Some((c, more)), Some((t, tail))) => (*c == '?' || c == t) && naive(more, tail),
        (Some(_), None) => false,
    }
}

#[test]
fn matching() {
    let cases = [
        ("*", "", true),
        ("", "", true),
        ("?", "", false),
        ("s3:Get*", "s3:GetObject", true),
        ("s3:Get*", "s3:PutObject", false),
        ("a*b?c", "axxbyc", true),
        ("*ab", "aab", true),
        ("arn:aws:s3:::docs/*", "arn:aws:s3:::docs", false),
        ("é?", "éß", true),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(p(pattern).matches(text), expected, "{pattern} {text}");
    }
    assert!(Pattern::new("s3:GETobject", Case::Insensitive).matches("S3:getOBJECT"));
    assert!(!p("Docs").matches("docs"));
}

#[test]
fn variables_widen_may_and_narrow_covers() {
    let home = v("arn:aws:s3:::b/${aws:username}/*");
    assert!(home.has_variable() && home.matches("arn:aws:s3:::b/anna/x") && home.intersects(&p("arn:aws:s3:::b/docs/*")));
    assert!(home.covers(&home) && !home.covers(&p("arn:aws:s3:::b/anna/x")));
    assert!(!v("${aws:username}").covers(&p("x")) && !v("${aws:username}").is_everything());
    assert!(!v("${aws:username}").covers(&p("${aws:username}")), "in a 2008 document the same text is literal");
    assert!(p("arn:aws:s3:::b/*").covers(&home) && !p("arn:aws:s3:::b/anna/*").covers(&home));
    assert!(
        v("${aws:username, 'x'}").matches("anything") && v("a${open").matches("a and the rest") && v("a${open").has_variable()
    );
    for (text, exact) in [("a${*}b", "a*b"), ("a${?}b", "a?b"), ("a${$}b", "a$b")] {
        assert!(v(text).matches(exact) && !v(text).matches("axb") && !v(text).has_variable(), "{text}");
    }
    assert!(p("${a}").matches("${a}") && !p("${a}").has_variable());
}

#[test]
fn covering_across_cases_of_letters() {
    let (loose, strict) = (Pattern::new("ab1", Case::Insensitive), p("ab1"));
    assert!(loose.covers(&strict) && !strict.covers(&loose) && strict.intersects(&loose) && loose.intersects(&p("AB1")));
    assert!(p("12?").covers(&Pattern::new("123", Case::Insensitive)));
}

#[test]
fn covers_by_hand() {
    let cases = [
        ("*", "anything*?", true),
        ("a*", "*", false),
        ("*?", "?*", true),
        ("?*?", "??*", true),
        ("*a*", "*aa*", true),
        ("*aa*", "*a*a*", false),
        ("arn:aws:s3:::acme-*", "arn:aws:s3:::acme-docs/*", true),
        ("arn:aws:s3:::acme-docs/*", "arn:aws:s3:::acme-docs", false),
        ("s3:*Object*", "s3:DeleteObjectVersion", true),
    ];
    for (wide, narrow, expected) in cases {
        assert_eq!(p(wide).covers(&p(narrow)), expected, "{wide} over {narrow}");
    }
}

#[test]
fn wildcard_bombs_stay_within_pattern_times_text() {
    let text = "a".repeat(2_000);
    for bomb in ["*a*a*a*a*a*a*a*a*b", "*a?a?a?a?b", "a*a*a*a*a*a*a*a*a*a*c", "****************b"] {
        let (matched, steps) = p(bomb).matches_in_steps(&text);
        assert!(!matched && steps <= (bomb.len() + 1) * (text.len() + 1), "{bomb}: {steps} steps");
    }
    // Stars alone cost one step a letter: only the last star is ever taken up again.
    assert!(p("*a*a*a*a*a*a*a*a*b").matches_in_steps(&text).1 <= 2 * text.len() + 40);
    // Covering stays within its budget, and answers.
    let (wide, narrow) = ("*a?".repeat(40), "*?a*".repeat(40));
    assert!(!p(&wide).covers(&p(&format!("{narrow}b"))));
    assert!(p(&wide).intersects(&p(&narrow)));
    let (hostile, other) = ("*a?".repeat(6_000), "?*a".repeat(6_000));
    assert!(!p(&hostile).covers(&p(&other)), "out of budget is a no");
    // Length alone costs little.
    let long = "a".repeat(20_000);
    assert!(p(&format!("{long}*")).covers(&p(&format!("{long}b*"))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn matches_is_the_definition(pattern in "[ab*?]{0,6}", text in "[abz]{0,7}") {
        let chars = |s: &str| s.chars().collect::<Vec<_>>();
        prop_assert_eq!(p(&pattern).matches(&text), naive(&chars(&pattern), &chars(&text)));
    }

    #[test]
    fn covers_and_intersects_are_what_enumeration_says(a in "[ab*?]{0,4}", b in "[ab*?]{0,4}") {
        let (one, two, all) = (p(&a), p(&b), strings());
        let in_two: Vec<&String> = all.iter().filter(|s| two.matches(s)).collect();
        prop_assert_eq!(one.covers(&two), in_two.iter().all(|s| one.matches(s)), "{} over {}", a, b);
        prop_assert_eq!(one.intersects(&two), in_two.iter().any(|s| one.matches(s)), "{} with {}", a, b);
        match one.meet(&two) {
            Some(common) => prop_assert!(one.matches(&common) && two.matches(&common), "{common} of {a} and {b}"),
            None => prop_assert!(!one.intersects(&two), "{} with {}", a, b),
        }
    }
}

proptest! {
    #[test]
    fn what_is_covered_is_matched(a in "[abA*?]{0,8}", b in "[abA*?]{0,8}", text in "[abAz]{0,8}", loose: bool, free: bool) {
        let case = |loose| if loose { Case::Insensitive } else { Case::Sensitive };
        let (one, two) = (Pattern::new(&a, case(loose)), Pattern::new(&b, case(free)));
        if one.covers(&two) && two.matches(&text) {
            prop_assert!(one.matches(&text), "{} over {} on {}", a, b, text);
        }
        if one.matches(&text) && two.matches(&text) {
            prop_assert!(one.intersects(&two));
        }
        prop_assert_eq!(one.intersects(&two), two.intersects(&one));
        prop_assert!(one.covers(&one) && Pattern::new("*", Case::Sensitive).covers(&one));
    }

    #[test]
    fn a_variable_never_covers_more_and_never_meets_less(a in "[ab*]{0,4}", b in "[ab*]{0,4}", text in "[ab]{0,8}") {
        let (bound, free) = (v(&format!("{a}${{aws:username}}{b}")), p(&format!("{a}*{b}")));
        prop_assert_eq!(bound.matches(&text), free.matches(&text));
        prop_assert!(free.covers(&bound) && !bound.covers(&free));
    }
}
