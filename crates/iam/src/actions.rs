//! What AWS knows as actions: their names, access levels and the types of resources they act on.
//!
//! It must never call an action of a service it does not hold unknown, and never say that an action cannot act on a resource
//! when it can: both would make a finding of a document that is right. The data, `data/actions.txt`, is made from a package
//! (see `data/refresh-actions.py`) and is younger or older than AWS, so whoever reports a [`Problem`] warns, no more.
//!
//! ```
//! use lastcopy_iam::{Case, Pattern, actions};
//!
//! let list = actions::find("s3:listbucket").unwrap();
//! assert_eq!(list.full_name(), "s3:ListBucket");
//! assert!(!list.acts_on(&Pattern::with_variables("arn:aws:s3:::docs/*", Case::Sensitive)));
//! let problem = actions::problem("s3:DeleteObjectVersions").unwrap();
//! assert_eq!(problem.to_string(), "s3:DeleteObjectVersions is no action of s3; did you mean s3:DeleteObjectVersion?");
//! ```
//!
//! See <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>.

use std::cmp::Ordering;
use std::fmt;
use std::sync::OnceLock;

use crate::pattern::{Case, Pattern};

const FILE: &str = include_str!("../data/actions.txt");

/// What an action does, as AWS classes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// Names what there is.
    List,
    /// Reads content or settings.
    Read,
    /// Creates, changes or deletes.
    Write,
    /// Changes who may do what.
    PermissionsManagement,
    /// Changes tags only.
    Tagging,
}

/// A type of resource of one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceType {
    /// Its name within the service, `bucket`.
    pub name: &'static str,
    /// Its ARN, `arn:${Partition}:s3:::${BucketName}`.
    pub arn: &'static str,
}

/// One action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// The prefix, `s3`.
    pub service: &'static str,
    /// The name in its canonical case, `DeleteObject`.
    pub name: &'static str,
    /// What it does.
    pub access: Access,
    /// The types of resources a statement can name for it. None: it acts on `*` only.
    pub resources: Vec<ResourceType>,
}

struct Service {
    name: &'static str,
    /// `s3:*`
    whole: Pattern,
    types: Vec<ResourceType>,
    keys: Vec<&'static str>,
    actions: Vec<Action>,
}

struct Catalogue {
    package: &'static str,
    global_keys: Vec<&'static str>,
    services: Vec<Service>,
}

/// The version of the package the data comes from.
#[must_use]
pub fn package_version() -> &'static str {
    catalogue().package
}

/// The services held, sorted.
pub fn services() -> impl Iterator<Item = &'static str> {
    catalogue().services.iter().map(|service| service.name)
}

/// Do resource control policies have effect on the service?
/// See <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html#rcp-supported-services>.
#[must_use]
pub fn is_under_rcps(service: &str) -> bool {
    static SERVICES: OnceLock<Vec<&str>> = OnceLock::new();
    let services =
        SERVICES.get_or_init(|| include_str!("../data/rcp-services.txt").lines().filter(|line| !line.starts_with('#')).collect());
    services.binary_search(&service.to_ascii_lowercase().as_str()).is_ok()
}

/// Are the actions of this service held? In any case of letters.
#[must_use]
pub fn knows_service(service: &str) -> bool {
    find_service(service).is_some()
}

/// The condition keys of a service, sorted; none if it is not held. Some hold a part to fill in: `s3:ExistingObjectTag/<key>`.
#[must_use]
pub fn condition_keys(service: &str) -> &'static [&'static str] {
    find_service(service).map(|service| service.keys.as_slice()).unwrap_or_default()
}

/// The condition keys that every service knows, `aws:SourceVpce`.
#[must_use]
pub fn global_condition_keys() -> &'static [&'static str] {
    &catalogue().global_keys
}

/// The resource types of a service; none if it is not held.
#[must_use]
pub fn resource_types(service: &str) -> &'static [ResourceType] {
    find_service(service).map(|service| service.types.as_slice()).unwrap_or_default()
}

/// The action of this name, in any case of letters.
#[must_use]
pub fn find(action: &str) -> Option<&'static Action> {
    let (service, name) = action.split_once(':')?;
    find_service(service)?.find(name)
}

/// Every known action the pattern matches, sorted by service and name.
pub fn matching(pattern: &Pattern) -> impl Iterator<Item = &'static Action> {
    let met = catalogue().services.iter().filter(|service| service.whole.intersects(pattern));
    met.flat_map(move |service| {
        let all = pattern.covers(&service.whole);
        service.actions.iter().filter(move |action| all || pattern.matches(&action.full_name()))
    })
}

impl Action {
    /// `s3:DeleteObject`
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}:{}", self.service, self.name)
    }

    /// Can it act on a resource this pattern matches? "No" is certain as far as the data is; "yes" may be wrong.
    ///
    /// A part of an ARN that AWS fills in may be any text, so bucket names aside types are told apart by their fixed text.
    #[must_use]
    pub fn acts_on(&self, resource: &Pattern) -> bool {
        if resource.is_everything() {
            return true;
        }
        let wanted = wanted(resource);
        if self.resources.is_empty() {
            // The resource of such a request is `*`, for some the `*` of the service: `arn:aws:s3:::*` lists all buckets.
            let mut whole = parts(&format!("arn:${{}}:{}:${{}}:${{}}:", self.service), |_name| &[Part::Name]);
            whole.push(Part::Char('*'));
            return meet(&wanted, &[Part::Char('*')]) || meet(&wanted, &whole);
        }
        self.resources.iter().any(|kind| meet(&wanted, &template(kind.arn)))
    }
}

impl Service {
    fn find(&self, name: &str) -> Option<&Action> {
        let place = self.actions.binary_search_by(|action| compare(action.name, name)).ok()?;
        self.actions.get(place)
    }
}

fn find_service(name: &str) -> Option<&'static Service> {
    let services = &catalogue().services;
    let place = services.binary_search_by(|service| compare(service.name, name)).ok()?;
    services.get(place)
}

/// By letters, whatever their case.
fn compare(a: &str, b: &str) -> Ordering {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    a.bytes().map(lower).cmp(b.bytes().map(lower))
}

// --- Resources

/// One part of a resource, as a statement or as the ARN of a type has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Char(char),
    /// One character.
    One,
    /// One character of a name.
    NameOne,
    /// Any text.
    Any,
    /// Any text of a name: no colon, no slash.
    Name,
}

impl Part {
    fn holds_text(self) -> bool {
        matches!(self, Self::Any | Self::Name)
    }
}

/// The parts of a statement's resource. Every `${` counts as any text, though in old documents it means itself: more can match.
fn wanted(resource: &Pattern) -> Vec<Part> {
    parts(resource.as_str(), |_variable| &[Part::Any])
}

/// The parts of a type's ARN. Only what surely holds no slash is a name.
fn template(arn: &str) -> Vec<Part> {
    // Backup gives one form for the recovery points of all services, and not all have it.
    if arn.split(':').nth(2).is_none_or(|service| service.starts_with('$')) {
        return vec![Part::Any];
    }
    // Documents of Systems Manager lack the account, multi-region access points the region. Outposts has an ARN for the objects
    // behind an access point that the data lacks.
    let s3 = arn.starts_with("arn:${Partition}:s3:");
    parts(arn, |variable| match variable {
        "BucketName" => &[Part::NameOne, Part::Name],
        "Account" | "AccessPointName" if s3 => &[Part::NameOne, Part::Name],
        "Partition" | "Region" | "Account" => &[Part::Name],
        _other => &[Part::Any],
    })
}

fn parts(text: &str, variable: impl Fn(&str) -> &'static [Part]) -> Vec<Part> {
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text.chars());
    while let Some(c) = rest.next() {
        match c {
            '$' if rest.as_str().starts_with('{') => {
                let open = rest.as_str().get(1..).unwrap_or_default();
                let (name, after) = open.split_once('}').unwrap_or((open, ""));
                rest = after.chars();
                out.extend_from_slice(variable(name));
            }
            '*' => out.push(Part::Any),
            '?' => out.push(Part::One),
            _literal => out.push(Part::Char(c)),
        }
    }
    out
}

/// Is there a text that fits both? Letters fit in any case.
fn meet(mine: &[Part], theirs: &[Part]) -> bool {
    // `row[j]`: the rest of `mine` and the rest of `theirs` from `j` have a text in common.
    let mut row: Vec<bool> = Vec::new();
    for i in (0..=mine.len()).rev() {
        let below = std::mem::replace(&mut row, vec![false; theirs.len() + 1]);
        let mut right = false;
        for (j, cell) in row.iter_mut().enumerate().rev() {
            let under = |j: usize| below.get(j).copied().unwrap_or(false);
            *cell = match (mine.get(i).copied(), theirs.get(j).copied()) {
                (None, None) => true,
                (Some(a), None) => a.holds_text() && under(j),
                (None, Some(b)) => b.holds_text() && right,
                // One of the two texts ends here.
                (Some(a), Some(b)) if a.holds_text() && b.holds_text() => under(j) || right,
                (Some(text), Some(one)) if text.holds_text() => under(j) || (fit(text, one) && right),
                (Some(one), Some(text)) if text.holds_text() => right || (fit(text, one) && under(j)),
                (Some(a), Some(b)) => fit(a, b) && under(j + 1),
            };
            right = *cell;
        }
    }
    row.first().copied().unwrap_or(false)
}

fn fit(a: Part, b: Part) -> bool {
    match (a, b) {
        (Part::Char(a), Part::Char(b)) => a.eq_ignore_ascii_case(&b),
        (Part::Name | Part::NameOne, Part::Char(c)) | (Part::Char(c), Part::Name | Part::NameOne) => c != ':' && c != '/',
        _any => true,
    }
}

// --- Entries that are no actions

/// What is wrong with one entry of an Action or NotAction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The entry as written.
    pub entry: String,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemKind {
    /// No `service:` in front.
    NoService {
        /// What is probably meant.
        meant: Option<String>,
    },
    /// The service is held and has no such action.
    Unknown {
        /// The service.
        service: &'static str,
        /// What is probably meant.
        meant: Option<String>,
    },
    /// The service is held and the wildcards match none of its actions.
    MatchesNothing {
        /// The service.
        service: &'static str,
        /// What is probably meant.
        meant: Option<String>,
    },
    /// The name of an API call; what is allowed or denied has another name.
    ApiName {
        /// The actions meant.
        actions: Vec<&'static str>,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = &self.entry;
        let meant = match &self.kind {
            ProblemKind::NoService { meant } => {
                write!(f, "{entry} names no service, as s3: does")?;
                meant
            }
            ProblemKind::Unknown { service, meant } => {
                write!(f, "{entry} is no action of {service}")?;
                meant
            }
            ProblemKind::MatchesNothing { service, meant } => {
                write!(f, "{entry} matches no action of {service}")?;
                meant
            }
            ProblemKind::ApiName { actions } => {
                let (is, actions) = (if actions.len() == 1 { "action is" } else { "actions are" }, actions.join(" and "));
                return write!(f, "{entry} is the name of an API call; the {is} {actions}");
            }
        };
        meant.iter().try_for_each(|meant| write!(f, "; did you mean {meant}?"))
    }
}

/// What is wrong with one entry of an Action or NotAction, if something is. Services that are not held raise no problem.
#[must_use]
pub fn problem(entry: &str) -> Option<Problem> {
    let kind = problem_kind(entry)?;
    Some(Problem { entry: entry.to_owned(), kind })
}

fn problem_kind(entry: &str) -> Option<ProblemKind> {
    let Some((service, name)) = entry.split_once(':') else {
        let everything = !entry.is_empty() && entry.bytes().all(|byte| byte == b'*');
        return (!everything).then(|| ProblemKind::NoService { meant: without_colon(entry) });
    };
    if service.is_empty() {
        return Some(ProblemKind::NoService { meant: without_colon(name) });
    }
    if name.contains(is_wildcard) {
        let pattern = Pattern::new(entry, Case::Insensitive);
        // Wildcards in the service reach services that are not held.
        let known = find_service(service)?;
        if matching(&pattern).next().is_some() {
            return None;
        }
        let calls = api_actions(|call| pattern.matches(call));
        if !calls.is_empty() {
            return Some(ProblemKind::ApiName { actions: calls });
        }
        return Some(ProblemKind::MatchesNothing {
            service: known.name,
            meant: known.nearest(&name.replace(is_wildcard, "")).map(Action::full_name),
        });
    }
    // Blanks around a name are an error to AWS; the name without them is what is meant.
    let known = find_service(service.trim())?;
    if known.name.len() == service.len() && known.find(name).is_some() {
        return None;
    }
    let calls = api_actions(|call| call.eq_ignore_ascii_case(entry));
    if !calls.is_empty() {
        return Some(ProblemKind::ApiName { actions: calls });
    }
    Some(ProblemKind::Unknown { service: known.name, meant: known.nearest(name.trim()).map(Action::full_name) })
}

fn is_wildcard(c: char) -> bool {
    matches!(c, '*' | '?')
}

/// `s3.GetObject`, `s3GetObject`, or `GetObject` if one service alone has it.
fn without_colon(entry: &str) -> Option<String> {
    let services = &catalogue().services;
    let after = services.iter().filter_map(|service| {
        let start = entry.get(..service.name.len())?;
        let rest = entry.get(service.name.len()..)?;
        let name = rest.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        if start.eq_ignore_ascii_case(service.name) { service.find(name) } else { None }
    });
    let mut bare = services.iter().filter_map(|service| service.find(entry));
    let only = bare.next().filter(|_| bare.next().is_none());
    after.chain(only).next().map(Action::full_name)
}

/// Longer names are not compared, nor do services have them.
const LONGEST: usize = 80;

impl Service {
    /// The action that is probably meant.
    fn nearest(&self, name: &str) -> Option<&Action> {
        let name = name.to_ascii_lowercase();
        let length = name.chars().count();
        let most = 1 + length / 4;
        if !(3..=LONGEST).contains(&length) {
            return None;
        }
        let near = self.actions.iter().filter(|action| action.name.len().abs_diff(length) <= most);
        let near = near.map(|action| (strsim::osa_distance(&name, &action.name.to_ascii_lowercase()), action));
        near.filter(|(distance, _)| *distance <= most).min_by_key(|(distance, _)| *distance).map(|(_, action)| action)
    }
}

/// Calls of the API whose name is no action, and the action each needs.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>
const API_CALLS: &[(&str, &str)] = &[
    ("lambda:Invoke", "lambda:InvokeFunction"),
    ("s3:CompleteMultipartUpload", "s3:PutObject"),
    ("s3:CopyObject", "s3:PutObject"),
    ("s3:CreateMultipartUpload", "s3:PutObject"),
    ("s3:DeleteBucketAnalyticsConfiguration", "s3:PutAnalyticsConfiguration"),
    ("s3:DeleteBucketCors", "s3:PutBucketCORS"),
    ("s3:DeleteBucketEncryption", "s3:PutEncryptionConfiguration"),
    ("s3:DeleteBucketIntelligentTieringConfiguration", "s3:PutIntelligentTieringConfiguration"),
    ("s3:DeleteBucketInventoryConfiguration", "s3:PutInventoryConfiguration"),
    ("s3:DeleteBucketLifecycle", "s3:PutLifecycleConfiguration"),
    ("s3:DeleteBucketMetricsConfiguration", "s3:PutMetricsConfiguration"),
    ("s3:DeleteBucketOwnershipControls", "s3:PutBucketOwnershipControls"),
    ("s3:DeleteBucketReplication", "s3:PutReplicationConfiguration"),
    ("s3:DeleteBucketTagging", "s3:PutBucketTagging"),
    ("s3:DeleteObjects", "s3:DeleteObject"),
    ("s3:DeletePublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
    ("s3:GetBucketAccelerateConfiguration", "s3:GetAccelerateConfiguration"),
    ("s3:GetBucketAnalyticsConfiguration", "s3:GetAnalyticsConfiguration"),
    ("s3:GetBucketEncryption", "s3:GetEncryptionConfiguration"),
    ("s3:GetBucketIntelligentTieringConfiguration", "s3:GetIntelligentTieringConfiguration"),
    ("s3:GetBucketInventoryConfiguration", "s3:GetInventoryConfiguration"),
    ("s3:GetBucketLifecycle", "s3:GetLifecycleConfiguration"),
    ("s3:GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"),
    ("s3:GetBucketMetricsConfiguration", "s3:GetMetricsConfiguration"),
    ("s3:GetBucketNotificationConfiguration", "s3:GetBucketNotification"),
    ("s3:GetBucketReplication", "s3:GetReplicationConfiguration"),
    ("s3:GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration"),
    ("s3:GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
    ("s3:HeadBucket", "s3:ListBucket"),
    ("s3:HeadObject", "s3:GetObject"),
    ("s3:ListBucketAnalyticsConfigurations", "s3:GetAnalyticsConfiguration"),
    ("s3:ListBucketInventoryConfigurations", "s3:GetInventoryConfiguration"),
    ("s3:ListBucketMetricsConfigurations", "s3:GetMetricsConfiguration"),
    ("s3:ListBuckets", "s3:ListAllMyBuckets"),
    ("s3:ListMultipartUploads", "s3:ListBucketMultipartUploads"),
    ("s3:ListObjects", "s3:ListBucket"),
    ("s3:ListObjectsV2", "s3:ListBucket"),
    ("s3:ListObjectVersions", "s3:ListBucketVersions"),
    ("s3:ListParts", "s3:ListMultipartUploadParts"),
    ("s3:PostObject", "s3:PutObject"),
    ("s3:PutBucketAccelerateConfiguration", "s3:PutAccelerateConfiguration"),
    ("s3:PutBucketAnalyticsConfiguration", "s3:PutAnalyticsConfiguration"),
    ("s3:PutBucketEncryption", "s3:PutEncryptionConfiguration"),
    ("s3:PutBucketIntelligentTieringConfiguration", "s3:PutIntelligentTieringConfiguration"),
    ("s3:PutBucketInventoryConfiguration", "s3:PutInventoryConfiguration"),
    ("s3:PutBucketLifecycle", "s3:PutLifecycleConfiguration"),
    ("s3:PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration"),
    ("s3:PutBucketMetricsConfiguration", "s3:PutMetricsConfiguration"),
    ("s3:PutBucketNotificationConfiguration", "s3:PutBucketNotification"),
    ("s3:PutBucketReplication", "s3:PutReplicationConfiguration"),
    ("s3:PutObjectLockConfiguration", "s3:PutBucketObjectLockConfiguration"),
    ("s3:PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
    ("s3:RenameObject", "s3express:CreateSession"),
    ("s3:SelectObjectContent", "s3:GetObject"),
    ("s3:UploadPart", "s3:PutObject"),
    ("s3:UploadPartCopy", "s3:PutObject"),
    ("s3:WriteGetObjectResponse", "s3-object-lambda:WriteGetObjectResponse"),
];

fn api_actions(is_call: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let mut actions: Vec<&str> = API_CALLS.iter().filter(|(call, _)| is_call(call)).map(|(_, action)| *action).collect();
    actions.sort_unstable();
    actions.dedup();
    actions
}

// --- The data file

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| match parse(FILE) {
        Ok(catalogue) => catalogue,
        #[expect(
            clippy::panic,
            reason = "the file is part of the program and every test run reads it; an empty catalogue would call nothing a typo"
        )]
        Err(line) => panic!("data/actions.txt: cannot read {line:?}"),
    })
}

/// The catalogue, or the first line that is none of it.
fn parse(file: &'static str) -> Result<Catalogue, &'static str> {
    let mut catalogue = Catalogue { package: "", global_keys: Vec::new(), services: Vec::new() };
    for line in file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        catalogue.take(line).ok_or(line)?;
    }
    Ok(catalogue)
}

impl Catalogue {
    fn take(&mut self, line: &'static str) -> Option<()> {
        let (word, rest) = line.split_once(' ')?;
        match word {
            "package" => self.package = rest,
            "global" => self.global_keys.push(rest),
            "service" => {
                // Searches halve the list.
                let sorted = self.services.last().is_none_or(|last| compare(last.name, rest).is_lt());
                let whole = Pattern::starting_with(&format!("{rest}:"), Case::Insensitive);
                let service = Service { name: rest, whole, types: Vec::new(), keys: Vec::new(), actions: Vec::new() };
                sorted.then(|| self.services.push(service))?;
            }
            _of_a_service => self.services.last_mut()?.take(word, rest)?,
        }
        Some(())
    }
}

impl Service {
    fn take(&mut self, word: &str, rest: &'static str) -> Option<()> {
        let access = match word {
            "type" => {
                let (name, arn) = rest.rsplit_once(' ')?;
                return arn.starts_with("arn:").then(|| self.types.push(ResourceType { name, arn }));
            }
            "key" => {
                self.keys.push(rest);
                return Some(());
            }
            "L" => Access::List,
            "R" => Access::Read,
            "W" => Access::Write,
            "P" => Access::PermissionsManagement,
            "T" => Access::Tagging,
            _other => return None,
        };
        let (name, types) = rest.split_once(' ').unwrap_or((rest, ""));
        let types = types.split(',').filter(|name| !name.is_empty());
        let resources =
            types.map(|name| self.types.iter().find(|kind| kind.name == name).copied()).collect::<Option<Vec<_>>>()?;
        let sorted = self.actions.last().is_none_or(|last| compare(last.name, name).is_lt());
        sorted.then(|| self.actions.push(Action { service: self.name, name, access, resources }))
    }
}

#[cfg(test)]
#[path = "actions_tests.rs"]
mod tests;
