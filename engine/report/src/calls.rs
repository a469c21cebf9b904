//! Faults within modules say how the module is called.

use std::fmt;
use std::path::Path;

use config::Configuration;
use miette::{Diagnostic, LabeledSpan};
use syntax::{Diagnostics, SourceMap, Span};

/// The same faults; those within a module that is not the root carry the chain of its calls.
pub fn with_calls(found: Diagnostics, configuration: &Configuration) -> Diagnostics {
    let mut all = Diagnostics::new();
    for inner in found {
        match chain(&*inner, configuration) {
            Some(chain) => all.push_boxed(Box::new(Called { inner, chain })),
            None => all.push_boxed(inner),
        }
    }
    all
}

fn chain(
    one: &(dyn Diagnostic + Send + Sync + 'static),
    configuration: &Configuration,
) -> Option<String> {
    let sources = &configuration.sources;
    sources.files().next()?;
    let labels: Vec<LabeledSpan> = one.labels()?.collect();
    let label = labels.iter().find(|label| label.primary()).or(labels.first())?;
    let at = u32::try_from(label.offset()).ok()?;
    let file = sources.file_of(Span::new(at, at)).name.clone();
    let dir = Path::new(&file).parent()?;
    // The folder of one module may be called at several places; the first stands for all.
    let (mut path, _) =
        configuration.modules.iter().find(|(path, module)| !path.is_root() && module.dir == dir)?;
    let mut steps = Vec::new();
    let whole = path;
    while let (Some(parent), Some(step)) = (path.parent(), path.steps().last()) {
        let (known, module) = configuration.modules.get_key_value(&parent)?;
        let call = module.calls.get(step)?;
        steps.push(place(sources, call.header));
        path = known;
    }
    steps.reverse();
    Some(format!("in `{whole}`, called at {}", steps.join(", then ")))
}

fn place(sources: &SourceMap, span: Span) -> String {
    let file = sources.file_of(span);
    format!("{}:{}", file.name, sources.locate(span.start).line)
}

/// What the names in the condition of a fault are worth, if it is the fault of one.
pub(crate) fn cause<'a>(
    fault: &'a (dyn Diagnostic + Send + Sync + 'static),
) -> Option<&'a plan::KnownValues> {
    let error: &(dyn std::error::Error + 'static) = fault;
    match error.downcast_ref::<Called>() {
        Some(called) => cause(&*called.inner),
        None => plan::KnownValues::of(error),
    }
}

/// A fault with the chain of calls that leads to it.
struct Called {
    inner: Box<dyn Diagnostic + Send + Sync + 'static>,
    chain: String,
}

impl fmt::Debug for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl fmt::Display for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner, f)
    }
}

impl std::error::Error for Called {}

impl Diagnostic for Called {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.inner.code()
    }

    fn severity(&self) -> Option<miette::Severity> {
        self.inner.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(match self.inner.help() {
            Some(help) => Box::new(format!("{help}\n{}", self.chain)),
            None => Box::new(&self.chain),
        })
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.inner.labels()
    }
}
