//! An emulator of AWS on this machine, and what it forgets.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that ends with the test.
pub struct Emulator(Child);

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts an emulator; `None` where there is none.
pub fn start() -> Option<(Emulator, u16)> {
    let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
    let mut command = Command::new("moto_server");
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
    command.env("MOTO_EC2_LOAD_DEFAULT_AMIS", "true").env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true");
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let emulator = Emulator(child);
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some((emulator, port));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    None
}

/// Types whose next plan is not empty. The emulator fills in what is empty, forgets descriptions and settings of
/// endpoints, and puts an account before the group of a rule. Why empty lists appear in launch templates, and new versions
/// of them in their groups, is not known; a smaller template has none.
pub const FORGETFUL: [&str; 7] = [
    "aws_autoscaling_group",
    "aws_eks_node_group",
    "aws_launch_template",
    "aws_sagemaker_endpoint",
    "aws_sagemaker_endpoint_configuration",
    "aws_sagemaker_model",
    "aws_vpc_security_group",
];
