//! Expressions, by precedence.
//!
//! What may be chained without end is read in loops: operators of one precedence, conditionals,
//! signs, steps. Recursion follows brackets alone, and those are counted.

use super::{Failed, Parsed, Parser};
use crate::error::SyntaxError;
use crate::lex::Kind;
use crate::nested::Nested;
use crate::source::Span;
use crate::tree::{
    BinaryOp, Expr, ExprKind, ForObject, ForTuple, Ident, ObjectItem, ObjectKey, SplatStep, UnaryOp,
};

impl Parser<'_> {
    /// Reads an expression that fills the text.
    pub(super) fn whole_expression(&mut self) -> Parsed<Expr> {
        self.newlines = false;
        let expr = self.expr()?;
        if self.kind() != Kind::End {
            return Err(self.unexpected("the expression should end here", None));
        }
        if self.lossy { Err(Failed) } else { Ok(expr) }
    }

    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        // Conditions and their first results; a conditional is nested in its second result.
        let mut pending: Vec<(Expr, Expr)> = Vec::new();
        let mut expr = loop {
            let expr = self.binary(0)?;
            if self.kind() != Kind::Question {
                break expr;
            }
            let question = self.bump();
            let newlines = self.newlines;
            let then = self.inside(question, newlines, Self::expr)?;
            if self.kind() != Kind::Colon {
                return Err(self.unexpected(
                    "`:` and the value for the other case belong here",
                    Some("a conditional is written `condition ? value : other_value`"),
                ));
            }
            self.bump();
            pending.push((expr, then));
        };
        while let Some((condition, then)) = pending.pop() {
            let span = condition.span.join(expr.span);
            let parts = [condition, then, expr].map(Nested::new);
            let [condition, then, otherwise] = parts;
            expr = Expr { kind: ExprKind::Conditional(condition, then, otherwise), span };
        }
        Ok(expr)
    }

    /// Reads operators that bind at least as tightly as `least`, which is at most 6.
    fn binary(&mut self, least: u8) -> Parsed<Expr> {
        let mut left = self.unary()?;
        while let Some((operator, binds)) = operator(self.kind())
            && binds >= least
        {
            self.bump();
            let right = self.binary(binds + 1)?;
            let span = left.span.join(right.span);
            let kind = ExprKind::Binary(Nested::new(left), operator, Nested::new(right));
            left = Expr { kind, span };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<Expr> {
        let mut signs = Vec::new();
        loop {
            let operator = match self.kind() {
                Kind::Minus => UnaryOp::Negate,
                Kind::Bang => UnaryOp::Not,
                _ => break,
            };
            let at = self.bump();
            signs.push((operator, self.span(at)));
        }
        let term = self.term()?;
        let mut expr = self.steps(term)?;
        while let Some((operator, span)) = signs.pop() {
            let span = span.join(expr.span);
            expr = Expr { kind: ExprKind::Unary(operator, Nested::new(expr)), span };
        }
        Ok(expr)
    }

    fn term(&mut self) -> Parsed<Expr> {
        match self.kind() {
            Kind::Ident => {
                let at = self.bump();
                self.named(at)
            }
            Kind::OpenQuote => {
                let open = self.bump();
                self.quoted(open)
            }
            Kind::Number => {
                let at = self.bump();
                let text = self.word(at);
                if !is_number(text) {
                    self.at = at;
                    return Err(self.unexpected(
                        "this is no number",
                        Some("write a number as in `12`, `0.5` or `6.02e23`"),
                    ));
                }
                let kind = ExprKind::Number(self.names.share(text));
                Ok(Expr { kind, span: self.span(at) })
            }
            Kind::OpenBracket => {
                let open = self.bump();
                self.inside(open, false, |parser| {
                    if parser.is_word("for") {
                        return parser.for_tuple(open);
                    }
                    let items = parser.list(open, Kind::CloseBracket)?.items;
                    let kind = ExprKind::Tuple(items);
                    Ok(Expr { kind, span: parser.between(open, parser.at - 1) })
                })
            }
            Kind::OpenBrace => {
                let open = self.bump();
                if self.for_follows() {
                    return self.inside(open, false, |parser| parser.for_object(open));
                }
                self.inside(open, true, |parser| parser.object(open))
            }
            Kind::OpenParen => {
                let open = self.bump();
                self.inside(open, false, |parser| {
                    let inner = parser.expr()?;
                    if parser.kind() != Kind::CloseParen {
                        return Err(parser.unclosed_or(open, "`)` belongs here"));
                    }
                    let close = parser.bump();
                    let kind = ExprKind::Parens(Nested::new(inner));
                    Ok(Expr { kind, span: parser.between(open, close) })
                })
            }
            Kind::OpenHeredoc => {
                let open = self.bump();
                self.heredoc(open)
            }
            _ => Err(self.no_expression()),
        }
    }

    /// What a name begins: a keyword, a call or a reference.
    fn named(&mut self, at: usize) -> Parsed<Expr> {
        if matches!(self.kind(), Kind::OpenParen | Kind::DoubleColon) {
            return self.call(at);
        }
        let kind = match self.word(at) {
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "null" => ExprKind::Null,
            _ => ExprKind::Variable(self.ident(at)),
        };
        Ok(Expr { kind, span: self.span(at) })
    }

    fn call(&mut self, first: usize) -> Parsed<Expr> {
        let mut name = self.word(first).to_owned();
        let mut last = first;
        while self.kind() == Kind::DoubleColon {
            self.bump();
            if self.kind() != Kind::Ident {
                return Err(self.unexpected("the name of a function belongs here", None));
            }
            last = self.bump();
            name.push_str("::");
            name.push_str(self.word(last));
        }
        if self.kind() != Kind::OpenParen {
            return Err(self.unexpected("`(` and the arguments belong here", None));
        }
        let open = self.bump();
        let list = self.inside(open, false, |parser| parser.list(open, Kind::CloseParen))?;
        let name = Ident { text: self.names.share(&name), span: self.between(first, last) };
        let close = self.at - 1;
        let kind = ExprKind::Call {
            name: Box::new(name),
            args: list.items,
            expand_last: list.expand_last,
            span_args: self.between(open, close),
        };
        Ok(Expr { kind, span: self.between(first, close) })
    }

    /// The items of a tuple, or the arguments of a call, and the bracket that closes them.
    fn list(&mut self, open: usize, close: Kind) -> Parsed<List> {
        let mut items = Vec::new();
        let mut expand_last = false;
        let wanted = if close == Kind::CloseParen { "`,` or `)`" } else { "`,` or `]`" };
        while self.kind() != close {
            let base = self.opens.len();
            match self.expr() {
                Ok(item) => items.push(item),
                Err(Failed) => self.skip_part(open, base)?,
            }
            match self.kind() {
                kind if kind == close => break,
                Kind::Comma => {
                    self.bump();
                }
                Kind::Ellipsis if close == Kind::CloseParen => {
                    self.bump();
                    expand_last = true;
                    if self.kind() != close {
                        return Err(
                            self.unexpected("`...` ends the arguments: `)` belongs here", None)
                        );
                    }
                }
                _ => {
                    let expected = format!("{wanted} belongs here");
                    let Failed = self.unclosed_or(open, &expected);
                    self.skip_part(open, base)?;
                    if self.kind() == Kind::Comma {
                        self.bump();
                    }
                }
            }
        }
        self.bump();
        Ok(List { items: items.into_boxed_slice(), expand_last })
    }

    /// Whether the next word is `for`, on whatever line it stands.
    fn for_follows(&self) -> bool {
        let skipped = |kind| matches!(kind, Kind::Newline | Kind::LineComment | Kind::Comment);
        let at = (self.at..self.tokens.len()).find(|at| !skipped(self.tokens[*at].kind));
        at.is_some_and(|at| self.tokens[at].kind == Kind::Ident && self.word(at) == "for")
    }

    fn object(&mut self, open: usize) -> Parsed<Expr> {
        let mut items = Vec::new();
        loop {
            match self.kind() {
                Kind::Newline => {
                    self.bump();
                    continue;
                }
                Kind::CloseBrace if !self.closes_outer(open) => break,
                _ => {}
            }
            let base = self.opens.len();
            match self.object_item(open) {
                Ok(item) => items.push(item),
                Err(Failed) => {
                    self.skip_part(open, base)?;
                    if self.kind() == Kind::Comma {
                        self.bump();
                    }
                }
            }
        }
        let close = self.bump();
        items.shrink_to_fit();
        Ok(Expr { kind: ExprKind::Object(items), span: self.between(open, close) })
    }

    fn object_item(&mut self, open: usize) -> Parsed<ObjectItem> {
        let key = self.object_key(open)?;
        if !matches!(self.kind(), Kind::Assign | Kind::Colon) {
            return Err(self.no_object_value(open));
        }
        self.bump();
        let value = self.expr()?;
        match self.kind() {
            Kind::Comma | Kind::Newline => {
                self.bump();
            }
            Kind::CloseBrace => {}
            _ => return Err(self.unclosed_or(open, "a new line, `,` or `}` belongs here")),
        }
        Ok(ObjectItem { key, value })
    }

    fn object_key(&mut self, open: usize) -> Parsed<ObjectKey> {
        if matches!(
            self.kind(),
            Kind::End | Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen
        ) {
            return Err(self.unclosed_or(open, "a key or `}` belongs here"));
        }
        let expr = self.expr()?;
        let span = expr.span;
        let word = match &expr.kind {
            ExprKind::Variable(name) => &*name.text,
            // As keys these are words like any other.
            ExprKind::Null => "null",
            ExprKind::Bool(true) => "true",
            ExprKind::Bool(false) => "false",
            _ => return Ok(ObjectKey::Expr(expr)),
        };
        let text = self.string(word);
        Ok(ObjectKey::Name(Ident { text, span }))
    }

    fn for_tuple(&mut self, open: usize) -> Parsed<Expr> {
        let (key, value, collection) = self.for_intro()?;
        let body = self.expr()?;
        if self.kind() == Kind::FatArrow {
            return Err(self.unexpected(
                "a list has no keys",
                Some("write `{for … : key => value}` to make an object"),
            ));
        }
        if self.kind() == Kind::Ellipsis {
            return Err(self.unexpected("`...` groups the values of an object's keys only", None));
        }
        let condition = self.for_condition()?;
        let close = self.for_end(open, Kind::CloseBracket, "`if` or `]` belongs here")?;
        let parts = ForTuple { key, value, collection, body, condition };
        Ok(Expr { kind: ExprKind::ForTuple(Box::new(parts)), span: self.between(open, close) })
    }

    fn for_object(&mut self, open: usize) -> Parsed<Expr> {
        let (key, value, collection) = self.for_intro()?;
        let key_expr = self.expr()?;
        if self.kind() != Kind::FatArrow {
            return Err(self.unclosed_or(open, "`=>` and the value of the key belong here"));
        }
        self.bump();
        let value_expr = self.expr()?;
        let grouping = self.kind() == Kind::Ellipsis;
        if grouping {
            self.bump();
        }
        let condition = self.for_condition()?;
        let close = self.for_end(open, Kind::CloseBrace, "`...`, `if` or `}` belongs here")?;
        let parts = ForObject { key, value, collection, key_expr, value_expr, condition, grouping };
        Ok(Expr { kind: ExprKind::ForObject(Box::new(parts)), span: self.between(open, close) })
    }

    /// `for k, v in collection :`
    fn for_intro(&mut self) -> Parsed<(Option<Ident>, Ident, Expr)> {
        let intro = self.for_names()?;
        if self.kind() != Kind::Colon {
            return Err(self.unexpected("`:` and the result belong here", None));
        }
        self.bump();
        Ok(intro)
    }

    /// `for k, v in collection`
    pub(super) fn for_names(&mut self) -> Parsed<(Option<Ident>, Ident, Expr)> {
        const HELP: Option<&str> = Some("write `for value in list` or `for key, value in map`");
        self.kind();
        self.bump();
        let name = |parser: &mut Self| {
            if parser.kind() != Kind::Ident {
                return Err(parser.unexpected("a name for the element belongs here", HELP));
            }
            let at = parser.bump();
            Ok(parser.ident(at))
        };
        let first = name(self)?;
        let (key, value) = if self.kind() == Kind::Comma {
            self.bump();
            (Some(first), name(self)?)
        } else {
            (None, first)
        };
        if !self.is_word("in") {
            return Err(self.unexpected("`in` and a collection belong here", HELP));
        }
        self.bump();
        Ok((key, value, self.expr()?))
    }

    fn for_condition(&mut self) -> Parsed<Option<Expr>> {
        if !self.is_word("if") {
            return Ok(None);
        }
        self.bump();
        self.expr().map(Some)
    }

    fn for_end(&mut self, open: usize, close: Kind, expected: &str) -> Parsed<usize> {
        if self.kind() != close {
            return Err(self.unclosed_or(open, expected));
        }
        Ok(self.bump())
    }

    // Steps.

    /// Reads `.name`, `[index]` and splats after a term.
    fn steps(&mut self, mut expr: Expr) -> Parsed<Expr> {
        loop {
            let step = match self.kind() {
                Kind::Dot => self.dot_step()?,
                Kind::OpenBracket => self.bracket_step()?,
                _ => return Ok(expr),
            };
            let mut span = expr.span.join(step.span);
            let source = Nested::new(expr);
            let kind = match step.kind {
                StepKind::Attr(name) => ExprKind::GetAttr(source, name),
                StepKind::Index(index) => ExprKind::Index(source, Nested::new(index)),
                StepKind::LegacyIndex(index, span) => ExprKind::LegacyIndex(source, index, span),
                StepKind::Splat { full } => {
                    let each = self.splat_steps(full, &mut span)?.into_boxed_slice();
                    ExprKind::Splat { source, full, each }
                }
            };
            expr = Expr { kind, span };
        }
    }

    fn splat_steps(&mut self, full: bool, span: &mut Span) -> Parsed<Vec<SplatStep>> {
        let mut steps = Vec::new();
        loop {
            let step = match self.kind() {
                Kind::Dot => self.dot_step()?,
                Kind::OpenBracket if full => self.bracket_step()?,
                _ => return Ok(steps),
            };
            *span = span.join(step.span);
            steps.push(match step.kind {
                StepKind::Attr(name) => SplatStep::Attr(name),
                StepKind::Index(index) => SplatStep::Index(index),
                StepKind::LegacyIndex(index, span) => SplatStep::LegacyIndex(index, span),
                StepKind::Splat { .. } if !full => {
                    self.at -= 1;
                    return Err(self.unexpected(
                        "`.*` cannot be used inside another",
                        Some("use `[*]` for both"),
                    ));
                }
                StepKind::Splat { full } => {
                    let (at, newlines) = (self.at - 1, self.newlines);
                    let each = self.inside(at, newlines, |p| p.splat_steps(full, span))?;
                    SplatStep::Splat { full, each }
                }
            });
        }
    }

    fn dot_step(&mut self) -> Parsed<Step> {
        let dot = self.bump();
        let (kind, at) = match self.kind() {
            Kind::Ident => {
                let at = self.bump();
                (StepKind::Attr(self.ident(at)), at)
            }
            Kind::Number => {
                let at = self.bump();
                (self.legacy_index(at)?, at)
            }
            Kind::Star => (StepKind::Splat { full: false }, self.bump()),
            _ => {
                return Err(self.unexpected("the name of an attribute belongs after `.`", None));
            }
        };
        Ok(Step { kind, span: self.between(dot, at) })
    }

    /// `.0`; `.0.1` is read as the number `0.1`, and refused.
    fn legacy_index(&mut self, at: usize) -> Parsed<StepKind> {
        let text = self.word(at);
        match text.parse() {
            Ok(index) if text.bytes().all(|b| b.is_ascii_digit()) => {
                Ok(StepKind::LegacyIndex(index, self.span(at)))
            }
            _ => {
                self.at = at;
                let error = SyntaxError::Unexpected {
                    found: format!("`{text}` after `.`"),
                    expected: "a name or a whole number belongs here".to_owned(),
                    span: self.span(at),
                    help: Some("write indexes in brackets, as in `list[0][1]`".to_owned()),
                };
                Err(self.fault(error))
            }
        }
    }

    fn bracket_step(&mut self) -> Parsed<Step> {
        let open = self.bump();
        // A splat is no index: a newline ends an expression within it as it does around it.
        if self.kind() == Kind::Star {
            self.bump();
            if self.kind() != Kind::CloseBracket {
                return Err(self.unexpected("`]` belongs here", Some("write `[*]`")));
            }
            let close = self.bump();
            return Ok(Step {
                kind: StepKind::Splat { full: true },
                span: self.between(open, close),
            });
        }
        let index = self.inside(open, false, |parser| {
            let index = parser.expr()?;
            if parser.kind() != Kind::CloseBracket {
                return Err(parser.unclosed_or(open, "`]` belongs here"));
            }
            parser.bump();
            Ok(index)
        })?;
        Ok(Step { kind: StepKind::Index(index), span: self.between(open, self.at - 1) })
    }
}

struct List {
    items: Box<[Expr]>,
    expand_last: bool,
}

struct Step {
    kind: StepKind,
    span: Span,
}

enum StepKind {
    Attr(Ident),
    Index(Expr),
    LegacyIndex(u64, Span),
    Splat { full: bool },
}

/// The operator that a token is, and how tightly it binds.
fn operator(kind: Kind) -> Option<(BinaryOp, u8)> {
    Some(match kind {
        Kind::Or => (BinaryOp::Or, 1),
        Kind::And => (BinaryOp::And, 2),
        Kind::Equal => (BinaryOp::Equal, 3),
        Kind::NotEqual => (BinaryOp::NotEqual, 3),
        Kind::Less => (BinaryOp::Less, 4),
        Kind::LessOrEqual => (BinaryOp::LessOrEqual, 4),
        Kind::Greater => (BinaryOp::Greater, 4),
        Kind::GreaterOrEqual => (BinaryOp::GreaterOrEqual, 4),
        Kind::Plus => (BinaryOp::Add, 5),
        Kind::Minus => (BinaryOp::Subtract, 5),
        Kind::Star => (BinaryOp::Multiply, 6),
        Kind::Slash => (BinaryOp::Divide, 6),
        Kind::Percent => (BinaryOp::Remainder, 6),
        _ => return None,
    })
}

/// `12`, `1.5`, `1.5e+10`.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent =
        exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)));
    digits(whole) && digits(fraction) && exponent
}
