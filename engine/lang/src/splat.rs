//! `a[*].b`: steps applied to each element.

use syntax::{Diagnostics, Span};
use value::{Refinement, Type, Value};

use crate::error::EvalError;
use crate::evaluate::{Evaluation, Outcome};
use crate::node::NodeStep;

impl<'e> Evaluation<'e> {
    /// A list, set or tuple gives one result for each element, null gives none, and anything else is taken
    /// as the only element.
    pub(crate) fn splat(&mut self, source: Value, each: &'e [NodeStep], span: Span) -> Outcome {
        let marks = source.marks();
        let result = if source.is_null() {
            if matches!(source.ty(), Type::List(_) | Type::Set(_) | Type::Tuple(_)) {
                return Err(EvalError::NullValue { what: "the elements".to_owned(), span }.into());
            }
            Value::tuple(Vec::new())
        } else if source.is_unknown() {
            // The type of a known value is not asked for: a whole block's is as large as the block.
            self.unknown_splat(&source, source.ty(), each)?
        } else if let Some(items) = source.items() {
            self.each(&source, items, each)?
        } else {
            let only = self.steps(source, each)?;
            Value::tuple(vec![only])
        };
        Ok(result.mark(marks))
    }

    fn each(&mut self, source: &Value, items: &[Value], each: &'e [NodeStep]) -> Outcome {
        let mut results = Vec::with_capacity(items.len());
        for item in items {
            results.push(self.steps(item.clone(), each)?);
        }
        if source.is_tuple() {
            return Ok(Value::tuple(results));
        }
        let element = match results.first() {
            Some(first) => first.ty(),
            None => self.element_type(&source.ty(), each)?,
        };
        let alike = results.iter().all(|result| result.conforms(&element));
        Ok(if alike { Value::list(element, results) } else { Value::tuple(results) })
    }

    fn element_type(&mut self, source: &Type, each: &'e [NodeStep]) -> Result<Type, Diagnostics> {
        let element = source.element().cloned().unwrap_or(Type::Dynamic);
        self.steps(Value::unknown(element), each).map(|value| value.ty())
    }

    fn unknown_splat(&mut self, source: &Value, ty: Type, each: &'e [NodeStep]) -> Outcome {
        match ty {
            Type::Dynamic => Ok(Value::dynamic_unknown()),
            ty @ (Type::List(_) | Type::Set(_)) => {
                let known = source.refinement().cloned().unwrap_or_default();
                let refinement = Refinement {
                    not_null: true,
                    min_length: known.min_length,
                    max_length: known.max_length,
                    ..Refinement::default()
                };
                let ty = Type::list(self.element_type(&ty, each)?);
                Ok(Value::unknown_refined(ty, refinement))
            }
            Type::Tuple(elements) => {
                let results: Result<Vec<Type>, _> = elements
                    .iter()
                    .map(|ty| self.steps(Value::unknown(ty.clone()), each).map(|value| value.ty()))
                    .collect();
                Ok(Value::unknown(Type::tuple(results?)).refined_not_null())
            }
            _ => {
                let only = self.steps(source.clone(), each)?;
                // Null would give no element, so even the number of elements is not known.
                let certain = source.is_never_null();
                Ok(if certain { Value::tuple(vec![only]) } else { Value::dynamic_unknown() })
            }
        }
    }
}
