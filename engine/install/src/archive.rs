//! Unpacking: everything stays below the folder, and there is an end to it.
//!
//! Refused are absolute paths, `..`, links that lead outside, devices, a file under a link, names that stand twice
//! as different things, and archives over the limits.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use crate::durable;
use crate::error::InstallError;

/// What an archive may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes in all, unpacked.
    pub(crate) bytes: u64,
    /// Files, folders and links.
    pub(crate) entries: u64,
}

/// Providers are programs of hundreds of megabytes.
pub(crate) const PROVIDER: Limits = Limits { bytes: 8 << 30, entries: 10_000 };
/// Modules are text.
pub(crate) const MODULE: Limits = Limits { bytes: 1 << 30, entries: 100_000 };

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Zip,
    Tar,
    TarGz,
    TarBz2,
    TarXz,
    TarZst,
    /// One compressed file.
    Gz,
    Bz2,
    Xz,
    Zst,
}

/// A dictionary larger than this is no honest one.
const XZ_MEMORY_KIB: u32 = 256 << 10;

/// Endings that tell the kind, longest first.
const ENDINGS: &[(&str, Kind)] = &[
    ("tar.bz2", Kind::TarBz2),
    ("tar.zst", Kind::TarZst),
    ("tar.gz", Kind::TarGz),
    ("tar.xz", Kind::TarXz),
    ("tbz2", Kind::TarBz2),
    ("tzst", Kind::TarZst),
    ("tgz", Kind::TarGz),
    ("txz", Kind::TarXz),
    ("zip", Kind::Zip),
    ("tar", Kind::Tar),
    ("bz2", Kind::Bz2),
    ("zst", Kind::Zst),
    ("gz", Kind::Gz),
    ("xz", Kind::Xz),
];

impl Kind {
    /// The kind that a name's ending tells.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let found = ENDINGS
            .iter()
            .find(|(ending, _)| name.strip_suffix(ending).is_some_and(|stem| stem.ends_with('.')));
        found.map(|(_, kind)| *kind)
    }

    /// The kind that `archive=` names.
    pub(crate) fn named(name: &str) -> Option<Self> {
        ENDINGS.iter().find(|(ending, _)| *ending == name).map(|(_, kind)| *kind)
    }

    fn is_one_file(self) -> bool {
        matches!(self, Self::Gz | Self::Bz2 | Self::Xz | Self::Zst)
    }
}

/// Unpacks an archive into an empty folder. `shown` names it in errors.
pub(crate) fn unpack(
    archive: &Path,
    kind: Kind,
    dir: &Path,
    limits: Limits,
    shown: &str,
) -> Result<(), InstallError> {
    let mut target = Target { dir, left: limits.bytes, entries: limits.entries, limits };
    let result = File::open(archive).map_err(Refusal::from).and_then(|file| match kind {
        Kind::Zip => unpack_zip(file, &mut target),
        _ => {
            let reader = decompressed(file, kind)?;
            if kind.is_one_file() {
                let name = archive.file_stem().map_or_else(|| "file".into(), PathBuf::from);
                let mut reader = reader;
                target.file(&name, &mut *reader, 0o644)
            } else {
                unpack_tar(reader, &mut target)
            }
        }
    });
    result.map_err(|refusal| InstallError::Archive { file: shown.to_owned(), reason: refusal.0 })
}

/// Why an archive is not taken.
struct Refusal(String);

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

fn decompressed(file: File, kind: Kind) -> Result<Box<dyn Read>, Refusal> {
    let buffered = io::BufReader::with_capacity(1 << 16, file);
    Ok(match kind {
        Kind::TarGz | Kind::Gz => Box::new(flate2::read::MultiGzDecoder::new(buffered)),
        Kind::TarBz2 | Kind::Bz2 => Box::new(bzip2::read::MultiBzDecoder::new(buffered)),
        Kind::TarXz | Kind::Xz => {
            Box::new(lzma_rust2::XzReader::new_mem_limit(buffered, true, XZ_MEMORY_KIB))
        }
        Kind::TarZst | Kind::Zst => Box::new(
            ruzstd::decoding::StreamingDecoder::new(buffered)
                .map_err(|error| Refusal(error.to_string()))?,
        ),
        Kind::Tar | Kind::Zip => Box::new(buffered),
    })
}

fn unpack_zip(file: File, target: &mut Target<'_>) -> Result<(), Refusal> {
    let broken = |error: zip::result::ZipError| Refusal(error.to_string());
    let mut zip = zip::ZipArchive::new(file).map_err(broken)?;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(broken)?;
        let path = safe_path(&entry.name().map_err(broken)?)?;
        let mode = entry.unix_mode().unwrap_or(0o644);
        if entry.is_dir() {
            target.folder(&path)?;
        } else if mode & 0o170_000 == 0o120_000 {
            let mut to = String::new();
            entry.by_ref().take(4096).read_to_string(&mut to)?;
            target.link(&path, Path::new(&to))?;
        } else {
            target.file(&path, &mut entry, mode)?;
        }
    }
    Ok(())
}

fn unpack_tar(reader: Box<dyn Read>, target: &mut Target<'_>) -> Result<(), Refusal> {
    let mut tar = tar::Archive::new(reader);
    for entry in tar.entries()? {
        let mut entry = entry?;
        let name = String::from_utf8(entry.path_bytes().into_owned())
            .map_err(|_| Refusal("a name in it is not text".to_owned()))?;
        let kind = entry.header().entry_type();
        if kind.is_pax_global_extensions() || kind.is_pax_local_extensions() {
            continue;
        }
        let path = safe_path(&name)?;
        if kind.is_dir() {
            target.folder(&path)?;
        } else if kind.is_symlink() {
            let to = entry
                .link_name()?
                .ok_or_else(|| Refusal(format!("link `{name}` has no target")))?;
            let to = to.into_owned();
            target.link(&path, &to)?;
        } else if kind.is_file() || kind.is_contiguous() {
            let mode = entry.header().mode().unwrap_or(0o644);
            target.file(&path, &mut entry, mode)?;
        } else if kind.is_hard_link() {
            let to = entry
                .link_name()?
                .ok_or_else(|| Refusal(format!("link `{name}` has no target")))?;
            let to = safe_path(&to.to_string_lossy())?;
            target.copy(&to, &path)?;
        } else {
            return Err(Refusal(format!("`{name}` is neither file, folder nor link")));
        }
    }
    Ok(())
}

/// A relative path without `..`; empty for the folder itself.
fn safe_path(name: &str) -> Result<PathBuf, Refusal> {
    let outside =
        || Refusal(format!("the name `{}` leads outside its folder", name.escape_debug()));
    if name.contains(['\0', '\\']) || name.len() > 4096 {
        return Err(outside());
    }
    let mut path = PathBuf::new();
    for part in Path::new(name).components() {
        match part {
            Component::Normal(part) if part.to_string_lossy().contains(':') && cfg!(windows) => {
                return Err(outside());
            }
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(outside());
            }
        }
    }
    Ok(path)
}

struct Target<'a> {
    dir: &'a Path,
    left: u64,
    entries: u64,
    limits: Limits,
}

impl Target<'_> {
    fn count(&mut self) -> Result<(), Refusal> {
        let limit = self.limits.entries;
        self.entries = self
            .entries
            .checked_sub(1)
            .ok_or_else(|| Refusal(format!("it holds more than {limit} files")))?;
        Ok(())
    }

    /// The place of a path, whose folders are made. No part of it may be a link.
    fn place(&mut self, path: &Path) -> Result<PathBuf, Refusal> {
        let mut place = self.dir.to_path_buf();
        let mut parts = path.components().peekable();
        while let Some(part) = parts.next() {
            place.push(part);
            if parts.peek().is_none() {
                break;
            }
            match fs::symlink_metadata(&place) {
                Ok(found) if found.is_dir() => {}
                Ok(_) => {
                    return Err(Refusal(format!(
                        "`{}` lies below something that is no folder",
                        path.display()
                    )));
                }
                Err(_) => {
                    self.count()?;
                    fs::create_dir(&place)?;
                }
            }
        }
        Ok(place)
    }

    fn folder(&mut self, path: &Path) -> Result<(), Refusal> {
        // A file that is asked for below makes all folders on the way.
        self.place(&path.join("x")).map(|_| ())
    }

    fn file(&mut self, path: &Path, reader: &mut dyn Read, mode: u32) -> Result<(), Refusal> {
        self.count()?;
        let place = self.place(path)?;
        let mut file = File::create_new(&place).map_err(|error| twice(path, error))?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = reader.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            let limit = self.limits.bytes;
            self.left = self
                .left
                .checked_sub(read as u64)
                .ok_or_else(|| Refusal(format!("it unpacks to more than {limit} bytes")))?;
            file.write_all(&buffer[..read])?;
        }
        set_mode(&file, mode)?;
        Ok(())
    }

    fn copy(&mut self, from: &Path, to: &Path) -> Result<(), Refusal> {
        let source = self.place(from)?;
        if !fs::symlink_metadata(&source)?.is_file() {
            return Err(Refusal(format!(
                "link `{}` leads to something that is no file",
                to.display()
            )));
        }
        let mut file = File::open(&source)?;
        let mode = mode_of(&file)?;
        self.file(to, &mut file, mode)
    }

    fn link(&mut self, path: &Path, to: &Path) -> Result<(), Refusal> {
        self.count()?;
        // `..` counts only at the start: there it is exact, because no folder on the way is a link. Behind a name
        // it could start from wherever another link leads.
        let mut depth = path.components().count().saturating_sub(1);
        let mut named = false;
        for part in to.components() {
            let inside = match part {
                Component::Normal(_) => {
                    named = true;
                    true
                }
                Component::CurDir => true,
                Component::ParentDir if named || depth == 0 => false,
                Component::ParentDir => {
                    depth -= 1;
                    true
                }
                Component::RootDir | Component::Prefix(_) => false,
            };
            if !inside {
                let (path, to) = (path.display(), to.display());
                return Err(Refusal(format!("link `{path}` leads outside its folder, to `{to}`")));
            }
        }
        let place = self.place(path)?;
        durable::link(to, &place).map_err(|error| twice(path, error))
    }
}

fn twice(path: &Path, error: io::Error) -> Refusal {
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Refusal(format!("the name `{}` stands in it twice", path.display()))
        }
        _ => error.into(),
    }
}

#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    // Neither set-user-id nor write for others comes from an archive.
    let mode = (mode & 0o755) | 0o600;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(unix)]
fn mode_of(file: &File) -> io::Result<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(file.metadata()?.permissions().mode())
}

#[cfg(not(unix))]
fn set_mode(_file: &File, _mode: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn mode_of(_file: &File) -> io::Result<u32> {
    Ok(0o644)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar_of(entries: &[(&str, tar::EntryType, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, kind, content) in entries {
            let mut header = tar::Header::new_gnu();
            // The library refuses to write such names by its own functions.
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_mode(0o4777);
            let is_link = kind.is_symlink() || kind.is_hard_link();
            if is_link {
                header.as_mut_bytes()[157..157 + content.len()].copy_from_slice(content.as_bytes());
            }
            let body = if is_link { "" } else { content };
            header.set_size(body.len() as u64);
            header.set_cksum();
            builder.append(&header, body.as_bytes()).expect("memory");
        }
        builder.into_inner().expect("memory")
    }

    fn zip_of(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        for (name, content) in entries {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("memory");
            writer.write_all(content.as_bytes()).expect("memory");
        }
        writer.finish().expect("memory").into_inner()
    }

    fn try_unpack(bytes: &[u8], kind: Kind, limits: Limits) -> Result<tempfile::TempDir, String> {
        let root = tempfile::tempdir().expect("a folder");
        let (file, dir) = (root.path().join("a"), root.path().join("in/out"));
        fs::create_dir_all(&dir).expect("a folder");
        fs::write(&file, bytes).expect("a file");
        let result = unpack(&file, kind, &dir, limits, "the archive");
        let outside: Vec<_> = fs::read_dir(root.path().join("in")).expect("a folder").collect();
        assert_eq!(outside.len(), 1, "nothing is written outside the folder");
        result.map(|()| root).map_err(|error| error.to_string())
    }

    #[test]
    fn hostile_tars_are_refused() {
        use tar::EntryType as T;
        let table: &[(&[(&str, T, &str)], &str)] = &[
            (&[("../x", T::Regular, "1")], "leads outside"),
            (&[("/etc/x", T::Regular, "1")], "leads outside"),
            (&[("a/../../x", T::Regular, "1")], "leads outside"),
            (&[("l", T::Symlink, "/etc")], "leads outside"),
            (&[("a/l", T::Symlink, "../../x")], "leads outside"),
            (&[("l", T::Symlink, "."), ("l/x", T::Regular, "1")], "no folder"),
            (&[("l", T::Link, "../x")], "leads outside"),
            (&[("a/b/x", T::Symlink, "../.."), ("y", T::Symlink, "a/b/x/..")], "leads outside"),
            (&[("d", T::Char, "")], "neither file"),
            (&[("a", T::Regular, "1"), ("a", T::Regular, "2")], "twice"),
            (&[("a", T::Regular, "1"), ("a/b", T::Regular, "2")], "no folder"),
        ];
        for (entries, expected) in table {
            let error = try_unpack(&tar_of(entries), Kind::Tar, MODULE).expect_err(expected);
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn hostile_zips_are_refused() {
        for name in ["../x", "/x", "a/../../x", "a\\..\\x"] {
            let error = try_unpack(&zip_of(&[(name, "1")]), Kind::Zip, MODULE).expect_err(name);
            assert!(error.contains("leads outside"), "{name}: {error}");
        }
        let whole = zip_of(&[("a", "1")]);
        assert!(try_unpack(&whole[..whole.len() - 9], Kind::Zip, MODULE).is_err(), "torn");
    }

    #[test]
    fn bombs_end_at_the_limit() {
        let limits = Limits { bytes: 1000, entries: 10 };
        let big = "0".repeat(100_000);
        let error = try_unpack(&zip_of(&[("a", &big)]), Kind::Zip, limits).expect_err("a bomb");
        assert!(error.contains("more than 1000 bytes"), "{error}");
        let many: Vec<String> = (0..20).map(|n| format!("{n}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "")).collect();
        let error = try_unpack(&zip_of(&many), Kind::Zip, limits).expect_err("a bomb");
        assert!(error.contains("more than 10 files"), "{error}");
    }

    #[test]
    fn sound_archives_keep_files_links_and_modes() {
        use tar::EntryType as T;
        let entries = [
            ("./", T::Directory, ""),
            ("d/a", T::Regular, "1"),
            ("d/l", T::Symlink, "../d/a"),
            ("h", T::Link, "d/a"),
        ];
        let root = try_unpack(&tar_of(&entries), Kind::Tar, MODULE).expect("a sound archive");
        let out = root.path().join("in/out");
        for name in ["d/a", "d/l", "h"] {
            assert_eq!(fs::read_to_string(out.join(name)).expect(name), "1");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(out.join("d/a")).expect("a file").permissions().mode();
            assert_eq!(mode & 0o7777, 0o755, "no set-user-id, no write for others");
        }
    }

    #[test]
    fn kinds_are_told_by_names() {
        let table = [
            ("a.zip", Some(Kind::Zip)),
            ("a.tar.gz", Some(Kind::TarGz)),
            ("a.tgz", Some(Kind::TarGz)),
            ("a.tar.xz", Some(Kind::TarXz)),
            ("a.tar.zst", Some(Kind::TarZst)),
            ("a.gz", Some(Kind::Gz)),
            ("azip", None),
            ("a.html", None),
        ];
        for (name, expected) in table {
            assert_eq!(Kind::of_name(name), expected, "{name}");
        }
    }
}
