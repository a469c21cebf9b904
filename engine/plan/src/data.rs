//! Reading a data source whose configuration is known.

use std::sync::Arc;

use address::{AttributePath, ResourceInstance};
use sdk::{DataRequest, Deferral, Reader};
use syntax::Diagnostics;
use value::{Marks, Value};

use crate::prepare::Block;
use crate::problem::Place;
use crate::validity::Violation;

/// What a data source has given.
pub(crate) struct Read {
    /// With the marks of the configuration and the schema.
    pub(crate) value: Value,
    pub(crate) warnings: Diagnostics,
    /// Set if its provider cannot read it yet; the value is what will be there, as far as the configuration tells.
    pub(crate) deferred: Option<Deferral>,
}

/// Validates the configuration and reads; the result carries the marks of the configuration and the schema.
pub(crate) async fn read(
    reader: &Arc<dyn Reader>,
    block: &Block,
    address: &ResourceInstance,
    config: Value,
    marks: &[(AttributePath, Marks)],
) -> Result<Read, Diagnostics> {
    let type_name = &address.resource.type_name;
    let locate = |path: &AttributePath| Some(block.program.locate(path));
    let schema = &block.schema.get().block;
    let given = || {
        let secret = schema.sensitive_paths(&config).into_iter();
        let secret = secret.map(|path| (path, Marks::SENSITIVE));
        vec![config.clone().mark_paths(&marks.iter().cloned().chain(secret).collect::<Vec<_>>())]
    };
    let place = Place { address: address.to_string(), locate: &locate, given: &given };
    let provider = block.config.provider.provider.short_name();
    let mut warnings = match reader.validate_data(type_name, &config).await {
        Ok(problems) => place.problems(problems),
        Err(error) => return Err(place.failure(&provider, "validate", &error).into()),
    };
    if warnings.has_errors() {
        return Err(warnings);
    }
    let request = DataRequest {
        type_name: Arc::clone(type_name),
        config: config.clone(),
        meta: block.meta.clone(),
    };
    let answer = match reader.read_data(request).await {
        Ok(answer) => answer,
        Err(error) => return Err(place.failure(&provider, "read", &error).into()),
    };
    warnings.extend(place.problems(answer.problems));
    if warnings.has_errors() {
        return Err(warnings);
    }
    if answer.deferred.is_some() {
        let value = crate::propose::propose_unknown(schema, &config).mark_paths(marks);
        return Ok(Read { value, warnings, deferred: answer.deferred });
    }
    let invalid = |message: &str| {
        let violation = Violation { path: AttributePath::root(), message: message.to_owned() };
        place.violations(&provider, "read", vec![violation])
    };
    let Some(value) = answer.value else { return Err(invalid("it gave no object")) };
    if value.is_null() || !value.conforms(&schema.ty()) {
        return Err(invalid("the object does not fit the schema"));
    }
    if !value.is_wholly_known() {
        return Err(invalid("a value is unknown after reading"));
    }
    let mut paths: Vec<(AttributePath, Marks)> = marks.to_vec();
    paths.extend(schema.sensitive_paths(&value).into_iter().map(|path| (path, Marks::SENSITIVE)));
    Ok(Read { value: value.mark_paths(&paths), warnings, deferred: None })
}
