//! What a program says, however it is spelled and laid out.

use std::fmt::Write;

use crate::nested::deep;
use crate::tree::{Body, Expr, ExprKind, Ident, ObjectKey, SplatStep, TemplatePart};

/// Writes a body so that equal texts mean the same: without places and parentheses, and with `"${a}"`
/// as `a`. The types of variables are left out, since formatting changes them.
pub fn meaning(body: &Body) -> String {
    let mut writer = Writer(String::new());
    writer.body(body, false);
    writer.0
}

struct Writer(String);

impl Writer {
    fn add(&mut self, text: impl std::fmt::Display) {
        write!(self.0, "{text} ").expect("a string takes all that is written to it");
    }

    fn text(&mut self, text: &str) {
        self.add(format_args!("{text:?}"));
    }

    fn body(&mut self, body: &Body, of_variable: bool) {
        for attribute in &body.attributes {
            self.add(&attribute.name);
            self.add("=");
            if !of_variable || attribute.name.as_str() != "type" {
                self.expr(&attribute.expr);
            }
            self.add(";");
        }
        for block in &body.blocks {
            self.add(&block.kind);
            for label in &block.labels {
                // Formatting normalises them.
                self.text(
                    &unicode_normalization::UnicodeNormalization::nfc(label.as_str())
                        .collect::<String>(),
                );
            }
            self.add("{");
            self.body(&block.body, block.kind.as_str() == "variable");
            self.add("}");
        }
    }

    fn expr(&mut self, expr: &Expr) {
        deep(|| self.kind(&expr.kind));
    }

    fn kind(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::Null => self.add("null"),
            ExprKind::Bool(value) => self.add(value),
            ExprKind::Number(text) => self.add(text),
            ExprKind::String(text) => self.text(text),
            ExprKind::Variable(name) => self.add(name),
            ExprKind::Parens(inner) => self.expr(inner),
            ExprKind::Template(parts) => match parts.as_slice() {
                [TemplatePart::Interpolation(inner)] => self.expr(inner),
                parts => self.parts(parts),
            },
            ExprKind::Tuple(items) => self.list("tuple", items.iter()),
            ExprKind::Object(items) => {
                self.add("{");
                for item in items {
                    match &item.key {
                        ObjectKey::Name(name) => self.text(name.as_str()),
                        ObjectKey::Expr(key) => self.list("key", [key].into_iter()),
                    }
                    self.expr(&item.value);
                }
                self.add("}");
            }
            ExprKind::GetAttr(source, name) => {
                self.expr(source);
                self.add(".");
                self.add(name);
            }
            ExprKind::Index(source, index) => self.list("index", [&**source, &**index].into_iter()),
            ExprKind::LegacyIndex(source, index, _) => {
                self.expr(source);
                self.add(index);
            }
            ExprKind::Splat { source, full, each } => {
                self.expr(source);
                self.steps(*full, each);
            }
            ExprKind::Call { name, args, expand_last, .. } => {
                self.add(name);
                self.add(expand_last);
                self.list("call", args.iter());
            }
            ExprKind::Unary(operator, operand) => {
                self.list(operator.symbol(), [&**operand].into_iter())
            }
            ExprKind::Binary(left, operator, right) => {
                self.list(operator.symbol(), [&**left, &**right].into_iter());
            }
            ExprKind::Conditional(condition, then, otherwise) => {
                self.list("?", [&**condition, &**then, &**otherwise].into_iter());
            }
            ExprKind::ForTuple(parts) => {
                self.names(parts.key.as_ref(), &parts.value);
                let rest = [&parts.collection, &parts.body].into_iter().chain(&parts.condition);
                self.list("for[", rest);
            }
            ExprKind::ForObject(parts) => {
                self.names(parts.key.as_ref(), &parts.value);
                self.add(parts.grouping);
                let rest = [&parts.collection, &parts.key_expr, &parts.value_expr].into_iter();
                self.list("for{", rest.chain(&parts.condition));
            }
        }
    }

    fn names(&mut self, key: Option<&Ident>, value: &Ident) {
        self.add(key.map_or("", Ident::as_str));
        self.add(value);
    }

    fn list<'e>(&mut self, name: &str, items: impl Iterator<Item = &'e Expr>) {
        self.add("(");
        self.add(name);
        for item in items {
            self.expr(item);
            self.add(",");
        }
        self.add(")");
    }

    fn steps(&mut self, full: bool, steps: &[SplatStep]) {
        self.add(if full { "[*](" } else { ".*(" });
        for step in steps {
            match step {
                SplatStep::Attr(name) => self.add(name),
                SplatStep::Index(index) => self.list("index", [index].into_iter()),
                SplatStep::LegacyIndex(index, _) => self.add(index),
                SplatStep::Splat { full, each } => self.steps(*full, each),
            }
        }
        self.add(")");
    }

    fn parts(&mut self, parts: &[TemplatePart]) {
        self.add("<");
        for part in parts {
            match part {
                TemplatePart::Literal(text) => self.text(text),
                TemplatePart::Interpolation(inner) => self.expr(inner),
                TemplatePart::If { condition, then, otherwise } => {
                    self.list("if", [condition].into_iter());
                    self.parts(then);
                    self.parts(otherwise);
                }
                TemplatePart::For { key, value, collection, body } => {
                    self.names(key.as_ref(), value);
                    self.list("for", [collection].into_iter());
                    self.parts(body);
                }
            }
        }
        self.add(">");
    }
}
