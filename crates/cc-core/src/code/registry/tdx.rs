//! Intel TDX.

registry! {
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
}
