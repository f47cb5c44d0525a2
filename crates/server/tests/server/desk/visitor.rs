//! Somebody with a browser, without the browser.

use std::io::{Read as _, Write as _};

use super::super::running::Speaking;
use super::Dashboard;

/// Keeps a cookie.
#[derive(Clone)]
pub(super) struct Visitor<'d> {
    pub(super) dashboard: &'d Dashboard,
    pub(super) cookie: Option<String>,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    /// Lower case.
    pub(super) head: String,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> String {
        let start = format!("{name}: ");
        let line = self.head.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap_or_default().to_owned()
    }

    /// The body without what tells how long ago something was.
    pub(super) fn content(&self) -> &str {
        self.body.split("<footer").next().unwrap()
    }

    /// All cookies, by name.
    pub(super) fn cookies(&self) -> Vec<(String, String)> {
        let lines = self
            .head
            .lines()
            .filter_map(|line| line.strip_prefix("set-cookie: "));
        lines
            .map(|line| {
                let (name, rest) = line.split_once('=').unwrap();
                let value = rest.split(';').next().unwrap();
                (name.to_owned(), value.to_owned())
            })
            .collect()
    }

    /// Addresses on this site, as they are followed.
    pub(super) fn links(&self) -> Vec<String> {
        self.body
            .split("href=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"))
            .filter(|link| link.starts_with('/') && !link.ends_with(".css"))
            .collect()
    }

    /// What every list has that is given as a file.
    pub(super) fn is_file(&self) {
        let named = self.header("content-disposition");
        assert!(
            named.starts_with("attachment; filename=\"seawall-"),
            "{named}"
        );
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
    }

    /// What every page has, and what none may have.
    pub(super) fn is_whole(&self) {
        let policy = self.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self';"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"));
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        assert_eq!(self.header("referrer-policy"), "no-referrer");
        assert_eq!(self.header("cache-control"), "no-store");
        for part in ["<html lang=\"en\">", "<main id=\"content\"", "<title>"] {
            assert!(self.body.contains(part), "{part} is not in {}", self.body);
        }
        assert_eq!(self.body.matches("<h1").count(), 1, "{}", self.body);
        for part in [
            " style=\"",
            "<style",
            " onclick",
            "javascript:",
            "src=\"http",
            "href=\"http:",
        ] {
            assert!(!self.body.contains(part), "{part} is in {}", self.body);
        }
        // The only script is the file.
        assert_eq!(
            self.body.matches("<script").count(),
            self.body
                .matches("<script src=\"/script.js\" defer></script>")
                .count()
        );
        // Every table says what it is of; those of the guide are named otherwise.
        for table in self.body.split("<table class").skip(1) {
            assert!(
                table.split("<tbody").next().unwrap().contains("<caption"),
                "{table}"
            );
        }
    }
}

impl Visitor<'_> {
    pub(super) fn origin(&self) -> String {
        format!("https://{}", self.dashboard.address)
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    pub(super) fn sign_in(&mut self, token: &str) -> Answer {
        let origin = self.origin();
        let answer = self.send(
            "POST",
            "/sign-in",
            &[("Origin", &origin)],
            &format!("token={}", token.replace(' ', "+")),
        );
        if let Some(cookie) = answer.cookie() {
            self.cookie = Some(cookie);
        }
        answer
    }

    pub(super) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
            self.dashboard.address
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(cookie) = &self.cookie {
            head.push_str(&format!("Cookie: __Host-seawall={cookie}\r\n"));
        }
        if method == "POST" {
            head.push_str(&format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                body.len()
            ));
        }
        self.raw(&format!("{head}\r\n{body}"))
    }

    /// Sends this and reads one answer.
    pub(super) fn raw(&self, text: &str) -> Answer {
        let mut speaking = Speaking::to(self.dashboard.address, &self.dashboard.trusted).unwrap();
        // It may be refused before it is sent to its end.
        let _ = speaking.stream.write_all(text.as_bytes());
        let _ = speaking.stream.flush();
        let mut bytes = Vec::new();
        let mut buffer = [0; 16 * 1024];
        loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                let raw = String::from_utf8_lossy(&bytes[..end]).into_owned();
                let names = raw.lines().map(|line| match line.split_once(": ") {
                    Some((name, value)) => format!("{}: {value}", name.to_lowercase()),
                    None => line.to_owned(),
                });
                let head = names.collect::<Vec<_>>().join("\n");
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "));
                let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
                if bytes.len() >= end + 4 + length {
                    let body =
                        String::from_utf8(bytes[end + 4..end + 4 + length].to_vec()).unwrap();
                    let status = raw.split(' ').nth(1).unwrap().parse().unwrap();
                    return Answer { status, head, body };
                }
            }
            let read = speaking.stream.read(&mut buffer).unwrap();
            assert!(
                read > 0,
                "no whole answer: {}",
                String::from_utf8_lossy(&bytes)
            );
            bytes.extend_from_slice(&buffer[..read]);
        }
    }
}

impl Answer {
    /// The session that it begins.
    fn cookie(&self) -> Option<String> {
        let line = self.header("set-cookie");
        let (name, rest) = line.split_once('=')?;
        let (value, attributes) = rest.split_once(';')?;
        if name != "__Host-seawall" || value.is_empty() {
            return None;
        }
        for attribute in [
            "Path=/",
            "Secure",
            "HttpOnly",
            "SameSite=Strict",
            "Max-Age=",
        ] {
            assert!(attributes.contains(attribute), "{line}");
        }
        Some(value.to_owned())
    }
}
