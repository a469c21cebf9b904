//! A look at a provider's file before it is started, so that the usual faults are named as what they are.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Says what keeps a file from being started, if anything does.
pub fn inspect(path: &Path) -> Result<(), String> {
    let shown = path.display();
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(format!("there is no file `{shown}`"));
        }
        Err(error) => return Err(format!("`{shown}` cannot be read: {error}")),
    };
    if !about.is_file() {
        return Err(format!("`{shown}` is not a file"));
    }
    if about.permissions().mode() & 0o111 == 0 {
        return Err(format!("`{shown}` may not be executed; run `chmod +x {shown}`"));
    }
    let mut head = [0; 20];
    let read = fs::File::open(path).and_then(|mut file| file.read(&mut head));
    let length = read.map_err(|error| format!("`{shown}` cannot be read: {error}"))?;
    program(&head[..length]).map_err(|fault| format!("`{shown}` {fault}"))
}

/// Whether a file is the text of a program.
pub(crate) fn is_script(path: &Path) -> bool {
    let mut head = [0; 2];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && head == *b"#!"
}

/// Says whether a file that begins so can run on this machine.
fn program(head: &[u8]) -> Result<(), String> {
    let here = format!("{}_{}", std::env::consts::OS, std::env::consts::ARCH);
    let wrong = |what: &str| Err(format!("is built for {what}, and this machine is {here}"));
    match head {
        [b'#', b'!', ..] => Ok(()),
        [0x7f, b'E', b'L', b'F', _, order, ..] if head.len() >= 20 => {
            if std::env::consts::OS == "macos" {
                return wrong("Linux");
            }
            let machine = [head[18], head[19]];
            let machine = match order {
                2 => u16::from_be_bytes(machine),
                _ => u16::from_le_bytes(machine),
            };
            let name = match machine {
                3 => "x86",
                40 => "arm",
                62 => "x86_64",
                183 => "aarch64",
                243 => "riscv64",
                _ => "another processor",
            };
            if name == std::env::consts::ARCH { Ok(()) } else { wrong(&format!("linux_{name}")) }
        }
        [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..] => {
            if std::env::consts::OS == "macos" {
                Ok(())
            } else {
                wrong("macOS")
            }
        }
        [b'M', b'Z', ..] => wrong("Windows"),
        _ => Err("is not a program".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_of_a_file_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("missing");
        assert_eq!(inspect(&missing), Err(format!("there is no file `{}`", missing.display())));
        let file = folder.path().join("p");
        fs::write(&file, "text").expect("written");
        assert!(inspect(&file).expect_err("no execute bit").contains("chmod +x"));
        let mut elf = vec![0x7f, b'E', b'L', b'F', 2, 1];
        elf.resize(18, 0);
        let foreign = if std::env::consts::ARCH == "aarch64" { 62u16 } else { 183 };
        elf.extend(foreign.to_le_bytes());
        let table: [(&[u8], &str); 3] = [
            (b"text", "is not a program"),
            (b"MZ\x90", "is built for Windows"),
            (&elf, "is built for linux_"),
        ];
        for (content, expected) in table {
            assert!(program(content).expect_err(expected).starts_with(expected));
        }
        assert_eq!(program(b"#!/bin/sh"), Ok(()));
        assert!(!is_script(&file));
        fs::write(&file, "#!/bin/sh").expect("written");
        assert!(is_script(&file));
    }
}
