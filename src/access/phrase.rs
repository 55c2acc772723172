//! Sentences about conditions, statements and layers.
//!
//! It must never soften a condition that it does not know: such a one is said as the document has it. What it returns may hold
//! names from AWS; whoever shows it makes them safe.

use lastcopy_iam::{Clause, Condition, Deciding, LayerName, Operator, Quantifier, Scalar, actions};

/// `aws:MultiFactorAuthPresent is true`.
pub fn condition(condition: &Condition) -> String {
    let Some((says, list)) = says(&condition.operator.name, &condition.values) else { return condition.to_string() };
    let key = key(&condition.key);
    let of = match condition.operator.quantifier {
        Some(Quantifier::ForAnyValue) => format!("some value of {key}"),
        Some(Quantifier::ForAllValues) => format!("every value of {key}"),
        None => key,
    };
    let list = if list { values(&condition.values) } else { String::new() };
    let absent = if condition.operator.if_exists || condition.operator.quantifier == Some(Quantifier::ForAllValues) {
        " (or it is absent)"
    } else {
        ""
    };
    format!("{of} {says}{}{list}{absent}", if list.is_empty() { "" } else { " " })
}

/// The verb, and whether values follow it.
fn says(operator: &Operator, values: &[Scalar]) -> Option<(&'static str, bool)> {
    let several = values.len() > 1;
    Some(match operator {
        Operator::Null => match values {
            [one] if one.as_str().eq_ignore_ascii_case("true") => ("is absent", false),
            [one] if one.as_str().eq_ignore_ascii_case("false") => ("is present", false),
            _several => return None,
        },
        Operator::StringEquals | Operator::NumericEquals | Operator::DateEquals | Operator::Bool | Operator::BinaryEquals => {
            ("is", true)
        }
        Operator::StringEqualsIgnoreCase => ("is, in any case of letters,", true),
        Operator::StringNotEquals | Operator::NumericNotEquals | Operator::DateNotEquals => {
            (if several { "is none of" } else { "is not" }, true)
        }
        Operator::StringNotEqualsIgnoreCase => ("is not, in any case of letters,", true),
        Operator::StringLike | Operator::ArnEquals | Operator::ArnLike => ("is like", true),
        Operator::StringNotLike | Operator::ArnNotEquals | Operator::ArnNotLike => {
            (if several { "is like none of" } else { "is not like" }, true)
        }
        Operator::NumericLessThan => ("is less than", true),
        Operator::NumericLessThanEquals => ("is at most", true),
        Operator::NumericGreaterThan => ("is more than", true),
        Operator::NumericGreaterThanEquals => ("is at least", true),
        Operator::DateLessThan => ("is before", true),
        Operator::DateLessThanEquals => ("is not after", true),
        Operator::DateGreaterThan => ("is after", true),
        Operator::DateGreaterThanEquals => ("is not before", true),
        Operator::IpAddress => ("is in", true),
        Operator::NotIpAddress => (if several { "is in none of" } else { "is not in" }, true),
        Operator::Unknown(_) => return None,
    })
}

fn values(values: &[Scalar]) -> String {
    /// More are counted.
    const MOST: usize = 6;
    let shown: Vec<&str> =
        values.iter().take(MOST).map(|value| if value.as_str().is_empty() { "\"\"" } else { value.as_str() }).collect();
    match (shown.len(), values.len().saturating_sub(MOST)) {
        (0, _) => "nothing".to_owned(),
        (_, 0) => shown.join(" or "),
        (_, more) => format!("{} or {more} more", shown.join(" or ")),
    }
}

/// A condition key as AWS writes it; documents are read without regard to case.
fn key(key: &str) -> String {
    let (name, rest) = key.split_at(key.find('/').unwrap_or(key.len()));
    let service = name.split(':').next().unwrap_or_default();
    let known = actions::global_condition_keys().iter().chain(actions::condition_keys(service));
    let same = |known: &&&str| known.split('/').next().is_some_and(|head| head.eq_ignore_ascii_case(name));
    known
        .into_iter()
        .find(same)
        .and_then(|known| known.split('/').next())
        .map_or_else(|| key.to_owned(), |head| format!("{head}{rest}"))
}

/// What must hold.
pub fn clause(clause: &Clause<'_>) -> String {
    match clause {
        Clause::Condition(_, of) => condition(of),
        Clause::NotAll(by, clauses) => {
            if let [Clause::Condition(_, of)] = clauses.as_slice()
                && let Some(text) = opposite(of)
            {
                return format!("{text} (else {} denies it)", deciding(by));
            }
            let list: Vec<String> = clauses.iter().map(self::clause).collect();
            format!("not all of this holds: {} (else {} denies it)", list.join(", "), deciding(by))
        }
        Clause::Variable(..) | Clause::Names(_) | Clause::Form(_) | Clause::Unread(_) | Clause::Overlap => clause.to_string(),
    }
}

/// The condition that holds where this one does not, for operators that have one.
fn opposite(of: &Condition) -> Option<String> {
    let values = of.values.as_slice();
    let flipped = |name| {
        let mut other = of.clone();
        other.operator.name = name;
        // What is absent fails a positive comparison, and passes a negated one.
        other.operator.if_exists = false;
        other
    };
    if of.operator.quantifier.is_some() {
        return None;
    }
    let pairs = [
        (Operator::StringEquals, Operator::StringNotEquals),
        (Operator::StringLike, Operator::StringNotLike),
        (Operator::StringEqualsIgnoreCase, Operator::StringNotEqualsIgnoreCase),
        (Operator::ArnLike, Operator::ArnNotLike),
        (Operator::ArnEquals, Operator::ArnNotEquals),
        (Operator::IpAddress, Operator::NotIpAddress),
        (Operator::NumericLessThan, Operator::NumericGreaterThanEquals),
        (Operator::NumericGreaterThan, Operator::NumericLessThanEquals),
        (Operator::DateLessThan, Operator::DateGreaterThanEquals),
        (Operator::DateGreaterThan, Operator::DateLessThanEquals),
    ];
    let (mut text, absent) = match (&of.operator.name, values) {
        (Operator::Bool, [one]) => {
            let other = if one.as_str().eq_ignore_ascii_case("true") { "false" } else { "true" };
            let mut other_way = flipped(Operator::Bool);
            other_way.values = vec![Scalar::String(other.to_owned())];
            (condition(&other_way), !of.operator.if_exists)
        }
        (name, _) => {
            let found =
                pairs.iter().find_map(|(a, b)| if a == name { Some((b, true)) } else { (b == name).then_some((a, false)) });
            let (other, was_positive) = found?;
            (condition(&flipped(other.clone())), was_positive && !of.operator.if_exists)
        }
    };
    if absent {
        text.push_str(" (or it is absent)");
    }
    Some(text)
}

/// A statement with the level that it stands on.
pub fn deciding(deciding: &Deciding<'_>) -> String {
    deciding.level.map_or_else(|| deciding.to_string(), |level| format!("{deciding} at {level}"))
}

/// Layers that could not be read and might take it away; `None` if there is none.
pub fn unless(layers: &[LayerName]) -> Option<String> {
    let name = |layer: &LayerName| match layer {
        LayerName::Scp => "an SCP",
        LayerName::Rcp => "an RCP",
        LayerName::Resource => "the resource's policy",
        LayerName::PublicAccessBlock => "Block Public Access",
        LayerName::Identity => "another policy of the principal",
        LayerName::Boundary => "its permissions boundary",
        LayerName::Session => "a session policy",
        LayerName::Endpoint => "a VPC endpoint's policy",
        LayerName::KeyGrant | LayerName::Acl | LayerName::Protected => "another layer",
    };
    let names: Vec<&str> = layers.iter().map(name).collect();
    let (last, first) = names.split_last()?;
    let what = if first.is_empty() { (*last).to_owned() } else { format!("{} or {last}", first.join(", ")) };
    Some(format!("{what} forbids it: {} could not be read", if first.is_empty() { "it" } else { "they" }))
}

/// Why the answer is no, from the layers that lack an Allow.
pub fn lacking(layers: &[LayerName]) -> String {
    let names: Vec<String> = layers.iter().map(ToString::to_string).collect();
    format!("no Allow in {}", names.join(" nor in "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lastcopy_iam::Document;

    #[test]
    fn conditions_read_as_sentences() {
        for (written, says) in [
            (r#"{"Bool":{"aws:multifactorauthpresent":"true"}}"#, "aws:MultiFactorAuthPresent is true"),
            (r#"{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","::1/128"]}}"#, "aws:SourceIp is in 10.0.0.0/8 or ::1/128"),
            (r#"{"Null":{"aws:TokenIssueTime":"true"}}"#, "aws:TokenIssueTime is absent"),
            (r#"{"StringNotLike":{"aws:userId":["a","b"]}}"#, "aws:userid is like none of a or b"),
            (
                r#"{"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":"x*"}}"#,
                "some value of aws:TagKeys is like x* (or it is absent)",
            ),
            (r#"{"StringEquals":{"s3:ExistingObjectTag/Team":"a"}}"#, "s3:ExistingObjectTag/team is a"),
            (r#"{"Odd":{"x:y":"a"}}"#, "Odd x:y a"),
        ] {
            let text = format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{written}}}]}}"#);
            let document = Document::parse(&text).unwrap();
            assert_eq!(condition(&document.statements[0].conditions[0]), says);
        }
    }

    #[test]
    fn a_deny_reads_as_what_must_hold() {
        for (written, says) in [
            (r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}"#, "aws:MultiFactorAuthPresent is true"),
            (r#"{"Bool":{"aws:MultiFactorAuthPresent":"false"}}"#, "aws:MultiFactorAuthPresent is true (or it is absent)"),
            (r#"{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}"#, "aws:SourceVpce is vpce-1"),
            (r#"{"StringEquals":{"aws:SourceVpce":"vpce-1"}}"#, "aws:SourceVpce is not vpce-1 (or it is absent)"),
            (r#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, "aws:SourceIp is in 10.0.0.0/8"),
        ] {
            let text = format!(r#"{{"Statement":[{{"Effect":"Deny","Action":"*","Resource":"*","Condition":{written}}}]}}"#);
            let document = Document::parse(&text).unwrap();
            assert_eq!(opposite(&document.statements[0].conditions[0]).unwrap(), says);
        }
    }

    #[test]
    fn layers_that_could_not_be_read() {
        assert_eq!(unless(&[]), None);
        assert_eq!(unless(&[LayerName::Scp]).unwrap(), "an SCP forbids it: it could not be read");
        assert_eq!(unless(&[LayerName::Rcp, LayerName::Scp]).unwrap(), "an RCP or an SCP forbids it: they could not be read");
    }
}
