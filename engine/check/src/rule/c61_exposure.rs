//! C-61: what holds data is encrypted.

use value::Value;

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Field, Subject, amount, blocks, flag, items, text};

pub(super) const RULE: Rule = Rule {
    id: "C-61",
    title: "encryption and exposure",
    grade: Grade::Warning,
    formula: "`encrypted` is true; a notebook has no `direct_internet_access`, a studio no `PublicInternetOnly`, a workbench no public address; no rule opens ports of SSH, Ray or Jupyter (22, 6379, 8265, 8888, 10001) to everybody",
    source: "AWS security best practices; Ray documentation, security: its ports run whatever reaches them",
    types: &[
        "aws_ebs_volume",
        "aws_efs_file_system",
        "aws_sagemaker_notebook_instance",
        "aws_sagemaker_domain",
        "aws_security_group",
        "aws_security_group_rule",
        "aws_vpc_security_group_ingress_rule",
        "google_compute_firewall",
        "google_workbench_instance",
    ],
    example: "`encrypted = false` on an `aws_ebs_volume`, or a rule for port 8265 from 0.0.0.0/0: whoever finds Ray's dashboard runs jobs on the cluster. An `aws_ebs_volume` without `encrypted` is stored in the clear unless the account encrypts by default.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    if subject.planned.is_null() {
        return;
    }
    if subject.type_name == "aws_sagemaker_notebook_instance" {
        let open = |name: &str| text(subject.planned, name).known() == Some("Enabled");
        if open("direct_internet_access") {
            let message = "the notebook is connected to the internet".to_owned();
            found.warning(
                "direct_internet_access",
                message,
                "write `direct_internet_access = \"Disabled\"` and give it a subnet".to_owned(),
            );
        }
        return;
    }
    match subject.type_name {
        "aws_sagemaker_domain" => return domain(subject, found),
        "google_workbench_instance" => return workbench(subject, found),
        "aws_security_group" => {
            for rule in blocks(subject.planned, "ingress") {
                let open = anybody(rule, "cidr_blocks") || anybody(rule, "ipv6_cidr_blocks");
                port(rule, "protocol", open, "ingress", found);
            }
            return;
        }
        "aws_security_group_rule" => {
            let rule = subject.planned;
            if text(rule, "type").known() == Some("ingress") {
                let open = anybody(rule, "cidr_blocks") || anybody(rule, "ipv6_cidr_blocks");
                port(rule, "protocol", open, "cidr_blocks", found);
            }
            return;
        }
        "aws_vpc_security_group_ingress_rule" => {
            let rule = subject.planned;
            let open = text(rule, "cidr_ipv4").known() == Some("0.0.0.0/0")
                || text(rule, "cidr_ipv6").known() == Some("::/0");
            return port(rule, "ip_protocol", open, "cidr_ipv4", found);
        }
        "google_compute_firewall" => return firewall(subject, found),
        _ => {}
    }
    match flag(subject.planned, "encrypted") {
        Field::Known(true) | Field::Unknown => {}
        _ => {
            let message = "what is stored there is not encrypted".to_owned();
            found.warning("encrypted", message, "write `encrypted = true`".to_owned());
        }
    }
}

/// Ports on which whoever reaches them runs what they like, or tries passwords.
const PORTS: [(f64, &str); 5] = [
    (22.0, "SSH"),
    (6379.0, "Ray's store"),
    (8265.0, "Ray's dashboard"),
    (8888.0, "Jupyter"),
    (10_001.0, "Ray's clients"),
];

fn anybody(rule: &Value, name: &str) -> bool {
    let ranges = items(rule, name).known().unwrap_or_default();
    ranges.iter().any(|range| matches!(range.as_str(), Some("0.0.0.0/0" | "::/0")))
}

fn port(rule: &Value, protocol: &str, open: bool, attribute: &'static str, found: &mut Found<'_>) {
    if !open {
        return;
    }
    let every = matches!(text(rule, protocol).known(), Some("-1" | "all"));
    let (from, to) = (amount(rule, "from_port").known(), amount(rule, "to_port").known());
    let within =
        |port: f64| every || from.zip(to).is_some_and(|(from, to)| (from..=to).contains(&port));
    let open: Vec<&str> =
        PORTS.iter().filter(|(port, _)| within(*port)).map(|(_, name)| *name).collect();
    if !open.is_empty() {
        let message = format!("everybody reaches {}", open.join(", "));
        let fix = "name the range of addresses that needs it".to_owned();
        found.warning(attribute, message, fix);
    }
}

fn firewall(subject: &Subject<'_>, found: &mut Found<'_>) {
    if !anybody(subject.planned, "source_ranges") {
        return;
    }
    let mut open = Vec::new();
    for rule in blocks(subject.planned, "allow") {
        let every = text(rule, "protocol").known() == Some("all");
        let ports = items(rule, "ports").known().unwrap_or_default();
        for (port, name) in PORTS {
            let named = ports.iter().filter_map(Value::as_str).any(|range| {
                let (from, to) = range.split_once('-').unwrap_or((range, range));
                let ends = from.parse::<f64>().ok().zip(to.parse::<f64>().ok());
                ends.is_some_and(|(from, to)| (from..=to).contains(&port))
            });
            if every || named {
                open.push(name);
            }
        }
    }
    if !open.is_empty() {
        let message = format!("everybody reaches {}", open.join(", "));
        let fix = "name the range of addresses that needs it".to_owned();
        found.warning("source_ranges", message, fix);
    }
}

fn domain(subject: &Subject<'_>, found: &mut Found<'_>) {
    let access = text(subject.planned, "app_network_access_type");
    if access.or("PublicInternetOnly") == Some("PublicInternetOnly") {
        let message = "notebooks of the studio reach the internet past the VPC".to_owned();
        let fix = "write `app_network_access_type = \"VpcOnly\"`".to_owned();
        found.warning("app_network_access_type", message, fix);
    }
}

fn workbench(subject: &Subject<'_>, found: &mut Found<'_>) {
    let setup = crate::subject::block(subject.planned, "gce_setup");
    let hidden = setup.map_or(Field::Absent, |setup| flag(setup, "disable_public_ip"));
    if hidden.or(false) == Some(false) {
        let message = "the notebook has a public address".to_owned();
        let fix = "write `disable_public_ip = true` in `gce_setup`".to_owned();
        found.warning("gce_setup", message, fix);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::table;

    #[test]
    fn storage_is_encrypted() {
        table(
            &RULE,
            "aws_ebs_volume",
            &[
                ("encrypted", r#"{"encrypted": true}"#, None),
                ("the account's default", r#"{"encrypted": "?"}"#, None),
                ("in the clear", r#"{"encrypted": false}"#, Some("not encrypted")),
                ("destroyed", "null", None),
            ],
        );
        table(
            &RULE,
            "aws_sagemaker_notebook_instance",
            &[
                (
                    "open",
                    r#"{"direct_internet_access": "Enabled"}"#,
                    Some("connected to the internet"),
                ),
                ("closed", r#"{"direct_internet_access": "Disabled"}"#, None),
            ],
        );
    }

    #[test]
    fn what_runs_anything_is_not_open_to_everybody() {
        table(
            &RULE,
            "aws_security_group",
            &[
                (
                    "SSH",
                    r#"{"ingress": [{"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["0.0.0.0/0"]}]}"#,
                    Some("everybody reaches SSH"),
                ),
                (
                    "everything",
                    r#"{"ingress": [{"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}]}"#,
                    Some("Ray's dashboard, Jupyter"),
                ),
                (
                    "HTTPS",
                    r#"{"ingress": [{"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"]}]}"#,
                    None,
                ),
                (
                    "a range",
                    r#"{"ingress": [{"protocol": "-1", "cidr_blocks": ["10.0.0.0/8"]}]}"#,
                    None,
                ),
            ],
        );
        table(
            &RULE,
            "aws_vpc_security_group_ingress_rule",
            &[(
                "Ray",
                r#"{"ip_protocol": "tcp", "from_port": 8000, "to_port": 9000, "cidr_ipv4": "0.0.0.0/0"}"#,
                Some("Ray's dashboard, Jupyter"),
            )],
        );
        table(
            &RULE,
            "google_compute_firewall",
            &[
                (
                    "Jupyter",
                    r#"{"source_ranges": ["0.0.0.0/0"], "allow": [{"protocol": "tcp", "ports": ["443", "8000-9000"]}]}"#,
                    Some("Ray's dashboard"),
                ),
                (
                    "within",
                    r#"{"source_ranges": ["10.0.0.0/8"], "allow": [{"protocol": "all"}]}"#,
                    None,
                ),
            ],
        );
        table(
            &RULE,
            "aws_sagemaker_domain",
            &[
                ("as it comes", r#"{"app_network_access_type": null}"#, Some("past the VPC")),
                ("within", r#"{"app_network_access_type": "VpcOnly"}"#, None),
            ],
        );
        table(
            &RULE,
            "google_workbench_instance",
            &[
                ("as it comes", r#"{"gce_setup": [{}]}"#, Some("public address")),
                ("hidden", r#"{"gce_setup": [{"disable_public_ip": true}]}"#, None),
            ],
        );
    }
}
