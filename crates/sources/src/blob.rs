//! Small files in Azure Blob storage that are only ever appended to: append blobs below one prefix of one container.
//!
//! By its REST API (<https://learn.microsoft.com/rest/api/storageservices/append-block>), with tokens of Microsoft
//! Entra; keys and shared access signatures are not taken. What it deliberately leaves out: making the container, and
//! anything but appending, listing, reading, and writing one small blob that several take turns at ([`Blobs::put`]).
//! Whoever has a client of their own for Blob storage finds the address in its parts ([`Address`]) and tokens
//! ([`Bearer`]) here.

mod hours;

use std::fmt;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Method, Url};

use crate::azure::auth::Tokens;
use crate::azure::http::{Answer, header};
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

/// How often a read is tried when storage is busy or does not answer.
const ATTEMPTS: u32 = 5;
/// The first pause; it doubles.
const PAUSE: Duration = Duration::from_millis(500);
/// Storage may ask to wait as long as this.
const LONGEST: Duration = Duration::from_secs(30);

pub use hours::{Hours, Span};

/// Blobs below a prefix.
pub struct Blobs {
    plane: Plane,
    /// The container, without a slash at the end.
    container: Url,
    /// Empty, or with a slash at the end.
    prefix: String,
    /// Nothing is written: less is needed for that.
    reads: bool,
}

/// A place in Blob storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The account's endpoint, without a slash at the end; an emulator has the account in its path.
    pub endpoint: String,
    /// The container.
    pub container: String,
    /// Empty, or with a slash at the end.
    pub prefix: String,
    url: Url,
}

impl Address {
    /// Of `https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX`.
    ///
    /// # Errors
    /// When it is no such address.
    pub fn new(text: &str) -> Result<Self, String> {
        let mut url = address(text, &HOSTS)?;
        if url.query().is_some() {
            return Err("it must hold no signature: seawall signs in with an identity".to_owned());
        }
        let own = url.host_str().is_some_and(|host| !host.contains(".blob."));
        let path = url.path().trim_matches('/').to_owned();
        let mut parts = path.splitn(if own { 3 } else { 2 }, '/');
        let account = if own { parts.next() } else { None };
        let container = parts.next().unwrap_or_default().to_owned();
        if container.is_empty() || account == Some("") {
            return Err("it names no container".to_owned());
        }
        let prefix = parts.next().map(decoded).transpose()?;
        let prefix = prefix.map(|prefix| format!("{}/", prefix.trim_end_matches('/')));
        url.set_path(account.unwrap_or_default());
        let endpoint = url.as_str().trim_end_matches('/').to_owned();
        let path: Vec<&str> = account.into_iter().chain([&*container]).collect();
        url.set_path(&path.join("/"));
        Ok(Self {
            endpoint,
            container,
            prefix: prefix.unwrap_or_default(),
            url,
        })
    }
}

/// A path of an address as the name that it stands for.
fn decoded(path: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let pair = digit(rest.next()).zip(digit(rest.next()));
        let (high, low) = pair.ok_or_else(|| "a `%` in it stands for nothing".to_owned())?;
        bytes.extend(u8::try_from(high * 16 + low));
    }
    String::from_utf8(bytes).map_err(|_| "its path is no UTF-8".to_owned())
}

/// Tokens for storage, for clients that are not this one.
pub struct Bearer(Tokens);

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer")
    }
}

impl Bearer {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// When nobody can sign in in that way.
    pub fn new(sign_in: &SignIn) -> Result<Self, String> {
        let (trust, timeout) = (&sign_in.trust, sign_in.timeout);
        let around = &sign_in.surroundings;
        Tokens::new(sign_in.auth, &sign_in.cloud, trust, timeout, around)
            .map(Self)
            .map_err(|why| format!("cannot sign in to Azure: {why}"))
    }

    /// A token that is valid now; it is kept until shortly before it ends. To be asked within a runtime of tokio's.
    ///
    /// # Errors
    /// When none is given, with what to do about it.
    pub async fn token(&self) -> Result<String, String> {
        let failed = |why| format!("cannot sign in to Azure: {why} ({})", self.0.help());
        let header = self.0.header(AUDIENCE).await.map_err(failed)?;
        let header = header.to_str().unwrap_or_default();
        Ok(header.trim_start_matches("Bearer ").to_owned())
    }
}

/// A blob of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name without the prefix.
    pub name: String,
    /// Bytes of it.
    pub length: u64,
    /// Changes with every write.
    pub etag: String,
    /// Whether it only ever grows.
    pub appended: bool,
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
        let address = Address::new(text)?;
        Ok(Self {
            plane: Plane::new(sign_in, AUDIENCE)?,
            container: address.url,
            prefix: address.prefix,
            reads: false,
        })
    }

    /// The same, for who only reads.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn to_read(text: &str, sign_in: &SignIn) -> Result<Self, String> {
        Ok(Self {
            reads: true,
            ..Self::new(text, sign_in)?
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
        let mut all = Vec::new();
        self.pages(beginning, "", |text| {
            all.extend(blobs(text).filter_map(|listed| {
                let name = listed.name.strip_prefix(self.prefix.as_str())?.to_owned();
                Some(Listed { name, ..listed })
            }));
        })?;
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    /// The folders right below one (without the prefix, with a slash at the end), and whether blobs stand there too.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub fn folders(&self, within: &str) -> Result<(Vec<String>, bool), Untold> {
        let (mut all, mut has_blobs) = (Vec::new(), false);
        self.pages(within, "/", |text| {
            has_blobs |= text.contains("<Blob>");
            let folders = text.split("<BlobPrefix>").skip(1);
            let names = folders.filter_map(|folder| element(folder, "Name"));
            all.extend(
                names.filter_map(|name| name.strip_prefix(self.prefix.as_str()).map(str::to_owned)),
            );
        })?;
        all.sort();
        Ok((all, has_blobs))
    }

    /// Every page of a list.
    fn pages(
        &self,
        beginning: &str,
        delimiter: &str,
        mut see: impl FnMut(&str),
    ) -> Result<(), Untold> {
        let prefix = format!("{}{beginning}", self.prefix);
        let mut marker = String::new();
        for _ in 0..PAGES {
            let mut url = self.container.clone();
            url.query_pairs_mut()
                .append_pair("restype", "container")
                .append_pair("comp", "list")
                .append_pair("prefix", &prefix);
            if !delimiter.is_empty() {
                url.query_pairs_mut().append_pair("delimiter", delimiter);
            }
            if !marker.is_empty() {
                url.query_pairs_mut().append_pair("marker", &marker);
            }
            let answer = self.ask(Method::GET, &url, &[], Vec::new())?;
            self.is(&answer, &[200])?;
            let text = String::from_utf8_lossy(&answer.body);
            see(&text);
            marker = element(&text, "NextMarker").unwrap_or_default();
            if marker.is_empty() {
                return Ok(());
            }
        }
        Err(Untold::never("the list has no end".to_owned()))
    }

    /// A blob from a byte on.
    ///
    /// # Errors
    /// When storage refuses, or does not answer.
    pub fn read(&self, name: &str, from: u64) -> Result<Vec<u8>, Untold> {
        self.range(name, &format!("bytes={from}-"))
    }

    /// At most so many bytes of a blob from one on; fewer at its end.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn part(&self, name: &str, from: u64, most: u64) -> Result<Vec<u8>, Untold> {
        let last = from.saturating_add(most).saturating_sub(1);
        self.patiently(|| self.range(name, &format!("bytes={from}-{last}")))
    }

    fn range(&self, name: &str, range: &str) -> Result<Vec<u8>, Untold> {
        let range = [("x-ms-range", range.to_owned())];
        let answer = self.ask(Method::GET, &self.of(name)?, &range, Vec::new())?;
        // Nothing stands there yet.
        if answer.status == 416 {
            return Ok(Vec::new());
        }
        self.is(&answer, &[206]).map(|()| answer.body)
    }

    /// A small blob whole, with its ETag; nothing when it is not there.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn get(&self, name: &str) -> Result<Option<(Vec<u8>, String)>, Untold> {
        let url = self.of(name)?;
        let answer = self.ask(Method::GET, &url, &[], Vec::new())?;
        if answer.status == 404 && code(&answer) == "BlobNotFound" {
            return Ok(None);
        }
        self.is(&answer, &[200])?;
        let etag = header(&answer.headers, "etag").unwrap_or_default();
        Ok(Some((answer.body, etag.to_owned())))
    }

    /// Writes a small blob whole, if nobody has written it since it had this ETag (or made it, where there is none).
    /// Its new ETag, or nothing when somebody has.
    ///
    /// # Errors
    /// When storage refuses otherwise, or does not answer; then nobody knows whether it is written.
    pub fn put(
        &self,
        name: &str,
        bytes: &[u8],
        since: Option<&str>,
    ) -> Result<Option<String>, Untold> {
        self.patiently(|| {
            let put = self.put_once(name, bytes, since);
            if !matches!(&put, Ok(None) | Err(Untold { later: true, .. })) {
                return put;
            }
            // An answer may be lost where what was asked for is done: then it stands there.
            match self.get(name)? {
                Some((there, etag)) if there == bytes => Ok(Some(etag)),
                _ => put,
            }
        })
    }

    fn put_once(
        &self,
        name: &str,
        bytes: &[u8],
        since: Option<&str>,
    ) -> Result<Option<String>, Untold> {
        let condition = match since {
            Some(etag) => ("if-match", etag.to_owned()),
            None => ("if-none-match", "*".to_owned()),
        };
        let headers = [("x-ms-blob-type", "BlockBlob".to_owned()), condition];
        let answer = self.ask(Method::PUT, &self.of(name)?, &headers, bytes.to_vec())?;
        // The first when it differs, the second when it is there though it should not be.
        if matches!(answer.status, 412 | 409) {
            return Ok(None);
        }
        self.is(&answer, &[201])?;
        let etag = header(&answer.headers, "etag").unwrap_or_default();
        Ok(Some(etag.to_owned()))
    }

    /// Asks again when that may help.
    fn patiently<T>(&self, ask: impl Fn() -> Result<T, Untold>) -> Result<T, Untold> {
        let mut pause = PAUSE;
        for _ in 1..ATTEMPTS {
            match ask() {
                Err(untold) if untold.later => {
                    let asked = untold.wait.unwrap_or_default().min(LONGEST);
                    thread::sleep(pause.max(asked));
                    pause *= 2;
                }
                done => return done,
            }
        }
        ask()
    }

    fn of(&self, name: &str) -> Result<Url, Untold> {
        let mut url = self.container.clone();
        let parts = self.prefix.split('/').chain(name.split('/'));
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
            (403, _) if self.reads => Some(
                "the identity needs the role `Storage Blob Data Reader` on the container; where it has that, the \
                 firewall of the storage account keeps this network out",
            ),
            (403, _) => {
                Some("the identity needs the role `Storage Blob Data Contributor` on the container")
            }
            (404, "ContainerNotFound") if self.reads => Some(
                "check the name of the container; a diagnostic setting makes it when it has something to write",
            ),
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
fn blobs(text: &str) -> impl Iterator<Item = Listed> {
    text.split("<Blob>").skip(1).filter_map(|blob| {
        Some(Listed {
            name: element(blob, "Name")?,
            length: element(blob, "Content-Length")?.parse().ok()?,
            etag: element(blob, "Etag").unwrap_or_default(),
            appended: element(blob, "BlobType").as_deref() == Some("AppendBlob"),
        })
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
    fn an_address_has_parts_and_its_path_is_a_name() {
        let address = Address::new(
            "https://shop.blob.core.windows.net/insights-logs-kube-audit/resourceId%3D/SUBSCRIPTIONS/a",
        )
        .unwrap();
        assert_eq!(address.endpoint, "https://shop.blob.core.windows.net");
        assert_eq!(address.container, "insights-logs-kube-audit");
        assert_eq!(address.prefix, "resourceId=/SUBSCRIPTIONS/a/");
        let address = Address::new("https://127.0.0.1:10000/account/logs").unwrap();
        assert_eq!(address.endpoint, "https://127.0.0.1:10000/account");
        assert_eq!((&*address.container, &*address.prefix), ("logs", ""));
        assert!(Address::new("https://shop.blob.core.windows.net/c/%zz").is_err());
    }

    #[test]
    fn lists_are_read_by_their_elements() {
        let text = "<?xml version=\"1.0\"?><EnumerationResults><Blobs>\
            <Blob><Name>a &amp;lt; b</Name><Properties><Content-Length>7</Content-Length></Properties></Blob>\
            <Blob><Name>c</Name><Properties><Content-Length>x</Content-Length></Properties></Blob>\
            </Blobs><NextMarker /></EnumerationResults>";
        let all: Vec<(String, u64)> = blobs(text).map(|one| (one.name, one.length)).collect();
        assert_eq!(all, [("a &lt; b".to_owned(), 7)]);
        assert_eq!(element(text, "NextMarker"), None);
        assert_eq!(
            element("<NextMarker>m</NextMarker>", "NextMarker").unwrap(),
            "m"
        );
    }
}
