//! The object that the configuration asks for, as the provider plans it.

use address::{AttributePath, PathStep};
use config::IgnoreChanges;
use sdk::{Deferral, Private};
use syntax::Diagnostics;
use value::{Marks, Value};

use super::{Input, Known, Prior, mark_echoes};
use crate::action::{Action, ActionReason, ReplaceOrder, choose_action};
use crate::propose::propose;
use crate::validity::check_plan;

impl Input {
    pub(super) async fn plan_wanted(
        &self,
        prior: &Prior,
        config: &Value,
        warnings: &mut Diagnostics,
    ) -> Result<Wanted, Diagnostics> {
        let (original, config_marks) = config.clone().unmark_deep();
        let type_name = &self.address.resource.type_name;
        if !self.trusted {
            let problems = self.reader.validate_resource(type_name, &original).await;
            self.sift(problems.map_err(|error| self.failed("validate", &error))?, warnings)?;
        }
        let block = &self.schema.get().block;
        let null = Value::null(block.ty());
        // A tainted object counts as none, and what comes of it is a replacement in the end.
        let basis = if prior.tainted { null.clone() } else { prior.value.clone() };
        let config = match &self.block {
            Some(own) if !basis.is_null() && !self.leads_back => ignore_changes(
                &own.config.lifecycle.ignore_changes,
                block,
                original.clone(),
                &basis,
            ),
            _ => original.clone(),
        };
        let known = if prior.tainted { Known::private(Private::EMPTY) } else { Known::of(prior) };
        let mut first = self.planned(basis.clone(), &config, known, warnings).await?;
        let deferred = first.deferred;
        // A provider with looser rules may have planned a change that the configuration no longer asks for.
        if let (true, false, false, Some(own)) =
            (first.legacy_types, basis.is_null(), self.leads_back, &self.block)
        {
            let ignored = &own.config.lifecycle.ignore_changes;
            first.planned = match ignored {
                IgnoreChanges::All => basis.clone(),
                ignored => ignore_changes(ignored, block, first.planned, &basis),
            };
        }
        let mut requires_replace = self.replacing_paths(&first, &basis)?;
        let order = if self.create_before_destroy {
            ReplaceOrder::CreateThenDelete
        } else {
            ReplaceOrder::DeleteThenCreate
        };
        let exists = !prior.value.is_null();
        let forced =
            if prior.tainted && exists { Some(ActionReason::Tainted) } else { self.forced };
        let replace = exists && (forced.is_some() || !requires_replace.is_empty());
        let (after, private, identity) = if replace && !basis.is_null() {
            let known = Known::private(first.planned_private.clone());
            let again = self.planned(null, &original, known, warnings).await?;
            (again.planned, again.planned_private, again.planned_identity)
        } else {
            (first.planned, first.planned_private, first.planned_identity)
        };
        let after = self.mark_planned(after, &config_marks);
        let before = self.marked(&prior.value);
        if forced.is_some() && replace && requires_replace.is_empty() {
            requires_replace.push(AttributePath::root());
        }
        let prior_object = exists.then_some(&before);
        let action = if replace {
            Action::Replace(order)
        } else {
            choose_action(prior_object, Some(&after), &[], order)
        };
        requires_replace.retain(|path| !path.is_root());
        let reason = match (replace, forced) {
            (true, Some(forced)) => forced,
            (true, None) => ActionReason::CannotUpdate,
            (false, _) => ActionReason::Difference,
        };
        // An object that lives on is the one that it was.
        let lives_on = matches!(action, Action::Update | Action::NoOp);
        let identity = identity.or_else(|| prior.identity.clone().filter(|_| lives_on));
        if lives_on
            && deferred.is_none()
            && identity.as_ref().is_some_and(|one| !one.is_wholly_known())
        {
            let message = "it leaves the identity of an object open that is there already";
            return Err(self.invalid("plan", AttributePath::root(), message));
        }
        Ok(Wanted { action, reason, after, private, requires_replace, identity, deferred })
    }

    /// One call with all checks of its answer.
    pub(super) async fn planned(
        &self,
        prior: Value,
        config: &Value,
        known: Known,
        warnings: &mut Diagnostics,
    ) -> Result<sdk::PlanAnswer, Diagnostics> {
        let block = &self.schema.get().block;
        let proposed = propose(block, &prior, config);
        let answer = self.call_plan(prior.clone(), proposed, config.clone(), known).await?;
        let problems = answer.problems.clone();
        self.sift(problems, warnings)?;
        if !answer.planned.conforms(&block.ty()) {
            return Err(self.invalid(
                "plan",
                AttributePath::root(),
                "the object does not fit the schema",
            ));
        }
        // What is put off is only what the provider could say so far.
        if answer.deferred.is_some() {
            return Ok(answer);
        }
        let found = check_plan(block, &answer.planned, config, &prior);
        if !found.is_empty() && !answer.legacy_types {
            return Err(self.violations("plan", found));
        }
        Ok(answer)
    }

    fn replacing_paths(
        &self,
        answer: &sdk::PlanAnswer,
        prior: &Value,
    ) -> Result<Vec<AttributePath>, Diagnostics> {
        if prior.is_null() {
            return Ok(Vec::new());
        }
        let mut kept = Vec::new();
        for path in &answer.requires_replace {
            let (before, after) = (prior.at(path), answer.planned.at(path));
            // What is stored nowhere cannot be compared.
            let write_only = || {
                let block = &self.schema.get().block;
                block.attribute_at(path).is_some_and(|attribute| attribute.write_only)
            };
            match (before, after) {
                (None, None) => {
                    let message =
                        "it wants to replace the object for an attribute that does not exist";
                    return Err(self.invalid("plan", path.clone(), message));
                }
                (Some(before), Some(after))
                    if before == after && after.is_wholly_known() && !write_only() => {}
                _ => kept.push(path.clone()),
            }
        }
        Ok(kept)
    }

    pub(super) fn mark_planned(
        &self,
        value: Value,
        config_marks: &[(AttributePath, Marks)],
    ) -> Value {
        let block = &self.schema.get().block;
        let mut paths: Vec<(AttributePath, Marks)> = config_marks
            .iter()
            .map(|(path, marks)| (path.clone(), marks.without(Marks::EPHEMERAL)))
            .filter(|(_, marks)| !marks.is_empty())
            // Nothing is left of a write-only value that could be secret.
            .filter(|(path, _)| !block.attribute_at(path).is_some_and(|one| one.write_only))
            .collect();
        paths
            .extend(block.sensitive_paths(&value).into_iter().map(|path| (path, Marks::SENSITIVE)));
        mark_echoes(value.mark_paths(&paths))
    }
}

pub(super) struct Wanted {
    pub(super) action: Action,
    pub(super) reason: ActionReason,
    pub(super) after: Value,
    pub(super) private: Private,
    pub(super) requires_replace: Vec<AttributePath>,
    pub(super) identity: Option<Value>,
    pub(super) deferred: Option<Deferral>,
}

/// The configuration with prior values where the author wants changes ignored.
pub(super) fn ignore_changes(
    ignore: &IgnoreChanges,
    block: &sdk::Block,
    config: Value,
    prior: &Value,
) -> Value {
    match ignore {
        IgnoreChanges::None => config,
        IgnoreChanges::All => {
            let computed = block.attributes.iter().filter(|(_, a)| a.computed && !a.optional);
            computed
                .fold(prior.clone(), |value, (name, a)| value.with_attr(name, Value::null(a.ty())))
        }
        IgnoreChanges::Paths(paths) => paths.iter().fold(config, |config, (path, _)| {
            match (prior.at(path), path.steps().split_last()) {
                (Some(before), _) => config.clone().replace_at(path, before).unwrap_or(config),
                // A key that the prior map does not have must not appear either.
                (None, Some((PathStep::Key(key) | PathStep::Attribute(key), outer))) => {
                    let outer = AttributePath(outer.to_vec());
                    match config.at(&outer) {
                        Some(map) if map.is_map() => config
                            .clone()
                            .replace_at(&outer, map.without_attr(key))
                            .unwrap_or(config),
                        _ => config,
                    }
                }
                _ => config,
            }
        }),
    }
}
