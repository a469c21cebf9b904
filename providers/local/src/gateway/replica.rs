//! One model server, from start to end.

use std::fs::File;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::process::{Child, Command};
use tokio::sync::Notify;

use super::pool::Pool;
use super::proxy;
use crate::process::{self, Identity, MARKER};
use crate::{clock, run};

/// Runs one replica until it ends or is told to.
pub(super) async fn live(pool: Arc<Pool>, number: u64, stop: Arc<Notify>) {
    let fault = serve(&pool, number, &stop).await.err();
    pool.has_ended(number, fault);
}

async fn serve(pool: &Pool, number: u64, stop: &Notify) -> Result<(), String> {
    let port = free_port().map_err(|error| format!("no free port: {error}"))?;
    let mut child = spawn(pool, port)?;
    let process = child.id().and_then(Identity::of).ok_or("it ended at once")?;
    pool.has_process(number, process, port);
    let healthy = tokio::select! {
        healthy = becomes_healthy(pool, port) => healthy,
        ended = child.wait() => Err(words(ended)),
        () = stop.notified() => { end(&mut child, process).await; return Ok(()) }
    };
    if let Err(fault) = healthy {
        end(&mut child, process).await;
        return Err(fault);
    }
    pool.is_ready(number);
    tokio::select! {
        ended = child.wait() => { end_group(process); Err(words(ended)) }
        () = stop.notified() => { end(&mut child, process).await; Ok(()) }
    }
}

fn words(ended: std::io::Result<std::process::ExitStatus>) -> String {
    match ended {
        Ok(status) => format!("the model server ended with {status}"),
        Err(error) => format!("the model server is lost: {error}"),
    }
}

fn free_port() -> std::io::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn spawn(pool: &Pool, port: u16) -> Result<Child, String> {
    let spec = &pool.spec.run;
    let work = pool.folder.join("work");
    let model =
        pool.spec.model_path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    let words: Vec<String> = spec
        .command
        .iter()
        .map(|word| word.replace("{port}", &port.to_string()).replace("{model}", &model))
        .collect();
    let (program, args) = words.split_first().ok_or("its command is empty")?;
    let log_path = run::log_path(&pool.folder);
    let log = || {
        File::options().create(true).append(true).open(&log_path).map_err(|error| error.to_string())
    };
    Command::new(program)
        .args(args)
        .env_clear()
        .envs(process::inherited())
        .envs(run::environment(spec, &work))
        .env("PORT", port.to_string())
        .env("MODEL", model)
        .env(MARKER, &spec.object)
        .current_dir(&work)
        .stdin(Stdio::null())
        .stdout(log()?)
        .stderr(log()?)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cannot run `{program}`: {error}"))
}

async fn becomes_healthy(pool: &Pool, port: u16) -> Result<(), String> {
    let patience = Duration::from_secs(pool.spec.start_timeout_s);
    let start = clock::now();
    loop {
        let seen = match tokio::time::timeout(
            Duration::from_secs(5),
            proxy::ask_health(port, &pool.spec.health_path),
        )
        .await
        {
            Ok(Ok(status)) if status.is_success() => return Ok(()),
            Ok(Ok(status)) => format!("it answers {status}"),
            Ok(Err(error)) => error,
            Err(_) => "it takes longer than 5 s to answer".to_owned(),
        };
        if start.elapsed() >= patience {
            return Err(format!(
                "no healthy answer at `{}` within {} s: {seen}",
                pool.spec.health_path,
                patience.as_secs()
            ));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn end(child: &mut Child, process: Identity) {
    process.signal(Signal::TERM);
    if tokio::time::timeout(Duration::from_secs(3), child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
    end_group(process);
}

/// Ends what a model server started and left behind.
fn end_group(process: Identity) {
    for member in process::members_of_group(process.pid) {
        member.signal(Signal::KILL);
    }
}
