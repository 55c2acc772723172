//! The reviewed list of ways by which a principal gains what its own policies do not give it.
//!
//! It must never hold a name that is not an IAM action, and never lose a known path silently: a path left out says why in the
//! data file, `data/escalations.txt`. A path without a note must work by policies alone; what else it needs is in its note.
//!
//! Service principals are those of the commercial partition.
//! See <https://pathfinding.cloud>, whose numbers the ids bear.

use std::sync::OnceLock;

const FILE: &str = include_str!("../data/escalations.txt");

/// One way to gain permissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// Its name, `iam-002`.
    pub id: &'static str,
    /// What is gained.
    pub becomes: Becomes,
    /// The services of which the target role must trust one, `lambda.amazonaws.com`; none if no service stands between.
    pub via: Vec<&'static str>,
    /// What the actor must be allowed: all of it.
    pub requires: Vec<Need>,
    /// What must hold besides and policies do not show, `if a stack exists`.
    pub note: Option<&'static str>,
}

/// One permission the actor needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Need {
    /// The IAM action, `iam:PassRole`.
    pub action: &'static str,
    /// On what.
    pub subject: Subject,
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[doc = $doc:literal])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $doc])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word of the data file.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().find(|word| word.as_str() == text).copied()
            }
        }
    };
}

words! {
    /// What the actor gains.
    Becomes {
        /// Acts as the target user.
        User = "user",
        /// Acts as the target user, which has any permission by then.
        UserAdmin = "user-admin",
        /// Acts as the target role, or has code of its choice run as it.
        Role = "role",
        /// Acts as the target role, which has any permission by then.
        RoleAdmin = "role-admin",
        /// Has the policies of the target group; the actor is a user.
        Group = "group",
        /// Has any permission itself, within its boundary and what its organization allows.
        ItselfAdmin = "itself-admin",
        /// Is rid of its own boundary.
        Unbounded = "unbounded",
        /// Is rid of the Deny statements of its own policies.
        Lifted = "lifted",
    }
}

words! {
    /// What a needed action must be allowed on.
    Subject {
        /// The user, role or group that is gained. With `sts:AssumeRole`, the role's trust policy must admit the actor, too.
        Target = "target",
        /// A customer managed policy attached to the target.
        TargetPolicy = "target-policy",
        /// The actor.
        Itself = "self",
        /// A group the actor is in.
        OwnGroup = "own-group",
        /// A customer managed policy attached to the actor or to one of its groups.
        OwnPolicy = "own-policy",
        /// The customer managed policy that is the actor's boundary.
        OwnBoundary = "own-boundary",
        /// A user or role the actor makes under a name of its choice, the same in all needs.
        New = "new",
        /// Some resource that the action acts on, whichever.
        Any = "any",
    }
}

impl Escalation {
    /// Must the trust policy of the target role admit the actor?
    #[must_use]
    pub fn needs_trust(&self) -> bool {
        self.requires.iter().any(|need| need.action == "sts:AssumeRole" && need.subject == Subject::Target)
    }
}

/// The list, sorted by id, each id once.
#[must_use]
pub fn escalations() -> &'static [Escalation] {
    static LIST: OnceLock<Vec<Escalation>> = OnceLock::new();
    LIST.get_or_init(|| match parse(FILE) {
        Ok(list) => list,
        #[expect(
            clippy::panic,
            reason = "the file is part of the program and every test run reads it; an empty list would pass everything"
        )]
        Err(line) => panic!("data/escalations.txt: cannot read {line:?}"),
    })
}

/// The rows, or the first line that is none.
fn parse(file: &'static str) -> Result<Vec<Escalation>, &'static str> {
    file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| row(line).ok_or(line)).collect()
}

fn row(line: &'static str) -> Option<Escalation> {
    let mut columns = line.split('|').map(str::trim);
    let (id, becomes) = (columns.next()?, Becomes::parse(columns.next()?)?);
    let (via, requires) = (columns.next()?, columns.next()?);
    let note = columns.next().filter(|note| !note.is_empty());
    let via: Vec<&str> = if via == "-" { Vec::new() } else { via.split(',').map(str::trim).collect() };
    let requires = requires.split(',').map(|text| need(text.trim())).collect::<Option<Vec<_>>>()?;
    let well_formed = !id.is_empty()
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && via.iter().all(|service| *service == "*" || service.ends_with(".amazonaws.com"))
        && note.is_none_or(|note| note.starts_with("if "))
        && columns.next().is_none();
    well_formed.then_some(Escalation { id, becomes, via, requires, note })
}

fn need(text: &'static str) -> Option<Need> {
    let (action, subject) = text.split_once('@')?;
    let (service, name) = action.split_once(':')?;
    let well_formed = !service.is_empty() && name.starts_with(|c: char| c.is_ascii_uppercase());
    well_formed.then_some(Need { action, subject: Subject::parse(subject)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions;

    /// The ids of the catalogue: a word and how many, numbered from 001, those that are missing aside.
    fn catalogue_ids() -> Vec<String> {
        let mut ids = vec!["ec2instanceconnect-003".to_owned()];
        for (word, count) in [
            ("apprunner", 2),
            ("bedrock", 2),
            ("cloudformation", 5),
            ("codebuild", 4),
            ("datapipeline", 1),
            ("ec2", 4),
            ("ecs", 5),
            ("glue", 6),
            ("iam", 21),
            ("lambda", 6),
            ("sagemaker", 5),
            ("ssm", 2),
            ("sts", 1),
        ] {
            ids.extend((1..=count).map(|number| format!("{word}-{number:03}")));
        }
        ids
    }

    fn find(id: &str) -> &'static Escalation {
        escalations().iter().find(|path| path.id == id).unwrap()
    }

    #[test]
    fn is_sorted_and_unique() {
        let list = escalations();
        assert!(list.len() > 80, "{}", list.len());
        for pair in list.windows(2) {
            assert!(pair[0].id < pair[1].id, "{} before {}", pair[0].id, pair[1].id);
        }
    }

    #[test]
    fn holds_every_path_of_the_catalogue() {
        let ids = catalogue_ids();
        assert_eq!(ids.len(), 65);
        for id in ids {
            let listed = escalations().iter().any(|path| path.id == id);
            let covered = FILE.lines().any(|line| line.starts_with(&format!("# {id}: covered by ")));
            assert!(listed != covered, "{id}: listed {listed}, covered {covered}");
        }
    }

    #[test]
    fn every_action_is_known() {
        for path in escalations() {
            for need in &path.requires {
                assert_eq!(actions::find(need.action).map(|a| a.full_name()).as_deref(), Some(need.action), "{}", path.id);
            }
        }
    }

    #[test]
    fn each_need_fits_what_its_action_acts_on() {
        for path in escalations() {
            for need in &path.requires {
                let types: Vec<&str> = actions::find(need.action).unwrap().resources.iter().map(|kind| kind.name).collect();
                let fits: &[&str] = match (need.subject, path.becomes) {
                    (Subject::Any, _) => continue,
                    (Subject::TargetPolicy | Subject::OwnPolicy | Subject::OwnBoundary, _) => &["policy"],
                    (Subject::OwnGroup, _) | (Subject::Target, Becomes::Group) => &["group"],
                    (Subject::Target, Becomes::User | Becomes::UserAdmin) => &["user"],
                    (Subject::Target, _) => &["role"],
                    (Subject::Itself, _) => &["user", "role"],
                    (Subject::New, _) => &["user", "role", "group"],
                };
                assert!(types.iter().any(|name| fits.contains(name)), "{}: {} acts on {types:?}", path.id, need.action);
            }
        }
    }

    #[test]
    fn what_is_gained_fits_what_is_needed() {
        for path in escalations() {
            let on = |subject: Subject| path.requires.iter().any(|need| need.subject == subject);
            let passes = path.requires.iter().any(|need| need.action == "iam:PassRole");
            let over_a_service = path.becomes == Becomes::Role && !on(Subject::Target);
            assert!(!passes || path.becomes == Becomes::Role, "{}", path.id);
            assert_eq!(passes || over_a_service, !path.via.is_empty(), "{}", path.id);
            // What exists already cannot be seen in policies.
            assert!(!over_a_service || path.note.is_some(), "{}", path.id);
            let targets =
                matches!(path.becomes, Becomes::User | Becomes::UserAdmin | Becomes::Role | Becomes::RoleAdmin | Becomes::Group);
            assert!(targets == on(Subject::Target) || over_a_service, "{}", path.id);
            assert!(!path.requires.is_empty() && path.note.is_none_or(|note| note.starts_with("if ")), "{}", path.id);
        }
    }

    #[test]
    fn every_word_is_used_and_unlike_the_others() {
        for word in Becomes::ALL {
            assert!(escalations().iter().any(|path| path.becomes == *word), "{}", word.as_str());
            assert_eq!(Becomes::parse(word.as_str()), Some(*word));
        }
        for word in Subject::ALL {
            let used = |path: &Escalation| path.requires.iter().any(|need| need.subject == *word);
            assert!(escalations().iter().any(used), "{}", word.as_str());
            assert_eq!(Subject::parse(word.as_str()), Some(*word));
        }
    }

    #[test]
    fn reads_a_row() {
        let path = find("lambda-001");
        assert_eq!((path.becomes, path.via.as_slice(), path.note), (Becomes::Role, ["lambda.amazonaws.com"].as_slice(), None));
        assert_eq!(path.requires[0], Need { action: "iam:PassRole", subject: Subject::Target });
        assert_eq!(path.requires[1], Need { action: "lambda:CreateFunction", subject: Subject::Any });
        assert!(!path.needs_trust() && find("iam-014").needs_trust() && !find("iam-019").needs_trust());
        assert_eq!(find("ssm-002").via, ["ec2.amazonaws.com", "ssm.amazonaws.com"]);
        assert_eq!(find("cloudformation-002").note, Some("if a stack that acts as the role exists"));
    }

    #[test]
    fn a_row_that_is_wrong_is_not_skipped() {
        for line in [
            "a | role | -",
            "a | roles | - | sts:AssumeRole@target |",
            "A | role | - | sts:AssumeRole@target |",
            " | role | - | sts:AssumeRole@target |",
            "a | role |  | sts:AssumeRole@target |",
            "a | role | lambda | sts:AssumeRole@target |",
            "a | role | - |  |",
            "a | role | - | sts:AssumeRole |",
            "a | role | - | sts:AssumeRole@other |",
            "a | role | - | sts:assumeRole@target |",
            "a | role | - | sts:AssumeRole@target, |",
            "a | role | - | sts:AssumeRole@target | when",
            "a | role | - | sts:AssumeRole@target | if a | b",
        ] {
            assert_eq!(parse(line), Err(line));
        }
        assert_eq!(parse("a-1 | role | - | sts:AssumeRole@target |").map(|rows| rows.len()), Ok(1));
        assert_eq!(parse("a-1 | role | - | sts:AssumeRole@target | if b").map(|rows| rows.len()), Ok(1));
    }
}
