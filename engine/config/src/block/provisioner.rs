//! `provisioner "kind" { … }` and `connection { … }`.

use syntax::{Block, Body, Diagnostics};

use super::{Decoder, duplicate};
use crate::error::ConfigError;
use crate::module::{OnFailure, Provisioner, When};
use crate::rule::RuleError;

const KINDS: [&str; 3] = ["local-exec", "remote-exec", "file"];

/// Decodes the provisioners of a block whose own `connection` is `outer`.
pub(crate) fn decode_all(
    blocks: &[Block],
    connections: &[Block],
    diagnostics: &mut Diagnostics,
) -> Vec<Provisioner> {
    only_one(connections, diagnostics);
    let outer = connections.first();
    blocks.iter().filter_map(|block| decode(block, outer, diagnostics)).collect()
}

fn only_one(connections: &[Block], diagnostics: &mut Diagnostics) {
    if let [first, second, ..] = connections {
        diagnostics.push(duplicate("block", "connection", first.header, second.header));
    }
}

fn decode(
    block: &Block,
    outer: Option<&Block>,
    diagnostics: &mut Diagnostics,
) -> Option<Provisioner> {
    let [kind] = block.labels.as_slice() else {
        diagnostics.push(ConfigError::Labels {
            kind: "provisioner".to_owned(),
            expected: "one label: its kind",
            span: block.header,
            found: block.labels.len(),
            help: "write `provisioner \"local-exec\" { … }`".to_owned(),
        });
        return None;
    };
    if !KINDS.contains(&kind.as_str()) {
        let name = kind.text.to_string();
        diagnostics.push(RuleError::UnknownProvisioner { name, span: kind.span });
        return None;
    }
    let mut decoder = Decoder::new(block, diagnostics);
    let when = match decoder.keyword("when", &["create", "destroy"], "`create` or `destroy`") {
        Some("destroy") => When::Destroy,
        _ => When::Create,
    };
    let on_failure =
        match decoder.keyword("on_failure", &["fail", "continue"], "`fail` or `continue`") {
            Some("continue") => OnFailure::Continue,
            _ => OnFailure::Fail,
        };
    let connections = decoder.blocks("connection", 0);
    only_one(&connections, diagnostics);
    let meta = |name: &str| matches!(name, "when" | "on_failure" | "connection");
    let body = &block.body;
    let rest = Body {
        attributes: body.attributes.iter().filter(|a| !meta(a.name.as_str())).cloned().collect(),
        blocks: body.blocks.iter().filter(|b| !meta(b.kind.as_str())).cloned().collect(),
        ..**body
    };
    let connection = connection(connections.first(), outer);
    if when == When::Destroy {
        only_self(&rest, diagnostics);
        if let Some(connection) = &connection {
            only_self(&connection.body, diagnostics);
        }
    }
    let kind = kind.clone();
    Some(Provisioner { kind, when, on_failure, connection, body: rest, header: block.header })
}

/// A provisioner's own connection; what it does not say is as its resource says.
fn connection(own: Option<&Block>, outer: Option<&Block>) -> Option<Block> {
    let (Some(own), Some(outer)) = (own, outer) else { return own.or(outer).cloned() };
    let mut both = own.clone();
    let inherited =
        outer.body.attributes.iter().filter(|a| own.body.attribute(&a.name.text).is_none());
    std::sync::Arc::make_mut(&mut both.body).attributes.extend(inherited.cloned());
    Some(both)
}

/// At destruction, everything but the object itself may be gone.
fn only_self(body: &Body, diagnostics: &mut Diagnostics) {
    for attribute in &body.attributes {
        let (expression, _) = lang::compile(&attribute.expr);
        for reference in expression.references() {
            let root = reference.root.as_str();
            let key_of_each = reference
                .steps
                .first()
                .and_then(lang::TraversalStep::as_attribute)
                .is_none_or(|name| name.as_str() == "key");
            let known = matches!(root, "self" | "count" | "path" | "terraform")
                || (root == "each" && key_of_each);
            if !known {
                let name = reference.to_string();
                diagnostics.push(RuleError::DestroyReference { name, span: reference.span });
            }
        }
    }
}
