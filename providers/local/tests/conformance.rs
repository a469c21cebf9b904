//! Every resource of this provider keeps the promises of the SDK, on the real machine in a home of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sdk::Factory;
use sdk::conformance::{Case, check_resource};
use sdk::native::Object;
use stratiform_provider_local::LocalFactory;
use value::Value;

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a folder") }
    }

    fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    async fn check(&self, type_name: &'static str, config: Value, change: Change) {
        check_resource(Case {
            provider: LocalFactory.create().await.expect("a provider"),
            settings: Value::empty_object(),
            context: sdk::Context {
                working_dir: self.dir.path().to_owned(),
                executable: env!("CARGO_BIN_EXE_stratiform-local-helper").into(),
                engine_version: String::new(),
                home_dir: self.home(),
                deferral_allowed: false,
                reuse_answers: false,
            },
            type_name,
            config,
            changed: Some(change.to),
            bad: Some(change.bad),
            meddle: Some(change.meddle),
        })
        .await;
        let left = Command::new("find").arg(self.home()).args(["-name", "object.json"]).output();
        assert_eq!(left.expect("find runs").stdout, b"", "no object is left");
    }
}

struct Change {
    to: Value,
    bad: Value,
    meddle: Box<dyn Fn(&Value) + Send + Sync>,
}

fn object<const N: usize>(attributes: [(&'static str, Value); N]) -> Value {
    Value::object(attributes)
}

fn words(words: &[&str]) -> Value {
    Value::list(value::Type::String, words.iter().map(|word| Value::from(*word)).collect())
}

/// Removes what the machine has promised to an object.
fn forget_promise(home: PathBuf) -> Box<dyn Fn(&Value) + Send + Sync> {
    Box::new(move |_| fs::remove_file(home.join("ledger.json")).expect("there are promises"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_pool_keeps_the_promises() {
    let place = Place::new();
    let pool = |memory: i64| {
        object([
            ("name", "p".into()),
            ("nodes", 1.into()),
            ("vcpus_per_node", 1.into()),
            ("memory_mib_per_node", memory.into()),
        ])
    };
    let change = Change { to: pool(32), bad: pool(0), meddle: forget_promise(place.home()) };
    place.check("local_node_pool", pool(16), change).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fabric_keeps_the_promises() {
    let place = Place::new();
    let fabric = |nodes: i64| object([("name", "f".into()), ("nodes", nodes.into())]);
    let change = Change { to: fabric(3), bad: fabric(0), meddle: forget_promise(place.home()) };
    place.check("local_fabric", fabric(2), change).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_keeps_the_promises() {
    let place = Place::new();
    let source = place.dir.path().join("source");
    fs::create_dir(&source).expect("made");
    fs::write(source.join("a.txt"), "some text").expect("written");
    let source = source.display().to_string();
    let volume = |gib: i64| {
        object([
            ("name", "v".into()),
            ("capacity_gib", gib.into()),
            ("source", source.as_str().into()),
        ])
    };
    let meddle = |object: &Value| {
        let path = Path::new(object.text("path").expect("a path")).join("a.txt");
        fs::write(path, "other text").expect("written");
    };
    let change = Change { to: volume(2), bad: volume(-1), meddle: Box::new(meddle) };
    place.check("local_volume", volume(1), change).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_keeps_the_promises() {
    let place = Place::new();
    let job = |text: &str, restart: &str| {
        object([
            ("name", "j".into()),
            ("command", words(&["sh", "-c", &format!("echo {text} > out.txt")])),
            ("outputs", Value::map(value::Type::String, [("text", Value::from("out.txt"))])),
            ("restart", restart.into()),
        ])
    };
    let meddle = |object: &Value| {
        let artifact = object.get_attr("artifacts").and_then(|all| all.get_attr("text")).cloned();
        let path = artifact.expect("an artifact").text("path").expect("a path").to_owned();
        fs::write(path, "something else").expect("written");
    };
    let change =
        Change { to: job("two", "never"), bad: job("one", "sometimes"), meddle: Box::new(meddle) };
    place.check("local_job", job("one", "on_failure"), change).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_nobody_waits_for_keeps_the_promises() {
    let place = Place::new();
    let job = |seconds: i64| {
        object([
            ("name", "daemon".into()),
            ("command", words(&["sleep", &seconds.to_string()])),
            ("restart", "always".into()),
            ("wait", false.into()),
        ])
    };
    let bad = job(1).with_attr("wait", true.into());
    let home = place.home();
    let meddle = move |object: &Value| {
        let id = object.text("id").expect("an id");
        let status = home.join("jobs").join(id).join("run/status.json");
        let text = fs::read_to_string(status).expect("a status");
        let status: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let supervisor = status["supervisor"]["pid"].to_string();
        let killed = Command::new("kill").args(["-9", &supervisor]).status();
        assert!(killed.expect("kill runs").success());
        std::thread::sleep(std::time::Duration::from_millis(300));
    };
    let change = Change { to: job(500), bad, meddle: Box::new(meddle) };
    place.check("local_job", job(600), change).await;
    let left =
        Command::new("pgrep").args(["-f", "^sleep (500|600)$"]).output().expect("pgrep runs");
    assert_eq!(String::from_utf8_lossy(&left.stdout), "", "no process is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_keeps_the_promises() {
    let place = Place::new();
    let pipeline = |text: &str, needs: &[&str]| {
        let step = |command: String, needs: &[&str], output: &str| {
            let name = output.trim_end_matches(".txt").to_owned();
            object([
                ("command", words(&["sh", "-c", &command])),
                ("needs", words(needs)),
                (
                    "outputs",
                    Value::map(value::Type::String, [(name.as_str(), Value::from(output))]),
                ),
            ])
        };
        let steps = Value::object([
            ("make", step(format!("echo {text} > first.txt"), &[], "first.txt")),
            ("side", step("echo side > side.txt".to_owned(), &[], "side.txt")),
            ("use", step("cat first > second.txt".to_owned(), needs, "second.txt")),
        ]);
        object([("name", "p".into()), ("steps", steps)])
    };
    let meddle = |object: &Value| {
        let artifact = object.get_attr("artifacts").and_then(|all| all.get_attr("second")).cloned();
        let path = artifact.expect("an artifact").text("path").expect("a path").to_owned();
        fs::write(path, "something else").expect("written");
    };
    let change = Change {
        to: pipeline("two", &["make"]),
        bad: pipeline("one", &["nobody"]),
        meddle: Box::new(meddle),
    };
    place.check("local_pipeline", pipeline("one", &["make"]), change).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_keeps_the_promises() {
    if !Command::new("python3").arg("--version").output().is_ok_and(|out| out.status.success()) {
        println!("skipped: python3 is not here to serve");
        return;
    }
    let place = Place::new();
    let server = "import sys,http.server as h
class S(h.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers()
    def log_message(self, *a): pass
h.HTTPServer(('127.0.0.1', int(sys.argv[1])), S).serve_forever()";
    let endpoint = |drain: i64, port: i64| {
        let base = object([
            ("name", "e".into()),
            ("command", words(&["python3", "-c", server, "{port}"])),
            ("drain_s", drain.into()),
        ]);
        if port == 0 { base } else { base.with_attr("port", port.into()) }
    };
    let bad = Value::object(
        endpoint(1, 0)
            .entries()
            .into_iter()
            .flatten()
            .map(|(n, v)| (n.to_string(), v.clone()))
            .chain([("port".to_owned(), Value::from(70_000))]),
    );
    let home = place.home();
    let meddle = move |object: &Value| {
        let id = object.text("id").expect("an id");
        let status = home.join("endpoints").join(id).join("status.json");
        let text = fs::read_to_string(status).expect("a status");
        let status: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let gateway = status.pointer("/gateway/pid");
        let pid = gateway.unwrap_or_else(|| panic!("a pid in {text}")).to_string();
        assert!(Command::new("kill").args(["-9", &pid]).status().expect("kill runs").success());
        std::thread::sleep(std::time::Duration::from_millis(300));
    };
    let change = Change { to: endpoint(2, 0), bad, meddle: Box::new(meddle) };
    place.check("local_endpoint", endpoint(1, 0), change).await;
}
