//! What can be observed: one folder for each kind of resource, one file for each fact.
//!
//! A fact's file holds its type, what its absence means and, behind the feature `aws`, its reader and the IAM action
//! that the reader needs. A reader records what the provider said; it must never fill in a default.

use serde_json::Value;

use crate::fact::{Fact, FactId, FactSpec, Gap, Kind};

pub mod capability;

/// A type that is one fact.
pub trait FactType: Stored + serde::Serialize + serde::de::DeserializeOwned + 'static {
    /// Its description.
    const SPEC: FactId;
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

            pub(super) fn put_json(&mut self, id: &str, value: serde_json::Value) -> Result<bool, serde_json::Error> {
                $(if id == <$module::$Fact as $crate::resources::FactType>::SPEC.id {
                    self.$module = Some(serde_json::from_value(value)?);
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
            pub fn put_json(&mut self, id: &str, value: Value) -> Result<bool, serde_json::Error> {
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
