//! A service on this machine that keeps comments as GitHub and Azure DevOps do, takes uploads, and has a release. Only
//! what the scripts of pipelines ask is there; shapes are those of the public references:
//! <https://docs.github.com/rest/issues/comments> (2022-11-28) and
//! <https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads> (7.1), seen 2026-11-27.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// What was asked: `METHOD path`, whether with the token, and the body.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) what: String,
    pub(super) signed: bool,
    pub(super) body: Value,
}

#[derive(Default)]
struct State {
    asked: Vec<Asked>,
    comments: Vec<Value>,
    threads: Vec<Value>,
    release: Vec<u8>,
}

#[derive(Clone)]
pub(super) struct Service {
    pub(super) url: String,
    state: Arc<Mutex<State>>,
}

pub(super) const TOKEN: &str = "a-token-of-a-run";

impl Service {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let service = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            state: Arc::default(),
        };
        let shared = service.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                shared.answer(stream.unwrap());
            }
        });
        service
    }

    /// The archive that every release consists of.
    pub(super) fn release(&self, archive: Vec<u8>) {
        self.state.lock().unwrap().release = archive;
    }

    pub(super) fn comments(&self) -> Vec<Value> {
        self.state.lock().unwrap().comments.clone()
    }

    /// Comments of others.
    pub(super) fn says(&self, comments: Vec<Value>) {
        self.state.lock().unwrap().comments = comments;
    }

    pub(super) fn threads(&self) -> Vec<Value> {
        self.state.lock().unwrap().threads.clone()
    }

    /// What was asked since the last time.
    pub(super) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        let mut part = [0; 8192];
        let (head, body) = loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = header(head, "content-length").map_or(0, |text| text.parse().unwrap());
                if body.len() >= length {
                    break (head.to_owned(), body.to_owned());
                }
            }
            let read = stream.read(&mut part).unwrap();
            bytes.extend_from_slice(&part[..read]);
        };
        let mut words = head.split(' ');
        let what = format!("{} {}", words.next().unwrap(), words.next().unwrap());
        let asked = Asked {
            signed: header(&head, "authorization") == Some(&format!("Bearer {TOKEN}")),
            body: serde_json::from_str(&body).unwrap_or(Value::Null),
            what,
        };
        let mut state = self.state.lock().unwrap();
        state.asked.push(asked.clone());
        let (status, answer) = state.answer(&asked);
        drop(state);
        let head = format!(
            "HTTP/1.1 {status} -\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            answer.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let _ = stream.write_all(&answer);
    }
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    })
}

impl State {
    fn answer(&mut self, asked: &Asked) -> (u16, Vec<u8>) {
        let (method, path) = asked.what.split_once(' ').unwrap();
        let path = path.split('?').next().unwrap();
        if method == "GET" && path.contains("/releases/download/") {
            return (200, self.release.clone());
        }
        if !asked.signed {
            return (401, Vec::new());
        }
        let (status, value) = match (method, path.rsplit_once('/').unwrap()) {
            ("POST", (_, "sarifs")) => (202, json!({"id": "1"})),
            ("GET", (_, "comments")) => (200, self.page(&asked.what)),
            ("POST", (_, "comments")) => {
                let comment = json!({
                    "id": 100 + self.comments.len(),
                    "user": {"login": "github-actions[bot]", "type": "Bot"},
                    "body": asked.body["body"],
                });
                self.comments.push(comment.clone());
                (201, comment)
            }
            ("PATCH", (folder, id)) if folder.ends_with("/issues/comments") => {
                let id: u64 = id.parse().unwrap();
                let found = |comment: &&mut Value| comment["id"] == id;
                let comment = self.comments.iter_mut().find(found).unwrap();
                comment["body"] = asked.body["body"].clone();
                (200, comment.clone())
            }
            ("GET", (_, "threads")) => (200, json!({"value": self.threads})),
            ("POST", (_, "threads")) => {
                let mut thread = asked.body.clone();
                thread["id"] = json!(7 + self.threads.len());
                thread["comments"][0]["id"] = json!(1);
                self.threads.push(thread.clone());
                (200, thread)
            }
            ("PATCH", (folder, "1")) => {
                let folder = folder.strip_suffix("/comments").unwrap();
                let id: u64 = folder.rsplit_once('/').unwrap().1.parse().unwrap();
                let found = |thread: &&mut Value| thread["id"] == id;
                let thread = self.threads.iter_mut().find(found).unwrap();
                thread["comments"][0]["content"] = asked.body["content"].clone();
                (200, thread.clone())
            }
            _ => (404, Value::Null),
        };
        (status, serde_json::to_vec(&value).unwrap())
    }

    /// A hundred comments at a time.
    fn page(&self, what: &str) -> Value {
        assert!(what.contains("per_page=100"), "{what}");
        let page: usize = what.rsplit_once("page=").unwrap().1.parse().unwrap();
        self.comments
            .chunks(100)
            .nth(page - 1)
            .unwrap_or_default()
            .into()
    }
}
