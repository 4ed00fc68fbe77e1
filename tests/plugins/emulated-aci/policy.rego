package policy

import future.keywords.every
import future.keywords.in

api_version := "0.10.0"
framework_version := "0.2.3"

containers := [
  {
    "allow_elevated": false,
    "allow_stdio_access": false,
    "capabilities": {"bounding": [], "effective": [], "permitted": []},
    "command": ["/pause"],
    "env_rules": [{"pattern": `PATH=/usr/bin # not a comment`, "strategy": "string", "required": true}],
    "exec_processes": [],
    "id": "example.invalid/pause@sha256:00",
    "layers": ["0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"],
    "mounts": [],
    "name": "pause-container",
    "no_new_privileges": true,
    "seccomp_profile_sha256": "",
    "signals": [9, 15],
    "user": {"umask": "0022", "user_idname": {"pattern": "", "strategy": "any"}},
    "working_dir": "/",
  },
  {
    "allow_elevated": false,
    "allow_stdio_access": false,
    "capabilities": {"bounding": [], "effective": [], "permitted": []},
    "command": ["/pause"],
    "env_rules": [{"pattern": `PATH=/usr/bin # not a comment`, "strategy": "string", "required": true}],
    "exec_processes": [],
    "id": "example.invalid/pause@sha256:00",
    "layers": ["0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"],
    "mounts": [],
    "name": "pause-container",
    "no_new_privileges": true,
    "seccomp_profile_sha256": "",
    "signals": [9, 15],
    "user": {"umask": "0022", "user_idname": {"pattern": "", "strategy": "any"}},
    "working_dir": "/",
  },
]
allow_properties_access := false
allow_dump_stacks := false
allow_runtime_logging := false
allow_environment_variable_dropping := false
allow_unencrypted_scratch := false
allow_capability_dropping := false
mount_device := data.framework.mount_device
unmount_device := data.framework.unmount_device
mount_overlay := data.framework.mount_overlay
unmount_overlay := data.framework.unmount_overlay
create_container := data.framework.create_container
exec_in_container := data.framework.exec_in_container
exec_external := data.framework.exec_external
shutdown_container := data.framework.shutdown_container
signal_container_process := data.framework.signal_container_process
plan9_mount := data.framework.plan9_mount
plan9_unmount := data.framework.plan9_unmount
get_properties := data.framework.get_properties
dump_stacks := data.framework.dump_stacks
runtime_logging := data.framework.runtime_logging
load_fragment := data.framework.load_fragment
scratch_mount := data.framework.scratch_mount
scratch_unmount := data.framework.scratch_unmount

reason := {"errors": data.framework.errors}
