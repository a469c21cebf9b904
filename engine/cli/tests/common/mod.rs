//! What tests of whole commands share: a folder of files, and the binary run in it with an empty environment.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::disallowed_methods,
    reason = "each test binary uses a part of it"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of its own, with a machine-wide home of its own beside it.
pub struct Stack {
    root: tempfile::TempDir,
}

/// What a command has printed and how it has ended.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Drop for Stack {
    /// The folder of a test that failed stays, to be looked at: the panic names its state.
    fn drop(&mut self) {
        self.root.disable_cleanup(std::thread::panicking());
    }
}

impl Stack {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let stack = Self { root: tempfile::tempdir().expect("a temporary folder") };
        std::fs::create_dir_all(stack.dir()).expect("a folder can be made");
        for (name, text) in files {
            stack.write(name, text);
        }
        stack
    }

    pub fn dir(&self) -> PathBuf {
        self.root.path().join("stack")
    }

    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.dir().join(name);
        std::fs::create_dir_all(path.parent().expect("a file has a folder"))
            .expect("a folder can be made");
        std::fs::write(path, text).expect("a file can be written");
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stratiform"));
        command.args(args).current_dir(self.dir()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.home()).env("STRATIFORM_HOME", self.home()).env("NO_COLOR", "1");
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        ran(self.command(args).output().expect("the binary runs"))
    }

    /// Runs a command that must work.
    pub fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, Some(0), "{args:?}\n{}\n{}", ran.out, ran.err);
        ran.out
    }

    /// Runs a command that must fail with exit code 1; returns its errors.
    pub fn fails(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, Some(1), "{args:?}\n{}\n{}", ran.out, ran.err);
        ran.err
    }
}

pub fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The folder of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace is there")
}

/// Copies a folder.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder can be made");
    for entry in std::fs::read_dir(from).expect("a folder can be read") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("a file can be copied");
        }
    }
}
