//! Functions of providers: `provider::NAME::FUNCTION(…)`.
//!
//! Expressions are evaluated without waiting, but a provider answers when it likes. So calls go to a thread of
//! their own, with providers of its own that are never configured: a function sees its arguments alone. What
//! arguments a function takes, and what becomes of unknown ones and of marks, is lang's business.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, mpsc};

use address::ProviderAddress;
use config::Module;
use lang::{Fault, ProviderFunctions, Signature, SignatureParameter};
use sdk::{FunctionSchema, Reader};
use value::Value;

use crate::provider::Readers;

/// A question to a provider, and where its answer goes.
struct Job {
    provider: ProviderAddress,
    function: String,
    question: Question,
}

enum Question {
    Signature(mpsc::Sender<Result<Signature, String>>),
    Call(Vec<Value>, mpsc::Sender<Result<Value, Fault>>),
}

/// The functions of all providers. The thread starts with the first call.
pub(crate) struct Functions {
    readers: Readers,
    worker: OnceLock<Option<mpsc::Sender<Job>>>,
}

const GONE: &str = "the provider's functions cannot be called";

impl Functions {
    pub(crate) fn new(readers: Readers) -> Self {
        Self { readers, worker: OnceLock::new() }
    }

    /// Asks on the thread of the functions, and waits; `None` if nobody is there to answer.
    fn ask<T>(
        &self,
        provider: &ProviderAddress,
        function: &str,
        question: impl FnOnce(mpsc::Sender<T>) -> Question,
    ) -> Option<T> {
        let worker = self.worker.get_or_init(|| start(self.readers.clone())).as_ref()?;
        let (reply, answer) = mpsc::channel();
        let (provider, function) = (provider.clone(), function.to_owned());
        worker.send(Job { provider, function, question: question(reply) }).ok()?;
        answer.recv().ok()
    }
}

fn start(readers: Readers) -> Option<mpsc::Sender<Job>> {
    use tokio::runtime::{Builder, Handle, RuntimeFlavor};
    let (jobs, waiting) = mpsc::channel::<Job>();
    // A provider's process outlives the call that has started it, so what drives its connection must go on between
    // calls: the threads of the run do, where it has any beside the one that waits here.
    let shared = Handle::try_current().ok();
    let shared = shared.filter(|one| one.runtime_flavor() == RuntimeFlavor::MultiThread);
    let work = move || {
        let own = match shared {
            Some(_) => None,
            None => match Builder::new_current_thread().enable_all().build() {
                Ok(own) => Some(own),
                Err(_) => return,
            },
        };
        let mut known: BTreeMap<ProviderAddress, Result<Arc<dyn Reader>, String>> = BTreeMap::new();
        for job in waiting {
            let answered = answer(&readers, &mut known, job);
            match (&shared, &own) {
                (Some(shared), _) => shared.block_on(answered),
                (None, Some(own)) => own.block_on(answered),
                (None, None) => return,
            }
        }
    };
    std::thread::Builder::new().name("functions".to_owned()).spawn(work).ok().map(|_| jobs)
}

async fn answer(
    readers: &Readers,
    known: &mut BTreeMap<ProviderAddress, Result<Arc<dyn Reader>, String>>,
    job: Job,
) {
    let Job { provider, function, question } = job;
    if !known.contains_key(&provider) {
        let found = match readers.create(&provider).await {
            Some(Ok(reader)) => Ok(reader),
            Some(Err(error)) => Err(error.to_string()),
            None => Err(format!("provider `{provider}` is not available")),
        };
        known.insert(provider.clone(), found);
    }
    // Who asked may have gone away.
    match (&known[&provider], question) {
        (Ok(reader), Question::Signature(reply)) => {
            let _ = reply.send(signature(&**reader, &function));
        }
        (Ok(reader), Question::Call(arguments, reply)) => {
            let _ = reply.send(call(&**reader, &function, arguments).await);
        }
        (Err(message), Question::Signature(reply)) => {
            let _ = reply.send(Err(message.clone()));
        }
        (Err(message), Question::Call(_, reply)) => {
            let _ = reply.send(Err(fault(message.clone())));
        }
    }
}

fn fault(message: String) -> Fault {
    Fault { argument: None, message }
}

fn signature(reader: &dyn Reader, function: &str) -> Result<Signature, String> {
    let schemas = reader.schema();
    if let Some(schema) = schemas.functions.get(function) {
        return Ok(signature_of(schema));
    }
    let names = schemas.functions.keys().map(|name| &**name);
    let near = syntax::suggest(function, names)
        .map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default();
    Err(format!("the provider has no function `{function}`{near}"))
}

fn signature_of(schema: &FunctionSchema) -> Signature {
    let parameter = |at: usize, name: &str, ty: &value::Type| {
        let accepts = schema.accepts.get(at).copied().unwrap_or_default();
        SignatureParameter {
            name: name.to_owned(),
            ty: ty.clone(),
            allow_null: accepts.null,
            allow_unknown: accepts.unknown,
        }
    };
    let named = schema.parameters.iter().enumerate();
    Signature {
        parameters: named.map(|(at, (name, ty))| parameter(at, name, ty)).collect(),
        variadic: (schema.variadic.as_ref())
            .map(|ty| parameter(schema.parameters.len(), "more", ty)),
        returns: schema.result.clone(),
    }
}

async fn call(reader: &dyn Reader, function: &str, arguments: Vec<Value>) -> Result<Value, Fault> {
    let answer = reader
        .call_function(function, arguments)
        .await
        .map_err(|error| fault(error.to_string()))?;
    if let Some(problem) = answer.problems.into_iter().find(sdk::Problem::is_error) {
        let detail =
            if problem.detail.is_empty() { String::new() } else { format!(": {}", problem.detail) };
        return Err(fault(format!("{}{detail}", problem.summary)));
    }
    answer.value.ok_or_else(|| fault("the provider gave no result".to_owned()))
}

/// The functions that a module can call: those of the providers that it requires.
pub(crate) struct InModule<'a> {
    pub(crate) functions: &'a Functions,
    pub(crate) module: &'a Module,
}

impl InModule<'_> {
    fn provider(&self, local: &str) -> Result<&ProviderAddress, String> {
        let required = self.module.required_providers.get(local);
        required.map(|required| &required.address).ok_or_else(|| {
            format!(
                "this module does not declare the provider `{local}`; add it to `required_providers`"
            )
        })
    }
}

impl ProviderFunctions for InModule<'_> {
    fn signature(&self, provider: &str, function: &str) -> Result<Signature, String> {
        let address = self.provider(provider)?;
        self.functions
            .ask(address, function, Question::Signature)
            .unwrap_or_else(|| Err(GONE.to_owned()))
    }

    fn call(&self, provider: &str, function: &str, arguments: &[Value]) -> Result<Value, Fault> {
        let address = self.provider(provider).map_err(fault)?;
        let arguments = arguments.to_vec();
        self.functions
            .ask(address, function, |reply| Question::Call(arguments, reply))
            .unwrap_or_else(|| Err(fault(GONE.to_owned())))
    }
}
