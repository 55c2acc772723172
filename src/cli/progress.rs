//! The progress bar on a terminal's stderr; silent elsewhere.

use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::collect::run::Watch;

/// Tells a person how far a collection is.
#[derive(Debug)]
pub(super) struct Bar {
    bar: Mutex<Option<ProgressBar>>,
}

impl Bar {
    pub(super) fn new(shown: bool) -> Self {
        let bar = shown.then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(8));
            if let Ok(style) = ProgressStyle::with_template("{msg:<18} {wide_bar} {pos}/{len}  {per_sec}  {eta}") {
                bar.set_style(style);
            }
            bar
        });
        Self { bar: Mutex::new(bar) }
    }

    pub(super) fn finish(&self) {
        if let Ok(mut bar) = self.bar.lock()
            && let Some(bar) = bar.take()
        {
            bar.finish_and_clear();
        }
    }

    fn with(&self, show: impl FnOnce(&ProgressBar)) {
        if let Ok(bar) = self.bar.lock()
            && let Some(bar) = bar.as_ref()
        {
            show(bar);
        }
    }
}

impl Watch for Bar {
    fn phase(&self, what: &str, steps: usize) {
        self.with(|bar| {
            bar.reset();
            bar.set_length(steps as u64);
            bar.set_message(what.to_owned());
        });
    }

    fn step(&self) {
        self.with(|bar| bar.inc(1));
    }
}
