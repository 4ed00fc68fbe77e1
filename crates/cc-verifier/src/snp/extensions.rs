//! Step S14: AMD's extensions of a leaf certificate (AMD 57230).

use cc_core::{Code, Finding, codes};
use der::Tag;
use der::oid::ObjectIdentifier;

use super::product::{Kind, Product};
use crate::pki::{Element, Extensions};

const STRUCT_VERSION: Id = Id("structVersion", ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.1"));
const PRODUCT_NAME: Id = Id("productName", ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.2"));
const BL_SPL: Id = Id("blSPL", ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.1"));
const TEE_SPL: Id = Id("teeSPL", ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.2"));
const SNP_SPL: Id = Id("snpSPL", ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.3"));
const SPL_4: Id = Id("spl4", ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.4"));
const SPL_5: Id = Id("spl5", ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.5"));
const SPL_6: Id = Id("spl6", ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.6"));
const SPL_7: Id = Id("spl7", ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.7"));
const UCODE_SPL: Id = Id("ucodeSPL", ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.8"));
const FMC_SPL: Id = Id("fmcSPL", ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.9"));
const HWID: Id = Id("hwID", ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.4"));
const CSP_ID: Id = Id("cspID", ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.5"));

/// Newest form of the extensions that is known: 1, which Turin has.
const MAX_STRUCT_VERSION: u8 = 1;

/// An extension: its name in claims and its identifier.
#[derive(Clone, Copy)]
struct Id(&'static str, ObjectIdentifier);

/// What the extensions of a leaf say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeafExtensions {
    pub(super) struct_version: u8,
    /// Product name as written, for example `Milan-B0`.
    pub(super) product_name: String,
    /// The TCB of the key, in the byte order that REPORTED_TCB has in a report of the product line.
    pub(super) tcb: [u8; 8],
    pub(super) owner: Owner,
}

/// Whose key it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A processor: its hardware id, of the length that the product line has.
    Chip(Vec<u8>),
    /// A cloud provider: its CSP_ID.
    Provider(String),
}

impl LeafExtensions {
    /// Reads the extensions of a leaf of that kind and product line.
    pub(super) fn read(extensions: &Extensions<'_>, kind: Kind, product: Product) -> Result<Self, Finding> {
        if let Some(id) = extensions.duplicate() {
            let id = ObjectIdentifier::from_bytes(id).map_or_else(|_| hex::encode(id), |id| id.to_string());
            return Err(Finding::new(codes::SNP_EXT_DUPLICATE, format!("extension {id} occurs twice")));
        }
        let fields = Fields(extensions);
        fields.absent(if kind == Kind::Vcek { CSP_ID } else { HWID }, kind.name())?;
        fields.absent(if product == Product::Turin { SPL_4 } else { FMC_SPL }, product.name())?;

        let struct_version = fields.level(STRUCT_VERSION)?;
        if struct_version > MAX_STRUCT_VERSION {
            let what = format!("is {struct_version}, known are 0 to {MAX_STRUCT_VERSION}");
            return Err(finding(codes::SNP_EXT_MALFORMED, STRUCT_VERSION, &what));
        }
        let product_name = fields.text(PRODUCT_NAME)?;
        let (bootloader, tee, snp) = (fields.level(BL_SPL)?, fields.level(TEE_SPL)?, fields.level(SNP_SPL)?);
        let (spl5, spl6) = (fields.level(SPL_5)?, fields.level(SPL_6)?);
        let (spl7, microcode) = (fields.level(SPL_7)?, fields.level(UCODE_SPL)?);
        let tcb = match product {
            Product::Milan | Product::Genoa => {
                [bootloader, tee, fields.level(SPL_4)?, spl5, spl6, spl7, snp, microcode]
            }
            Product::Turin => [fields.level(FMC_SPL)?, bootloader, tee, snp, spl5, spl6, spl7, microcode],
        };
        let owner = match kind {
            Kind::Vcek => Owner::Chip(fields.hwid(product)?),
            Kind::Vlek => Owner::Provider(fields.text(CSP_ID)?),
        };
        Ok(Self { struct_version, product_name, tcb, owner })
    }

    /// The product line of the product name; a stepping after a hyphen is ignored, some leaves have a wrong one.
    pub(super) fn product(&self) -> Option<Product> {
        let line = self.product_name.split_once('-').map_or(self.product_name.as_str(), |(line, _)| line);
        Product::from_name(line)
    }
}

/// Extensions by identifier, none of them twice.
struct Fields<'e, 'a>(&'e Extensions<'a>);

impl<'a> Fields<'_, 'a> {
    fn find(&self, id: Id) -> Option<&'a [u8]> {
        self.0.all(id.1).next().map(|extension| extension.value)
    }

    fn absent(&self, id: Id, whose: &str) -> Result<(), Finding> {
        match self.find(id) {
            None => Ok(()),
            Some(_) => {
                let detail = format!("{} does not belong into a leaf of {whose}", id.0);
                Err(Finding::new(codes::SNP_EXT_CONFLICT, detail))
            }
        }
    }

    fn required(&self, id: Id) -> Result<&'a [u8], Finding> {
        self.find(id).ok_or_else(|| finding(codes::SNP_EXT_MISSING, id, "is missing"))
    }

    /// A strict INTEGER of 0 to 255.
    fn level(&self, id: Id) -> Result<u8, Finding> {
        level(id, self.required(id)?)
    }

    /// A strict IA5String of printable characters.
    fn text(&self, id: Id) -> Result<String, Finding> {
        let content = Element::of(self.required(id)?, id.0)
            .and_then(|element| element.content_of(Tag::Ia5String, id.0));
        match content.map(std::str::from_utf8) {
            Ok(Ok(text)) if !text.is_empty() && text.bytes().all(|b| (b' '..=b'~').contains(&b)) => {
                Ok(text.to_owned())
            }
            _ => Err(finding(codes::SNP_EXT_MALFORMED, id, "is not an IA5String of printable characters")),
        }
    }

    /// The hardware id: the bytes themselves, or an OCTET STRING of them.
    fn hwid(&self, product: Product) -> Result<Vec<u8>, Finding> {
        let value = self.required(HWID)?;
        let length = product.hwid_length();
        if value.len() == length {
            return Ok(value.to_vec());
        }
        match Element::of(value, HWID.0) {
            Ok(Element { tag: Tag::OctetString, content, .. }) if content.len() == length => {
                Ok(content.to_vec())
            }
            _ => {
                let detail = format!("hwID of {} bytes, {product} has {length}", value.len());
                Err(Finding::new(codes::SNP_EXT_MALFORMED, detail))
            }
        }
    }
}

fn level(id: Id, value: &[u8]) -> Result<u8, Finding> {
    match value {
        [0x02, 1, level @ 0..=0x7f] | [0x02, 2, 0, level @ 0x80..=0xff] => Ok(*level),
        _ => {
            let what = format!("is {}, not an INTEGER of 0 to 255", hex::encode(value));
            Err(finding(codes::SNP_EXT_MALFORMED, id, &what))
        }
    }
}

fn finding(code: Code, id: Id, what: &str) -> Finding {
    Finding::new(code, format!("{} ({}) {what}", id.0, id.1))
}
