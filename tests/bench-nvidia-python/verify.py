"""Runs NVIDIA's nv-local-gpu-verifier over the sample that comes with it, once for every line on standard input.

Argument: "as-shipped", or "silent" for a run without its log. Writes "done" after each run. Everything that the package
does is done, but for what needs the network:

* reference manifests are the two samples of the package;
* OCSP is left out, and the verification of OCSP answers with it: every certificate is taken as good.

The clock is set back to where the samples' certificates were valid. The sample's measurements are not those of the
sample's manifests, so the verdict is negative; that every step was taken is checked.
"""

import datetime
import logging
import os
import sys
import warnings

VALID = datetime.datetime(2025, 5, 1)

# The package prints what it does; nobody reads that here.
answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
sys.stdout = open(os.devnull, "w")
warnings.simplefilter("ignore")

from OpenSSL import crypto  # noqa: E402
from verifier import cc_admin  # noqa: E402
from verifier.cc_admin_utils import CcAdminUtils  # noqa: E402
from verifier.config import GPU_ARCHITECTURE_MAP, HopperSettings  # noqa: E402

HOPPER = 9
ARGUMENTS = {
    "verbose": False,
    "test_no_gpu": True,
    "driver_rim": None,
    "vbios_rim": None,
    "user_mode": True,
    "allow_hold_cert": False,
    "service_key": None,
    "nonce": None,
    "rim_root_cert": None,
    "rim_service_url": None,
    "ocsp_url": None,
    "ocsp_nonce_disabled": True,
    "claims_version": "2.0",
}


def without_ocsp(chain, settings, mode):
    """What the original returns when all answers are good, with its conversion of the certificates."""
    chain[:] = [certificate.to_cryptography() for certificate in chain]
    return True, "", "good", None


def set_clock():
    original = crypto.X509StoreContext.__init__

    def at_valid_time(self, store, *rest, **named):
        store.set_time(VALID)
        original(self, store, *rest, **named)

    crypto.X509StoreContext.__init__ = at_valid_time


def verify(nonce):
    # Lists that grow with every run.
    for grown in (
        cc_admin.hwmodel,
        cc_admin.oemid,
        cc_admin.ueid,
        cc_admin.gpu_driver_attestation_warning_list,
        cc_admin.gpu_vbios_attestation_warning_list,
    ):
        grown.clear()
    settings = GPU_ARCHITECTURE_MAP[HOPPER]
    settings.mark_measurements_as_matching(None)
    evidence = cc_admin.collect_gpu_evidence(nonce, True)
    cc_admin.attest(ARGUMENTS, nonce, evidence)
    # The last step of all, taken only when chain, report and both manifests were found good.
    if settings.check_if_measurements_are_matching() != "fail":
        raise SystemExit("the verification of NVIDIA's sample did not come to the comparison of measurements")


def main():
    if sys.argv[1] == "silent":
        logging.disable(logging.CRITICAL)
    set_clock()
    CcAdminUtils.ocsp_certificate_chain_validation = staticmethod(without_ocsp)
    HopperSettings.set_driver_rim_path(HopperSettings.TEST_NO_GPU_DRIVER_RIM_PATH)
    with open(HopperSettings.ATTESTATION_REPORT_PATH) as file:
        nonce = bytes.fromhex(file.read())[4:36].hex()
    for _ in sys.stdin:
        verify(nonce)
        print("done", file=answers, flush=True)


main()
