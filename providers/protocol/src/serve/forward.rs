//! A provider that passes every call on to another one, and takes it down.
//!
//! Put between Terraform and a provider, it shows what Terraform asks.

use std::path::Path;

use bytes::Bytes;
use sdk::async_trait;
use tonic::Status;

use super::service::Handler;
use crate::process::{CallError, Process, StartOptions};
use crate::record::Recorder;
use crate::rpc::{Method, Version};

/// The provider behind.
pub(super) struct Forward {
    process: Process,
    name: String,
    recorder: Recorder,
}

impl Forward {
    pub(super) async fn start(
        binary: &Path,
        options: StartOptions,
        recorder: Recorder,
    ) -> Result<Self, String> {
        let file = binary.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = file.strip_prefix("terraform-provider-").unwrap_or(&file);
        let name = name.split("_v").next().unwrap_or(name).to_owned();
        let process = Process::start(binary, &options).await?;
        Ok(Self { process, name, recorder })
    }

    pub(super) fn version(&self) -> Version {
        self.process.version
    }
}

#[async_trait]
impl Handler for Forward {
    async fn answer(
        &self,
        method: Method,
        version: Version,
        question: Bytes,
    ) -> Result<Bytes, Status> {
        let answer = self.process.call(method.path(version), question.clone()).await;
        let fault = answer.as_ref().map_err(|error| format!("{error:?}"));
        let shown = fault.as_ref().map(|bytes| *bytes).map_err(String::as_str);
        self.recorder.record(&self.name, method, version, &question, shown);
        answer.map_err(|error| match error {
            CallError::Unimplemented => Status::unimplemented(method.name()),
            CallError::Crashed(lines) => Status::unavailable(lines.join("\n")),
            CallError::Lost(fault) => Status::unavailable(fault),
            CallError::Status(fault) => Status::unknown(fault),
        })
    }

    async fn end(&self) {
        self.process.shut_down().await;
    }
}
