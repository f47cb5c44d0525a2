//! The image in a real registry, and in the hands of the system's `tar`.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use super::{Image, layout, push};

/// The smallest thing that is a static program for amd64: an ELF header without segments.
fn program() -> Vec<u8> {
    let mut header = vec![0; 64];
    header[..6].copy_from_slice(b"\x7fELF\x02\x01");
    header[18] = 62;
    header[54] = 56;
    header
}

/// The same with one segment, which names a loader.
fn dynamic() -> Vec<u8> {
    let mut program = program();
    program[32] = 64;
    program[56] = 1;
    program.extend([3, 0, 0, 0]);
    program
}

fn why(program: &[u8]) -> String {
    Image::of(program, b"", "1").unwrap_err().to_string()
}

#[test]
fn only_a_static_program_stands_alone() {
    assert!(why(&dynamic()).contains("needs shared libraries"));
    assert!(why(b"#!/bin/sh\n").contains("not one for Linux"));
    assert!(why(&program()[..40]).contains("cut off"));
    let own = fs::read(std::env::current_exe().unwrap()).unwrap();
    assert!(why(&own).contains("needs shared libraries"));
}

#[test]
fn a_registry_takes_it_and_gives_it_back() {
    let registry = oracle::Registry::start().unwrap();
    let image = Image::of(&program(), b"authorities", "1.2.3").unwrap();
    let again = Image::of(&program(), b"authorities", "1.2.3").unwrap();
    assert_eq!(image.manifest.digest, again.manifest.digest);
    let to = format!("{}/team/seawall:1.2.3", registry.address());
    push::push(&image, &to).unwrap();

    let get = |rest: &str| {
        let url = format!("http://{}/v2/team/seawall/{rest}", registry.address());
        ureq::get(url)
            .header("accept", layout::MANIFEST)
            .call()
            .unwrap()
    };
    let mut answer = get("manifests/1.2.3");
    let digest = answer.headers()["docker-content-digest"].to_str().unwrap();
    assert_eq!(digest, image.manifest.digest);
    let manifest: Value =
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    let blob = |of: &Value| {
        let digest = of["digest"].as_str().unwrap();
        get(&format!("blobs/{digest}"))
            .body_mut()
            .read_to_vec()
            .unwrap()
    };
    let config: Value = serde_json::from_slice(&blob(&manifest["config"])).unwrap();
    assert_eq!(config["config"]["User"], "65532:65532");
    assert_eq!(config["architecture"], "amd64");

    let folder = tempfile::tempdir().unwrap();
    let packed = folder.path().join("layer.tar.gz");
    fs::write(&packed, blob(&manifest["layers"][0])).unwrap();
    let listed = Command::new("tar")
        .args(["--list", "--verbose", "--numeric-owner", "--utc", "--file"])
        .arg(&packed)
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let lines: Vec<String> = listed
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        lines,
        [
            "drwxrwxrwt 0/0 0 1970-01-01 00:00 tmp/",
            "-rw-r--r-- 0/0 11 1970-01-01 00:00 etc/ssl/certs/ca-certificates.crt",
            "-rwxr-xr-x 0/0 64 1970-01-01 00:00 seawall",
        ]
    );
}

/// Passes connections on to a registry, but for those that it drops or answers itself.
fn unsteady(registry: &str, moods: &'static [&'static str]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (registry, taken) = (registry.to_owned(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&taken);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let number = count.fetch_add(1, Ordering::Relaxed);
            match moods.get(number).copied() {
                Some("gone") => drop(stream),
                Some(answer) => {
                    let _ = stream.read(&mut [0; 4096]);
                    let _ = write!(
                        stream,
                        "HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                    );
                }
                None => {
                    let mut to = TcpStream::connect(&registry).unwrap();
                    let (mut back, mut from) =
                        (stream.try_clone().unwrap(), to.try_clone().unwrap());
                    thread::spawn(move || drop(io::copy(&mut from, &mut back)));
                    thread::spawn(move || drop(io::copy(&mut stream, &mut to)));
                }
            }
        }
    });
    (address, taken)
}

#[test]
fn a_registry_that_is_busy_or_breaks_off_is_asked_again() {
    let registry = oracle::Registry::start().unwrap();
    let image = Image::of(&program(), b"authorities", "1.2.3").unwrap();
    let address = registry.address().to_string();
    let moods = &["503 Service Unavailable", "gone", "429 Too Many Requests"];
    let (unsteady_one, taken) = unsteady(&address, moods);
    push::push(&image, &format!("{unsteady_one}/seawall:1.2.3")).unwrap();
    assert!(taken.load(Ordering::Relaxed) > moods.len());
    let url = format!("http://{address}/v2/seawall/manifests/1.2.3");
    let answer = ureq::get(url)
        .header("accept", layout::MANIFEST)
        .call()
        .unwrap();
    let digest = answer.headers()["docker-content-digest"].to_str().unwrap();
    assert_eq!(digest, image.manifest.digest);
    // What is refused is refused.
    let (refusing, taken) = unsteady(&address, &["403 Forbidden"]);
    let refused = push::push(&image, &format!("{refusing}/seawall:1.2.3"));
    assert!(format!("{:?}", refused.unwrap_err()).contains("403"));
    assert_eq!(taken.load(Ordering::Relaxed), 1);
}

#[test]
fn a_registry_elsewhere_is_for_other_tools() {
    let image = Image::of(&program(), b"", "1").unwrap();
    for reference in [
        "registry.example.com/seawall:1",
        "seawall",
        "127.0.0.1:5000/seawall",
    ] {
        let why = push::push(&image, reference).unwrap_err().to_string();
        assert!(why.contains("help: "), "{why}");
    }
}

#[test]
fn a_layout_replaces_a_layout_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("image");
    let image = Image::of(&program(), b"", "1").unwrap();
    layout::write(&image, &out, "1").unwrap();
    let other = Image::of(&program(), b"other", "2").unwrap();
    layout::write(&other, &out, "2").unwrap();
    let blobs = fs::read_dir(out.join("blobs/sha256")).unwrap().count();
    assert_eq!(blobs, 3);
    for blob in other.blobs.iter().chain([&other.manifest]) {
        let name = blob.digest.trim_start_matches("sha256:");
        assert_eq!(
            fs::read(out.join("blobs/sha256").join(name)).unwrap(),
            blob.bytes
        );
    }
    let index: Value = serde_json::from_slice(&fs::read(out.join("index.json")).unwrap()).unwrap();
    assert_eq!(index["manifests"][0]["digest"], other.manifest.digest);

    let mine = folder.path().join("mine");
    fs::create_dir(&mine).unwrap();
    fs::write(mine.join("letter"), "dear").unwrap();
    assert!(layout::write(&image, &mine, "1").is_err());
    assert_eq!(fs::read_dir(&mine).unwrap().count(), 1);
}
