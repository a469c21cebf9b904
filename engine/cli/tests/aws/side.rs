//! One program, one folder, one emulator.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::common::{Ran, Stack, ran};

/// No command may take longer. Some calls of the emulator make the provider wait for what never comes.
const LIMIT_S: &str = "240";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Program {
    Ours,
    Terraform,
}

pub struct Side {
    program: Program,
    stack: Stack,
    emulator: Emulator,
}

/// The engine in Terraform's folder: it looks, and leaves everything as it is.
pub struct Guest<'a>(&'a Side);

/// A server that ends with the test.
struct Emulator {
    child: Child,
    port: u16,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Emulator {
    fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let mut command = Command::new("moto_server");
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        command.env("MOTO_EC2_LOAD_DEFAULT_AMIS", "true");
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let emulator = Self { child, port };
        let until = Instant::now() + Duration::from_secs(60);
        while Instant::now() < until {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(emulator);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        None
    }
}

fn works(program: &str, args: &[&str]) -> bool {
    found_ok(Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()))
}

fn found_ok(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

impl Side {
    /// `None` where something is missing; says what.
    pub fn new(program: Program, files: &[(&str, &str)]) -> Option<Self> {
        if std::env::var_os("STRATIFORM_TEST_AWS").is_none() {
            println!("skipped: STRATIFORM_TEST_AWS is not set to `short` or `long`");
            return None;
        }
        let mirror = std::env::var("STRATIFORM_TEST_PROVIDER_MIRROR").ok();
        let Some(mirror) = mirror.filter(|dir| Path::new(dir).is_dir()) else {
            println!("skipped: STRATIFORM_TEST_PROVIDER_MIRROR names no folder");
            return None;
        };
        if !works("terraform", &["version"]) || !works("python3", &["-c", "import boto3"]) {
            println!("skipped: there is no terraform on the path, or no boto3");
            return None;
        }
        let Some(emulator) = Emulator::start() else {
            println!("skipped: there is no moto_server on the path");
            return None;
        };
        let stack = Stack::new(files);
        let endpoint = format!("endpoint = \"http://127.0.0.1:{}\"\n", emulator.port);
        stack.write("terraform.tfvars", &endpoint);
        let zip = "import zipfile; zipfile.ZipFile('hook.zip', 'w').writestr(zipfile.ZipInfo('hook.py'), 'def main(e, c): return 1\\n')";
        assert!(found_ok(Command::new("python3").args(["-c", zip]).current_dir(stack.dir())));
        let rc = format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = \"{mirror}\"\n  }}\n}}\n"
        );
        stack.write("cli.tfrc", &rc);
        Some(Self { program, stack, emulator })
    }

    /// Puts a folder from elsewhere beside the files.
    pub fn link(&self, name: &str, folder: &Path) {
        std::os::unix::fs::symlink(folder, self.stack.dir().join(name)).expect("a link");
    }

    fn run_as(&self, program: Program, args: &[&str]) -> Ran {
        let mut command = Command::new("timeout");
        let binary = match program {
            Program::Ours => env!("CARGO_BIN_EXE_stratiform"),
            Program::Terraform => "terraform",
        };
        command.args(["-k", "5", LIMIT_S, binary]).args(args).current_dir(self.stack.dir());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.stack.home()).env("STRATIFORM_HOME", self.stack.home());
        command.env("TF_CLI_CONFIG_FILE", self.stack.dir().join("cli.tfrc"));
        command.env("CHECKPOINT_DISABLE", "1").env("TF_IN_AUTOMATION", "1").env("NO_COLOR", "1");
        ran(command.output().expect("it runs"))
    }

    fn ok_as(&self, program: Program, args: &[&str]) -> String {
        let ran = self.run_as(program, args);
        assert_eq!(ran.code, Some(0), "{args:?}\n{}\n{}", ran.out, ran.err);
        ran.out
    }

    fn ok(&self, args: &[&str]) -> String {
        self.ok_as(self.program, args)
    }

    fn plan_as(&self, program: Program, stage: &str) -> Json {
        let stage = format!("-var=stage={stage}");
        self.ok_as(program, &["plan", "-input=false", "-out=plan.out", "-parallelism=20", &stage]);
        serde_json::from_str(&self.ok_as(program, &["show", "-json", "plan.out"])).expect("JSON")
    }

    pub fn init(&self) {
        self.ok(&["init", "-input=false"]);
    }

    /// Plans a stage into a file, and gives it as JSON.
    pub fn plan(&self, stage: &str) -> Json {
        self.plan_as(self.program, stage)
    }

    /// Carries the last plan out.
    pub fn apply(&self) {
        self.ok(&["apply", "-input=false", "-parallelism=20", "plan.out"]);
    }

    pub fn state(&self) -> Json {
        serde_json::from_str(&self.ok(&["state", "pull"])).expect("JSON")
    }

    pub fn destroy(&self) {
        self.ok(&["destroy", "-auto-approve", "-parallelism=20"]);
        assert_eq!(self.ok(&["state", "list"]).trim(), "");
    }

    pub fn guest(&self) -> Guest<'_> {
        Guest(self)
    }

    /// Changes some objects behind everybody's back.
    pub fn out_of_band(&self) {
        let script = r"
import sys, boto3
def client(name):
    return boto3.client(name, endpoint_url='http://127.0.0.1:' + sys.argv[1], region_name='us-east-1',
                        aws_access_key_id='test', aws_secret_access_key='test')
ec2 = client('ec2')
vpc = ec2.describe_vpcs(Filters=[{'Name': 'tag:Project', 'Values': ['suite']}])['Vpcs'][0]
ec2.create_tags(Resources=[vpc['VpcId']], Tags=[{'Key': 'Stage', 'Value': 'by hand'}])
sqs = client('sqs')
sqs.set_queue_attributes(QueueUrl=sqs.get_queue_url(QueueName='jobs')['QueueUrl'], Attributes={'VisibilityTimeout': '17'})
client('ssm').delete_parameter(Name='/train/ami')
client('s3').delete_object(Bucket='suite-logs', Key='config.json')
";
        let port = self.emulator.port.to_string();
        assert!(found_ok(Command::new("python3").args(["-c", script, &port])), "boto3 works");
    }

    /// Forgets objects and gets them back by their ids.
    pub fn import_again(&self) {
        let show: Json = serde_json::from_str(&self.ok(&["show", "-json"])).expect("JSON");
        let resources = show["values"]["root_module"]["resources"].as_array().expect("resources");
        for address in
            ["aws_vpc.net", "aws_subnet.part[1]", "aws_kms_key.data", "aws_sqs_queue.jobs"]
        {
            let one = resources.iter().find(|one| one["address"] == address).expect("it is there");
            let id = one["values"]["id"].as_str().expect("an id");
            self.ok(&["state", "rm", address]);
            self.ok(&["import", "-var=stage=change", address, id]);
        }
    }
}

impl Guest<'_> {
    pub fn plan(&self, stage: &str) -> Json {
        self.0.plan_as(Program::Ours, stage)
    }

    /// The exit code of `drift`.
    pub fn drift(&self) -> i32 {
        let ran = self.0.run_as(Program::Ours, &["drift"]);
        ran.code.expect("it was not killed")
    }
}
