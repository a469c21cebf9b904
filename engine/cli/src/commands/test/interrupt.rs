//! Interrupts of tests: the first one lets the run end and cleans up, the second one stops at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use crate::terminal;

/// How often the tests were asked to end.
pub(super) struct Interrupts {
    asked: Arc<AtomicBool>,
    /// True from the second interrupt on.
    stop: watch::Receiver<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Interrupts {
    /// Listens from now on.
    pub(super) fn listen() -> Self {
        let (sender, stop) = watch::channel(false);
        let asked = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(listen(Arc::clone(&asked), sender));
        Self { asked, stop, task }
    }

    /// Whether no further run is to begin.
    pub(super) fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Whether nothing more is to be done, not even clean-up.
    pub(super) fn at_once(&self) -> bool {
        *self.stop.borrow()
    }

    /// Turns true when what runs is asked to stop.
    pub(super) fn stop(&self) -> watch::Receiver<bool> {
        self.stop.clone()
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(asked: Arc<AtomicBool>, stop: watch::Sender<bool>) {
    let mut signals = super::super::apply::signals();
    if signals.recv().await.is_none() {
        return;
    }
    asked.store(true, Ordering::Relaxed);
    terminal::error_line(
        "\nInterrupted: this run ends, the others are skipped, and what was made is destroyed.\nInterrupt again to stop at once; nothing is destroyed then.\n",
    );
    if signals.recv().await.is_none() {
        return;
    }
    let _ = stop.send(true);
    if signals.recv().await.is_some() {
        terminal::error_line("Stopped at once. What the tests have made may still exist.");
        #[expect(clippy::exit, reason = "the user has asked three times")]
        std::process::exit(1);
    }
}
