//! `local_node_pool`: slots over this machine's hardware that nobody else can be promised.

use std::path::Path;

use sdk::native::Object;
use sdk::{Block, Problems, Schema};
use value::{Type, Value};

use super::{Env, Fault, Work, at_least, whole};
use crate::discovery::Machine;
use crate::error::LocalError;
use crate::home::Kind;
use crate::ledger::{self, Request};

pub(super) struct NodePool;

fn node_type() -> Type {
    Type::object([
        ("name", Type::String),
        ("vcpus", Type::Number),
        ("memory_mib", Type::Number),
        ("gpus", Type::list(Type::String)),
    ])
}

impl Work for NodePool {
    const NAME: &'static str = "local_node_pool";
    const KIND: Kind = Kind::NodePool;

    fn schema(&self) -> Schema {
        let block = Block::new()
            .describe("Named slots over this machine's CPUs, memory and GPUs, reserved so that two stacks cannot promise the same.")
            .required("name", Type::String, "A name for people.")
            .required("nodes", Type::Number, "How many slots.")
            .required("vcpus_per_node", Type::Number, "Hardware threads of each slot.")
            .required("memory_mib_per_node", Type::Number, "Memory of each slot, in MiB.")
            .optional("gpus_per_node", Type::Number, "GPUs of each slot.")
            .computed("node", Type::list(node_type()), "The slots.")
            .recomputed(&["node"], &["name", "nodes", "vcpus_per_node", "memory_mib_per_node", "gpus_per_node"])
            .computed("id", Type::String, "Unique on this machine.");
        Schema { version: 0, block }
    }

    fn validate(&self, config: &Value) -> Problems {
        let mut problems = at_least(config, &["nodes", "vcpus_per_node", "memory_mib_per_node"], 1);
        problems.extend(at_least(config, &["gpus_per_node"], 0));
        problems
    }

    fn make(&self, env: &Env, id: &str, _: &Path, planned: &Value) -> Result<Value, Fault> {
        let name = planned.text("name").unwrap_or_default();
        let nodes = whole(planned, "nodes", 1);
        let (vcpus, memory) =
            (whole(planned, "vcpus_per_node", 1), whole(planned, "memory_mib_per_node", 1));
        let gpus = whole(planned, "gpus_per_node", 0);
        let machine = Machine::discover(&env.home.root)?;
        let request = Request {
            holder: format!("{name} of {}", env.working_dir.display()),
            vcpus: nodes * vcpus,
            memory_mib: nodes * memory,
            gpus: nodes * gpus,
            ..Request::default()
        };
        let promise = ledger::reserve(&env.home, &machine, id, &request)?;
        let mut left = promise.gpus.into_iter();
        let slots = (0..nodes)
            .map(|at| {
                let own = left
                    .by_ref()
                    .take(usize::try_from(gpus).unwrap_or(0))
                    .map(Value::from)
                    .collect();
                Value::object([
                    ("name", Value::from(format!("{name}-{at}"))),
                    ("vcpus", Value::from(vcpus)),
                    ("memory_mib", Value::from(memory)),
                    ("gpus", Value::list(Type::String, own)),
                ])
            })
            .collect();
        Ok(planned.clone().with_attr("node", Value::list(node_type(), slots)))
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
