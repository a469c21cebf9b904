//! What components ask for, as the rules of models need it: a pipeline's steps, an endpoint, the cluster they run on.
//!
//! The one place that knows the inputs of component types. What is not set is `None`; what is not known yet is `None`
//! too, and the rule waits for it.

use catalog::{Chip, offer::same_chip};
use value::Value;

use crate::model::GIB;
use crate::rule::Found;
use crate::subject::{Field, Subject, field, number, text};

const MIB: f64 = GIB / 1024.0;

/// The machines that a component runs on.
#[derive(Debug, Clone)]
pub(crate) struct Cluster<'f> {
    /// The component.
    pub(crate) subject: &'f Subject<'f>,
    /// How many nodes.
    pub(crate) nodes: f64,
    /// All accelerators.
    pub(crate) devices: f64,
    /// What they are, if the catalog knows it.
    pub(crate) chip: Option<&'f Chip>,
    /// Memory of each, in bytes.
    pub(crate) memory: Option<f64>,
    /// What each node's network carries, in bytes a second.
    pub(crate) node_rate: Option<f64>,
}

impl<'f> Cluster<'f> {
    /// The cluster that an argument refers to. Says what it waits for.
    pub(crate) fn of(subject: &Subject<'_>, found: &mut Found<'f>) -> Option<Self> {
        let cluster = subject.linked(found, "cluster", "cluster").next()?;
        let inputs = cluster.planned;
        let nodes = known(number(inputs, "nodes"), "nodes", found)?;
        let accelerator = known(field(inputs, "accelerator"), "accelerator", found)?;
        let devices = number(accelerator, "count").known().filter(|count| *count > 0.0)?;
        let wanted = text(accelerator, "type").known().unwrap_or_default();
        let chip = chip(cluster, wanted, found);
        let told = cluster.offered("accelerator_memory_mib");
        let catalogued = chip.and_then(|chip| chip.memory_mib);
        #[expect(clippy::cast_precision_loss, reason = "chips have less than 2⁵³ MiB")]
        let memory = told.or(catalogued.map(|mib| mib as f64)).map(|mib| mib * MIB);
        let fabric = cluster.linked(found, "fabric", "fabric").next();
        let asked = fabric.and_then(|fabric| number(fabric.planned, "node_gbps").known());
        let gbps = cluster.offered("network_gbps").or(asked);
        Some(Self {
            subject: cluster,
            nodes,
            devices,
            chip,
            memory,
            node_rate: gbps.map(|gbps| gbps * 1e9 / 8.0),
        })
    }

    /// Accelerators of a node.
    pub(crate) fn per_node(&self) -> f64 {
        (self.devices / self.nodes).max(1.0)
    }

    /// How many accelerators share the scale-up link: those of a node, or of a rack where the link leaves the node.
    pub(crate) fn domain(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a rack has few chips")]
        let shared = self.chip.and_then(|chip| chip.domain_chips).map(|chips| chips as f64);
        match shared {
            Some(shared) if shared > 16.0 => shared.min(self.devices),
            Some(shared) => shared.min(self.per_node()),
            None => self.per_node(),
        }
    }

    /// Operations a second of one accelerator in a precision, dense.
    pub(crate) fn peak(&self, precision: &str) -> Option<f64> {
        let chip = self.chip?;
        let tflops = match precision {
            "fp8" => chip.fp8_tflops.or(chip.bf16_tflops),
            "bf16" | "fp16" | "int4" | "int8" | "fp4" => chip.bf16_tflops,
            _ => None,
        };
        tflops.map(|tflops| tflops * 1e12)
    }

    /// What the whole costs in an hour, in US dollars.
    pub(crate) fn usd_per_hour(&self) -> Option<f64> {
        Some(self.subject.offered("price_usd_per_hour")? * self.machines()?)
    }

    /// How many machines it was placed on.
    #[expect(clippy::cast_precision_loss, reason = "nobody has so many machines")]
    pub(crate) fn machines(&self) -> Option<f64> {
        Some(self.subject.decision?.machines as f64)
    }

    /// The file system that a mount is.
    pub(crate) fn mounted(&self, mount: &str, found: &Found<'f>) -> Option<&'f Subject<'f>> {
        self.subject.linked_at(found, &["mounts", mount], "filesystem").next()
    }
}

impl Subject<'_> {
    /// A number that is known about the offer of a component.
    pub(crate) fn offered(&self, name: &str) -> Option<f64> {
        self.decision?.offer_attributes.get(name)?.as_f64()
    }
}

/// The chip of the offer, else the one that was asked for. `None` if the catalog has none, or several of the name.
fn chip<'c>(cluster: &Subject<'_>, wanted: &str, found: &mut Found<'c>) -> Option<&'c Chip> {
    let catalog = found.catalog;
    let offer = cluster.decision.map(|decision| &decision.offer_attributes);
    let sold = offer.and_then(|offer| offer.get("accelerator")).and_then(|name| name.as_str());
    if let Some(chip) = sold.and_then(|name| catalog.chips.get(name)) {
        return Some(chip);
    }
    let models = offer.and_then(|offer| offer.get("gpus")).and_then(|gpus| gpus.as_array());
    let model = models.into_iter().flatten().find_map(|model| model.as_str());
    let mut meant: Vec<&Chip> = match model {
        Some(model) => catalog.chips.values().filter(|chip| is_model(chip, model)).collect(),
        None => catalog.chips.values().filter(|chip| same_chip(&chip.name, wanted)).collect(),
    };
    if let Some(exact) = meant.iter().find(|chip| chip.name.eq_ignore_ascii_case(wanted)) {
        meant = vec![*exact];
    }
    if meant.len() > 1 {
        let names: Vec<&str> = meant.iter().map(|chip| &*chip.name).collect();
        found.wait_for(&format!("accelerator.type, one of {}", names.join(", ")));
    }
    (meant.len() == 1).then(|| meant[0])
}

/// Whether a driver's name of a model, such as `NVIDIA A100-SXM4-80GB`, is a chip's.
fn is_model(chip: &Chip, model: &str) -> bool {
    let words: Vec<&str> = model.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    chip.name.split('-').all(|part| words.iter().any(|word| word.eq_ignore_ascii_case(part)))
}

/// A step of a pipeline, or an endpoint, and what it says of its model.
pub(crate) struct Workload<'v> {
    /// What it is called in messages.
    pub(crate) name: String,
    /// The step's label.
    pub(crate) step: Option<String>,
    /// The step, or the endpoint's inputs.
    pub(crate) whole: &'v Value,
    /// Its `workload`.
    model: &'v Value,
}

impl<'v> Workload<'v> {
    /// The steps of a pipeline that say what they train.
    pub(crate) fn steps(subject: &Subject<'v>, found: &mut Found<'_>) -> Vec<Self> {
        let mut all = Vec::new();
        let Some(steps) = known(field_of(subject.planned, "step"), "step", found) else {
            return all;
        };
        for (name, step) in steps.entries().into_iter().flatten() {
            if let Some(model) = known(field_of(step, "workload"), "workload", found) {
                let (name, step_name) = (format!("step `{name}`"), Some(name.to_string()));
                all.push(Self { name, step: step_name, whole: step, model });
            }
        }
        all
    }

    /// All steps of a pipeline, as name and value.
    pub(crate) fn all_steps(
        subject: &Subject<'v>,
        found: &mut Found<'_>,
    ) -> Vec<(String, &'v Value)> {
        let steps = known(field_of(subject.planned, "step"), "step", found);
        let steps = steps.and_then(Value::entries).into_iter().flatten();
        steps.map(|(name, step)| (name.to_string(), step)).collect()
    }

    /// An endpoint that says what it serves.
    pub(crate) fn served(subject: &Subject<'v>, found: &mut Found<'_>) -> Option<Self> {
        let whole = subject.planned;
        let model = known(field_of(whole, "workload"), "workload", found)?;
        Some(Self { name: "the endpoint".to_owned(), step: None, whole, model })
    }

    /// A number of the workload.
    pub(crate) fn number(&self, name: &str, found: &mut Found<'_>) -> Option<f64> {
        known(number(self.model, name), name, found)
    }

    /// The same, or 1.
    pub(crate) fn degree(&self, name: &str, found: &mut Found<'_>) -> f64 {
        self.number(name, found).unwrap_or(1.0).max(1.0)
    }

    /// A word of the workload.
    pub(crate) fn word(&self, name: &str, found: &mut Found<'_>) -> Option<&'v str> {
        known(text(self.model, name), name, found)
    }

    /// All parameters.
    pub(crate) fn parameters(&self, found: &mut Found<'_>) -> Option<f64> {
        self.number("params_billion", found).map(|billion| billion * 1e9)
    }

    /// Parameters that each token meets.
    pub(crate) fn active(&self, found: &mut Found<'_>) -> Option<f64> {
        let active = self.number("active_params_billion", found).map(|billion| billion * 1e9);
        active.or_else(|| self.parameters(found))
    }
}

/// An argument of a value that may live longer than the subject it was read from.
fn field_of<'v>(object: &'v Value, name: &str) -> Field<&'v Value> {
    // The whole of a workload may hold a value that is not known: each of its parts says so itself.
    match object.get_attr(name) {
        _ if object.is_unknown() => Field::Unknown,
        None => Field::Absent,
        Some(value) if value.is_unknown() || !value.marks().is_empty() => Field::Unknown,
        Some(value) if value.is_null() => Field::Absent,
        Some(value) => Field::Known(value),
    }
}

/// The value; if it is not known yet, the rule waits for it.
pub(crate) fn known<T>(value: Field<T>, name: &str, found: &mut Found<'_>) -> Option<T> {
    if value.is_unknown() {
        found.wait_for(name);
    }
    value.known()
}

/// Bytes in gigabytes of 10⁹, with one digit behind the point.
pub(crate) fn gb(bytes: f64) -> String {
    format!("{:.1} GB", bytes / 1e9)
}

/// Seconds as people say them.
pub(crate) fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} days", s / 86_400.0),
    }
}
