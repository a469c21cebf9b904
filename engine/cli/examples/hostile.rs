//! A provider that breaks the protocol on demand, for tests of hosts.
//!
//! `HOSTILE` says how: `CALL:FAULT`, such as `PlanResourceChange:crash`, or a fault of the start alone.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit,
    reason = "a program for tests"
)]

use std::sync::Arc;
use std::time::Duration;

use protocol::serve::{self, ServeOptions};
use sdk::native::{Call, Object};
use sdk::{
    Block, Context, Created, Factory, NativeProvider, Problem, Provider, ProviderError, Resource,
    Schema, async_trait,
};
use value::{Type, Value};

struct Thing;

#[async_trait]
impl Resource for Thing {
    fn name(&self) -> &'static str {
        "hostile_thing"
    }

    fn schema(&self) -> Schema {
        let block = Block::new().required("name", Type::String, "A name.").computed(
            "id",
            Type::String,
            "Its id.",
        );
        Schema { version: 0, block }
    }

    async fn create(&self, planned: Value, _: Call<'_>) -> Created {
        let id = format!("id-{}", planned.text("name").unwrap_or_default());
        Created::of(planned.with_attr("id", Value::from(id.as_str())))
    }

    async fn read(&self, current: Value, _: Call<'_>) -> Result<Value, Problem> {
        Ok(current)
    }

    async fn update(&self, _: Value, planned: Value, _: Call<'_>) -> Created {
        Created::of(planned)
    }

    async fn delete(&self, _: Value, _: Call<'_>) -> Result<(), Problem> {
        Ok(())
    }
}

struct Hostile;

#[async_trait]
impl Factory for Hostile {
    fn address(&self) -> address::ProviderAddress {
        address::ProviderAddress {
            namespace: "test".into(),
            ..address::ProviderAddress::implied("hostile")
        }
    }

    async fn create(&self) -> Result<Arc<dyn Provider>, ProviderError> {
        Ok(Arc::new(NativeProvider::new(Schema::default(), vec![Box::new(Thing)], Vec::new())))
    }
}

/// Replaces a text in an answer by another of the same length, so that the message stays whole.
fn replace(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    if let Some(at) = bytes.windows(from.len()).position(|window| window == from) {
        bytes[at..at + from.len()].copy_from_slice(to);
    }
    bytes
}

fn tamper(fault: &str, bytes: Vec<u8>) -> Vec<u8> {
    match fault {
        "crash" => {
            eprintln!("panic: out of cheese");
            std::process::exit(3);
        }
        "hang" => loop {
            std::thread::sleep(Duration::from_secs(3600));
        },
        "late" => {
            std::thread::sleep(Duration::from_millis(300));
            bytes
        }
        // The object's name becomes a number of six digits, cut out of its bytes.
        "wrong-type" => replace(bytes, b"\xa6victim", b"\xce\x00\x00\x00\x00\xc0\xc0"),
        "other-name" => replace(bytes, b"\xa6victim", b"\xa6stoolo"),
        "not-utf8" => replace(bytes, b"\xa6victim", b"\xa6vic\xfftm"),
        "extra" => replace(bytes, b"\xa4name", b"\xa4nome"),
        "null" => replace(bytes, b"\xa6victim", b"\xc0\xc0\xc0\xc0\xc0\xc0\xc0"),
        "unknown" => {
            // The id is a string of nine bytes; an extension of eight takes its place.
            replace(bytes, b"\xa9id-victim", b"\xd7\x00\x00\x00\x00\x00\x00\x00\x00\x00")
        }
        "garbage" => vec![0xff; 40],
        "orphan" => {
            let _ = std::process::Command::new("setsid")
                .args(["sh", "-c", "exec -a hostile-orphan sleep 300"])
                .spawn();
            std::thread::sleep(Duration::from_millis(50));
            bytes
        }
        _ => bytes,
    }
}

fn main() {
    let hostile = std::env::var("HOSTILE").unwrap_or_default();
    match hostile.as_str() {
        "junk" => return println!("Loading plugin, please wait"),
        "old" => return println!("1|4|unix|/nowhere|grpc|"),
        "silent" => std::process::exit(7),
        "nobody-listens" => {
            println!("1|6|unix|/nowhere/at/all|grpc|");
            std::thread::sleep(Duration::from_secs(3600));
        }
        _ => {}
    }
    let (call, fault) = hostile.split_once(':').unwrap_or_default();
    let (call, fault) = (call.to_owned(), fault.to_owned());
    let env = |name: &str| std::env::var(name).ok();
    let options = ServeOptions {
        cookie: env(protocol::handshake::COOKIE_NAME),
        versions: env("PLUGIN_PROTOCOL_VERSIONS"),
        client_certificate: env("PLUGIN_CLIENT_CERT"),
        tamper: Some(Arc::new(
            move |name: &str, bytes: Vec<u8>| {
                if name == call { tamper(&fault, bytes) } else { bytes }
            },
        )),
        tcp: env("HOSTILE_TCP").is_some(),
        ..ServeOptions::default()
    };
    let context = Context {
        working_dir: ".".into(),
        executable: std::env::current_exe().unwrap_or_default(),
        engine_version: String::new(),
        home_dir: std::env::temp_dir(),
        deferral_allowed: false,
        reuse_answers: false,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    if let Err(message) = runtime.block_on(serve::serve(Arc::new(Hostile), context, options)) {
        eprintln!("{message}");
        std::process::exit(1);
    }
}
