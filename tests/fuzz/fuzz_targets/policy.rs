//! Any text as a policy: it loads, the same each time, or the finding has a code of policies and a place.

#![no_main]

use cc_policy::Policy;
use libfuzzer_sys::fuzz_target;

const NAME: &str = "policy.toml";

fuzz_target!(|text: &str| match Policy::parse(text, NAME) {
    Ok(policy) => {
        assert!(!policy.describe().is_empty());
        assert_eq!(Policy::parse(text, NAME), Ok(policy));
    }
    Err(error) => {
        assert!(error.code.as_str().starts_with("pol."));
        assert!(error.place.starts_with(NAME) || error.place.starts_with("default snp."), "{error}");
    }
});
