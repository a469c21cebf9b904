//! Functions of providers: `provider::NAME::FUNCTION(…)`.
//!
//! Expressions are evaluated without waiting, but a provider answers when it likes. So calls go to a thread of
//! their own, with providers of its own that are never configured: a function sees its arguments alone.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, mpsc};

use address::ProviderAddress;
use config::Module;
use lang::ProviderFunctions;
use sdk::{FunctionSchema, Reader};
use value::{Marks, Value, convert};

use crate::provider::Readers;

/// What a call comes to: a value, or what is wrong and which argument is to blame.
type Reply = Result<Value, (Option<usize>, String)>;

struct Job {
    provider: ProviderAddress,
    function: String,
    arguments: Vec<Value>,
    reply: mpsc::Sender<Reply>,
}

/// The functions of all providers. The thread starts with the first call.
pub(crate) struct Functions {
    readers: Readers,
    worker: OnceLock<Option<mpsc::Sender<Job>>>,
}

impl Functions {
    pub(crate) fn new(readers: Readers) -> Self {
        Self { readers, worker: OnceLock::new() }
    }

    fn call(&self, provider: ProviderAddress, function: &str, arguments: &[Value]) -> Reply {
        let gone = || (None, "the provider's functions cannot be called".to_owned());
        let worker =
            self.worker.get_or_init(|| start(self.readers.clone())).as_ref().ok_or_else(gone)?;
        let (reply, answer) = mpsc::channel();
        let arguments = arguments.to_vec();
        let job = Job { provider, function: function.to_owned(), arguments, reply };
        worker.send(job).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }
}

fn start(readers: Readers) -> Option<mpsc::Sender<Job>> {
    let (jobs, waiting) = mpsc::channel::<Job>();
    let work = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return;
        };
        let mut known: BTreeMap<ProviderAddress, Result<Arc<dyn Reader>, String>> = BTreeMap::new();
        for job in waiting {
            let Job { provider, function, arguments, reply } = job;
            let result = runtime.block_on(async {
                if !known.contains_key(&provider) {
                    let found = match readers.create(&provider).await {
                        Some(Ok(reader)) => Ok(reader),
                        Some(Err(error)) => Err(error.to_string()),
                        None => Err(format!("provider `{provider}` is not available")),
                    };
                    known.insert(provider.clone(), found);
                }
                match &known[&provider] {
                    Ok(reader) => call(&**reader, &function, arguments).await,
                    Err(message) => Err((None, message.clone())),
                }
            });
            // Who asked may have gone away.
            let _ = reply.send(result);
        }
    };
    std::thread::Builder::new().name("functions".to_owned()).spawn(work).ok().map(|_| jobs)
}

async fn call(reader: &dyn Reader, function: &str, arguments: Vec<Value>) -> Reply {
    let schemas = reader.schema();
    let Some(schema) = schemas.functions.get(function) else {
        let names = schemas.functions.keys().map(|name| &**name);
        let near = syntax::suggest(function, names)
            .map(|near| format!("; did you mean `{near}`?"))
            .unwrap_or_default();
        return Err((None, format!("the provider has no function `{function}`{near}")));
    };
    let (arguments, marks) = fitted(schema, arguments)?;
    let result = schema.result.clone();
    if !arguments.iter().all(Value::is_wholly_known) {
        return Ok(Value::unknown(result).mark(marks));
    }
    let answer = reader
        .call_function(function, arguments)
        .await
        .map_err(|error| (None, error.to_string()))?;
    if let Some(problem) = answer.problems.into_iter().find(sdk::Problem::is_error) {
        let detail =
            if problem.detail.is_empty() { String::new() } else { format!(": {}", problem.detail) };
        return Err((None, format!("{}{detail}", problem.summary)));
    }
    let value = answer.value.ok_or((None, "the provider gave no result".to_owned()))?;
    let value = convert(&value, &result)
        .map_err(|error| (None, format!("the provider gave a wrong result: {error}")))?;
    Ok(value.mark(marks))
}

/// The arguments in the types of their parameters, without marks.
fn fitted(
    schema: &FunctionSchema,
    arguments: Vec<Value>,
) -> Result<(Vec<Value>, Marks), (Option<usize>, String)> {
    let least = schema.parameters.len();
    let given = arguments.len();
    if given < least || (given > least && schema.variadic.is_none()) {
        let expected = if schema.variadic.is_some() { "at least " } else { "" };
        return Err((None, format!("it takes {expected}{least} arguments, but {given} are given")));
    }
    let mut marks = Marks::NONE;
    let mut fitted = Vec::with_capacity(given);
    for (at, argument) in arguments.into_iter().enumerate() {
        marks = marks.union(argument.deep_marks());
        let (argument, _) = argument.unmark_deep();
        let ty = schema.parameters.get(at).map(|(_, ty)| ty).or(schema.variadic.as_ref());
        let Some(ty) = ty else { continue };
        if argument.is_null() {
            return Err((Some(at), "the argument is null".to_owned()));
        }
        fitted.push(convert(&argument, ty).map_err(|error| (Some(at), error.to_string()))?);
    }
    Ok((fitted, marks))
}

/// The functions that a module can call: those of the providers that it requires.
pub(crate) struct InModule<'a> {
    pub(crate) functions: &'a Functions,
    pub(crate) module: &'a Module,
}

impl ProviderFunctions for InModule<'_> {
    fn call(&self, name: &str, args: &[Value]) -> Option<Reply> {
        let (local, function) = name.strip_prefix("provider::")?.split_once("::")?;
        let Some(required) = self.module.required_providers.get(local) else {
            let message = format!(
                "this module does not declare the provider `{local}`; add it to `required_providers`"
            );
            return Some(Err((None, message)));
        };
        Some(self.functions.call(required.address.clone(), function, args))
    }
}
