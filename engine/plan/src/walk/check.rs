//! `check` blocks: what does not hold is a warning.

use syntax::Diagnostics;

use super::Walk;
use crate::error::PlanError;
use crate::evaluation::Repetition;
use crate::model::Mode;

impl Walk<'_> {
    /// Checks of all modules; a check that does not hold is a warning.
    pub(super) fn evaluate_checks(&mut self) {
        if self.options.mode != Mode::Normal {
            return;
        }
        let mut found = Diagnostics::new();
        for (id, state) in self.evaluation.modules() {
            for check in &state.module.checks {
                for assertion in &check.assertions {
                    match self.evaluation.condition(id, &Repetition::single(), None, assertion) {
                        Ok(None) => {}
                        Ok(Some(message)) => found.push(PlanError::CheckFailed {
                            name: check.name.text.to_string(),
                            message,
                            span: assertion.condition.span(),
                        }),
                        Err(errors) => found.extend(errors),
                    }
                }
            }
        }
        self.report("zzz checks", found);
    }
}
