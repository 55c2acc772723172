//! What is asked: an action, perhaps with wildcards, and a resource, in the forms that people write.
//!
//! It must never ask about another resource than the one that was meant: what is not clear is an error with a hint.

use lastcopy_iam::{Case, Pattern, Target, actions};

/// A question that cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// With what is probably meant.
    #[error("{0}")]
    Action(String),
    /// No form of a resource.
    #[error("{0}")]
    Resource(String),
}

/// One action on one target.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `s3:DeleteObject`.
    pub action: String,
    /// The resources meant.
    pub target: Pattern,
    /// `some object of acme-documents`, for a sentence.
    pub on: String,
}

/// A resource as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// A bucket or, by the action, its objects; with a pattern of keys, objects only.
    Bucket {
        /// Its name.
        name: String,
        /// The keys, with `*` and `?`.
        keys: Option<String>,
    },
    /// An ARN, perhaps with wildcards, or `*`.
    Arn(String),
}

/// The part of an ARN that names an account, if it does.
pub fn account_in(arn: &str) -> Option<&str> {
    arn.starts_with("arn:").then(|| arn.split(':').nth(4)).flatten().filter(|account| super::is_account(account))
}

impl Given {
    /// Reads an ARN, `s3://BUCKET/KEYS`, or the name of a bucket.
    pub fn parse(text: &str) -> Result<Self, AskError> {
        if text == "*" || text.starts_with("arn:") {
            if text != "*" && text.splitn(6, ':').count() < 6 {
                return Err(AskError::Resource(format!(
                    "{text} is no whole ARN: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE is needed"
                )));
            }
            return Ok(Self::Arn(text.to_owned()));
        }
        let (name, keys) = match text.strip_prefix("s3://") {
            None => (text, None),
            Some(rest) => {
                rest.split_once('/').map_or((rest, None), |(name, keys)| (name, Some(keys).filter(|keys| !keys.is_empty())))
            }
        };
        let fits = name.len() >= 3
            && name.len() <= 255
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
        if !fits {
            return Err(AskError::Resource(format!(
                "{text} is no resource: an ARN, s3://BUCKET/KEYS or the name of a bucket is needed"
            )));
        }
        Ok(Self::Bucket { name: name.to_owned(), keys: keys.map(str::to_owned) })
    }

    /// The bucket that it is or lies in.
    pub fn bucket(&self) -> Option<&str> {
        match self {
            Self::Bucket { name, .. } => Some(name),
            Self::Arn(arn) => {
                let parts: Vec<&str> = arn.splitn(6, ':').collect();
                match parts.as_slice() {
                    ["arn", _, "s3", "", "", rest] => rest.split('/').next().filter(|name| !name.is_empty()),
                    _other => None,
                }
            }
        }
    }

    /// The role that would be assumed, by name without path.
    pub fn role(&self) -> Option<&str> {
        let Self::Arn(arn) = self else { return None };
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", _, "iam", "", _, rest] => rest.strip_prefix("role/").and_then(|rest| rest.rsplit('/').next()),
            _other => None,
        }
    }

    /// The questions: one for each action that the text means and that acts on the resource. `partition` is for bucket names.
    pub fn ask(&self, action: &str, partition: &str) -> Result<Vec<Asked>, AskError> {
        if let Some(problem) = actions::problem(action) {
            return Err(AskError::Action(problem.to_string()));
        }
        if !action.contains(['*', '?']) {
            let name = actions::find(action).map_or_else(|| action.to_owned(), actions::Action::full_name);
            return self.target(&name, partition).map(|asked| vec![asked]).ok_or_else(|| self.does_not_fit(&name));
        }
        let pattern = Pattern::new(action, Case::Insensitive);
        let known: Vec<Asked> = actions::matching(&pattern)
            .filter_map(|known| {
                let asked = self.target(&known.full_name(), partition)?;
                known.acts_on(&asked.target).then_some(asked)
            })
            .collect();
        if known.is_empty() {
            return Err(AskError::Action(format!("no known action that {action} means acts on {}", self.label())));
        }
        Ok(known)
    }

    fn does_not_fit(&self, action: &str) -> AskError {
        let types = actions::find(action).map(|known| known.resources.iter().map(|kind| kind.name).collect::<Vec<_>>());
        let acts = match types {
            Some(types) if types.is_empty() => "has no resource: ask about *".to_owned(),
            Some(types) => format!("acts on {}: give its ARN", types.join(", ")),
            None => "is not known: give an ARN".to_owned(),
        };
        AskError::Resource(format!("{} is a bucket, and {action} {acts}", self.label()))
    }

    /// What a person wrote.
    pub fn label(&self) -> String {
        match self {
            Self::Bucket { name, keys: None } => name.clone(),
            Self::Bucket { name, keys: Some(keys) } => format!("s3://{name}/{keys}"),
            Self::Arn(arn) => arn.clone(),
        }
    }

    /// `None`: the action acts neither on a bucket nor on objects.
    fn target(&self, action: &str, partition: &str) -> Option<Asked> {
        let (target, on) = match self {
            Self::Arn(arn) if *arn == "*" => (Target::Any.pattern(), "some resource".to_owned()),
            Self::Arn(arn) => {
                let target = Target::Matching(arn).pattern();
                let bucket = self.bucket().unwrap_or_default();
                let on = match arn.strip_prefix(&format!("arn:{partition}:s3:::{bucket}/")) {
                    Some("*") => format!("some object of {bucket}"),
                    _ if target.is_exact() => arn.clone(),
                    _ => format!("something like {arn}"),
                };
                (target, on)
            }
            Self::Bucket { name, keys } => {
                let known = actions::find(action);
                let acts = |kind: &str| known.is_some_and(|known| known.resources.iter().any(|of| of.name == kind));
                let arn = format!("arn:{partition}:s3:::{name}");
                match keys {
                    None if acts("bucket") => (Target::One(&arn).pattern(), name.clone()),
                    None if acts("object") => (Target::ObjectsOf(&arn).pattern(), format!("some object of {name}")),
                    Some(keys) if acts("object") => {
                        let target = Target::Matching(&format!("{arn}/{keys}")).pattern();
                        let on = match keys.as_str() {
                            "*" => format!("some object of {name}"),
                            keys if target.is_exact() => format!("the object {keys} of {name}"),
                            keys => format!("some object {keys} of {name}"),
                        };
                        (target, on)
                    }
                    None | Some(_) => return None,
                }
            }
        };
        Some(Asked { action: action.to_owned(), target, on })
    }
}

/// An action that its ARN does not seem to fit, for a warning: the data may be older than AWS.
pub fn doubt(asked: &Asked) -> Option<String> {
    let known = actions::find(&asked.action)?;
    (!known.acts_on(&asked.target)).then(|| {
        let types: Vec<&str> = known.resources.iter().map(|kind| kind.arn).collect();
        let acts = if types.is_empty() { "has no resource but *".to_owned() } else { format!("acts on {}", types.join(", ")) };
        format!("{} {acts}, not on {}", asked.action, asked.on)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(action: &str, resource: &str) -> Result<Vec<String>, String> {
        let given = Given::parse(resource).map_err(|error| error.to_string())?;
        let asked = given.ask(action, "aws").map_err(|error| error.to_string())?;
        Ok(asked.iter().map(|asked| format!("{} {} ({})", asked.action, asked.target.as_str(), asked.on)).collect())
    }

    #[test]
    fn forms_of_resources() {
        for (action, resource, means) in [
            ("s3:deleteobject", "docs", "s3:DeleteObject arn:aws:s3:::docs/* (some object of docs)"),
            ("s3:ListBucket", "docs", "s3:ListBucket arn:aws:s3:::docs (docs)"),
            ("s3:ListBucket", "s3://docs", "s3:ListBucket arn:aws:s3:::docs (docs)"),
            ("s3:GetObject", "s3://docs/a/*", "s3:GetObject arn:aws:s3:::docs/a/* (some object a/* of docs)"),
            ("s3:GetObject", "s3://docs/a", "s3:GetObject arn:aws:s3:::docs/a (the object a of docs)"),
            ("s3:GetObject", "arn:aws:s3:::docs/*", "s3:GetObject arn:aws:s3:::docs/* (some object of docs)"),
            ("new:Thing", "*", "new:Thing * (some resource)"),
        ] {
            assert_eq!(asked(action, resource).unwrap(), [means], "{action} {resource}");
        }
    }

    #[test]
    fn wildcards_mean_the_actions_that_fit() {
        let all = asked("s3:DeleteObject*", "docs").unwrap();
        assert!(all.iter().any(|one| one.starts_with("s3:DeleteObjectVersionTagging ")), "{all:?}");
        assert!(all.iter().all(|one| one.contains("arn:aws:s3:::docs/*")), "{all:?}");
        let bucket = asked("s3:PutBucket*", "arn:aws:s3:::docs").unwrap();
        assert!(bucket.iter().any(|one| one.starts_with("s3:PutBucketPolicy ")), "{bucket:?}");
    }

    #[test]
    fn what_cannot_be_asked() {
        for (action, resource, says) in [
            ("s3:DeleteObjectVersions", "docs", "did you mean s3:DeleteObjectVersion?"),
            ("s3:ListObjects", "docs", "the action is s3:ListBucket"),
            ("DeleteObject", "docs", "names no service"),
            ("s3:GetObject", "a", "is no resource"),
            ("s3:GetObject", "bu*ket", "is no resource"),
            ("s3:GetObject", "arn:aws:s3", "no whole ARN"),
            ("s3:ListAllMyBuckets", "docs", "ask about *"),
            ("iam:PassRole", "docs", "acts on role"),
            ("iam:*", "docs", "no known action"),
            ("s3:ListBucket", "s3://docs/x", "acts on"),
        ] {
            let error = asked(action, resource).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
