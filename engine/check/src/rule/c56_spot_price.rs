//! C-56: a bid for spot capacity makes sense.

use catalog::{Purchase, UsdPerHour};

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Field, Subject, block, text};

pub(super) const RULE: Rule = Rule {
    id: "C-56",
    title: "bid for spot capacity",
    grade: Grade::Warning,
    formula: "the bid is not above the price on demand",
    source: "EC2 price list",
    types: &["aws_launch_template", "aws_spot_instance_request"],
    example: "`max_price = \"60\"` for a p5.48xlarge, which costs 55.04 on demand: it is never better than buying on demand.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let planned = subject.planned;
    let (bid, attribute) = if subject.type_name == "aws_spot_instance_request" {
        (text(planned, "spot_price"), "spot_price")
    } else {
        let options = block(planned, "instance_market_options");
        let spot = options.and_then(|options| block(options, "spot_options"));
        (spot.map_or(Field::Absent, |spot| text(spot, "max_price")), "instance_market_options")
    };
    if bid.is_unknown() {
        return found.wait_for(attribute);
    }
    let bid = bid.known().and_then(|bid| bid.parse::<UsdPerHour>().ok());
    let name = text(planned, "instance_type").known();
    let (Some(bid), Some(name), Some(region)) = (bid, name, &subject.region) else { return };
    let Some(price) = found.catalog.price("aws", name, region, Purchase::OnDemand) else { return };
    if bid > price.high {
        let message = format!(
            "a bid of {bid} USD per hour, but `{name}` costs {} on demand in `{region}`",
            price.high
        );
        found.warning(
            attribute,
            message,
            "leave the bid out: it is the price on demand then".to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::table;

    #[test]
    fn a_bid_above_the_price_on_demand_is_told() {
        let bid =
            |price: &str| format!(r#"{{"instance_type": "p5.48xlarge", "spot_price": "{price}"}}"#);
        table(
            &RULE,
            "aws_spot_instance_request",
            &[
                ("below", &bid("25"), None),
                ("the same", &bid("55.04"), None),
                (
                    "above",
                    &bid("60"),
                    Some("a bid of 60.00 USD per hour, but `p5.48xlarge` costs 55.04"),
                ),
                ("none", r#"{"instance_type": "p5.48xlarge", "spot_price": null}"#, None),
                (
                    "a price that is not known",
                    r#"{"instance_type": "m5.large", "spot_price": "9"}"#,
                    None,
                ),
            ],
        );
    }
}
