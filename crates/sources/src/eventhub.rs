//! Azure Event Hubs, read by its Kafka endpoint, which namespaces have from the Standard tier on
//! (<https://learn.microsoft.com/azure/event-hubs/azure-event-hubs-apache-kafka-overview>, 2026-11): a hub is a topic.
//!
//! Messages are asked for by partition and offset, outside of any consumer group, so reading takes nothing from other
//! consumers and needs no right but to receive. One signs in with a token of Microsoft Entra (SASL OAUTHBEARER) or a
//! connection string (SASL PLAIN), always over TLS; only the emulator, on this machine, is spoken to in plain text.
//!
//! Each call waits for its answer, so it belongs on a thread where that may be. What it deliberately leaves out: noting
//! how far one came, and knowing what messages hold.

mod address;
mod trouble;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use jiff::Timestamp;
use rskafka::BackoffConfig;
use rskafka::chrono::DateTime;
use rskafka::client::error::Error;
use rskafka::client::partition::{OffsetAt, PartitionClient, UnknownTopicHandling};
use rskafka::client::{
    Client, ClientBuilder, Credentials, OauthBearerCredentials, OauthCallback, SaslConfig,
};
use tokio::time::error::Elapsed;

use crate::azure::auth::Tokens;
use crate::azure::http::Trust;
use crate::azure::plane::SignIn;
use crate::post::Untold;

pub use address::{Address, ConnectionString, SCHEME};

/// The user whose password is a connection string
/// (<https://learn.microsoft.com/azure/event-hubs/azure-event-hubs-apache-kafka-overview#shared-access-signature-sas>,
/// 2026-11).
const CONNECTION_STRING_USER: &str = "$ConnectionString";
/// How long it is known which partitions there are: Event Hubs closes what is idle for four minutes, and asks to renew
/// this after three (<https://learn.microsoft.com/azure/event-hubs/apache-kafka-configurations>, 2026-11).
const FRESH: Duration = Duration::from_secs(180);
/// How long one waits for messages where there are none.
const WAIT: Duration = Duration::from_millis(300);
/// The most bytes of a fetch over all partitions, and of one partition. A single message may be longer, and comes.
const MOST: usize = 16 << 20;
const MOST_OF_PARTITION: usize = 1 << 20;
const LEAST_OF_PARTITION: usize = 64 << 10;
/// No answer is longer: a message of a dedicated cluster has 20 MB.
const LONGEST_ANSWER: usize = 64 << 20;

/// Who one is to a hub.
#[derive(Debug, Clone)]
pub struct Access {
    /// How tokens are had.
    pub sign_in: SignIn,
    /// Used instead of a token.
    pub connection: Option<ConnectionString>,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number in its partition.
    pub offset: u64,
    /// When the hub took it.
    pub at: Timestamp,
    /// What it holds.
    pub body: Vec<u8>,
}

/// Messages of a partition.
#[derive(Debug, Default)]
pub struct Fetched {
    /// In the order of offsets.
    pub messages: Vec<Message>,
    /// The offset that the next message will get that is sent.
    pub end: u64,
}

/// Why there are none.
#[derive(Debug)]
pub enum Refused {
    /// The partition holds no such offset, but these.
    Gone(std::ops::Range<u64>),
    /// Something else.
    Untold(Untold),
}

/// A hub. Nothing is sent before it is asked for something.
pub struct Hub {
    runtime: tokio::runtime::Runtime,
    address: Address,
    sasl: SaslConfig,
    tls: Option<Arc<rustls::ClientConfig>>,
    timeout: Duration,
    help: &'static str,
    connected: Option<Connected>,
}

struct Connected {
    client: Client,
    since: Instant,
    /// Something went wrong since: there may be other partitions by now.
    doubtful: bool,
    partitions: BTreeMap<i32, Option<Arc<PartitionClient>>>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Hub {
    /// Of `eventhub://NAMESPACE.servicebus.windows.net/HUB`.
    ///
    /// # Errors
    /// When it is no such address, the connection string is of another, or nobody can sign in in that way.
    pub fn new(text: &str, access: &Access) -> Result<Self, String> {
        let address = Address::new(text)?;
        let sign_in = &access.sign_in;
        let mut help = "give a connection string with the right `Listen` on this hub, whose key is still valid";
        let (mut sasl, mut plain) = (None, false);
        if let Some(connection) = &access.connection {
            connection.check(&address)?;
            plain = connection.is_of_emulator();
            sasl = Some(SaslConfig::Plain(Credentials::new(
                CONNECTION_STRING_USER.to_owned(),
                connection.text().to_owned(),
            )));
        }
        let sasl = match sasl {
            Some(sasl) => sasl,
            None => {
                help =
                    "the identity needs the role `Azure Event Hubs Data Receiver` on the event hub";
                token(sign_in, &address)?
            }
        };
        Ok(Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| error.to_string())?,
            tls: (!plain).then(|| tls(&sign_in.trust)).transpose()?,
            address,
            sasl,
            timeout: sign_in.timeout,
            help,
            connected: None,
        })
    }

    /// Where it is.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Numbers of its partitions.
    ///
    /// # Errors
    /// When the namespace cannot be reached, refuses, or has no such hub.
    pub fn partitions(&mut self) -> Result<Vec<i32>, Untold> {
        let stale = |own: &Connected| own.doubtful || own.since.elapsed() >= FRESH;
        if self.connected.as_ref().is_none_or(stale) {
            self.connect()?;
        }
        let connected = self.connected.as_ref();
        Ok(connected.map_or_else(Vec::new, |own| own.partitions.keys().copied().collect()))
    }

    fn connect(&mut self) -> Result<(), Untold> {
        let before = self.connected.take();
        let (before, mut open) = before.map_or_else(Default::default, |before| {
            (Some(before.client), before.partitions)
        });
        let within = async {
            let client = match before {
                Some(client) => client,
                None => self.builder().build().await?,
            };
            let topics = client.list_topics().await?;
            let own = topics
                .into_iter()
                .find(|topic| topic.name == self.address.hub);
            Ok((client, own))
        };
        let (client, own) = self.wait(within)?;
        let Some(own) = own else {
            return Err(trouble::no_hub(&self.address));
        };
        self.connected = Some(Connected {
            client,
            since: Instant::now(),
            doubtful: false,
            partitions: own
                .partitions
                .into_iter()
                .map(|one| (one, open.remove(&one).flatten()))
                .collect(),
        });
        Ok(())
    }

    fn builder(&self) -> ClientBuilder {
        let address = format!("{}:{}", self.address.host, self.address.port);
        let mut builder = ClientBuilder::new(vec![address])
            .client_id("seawall")
            .max_message_size(LONGEST_ANSWER)
            .sasl_config(self.sasl.clone())
            // Whoever asks asks again, and has more to say meanwhile. Retries are nested, and each has this time.
            .backoff_config(BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_millis(500),
                base: 3.0,
                deadline: Some(Duration::from_secs(1)),
            });
        if let Some(tls) = &self.tls {
            builder = builder.tls_config(Arc::clone(tls));
        }
        builder
    }

    fn wait<T>(&self, asked: impl Future<Output = Result<T, Error>>) -> Result<T, Untold> {
        let within = async { tokio::time::timeout(self.timeout, asked).await };
        self.answered(self.runtime.block_on(within))
    }

    /// Where a partition begins, or what was sent to it from some time on; its end, where nothing was.
    ///
    /// # Errors
    /// When that cannot be found out now.
    pub fn begin(&mut self, partition: i32, since: Option<Timestamp>) -> Result<u64, Untold> {
        let at = since.and_then(|since| DateTime::from_timestamp_millis(since.as_millisecond()));
        let at = at.map_or(OffsetAt::Earliest, OffsetAt::Timestamp);
        self.offset(partition, at)
    }

    /// The offset that the next message will get that is sent.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn end(&mut self, partition: i32) -> Result<u64, Untold> {
        self.offset(partition, OffsetAt::Latest)
    }

    fn offset(&mut self, partition: i32, at: OffsetAt) -> Result<u64, Untold> {
        let found = self.open(partition).and_then(|own| {
            self.wait(async {
                // Before it, or what is sent in between would be passed over.
                let end = own.get_offset(OffsetAt::Latest).await?;
                let found = own.get_offset(at).await?;
                // Nothing was sent since.
                Ok(if found < 0 { end } else { found })
            })
        });
        self.noted(partition, found).map(offset)
    }

    /// Messages of partitions from offsets on, of all at the same time.
    pub fn fetch(&mut self, wanted: &[(i32, u64)]) -> Vec<(i32, Result<Fetched, Refused>)> {
        let most = (MOST / wanted.len().max(1)).clamp(LEAST_OF_PARTITION, MOST_OF_PARTITION);
        let most = i32::try_from(most).unwrap_or(i32::MAX);
        let numbers: Vec<i32> = wanted.iter().map(|(partition, _)| *partition).collect();
        let mut failed = self.open_all(&numbers);
        let mut answers = Vec::new();
        let mut asked = Vec::new();
        for (partition, from) in wanted {
            let connected = self.connected.as_ref();
            match connected.and_then(|own| own.partitions.get(partition)?.clone()) {
                Some(own) => asked.push((*partition, *from, own)),
                None => {
                    let why = failed.remove(partition);
                    let why = why.unwrap_or_else(|| trouble::no_hub(&self.address));
                    answers.push((*partition, *from, Err(why)));
                }
            }
        }
        let all = asked.into_iter().map(|(partition, from, own)| {
            let one = async move { fetch(&own, from, most).await };
            let one = tokio::time::timeout(self.timeout, one);
            one.map(move |answer| (partition, from, answer))
        });
        // A timer belongs to a runtime.
        let fetched = self
            .runtime
            .block_on(async { futures::future::join_all(all).await });
        for (partition, from, answer) in fetched {
            let answer = self.answered(answer);
            answers.push((partition, from, answer));
        }
        let done = answers.into_iter().map(|(partition, from, answer)| {
            let answer = match self.noted(partition, answer) {
                Ok(Some(fetched)) => Ok(fetched),
                Ok(None) => Err(self.gone(partition, from)),
                Err(untold) => Err(Refused::Untold(untold)),
            };
            (partition, answer)
        });
        done.collect()
    }

    /// What a partition holds that has no message of an offset.
    fn gone(&mut self, partition: i32, from: u64) -> Refused {
        let ends = self
            .begin(partition, None)
            .and_then(|first| Ok(first..self.end(partition)?));
        match ends {
            // It came meanwhile.
            Ok(ends) if ends.contains(&from) || ends.end == from => {
                let message = "the hub changed while it was read".to_owned();
                Refused::Untold(Untold::later(message))
            }
            Ok(ends) => Refused::Gone(ends),
            Err(untold) => Refused::Untold(untold),
        }
    }

    /// Who answers for a partition.
    fn open(&mut self, partition: i32) -> Result<Arc<PartitionClient>, Untold> {
        if let Some(untold) = self.open_all(&[partition]).remove(&partition) {
            return Err(untold);
        }
        let connected = self.connected.as_mut();
        let own = connected.and_then(|own| own.partitions.get(&partition)?.clone());
        own.ok_or_else(|| trouble::no_hub(&self.address))
    }

    /// Finds those who answer for partitions, all at the same time; why not, of those where they cannot be found.
    fn open_all(&mut self, wanted: &[i32]) -> BTreeMap<i32, Untold> {
        let all = |why: &Untold| wanted.iter().map(|one| (*one, why.clone())).collect();
        if self.connected.is_none()
            && let Err(untold) = self.connect()
        {
            return all(&untold);
        }
        let Some(connected) = &self.connected else {
            return all(&trouble::no_hub(&self.address));
        };
        let closed = |partition: &&i32| matches!(connected.partitions.get(partition), Some(None));
        let missing: Vec<i32> = wanted.iter().filter(closed).copied().collect();
        let hub = self.address.hub.as_str();
        let unknown = UnknownTopicHandling::Error;
        let found = self.runtime.block_on(async {
            let all = missing.iter().map(|partition| {
                let one = connected.client.partition_client(hub, *partition, unknown);
                tokio::time::timeout(self.timeout, one)
            });
            futures::future::join_all(all).await
        });
        let mut failed = BTreeMap::new();
        for (partition, found) in missing.into_iter().zip(found) {
            match self.answered(found) {
                Ok(own) => {
                    if let Some(connected) = &mut self.connected {
                        connected.partitions.insert(partition, Some(Arc::new(own)));
                    }
                }
                Err(untold) => {
                    if let Some(connected) = &mut self.connected {
                        connected.doubtful = true;
                    }
                    failed.insert(partition, untold);
                }
            }
        }
        failed
    }

    /// An answer in words.
    fn answered<T>(&self, answer: Result<Result<T, Error>, Elapsed>) -> Result<T, Untold> {
        match answer {
            Ok(answer) => answer.map_err(|error| trouble::told(&error, &self.address, self.help)),
            Err(_) => Err(trouble::late(&self.address)),
        }
    }

    /// Connects anew next time, where something went wrong.
    fn noted<T>(&mut self, partition: i32, answer: Result<T, Untold>) -> Result<T, Untold> {
        if answer.is_err()
            && let Some(connected) = &mut self.connected
        {
            connected.partitions.insert(partition, None);
            connected.doubtful = true;
        }
        answer
    }
}

/// Messages of a partition; `None` when it has no such offset.
async fn fetch(own: &PartitionClient, from: u64, most: i32) -> Result<Option<Fetched>, Error> {
    let wait = i32::try_from(WAIT.as_millis()).unwrap_or(i32::MAX);
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    let (records, end) = match own.fetch_records(from, 1..most, wait).await {
        Err(error) if trouble::is_out_of_range(&error) => return Ok(None),
        answer => answer?,
    };
    let messages = records.into_iter().map(|one| Message {
        offset: offset(one.offset),
        at: Timestamp::from_millisecond(one.record.timestamp.timestamp_millis())
            .unwrap_or_default(),
        body: one.record.value.unwrap_or_default(),
    });
    Ok(Some(Fetched {
        messages: messages.collect(),
        end: offset(end),
    }))
}

/// Offsets are never negative.
fn offset(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

type NoToken = Box<dyn std::error::Error + Send + Sync>;

/// Signs in with a token. What it is for is the namespace
/// (<https://learn.microsoft.com/azure/event-hubs/authorize-access-azure-active-directory#overview>, 2026-11).
fn token(sign_in: &SignIn, address: &Address) -> Result<SaslConfig, String> {
    let (trust, around) = (&sign_in.trust, &sign_in.surroundings);
    let tokens = Tokens::new(sign_in.auth, &sign_in.cloud, trust, sign_in.timeout, around);
    let tokens = Arc::new(tokens.map_err(|why| format!("cannot sign in to Azure: {why}"))?);
    let audience: Arc<str> = format!("https://{}", address.host).into();
    let callback: OauthCallback = Arc::new(move || {
        let (tokens, audience) = (Arc::clone(&tokens), Arc::clone(&audience));
        Box::pin(async move {
            let header = tokens.header(&audience).await;
            let header = header
                .map_err(|why| format!("{}{why} ({})", trouble::CANNOT_SIGN_IN, tokens.help()))?;
            let header = header.to_str().unwrap_or_default();
            Ok::<String, NoToken>(header.trim_start_matches("Bearer ").to_owned())
        })
    });
    Ok(SaslConfig::Oauthbearer(OauthBearerCredentials {
        callback,
        authz_id: None,
        bearer_kvs: Vec::new(),
    }))
}

/// Whom one trusts, as everywhere: the system's authorities, or those that are given and no others.
fn tls(trust: &Trust) -> Result<Arc<rustls::ClientConfig>, String> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    use rustls_platform_verifier::BuilderVerifierExt as _;

    let failed = |error: &dyn fmt::Display| format!("TLS cannot be set up: {error}");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?;
    if trust.authorities.is_empty() {
        let builder = builder
            .with_platform_verifier()
            .map_err(|error| failed(&error))?;
        return Ok(Arc::new(builder.with_no_client_auth()));
    }
    let mut roots = rustls::RootCertStore::empty();
    for pem in &trust.authorities {
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| failed(&error))?;
            roots.add(certificate).map_err(|error| failed(&error))?;
        }
    }
    let builder = builder.with_root_certificates(roots);
    Ok(Arc::new(builder.with_no_client_auth()))
}
