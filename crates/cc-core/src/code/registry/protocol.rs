//! Envelope, binding, policies, collateral, federation, transcripts, plugins.

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
    BIND_RUNTIME_DATA_MISMATCH "bind.runtime_data.mismatch" Reject false
        "The runtime data is not of this system's form, or the evidence does not bind it."
        "Collect again and send the runtime data of the same request.";
    BIND_GPU_NONCE_MISMATCH "bind.gpu_nonce.mismatch" Reject false
        "A device report carries another nonce than the one expected."
        "Collect device evidence again, with the nonce of this challenge.";
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
    POL_UVM_MIN_SVN_UNSET "pol.uvm_min_svn.unset" Reject false
        "The policy does not say which utility VMs are permitted."
        "Set `uvm_min_svn` to the SVN of the oldest utility VM that may run; in [maa], `measurements` will do.";
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
    FL_KEYRELEASE_UNVERIFIED "fl.keyrelease.unverified" Reject false
        "A key was to be released on somebody's word, without evidence that the one who holds it verified itself."
        "No participant of this release holds keys for others; look at who asked.";
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
    PLUG_TIMEOUT "plug.timeout" Indeterminate false
        "The plugin's process did not answer in time and was ended; the request is denied."
        "Try again; if it persists, report it to the plugin's vendor, or raise `deadline_seconds`.";
    PLUG_CRASHED "plug.crashed" Indeterminate false
        "The plugin's process ended before it answered; the request is denied."
        "Report it to the plugin's vendor with the message; the next request starts a fresh process.";
    PLUG_CONFINEMENT_UNAVAILABLE "plug.confinement.unavailable" Reject false
        "The process of a plugin cannot be confined on this system."
        "Run a kernel with Landlock and seccomp (Linux 5.13 or newer, `lsm=` with landlock); only for a plugin that you trust like the host itself, set `isolation = \"in-process\"`.";
}
