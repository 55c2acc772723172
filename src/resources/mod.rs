//! What can be observed: one folder for each kind of resource, one file for each fact.
//!
//! A fact's file holds its type, what its absence means and, behind the feature `aws`, its reader and the IAM action
//! that the reader needs. A reader records what the provider said; it must never fill in a default.

use serde_json::Value;

use crate::fact::{Fact, FactId, FactSpec, Gap, Kind, Why};

pub mod capability;

/// A type that is one fact. Its default is the empty value: what an expression reads where the fact is absent.
pub trait FactType: Stored + Default + schemars::JsonSchema + serde::Serialize + serde::de::DeserializeOwned + 'static {
    /// Its description.
    const SPEC: FactId;
    /// What is absent reads like the default, in expressions. False: it reads like nothing, for the default would look as if all were
    /// well.
    const EMPTY: bool = true;
}

/// A fact that a command of the AWS CLI prints, so that a file can hold what the reader would ask for.
///
/// It must be as strict as the reader: what a reader would call malformed is an error here.
pub trait Printed: FactType {
    /// The operation as errors name it; the command and the file are the same in lower case with hyphens.
    const OPERATION: &'static str = Self::SPEC.operation;
    /// The error codes by which the service says "not configured".
    const ABSENT: &'static [&'static str] = &[];
    /// The command prints nothing at all when it is not configured.
    const SILENT: bool = false;

    /// From what the command prints; `None`: not configured. The error says what is odd.
    fn printed(answer: &[u8]) -> Result<Option<Self>, String>;
}

/// Reads what a command printed as one shape.
pub(crate) fn parsed<'a, T: serde::Deserialize<'a>>(answer: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(answer).map_err(|error| error.to_string())
}

/// Declares the facts of one kind of resource; a new fact is one file and one line here.
macro_rules! facts {
    ($(#[$doc:meta])* $variant:ident $Struct:ident read by $Reader:ident { $($module:ident :: $Fact:ident),* $(,)? }) => {
        $crate::resources::facts! { $(#[$doc])* $variant $Struct { $($module::$Fact),* } }

        /// Reads one fact of one resource.
        #[cfg(feature = "aws")]
        pub(crate) async fn read(
            id: $crate::estate::ResourceId,
            fact: $crate::fact::FactId,
            from: $crate::aws::$Reader,
        ) -> $crate::collect::run::Put {
            $(if fact == <$module::$Fact as $crate::resources::FactType>::SPEC {
                let reading = <$module::$Fact as $crate::aws::Read<$crate::aws::$Reader>>::read(&from).await;
                return $crate::collect::run::put_reading(id, reading);
            })*
            Box::new(|_, _| {})
        }
    };
    ($(#[$doc:meta])* $variant:ident $Struct:ident { $($module:ident :: $Fact:ident),* $(,)? }) => {
        $(pub mod $module;)*
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $Struct { $($module: Option<$crate::fact::Fact<$module::$Fact>>),* }
        impl $Struct {
            /// The facts of the kind.
            pub const SPECS: &'static [$crate::fact::FactId] =
                &[$(<$module::$Fact as $crate::resources::FactType>::SPEC),*];

            pub(super) fn put_json<'de, D: serde::Deserializer<'de>>(&mut self, id: &str, value: D) -> Result<bool, D::Error> {
                $(if id == <$module::$Fact as $crate::resources::FactType>::SPEC.id {
                    self.$module = Some(serde::Deserialize::deserialize(value)?);
                    return Ok(true);
                })*
                Ok(false)
            }

            pub(super) fn put_gap(&mut self, id: $crate::fact::FactId, gap: &$crate::fact::Gap) {
                $(if id == <$module::$Fact as $crate::resources::FactType>::SPEC {
                    self.$module = Some($crate::fact::Fact::Unreadable(Box::new(gap.clone())));
                })*
            }

            pub(super) fn take(&mut self, id: $crate::fact::FactId) {
                $(if id == <$module::$Fact as $crate::resources::FactType>::SPEC { self.$module = None; })*
            }

            pub(super) fn json(&self, id: $crate::fact::FactId) -> Option<$crate::fact::Fact<serde_json::Value>> {
                $(if id == <$module::$Fact as $crate::resources::FactType>::SPEC {
                    return self.$module.as_ref().map($crate::resources::json_of);
                })*
                None
            }

            pub(super) fn form(id: $crate::fact::FactId) -> Option<$crate::resources::Form> {
                $(if id == <$module::$Fact as $crate::resources::FactType>::SPEC {
                    return Some($crate::resources::form_of::<$module::$Fact>());
                })*
                None
            }

            pub(super) fn each(&self, see: &mut dyn FnMut($crate::fact::FactId, serde_json::Value)) -> Result<(), serde_json::Error> {
                $(if let Some(fact) = &self.$module {
                    see(<$module::$Fact as $crate::resources::FactType>::SPEC, serde_json::to_value(fact)?);
                })*
                Ok(())
            }
        }
        $(impl $crate::resources::Stored for $module::$Fact {
            fn stored(facts: &$crate::resources::Facts) -> Option<&$crate::fact::Fact<Self>> {
                if let $crate::resources::Facts::$variant(of) = facts { of.$module.as_ref() } else { None }
            }
            fn store(facts: &mut $crate::resources::Facts, fact: $crate::fact::Fact<Self>) {
                if let $crate::resources::Facts::$variant(of) = facts { of.$module = Some(fact); }
            }
        })*
    };
}

pub(crate) use facts;

/// Where a fact lies in [`Facts`]; written by `facts!`.
pub trait Stored: Sized {
    #[doc(hidden)]
    fn stored(facts: &Facts) -> Option<&Fact<Self>>;
    #[doc(hidden)]
    fn store(facts: &mut Facts, fact: Fact<Self>);
}

/// The JSON form of a fact's type.
#[derive(Clone, Debug)]
pub struct Form {
    /// Its JSON Schema, with everything in its place.
    pub schema: Value,
    /// What an expression reads where the fact is absent.
    pub empty: Value,
}

fn form_of<T: FactType>() -> Form {
    let schema = schemars::generate::SchemaSettings::draft2020_12()
        .with(|s| s.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value();
    let empty = if T::EMPTY { serde_json::to_value(T::default()).unwrap_or_default() } else { Value::Null };
    Form { schema, empty }
}

fn json_of<T: FactType>(fact: &Fact<T>) -> Fact<Value> {
    match fact {
        Fact::Known(value) => match serde_json::to_value(value) {
            Ok(value) => Fact::Known(value),
            Err(why) => Fact::Unreadable(Box::new(Gap::new(Why::Malformed, T::SPEC.operation).with_detail(why.to_string()))),
        },
        Fact::Absent => Fact::Absent,
        Fact::Unreadable(gap) => Fact::Unreadable(gap.clone()),
    }
}

/// Declares the kinds of resources; a new kind is one folder and one line here.
macro_rules! kinds {
    ($($module:ident => $Kind:ident($Struct:ident)),* $(,)?) => {
        $(pub mod $module;)*

        /// The facts of one resource.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Facts { $(#[doc = concat!("Facts of `", stringify!($module), "`.")] $Kind(Box<$module::$Struct>)),* }

        impl Facts {
            /// No facts yet. `None` for kinds that are declared and not observed: stores and the policy.
            pub fn empty(kind: Kind) -> Option<Self> {
                $(if kind == Kind::$Kind { return Some(Self::$Kind(Box::default())); })*
                None
            }

            /// Puts a fact from its form in a snapshot. False: this kind has no such fact.
            pub fn put_json<'de, D: serde::Deserializer<'de>>(&mut self, id: &str, value: D) -> Result<bool, D::Error> {
                match self { $(Self::$Kind(of) => of.put_json(id, value)),* }
            }

            /// Records that a fact could not be read.
            pub fn put_gap(&mut self, id: FactId, gap: &Gap) {
                match self { $(Self::$Kind(of) => of.put_gap(id, gap)),* }
            }

            /// Forgets a fact, as if nobody had collected it.
            pub fn take(&mut self, id: FactId) {
                match self { $(Self::$Kind(of) => of.take(id)),* }
            }

            /// A fact in its JSON form. `None`: nobody collected it.
            pub fn json(&self, id: FactId) -> Option<Fact<Value>> {
                match self { $(Self::$Kind(of) => of.json(id)),* }
            }

            /// Shows every collected fact in its form in a snapshot.
            pub fn each(&self, see: &mut dyn FnMut(FactId, Value)) -> Result<(), serde_json::Error> {
                match self { $(Self::$Kind(of) => of.each(see)),* }
            }
        }

        /// The facts of a kind.
        pub fn specs_of(kind: Kind) -> &'static [FactId] {
            $(if kind == Kind::$Kind { return $module::$Struct::SPECS; })*
            &[]
        }

        /// The JSON form of a fact.
        pub fn form(id: FactId) -> Option<Form> {
            $(if id.kind == Kind::$Kind { return $module::$Struct::form(id); })*
            None
        }

        /// All facts, by kind.
        pub fn all_specs() -> impl Iterator<Item = FactId> {
            [$($module::$Struct::SPECS),*].into_iter().flatten().copied()
        }
    };
}

kinds! {
    s3_bucket => S3Bucket(S3BucketFacts),
    account => Account(AccountFacts),
    iam_user => IamUser(IamUserFacts),
    iam_group => IamGroup(IamGroupFacts),
    iam_role => IamRole(IamRoleFacts),
    iam_policy => IamPolicy(IamPolicyFacts),
    kms_key => KmsKey(KmsKeyFacts),
}

/// The description of a fact by its id.
pub fn spec(id: &str) -> Option<&'static FactSpec> {
    all_specs().find(|spec| spec.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn fact_ids_are_unique_and_begin_with_their_kind() {
        let mut seen = BTreeSet::new();
        for spec in super::all_specs() {
            assert!(seen.insert(spec.id), "{}", spec.id);
            assert!(spec.id.starts_with(&format!("{}.", spec.kind)), "{}", spec.id);
            assert!(
                !spec.actions.is_empty() || spec.operation.starts_with("GetCallerIdentity") || spec.per == crate::fact::Per::Free
            );
        }
    }
}
