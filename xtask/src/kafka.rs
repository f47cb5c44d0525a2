//! Apache Kafka, which stands for Event Hubs in tests: its jars, from Maven Central, and the folder of a broker that
//! holds nothing.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::places::{Places, Stamp};
use crate::run::{output, run, step};

/// The release that tests run.
const KAFKA: &str = "4.1.0";
/// What it logs with; slf4j's version is the one that Kafka is built with.
const LOGGING: &str = "1.7.36";

/// Any number of a cluster.
const CLUSTER: &str = "c2Vhd2FsbC1jbHVzdGVyMQ";

/// Enough to format the folder of a broker.
const PROPERTIES: &str = "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:1
controller.listener.names=CONTROLLER
listeners=CONTROLLER://127.0.0.1:1,ADMIN://127.0.0.1:2
listener.security.protocol.map=CONTROLLER:PLAINTEXT,ADMIN:PLAINTEXT
inter.broker.listener.name=ADMIN
";

/// Fetches the jars through Maven, which checks what it fetches, and formats a folder once for all tests.
pub(crate) fn fetch(places: &Places) -> Result<()> {
    let made = places.cache.join("kafka");
    let input = Stamp::default()
        .text_of(KAFKA)
        .text_of(LOGGING)
        .text_of(PROPERTIES);
    if places.is_fresh(&made, &input) {
        return Ok(());
    }
    step(&format!("Apache Kafka {KAFKA}"), || {
        if made.exists() {
            fs::remove_dir_all(&made).with_context(|| format!("`{}`", made.display()))?;
        }
        fs::create_dir_all(&made)?;
        fs::write(made.join("pom.xml"), project())?;
        output(Command::new("mvn").current_dir(&made).args([
            "--quiet",
            "--batch-mode",
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            "-DoutputDirectory=lib",
        ]))?;
        let formatted = made.join("formatted").display().to_string();
        fs::write(
            made.join("server.properties"),
            format!("{PROPERTIES}log.dirs={formatted}\n"),
        )?;
        run(Command::new("java")
            .current_dir(&made)
            .args([
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                "-cp",
                "lib/*",
            ])
            .args(["kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER])
            .args(["--config", "server.properties"]))?;
        places.stamp(&made, &input)
    })
}

fn project() -> String {
    let dependency = |group: &str, name: &str, version: &str| {
        format!(
            "<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId>\
             <version>{version}</version></dependency>"
        )
    };
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\
         <modelVersion>4.0.0</modelVersion><groupId>seawall</groupId><artifactId>kafka</artifactId>\
         <version>1</version><packaging>pom</packaging><dependencies>{}{}</dependencies></project>",
        dependency("org.apache.kafka", "kafka_2.13", KAFKA),
        dependency("org.slf4j", "slf4j-simple", LOGGING),
    )
}
