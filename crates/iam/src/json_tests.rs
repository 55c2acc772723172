//! Tests of the JSON reader, against a table of errors and against an independent reader.

use super::*;
use proptest::prelude::*;

fn plain(node: &Node<'_>) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(b) => (*b).into(),
        Value::Number(n) => serde_json::from_str(n).expect("a number"),
        Value::String(s) => s.to_string().into(),
        Value::List(items) => items.iter().map(plain).collect::<Vec<_>>().into(),
        Value::Object(members) => {
            serde_json::Value::Object(members.iter().map(|m| (m.key.to_string(), plain(&m.value))).collect())
        }
    }
}

#[test]
fn errors_name_place_path_and_cause() {
    let cases = [
        ("", "1:1", "", "expected a value, found the end of the text"),
        ("{", "1:2", "", "expected a key in double quotes, found the end of the text"),
        ("{\n  \"a\": 1,\n}", "3:1", "", "expected a key in double quotes, found '}'"),
        ("{\"a\" 1}", "1:6", "a", "expected \":\", found '1'"),
        ("{\"a\":[1,{\"b\":tru}]}", "1:17", "a[1].b", "expected true, found '}'"),
        ("[1 2]", "1:4", "", "expected \",\" or \"]\", found '2'"),
        ("[1] x", "1:5", "", "expected the end of the text, found 'x'"),
        ("{\"é\":1,\n \"é\":2}", "2:2", "é", "key \"é\" occurs twice in one object"),
        ("[\"ab\\q\"]", "1:5", "[0]", "unknown escape \\q"),
        ("\"\\ud800x\"", "1:2", "", "lone surrogate \\ud800"),
        ("\"\\udc00\\ud800\"", "1:2", "", "lone surrogate \\udc00"),
        ("\"\\ud800\\u0041\"", "1:2", "", "lone surrogate \\ud800"),
        ("\"\\u12g4\"", "1:6", "", "expected four hexadecimal digits, found 'g'"),
        ("\"a\tb\"", "1:3", "", "control character U+0009 in a string"),
        ("01", "1:2", "", "expected the end of the text, found '1'"),
        ("-", "1:2", "", "expected a digit, found the end of the text"),
        ("1.", "1:3", "", "expected a digit, found the end of the text"),
        ("1e+", "1:4", "", "expected a digit, found the end of the text"),
        ("\u{feff}{}", "1:1", "", "expected a value, found '\\u{feff}'"),
    ];
    for (text, at, path, message) in cases {
        let error = parse(text).expect_err(text);
        assert_eq!(
            (error.at.to_string().as_str(), error.path.as_str(), error.kind.to_string().as_str()),
            (at, path, message),
            "{text}"
        );
    }
}

#[test]
fn positions_count_characters_and_offsets_count_bytes() {
    let node = parse("\n {\"é\":\r\n  7}").expect("valid");
    let Value::Object(members) = &node.value else { panic!("an object") };
    assert_eq!(node.at, Position { offset: 2, line: 2, column: 2 });
    assert_eq!(members[0].at, Position { offset: 3, line: 2, column: 3 });
    assert_eq!(members[0].value.at, Position { offset: 12, line: 3, column: 3 });
}

#[test]
fn nesting_is_bounded_on_both_sides_of_the_limit() {
    let nest = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(parse(&nest(MAX_DEPTH)).is_ok());
    let error = parse(&nest(MAX_DEPTH + 1)).expect_err("too deep");
    assert_eq!((error.kind, error.at.column), (Syntax::TooDeep, 65));
    // A hostile text is refused long before the stack ends.
    assert_eq!(parse(&"[".repeat(1_000_000)).expect_err("too deep").kind, Syntax::TooDeep);
}

#[test]
fn every_escape_is_read_as_the_independent_reader_reads_it() {
    let text = r#""\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00 é€😀 \u0000""#;
    assert_eq!(plain(&parse(text).expect("valid")), serde_json::from_str::<serde_json::Value>(text).expect("valid"));
}

fn tree() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "\\PC{0,6}|[\"\\\\\u{0}-\u{1f}😀]{0,4}".prop_map(|s: String| s.into()),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::btree_map("\\PC{0,4}", inner, 0..4)
                .prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn agrees_with_the_independent_reader_on_valid_texts(value in tree(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.expect("text");
        prop_assert_eq!(plain(&parse(&text).expect("valid")), value);
    }

    #[test]
    fn accepts_nothing_the_independent_reader_refuses(text in r#"[\[\]{}",:0-9eE+. \\untrfalse-]{0,12}"#) {
        let ours = parse(&text);
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        if ours.is_ok() {
            // The other reader also refuses numbers beyond its range; those are fine here.
            let out_of_range = theirs.as_ref().is_err_and(|e| e.to_string().contains("out of range"));
            prop_assert!(theirs.is_ok() || out_of_range, "{}", text);
        } else {
            let twice = matches!(ours.map_err(|e| e.kind), Err(Syntax::DuplicateKey(_)));
            prop_assert!(theirs.is_err() || twice, "{}", text);
        }
    }
}

/// Line and column by counting, for what the reader keeps track of.
fn counted(text: &str, offset: usize) -> Position {
    let before = &text[..offset];
    let line = before.rsplit('\n').next().unwrap_or_default();
    let column = line.chars().count() as u32 + 1;
    Position { offset, line: before.matches('\n').count() as u32 + 1, column }
}

/// Every value and every key is where the tree says.
fn is_placed(text: &str, node: &Node<'_>) {
    assert_eq!(node.at, counted(text, node.at.offset), "{text}");
    let rest = &text[node.at.offset..];
    match &node.value {
        Value::Null => assert!(rest.starts_with("null")),
        Value::Bool(b) => assert!(rest.starts_with(&b.to_string())),
        Value::Number(n) => assert!(rest.starts_with(n)),
        Value::String(_) => assert!(rest.starts_with('"')),
        Value::List(items) => {
            assert!(rest.starts_with('['));
            items.iter().for_each(|item| is_placed(text, item));
        }
        Value::Object(members) => {
            assert!(rest.starts_with('{'));
            for member in members {
                assert_eq!(member.at, counted(text, member.at.offset), "{text}");
                let key = serde_json::Deserializer::from_str(&text[member.at.offset..]).into_iter::<String>().next();
                assert_eq!(key.expect("a key").expect("a key"), member.key, "{text}");
                is_placed(text, &member.value);
            }
        }
    }
}

/// An error names a place where the text has what the error says.
fn is_there(text: &str, error: &SyntaxError) {
    assert_eq!(error.at, counted(text, error.at.offset), "{text}");
    let rest = &text[error.at.offset..];
    match &error.kind {
        Syntax::Unexpected { found, .. } => assert!(rest.starts_with(*found), "{text}"),
        Syntax::End { .. } => assert_eq!(rest, "", "{text}"),
        Syntax::DuplicateKey(_) => assert!(rest.starts_with('"'), "{text}"),
        Syntax::TooDeep => assert!(rest.starts_with(['[', '{']), "{text}"),
        Syntax::Escape(c) => assert!(rest.strip_prefix('\\').is_some_and(|rest| rest.starts_with(*c)), "{text}"),
        Syntax::LoneSurrogate(code) => {
            assert!(rest.to_lowercase().starts_with(&format!("\\u{code:04x}")), "{text}");
        }
        Syntax::Control(code) => assert_eq!(rest.chars().next().map(u32::from), Some(*code), "{text}"),
    }
}

/// The independent reader says the same, our stricter rules and its smaller numbers apart, and all places are right.
fn is_read_alike(text: &str) {
    let theirs = serde_json::from_str::<serde_json::Value>(text);
    match (parse(text), theirs) {
        (Ok(node), Ok(value)) => {
            assert_eq!(plain(&node), value, "{text}");
            is_placed(text, &node);
        }
        (Ok(node), Err(error)) => {
            assert!(error.to_string().contains("out of range"), "{text}: {error}");
            is_placed(text, &node);
        }
        (Err(error), Ok(_)) => {
            assert!(matches!(error.kind, Syntax::DuplicateKey(_) | Syntax::TooDeep), "{text}: {error:?}");
            is_there(text, &error);
        }
        (Err(error), Err(_)) => is_there(text, &error),
    }
}

#[test]
fn what_ends_plain_text_is_seen_at_every_place_of_a_word() {
    let odd = [
        "", " ", "!", "\"", "#", "[", "\\", "\\\\", "]", "\u{0}", "\u{1f}", "\u{7f}", "\u{80}", "\u{a2}", "é", "€", "😀",
        "\\u00e9",
    ];
    for (first, second) in odd.iter().flat_map(|first| odd.map(|second| (first, second))) {
        for length in 0..18 {
            let (before, between) = ("a".repeat(length), "b".repeat(length % 9));
            is_read_alike(&format!("[\"{before}{first}{between}{second}c\" , {{\"{first}{between}{second}\": x"));
            is_read_alike(&format!("[\"{before}{first}{between}{second}c\" , {{\"{first}{between}{second}\": 1}}]"));
        }
    }
}

#[test]
fn surrogates_pair_at_the_ends_of_their_ranges() {
    let codes = ["", "0041", "d7ff", "D800", "dbff", "dc00", "dFFf", "e000", "00", "\\", "x"];
    for (first, second) in codes.iter().flat_map(|first| codes.map(|second| (first, second))) {
        is_read_alike(&format!("\"\\u{first}\\u{second}\""));
        is_read_alike(&format!("\"\\u{first}{second}\""));
    }
}

#[test]
fn indentation_of_every_width_is_counted() {
    for width in 0..40 {
        for end in ["\n", "\r\n", "\n\t", "\n\n", "é\n"] {
            is_read_alike(&format!("{end}{0}[{end}{0}\"é\",{end}{0}7{end}{0}]{end}{0}", " ".repeat(width)));
        }
    }
}

#[test]
fn strings_without_escapes_borrow() {
    let node = parse(r#"{"plain":["é","\u00e9"]}"#).expect("valid");
    let Value::Object(members) = &node.value else { panic!("an object") };
    let Value::List(items) = &members[0].value.value else { panic!("a list") };
    assert!(matches!(members[0].key, Cow::Borrowed("plain")));
    assert!(matches!(items[0].value, Value::String(Cow::Borrowed("é"))));
    assert!(matches!(&items[1].value, Value::String(Cow::Owned(text)) if text == "é"));
}

#[test]
fn equal_keys_are_found_among_few_and_among_many() {
    for count in (1..40).chain([100_000]) {
        // Spelled with an escape, a key is still the same key.
        let keys: String =
            (0..count).map(|n| if n % 3 == 0 { format!("\"\\u006b{n}\":0,") } else { format!("\"k{n}\":0,") }).collect();
        assert!(parse(&format!("{{{keys}\"last\":0}}")).is_ok(), "{count}");
        for again in [0, count / 2, count - 1] {
            let error = parse(&format!("{{{keys}\"k{again}\":0}}")).expect_err("twice");
            assert_eq!((error.at.offset, error.kind), (keys.len() + 1, Syntax::DuplicateKey(format!("k{again}"))));
        }
    }
}

/// A text with everything the grammar has.
const RICH: &str = r#"{ "Version": "2012-10-17", "Id": "\u00e9\ud83d\ude00é😀\n",
  "Statement": [ { "Sid": "", "Effect": "Allow", "Action": ["s3:Get*", "s3:\u002a"],
    "Resource": "arn:aws:s3:::b/${aws:username}/é/*", "Principal": {"AWS": ["111122223333", "*"]},
    "Condition": { "NumericLessThan": {"s3:max-keys": [-1.5e+3, 0, 10]}, "Bool": {"aws:SecureTransport": true},
      "Null": {"x": [false, null, {}, []]} } } ] }"#;

/// The text with some characters taken out, put in or repeated.
fn damaged() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        r#"[\[\]{}",:0-9eE+. \\untrfalse\n-]{0,3}"#,
        "\\PC{0,2}",
        Just("\\ud800".to_owned()),
        any::<char>().prop_map(String::from)
    ];
    let edit = (any::<proptest::sample::Index>(), 0..12_usize, piece, any::<bool>());
    proptest::collection::vec(edit, 1..4).prop_map(|edits| {
        let mut text: Vec<char> = RICH.chars().collect();
        for (at, length, piece, again) in edits {
            let from = at.index(text.len() + 1);
            let to = (from + length).min(text.len());
            let repeated = if again { text[from..to].to_vec() } else { Vec::new() };
            text.splice(from..if again { from } else { to }, piece.chars().chain(repeated));
        }
        text.into_iter().collect()
    })
}

proptest! {
    #[test]
    fn reads_any_text_as_the_independent_reader(text in any::<String>(), soup in r#"[\[\]{}",:0-9eE+. \\u\ndabé😀-]{0,24}"#) {
        is_read_alike(&text);
        is_read_alike(&soup);
        is_read_alike(&format!("[\"{text}\", {soup}"));
    }

    #[test]
    fn reads_a_damaged_text_as_the_independent_reader(text in damaged()) {
        is_read_alike(&text);
    }

    #[test]
    fn places_are_right_in_valid_texts(value in tree(), pretty: bool) {
        is_read_alike(&if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.expect("text"));
    }
}
