//! Changes of a text by place, and the walk over all expressions of a body.

use std::sync::Arc;

use syntax::{Body, Expr, ExprKind, ObjectKey, Span, SplatStep, TemplatePart};

/// Changes of one text. Places must not overlap.
pub(crate) struct Edits<'a> {
    text: &'a str,
    changes: Vec<(usize, usize, String)>,
}

impl<'a> Edits<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, changes: Vec::new() }
    }

    /// A byte order mark is no part of what spans count.
    fn shift(&self) -> usize {
        if self.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
    }

    pub(crate) fn replace(&mut self, span: Span, with: String) {
        let shift = self.shift();
        self.changes.push((span.start as usize + shift, span.end as usize + shift, with));
    }

    /// Removes a block with the empty line that sets it off from the next.
    pub(crate) fn remove_block(&mut self, span: Span) {
        self.remove_lines(span);
        if let Some((_, end, _)) = self.changes.last_mut() {
            let rest = &self.text[*end..];
            *end += rest.len() - rest.trim_start_matches(['\n', '\r']).len();
        }
    }

    pub(crate) fn remove_lines(&mut self, span: Span) {
        self.replace_lines(span, String::new());
    }

    /// Replaces what stands there with the blanks before it and, if nothing else is left on its last line, the line's end.
    pub(crate) fn replace_lines(&mut self, span: Span, with: String) {
        let shift = self.shift();
        let (mut start, mut end) = (span.start as usize + shift, span.end as usize + shift);
        let before = &self.text[..start];
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        let alone_before = before[line..].trim().is_empty();
        let rest = &self.text[end..];
        let line_end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let tail = rest[..line_end].trim();
        if alone_before && (tail.is_empty() || tail.starts_with('#') || tail.starts_with("//")) {
            start = line;
            end += line_end;
        }
        self.changes.push((start, end, with));
    }

    pub(crate) fn done(mut self) -> String {
        self.changes.sort();
        // The same reference may be met twice, where a tree holds an expression twice.
        self.changes.dedup();
        let mut out = String::with_capacity(self.text.len());
        let mut at = 0;
        for (start, end, with) in self.changes {
            if start < at {
                continue;
            }
            out.push_str(&self.text[at..start]);
            out.push_str(&with);
            at = end;
        }
        out.push_str(&self.text[at..]);
        out
    }
}

/// Visits every expression of a body, with the names that `for` has hidden there. Blocks whose arguments are addresses
/// of recorded objects are left out.
pub(crate) fn expressions(body: &Body, visit: &mut dyn FnMut(&Expr, &[Arc<str>])) {
    for attribute in &body.attributes {
        walk(&attribute.expr, &mut Vec::new(), visit);
    }
    for block in &body.blocks {
        if !["moved", "removed", "import"].contains(&block.kind.as_str()) {
            expressions(&block.body, visit);
        }
    }
}

type Visit<'a> = &'a mut dyn FnMut(&Expr, &[Arc<str>]);

fn walk(expr: &Expr, hidden: &mut Vec<Arc<str>>, visit: Visit<'_>) {
    syntax::deep(|| walk_one(expr, hidden, visit));
}

fn walk_one(expr: &Expr, hidden: &mut Vec<Arc<str>>, visit: Visit<'_>) {
    visit(expr, hidden);
    match &expr.kind {
        ExprKind::Null
        | ExprKind::Bool(_)
        | ExprKind::Number(_)
        | ExprKind::String(_)
        | ExprKind::Variable(_) => {}
        ExprKind::Template(parts) => template(parts, hidden, visit),
        ExprKind::Tuple(items) => items.iter().for_each(|item| walk(item, hidden, visit)),
        ExprKind::Object(items) => {
            for item in items {
                if let ObjectKey::Expr(key) = &item.key {
                    walk(key, hidden, visit);
                }
                walk(&item.value, hidden, visit);
            }
        }
        ExprKind::GetAttr(inner, _)
        | ExprKind::LegacyIndex(inner, ..)
        | ExprKind::Unary(_, inner)
        | ExprKind::Parens(inner) => walk(inner, hidden, visit),
        ExprKind::Index(one, other) | ExprKind::Binary(one, _, other) => {
            walk(one, hidden, visit);
            walk(other, hidden, visit);
        }
        ExprKind::Splat { source, each, .. } => {
            walk(source, hidden, visit);
            steps(each, hidden, visit);
        }
        ExprKind::Call { args, .. } => args.iter().for_each(|item| walk(item, hidden, visit)),
        ExprKind::Conditional(one, two, three) => {
            for part in [one, two, three] {
                walk(part, hidden, visit);
            }
        }
        ExprKind::ForTuple(parts) => {
            walk(&parts.collection, hidden, visit);
            let names = [parts.key.as_ref(), Some(&parts.value)];
            within(names, hidden, &mut |hidden| {
                walk(&parts.body, hidden, visit);
                if let Some(one) = &parts.condition {
                    walk(one, hidden, visit);
                }
            });
        }
        ExprKind::ForObject(parts) => {
            walk(&parts.collection, hidden, visit);
            let names = [parts.key.as_ref(), Some(&parts.value)];
            within(names, hidden, &mut |hidden| {
                walk(&parts.key_expr, hidden, visit);
                walk(&parts.value_expr, hidden, visit);
                if let Some(one) = &parts.condition {
                    walk(one, hidden, visit);
                }
            });
        }
    }
}

fn within(
    names: [Option<&syntax::Ident>; 2],
    hidden: &mut Vec<Arc<str>>,
    work: &mut dyn FnMut(&mut Vec<Arc<str>>),
) {
    let before = hidden.len();
    hidden.extend(names.into_iter().flatten().map(|name| Arc::clone(&name.text)));
    work(hidden);
    hidden.truncate(before);
}

fn steps(each: &[SplatStep], hidden: &mut Vec<Arc<str>>, visit: Visit<'_>) {
    for step in each {
        match step {
            SplatStep::Index(index) => walk(index, hidden, visit),
            SplatStep::Splat { each, .. } => steps(each, hidden, visit),
            SplatStep::Attr(_) | SplatStep::LegacyIndex(..) => {}
        }
    }
}

fn template(parts: &[TemplatePart], hidden: &mut Vec<Arc<str>>, visit: Visit<'_>) {
    for part in parts {
        match part {
            TemplatePart::Literal(_) => {}
            TemplatePart::Interpolation(expr) => walk(expr, hidden, visit),
            TemplatePart::If { condition, then, otherwise } => {
                walk(condition, hidden, visit);
                template(then, hidden, visit);
                template(otherwise, hidden, visit);
            }
            TemplatePart::For { key, value, collection, body } => {
                walk(collection, hidden, visit);
                within([key.as_ref(), Some(value)], hidden, &mut |hidden| {
                    template(body, hidden, visit);
                });
            }
        }
    }
}
