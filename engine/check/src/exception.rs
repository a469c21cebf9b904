//! Rules that people have set aside: `exception` blocks of the `stack` block.
//!
//! ```hcl
//! stack {
//!   exception "C-31" {
//!     address = "aws_ebs_volume.scratch"
//!     reason  = "the limit was raised for this account"
//!     until   = "2027-03-31"
//!   }
//! }
//! ```

use catalog::fact::days_of;
use config::Configuration;
use syntax::{Block, Diagnostics, Report, Severity, Span, suggest};

use crate::own::OwnRule;
use crate::rule::RULES;

/// A rule that does not count at an address, until a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The rule, such as `C-31`, or the name of a rule of one's own.
    pub rule: String,
    /// The resource, with or without an instance's key; `None` for all.
    pub address: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it counts, as `YYYY-MM-DD`.
    pub until: String,
    /// Where it is written.
    pub span: Span,
}

impl Exception {
    /// Whether it sets aside on a day what a rule finds at an address.
    pub fn covers(&self, rule: &str, address: &str, today: i64) -> bool {
        let here = self.address.as_ref().is_none_or(|own| {
            address == *own || address.strip_prefix(&**own).is_some_and(|key| key.starts_with('['))
        });
        here && self.rule == rule && !self.is_over(today)
    }

    /// Whether its last day has passed.
    pub fn is_over(&self, today: i64) -> bool {
        days_of(&self.until).is_none_or(|last| today > last)
    }
}

/// Reads the exceptions of a configuration, from our rules and from its `own`.
pub fn read(configuration: &Configuration, own: &[OwnRule]) -> (Vec<Exception>, Diagnostics) {
    let mut faults = Diagnostics::new();
    let Some(stack) = &configuration.root().stack else { return (Vec::new(), faults) };
    let blocks = stack.body.blocks_checked("exception", 1, &mut faults);
    // What is wrong with these blocks is told where they are read.
    let rego: Vec<Block> = stack.body.blocks_named("rego", 1);
    let rego = rego.iter().filter_map(|block| block.labels.first().map(|label| label.as_str()));
    let own: Vec<&str> = own.iter().map(|rule| &*rule.name).chain(rego).collect();
    let found = blocks.iter().filter_map(|block| one(block, &own, &mut faults)).collect();
    (found, faults)
}

fn one(block: &Block, own: &[&str], faults: &mut Diagnostics) -> Option<Exception> {
    let label = block.labels.first()?;
    let ids = || RULES.iter().map(|rule| rule.id).chain(own.iter().copied());
    if !ids().any(|id| id == label.as_str()) {
        let near = suggest(label.as_str(), ids()).map(|near| format!("did you mean `{near}`?"));
        faults.push(fault(&format!("there is no check `{label}`"), label.span, near));
    }
    for name in block.body.names() {
        if !["address", "reason", "until"].contains(&name.as_str()) {
            let help = "an exception has `address`, `reason` and `until`".to_owned();
            faults.push(fault(&format!("`{name}` does not belong here"), name.span, Some(help)));
        }
    }
    let mut text = |name: &str| {
        let attribute = block.body.attribute(name)?;
        let (expression, found) = lang::compile(&attribute.expr);
        faults.extend(found);
        let text = expression.as_constant().and_then(|value| value.as_str().map(str::to_owned));
        if text.is_none() {
            let message = format!("`{name}` is a string that is written out");
            faults.push(fault(&message, attribute.expr.span, None));
        }
        text
    };
    let (address, reason, until) = (text("address"), text("reason"), text("until"));
    let until = until.filter(|date| days_of(date).is_some());
    let complete = reason.filter(|reason| !reason.trim().is_empty()).zip(until);
    if complete.is_none() {
        let help = "write `reason = \"…\"` and `until = \"2027-03-31\"`".to_owned();
        let message = "an exception says why it is made, and on which day it ends";
        faults.push(fault(message, block.header, Some(help)));
    }
    let (reason, until) = complete?;
    Some(Exception { rule: label.text.to_string(), address, reason, until, span: block.header })
}

fn fault(message: &str, span: Span, help: Option<String>) -> Report {
    Report {
        severity: Severity::Error,
        code: "stratiform::check::exception".to_owned(),
        message: message.to_owned(),
        labels: vec![(span, String::new())],
        help,
        detail: None,
        address: None,
    }
}
