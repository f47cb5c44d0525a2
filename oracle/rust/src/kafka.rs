//! An Event Hubs namespace of its own for each test that asks for it: a broker of Apache Kafka, which speaks as the Kafka
//! endpoint of Event Hubs does, over TLS with connection strings and tokens, and in plain text as the emulator does.
//!
//! Tokens are unsigned; whoever has none of [`READER`] sees no hub. Sessions end after a few seconds, so that clients sign
//! in again.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rskafka::chrono::DateTime;
use rskafka::client::partition::{Compression, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder};
use rskafka::record::Record;
use serde_json::json;

use crate::guard::Guard;
use crate::server::{PATIENCE, free_ports, new_folder, write};
use crate::{Error, Result, Signer, fixture, part};

/// The identity that may read: the client id of [`crate::azure`]'s tests.
pub const READER: &str = "aaaaaaaa-0000-4000-8000-000000000001";
/// What tokens for a namespace on this machine are for.
pub(crate) const SCOPE: &str = "https://127.0.0.1/.default";
/// How long a client may go on without signing in again.
const SESSION: Duration = Duration::from_secs(4);

/// A running broker. It ends when dropped; its folder is deleted then.
#[derive(Debug)]
pub struct Kafka {
    server: Option<Guard>,
    command: (PathBuf, Vec<String>),
    folder: PathBuf,
    ports: [u16; 4],
    certificate: String,
}

impl Kafka {
    /// Starts it, empty, and waits until it listens.
    pub fn start() -> Result<Self> {
        let (java, jars) = (part("java")?, fixture("kafka")?);
        let folder = new_folder()?;
        let signer = Signer::new()?;
        let (chain, key) = signer.sign(&["127.0.0.1", "localhost"])?;
        write(&folder, "tls.pem", &format!("{key}\n{chain}"))?;
        let ports = free_ports()?;
        let mut kafka = Self {
            server: None,
            command: (java, Vec::new()),
            folder,
            ports,
            certificate: signer.certificate().to_owned(),
        };
        write(&kafka.folder, "server.properties", &kafka.properties())?;
        fs::create_dir(kafka.folder.join("data")).map_err(Error::io(&kafka.folder))?;
        for name in ["meta.properties", "bootstrap.checkpoint"] {
            let from = jars.join("formatted").join(name);
            fs::copy(&from, kafka.folder.join("data").join(name)).map_err(Error::io(&from))?;
        }
        kafka.command.1 = vec![
            "-Xmx320m".to_owned(),
            "-XX:+UseSerialGC".to_owned(),
            "-XX:TieredStopAtLevel=1".to_owned(),
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=error".to_owned(),
            "-cp".to_owned(),
            format!("{}/lib/*", jars.display()),
            "kafka.Kafka".to_owned(),
            kafka.folder.join("server.properties").display().to_string(),
        ];
        kafka.revive()?;
        Ok(kafka)
    }

    /// Kills it. What it took stays.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Starts it again after [`Kafka::kill`], at the same address, and waits until it listens.
    pub fn revive(&mut self) -> Result<()> {
        let (program, arguments) = &self.command;
        let mut server = Guard::start(program, arguments, &self.folder, false)?;
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.ports[3])).is_err() {
            server.alive()?;
            if begin.elapsed() > PATIENCE {
                return Err(server.failed("was not ready in time"));
            }
            thread::sleep(Duration::from_millis(50));
        }
        self.server = Some(server);
        Ok(())
    }

    fn properties(&self) -> String {
        let [controller, admin, emulator, hub] = self.ports;
        let folder = self.folder.display();
        let plain = |secret: &str| {
            format!(
                "org.apache.kafka.common.security.plain.PlainLoginModule required user_$ConnectionString=\"{secret}\";"
            )
        };
        let oauth = "org.apache.kafka.common.security.oauthbearer";
        [
            "process.roles=broker,controller".to_owned(),
            "node.id=1".to_owned(),
            format!("controller.quorum.voters=1@127.0.0.1:{controller}"),
            "controller.listener.names=CONTROLLER".to_owned(),
            format!(
                "listeners=CONTROLLER://127.0.0.1:{controller},ADMIN://127.0.0.1:{admin},\
                 EMULATOR://127.0.0.1:{emulator},HUB://127.0.0.1:{hub}"
            ),
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT,ADMIN:PLAINTEXT,\
             EMULATOR:SASL_PLAINTEXT,HUB:SASL_SSL"
                .to_owned(),
            "inter.broker.listener.name=ADMIN".to_owned(),
            "listener.name.emulator.sasl.enabled.mechanisms=PLAIN".to_owned(),
            format!(
                "listener.name.emulator.plain.sasl.jaas.config={}",
                plain(EMULATOR)
            ),
            "listener.name.hub.sasl.enabled.mechanisms=PLAIN,OAUTHBEARER".to_owned(),
            format!("listener.name.hub.plain.sasl.jaas.config={}", plain(CONNECTION_STRING)),
            format!(
                "listener.name.hub.oauthbearer.sasl.jaas.config={oauth}.OAuthBearerLoginModule required \
                 unsecuredLoginStringClaim_sub=\"nobody\";"
            ),
            format!(
                "listener.name.hub.oauthbearer.sasl.server.callback.handler.class=\
                 {oauth}.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler"
            ),
            format!(
                "listener.name.hub.oauthbearer.connections.max.reauth.ms={}",
                SESSION.as_millis()
            ),
            "listener.name.hub.ssl.keystore.type=PEM".to_owned(),
            format!("listener.name.hub.ssl.keystore.location={folder}/tls.pem"),
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer".to_owned(),
            format!("super.users=User:ANONYMOUS;User:$ConnectionString;User:{READER}"),
            format!("log.dirs={folder}/data"),
            "auto.create.topics.enable=false".to_owned(),
            "num.network.threads=1".to_owned(),
            "num.io.threads=2".to_owned(),
        ]
        .join("\n")
    }

    /// The address of a hub, which takes tokens and [`CONNECTION_STRING`].
    #[must_use]
    pub fn url(&self, hub: &str) -> String {
        format!("eventhub://127.0.0.1:{}/{hub}", self.ports[3])
    }

    /// The address of a hub as the emulator has it, which takes [`EMULATOR`].
    #[must_use]
    pub fn emulator_url(&self, hub: &str) -> String {
        format!("eventhub://127.0.0.1:{}/{hub}", self.ports[2])
    }

    /// The authority of its certificate, PEM.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Makes a hub.
    pub fn hub(&self, name: &str, partitions: i32) -> Result<()> {
        self.ask(async |client| {
            let controller = client.controller_client()?;
            controller.create_topic(name, partitions, 1, 30_000).await?;
            // It is made before everybody knows of it.
            for partition in 0..partitions {
                let retry = UnknownTopicHandling::Retry;
                client.partition_client(name, partition, retry).await?;
            }
            Ok(())
        })
    }

    /// Deletes a hub with all that it holds.
    pub fn delete(&self, name: &str) -> Result<()> {
        self.ask(async |client| client.controller_client()?.delete_topic(name, 30_000).await)
    }

    /// Sends messages to a partition, each with the time at which it is taken, in milliseconds since 1970.
    pub fn send(&self, hub: &str, partition: i32, messages: &[(i64, String)]) -> Result<()> {
        self.ask(async |client| {
            let retry = UnknownTopicHandling::Retry;
            let own = client.partition_client(hub, partition, retry).await?;
            let records = messages.iter().map(|(at, body)| Record {
                key: None,
                value: Some(body.clone().into_bytes()),
                headers: BTreeMap::new(),
                timestamp: DateTime::from_timestamp_millis(*at).unwrap_or_default(),
            });
            own.produce(records.collect(), Compression::NoCompression)
                .await?;
            Ok(())
        })
    }

    /// Deletes the messages of a partition before a number, as a hub does with those that are too old.
    pub fn expire(&self, hub: &str, partition: i32, before: i64) -> Result<()> {
        self.ask(async |client| {
            let retry = UnknownTopicHandling::Retry;
            let own = client.partition_client(hub, partition, retry).await?;
            own.delete_records(before, 30_000).await
        })
    }

    fn ask(
        &self,
        asked: impl AsyncFnOnce(&Client) -> Result<(), rskafka::client::error::Error>,
    ) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(Error::io("tokio"))?;
        let address = format!("127.0.0.1:{}", self.ports[1]);
        let done = runtime.block_on(async {
            let client = ClientBuilder::new(vec![address]).build().await?;
            tokio::time::timeout(PATIENCE, asked(&client))
                .await
                .unwrap_or(Err(rskafka::client::error::Error::Timeout))
        });
        done.map_err(|error| Error::Answer(error.to_string()))
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        self.server = None;
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A connection string that the namespace takes.
pub const CONNECTION_STRING: &str =
    "Endpoint=sb://127.0.0.1/;SharedAccessKeyName=seawall;SharedAccessKey=a2V5IG9mIHRoZSBodWI=";
/// The one that the emulator takes.
pub const EMULATOR: &str = "Endpoint=sb://localhost;SharedAccessKeyName=RootManageSharedAccessKey;\
                            SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;";

/// A token for the namespace, of an identity.
pub(crate) fn token(identity: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap_or_default().as_secs();
    let claims = json!({ "sub": identity, "iat": now, "exp": now + 3600 });
    let parts =
        [json!({ "alg": "none" }), claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    format!("{}.{}.", parts[0], parts[1])
}
