//! From the tree to nodes: names are resolved, constants computed, references collected.

use std::sync::Arc;

use syntax::{
    BinaryOp, Diagnostics, Expr, ExprKind, ForObject, ForTuple, Ident, Nested, ObjectItem,
    ObjectKey, Span, SplatStep, TemplatePart, UnaryOp, deep, suggest,
};
use value::{Number, Value};

use crate::error::EvalError;
use crate::expression::{Compiled, Expression};
use crate::function::{self, FunctionInfo};
use crate::node::{Call, Callee, For, Node, NodeKind, NodeStep, Part};
use crate::traversal::{Traversal, TraversalStep};

/// Compiles an expression. Faults do not stop it: parts that have some are reported, and evaluating them is
/// an error.
pub fn compile(expr: &Expr) -> (Expression, Diagnostics) {
    compile_with(expr, Place::Configuration)
}

/// Compiles a template that came from elsewhere, where functions that render templates are barred.
pub(crate) fn compile_template(expr: &Expr) -> (Expression, Diagnostics) {
    compile_with(expr, Place::Template)
}

/// Compiles a default within a type, where no function may be called.
pub(crate) fn compile_default(expr: &Expr) -> (Expression, Diagnostics) {
    compile_with(expr, Place::Default)
}

fn compile_with(expr: &Expr, place: Place) -> (Expression, Diagnostics) {
    let mut compiler = Compiler {
        locals: Vec::new(),
        references: Vec::new(),
        impure: false,
        divides: false,
        diagnostics: Diagnostics::new(),
        place,
    };
    let node = compiler.node(expr);
    let Compiler { mut references, impure, divides, diagnostics, .. } = compiler;
    // Kept as long as the configuration is, and most have one reference.
    references.shrink_to_fit();
    (Expression(Arc::new(Compiled { node, references, impure, divides })), diagnostics)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Configuration,
    Template,
    Default,
}

struct Compiler {
    /// Names bound by the enclosing `for`s, outermost first.
    locals: Vec<Arc<str>>,
    references: Vec<Traversal>,
    impure: bool,
    divides: bool,
    diagnostics: Diagnostics,
    place: Place,
}

impl Compiler {
    fn node(&mut self, expr: &Expr) -> Node {
        deep(|| self.shallow_node(expr))
    }

    fn shallow_node(&mut self, expr: &Expr) -> Node {
        let kind = match &expr.kind {
            ExprKind::Null => NodeKind::Constant(Value::dynamic_null()),
            ExprKind::Bool(value) => NodeKind::Constant(Value::bool(*value)),
            ExprKind::Number(text) => self.number(text, expr.span),
            ExprKind::String(text) => NodeKind::Constant(Value::string(Arc::clone(text))),
            ExprKind::Template(parts) => self.template(parts),
            ExprKind::Tuple(items) => self.tuple(items),
            ExprKind::Object(items) => self.object(items),
            ExprKind::Variable(_)
            | ExprKind::GetAttr(..)
            | ExprKind::Index(..)
            | ExprKind::LegacyIndex(..) => self.access(expr),
            ExprKind::Splat { source, full, each } => self.splat(source, *full, each),
            ExprKind::Call { name, args, expand_last, span_args } => {
                self.call(name, args, *expand_last, *span_args)
            }
            ExprKind::Unary(operator, operand) => self.unary(*operator, operand),
            ExprKind::Binary(left, operator, right) => {
                self.divides |= *operator == BinaryOp::Divide;
                NodeKind::Binary(
                    Nested::new(self.node(left)),
                    *operator,
                    Nested::new(self.node(right)),
                )
            }
            ExprKind::Conditional(condition, then, otherwise) => {
                NodeKind::Conditional(Nested::new([
                    self.node(condition),
                    self.node(then),
                    self.node(otherwise),
                ]))
            }
            ExprKind::ForTuple(parts) => {
                let ForTuple { key, value, collection, body, condition } = &**parts;
                let head = Head { key: key.as_ref(), value, collection };
                self.comprehension(&head, None, body, condition.as_ref(), false)
            }
            ExprKind::ForObject(parts) => {
                let ForObject { key, value, collection, key_expr, value_expr, .. } = &**parts;
                let head = Head { key: key.as_ref(), value, collection };
                let condition = parts.condition.as_ref();
                self.comprehension(&head, Some(key_expr), value_expr, condition, parts.grouping)
            }
            ExprKind::Parens(inner) => return self.node(inner),
        };
        Node { kind, span: expr.span }
    }

    fn number(&mut self, text: &str, span: Span) -> NodeKind {
        match Number::parse(text) {
            Some(number) => NodeKind::Constant(Value::number(number)),
            None => self.broken(EvalError::NumberRange { span }),
        }
    }

    fn broken(&mut self, error: EvalError) -> NodeKind {
        self.diagnostics.push(error);
        NodeKind::Broken
    }

    fn unary(&mut self, operator: UnaryOp, operand: &Expr) -> NodeKind {
        let operand = self.node(operand);
        if let (UnaryOp::Negate, NodeKind::Constant(value)) = (operator, &operand.kind)
            && let Some(number) = value.as_number()
        {
            return NodeKind::Constant(Value::number(number.neg()));
        }
        NodeKind::Unary(operator, Nested::new(operand))
    }

    fn tuple(&mut self, items: &[Expr]) -> NodeKind {
        let nodes: Vec<Node> = items.iter().map(|item| self.node(item)).collect();
        match constants(&nodes) {
            Some(values) => NodeKind::Constant(Value::tuple(values)),
            None => NodeKind::Tuple(nodes),
        }
    }

    fn object(&mut self, items: &[ObjectItem]) -> NodeKind {
        let mut nodes = Vec::with_capacity(items.len());
        let mut constant = true;
        for item in items {
            let key = match &item.key {
                ObjectKey::Name(name) => {
                    let kind = NodeKind::Constant(Value::string(Arc::clone(&name.text)));
                    Node { kind, span: name.span }
                }
                ObjectKey::Expr(expr) => self.node(expr),
            };
            let value = self.node(&item.value);
            constant &= matches!(&key.kind, NodeKind::Constant(key) if key.as_str().is_some())
                && matches!(value.kind, NodeKind::Constant(_));
            nodes.push((key, value));
        }
        if !constant {
            return NodeKind::Object(nodes);
        }
        let entries = nodes.into_iter().filter_map(|(key, value)| match (key.kind, value.kind) {
            (NodeKind::Constant(key), NodeKind::Constant(value)) => {
                Some((Arc::clone(key.as_arc_str()?), value))
            }
            _ => None,
        });
        NodeKind::Constant(Value::object(entries))
    }

    // References.

    /// A chain of attributes and indices: a reference, or steps applied to some other value.
    fn access(&mut self, expr: &Expr) -> NodeKind {
        let (root, links) = chain(expr);
        let source = if let ExprKind::Variable(name) = &root.kind {
            let Some(slot) = self.local(name) else {
                return NodeKind::Reference(self.reference(name, &links, expr.span, None));
            };
            Node { kind: NodeKind::Local(slot), span: name.span }
        } else {
            self.node(root)
        };
        self.steps(source, &links)
    }

    fn local(&self, name: &Ident) -> Option<usize> {
        self.locals.iter().rposition(|local| *local == name.text)
    }

    fn steps(&mut self, source: Node, links: &[&Expr]) -> NodeKind {
        if links.is_empty() {
            return source.kind;
        }
        let steps = links.iter().map(|link| self.link(link)).collect();
        NodeKind::Access(Box::new(source), steps)
    }

    fn link(&mut self, link: &Expr) -> NodeStep {
        match &link.kind {
            ExprKind::GetAttr(_, name) => NodeStep::Attribute(name.clone()),
            ExprKind::Index(_, index) => NodeStep::Index(self.nested(index), index.span),
            ExprKind::LegacyIndex(_, index, span) => {
                NodeStep::Index(Expression::literal(Value::number(*index), *span), *span)
            }
            _ => NodeStep::Index(Expression::literal(Value::dynamic_null(), link.span), link.span),
        }
    }

    fn reference(
        &mut self,
        root: &Ident,
        links: &[&Expr],
        span: Span,
        splat: Option<Span>,
    ) -> usize {
        let mut steps: Vec<TraversalStep> = links
            .iter()
            .map(|link| match self.link(link) {
                NodeStep::Attribute(name) => TraversalStep::Attribute(name),
                NodeStep::Index(index, span) => match index.as_constant() {
                    Some(value) => TraversalStep::Index(value.clone(), span),
                    None => TraversalStep::Dynamic(index, span),
                },
                NodeStep::Splat(_, span) => TraversalStep::Splat(span),
            })
            .collect();
        steps.extend(splat.map(TraversalStep::Splat));
        self.references.push(Traversal { root: root.clone(), steps, span });
        self.references.len() - 1
    }

    /// An expression of its own within this one: an index, whose value a scope may want to know.
    fn nested(&mut self, expr: &Expr) -> Expression {
        let outer = std::mem::take(&mut self.references);
        let outer_impure = std::mem::take(&mut self.impure);
        let node = self.node(expr);
        let references = std::mem::replace(&mut self.references, outer);
        let impure = self.impure;
        self.impure |= outer_impure;
        self.references.extend(references.iter().cloned());
        Expression(Arc::new(Compiled { node, references, impure, divides: false }))
    }

    fn splat(&mut self, source: &Expr, full: bool, each: &[SplatStep]) -> NodeKind {
        let each = each.iter().map(|step| self.splat_step(step)).collect();
        let (root, links) = chain(source);
        let kind = match &root.kind {
            ExprKind::Variable(name) if self.local(name).is_none() => {
                let end = Span { start: source.span.end, end: source.span.end };
                NodeKind::Reference(self.reference(name, &links, source.span, Some(end)))
            }
            _ => self.node(source).kind,
        };
        let _ = full;
        NodeKind::Splat { source: Box::new(Node { kind, span: source.span }), each }
    }

    fn splat_step(&mut self, step: &SplatStep) -> NodeStep {
        match step {
            SplatStep::Attr(name) => NodeStep::Attribute(name.clone()),
            SplatStep::Index(index) => NodeStep::Index(self.nested(index), index.span),
            SplatStep::LegacyIndex(index, span) => {
                NodeStep::Index(Expression::literal(Value::number(*index), *span), *span)
            }
            SplatStep::Splat { each, .. } => {
                let each = each.iter().map(|step| self.splat_step(step)).collect();
                NodeStep::Splat(each, Span::default())
            }
        }
    }

    // Comprehensions and templates.

    fn comprehension(
        &mut self,
        head: &Head<'_>,
        key_expr: Option<&Expr>,
        body: &Expr,
        condition: Option<&Expr>,
        grouping: bool,
    ) -> NodeKind {
        let collection = self.node(head.collection);
        let slot = self.bind(head);
        let key = key_expr.map(|key| self.node(key));
        let body = self.node(body);
        let condition = condition.map(|condition| self.node(condition));
        self.locals.truncate(slot);
        let has_key = head.key.is_some();
        NodeKind::For(Box::new(For { slot, has_key, collection, key, body, condition, grouping }))
    }

    fn bind(&mut self, head: &Head<'_>) -> usize {
        let slot = self.locals.len();
        self.locals.extend(head.key.map(|key| Arc::clone(&key.text)));
        self.locals.push(Arc::clone(&head.value.text));
        slot
    }

    fn template(&mut self, parts: &[TemplatePart]) -> NodeKind {
        match parts {
            [] => NodeKind::Constant(Value::from("")),
            [TemplatePart::Literal(text)] => NodeKind::Constant(Value::string(Arc::clone(text))),
            // A template that is one interpolation has that value, whatever its type.
            [TemplatePart::Interpolation(inner)] => self.node(inner).kind,
            parts => NodeKind::Template(self.parts(parts)),
        }
    }

    fn parts(&mut self, parts: &[TemplatePart]) -> Vec<Part> {
        parts.iter().map(|part| self.part(part)).collect()
    }

    fn part(&mut self, part: &TemplatePart) -> Part {
        match part {
            TemplatePart::Literal(text) => Part::Literal(Arc::clone(text)),
            TemplatePart::Interpolation(inner) => Part::Interpolation(self.node(inner)),
            TemplatePart::If { condition, then, otherwise } => Part::If {
                condition: self.node(condition),
                then: self.parts(then),
                otherwise: self.parts(otherwise),
            },
            TemplatePart::For { key, value, collection, body } => {
                let head = Head { key: key.as_ref(), value, collection };
                let collection = self.node(head.collection);
                let slot = self.bind(&head);
                let body = self.parts(body);
                self.locals.truncate(slot);
                Part::For { slot, has_key: key.is_some(), collection, body }
            }
        }
    }

    // Calls.

    fn call(&mut self, name: &Ident, args: &[Expr], expand_last: bool, span: Span) -> NodeKind {
        if self.place == Place::Default {
            return self.broken(EvalError::TypeExpression {
                message: "a default cannot call a function".to_owned(),
                span: name.span,
                help: Some("write the value itself".to_owned()),
            });
        }
        let nodes: Vec<Node> = args.iter().map(|arg| self.node(arg)).collect();
        let Some(function) = self.callee(name) else { return NodeKind::Broken };
        if let Some(fault) = template_fault(name, args, expand_last) {
            return self.broken(fault);
        }
        if let Callee::Builtin(info) = function {
            self.impure |= info.impure;
            if let Some(error) = count_fault(info, nodes.len(), expand_last, span) {
                return self.broken(error);
            }
        }
        let call = Call { function, args: nodes, expand_last, name: name.clone() };
        match (&call.function, call.args.len()) {
            (Callee::Try, 0) => self.broken(try_count("try", "at least 1 argument", 0, span)),
            (Callee::Can, found) if found != 1 => {
                self.broken(try_count("can", "1 argument", found, span))
            }
            _ => NodeKind::Call(Box::new(call)),
        }
    }

    fn callee(&mut self, name: &Ident) -> Option<Callee> {
        let text = name.as_str();
        if text.starts_with("provider::") {
            return Some(Callee::Provider(Arc::clone(&name.text)));
        }
        let plain = text.strip_prefix("core::").unwrap_or(text);
        match plain {
            "try" => return Some(Callee::Try),
            "can" => return Some(Callee::Can),
            "templatefile" | "templatestring" if self.place == Place::Template => {
                self.diagnostics.push(EvalError::Call {
                    function: text.to_owned(),
                    message: "a template cannot render another one".to_owned(),
                    span: name.span,
                    help: Some("render it outside and hand the text over".to_owned()),
                });
                return None;
            }
            _ => {}
        }
        let found = function::find(plain);
        if found.is_none() {
            let names = function::functions().map(|info| info.name).chain(["try", "can"]);
            self.diagnostics.push(EvalError::UnknownFunction {
                name: text.to_owned(),
                span: name.span,
                suggestion: function::gone(plain).map(str::to_owned).or_else(|| {
                    suggest(plain, names).map(|near| format!("did you mean `{near}`?"))
                }),
            });
        }
        found.map(Callee::Builtin)
    }
}

struct Head<'a> {
    key: Option<&'a Ident>,
    value: &'a Ident,
    collection: &'a Expr,
}

/// Takes a chain of accesses apart: what it starts with, and its links from first to last.
fn chain(expr: &Expr) -> (&Expr, Vec<&Expr>) {
    let mut links = Vec::new();
    let mut at = expr;
    while let ExprKind::GetAttr(inner, _)
    | ExprKind::Index(inner, _)
    | ExprKind::LegacyIndex(inner, ..) = &at.kind
    {
        links.push(at);
        at = inner;
    }
    links.reverse();
    (at, links)
}

fn constants(nodes: &[Node]) -> Option<Vec<Value>> {
    let values = nodes.iter().map(|node| match &node.kind {
        NodeKind::Constant(value) => Some(value.clone()),
        _ => None,
    });
    values.collect()
}

fn count_fault(
    info: &FunctionInfo,
    found: usize,
    expand_last: bool,
    span: Span,
) -> Option<EvalError> {
    let least = info.parameters.len();
    let too_few = found < least && !expand_last;
    let too_many = found > least + usize::from(expand_last) && info.variadic.is_none();
    (too_few || too_many).then(|| count_error(info, found, span))
}

/// The error of a call that has too few or too many arguments.
pub(crate) fn count_error(info: &FunctionInfo, found: usize, span: Span) -> EvalError {
    EvalError::ArgumentCount {
        function: info.name.to_owned(),
        expected: info.expected_arguments(),
        found: counted(found),
        usage: info.usage(),
        span,
    }
}

/// `templatestring` renders what a name stands for; a text that is written out needs no function.
fn template_fault(name: &Ident, args: &[Expr], expand_last: bool) -> Option<EvalError> {
    let plain = name.as_str().strip_prefix("core::").unwrap_or(name.as_str());
    let first = args.first().filter(|_| plain == "templatestring")?;
    let named = matches!(chain(first).0.kind, ExprKind::Variable(_));
    (!named || (expand_last && args.len() == 1)).then(|| EvalError::Argument {
        function: name.text.to_string(),
        argument: "template".to_owned(),
        message: "a reference to a named value is expected".to_owned(),
        span: first.span,
        help: Some(
            "put the template into a local value, or write it as a template where it stands"
                .to_owned(),
        ),
    })
}

fn try_count(function: &str, expected: &str, found: usize, span: Span) -> EvalError {
    EvalError::ArgumentCount {
        function: function.to_owned(),
        expected: expected.to_owned(),
        found: counted(found),
        usage: format!("{function}(expression)"),
        span,
    }
}

fn counted(found: usize) -> String {
    if found == 1 { "1 is".to_owned() } else { format!("{found} are") }
}
