//! Tests of reading documents: what is refused with which words, and that nothing is lost.

use super::*;
use crate::model::{Operator, Quantifier};
use proptest::prelude::*;

/// One statement with these elements.
fn with(elements: &str) -> String {
    format!(r#"{{"Statement":[{{"Effect":"Allow",{elements}}}]}}"#)
}

#[test]
fn malformed_documents_name_place_path_and_cause() {
    let cases: &[(&str, &str)] = &[
        ("", "1:1: expected a value, found the end of the text"),
        ("[]", "1:1: expected an object, found a list"),
        ("{}", "1:1: missing Statement"),
        ("{\"Statement\":[],\n \"statement\":[]}", "2:2: unknown element \"statement\""),
        (
            "{\"Version\":\"2012-10-18\",\"Statement\":[]}",
            "1:12: Version: unknown version \"2012-10-18\", expected 2008-10-17 or 2012-10-17",
        ),
        ("{\"Version\":20121017,\"Statement\":[]}", "1:12: Version: expected a string, found a number"),
        ("{\"Id\":null,\"Statement\":[]}", "1:7: Id: expected a string, found null"),
        ("{\"Statement\":\"x\"}", "1:14: Statement: expected an object, found a string"),
        ("{\"Statement\":[[]]}", "1:15: Statement[0]: expected an object, found a list"),
        ("{\"Statement\":{\"Action\":\"*\"}}", "1:14: Statement: missing Effect"),
        ("{\"Statement\":[{\"Effect\":\"Allow\"}]}", "1:15: Statement[0]: missing Action or NotAction"),
        (
            "{\"Statement\":[\n {\"Effect\":\"allow\",\"Action\":\"*\"}]}",
            "2:12: Statement[0].Effect: unknown effect \"allow\", expected Allow or Deny",
        ),
        (&with("\"Action\":\"a\",\"NotAction\":\"b\""), "1:15: Statement[0]: both Action and NotAction"),
        (&with("\"Action\":\"a\",\"Resource\":\"a\",\"NotResource\":\"b\""), "1:15: Statement[0]: both Resource and NotResource"),
        (
            &with("\"Action\":\"a\",\"Principal\":\"*\",\"NotPrincipal\":\"*\""),
            "1:15: Statement[0]: both Principal and NotPrincipal",
        ),
        (&with("\"Action\":[\"a\",1]"), "1:47: Statement[0].Action[1]: expected a string or a list of strings, found a number"),
        (&with("\"Action\":[[\"a\"]]"), "1:43: Statement[0].Action[0]: expected a string or a list of strings, found a list"),
        (
            &with("\"Action\":\"a\",\"Resource\":{}"),
            "1:57: Statement[0].Resource: expected a string or a list of strings, found an object",
        ),
        (&with("\"Action\":\"a\",\"Conditions\":{}"), "1:46: Statement[0]: unknown element \"Conditions\""),
        (&with("\"Action\":\"a\",\"Action\":\"b\""), "1:46: Statement[0].Action: key \"Action\" occurs twice in one object"),
        (
            &with("\"Action\":\"a\",\"Principal\":\"anna\""),
            "1:58: Statement[0].Principal: expected \"*\" or an object, found a string",
        ),
        (
            &with("\"Action\":\"a\",\"Principal\":{\"Aws\":\"*\"}"),
            "1:59: Statement[0].Principal: unknown kind of principal \"Aws\"",
        ),
        (
            &with("\"Action\":\"a\",\"Principal\":{\"AWS\":[1]}"),
            "1:66: Statement[0].Principal.AWS[0]: expected a string or a list of strings, found a number",
        ),
        (&with("\"Action\":\"a\",\"Condition\":[]"), "1:58: Statement[0].Condition: expected an object, found a list"),
        (
            &with("\"Action\":\"a\",\"Condition\":{\"Bool\":\"x\"}"),
            "1:66: Statement[0].Condition.Bool: expected an object, found a string",
        ),
        (
            &with("\"Action\":\"a\",\"Condition\":{\"Bool\":{}}"),
            "1:59: Statement[0].Condition.Bool: operator \"Bool\" has no condition key",
        ),
        (
            &with("\"Action\":\"a\",\"Condition\":{\"Bool\":{\"k\":null}}"),
            "1:71: Statement[0].Condition.Bool.k: expected a string, a number or a boolean, found null",
        ),
        (&with("\"Sid\":7,\"Action\":\"a\""), "1:39: Statement[0].Sid: expected a string, found a number"),
    ];
    for (text, message) in cases {
        assert_eq!(&Document::parse(text).expect_err(text).to_string(), message, "{text}");
    }
}

#[test]
fn a_full_statement_is_read_without_loss() {
    let document = Document::parse(
        r#"{ "Version": "2012-10-17", "Id": "x", "Statement": [
            { "Sid": "", "Effect": "Deny", "NotPrincipal": {"AWS": ["111122223333", "*"], "Service": "s3.amazonaws.com",
              "Federated": ["accounts.google.com"], "CanonicalUser": "79a5"},
              "NotAction": ["S3:Get*"], "NotResource": "arn:aws:s3:::b/${aws:username}",
              "Condition": { "ForAllValues:StringLikeIfExists": {"S3:Prefix": ["a", 1, true]}, "NullIfExists": {"k": "true"},
                             "ForSomeValue:Bool": {"k": false} } },
            { "Sid": "second", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*" } ] }"#,
    )
    .expect("valid");
    assert_eq!((document.version, document.id.as_deref(), document.statements.len()), (Version::V2012, Some("x"), 2));
    let [first, second] = &document.statements[..] else { panic!("two statements") };
    assert_eq!((first.sid.as_deref(), first.effect, first.position.line, first.position.column), (None, Effect::Deny, 2, 13));
    let Principals::Not(list) = &first.principals else { panic!("NotPrincipal") };
    assert_eq!(list.len(), 5);
    let Resources::NotIn(resources) = &first.resources else { panic!("NotResource") };
    assert!(resources[0].has_variable() && matches!(&first.actions, Actions::NotIn(list) if list[0].matches("s3:getobject")));
    assert_eq!(
        first.conditions[0].operator,
        ConditionOperator { name: Operator::StringLike, quantifier: Some(Quantifier::ForAllValues), if_exists: true }
    );
    assert_eq!(first.conditions[0].to_string(), "ForAllValues:StringLikeIfExists s3:prefix a, 1, true");
    assert_eq!(first.conditions[1].operator.name, Operator::Unknown("NullIfExists".into()));
    assert_eq!(first.conditions[2].operator.name, Operator::Unknown("ForSomeValue:Bool".into()));
    assert_eq!((second.index, second.reference().to_string()), (1, "statement 2 (Sid second)".into()));
    assert_eq!(second.principals, Principals::Any(vec![Principal::Everyone]));
}

#[test]
fn a_single_statement_object_and_absent_version() {
    let document = Document::parse(r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"b/${x}"}}"#).expect("valid");
    assert_eq!(document.version, Version::V2008);
    let Resources::In(list) = &document.statements[0].resources else { panic!("Resource") };
    assert!(!list[0].has_variable(), "a 2008 document has no variables");
    assert_eq!(Document::parse(r#"{"Version":"2008-10-17","Statement":[]}"#).expect("valid").statements, []);
}

#[test]
fn twenty_kilobytes_with_odd_escapes() {
    let one =
        r#"{"\u0053id":"\ud83d\ude00\/\"","Effect":"All\u006fw","Action":"s3\u003a*","Resource":"arn:aws:s3:::b\/\u00e9\\*"}"#;
    let text = format!("{{\"Statement\":[{}]}}", vec![one; 20 * 1024 / one.len() + 1].join(",\r\n"));
    assert!(text.len() > 20 * 1024);
    let document = Document::parse(&text).expect("valid");
    let last = document.statements.last().expect("statements");
    assert_eq!((last.sid.as_deref(), last.position.line as usize), (Some("😀/\""), document.statements.len()));
    assert!(matches!(&last.resources, Resources::In(list) if list[0].matches("arn:aws:s3:::b/é\\x")));
}

#[test]
fn deep_nesting_is_refused_with_its_path() {
    let error = Document::parse(&with(&format!("\"Action\":{}", "[".repeat(100)))).expect_err("too deep");
    assert_eq!(error.kind, ParseErrorKind::Syntax(Syntax::TooDeep));
    assert!(error.path.starts_with("Statement[0].Action[0]"), "{error}");
}

#[test]
fn several_documents_of_one_text_are_read_in_place() {
    let good = with("\"Action\":\"s3:*\"");
    let bad = with("\"Action\":[\"a\",1]");
    let line = format!("{{\"é\":[{good},\n{bad}]}}");
    let root = json::parse(&line).expect("valid");
    let Value::Object(members) = &root.value else { panic!("an object") };
    let Value::List(items) = &members[0].value.value else { panic!("a list") };
    let [first, second] = &items[..] else { panic!("two documents") };
    let document = Document::from_node(first).expect("valid");
    assert_eq!((document.statements[0].position.offset, document.statements[0].position.column), (21, 21));
    assert_eq!(
        Document::from_node(second).expect_err("a number").to_string(),
        "2:47: Statement[0].Action[1]: expected a string or a list of strings, found a number"
    );
    assert_eq!(Document::from_node(&root).expect_err("no document").to_string(), "1:2: unknown element \"é\"");
}

/// A document with every element, valid as it stands.
const FULL: &str = r#"{ "Version": "2012-10-17", "Id": "x",
  "Statement": [ { "Sid": "a", "Effect": "Deny", "NotPrincipal": {"AWS": ["111122223333", "*"], "Service": "s3.amazonaws.com"},
      "NotAction": ["S3:Get*", "s3:\u0050ut?"], "NotResource": "arn:aws:s3:::b/${aws:username}/é*",
      "Condition": { "ForAllValues:StringLikeIfExists": {"S3:Prefix": ["a", 1, true]}, "Null": {"k": "true"} } },
    { "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": ["*", "${*}", "${"] } ] }"#;

/// Words of the grammar and pieces of JSON, among which an edit chooses.
const PIECES: [&str; 24] = [
    "",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "*",
    "?",
    "${",
    "null",
    "7",
    "{}",
    "[]",
    "\"Effect\"",
    "\"Action\"",
    "\"NotAction\"",
    "\"Principal\":\"*\",",
    "\"Statement\"",
    "\"2008-10-17\"",
    "é",
    "\u{0}",
];

proptest! {
    #[test]
    fn a_damaged_document_is_read_or_refused(
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), 0..20_usize, 0..PIECES.len()), 0..3),
    ) {
        let mut text: Vec<char> = FULL.chars().collect();
        for (at, length, piece) in edits {
            let from = at.index(text.len() + 1);
            let to = (from + length).min(text.len());
            text.splice(from..to, PIECES[piece].chars());
        }
        let text: String = text.into_iter().collect();
        match Document::parse(&text) {
            Ok(document) => {
                let root = json::parse(&text).expect("a document is JSON");
                prop_assert_eq!(Document::from_node(&root), Ok(document));
            }
            Err(error) => {
                let line = text.split('\n').nth(error.line as usize - 1).expect("a line of the text");
                prop_assert!((error.column as usize) <= line.chars().count() + 1, "{}: {}", error, text);
            }
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>()) {
        let _either = Document::parse(&text);
        let _either = Document::parse(&with(&text));
    }
}
