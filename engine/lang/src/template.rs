//! Templates: text with interpolations and directives.

use syntax::{Diagnostics, Span};
use value::{Marks, Refinement, Type, Value};

use crate::comprehension::{bool_condition, walkable};
use crate::error::EvalError;
use crate::evaluate::{Evaluation, Outcome, in_words};
use crate::node::{Node, Part};

/// More bytes of a prefix are not kept.
const PREFIX_LIMIT: usize = 128;

/// The text so far. Once a part is not known, what follows no longer matters.
#[derive(Default)]
struct Text {
    so_far: String,
    unknown: bool,
    marks: Marks,
}

impl Text {
    fn push(&mut self, text: &str) {
        if !self.unknown {
            self.so_far.push_str(text);
        }
    }
}

impl<'e> Evaluation<'e> {
    pub(crate) fn template(&mut self, parts: &'e [Part]) -> Outcome {
        let mut text = Text::default();
        self.parts(parts, &mut text)?;
        let value = if text.unknown {
            let prefix = value::known_prefix(&text.so_far, PREFIX_LIMIT);
            let prefix = (!prefix.is_empty()).then(|| prefix.into());
            Value::unknown_refined(
                Type::String,
                Refinement { not_null: true, prefix, ..Refinement::default() },
            )
        } else {
            Value::string(text.so_far)
        };
        Ok(value.mark(text.marks))
    }

    fn parts(&mut self, parts: &'e [Part], text: &mut Text) -> Result<(), Diagnostics> {
        let mut faults = Diagnostics::new();
        for part in parts {
            if let Err(found) = self.part(part, text) {
                faults.extend(found);
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    fn part(&mut self, part: &'e Part, text: &mut Text) -> Result<(), Diagnostics> {
        match part {
            Part::Literal(literal) => {
                text.push(literal);
                Ok(())
            }
            Part::Interpolation(node) => {
                let value = self.node(node)?;
                interpolate(&value, node.span, text).map_err(Into::into)
            }
            Part::If { condition, then, otherwise } => {
                let value = self.node(condition)?;
                text.marks = text.marks.union(value.marks());
                match bool_condition(&value, condition.span)? {
                    Some(true) => self.parts(then, text),
                    Some(false) => self.parts(otherwise, text),
                    None => {
                        text.unknown = true;
                        Ok(())
                    }
                }
            }
            Part::For { slot, has_key, collection, body } => {
                self.repeat((*slot, *has_key), collection, body, text)
            }
        }
    }

    /// The marks that a part without faults gives its template.
    pub(crate) fn marks_of_part(&mut self, part: &'e Part) -> Option<Marks> {
        let mut text = Text::default();
        self.part(part, &mut text).is_ok().then_some(text.marks)
    }

    fn repeat(
        &mut self,
        (slot, has_key): (usize, bool),
        collection: &'e Node,
        body: &'e [Part],
        text: &mut Text,
    ) -> Result<(), Diagnostics> {
        let value = self.node(collection)?;
        text.marks = text.marks.union(value.marks());
        if !walkable(&value, collection.span)? {
            text.unknown = true;
            return Ok(());
        }
        let mut repeated = Text::default();
        for (key, element) in value.elements() {
            self.bind_element(slot, has_key, key, element);
            self.parts(body, &mut repeated)?;
        }
        self.unbind(slot);
        text.marks = text.marks.union(repeated.marks);
        // Nothing of a repetition counts before all of it is known.
        text.unknown |= repeated.unknown;
        text.push(&repeated.so_far);
        Ok(())
    }
}

fn interpolate(value: &Value, span: Span, text: &mut Text) -> Result<(), EvalError> {
    text.marks = text.marks.union(value.marks());
    let fault = || EvalError::TemplatePart { found: in_words(value), span };
    if value.is_null() {
        return Err(fault());
    }
    if value.is_unknown() {
        // Its type is not looked at before it is known.
        text.unknown = true;
        return Ok(());
    }
    let converted = value::convert(value, &Type::String).map_err(|_| fault())?;
    text.push(converted.as_str().unwrap_or_default());
    Ok(())
}
