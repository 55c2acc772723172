//! "Did you mean".
//!
//! It must never take long: names from files are compared only up to a length.

/// Longer words are not compared.
const LONGEST: usize = 50;
/// Only so many words are compared: those that share most of their beginning and end.
const MOST: usize = 24;

/// The known word that is probably meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.chars().count() > LONGEST {
        return None;
    }
    let plain = |text: &str| text.to_lowercase().replace(['_', ' ', '.'], "-");
    let mut known: Vec<(usize, &str)> = known
        .into_iter()
        .filter(|candidate| candidate.len() <= 4 * LONGEST)
        .map(|candidate| (shared(word, candidate), candidate))
        .collect();
    if known.len() > MOST {
        known.select_nth_unstable_by(MOST, |a, b| b.cmp(a));
        known.truncate(MOST);
    }
    let word = plain(word);
    let most = 1 + word.chars().count() / 4;
    known
        .into_iter()
        .map(|(_, candidate)| candidate)
        .map(|candidate| {
            let known = plain(candidate);
            let distance = strsim::osa_distance(&word, &known);
            // A part of a long name is near, however much is missing.
            let far = if word.len() > 3 && known.contains(&word) { 1 } else { distance };
            (far, distance, candidate)
        })
        .filter(|(far, _, candidate)| *far <= most && *far < candidate.chars().count())
        .min()
        .map(|(_, _, candidate)| candidate)
}

/// How many bytes two words share at their beginnings and ends.
fn shared(a: &str, b: &str) -> usize {
    let same = |(a, b): &(u8, u8)| a.eq_ignore_ascii_case(b);
    a.bytes().zip(b.bytes()).take_while(same).count() + a.bytes().rev().zip(b.bytes().rev()).take_while(same).count()
}

/// A hint that names the word meant, or lists those there are.
pub(super) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone, what: &str) -> Option<String> {
    if let Some(meant) = nearest(word, known.clone()) {
        return Some(format!("did you mean `{meant}`?"));
    }
    let all: Vec<String> = known.into_iter().map(|word| format!("`{word}`")).collect();
    match all.len() {
        0 => None,
        1..=24 => Some(format!("{what}: {}", all.join(", "))),
        more => Some(format!("{what}: {} and {} more", all.get(..24).unwrap_or_default().join(", "), more - 24)),
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_and_far() {
        let known = ["bucket", "buckets", "role-arn", "account", "s3-bucket-versioning"];
        for (word, meant) in [
            ("bukets", Some("buckets")),
            ("role_arn", Some("role-arn")),
            ("roleArn", Some("role-arn")),
            ("Account", Some("account")),
            ("versioning", Some("s3-bucket-versioning")),
            ("s3-bucket-versoning", Some("s3-bucket-versioning")),
            ("x", None),
            ("frobnicate", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
        let many: Vec<String> = (0..1000).map(|i| format!("store-{i}-of-many")).collect();
        for word in ["stor-512-of-many", "store-512-of-mny", "store-51x2-of-many"] {
            assert_eq!(nearest(word, many.iter().map(String::as_str)), Some("store-512-of-many"), "{word}");
        }
    }
}
