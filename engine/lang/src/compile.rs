//! From the tree to nodes: names are resolved, functions are found, constants are computed.

use std::sync::Arc;

use syntax::{
    Diagnostics, Expr, ExprKind, Ident, ObjectItem, ObjectKey, Span, SplatStep, TemplatePart,
};
use value::{Number, Type, Value};

use crate::context::{Context, NoNames, Phase};
use crate::error::EvalError;
use crate::evaluate::Evaluation;
use crate::expression::{Compiled, Expression};
use crate::function::{self, FunctionInfo};
use crate::node::{Call, Callee, For, Node, NodeKind, NodeStep, Part};
use crate::testing::FixedWorld;
use crate::traversal::{Traversal, TraversalStep};

/// Compiles an expression. What is wrong with it is reported; the result then fails in the same places.
pub fn compile(expr: &Expr) -> (Expression, Diagnostics) {
    let mut compiler = Compiler {
        diagnostics: Diagnostics::new(),
        references: Vec::new(),
        locals: Vec::new(),
        impure: false,
    };
    let node = Arc::new(compiler.node(expr));
    let compiled = Compiled { node, references: compiler.references, impure: compiler.impure };
    (Expression(Arc::new(compiled)), compiler.diagnostics)
}

struct Compiler {
    diagnostics: Diagnostics,
    references: Vec<Traversal>,
    /// Names that `for` expressions around this place bind; their place is their place on the stack.
    locals: Vec<Arc<str>>,
    impure: bool,
}

impl Compiler {
    fn node(&mut self, expr: &Expr) -> Node {
        let span = expr.span;
        let kind = match &expr.kind {
            ExprKind::Null => NodeKind::Constant(Value::dynamic_null()),
            ExprKind::Bool(flag) => NodeKind::Constant(Value::bool(*flag)),
            ExprKind::Number(text) => self.number(text, span),
            ExprKind::String(text) => NodeKind::Constant(Value::string(Arc::clone(text))),
            ExprKind::Template(parts) => NodeKind::Template(self.parts(parts)),
            ExprKind::Tuple(items) => {
                NodeKind::Tuple(items.iter().map(|item| self.node(item)).collect())
            }
            ExprKind::Object(items) => {
                NodeKind::Object(items.iter().map(|item| self.item(item)).collect())
            }
            ExprKind::Variable(_)
            | ExprKind::GetAttr(..)
            | ExprKind::Index(..)
            | ExprKind::LegacyIndex(..) => {
                return self.access(expr);
            }
            ExprKind::Splat { source, each, .. } => self.splat(source, each, span),
            ExprKind::Call { name, args, expand_last, span_args } => {
                self.call(name, args, *expand_last, *span_args, span)
            }
            ExprKind::Unary(operator, operand) => {
                NodeKind::Unary(*operator, Box::new(self.node(operand)))
            }
            ExprKind::Binary(left, operator, right) => {
                NodeKind::Binary(Box::new([self.node(left), self.node(right)]), *operator)
            }
            ExprKind::Conditional(condition, yes, no) => NodeKind::Conditional(Box::new([
                self.node(condition),
                self.node(yes),
                self.node(no),
            ])),
            ExprKind::ForTuple { key, value, collection, body, condition } => self.comprehension(
                key.as_ref(),
                value,
                collection,
                None,
                body,
                condition.as_deref(),
                false,
            ),
            ExprKind::ForObject {
                key,
                value,
                collection,
                key_expr,
                value_expr,
                condition,
                grouping,
            } => self.comprehension(
                key.as_ref(),
                value,
                collection,
                Some(key_expr),
                value_expr,
                condition.as_deref(),
                *grouping,
            ),
            ExprKind::Parens(inner) => {
                let inner = self.node(inner);
                // Parentheses around a reference make it a value: steps behind them apply to that.
                return Node { kind: inner.kind, span };
            }
        };
        fold(Node { kind, span })
    }

    fn number(&mut self, text: &str, span: Span) -> NodeKind {
        match Number::parse(text) {
            Some(number) => NodeKind::Constant(Value::number(number)),
            None => {
                self.diagnostics.push(EvalError::InvalidNumber { text: text.to_owned(), span });
                NodeKind::Constant(Value::unknown(Type::Number))
            }
        }
    }

    fn item(&mut self, item: &ObjectItem) -> (Node, Node) {
        let key = match &item.key {
            ObjectKey::Name(name) => Node {
                kind: NodeKind::Constant(Value::string(Arc::clone(&name.text))),
                span: name.span,
            },
            ObjectKey::Expr(expr) => self.node(expr),
        };
        (key, self.node(&item.value))
    }

    /// Follows `a.b[c].d` down to its root, then builds the steps upwards.
    fn access(&mut self, expr: &Expr) -> Node {
        let mut links: Vec<&Expr> = Vec::new();
        let mut at = expr;
        let root = loop {
            match &at.kind {
                ExprKind::GetAttr(source, _)
                | ExprKind::Index(source, _)
                | ExprKind::LegacyIndex(source, ..) => {
                    links.push(at);
                    at = source;
                }
                _ => break at,
            }
        };
        links.reverse();
        let free_root = match &root.kind {
            ExprKind::Variable(name) if !self.locals.contains(&name.text) => Some(name.clone()),
            _ => None,
        };
        let source = match (&root.kind, &free_root) {
            (_, Some(_)) => None,
            (ExprKind::Variable(name), None) => {
                let slot = self.locals.iter().rposition(|local| *local == name.text).unwrap_or(0);
                Some(Node { kind: NodeKind::Local(slot), span: root.span })
            }
            _ => Some(self.node(root)),
        };
        let place = self.references.len();
        let mut steps = Vec::with_capacity(links.len());
        let mut traversal_steps = Vec::with_capacity(links.len());
        for link in links {
            let (step, traversal_step) = self.link(link, free_root.is_some());
            steps.push(step);
            traversal_steps.extend(traversal_step);
        }
        if let Some(root) = free_root {
            let traversal = Traversal { root, steps: traversal_steps, span: expr.span };
            self.references.insert(place, traversal.clone());
            return Node { kind: NodeKind::Reference(Arc::new(traversal), steps), span: expr.span };
        }
        let source = source.unwrap_or(Node {
            kind: NodeKind::Constant(Value::dynamic_unknown()),
            span: root.span,
        });
        if steps.is_empty() {
            return source;
        }
        // Steps behind a splat apply to its result; behind anything else to the value.
        fold(Node { kind: NodeKind::Access(Box::new(source), steps), span: expr.span })
    }

    fn link(&mut self, link: &Expr, free: bool) -> (NodeStep, Option<TraversalStep>) {
        match &link.kind {
            ExprKind::GetAttr(_, name) => (
                NodeStep::Attribute(name.clone()),
                free.then(|| TraversalStep::Attribute(name.clone())),
            ),
            ExprKind::LegacyIndex(_, index, span) => {
                let value = Value::from(*index);
                let node = Arc::new(Node { kind: NodeKind::Constant(value.clone()), span: *span });
                (NodeStep::Index(node, *span), free.then_some(TraversalStep::Index(value, *span)))
            }
            ExprKind::Index(_, index) => {
                let before = self.references.len();
                let was_impure = std::mem::replace(&mut self.impure, false);
                let node = Arc::new(self.node(index));
                let impure = self.impure;
                self.impure |= was_impure;
                let step = match &node.kind {
                    NodeKind::Constant(value) => TraversalStep::Index(value.clone(), index.span),
                    _ => {
                        let references = self.references[before..].to_vec();
                        let compiled = Compiled { node: Arc::clone(&node), references, impure };
                        TraversalStep::Dynamic(Expression(Arc::new(compiled)), index.span)
                    }
                };
                (NodeStep::Index(node, index.span), free.then_some(step))
            }
            _ => (NodeStep::Splat(Vec::new(), link.span), None),
        }
    }

    fn splat(&mut self, source: &Expr, each: &[SplatStep], span: Span) -> NodeKind {
        let place = self.references.len();
        let source = self.node(source);
        // The reference in front of a splat ends with it, so that whole blocks are known to be meant.
        if let (NodeKind::Reference(traversal, _), Some(reference)) =
            (&source.kind, self.references.get_mut(place))
        {
            let mut steps = traversal.steps.clone();
            steps.push(TraversalStep::Splat(span));
            reference.steps = steps;
        }
        let each = self.splat_steps(each, span);
        NodeKind::Splat { source: Box::new(source), each }
    }

    fn splat_steps(&mut self, steps: &[SplatStep], span: Span) -> Vec<NodeStep> {
        let mut found = Vec::with_capacity(steps.len());
        for step in steps {
            found.push(match step {
                SplatStep::Attr(name) => NodeStep::Attribute(name.clone()),
                SplatStep::Index(expr) => NodeStep::Index(Arc::new(self.node(expr)), expr.span),
                SplatStep::LegacyIndex(index, span) => {
                    let kind = NodeKind::Constant(Value::from(*index));
                    NodeStep::Index(Arc::new(Node { kind, span: *span }), *span)
                }
                SplatStep::Splat { each, .. } => {
                    NodeStep::Splat(self.splat_steps(each, span), span)
                }
            });
        }
        found
    }

    fn call(
        &mut self,
        name: &Ident,
        args: &[Expr],
        expand_last: bool,
        span_args: Span,
        span: Span,
    ) -> NodeKind {
        let callee = match name.as_str() {
            "try" => Callee::Try,
            "can" => Callee::Can,
            provider if provider.starts_with("provider::") => Callee::Provider,
            builtin => match function::find(builtin.strip_prefix("core::").unwrap_or(builtin)) {
                Some(info) => Callee::Builtin(info),
                None => {
                    self.unknown_function(name);
                    for arg in args {
                        self.node(arg);
                    }
                    return NodeKind::Constant(Value::dynamic_unknown());
                }
            },
        };
        let args: Vec<Node> = args.iter().map(|arg| self.node(arg)).collect();
        match &callee {
            Callee::Builtin(info) => {
                self.impure |= info.impure;
                self.count_arguments(info, args.len(), expand_last, span_args.join(span));
            }
            Callee::Can if args.len() != 1 => self.diagnostics.push(EvalError::ArgumentCount {
                name: "can".to_owned(),
                expected: "1 argument".to_owned(),
                found: args.len(),
                span,
                usage: "can(expression)".to_owned(),
            }),
            Callee::Try if args.is_empty() => self.diagnostics.push(EvalError::ArgumentCount {
                name: "try".to_owned(),
                expected: "at least 1 argument".to_owned(),
                found: 0,
                span,
                usage: "try(expressions...)".to_owned(),
            }),
            _ => {}
        }
        NodeKind::Call(Box::new(Call { callee, args, expand_last, name: name.clone() }))
    }

    fn unknown_function(&mut self, name: &Ident) {
        let names = function::functions().iter().map(|info| info.name).chain(["try", "can"]);
        self.diagnostics.push(EvalError::UnknownFunction {
            name: name.text.to_string(),
            span: name.span,
            suggestion: suggest(name, names),
        });
    }

    fn count_arguments(
        &mut self,
        info: &FunctionInfo,
        found: usize,
        expand_last: bool,
        span: Span,
    ) {
        let least = info.least();
        let most = info.most();
        let wrong = if expand_last {
            most.is_some_and(|most| found > most)
        } else {
            found < least || most.is_some_and(|most| found > most)
        };
        if wrong {
            self.diagnostics.push(EvalError::ArgumentCount {
                name: info.name.to_owned(),
                expected: match most {
                    None => {
                        format!("at least {least} argument{}", if least == 1 { "" } else { "s" })
                    }
                    Some(most) if most == least => {
                        format!("{least} argument{}", if least == 1 { "" } else { "s" })
                    }
                    Some(most) => format!("{least} to {most} arguments"),
                },
                found,
                span,
                usage: info.usage(),
            });
        }
    }

    #[expect(clippy::too_many_arguments, reason = "these are the parts of one expression")]
    fn comprehension(
        &mut self,
        key: Option<&Ident>,
        value: &Ident,
        collection: &Expr,
        key_expr: Option<&Expr>,
        body: &Expr,
        condition: Option<&Expr>,
        grouping: bool,
    ) -> NodeKind {
        let collection = self.node(collection);
        let bound = self.bind(key, value);
        let key_node = key_expr.map(|expr| self.node(expr));
        let body = self.node(body);
        let condition = condition.map(|expr| self.node(expr));
        self.locals.truncate(bound);
        NodeKind::For(Box::new(For {
            has_key: key.is_some(),
            collection,
            key: key_node,
            body,
            condition,
            grouping,
        }))
    }

    fn bind(&mut self, key: Option<&Ident>, value: &Ident) -> usize {
        let before = self.locals.len();
        self.locals.extend(key.map(|key| Arc::clone(&key.text)));
        self.locals.push(Arc::clone(&value.text));
        before
    }

    fn parts(&mut self, parts: &[TemplatePart]) -> Vec<Part> {
        let mut found = Vec::with_capacity(parts.len());
        for part in parts {
            found.push(match part {
                TemplatePart::Literal(text) => Part::Literal(Arc::clone(text)),
                TemplatePart::Interpolation(expr) => Part::Interpolation(self.node(expr)),
                TemplatePart::If { condition, then, otherwise } => Part::If {
                    condition: self.node(condition),
                    then: self.parts(then),
                    otherwise: self.parts(otherwise),
                },
                TemplatePart::For { key, value, collection, body } => {
                    let collection = self.node(collection);
                    let bound = self.bind(key.as_ref(), value);
                    let body = self.parts(body);
                    self.locals.truncate(bound);
                    Part::For { has_key: key.is_some(), collection, body }
                }
            });
        }
        found
    }
}

fn suggest_text(near: &str) -> String {
    format!("did you mean `{near}`?")
}

fn suggest<'a>(name: &Ident, names: impl Iterator<Item = &'a str>) -> Option<String> {
    syntax::suggest(name.as_str(), names).map(suggest_text)
}

/// Computes a node whose parts are constants. One that fails stays, and fails when it is evaluated.
fn fold(node: Node) -> Node {
    let constant = |node: &Node| matches!(node.kind, NodeKind::Constant(_));
    let foldable = match &node.kind {
        NodeKind::Tuple(items) => items.iter().all(constant),
        NodeKind::Object(items) => {
            items.iter().all(|(key, value)| constant(key) && constant(value))
        }
        NodeKind::Unary(_, operand) => constant(operand),
        NodeKind::Binary(operands, _) => operands.iter().all(constant),
        NodeKind::Template(parts) => parts.iter().all(|part| match part {
            Part::Literal(_) => true,
            Part::Interpolation(inner) => constant(inner),
            _ => false,
        }),
        _ => false,
    };
    if !foldable {
        return node;
    }
    let world = FixedWorld::default();
    let ctx = Context {
        scope: &NoNames,
        world: &world,
        phase: Phase::Plan,
        module_dir: std::path::Path::new("."),
        functions: None,
    };
    match Evaluation::new(&ctx).node(&node) {
        Ok(value) => Node { kind: NodeKind::Constant(value), span: node.span },
        Err(_) => node,
    }
}
