//! Keeps a provider's faults to itself: a call that panics or hangs costs an error, never the run.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use address::ProviderAddress;
use async_trait::async_trait;
use futures::FutureExt;
use value::Value;

use crate::pace::{LOOKS, Pace, Rates, retry_of};
use crate::problem::{Problems, ProviderError};
use crate::provider::{
    Answer, ApplyAnswer, ApplyRequest, ConfigureRequest, DataAnswer, DataRequest, ImportKey,
    Imported, Listed, MoveRequest, Moved, Offer, Opened, PlanAnswer, PlanRequest, Private,
    Provider, ReadAnswer, ReadRequest, Reader, Renewed, TokenAnswer, UpgradeRequest,
};
use crate::registry::Factory;
use crate::schema::ProviderSchema;

/// How long calls may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A call that looks.
    pub look: Duration,
    /// A call that changes the world.
    pub change: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { look: Duration::from_secs(20 * 60), change: Duration::from_secs(6 * 3600) }
    }
}

/// A factory whose providers are guarded.
pub struct GuardedFactory {
    inner: Arc<dyn Factory>,
    limits: Limits,
    pace: Arc<Pace>,
}

impl GuardedFactory {
    /// Guards what a factory makes.
    pub fn new(inner: Arc<dyn Factory>, limits: Limits) -> Self {
        Self { inner, limits, pace: Arc::default() }
    }

    /// The same, asking no faster than this.
    #[must_use]
    pub fn paced(mut self, rates: Rates) -> Self {
        self.pace = Arc::new(Pace::new(rates));
        self
    }
}

#[async_trait]
impl Factory for GuardedFactory {
    fn address(&self) -> ProviderAddress {
        self.inner.address()
    }

    async fn create(&self) -> Result<Arc<dyn Provider>, ProviderError> {
        let inner = guarded(self.limits.look, self.inner.create()).await?;
        Ok(Arc::new(Guarded { inner, limits: self.limits, pace: Arc::clone(&self.pace) }))
    }
}

/// Guards a whole provider, or the part of one that looks.
struct Guarded<P: ?Sized> {
    inner: Arc<P>,
    limits: Limits,
    pace: Arc<Pace>,
}

impl<P: Reader + ?Sized> Guarded<P> {
    /// Makes a call that looks in its turn, and again while the provider's backend is only busy.
    async fn look<T, F: Future<Output = Result<T, ProviderError>>>(
        &self,
        type_name: &str,
        call: impl Fn() -> F,
        problems: impl Fn(&T) -> &Problems,
    ) -> Result<T, ProviderError> {
        for attempt in 0.. {
            self.pace.turn(type_name).await;
            let answer = guarded(self.limits.look, call()).await?;
            let retry = retry_of(problems(&answer)).filter(|_| attempt + 1 < LOOKS);
            let Some(retry) = retry else { return Ok(answer) };
            self.pace.refused(retry, attempt);
        }
        unreachable!("the last try returns")
    }
}

/// Waits for a call no longer than its limit, and turns a panic into an error.
async fn guarded<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, ProviderError> {
    // Providers are shared behind `&self`; what a panic leaves half done stays the provider's own trouble.
    let call = AssertUnwindSafe(call).catch_unwind();
    match tokio::time::timeout(limit, call).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(panic)) => Err(ProviderError::Crashed { last_lines: vec![words(&*panic)] }),
        Err(_) => Err(ProviderError::TimedOut {
            after_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
        }),
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned())
}

#[async_trait]
impl<P: Reader + ?Sized> Reader for Guarded<P> {
    fn schema(&self) -> Arc<ProviderSchema> {
        self.inner.schema()
    }

    async fn validate_provider(&self, config: &Value) -> Result<Problems, ProviderError> {
        guarded(self.limits.look, self.inner.validate_provider(config)).await
    }

    async fn validate_resource(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Problems, ProviderError> {
        guarded(self.limits.look, self.inner.validate_resource(type_name, config)).await
    }

    async fn validate_data(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Problems, ProviderError> {
        guarded(self.limits.look, self.inner.validate_data(type_name, config)).await
    }

    async fn validate_ephemeral(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Problems, ProviderError> {
        guarded(self.limits.look, self.inner.validate_ephemeral(type_name, config)).await
    }

    async fn release(&self) {
        self.inner.release().await;
    }

    fn forgetful(&self) -> Option<Arc<dyn Reader>> {
        let inner = self.inner.forgetful()?;
        Some(Arc::new(Guarded { inner, limits: self.limits, pace: Arc::clone(&self.pace) }))
    }

    async fn move_state(&self, request: MoveRequest) -> Result<Answer<Moved>, ProviderError> {
        guarded(self.limits.look, self.inner.move_state(request)).await
    }

    async fn configure(&self, request: ConfigureRequest) -> Result<Problems, ProviderError> {
        guarded(self.limits.look, self.inner.configure(request)).await
    }

    async fn upgrade(&self, request: UpgradeRequest) -> Result<Answer<Value>, ProviderError> {
        guarded(self.limits.look, self.inner.upgrade(request)).await
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadAnswer, ProviderError> {
        let name = Arc::clone(&request.type_name);
        self.look(&name, || self.inner.read(request.clone()), |answer| &answer.problems).await
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanAnswer, ProviderError> {
        // Most plans ask nobody, so that they wait for no turn unless the backend is busy.
        self.look("", || self.inner.plan(request.clone()), |answer| &answer.problems).await
    }

    async fn upgrade_identity(
        &self,
        request: UpgradeRequest,
    ) -> Result<Answer<Value>, ProviderError> {
        guarded(self.limits.look, self.inner.upgrade_identity(request)).await
    }

    async fn read_data(&self, request: DataRequest) -> Result<DataAnswer, ProviderError> {
        let name = Arc::clone(&request.type_name);
        self.look(&name, || self.inner.read_data(request.clone()), |answer| &answer.problems).await
    }

    async fn import(
        &self,
        type_name: &str,
        key: &ImportKey,
    ) -> Result<Answer<Vec<Imported>>, ProviderError> {
        self.look(type_name, || self.inner.import(type_name, key), |answer| &answer.problems).await
    }

    async fn list(&self, type_name: &str) -> Result<Answer<Vec<Listed>>, ProviderError> {
        self.look(type_name, || self.inner.list(type_name), |answer| &answer.problems).await
    }

    async fn find_by_token(
        &self,
        type_name: &str,
        token: &str,
    ) -> Result<TokenAnswer, ProviderError> {
        guarded(self.limits.look, self.inner.find_by_token(type_name, token)).await
    }

    async fn call_function(
        &self,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<Answer<Value>, ProviderError> {
        guarded(self.limits.look, self.inner.call_function(name, arguments)).await
    }

    async fn open_ephemeral(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Answer<Opened>, ProviderError> {
        let call = || self.inner.open_ephemeral(type_name, config);
        self.look(type_name, call, |answer| &answer.problems).await
    }

    async fn renew_ephemeral(
        &self,
        type_name: &str,
        private: Private,
    ) -> Result<Answer<Renewed>, ProviderError> {
        guarded(self.limits.look, self.inner.renew_ephemeral(type_name, private)).await
    }

    async fn close_ephemeral(
        &self,
        type_name: &str,
        private: Private,
    ) -> Result<Problems, ProviderError> {
        guarded(self.limits.look, self.inner.close_ephemeral(type_name, private)).await
    }

    fn lives_in_state(&self, type_name: &str) -> bool {
        self.inner.lives_in_state(type_name)
    }

    fn has_schemas_only(&self) -> bool {
        self.inner.has_schemas_only()
    }

    async fn offers(&self) -> Result<Answer<Vec<Offer>>, ProviderError> {
        guarded(self.limits.look, self.inner.offers()).await
    }

    async fn stop(&self) {
        self.inner.stop().await;
    }
}

#[async_trait]
impl Provider for Guarded<dyn Provider> {
    async fn apply(&self, request: ApplyRequest) -> Result<ApplyAnswer, ProviderError> {
        self.pace.turn(&request.type_name).await;
        let answer = guarded(self.limits.change, self.inner.apply(request)).await?;
        // Whether a change is tried again, its caller decides; others wait meanwhile.
        if let Some(retry) = retry_of(&answer.problems) {
            self.pace.refused(retry, 0);
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_and_a_hang_are_errors() {
        let limit = Duration::from_millis(20);
        let crashed = guarded::<()>(limit, async { panic!("out of cheese") }).await;
        assert_eq!(
            crashed,
            Err(ProviderError::Crashed { last_lines: vec!["out of cheese".to_owned()] })
        );
        let hung = guarded::<()>(limit, std::future::pending()).await;
        assert_eq!(hung, Err(ProviderError::TimedOut { after_ms: 20 }));
    }
}
