//! Who may do what in an account: the root user, users, groups, roles and managed policies, as plain data with builders.
//!
//! Policy documents are held as the JSON that AWS would answer; dates as RFC 3339 text.

/// The second factor of a root user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RootMfa {
    None,
    /// Listed by ListVirtualMFADevices as `root-account-mfa-device`.
    #[default]
    Virtual,
    /// Seen in the account summary only.
    Hardware,
}

/// The root user of an account.
#[derive(Debug, Clone)]
pub struct Root {
    pub mfa: RootMfa,
    /// False when the organization removed the credentials of member accounts' root users.
    pub password: bool,
    pub password_last_used: Option<String>,
    pub keys: Vec<AccessKey>,
    /// When the account was created.
    pub created: String,
}

/// A long-lived key pair. An active one signs requests as its user.
#[derive(Debug, Clone, Default)]
pub struct AccessKey {
    pub id: String,
    pub secret: String,
    pub active: bool,
    pub last_rotated: String,
    /// Date, region and service of the last use.
    pub last_used: Option<(String, String, String)>,
}

/// A console password.
#[derive(Debug, Clone, Default)]
pub struct Password {
    pub last_used: Option<String>,
    pub last_changed: String,
    pub next_rotation: Option<String>,
}

/// An IAM user.
#[derive(Debug, Clone, Default)]
pub struct User {
    pub name: String,
    pub created: String,
    pub groups: Vec<String>,
    /// Name and document.
    pub inline: Vec<(String, String)>,
    /// ARNs of managed policies.
    pub attached: Vec<String>,
    /// ARN of the policy that bounds this user.
    pub boundary: Option<String>,
    pub tags: Vec<(String, String)>,
    pub password: Option<Password>,
    /// When the virtual MFA device was enabled.
    pub mfa: Option<String>,
    pub keys: Vec<AccessKey>,
}

/// An IAM group.
#[derive(Debug, Clone, Default)]
pub struct Group {
    pub name: String,
    pub created: String,
    pub inline: Vec<(String, String)>,
    pub attached: Vec<String>,
}

/// An IAM role.
#[derive(Debug, Clone, Default)]
pub struct Role {
    pub name: String,
    /// `/`, or for example `/service-role/`.
    pub path: String,
    pub created: String,
    /// The trust policy document.
    pub trust: String,
    pub inline: Vec<(String, String)>,
    pub attached: Vec<String>,
    pub boundary: Option<String>,
    pub tags: Vec<(String, String)>,
    pub instance_profiles: Vec<String>,
    /// Date and region.
    pub last_used: Option<(String, String)>,
}

/// One version of a managed policy.
#[derive(Debug, Clone, Default)]
pub struct PolicyVersion {
    pub id: String,
    pub created: String,
    pub document: String,
    pub default: bool,
}

/// A managed policy.
#[derive(Debug, Clone, Default)]
pub struct ManagedPolicy {
    pub arn: String,
    pub description: Option<String>,
    pub versions: Vec<PolicyVersion>,
}

/// What the account demands of console passwords.
#[derive(Debug, Clone, Default)]
pub struct PasswordPolicy {
    pub minimum_length: u32,
    pub symbols: bool,
    pub numbers: bool,
    pub uppercase: bool,
    pub lowercase: bool,
    pub users_may_change: bool,
    pub max_age: Option<u32>,
    pub reuse_prevention: Option<u32>,
    pub hard_expiry: Option<bool>,
}

impl Default for Root {
    fn default() -> Self {
        Self {
            mfa: RootMfa::Virtual,
            password: true,
            password_last_used: None,
            keys: Vec::new(),
            created: "2021-03-01T09:00:00Z".to_owned(),
        }
    }
}

impl AccessKey {
    /// An active key that was never used.
    pub fn of((id, secret): (&str, &str), last_rotated: &str) -> Self {
        Self {
            id: id.to_owned(),
            secret: secret.to_owned(),
            active: true,
            last_rotated: last_rotated.to_owned(),
            last_used: None,
        }
    }

    pub fn used(mut self, date: &str, region: &str, service: &str) -> Self {
        self.last_used = Some((date.to_owned(), region.to_owned(), service.to_owned()));
        self
    }

    pub fn inactive(mut self) -> Self {
        self.active = false;
        self
    }
}

impl User {
    pub fn new(name: &str, created: &str) -> Self {
        Self { name: name.to_owned(), created: created.to_owned(), ..Self::default() }
    }

    pub fn group(mut self, name: &str) -> Self {
        self.groups.push(name.to_owned());
        self
    }

    pub fn inline(mut self, name: &str, document: &str) -> Self {
        self.inline.push((name.to_owned(), document.to_owned()));
        self
    }

    pub fn attach(mut self, arn: &str) -> Self {
        self.attached.push(arn.to_owned());
        self
    }

    pub fn boundary(mut self, arn: &str) -> Self {
        self.boundary = Some(arn.to_owned());
        self
    }

    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.push((key.to_owned(), value.to_owned()));
        self
    }

    pub fn password(mut self, last_changed: &str, last_used: Option<&str>) -> Self {
        self.password = Some(Password {
            last_used: last_used.map(str::to_owned),
            last_changed: last_changed.to_owned(),
            next_rotation: None,
        });
        self
    }

    pub fn mfa(mut self, enabled: &str) -> Self {
        self.mfa = Some(enabled.to_owned());
        self
    }

    pub fn key(mut self, key: AccessKey) -> Self {
        self.keys.push(key);
        self
    }
}

impl Group {
    pub fn new(name: &str, created: &str) -> Self {
        Self { name: name.to_owned(), created: created.to_owned(), ..Self::default() }
    }

    pub fn inline(mut self, name: &str, document: &str) -> Self {
        self.inline.push((name.to_owned(), document.to_owned()));
        self
    }

    pub fn attach(mut self, arn: &str) -> Self {
        self.attached.push(arn.to_owned());
        self
    }
}

impl Role {
    pub fn new(name: &str, created: &str, trust: &str) -> Self {
        Self {
            name: name.to_owned(),
            path: "/".to_owned(),
            created: created.to_owned(),
            trust: trust.to_owned(),
            ..Self::default()
        }
    }

    pub fn path(mut self, path: &str) -> Self {
        self.path = path.to_owned();
        self
    }

    pub fn inline(mut self, name: &str, document: &str) -> Self {
        self.inline.push((name.to_owned(), document.to_owned()));
        self
    }

    pub fn attach(mut self, arn: &str) -> Self {
        self.attached.push(arn.to_owned());
        self
    }

    pub fn boundary(mut self, arn: &str) -> Self {
        self.boundary = Some(arn.to_owned());
        self
    }

    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.push((key.to_owned(), value.to_owned()));
        self
    }

    pub fn instance_profile(mut self, name: &str) -> Self {
        self.instance_profiles.push(name.to_owned());
        self
    }

    pub fn used(mut self, date: &str, region: &str) -> Self {
        self.last_used = Some((date.to_owned(), region.to_owned()));
        self
    }
}

impl ManagedPolicy {
    /// A policy with its only and default version `v1`.
    pub fn new(arn: &str, created: &str, document: &str) -> Self {
        Self { arn: arn.to_owned(), ..Self::default() }.version(created, document)
    }

    /// The next version, which becomes the default.
    pub fn version(mut self, created: &str, document: &str) -> Self {
        self.versions.iter_mut().for_each(|version| version.default = false);
        let id = format!("v{}", self.versions.len() + 1);
        self.versions.push(PolicyVersion { id, created: created.to_owned(), document: document.to_owned(), default: true });
        self
    }

    pub fn describe(mut self, text: &str) -> Self {
        self.description = Some(text.to_owned());
        self
    }
}
