//! An IAM user: its credentials and the policies that give it permissions.

facts! {
    /// What is known of an IAM user.
    IamUser IamUserFacts {
        credentials::UserCredentials,
        permissions::UserPermissions,
    }
}
