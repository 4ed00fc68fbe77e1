//! Signed JSON web tokens, whoever issued them.

registry! {
    // Rules J1 to J8 of *verification.md* 4.4.
    JWT_FORMAT_INVALID "jwt.format.invalid" Reject false
        "The token is not a signed JWT."
        "Send the token as the service gave it.";
    JWT_ALG_NOT_ALLOWED "jwt.alg.not_allowed" Reject false
        "The token is signed with an algorithm that the verifier does not expect."
        "Send a token of the configured service.";
    JWT_HEADER_KEY_PRESENT "jwt.header_key.present" Reject false
        "The token's header carries a key."
        "Keys come only from the configured issuer; send the service's own token.";
    JWT_CRIT_UNKNOWN "jwt.crit.unknown" Reject false
        "The token's header demands an extension that is not known here."
        "Update the verifier.";
    JWT_JKU_MISMATCH "jwt.jku.mismatch" Reject false
        "The token names another key address than its issuer's."
        "Send a token of the configured service.";
    JWT_ISS_MISMATCH "jwt.iss.mismatch" Reject false
        "The token's issuer is not a configured one."
        "Configure the issuer, or send a token of a configured one.";
    JWT_KID_UNKNOWN "jwt.kid.unknown" Reject false
        "The issuer does not publish the key that the token names."
        "Fetch the issuer's keys again, or send a fresh token.";
    JWT_KEY_DUPLICATE "jwt.key.duplicate" Reject false
        "The issuer publishes two keys under one name."
        "Report it to the issuer.";
    JWT_KEY_WEAK "jwt.key.weak" Reject false
        "The issuer's key is too weak or of the wrong kind."
        "Report it to the issuer.";
    JWT_JWKS_UNAVAILABLE "jwt.jwks.unavailable" Indeterminate false
        "The issuer's keys are not at hand."
        "Let the host fetch them, or supply the JWKS with --endorsements.";
    JWT_SIGNATURE_INVALID "jwt.signature.invalid" Reject false
        "The token's signature does not fit."
        "Send the token as the service gave it.";
    JWT_AUD_MISMATCH "jwt.aud.mismatch" Reject false
        "The token is for another audience."
        "Ask the service for a token for this verifier.";
    JWT_EXP_MISSING "jwt.exp.missing" Reject false
        "The token has no expiry."
        "Send a token of the configured service.";
    JWT_EXPIRED "jwt.expired" Reject false
        "The token has expired."
        "Ask the service for a fresh token.";
    JWT_NOT_YET_VALID "jwt.not_yet_valid" Reject false
        "The token is not valid yet."
        "Check the clocks of verifier and service.";
    JWT_TOO_OLD "jwt.too_old" Reject false
        "The token was issued too long ago."
        "Ask the service for a fresh token.";
}
