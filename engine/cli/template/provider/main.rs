//! The provider `note`: files with a text in them.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use address::ProviderAddress;
use protocol::serve;
use sdk::{
    Block, Call, Created, Factory, NativeProvider, Object, Problem, Provider, ProviderError,
    Resource, Schema, async_trait,
};
use value::{Type, Value};

/// `note_file`: a file in the folder that the provider's settings name.
struct File;

fn path(object: &Value, call: &Call<'_>) -> PathBuf {
    let folder = call.settings.text("folder").unwrap_or(".");
    call.context.working_dir.join(folder).join(object.text("name").unwrap_or_default())
}

fn failed(path: &std::path::Path, error: &std::io::Error) -> Problem {
    Problem::error("the file cannot be used", format!("`{}`: {error}", path.display())).at("name")
}

/// Writes the file, and fills in what only the provider knows.
fn write(planned: Value, call: &Call<'_>) -> Created {
    let path = path(&planned, call);
    let text = planned.text("text").unwrap_or_default().to_owned();
    match std::fs::write(&path, &text) {
        Ok(()) => {
            Created::of(planned.with_attr("bytes", i64::try_from(text.len()).unwrap_or(0).into()))
        }
        Err(error) => failed(&path, &error).into(),
    }
}

#[async_trait]
impl Resource for File {
    fn name(&self) -> &'static str {
        "note_file"
    }

    fn schema(&self) -> Schema {
        let block = Block::new()
            .describe("A file with a text in it.")
            .required("name", Type::String, "Its name; another name is another file.")
            .replaces(&["name"])
            .required("text", Type::String, "What is in it.")
            .computed("bytes", Type::Number, "How long the text is.")
            .recomputed(&["bytes"], &["text"]);
        Schema { version: 0, block }
    }

    fn validate(&self, config: &Value) -> Vec<Problem> {
        match config.text("name") {
            Some(name) if name.is_empty() || name.contains('/') => {
                vec![
                    Problem::error("this is no name of a file", "write a name without `/`")
                        .at("name"),
                ]
            }
            _ => Vec::new(),
        }
    }

    async fn create(&self, planned: Value, call: Call<'_>) -> Created {
        write(planned, &call)
    }

    async fn read(&self, current: Value, call: Call<'_>) -> Result<Value, Problem> {
        let path = path(&current, &call);
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let bytes = i64::try_from(text.len()).unwrap_or(0);
                Ok(current.with_attr("text", text.as_str().into()).with_attr("bytes", bytes.into()))
            }
            // Gone: the next plan makes it again.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Value::dynamic_null()),
            Err(error) => Err(failed(&path, &error)),
        }
    }

    async fn update(&self, _prior: Value, planned: Value, call: Call<'_>) -> Created {
        write(planned, &call)
    }

    async fn delete(&self, prior: Value, call: Call<'_>) -> Result<(), Problem> {
        let path = path(&prior, &call);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(failed(&path, &error))
            }
            _ => Ok(()),
        }
    }

    async fn import(&self, id: &str, call: Call<'_>) -> Result<Value, Problem> {
        let object = self.schema().block.empty_value().with_attr("name", id.into());
        self.read(object, call).await
    }
}

struct Own;

#[async_trait]
impl Factory for Own {
    fn address(&self) -> ProviderAddress {
        ProviderAddress { namespace: "example".into(), ..ProviderAddress::implied("note") }
    }

    async fn create(&self) -> Result<Arc<dyn Provider>, ProviderError> {
        let settings = Block::new().optional("folder", Type::String, "Where the files are.");
        let settings = Schema { version: 0, block: settings };
        Ok(Arc::new(NativeProvider::new(settings, vec![Box::new(File)], Vec::new())))
    }
}

fn main() -> ExitCode {
    serve::program(Arc::new(Own), std::env::vars())
}
