//! What a grant to outsiders comes to: to which accounts its conditions fix it, and what of it destroys.
//!
//! It must never take a condition for a limit that a caller of another account can meet.

use crate::destroy::{Destroying, destroying_actions};
use crate::fit::actions_match;
use crate::model::{Condition, Operator, Quantifier, Statement};

/// The accounts to which the conditions of a statement fix its callers, or the access points that they come through. `None`: they
/// fix none.
#[must_use]
pub fn fixed_accounts(statement: &Statement) -> Option<Vec<&str>> {
    statement.conditions.iter().find_map(fixed)
}

fn fixed(condition: &Condition) -> Option<Vec<&str>> {
    let positive = matches!(
        condition.operator.name,
        Operator::StringEquals
            | Operator::StringEqualsIgnoreCase
            | Operator::StringLike
            | Operator::ArnEquals
            | Operator::ArnLike
    );
    let loose = condition.operator.if_exists || condition.operator.quantifier == Some(Quantifier::ForAllValues);
    if !positive || loose || condition.values.is_empty() {
        return None;
    }
    let account = |value: &'_ str| -> Option<std::ops::Range<usize>> {
        let at = match condition.key.as_str() {
            "aws:principalaccount" | "aws:sourceaccount" | "s3:dataaccesspointaccount" => 0..value.len(),
            "aws:principalarn" | "aws:sourcearn" | "s3:dataaccesspointarn" => {
                let start: usize = value.split(':').take(4).map(|part| part.len() + 1).sum();
                start..start + value.split(':').nth(4)?.len()
            }
            _other => return None,
        };
        let text = value.get(at.clone())?;
        (text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(at)
    };
    condition.values.iter().map(|value| account(value.as_str()).and_then(|at| value.as_str().get(at))).collect()
}

/// The actions of S3 on the list of destroying actions that the statement gives.
pub fn destroying(statement: &Statement) -> impl Iterator<Item = &'static Destroying> {
    destroying_actions().iter().filter(|row| row.action.starts_with("s3:") && actions_match(&statement.actions, row.action))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Document;

    fn parsed(rest: &str) -> Document {
        let text = format!(r#"{{"Statement":{{"Effect":"Allow","Principal":"*","Resource":"*",{rest}}}}}"#);
        Document::parse(&text).expect("valid")
    }

    #[test]
    fn only_conditions_that_name_accounts_fix_them() {
        let cases: [(&str, Option<&[&str]>); 8] = [
            (
                r#""StringEquals":{"aws:PrincipalAccount":["111122223333","999999999999"]}"#,
                Some(&["111122223333", "999999999999"]),
            ),
            (r#""StringEquals":{"s3:DataAccessPointAccount":"111122223333"}"#, Some(&["111122223333"])),
            (r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}"#, Some(&["111122223333"])),
            (r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/ops"}"#, None),
            (r#""StringLike":{"aws:PrincipalAccount":"1111*"}"#, None),
            (r#""StringEqualsIfExists":{"aws:PrincipalAccount":"111122223333"}"#, None),
            (r#""StringNotEquals":{"aws:PrincipalAccount":"111122223333"}"#, None),
            (r#""StringEquals":{"aws:PrincipalOrgID":"o-1"}"#, None),
        ];
        for (condition, expected) in cases {
            let doc = parsed(&format!(r#""Action":"s3:*","Condition":{{{condition}}}"#));
            assert_eq!(fixed_accounts(&doc.statements[0]).as_deref(), expected, "{condition}");
        }
    }

    #[test]
    fn destroying_actions_are_named() {
        let names = |action: &str| -> Vec<&str> {
            let doc = parsed(&format!(r#""Action":"{action}""#));
            destroying(&doc.statements[0]).map(|row| row.action).collect()
        };
        assert_eq!(names("s3:GetObject"), [""; 0]);
        assert_eq!(names("s3:DeleteObjectVersion"), ["s3:DeleteObjectVersion"]);
        assert!(names("s3:*").contains(&"s3:PutLifecycleConfiguration"));
    }
}
