//! The hub, played by a small server on this machine that redirects large files to a storage, as the real one does.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use sha2::{Digest as _, Sha256};

use super::{Sandbox, code, error};

const ID: &str = "qwen2.5-coder-0.5b";

/// What the server does and saw.
struct Hub {
    address: String,
    /// The large file.
    weights: Vec<u8>,
    /// Its name for the version of the large file.
    etag: String,
    /// End the connection in the middle of the next large file.
    cut: AtomicBool,
    /// Status of every answer, when not the usual one.
    refuse: Option<u16>,
    /// Requests, head and all.
    seen: Mutex<Vec<String>>,
}

impl Hub {
    fn start(adjust: impl FnOnce(&mut Self)) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let weights: Vec<u8> = (0..3_000_000_u32)
            .flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect();
        let mut hub = Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            etag: Sha256::digest(&weights)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            weights,
            cut: AtomicBool::new(false),
            refuse: None,
            seen: Mutex::default(),
        };
        adjust(&mut hub);
        let hub = Arc::new(hub);
        let server = Arc::clone(&hub);
        std::thread::Builder::new()
            .spawn(move || listener.incoming().for_each(|stream| server.answer(stream.unwrap())))
            .unwrap();
        hub
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let mut words = head.split_whitespace();
        let (Some(method), Some(path)) = (words.next(), words.next()) else {
            return;
        };
        self.seen.lock().unwrap().push(head.clone());
        let (status, headers, body) = self.content(path, &head);
        let status = self.refuse.unwrap_or(status);
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 {status} Some\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
        )
        .unwrap();
        if method == "get" {
            let cut = path.starts_with("/storage") && self.cut.swap(false, Ordering::Relaxed);
            // The client may have gone: it was cancelled or refuses the answer.
            stream.write_all(if cut { &body[..length / 2] } else { body }).ok();
        }
    }

    fn content(&self, path: &str, head: &str) -> (u16, String, &[u8]) {
        if path.starts_with("/storage") {
            let range = head
                .split_once("range: bytes=")
                .map(|(_, range)| range.split('-').next().unwrap());
            let first: usize = range.map_or(0, |first| first.parse().unwrap());
            let last = self.weights.len() - 1;
            let range = format!("content-range: bytes {first}-{last}/{}\r\n", last + 1);
            return (if first > 0 { 206 } else { 200 }, range, &self.weights[first..]);
        }
        if path.ends_with("model.safetensors") {
            let Self {
                address, etag, weights, ..
            } = self;
            let size = weights.len();
            let linked = format!("x-linked-etag: \"{etag}\"\r\nx-linked-size: {size}\r\n");
            return (302, format!("{linked}location: {address}/storage/weights\r\n"), b"");
        }
        (200, "etag: \"a94a8fe5\"\r\n".to_owned(), b"{}")
    }

    fn seen(&self, words: &str) -> bool {
        self.seen.lock().unwrap().iter().any(|head| head.contains(words))
    }
}

#[test]
fn download_goes_on_where_it_was_cut() {
    let hub = Hub::start(|hub| hub.cut = AtomicBool::new(true));
    let sandbox = Sandbox::new();
    let fetch = || {
        sandbox
            .fetch(&[ID])
            .env("HF_ENDPOINT", &hub.address)
            .env("HF_TOKEN", "secret")
            .output()
            .unwrap()
    };
    let output = fetch();
    assert_eq!(code(&output), 1);
    assert!(error(&output).contains("again to go on"), "{}", error(&output));
    let folder = sandbox.path().join("models").join(ID);
    assert!(folder.join("config.json").is_file());
    assert!(!folder.join("model.safetensors").exists());
    let output = fetch();
    assert_eq!(code(&output), 0, "{}", error(&output));
    assert_eq!(std::fs::read(folder.join("model.safetensors")).unwrap(), hub.weights);
    assert!(hub.seen(&format!("range: bytes={}-", hub.weights.len() / 2)));
    assert!(hub.seen("authorization: bearer secret"));
    let files = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(files, 5, "a .part file was left");
    assert!(sandbox.store().reader(ID).is_ok());
}

#[test]
fn file_with_a_wrong_sum_never_gets_its_name() {
    let hub = Hub::start(|hub| hub.etag = "0".repeat(64));
    let sandbox = Sandbox::new();
    let output = sandbox.fetch(&[ID]).env("HF_ENDPOINT", &hub.address).output().unwrap();
    assert_eq!(code(&output), 1);
    assert!(error(&output).contains(&hub.etag), "{}", error(&output));
    let names = std::fs::read_dir(sandbox.path().join("models").join(ID)).unwrap();
    let names: Vec<_> = names
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(!names.iter().any(|name| name.contains("safetensors")), "{names:?}");
}

#[test]
fn closed_model_says_what_it_needs() {
    let hub = Hub::start(|hub| hub.refuse = Some(401));
    let output = Sandbox::new()
        .fetch(&[ID])
        .env("HF_ENDPOINT", &hub.address)
        .output()
        .unwrap();
    assert_eq!(code(&output), 1);
    assert!(error(&output).contains("HF_TOKEN"), "{}", error(&output));
}

#[test]
fn hub_out_of_reach_says_where_files_belong() {
    let sandbox = Sandbox::new();
    let output = sandbox
        .fetch(&[ID])
        .env("HF_ENDPOINT", "http://127.0.0.1:9")
        .output()
        .unwrap();
    assert_eq!(code(&output), 1);
    let folder = sandbox.path().join("models").join(ID);
    assert!(error(&output).contains(folder.to_str().unwrap()), "{}", error(&output));
}
