//! How a decoder asks a body for what it knows.
//!
//! JSON cannot tell an attribute from a block: only who knows the schema can. So decoders read both
//! spellings through these methods, which derive blocks from JSON objects when they are asked for.

use std::sync::Arc;

use crate::diagnostic::Diagnostics;
use crate::error::SyntaxError;
use crate::source::Span;
use crate::tree::{Attribute, Block, Body, Expr, ExprKind, Ident, ObjectItem, ObjectKey};

/// The JSON property that holds a comment wherever a body stands.
const COMMENT_PROPERTY: &str = "//";

impl Body {
    /// The attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| &*attribute.name.text == name)
    }

    /// The blocks of this kind in source order, with faults in their JSON shape left out.
    ///
    /// See [`Self::blocks_checked`], which reports those faults; exactly one of the two should be
    /// asked, once, for each kind.
    pub fn blocks_named(&self, kind: &str, labels: usize) -> Vec<Block> {
        self.blocks_checked(kind, labels, &mut Diagnostics::new())
    }

    /// The blocks of this kind in source order.
    ///
    /// `labels` is the number of labels that the kind has. In JSON it says how many levels of
    /// objects are labels. A native block may have any other number; the caller checks that.
    pub fn blocks_checked(
        &self,
        kind: &str,
        labels: usize,
        diagnostics: &mut Diagnostics,
    ) -> Vec<Block> {
        // A body that was merged from both spellings has blocks of both.
        let mut blocks: Vec<Block> =
            self.blocks.iter().filter(|block| &*block.kind.text == kind).cloned().collect();
        if !self.json {
            return blocks;
        }
        for attribute in self.attributes.iter().filter(|attribute| &*attribute.name.text == kind) {
            let mut derive = Derive { kind: &attribute.name, blocks: &mut blocks, diagnostics };
            derive.blocks_from(&attribute.expr, &mut Vec::new(), labels);
        }
        blocks
    }

    /// The names of all attributes and the kinds of all blocks, attributes first, each in source
    /// order and as often as it stands there.
    pub fn names(&self) -> impl Iterator<Item = &Ident> {
        let attributes = self.attributes.iter().map(|attribute| &attribute.name);
        attributes.chain(self.blocks.iter().map(|block| &block.kind))
    }

    /// Makes a body of the properties of a JSON object, without its comments.
    pub(crate) fn from_json_object(items: &[ObjectItem], span: Span) -> Self {
        let attributes = items
            .iter()
            .filter_map(|item| match &item.key {
                ObjectKey::Name(name) if &*name.text != COMMENT_PROPERTY => Some(Attribute {
                    name: name.clone(),
                    expr: item.value.clone(),
                    span: name.span.join(item.value.span),
                }),
                _ => None,
            })
            .collect();
        Self { attributes, blocks: Vec::new(), span, json: true, incomplete: false }
    }
}

struct Derive<'a> {
    kind: &'a Ident,
    blocks: &'a mut Vec<Block>,
    diagnostics: &'a mut Diagnostics,
}

impl Derive<'_> {
    fn blocks_from(&mut self, expr: &Expr, labels: &mut Vec<Ident>, missing: usize) {
        match &expr.kind {
            // Generated JSON writes `null` for "none".
            ExprKind::Null => {}
            ExprKind::Tuple(items) => {
                for item in items {
                    self.blocks_from(item, labels, missing);
                }
            }
            ExprKind::Object(items) if missing == 0 => self.block(items, expr.span, labels),
            ExprKind::Object(items) => {
                for item in items {
                    let Some(label) = self.label(&item.key) else { continue };
                    labels.push(label);
                    self.blocks_from(&item.value, labels, missing - 1);
                    labels.pop();
                }
            }
            other => self.wrong_shape(json_kind(other), expr.span, missing),
        }
    }

    fn block(&mut self, items: &[ObjectItem], span: Span, labels: &[Ident]) {
        let header = labels.last().map_or(self.kind.span, |label| label.span);
        self.blocks.push(Block {
            kind: self.kind.clone(),
            labels: labels.to_vec(),
            body: Arc::new(Body::from_json_object(items, span)),
            span: header.join(span),
            header,
        });
    }

    fn label(&mut self, key: &ObjectKey) -> Option<Ident> {
        match key {
            ObjectKey::Name(name) => Some(name.clone()),
            ObjectKey::Expr(expr) => {
                self.wrong_shape("a template as a property name", expr.span, 1);
                None
            }
        }
    }

    fn wrong_shape(&mut self, found: &'static str, span: Span, missing: usize) {
        let expected = if missing == 0 {
            "the block's attributes, as an object, belong here"
        } else {
            "an object whose property names are labels belongs here"
        };
        self.diagnostics.push(SyntaxError::JsonBlockShape {
            kind: self.kind.text.to_string(),
            found,
            expected: expected.to_owned(),
            span,
        });
    }
}

fn json_kind(kind: &ExprKind) -> &'static str {
    match kind {
        ExprKind::Bool(_) => "a boolean",
        ExprKind::Number(_) => "a number",
        _ => "a string",
    }
}
