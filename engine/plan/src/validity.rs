//! Checks of what providers answer; they are not trusted.
//!
//! Source: the rules that the Terraform provider protocol sets for planned and for new objects.

use std::sync::Arc;

use address::{AttributePath, PathStep};
use sdk::{Attribute, AttributeKind, Block, Nesting};
use value::{Refinement, Value};

use crate::propose::part;

/// A rule that an answer breaks. The text shows no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The attribute at fault.
    pub path: AttributePath,
    /// What was expected and what was found.
    pub message: String,
}

/// Checks a planned object against the configuration and the prior object. All are without marks.
pub(crate) fn check_plan(
    block: &Block,
    planned: &Value,
    config: &Value,
    prior: &Value,
) -> Vec<Violation> {
    let mut check = Check::default();
    if planned.is_null() != config.is_null() {
        let what = if planned.is_null() {
            "planned no object, though one is configured"
        } else {
            "planned an object, though none is configured"
        };
        check.report(what);
    } else if !planned.is_null() {
        check.planned_block(block, planned, config, prior);
    }
    check.found
}

/// Checks a new object, or a second plan, against what was planned before: what was known must stay.
pub fn check_compatible(planned: &Value, actual: &Value) -> Vec<Violation> {
    let mut check = Check::default();
    check.compatible(planned, actual);
    check.found
}

#[derive(Default)]
struct Check {
    path: AttributePath,
    found: Vec<Violation>,
}

impl Check {
    fn report(&mut self, message: impl Into<String>) {
        self.found.push(Violation { path: self.path.clone(), message: message.into() });
    }

    fn inside(&mut self, step: PathStep, check: impl FnOnce(&mut Self)) {
        self.path.0.push(step);
        check(self);
        self.path.0.pop();
    }

    fn planned_block(&mut self, block: &Block, planned: &Value, config: &Value, prior: &Value) {
        for (name, attribute) in &block.attributes {
            let (planned, config, prior) =
                (part(planned, name), part(config, name), part(prior, name));
            self.inside(PathStep::Attribute(Arc::clone(name)), |check| {
                check.planned_attribute(attribute, &planned, &config, &prior);
            });
        }
        for (name, nested) in &block.blocks {
            let (planned, config, prior) =
                (part(planned, name), part(config, name), part(prior, name));
            self.inside(PathStep::Attribute(Arc::clone(name)), |check| {
                check.planned_blocks(nested.nesting, &nested.block, &planned, &config, &prior);
            });
        }
    }

    fn planned_attribute(
        &mut self,
        attribute: &Attribute,
        planned: &Value,
        config: &Value,
        prior: &Value,
    ) {
        if attribute.write_only {
            if !planned.is_null() {
                self.report("planned a value for a write-only attribute");
            }
            return;
        }
        if planned.equals_ignoring_refinements(config) {
            return;
        }
        if !prior.is_null() && !config.is_null() && planned.equals_ignoring_refinements(prior) {
            return;
        }
        if attribute.computed && (!attribute.optional || config.is_null()) {
            return;
        }
        if config.is_null() {
            self.report("planned a value for an attribute that is neither computed nor configured");
            return;
        }
        match &attribute.kind {
            AttributeKind::Nested { nesting, attributes } => {
                self.planned_nested(*nesting, attributes, planned, config, prior);
            }
            AttributeKind::Plain(_) => {
                self.report(
                    "planned a value that differs from the configuration and from the prior value",
                );
            }
        }
    }

    fn planned_nested(
        &mut self,
        nesting: Nesting,
        attributes: &std::collections::BTreeMap<Arc<str>, Attribute>,
        planned: &Value,
        config: &Value,
        prior: &Value,
    ) {
        if planned.is_unknown() || planned.is_null() {
            self.report("planned no known object, though one is configured");
            return;
        }
        if config.is_unknown() {
            return;
        }
        let object = |check: &mut Self, planned: &Value, config: &Value, prior: &Value| {
            for (name, attribute) in attributes {
                let parts = (part(planned, name), part(config, name), part(prior, name));
                check.inside(PathStep::Attribute(Arc::clone(name)), |check| {
                    check.planned_attribute(attribute, &parts.0, &parts.1, &parts.2);
                });
            }
        };
        match nesting {
            Nesting::Single | Nesting::Group => object(self, planned, config, prior),
            Nesting::Set if planned.len() != config.len() => {
                self.report("planned another number of elements")
            }
            Nesting::Set => {}
            Nesting::List | Nesting::Map => self.elementwise(planned, config, prior, object),
        }
    }

    fn planned_blocks(
        &mut self,
        nesting: Nesting,
        block: &Block,
        planned: &Value,
        config: &Value,
        prior: &Value,
    ) {
        if planned.equals_ignoring_refinements(config) {
            return;
        }
        if config.is_unknown() {
            self.report("planned a value for blocks that are not known yet");
            return;
        }
        if planned.is_unknown() {
            self.report("planned unknown blocks");
            return;
        }
        match nesting {
            Nesting::Single | Nesting::Group if planned.is_null() || config.is_null() => {
                if planned.is_null() != config.is_null() {
                    self.report("planned a block that is not configured, or none where one is");
                }
            }
            Nesting::Single | Nesting::Group => self.planned_block(block, planned, config, prior),
            _ if planned.is_null() => self.report("planned null where blocks belong"),
            Nesting::Set
                if !planned.is_wholly_known()
                    && config.is_wholly_known()
                    && planned.len() != config.len() =>
            {
                self.report("planned another number of blocks");
            }
            Nesting::Set => {}
            Nesting::List | Nesting::Map => {
                self.elementwise(planned, config, prior, |check, planned, config, prior| {
                    check.planned_block(block, planned, config, prior);
                });
            }
        }
    }

    fn elementwise(
        &mut self,
        planned: &Value,
        config: &Value,
        prior: &Value,
        each: impl Fn(&mut Self, &Value, &Value, &Value),
    ) {
        if planned.len() != config.len() && !config.is_null() {
            self.report("planned another number of elements");
            return;
        }
        let nothing = Value::dynamic_null();
        for (at, (planned, config)) in planned
            .items()
            .unwrap_or_default()
            .iter()
            .zip(config.items().unwrap_or_default())
            .enumerate()
        {
            let prior = prior.get_index(at).unwrap_or(&nothing);
            let step = PathStep::Index(i64::try_from(at).unwrap_or(i64::MAX));
            self.inside(step, |check| each(check, planned, config, prior));
        }
        for (name, planned) in planned.entries().into_iter().flatten() {
            let step = PathStep::Key(Arc::clone(name));
            let prior = prior.get_attr(name).unwrap_or(&nothing);
            match config.get_attr(name) {
                Some(config) => self.inside(step, |check| each(check, planned, config, prior)),
                None => self.inside(step, |check| {
                    check.report("planned an element that is not configured")
                }),
            }
        }
    }

    fn compatible(&mut self, planned: &Value, actual: &Value) {
        if planned.is_unknown() {
            let nothing = Refinement::default();
            if !planned.refinement().unwrap_or(&nothing).admits(actual) {
                self.report("the new value is outside of what was planned");
            }
            return;
        }
        if planned == actual {
            return;
        }
        if actual.is_unknown() {
            return self.report("was known, but is unknown now");
        }
        if planned.is_null() || actual.is_null() {
            return self.report(if planned.is_null() {
                "was planned as absent, but is present"
            } else {
                "was planned as present, but is absent"
            });
        }
        if planned.is_set() {
            return self.compatible_sets(planned, actual);
        }
        if let (Some(before), Some(after)) = (planned.items(), actual.items()) {
            if before.len() != after.len() {
                return self.report(format!(
                    "was {} elements, but is {} now",
                    before.len(),
                    after.len()
                ));
            }
            for (at, (before, after)) in before.iter().zip(after).enumerate() {
                let step = PathStep::Index(i64::try_from(at).unwrap_or(i64::MAX));
                self.inside(step, |check| check.compatible(before, after));
            }
        } else if let (Some(before), Some(after)) = (planned.entries(), actual.entries()) {
            let map = planned.is_map();
            let step = |name: &Arc<str>| {
                if map { PathStep::Key(name.clone()) } else { PathStep::Attribute(name.clone()) }
            };
            for (name, before) in before {
                match after.get(name) {
                    Some(after) => self.inside(step(name), |check| check.compatible(before, after)),
                    None => self.inside(step(name), |check| check.report("has vanished")),
                }
            }
            for name in after.keys().filter(|name| !before.contains_key(name)) {
                self.inside(step(name), |check| check.report("has appeared"));
            }
        } else {
            self.report("the new value differs from the planned one");
        }
    }

    fn compatible_sets(&mut self, planned: &Value, actual: &Value) {
        let fits = |planned: &Value, actual: &Value| check_compatible(planned, actual).is_empty();
        let (before, after) =
            (planned.items().unwrap_or_default(), actual.items().unwrap_or_default());
        if planned.is_wholly_known() && actual.is_wholly_known() {
            // Both are sorted, so that a walk along them finds whether they are the same.
            if before != after {
                self.report("the elements differ from the planned ones");
            }
            return;
        }
        let all_found = before.iter().all(|b| after.iter().any(|a| fits(b, a)))
            && after.iter().all(|a| before.iter().any(|b| fits(b, a)));
        if !all_found || after.len() > before.len() {
            self.report("the elements differ from the planned ones");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use value::Type;

    fn messages(found: Vec<Violation>) -> Vec<String> {
        found.into_iter().map(|v| format!("{}: {}", v.path, v.message)).collect()
    }

    #[test]
    fn known_values_must_stay_and_unknown_ones_may_become_anything() {
        let planned = Value::object([
            ("name", Value::from("a")),
            ("id", Value::unknown(Type::String)),
            ("tags", Value::set(Type::String, vec!["x".into(), "y".into()])),
        ]);
        let kept = planned.clone().with_attr("id", "i-1".into());
        assert_eq!(messages(check_compatible(&planned, &kept)), [""; 0]);
        let broken = kept
            .with_attr("name", "b".into())
            .with_attr("tags", Value::set(Type::String, vec!["x".into()]));
        assert_eq!(
            messages(check_compatible(&planned, &broken)),
            [
                "name: the new value differs from the planned one",
                "tags: the elements differ from the planned ones"
            ]
        );
    }

    #[test]
    fn refinements_of_an_unknown_value_are_promises() {
        let planned = Value::unknown_refined(Type::String, Refinement::not_null());
        assert_eq!(check_compatible(&planned, &Value::from("x")).len(), 0);
        assert_eq!(check_compatible(&planned, &Value::null(Type::String)).len(), 1);
    }
}
