//! Templates.

use syntax::{Diagnostics, Span};
use value::{Marks, Refinement, Type, Value, convert};

use crate::comprehension::check_collection;
use crate::error::EvalError;
use crate::evaluate::{Evaluation, Outcome};
use crate::node::Part;

impl Evaluation<'_> {
    pub(crate) fn template(&mut self, parts: &[Part], span: Span) -> Outcome {
        // A template that is one interpolation is that value, whatever its type.
        if let [Part::Interpolation(node)] = parts {
            return self.node(node);
        }
        let mut text = Text { known: String::new(), marks: Marks::NONE, unknown: false };
        self.write(parts, &mut text)?;
        let _ = span;
        let value = if text.unknown {
            let prefix =
                Some(text.known.as_str()).filter(|prefix| !prefix.is_empty()).map(Into::into);
            Value::unknown_refined(Type::String, Refinement { prefix, ..Refinement::not_null() })
        } else {
            Value::string(text.known)
        };
        Ok(value.mark(text.marks))
    }

    fn write(&mut self, parts: &[Part], text: &mut Text) -> Result<(), Diagnostics> {
        for part in parts {
            match part {
                Part::Literal(literal) => text.push(literal),
                Part::Interpolation(node) => {
                    let value = self.node(node)?;
                    text.marks = text.marks.union(value.deep_marks());
                    if value.is_null() {
                        let what = "a value in a template".to_owned();
                        return Err(EvalError::NullValue { what, span: node.span }.into());
                    }
                    let found = value.ty();
                    let shown = convert(&value, &Type::String).map_err(|_| {
                        EvalError::TemplateValue { found: found.friendly_name(), span: node.span }
                    })?;
                    match shown.as_str() {
                        Some(shown) => text.push(shown),
                        None => text.cut(),
                    }
                }
                Part::If { condition, then, otherwise } => {
                    let decided = self.node(condition)?;
                    text.marks = text.marks.union(decided.marks());
                    let decided =
                        convert(&decided, &Type::Bool).map_err(|error| EvalError::OperandType {
                            what: "the condition".to_owned(),
                            message: error.to_string(),
                            span: condition.span,
                        })?;
                    if decided.is_null() {
                        let what = "the condition".to_owned();
                        return Err(EvalError::NullValue { what, span: condition.span }.into());
                    }
                    match decided.as_bool() {
                        Some(true) => self.write(then, text)?,
                        Some(false) => self.write(otherwise, text)?,
                        None => text.cut(),
                    }
                }
                Part::For { has_key, collection, body } => {
                    let value = self.node(collection)?;
                    check_collection(&value, collection.span)?;
                    text.marks = text.marks.union(value.marks());
                    if value.is_unknown() {
                        text.cut();
                        continue;
                    }
                    for (key, element) in value.elements() {
                        let bound = self.bind(*has_key, key, element);
                        let written = self.write(body, text);
                        self.locals.truncate(bound);
                        written?;
                    }
                }
            }
        }
        Ok(())
    }
}

struct Text {
    /// What is known for certain from the beginning.
    known: String,
    marks: Marks,
    unknown: bool,
}

impl Text {
    fn push(&mut self, text: &str) {
        if !self.unknown {
            self.known.push_str(text);
        }
    }

    fn cut(&mut self) {
        self.unknown = true;
    }
}
