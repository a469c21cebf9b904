//! Formats plans, states and what happens in apply, for people and for machines. **Nobody else formats.**
//!
//! In: a [`plan::Plan`], [`apply::Event`]s, a [`state::StateSnapshot`], diagnostics. Out: text. It prints nothing.
//!
//! 1. [`style`]: colours, or none.
//! 2. [`diagnostics`]: errors and warnings with their source lines; and as JSON; [`sarif`](mod@sarif): for code scanners; [`calls`]: where they come from.
//! 3. [`values`]: a value in the language's notation; [`diff`](mod@diff): the difference of two, as lines.
//! 4. [`sheet`]: what people are told of a plan; [`plan_text`], [`plan_html`], [`plan_markdown`]: its forms.
//!    [`plan_json`]: a plan for machines; [`graph_text`]: a graph; [`explain`]: why one thing is planned so.
//! 5. [`progress`], [`live`], [`ui`]: what happens in a run, as lines, as a picture that moves, and as JSON.
//! 6. [`state_text`], [`drift`], [`history`]: a state; what differs from it; how it came about.
//! 7. [`catalog`](mod@catalog): tables of what backends sell. [`cost`]: what a plan costs.

pub mod style;

pub mod calls;
pub mod diagnostics;

pub mod diff;
pub mod values;

pub mod sheet;

pub(crate) mod config_json;
pub mod graph_text;
pub mod plan_html;
pub mod plan_json;
pub mod plan_markdown;
pub mod plan_text;
pub mod providers_text;
pub mod values_json;

pub mod live;
pub mod progress;
pub mod ui;

pub mod catalog;
pub mod config_text;
pub mod console;
pub mod cost;
pub mod drift;
pub mod explain;
pub mod findings;
pub mod history;
pub mod sarif;
pub mod schema_json;
pub mod state_text;

pub mod junit;
pub mod test;

pub use style::Style;
