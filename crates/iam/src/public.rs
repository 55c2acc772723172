//! Is a bucket policy public, in S3's sense of the word?
//!
//! It must never call a policy closed for a condition that S3 does not count: only fixed values of the listed keys close it.
//!
//! See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status>.

use crate::model::{Condition, Document, Effect, Operator, Statement};
use crate::principal::{Principal, Principals};

/// The keys whose fixed values make a grant to everybody no longer public.
const CLOSING: [&str; 15] = [
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalarn",
    "aws:principalaccount",
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceowner",
    "aws:sourceip",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointarn",
    "s3:dataaccesspointaccount",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "aws:sourceorgid",
];

/// Does some statement give to everybody, with nothing that S3 counts as a limit?
#[must_use]
pub fn is_public(document: &Document) -> bool {
    public_statements(document).next().is_some()
}

/// The statements that give to everybody, with nothing that S3 counts as a limit.
pub fn public_statements(document: &Document) -> impl Iterator<Item = &Statement> {
    document.statements.iter().filter(|statement| statement.effect == Effect::Allow && gives_to_everybody(statement))
}

/// Does some statement give to everybody, with no condition at all?
#[must_use]
pub fn is_surely_public(document: &Document) -> bool {
    let plain = |statement: &Statement| {
        statement.effect == Effect::Allow && statement.conditions.is_empty() && statement.principals.is_everyone()
    };
    document.statements.iter().any(plain)
}

fn gives_to_everybody(statement: &Statement) -> bool {
    let everybody = match &statement.principals {
        Principals::None => false,
        Principals::Not(_) => true,
        Principals::Any(list) => list
            .iter()
            .any(|principal| principal.is_everyone() || matches!(principal, Principal::Unrecognised(text) if text.contains('*'))),
    };
    everybody && !statement.conditions.iter().any(closes)
}

fn closes(condition: &Condition) -> bool {
    let positive = matches!(
        condition.operator.name,
        Operator::StringEquals
            | Operator::StringEqualsIgnoreCase
            | Operator::StringLike
            | Operator::ArnEquals
            | Operator::ArnLike
            | Operator::IpAddress
    );
    let fixed = |value: &str| match condition.key.as_str() {
        // Ranges wider than these are public.
        "aws:sourceip" => value
            .split_once('/')
            .is_none_or(|(base, bits)| bits.parse::<u32>().is_ok_and(|bits| bits >= if base.contains(':') { 32 } else { 8 })),
        // The account, or the bucket of an access point, must be fixed; the rest may vary.
        "s3:dataaccesspointarn" | "aws:sourcearn" | "aws:principalarn" => {
            value.split(':').nth(4).is_some_and(|account| !account.contains(['*', '?']) && !account.is_empty())
        }
        _other => !value.contains(['*', '?', '$']),
    };
    let quantified = condition.operator.quantifier == Some(crate::model::Quantifier::ForAllValues);
    positive
        && !condition.operator.if_exists
        && !quantified
        && CLOSING.contains(&condition.key.as_str())
        && !condition.values.is_empty()
        && condition.values.iter().all(|value| fixed(value.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meaning_of_public() {
        let cases = [
            (r#""Principal":"*""#, true),
            (r#""Principal":{"AWS":"*"}"#, true),
            (r#""NotPrincipal":{"AWS":"111122223333"}"#, true),
            (r#""Principal":{"AWS":"111122223333"}"#, false),
            (r#""Principal":{"Service":"logging.s3.amazonaws.com"}"#, false),
            (r#""Principal":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#, false),
            (r#""Principal":"*","Condition":{"StringLike":{"aws:PrincipalOrgID":"o-*"}}"#, true),
            (r#""Principal":"*","Condition":{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}}"#, true),
            (r#""Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#, false),
            (r#""Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}}"#, true),
            (r#""Principal":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}"#, true),
            (r#""Principal":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}"#, true),
        ];
        for (elements, expected) in cases {
            let text = format!(
                r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow",{elements},"Action":"s3:GetObject","Resource":"*"}}}}"#
            );
            assert_eq!(is_public(&Document::parse(&text).expect("valid")), expected, "{elements}");
        }
    }
}
