//! Tests of the form of one line: what is taken, what is refused and how it is said. What is decided is in `tests/rules.rs`.

use super::*;

const WHO: &str = r#""principal":"arn:aws:iam::111111111111:user/anna","resource":"arn:aws:s3:::docs/a""#;

fn line(request: &str, rest: &str) -> String {
    format!(r#"{{"id":1,"request":{{{request}}}{rest}}}"#)
}

fn with(rest: &str) -> String {
    line(&format!(r#"{WHO},"action":"s3:GetObject""#), rest)
}

fn refusal(line: &str) -> String {
    match simulate(line).decided {
        Ok(decided) => decided.effect.as_str().to_owned(),
        Err(refusal) => refusal.to_string(),
    }
}

#[test]
fn lines_that_are_not_json() {
    for text in ["", "{", "nonsense", r#"{"id":1,}"#, "{} {}"] {
        let answer = simulate(text);
        assert_eq!(answer.id, "null", "{text}");
        assert!(refusal(text).starts_with("not JSON: 1:"), "{text}: {}", refusal(text));
    }
    assert_eq!(refusal("[]"), "1:1: the line must be an object, found a list");
    assert_eq!(refusal("7"), "1:1: the line must be an object, found a number");
}

#[test]
fn missing_fields() {
    assert_eq!(refusal("{}"), "missing request");
    assert_eq!(refusal(r#"{"request":null}"#), "missing request");
    assert_eq!(refusal(r#"{"request":{}}"#), "missing request.principal");
    assert_eq!(refusal(&line(WHO, "")), "missing request.action");
    let no_resource = r#""principal":"*","action":"s3:GetObject""#;
    assert_eq!(refusal(&line(no_resource, "")), "missing request.resource");
}

#[test]
fn fields_of_another_kind() {
    let cases = [
        (r#"{"request":"x"}"#.to_owned(), "must be an object, found a string"),
        (line(r#""principal":7,"action":"a:b","resource":"*""#, ""), "request.principal must be an ARN, the name of a service"),
        (line(r#""principal":{"type":"Someone"},"action":"a:b","resource":"*""#, ""), "request.principal must be an ARN"),
        (line(r#""principal":"*","action":["s3:GetObject"],"resource":"*""#, ""), "action must be a string, found a list"),
        (line(r#""principal":"*","action":"s3:GetObject","resource":true"#, ""), "resource must be a string, found a boolean"),
        (line(&format!(r#"{WHO},"action":"s3:GetObject","resource_account":1"#), ""), "resource_account must be a string"),
        (line(&format!(r#"{WHO},"action":"s3:GetObject","context":[]"#), ""), "request.context must be an object, found a list"),
        (
            line(&format!(r#"{WHO},"action":"s3:GetObject","context":{{"k":{{}}}}"#), ""),
            "request.context.k must be a string or a list of strings, found an object",
        ),
        (
            line(&format!(r#"{WHO},"action":"s3:GetObject","context":{{"k":[null]}}"#), ""),
            "request.context.k must be a string or a list of strings, found null",
        ),
        (with(r#","scps":{}"#), "scps must be a list of levels, found an object"),
        (with(r#","rcps":"x""#), "rcps must be a list of levels, found a string"),
        (with(r#","scps":[7]"#), "must be an object, found a number"),
    ];
    for (line, expected) in cases {
        assert!(refusal(&line).contains(expected), "{line}: {}", refusal(&line));
    }
}

#[test]
fn actions() {
    for action in ["s3:*", "s3:Get?bject", "s3", "", ":GetObject", "s3:", "*"] {
        let line = line(&format!(r#"{WHO},"action":{action:?}"#), "");
        assert_eq!(
            refusal(&line),
            format!("request.action {action:?} is no action: one such as s3:GetObject, without wildcards, is needed")
        );
    }
    assert_eq!(refusal(&line(&format!(r#"{WHO},"action":"S3:GETOBJECT""#), "")), "implicit_deny");
}

#[test]
fn policies_that_are_none_say_where() {
    let odd = with(
        r#","identity_policies":[{"Version":"2012-10-17","Statement":[]},{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Actoin":"*","Resource":"*"}]}]"#,
    );
    let said = refusal(&odd);
    let column = odd.find("\"Actoin\"").map_or(0, |at| at + 1);
    assert!(said.starts_with(&format!("identity_policies[1]: 1:{column}: Statement[0]: ")) && said.contains("Actoin"), "{said}");
    let wrong = [
        (r#","resource_policy":"x""#, "resource_policy: "),
        (r#","resource_policy":{"Statement":{"Effect":"Perhaps","Action":"*"}}"#, "resource_policy: "),
        (r#","scps":[{"id":"r","policies":[]},{"policies":[{"Statement":7}]}]"#, "scps[1].policies[0]: "),
        (r#","rcps":[{"policies":[{"Oddly":1}]}]"#, "rcps[0].policies[0]: "),
        (r#","endpoint_policies":[1]"#, "endpoint_policies[0]: "),
        (r#","permission_boundaries":[[]]"#, "permission_boundaries[0]: "),
        (r#","session_policy":1"#, "session_policy: "),
    ];
    for (rest, expected) in wrong {
        assert!(refusal(&with(rest)).starts_with(expected), "{rest}: {}", refusal(&with(rest)));
    }
}

#[test]
fn policies_of_principals_name_no_principal() {
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
    let said = "statement 2 has a Principal, which a policy of its kind cannot have";
    for (rest, field) in [
        (format!(r#","identity_policies":[{policy}]"#), "identity_policies[0]"),
        (format!(r#","permission_boundaries":[{policy}]"#), "permission_boundaries[0]"),
        (format!(r#","session_policy":{policy}"#), "session_policy"),
        (format!(r#","scps":[{{"policies":[{policy}]}}]"#), "scps[0].policies[0]"),
    ] {
        assert_eq!(refusal(&with(&rest)), format!("{field}: {said}"));
    }
    assert_eq!(refusal(&with(&format!(r#","resource_policy":{policy}"#))), "allow");
}

#[test]
fn what_is_not_known_is_ignored() {
    let all = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let said = format!(r#","identity_policies":{all},"expect":{{"decision":"?"}},"page":null,"SCPS":7"#);
    assert_eq!(refusal(&with(&said)), "allow", "one policy stands for a list of one");
    let nothing = r#","identity_policies":null,"permission_boundaries":[],"session_policy":null,"scps":[],"rcps":null"#;
    assert_eq!(refusal(&with(nothing)), "implicit_deny", "null and empty lists are no policies");
    assert_eq!(refusal(&line(&format!(r#"{WHO},"action":"s3:GetObject","colour":"red""#), "")), "implicit_deny");
}

#[test]
fn ids_come_back_as_json() {
    let cases = [
        (r#""id":"a-1","#, r#""a-1""#),
        (r#""id":7,"#, "7"),
        (r#""id":-1.50e3,"#, "-1.50e3"),
        ("", "null"),
        (r#""id":null,"#, "null"),
        (r#""id":true,"#, "null"),
        (r#""id":["x"],"#, "null"),
        (r#""id":"","#, r#""""#),
        (r#""id":"\" \\ \/ \n \u0000","#, r#""\" \\ / \u000a \u0000""#),
        (r#""id":"é𝄞\u2028","#, r#""\u00e9\ud834\udd1e\u2028""#),
        ("\"id\":\"\u{7f}\",", r#""\u007f""#),
    ];
    for (field, expected) in cases {
        // The id comes back whether or not the rest can be understood.
        let answer = simulate(&format!(r#"{{{field}"x":1}}"#));
        assert_eq!((answer.id.as_str(), answer.decided.is_err()), (expected, true), "{field}");
        if expected != "null" {
            assert!(serde_json::from_str::<serde_json::Value>(&answer.id).is_ok(), "{expected}");
        }
    }
}

#[test]
fn principals() {
    let as_said = |principal: &str| {
        let policy = r#","resource_policy":{"Statement":{"Effect":"Allow","Principal":{"AWS":"111111111111","Service":"backup.amazonaws.com"},"Action":"*","Resource":"*"}}"#;
        refusal(&line(&format!(r#""principal":{principal},"action":"s3:GetObject","resource":"arn:aws:s3:::docs/a""#), policy))
    };
    assert_eq!(as_said(r#""backup.amazonaws.com""#), "allow");
    assert_eq!(as_said(r#""config.amazonaws.com""#), "implicit_deny");
    for anonymous in [r#""*""#, r#"{"type":"Anonymous"}"#, r#"{"type":"anonymous"}"#] {
        assert_eq!(as_said(anonymous), "implicit_deny", "{anonymous}");
    }
}

#[test]
fn context_values_may_be_any_scalar() {
    let policy = r#","identity_policies":[{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"a:b":["true","7","x"]}}}}]"#;
    for (value, expected) in [
        ("true", "allow"),
        ("7", "allow"),
        (r#""x""#, "allow"),
        (r#"["x"]"#, "allow"),
        ("[]", "implicit_deny"),
        ("false", "implicit_deny"),
    ] {
        let request = format!(r#"{WHO},"action":"s3:GetObject","context":{{"A:B":{value}}}"#);
        assert_eq!(refusal(&line(&request, policy)), expected, "{value}");
    }
}

#[test]
fn the_deciding_statement_is_named_by_its_place() {
    let said = |rest: &str| {
        let decided = simulate(&with(rest)).decided.map_err(|refusal| refusal.to_string())?;
        Ok::<_, String>(
            decided
                .statements
                .iter()
                .map(|stated| {
                    let statement = stated.statement.as_ref().map(ToString::to_string).unwrap_or_default();
                    format!("{} {}: {statement}", stated.layer.as_str(), stated.policy)
                })
                .collect::<Vec<_>>()
                .join("; "),
        )
    };
    let allow = r#"{"Statement":[{"Effect":"Deny","Action":"ec2:*","Resource":"*"},{"Sid":"All","Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let deny = r#"{"Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}"#;
    let cases = [
        (
            format!(r#","identity_policies":[{deny_less},{allow}]"#, deny_less = r#"{"Statement":[]}"#),
            "identity identity_policies[1]: statement 2 (Sid All)",
        ),
        (
            format!(
                r#","identity_policies":[{allow}],"scps":[{{"id":"r","policies":[{allow}]}},{{"id":"a","policies":[{allow},{deny}]}}]"#
            ),
            "scp scps[1].policies[1]: statement 1",
        ),
        (String::new(), ""),
    ];
    for (rest, expected) in cases {
        assert_eq!(said(&rest).as_deref(), Ok(expected), "{rest}");
    }
}
