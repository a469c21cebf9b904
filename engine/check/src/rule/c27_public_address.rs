//! C-27: machines with several interfaces get no public address by themselves.

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Subject, blocks, flag, text};

pub(super) const RULE: Rule = Rule {
    id: "C-27",
    title: "public address with several interfaces",
    grade: Grade::Error,
    formula: "more than one interface ⇒ `associate_public_ip_address` is not true",
    source: "EC2 documentation of network interfaces",
    types: &["aws_launch_template"],
    example: "Two interfaces, one of them with `associate_public_ip_address = true`: EC2 refuses to start the machine.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let interfaces = blocks(subject.planned, "network_interfaces");
    let public = |one: &value::Value| {
        // The provider keeps this argument as text.
        let written = text(one, "associate_public_ip_address").known() == Some("true");
        written || flag(one, "associate_public_ip_address").known() == Some(true)
    };
    if interfaces.len() > 1 && interfaces.iter().any(public) {
        let message = format!(
            "{} interfaces and a public address: EC2 gives one only to machines with a single interface",
            interfaces.len()
        );
        let fix = "leave `associate_public_ip_address` out, and use an `aws_eip` where an address is needed";
        found.error("network_interfaces", message, fix.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::table;

    #[test]
    fn one_interface_may_have_an_address() {
        table(
            &RULE,
            "aws_launch_template",
            &[
                (
                    "one",
                    r#"{"network_interfaces": [{"associate_public_ip_address": "true"}]}"#,
                    None,
                ),
                (
                    "two",
                    r#"{"network_interfaces": [{"associate_public_ip_address": "true"}, {"device_index": 1}]}"#,
                    Some("2 interfaces and a public address"),
                ),
                (
                    "two, private",
                    r#"{"network_interfaces": [{"associate_public_ip_address": "false"}, {"associate_public_ip_address": null}]}"#,
                    None,
                ),
            ],
        );
    }
}
