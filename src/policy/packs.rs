//! Policies that come with lastcopy, for `extends`.
//!
//! A pack must never name an account, a store or a bucket: it holds controls over `store: "*"` or over everything.

/// A shipped policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pack {
    /// Its name in `extends`.
    pub name: &'static str,
    /// Its path in the source repository, for diagnostics and reports.
    pub path: &'static str,
    /// What it says.
    pub text: &'static str,
}

macro_rules! packs {
    ($($name:literal),* $(,)?) => {
        /// Every shipped policy that can be extended.
        pub const PACKS: &[Pack] = &[$(Pack {
            name: $name,
            path: concat!("policies/", $name, ".yaml"),
            text: include_str!(concat!("../../policies/", $name, ".yaml")),
        }),*];
    };
}

packs! {
    "document-store",
    "s3-baseline",
    "iam-hygiene",
    "ransomware-resilience",
    "cis-aws-v5",
    "fsbp-s3-iam",
    "soc2-availability",
    "iso27001-backup",
    "nis2-backup",
}

/// A pack by its name.
pub fn pack(name: &str) -> Option<&'static Pack> {
    PACKS.iter().find(|pack| pack.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use serde_json::Value;

    use super::PACKS;
    use crate::checks::check;

    /// The files of shipped packs by name. The demo is no pack: it names its accounts.
    fn files() -> BTreeMap<String, Value> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
        let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.extension().is_some_and(|e| e == "yaml") && !path.to_string_lossy().ends_with(".test.yaml"))
            .map(|path| {
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                let text = std::fs::read_to_string(&path).unwrap();
                (name, serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
            })
            .filter(|(name, _)| name != "demo")
            .collect()
    }

    fn controls(pack: &Value) -> &Vec<Value> {
        pack["controls"].as_array().unwrap()
    }

    /// A pack waits for checks that the coverage calls pending, and is registered as soon as it waits no more.
    #[test]
    fn every_pack_can_be_taken_once_its_checks_are_there() {
        let coverage: Value = serde_json::from_str(include_str!("../../docs/data/coverage.json")).unwrap();
        let pending: BTreeSet<&str> = coverage["pending"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for (name, pack) in files() {
            assert_eq!(pack["name"], name.as_str());
            let mut waits = false;
            for control in controls(&pack) {
                let (id, of) = (control["id"].as_str().unwrap(), control["check"].as_str().unwrap());
                match check(of) {
                    None => {
                        waits = true;
                        assert!(pending.contains(of), "{name}: {id}: {of} is no check, and not pending");
                    }
                    Some(entry) => {
                        let with = if control["with"].is_null() { serde_json::json!({}) } else { control["with"].clone() };
                        let parsed = (entry.parse)(&with).unwrap_or_else(|e| panic!("{name}: {id}: {e}"));
                        assert!(parsed.problems().is_empty(), "{name}: {id}: {:?}", parsed.problems());
                    }
                }
            }
            assert_eq!(PACKS.iter().any(|pack| pack.name == name), !waits, "{name}: in PACKS if all of its checks are there");
        }
    }

    /// Packs can be taken together.
    #[test]
    fn no_two_packs_have_a_control_of_one_id() {
        let mut seen = BTreeMap::new();
        for (name, pack) in files() {
            for control in controls(&pack) {
                let id = control["id"].as_str().unwrap().to_owned();
                if let Some(other) = seen.insert(id.clone(), name.clone()) {
                    panic!("{id} is in {other} and in {name}");
                }
            }
        }
    }

    /// An id of a framework in a pack is one of the coverage, which says where it comes from, or names a tool's own control.
    #[test]
    fn references_of_packs_have_a_source() {
        let coverage: Value = serde_json::from_str(include_str!("../../docs/data/coverage.json")).unwrap();
        let mut known = BTreeSet::new();
        for row in coverage["protections"].as_array().unwrap() {
            for (column, framework) in [("soc2", "SOC2"), ("iso-27001", "ISO-27001"), ("nis2", "NIS2"), ("cis", "CIS-AWS-5.0")] {
                for id in row[column].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    let (_, id) = id.split_once(':').unwrap();
                    known.insert(format!("{framework}:{}", id.trim_start_matches("v5 ")));
                }
            }
        }
        for rule in coverage["security-hub"].as_array().unwrap() {
            known.insert(format!("SecurityHub:{}", rule["id"].as_str().unwrap()));
            known.insert(format!("FSBP:{}", rule["id"].as_str().unwrap()));
        }
        for (name, pack) in files() {
            for control in controls(&pack) {
                for reference in control["references"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    let attack = reference.starts_with("MITRE-ATTACK:");
                    assert!(attack || known.contains(reference), "{name}: {}: {reference}", control["id"]);
                }
            }
        }
    }
}
