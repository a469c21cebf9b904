//! How fast a provider is asked: no faster than a person allows, and slower for a while once its backend is busy.
//!
//! All instances of a provider share one [`Pace`]: a backend that refuses one call will refuse the next ones too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::problem::{Problem, Retry};

/// The first pause after a refusal that names no time; each next one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// No pause is longer, whatever a backend says.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// So often a call that looks is made while it is told to come again.
pub(crate) const LOOKS: u32 = 8;

/// Calls a second that are allowed at most.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rates {
    /// To the provider as a whole.
    pub all: Option<f64>,
    /// To objects of a type.
    pub types: BTreeMap<Arc<str>, f64>,
}

/// Reads `NAME=CALLS_PER_SECOND` pairs between commas: `name` is a provider's, or one of its types.
///
/// # Errors
///
/// What is wrong with the text, for people.
pub fn parse_rates(text: &str) -> Result<BTreeMap<String, f64>, String> {
    let pair = |pair: &str| {
        let fault = || {
            format!(
                "`{pair}` is no rate: write `NAME=CALLS_PER_SECOND`, as in `aws=20,aws_instance=2.5`"
            )
        };
        let (name, rate) = pair.split_once('=').ok_or_else(fault)?;
        let rate: f64 = rate.trim().parse().map_err(|_| fault())?;
        let sound = rate.is_finite() && rate > 0.0 && !name.trim().is_empty();
        sound.then(|| (name.trim().to_owned(), rate)).ok_or_else(fault)
    };
    text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(pair).collect()
}

/// When the next calls may be made.
#[derive(Debug, Default)]
pub struct Pace {
    rates: Rates,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Of each limited name, when its next call may be made.
    next: BTreeMap<Arc<str>, Instant>,
    /// Nobody calls before this.
    hold: Option<Instant>,
}

impl Pace {
    /// A pace with these limits.
    pub fn new(rates: Rates) -> Self {
        Self { rates, state: Mutex::default() }
    }

    /// Waits until a call about a type may be made.
    pub async fn turn(&self, type_name: &str) {
        let mut at = self.reserve(type_name, Instant::now());
        while let Some(due) = at {
            tokio::time::sleep_until(due).await;
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            at = state.hold.filter(|hold| *hold > Instant::now());
        }
    }

    /// The moment of the next call; `None` for now. A call without a type asks no backend, and counts for no rate.
    fn reserve(&self, type_name: &str, now: Instant) -> Option<Instant> {
        let whole =
            self.rates.all.filter(|_| !type_name.is_empty()).map(|rate| (Arc::from(""), rate));
        let typed = self.rates.types.get_key_value(type_name);
        let typed = typed.map(|(name, rate)| (Arc::clone(name), *rate));
        let limits: Vec<(Arc<str>, f64)> = whole.into_iter().chain(typed).collect();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = limits.iter().filter_map(|(name, _)| state.next.get(name));
        let at = taken.chain(&state.hold).copied().fold(now, Instant::max);
        for (name, rate) in limits {
            state.next.insert(name, at + Duration::from_secs_f64(1.0 / rate));
        }
        (at > now).then_some(at)
    }

    /// A call was refused for the time being: holds all others back, and says for how long.
    pub fn refused(&self, retry: Retry, attempt: u32) -> Duration {
        self.hold(retry, attempt, Instant::now())
    }

    fn hold(&self, retry: Retry, attempt: u32, now: Instant) -> Duration {
        let doubled = FIRST_PAUSE.saturating_mul(1 << attempt.min(16));
        let pause = retry.after_ms.map_or(doubled, Duration::from_millis).min(LONGEST_PAUSE);
        let until = now + pause;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.hold = Some(state.hold.map_or(until, |hold| hold.max(until)));
        pause
    }
}

/// Set if all errors say that the call may be tried again.
pub fn retry_of(problems: &[Problem]) -> Option<Retry> {
    let mut errors = problems.iter().filter(|problem| problem.is_error()).peekable();
    errors.peek()?;
    let mut found = None;
    for error in errors {
        found = Some(error.retry?);
    }
    found
}

/// What the words of a complaint say of a backend that is only busy; `None` if they say something else.
///
/// Source: the errors of the AWS, Azure and Google APIs for too many requests.
pub fn throttled(words: &str) -> Option<Retry> {
    const BUSY: [&str; 11] = [
        "throttl",
        "rate exceeded",
        "rate limit",
        "ratelimit",
        "too many requests",
        "toomanyrequests",
        "requestlimitexceeded",
        "slowdown",
        "slow down",
        "status code: 429",
        "error 429",
    ];
    let words = words.to_lowercase();
    if !BUSY.iter().any(|word| words.contains(word)) {
        return None;
    }
    let after = ["retry-after: ", "retry-after:", "retry after ", "try again in "];
    let after = after.iter().find_map(|start| {
        let (_, rest) = words.split_once(start)?;
        let digits: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let number: f64 = digits.trim_end_matches('.').parse().ok()?;
        let unit = rest[digits.len()..].trim_start();
        let seconds = if unit.starts_with("ms") || unit.starts_with("milli") {
            number / 1000.0
        } else if unit.starts_with("min") {
            number * 60.0
        } else {
            number
        };
        Duration::try_from_secs_f64(seconds).ok()
    });
    Some(Retry { after_ms: after.map(|one| u64::try_from(one.as_millis()).unwrap_or(u64::MAX)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_busy_backends_are_told_from_others() {
        for (words, expected) in [
            ("api error ThrottlingException: Rate exceeded", Some(None)),
            ("StatusCode: 400, RequestLimitExceeded: Request limit exceeded.", Some(None)),
            ("googleapi: Error 429: Quota exceeded per minute", Some(None)),
            ("429 Too Many Requests, Retry-After: 3", Some(Some(3000))),
            ("rate limited; try again in 250 ms", Some(Some(250))),
            ("SlowDown: reduce your request rate; retry after 2 minutes", Some(Some(120_000))),
            ("VpcLimitExceeded: The maximum number of VPCs has been reached.", None),
            ("InvalidParameter: the name is taken", None),
        ] {
            let found = throttled(words).map(|retry| retry.after_ms);
            assert_eq!(found, expected, "{words}");
        }
    }

    #[test]
    fn rates_are_pairs_between_commas() {
        let read = parse_rates("aws=20, aws_instance=2.5,").expect("rates");
        let expected = [("aws".to_owned(), 20.0), ("aws_instance".to_owned(), 2.5)];
        assert_eq!(read, expected.into());
        for wrong in ["aws", "aws=fast", "aws=0", "=3", "aws=-1", "aws=inf"] {
            assert!(parse_rates(wrong).expect_err("no rate").contains("aws=20"), "{wrong}");
        }
    }

    #[test]
    fn calls_keep_the_rates_and_wait_while_a_backend_is_busy() {
        let rates = Rates { all: Some(10.0), types: [("slow".into(), 2.0)].into() };
        let (pace, now) = (Pace::new(rates), Instant::now());
        let wait = |name: &str| pace.reserve(name, now).map_or(0, |at| (at - now).as_millis());
        let waits: Vec<u128> = (0..4).map(|_| wait("quick")).collect();
        assert_eq!(waits, [0, 100, 200, 300]);
        assert_eq!((wait("slow"), wait("slow"), wait("slow")), (400, 900, 1400));
        assert_eq!(wait(""), 0, "what asks no backend waits for none");
        let busy = |after_ms, attempt| pace.hold(Retry { after_ms }, attempt, now);
        assert_eq!(busy(Some(5000), 0).as_millis(), 5000);
        assert_eq!((wait("quick"), wait("")), (5000, 5000));
        assert_eq!((busy(None, 0).as_millis(), busy(None, 3).as_millis()), (200, 1600));
        assert_eq!((busy(Some(u64::MAX), 0), busy(None, 31)), (LONGEST_PAUSE, LONGEST_PAUSE));
    }
}
