//! Asks a body for what a kind of block may hold, and complains of the rest.

use std::collections::BTreeSet;
use std::sync::Arc;

use lang::{Context, Expression, NoNames, Phase, Traversal};
use syntax::{Attribute, Block, Body, Diagnostics, Expr, ExprKind, Span, suggest};
use value::Value;

use crate::error::ConfigError;
use crate::rule::RuleError;

/// Decodes one body; remembers what was asked for, so that [`finish`](Self::finish) can name what was not.
pub(crate) struct Decoder<'a> {
    pub(crate) body: &'a Body,
    pub(crate) header: Span,
    pub(crate) diagnostics: &'a mut Diagnostics,
    kind: String,
    attributes: BTreeSet<&'static str>,
    blocks: BTreeSet<&'static str>,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(block: &'a Block, diagnostics: &'a mut Diagnostics) -> Self {
        let kind = block.kind.text.to_string();
        let (attributes, blocks) = Default::default();
        Self { body: &block.body, header: block.header, diagnostics, kind, attributes, blocks }
    }

    pub(crate) fn attribute(&mut self, name: &'static str) -> Option<&'a Attribute> {
        self.attributes.insert(name);
        self.body.attribute(name)
    }

    pub(crate) fn expression(&mut self, name: &'static str) -> Option<Expression> {
        let attribute = self.attribute(name)?;
        Some(self.compile(&attribute.expr))
    }

    pub(crate) fn compile(&mut self, expr: &Expr) -> Expression {
        let (expression, errors) = lang::compile(expr);
        self.diagnostics.extend(errors);
        expression
    }

    /// An argument that must be there.
    pub(crate) fn required(&mut self, name: &'static str) -> Option<Expression> {
        let found = self.expression(name);
        if found.is_none() && !self.body.incomplete {
            self.diagnostics.push(ConfigError::MissingArgument {
                name: name.to_owned(),
                block: self.kind.clone(),
                span: self.header,
            });
        }
        found
    }

    /// A value that is written out.
    pub(crate) fn constant(
        &mut self,
        name: &'static str,
        expected: &'static str,
    ) -> Option<(Value, Span)> {
        let attribute = self.attribute(name)?;
        if let Some(call) = first_call(&attribute.expr) {
            let (function, span) = (call.text.to_string(), call.span);
            let name = name.to_owned();
            self.diagnostics.push(RuleError::CallNotAllowed { function, name, span });
            return None;
        }
        let expression = self.compile(&attribute.expr);
        let Some(value) = constant(&expression) else {
            let span = expression.span();
            self.diagnostics.push(ConfigError::ConstantRequired {
                name: name.to_owned(),
                expected,
                span,
            });
            return None;
        };
        Some((value, expression.span()))
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Option<(Arc<str>, Span)> {
        let (value, span) = self.constant(name, "a string that is written out")?;
        let converted = value::convert(&value, &value::Type::String).ok();
        if let Some(text) = converted.as_ref().and_then(Value::as_arc_str) {
            Some((Arc::clone(text), span))
        } else {
            let expected = "a string that is written out";
            self.diagnostics.push(ConfigError::ConstantRequired {
                name: name.to_owned(),
                expected,
                span,
            });
            None
        }
    }

    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        let (value, span) = self.constant(name, "`true` or `false`")?;
        let flag =
            value::convert(&value, &value::Type::Bool).ok().and_then(|value| value.as_bool());
        if flag.is_none() {
            self.diagnostics.push(ConfigError::ConstantRequired {
                name: name.to_owned(),
                expected: "`true` or `false`",
                span,
            });
        }
        flag
    }

    /// A list of references, as in `depends_on`.
    pub(crate) fn references(&mut self, name: &'static str) -> Vec<Traversal> {
        let Some(attribute) = self.attribute(name) else { return Vec::new() };
        self.traversals(&attribute.expr, name)
    }

    /// A reference; JSON has no other spelling for one than a text, and old configurations quote them too.
    pub(crate) fn reference(&mut self, expr: &Expr) -> Option<Traversal> {
        match &expr.kind {
            ExprKind::String(text) => Traversal::parse(text, expr.span),
            _ => self.compile(expr).as_traversal().cloned(),
        }
    }

    pub(crate) fn traversals(&mut self, expr: &Expr, name: &'static str) -> Vec<Traversal> {
        let expected = "a list of references, such as `[aws_vpc.main, module.network]`";
        let ExprKind::Tuple(items) = &expr.kind else {
            self.diagnostics.push(ConfigError::ConstantRequired {
                name: name.to_owned(),
                expected,
                span: expr.span,
            });
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in items {
            match self.reference(item) {
                Some(traversal) => found.push(traversal),
                None => self.diagnostics.push(ConfigError::ConstantRequired {
                    name: name.to_owned(),
                    expected,
                    span: item.span,
                }),
            }
        }
        found
    }

    /// A word that is written without quotes, or with them, as old configurations do.
    pub(crate) fn keyword(
        &mut self,
        name: &'static str,
        words: &[&'static str],
        expected: &'static str,
    ) -> Option<&'static str> {
        let attribute = self.attribute(name)?;
        let found = match &attribute.expr.kind {
            ExprKind::Variable(word) => words.iter().find(|known| **known == word.as_str()),
            ExprKind::String(word) => words.iter().find(|known| **known == &**word),
            _ => None,
        };
        if found.is_none() {
            let span = attribute.expr.span;
            self.diagnostics.push(RuleError::Keyword { name: name.to_owned(), expected, span });
        }
        found.copied()
    }

    pub(crate) fn blocks(&mut self, kind: &'static str, labels: usize) -> Vec<Block> {
        self.blocks.insert(kind);
        self.body.blocks_checked(kind, labels, self.diagnostics)
    }

    /// Complains of everything that was not asked for.
    pub(crate) fn finish(self) {
        let known = || self.attributes.iter().chain(&self.blocks).copied();
        let suggestion =
            |name: &str| suggest(name, known()).map(|near| format!("did you mean `{near}`?"));
        for attribute in &self.body.attributes {
            let name = attribute.name.as_str();
            let known =
                self.attributes.contains(name) || (self.body.json && self.blocks.contains(name));
            if !known {
                self.diagnostics.push(ConfigError::UnsupportedArgument {
                    name: name.to_owned(),
                    block: self.kind.clone(),
                    span: attribute.name.span,
                    suggestion: suggestion(name),
                });
            }
        }
        for block in &self.body.blocks {
            let name = block.kind.as_str();
            if !self.blocks.contains(name) {
                self.diagnostics.push(ConfigError::UnsupportedBlock {
                    name: name.to_owned(),
                    block: self.kind.clone(),
                    span: block.kind.span,
                    suggestion: suggestion(name),
                });
            }
        }
    }
}

/// What the language itself reads in a block of one kind, and keeps from whoever gets the rest.
pub(crate) struct Meta<'a> {
    /// Its arguments.
    pub(crate) arguments: &'a dyn Fn(&str) -> bool,
    /// Its blocks.
    pub(crate) blocks: &'a [&'a str],
    /// Blocks that it keeps for later; they are complained of.
    pub(crate) reserved: &'a [&'a str],
}

/// The body without what the language reads, and with the arguments of its `_` block, whose names would mean something
/// else outside of it.
pub(crate) fn rest(block: &Block, meta: &Meta<'_>, diagnostics: &mut Diagnostics) -> Arc<Body> {
    let body = &block.body;
    for inner in body.blocks.iter().filter(|inner| meta.reserved.contains(&inner.kind.as_str())) {
        let (name, around) = (inner.kind.text.to_string(), block.kind.text.to_string());
        let span = inner.kind.span;
        diagnostics.push(RuleError::ReservedBlock { name, block: around, span });
    }
    let escapes = body.blocks_checked("_", 0, diagnostics);
    if let [first, second, ..] = escapes.as_slice() {
        diagnostics.push(super::duplicate("block", "_", first.header, second.header));
    }
    let takes = |name: &str| name == "_" || (meta.arguments)(name);
    let takes_block =
        |name: &str| name == "_" || meta.blocks.contains(&name) || meta.reserved.contains(&name);
    let argument = |attribute: &&Attribute| !takes(attribute.name.as_str());
    let inner = |block: &&Block| !takes_block(block.kind.as_str());
    // Of a big tree of files, copies take as long as reading it.
    if body.attributes.iter().all(|one| argument(&one)) && body.blocks.iter().all(|one| inner(&one))
    {
        return Arc::clone(body);
    }
    let mut attributes = Vec::with_capacity(body.attributes.len());
    attributes.extend(body.attributes.iter().filter(argument).cloned());
    let mut blocks: Vec<Block> = body.blocks.iter().filter(inner).cloned().collect();
    for escape in escapes {
        attributes.extend(escape.body.attributes.iter().cloned());
        blocks.extend(escape.body.blocks.iter().cloned());
    }
    let (span, json, incomplete) = (body.span, body.json, body.incomplete);
    Arc::new(Body { attributes, blocks, span, json, incomplete })
}

/// The name of the first function that an expression calls.
pub(crate) fn first_call(expr: &Expr) -> Option<&syntax::Ident> {
    let mut stack = vec![expr];
    while let Some(expr) = stack.pop() {
        match &expr.kind {
            ExprKind::Call { name, .. } => return Some(name),
            ExprKind::Tuple(items) => stack.extend(items.iter().rev()),
            ExprKind::Object(items) => stack.extend(items.iter().rev().map(|item| &item.value)),
            ExprKind::Unary(_, inner)
            | ExprKind::Parens(inner)
            | ExprKind::GetAttr(inner, _)
            | ExprKind::LegacyIndex(inner, ..)
            | ExprKind::Splat { source: inner, .. } => stack.push(inner),
            ExprKind::Binary(left, _, right) | ExprKind::Index(left, right) => {
                stack.extend([&**right, left]);
            }
            ExprKind::Conditional(condition, yes, no) => stack.extend([&**no, yes, condition]),
            ExprKind::ForTuple(inner) => stack.extend([&inner.body, &inner.collection]),
            ExprKind::ForObject(inner) => {
                stack.extend([&inner.value_expr, &inner.key_expr, &inner.collection]);
            }
            ExprKind::Template(parts) => {
                stack.extend(parts.iter().rev().filter_map(|part| match part {
                    syntax::TemplatePart::Interpolation(inner) => Some(inner),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    None
}

/// Evaluates what refers to nothing and reads nothing.
pub fn written_out<T>(evaluate: impl FnOnce(&Context<'_>) -> T) -> T {
    let world = lang::testing::FixedWorld::default();
    evaluate(&Context {
        scope: &NoNames,
        world: &world,
        phase: Phase::Plan,
        module_dir: std::path::Path::new("."),
        functions: None,
    })
}

/// The value of an expression that refers to nothing and reads nothing.
pub(crate) fn constant(expression: &Expression) -> Option<Value> {
    if let Some(value) = expression.as_constant() {
        return Some(value.clone());
    }
    if !expression.references().is_empty() || expression.uses_impure() {
        return None;
    }
    written_out(|ctx| expression.evaluate(ctx).ok())
}
