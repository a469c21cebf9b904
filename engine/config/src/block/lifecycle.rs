//! `lifecycle { … }` in a resource.

use address::{AttributePath, PathStep, ResourceMode};
use lang::{Traversal, TraversalStep};
use syntax::{Block, Diagnostics, Expr, ExprKind};

use super::resource::mode_name;
use super::{Decoder, condition};
use crate::error::ConfigError;
use crate::module::{IgnoreChanges, Lifecycle};
use crate::rule::RuleError;

const MANAGED_ONLY: [&str; 4] =
    ["create_before_destroy", "prevent_destroy", "ignore_changes", "replace_triggered_by"];

pub(crate) fn decode(
    block: &Block,
    mode: ResourceMode,
    diagnostics: &mut Diagnostics,
) -> Lifecycle {
    let mut decoder = Decoder::new(block, diagnostics);
    let create_before_destroy = decoder.flag("create_before_destroy");
    let prevent_destroy = decoder.flag("prevent_destroy").unwrap_or(false);
    let ignore_changes = match decoder.attribute("ignore_changes") {
        Some(attribute) => ignore_changes(&attribute.expr, &mut decoder),
        None => IgnoreChanges::None,
    };
    let replace_triggered_by =
        match decoder.attribute("replace_triggered_by").map(|attribute| &attribute.expr) {
            Some(Expr { kind: ExprKind::Tuple(items), .. }) => items
                .iter()
                .map(|item| match &item.kind {
                    ExprKind::String(_) => decoder
                        .reference(item)
                        .map_or_else(|| decoder.compile(item), lang::Expression::reference),
                    _ => decoder.compile(item),
                })
                .collect(),
            Some(other) => {
                decoder.diagnostics.push(ConfigError::ConstantRequired {
                    name: "replace_triggered_by".to_owned(),
                    expected: "a list of references to resources",
                    span: other.span,
                });
                Vec::new()
            }
            None => Vec::new(),
        };
    let preconditions = decoder.blocks("precondition", 0);
    let postconditions = decoder.blocks("postcondition", 0);
    decoder.finish();
    if mode != ResourceMode::Managed {
        for attribute in &block.body.attributes {
            let name = attribute.name.as_str();
            if MANAGED_ONLY.contains(&name) {
                diagnostics.push(RuleError::BlockOutOfPlace {
                    kind: mode_name(mode),
                    name: name.to_owned(),
                    help: "remove it: only managed resources have changes to be handled",
                    span: attribute.name.span,
                });
            }
        }
    }
    Lifecycle {
        create_before_destroy,
        prevent_destroy,
        ignore_changes,
        replace_triggered_by,
        preconditions: condition::decode_all(&preconditions, diagnostics),
        postconditions: condition::decode_all(&postconditions, diagnostics),
    }
}

fn ignore_changes(expr: &Expr, decoder: &mut Decoder<'_>) -> IgnoreChanges {
    let all = match &expr.kind {
        ExprKind::Variable(name) => name.as_str() == "all",
        ExprKind::String(text) if &**text == "all" && decoder.body.json => true,
        ExprKind::String(text) if &**text == "all" => {
            decoder.diagnostics.push(RuleError::QuotedAll { span: expr.span });
            true
        }
        _ => false,
    };
    if all {
        return IgnoreChanges::All;
    }
    let traversals = decoder.traversals(expr, "ignore_changes");
    let mut paths = Vec::new();
    for traversal in &traversals {
        match path_of(traversal) {
            Some(path) => paths.push((path, traversal.span)),
            None => decoder.diagnostics.push(ConfigError::InvalidAddress {
                text: traversal.to_string(),
                expected: "an attribute of this resource, such as `tags[\"owner\"]`",
                span: traversal.span,
            }),
        }
    }
    IgnoreChanges::Paths(paths)
}

/// `tags["owner"]`: the root is an attribute of the resource.
fn path_of(traversal: &Traversal) -> Option<AttributePath> {
    let mut path = AttributePath::root().attribute(traversal.root.text.clone());
    for step in &traversal.steps {
        path = path.child(match step {
            TraversalStep::Attribute(name) => PathStep::Attribute(name.text.clone()),
            TraversalStep::Index(index, _) => match index.as_arc_str() {
                Some(key) => PathStep::Key(key.clone()),
                None => PathStep::Index(index.as_number()?.to_i64()?),
            },
            TraversalStep::Dynamic(..) | TraversalStep::Splat(_) => return None,
        });
    }
    Some(path)
}
