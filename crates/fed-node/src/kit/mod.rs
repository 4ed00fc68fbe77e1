//! A kit: the directory that `muster provision` makes for one participant or administrator.
//!
//! | file | what | for |
//! | --- | --- | --- |
//! | `muster.toml` | this node's configuration | all |
//! | `descriptor.toml` | the federation, its owner and its enrolment CAs | all |
//! | `enrolment.pem`, `enrolment.key` | certificate chain, leaf first, and its key (PKCS#8) | all |
//! | `bundle.cbor` | the owner's signed bundle | participants |
//! | `policy.toml` | the site's own policy | participants |
//! | `plugins.toml` | the plugins with their digests | participants |
//!
//! Reading a kit checks what can be checked without a clock and without a network: forms, owners and modes, and that
//! the certificate, its key and the configuration belong together. Policy and plugins are read by those who apply them.

mod config;
mod error;
mod files;

use std::fmt;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use fed_proto::bundle::SignedBundle;
use fed_proto::crypto::{Digest, Signature, sha256};
use fed_proto::descriptor::Descriptor;
use fed_proto::enrol::{self, Subject};
use fed_proto::role::Role;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

pub use config::{NodeConfig, OnFailure, Part, Participant};
pub use error::KitError;

use crate::tls::{self, ClientTls, ServerTls};
use files::{Access, read, read_text};

/// Longest enrolment chain, in certificates.
const MAX_CHAIN: usize = 4;
/// Longest certificate, in bytes (*verification.md* 0.6).
const MAX_CERTIFICATE: usize = 16 * 1024;
/// Longest text file of a kit, in bytes.
const MAX_TEXT: usize = 1024 * 1024;
/// Longest key file, in bytes.
const MAX_KEY: usize = 16 * 1024;

/// A kit that was read.
pub struct Kit {
    /// The directory, absolute.
    pub dir: PathBuf,
    /// `muster.toml`.
    pub config: NodeConfig,
    /// SHA-256 of `muster.toml` as it was read.
    pub config_sha256: Digest,
    /// The federation.
    pub descriptor: Descriptor,
    /// The owner's bundle that came with the kit, not opened yet; administrators have none.
    pub bundle: Option<SignedBundle>,
    /// The enrolment certificate and its issuers below the federation's CA.
    pub chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    signer: EcdsaKeyPair,
}

impl fmt::Debug for Kit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kit").field("dir", &self.dir).field("config", &self.config).finish_non_exhaustive()
    }
}

/// The enrolment key made no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the enrolment key made no signature")]
pub struct SigningFailed;

impl Kit {
    /// Reads the kit in `dir`.
    pub fn load(dir: &Path) -> Result<Self, KitError> {
        let dir =
            std::path::absolute(dir).map_err(|source| KitError::Read { path: dir.to_owned(), source })?;
        let path = dir.join("muster.toml");
        let text = read_text(&path, MAX_TEXT)?;
        let config_sha256 = sha256(text.as_bytes());
        let config = config::parse(&text, &dir)
            .map_err(|config::Wrong { key, problem }| KitError::Config { path, key, problem })?;

        let path = dir.join("descriptor.toml");
        let descriptor = Descriptor::parse(&read_text(&path, MAX_TEXT)?)
            .map_err(|source| KitError::Descriptor { path, source: Box::new(source) })?;

        let path = dir.join("enrolment.pem");
        let chain = read_chain(&path)?;
        named(&path, &chain, &config, &descriptor)?;
        let path = dir.join("enrolment.key");
        let (key, signer) = read_key(&path)?;
        tls::check_pair(&chain, &key).map_err(|error| KitError::Key { path, problem: error.to_string() })?;

        let bundle = config.participant().map(|_| read_bundle(&dir.join("bundle.cbor"))).transpose()?;
        Ok(Self { dir, config, config_sha256, descriptor, bundle, chain, key, signer })
    }

    /// Signs an enrolment statement ([`enrol::statement`]) with the enrolment key.
    pub fn sign_enrolment(&self, statement: &[u8]) -> Result<Signature, SigningFailed> {
        let signature = self.signer.sign(&SystemRandom::new(), statement).map_err(|_| SigningFailed)?;
        signature.as_ref().try_into().map(Signature).map_err(|_| SigningFailed)
    }

    /// The server's side of TLS with this kit's credentials.
    pub fn server_tls(&self) -> Result<ServerTls, tls::ConfigError> {
        ServerTls::new(&self.descriptor, self.chain.clone(), self.key.clone_key())
    }

    /// A client's side of TLS with this kit's credentials.
    pub fn client_tls(&self) -> Result<ClientTls, tls::ConfigError> {
        ClientTls::new(&self.descriptor, self.chain.clone(), self.key.clone_key())
    }
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, KitError> {
    let wrong = |problem: String| KitError::Certificate { path: path.to_owned(), problem };
    let pem = read(path, MAX_TEXT, Access::Public)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).take(MAX_CHAIN + 1).collect();
    let chain = chain.map_err(|error| wrong(error.to_string()))?;
    if chain.is_empty() || chain.len() > MAX_CHAIN {
        return Err(wrong(format!("1 to {MAX_CHAIN} certificates are needed")));
    }
    if chain.iter().any(|der| der.len() > MAX_CERTIFICATE) {
        return Err(wrong(format!("a certificate has more than {MAX_CERTIFICATE} bytes")));
    }
    Ok(chain)
}

fn read_key(path: &Path) -> Result<(PrivateKeyDer<'static>, EcdsaKeyPair), KitError> {
    let wrong = |problem: String| KitError::Key { path: path.to_owned(), problem };
    let pem = read(path, MAX_KEY, Access::Secret)?;
    let key = PrivatePkcs8KeyDer::from_pem_slice(&pem).map_err(|error| wrong(error.to_string()))?;
    let signer = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.secret_pkcs8_der())
        .map_err(|error| wrong(format!("not a P-256 key: {error}")))?;
    Ok((key.into(), signer))
}

fn read_bundle(path: &Path) -> Result<SignedBundle, KitError> {
    let bytes = read(path, SignedBundle::MAX.saturating_add(1024), Access::Public)?;
    SignedBundle::from_bytes(&bytes).ok_or_else(|| KitError::Bundle { path: path.to_owned() })
}

/// The certificate must name whom the configuration names, and the server must be the descriptor's.
fn named(
    path: &Path,
    chain: &[CertificateDer<'_>],
    config: &NodeConfig,
    descriptor: &Descriptor,
) -> Result<(), KitError> {
    let leaf = chain.first().map(AsRef::as_ref).unwrap_or_default();
    let found = enrol::subject(leaf)
        .map_err(|finding| KitError::Certificate { path: path.to_owned(), problem: finding.to_string() })?;
    let expected = config.subject();
    if found != expected {
        return Err(KitError::Subject { path: path.to_owned(), found, expected });
    }
    if let Subject::Participant { role: Role::Server, name } = found
        && name != descriptor.server
    {
        return Err(KitError::OtherServer { path: path.to_owned(), name, server: descriptor.server.clone() });
    }
    Ok(())
}
