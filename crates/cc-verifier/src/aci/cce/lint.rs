//! The openings of a policy.

use std::fmt;

use super::syntax::{Node, Rule, Value, rules};

/// Decisions that the guest agent asks a policy for, which every policy must answer: for one that is silent about them
/// the agent has answers of its own, most of them "allowed" (hcsshim, `pkg/securitypolicy/api.rego`).
const DECISIONS: [&str; 17] = [
    "create_container",
    "dump_stacks",
    "exec_external",
    "exec_in_container",
    "get_properties",
    "load_fragment",
    "mount_device",
    "mount_overlay",
    "plan9_mount",
    "plan9_unmount",
    "runtime_logging",
    "scratch_mount",
    "scratch_unmount",
    "shutdown_container",
    "signal_container_process",
    "unmount_device",
    "unmount_overlay",
];
/// A decision about groups of Windows, denied where a policy is silent.
const OTHER_DECISION: &str = "mount_cims";
/// Switches of the framework; each is an opening of its own name.
const SWITCHES: [&str; 6] = [
    "allow_capability_dropping",
    "allow_dump_stacks",
    "allow_environment_variable_dropping",
    "allow_properties_access",
    "allow_runtime_logging",
    "allow_unencrypted_scratch",
];
/// Rules that only say which version a policy is written for.
const VERSIONS: [&str; 4] = ["api_svn", "api_version", "framework_svn", "framework_version"];
/// Members of a container that say what it is and give nobody a way in.
const PLAIN_MEMBERS: [&str; 9] = [
    "command",
    "id",
    "mounts",
    "name",
    "no_new_privileges",
    "seccomp_profile_sha256",
    "signals",
    "user",
    "working_dir",
];
/// Most lines that are shown of one opening.
const MAX_LINES: usize = 8;

/// Something that a policy lets through, and the lines that say so.
///
/// Names: `allow_all` (a decision is always "allowed"), those of the framework's switches (`allow_capability_dropping`,
/// `allow_dump_stacks`, `allow_environment_variable_dropping`, `allow_properties_access`, `allow_runtime_logging`,
/// `allow_unencrypted_scratch`), `allow_elevated` (a privileged container), `allow_stdio_access`, `capabilities_any`,
/// `decision_missing`, `decision_replaced` (by something else than the framework's), `env_rule_regex`, `exec_external`
/// (processes in the utility VM), `exec_in_container`, `fragments` (others may add containers), `layers_not_verity`,
/// `no_containers`, `unknown_name`, and `unreadable` (from that line on nothing is known).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Its name.
    pub name: &'static str,
    /// Its first lines, counted from 1, ascending as they were found; at most eight.
    pub lines: Vec<u32>,
}

impl fmt::Display for Opening {
    /// The name, and in parentheses the lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.lines.iter().map(u32::to_string).collect();
        let word = if lines.len() == 1 { "line" } else { "lines" };
        write!(f, "{} ({word} {})", self.name, lines.join(", "))
    }
}

/// The openings of a policy, each name once, in the order of the names.
pub fn lint(text: &[u8]) -> Vec<Opening> {
    // What is no text is no package either.
    let (rules, end) = rules(std::str::from_utf8(text).unwrap_or_default());
    let mut openings = Openings(Vec::new());
    rules.iter().for_each(|rule| openings.rule(rule));
    let has = |name: &str| rules.iter().any(|rule| rule.name == name);
    openings.add_if(!DECISIONS.into_iter().all(has), "decision_missing", 1);
    openings.add_if(!has("containers"), "no_containers", 1);
    if let Some(unreadable) = end {
        openings.add("unreadable", unreadable.line);
    }
    openings.0.sort_by_key(|opening| opening.name);
    openings.0
}

struct Openings(Vec<Opening>);

impl Openings {
    fn add(&mut self, name: &'static str, line: u32) {
        match self.0.iter_mut().find(|opening| opening.name == name) {
            Some(opening) if opening.lines.len() < MAX_LINES && !opening.lines.contains(&line) => {
                opening.lines.push(line);
            }
            Some(_) => {}
            None => self.0.push(Opening { name, lines: vec![line] }),
        }
    }

    fn add_if(&mut self, opens: bool, name: &'static str, line: u32) {
        if opens {
            self.add(name, line);
        }
    }

    fn rule(&mut self, rule: &Rule<'_>) {
        let Rule { name, line, node } = rule;
        if let Some(switch) = SWITCHES.into_iter().find(|switch| switch == name) {
            self.switch(node, switch);
        } else if DECISIONS.contains(name) || *name == OTHER_DECISION {
            self.decision(name, node);
        } else if VERSIONS.contains(name) {
            self.add_if(!matches!(node.value, Value::Text(_)), "unreadable", *line);
        } else {
            match *name {
                "containers" => self.containers(node),
                "external_processes" => self.processes(node),
                "fragments" => self.any_element(node, "fragments"),
                // What a denial says.
                "reason" => {}
                _ => self.add("unknown_name", *line),
            }
        }
    }

    /// A decision is the framework's of the same name, or always "denied".
    fn decision(&mut self, name: &str, node: &Node<'_>) {
        let opening = match &node.value {
            Value::Name(parts) if *parts == ["data", "framework", name] => return,
            Value::Object(members) => match members.iter().find(|(member, _)| member == "allowed") {
                Some((_, Node { value: Value::Bool(false), .. })) if members.len() == 1 => return,
                Some((_, Node { value: Value::Bool(true), .. })) => "allow_all",
                _ => "decision_replaced",
            },
            _ => "decision_replaced",
        };
        self.add(opening, node.line);
    }

    /// A flag that opens something when it is set.
    fn switch(&mut self, node: &Node<'_>, name: &'static str) {
        match node.value {
            Value::Bool(is_set) => self.add_if(is_set, name, node.line),
            _ => self.add("unreadable", node.line),
        }
    }

    /// A list whose elements are openings, whatever they are.
    fn any_element(&mut self, node: &Node<'_>, name: &'static str) {
        match &node.value {
            Value::List(elements) => elements.iter().for_each(|element| self.add(name, element.line)),
            _ => self.add("unreadable", node.line),
        }
    }

    fn containers(&mut self, node: &Node<'_>) {
        let Value::List(containers) = &node.value else { return self.add("unreadable", node.line) };
        self.add_if(containers.is_empty(), "no_containers", node.line);
        for container in containers {
            let Value::Object(members) = &container.value else {
                self.add("unreadable", container.line);
                continue;
            };
            let lacks = |name: &str| !members.iter().any(|(member, _)| member == name);
            self.add_if(lacks("layers"), "layers_not_verity", container.line);
            // The agent restricts no capabilities where a policy does not speak of them.
            self.add_if(lacks("capabilities"), "capabilities_any", container.line);
            for (name, node) in members {
                self.member(name, node);
            }
        }
    }

    /// A member of a container or of a process in the utility VM.
    fn member(&mut self, name: &str, node: &Node<'_>) {
        match name {
            "allow_elevated" => self.switch(node, "allow_elevated"),
            "allow_stdio_access" => self.switch(node, "allow_stdio_access"),
            "capabilities" => {
                self.add_if(!matches!(node.value, Value::Object(_)), "capabilities_any", node.line);
            }
            "env_rules" => self.env_rules(node),
            "exec_processes" => self.any_element(node, "exec_in_container"),
            "layers" => self.add_if(!are_digests(node), "layers_not_verity", node.line),
            _ => self.add_if(!PLAIN_MEMBERS.contains(&name), "unknown_name", node.line),
        }
    }

    /// Environment variables are compared, not matched against an expression, which need not cover the whole variable.
    fn env_rules(&mut self, node: &Node<'_>) {
        let Value::List(rules) = &node.value else { return self.add("unreadable", node.line) };
        for rule in rules {
            let Value::Object(members) = &rule.value else {
                self.add("unreadable", rule.line);
                continue;
            };
            let strategy = members.iter().find(|(name, _)| name == "strategy").map(|(_, node)| &node.value);
            let is_compared = matches!(strategy, Some(Value::Text(text)) if text == "string");
            self.add_if(!is_compared, "env_rule_regex", rule.line);
        }
    }

    /// Processes that may be started in the utility VM, beside the containers.
    fn processes(&mut self, node: &Node<'_>) {
        self.any_element(node, "exec_external");
        let Value::List(processes) = &node.value else { return };
        for process in processes {
            let Value::Object(members) = &process.value else {
                self.add("unreadable", process.line);
                continue;
            };
            for (name, node) in members {
                self.member(name, node);
            }
        }
    }
}

/// Whether a list is of dm-verity root hashes, at least one: 64 lower-case hexadecimal digits each.
fn are_digests(node: &Node<'_>) -> bool {
    let is_digest = |element: &Node<'_>| match &element.value {
        Value::Text(text) => {
            text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        }
        _ => false,
    };
    matches!(&node.value, Value::List(layers) if !layers.is_empty() && layers.iter().all(is_digest))
}
