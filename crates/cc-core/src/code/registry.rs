//! The table of codes. `docs/reference/errors.md` is generated from it.

use super::{Class, Code, CodeInfo};

macro_rules! registry {
    ($($name:ident $code:literal $class:ident $waivable:literal $meaning:literal $hint:literal;)*) => {
        /// Every registered code as a constant.
        pub mod codes {
            use super::Code;
            $(#[doc = $meaning] pub const $name: Code = Code::registered($code);)*
        }

        const REGISTRY: &[CodeInfo] = &[$(CodeInfo {
            code: $code,
            class: Class::$class,
            waivable: $waivable,
            meaning: $meaning,
            hint: $hint,
        }),*];
    };
}

/// Every registered code, in the order of the documentation.
pub const fn registry() -> &'static [CodeInfo] {
    REGISTRY
}

registry! {
    // The envelope and its parts.
    ENV_FORMAT_INVALID "env.format.invalid" Reject false
        "The evidence file is not in a form that the profile has."
        "Send the raw evidence, or the JSON form that the profile's tools write.";
    ENV_SIZE_EXCEEDED "env.size.exceeded" Reject false
        "An input is larger, or there are more of them, than the limits allow."
        "Send the evidence alone and only the endorsements it needs.";
    ENV_VERSION_UNSUPPORTED "env.version.unsupported" Reject false
        "The envelope has a version that this release does not read."
        "Run the same release of Muster on all participants.";
    ENV_PROFILE_UNKNOWN "env.profile.unknown" Reject false
        "The envelope names a profile that this project does not define."
        "Use one of the profiles of the documentation.";
    ENV_PROFILE_NOT_ALLOWED "env.profile.not_allowed" Reject false
        "The profile is not among those that the federation requires of this role."
        "Show evidence of a required profile, or have the owner change the bundle.";
    ENV_TRANSCRIPT_MISMATCH "env.transcript.mismatch" Reject false
        "The transcript in the envelope is not the sixteen fields in their one form."
        "The sender is faulty or hostile; run the same release on all participants.";
    // The binding of evidence to a challenge; judged by the host alone.
    BIND_REPORT_DATA_MISMATCH "bind.report_data.mismatch" Reject false
        "REPORT_DATA is not the 64 bytes that this verifier expects."
        "The report answers another challenge or another key: ask the attester for fresh evidence.";
    BIND_NAME_MISMATCH "bind.name.mismatch" Reject false
        "A token came from a participant other than the one it names."
        "Somebody presents another participant's evidence; look at the sender.";
    BIND_FEDERATION_MISMATCH "bind.federation.mismatch" Reject false
        "A token was made for another federation."
        "Give all participants kits of the same federation.";
    BIND_POLICY_MISMATCH "bind.policy.mismatch" Reject false
        "A token was made under another policy bundle than the round."
        "The participant adopts the current bundle and takes part in the next round.";
    BIND_ROLE_MISMATCH "bind.role.mismatch" Reject false
        "A token claims another role than the participant is enrolled in."
        "Look at the participant; its kit says another role.";
    BIND_POP_INVALID "bind.pop.invalid" Reject false
        "The sender does not hold the key that the evidence vouches for."
        "Somebody presents evidence of a machine that is not theirs; look at the sender.";
    BIND_CHANNEL_MISMATCH "bind.channel.mismatch" Reject false
        "The proof of possession was made for another connection."
        "Somebody relays a connection; a proxy that ends TLS cannot be used here.";
    BIND_PURPOSE_MISMATCH "bind.purpose.mismatch" Reject false
        "A token was made for another purpose than the round."
        "The sender is faulty or replays a token.";
    BIND_JOB_MISMATCH "bind.job.mismatch" Reject false
        "A token was made for another job."
        "The sender is faulty or replays a token.";
    BIND_NONCE_EXPIRED_OR_UNKNOWN "bind.nonce.expired_or_unknown" Reject false
        "A token answers a challenge that this verifier never gave or no longer accepts."
        "The participant takes part in the next round.";
    BIND_ROOT_MISMATCH "bind.root.mismatch" Reject false
        "A token was made under a root that does not contain this verifier's challenge."
        "The coordinator showed members different lists, or a token is replayed.";
    BIND_TOKEN_TOO_OLD "bind.token.too_old" Reject false
        "A token came after its round's deadline."
        "The participant takes part in the next round; if it is always late, raise the deadline.";
    BIND_GPU_DIGEST_MISMATCH "bind.gpu_digest.mismatch" Reject false
        "The devices in the envelope are not those that the evidence vouches for."
        "The sender is faulty, or somebody exchanged device evidence.";
    // Policies.
    POL_FORMAT_INVALID "pol.format.invalid" Reject false
        "The policy file is not a valid policy."
        "Correct the key that the message names; `muster policy check` reads the file without evidence.";
    POL_MEASUREMENT_UNSET "pol.measurement.unset" Reject false
        "The policy allows no measurement, so it can affirm nothing."
        "List the launch digests of the images you allow.";
    POL_MEASUREMENT_INVALID "pol.measurement.invalid" Reject false
        "An allowed measurement is all zero, which no real launch has."
        "Put the launch digest of the image there.";
    POL_MIN_TCB_UNSET "pol.min_tcb.unset" Reject false
        "A product line is permitted without a minimum TCB."
        "Give min_tcb for each permitted product, from AMD's current bulletins.";
    POL_PROFILE_DEVELOPMENT "pol.profile.development" Reject false
        "A knob that is locked in production is weakened, or the evidence is emulated."
        "Use the secure value, or mark the policy `profile = \"development\"`; production peers refuse that.";
    POL_EVIDENCE_MISSING "pol.evidence.missing" Reject false
        "A participant does not show the evidence that its role requires."
        "See why it cannot collect it; the bundle lists what each role has to show.";
    POL_SIGNATURE_INVALID "pol.signature.invalid" Reject false
        "The federation's bundle is not one that its owner signed."
        "Take the bundle from the kit, or ask the owner for it again.";
    POL_ROLLBACK "pol.rollback" Reject false
        "The federation's bundle is older than one already seen, or past its date."
        "Take the owner's newest bundle; if it is past its date, the owner signs a new one.";
    // Collateral store and clock.
    COLL_ROLLBACK "coll.rollback" Reject false
        "A correctly signed object is older than one already seen."
        "Fetch the current object; if the store was restored from a wrong clock, an administrator resets the floor.";
    COLL_FLOORS_UNAVAILABLE "coll.floors.unavailable" Indeterminate false
        "The record of the newest collateral seen cannot be read or written."
        "Make the cache folder readable and writable for this user, or name another with `cache_dir`.";
    CLK_UNTRUSTED "clk.untrusted" Reject false
        "The system clock is earlier than this program's release, or than the newest collateral seen."
        "Set the clock; nothing is accepted until then.";
    CLK_REPLAYED "clk.replayed" Reject false
        "The evidence was judged for another time than the present."
        "Such a result explains the past; an admission needs evidence that is verified now.";
    // The federation.
    FL_ROOT_OWN_LEAF_MISSING "fl.root.own_leaf_missing" Reject false
        "The published list does not contain this verifier's own contribution."
        "The coordinator left it out or changed it; nobody is accepted in this round.";
    FL_ROOT_MALFORMED "fl.root.malformed" Reject false
        "The published list is not strictly ascending, or not what was announced."
        "The coordinator is faulty or hostile.";
    FL_ROOT_EQUIVOCATION "fl.root.equivocation" Reject false
        "One epoch was opened or published in two different ways."
        "The coordinator is faulty or hostile; the agent attests to the first only.";
    FL_MEMBER_MISSING "fl.member.missing" Reject false
        "A required participant is not in the round."
        "See why it did not answer; the round is repeated.";
    FL_MEMBER_BUSY "fl.member.busy" Indeterminate false
        "A participant sits a round out: its hardware makes no further report for now."
        "Nothing to do: it takes part in a later round.";
    FL_JOB_STOPPED "fl.job.stopped" Reject false
        "The server ended a job."
        "The text says why; `muster job show` has the whole history.";
    FL_MEMBER_UNKNOWN "fl.member.unknown" Reject false
        "A participant has no valid enrolment under the name and role that it uses."
        "Start it from the kit that the owner provisioned for that name; the text says what is wrong with its enrolment.";
    FL_NAME_UNAUTHENTICATED "fl.name.unauthenticated" Reject false
        "A participant uses a name other than the one that its connection authenticated."
        "The sender is faulty or hostile; a name comes from the certificate of the connection and nowhere else.";
    FL_MESSAGE_UNSIGNED "fl.message.unsigned" Reject false
        "A message is not signed by its sender's key."
        "The sender is faulty, or somebody on the way changed the message.";
    FL_MESSAGE_REPLAYED "fl.message.replayed" Reject false
        "A message repeats a sequence number."
        "Somebody on the way repeats messages.";
    FL_PEER_QUARANTINED "fl.peer.quarantined" Reject false
        "A participant sent malformed or excessive input and is ignored for a while."
        "Look at the participant; others are served meanwhile.";
    FL_REGISTRATION_DUPLICATE "fl.registration.duplicate" Reject false
        "A second live instance uses the name."
        "Stop one of the two, or have the owner mark the name replaceable.";
    FL_REGISTRATION_STALE_INSTANCE "fl.registration.stale_instance" Reject false
        "A new instance presents the key of an earlier one."
        "Restart the participant; it makes a new key at each start.";
    FL_RUNTIME_CHANGED "fl.runtime.changed" Reject false
        "A participant's runtime is not the one that it registered with."
        "Restart and register it, if the change was intended.";
    FL_SYBIL_SAME_GUEST "fl.sybil.same_guest" Reject false
        "Two names in one round are the same guest."
        "Run each participant in a guest of its own.";
    FL_SYBIL_SAME_DEVICE "fl.sybil.same_device" Reject false
        "Two names in one round show the same device."
        "Give each participant its own devices.";
    FL_SYBIL_CHIP_QUOTA "fl.sybil.chip_quota" Reject false
        "One organisation has more participants on one processor than the bundle allows."
        "Move participants to other machines, or have the owner raise chip_quota.";
    FL_PLATFORM_CONCURRENT "fl.platform.concurrent" Reject false
        "Participants of different organisations show the same processor."
        "One of them does not run where it says, or a processor's key was copied: look at both machines.";
    FL_TOKEN_REFLECTED "fl.token.reflected" Reject false
        "A verifier was shown its own token."
        "Somebody returns tokens to their sender.";
    FL_VERDICT_EXPIRED "fl.verdict.expired" Reject false
        "A verdict is older than its lifetime."
        "A new round renews it; see why the last one failed.";
    FL_VERDICT_MISMATCH "fl.verdict.mismatch" Reject false
        "The coordinator's account of the verdicts is not what the verifiers signed."
        "The coordinator is faulty or hostile; the signed verdicts count.";
    // Transcripts: files that are verified again.
    TR_FORMAT_INVALID "tr.format.invalid" Reject false
        "The file is not a transcript, or not in the one form that transcripts have."
        "Take the file as its participant wrote it; a transcript cannot be edited or pretty-printed.";
    TR_CHAIN_BROKEN "tr.chain.broken" Reject false
        "A line of the transcript does not follow the one before it: lines were changed, removed, added or moved."
        "Take the file as its participant wrote it; this one proves nothing.";
    TR_SEAL_INVALID "tr.seal.invalid" Reject false
        "The transcript has no seal, or one that its writer's attestation key did not make over these lines."
        "The file is cut or somebody else wrote it; take it again from the participant.";
    TR_REPLAY_DIFFERS "tr.replay.differs" Reject false
        "Judged again, something comes out otherwise than the transcript says."
        "Compare the two values: another instant or another plugin explains it, or the writer was faulty or hostile.";
    // SEV-SNP reports: form (S1 to S9).
    SNP_FORMAT_LENGTH "snp.format.length" Reject false
        "The report is not exactly 1184 bytes."
        "Send the report alone, without the header of the ioctl response and without padding.";
    SNP_VERSION_UNSUPPORTED "snp.version.unsupported" Reject false
        "The report version is not one that is supported, or not one that the policy lists."
        "Update the guest's firmware, or list the version in the policy.";
    SNP_FORMAT_RESERVED "snp.format.reserved" Reject false
        "A byte that the report version reserves is not zero."
        "The report was damaged, or a newer firmware uses a field this version does not know.";
    SNP_POLICY_MALFORMED "snp.policy.malformed" Reject false
        "The guest policy or key information has a reserved bit with the wrong value."
        "The report was damaged, or comes from a newer firmware than supported.";
    SNP_SIGALGO_UNSUPPORTED "snp.sigalgo.unsupported" Reject false
        "SIGNATURE_ALGO is not 1 (ECDSA P-384 with SHA-384)."
        "Only reports signed by a VCEK or VLEK are evidence.";
    SNP_SIGNING_KEY_NONE "snp.signing_key.none" Reject false
        "The report is not signed."
        "The host runs the guest with report signing off; unsigned reports prove nothing.";
    SNP_SIGNING_KEY_RESERVED "snp.signing_key.reserved" Reject false
        "SIGNING_KEY has a reserved value."
        "The report was damaged, or comes from a newer firmware than supported.";
    SNP_CHIP_KEY_MASKED "snp.chip_key.masked" Reject false
        "MASK_CHIP_KEY is set: the firmware did not sign with the chip's key."
        "The host must not set MASK_CHIP_KEY.";
    SNP_PRODUCT_UNKNOWN "snp.product.unknown" Reject false
        "The processor is of no product line that is known here."
        "Only Milan, Genoa and Turin (with their derivatives) are supported.";
    // SEV-SNP reports: certificates and revocation (S10 to S15).
    SNP_CHAIN_MISSING "snp.chain.missing" Indeterminate false
        "The VCEK, VLEK or its issuer is not among the endorsements."
        "Supply them with the evidence, or let the host fetch them from the key distribution service.";
    SNP_CHAIN_UNTRUSTED_ROOT "snp.chain.untrusted_root" Reject false
        "The root certificate is not AMD's for this product line."
        "Supply AMD's own ARK, or none: the compiled-in one is used then.";
    SNP_CHAIN_SIGNATURE "snp.chain.signature" Reject false
        "A certificate of the chain is not signed by its issuer."
        "Fetch the chain again from the key distribution service.";
    SNP_CHAIN_ROLE "snp.chain.role" Reject false
        "A certificate does not have the role that its place in the chain demands."
        "Supply the VCEK or VLEK as leaf and the ASK or ASVK as its issuer.";
    SNP_CHAIN_ALGORITHM "snp.chain.algorithm" Reject false
        "A certificate has another key type or signature algorithm than AMD uses."
        "Fetch the chain again from the key distribution service.";
    SNP_CHAIN_KIND_MISMATCH "snp.chain.kind_mismatch" Reject false
        "The leaf certificate is of another kind (VCEK, VLEK) than the key that signed the report."
        "Supply the certificate of the key that SIGNING_KEY names.";
    SNP_CHAIN_EXPIRED "snp.chain.expired" Reject false
        "A certificate of the chain is past its validity."
        "Fetch a current certificate; to judge an old report as of its time, replay it with --at.";
    SNP_CHAIN_NOT_YET_VALID "snp.chain.not_yet_valid" Reject false
        "A certificate of the chain is not valid yet."
        "Check the clock of this machine and the instant given with --at.";
    SNP_CHAIN_REVOKED "snp.chain.revoked" Reject false
        "AMD revoked a certificate of the chain."
        "Nothing that this chain signed may be trusted any more.";
    SNP_CRL_MISSING "snp.crl.missing" Indeterminate true
        "No revocation list of the product line is at hand."
        "Let the host fetch it, supply it with --endorsements, or waive it visibly with --waive snp.crl.missing.";
    SNP_CRL_EXPIRED "snp.crl.expired" Reject false
        "The revocation list is outside its validity."
        "Fetch the current list.";
    SNP_CRL_SIGNATURE "snp.crl.signature" Reject false
        "The revocation list is malformed or not signed by the product line's root."
        "Fetch the list again from the key distribution service.";
    SNP_EXT_MISSING "snp.ext.missing" Reject false
        "The leaf certificate lacks an extension that its kind has."
        "Supply the certificate exactly as the key distribution service issued it.";
    SNP_EXT_DUPLICATE "snp.ext.duplicate" Reject false
        "The leaf certificate has an extension twice."
        "Supply the certificate exactly as the key distribution service issued it.";
    SNP_EXT_MALFORMED "snp.ext.malformed" Reject false
        "An extension of the leaf certificate is not strictly encoded or out of range."
        "Supply the certificate exactly as the key distribution service issued it.";
    SNP_EXT_CONFLICT "snp.ext.conflict" Reject false
        "The leaf certificate has an extension that belongs to the other kind of leaf."
        "Supply the certificate exactly as the key distribution service issued it.";
    SNP_PRODUCT_MISMATCH "snp.product.mismatch" Reject false
        "The certificate names another product line than the report."
        "Supply the certificate of the processor that signed the report.";
    SNP_CERTTABLE_MALFORMED "snp.certtable.malformed" Reject false
        "The certificate table of the host is malformed."
        "Leave the table out and supply the certificates themselves, or report it to the host's operator.";
    // SEV-SNP reports: signature and what it covers (S16 to S20).
    SNP_SIGNATURE_MALFORMED "snp.signature.malformed" Reject false
        "The signature is not a pair of numbers in range, encoded as the report format demands."
        "The report was damaged on its way.";
    SNP_SIGNATURE_INVALID "snp.signature.invalid" Reject false
        "The signature does not verify with the leaf's key."
        "The report was altered, or the certificate is of another processor or TCB.";
    SNP_CHIP_ID_MISMATCH "snp.chip_id.mismatch" Reject false
        "CHIP_ID is not the processor for which the certificate was issued."
        "Supply the certificate of the processor that signed the report.";
    SNP_TCB_CERT_MISMATCH "snp.tcb.cert_mismatch" Reject false
        "REPORTED_TCB is not the TCB for which the certificate was issued."
        "Supply the certificate for exactly the TCB that the report states.";
    SNP_TCB_INCONSISTENT "snp.tcb.inconsistent" Reject false
        "The TCB versions of the report contradict each other."
        "The report cannot come from correct firmware.";
    // SEV-SNP appraisal (S2, S6, S8, S9, S18, S20 to S31).
    SNP_SIGNING_KEY_VLEK_NOT_ALLOWED "snp.signing_key.vlek_not_allowed" Reject false
        "The report is signed by a VLEK, which the policy does not allow."
        "Set allow_vlek and list the cloud providers, or have the host use the VCEK.";
    SNP_CHIP_ID_MASKED "snp.chip_id.masked" Reject false
        "The host masked CHIP_ID, so the processor cannot be told."
        "Have the host stop masking, or set allow_masked_chip_id without a chip list.";
    SNP_PRODUCT_NOT_ALLOWED "snp.product.not_allowed" Reject false
        "The policy does not allow the product line."
        "List the product with its minimum TCB; for Milan a chip allowlist is needed too.";
    SNP_CSP_ID_NOT_ALLOWED "snp.csp_id.not_allowed" Reject false
        "The VLEK belongs to a cloud provider that the policy does not list."
        "List the provider's CSP_ID if you trust it.";
    SNP_FW_PROVISIONAL "snp.fw.provisional" Reject false
        "COMMITTED is below CURRENT: the host can still go back to older firmware."
        "Have the host commit its firmware, or set allow_provisional_fw.";
    SNP_TCB_BELOW_MINIMUM "snp.tcb.below_minimum" Reject false
        "A TCB component is below the minimum of the policy."
        "Have the host update its firmware and microcode.";
    SNP_TCB_LAUNCH_BELOW_MINIMUM "snp.tcb.launch_below_minimum" Reject false
        "The guest was launched under a TCB below the minimum."
        "Launch the guest again on the updated host.";
    SNP_FW_BELOW_MINIMUM "snp.fw.below_minimum" Reject false
        "The firmware version is below the minimum of the policy."
        "Have the host update its firmware.";
    SNP_VMPL_MISMATCH "snp.vmpl.mismatch" Reject false
        "The report was requested at another VMPL than the policy expects."
        "Ask from the expected level; other levels need their own policy.";
    SNP_VMPL_HOST_REPORT "snp.vmpl.host_report" Reject false
        "The report was requested by the host, not by the guest."
        "A report by the host says nothing about software in the guest.";
    SNP_POLICY_DEBUG "snp.policy.debug" Reject false
        "The guest may be debugged by the host."
        "Launch the guest without DEBUG.";
    SNP_POLICY_MIGRATE_MA "snp.policy.migrate_ma" Reject false
        "The guest may be moved by a migration agent."
        "Launch the guest without MIGRATE_MA.";
    SNP_REPORT_ID_MA_PRESENT "snp.report_id_ma.present" Reject false
        "A migration agent is associated with the guest."
        "Launch the guest without a migration agent.";
    SNP_POLICY_ABI "snp.policy.abi" Reject false
        "The guest policy demands a lower firmware ABI than the policy here."
        "Launch the guest with a higher minimum ABI.";
    SNP_POLICY_SMT "snp.policy.smt" Reject false
        "The guest may run with simultaneous multithreading, which the policy forbids."
        "Launch the guest with SMT off.";
    SNP_POLICY_CXL "snp.policy.cxl" Reject false
        "The guest may use CXL memory, which the policy forbids."
        "Launch the guest without CXL_ALLOW.";
    SNP_POLICY_SINGLE_SOCKET "snp.policy.single_socket" Reject false
        "The guest may run on several sockets, which the policy forbids."
        "Launch the guest with SINGLE_SOCKET.";
    SNP_POLICY_XTS "snp.policy.xts" Reject false
        "The guest does not demand AES-256-XTS, which the policy requires."
        "Launch the guest with MEM_AES_256_XTS.";
    SNP_POLICY_RAPL "snp.policy.rapl" Reject false
        "The guest does not demand that RAPL is off, which the policy requires."
        "Launch the guest with RAPL_DIS.";
    SNP_POLICY_CIPHERTEXT_HIDING "snp.policy.ciphertext_hiding" Reject false
        "The guest does not demand ciphertext hiding, which the policy requires."
        "Launch the guest with CIPHERTEXT_HIDING_DRAM on a host that supports it.";
    SNP_POLICY_PAGE_SWAP "snp.policy.page_swap" Reject false
        "The guest does not forbid page swapping, which the policy requires."
        "Launch the guest with PAGE_SWAP_DISABLE.";
    SNP_PLATFORM_SMT "snp.platform.smt" Reject false
        "The platform runs SMT though the guest policy forbids it."
        "The report cannot come from correct firmware.";
    SNP_PLATFORM_ALIAS_CHECK "snp.platform.alias_check" Reject false
        "The platform did not complete the memory alias check (BadRAM)."
        "Have the host update its firmware and boot again.";
    SNP_PLATFORM_ECC "snp.platform.ecc" Reject false
        "The platform runs without ECC memory, which the policy requires."
        "Use a host with ECC memory.";
    SNP_PLATFORM_UNKNOWN_BIT "snp.platform.unknown_bit" Reject false
        "PLATFORM_INFO has a bit whose meaning is not known here."
        "A newer version of the plugin and policy may know it.";
    SNP_MITIGATION_MISSING "snp.mitigation.missing" Reject false
        "A mitigation that the policy requires is not active."
        "Have the host update its firmware.";
    SNP_MEASUREMENT_UNKNOWN "snp.measurement.unknown" Reject false
        "The launch measurement is not one that the policy allows."
        "Compare with the image's launch digest; list it if the image is the right one.";
    SNP_HOST_DATA_MISMATCH "snp.host_data.mismatch" Reject false
        "HOST_DATA is not what the policy expects."
        "Launch the guest with the expected init data.";
    SNP_ID_KEY_UNTRUSTED "snp.id_key.untrusted" Reject false
        "The guest was not launched with an ID block of a listed key."
        "Launch with an ID block signed by a listed key.";
    SNP_AUTHOR_KEY_UNTRUSTED "snp.author_key.untrusted" Reject false
        "The ID key is not authorised by a listed author key."
        "Launch with an author key that the policy lists.";
    SNP_GUEST_SVN_BELOW_MINIMUM "snp.guest_svn.below_minimum" Reject false
        "GUEST_SVN is below the minimum."
        "Launch the updated image.";
    SNP_IMAGE_ID_MISMATCH "snp.image_id.mismatch" Reject false
        "FAMILY_ID or IMAGE_ID is not what the policy expects."
        "Launch the expected image.";
    SNP_CHIP_ID_DENIED "snp.chip_id.denied" Reject false
        "The processor is on the deny list, or not on the allow list."
        "Use another machine, or correct the list.";
    // SEV-SNP collection (1.5).
    SNP_COLLECT_NO_DEVICE "snp.collect.no_device" Reject false
        "Neither configfs-tsm nor the guest device is there."
        "Run inside an SNP guest with the sev-guest driver loaded, with access to its device.";
    SNP_COLLECT_THROTTLED "snp.collect.throttled" Indeterminate false
        "The host throttles report requests."
        "Wait and ask less often; reports are shared within a round.";
    SNP_COLLECT_VMPCK_DISABLED "snp.collect.vmpck_disabled" Reject false
        "The driver wiped its key after a failed exchange with the firmware."
        "Restart the guest; until then it cannot obtain reports.";
    SNP_COLLECT_GENERATION_CONFLICT "snp.collect.generation_conflict" Reject false
        "Another process used the same report directory meanwhile."
        "Ask again; make sure that each request has its own directory.";
    SNP_COLLECT_FIRMWARE_ERROR "snp.collect.firmware_error" Reject false
        "The firmware refused the request."
        "The message has the firmware's status; AMD 56860 lists them.";
    SNP_COLLECT_WRONG_REPORT "snp.collect.wrong_report" Reject false
        "The device returned a report that does not answer the request."
        "Something between this program and the firmware substitutes reports; do not use this machine.";
    // Intel TDX verification (T1 to T17, T22).
    TDX_VERSION_UNSUPPORTED "tdx.version.unsupported" Reject false
        "The quote is neither version 4 nor 5 of the format."
        "Send a TDX quote; SGX quotes and local TD reports prove nothing here.";
    TDX_TEE_TYPE_MISMATCH "tdx.tee_type.mismatch" Reject false
        "The quote is not of a trust domain."
        "Send a TDX quote; SGX quotes are not accepted.";
    TDX_ATT_KEY_TYPE_UNSUPPORTED "tdx.att_key_type.unsupported" Reject false
        "The attestation key is not ECDSA on P-256."
        "Have the platform's quoting enclave use its ECDSA P-256 key.";
    TDX_QE_VENDOR_UNKNOWN "tdx.qe_vendor.unknown" Reject false
        "The quoting enclave is not Intel's."
        "Use the quoting enclave that Intel signs.";
    TDX_FORMAT_LENGTH "tdx.format.length" Reject false
        "The lengths in the quote do not nest exactly, or bytes follow the signature data."
        "Import the quote with the command line, which cuts zero padding off, or send it exactly as declared.";
    TDX_CERTDATA_UNSUPPORTED "tdx.certdata.unsupported" Reject false
        "The certification data is not a chain of three PCK certificates inside a QE report."
        "Configure the platform to deliver PCK certificate chains (types 6 and 5) in quotes.";
    TDX_PCK_CHAIN_UNTRUSTED_ROOT "tdx.pck_chain.untrusted_root" Reject false
        "The PCK chain does not end in Intel's SGX root CA."
        "The platform is not genuine, or its provisioning is broken; look at the sender.";
    TDX_PCK_CHAIN_SIGNATURE "tdx.pck_chain.signature" Reject false
        "A certificate of the PCK chain is malformed or not signed by the one above."
        "Provision the platform's PCK certificate anew.";
    TDX_PCK_CHAIN_ROLE "tdx.pck_chain.role" Reject false
        "A certificate of the PCK chain is not what its place requires."
        "Provision the platform's PCK certificate anew.";
    TDX_PCK_CHAIN_EXPIRED "tdx.pck_chain.expired" Reject false
        "A certificate of the PCK chain has expired."
        "Provision the platform's PCK certificate anew.";
    TDX_PCK_CHAIN_NOT_YET_VALID "tdx.pck_chain.not_yet_valid" Reject false
        "A certificate of the PCK chain is not valid yet."
        "Check the verifier's clock; otherwise provision the PCK certificate anew.";
    TDX_CRL_MISSING "tdx.crl.missing" Indeterminate true
        "The revocation list of the root or of the PCK issuer is not at hand."
        "Let the host fetch it, supply it with --endorsements, or waive it visibly with --waive tdx.crl.missing.";
    TDX_CRL_SIGNATURE "tdx.crl.signature" Reject false
        "A revocation list is malformed or not signed by the authority that it speaks for."
        "Fetch the list again from Intel's provisioning service.";
    TDX_CRL_ISSUER_MISMATCH "tdx.crl.issuer_mismatch" Reject false
        "The revocation list is another authority's than the PCK certificate's issuer."
        "Fetch the list of the authority (platform or processor) that issued the PCK certificate.";
    TDX_CRL_EXPIRED "tdx.crl.expired" Reject false
        "A revocation list is outside its validity."
        "Fetch the current list.";
    TDX_PCK_REVOKED "tdx.pck.revoked" Reject false
        "The PCK certificate is revoked."
        "The platform must not be trusted any more; provision it anew or replace it.";
    TDX_CA_REVOKED "tdx.ca.revoked" Reject false
        "The PCK issuer's certificate is revoked."
        "The platform must be provisioned under a valid authority.";
    TDX_TCB_SIGNER_REVOKED "tdx.tcb_signer.revoked" Reject false
        "The certificate that signed TCB info or QE identity is revoked."
        "Fetch current collateral.";
    TDX_TCB_INFO_MISSING "tdx.tcb_info.missing" Indeterminate false
        "No TCB info for the platform's FMSPC is at hand."
        "Let the host fetch it, or supply it with --endorsements.";
    TDX_TCB_INFO_SIGNATURE "tdx.tcb_info.signature" Reject false
        "The TCB info or its signing chain is not signed as Intel signs it."
        "Fetch it again; keep the body exactly as received.";
    TDX_TCB_INFO_ROLE "tdx.tcb_info.role" Reject false
        "The TCB info is signed by a certificate that is not Intel's TCB signer directly under the root."
        "Fetch it again from Intel's provisioning service.";
    TDX_TCB_INFO_ID "tdx.tcb_info.id" Reject false
        "The TCB info is not for TDX."
        "Fetch the TCB info of TDX, not that of SGX.";
    TDX_TCB_INFO_VERSION "tdx.tcb_info.version" Reject false
        "The TCB info has a version or type that is not supported."
        "Fetch it with version 4 of the provisioning service.";
    TDX_TCB_INFO_MALFORMED "tdx.tcb_info.malformed" Reject false
        "The TCB info is not the JSON that Intel defines."
        "Fetch it again; keep the body exactly as received.";
    TDX_TCB_INFO_EXPIRED "tdx.tcb_info.expired" Reject false
        "The TCB info is past its nextUpdate."
        "Fetch the current one.";
    TDX_TCB_INFO_FUTURE "tdx.tcb_info.future" Reject false
        "The TCB info was issued later than now."
        "Check the verifier's clock.";
    TDX_QE_IDENTITY_MISSING "tdx.qe_identity.missing" Indeterminate false
        "No identity of the TD quoting enclave is at hand."
        "Let the host fetch it, or supply it with --endorsements.";
    TDX_QE_IDENTITY_SIGNATURE "tdx.qe_identity.signature" Reject false
        "The QE identity or its signing chain is not signed as Intel signs it."
        "Fetch it again; keep the body exactly as received.";
    TDX_QE_IDENTITY_ROLE "tdx.qe_identity.role" Reject false
        "The QE identity is signed by a certificate that is not Intel's TCB signer directly under the root."
        "Fetch it again from Intel's provisioning service.";
    TDX_QE_IDENTITY_ID "tdx.qe_identity.id" Reject false
        "The QE identity is not that of the TD quoting enclave."
        "Fetch the identity TD_QE, not QE or QVE.";
    TDX_QE_IDENTITY_VERSION "tdx.qe_identity.version" Reject false
        "The QE identity has a version that is not supported."
        "Fetch it with version 4 of the provisioning service.";
    TDX_QE_IDENTITY_MALFORMED "tdx.qe_identity.malformed" Reject false
        "The QE identity is not the JSON that Intel defines."
        "Fetch it again; keep the body exactly as received.";
    TDX_QE_IDENTITY_EXPIRED "tdx.qe_identity.expired" Reject false
        "The QE identity is outside its window of validity."
        "Fetch the current one.";
    TDX_QE_IDENTITY_MISMATCH "tdx.qe_identity.mismatch" Reject false
        "The quoting enclave is not the one that Intel's identity describes."
        "Install Intel's current quoting enclave on the host.";
    TDX_QE_REPORT_SIGNATURE "tdx.qe_report.signature" Reject false
        "The QE report is not signed by the platform's PCK key."
        "The quote is forged or damaged; collect a new one.";
    TDX_QE_REPORT_DATA_MISMATCH "tdx.qe_report_data.mismatch" Reject false
        "The QE report does not vouch for this attestation key."
        "The quote is forged or damaged; collect a new one.";
    TDX_QE_DEBUG "tdx.qe.debug" Reject false
        "The quoting enclave runs in debug mode."
        "Run the production quoting enclave.";
    TDX_QE_TCB_NOT_FOUND "tdx.qe_tcb.not_found" Reject false
        "The quoting enclave is older than every level of its identity."
        "Update the quoting enclave on the host.";
    TDX_FMSPC_MISMATCH "tdx.fmspc.mismatch" Reject false
        "No TCB info at hand is for the platform's FMSPC."
        "Fetch the TCB info of the FMSPC in the PCK certificate.";
    TDX_PCEID_MISMATCH "tdx.pceid.mismatch" Reject false
        "The TCB info is for another provisioning certification enclave."
        "Fetch the TCB info of the platform in the PCK certificate.";
    TDX_SIGNATURE_MALFORMED "tdx.signature.malformed" Reject false
        "The quote's signature or attestation key is not well-formed."
        "The quote is forged or damaged; collect a new one.";
    TDX_SIGNATURE_INVALID "tdx.signature.invalid" Reject false
        "The quote is not signed by its attestation key."
        "The quote is forged or damaged; collect a new one.";
    TDX_MODULE_IDENTITY_MISSING "tdx.module.identity_missing" Reject false
        "The TCB info knows no TDX module of this version."
        "Fetch current TCB info; otherwise load a module that Intel released.";
    TDX_MODULE_MRSIGNER_MISMATCH "tdx.module.mrsigner_mismatch" Reject false
        "The TDX module is not signed as Intel's identity says."
        "Load the TDX module that Intel released.";
    TDX_MODULE_ATTRIBUTES "tdx.module.attributes" Reject false
        "The TDX module has attributes that a production module does not have."
        "Load the TDX module that Intel released.";
    TDX_MODULE_TCB_NOT_FOUND "tdx.module_tcb.not_found" Reject false
        "The TDX module is older than every level of its identity."
        "Update the TDX module on the host.";
    TDX_TCB_MALFORMED "tdx.tcb.malformed" Reject false
        "A TCB level does not have sixteen components of each kind."
        "Fetch the TCB info again.";
    TDX_TCB_NOT_FOUND "tdx.tcb.not_found" Reject false
        "The platform is below every TCB level that Intel lists."
        "Update firmware and microcode of the host, then provision its PCK certificate anew.";
    TDX_TCB_UNRECOGNIZED "tdx.tcb.unrecognized" Reject false
        "A TCB status is none that this release knows."
        "Update Muster; a status that is not known cannot be judged.";
    TDX_TCB_REVOKED "tdx.tcb.revoked" Reject false
        "The TCB level of platform, module or quoting enclave is revoked."
        "The platform must not be trusted; update it and provision it anew.";
    TDX_EVENTLOG_MALFORMED "tdx.eventlog.malformed" Reject false
        "The event log cannot be read, or has events that cannot be judged."
        "Collect the log again with the quote.";
    TDX_EVENTLOG_REPLAY_MISMATCH "tdx.eventlog.replay_mismatch" Reject false
        "The event log does not give the quote's RTMRs."
        "Collect log and quote together; otherwise somebody changed the log.";
    // Intel TDX appraisal (T8, T12, T17 to T21, T23 to T25).
    TDX_TCB_EVAL_BELOW_MINIMUM "tdx.tcb_eval.below_minimum" Reject false
        "The collateral has a lower tcbEvaluationDataNumber than the policy demands."
        "Fetch current collateral; a cache may serve an old one.";
    TDX_QE_TCB_STATUS "tdx.qe_tcb.status" Reject false
        "The quoting enclave's TCB status is not accepted."
        "Update the quoting enclave on the host, or accept the status in the policy.";
    TDX_TCB_STATUS "tdx.tcb.status" Reject false
        "The TCB status is not among those that the policy accepts."
        "Update the host, or accept the status in the policy with the advisories it has.";
    TDX_TCB_ADVISORY "tdx.tcb.advisory" Reject false
        "An advisory that is not accepted applies to the platform."
        "Mitigate it and accept it in the policy, or update the host.";
    TDX_TCB_DATE "tdx.tcb.date" Reject false
        "The TCB level is older than the policy's minimum date."
        "Update the host's TCB.";
    TDX_ATTR_DEBUG "tdx.attr.debug" Reject false
        "The trust domain can be debugged by its host."
        "Launch it without debug attributes.";
    TDX_ATTR_SEPT_VE_DISABLE "tdx.attr.sept_ve_disable" Reject false
        "The trust domain accepts #VE for pending pages."
        "Launch it with SEPT_VE_DISABLE.";
    TDX_ATTR_MIGRATABLE "tdx.attr.migratable" Reject false
        "The trust domain can be migrated."
        "Launch it without MIGRATABLE.";
    TDX_ATTR_UNKNOWN_BIT "tdx.attr.unknown_bit" Reject false
        "An attribute bit is set that this policy does not know."
        "Update Muster, or launch without that attribute.";
    TDX_ATTR_PERFMON "tdx.attr.perfmon" Reject false
        "The trust domain uses performance monitoring."
        "Launch it without PERFMON, or allow it in the policy.";
    TDX_ATTR_KL "tdx.attr.kl" Reject false
        "The trust domain uses Key Locker."
        "Launch it without KL, or allow it in the policy.";
    TDX_ATTR_PKS "tdx.attr.pks" Reject false
        "The trust domain uses supervisor protection keys."
        "Launch it without PKS, or allow it in the policy.";
    TDX_XFAM_INVALID "tdx.xfam.invalid" Reject false
        "XFAM lacks a mandatory feature or has one that is not allowed."
        "Launch the trust domain with the extended features that the policy allows.";
    TDX_SERVICE_TD_PRESENT "tdx.service_td.present" Reject false
        "A service TD is bound to the trust domain."
        "Launch it without a migration TD.";
    TDX_MEASUREMENT_UNKNOWN "tdx.measurement.unknown" Reject false
        "MRTD and RTMRs are not those of one permitted image."
        "Launch a permitted image, or add this one to the policy.";
    TDX_MRCONFIGID_MISMATCH "tdx.mrconfigid.mismatch" Reject false
        "MRCONFIGID is not what the policy expects."
        "Launch with the configuration that the policy expects.";
    TDX_MROWNER_MISMATCH "tdx.mrowner.mismatch" Reject false
        "MROWNER or MROWNERCONFIG is not what the policy expects."
        "Launch with the owner that the policy expects.";
    TDX_PLATFORM_SMT "tdx.platform.smt" Reject false
        "Simultaneous multithreading is enabled on the platform."
        "Disable it in the firmware, or allow it in the policy.";
    TDX_PLATFORM_DYNAMIC "tdx.platform.dynamic" Reject false
        "The platform can be extended with packages at run time."
        "Use another platform, or allow it in the policy.";
    TDX_PLATFORM_CACHED_KEYS "tdx.platform.cached_keys" Reject false
        "The platform's keys are cached by Intel's registration service."
        "Use another platform, or allow it in the policy.";
    TDX_PLATFORM_DENIED "tdx.platform.denied" Reject false
        "The platform is on the deny list, or not on the allow list."
        "Use a permitted platform.";
    TDX_MRSEAM_UNKNOWN "tdx.mrseam.unknown" Reject false
        "The TDX module is not one of those that the policy lists."
        "Load a listed module, or list this one.";
    // Intel TDX collection.
    TDX_COLLECT_NO_DEVICE "tdx.collect.no_device" Reject false
        "Neither configfs-tsm nor the guest device is there."
        "Run inside a trust domain with the tdx_guest driver loaded, with access to its reports.";
    TDX_COLLECT_SERVICE_UNAVAILABLE "tdx.collect.service_unavailable" Indeterminate false
        "The host's quoting service did not answer."
        "Ask again later; otherwise have the host's operator look at the quote generation service.";
    TDX_COLLECT_WRONG_QUOTE "tdx.collect.wrong_quote" Indeterminate false
        "The host's quoting service returned a quote for another request."
        "Ask again; if it stays so, the host is faulty or hostile.";
    TDX_COLLECT_GENERATION_CONFLICT "tdx.collect.generation_conflict" Reject false
        "Another process used the same report directory meanwhile."
        "Ask again; make sure that each request has its own directory.";
    TDX_COLLECT_FAILED "tdx.collect.failed" Reject false
        "The kernel refused to make a quote."
        "See the message of the kernel; the quote generation service of the host may be missing.";
    // The plugin loader and the plugin contract.
    PLUG_CONFIG_MISSING "plug.config.missing" Reject false
        "There is no plugin configuration."
        "Build the plugins with `cargo xtask build-plugins`, or name a configuration with --plugins.";
    PLUG_CONFIG_INVALID "plug.config.invalid" Reject false
        "The plugin configuration is not valid."
        "Correct the key that the message names.";
    PLUG_FILE_NOT_FOUND "plug.file.not_found" Reject false
        "A configured plugin file does not exist or cannot be read."
        "Install the plugin or correct the path.";
    PLUG_FILE_NOT_ABSOLUTE "plug.file.not_absolute" Reject false
        "The path of a plugin is not absolute."
        "Write the full path; there is no search path.";
    PLUG_FILE_OWNER "plug.file.owner" Reject false
        "A plugin file or its folder belongs to another user."
        "Make root or the user that runs Muster its owner.";
    PLUG_FILE_MODE "plug.file.mode" Reject false
        "A plugin file or its folder can be written by others."
        "Remove write permission for group and others.";
    PLUG_FILE_CHANGED "plug.file.changed" Reject false
        "A plugin file changed while it was being loaded."
        "Find out who writes to it; then try again.";
    PLUG_DIGEST_MISMATCH "plug.digest.mismatch" Reject false
        "A plugin file is not the one that the configuration names."
        "Install the provisioned file, or provision the new digest after checking where the file comes from.";
    PLUG_LOAD_FAILED "plug.load.failed" Reject false
        "The dynamic linker cannot load the plugin."
        "Install a plugin built for this system; the message has the linker's reason.";
    PLUG_ROOT_MISSING "plug.root.missing" Reject false
        "The library is not an authorizer plugin."
        "Install a library that exports a Muster authorizer.";
    PLUG_ABI_LAYOUT "plug.abi.layout" Reject false
        "The plugin was built against an incompatible layout of the interface."
        "Install a plugin built with the published cc-core of the same major version.";
    PLUG_ABI_VERSION "plug.abi.version" Reject false
        "The plugin was built for another version of the interface."
        "Install a plugin for this version.";
    PLUG_IDENTITY_CONFLICT "plug.identity.conflict" Reject false
        "Two plugins claim the same profile and role, or the plugin is configured twice."
        "Configure one plugin for each profile and role.";
    PLUG_NOT_ALLOWED "plug.not_allowed" Reject false
        "The configuration does not allow what the plugin says it is."
        "List the profiles it may serve; emulated plugins need `[danger] allow_emulated = true`.";
    PLUG_SELFTEST_FAILED "plug.selftest.failed" Reject false
        "The plugin does not answer the host's probes as the contract demands."
        "Report it to the plugin's vendor.";
    PLUG_PROFILE_UNSERVED "plug.profile.unserved" Reject false
        "No loaded plugin serves the profile."
        "Configure a plugin for the profile; `muster plugin list` shows what is loaded.";
    PLUG_CONTRACT "plug.contract" Reject false
        "An answer of the plugin breaks the contract."
        "Report it to the plugin's vendor; nothing it said was used.";
    PLUG_PANICKED "plug.panicked" Reject false
        "The plugin panicked; the request is denied."
        "Report it to the plugin's vendor with the message.";
}
