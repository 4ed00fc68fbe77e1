//! NVIDIA GPUs and switches, and NVIDIA's attestation service.

registry! {
    // Verification (*verification.md* section 3), collection, and the remote verifier (3.5).
    GPU_DEVICES_EMPTY "gpu.devices.empty" Reject false
        "The evidence has no device."
        "Collect evidence of the GPUs that the policy asks for.";
    GPU_DEVICES_DUPLICATE "gpu.devices.duplicate" Reject false
        "Two entries of the evidence are of one device."
        "Send each device once.";
    GPU_DEVICES_COUNT "gpu.devices.count" Reject false
        "The number of GPUs is not the one that the policy asks for."
        "Start the guest with that many GPUs, or change `gpu_count`.";
    GPU_SPDM_MALFORMED "gpu.spdm.malformed" Reject false
        "A device report is not one SPDM request with its measurements, exact to the byte."
        "Import the report with the command line, which cuts zero padding off, or send it as the driver gave it.";
    GPU_SPDM_VERSION "gpu.spdm.version" Reject false
        "A device report is not of SPDM 1.1."
        "Use a driver that reports in SPDM 1.1; other versions are not known here.";
    GPU_ARCH_MISMATCH "gpu.arch.mismatch" Reject false
        "The architecture in the certificate is not the one that the evidence claims."
        "Look at the sender; label and device disagree.";
    GPU_ARCH_NOT_ALLOWED "gpu.arch.not_allowed" Reject false
        "The policy does not allow the device's architecture."
        "Use another device, or add the architecture to `archs`.";
    GPU_CHAIN_MISSING "gpu.chain.missing" Indeterminate false
        "A device report has no certificate chain."
        "Supply the chain that the driver gives with the report, with --endorsements or inside the JSON form.";
    GPU_CHAIN_UNTRUSTED_ROOT "gpu.chain.untrusted_root" Reject false
        "The device's chain does not end in NVIDIA's device root."
        "The device is not genuine; look at the sender.";
    GPU_CHAIN_LENGTH "gpu.chain.length" Reject false
        "The device's chain has not as many certificates as its architecture requires."
        "Send the whole chain, leaf first, as the driver gives it.";
    GPU_CHAIN_SIGNATURE "gpu.chain.signature" Reject false
        "A certificate of the device's chain is malformed, not signed by the one above, or not what its place requires."
        "Read the chain from the driver again; a broken one is not of this device.";
    GPU_CHAIN_EXPIRED "gpu.chain.expired" Reject false
        "A certificate of the device's chain has expired."
        "Check the verifier's clock; otherwise the device needs a new certificate from its vendor.";
    GPU_CHAIN_NOT_YET_VALID "gpu.chain.not_yet_valid" Reject false
        "A certificate of the device's chain is not valid yet."
        "Check the verifier's clock.";
    GPU_FWID_MISSING "gpu.fwid.missing" Reject false
        "The firmware identity is absent from the report or from the leaf certificate."
        "Use a driver from 550 on; only a policy with `require_fwid = false` lives without it in the report.";
    GPU_FWID_MISMATCH "gpu.fwid.mismatch" Reject false
        "The firmware identity in the report is not the one in the leaf certificate."
        "Reset the device and collect again; if it persists, the firmware is not the certified one.";
    GPU_SIGNATURE_INVALID "gpu.signature.invalid" Reject false
        "The device's signature does not fit the report."
        "Collect again; what was signed is not what was sent.";
    GPU_SIGNATURE_MALFORMED "gpu.signature.malformed" Reject false
        "The device's signature is not a pair of numbers in range, or its key is not usable."
        "Collect again and send the report as the driver gave it.";
    GPU_OCSP_UNAVAILABLE "gpu.ocsp.unavailable" Indeterminate true
        "There is no OCSP answer for a certificate of a device or of a reference manifest."
        "Let the host ask NVIDIA's responder, supply the answer with --endorsements, or waive it visibly with --waive gpu.ocsp.unavailable.";
    GPU_OCSP_SIGNATURE "gpu.ocsp.signature" Reject false
        "An OCSP answer is malformed or its signature does not fit."
        "Ask the responder again.";
    GPU_OCSP_RESPONDER "gpu.ocsp.responder" Reject false
        "An OCSP answer is not signed by a responder whom the certificate's issuer authorised."
        "Ask the issuer's own responder.";
    GPU_OCSP_CERTID_MISMATCH "gpu.ocsp.certid_mismatch" Reject false
        "An OCSP answer is about another certificate."
        "Ask for the certificate in question.";
    GPU_OCSP_NONCE "gpu.ocsp.nonce" Reject false
        "An OCSP answer does not echo the nonce that was sent."
        "Ask the responder again; an old answer may have been replayed.";
    GPU_OCSP_STALE "gpu.ocsp.stale" Reject false
        "An OCSP answer is outside its validity."
        "Ask the responder again, or check the verifier's clock.";
    GPU_CERT_REVOKED "gpu.cert.revoked" Reject false
        "A certificate of a device's chain is revoked or on hold."
        "The device must not be trusted any more; replace it.";
    GPU_CERT_UNKNOWN "gpu.cert.unknown" Reject false
        "The responder does not know a certificate of a device or of a reference manifest."
        "The device is not genuine, or the vendor's records are behind; ask the vendor.";
    GPU_OPAQUE_MISSING "gpu.opaque.missing" Reject false
        "A field that every report must have is absent from the report's opaque data."
        "Use a driver that writes it; the message names the field.";
    GPU_OPAQUE_VERSION "gpu.opaque.version" Reject false
        "The opaque data has a version that is not known here."
        "Update the verifier before the driver.";
    GPU_DRIVER_BELOW_MINIMUM "gpu.driver.below_minimum" Reject false
        "The driver is older than the policy allows."
        "Update the driver, or lower `min_driver`.";
    GPU_DRIVER_DENIED "gpu.driver.denied" Reject false
        "The driver's version is on the policy's deny list."
        "Install another driver.";
    GPU_VBIOS_BELOW_MINIMUM "gpu.vbios.below_minimum" Reject false
        "The VBIOS is older than the policy allows."
        "Update the VBIOS, or lower `min_vbios`.";
    GPU_VBIOS_DENIED "gpu.vbios.denied" Reject false
        "The VBIOS's version is on the policy's deny list."
        "Install another VBIOS.";
    GPU_RIM_ID_INVALID "gpu.rim.id_invalid" Reject false
        "The report's version fields cannot be part of a reference manifest's name."
        "Look at the sender; the report names characters that no version has.";
    GPU_RIM_NOT_FOUND "gpu.rim.not_found" Indeterminate true
        "There is no reference manifest for the driver or the VBIOS."
        "Let the host fetch it, supply the signed file with --endorsements, or waive it visibly with --waive gpu.rim.not_found.";
    GPU_RIM_ID_MISMATCH "gpu.rim.id_mismatch" Reject false
        "The service answered with another reference manifest than the one asked for."
        "Fetch it again; look at the mirror, if there is one.";
    GPU_RIM_XML "gpu.rim.xml" Reject false
        "A reference manifest is not XML that is read here."
        "Use the file that NVIDIA signed, unchanged; document types and entities are refused.";
    GPU_RIM_SIGNATURE "gpu.rim.signature" Reject false
        "The signature of a reference manifest does not fit its content."
        "Fetch the manifest again; it was changed after it was signed.";
    GPU_RIM_KEY_BINDING "gpu.rim.key_binding" Reject false
        "A reference manifest is not signed by the key of its signer's certificate."
        "Fetch the manifest again from NVIDIA.";
    GPU_RIM_CHAIN "gpu.rim.chain" Reject false
        "The chain of a reference manifest does not end in NVIDIA's manifest root, or a link of it is broken."
        "Fetch the manifest again from NVIDIA.";
    GPU_RIM_WRAPPING "gpu.rim.wrapping" Reject false
        "The signature of a reference manifest does not cover exactly the whole document."
        "Fetch the manifest again from NVIDIA; this one may be an attack.";
    GPU_RIM_REVOKED "gpu.rim.revoked" Reject false
        "A certificate of a reference manifest's chain is revoked or on hold."
        "Fetch a newer manifest.";
    GPU_RIM_EXPIRED "gpu.rim.expired" Reject false
        "A certificate of a reference manifest's chain is outside its validity."
        "Fetch a newer manifest, or check the verifier's clock.";
    GPU_RIM_SCHEMA "gpu.rim.schema" Reject false
        "A reference manifest does not have the elements that it must have."
        "Use the file that NVIDIA signed, unchanged.";
    GPU_RIM_VERSION_MISMATCH "gpu.rim.version_mismatch" Reject false
        "A reference manifest is of another driver, VBIOS or product."
        "Supply the manifest of the version that the report names.";
    GPU_RIM_INDEX_DUPLICATE "gpu.rim.index_duplicate" Reject false
        "A reference manifest gives a measurement twice."
        "Fetch the manifest again, and report it to its vendor.";
    GPU_RIM_INDEX_CONFLICT "gpu.rim.index_conflict" Reject false
        "The manifests of driver and VBIOS both give one measurement."
        "Fetch both manifests again, and report them to their vendor.";
    GPU_RIM_EMPTY "gpu.rim.empty" Reject false
        "A reference manifest has no active measurement."
        "Fetch the manifest again, and report it to its vendor.";
    GPU_MEASUREMENT_MISMATCH "gpu.measurement.mismatch" Reject false
        "A measurement is not one of its reference values."
        "Update or restore driver and firmware; also a device in developer mode ends here.";
    GPU_MEASUREMENT_MISSING "gpu.measurement.missing" Reject false
        "A measurement that has reference values is absent from the report."
        "Update or restore driver and firmware.";
    GPU_MEASUREMENT_UNREFERENCED "gpu.measurement.unreferenced" Reject false
        "A measurement has no reference value, and the policy does not allow that."
        "Find out what it measures; then add its index to `allowed_unreferenced`.";
    GPU_NVDEC_UNKNOWN "gpu.nvdec.unknown" Reject false
        "The video decoder's status is neither on nor off."
        "Update the driver or the verifier.";
    GPU_MODE_MISMATCH "gpu.mode.mismatch" Reject false
        "The device is not in the mode that the policy asks for."
        "Set the device's confidential-computing mode, or change `mode`.";
    GPU_MODE_MIXED "gpu.mode.mixed" Reject false
        "The devices of one node are in different modes."
        "Set all devices to one mode.";
    GPU_PPCIE_TOPOLOGY "gpu.ppcie.topology" Reject false
        "GPUs and switches are not the complete set of one protected-PCIe system."
        "Pass all eight GPUs and all four switches through to the guest, and collect evidence of all.";
    GPU_CC_DISABLED "gpu.cc.disabled" Reject false
        "Confidential computing is off on the GPU."
        "Switch it on from the host with NVIDIA's gpu-admin-tools (`--set-cc-mode=on --reset-after-cc-mode-switch`), then start the guest again.";
    GPU_CC_DEVTOOLS "gpu.cc.devtools" Reject false
        "The GPU is in developer mode, in which its memory can be read."
        "Switch it to `on` from the host with NVIDIA's gpu-admin-tools (`--set-cc-mode=on`).";
    GPU_CC_ENVIRONMENT "gpu.cc.environment" Reject false
        "The GPU's environment is not production."
        "Use a production device.";
    GPU_READY_PREMATURE "gpu.ready.premature" Reject false
        "The GPU was set ready before its evidence was verified."
        "Set the ready state only after verification succeeded.";
    GPU_CPU_TEE_MISSING "gpu.cpu_tee.missing" Reject false
        "GPU evidence came without accepted evidence of a CPU's trusted environment."
        "Send GPU evidence inside the evidence of a confidential guest.";
    GPU_COLLECT_NO_DRIVER "gpu.collect.no_driver" Reject false
        "The driver's management library cannot be loaded."
        "Install the NVIDIA driver in the guest, or set `library` to the path of libnvidia-ml.so.1.";
    GPU_COLLECT_NO_DEVICE "gpu.collect.no_device" Reject false
        "The driver shows no GPU."
        "Pass a GPU through to the guest.";
    GPU_COLLECT_FAILED "gpu.collect.failed" Reject false
        "The driver could not give evidence."
        "The message has the driver's reason; look at the kernel log.";
    GPU_COLLECT_TIMEOUT "gpu.collect.timeout" Indeterminate false
        "The driver did not answer in time."
        "Try again; if it persists, reset the device.";
    GPU_DEVICE_DENIED "gpu.device.denied" Reject false
        "The device is on the policy's deny list, or not on its allow list."
        "Use another device, or change `device_allowlist` or `device_denylist`.";
    NRAS_SUBMOD_DIGEST_MISMATCH "nras.submod.digest_mismatch" Reject false
        "A device token is not the one whose digest stands in the overall token."
        "Ask the service again and send its answer unchanged.";
    NRAS_MEASUREMENTS_FAILED "nras.measurements.failed" Reject false
        "The service says that the measurements are not those of its reference values."
        "Update or restore driver and firmware.";
    NRAS_FWID_MISMATCH "nras.fwid.mismatch" Reject false
        "The service says that the report's firmware identity is not the certificate's."
        "Reset the device and collect again.";
    NRAS_RIM_VERSION_MISMATCH "nras.rim.version_mismatch" Reject false
        "The service says that a reference manifest is of another version."
        "Ask the service again.";
    NRAS_CERT_STATUS "nras.cert.status" Reject false
        "The service says that a certificate is not good."
        "Replace the device, or fetch newer manifests.";
    NRAS_SECBOOT_DISABLED "nras.secboot.disabled" Reject false
        "The service says that the device did not boot securely."
        "Reset the device and collect again.";
    NRAS_DEBUG_ENABLED "nras.debug.enabled" Reject false
        "The service says that the device can be debugged."
        "Switch developer mode off.";
    NRAS_CLAIMS_MALFORMED "nras.claims.malformed" Reject false
        "A token of the service has not the claims that it must have."
        "Ask the service again; newer claims need a newer verifier.";
    NRAS_OVERALL_FAILED "nras.overall.failed" Reject false
        "The service's overall result is negative."
        "Look at the device's claims for the reason.";
    NRAS_SERVICE_UNAVAILABLE "nras.service_unavailable" Indeterminate false
        "The attestation service did not answer."
        "Try again, or verify locally.";
    NRAS_DEVICE_MISMATCH "nras.device.mismatch" Reject false
        "What the service says is not about the devices and reports of the evidence."
        "Collect again and let the host ask the service.";
    NRAS_NOT_ALLOWED "nras.not_allowed" Reject false
        "The service verified the devices, and the policy does not allow that."
        "Verify locally (without `nras` in the plugin's settings), or set `allow_nras`.";
}
