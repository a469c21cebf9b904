//! go-plugin's own services: control, output, broker, health.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct StdioData {
    #[prost(int32, tag = "1")]
    pub(crate) channel: i32,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) data: Vec<u8>,
}

/// The status of a health check that says that all is well.
pub(crate) const SERVING: i32 = 1;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Health {
    #[prost(int32, tag = "1")]
    pub(crate) status: i32,
}

/// Path of the call that ends a provider.
pub(crate) const SHUTDOWN: &str = "/plugin.GRPCController/Shutdown";
/// Path of the stream of what a provider prints.
pub(crate) const STDIO: &str = "/plugin.GRPCStdio/StreamStdio";
/// Path of the stream that would open further connections.
pub(crate) const BROKER: &str = "/plugin.GRPCBroker/StartStream";
/// Path of the health check.
pub(crate) const HEALTH: &str = "/grpc.health.v1.Health/Check";
