//! Claims of a device's token (version 3), and step 7: what must be said of a device.

use cc_core::gpu::DeviceClass;
use cc_core::{Code, Finding, codes};

use super::said::{Said, malformed};
use crate::gpu::Arch;
use crate::json::Hex;
use crate::jwt::Payload;

/// A device's token whose nonce is read and whose other claims are not judged.
pub(super) struct Device<'a> {
    form: &'static Form,
    name: &'a str,
    payload: Payload,
    nonce: [u8; 32],
}

/// What is said of a device that is good.
pub(crate) struct Good {
    /// As NVIDIA's tools and policies call it.
    pub(crate) arch: &'static str,
    /// The chip, its revision and what signed its identity.
    pub(crate) model: String,
    /// Serial number in the device's certificate.
    pub(crate) ueid: [u8; 20],
    /// Of GPUs.
    pub(crate) driver_version: Option<String>,
    /// Of a switch, the version of its BIOS.
    pub(crate) vbios_version: String,
}

/// What the claims of a class of devices are called.
struct Form {
    class: DeviceClass,
    prefix: &'static str,
    manifests: &'static [&'static str],
    flags: &'static [&'static str],
    vbios_version: &'static str,
}

const GPU: Form = Form {
    class: DeviceClass::Gpu,
    prefix: "x-nvidia-gpu-",
    manifests: &["driver-rim", "vbios-rim"],
    flags: &["vbios-index-no-conflict"],
    vbios_version: "vbios-version",
};
const SWITCH: Form = Form {
    class: DeviceClass::Switch,
    prefix: "x-nvidia-switch-",
    manifests: &["bios-rim"],
    flags: &[],
    vbios_version: "bios-version",
};

/// Flags about the report, and about each manifest, that have no code of their own.
const REPORT_FLAGS: [&str; 4] = [
    "arch-check",
    "attestation-report-parsed",
    "attestation-report-nonce-match",
    "attestation-report-signature-verified",
];
const MANIFEST_FLAGS: [&str; 4] =
    ["fetched", "schema-validated", "signature-verified", "measurements-available"];
/// Longest text that is passed on.
const MAX_TEXT: usize = 64;

impl<'a> Device<'a> {
    pub(super) fn read(class: DeviceClass, name: &'a str, payload: Payload) -> Result<Self, Finding> {
        let form = match class {
            DeviceClass::Gpu => &GPU,
            DeviceClass::Switch => &SWITCH,
        };
        let Hex::<32>(nonce) = Said::of(name, &payload)?.value("eat_nonce")?;
        Ok(Self { form, name, payload, nonce })
    }

    pub(super) const fn nonce(&self) -> &[u8; 32] {
        &self.nonce
    }

    /// Everything that the service looked at must be there and be good.
    pub(super) fn judge(&self) -> Result<Good, Finding> {
        let said = Said::of(self.name, &self.payload)?;
        let (name, form) = (self.name, self.form);
        let fail = |code: Code, claim: &str, value: &dyn std::fmt::Debug| {
            Finding::new(code, format!("{name}: `{claim}` is {value:?}"))
        };
        let own = |claim: &str| format!("{}{claim}", form.prefix);
        let must = |code: Code, claim: &str| {
            let claim = own(claim);
            if said.value(&claim)? { Ok(()) } else { Err(fail(code, &claim, &false)) }
        };
        let measured: String = said.value("measres")?;
        if measured != "success" {
            return Err(fail(codes::NRAS_MEASUREMENTS_FAILED, "measres", &measured));
        }
        must(codes::NRAS_FWID_MISMATCH, "attestation-report-cert-chain-fwid-match")?;
        for manifest in form.manifests {
            must(codes::NRAS_RIM_VERSION_MISMATCH, &format!("{manifest}-version-match"))?;
        }
        certificates(&said, &own("attestation-report-cert-chain"))?;
        for manifest in form.manifests {
            certificates(&said, &own(&format!("{manifest}-cert-chain")))?;
        }
        // The service tells in this way that it let a certificate pass that is on hold.
        if let Some(warning) = said.optional::<String>("x-nvidia-attestation-warning")? {
            return Err(fail(codes::NRAS_CERT_STATUS, "x-nvidia-attestation-warning", &warning));
        }
        if !said.value("secboot")? {
            return Err(fail(codes::NRAS_SECBOOT_DISABLED, "secboot", &false));
        }
        let debug: String = said.value("dbgstat")?;
        if debug != "disabled" {
            return Err(fail(codes::NRAS_DEBUG_ENABLED, "dbgstat", &debug));
        }
        let of_manifests = form
            .manifests
            .iter()
            .flat_map(|manifest| MANIFEST_FLAGS.iter().map(move |flag| format!("{manifest}-{flag}")));
        let of_report = REPORT_FLAGS.iter().chain(form.flags).map(|flag| (*flag).to_owned());
        for flag in of_report.chain(of_manifests) {
            must(codes::NRAS_OVERALL_FAILED, &flag)?;
        }
        self.good(&said)
    }

    fn good(&self, said: &Said<'_>) -> Result<Good, Finding> {
        let form = self.form;
        let model: String = said.value("hwmodel")?;
        let arch = arch(form.class, &model).filter(|_| is_printable(&model));
        let arch = arch.ok_or_else(|| {
            malformed(self.name, &format_args!("`hwmodel` is {model:?}, which is no known {:?}", form.class))
        })?;
        let ueid: String = said.value("ueid")?;
        let ueid = from_decimal(&ueid).ok_or_else(|| {
            malformed(self.name, &format_args!("`ueid` is {ueid:?}, not a number of 160 bits"))
        })?;
        let version = |claim: &str| {
            let claim = format!("{}{claim}", form.prefix);
            let version: String = said.value(&claim)?;
            if is_version(&version) {
                return Ok(version);
            }
            Err(malformed(self.name, &format_args!("`{claim}` is {version:?}")))
        };
        let driver_version = match form.class {
            DeviceClass::Gpu => Some(version("driver-version")?),
            DeviceClass::Switch => None,
        };
        // Reports print it with small letters.
        let vbios_version = version(form.vbios_version)?.to_ascii_lowercase();
        Ok(Good { arch, model, ueid, driver_version, vbios_version })
    }
}

/// What is said of a chain of certificates.
fn certificates(said: &Said<'_>, claim: &str) -> Result<(), Finding> {
    let chain = said.within(claim)?;
    let fail = |name: &str, value: &dyn std::fmt::Debug| {
        Err(Finding::new(codes::NRAS_CERT_STATUS, format!("`{name}` in `{claim}` is {value:?}")))
    };
    for (name, good) in [("x-nvidia-cert-status", "valid"), ("x-nvidia-cert-ocsp-status", "good")] {
        let value: String = chain.value(name)?;
        if value != good {
            return fail(name, &value);
        }
    }
    const REASON: &str = "x-nvidia-cert-revocation-reason";
    if let Some(reason) = chain.optional::<String>(REASON)? {
        return fail(REASON, &reason);
    }
    // Newer services say more of the OCSP answers.
    for name in ["x-nvidia-cert-ocsp-response-valid", "x-nvidia-cert-ocsp-nonce-matches"] {
        if chain.optional(name)? == Some(false) {
            return fail(name, &false);
        }
    }
    Ok(())
}

/// The architecture of a model, which begins with the chip's name.
fn arch(class: DeviceClass, model: &str) -> Option<&'static str> {
    let arch = model.split(' ').next().and_then(Arch::of_chip)?;
    (arch.class() == class).then(|| arch.name())
}

fn is_printable(text: &str) -> bool {
    text.len() <= MAX_TEXT && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

fn is_version(text: &str) -> bool {
    let parts = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.len() <= MAX_TEXT && text.split('.').all(parts)
}

/// The number that the decimal digits are, big-endian. Zero stands for no device.
fn from_decimal(digits: &str) -> Option<[u8; 20]> {
    let mut number = [0_u8; 20];
    for digit in digits.bytes() {
        let mut carry = u16::from(digit.is_ascii_digit().then(|| digit.saturating_sub(b'0'))?);
        for byte in number.iter_mut().rev() {
            // At most 255 * 10 + 255.
            let [high, low] = u16::from(*byte).saturating_mul(10).saturating_add(carry).to_be_bytes();
            (*byte, carry) = (low, high.into());
        }
        if carry != 0 {
            return None;
        }
    }
    (number != [0; 20]).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_numbers_become_bytes() {
        let hex = |digits| from_decimal(digits).map(hex::encode);
        let padded = |text: &str| Some(format!("{text:0>40}"));
        assert_eq!(hex("1"), padded("1"));
        assert_eq!(hex("65536"), padded("10000"));
        let largest = "1461501637330902918203684832716283019655932542975";
        assert_eq!(hex(largest), Some("ff".repeat(20)));
        for bad in ["", "0", "-1", "+1", "1a", " 1", "1461501637330902918203684832716283019655932542976"] {
            assert_eq!(from_decimal(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn chips_have_an_architecture() {
        for (class, model, expected) in [
            (DeviceClass::Gpu, "GH100 A01 GSP BROM", Some("HOPPER")),
            (DeviceClass::Gpu, "GB100 A01 GSP BROM", Some("BLACKWELL")),
            (DeviceClass::Gpu, "GB202", Some("BLACKWELL")),
            (DeviceClass::Switch, "LS_10 A01 FSP BROM", Some("LS10")),
            (DeviceClass::Switch, "GH100 A01 GSP BROM", None),
            (DeviceClass::Gpu, "LS_10 A01 FSP BROM", None),
            (DeviceClass::Gpu, "GB10 A01", None),
            (DeviceClass::Gpu, "GH1000", None),
            (DeviceClass::Gpu, "", None),
        ] {
            assert_eq!(arch(class, model), expected, "{model}");
        }
    }
}
