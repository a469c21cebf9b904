//! Interrupts of tests: the first one lets the run end and cleans up, the second one stops at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use crate::ui::Ui;

/// How often the tests were asked to end.
pub(super) struct Interrupts {
    asked: Arc<AtomicBool>,
    /// True from the second interrupt on.
    stop: watch::Receiver<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Interrupts {
    /// Listens from now on, and tells through `ui` what an interrupt does.
    pub(super) fn listen(ui: Ui) -> Self {
        let (sender, stop) = watch::channel(false);
        let asked = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(listen(Arc::clone(&asked), sender, ui));
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

async fn listen(asked: Arc<AtomicBool>, stop: watch::Sender<bool>, ui: Ui) {
    let mut signals = super::super::apply::signals();
    if signals.recv().await.is_none() {
        return;
    }
    asked.store(true, Ordering::Relaxed);
    ui.warn(
        "Interrupted: this run ends, the others are skipped, and what was made is destroyed. \
         Interrupt again to stop at once; nothing is destroyed then.",
    );
    if signals.recv().await.is_none() {
        return;
    }
    let _ = stop.send(true);
    if signals.recv().await.is_some() {
        ui.warn("Stopped at once. What the tests have made may still exist.");
        #[expect(clippy::exit, reason = "the user has asked three times")]
        std::process::exit(1);
    }
}
