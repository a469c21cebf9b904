//! Questions that need no process, since an earlier run has put them: see [`crate::kept`].
//!
//! An instance without settings is asked by `validate` alone, and its answers are kept always. One with settings keeps
//! and takes answers only where the run says that what was true then will do. Once a process runs that can be asked, it
//! is asked.

use sdk::{ConfigureRequest, PlanAnswer, PlanRequest, Private, ProviderError, Schema};
use value::Value;

use super::{Host, Instance, Source, calls};
use crate::convert::to_wire;
use crate::kept::{Answer, Key};
use crate::rpc::Method;
use crate::wire;

impl Instance {
    /// What stands for a question about these objects; `None` if its answer must not be kept, or none is.
    pub(super) fn key(
        &self,
        method: Method,
        question: &impl prost::Message,
        schema: Option<&Schema>,
        objects: &[&Value],
    ) -> Option<Key> {
        let (surroundings, settings) = self.ground()?;
        let schema = schema?;
        if objects.iter().any(|object| schema.block.holds_secret(object)) {
            return None;
        }
        Some(Key::new(surroundings, settings, method, &question.encode_to_vec()))
    }

    /// What every answer hangs on beside the question: the surroundings and the settings. `None` if no answer is kept.
    pub(super) fn ground(&self) -> Option<(&str, Option<&Key>)> {
        let surroundings = self.host.options.surroundings.as_ref().filter(|_| !self.forgetful)?;
        let settings = match self.given.config.get() {
            Some(_) => Some(self.given.settings.get()?),
            None => None,
        };
        Some((surroundings, settings))
    }

    /// What stands for settings; `None` if the run asks for new answers, or the settings hold secrets.
    pub(super) fn key_of_settings(
        &self,
        request: &ConfigureRequest,
    ) -> Result<Option<Key>, ProviderError> {
        if !request.context.reuse_answers {
            return Ok(None);
        }
        let schema = &self.schema.provider;
        let question = wire::Configure {
            terraform_version: self.host.options.terraform_version.clone(),
            config: Some(to_wire(&request.config, &schema.block.ty())?),
            capabilities: Some(calls::capabilities(request.context.deferral_allowed)),
        };
        Ok(self.key(Method::Configure, &question, Some(schema), &[&request.config]))
    }

    /// What an earlier run was answered, unless a process is there to be asked.
    pub(super) async fn recall(&self, key: Option<&Key>) -> Option<Answer> {
        let key = key?;
        let runs = match self.given.config.get() {
            Some(_) => {
                let own = self.given.own.lock().await;
                own.as_ref().is_some_and(|claim| !claim.0.process.has_ended())
            }
            None => {
                let slots = self.host.slots.lock().await;
                slots.live.iter().any(|slot| !slot.process.has_ended())
            }
        };
        if runs {
            return None;
        }
        self.host.kept.find(key, || std::fs::read(self.host.answers()?).ok())
    }

    /// Keeps an answer for later runs, where it can be told by what was asked.
    pub(super) fn keep(&self, key: Option<Key>, answer: Option<Answer>) {
        if let (Some(key), Some(answer)) = (key, answer) {
            self.host.kept.add(key, answer);
        }
    }
}

impl Host {
    /// Where answers are kept; `None` if the program's digest is not known, or does not tell what the program does: a
    /// script may load its code from anywhere.
    fn answers(&self) -> Option<std::path::PathBuf> {
        let (Some(cache), Source::Binary(path)) = (&self.options.cache, &self.source) else {
            return None;
        };
        if crate::binary::is_script(path) {
            return None;
        }
        cache.answers(&cache.key(path)?)
    }

    /// Writes down what this run was answered.
    pub(super) async fn write_answers(&self) {
        if !self.kept.has_news() {
            return;
        }
        // The first run with a program finds out its digest beside other work.
        let storing = self.storing.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(storing) = storing {
            let _ = storing.await;
        }
        if let Some(path) = self.answers() {
            self.kept.write(&path);
        }
    }
}

/// The answer by which an object stays as it is, where it does.
pub(super) fn stays(answer: &PlanAnswer, request: &PlanRequest) -> Option<Answer> {
    let same = !request.prior.is_null()
        && answer.planned == request.prior
        && answer.requires_replace.is_empty()
        && answer.problems.is_empty()
        && answer.deferred.is_none();
    let keeps_private = answer.planned_private == request.prior_private;
    let keeps_identity = answer.planned_identity == request.prior_identity;
    let told = (keeps_private || answer.planned_private == Private::EMPTY)
        && (keeps_identity || answer.planned_identity.is_none());
    let legacy_types = answer.legacy_types;
    (same && told).then_some(Answer { legacy_types, keeps_private, keeps_identity })
}

/// The plan by which an object stays as it is.
pub(super) fn as_it_is(kept: Answer, request: PlanRequest) -> PlanAnswer {
    PlanAnswer {
        planned: request.prior,
        requires_replace: Vec::new(),
        planned_private: if kept.keeps_private { request.prior_private } else { Private::EMPTY },
        planned_identity: request.prior_identity.filter(|_| kept.keeps_identity),
        deferred: None,
        problems: Vec::new(),
        legacy_types: kept.legacy_types,
    }
}
