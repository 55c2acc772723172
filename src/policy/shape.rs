//! What a policy file looks like, as types from which its JSON Schema is made.
//!
//! Values are read from the positioned tree, never into these types. A doc comment here is what an editor shows.
#![expect(dead_code, reason = "only the schemas of these types are used")]

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::checks::Severity;
use crate::estate::FedBy;
use crate::fact::Kind;

/// A policy of lastcopy: which accounts and stores there are, and what is required of them. Several files may be given;
/// together they are one policy.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct File {
    /// The version of the policy language.
    #[schemars(extend("enum" = ["v1"], "examples" = ["v1"]))]
    lastcopy: String,
    /// The name of the policy, in exactly one of its files. Findings are identified by it: do not change it lightly.
    name: Option<Name>,
    /// Policies that come with lastcopy, by name. A control here with the id of one of theirs changes it.
    #[schemars(extend("examples" = [["document-store"]]))]
    extends: Option<Vec<Pack>>,
    /// Values that controls use as `"${name}"` in `with`, `scope` and `description`, by name.
    #[schemars(extend("propertyNames" = name_schema()))]
    parameters: Option<BTreeMap<String, Parameter>>,
    /// Values of parameters, of this policy or of one that it extends, by name.
    set: Option<BTreeMap<String, Given>>,
    /// The accounts that hold buckets, by alias.
    #[schemars(extend("propertyNames" = name_schema()))]
    accounts: Option<BTreeMap<String, Account>>,
    /// Sets of documents with their copies, by name.
    #[schemars(extend("propertyNames" = name_schema()))]
    stores: Option<BTreeMap<String, Store>>,
    /// What is required.
    controls: Option<Vec<Control>>,
    /// Violations that are accepted until a date.
    waivers: Option<Vec<Waiver>>,
    /// Facts that no API returns, stated by a named person.
    attestations: Option<Vec<Attestation>>,
}

/// A value that controls use as `"${name}"`.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Parameter {
    /// The value where nobody sets another; its type is the type of the parameter. Without it, a value must be set.
    #[schemars(extend("examples" = ["30d"]))]
    default: Option<Given>,
    /// For people: what it decides.
    #[schemars(extend("examples" = ["How long old versions stay"]))]
    description: Option<String>,
}

/// One place that holds buckets: an AWS account, or an S3-compatible provider behind an endpoint.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Account {
    /// The twelve digits of an AWS account, in quotes. The audit refuses credentials of another account.
    #[schemars(extend(
        "pattern" = "^[0-9]{12}$",
        "patternErrorMessage" = "an account id is twelve digits in quotes",
        "examples" = ["111111111111"]
    ))]
    id: Option<String>,
    /// The profile of the AWS configuration to use. Without profile and role, the ambient credentials are used.
    #[schemars(extend("examples" = ["audit"]), length(min = 1))]
    profile: Option<String>,
    /// The role to assume for the audit.
    #[schemars(extend("examples" = ["arn:aws:iam::222222222222:role/lastcopy-audit"]))]
    role_arn: Option<String>,
    /// The external id that the role asks for.
    #[schemars(extend("examples" = ["lastcopy"]), length(min = 1))]
    external_id: Option<String>,
    /// The URL of an S3-compatible endpoint. Without it the account is at AWS.
    #[schemars(extend("examples" = ["https://s3.offsite.example"]))]
    endpoint: Option<String>,
    /// Who runs the endpoint: decides what it is known to lack.
    #[schemars(extend("examples" = ["garage"]))]
    provider: Option<Name>,
    /// The region of the account's first calls.
    #[schemars(extend(
        "pattern" = "^[a-z0-9][a-z0-9-]*$",
        "patternErrorMessage" = "a region has lower-case letters, digits and hyphens",
        "examples" = ["eu-central-1"]
    ))]
    region: Option<String>,
    /// The account manages the organization, or is its delegated administrator for policies: service and resource control
    /// policies are read from it, and count for every account of its organization.
    #[schemars(extend("examples" = [true]))]
    manages_organization: Option<bool>,
}

/// A set of documents with its copies.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Store {
    /// The copies, by name. One without `fed-by` is where documents are written.
    #[schemars(extend("propertyNames" = name_schema(), "minProperties" = 1))]
    copies: BTreeMap<String, Copy>,
}

/// Where a store lives once.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Copy {
    /// The alias of the account that holds it.
    #[schemars(extend("examples" = ["production"]))]
    account: String,
    /// The bucket.
    #[schemars(extend("examples" = ["acme-documents"]))]
    bucket: Option<String>,
    /// The buckets, if there are several.
    #[schemars(extend("examples" = [["acme-documents-1", "acme-documents-2"]]), length(min = 1))]
    buckets: Option<Vec<String>>,
    /// Only keys that begin with one of these belong to the copy.
    #[schemars(extend("examples" = [["documents/"]]), length(min = 1))]
    prefixes: Option<Vec<String>>,
    /// Keys that begin with one of these do not belong to the copy.
    #[schemars(extend("examples" = [["tmp/"]]))]
    exclude: Option<Vec<String>>,
    /// How it is fed. Without it, documents are written here.
    fed_by: Option<FedBy>,
}

/// A requirement placed on a scope.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Control {
    /// The id, unique in the policy. Findings and waivers name it.
    #[schemars(extend("examples" = ["documents-versioned"]))]
    id: Name,
    /// The check that judges. May be left out only to change a control of a pack.
    check: Option<CheckId>,
    /// What is judged. Without it: everything that the check can judge.
    #[schemars(extend("examples" = [{"store": "documents"}]))]
    scope: Option<Scope>,
    /// How bad an open failure is. Without it: the severity of the check.
    severity: Option<Severity>,
    /// Control ids of frameworks, with the framework's name first. Without it: those of the check.
    #[schemars(extend("examples" = [["NIST-800-53:CP-9"]]))]
    references: Option<Vec<Reference>>,
    /// For people: why the control is there.
    #[schemars(extend("examples" = ["Customers' documents can be recovered"]))]
    description: Option<String>,
    /// Parameters of the check.
    with: Option<With>,
    /// A scope that matches nothing is intended.
    #[schemars(extend("examples" = [true]))]
    allow_empty: Option<bool>,
    /// Takes the control of a pack out; the text says why.
    #[schemars(extend("examples" = ["the documents are public"]), length(min = 1))]
    not_required: Option<String>,
}

/// What a control is about.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Scope {
    /// The buckets of a store's copies, or the store itself. `"*"` is every store.
    #[schemars(extend("examples" = ["documents"]))]
    store: Option<String>,
    /// The buckets of one copy: store, slash, copy.
    #[schemars(extend(
        "pattern" = "^[^/]+/[^/]+$",
        "patternErrorMessage" = "a copy is written as store, slash, copy",
        "examples" = ["documents/mirror"]
    ))]
    copy: Option<String>,
    /// The alias of one account, or `"*"` for every account.
    #[schemars(extend("examples" = ["production"]))]
    account: Option<String>,
    /// Names of buckets; `*` and `?` match.
    #[schemars(extend("examples" = ["prod-*"]))]
    buckets: Option<OneOrMany>,
    /// Names of users, groups, roles or policies; `*` and `?` match.
    #[schemars(extend("examples" = ["deploy-*"]))]
    names: Option<OneOrMany>,
    /// Tags that a bucket has, each with a value that `*` and `?` may match.
    #[schemars(extend("examples" = [{"data": "customer"}], "minProperties" = 1))]
    tags: Option<BTreeMap<String, String>>,
    /// Not these: copies as store, slash, copy, or names; `*` and `?` match in names.
    #[schemars(extend("examples" = [["documents/mirror"]]))]
    except: Option<OneOrMany>,
    /// What the check judges; for readers only.
    resource: Option<Kind>,
}

/// Accepts violations of a control until a date. The true verdict stays beside it.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Waiver {
    /// The id of the control.
    #[schemars(extend("examples" = ["documents-versioned"]))]
    control: String,
    /// Only in this account; `"*"` for every account.
    #[schemars(extend("examples" = ["production"]))]
    account: Option<String>,
    /// Only for the buckets of this copy: store, slash, copy.
    #[schemars(extend(
        "pattern" = "^[^/]+/[^/]+$",
        "patternErrorMessage" = "a copy is written as store, slash, copy",
        "examples" = ["documents/mirror"]
    ))]
    copy: Option<String>,
    /// Only for resources with this name; `*` and `?` match.
    #[schemars(extend("examples" = ["acme-documents"]), length(min = 1))]
    resource: Option<String>,
    /// Only for this subject of a violation: a principal, a rule, a statement.
    #[schemars(length(min = 1))]
    subject: Option<String>,
    /// What is accepted: a failure, or that something cannot be read.
    accepts: Option<Accepts>,
    /// With `accepts: unknown`: the operation that cannot be done.
    #[schemars(extend("examples" = ["GetBucketPolicy"]))]
    operation: Option<String>,
    /// With `accepts: unknown`: the fact that cannot be read.
    #[schemars(extend("examples" = ["s3-bucket.policy"]))]
    fact: Option<String>,
    /// Why it is accepted.
    #[schemars(extend("examples" = ["the bucket is retired in March"]), length(min = 1))]
    reason: String,
    /// Who answers for it.
    #[schemars(extend("examples" = ["head of operations"]), length(min = 1))]
    owner: String,
    /// The last day on which it holds (UTC).
    expires: Day,
}

#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Accepts {
    Fail,
    Unknown,
}

/// A fact that no API returns, stated by a named person.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Attestation {
    /// Which fact.
    #[schemars(extend("examples" = ["provider-worm"]))]
    fact: Name,
    /// About this copy: store, slash, copy.
    #[schemars(extend(
        "pattern" = "^[^/]+/[^/]+$",
        "patternErrorMessage" = "a copy is written as store, slash, copy",
        "examples" = ["documents/offsite"]
    ))]
    copy: Option<String>,
    /// About this account.
    #[schemars(extend("examples" = ["offsite"]))]
    account: Option<String>,
    /// What is stated.
    #[schemars(extend("examples" = ["90d"]))]
    value: serde_json::Value,
    /// Who states it.
    #[schemars(extend("examples" = ["head of operations"]), length(min = 1))]
    by: String,
    /// Where it is written down.
    #[schemars(extend("examples" = ["contracts/offsite-2026.pdf"]), length(min = 1))]
    evidence: String,
    /// The last day on which it holds (UTC).
    expires: Day,
}

macro_rules! text {
    ($($Name:ident => $schema:expr),* $(,)?) => {$(
        struct $Name;
        impl JsonSchema for $Name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($Name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

text! {
    Name => json_schema!({
        "type": "string",
        "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$",
        "patternErrorMessage": NAME,
        "maxLength": 100,
        "examples": ["customer-documents"],
    }),
    Pack => json_schema!({ "type": "string", "enum": super::packs::PACKS.iter().map(|pack| pack.name).collect::<Vec<_>>() }),
    CheckId => json_schema!({
        "type": "string",
        "enum": crate::checks::CHECKS.iter().map(|entry| entry.meta.id).collect::<Vec<_>>(),
        "enumDescriptions": crate::checks::CHECKS.iter().map(|entry| entry.meta.title).collect::<Vec<_>>(),
    }),
    Reference => json_schema!({
        "type": "string",
        "pattern": "^[^:\\s][^:]*:.+$",
        "patternErrorMessage": "a reference is the framework's name, a colon and the control",
        "examples": ["NIST-800-53:CP-9"],
    }),
    Given => json_schema!({ "type": ["string", "number", "boolean", "array"], "examples": ["30d"] }),
    With => json_schema!({ "type": "object" }),
    OneOrMany => json_schema!({
        "type": ["string", "array"],
        "items": { "type": "string", "minLength": 1 },
        "minLength": 1,
        "minItems": 1,
    }),
    Day => json_schema!({
        "type": "string",
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        "patternErrorMessage": "a day is year, month and day",
        "examples": ["2027-01-31"],
    }),
}

const NAME: &str = "a name has lower-case letters, digits and single hyphens";

fn name_schema() -> serde_json::Value {
    serde_json::json!({ "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "patternErrorMessage": NAME, "maxLength": 100, "examples": ["production"] })
}
