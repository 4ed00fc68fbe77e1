//! CCE policies as the tools write them: constants, and decisions that are the framework's.

use std::fmt::Write as _;

/// Decisions of a policy, in the order of the template.
pub const DECISIONS: [&str; 17] = [
    "mount_device",
    "unmount_device",
    "mount_overlay",
    "unmount_overlay",
    "create_container",
    "exec_in_container",
    "exec_external",
    "shutdown_container",
    "signal_container_process",
    "plan9_mount",
    "plan9_unmount",
    "get_properties",
    "dump_stacks",
    "runtime_logging",
    "load_fragment",
    "scratch_mount",
    "scratch_unmount",
];

/// Switches of the framework, in the order of the template.
pub const SWITCHES: [&str; 6] = [
    "allow_properties_access",
    "allow_dump_stacks",
    "allow_runtime_logging",
    "allow_environment_variable_dropping",
    "allow_unencrypted_scratch",
    "allow_capability_dropping",
];

/// A policy; all values are Rego.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Containers; the rule is left out when there are none.
    pub containers: Vec<Container>,
    /// Rules between the containers and the decisions, by name.
    pub rules: Vec<(String, String)>,
    /// Decisions by name.
    pub decisions: Vec<(String, String)>,
}

/// A container: its members by name.
#[derive(Clone, Debug)]
pub struct Container(pub Vec<(String, String)>);

impl Container {
    /// A container that nobody gets into: one layer, one variable, no shell.
    pub fn tight() -> Self {
        let layers = format!("[\"{}\"]", "0123456789abcdef".repeat(4));
        let variable =
            "[{\"pattern\": `PATH=/usr/bin # not a comment`, \"strategy\": \"string\", \"required\": true}]";
        let members = [
            ("allow_elevated", "false"),
            ("allow_stdio_access", "false"),
            ("capabilities", "{\"bounding\": [], \"effective\": [], \"permitted\": []}"),
            ("command", "[\"/pause\"]"),
            ("env_rules", variable),
            ("exec_processes", "[]"),
            ("id", "\"example.invalid/pause@sha256:00\""),
            ("layers", layers.as_str()),
            ("mounts", "[]"),
            ("name", "\"pause-container\""),
            ("no_new_privileges", "true"),
            ("seccomp_profile_sha256", "\"\""),
            ("signals", "[9, 15]"),
            ("user", "{\"umask\": \"0022\", \"user_idname\": {\"pattern\": \"\", \"strategy\": \"any\"}}"),
            ("working_dir", "\"/\""),
        ];
        Self(members.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    /// Sets a member.
    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        set(&mut self.0, name, value);
        self
    }

    /// Takes a member out.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.0.retain(|(other, _)| other != name);
        self
    }
}

impl Policy {
    /// A policy without openings.
    pub fn tight() -> Self {
        let framework = |name: &str| (name.to_owned(), format!("data.framework.{name}"));
        Self {
            containers: vec![Container::tight(), Container::tight()],
            rules: SWITCHES.map(|name| (name.to_owned(), "false".to_owned())).into(),
            decisions: DECISIONS.map(framework).into(),
        }
    }

    /// The template of the tools that allows everything.
    pub fn open_door() -> Self {
        let allowed = |name: &str| (name.to_owned(), "{\"allowed\": true}".to_owned());
        Self { containers: Vec::new(), rules: Vec::new(), decisions: DECISIONS.map(allowed).into() }
    }

    /// Sets a rule.
    pub fn set_rule(&mut self, name: &str, value: &str) -> &mut Self {
        set(&mut self.rules, name, value);
        self
    }

    /// Sets a decision.
    pub fn set_decision(&mut self, name: &str, value: &str) -> &mut Self {
        set(&mut self.decisions, name, value);
        self
    }

    /// The text.
    pub fn text(&self) -> String {
        let mut text = "package policy\n\nimport future.keywords.every\nimport future.keywords.in\n\n\
                        api_version := \"0.10.0\"\nframework_version := \"0.2.3\"\n\n"
            .to_owned();
        if !self.containers.is_empty() {
            text.push_str("containers := [\n");
            for Container(members) in &self.containers {
                text.push_str("  {\n");
                for (name, value) in members {
                    let _ = writeln!(text, "    \"{name}\": {value},");
                }
                text.push_str("  },\n");
            }
            text.push_str("]\n");
        }
        for (name, value) in self.rules.iter().chain(&self.decisions) {
            let _ = writeln!(text, "{name} := {value}");
        }
        text.push_str("\nreason := {\"errors\": data.framework.errors}\n");
        text
    }
}

fn set(entries: &mut Vec<(String, String)>, name: &str, value: &str) {
    match entries.iter_mut().find(|(other, _)| other == name) {
        Some((_, old)) => value.clone_into(old),
        None => entries.push((name.to_owned(), value.to_owned())),
    }
}
