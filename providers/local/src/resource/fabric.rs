//! `local_fabric`: loopback ports for nodes to talk over, and how fast that is.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use sdk::native::Object;
use sdk::{Block, Problems, Schema};
use value::{Number, Type, Value};

use super::{Env, Fault, Work, at_least, whole};
use crate::discovery::Machine;
use crate::error::LocalError;
use crate::home::Kind;
use crate::ledger::{self, Request};

pub(super) struct Fabric;

impl Work for Fabric {
    const NAME: &'static str = "local_fabric";
    const KIND: Kind = Kind::Fabric;

    fn schema(&self) -> Schema {
        let block = Block::new()
            .describe("Loopback addresses and ports that nodes of this machine talk over.")
            .required("name", Type::String, "A name for people.")
            .optional("nodes", Type::Number, "How many ports are reserved.")
            .optional("node_gbps", Type::Number, "The bandwidth that is needed, in Gbit/s.")
            .computed("kind", Type::String, "`loopback`.")
            .computed("address", Type::String, "The address of all nodes.")
            .computed("ports", Type::list(Type::Number), "One port for each node.")
            .computed(
                "measured_gbps",
                Type::Number,
                "What one connection carried when it was made, in Gbit/s.",
            )
            .recomputed(&["ports", "measured_gbps"], &["nodes", "node_gbps"])
            .computed("id", Type::String, "Unique on this machine.");
        Schema { version: 0, block }
    }

    fn validate(&self, config: &Value) -> Problems {
        at_least(config, &["nodes"], 1)
    }

    fn make(&self, env: &Env, id: &str, folder: &Path, planned: &Value) -> Result<Value, Fault> {
        let name = planned.text("name").unwrap_or_default();
        let measured = measure().map_err(LocalError::file("measure the loopback for", folder))?;
        if let Some(wanted) = planned.float("node_gbps").filter(|wanted| *wanted > measured) {
            return Err(LocalError::FabricTooSlow {
                name: name.to_owned(),
                wanted: wanted.to_string(),
                measured: measured.to_string(),
            }
            .into());
        }
        let machine = Machine::discover(&env.home.root)?;
        let request = Request {
            holder: format!("{name} of {}", env.working_dir.display()),
            ports: whole(planned, "nodes", 1),
            ..Request::default()
        };
        let promise = ledger::reserve(&env.home, &machine, id, &request)?;
        let ports = promise.ports.into_iter().map(|port| Value::from(u64::from(port))).collect();
        Ok(planned
            .clone()
            .with_attr("kind", "loopback".into())
            .with_attr("address", "127.0.0.1".into())
            .with_attr("ports", Value::list(Type::Number, ports))
            .with_attr(
                "measured_gbps",
                Value::number(Number::parse(&measured.to_string()).unwrap_or(Number::ZERO)),
            ))
    }

    fn look(
        &self,
        env: &Env,
        id: &str,
        _: &Path,
        current: &Value,
    ) -> Result<Option<Value>, LocalError> {
        Ok(ledger::held(&env.home, id)?.map(|_| current.clone()))
    }

    fn end(&self, env: &Env, id: &str, _: &Path, _: &Value) -> Result<(), LocalError> {
        ledger::release(&env.home, id)
    }
}

/// Sends 64 MiB over one loopback connection; Gbit/s, rounded down to a tenth.
fn measure() -> std::io::Result<f64> {
    const BYTES: usize = 64 << 20;
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let sender = std::thread::spawn(move || -> std::io::Result<()> {
        let mut stream = TcpStream::connect(address)?;
        let block = vec![0u8; 1 << 20];
        for _ in 0..BYTES / block.len() {
            stream.write_all(&block)?;
        }
        Ok(())
    });
    let (mut stream, _) = listener.accept()?;
    let start = crate::clock::now();
    let mut block = vec![0u8; 1 << 20];
    while stream.read(&mut block)? > 0 {}
    let seconds = start.elapsed().as_secs_f64().max(1e-6);
    sender.join().map_err(|_| std::io::Error::other("the sender failed"))??;
    #[expect(clippy::cast_precision_loss, reason = "the number of bytes is far below 2^52")]
    let gbps = BYTES as f64 * 8.0 / 1e9 / seconds;
    Ok((gbps * 10.0).floor() / 10.0)
}
