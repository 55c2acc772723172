//! How the actions and resources of a statement lie over a question: do they touch it, do they cover it.
//!
//! "Touches" may err towards yes and never towards no; "covers" may err towards no and never towards yes. Mixing the two up
//! is the mistake this file exists to prevent: an Allow is asked whether it touches, a Deny whether it covers.

use crate::model::{Actions, Resources};
use crate::pattern::Pattern;

/// Does the element apply to this action?
pub(crate) fn actions_match(actions: &Actions, action: &str) -> bool {
    match actions {
        Actions::In(list) => list.iter().any(|pattern| pattern.matches(action)),
        Actions::NotIn(list) => !list.iter().any(|pattern| pattern.matches(action)),
    }
}

/// Can the element apply to some action of the question?
pub(crate) fn actions_touch(actions: &Actions, asked: &Pattern) -> bool {
    match actions {
        Actions::In(list) => list.iter().any(|p| p.intersects(asked)),
        Actions::NotIn(list) => !list.iter().any(|p| p.covers(asked)),
    }
}

/// Does the element surely apply to every action of the question?
pub(crate) fn actions_cover(actions: &Actions, asked: &Pattern) -> bool {
    match actions {
        Actions::In(list) => list.iter().any(|p| p.covers(asked)),
        Actions::NotIn(list) => !list.iter().any(|p| p.intersects(asked)),
    }
}

/// Can the element apply to some resource of the question? A statement without the element may: its resource is not written.
pub(crate) fn resources_touch(resources: &Resources, asked: &Pattern) -> bool {
    match resources {
        Resources::None => true,
        Resources::In(list) => list.iter().any(|p| p.intersects(asked)),
        Resources::NotIn(list) => !list.iter().any(|p| resource_covers(p, asked)),
    }
}

/// Does the element surely apply to every resource of the question?
pub(crate) fn resources_cover(resources: &Resources, asked: &Pattern) -> bool {
    match resources {
        Resources::None => false,
        Resources::In(list) => list.iter().any(|p| resource_covers(p, asked)),
        Resources::NotIn(list) => !list.iter().any(|p| p.intersects(asked)),
    }
}

/// Coverage by a resource pattern. AWS promises that a `*` crosses the colons of an ARN only at the end of a segment, so a
/// pattern with another `*` before the fifth colon is not relied on.
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>.
pub(crate) fn resource_covers(pattern: &Pattern, asked: &Pattern) -> bool {
    let reliable = pattern.as_str().splitn(6, ':').take(5).all(|segment| !segment.trim_end_matches('*').contains('*'));
    (reliable || pattern == asked) && pattern.covers(asked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Case;

    fn list(texts: &[&str]) -> Vec<Pattern> {
        texts.iter().map(|t| Pattern::with_variables(t, Case::Sensitive)).collect()
    }

    /// (resources, asked, touches, covers)
    #[test]
    fn touching_and_covering_resources() {
        let cases = [
            (Resources::In(list(&["arn:aws:s3:::b/*"])), "arn:aws:s3:::b/*", true, true),
            (Resources::In(list(&["arn:aws:s3:::b/docs/*"])), "arn:aws:s3:::b/*", true, false),
            (Resources::In(list(&["arn:aws:s3:::b*"])), "arn:aws:s3:::b/*", true, true),
            (Resources::In(list(&["arn:*:s3:::*"])), "arn:aws:s3:::b/*", true, true),
            (Resources::In(list(&["*"])), "arn:aws:s3:::b/*", true, true),
            (Resources::In(list(&["arn:*s3:::b/*"])), "arn:aws:s3:::b/*", true, false),
            (Resources::In(list(&["arn:aws:s3:::c/*"])), "arn:aws:s3:::b/*", false, false),
            (Resources::In(list(&["arn:aws:s3:::b/${aws:username}"])), "arn:aws:s3:::b/*", true, false),
            (Resources::In(list(&[])), "*", false, false),
            (Resources::NotIn(list(&[])), "*", true, true),
            (Resources::NotIn(list(&["arn:aws:s3:::b/*"])), "arn:aws:s3:::b/*", false, false),
            (Resources::NotIn(list(&["arn:aws:s3:::b/docs/*"])), "arn:aws:s3:::b/*", true, false),
            (Resources::NotIn(list(&["arn:aws:s3:::c/*"])), "arn:aws:s3:::b/*", true, true),
            (Resources::NotIn(list(&["arn:aws:s3:::b/${aws:username}"])), "arn:aws:s3:::b/*", true, false),
            (Resources::None, "arn:aws:s3:::b/*", true, false),
        ];
        for (resources, asked, touches, covers) in cases {
            let asked = Pattern::new(asked, Case::Sensitive);
            assert_eq!(
                (resources_touch(&resources, &asked), resources_cover(&resources, &asked)),
                (touches, covers),
                "{resources:?}"
            );
        }
    }

    #[test]
    fn touching_and_covering_actions() {
        let loose = |texts: &[&str]| texts.iter().map(|t| Pattern::new(t, Case::Insensitive)).collect::<Vec<_>>();
        let cases = [
            (Actions::In(loose(&["S3:delete*"])), "s3:DeleteObject", true, true),
            (Actions::In(loose(&["s3:DeleteObject"])), "s3:*", true, false),
            (Actions::In(loose(&["s3:Get*"])), "s3:DeleteObject", false, false),
            (Actions::NotIn(loose(&["s3:*"])), "s3:DeleteObject", false, false),
            (Actions::NotIn(loose(&["s3:Get*"])), "s3:*", true, false),
            (Actions::NotIn(loose(&["iam:*"])), "s3:*", true, true),
            (Actions::NotIn(loose(&["*:*"])), "*", true, false),
        ];
        for (actions, asked, touches, covers) in cases {
            let asked = Pattern::new(asked, Case::Insensitive);
            assert_eq!(
                (actions_touch(&actions, &asked), actions_cover(&actions, &asked)),
                (touches, covers),
                "{actions} {asked}"
            );
        }
    }
}
