//! The replicas of an endpoint: who gets which, when one is started, when one is stopped.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::replica;
use super::{DEGRADED, EndpointSpec, EndpointStatus, FAILED, READY, ReplicaStatus, STARTING};
use crate::process::Identity;
use crate::{clock, files};

/// All replicas, and the counts that `/metrics` shows.
pub(super) struct Pool {
    pub(super) spec: EndpointSpec,
    pub(super) folder: PathBuf,
    gateway: Identity,
    port: u16,
    state: Mutex<State>,
    /// Something has changed that somebody may wait for.
    changed: Notify,
    given_up: Notify,
}

struct State {
    replicas: Vec<Replica>,
    next: u64,
    waiting: u64,
    state: &'static str,
    reason: String,
    last_active: Instant,
    counts: Counts,
    draining: bool,
}

struct Replica {
    number: u64,
    /// There once it has a process.
    process: Option<(Identity, u16)>,
    ready: bool,
    in_flight: u64,
    stopping: bool,
    stop: Arc<Notify>,
}

/// What has happened since the gateway started.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) requests: u64,
    pub(super) rejected: u64,
    pub(super) failed: u64,
    pub(super) starts: u64,
    pub(super) deaths: u64,
}

/// A place at a replica. Given back when it is dropped.
pub(super) struct Seat {
    pool: Arc<Pool>,
    number: u64,
    pub(super) port: u16,
}

/// Why a request got no seat.
pub(super) enum Refusal {
    /// Too many wait already.
    Full,
    /// A replica was started for it and did not come up.
    NotHealthy(String),
}

impl Pool {
    pub(super) fn new(spec: EndpointSpec, folder: PathBuf, gateway: Identity, port: u16) -> Self {
        let state = State {
            replicas: Vec::new(),
            next: 0,
            waiting: 0,
            state: STARTING,
            reason: String::new(),
            last_active: clock::now(),
            counts: Counts::default(),
            draining: false,
        };
        Self {
            spec,
            folder,
            gateway,
            port,
            state: Mutex::new(state),
            changed: Notify::new(),
            given_up: Notify::new(),
        }
    }

    /// Starts what must be there from the beginning. One replica is started even where none has to stay,
    /// so that a model server that cannot work is found out now.
    pub(super) fn start_first(self: &Arc<Self>) {
        let mut state = self.lock();
        for _ in 0..self.spec.scale.min.max(1) {
            self.start_one(&mut state);
        }
        self.record(&state);
    }

    /// Waits for a place at a replica, and starts one where that helps.
    pub(super) async fn seat(self: &Arc<Self>) -> Result<Seat, Refusal> {
        let mut waits = false;
        let result = loop {
            // Asked for before the look, so that no change in between is missed.
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.try_seat(&mut waits) {
                Some(result) => break result,
                None => changed.await,
            }
        };
        if waits {
            self.lock().waiting -= 1;
        }
        result
    }

    fn try_seat(self: &Arc<Self>, waits: &mut bool) -> Option<Result<Seat, Refusal>> {
        let mut state = self.lock();
        state.last_active = clock::now();
        let limit = self.spec.scale.target_concurrency;
        let free = state
            .replicas
            .iter_mut()
            .filter(|one| one.ready && !one.stopping && one.in_flight < limit);
        let free = free.filter_map(|one| one.process.map(|(_, port)| (one, port)));
        if let Some((replica, port)) = free.min_by_key(|(one, _)| one.in_flight) {
            replica.in_flight += 1;
            let seat = Seat { pool: Arc::clone(self), number: replica.number, port };
            state.counts.requests += 1;
            return Some(Ok(seat));
        }
        if !*waits {
            if state.waiting >= self.spec.scale.max_queue || state.draining {
                state.counts.rejected += 1;
                return Some(Err(Refusal::Full));
            }
            *waits = true;
            state.waiting += 1;
            let starting =
                state.replicas.iter().filter(|one| !one.ready && !one.stopping).count() as u64;
            if (state.replicas.len() as u64) < self.spec.scale.max
                && starting * limit < state.waiting
            {
                self.start_one(&mut state);
                self.record(&state);
            }
            return None;
        }
        if state.replicas.iter().any(|one| !one.stopping) {
            return None;
        }
        if state.replicas.is_empty() && state.counts.starts > 0 && !state.reason.is_empty() {
            state.counts.failed += 1;
            return Some(Err(Refusal::NotHealthy(state.reason.clone())));
        }
        self.start_one(&mut state);
        self.record(&state);
        None
    }

    fn start_one(self: &Arc<Self>, state: &mut State) {
        let number = state.next;
        state.next += 1;
        state.counts.starts += 1;
        let stop = Arc::new(Notify::new());
        state.replicas.push(Replica {
            number,
            process: None,
            ready: false,
            in_flight: 0,
            stopping: false,
            stop: Arc::clone(&stop),
        });
        tokio::spawn(replica::live(Arc::clone(self), number, stop));
    }

    /// A replica has a process now.
    pub(super) fn has_process(&self, number: u64, process: Identity, port: u16) {
        self.edit(number, |one| one.process = Some((process, port)));
    }

    /// A replica answers as healthy.
    pub(super) fn is_ready(&self, number: u64) {
        self.edit(number, |one| one.ready = true);
        let mut state = self.lock();
        state.last_active = clock::now();
        state.reason.clear();
        if state.state == STARTING {
            state.state = READY;
        }
        self.record(&state);
    }

    /// A replica has ended. `fault` says why, where nobody had asked it to.
    pub(super) fn has_ended(self: &Arc<Self>, number: u64, fault: Option<String>) {
        let mut state = self.lock();
        let was_ready = state.replicas.iter().any(|one| one.number == number && one.ready);
        state.replicas.retain(|one| one.number != number);
        if let Some(fault) = fault.filter(|_| !state.draining) {
            state.counts.deaths += 1;
            state.reason = fault;
            if state.state == STARTING {
                state.state = FAILED;
                self.given_up.notify_one();
            } else {
                state.state = DEGRADED;
                // One that served is replaced; one that never came up would only fail again.
                if was_ready && (state.replicas.len() as u64) < self.spec.scale.min {
                    self.start_one(&mut state);
                }
            }
        }
        self.record(&state);
        drop(state);
        self.changed.notify_waiters();
    }

    /// Stops replicas that have had nothing to do for long, down to the fewest that stay.
    pub(super) fn stop_idle(&self) {
        let mut state = self.lock();
        let patience = Duration::from_secs(self.spec.scale.idle_to_zero_s);
        let busy =
            state.waiting > 0 || state.replicas.iter().any(|one| one.in_flight > 0 || !one.ready);
        if busy || state.last_active.elapsed() < patience {
            return;
        }
        let keep = usize::try_from(self.spec.scale.min).unwrap_or(usize::MAX);
        for one in state.replicas.iter_mut().filter(|one| !one.stopping).skip(keep) {
            one.stopping = true;
            one.stop.notify_one();
        }
        self.record(&state);
    }

    /// Resolves once no replica came up at the start.
    pub(super) async fn given_up(&self) {
        self.given_up.notified().await;
    }

    /// Lets running requests end, for so long, and stops all replicas.
    pub(super) async fn drain(&self, patience: Duration) {
        self.lock().draining = true;
        let wait_for = |done: fn(&State) -> bool| async move {
            while !done(&self.lock()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(
            patience,
            wait_for(|state| state.replicas.iter().all(|one| one.in_flight == 0)),
        )
        .await;
        for one in &mut self.lock().replicas {
            one.stopping = true;
            one.stop.notify_one();
        }
        let _ = tokio::time::timeout(
            Duration::from_secs(10),
            wait_for(|state| state.replicas.is_empty()),
        )
        .await;
    }

    /// The counts in Prometheus' text form.
    pub(super) fn metrics(&self) -> String {
        let state = self.lock();
        let in_flight: u64 = state.replicas.iter().map(|one| one.in_flight).sum();
        let ready = state.replicas.iter().filter(|one| one.ready).count() as u64;
        let name = self.spec.run.name.replace('\\', "\\\\").replace('"', "\\\"");
        let rows = [
            ("requests_total", "counter", "Requests that were passed on.", state.counts.requests),
            (
                "requests_rejected_total",
                "counter",
                "Requests past the queue.",
                state.counts.rejected,
            ),
            (
                "requests_failed_total",
                "counter",
                "Requests that got no answer from a replica.",
                state.counts.failed,
            ),
            ("replica_starts_total", "counter", "Replicas started.", state.counts.starts),
            (
                "replica_deaths_total",
                "counter",
                "Replicas that ended by themselves.",
                state.counts.deaths,
            ),
            ("requests_in_flight", "gauge", "Requests that replicas work on.", in_flight),
            ("requests_waiting", "gauge", "Requests in the queue.", state.waiting),
            ("replicas", "gauge", "Replicas, starting ones too.", state.replicas.len() as u64),
            ("replicas_ready", "gauge", "Healthy replicas.", ready),
        ];
        rows.iter().fold(String::new(), |text, (metric, kind, help, count)| {
            let metric = format!("stratiform_endpoint_{metric}");
            format!("{text}# HELP {metric} {help}\n# TYPE {metric} {kind}\n{metric}{{endpoint=\"{name}\"}} {count}\n")
        })
    }

    /// Counts a request that a replica did not answer.
    pub(super) fn count_failed(&self) {
        self.lock().counts.failed += 1;
    }

    fn edit(&self, number: u64, change: impl FnOnce(&mut Replica)) {
        let mut state = self.lock();
        if let Some(one) = state.replicas.iter_mut().find(|one| one.number == number) {
            change(one);
        }
        self.record(&state);
        drop(state);
        self.changed.notify_waiters();
    }

    fn record(&self, state: &State) {
        let replicas = state.replicas.iter().filter(|one| !one.stopping).filter_map(|one| {
            let (process, port) = one.process?;
            Some(ReplicaStatus { process, port, ready: one.ready })
        });
        let status = EndpointStatus {
            gateway: self.gateway,
            port: self.port,
            state: state.state.to_owned(),
            reason: state.reason.clone(),
            replicas: replicas.collect(),
        };
        // A full disk must not end the service; readers then see the last record.
        let _ = files::write_record(&self.folder.join("status.json"), &status);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.pool.lock().last_active = clock::now();
        let mut state = self.pool.lock();
        if let Some(one) = state.replicas.iter_mut().find(|one| one.number == self.number) {
            one.in_flight -= 1;
        }
        drop(state);
        self.pool.changed.notify_waiters();
    }
}
