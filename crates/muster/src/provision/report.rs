//! What provisioning says: a table for people, or `muster.provision/1`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use cc_policy::InitData;
use fed_proto::crypto::Digest;
use serde::Serialize;

use super::kit::Holder;
use super::owner::Decision;
use crate::output;

/// `muster.provision/1`.
#[derive(Debug, Serialize)]
pub(super) struct Provisioned {
    schema: &'static str,
    federation_id: String,
    bundle: Bundle,
    kits: Vec<Kit>,
    /// For each participant what HOST_DATA of its SNP guest must be: SHA-256 of its init data.
    init_data: BTreeMap<String, String>,
    /// What MRCONFIGID of its TDX guest must be: SHA-384 of the same bytes.
    mr_config_id: BTreeMap<String, String>,
    #[serde(skip)]
    out: String,
    #[serde(skip)]
    bundle_end: String,
    #[serde(skip)]
    bundle_is_new: bool,
}

#[derive(Debug, Serialize)]
struct Bundle {
    version: u64,
    digest: String,
}

#[derive(Debug, Serialize)]
struct Kit {
    name: String,
    role: &'static str,
    dir: String,
    created: bool,
}

impl Provisioned {
    /// Without any kit so far.
    pub(super) fn new(out: &Path, federation_id: &Digest, decision: &Decision) -> Self {
        let bundle =
            Bundle { version: decision.bundle.version, digest: decision.signed.digest().to_string() };
        Self {
            schema: "muster.provision/1",
            federation_id: federation_id.to_string(),
            bundle,
            kits: Vec::new(),
            init_data: BTreeMap::new(),
            mr_config_id: BTreeMap::new(),
            out: out.display().to_string(),
            bundle_end: decision.bundle.not_after.to_string(),
            bundle_is_new: decision.is_new,
        }
    }

    /// One more kit.
    pub(super) fn kit(
        &mut self,
        holder: Holder<'_>,
        folder: &Path,
        created: bool,
        init_data: Option<InitData>,
    ) {
        let name = holder.name().to_string();
        if let Some(InitData::Carried { sha256, sha384 }) = init_data {
            self.init_data.insert(name.clone(), hex::encode(sha256));
            self.mr_config_id.insert(name.clone(), hex::encode(sha384));
        }
        self.kits.push(Kit { name, role: holder.role(), dir: folder.display().to_string(), created });
    }

    /// The table.
    pub(super) fn human(&self) -> String {
        let (good, dim, bold) = (output::GOOD, output::DIM, output::HEADING);
        let new = |is_new| if is_new { "new" } else { "unchanged" };
        let mut text = format!("{good}PROVISIONED{good:#} {}\n", output::visible(&self.out));
        let _ = writeln!(text, "  federation  {}", self.federation_id);
        let Bundle { version, digest } = &self.bundle;
        let _ = writeln!(
            text,
            "  bundle      version {version}, {}, until {}\n              {dim}{digest}{dim:#}",
            new(self.bundle_is_new),
            self.bundle_end
        );
        let width = self.kits.iter().map(|kit| kit.name.len()).max().unwrap_or(0).max("name".len());
        let _ = writeln!(text, "\n{bold}{:width$}  {:6}  {:9}  HOST_DATA{bold:#}", "name", "role", "kit");
        for kit in &self.kits {
            let host_data = self.init_data.get(&kit.name).map_or("-", String::as_str);
            let _ =
                writeln!(text, "{:width$}  {:6}  {:9}  {host_data}", kit.name, kit.role, new(kit.created));
        }
        text
    }
}
