//! Small files in Azure Blob storage that are only ever appended to: append blobs below one prefix of one container.
//!
//! By its REST API (<https://learn.microsoft.com/rest/api/storageservices/append-block>), with tokens of Microsoft
//! Entra; keys and shared access signatures are not taken. What it deliberately leaves out: making the container, and
//! anything but appending, listing and reading.

use std::fmt;

use jiff::Timestamp;
use reqwest::{Method, Url};

use crate::azure::http::Answer;
use crate::azure::plane::{Plane, SignIn, address, code, refusal};
use crate::post::Untold;

/// Append blobs with blocks of 4 MiB, range reads, `Content-Length` in lists.
const VERSION: &str = "2021-12-02";
/// What tokens for any account of any cloud are for
/// (<https://learn.microsoft.com/azure/storage/blobs/authorize-access-azure-active-directory>).
const AUDIENCE: &str = "https://storage.azure.com";
/// Endpoints of accounts, in Azure's clouds and with DNS zones
/// (<https://learn.microsoft.com/azure/storage/common/storage-account-overview#storage-account-endpoints>).
const HOSTS: [&str; 4] = [
    ".blob.core.windows.net",
    ".blob.core.usgovcloudapi.net",
    ".blob.core.chinacloudapi.cn",
    ".blob.storage.azure.net",
];
/// The most of one append.
pub const MOST: usize = 4 << 20;
/// The most pages of a list, each of 5000 names.
const PAGES: usize = 100;

/// Blobs below a prefix.
pub struct Blobs {
    plane: Plane,
    /// The container, without a slash at the end.
    container: Url,
    /// Empty, or with a slash at the end.
    prefix: String,
}

/// A blob of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name without the prefix.
    pub name: String,
    /// Bytes of it.
    pub length: u64,
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blobs")
            .field("container", &self.container.as_str())
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl Blobs {
    /// Of `https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX`; an emulator on this machine has the account in its
    /// path. Nothing is sent yet.
    ///
    /// # Errors
    /// When it is no such address, or nobody can sign in in that way.
    pub fn new(text: &str, sign_in: &SignIn) -> Result<Self, String> {
        let mut url = address(text, &HOSTS)?;
        if url.query().is_some() {
            return Err("it must hold no signature: seawall signs in with an identity".to_owned());
        }
        let own = url.host_str().is_some_and(|host| !host.contains(".blob."));
        let path = url.path().trim_matches('/').to_owned();
        let mut parts = path.splitn(if own { 3 } else { 2 }, '/');
        let account = if own { parts.next() } else { None };
        let container = parts.next().unwrap_or_default();
        if container.is_empty() || account == Some("") {
            return Err("it names no container".to_owned());
        }
        let prefix = parts.next().map(|prefix| format!("{prefix}/"));
        let path: Vec<&str> = account.into_iter().chain([container]).collect();
        url.set_path(&path.join("/"));
        Ok(Self {
            plane: Plane::new(sign_in, AUDIENCE)?,
            container: url,
            prefix: prefix.unwrap_or_default(),
        })
    }

    /// Adds to the end of a blob, which is made when it is not there. Added whole or not at all; when there is no
    /// answer, nobody knows which.
    ///
    /// # Errors
    /// When storage refuses, or does not answer.
    pub fn append(&self, name: &str, bytes: &[u8]) -> Result<(), Untold> {
        let url = self.of(name)?;
        let mut block = url.clone();
        block.set_query(Some("comp=appendblock"));
        let answer = self.ask(Method::PUT, &block, &[], bytes.to_vec())?;
        if answer.status == 404 && code(&answer) == "BlobNotFound" {
            let made = [
                ("x-ms-blob-type", "AppendBlob".to_owned()),
                ("x-ms-blob-content-type", "application/x-ndjson".to_owned()),
                // Another may have made it meanwhile: what it holds stays.
                ("if-none-match", "*".to_owned()),
            ];
            let answer = self.ask(Method::PUT, &url, &made, Vec::new())?;
            if answer.status != 201 && answer.status != 409 {
                return Err(self.refused(&answer));
            }
            let answer = self.ask(Method::PUT, &block, &[], bytes.to_vec())?;
            return self.is(&answer, &[201]);
        }
        self.is(&answer, &[201])
    }

    /// The blobs whose names begin so, sorted by name.
    ///
    /// # Errors
    /// When storage refuses, does not answer, or the list has no end.
    pub fn list(&self, beginning: &str) -> Result<Vec<Listed>, Untold> {
        let prefix = format!("{}{beginning}", self.prefix);
        let mut all = Vec::new();
        let mut marker = String::new();
        for _ in 0..PAGES {
            let mut url = self.container.clone();
            url.query_pairs_mut()
                .append_pair("restype", "container")
                .append_pair("comp", "list")
                .append_pair("prefix", &prefix);
            if !marker.is_empty() {
                url.query_pairs_mut().append_pair("marker", &marker);
            }
            let answer = self.ask(Method::GET, &url, &[], Vec::new())?;
            self.is(&answer, &[200])?;
            let text = String::from_utf8_lossy(&answer.body);
            all.extend(blobs(&text).filter_map(|(name, length)| {
                let name = name.strip_prefix(self.prefix.as_str())?.to_owned();
                Some(Listed { name, length })
            }));
            marker = element(&text, "NextMarker").unwrap_or_default();
            if marker.is_empty() {
                all.sort_by(|one, other| one.name.cmp(&other.name));
                return Ok(all);
            }
        }
        Err(Untold::never("the list has no end".to_owned()))
    }

    /// A blob from a byte on.
    ///
    /// # Errors
    /// When storage refuses, or does not answer.
    pub fn read(&self, name: &str, from: u64) -> Result<Vec<u8>, Untold> {
        let range = [("x-ms-range", format!("bytes={from}-"))];
        let answer = self.ask(Method::GET, &self.of(name)?, &range, Vec::new())?;
        // Nothing stands there yet.
        if answer.status == 416 {
            return Ok(Vec::new());
        }
        self.is(&answer, &[206]).map(|()| answer.body)
    }

    fn of(&self, name: &str) -> Result<Url, Untold> {
        let mut url = self.container.clone();
        let parts = self.prefix.split('/').chain([name]);
        url.path_segments_mut()
            .map_err(|()| Untold::never("the address has no path".to_owned()))?
            .extend(parts.filter(|part| !part.is_empty()));
        Ok(url)
    }

    fn ask(
        &self,
        method: Method,
        url: &Url,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> Result<Answer, Untold> {
        let now = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT");
        let mut all = vec![
            ("x-ms-version", VERSION.to_owned()),
            ("x-ms-date", now.to_string()),
        ];
        all.extend_from_slice(headers);
        self.plane.ask(method, url, &all, body)
    }

    fn is(&self, answer: &Answer, wanted: &[u16]) -> Result<(), Untold> {
        if wanted.contains(&answer.status) {
            Ok(())
        } else {
            Err(self.refused(answer))
        }
    }

    fn refused(&self, answer: &Answer) -> Untold {
        let help = match (answer.status, code(answer).as_str()) {
            (403, _) => {
                Some("the identity needs the role `Storage Blob Data Contributor` on the container")
            }
            (404, "ContainerNotFound") => {
                Some("make the container first: deploy/azure/seawall-server.bicep does")
            }
            (409, "InvalidBlobType") => Some(
                "a blob of that name is there that nobody can append to: choose another prefix",
            ),
            _ => None,
        };
        Untold {
            help,
            ..refusal(&self.container, answer)
        }
    }
}

/// Names and lengths in a list
/// (<https://learn.microsoft.com/rest/api/storageservices/list-blobs>). It is XML of a fixed shape that one service
/// writes, so its elements are looked for by their names.
fn blobs(text: &str) -> impl Iterator<Item = (String, u64)> {
    text.split("<Blob>").skip(1).filter_map(|blob| {
        let length = element(blob, "Content-Length")?;
        Some((element(blob, "Name")?, length.parse().ok()?))
    })
}

/// The text of the first element of a name.
fn element(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once("</")?;
    let plain = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ];
    let start = text.to_owned();
    Some(
        plain
            .iter()
            .fold(start, |text, (from, to)| text.replace(from, to)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::{Auth, Cloud, CloudName, Surroundings, Trust};

    fn of(text: &str) -> Result<Blobs, String> {
        let sign_in = SignIn {
            cloud: Cloud::new(CloudName::Public, None, None, None).unwrap(),
            auth: Auth::AzureCli,
            surroundings: Surroundings::default(),
            trust: Trust::default(),
            timeout: std::time::Duration::from_secs(1),
        };
        Blobs::new(text, &sign_in)
    }

    #[test]
    fn addresses_name_an_account_a_container_and_a_prefix() {
        let blobs = of("https://shop.blob.core.windows.net/posture/a/b/").unwrap();
        assert_eq!(blobs.prefix, "a/b/");
        assert_eq!(
            blobs.of("day x.jsonl").unwrap().as_str(),
            "https://shop.blob.core.windows.net/posture/a/b/day%20x.jsonl"
        );
        let blobs = of("https://127.0.0.1:10000/account/posture").unwrap();
        assert_eq!(
            blobs.of("x").unwrap().as_str(),
            "https://127.0.0.1:10000/account/posture/x"
        );
        for wrong in [
            "http://shop.blob.core.windows.net/posture",
            "https://shop.blob.core.windows.net/",
            "https://shop.blob.core.windows.net.example.com/posture",
            "https://example.com/posture",
            "https://shop.blob.core.windows.net/posture?sig=secret",
            "https://user:word@shop.blob.core.windows.net/posture",
            "https://127.0.0.1:10000/account",
        ] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lists_are_read_by_their_elements() {
        let text = "<?xml version=\"1.0\"?><EnumerationResults><Blobs>\
            <Blob><Name>a &amp;lt; b</Name><Properties><Content-Length>7</Content-Length></Properties></Blob>\
            <Blob><Name>c</Name><Properties><Content-Length>x</Content-Length></Properties></Blob>\
            </Blobs><NextMarker /></EnumerationResults>";
        let all: Vec<(String, u64)> = blobs(text).collect();
        assert_eq!(all, [("a &lt; b".to_owned(), 7)]);
        assert_eq!(element(text, "NextMarker"), None);
        assert_eq!(
            element("<NextMarker>m</NextMarker>", "NextMarker").unwrap(),
            "m"
        );
    }
}
