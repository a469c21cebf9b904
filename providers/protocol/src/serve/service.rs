//! From a call's path to its answer.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use prost::Message as _;
use sdk::{Context, Provider};
use tokio::sync::watch;
use tonic::body::Body;
use tonic::server::{Grpc, ServerStreamingService, StreamingService, UnaryService};
use tonic::{Request, Response, Status, Streaming};

use super::MAX_MESSAGE_BYTES;
use super::answers::Native;
use crate::rpc::{Method, RawCodec, Version};
use crate::wire::plugin;

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Silence = futures::stream::Pending<Result<Bytes, Status>>;

/// What answers the calls of the provider service.
#[sdk::async_trait]
pub(crate) trait Handler: Send + Sync {
    /// Answers one call.
    async fn answer(
        &self,
        method: Method,
        version: Version,
        question: Bytes,
    ) -> Result<Bytes, Status>;

    /// Ends what stands behind.
    async fn end(&self) {}
}

/// The whole server: the provider service and go-plugin's own. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Service {
    handler: Arc<dyn Handler>,
    shutdown: Arc<watch::Sender<bool>>,
    tamper: Option<super::Tamper>,
}

impl Service {
    /// Serves a native provider.
    pub(crate) fn native(
        provider: Arc<dyn Provider>,
        context: Context,
        shutdown: watch::Sender<bool>,
    ) -> Self {
        Self::new(Arc::new(Native::new(provider, context)), shutdown)
    }

    /// Serves whatever answers.
    pub(crate) fn new(handler: Arc<dyn Handler>, shutdown: watch::Sender<bool>) -> Self {
        Self { handler, shutdown: Arc::new(shutdown), tamper: None }
    }

    /// The same server, whose answers are changed.
    pub(crate) fn tampered(mut self, tamper: Option<super::Tamper>) -> Self {
        self.tamper = tamper;
        self
    }

    async fn answer(self, path: String, question: Bytes) -> Result<Response<Bytes>, Status> {
        let answer = match path.as_str() {
            plugin::SHUTDOWN => {
                self.handler.end().await;
                let _ = self.shutdown.send(true);
                Bytes::new()
            }
            plugin::HEALTH => plugin::Health { status: plugin::SERVING }.encode_to_vec().into(),
            path => {
                let (method, version) = Method::from_path(path)
                    .ok_or_else(|| Status::unimplemented(format!("no such call: {path}")))?;
                let answer = self.handler.answer(method, version, question).await?;
                match &self.tamper {
                    Some(tamper) => tamper(method.name(), answer.to_vec()).into(),
                    None => answer,
                }
            }
        };
        Ok(Response::new(answer))
    }
}

impl tower::Service<http::Request<Body>> for Service {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(RawCodec)
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES);
            let path = request.uri().path().to_owned();
            Ok(match path.as_str() {
                plugin::STDIO => grpc.server_streaming(Quiet, request).await,
                plugin::BROKER => grpc.streaming(Quiet, request).await,
                _ => grpc.unary(Unary(service, path), request).await,
            })
        })
    }
}

struct Unary(Service, String);

impl UnaryService<Bytes> for Unary {
    type Response = Bytes;
    type Future = Answer<Result<Response<Bytes>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let (service, path) = (self.0.clone(), self.1.clone());
        Box::pin(service.answer(path, request.into_inner()))
    }
}

/// Streams on which nothing ever comes, and that stay open.
struct Quiet;

impl ServerStreamingService<Bytes> for Quiet {
    type Response = Bytes;
    type ResponseStream = Silence;
    type Future = Answer<Result<Response<Silence>, Status>>;

    fn call(&mut self, _: Request<Bytes>) -> Self::Future {
        Box::pin(async { Ok(Response::new(futures::stream::pending())) })
    }
}

impl StreamingService<Bytes> for Quiet {
    type Response = Bytes;
    type ResponseStream = Silence;
    type Future = Answer<Result<Response<Silence>, Status>>;

    fn call(&mut self, _: Request<Streaming<Bytes>>) -> Self::Future {
        Box::pin(async { Ok(Response::new(futures::stream::pending())) })
    }
}
