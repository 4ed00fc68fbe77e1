//! Random changes of worlds for comparisons with another implementation: most make another good or bad world, with
//! all signatures made again; some damage what is finished.

use cc_testkit::der;
use cc_testkit::snp::ca::{BASIC_CONSTRAINTS, KEY_USAGE, SUBJECT_KEY_ID};
use cc_testkit::snp::{CertSpec, CrlSpec, Ext};
use cc_testkit::tdx::ca::intel_name;
use cc_testkit::tdx::collateral::{PlatformLevel, Standing, SvnLevel, rfc3339};
use cc_testkit::tdx::sgx::oids;
use cc_testkit::tdx::{Ca, Form, NOW, World, crl, field, keys};

/// A reproducible source of choices (SplitMix64).
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    fn byte(&mut self, limit: u8) -> u8 {
        u8::try_from(self.below(limit.into())).unwrap()
    }

    fn small(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }

    /// An instant around that of the verification.
    fn instant(&mut self) -> i64 {
        NOW + self.pick(&[-1_000_000, -1, 0, 1, 1_000_000])
    }
}

/// A world to be judged; its quote may be replaced by damaged bytes.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) world: World,
    pub(crate) damaged: Option<Vec<u8>>,
}

impl Case {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let form = rng.pick(&[Form::V4, Form::V5Td10, Form::V5Td15, Form::V5Td15]);
        let ca = rng.pick(&[Ca::Platform, Ca::Platform, Ca::Processor]);
        Self { world: World::new(form, ca), damaged: None }
    }

    pub(crate) fn quote(&self) -> Vec<u8> {
        self.damaged.clone().unwrap_or_else(|| self.world.quote.bytes())
    }
}

/// A kind of change.
pub(crate) type Mutation = (&'static str, fn(&mut World, &mut Rng));

/// The name of a change that makes CPUSVN and component SVNs differ.
pub(crate) const CPUSVN: &str = "CPUSVN alone";

/// Changes that keep everything signed, and lead to other TCBs, statuses and dates.
pub(crate) const SIGNED: [Mutation; 28] = [
    ("TEE_TCB_SVN", |w, r| _ = w.set(field::TEE_TCB_SVN, &svn(r))),
    ("TEE_TCB_SVN", |w, r| _ = w.set(field::TEE_TCB_SVN, &svn(r))),
    ("TEE_TCB_SVN2", |w, r| {
        if w.quote.body.len() > field::TD10_LENGTH {
            w.set(field::TEE_TCB_SVN_2, &svn(r));
        }
    }),
    ("TEE_TCB_SVN and TEE_TCB_SVN2", |w, r| {
        if w.quote.body.len() > field::TD10_LENGTH {
            let (launch, now) = (svn(r), svn(r));
            w.set(field::TEE_TCB_SVN, &launch).set(field::TEE_TCB_SVN_2, &now);
        }
    }),
    ("the module was updated after the launch", |w, r| {
        if w.quote.body.len() > field::TD10_LENGTH {
            let launch = [r.byte(6) + 2, 1, r.byte(3) + 2];
            w.set(field::TEE_TCB_SVN, &launch)
                .set(field::TEE_TCB_SVN_2, &[r.pick(&[5, 6, 7]), 1, r.pick(&[3, 4])]);
        }
    }),
    ("PCK components", |w, r| {
        let (number, svn) = (r.below(16) + 1, r.byte(7));
        w.edit_sgx(|sgx| {
            let mut components = cc_testkit::tdx::sgx::COMPONENTS;
            components[number - 1] = svn;
            (1..).zip(components).for_each(|(number, svn)| sgx.set_component(number, svn.into()));
            sgx.set(oids::CPUSVN, der::octet_string(&components));
        });
    }),
    (CPUSVN, |w, r| {
        let svn = [r.byte(5); 16];
        w.edit_sgx(|sgx| sgx.set(oids::CPUSVN, der::octet_string(&svn)));
    }),
    ("PCESVN", |w, r| {
        let svn = r.pick(&[0, 5, 12, 13, 14, 256]);
        w.edit_sgx(|sgx| sgx.set(oids::PCESVN, der::integer(svn)));
    }),
    ("status of a platform level", |w, r| {
        let (level, standing) = (r.below(3), standing(r));
        w.edit_tcb_info(|info| at(&mut info.levels, level, |level| level.standing = standing));
    }),
    ("status of the first platform level", |w, r| {
        let standing = standing(r);
        w.edit_tcb_info(|info| at(&mut info.levels, 0, |level| level.standing = standing));
    }),
    ("SVNs of a platform level", |w, r| {
        let (level, sgx, tdx) = (r.below(3), r.below(16), r.below(16));
        let (a, b, pcesvn) = (r.small(7), r.small(7), r.pick(&[0, 5, 13, 14]));
        w.edit_tcb_info(|info| {
            at(&mut info.levels, level, |level| {
                at(&mut level.sgx, sgx, |svn| *svn = a);
                at(&mut level.tdx, tdx, |svn| *svn = b);
                level.pcesvn = pcesvn;
            });
        });
    }),
    ("a further platform level", |w, r| {
        let sgx: Vec<u64> = (0..8).map(|_| r.small(5)).collect();
        let tdx: Vec<u64> = (0..3).map(|_| r.small(6)).collect();
        let level = PlatformLevel::new(&sgx, r.pick(&[0, 5, 13]), &tdx, standing(r));
        w.edit_tcb_info(|info| info.levels.push(level));
    }),
    ("order of the platform levels", |w, r| _ = w.edit_tcb_info(|info| r.shuffle(&mut info.levels))),
    ("components too few or too many", |w, r| {
        let (level, tdx, more) = (r.below(3), r.below(2) == 0, r.below(2) == 0);
        w.edit_tcb_info(|info| {
            at(&mut info.levels, level, |level| {
                let svns = if tdx { &mut level.tdx } else { &mut level.sgx };
                svns.resize(if more { 17 } else { 15 }, 0);
            });
        });
    }),
    ("levels of the module", |w, r| {
        let (level, isvsvn, standing) = (r.below(3), r.small(8), standing(r));
        w.edit_tcb_info(|info| {
            at(&mut info.identities, 1, |identity| {
                at(&mut identity.levels, level, |level| *level = SvnLevel::new(isvsvn, standing));
            });
        });
    }),
    ("status of the module", |w, r| {
        let standing = standing(r);
        w.edit_tcb_info(|info| {
            at(&mut info.identities, 1, |identity| {
                at(&mut identity.levels, 0, |level| level.standing = standing);
            });
        });
    }),
    ("identities of modules", |w, r| {
        let which = r.below(4);
        w.edit_tcb_info(|info| match which {
            0 => info.identities.clear(),
            1 => info.module = None,
            2 => at(&mut info.identities, 1, |identity| identity.id = "tdx_01".to_owned()),
            _ => info.identities.reverse(),
        });
    }),
    ("signer and attributes of the module", |w, r| {
        let (which, bit) = (r.below(4), r.below(64));
        match which {
            0 => _ = w.flip(field::MR_SIGNER_SEAM, bit),
            1 => _ = w.flip(field::SEAM_ATTRIBUTES, bit),
            2 => {
                w.flip(field::SEAM_ATTRIBUTES, bit).edit_tcb_info(|info| {
                    at(&mut info.identities, 1, |identity| {
                        identity.module.attributes_mask = "00".repeat(8);
                    });
                });
            }
            _ => {
                w.set(field::SEAM_ATTRIBUTES, &[1]).edit_tcb_info(|info| {
                    at(&mut info.identities, 1, |identity| {
                        identity.module.attributes = "0100000000000000".to_owned();
                    });
                });
            }
        }
    }),
    ("status of the QE", |w, r| {
        let standing = standing(r);
        w.edit_qe_identity(|identity| identity.levels[0].standing = standing);
    }),
    ("a further level of the QE", |w, r| {
        let (first, level) = (r.below(2) == 0, SvnLevel::new(r.small(10), standing(r)));
        w.edit_qe_identity(|identity| identity.levels.insert(usize::from(!first), level));
    }),
    ("ISVSVN of the QE", |w, r| _ = w.set(field::QE_ISV_SVN, &[r.byte(10)])),
    ("QE beside its identity", |w, r| {
        let bit = r.below(32);
        match r.below(5) {
            0 => w.flip(field::QE_MISC_SELECT, bit),
            1 | 2 => w.flip(field::QE_ATTRIBUTES, bit * 4),
            3 => w.flip(field::QE_ISV_PROD_ID, bit / 2),
            _ => w.flip(field::QE_MR_SIGNER, bit),
        };
    }),
    ("identity of the QE", |w, r| {
        let which = r.below(5);
        w.edit_qe_identity(|identity| match which {
            0 => identity.miscselect = "01000000".to_owned(),
            1 => identity.attributes_mask = "00".repeat(16),
            2 => identity.attributes = "11000000000000000000000000000001".to_owned(),
            3 => identity.version = 3,
            _ => identity.id = "QE".to_owned(),
        });
    }),
    ("dates of the TCB info", |w, r| {
        let (issued, next) = (rfc3339(r.instant()), rfc3339(r.instant()));
        w.edit_tcb_info(|info| (info.issue_date, info.next_update) = (issued, next));
    }),
    ("dates of the QE identity", |w, r| {
        let (issued, next) = (rfc3339(r.instant()), rfc3339(r.instant()));
        w.edit_qe_identity(|identity| (identity.issue_date, identity.next_update) = (issued, next));
    }),
    ("kind of TCB info", |w, r| {
        let which = r.below(5);
        w.edit_tcb_info(|info| match which {
            0 => info.id = "SGX".to_owned(),
            1 => info.version = 2,
            2 => info.version = 4,
            3 => info.tcb_type = 1,
            _ => info.levels.clear(),
        });
    }),
    ("FMSPC and PCEID", |w, r| {
        let which = r.below(3);
        w.edit_tcb_info(|info| match which {
            0 => info.fmspc = "00806f050000".to_owned(),
            1 => info.fmspc = info.fmspc.to_uppercase(),
            _ => info.pce_id = "0001".to_owned(),
        });
    }),
    ("attributes of the TD", |w, r| _ = w.flip(field::TD_ATTRIBUTES, r.below(64))),
];

/// Changes that keep everything signed, of what other implementations look at less closely.
pub(crate) const FORMS: [Mutation; 16] = [
    ("authentication data", |w, r| {
        w.quote.auth_data = vec![1; r.pick(&[0, 31, 32, 33, 200])];
        w.rebind();
    }),
    ("upper half of the QE's report data", |w, r| _ = w.flip(field::QE_REPORT_DATA, 256 + r.below(256))),
    ("revocation", |w, r| {
        let serials = [&w.pck_spec, &w.pck_ca_spec, &w.signer_spec].map(|spec| spec.serial.clone());
        let serial = serials[r.below(3)].clone();
        if r.below(2) == 0 {
            w.edit_root_crl(|crl| crl.revoke(serial));
        } else {
            w.edit_pck_crl(|crl| crl.revoke(serial));
        }
    }),
    ("a revocation list", |w, r| {
        if r.below(2) == 0 {
            w.edit_root_crl(|crl| list(crl, r));
        } else {
            w.edit_pck_crl(|crl| list(crl, r));
        }
    }),
    ("whose revocation list", |w, r| match r.below(4) {
        0 => w.pck_crl = w.pck_crl_spec.sign(keys::stranger()),
        1 => w.root_crl = w.root_crl_spec.sign(keys::stranger()),
        2 => w.pck_crl.clone_from(&w.root_crl),
        _ => {
            let other = if w.ca == Ca::Platform { Ca::Processor } else { Ca::Platform };
            w.pck_crl = crl::pck(other).sign(keys::pck_ca(other));
        }
    }),
    ("the PCK certificate", |w, r| _ = w.edit_pck(|spec| certificate(spec, r))),
    ("the PCK authority", |w, r| _ = w.edit_pck_ca(|spec| certificate(spec, r))),
    ("the signer", |w, r| _ = w.edit_signer(|spec| certificate(spec, r))),
    ("a signer below the PCK authority", |w, _| {
        w.signer_spec.issuer = intel_name(w.ca.name());
        let signer = w.signer_spec.sign(w.pck_ca_key);
        w.tcb_chain = vec![signer, w.pck_chain[1].clone(), w.pck_chain[2].clone()];
        w.qe_chain = w.tcb_chain.clone();
    }),
    ("a PCK as signer", |w, _| {
        w.signer_key = w.pck_key;
        w.edit_tcb_info(|_| {}).edit_qe_identity(|_| {});
        w.tcb_chain = w.pck_chain.clone();
        w.qe_chain = w.pck_chain.clone();
    }),
    ("the SGX extension", |w, r| {
        let oid = r.pick(&[
            oids::PPID,
            oids::PCEID,
            oids::FMSPC,
            oids::SGX_TYPE,
            oids::PLATFORM_INSTANCE_ID,
            oids::CONFIGURATION,
            oids::PCESVN,
            oids::CPUSVN,
            oids::TCB,
        ]);
        let (oid, which) = if w.ca == Ca::Processor && oid.ends_with(['6', '7']) && oid != oids::PCESVN {
            (oids::PPID, 0)
        } else {
            (oid, r.below(3))
        };
        w.edit_sgx(|sgx| match which {
            0 => sgx.remove(oid),
            1 => sgx.duplicate(oid),
            _ => sgx.set(oid, der::octet_string(&[0; 3])),
        });
    }),
    ("an SVN of the extension", |w, r| {
        let number = r.below(16) + 1;
        let value = r.pick(&[&[2, 1, 0xFF][..], &[2, 2, 0, 4], &[2, 2, 1, 0], &[4, 1, 4]]).to_vec();
        w.edit_sgx(|sgx| sgx.set(&oids::component(number), value));
    }),
    ("JSON of the TCB info", |w, r| {
        let text = json(&w.tcb_info.text, r);
        w.sign_tcb_info(text);
    }),
    ("JSON of the QE identity", |w, r| {
        let text = json(&w.qe_identity.text, r);
        w.sign_qe_identity(text);
    }),
    ("header of the quote", |w, r| {
        let (field, value) = r.pick(&[
            (field::VERSION, 3),
            (field::VERSION, 6),
            (field::ATT_KEY_TYPE, 3),
            (field::TEE_TYPE, 0),
            (field::QE_VENDOR_ID, 0),
            (field::RESERVED_8, 7),
            (field::USER_DATA, 7),
        ]);
        w.set(field, &[value]);
    }),
    ("type and size of the body", |w, r| {
        let descriptor =
            r.pick(&[(1, 584), (1, 384), (2, 584), (2, 648), (3, 648), (3, 584), (4, 885), (4, 648)]);
        w.edit_quote(|quote| {
            if quote.descriptor.is_some() {
                quote.descriptor = Some(descriptor);
            }
        });
    }),
];

/// Damage of what is finished.
pub(crate) const DAMAGE: [Mutation; 12] = [
    ("types of certification data", |w, r| {
        let kind = r.pick(&[0, 1, 2, 3, 4, 5, 6, 7]);
        if r.below(2) == 0 {
            w.quote.outer_type = kind;
        } else {
            w.quote.inner_type = kind;
        }
    }),
    ("sizes", |w, r| {
        let quote = &mut w.quote;
        let certificates = quote.certificates.len();
        let outer = 384 + 64 + 2 + quote.auth_data.len() + 6 + certificates;
        let by = r.pick(&[-1_i32, 1]);
        let lie = |size: usize| u32::try_from(size).unwrap().checked_add_signed(by);
        match r.below(4) {
            0 => quote.signature_size = lie(128 + 6 + outer),
            1 => quote.outer_size = lie(outer),
            2 => quote.inner_size = lie(certificates),
            _ => quote.auth_size = lie(quote.auth_data.len()).and_then(|size| size.try_into().ok()),
        }
    }),
    ("something after the quote", |w, r| w.quote.trailing = vec![0; r.pick(&[1, 70])]),
    ("PEM of the quote", |w, r| {
        let pem = &mut w.quote.certificates;
        match r.below(5) {
            0 => assert_eq!(pem.pop(), Some(0)),
            1 => pem.push(0),
            2 => pem.truncate(pem.len() - 2),
            3 => drop(pem.splice(0..0, *b"subject=\n")),
            _ => *pem = String::from_utf8(pem.clone()).unwrap().replace('\n', "\r\n").into_bytes(),
        }
    }),
    ("certificates of the quote", |w, r| {
        match r.below(5) {
            0 => drop(w.pck_chain.pop()),
            1 => drop(w.pck_chain.remove(1)),
            2 => w.pck_chain.push(Ca::Processor.der().to_vec()),
            3 => w.pck_chain.swap(1, 2),
            _ => _ = w.edit_root(|_| {}),
        }
        w.rechain();
    }),
    ("signers of quote and report", |w, r| match r.below(3) {
        0 => _ = w.quote.sign(keys::stranger()),
        1 => _ = w.quote.sign_qe(keys::stranger()),
        _ => {
            w.quote.sign(keys::stranger());
            w.rebind();
        }
    }),
    ("signatures of quote and report", |w, r| {
        let (value, half) =
            (r.pick(&[0_u8, 0xFF]), r.pick(&[0..32, 32..64, 0..64].map(|half| (half.start, half.end))));
        let signature = if r.below(2) == 0 { &mut w.quote.signature } else { &mut w.quote.qe_signature };
        signature[half.0..half.1].fill(value);
    }),
    ("a bit of the TCB info", |w, r| text(&mut w.tcb_info.text, r)),
    ("a bit of the QE identity", |w, r| text(&mut w.qe_identity.text, r)),
    ("a bit of a signature", |w, r| {
        let signature = match r.below(2) {
            0 => &mut w.tcb_info.signature,
            _ => &mut w.qe_identity.signature,
        };
        bit(signature, r);
    }),
    ("a bit of a certificate", |w, r| {
        let place = r.below(4);
        if place < 3 {
            bit(&mut w.pck_chain[place], r);
            w.rechain();
        } else {
            bit(&mut w.tcb_chain[0], r);
            w.qe_chain = w.tcb_chain.clone();
        }
    }),
    ("a bit of a revocation list", |w, r| {
        bit(if r.below(2) == 0 { &mut w.root_crl } else { &mut w.pck_crl }, r);
    }),
];

/// Changes an item, if it is there.
fn at<T>(items: &mut [T], place: usize, change: impl FnOnce(&mut T)) {
    if let Some(item) = items.get_mut(place) {
        change(item);
    }
}

/// Inverts a bit.
pub(crate) fn bit(bytes: &mut [u8], rng: &mut Rng) {
    let at = rng.below(bytes.len() * 8);
    bytes[at / 8] ^= 1 << (at % 8);
}

fn text(text: &mut String, rng: &mut Rng) {
    let mut bytes = std::mem::take(text).into_bytes();
    let at = rng.below(bytes.len() * 7);
    bytes[at / 7] ^= 1 << (at % 7);
    *text = String::from_utf8(bytes).unwrap();
}

fn svn(rng: &mut Rng) -> [u8; 16] {
    let mut svn = [0; 16];
    let chosen = [rng.byte(8), rng.pick(&[0, 1, 1, 1, 3, 9]), rng.byte(6), rng.byte(2)];
    svn[..4].copy_from_slice(&chosen);
    svn
}

fn standing(rng: &mut Rng) -> Standing {
    const STATUSES: [&str; 10] = [
        "UpToDate",
        "SWHardeningNeeded",
        "ConfigurationNeeded",
        "ConfigurationAndSWHardeningNeeded",
        "OutOfDate",
        "OutOfDate",
        "OutOfDateConfigurationNeeded",
        "Revoked",
        "TDRelaunchAdvised",
        "Fine",
    ];
    const ADVISORIES: [&[&str]; 4] = [
        &[],
        &["INTEL-SA-00001"],
        &["INTEL-SA-00002", "INTEL-SA-00001"],
        &["INTEL-SA-00003", "INTEL-SA-00003"],
    ];
    Standing::new("2022-02-02", rng.pick(&STATUSES), rng.pick(&ADVISORIES))
}

fn certificate(spec: &mut CertSpec, rng: &mut Rng) {
    match rng.below(10) {
        0 => spec.subject = intel_name("Intel SGX"),
        1 => spec.issuer = intel_name("Intel"),
        2 => spec.not_after = rng.instant(),
        3 => spec.not_before = rng.instant(),
        4 => spec.remove_ext(KEY_USAGE),
        5 => spec.remove_ext(BASIC_CONSTRAINTS),
        6 => spec.extensions.push(Ext::critical("1.2.3.4", vec![5, 0])),
        7 => spec.duplicate_ext(SUBJECT_KEY_ID, vec![4, 1, 0]),
        8 => spec.serial = vec![rng.byte(100) + 1],
        _ => spec.version = None,
    }
}

fn list(spec: &mut CrlSpec, rng: &mut Rng) {
    match rng.below(7) {
        0 => spec.next_update = Some(rng.instant()),
        1 => spec.this_update = rng.instant(),
        2 => spec.next_update = None,
        3 => spec.number = None,
        4 => spec.issuer = intel_name("Intel"),
        5 => spec.number = Some(rng.small(1 << 40)),
        _ => spec.revoke(vec![rng.byte(100) + 1]),
    }
}

/// Other texts of the same, or nearly the same, meaning.
fn json(text: &str, rng: &mut Rng) -> String {
    let with = |member: &str| format!("{},{member}}}", text.strip_suffix('}').unwrap());
    match rng.below(7) {
        0 => with(r#""new":{"a":[1,null,true]}"#),
        1 => with(r#""new":{"a":1,"a":1}"#),
        2 => with(r#""tcbEvaluationDataNumber":18"#),
        3 => text.replace(':', " : "),
        4 => with(&format!(r#""new":{}1{}"#, "[".repeat(40), "]".repeat(40))),
        5 => text.replace("2024-11-13T00:00:00Z", "2024-11-13T00:00:00+00:00"),
        _ => text.replacen(r#""tcbStatus":"#, r#""tcbstatus":"#, 1),
    }
}
