//! Confidential containers and machines of Azure: container groups (`aci`), tokens of Microsoft Azure Attestation
//! (`maa`), virtual TPMs (`vtpm`).

registry! {
    // Steps A1 to A8 of *verification.md* 4.2.
    ACI_UVM_MISSING "aci.uvm.missing" Reject false
        "No endorsement of the utility VM comes with the report."
        "Send the group's `reference-info-base64` along, or supply it with --endorsements.";
    ACI_UVM_COSE_MALFORMED "aci.uvm.cose_malformed" Reject false
        "The endorsement of the utility VM is not a COSE_Sign1 of the known shape."
        "Send `reference-info-base64` as the platform gave it; a newer shape needs a newer verifier.";
    ACI_UVM_ALG "aci.uvm.alg" Reject false
        "The endorsement's signature algorithm is not allowed or does not fit its key."
        "Send the endorsement as the platform gave it.";
    ACI_UVM_ISSUER "aci.uvm.issuer" Reject false
        "The endorsement is issued by another DID than Microsoft's for utility VMs."
        "Send the endorsement as the platform gave it.";
    ACI_UVM_CHAIN "aci.uvm.chain" Reject false
        "The endorsement's certificates are not a chain."
        "Send the endorsement as the platform gave it.";
    ACI_UVM_FINGERPRINT "aci.uvm.fingerprint" Reject false
        "No CA certificate of the endorsement has the fingerprint that the issuer's DID names."
        "Send the endorsement as the platform gave it.";
    ACI_UVM_EKU "aci.uvm.eku" Reject false
        "The endorsement's signer lacks the key usage that the issuer's DID demands."
        "Send the endorsement as the platform gave it.";
    ACI_UVM_FEED "aci.uvm.feed" Reject false
        "The endorsement is of another product line of utility VMs."
        "Use the profile that fits the platform.";
    ACI_UVM_SIGNATURE "aci.uvm.signature" Reject false
        "The endorsement's signature does not fit."
        "Send the endorsement as the platform gave it.";
    ACI_UVM_CONTENT_TYPE "aci.uvm.content_type" Reject false
        "The endorsement's content is not JSON."
        "Send the endorsement as the platform gave it.";
    ACI_UVM_MEASUREMENT_MISMATCH "aci.uvm.measurement_mismatch" Reject false
        "The endorsement is of another utility VM than the one that was measured."
        "Send the endorsement that belongs to this group.";
    ACI_UVM_SVN_BELOW_MINIMUM "aci.uvm.svn_below_minimum" Reject false
        "The utility VM is older than the policy allows."
        "Redeploy the group, so that the platform gives it a newer utility VM.";
    ACI_CCE_POLICY_UNKNOWN "aci.cce_policy.unknown" Reject false
        "The group's CCE policy is none of those that the policy lists."
        "Deploy the reviewed CCE policy, or list this one's digest in `cce_policy_allowlist`.";
    ACI_CCE_POLICY_DIGEST "aci.cce_policy.digest" Reject false
        "The CCE policy's text is not the one that the group was started with."
        "Send the group's own `security-policy-base64`.";
    ACI_CCE_POLICY_PERMISSIVE "aci.cce_policy.permissive" Reject false
        "The CCE policy allows what would let somebody into the group."
        "Deploy a CCE policy without what the detail names, or list that under `cce_policy_permit`.";

    // Steps M1 to M7 of *verification.md* 4.5.
    MAA_TYPE_MISMATCH "maa.type.mismatch" Reject false
        "The token is not about a confidential container group."
        "Ask the service's SevSnpVm endpoint from inside the group.";
    MAA_COMPLIANCE_MISMATCH "maa.compliance.mismatch" Reject false
        "The service does not say that the group runs on a compliant utility VM."
        "Send the group's UVM endorsement along when asking the service.";
    MAA_CLAIM_TYPE "maa.claim.type" Reject false
        "A claim of the token is missing or of another type."
        "Send the token as the service gave it.";
    MAA_DEBUGGABLE "maa.debuggable" Reject false
        "The group can be debugged."
        "Deploy the group without debugging.";
    MAA_MIGRATION "maa.migration" Reject false
        "The group may be migrated."
        "Deploy the group without a migration agent.";
    MAA_VMPL "maa.vmpl" Reject false
        "The report was not asked for at the privilege level 0."
        "Ask from the group's own utility VM.";
    MAA_HOSTDATA_UNKNOWN "maa.hostdata.unknown" Reject false
        "The group's CCE policy is none of those that the policy lists."
        "Deploy the reviewed CCE policy, or list this one's digest in `cce_policy_allowlist`.";
    MAA_UVM_SVN_BELOW_MINIMUM "maa.uvm.svn_below_minimum" Reject false
        "The utility VM is older than the policy allows."
        "Redeploy the group, so that the platform gives it a newer utility VM.";
    MAA_TCB_BELOW_MINIMUM "maa.tcb.below_minimum" Reject false
        "The processor's firmware is older than the policy allows."
        "Redeploy the group on an updated machine.";
    MAA_POLICY_HASH_MISMATCH "maa.policy_hash.mismatch" Reject false
        "The service judged by another attestation policy than the pinned one."
        "Ask the pinned tenant, or pin its new policy.";
    MAA_REPORT_MISMATCH "maa.report.mismatch" Reject false
        "The raw report is not the one that the token is about."
        "Send the report and the token of one request.";
    MAA_REPORT_MISSING "maa.report.missing" Reject false
        "The raw report that the token is about did not come with it, and the policy requires it."
        "Send the report along, or say `require_raw_report = false` where the service's word is enough.";

    // *verification.md* 4.6.
    VTPM_FORMAT_MALFORMED "vtpm.format.malformed" Reject false
        "The evidence of the virtual TPM is malformed."
        "Collect again and send what the TPM gave.";
    VTPM_QUOTE_MISSING "vtpm.quote.missing" Reject false
        "There is no quote of the virtual TPM, so nothing fresh."
        "Collect again, with a quote.";
    VTPM_ATTEST_MAGIC "vtpm.attest.magic" Reject false
        "What the TPM signed was not generated by it."
        "Send a TPM2_Quote.";
    VTPM_ATTEST_TYPE "vtpm.attest.type" Reject false
        "What the TPM signed is not a quote."
        "Send a TPM2_Quote.";
    VTPM_HCL_MISMATCH "vtpm.hcl.mismatch" Reject false
        "The processor's report does not bind the runtime data of the HCL report."
        "Collect again and send the HCL report as the TPM gave it.";
    VTPM_AK_MISMATCH "vtpm.ak.mismatch" Reject false
        "The attestation key is not in the runtime data of the HCL report, or is no restricted signing key."
        "Quote with the attestation key that the platform made.";
    VTPM_SIGNATURE_INVALID "vtpm.signature.invalid" Reject false
        "The quote's signature does not fit."
        "Send the quote as the TPM gave it.";
    VTPM_PCR_SELECTION "vtpm.pcr.selection" Reject false
        "The quote is over other PCRs than the expected ones."
        "Quote the PCRs that the policy lists, and send exactly their values.";
    VTPM_PCR_ALGORITHM "vtpm.pcr.algorithm" Reject false
        "The quote is over a PCR bank of another hash than SHA-256."
        "Quote the SHA-256 bank.";
    VTPM_PCR_DIGEST "vtpm.pcr.digest" Reject false
        "The values of the PCRs are not those that were quoted."
        "Send the values of the same moment as the quote.";
    VTPM_PCR_VALUE "vtpm.pcr.value" Reject false
        "A PCR has none of the values that the policy lists."
        "Boot the reviewed image, or list the new value under `pcrs` after reviewing what changed.";
    VTPM_SECURE_BOOT_DISABLED "vtpm.secure_boot.disabled" Reject false
        "The machine runs without secure boot."
        "Deploy the machine with secure boot, or say `require_secure_boot = false` in the policy.";
    VTPM_USER_DATA_LENGTH "vtpm.user_data.length" Reject false
        "The user data of the HCL report is shorter than a binding."
        "Write all 64 bytes, and collect again.";
    VTPM_USER_DATA_MISMATCH "vtpm.user_data.mismatch" Reject false
        "The HCL report is not one that was made for this verifier, and the policy asks for such."
        "Set `fresh_hcl = true` for the plugin of the machine that is judged, or take `fresh_hcl` out of the policy.";

    // Collection in a container group (4.1).
    ACI_COLLECT_CONTEXT_MISSING "aci.collect.context_missing" Reject false
        "The group's security context is not there."
        "Set `context_dir` to the directory that UVM_SECURITY_CONTEXT_DIR names in the container.";
    ACI_COLLECT_CONTEXT_MALFORMED "aci.collect.context_malformed" Reject false
        "The group's security context, or what a sidecar gives of it, is not of the known form."
        "The message has the file; the platform writes it when the group starts, so redeploy the group.";
    ACI_COLLECT_FAKE_REPORT "aci.collect.fake_report" Reject false
        "The sidecar answered with its canned report, which no hardware made."
        "Run inside a confidential container group; elsewhere the sidecar has nothing else to give.";
    ACI_COLLECT_WRONG_REPORT "aci.collect.wrong_report" Reject false
        "The sidecar returned a report that does not answer the request."
        "Something in the group substitutes reports; do not use it.";
    ACI_COLLECT_UNAVAILABLE "aci.collect.unavailable" Indeterminate false
        "The sidecar did not answer."
        "See whether the sidecar runs and listens at `sidecar`, and ask again.";
    ACI_COLLECT_REFUSED "aci.collect.refused" Reject false
        "The sidecar refused, or its answer is not of the known form."
        "The message has what it said; see its log.";
    MAA_COLLECT_UNAVAILABLE "maa.collect.unavailable" Indeterminate false
        "The attestation service did not answer, or throttles."
        "Ask again later, or name another region's endpoint in `maa_endpoint`.";
    MAA_COLLECT_REFUSED "maa.collect.refused" Reject false
        "The attestation service refused the evidence, or its answer is not of the known form."
        "The message has what it said.";
    MAA_COLLECT_WRONG_TOKEN "maa.collect.wrong_token" Reject false
        "The service's token is about another request."
        "Something between this program and the service substitutes tokens; do not use this group.";

    // Collection on a machine with a virtual TPM (4.6).
    VTPM_COLLECT_NO_DEVICE "vtpm.collect.no_device" Reject false
        "The virtual TPM is not there."
        "Run inside a confidential machine of Azure, with access to /dev/tpmrm0.";
    VTPM_COLLECT_FAILED "vtpm.collect.failed" Reject false
        "The virtual TPM refused, or does not hold what the platform puts there."
        "The message has the TPM's reason; only a confidential machine has an HCL report and its key.";
    VTPM_COLLECT_BUSY "vtpm.collect.busy" Indeterminate false
        "The virtual TPM did not answer in time, or its PCRs change faster than they are quoted."
        "Ask again when the machine has started up.";
    VTPM_COLLECT_STALE "vtpm.collect.stale" Reject false
        "The platform made no new report with the user data that were written for it."
        "Collect again: another program on the machine may have written its own. Some machines never make a new report; set `fresh_hcl = false` there.";
    VTPM_COLLECT_WRONG_QUOTE "vtpm.collect.wrong_quote" Reject false
        "A quote does not answer the request."
        "Something between this program and the platform substitutes quotes; do not use this machine.";
    VTPM_COLLECT_UNAVAILABLE "vtpm.collect.unavailable" Indeterminate false
        "The platform's metadata service did not answer."
        "Let the machine reach 169.254.169.254, and ask again.";
    VTPM_COLLECT_REFUSED "vtpm.collect.refused" Reject false
        "The platform's metadata service refused, or its answer is not of the known form."
        "The message has what it said.";
}
