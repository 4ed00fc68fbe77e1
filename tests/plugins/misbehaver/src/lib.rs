//! A plugin that behaves well until its configuration says otherwise: `config.fault` names what it does wrong.
//! It exists to show that the host survives each fault and reports it with the right code.
//!
//! Its evidence is whatever bytes it is given; it accepts everything, bound to 64 zero bytes. That it declares
//! itself emulated keeps it out of every real configuration.
//!
//! With `config.fault = "as told"` each evidence says what to do; see `told`.

mod told;

use cc_core::message::{
    CollectRequest, Collected, EndorsementRequest, Floor, Identity, MESSAGE_VERSION, Plan, PlanRequest,
    VerifyReply, VerifyRequest, WireOutcome,
};
use cc_core::sdk::Authorizer;
use cc_core::{
    Accepted, BoundField, BoundKind, Claims, Finding, Outcome, Profile, ProfileInfo, Role, Settings,
    TrustClass, codes,
};

/// The plugin.
#[derive(Debug)]
pub struct Misbehaver {
    fault: String,
}

fn profile(name: &str) -> Profile {
    Profile::parse(name).unwrap_or_else(Profile::snp_raw_1)
}

impl Authorizer for Misbehaver {
    fn identity() -> Identity {
        Identity {
            version: MESSAGE_VERSION,
            name: "misbehaver".to_owned(),
            vendor: "Muster tests".to_owned(),
            plugin_version: env!("CARGO_PKG_VERSION").to_owned(),
            sdk_version: cc_core::sdk::VERSION.to_owned(),
            trust_class: TrustClass::Emulated,
            profiles: vec![ProfileInfo {
                profile: profile("misbehaver-1"),
                namespace: "x-misbehaver".to_owned(),
                media_types: vec!["application/octet-stream".to_owned()],
                roles: vec![Role::Collect, Role::Verify],
            }],
        }
    }

    #[expect(clippy::panic, reason = "panicking is one of the faults")]
    fn create(mut settings: Settings) -> Result<Self, Finding> {
        let fault = settings.take_text("fault", "none")?;
        settings.finish()?;
        match fault.as_str() {
            "panic in create" => panic!("create panicked on purpose"),
            "hang in create" => told::hang(),
            "abort in create" => std::process::abort(),
            "refuse create" => Err(Finding::new(codes::PLUG_CONFIG_INVALID, "refused on purpose")),
            _ => Ok(Self { fault }),
        }
    }

    #[expect(clippy::panic, reason = "panicking is one of the faults")]
    fn collect(&self, request: &CollectRequest) -> Result<Collected, Finding> {
        let evidence = match self.fault.as_str() {
            "panic in collect" => panic!("collect panicked on purpose"),
            "empty evidence" => Vec::new(),
            "hang in collect" => told::hang(),
            "abort in collect" => std::process::abort(),
            "collect what it can reach" => told::reach().into_bytes(),
            "oversized evidence" => vec![1; cc_core::limits::MAX_EVIDENCE.saturating_add(1)],
            _ => request.binding.as_bytes().to_vec(),
        };
        Ok(Collected { version: MESSAGE_VERSION, evidence, endorsements: Vec::new() })
    }

    #[expect(clippy::panic, reason = "panicking is one of the faults")]
    fn plan(&self, request: &PlanRequest) -> Result<Plan, Finding> {
        if request.evidence.is_empty() && self.fault != "plan accepts nothing" {
            return Err(Finding::new(codes::ENV_SIZE_EXCEEDED, "no evidence"));
        }
        let ask = |url: &str| EndorsementRequest {
            kind: "misbehaver.cert".to_owned(),
            url: url.to_owned(),
            max_age: 1,
            post: None,
        };
        let requests = match self.fault.as_str() {
            "panic in plan" => panic!("plan panicked on purpose"),
            "too many requests" => vec![ask("https://kdsintf.amd.com/x"); 1000],
            "request to a strange host" => vec![ask("https://attacker.example/x")],
            "request without tls" => vec![ask("http://kdsintf.amd.com/x")],
            _ => Vec::new(),
        };
        Ok(Plan { version: MESSAGE_VERSION, requests, claims: claims() })
    }

    #[expect(clippy::panic, reason = "panicking is one of the faults")]
    fn verify(&self, request: &VerifyRequest) -> VerifyReply {
        let mut reply = VerifyReply {
            version: MESSAGE_VERSION,
            profile: request.profile.clone(),
            outcome: accept(claims(), &[0; 64], &[]),
            recognised: vec!["unknown".to_owned(); request.endorsements.len()],
            floors: Vec::new(),
        };
        if request.evidence.is_empty() && self.fault != "verify accepts nothing" {
            reply.outcome = Outcome::Reject(Finding::new(codes::ENV_SIZE_EXCEEDED, "no evidence")).into();
            return reply;
        }
        match self.fault.as_str() {
            "as told" => reply.outcome = accept(told::act(&request.evidence), &[0; 64], &[]),
            "panic in verify" => panic!("verify panicked on purpose"),
            "empty claims" => reply.outcome = accept(Claims::new(), &[0; 64], &[]),
            "oversized claims" => {
                let mut big = claims();
                big.insert("blob", "x".repeat(cc_core::limits::MAX_CLAIMS));
                reply.outcome = accept(big, &[0; 64], &[]);
            }
            "too many claims" => {
                let mut many = claims();
                many.insert("list", vec![0_u64; cc_core::limits::MAX_CLAIM_ENTRIES]);
                reply.outcome = accept(many, &[0; 64], &[]);
            }
            "short bound field" => reply.outcome = accept(claims(), &[0; 32], &[]),
            "claims for another profile" => reply.profile = profile("other-1"),
            "waiver nobody gave" => reply.outcome = accept(claims(), &[0; 64], &["snp.crl.missing"]),
            "unregistered code" => reply.outcome = reject("snp.made.up"),
            "malformed code" => reply.outcome = reject("No Code"),
            "indeterminate code as reject" => reply.outcome = reject("snp.crl.missing"),
            "reject code as indeterminate" => {
                if let WireOutcome::Reject(denial) = reject("snp.signature.invalid") {
                    reply.outcome = WireOutcome::Indeterminate(denial);
                }
            }
            "own code" => reply.outcome = reject("misbehaver.felt.likeit"),
            "control characters" => {
                if let WireOutcome::Reject(mut denial) = reject("misbehaver.felt.likeit") {
                    denial.detail = "clear\u{1b}[2Jscreen\nnext line".to_owned();
                    reply.outcome = WireOutcome::Reject(denial);
                }
            }
            "recognised too few" => reply.recognised = Vec::new(),
            "floor out of range" => {
                reply.floors =
                    vec![Floor { name: "misbehaver.crl".to_owned(), number: [1; 20], endorsement: u32::MAX }];
            }
            "other message version" => reply.version = 2,
            _ => {}
        }
        reply
    }
}

fn claims() -> Claims {
    let mut claims = Claims::new();
    claims.insert("product", "Misbehaver");
    claims
}

fn accept(claims: Claims, bound: &[u8], waived: &[&str]) -> WireOutcome {
    let accepted = Outcome::Accept(Accepted {
        claims,
        bound: BoundField { kind: BoundKind::ReportData, bytes: bound.to_vec() },
        waived: Vec::new(),
    });
    match accepted.into() {
        WireOutcome::Accept { claims, bound, .. } => WireOutcome::Accept {
            claims,
            bound,
            waived: waived.iter().map(|code| (*code).to_owned()).collect(),
        },
        other => other,
    }
}

fn reject(code: &str) -> WireOutcome {
    let finding = Finding::new(codes::SNP_SIGNATURE_INVALID, "on purpose");
    match Outcome::Reject(finding).into() {
        WireOutcome::Reject(mut denial) => {
            denial.code = code.to_owned();
            WireOutcome::Reject(denial)
        }
        other => other,
    }
}

cc_core::export_authorizer!(Misbehaver);
