//! Any text as a policy: it loads, the same each time, or the finding has a code of policies and a place.

#![no_main]

use cc_policy::Policy;
use libfuzzer_sys::fuzz_target;

const NAME: &str = "policy.toml";
/// The sections in which a default can ask for what is not there: product lines without their minimums.
const DEFAULTS: [&str; 4] = ["default snp.", "default aci.snp.", "default maa.snp.", "default azcvm.snp."];

fuzz_target!(|text: &str| match Policy::parse(text, NAME) {
    Ok(policy) => {
        assert!(!policy.describe().is_empty());
        assert_eq!(Policy::parse(text, NAME), Ok(policy));
    }
    Err(error) => {
        assert!(error.code.as_str().starts_with("pol."));
        let is_of_default = DEFAULTS.iter().any(|section| error.place.starts_with(section));
        assert!(error.place.starts_with(NAME) || is_of_default, "{error}");
    }
});
