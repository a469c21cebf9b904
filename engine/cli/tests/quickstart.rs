//! The quickstart's whole story: apply, tokens over HTTP, empty plan, drift, repair, destroy, nothing left.
#![allow(missing_docs, clippy::print_stdout, reason = "a test binary")]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use common::{Stack, copy, workspace};

fn post(url: &str, path: &str, body: &str) -> String {
    let address = url.strip_prefix("http://").expect("a URL");
    let mut stream = TcpStream::connect(address).expect("the endpoint listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket");
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("the endpoint takes a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the endpoint answers");
    answer
}

fn only_folder(dir: PathBuf) -> PathBuf {
    let mut found =
        std::fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path());
    let first = found.next().expect("one folder");
    assert!(found.next().is_none(), "there is one object of its kind");
    first
}

/// Process ids of everything that belongs to a home.
fn processes(home: &str) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").expect("processes").flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(home)
    })
    .collect()
}

#[test]
fn quickstart_trains_serves_drifts_and_leaves_nothing() {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: python3 is not on the PATH");
        return;
    }
    let stack = Stack::new(&[]);
    copy(&workspace().join("examples/quickstart"), &stack.dir());

    let applied = stack.ok(&["apply", "-auto-approve"]);
    assert!(applied.contains("5 added, 0 changed, 0 destroyed"), "{applied}");
    assert!(applied.contains("step train: last_loss"), "the loss is reported\n{applied}");

    let url = stack.ok(&["output", "-raw", "url"]);
    let answer = post(&url, "/v1/completions", r#"{"prompt":"The harbour ","max_tokens":12}"#);
    assert!(
        answer.contains("\"text\": \"the st the s"),
        "only the trained model says this\n{answer}"
    );

    let again = stack.run(&["plan", "-detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "nothing is left to do\n{}", again.out);
    assert_eq!(stack.run(&["drift"]).code, Some(0), "in sync");

    // Somebody edits a file in the volume.
    let data = only_folder(stack.home().join("volumes")).join("data/night.txt");
    std::fs::write(&data, "rewritten").expect("the volume can be written");
    let drift = stack.run(&["drift"]);
    assert_eq!(drift.code, Some(2), "{}", drift.out);
    assert!(drift.out.contains("filesystem.corpus.local_volume.this differs"), "{}", drift.out);

    // Somebody deletes what a step has made.
    let steps = only_folder(stack.home().join("pipelines")).join("steps/train/work/model.json");
    std::fs::write(&steps, "{}").expect("the artifact can be written");
    // Somebody kills the gateway.
    let home = stack.home().display().to_string();
    let gateways = processes(&home);
    assert!(!gateways.is_empty(), "the endpoint's processes outlive the command");
    for pid in gateways {
        let _ = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
    }
    std::thread::sleep(Duration::from_millis(300));
    let drift = stack.run(&["drift", "-json"]);
    assert_eq!(drift.code, Some(2), "{}", drift.out);
    for object in ["local_pipeline", "local_endpoint", "local_volume"] {
        assert!(drift.out.contains(object), "{object} has drifted\n{}", drift.out);
    }

    let repaired = stack.ok(&["apply", "-auto-approve"]);
    assert!(
        repaired.contains("step tokenize: unchanged"),
        "what is intact is not run again\n{repaired}"
    );
    assert_eq!(stack.run(&["drift"]).code, Some(0), "apply has repaired it");
    let url = stack.ok(&["output", "-raw", "url"]);
    assert!(
        post(&url, "/v1/completions", r#"{"prompt":"The ","max_tokens":3}"#).contains("200 OK")
    );

    stack.ok(&["destroy", "-auto-approve"]);
    assert_eq!(stack.ok(&["state", "list"]), "", "the state is empty");
    assert_eq!(processes(&home), [0u32; 0], "no process is left");
    for kind in ["volumes", "pipelines", "endpoints", "fabrics", "node-pools"] {
        let left = std::fs::read_dir(stack.home().join(kind)).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{kind} are gone");
    }
    let ledger =
        std::fs::read_to_string(stack.home().join("ledger.json")).expect("the ledger is there");
    assert!(!ledger.contains("holder"), "nothing is promised any more\n{ledger}");
}
