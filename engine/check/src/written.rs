//! Which arguments a block sets, so that what a provider works out is told from what somebody waits for.
//!
//! A planned object has both as unknown values. A rule that waits for a value that nobody sets would wait for nothing.

use std::collections::BTreeMap;

use address::PathStep;
use syntax::{Body, Expr, ExprKind, ObjectKey};
use value::Value;

/// The arguments that are written, by name, those of nested blocks within them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Whether all of it is, as far as can be told: an expression gives it.
    whole: bool,
    parts: BTreeMap<String, Written>,
}

impl Written {
    /// What a block's body sets. Several blocks of a kind count as one.
    pub fn of(body: &Body) -> Self {
        let mut written = Self::default();
        written.body(body);
        written
    }

    fn body(&mut self, body: &Body) {
        for attribute in &body.attributes {
            self.part(attribute.name.as_str()).expression(&attribute.expr);
        }
        for block in &body.blocks {
            match (block.kind.as_str(), block.labels.first()) {
                ("dynamic", Some(kind)) => {
                    let part = self.part(kind.as_str());
                    let content = block.body.blocks.iter();
                    content.for_each(|content| part.body(&content.body));
                }
                (kind, _) => self.part(kind).body(&block.body),
            }
        }
    }

    fn part(&mut self, name: &str) -> &mut Self {
        self.parts.entry(name.to_owned()).or_default()
    }

    fn expression(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Object(items) => {
                for item in items {
                    match &item.key {
                        ObjectKey::Name(name) => self.part(name.as_str()).expression(&item.value),
                        ObjectKey::Expr(Expr { kind: ExprKind::String(name), .. }) => {
                            self.part(name).expression(&item.value);
                        }
                        ObjectKey::Expr(_) => self.whole = true,
                    }
                }
            }
            ExprKind::Tuple(items) => items.iter().for_each(|item| self.expression(item)),
            _ => self.whole = true,
        }
    }

    /// The object with null for each unknown value that nobody sets.
    pub fn without_computed(&self, planned: &Value) -> Value {
        planned.clone().transform(&mut |path, value| {
            if value.is_unknown() && !self.sets(&path.0) { Value::null(value.ty()) } else { value }
        })
    }

    fn sets(&self, path: &[PathStep]) -> bool {
        let mut node = self;
        for step in path {
            if node.whole {
                return true;
            }
            let name = match step {
                PathStep::Attribute(name) | PathStep::Key(name) => name,
                PathStep::Index(_) | PathStep::Element => continue,
            };
            match node.parts.get(&**name) {
                Some(part) => node = part,
                None => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use config::LoadRequest;
    use lang::World;
    use lang::testing::FixedWorld;
    use syntax::SourceMap;

    use super::Written;
    use crate::testing::object;

    #[test]
    fn what_nobody_sets_is_null_and_what_somebody_sets_stays_unknown() {
        let main = r#"
resource "a_b" "c" {
  size  = a_b.other.size
  tags  = { name = a_b.other.name }
  whole = a_b.other.tags
  disk { iops = a_b.other.iops }
  disk { kind = "x" }
  dynamic "card" {
    for_each = []
    content { index = card.key }
  }
}
"#;
        let world = FixedWorld::with_files([("main.tf", main)]);
        let world: &dyn World = &world;
        let (configuration, _) =
            config::load(LoadRequest { root: Path::new("."), world, sources: SourceMap::new() });
        let block = configuration.root().resources.values().next().expect("a block");
        let planned = object(
            r#"{"id": "?", "size": "?", "tags": {"name": "?", "other": "?"}, "whole": {"any": "?"}, "disk": [{"iops": "?", "kind": "x", "rate": "?"}], "card": [{"index": "?", "address": "?"}], "rules": "?"}"#,
        );
        let cleaned = Written::of(&block.body).without_computed(&planned);
        let expected = object(
            r#"{"id": null, "size": "?", "tags": {"name": "?", "other": null}, "whole": {"any": "?"}, "disk": [{"iops": "?", "kind": "x", "rate": null}], "card": [{"index": "?", "address": null}], "rules": null}"#,
        );
        assert_eq!(cleaned, expected);
    }
}
