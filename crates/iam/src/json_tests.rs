//! Tests of the JSON reader, against a table of errors and against an independent reader.

use super::*;
use proptest::prelude::*;

fn plain(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(b) => (*b).into(),
        Value::Number(n) => serde_json::from_str(n).expect("a number"),
        Value::String(s) => s.clone().into(),
        Value::List(items) => items.iter().map(plain).collect::<Vec<_>>().into(),
        Value::Object(members) => serde_json::Value::Object(members.iter().map(|m| (m.key.clone(), plain(&m.value))).collect()),
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
