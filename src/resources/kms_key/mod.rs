//! A KMS key that encrypts documents. It is asked by its ARN, in the Region and account that the ARN names; an alias by the
//! ARN of the alias, which answers only its state.

facts! {
    /// What is known of a KMS key.
    KmsKey KmsKeyFacts read by KeyReader {
        state::KeyState,
        policy::KeyPolicy,
        rotation::KeyRotation,
        grants::KeyGrants,
    }
}
