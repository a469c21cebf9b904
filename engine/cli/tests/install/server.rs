//! An HTTP server on loopback that breaks off, refuses and lies on request. It ends with the test.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What a path answers.
#[derive(Clone, Default)]
pub struct Page {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// So many answers end after so many bytes.
    pub breaks: (u32, usize),
}

impl Page {
    pub fn new(body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, body: body.into(), ..Self::default() }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// Pages by path without query, and what was asked.
#[derive(Clone)]
pub struct Server {
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    pages: Mutex<BTreeMap<String, Page>>,
    /// Request lines, with the `Range` and `Authorization` headers behind them.
    asked: Mutex<Vec<String>>,
    stopped: AtomicBool,
    address: std::net::SocketAddr,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the loop up.
        let _ = TcpStream::connect(self.address);
    }
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            pages: Mutex::default(),
            asked: Mutex::default(),
            stopped: AtomicBool::new(false),
            address,
        });
        let weak = Arc::downgrade(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(shared) = weak.upgrade() else { return };
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                std::thread::spawn(move || answer(stream, &shared));
            }
        });
        Self { url: format!("http://{address}"), shared }
    }

    pub fn page(&self, path: &str, page: Page) {
        self.shared.pages.lock().expect("no panic").insert(path.to_owned(), page);
    }

    pub fn json(&self, path: &str, value: &serde_json::Value) {
        self.page(path, Page::new(value.to_string()).header("Content-Type", "application/json"));
    }

    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().expect("no panic").clone()
    }
}

fn answer(mut stream: TcpStream, shared: &Shared) {
    let mut lines = BufReader::new(stream.try_clone().expect("a socket")).lines();
    let Some(Ok(first)) = lines.next() else { return };
    let (mut asked, mut from) = (first.clone(), None);
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        let lower = line.to_lowercase();
        if let Some(range) = lower.strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse::<usize>().ok();
        }
        if lower.starts_with("range:") || lower.starts_with("authorization:") {
            asked = format!("{asked} | {line}");
        }
    }
    shared.asked.lock().expect("no panic").push(asked);
    let path = first.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default().to_owned();
    let mut pages = shared.pages.lock().expect("no panic");
    let Some(page) = pages.get_mut(&path) else {
        drop(pages);
        let _ = stream
            .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
    };
    let breaks = (page.breaks.0 > 0).then_some(page.breaks.1);
    page.breaks.0 = page.breaks.0.saturating_sub(1);
    let page = page.clone();
    drop(pages);
    let from = from.filter(|from| *from < page.body.len());
    let status = if from.is_some() { 206 } else { page.status };
    let body = &page.body[from.unwrap_or(0)..];
    let mut head =
        format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    if let Some(from) = from {
        let last = page.body.len() - 1;
        head.push_str(&format!("Content-Range: bytes {from}-{last}/{}\r\n", page.body.len()));
    }
    for (name, value) in &page.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let end = breaks.map_or(body.len(), |end| end.min(body.len()));
    let _ = stream.write_all(format!("{head}\r\n").as_bytes());
    let _ = stream.write_all(&body[..end]);
}
