//! Tags without their signature.

use std::fmt::Write;

/// One measurement, every attribute as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// `index`.
    pub index: String,
    /// `active`: True or False.
    pub active: String,
    /// `alternatives`; by default their number.
    pub count: Option<String>,
    /// The values, hexadecimal.
    pub alternatives: Vec<String>,
    /// `size`.
    pub size: String,
}

impl Measurement {
    /// An active measurement with values of 48 times that byte.
    pub fn of(index: u8, values: &[u8]) -> Self {
        Self {
            index: index.to_string(),
            active: "True".to_owned(),
            count: None,
            alternatives: values.iter().map(|byte| format!("{byte:02x}").repeat(48)).collect(),
            size: "48".to_owned(),
        }
    }

    /// The same, not active.
    pub fn inactive(mut self) -> Self {
        self.active = "False".to_owned();
        self
    }

    fn xml(&self) -> String {
        let count = self.count.clone().unwrap_or_else(|| self.alternatives.len().to_string());
        let mut hashes = String::new();
        for (i, value) in self.alternatives.iter().enumerate() {
            write!(hashes, " ns2:Hash{i}=\"{value}\"").unwrap();
        }
        let Self { index, active, size, .. } = self;
        format!(
            "        <ns0:Resource type=\"Measurement\" index=\"{index}\" active=\"{active}\" alternatives=\"{count}\"\
             {hashes} name=\"Measurement_{index}\" size=\"{size}\"/>\n"
        )
    }
}

/// A tag by field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// `edition`: GPU or SWITCH.
    pub edition: String,
    /// `product`, also the name.
    pub product: String,
    /// `colloquialVersion`.
    pub version: String,
    /// `FirmwareManufacturer`.
    pub manufacturer: String,
    /// The content of Payload; without, there is no such element.
    pub measurements: Option<Vec<Measurement>>,
}

impl Tag {
    /// A tag with these measurements.
    pub fn new(edition: &str, product: &str, version: &str, measurements: Vec<Measurement>) -> Self {
        Self {
            edition: edition.to_owned(),
            product: product.to_owned(),
            version: version.to_owned(),
            manufacturer: "NVIDIA Corporation".to_owned(),
            measurements: Some(measurements),
        }
    }

    /// A driver's: four measurements, one of them with two values and one not active.
    pub fn driver(version: &str) -> Self {
        let measurements = vec![
            Measurement::of(0, &[0]).inactive(),
            Measurement::of(7, &[0x70]),
            Measurement::of(21, &[0x21, 0x22]),
            Measurement::of(35, &[0x35]),
        ];
        Self::new("GPU", "GH100", version, measurements)
    }

    /// A VBIOS's: three measurements, one of them not active.
    pub fn vbios(version: &str) -> Self {
        let measurements =
            vec![Measurement::of(0, &[0]), Measurement::of(1, &[0x11]), Measurement::of(7, &[0]).inactive()];
        Self::new("GPU", "GH100", version, measurements)
    }

    /// The BIOS's of a switch: two measurements.
    pub fn switch_bios(version: &str) -> Self {
        Self::new("SWITCH", "LS10", version, vec![Measurement::of(0, &[1]), Measurement::of(1, &[2])])
    }

    /// The text, as NVIDIA writes it.
    pub fn xml(&self) -> String {
        let Self { edition, product, version, manufacturer, .. } = self;
        let payload = self.measurements.as_ref().map(|measurements| {
            let measurements: String = measurements.iter().map(Measurement::xml).collect();
            format!(
                "    <ns0:Payload xmlns:SHA384=\"http://www.w3.org/2001/04/xmlenc#sha384\">\n{measurements}    \
                 </ns0:Payload>\n"
            )
        });
        format!(
            "<SoftwareIdentity xmlns=\"http://standards.iso.org/iso/19770/-2/2015/schema.xsd\" \
             xmlns:ns0=\"http://standards.iso.org/iso/19770/-2/2015/schema.xsd\" \
             xmlns:ns2=\"http://www.w3.org/2001/04/xmlenc#sha384\" corpus=\"false\" name=\"{product}\" \
             patch=\"false\" supplemental=\"false\" tagId=\"6d7573746572\" version=\"1.0\" tagVersion=\"0\">\n    \
             <ns0:Entity name=\"NVIDIA Corporation\" role=\"softwareCreator tagCreator\"/>\n    \
             <ns0:Meta xmlns:ns1=\"https://trustedcomputinggroup.org/resource/tcg-reference-integrity-manifest-rim-\
             information-model/\" colloquialVersion=\"{version}\" edition=\"{edition}\" product=\"{product}\" \
             revision=\"r1\" PayloadType=\"direct\" ns1:BindingSpec=\"RIMIM\" ns1:BindingSpecVersion=\"1.01\" \
             ns1:PlatformManufacturerId=\"5703\" ns1:PlatformManufacturerStr=\"{manufacturer}\" \
             ns1:PlatformModel=\"{product}\" ns1:FirmwareManufacturer=\"{manufacturer}\" \
             ns1:FirmwareManufacturerId=\"5703\"/>\n{}</SoftwareIdentity>",
            payload.unwrap_or_default()
        )
    }
}
