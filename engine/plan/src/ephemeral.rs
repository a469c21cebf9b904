//! Ephemeral objects: made for a run, stored nowhere, and ended with it.

use std::sync::Arc;

use address::{AttributePath, ResourceInstance};
use lang::World;
use sdk::{Private, Reader};
use syntax::{Diagnostics, Span};
use value::{Marks, Value};

use crate::prepare::Block;
use crate::problem::Place;
use crate::validity::Violation;

/// What is done with an ephemeral object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// It is made.
    Open,
    /// It is made to last longer.
    Renew,
    /// It is ended.
    Close,
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The provider is asked.
    Started,
    /// It has been done.
    Ended {
        /// How long it took, in milliseconds.
        elapsed_ms: u64,
    },
    /// The provider refused or failed.
    Failed {
        /// How long it took, in milliseconds.
        elapsed_ms: u64,
    },
}

/// Something has happened to an ephemeral object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The instance.
    pub address: ResourceInstance,
    /// What is done.
    pub operation: Operation,
    /// How far it is.
    pub stage: Stage,
}

/// Hears of everything that happens to ephemeral objects.
#[derive(Clone)]
pub struct Listener {
    world: Arc<dyn World>,
    tell: Arc<dyn Fn(Told) + Send + Sync>,
}

impl Listener {
    /// Tells of each operation when it begins and when it has ended, by the clock of the world.
    pub fn new(world: Arc<dyn World>, tell: Arc<dyn Fn(Told) + Send + Sync>) -> Self {
        Self { world, tell }
    }

    async fn around<T>(
        &self,
        address: &ResourceInstance,
        operation: Operation,
        has_failed: impl Fn(&T) -> bool,
        work: impl Future<Output = T>,
    ) -> T {
        let tell = |stage| (self.tell)(Told { address: address.clone(), operation, stage });
        let began_ms = now_ms(&*self.world);
        tell(Stage::Started);
        let result = work.await;
        let elapsed_ms = now_ms(&*self.world).saturating_sub(began_ms);
        let failed = has_failed(&result);
        tell(if failed { Stage::Failed { elapsed_ms } } else { Stage::Ended { elapsed_ms } });
        result
    }
}

/// An ephemeral object that is open.
pub struct Open {
    /// Whose it is.
    pub address: ResourceInstance,
    /// When it must be renewed, in milliseconds since 1970.
    pub renew_at_unix_ms: Option<u64>,
    reader: Arc<dyn Reader>,
    private: Private,
    provider: String,
    span: Span,
    listener: Listener,
}

/// Says which, and nothing of its value.
impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open").field("address", &self.address.to_string()).finish_non_exhaustive()
    }
}

impl Open {
    /// Makes it last longer.
    pub async fn renew(&mut self) -> Diagnostics {
        let (listener, address) = (self.listener.clone(), self.address.clone());
        let failed = Diagnostics::has_errors;
        listener.around(&address, Operation::Renew, failed, self.renew_unheard()).await
    }

    async fn renew_unheard(&mut self) -> Diagnostics {
        let type_name = &self.address.resource.type_name;
        let answer = self.reader.renew_ephemeral(type_name, self.private.clone()).await;
        let locate = |_: &AttributePath| Some(self.span);
        let place = Place {
            address: self.address.to_string(),
            locate: &locate,
            given: &crate::problem::nothing,
        };
        let (renewed, found) = match answer {
            Ok(answer) => (answer.value, place.problems(answer.problems)),
            Err(error) => (None, place.failure(&self.provider, "renew", &error).into()),
        };
        match renewed {
            Some(renewed) => {
                self.private = renewed.private;
                self.renew_at_unix_ms = renewed.renew_at_unix_ms;
            }
            // One failed renewal is reported once, not over and over.
            None => self.renew_at_unix_ms = None,
        }
        found
    }

    async fn close(self) -> Diagnostics {
        let (listener, address) = (self.listener.clone(), self.address.clone());
        let failed = Diagnostics::has_errors;
        listener.around(&address, Operation::Close, failed, self.close_unheard()).await
    }

    async fn close_unheard(self) -> Diagnostics {
        let type_name = &self.address.resource.type_name;
        let answer = self.reader.close_ephemeral(type_name, self.private.clone()).await;
        let locate = |_: &AttributePath| Some(self.span);
        let place = Place {
            address: self.address.to_string(),
            locate: &locate,
            given: &crate::problem::nothing,
        };
        match answer {
            Ok(problems) => place.problems(problems),
            Err(error) => place.failure(&self.provider, "close", &error).into(),
        }
    }
}

/// Opens an object whose configuration is known. Its value is ephemeral as a whole.
pub(crate) async fn open(
    reader: Arc<dyn Reader>,
    block: &Block,
    address: ResourceInstance,
    config: Value,
    listener: &Listener,
) -> Result<(Value, Open, Diagnostics), Diagnostics> {
    let at = address.clone();
    let work = open_unheard(reader, block, address, config, listener);
    listener.around(&at, Operation::Open, Result::is_err, work).await
}

async fn open_unheard(
    reader: Arc<dyn Reader>,
    block: &Block,
    address: ResourceInstance,
    config: Value,
    listener: &Listener,
) -> Result<(Value, Open, Diagnostics), Diagnostics> {
    let provider = block.config.provider.provider.short_name();
    let locate = |path: &AttributePath| Some(block.program.locate(path));
    let marked = config.clone();
    let given = || vec![marked.clone()];
    let place = Place { address: address.to_string(), locate: &locate, given: &given };
    let (config, marks) = config.unmark_deep();
    let answer = match reader.open_ephemeral(&address.resource.type_name, &config).await {
        Ok(answer) => answer,
        Err(error) => return Err(place.failure(&provider, "open", &error).into()),
    };
    let warnings = place.problems(answer.problems);
    if warnings.has_errors() {
        return Err(warnings);
    }
    let schema = &block.schema.get().block;
    let invalid = |message: &str| {
        let violation = Violation { path: AttributePath::root(), message: message.to_owned() };
        place.violations(&provider, "open", vec![violation])
    };
    let Some(opened) = answer.value else { return Err(invalid("it gave no object")) };
    if opened.result.is_null() || !opened.result.conforms(&schema.ty()) {
        return Err(invalid("the object does not fit the schema"));
    }
    if !opened.result.is_wholly_known() {
        return Err(invalid("a value is unknown after opening"));
    }
    let secret = schema.sensitive_paths(&opened.result).into_iter();
    let paths: Vec<_> =
        marks.into_iter().chain(secret.map(|path| (path, Marks::SENSITIVE))).collect();
    let value = opened.result.mark_paths(&paths).mark(Marks::EPHEMERAL);
    let open = Open {
        address,
        renew_at_unix_ms: opened.renew_at_unix_ms,
        reader,
        private: opened.private,
        provider,
        span: block.config.header,
        listener: listener.clone(),
    };
    Ok((value, open, warnings))
}

/// Ends objects, the last first.
pub async fn close_all(open: Vec<Open>) -> Diagnostics {
    let mut found = Diagnostics::new();
    for one in open.into_iter().rev() {
        found.extend(one.close().await);
    }
    found
}

/// Milliseconds since 1970.
pub fn now_ms(world: &dyn World) -> u64 {
    u64::try_from(world.now_unix_nanos() / 1_000_000).unwrap_or(u64::MAX)
}
