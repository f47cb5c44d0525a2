//! The door over real TLS: answers, bounds, load beyond capacity, certificates that follow one another.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use server::http::Limits;
use server::tls::made;

use super::decisions::{bad, good};
use super::examples::review;
use super::running::{Running, Speaking, Wishes, is_set, names};

#[test]
fn reviews_are_answered_and_counted() {
    let running = Running::start(Wishes::default());
    assert_eq!(
        running.ask("GET", "/healthz", b""),
        (200, "ok\n".to_owned())
    );
    assert_eq!(running.ask("GET", "/readyz", b""), (200, "ok\n".to_owned()));
    let (bad, good) = (review(&bad()), review(&good()));
    for path in ["/validate", "/validate/closed?timeout=10s"] {
        let answer = running.review(path, &bad);
        assert_eq!(answer["allowed"], false, "{path}");
        assert_eq!(answer["uid"], "0df28fbd-5f5f-11e8-bc74-36e6bb280816");
        let message = answer["status"]["message"].as_str().unwrap();
        assert!(message.contains("pss-host-path (critical)"), "{message}");
        assert_eq!(running.review(path, &good)["allowed"], true, "{path}");
    }
    let (status, metrics) = running.ask("GET", "/metrics", b"");
    assert_eq!(status, 200);
    for line in [
        "seawall_admission_reviews_total{answer=\"allowed\"} 2",
        "seawall_admission_reviews_total{answer=\"refused\"} 2",
        "seawall_admission_findings_total{guideline=\"pss-host-path\",severity=\"critical\",became=\"refused\"} 2",
        "seawall_admission_seconds_count 4",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[test]
fn each_half_asks_its_own_guidelines() {
    let running = Running::start(Wishes::default());
    let mut pod = good();
    // High, not critical.
    pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = true.into();
    let body = review(&pod);
    let closed = running.review("/validate/closed", &body);
    let open = running.review("/validate/open", &body);
    let both = running.review("/validate", &body);
    assert_eq!(closed["allowed"], true, "{closed}");
    assert_eq!(open["allowed"], false, "{open}");
    assert_eq!(both["allowed"], false, "{both}");
}

#[test]
fn what_is_malformed_disturbs_nobody() {
    let running = Running::start(Wishes::default());
    assert_eq!(running.ask("POST", "/validate", b"{").0, 400);
    assert_eq!(running.ask("POST", "/validate", b"\xff\xfe").0, 400);
    assert_eq!(running.ask("GET", "/validate", b"").0, 405);
    assert_eq!(running.ask("POST", "/nothing", b"").0, 404);
    assert_eq!(running.refused("malformed"), 2.0);
    // Said to be too large, and too large without being said.
    let mut huge = running.connect().unwrap();
    huge.stream
        .write_all(b"POST /validate HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n")
        .unwrap();
    assert_eq!(huge.receive().unwrap().0, 413);
    let mut chunked = running.connect().unwrap();
    chunked
        .stream
        .write_all(b"POST /validate HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        .unwrap();
    let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 1 << 20], b"\r\n"].concat();
    let mut sent = 0;
    while sent < 9 && chunked.stream.write_all(&chunk).is_ok() {
        sent += 1;
    }
    // It may be gone before it has read what it was told.
    if let Ok((status, _)) = chunked.receive() {
        assert_eq!(status, 413);
    }
    assert_eq!(running.refused("too-large"), 2.0);
    // No TLS at all.
    let mut plain = TcpStream::connect(running.address).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let _ = plain.read_to_end(&mut Vec::new());
    // No HTTP in it.
    let mut odd = running.connect().unwrap();
    odd.stream
        .write_all(b"\x00\x01\x02 nonsense\r\n\r\n")
        .unwrap();
    let _ = odd.receive();
    assert_eq!(running.refused("tls"), 1.0);
    // A client that does not trust the authority leaves by itself.
    let other = made::step(&made::Kept::new(), &names(), Timestamp::now().as_second());
    let other = other.unwrap().unwrap();
    assert!(Speaking::to(running.address, made::trusted(&other).unwrap()).is_err());
    // Everybody else is served.
    assert_eq!(
        running.review("/validate", &review(&good()))["allowed"],
        true
    );
}

#[test]
fn slow_clients_are_left() {
    let running = Running::start(Wishes {
        limits: Limits {
            patience: Duration::from_millis(500),
            connections: 8,
            ..Limits::default()
        },
        ..Wishes::default()
    });
    // They connect and say nothing, or begin a head.
    let silent: Vec<TcpStream> = (0..4)
        .map(|_| TcpStream::connect(running.address).unwrap())
        .collect();
    let mut begun: Vec<Speaking> = (0..4).map(|_| running.connect().unwrap()).collect();
    for speaking in &mut begun {
        speaking
            .stream
            .write_all(b"POST /validate HTTP/1.1\r\nHo")
            .unwrap();
    }
    // All places are taken; the next one waits until they are free.
    let begin = Instant::now();
    assert_eq!(
        running.review("/validate", &review(&good()))["allowed"],
        true
    );
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert!(running.refused("slow") >= 1.0);
    drop((silent, begun));
    // A body that does not end.
    let mut body = running.connect().unwrap();
    body.stream
        .write_all(b"POST /validate?timeout=1s HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
        .unwrap();
    let begin = Instant::now();
    assert_eq!(body.receive().unwrap().0, 408);
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[test]
fn without_an_answer_in_time_the_failure_mode_counts() {
    // Nobody judges.
    let running = Running::start(Wishes {
        judges: false,
        ..Wishes::default()
    });
    assert_eq!(running.ask("GET", "/readyz", b"").0, 503);
    let body = review(&good());
    let begin = Instant::now();
    let open = running.review("/validate/open?timeout=1s", &body);
    let closed = running.review("/validate/closed?timeout=1s", &body);
    assert!(begin.elapsed() < Duration::from_secs(5));
    assert_eq!(open["allowed"], true);
    assert!(
        open["warnings"][0]
            .as_str()
            .unwrap()
            .contains("no time left")
    );
    assert_eq!(closed["allowed"], false);
    assert_eq!(closed["status"]["code"], 503);
    let late = running
        .metrics
        .value("seawall_admission_unjudged_total", &[("why", "late")]);
    assert_eq!(late, 2.0);
}

#[test]
fn nobody_is_led_here_while_reviews_wait_and_none_is_taken() {
    let running = Running::start(Wishes {
        judges: false,
        ..Wishes::default()
    });
    // As if judges sat, and hung.
    running.docket.sit(1);
    assert_eq!(running.ask("GET", "/readyz", b"").0, 200);
    let mut waiting = running.connect().unwrap();
    let body = review(&good());
    waiting
        .send("POST", "/validate/open?timeout=30s", body.as_bytes())
        .unwrap();
    thread::sleep(Duration::from_millis(3500));
    let (status, why) = running.ask("GET", "/readyz", b"");
    assert_eq!(
        (status, why.as_str()),
        (503, "reviews wait, and none is taken\n")
    );
    // It is not ended for that yet.
    assert_eq!(running.ask("GET", "/healthz", b"").0, 200);
    drop(running.docket.take(1));
    assert_eq!(running.ask("GET", "/readyz", b"").0, 200);
    // Whoever waited is answered by the failure mode.
    let (status, answer) = waiting.receive().unwrap();
    assert_eq!(status, 200);
    assert!(answer.contains("judging stopped"), "{answer}");
}

#[test]
fn a_burst_beyond_capacity_is_shed_in_order() {
    let running = Running::start(Wishes {
        judges: false,
        capacity: 3,
        ..Wishes::default()
    });
    let body = review(&bad());
    // Three wait; from the fourth on the answer comes at once.
    let mut waiting: Vec<Speaking> = (0..3).map(|_| running.connect().unwrap()).collect();
    for speaking in &mut waiting {
        speaking
            .send("POST", "/validate/open?timeout=2s", body.as_bytes())
            .unwrap();
        thread::sleep(Duration::from_millis(150));
    }
    for (path, allowed) in [("/validate/open", true), ("/validate/closed", false)] {
        let begin = Instant::now();
        let answer = running.review(path, &body);
        assert!(begin.elapsed() < Duration::from_millis(1500), "{path}");
        assert_eq!(answer["allowed"], allowed, "{path}");
    }
    let full = running
        .metrics
        .value("seawall_admission_unjudged_total", &[("why", "full")]);
    assert_eq!(full, 2.0);
    for speaking in &mut waiting {
        assert_eq!(speaking.receive().unwrap().0, 200);
    }
    // In a dry run nobody is refused.
    let running = Running::start(Wishes {
        judges: false,
        capacity: 0,
        dry_run: true,
        ..Wishes::default()
    });
    assert_eq!(running.review("/validate/closed", &body)["allowed"], true);
}

#[test]
fn certificates_follow_one_another_without_losing_a_request() {
    let running = Arc::new(Running::start(Wishes {
        made_ago: 61 * 86_400,
        ..Wishes::default()
    }));
    let stop = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let body = review(&good());
    // New connections all the time, and one that stays.
    let asking: Vec<_> = (0..2)
        .map(|_| {
            let (running, stop) = (Arc::clone(&running), Arc::clone(&stop));
            let (answered, body) = (Arc::clone(&answered), body.clone());
            thread::spawn(move || {
                while !is_set(&stop) {
                    // As an API server: it trusts what the configuration says at the moment.
                    assert_eq!(running.review("/validate", &body)["allowed"], true);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let mut stays = running.connect().unwrap();
    assert_eq!(
        stays.ask("POST", "/validate", body.as_bytes()).unwrap().0,
        200
    );
    // Through a whole renewal, as the clock of the Secret says.
    let mut clock = Timestamp::now().as_second();
    let first = running.certificates.not_after();
    let mut steps = 0;
    for after in [0, made::OVERLAP, 4 * made::OVERLAP] {
        clock += after;
        let kept = running.kept.lock().unwrap().clone();
        let next = made::step(&kept, &names(), clock).unwrap().unwrap();
        // The configuration hears of it first, then the replicas.
        *running.kept.lock().unwrap() = next.clone();
        thread::sleep(Duration::from_millis(300));
        running.certificates.exchange(made::shown(&next).unwrap());
        thread::sleep(Duration::from_millis(300));
        steps += 1;
        assert_eq!(
            stays.ask("POST", "/validate", body.as_bytes()).unwrap().0,
            200
        );
    }
    assert_eq!(steps, 3);
    assert!(running.certificates.not_after() > first);
    stop.store(true, Ordering::Relaxed);
    for thread in asking {
        thread.join().unwrap();
    }
    assert!(answered.load(Ordering::Relaxed) > 4);
}
