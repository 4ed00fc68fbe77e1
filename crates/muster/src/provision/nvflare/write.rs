//! `federation.toml` from an imported provisioning: what NVFlare says, and empty places where it says nothing.

use std::fmt::Write as _;

use super::super::federation::OnFailure;
use super::super::text::{list, quoted};
use super::Import;
use super::check::verdict_lifetime;

/// The keys that the owner has to write before kits can be made, in the order of the file.
pub(super) fn missing(import: &Import) -> Vec<String> {
    let mut keys = vec!["plugins".to_owned(), "bundle.not_after_days".to_owned()];
    keys.extend(roles(import).map(|(role, _)| format!("bundle.role.{role}.policy")));
    keys
}

/// The roles that occur, with their profiles.
fn roles(import: &Import) -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    ["server", "client"].into_iter().filter_map(|role| {
        let mut profiles: Vec<&str> = import
            .participants
            .iter()
            .filter(|one| one.is_server == (role == "server"))
            .map(|one| one.profile)
            .collect();
        profiles.sort_unstable();
        profiles.dedup();
        (!profiles.is_empty()).then_some((role, profiles))
    })
}

/// The file.
pub(super) fn federation(import: &Import) -> String {
    let profile = match import.profile {
        crate::cli::FederationProfile::Production => "production",
        crate::cli::FederationProfile::Development => "development",
    };
    let mut text = String::from(
        "# Imported from NVFlare. Lines that begin with `#!` are for the owner to complete: NVFlare's files have no\n\
         # place for them, and nothing was guessed. See `muster provision --help` for every key.\n",
    );
    let _ = writeln!(text, "version = 1\nname = {}\nprofile = \"{profile}\"", quoted(&import.federation));
    text.push_str("#! plugins = \"/usr/lib/muster/plugins\"\n");
    for admin in &import.admins {
        let _ = writeln!(text, "# administrator {} is {:?} in NVFlare", admin.name, admin.original);
    }
    let _ = writeln!(text, "admins = {}", list(import.admins.iter().map(|admin| admin.name.as_str())));
    let port = import.target.rsplit_once(':').map_or("", |(_, port)| port);
    let _ = writeln!(text, "\n[server]\nlisten = \"0.0.0.0:{port}\"\ndial = {}", quoted(&import.target));
    text.push_str("\n[bundle]\n#! not_after_days = 365\n");
    let frequencies: Vec<String> = import
        .participants
        .iter()
        .map(|one| format!("{} {} s", one.original, one.verify_frequency))
        .collect();
    let _ = writeln!(
        text,
        "# Everybody is verified again within half of it. verify_frequency in NVFlare: {}\nverdict_lifetime_s = {}",
        frequencies.join(", "),
        verdict_lifetime(import)
    );
    for (role, profiles) in roles(import) {
        let _ = writeln!(text, "\n[bundle.role.{role}]\nprofiles = {}", list(profiles));
        let _ = writeln!(text, "#! policy = \"policies/{role}.toml\"");
    }
    for one in &import.participants {
        let _ = write!(text, "\n[participant.{}]", quoted(one.name.as_str()));
        if one.name.as_str() != one.original {
            let _ = write!(text, "   # {:?} in NVFlare", one.original);
        }
        let role = if one.is_server { "server" } else { "client" };
        let _ = writeln!(text, "\nrole = \"{role}\"\nprofile = \"{}\"", one.profile);
        if one.devices {
            text.push_str(
                "# its GPUs are attested in NVFlare: require their evidence in the policy of its role\n",
            );
        }
        if let Some(organisation) = &one.organisation {
            let _ = writeln!(text, "organisation = {}", quoted(organisation));
        }
        if one.on_failure == OnFailure::Shutdown {
            text.push_str("on_failure = \"shutdown\"\n");
        }
    }
    text
}
