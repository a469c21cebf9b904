//! An object that moves to another type: its new provider takes it over before anything else is asked of it.

use std::sync::Arc;

use address::ProviderAddress;
use sdk::{MoveRequest, Private};
use state::Object;
use syntax::Diagnostics;

use super::{Input, Output};

impl Input {
    /// Plans the instance, whose object was recorded as one of `source`.
    pub(crate) async fn run_from(
        mut self,
        source: Option<ProviderAddress>,
    ) -> Result<Output, Diagnostics> {
        let mut warnings = Diagnostics::new();
        let other = self.previous_address.as_ref().map(|previous| &previous.resource.type_name);
        let other = other.filter(|name| **name != self.address.resource.type_name).cloned();
        if let (Some(source_type), Some(source), Some(stored)) = (other, source, &self.stored) {
            let taken = self.taken_over(&source_type, &source, stored, &mut warnings).await?;
            self.stored = Some(taken);
        }
        let mut output = self.run().await?;
        warnings.extend(std::mem::take(&mut output.warnings));
        output.warnings = warnings;
        Ok(output)
    }

    /// The object in the form of the type that it moves to.
    async fn taken_over(
        &self,
        source_type: &Arc<str>,
        source: &ProviderAddress,
        stored: &Object,
        warnings: &mut Diagnostics,
    ) -> Result<Object, Diagnostics> {
        let request = MoveRequest {
            target_type: Arc::clone(&self.address.resource.type_name),
            source_provider: source.to_string(),
            source_type: Arc::clone(source_type),
            source_version: stored.schema_version,
            source_json: Arc::clone(&stored.attributes_json),
            source_private: Private::from(stored.private.as_slice()),
        };
        let call = "take over the object of another type";
        let answer =
            self.reader.move_state(request).await.map_err(|error| self.failed(call, &error))?;
        self.sift(answer.problems, warnings)?;
        let schema = self.schema.get();
        let misfit = || {
            self.invalid(call, address::AttributePath::root(), "the object does not fit the schema")
        };
        let moved = answer.value.ok_or_else(misfit)?;
        if !moved.state.conforms(&schema.block.ty()) || !moved.state.is_wholly_known() {
            return Err(misfit());
        }
        Ok(Object {
            attributes_json: value::json::to_string(&moved.state).into(),
            private: moved.private.as_bytes().to_vec(),
            schema_version: schema.version,
            ..stored.clone()
        })
    }
}
