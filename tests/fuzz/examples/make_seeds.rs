//! Writes `seeds` anew, from the fixtures and from messages made here: `cargo run --example make_seeds`.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cc_core::message::{
    Blob, CollectRequest, Collected, Denial, Floor, Identity, MESSAGE_VERSION, Message, VerifyReply,
    WireOutcome,
};
use cc_core::{
    Binding, BoundField, BoundKind, Claims, Code, Profile, ProfileInfo, Role, TrustClass, exchange,
};
use cc_testkit::aci::{Container, Policy};
use cc_testkit::cbor;
use cc_testkit::gpu::rim::{Signer, Tag, canonical};
use cc_testkit::jwt::{Object, certified_key, ec_key, key_set, rsa_key};
use cc_testkit::nras::Answer;
use cc_testkit::ocsp::authority_key;
use cc_testkit::snp::{NOW, keys};
use cc_testkit::tdx::ccel::EventLog;
use cc_testkit::tdx::collateral::{QeIdentity, TcbInfo};
use cc_testkit::tdx::sgx::SgxExtension;
use cc_testkit::tdx::{Ca, Form, World};
use cc_verifier::snp::{Anchors, Verifier};
use fed_proto::bundle::SignedBundle;
use fed_proto::crypto::sha256;
use fed_proto::descriptor::{Descriptor, FederationProfile};
use fed_proto::envelope::Envelope;
use fed_proto::message::{
    Admission, Busy, Challenge, ChannelProof, Closed, Contribution, Hello, JobOrder, JobUpdate, Kind, Notice,
    Open, Payload, Publish, Reserve, Reserved, VerdictMessage,
};
use fed_proto::verdict::Verdict;
use muster_fuzz::aci::ENDORSEMENTS;
use muster_fuzz::federation::{FEDERATION, KEY, TRANSCRIPT, envelope, leaf, message};
use muster_fuzz::gpu::WORLDS;
use muster_fuzz::ocsp::{ANSWERS, NONCE, OWN, SUBJECT};
use muster_fuzz::vtpm::WORLDS as MACHINES;
use muster_fuzz::{
    CHAIN, CHAIN_PEM, LEAF, MIRRORED, REPORT, TURIN_CHAIN, TURIN_LEAF, input_of, plan_request, verify_request,
};

/// GUIDs of VCEK, ASK and ARK in certificate tables (*verification.md* 1.5).
const GUIDS: [u128; 3] = [
    0x63da_758d_e664_4564_adc5_f4b9_3be8_accd,
    0x4ab7_b379_bbac_4fe4_a02f_05ae_f327_c782,
    0xc0b4_06a4_a803_4952_9743_3fb6_014c_d0ae,
];

fn main() {
    let report = |name: &str, bytes: &[u8]| write("snp_report", name, bytes);
    report("version-2", REPORT);
    report("version-3-milan", &with_cpuid(3, [0x19, 0x01, 0x01]));
    report("version-3-genoa", &with_cpuid(3, [0x19, 0x11, 0x01]));
    report("version-5-turin", &with_cpuid(5, [0x1a, 0x02, 0x01]));

    groups();
    tdx();
    gpu();
    rim();
    ocsp();
    tokens();
    machines();

    let genuine: [&[u8]; 3] = [LEAF, &CHAIN[0], &CHAIN[1]];
    let turin: [&[u8]; 3] = [TURIN_LEAF, &TURIN_CHAIN[0], &TURIN_CHAIN[1]];
    let verify = |name: &str, parts: &[&[u8]]| write("snp_verify", name, &parts.concat());
    verify("genuine", &[&[0]]);
    verify("report-bit", &[&[1], &[0, 0x50, 0, 1]]);
    verify("leaf-bit", &[&[1], &[1, 0x20, 1, 1]]);
    verify("issuer-bit", &[&[1], &[2, 0x20, 2, 1]]);
    let patches: Vec<u8> =
        (0_u16..).zip(REPORT.iter().zip(MIRRORED.iter())).fold(Vec::new(), |mut all, (at, (a, b))| {
            if a != b {
                all.extend([0, at.to_le_bytes()[0], at.to_le_bytes()[1], a ^ b]);
            }
            all
        });
    verify("mirrored-signature", &[&[u8::try_from(patches.len() / 4).unwrap()], &patches]);
    verify("genuine-last", &[&[0x80], &input_of(&[turin, genuine].concat())]);
    verify("genuine-in-table", &[&[0x80], &input_of(&[&table(&genuine)])]);
    verify("turin-in-table", &[&[0x80], &input_of(&[&table(&turin)])]);
    verify("issuers-pem-in-table", &[&[0x80], &input_of(&[&table(&[LEAF, CHAIN_PEM])])]);
    verify("invented-list", &[&[0], &input_of(&[&revocation_list(&CHAIN[1])])]);

    let endorsements = |name: &str, flags: u8, objects: &[&[u8]]| {
        write("snp_endorsements", name, &[&[flags], &input_of(objects)[..]].concat());
    };
    endorsements("chain", 1, &[]);
    endorsements("turin", 1, &turin);
    endorsements("turin-in-table", 0, &[&table(&turin)]);
    endorsements("issuers-pem-in-table", 0, &[&table(&[TURIN_LEAF, CHAIN_PEM])]);
    endorsements("issuers-as-leaves", 1, &genuine[1..]);
    endorsements("invented-list", 1, &[&revocation_list(&CHAIN[1])]);
    endorsements("other-processor", 1, &[&other_processor()]);

    write("snp_certtable", "three", &table(&[b"leaf", b"issuer", b"root"]));
    write("snp_certtable", "one", &table(&[b"leaf"]));
    write("snp_certtable", "none", &table(&[]));

    let plan = Verifier::new(Anchors::amd(), 0).plan(&plan_request(REPORT, Vec::new())).unwrap();
    write("claims", "report", &minicbor::to_vec(&plan.claims).unwrap());
    let mut claims = Claims::new();
    claims.insert("list", vec![1_u64, 300, 70_000, u64::MAX]);
    claims.insert("flag", true);
    claims.insert("text", "é");
    let mut outer = Claims::new();
    outer.insert("inner", claims.clone());
    write("claims", "nested", &minicbor::to_vec(&outer).unwrap());

    messages(claims);
    federation();
    write("abi_messages", "plan", &plan.to_bytes());

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for policy in [
        "docs/examples/demo-permits.toml",
        "docs/examples/demo-forbids.toml",
        "crates/cc-policy/examples/snp-production.toml",
        "crates/cc-policy/examples/tdx-production.toml",
        "crates/cc-policy/examples/gpu-production.toml",
        "crates/cc-policy/examples/aci-production.toml",
        "crates/cc-policy/examples/maa-production.toml",
        "crates/cc-policy/examples/azcvm-production.toml",
    ] {
        let name = Path::new(policy).file_stem().unwrap().to_str().unwrap();
        write("policy", name, &std::fs::read(root.join(policy)).unwrap());
    }

    let import = |name: &str, bytes: &[u8]| write("evidence_import", name, bytes);
    import("raw", REPORT);
    let report = STANDARD.encode(REPORT);
    import("json", format!("{{\"provider\": \"sev_guest\\n\", \"outblob\": \"{report}\"}}").as_bytes());
    let (report, aux) = (URL_SAFE_NO_PAD.encode(b"report\xff\xfe"), STANDARD.encode(b"table\xff"));
    import(
        "json-aux",
        format!("{{\"provider\":\"tdx_guest\",\"outblob\":\"{report}\",\"auxblob\":\"{aux}\"}}").as_bytes(),
    );
    import("pem", CHAIN_PEM);
    import("pem-short", b"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n");
    import("der", &[&tlv(0x30, b"first")[..], &tlv(0x30, &[0; 300])].concat());
}

/// Messages, protected headers and payloads of endorsements; policies.
fn groups() {
    for (name, endorsement) in ENDORSEMENTS.iter() {
        write("aci_uvm", name, &endorsement.sign());
        write("aci_uvm", &format!("{name}-headers"), &cbor::map(&endorsement.protected));
        write("aci_uvm", &format!("{name}-payload"), &endorsement.payload);
    }
    let mut policy = Policy::tight();
    write("cce_policy", "tight", policy.text().as_bytes());
    write("cce_policy", "open-door", Policy::open_door().text().as_bytes());
    let mut container = Container::tight();
    container
        .set("env_rules", "[{\"pattern\": \"A=.+\", \"strategy\": \"re2\"}]")
        .set("allow_elevated", "true");
    policy.containers.push(container);
    policy.set_rule("fragments", "[{\"feed\": \"f\", \"includes\": [\"containers\"]}]");
    policy.set_rule("external_processes", "[{\"command\": [\"bash\"], \"allow_stdio_access\": true}]");
    write("cce_policy", "openings", policy.text().as_bytes());
}

fn gpu() {
    for (member, _) in WORLDS.iter() {
        let name = member.arch.name().to_lowercase();
        let signed = member.report.signed();
        // What follows request, header, measurements, the responder's nonce and a length.
        let blocks: usize = member.report.blocks.iter().map(|block| block.value.len() + 7).sum();
        write("spdm", &name, &member.report.bytes());
        write("gpu_opaque", &name, &signed[37 + 8 + blocks + 32 + 2..]);
    }
}

fn rim() {
    let signer = Signer::nvidia();
    let manifest = |name: &str, bytes: &[u8]| write("rim_xml", name, bytes);
    let driver = Tag::driver("550.90.07");
    manifest("driver", &signer.sign(&driver));
    manifest("vbios", &signer.sign(&Tag::vbios("96.00.9F.00.01")));
    manifest("switch-bios", &signer.sign(&Tag::switch_bios("96.10.55.00.01")));
    manifest("answer", &signer.answer("NV_GPU_DRIVER_GH100_550.90.07", &driver));
    manifest("unsigned", driver.xml().as_bytes());
    manifest("signed-twice", signer.sign_xml(&signer.sign_xml(&driver.xml())).as_bytes());
    manifest("canonical", canonical(&driver.xml()).as_bytes());
}

fn ocsp() {
    let question = cc_verifier::ocsp::request(&SUBJECT, &NONCE);
    for (name, answer) in ANSWERS.iter() {
        let answer = answer.sign();
        write("ocsp_response", name, &answer);
        write("ocsp_response", &format!("{name}-exchange"), &exchange::encode(&question, &answer));
    }
    let mut own = OWN.clone();
    write("ocsp_response", "by-issuer", &own.sign_with(authority_key()));
    own.status = 3;
    write("ocsp_response", "try-later", &own.sign());
}

fn machines() {
    for (name, world) in ["snp", "tdx"].into_iter().zip(MACHINES.iter()) {
        write("hcl_report", name, &world.hcl.bytes());
    }
    let [world, _] = &*MACHINES;
    write("hcl_report", "runtime-data", &world.hcl.runtime_data);
    write("tpm_quote", "all", &world.message);
    let mut quote = world.quote.clone();
    quote.over(&world.pcrs[7..8]);
    write("tpm_quote", "one", &quote.bytes());
    quote.banks.push((4, vec![0; 3]));
    write("tpm_quote", "two-banks", &quote.bytes());
}

fn write(target: &str, name: &str, bytes: &[u8]) {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "seeds", target].iter().collect();
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), bytes).unwrap();
}

/// Claims of tokens, key sets, and whole answers; signatures are made anew by the targets.
fn tokens() {
    let mut claims = Object::of(&[("iss", "https://issuer.example")]);
    ["iat", "nbf"].iter().for_each(|name| claims.set_number(name, NOW));
    claims.set_number("exp", NOW + 3600);
    let text = format!("{{\"alg\":\"ES384\",\"kid\":\"ec\"}}\n{}", claims.text());
    write("jwt", "claims", text.as_bytes());
    claims.set("aud", r#"["us"]"#);
    let text =
        format!("{{\"kid\":\"ec\",\"alg\":\"ES384\",\"crit\":[\"b64\"],\"b64\":false}}\n{}", claims.text());
    write("jwt", "parameters", text.as_bytes());
    let (ec, rsa) = (ec_key("ec", keys::stranger_p384()), rsa_key("rsa", keys::stranger_rsa()));
    write("jwt", "keys", &key_set(&[ec, certified_key("ec2", "EC", LEAF), rsa]));
    write("jwt", "token", b"eyJhbGciOiJFUzM4NCIsImtpZCI6ImVjIn0.e30.AAAA");
    for (name, answer) in
        [("gpu", Answer::gpus(1, &[0x2a; 32], NOW)), ("switch", Answer::switches(1, &[0x2a; 32], NOW))]
    {
        write("nras", name, answer.devices[0].1.payload.text().as_bytes());
    }
    write("nras", "answer", br#"[["JWT","e30.e30."],{"GPU-0":"e30.e30.","GPU-1":"e30.e30."}]"#);
}

/// The report in a version that has CPUID; reserved bytes of the newer TCB layout are zero.
fn with_cpuid(version: u8, cpuid: [u8; 3]) -> Vec<u8> {
    let mut report = REPORT.to_vec();
    report[0] = version;
    report[0x188..0x18b].copy_from_slice(&cpuid);
    if cpuid[0] == 0x1a {
        for tcb in [0x38, 0x180, 0x1e0, 0x1f0] {
            report[tcb + 4..tcb + 7].fill(0);
        }
    }
    report
}

fn table(blobs: &[&[u8]]) -> Vec<u8> {
    let (mut header, mut body) = (Vec::new(), Vec::<u8>::new());
    for (guid, blob) in GUIDS.iter().zip(blobs) {
        let offset = 24 * (blobs.len() + 1) + body.len();
        header.extend(guid.to_be_bytes());
        header.extend(u32::try_from(offset).unwrap().to_le_bytes());
        header.extend(u32::try_from(blob.len()).unwrap().to_le_bytes());
        body.extend(*blob);
    }
    header.extend([0; 24]);
    header.extend(body);
    header
}

/// The genuine leaf with another processor's identity, so with a signature that is not its issuer's.
fn other_processor() -> Vec<u8> {
    let chip = &REPORT[0x1a0..0x1e0];
    let at = LEAF.windows(64).position(|part| part == chip).unwrap();
    let mut leaf = LEAF.to_vec();
    leaf[at] ^= 1;
    leaf
}

/// A revocation list in the root's name, with its algorithm and somebody's signature.
fn revocation_list(root: &[u8]) -> Vec<u8> {
    let [tbs, algorithm, signature] = elements(content(root))[..] else { panic!("no certificate") };
    let issuer = elements(content(tbs))[3];
    let time = tlv(0x17, b"260101000000Z");
    let entry = tlv(0x30, &[&tlv(2, &[1])[..], &time].concat());
    // CRL number 7 (2.5.29.20).
    let number = tlv(0x30, &[&tlv(6, &[0x55, 0x1d, 20])[..], &tlv(4, &tlv(2, &[7]))].concat());
    let until = tlv(0x17, b"270101000000Z");
    let extensions = tlv(0xa0, &tlv(0x30, &number));
    let parts: [&[u8]; 7] =
        [&tlv(2, &[1]), algorithm, issuer, &time, &until, &tlv(0x30, &entry), &extensions];
    tlv(0x30, &[&tlv(0x30, &parts.concat())[..], algorithm, signature].concat())
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = vec![tag];
    match u8::try_from(length) {
        Ok(length @ 0..=0x7f) => bytes.push(length),
        _ => {
            bytes.push(0x82);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    bytes.extend(content);
    bytes
}

/// Length of the header and of the content of the element at the start of `der`.
fn lengths(der: &[u8]) -> (usize, usize) {
    match der[1] {
        short @ 0..=0x7f => (2, short.into()),
        long => {
            let digits = usize::from(long & 0x7f);
            (2 + digits, der[2..2 + digits].iter().fold(0, |sum, byte| sum * 256 + usize::from(*byte)))
        }
    }
}

fn content(der: &[u8]) -> &[u8] {
    let (header, length) = lengths(der);
    &der[header..header + length]
}

fn elements(mut der: &[u8]) -> Vec<&[u8]> {
    let mut list = Vec::new();
    while !der.is_empty() {
        let (header, length) = lengths(der);
        let (element, rest) = der.split_at(header + length);
        list.push(element);
        der = rest;
    }
    list
}

/// One of each kind of message but plans.
fn messages(claims: Claims) {
    let (version, profile) = (MESSAGE_VERSION, Profile::snp_raw_1());
    let message = |name: &str, bytes: Vec<u8>| write("abi_messages", name, &bytes);
    let info = ProfileInfo {
        profile: profile.clone(),
        namespace: "x-snp".to_owned(),
        media_types: vec!["application/octet-stream".to_owned()],
        roles: vec![Role::Collect, Role::Verify],
    };
    let identity = Identity {
        version,
        name: "example".to_owned(),
        vendor: "vendor".to_owned(),
        plugin_version: "1.2.3".to_owned(),
        sdk_version: "1.0.0".to_owned(),
        trust_class: TrustClass::Hardware,
        profiles: vec![info],
    };
    message("identity", identity.to_bytes());
    let collect = CollectRequest { version, profile: profile.clone(), binding: Binding::new([7; 64]) };
    message("collect-request", collect.to_bytes());
    let hints = vec![Blob(b"hint".to_vec()), Blob(vec![0; 30])];
    let collected = Collected { version, evidence: b"evidence".to_vec(), endorsements: hints.clone() };
    message("collected", collected.to_bytes());
    message("plan-request", plan_request(b"evidence", hints.clone()).to_bytes());
    message("verify-request", verify_request(b"evidence", hints).to_bytes());
    let denial =
        Denial { version, code: "snp.crl.missing".to_owned(), detail: "no revocation list".to_owned() };
    message("denial", denial.to_bytes());
    let bound = BoundField { kind: BoundKind::ReportData, bytes: vec![7; 64] };
    let accept = WireOutcome::Accept { claims, bound, waived: vec!["snp.crl.missing".to_owned()] };
    let floor = Floor { name: "snp.crl.Milan".to_owned(), number: [1; 20], endorsement: 1 };
    let outcomes = [
        ("accept", accept, vec![floor]),
        ("reject", WireOutcome::Reject(denial.clone()), Vec::new()),
        ("indeterminate", WireOutcome::Indeterminate(denial), Vec::new()),
    ];
    for (name, outcome, floors) in outcomes {
        let recognised = vec!["snp.vcek".to_owned(), "snp.crl".to_owned()];
        let reply = VerifyReply { version, profile: profile.clone(), outcome, recognised, floors };
        message(&format!("reply-{name}"), reply.to_bytes());
    }
}

/// Tokens, messages with each payload, what is signed, and texts.
fn federation() {
    let full = envelope();
    let plain = Envelope { aux: Vec::new(), devices: Vec::new(), endorsements: Vec::new(), ..full.clone() };
    write("fed_envelope", "full", &full.to_bytes());
    write("fed_envelope", "plain", &plain.to_bytes());

    write("fed_message", "token", &message(Kind::Token.number(), full.to_bytes()).to_bytes());
    payloads();

    let name = |text: &str| fed_proto::name::Name::new(text).unwrap();
    let verdict = Verdict {
        federation_id: *FEDERATION,
        epoch: 7,
        purpose: TRANSCRIPT.purpose,
        job_id: TRANSCRIPT.job_id.clone(),
        root: TRANSCRIPT.root,
        verifier: name("site-1"),
        policy: sha256(b"policy"),
        accepted: sha256(b"accepted"),
        refused: ["site-2", "site-3"]
            .map(|site| (name(site), Code::parse("snp.tcb.below_minimum").unwrap()))
            .to_vec(),
    };
    write("fed_signed", "leaf", &leaf().bytes());
    write("fed_signed", "verdict", &verdict.bytes());
    write("fed_signed", "transcript", &TRANSCRIPT.bytes());
    write("fed_signed", "certificate", LEAF);

    let descriptor = Descriptor {
        name: "Example \"trial\"".to_owned(),
        random: [7; 16],
        owner: [9; 32],
        enrolment_cas: CHAIN.to_vec(),
        profile: FederationProfile::Development,
        server: name("server"),
    };
    write("fed_texts", "descriptor", descriptor.to_text().as_bytes());
    let bundle = format!(
        "version = 1\nfederation_id = \"{}\"\nbundle_version = 3\nnot_after = \"2026-06-02T00:00:00Z\"\n\
         revoked_names = [\"site-9\"]\nrevoked_certificates = [\"{}\"]\n[role.client]\n\
         profiles = [\"snp-raw-1\"]\npolicy = \"version = 1\"\nname_binding = \"measured\"\n\
         [member.\"site-1\"]\nrole = \"client\"\norganisation = \"one\"\nreplaceable = true\n",
        descriptor.federation_id(),
        "08".repeat(32),
    );
    fed_proto::bundle::Bundle::parse(&bundle).unwrap();
    write("fed_texts", "bundle", bundle.as_bytes());
    let signed = SignedBundle::sign(&bundle, |bytes| KEY.sign(bytes));
    write("fed_signed", "bundle", &signed.to_bytes());
    let job = format!(
        "version = 1\nname = \"job\"\nmin_sites = 2\nrequired_sites = [\"site-1\"]\nadmission = \"block\"\n\
         [deploy]\napp = [\"server\", \"site-1\", \"site-2\"]\n[resources.site-1]\ngpu = 1\n\
         [retry]\nmax_schedule_count = 3\n[app.app]\ncommand = [\"run\", \"x\"]\nenv = {{ A = \"1\" }}\n\
         [[app.app.inputs]]\nname = \"data\"\nsha256 = \"{}\"\n",
        "08".repeat(32),
    );
    fed_proto::job::JobFile::parse(&job).unwrap();
    write("fed_texts", "job", job.as_bytes());
}

fn payloads() {
    let bytes = |bytes: &[u8]| bytes.to_vec().into();
    let identity = fed_proto::message::Identity {
        spki: bytes(KEY.public().spki()),
        kem: bytes(&[3; 32]),
        instance_id: bytes(&[1; 16]),
        chain: vec![bytes(b"leaf"), bytes(b"intermediate")],
        enrolment: bytes(&[2; 64]),
    };
    let contribution = Contribution {
        leaf: bytes(&leaf().bytes()),
        identity: identity.clone(),
        signature: bytes(&KEY.sign(&leaf().bytes()).0),
    };
    let send = |name: &str, kind: Kind, payload: Vec<u8>| {
        write("fed_message", name, &message(kind.number(), payload).to_bytes());
    };
    fn of<P: Payload>(payload: &P) -> (Kind, Vec<u8>) {
        (P::KIND, payload.to_bytes())
    }
    let (code, text) = ("registered".to_owned(), "text".to_owned());
    let all = [
        ("hello", of(&Hello { identity: identity.clone() })),
        (
            "channel-proof",
            of(&ChannelProof {
                transcript: bytes(&TRANSCRIPT.bytes()),
                exporter: bytes(&[4; 32]),
                pop: bytes(&[5; 64]),
            }),
        ),
        ("notice", of(&Notice { code: code.clone(), text: text.clone() })),
        ("challenge", of(&Challenge { nonce: bytes(&[6; 32]) })),
        (
            "open",
            of(&Open {
                purpose: 3,
                job_nonce: bytes(&[7; 16]),
                job_file: bytes(b"version = 1"),
                members: vec!["server".to_owned(), "site-1".to_owned()],
                bundle: bytes(b"bundle"),
                identity,
            }),
        ),
        ("contribution", of(&contribution)),
        ("busy", of(&Busy { text: text.clone() })),
        (
            "publish",
            of(&Publish {
                contributions: vec![contribution],
                root: bytes(&TRANSCRIPT.root.0),
                leaf_count: 1,
            }),
        ),
        ("closed", of(&Closed { absent: vec!["site-2".to_owned()] })),
        (
            "verdict",
            of(&VerdictMessage {
                bytes: bytes(b"verdict"),
                signature: bytes(&[8; 64]),
                lines: vec![("site-1".to_owned(), "policy.toml:1 snp.vmpl".to_owned())],
            }),
        ),
        ("admission", of(&Admission { admitted: vec!["server".to_owned()], text: text.clone() })),
        ("reserve", of(&Reserve { epoch: 7 })),
        ("reserved", of(&Reserved { epoch: 7, refusal: text.clone() })),
        ("stop-job", of(&JobOrder { code, text: text.clone() })),
        ("job-update", of(&JobUpdate { state: "started".to_owned(), text })),
    ];
    for (name, (kind, payload)) in all {
        send(name, kind, payload);
    }
}

/// The synthetic trust domain's: signatures are random, so that two runs differ in them.
fn tdx() {
    for (name, form) in [("v4", Form::V4), ("v5-td10", Form::V5Td10), ("v5-td15", Form::V5Td15)] {
        write("tdx_quote", name, &World::new(form, Ca::Platform).quote.bytes());
    }
    for (name, ca) in [("platform", Ca::Platform), ("processor", Ca::Processor)] {
        write("tdx_pck_extension", name, &SgxExtension::test_platform(ca).encode());
    }
    write("tdx_tcb_info", "info", TcbInfo::test_platform().text().as_bytes());
    write("tdx_qe_identity", "identity", QeIdentity::test_platform().text().as_bytes());
    write("ccel", "small-boot", &EventLog::small_boot().bytes());
}
