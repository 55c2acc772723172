//! An IAM group: the policies that it gives to its members.

facts! {
    /// What is known of an IAM group.
    IamGroup IamGroupFacts {
        permissions::GroupPermissions,
    }
}
