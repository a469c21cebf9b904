//! `check` blocks: what does not hold is a warning.

use super::Walk;
use crate::model::Mode;

impl Walk<'_> {
    /// Checks of all modules, as far as their values are known.
    pub(super) fn evaluate_checks(&mut self) {
        if self.options.mode == Mode::Normal {
            let found = self.evaluation.checks();
            self.report("zzz checks", found);
        }
    }
}
