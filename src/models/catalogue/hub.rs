//! Files of the Hugging Face hub: looked up, resumed where an earlier download stopped, checked.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ureq::config::RedirectAuthHeaders;
use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body, RequestBuilder};

use super::checksum::sha256_file;
use super::entry::HubSource;
use super::fetch_error::FetchError;

/// The hub that is asked when `HF_ENDPOINT` names no other.
const DEFAULT_ENDPOINT: &str = "https://huggingface.co";

/// Redirects followed while looking for a file's size and sum.
const MOST_REDIRECTS: usize = 5;

/// A hub and what this user may do there.
pub(super) struct Hub {
    endpoint: String,
    token: Option<String>,
    follow: Agent,
    stay: Agent,
}

/// A file on the hub.
pub(super) struct HubFile {
    /// Path in the repository.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    url: String,
    /// What the hub calls this version of the file; the SHA-256 of its content when the file is a large one.
    etag: String,
}

impl Hub {
    /// The hub of `HF_ENDPOINT` with the access token of `HF_TOKEN`.
    pub(super) fn from_environment() -> Self {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let endpoint = variable("HF_ENDPOINT").unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
        let agent = |redirects| {
            Agent::config_builder()
                .http_status_as_error(false)
                .accept_encoding("identity")
                .user_agent(concat!("llavacode/", env!("CARGO_PKG_VERSION")))
                .max_redirects(redirects)
                .max_redirects_will_error(false)
                .redirect_auth_headers(RedirectAuthHeaders::SameHost)
                .timeout_connect(Some(Duration::from_secs(20)))
                .timeout_per_read(Some(Duration::from_secs(20)))
                .build()
                .new_agent()
        };
        Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            token: variable("HF_TOKEN"),
            follow: agent(10),
            stay: agent(0),
        }
    }

    /// Size and version of a file. `folder` is where it will lie, for the error.
    ///
    /// The hub answers for a large file with a redirect to its storage; the redirect itself carries the size and the SHA-256.
    pub(super) fn look(&self, source: &HubSource, name: &str, folder: &Path) -> Result<HubFile, FetchError> {
        let HubSource {
            repository, revision, ..
        } = source;
        let url = format!("{}/{repository}/resolve/{revision}/{name}", self.endpoint);
        let mut at = url.clone();
        for _ in 0..MOST_REDIRECTS {
            let answer = self.authorised(self.stay.head(&at)).call();
            let answer = answer.map_err(|error| failed(&url, folder, error))?;
            let header = |names: [&str; 2]| names.iter().find_map(|name| text(answer.headers(), name));
            let linked = text(answer.headers(), "x-linked-etag").is_some();
            match text(answer.headers(), "location") {
                // A renamed repository: same hub, other path.
                Some(path) if answer.status().is_redirection() && !linked && path.starts_with('/') => {
                    at = format!("{}{path}", self.endpoint);
                }
                _ => {
                    if !answer.status().is_redirection() {
                        accepted(&answer, &url, folder)?;
                    }
                    let etag = header(["x-linked-etag", "etag"]).unwrap_or_default();
                    let bytes = header(["x-linked-size", "content-length"]).and_then(|bytes| bytes.parse().ok());
                    return Ok(HubFile {
                        name: name.to_owned(),
                        bytes: bytes.ok_or_else(|| failed(&url, folder, "the hub gives no size"))?,
                        url,
                        etag: etag.trim_start_matches("W/").trim_matches('"').to_owned(),
                    });
                }
            }
        }
        Err(failed(&url, folder, "too many redirects"))
    }

    /// Downloads a file into `folder`, going on from a `.part` file of the same version. `progress` gets the bytes on disk.
    pub(super) fn download(
        &self,
        file: &HubFile,
        folder: &Path,
        progress: &mut dyn FnMut(u64),
        cancel: &AtomicBool,
    ) -> Result<(), FetchError> {
        let place = folder.join(&file.name);
        let part = file.part(&place);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(FetchError::at(parent))?;
        }
        let mut have = part.metadata().map_or(0, |metadata| metadata.len());
        if have > file.bytes {
            have = 0;
        }
        if have < file.bytes || file.bytes == 0 {
            let mut request = self.authorised(self.follow.get(&file.url));
            if have > 0 {
                request = request.header("range", format!("bytes={have}-"));
            }
            let mut answer = request.call().map_err(|error| failed(&file.url, folder, error))?;
            accepted(&answer, &file.url, folder)?;
            if !continues(answer.headers(), have) {
                have = 0;
            }
            let opened = OpenOptions::new().create(true).append(true).open(&part);
            let mut to = opened.map_err(FetchError::at(&part))?;
            to.set_len(have).map_err(FetchError::at(&part))?;
            let mut buffer = vec![0; 1 << 16];
            let mut from = answer.body_mut().as_reader();
            loop {
                if cancel.load(Ordering::Relaxed) {
                    return Err(FetchError::Cancelled);
                }
                let read = match from.read(&mut buffer) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    read => read.map_err(|error| failed(&file.url, folder, error))?,
                };
                if read == 0 {
                    break;
                }
                let written = to.write_all(buffer.get(..read).unwrap_or_default());
                written.map_err(FetchError::at(&part))?;
                have += read as u64;
                progress(have);
            }
            if have < file.bytes {
                let message = format!("the connection ended after {have} of {} bytes", file.bytes);
                return Err(failed(&file.url, folder, message));
            }
        }
        let synced = File::open(&part).and_then(|file| file.sync_all());
        synced.map_err(FetchError::at(&part))?;
        file.check(&part)?;
        fs::rename(&part, &place).map_err(FetchError::at(&place))
    }

    fn authorised<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }
}

impl HubFile {
    /// The file that a download grows: named after the version, so that two versions never mix.
    fn part(&self, place: &Path) -> PathBuf {
        let version: String = self.etag.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
        let mut name = place.as_os_str().to_owned();
        name.push(format!(".{version}.part"));
        PathBuf::from(name)
    }

    /// Holds a whole download against size and, where the hub gives one, SHA-256; one that differs is deleted.
    fn check(&self, part: &Path) -> Result<(), FetchError> {
        let bytes = part.metadata().map_err(FetchError::at(part))?.len();
        let is_sha256 = self.etag.len() == 64 && self.etag.chars().all(|digit| digit.is_ascii_hexdigit());
        let found = if is_sha256 {
            sha256_file(part).map_err(FetchError::at(part))?
        } else {
            self.etag.clone()
        };
        if bytes == self.bytes && found == self.etag {
            return Ok(());
        }
        fs::remove_file(part).map_err(FetchError::at(part))?;
        Err(FetchError::Checksum {
            file: part.to_owned(),
            expected: format!("{} ({} bytes)", self.etag, self.bytes),
            found: format!("{found} ({bytes} bytes)"),
        })
    }
}

/// The answer's body begins at byte `have`: `content-range: bytes <have>-<last>/<size>`.
fn continues(headers: &HeaderMap, have: u64) -> bool {
    let range = text(headers, "content-range").unwrap_or_default();
    let first = range.trim_start_matches("bytes ").split('-').next().unwrap_or_default();
    first.trim().parse() == Ok(have)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

fn accepted(answer: &Response<Body>, url: &str, folder: &Path) -> Result<(), FetchError> {
    match answer.status().as_u16() {
        200..300 => Ok(()),
        status @ (401 | 403) => Err(FetchError::Refused {
            url: url.to_owned(),
            status,
        }),
        status => Err(failed(url, folder, format!("status {status}"))),
    }
}

fn failed(url: &str, folder: &Path, message: impl ToString) -> FetchError {
    FetchError::Hub {
        url: url.to_owned(),
        message: message.to_string(),
        folder: folder.to_owned(),
    }
}
