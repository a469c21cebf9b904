//! C-20: a machine's network cards are used as it has them.

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Field, Subject, blocks, number, text};

pub(super) const RULE: Rule = Rule {
    id: "C-20",
    title: "network cards",
    grade: Grade::Error,
    formula: "`network_card_index` < cards of the type; EFA interfaces ≤ those of the type, and a warning if fewer; card 0 has device 0, other cards have device 1. `node_gbps` of a cluster's fabric ≤ what its machine carries, and a warning if less",
    source: "EC2 DescribeInstanceTypes, NetworkInfo",
    types: &["aws_launch_template", "cluster"],
    example: "p5.48xlarge has 32 cards (0 to 31) and takes 32 EFA interfaces. Card 99 does not exist; with 4 of 32 interfaces, 3,200 Gbit/s become 400.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    if subject.type_name == "cluster" {
        return fabric(subject, found);
    }
    interfaces(subject, found);
}

/// What is asked of a fabric against what the machines carry that were chosen.
fn fabric(cluster: &Subject<'_>, found: &mut Found<'_>) {
    let Some(has) = cluster.offered("network_gbps") else { return };
    let machine = cluster.decision.and_then(|one| one.offer_attributes.get("machine")?.as_str());
    let machine = machine.unwrap_or("the machine").to_owned();
    let Some(fabric) = cluster.linked(found, "fabric", "fabric").next() else { return };
    let Some(asked) = number(fabric.planned, "node_gbps").known() else { return };
    let fix = format!("write `node_gbps = {has:.0}` in `{}`", fabric.address);
    if asked > has {
        let message = format!(
            "`{}` is to carry {asked:.0} Gbit/s for each node, but `{machine}` has {has:.0}",
            fabric.address
        );
        found.error("fabric", message, format!("{fix}, or choose another machine"));
    } else if asked < has {
        let message = format!(
            "`{}` is to carry {asked:.0} Gbit/s for each node, and `{machine}` has {has:.0}",
            fabric.address
        );
        found.warning("fabric", message, fix);
    }
}

fn interfaces(subject: &Subject<'_>, found: &mut Found<'_>) {
    let interfaces = blocks(subject.planned, "network_interfaces");
    let name = match text(subject.planned, "instance_type") {
        Field::Known(name) => name,
        Field::Absent => return,
        Field::Unknown if interfaces.is_empty() => return,
        Field::Unknown => return found.wait_for("instance_type"),
    };
    let Some(machine) = found.catalog.machine("aws", name) else { return };
    let Some(cards) = machine.network_cards else { return };
    let (network_gbps, most) = (machine.network_gbps, machine.fabric_interfaces.unwrap_or(0));
    let mut efa = 0;
    for interface in interfaces {
        let Some(card) = number(interface, "network_card_index").or(0.0) else {
            found.wait_for("network_card_index");
            continue;
        };
        #[expect(clippy::cast_precision_loss, reason = "machines have few cards")]
        if card >= cards as f64 {
            let message = format!("`{name}` has {cards} network cards, card {card} does not exist");
            found.error(
                "network_interfaces",
                message,
                format!("number cards from 0 to {}", cards - 1),
            );
        } else if card > 0.0
            && number(interface, "device_index").or(0.0).is_some_and(|device| device < 1.0)
        {
            let message = format!(
                "an interface on card {card} has device index 0, which is that of card 0 alone"
            );
            found.error(
                "network_interfaces",
                message,
                "write `device_index = 1` on cards above 0".to_owned(),
            );
        }
        match text(interface, "interface_type") {
            Field::Known("efa" | "efa-only") => efa += 1,
            Field::Unknown => found.wait_for("interface_type"),
            _ => {}
        }
    }
    if efa > most {
        let message = format!("{efa} EFA interfaces, but `{name}` takes {most}");
        found.error("network_interfaces", message, format!("declare {most}"));
    } else if efa > 0 && efa < most {
        let total = network_gbps.map_or_else(String::new, |gbps| {
            #[expect(clippy::cast_precision_loss, reason = "machines have few cards")]
            let part = gbps * efa as f64 / most as f64;
            format!(": about {part:.0} of {gbps:.0} Gbit/s")
        });
        let message = format!("{efa} of the {most} EFA interfaces of `{name}` are used{total}");
        found.warning("network_interfaces", message, format!("declare {most}, one on each card"));
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{Stack, says, table};

    fn template(machine: &str, interfaces: &[(u32, u32, &str)]) -> String {
        let parts: Vec<String> = interfaces
            .iter()
            .map(|(card, device, kind)| {
                format!(r#"{{"network_card_index": {card}, "device_index": {device}, "interface_type": "{kind}"}}"#)
            })
            .collect();
        format!(r#"{{"instance_type": "{machine}", "network_interfaces": [{}]}}"#, parts.join(","))
    }

    #[test]
    fn a_fabric_carries_what_the_machine_has() {
        for (asked, says) in [
            ("3200", None),
            ("null", None),
            (
                "1600",
                Some(
                    "`fabric.f` is to carry 1600 Gbit/s for each node, and `p5.48xlarge` has 3200",
                ),
            ),
            (
                "6400",
                Some(
                    "`fabric.f` is to carry 6400 Gbit/s for each node, but `p5.48xlarge` has 3200",
                ),
            ),
        ] {
            let mut stack = Stack::default();
            stack.add("fabric.f", &format!(r#"{{"node_gbps": {asked}}}"#), &[]);
            stack.add("cluster.c", "{}", &[("fabric", "fabric.f")]);
            stack.placed(r#"{"network_gbps": 3200, "machine": "p5.48xlarge"}"#, 2);
            let told = stack.says(&RULE);
            assert_eq!(told.len(), usize::from(says.is_some()), "{told:?}");
            assert!(
                told.iter().all(|told| says.is_some_and(|says| told.contains(says))),
                "{told:?}"
            );
        }
    }

    #[test]
    fn cards_and_interfaces_are_those_of_the_type() {
        let all: Vec<(u32, u32, &str)> =
            (0..32).map(|card| (card, u32::from(card > 0), "efa")).collect();
        let full = template("p5.48xlarge", &all);
        let some = template("p5.48xlarge", &all[..4]);
        let beyond = template("p5.48xlarge", &[(99, 1, "efa")]);
        let device = template("p5.48xlarge", &[(0, 0, "interface"), (1, 0, "interface")]);
        let none = template("inf2.48xlarge", &[(0, 0, "efa")]);
        table(
            &RULE,
            "aws_launch_template",
            &[
                ("all of them", &full, None),
                (
                    "four of 32",
                    &some,
                    Some(
                        "4 of the 32 EFA interfaces of `p5.48xlarge` are used: about 400 of 3200 Gbit/s",
                    ),
                ),
                ("a card that does not exist", &beyond, Some("card 99 does not exist")),
                ("device of card 0", &device, Some("device index 0")),
                (
                    "a type without EFA",
                    &none,
                    Some("1 EFA interfaces, but `inf2.48xlarge` takes 0"),
                ),
                (
                    "no interfaces",
                    r#"{"instance_type": "p5.48xlarge", "network_interfaces": []}"#,
                    None,
                ),
            ],
        );
        let later = r#"{"instance_type": "?", "network_interfaces": [{"network_card_index": 1}]}"#;
        assert_eq!(says(&RULE, "aws_launch_template", later).1, 1);
    }
}
