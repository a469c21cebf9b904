//! Another parser, to compare ours with: `hcl_edit`, its tree converted to ours.
//!
//! Literal text is taken from the source by its span and not from the parser, which resolves
//! no backslash escapes inside the directives of a quoted string, and which applies strip markers
//! and indentation only when it evaluates. Numbers are taken from the source too, because the parser
//! rounds them.

use std::ops::Range;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::{
    BinaryOperator, Expression, ForExpr, FuncCall, ObjectKey as ParsedKey, Traversal,
    TraversalOperator, UnaryOperator,
};
use hcl_edit::structure::{self, BlockLabel, Structure};
use hcl_edit::template::{Directive, Element, Strip, Template};

use crate::diagnostic::Diagnostics;
use crate::error::SyntaxError;
use crate::nested::Nested;
use crate::position::Positions;
use crate::source::Span;
use crate::template::{Piece, Sequence, assemble, unescape};
use crate::tree::{
    Attribute, BinaryOp, Block, Body, Expr, ExprKind, ForObject, ForTuple, Ident, ObjectItem,
    ObjectKey, SplatStep, TemplatePart, UnaryOp,
};

/// Parses a row of attributes and blocks.
pub(crate) fn body(
    text: &str,
    positions: &Positions,
    diagnostics: &mut Diagnostics,
) -> Option<Body> {
    let parsed = hcl_edit::parser::parse_body(text).ok()?;
    let mut convert = Convert { text, positions, diagnostics };
    Some(convert.body(&parsed, 0..text.len()))
}

/// How literal text is escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoting {
    /// As in a here-document or a file: `$${` and `%%{` only.
    None,
    /// As between quotes: with backslashes too, and without newlines.
    Quotes,
}

struct Convert<'a> {
    text: &'a str,
    positions: &'a Positions<'a>,
    diagnostics: &'a mut Diagnostics,
}

impl Convert<'_> {
    fn body(&mut self, parsed: &structure::Body, range: Range<usize>) -> Body {
        let mut body = Body { span: self.positions.span(range), ..Body::default() };
        for structure in parsed {
            match structure {
                Structure::Attribute(attribute) => {
                    let name = self.ident(&attribute.key);
                    let expr = self.expr(&attribute.value);
                    let span = name.span.join(expr.span);
                    body.attributes.push(Attribute { name, expr, span });
                }
                Structure::Block(block) => body.blocks.push(self.block(block)),
            }
        }
        body
    }

    fn block(&mut self, block: &structure::Block) -> Block {
        let range = self.range(block.span());
        let kind = self.ident(&block.ident);
        let mut header_end = self.range(block.ident.span()).end;
        let mut labels = Vec::with_capacity(block.labels.len());
        for label in &block.labels {
            header_end = self.range(label.span()).end;
            labels.push(self.label(label));
        }
        let brace = header_end + offset_of_code(&self.text[header_end..range.end]);
        let inside = (brace + 1).min(range.end)..range.end.saturating_sub(1).max(brace + 1);
        Block {
            header: labels.last().map_or(kind.span, |last| kind.span.join(last.span)),
            kind,
            labels,
            body: Arc::new(self.body(&block.body, inside)),
            span: self.positions.span(range),
        }
    }

    fn label(&mut self, label: &BlockLabel) -> Ident {
        match label {
            BlockLabel::Ident(name) => self.ident(name),
            BlockLabel::String(text) => {
                let range = self.range(text.span());
                self.refuse_newline(range.clone());
                Ident::new(text.as_str(), self.positions.span(range))
            }
        }
    }

    fn expr(&mut self, parsed: &Expression) -> Expr {
        let range = self.range(parsed.span());
        let kind = match parsed {
            Expression::Null(_) => ExprKind::Null,
            Expression::Bool(value) => ExprKind::Bool(*value.value()),
            Expression::Number(_) => self.number(range.clone()),
            Expression::String(text) => {
                self.refuse_newline(range.clone());
                ExprKind::String(Arc::from(text.as_str()))
            }
            Expression::StringTemplate(template) => {
                let mut tokens = Vec::new();
                self.each_element(template.iter(), Quoting::Quotes, &mut tokens);
                string_or_template(assemble(tokens, false, &mut Vec::new()))
            }
            Expression::HeredocTemplate(heredoc) => {
                let mut tokens = Vec::new();
                self.elements(&heredoc.template, Quoting::None, &mut tokens);
                let indented = self.text[range.clone()].starts_with("<<-");
                string_or_template(assemble(tokens, indented, &mut Vec::new()))
            }
            Expression::Array(items) => {
                ExprKind::Tuple(items.iter().map(|item| self.expr(item)).collect())
            }
            Expression::Object(items) => ExprKind::Object(
                items
                    .iter()
                    .map(|(key, value)| ObjectItem {
                        key: self.key(key),
                        value: self.expr(value.expr()),
                    })
                    .collect(),
            ),
            Expression::Parenthesis(inner) => ExprKind::Parens(self.boxed(inner.inner())),
            Expression::Variable(name) => ExprKind::Variable(self.ident(name)),
            Expression::Conditional(parts) => ExprKind::Conditional(
                self.boxed(&parts.cond_expr),
                self.boxed(&parts.true_expr),
                self.boxed(&parts.false_expr),
            ),
            Expression::FuncCall(call) => self.call(call, range.clone()),
            Expression::Traversal(traversal) => return self.traversal(traversal),
            Expression::UnaryOp(operation) => {
                ExprKind::Unary(unary(*operation.operator), self.boxed(&operation.expr))
            }
            Expression::BinaryOp(operation) => ExprKind::Binary(
                self.boxed(&operation.lhs_expr),
                binary(*operation.operator.value()),
                self.boxed(&operation.rhs_expr),
            ),
            Expression::ForExpr(parts) => self.for_expr(parts),
        };
        Expr { kind, span: self.positions.span(range) }
    }

    fn boxed(&mut self, parsed: &Expression) -> Nested<Expr> {
        Nested::new(self.expr(parsed))
    }

    /// The parser takes the sign of a literal as part of it; the language does not.
    fn number(&self, range: Range<usize>) -> ExprKind {
        let text = &self.text[range.clone()];
        let digits = text.strip_prefix('-').map_or(0, |rest| 1 + offset_of_code(rest));
        let number = ExprKind::Number(Arc::from(&text[digits..]));
        if digits == 0 {
            return number;
        }
        let span = self.positions.span(range.start + digits..range.end);
        ExprKind::Unary(UnaryOp::Negate, Nested::new(Expr { kind: number, span }))
    }

    fn key(&mut self, key: &ParsedKey) -> ObjectKey {
        match key {
            ParsedKey::Ident(name) => ObjectKey::Name(self.ident(name)),
            ParsedKey::Expression(expr) => {
                let expr = self.expr(expr);
                let word = match expr.kind {
                    ExprKind::Null => "null",
                    ExprKind::Bool(true) => "true",
                    ExprKind::Bool(false) => "false",
                    _ => return ObjectKey::Expr(expr),
                };
                ObjectKey::Name(Ident::new(word, expr.span))
            }
        }
    }

    fn call(&mut self, call: &FuncCall, range: Range<usize>) -> ExprKind {
        let name_range = self.range(call.name.name.span());
        let first =
            call.name.namespace.first().map_or(name_range.clone(), |n| self.range(n.span()));
        let parts = call.name.namespace.iter().chain(std::iter::once(&call.name.name));
        let name = parts.map(|part| part.as_str()).collect::<Vec<_>>().join("::");
        let open = name_range.end + offset_of_code(&self.text[name_range.end..range.end]);
        ExprKind::Call {
            name: Box::new(Ident::new(name, self.positions.span(first.start..name_range.end))),
            args: call.args.iter().map(|arg| self.expr(arg)).collect(),
            expand_last: call.args.expand_final(),
            span_args: self.positions.span(open..range.end),
        }
    }

    fn for_expr(&mut self, parts: &ForExpr) -> ExprKind {
        let key = parts.intro.key_var.as_ref().map(|name| self.ident(name));
        let value = self.ident(&parts.intro.value_var);
        let collection = self.expr(&parts.intro.collection_expr);
        let condition = parts.cond.as_ref().map(|condition| self.expr(&condition.expr));
        let result = self.expr(&parts.value_expr);
        match &parts.key_expr {
            None => ExprKind::ForTuple(Box::new(ForTuple {
                key,
                value,
                collection,
                body: result,
                condition,
            })),
            Some(key_expr) => ExprKind::ForObject(Box::new(ForObject {
                key,
                value,
                collection,
                key_expr: self.expr(key_expr),
                value_expr: result,
                condition,
                grouping: parts.grouping,
            })),
        }
    }

    fn traversal(&mut self, traversal: &Traversal) -> Expr {
        let mut expr = self.expr(&traversal.expr);
        let mut operators = traversal.operators.iter().map(|o| (o.value(), self.range(o.span())));
        let operators: Vec<_> = operators.by_ref().collect();
        self.refuse_chained_indexes(&operators);
        let mut rest = operators.as_slice();
        while let Some(((operator, range), after)) = rest.split_first() {
            rest = after;
            let mut span = expr.span.join(self.positions.span(range.clone()));
            let source = Nested::new(expr);
            let kind = match operator {
                TraversalOperator::GetAttr(name) => ExprKind::GetAttr(source, self.ident(name)),
                TraversalOperator::Index(index) => ExprKind::Index(source, self.boxed(index)),
                TraversalOperator::LegacyIndex(index) => {
                    ExprKind::LegacyIndex(source, *index.value(), self.index_span(range))
                }
                TraversalOperator::FullSplat(_) | TraversalOperator::AttrSplat(_) => {
                    let full = matches!(operator, TraversalOperator::FullSplat(_));
                    let each = self.splat_steps(full, &mut rest, &mut span).into();
                    ExprKind::Splat { source, full, each }
                }
            };
            expr = Expr { kind, span };
        }
        expr
    }

    /// Takes from `rest` the steps that a splat applies to each element: all of them for `[*]`,
    /// names and numbers for `.*`.
    fn splat_steps(
        &mut self,
        full: bool,
        rest: &mut &[(&TraversalOperator, Range<usize>)],
        span: &mut Span,
    ) -> Vec<SplatStep> {
        let mut steps = Vec::new();
        while let Some(((operator, range), after)) = rest.split_first() {
            let step = match operator {
                TraversalOperator::GetAttr(name) => SplatStep::Attr(self.ident(name)),
                TraversalOperator::LegacyIndex(index) => {
                    SplatStep::LegacyIndex(*index.value(), self.index_span(range))
                }
                TraversalOperator::Index(index) if full => SplatStep::Index(self.expr(index)),
                TraversalOperator::FullSplat(_) | TraversalOperator::AttrSplat(_) if full => {
                    *rest = after;
                    *span = span.join(self.positions.span(range.clone()));
                    let inner_full = matches!(operator, TraversalOperator::FullSplat(_));
                    let each = self.splat_steps(inner_full, rest, span);
                    steps.push(SplatStep::Splat { full: inner_full, each });
                    continue;
                }
                TraversalOperator::AttrSplat(_) => {
                    self.refuse_nested_splat(range.clone());
                    break;
                }
                TraversalOperator::Index(_) | TraversalOperator::FullSplat(_) => break,
            };
            *rest = after;
            *span = span.join(self.positions.span(range.clone()));
            steps.push(step);
        }
        steps
    }

    /// The digits of `.0`.
    fn index_span(&self, operator: &Range<usize>) -> Span {
        let text = &self.text[operator.clone()];
        let digits = text.len() - text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        self.positions.span(operator.end - digits..operator.end)
    }

    /// `a.0.1` holds the number `0.1` as far as the language is concerned.
    fn refuse_chained_indexes(&mut self, operators: &[(&TraversalOperator, Range<usize>)]) {
        for pair in operators.windows(2) {
            let [
                (TraversalOperator::LegacyIndex(_), left),
                (TraversalOperator::LegacyIndex(_), right),
            ] = pair
            else {
                continue;
            };
            if left.end == right.start {
                let span = self.index_span(left).join(self.positions.span(right.clone()));
                self.diagnostics.push(SyntaxError::Unexpected {
                    found: "number with a fraction after `.`".to_owned(),
                    expected: "expected a name or a whole number".to_owned(),
                    span,
                    help: Some("write indexes in brackets, as in `list[0][1]`".to_owned()),
                });
            }
        }
    }

    fn refuse_nested_splat(&mut self, range: Range<usize>) {
        self.diagnostics.push(SyntaxError::Unexpected {
            found: "second `.*`".to_owned(),
            expected: "`.*` cannot be used inside another".to_owned(),
            span: self.positions.span(range),
            help: Some("use `[*]` for both".to_owned()),
        });
    }

    fn refuse_newline(&mut self, range: Range<usize>) {
        let Some(at) = self.text[range.clone()].find('\n') else { return };
        let quote = range.start + self.text[range.clone()].find('"').unwrap_or(0);
        self.diagnostics.push(unclosed_string(self.positions, quote..range.start + at));
    }

    fn elements(&mut self, template: &Template, quoting: Quoting, tokens: &mut Vec<Piece>) {
        self.each_element(template.iter(), quoting, tokens);
    }

    fn each_element<'e>(
        &mut self,
        elements: impl Iterator<Item = &'e Element>,
        quoting: Quoting,
        tokens: &mut Vec<Piece>,
    ) {
        for element in elements {
            match element {
                Element::Literal(text) => self.literal(self.range(text.span()), quoting, tokens),
                Element::Interpolation(interpolation) => {
                    let expr = self.expr(&interpolation.expr);
                    push(tokens, Sequence::Interpolation(expr), interpolation.strip);
                }
                Element::Directive(directive) => self.directive(directive, quoting, tokens),
            }
        }
    }

    fn literal(&mut self, range: Range<usize>, quoting: Quoting, tokens: &mut Vec<Piece>) {
        let raw = &self.text[range.clone()];
        let quoted = quoting == Quoting::Quotes;
        let mut bad = Vec::new();
        let text = unescape(raw, quoted, &mut bad);
        for escape in bad {
            self.diagnostics.push(SyntaxError::UnknownEscape {
                sequence: raw[escape.start..escape.end].to_owned(),
                span: self.positions.span(range.start + escape.start..range.start + escape.end),
            });
        }
        if !quoted {
            tokens.extend(text.split_inclusive('\n').map(|line| Piece::Literal(line.to_owned())));
            return;
        }
        if let Some(at) = raw.find('\n') {
            let newline = range.start + at;
            self.diagnostics.push(unclosed_string(self.positions, range.start..newline));
        }
        tokens.push(Piece::Literal(text));
    }

    fn directive(&mut self, directive: &Directive, quoting: Quoting, tokens: &mut Vec<Piece>) {
        match directive {
            Directive::If(parts) => {
                let condition = self.expr(&parts.if_expr.cond_expr);
                push(tokens, Sequence::If(condition), parts.if_expr.strip);
                self.elements(&parts.if_expr.template, quoting, tokens);
                if let Some(otherwise) = &parts.else_expr {
                    push(tokens, Sequence::Else, otherwise.strip);
                    self.elements(&otherwise.template, quoting, tokens);
                }
                push(tokens, Sequence::EndIf, parts.endif_expr.strip);
            }
            Directive::For(parts) => {
                let key = parts.for_expr.key_var.as_ref().map(|name| self.ident(name));
                let value = self.ident(&parts.for_expr.value_var);
                let collection = self.expr(&parts.for_expr.collection_expr);
                push(tokens, Sequence::For { key, value, collection }, parts.for_expr.strip);
                self.elements(&parts.for_expr.template, quoting, tokens);
                push(tokens, Sequence::EndFor, parts.endfor_expr.strip);
            }
        }
    }

    fn ident(&self, name: &hcl_edit::Decorated<hcl_edit::Ident>) -> Ident {
        Ident::new(name.as_str(), self.positions.span(self.range(name.span())))
    }

    /// The parser gives every node that we ask a span. Should it ever fail to, an empty span at the
    /// end of the text is the mildest answer.
    fn range(&self, span: Option<Range<usize>>) -> Range<usize> {
        span.filter(|range| self.text.get(range.clone()).is_some())
            .unwrap_or(self.text.len()..self.text.len())
    }
}

/// The fault of a quoted string that reaches the end of its line.
pub(crate) fn unclosed_string(positions: &Positions, range: Range<usize>) -> SyntaxError {
    SyntaxError::Unclosed {
        what: "string",
        span: positions.span(range),
        help: "close the string with `\"` on the same line, write `\\n` for a newline, or use a \
               here-document (`<<-EOT`)"
            .to_owned(),
    }
}

fn push(tokens: &mut Vec<Piece>, sequence: Sequence, strip: Strip) {
    let strip_before = matches!(strip, Strip::Start | Strip::Both);
    let strip_after = matches!(strip, Strip::End | Strip::Both);
    tokens.push(Piece::Sequence { sequence, strip_before, strip_after, span: Span::default() });
}

fn string_or_template(mut parts: Vec<TemplatePart>) -> ExprKind {
    match parts.as_mut_slice() {
        [] => ExprKind::String(Arc::from("")),
        [TemplatePart::Literal(text)] => ExprKind::String(text.clone()),
        _ => ExprKind::Template(parts),
    }
}

/// The offset of the first character that is neither white space nor in a comment.
fn offset_of_code(text: &str) -> usize {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let after = if let Some(comment) = rest.strip_prefix("/*") {
            comment.find("*/").map(|end| &comment[end + 2..])
        } else if rest.starts_with('#') || rest.starts_with("//") {
            rest.find('\n').map(|end| &rest[end..])
        } else {
            None
        };
        match after {
            Some(after) => rest = after,
            None => return text.len() - rest.len(),
        }
    }
}

fn unary(operator: UnaryOperator) -> UnaryOp {
    match operator {
        UnaryOperator::Neg => UnaryOp::Negate,
        UnaryOperator::Not => UnaryOp::Not,
    }
}

fn binary(operator: BinaryOperator) -> BinaryOp {
    match operator {
        BinaryOperator::Eq => BinaryOp::Equal,
        BinaryOperator::NotEq => BinaryOp::NotEqual,
        BinaryOperator::LessEq => BinaryOp::LessOrEqual,
        BinaryOperator::GreaterEq => BinaryOp::GreaterOrEqual,
        BinaryOperator::Less => BinaryOp::Less,
        BinaryOperator::Greater => BinaryOp::Greater,
        BinaryOperator::Plus => BinaryOp::Add,
        BinaryOperator::Minus => BinaryOp::Subtract,
        BinaryOperator::Mul => BinaryOp::Multiply,
        BinaryOperator::Div => BinaryOp::Divide,
        BinaryOperator::Mod => BinaryOp::Remainder,
        BinaryOperator::And => BinaryOp::And,
        BinaryOperator::Or => BinaryOp::Or,
    }
}
