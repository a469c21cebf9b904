//! What a provider's program has had nothing to say about, kept on disk, so that it need not be started to be asked
//! the same again.
//!
//! A file for each program, named by its digest; a line for each question. A line holds a digest of the question with
//! all that its answer may hang on, and a few flags: nothing of the question or the answer can be read from it. Only
//! answers that flags can tell are kept, see [`Answer`]; questions with secrets never are, not even as a digest, for
//! short secrets can be guessed. A line that is torn or of another form is as if it were not there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::cache::hex;
use crate::rpc::Method;

/// The form of the digests; the number counts changes of what goes into them.
const FORM: &[u8] = b"stratiform-answer-1";

/// A file of this size is begun anew: it would hold configurations of long ago.
const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// Digits of a line's digest.
const DIGITS: usize = 40;

/// What stands for a question.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(String);

impl Key {
    /// Of a question, the settings that the provider has by then, and what else the provider sees.
    pub(crate) fn new(
        surroundings: &str,
        settings: Option<&Self>,
        method: Method,
        message: &[u8],
    ) -> Self {
        let mut hasher = Sha256::new();
        let settings = settings.map_or("", |settings| &settings.0);
        let parts =
            [FORM, surroundings.as_bytes(), settings.as_bytes(), method.name().as_bytes(), message];
        for part in parts {
            hasher.update(part.len().to_le_bytes());
            hasher.update(part);
        }
        let mut digest = hex(&hasher.finalize());
        digest.truncate(DIGITS);
        Self(digest)
    }
}

/// An answer without complaints that holds nothing but what was asked.
///
/// Of a check and of settings it says that there is no complaint; of a stored object, that it is of the current form as
/// it is; of a plan, that the object stays as it is, and what follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The provider keeps to looser rules.
    pub(crate) legacy_types: bool,
    /// The provider's own data stay too; else there are none.
    pub(crate) keeps_private: bool,
    /// The identity stays too; else none is told.
    pub(crate) keeps_identity: bool,
}

impl Answer {
    fn flags(self) -> [char; 3] {
        [(self.legacy_types, 'l'), (self.keeps_private, 'p'), (self.keeps_identity, 'i')]
            .map(|(set, flag)| if set { flag } else { '-' })
    }

    fn read(text: &str) -> Option<Self> {
        let flag = |at: usize, wanted: u8| match text.as_bytes().get(at)? {
            b'-' => Some(false),
            flag => (*flag == wanted).then_some(true),
        };
        let [legacy_types, keeps_private, keeps_identity] =
            [flag(0, b'l')?, flag(1, b'p')?, flag(2, b'i')?];
        (text.len() == 3).then_some(Self { legacy_types, keeps_private, keeps_identity })
    }
}

/// The answers of one program.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Answers>);

#[derive(Default)]
struct Answers {
    /// What earlier runs have kept; `None` before somebody has looked.
    earlier: Option<BTreeMap<Key, Answer>>,
    fresh: BTreeMap<Key, Answer>,
}

impl Kept {
    /// What an earlier run was answered, by the file that `file` names.
    pub(crate) fn find(&self, key: &Key, file: impl FnOnce() -> Option<Vec<u8>>) -> Option<Answer> {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.earlier.get_or_insert_with(|| read(&file().unwrap_or_default())).get(key).copied()
    }

    /// Notes an answer, which [`Self::write`] writes down.
    pub(crate) fn add(&self, key: Key, answer: Answer) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.fresh.insert(key, answer);
    }

    /// Whether there is anything to be written down.
    pub(crate) fn has_news(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).fresh.is_empty()
    }

    /// Adds what is new to a file, which only its owner may read. What goes wrong costs speed alone.
    pub(crate) fn write(&self, path: &Path) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = std::mem::take(&mut answers.fresh);
        let earlier =
            answers.earlier.get_or_insert_with(|| read(&fs::read(path).unwrap_or_default()));
        let mut text = String::new();
        for (key, answer) in fresh {
            if earlier.get(&key) == Some(&answer) {
                continue;
            }
            let [legacy, private, identity] = answer.flags();
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{} {legacy}{private}{identity}", key.0);
        }
        if text.is_empty() {
            return;
        }
        if fs::metadata(path).is_ok_and(|about| about.len() > MOST_BYTES) {
            let _ = fs::remove_file(path);
        }
        let file = fs::File::options().create(true).append(true).mode(0o600).open(path);
        // The line that another run may have left torn ends here.
        let _ = file.and_then(|mut file| file.write_all(format!("\n{text}").as_bytes()));
    }
}

fn read(bytes: &[u8]) -> BTreeMap<Key, Answer> {
    let text = String::from_utf8_lossy(bytes);
    let line = |line: &str| {
        let (key, flags) = line.split_once(' ')?;
        let answer = Answer::read(flags)?;
        (key.len() == DIGITS).then(|| (Key(key.to_owned()), answer))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_back_and_torn_lines_do_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("answers");
        let file = || fs::read(&path).ok();
        let key = |message: &[u8]| Key::new("here", None, Method::Plan, message);
        let answer = Answer { keeps_private: true, ..Answer::default() };
        let first = Kept::default();
        assert_eq!(first.find(&key(b"a"), file), None);
        first.add(key(b"a"), answer);
        first.write(&path);
        assert!(!first.has_news());
        let mut torn = fs::read(&path).expect("written");
        torn.extend(format!("{} lp", key(b"b").0).as_bytes());
        fs::write(&path, torn).expect("written");
        let second = Kept::default();
        second.add(key(b"c"), Answer::default());
        second.write(&path);
        let third = Kept::default();
        let found = [&b"a"[..], b"b", b"c"].map(|message| third.find(&key(message), file));
        assert_eq!(found, [Some(answer), None, Some(Answer::default())]);
        // What is there already is not written again, whether somebody has looked or not.
        let before = fs::read(&path).expect("written");
        let fourth = Kept::default();
        fourth.add(key(b"a"), answer);
        fourth.write(&path);
        assert_eq!(fs::read(&path).expect("written"), before);
    }

    #[test]
    fn all_that_an_answer_hangs_on_is_in_its_key() {
        let settings = Key::new("here", None, Method::Configure, b"north");
        let keys = [
            Key::new("here", None, Method::Plan, b"a"),
            Key::new("there", None, Method::Plan, b"a"),
            Key::new("here", Some(&settings), Method::Plan, b"a"),
            Key::new("here", None, Method::Upgrade, b"a"),
            Key::new("here", None, Method::Plan, b"b"),
        ];
        let different: std::collections::BTreeSet<&Key> = keys.iter().collect();
        assert_eq!(different.len(), keys.len());
    }
}
