//! XML signatures by field.

use aws_lc_rs::digest::{SHA256, SHA384, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::canonical::{canonical, declarations};
use super::chain::Chain;
use super::tag::Tag;
use crate::snp::SignKey;

const XMLDSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
const CANONICAL_XML: &str = "http://www.w3.org/2006/12/xml-c14n11";

/// Who signs manifests.
#[derive(Clone)]
pub struct Signer {
    /// The certificates.
    pub chain: Chain,
    /// The key, by default the one in the signer's certificate.
    pub key: &'static SignKey,
}

impl Signer {
    /// NVIDIA, with the committed keys and root.
    pub fn nvidia() -> Self {
        Self::new(Chain::nvidia())
    }

    /// The last of this chain.
    pub fn new(chain: Chain) -> Self {
        let [.., key] = chain.keys;
        Self { chain, key }
    }

    /// A signed manifest, as NVIDIA's files are.
    pub fn sign(&self, tag: &Tag) -> Vec<u8> {
        self.sign_xml(&tag.xml()).into_bytes()
    }

    /// Signs any tag that [`canonical`] can take.
    pub fn sign_xml(&self, tag: &str) -> String {
        Signature::over(tag, self).within(tag)
    }

    /// The answer of NVIDIA's service: a signed manifest in JSON.
    pub fn answer(&self, id: &str, tag: &Tag) -> Vec<u8> {
        answer(id, &self.sign(tag))
    }
}

/// A file in the form in which NVIDIA's service answers.
pub fn answer(id: &str, file: &[u8]) -> Vec<u8> {
    let sha256: String = digest(&SHA256, file).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let rim = STANDARD.encode(file);
    format!(
        r#"{{"id":"{id}","rim":"{rim}","sha256":"{sha256}","last_updated":"2026-01-01T00:00:00.000000","rim_format":"TCG","request_id":"0"}}"#
    )
    .into_bytes()
}

/// A reference to what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The attributes, with a space before each.
    pub attributes: String,
    /// The algorithms of the transforms.
    pub transforms: Vec<String>,
    /// The digest's algorithm.
    pub method: String,
    /// The digest.
    pub digest: Vec<u8>,
}

impl Reference {
    /// Of the whole document, given without the signature.
    pub fn to(tag: &str) -> Self {
        Self {
            attributes: " URI=\"\"".to_owned(),
            transforms: vec![format!("{XMLDSIG}enveloped-signature"), CANONICAL_XML.to_owned()],
            method: "http://www.w3.org/2001/04/xmldsig-more#sha384".to_owned(),
            digest: digest(&SHA384, canonical(tag).as_bytes()).as_ref().to_vec(),
        }
    }

    fn xml(&self) -> String {
        let Self { attributes, transforms, method, digest } = self;
        let transforms: String =
            transforms.iter().map(|name| format!("<ds:Transform Algorithm=\"{name}\"/>")).collect();
        format!(
            "<ds:Reference{attributes}><ds:Transforms>{transforms}</ds:Transforms><ds:DigestMethod \
             Algorithm=\"{method}\"/><ds:DigestValue>{}</ds:DigestValue></ds:Reference>",
            STANDARD.encode(digest)
        )
    }
}

/// A signature by field; made over what the fields say when it is written.
#[derive(Clone)]
pub struct Signature {
    /// Attributes of Signature, with a space before each.
    pub attributes: String,
    /// Attributes of SignedInfo, with a space before each.
    pub info_attributes: String,
    /// The algorithm that makes SignedInfo canonical.
    pub canonicalization: String,
    /// The signature's algorithm.
    pub method: String,
    /// What is signed.
    pub references: Vec<Reference>,
    /// The content of KeyInfo; without, there is no such element.
    pub key_info: Option<String>,
    /// What follows KeyInfo.
    pub objects: String,
    /// Who signs.
    pub key: &'static SignKey,
}

impl Signature {
    /// A signature over a tag as NVIDIA makes it.
    pub fn over(tag: &str, signer: &Signer) -> Self {
        Self {
            attributes: String::new(),
            info_attributes: String::new(),
            canonicalization: CANONICAL_XML.to_owned(),
            method: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384".to_owned(),
            references: vec![Reference::to(tag)],
            key_info: Some(x509_data(&signer.chain.certificates())),
            objects: String::new(),
            key: signer.key,
        }
    }

    /// The element, for a document with this root.
    pub fn xml(&self, tag: &str) -> String {
        let references: String = self.references.iter().map(Reference::xml).collect();
        let info = |declarations: &str| {
            let Self { info_attributes, canonicalization, method, .. } = self;
            format!(
                "<ds:SignedInfo{declarations}{info_attributes}><ds:CanonicalizationMethod \
                 Algorithm=\"{canonicalization}\"/><ds:SignatureMethod Algorithm=\"{method}\"/>{references}\
                 </ds:SignedInfo>"
            )
        };
        // A part has the declarations of all that it stands in.
        let above = format!(" xmlns:ds=\"{XMLDSIG}\"{}", declarations(tag));
        let value = STANDARD.encode(self.key.sign_fixed(canonical(&info(&above)).as_bytes()));
        let key_info = self.key_info.as_ref().map(|inside| format!("<ds:KeyInfo>{inside}</ds:KeyInfo>"));
        format!(
            "<ds:Signature xmlns:ds=\"{XMLDSIG}\"{}>{}<ds:SignatureValue>{value}</ds:SignatureValue>{}{}\
             </ds:Signature>",
            self.attributes,
            info(""),
            key_info.unwrap_or_default(),
            self.objects
        )
    }

    /// The document with the signature as the last child of its root.
    pub fn within(&self, tag: &str) -> String {
        let end = tag.rfind("</").unwrap();
        [&tag[..end], &self.xml(tag), &tag[end..]].concat()
    }
}

/// X509Data with these certificates, in lines of 64 characters.
pub fn x509_data(certificates: &[Vec<u8>]) -> String {
    let one = |der: &Vec<u8>| {
        let text = STANDARD.encode(der);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("<ds:X509Certificate>{}\n</ds:X509Certificate>", lines.join("\n"))
    };
    format!("<ds:X509Data>{}</ds:X509Data>", certificates.iter().map(one).collect::<String>())
}
