//! A connection to a provider: where it leads, with or without TLS, and calls on it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::uri::PathAndQuery;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};

use crate::handshake::Endpoint;
use crate::rpc::{MAX_MESSAGE_BYTES, RawCodec};

/// Any stream of bytes.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A stream whose kind does not matter.
pub(crate) struct AnyStream(pub(crate) Box<dyn Stream>);

impl AsyncRead for AnyStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        ctx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(ctx, buffer)
    }
}

impl AsyncWrite for AnyStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        ctx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(ctx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(ctx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, ctx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(ctx)
    }
}

/// Opens the stream behind an endpoint.
async fn open(endpoint: &Endpoint, tls: Option<&TlsConnector>) -> io::Result<AnyStream> {
    let plain: Box<dyn Stream> = match endpoint {
        Endpoint::Unix(path) => Box::new(UnixStream::connect(path).await?),
        Endpoint::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
    };
    let Some(tls) = tls else { return Ok(AnyStream(plain)) };
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    Ok(AnyStream(Box::new(tls.connect(name, AnyStream(plain)).await?)))
}

/// A connection. Cheap to clone; calls run side by side.
#[derive(Clone)]
pub(crate) struct Connection {
    channel: Channel,
}

impl Connection {
    /// Connects.
    pub(crate) async fn connect(
        endpoint: Endpoint,
        tls: Option<rustls::ClientConfig>,
    ) -> Result<Self, String> {
        let tls = tls.map(|config| TlsConnector::from(Arc::new(config)));
        let connector = tower::service_fn(move |_: http::Uri| {
            let (endpoint, tls) = (endpoint.clone(), tls.clone());
            async move { open(&endpoint, tls.as_ref()).await.map(TokioIo::new) }
        });
        // The scheme keeps the gRPC library from adding TLS of its own.
        let channel = tonic::transport::Endpoint::from_static("http://localhost")
            .initial_stream_window_size(4 * 1024 * 1024)
            .initial_connection_window_size(16 * 1024 * 1024)
            .connect_with_connector(connector)
            .await
            .map_err(|error| causes(&error))?;
        Ok(Self { channel })
    }

    fn grpc(&self) -> Grpc<Channel> {
        Grpc::new(self.channel.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES)
    }

    /// Calls, and waits for the answer.
    pub(crate) async fn call(&self, path: &'static str, message: Bytes) -> Result<Bytes, Status> {
        let mut grpc = self.grpc();
        ready(&mut grpc).await?;
        let path = PathAndQuery::from_static(path);
        grpc.unary(Request::new(message), path, RawCodec).await.map(tonic::Response::into_inner)
    }

    /// Calls, and gives the stream of answers.
    pub(crate) async fn stream(
        &self,
        path: &'static str,
        message: Bytes,
    ) -> Result<Streaming<Bytes>, Status> {
        let mut grpc = self.grpc();
        ready(&mut grpc).await?;
        let path = PathAndQuery::from_static(path);
        let answer = grpc.server_streaming(Request::new(message), path, RawCodec).await?;
        Ok(answer.into_inner())
    }
}

async fn ready(grpc: &mut Grpc<Channel>) -> Result<(), Status> {
    grpc.ready().await.map_err(|error| Status::unavailable(causes(&error)))
}

/// An error with all that caused it, in one line.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        source = error.source();
    }
    text
}

impl tonic::transport::server::Connected for AnyStream {
    type ConnectInfo = ();

    fn connect_info(&self) -> Self::ConnectInfo {}
}
