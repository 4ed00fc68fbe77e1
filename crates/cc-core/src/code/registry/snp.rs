//! AMD SEV-SNP.

registry! {
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
}
