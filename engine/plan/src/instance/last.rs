//! The last plan of a change, in apply, with values that are known by then.

use std::sync::Arc;

use address::AttributePath;
use sdk::{Private, Reader};
use syntax::Diagnostics;
use value::Value;

use super::wanted::ignore_changes;
use super::{Input, Known, sensitive_paths};
use crate::action::Action;
use crate::error::PlanError;
use crate::model::{Mode, ResourceChange};
use crate::prepare::{Block, TypeSchema};
use crate::validity::check_compatible;

/// A change whose configuration is wholly known by now, planned once more before it is made.
pub struct Final {
    /// The object as the provider will make it, without marks.
    pub planned: Value,
    /// The configuration, without marks.
    pub config: Value,
    /// Paths of what is secret.
    pub sensitive_paths: Vec<AttributePath>,
    /// The provider's own data about the plan.
    pub planned_private: Vec<u8>,
    /// What will tell the object from all others.
    pub planned_identity: Option<Value>,
    /// What the module tells the provider about itself.
    pub meta: Option<Value>,
}

/// The schema of an object without a block.
fn schema_of(reader: &Arc<dyn Reader>, change: &ResourceChange) -> Result<TypeSchema, Diagnostics> {
    let resource = &change.address.resource;
    TypeSchema::find(&reader.schema(), resource.mode, &resource.type_name).ok_or_else(|| {
        PlanError::StoredObject {
            address: change.address.to_string(),
            message: format!(
                "the provider `{}` has no type `{}`",
                change.provider.provider, resource.type_name
            ),
        }
        .into()
    })
}

/// Plans a change again with the values that are known now, and checks that it keeps to what was planned.
pub(crate) async fn plan_final(
    reader: Arc<dyn Reader>,
    block: Option<Arc<Block>>,
    change: &ResourceChange,
    config: Value,
) -> Result<Final, Diagnostics> {
    let schema = match &block {
        Some(block) => block.schema.clone(),
        None => schema_of(&reader, change)?,
    };
    let leads_back = block.is_none();
    let input = Input {
        address: change.address.clone(),
        previous_address: None,
        provider: change.provider.clone(),
        reader,
        schema,
        // What is secret of it is kept out of the provider's complaints.
        config: Some(config.clone()),
        stored: None,
        mode: Mode::Normal,
        refresh: false,
        forced: None,
        removal: change.reason,
        forget: false,
        import: None,
        taken_over: None,
        create_before_destroy: change.create_before_destroy,
        dependencies: Arc::clone(&change.dependencies),
        block,
        earlier: None,
        remark: None,
        leads_back,
        settled: false,
        trusted: false,
    };
    let mut warnings = Diagnostics::new();
    let (original, config_marks) = config.unmark_deep();
    if let Some(path) = original.unknown_paths().into_iter().next() {
        return Err(input.invalid("apply", path, "the configuration is still unknown"));
    }
    // What was unknown while planning has been checked by nobody yet.
    if input.block.is_some() {
        let problems = input.reader.validate_resource(&input.address.resource.type_name, &original);
        let problems = problems.await.map_err(|error| input.failed("validate", &error))?;
        input.sift(problems, &mut warnings)?;
    }
    let schema = &input.schema.get().block;
    let (prior, config, private) = if change.action == Action::Update {
        let prior = change.before.clone().unmark_deep().0;
        let ignored = match &input.block {
            Some(own) => ignore_changes(
                &own.config.lifecycle.ignore_changes,
                schema,
                original.clone(),
                &prior,
            ),
            None => original.clone(),
        };
        (prior, ignored, change.prior_private.as_slice())
    } else {
        let private = if matches!(change.action, Action::Replace(_)) {
            &change.planned_private
        } else {
            &change.prior_private
        };
        (Value::null(schema.ty()), original.clone(), private.as_slice())
    };
    let before = change.identity.as_ref().and_then(|one| one.before.clone());
    let known = Known {
        private: Private::from(private),
        identity: before.filter(|_| change.action == Action::Update),
    };
    let answer = input.planned(prior, &config, known, &mut warnings).await?;
    let planned_before = change.after.clone().unmark_deep().0;
    let found = check_compatible(&planned_before, &answer.planned);
    if !found.is_empty() {
        return Err(input.violations("plan the same change again", found));
    }
    let marked = input.mark_planned(answer.planned.clone(), &config_marks);
    let sensitive_paths = sensitive_paths(&marked);
    Ok(Final {
        planned: answer.planned,
        config: original,
        sensitive_paths,
        planned_private: answer.planned_private.as_bytes().to_vec(),
        planned_identity: answer
            .planned_identity
            .or_else(|| change.identity.as_ref().and_then(|one| one.after.clone())),
        meta: input.meta(),
    })
}
