//! What a plugin may say about itself: form, and agreement with the configuration.

use cc_core::message::{Identity, Message};
use cc_core::{Finding, Profile, ProfileInfo, TrustClass, codes};

use crate::{Danger, PluginConfig};

/// Largest identity message, in bytes.
const MAX_IDENTITY: usize = 16 * 1024;
/// Most profiles of one plugin, and most media types of one profile.
const MAX_LIST: usize = 16;
/// Longest text in an identity, in bytes.
const MAX_TEXT: usize = 128;

/// Reads an identity and holds it to the contract.
pub(crate) fn read(bytes: &[u8]) -> Result<Identity, Finding> {
    let broken = |what: String| Finding::new(codes::PLUG_CONTRACT, format!("identity: {what}"));
    if bytes.len() > MAX_IDENTITY {
        return Err(broken(format!("{} bytes, the limit is {MAX_IDENTITY}", bytes.len())));
    }
    let identity = Identity::from_bytes(bytes).map_err(|error| broken(error.to_string()))?;
    well_formed(&identity).map_err(broken)?;
    Ok(identity)
}

fn well_formed(identity: &Identity) -> Result<(), String> {
    text("name", &identity.name)?;
    text("vendor", &identity.vendor)?;
    version("plugin_version", &identity.plugin_version)?;
    version("sdk_version", &identity.sdk_version)?;
    if identity.profiles.is_empty() || identity.profiles.len() > MAX_LIST {
        return Err(format!("{} profiles, expected 1 to {MAX_LIST}", identity.profiles.len()));
    }
    let mut seen = Vec::new();
    for info in &identity.profiles {
        if seen.contains(&&info.profile) {
            return Err(format!("profile {:?} stands there twice", info.profile.as_str()));
        }
        seen.push(&info.profile);
        profile(info)?;
    }
    Ok(())
}

fn profile(info: &ProfileInfo) -> Result<(), String> {
    let name = info.profile.as_str();
    if Profile::parse(name).is_none() {
        return Err(format!("{name:?} is not the name of a profile"));
    }
    text("namespace", &info.namespace)?;
    if info.media_types.len() > MAX_LIST {
        return Err(format!("{} media types, the limit is {MAX_LIST}", info.media_types.len()));
    }
    info.media_types.iter().try_for_each(|media_type| text("media type", media_type))?;
    let twice = info.roles.iter().enumerate().any(|(i, role)| info.roles.iter().take(i).any(|r| r == role));
    if info.roles.is_empty() || twice || info.roles.len() > MAX_LIST {
        return Err(format!("roles of {name} are {:?}, expected each at most once", info.roles));
    }
    Ok(())
}

fn text(what: &str, text: &str) -> Result<(), String> {
    let visible = text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    if text.is_empty() || text.len() > MAX_TEXT || !visible {
        return Err(format!("{what} is not 1 to {MAX_TEXT} visible ASCII characters"));
    }
    Ok(())
}

fn version(what: &str, version: &str) -> Result<(), String> {
    text(what, version)?;
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let numbers = core.split('.').map(|part| part.parse::<u64>().ok()).collect::<Option<Vec<_>>>();
    match numbers {
        Some(numbers) if numbers.len() == 3 => Ok(()),
        _ => Err(format!("{what} is {version:?}, expected a version like 1.2.3")),
    }
}

/// Holds an identity against what the configuration allows: exactly the listed profiles, and synthetic trust
/// anchors only where they are accepted explicitly.
pub(crate) fn allowed(identity: &Identity, config: &PluginConfig, danger: Danger) -> Result<(), Finding> {
    let refuse = |detail: String| Err(Finding::new(codes::PLUG_NOT_ALLOWED, detail));
    for info in &identity.profiles {
        if !config.profiles.contains(&info.profile) {
            return refuse(format!("the plugin claims profile {}, which is not listed for it", info.profile));
        }
    }
    for listed in &config.profiles {
        if !identity.profiles.iter().any(|info| info.profile == *listed) {
            return refuse(format!("profile {listed} is listed for the plugin, which does not claim it"));
        }
    }
    if identity.trust_class != TrustClass::Hardware && !danger.allow_emulated {
        return refuse(format!("trust class is {}, expected hardware", identity.trust_class));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use cc_core::message::MESSAGE_VERSION;
    use cc_core::{Claims, Role};

    use super::*;
    use crate::{Isolation, Sha256};

    fn good() -> Identity {
        Identity {
            version: MESSAGE_VERSION,
            name: "cc-test".to_owned(),
            vendor: "Example".to_owned(),
            plugin_version: "0.1.0".to_owned(),
            sdk_version: "1.0.0-rc.1+build".to_owned(),
            trust_class: TrustClass::Hardware,
            profiles: vec![info("snp-raw-1")],
        }
    }

    fn info(name: &str) -> ProfileInfo {
        ProfileInfo {
            // Decoding does not look at the name, so a foreign plugin can send any.
            profile: minicbor::decode(&minicbor::to_vec(name).unwrap()).unwrap(),
            namespace: "x-snp".to_owned(),
            media_types: vec!["application/octet-stream".to_owned()],
            roles: vec![Role::Collect, Role::Verify],
        }
    }

    #[test]
    fn malformed_identities_break_the_contract() {
        assert_eq!(read(&good().to_bytes()), Ok(good()));
        type Spoil = fn(&mut Identity);
        let cases: [(&str, Spoil); 14] = [
            ("empty name", |i| i.name.clear()),
            ("long name", |i| i.name = "n".repeat(129)),
            ("control character", |i| i.name = "cc\u{1b}[31m".to_owned()),
            ("not ASCII", |i| i.vendor = "é".to_owned()),
            ("two numbers", |i| i.plugin_version = "1.0".to_owned()),
            ("no number", |i| i.sdk_version = "1.x.0".to_owned()),
            ("no profile", |i| i.profiles.clear()),
            ("many profiles", |i| i.profiles = (0..17).map(|n| info(&format!("p-{n}"))).collect()),
            ("profile twice", |i| i.profiles = vec![info("snp-raw-1"), info("snp-raw-1")]),
            ("profile name", |i| i.profiles = vec![info("SNP")]),
            ("no namespace", |i| i.profiles[0].namespace.clear()),
            ("media types", |i| i.profiles[0].media_types = vec!["a/b".to_owned(); 17]),
            ("no role", |i| i.profiles[0].roles.clear()),
            ("role twice", |i| i.profiles[0].roles = vec![Role::Verify, Role::Collect, Role::Verify]),
        ];
        for (what, spoil) in cases {
            let mut identity = good();
            spoil(&mut identity);
            assert_eq!(read(&identity.to_bytes()).unwrap_err().code, codes::PLUG_CONTRACT, "{what}");
        }
        for (what, bytes) in
            [("nothing", vec![]), ("large", vec![0; MAX_IDENTITY + 1]), ("text", b"hi".to_vec())]
        {
            assert_eq!(read(&bytes).unwrap_err().code, codes::PLUG_CONTRACT, "{what}");
        }
    }

    #[test]
    fn only_what_is_listed_is_allowed() {
        let config = |profiles: &[&str]| PluginConfig {
            path: PathBuf::from("/plugin.so"),
            sha256: Sha256::of(b""),
            profiles: profiles.iter().map(|name| Profile::parse(name).unwrap()).collect(),
            isolation: Isolation::InProcess,
            config: Claims::new(),
        };
        let emulated = Identity { trust_class: TrustClass::Emulated, ..good() };
        let (strict, lax) = (Danger::default(), Danger { allow_emulated: true });
        assert_eq!(allowed(&good(), &config(&["snp-raw-1"]), strict), Ok(()));
        assert_eq!(allowed(&emulated, &config(&["snp-raw-1"]), lax), Ok(()));
        for (what, identity, profiles) in [
            ("nothing listed", good(), &[][..]),
            ("another listed", good(), &["tdx-quote-1"]),
            ("one more listed", good(), &["snp-raw-1", "tdx-quote-1"]),
            ("emulated", emulated, &["snp-raw-1"]),
        ] {
            let refused = allowed(&identity, &config(profiles), strict).unwrap_err();
            assert_eq!(refused.code, codes::PLUG_NOT_ALLOWED, "{what}");
        }
    }
}
