//! The dashboard in a real browser: sign in, filter, follow a finding, on a wide and on a narrow screen, in the light
//! and in the dark, by keyboard.
//!
//! With `SEAWALL_SCREENSHOTS=FOLDER` every page is left there as a picture, for people to look at.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

use super::{beside, cluster};

/// Chromium, told what to do through its debugging pipe: JSON between null bytes.
struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    folder: PathBuf,
    session: String,
    number: u64,
    /// What it complained about: scripts that failed, policies that were broken.
    complaints: Vec<String>,
}

impl Browser {
    fn start() -> Self {
        let program =
            std::env::var("CHROMIUM").expect("CHROMIUM names the browser (cargo xtask test)");
        let folder = std::env::temp_dir().join(format!("seawall-browser-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        // It reads descriptor 3 and writes descriptor 4.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 1>&2", &program])
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--remote-debugging-pipe",
            ])
            .args([
                "--ignore-certificate-errors",
                "--no-first-run",
                "--hide-scrollbars",
            ])
            .arg(format!("--user-data-dir={}", folder.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut browser = Self {
            child,
            to,
            from: BufReader::new(from),
            folder,
            session: String::new(),
            number: 0,
            complaints: Vec::new(),
        };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let attached = browser.call(
            "Target.attachToTarget",
            json!({"targetId": target["targetId"], "flatten": true}),
        );
        browser.session = attached["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Page", "Runtime", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        let answer = self.tell(method, params);
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The same, where it may fail.
    fn tell(&mut self, method: &str, params: Value) -> Value {
        self.number += 1;
        let number = self.number;
        let mut message = json!({"id": number, "method": method, "params": params});
        if !self.session.is_empty() {
            message["sessionId"] = self.session.clone().into();
        }
        self.to.write_all(message.to_string().as_bytes()).unwrap();
        self.to.write_all(b"\0").unwrap();
        self.to.flush().unwrap();
        loop {
            let mut bytes = Vec::new();
            self.from.read_until(0, &mut bytes).unwrap();
            bytes.pop();
            let answer: Value = serde_json::from_slice(&bytes).unwrap();
            match answer["method"].as_str() {
                Some("Log.entryAdded") if answer["params"]["entry"]["level"] == "error" => {
                    self.complaints
                        .push(answer["params"]["entry"]["text"].to_string());
                }
                Some("Runtime.exceptionThrown") => {
                    self.complaints.push(answer["params"].to_string())
                }
                _ => {}
            }
            if answer["id"] == number {
                return answer;
            }
        }
    }

    fn eval(&mut self, script: &str) -> Value {
        let answer = self.call(
            "Runtime.evaluate",
            json!({"expression": script, "returnByValue": true}),
        );
        assert!(answer["exceptionDetails"].is_null(), "{script}: {answer}");
        answer["result"]["value"].clone()
    }

    fn until(&mut self, script: &str) {
        let begin = Instant::now();
        // While a page is exchanged for another, nothing can be asked.
        let so = format!("document.readyState === 'complete' && !!({script})");
        loop {
            let answer = self.tell(
                "Runtime.evaluate",
                json!({"expression": so, "returnByValue": true}),
            );
            if answer["result"]["result"]["value"] == true {
                return;
            }
            if begin.elapsed() > Duration::from_secs(60) {
                let page = self.eval("location.href + '\\n' + document.body.innerText");
                panic!("{script} is not so: {page}");
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn go(&mut self, address: &str) {
        self.call("Page.navigate", json!({"url": address}));
        self.until(&format!("location.href === '{address}'"));
    }

    fn size(&mut self, width: u32, dark: bool) {
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false}),
        );
        let scheme = if dark { "dark" } else { "light" };
        self.call(
            "Emulation.setEmulatedMedia",
            json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        );
    }

    fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("SEAWALL_SCREENSHOTS") else {
            return;
        };
        let answer = self.call(
            "Page.captureScreenshot",
            json!({"captureBeyondViewport": true, "format": "png"}),
        );
        let bytes =
            base64::engine::general_purpose::STANDARD.decode(answer["data"].as_str().unwrap());
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(
            PathBuf::from(folder).join(format!("{name}.png")),
            bytes.unwrap(),
        )
        .unwrap();
    }

    fn tab(&mut self) {
        for kind in ["keyDown", "keyUp"] {
            self.call(
                "Input.dispatchKeyEvent",
                json!({"type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}),
            );
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Its processes may still write.
        for _ in 0..20 {
            if std::fs::remove_dir_all(&self.folder).is_ok() {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

#[test]
fn in_a_browser() {
    let server = cluster();
    let history = std::env::temp_dir().join(format!("seawall-desk-history-{}", std::process::id()));
    std::fs::create_dir_all(&history).unwrap();
    std::fs::write(history.join("posture-2026-11-01.jsonl"), postures()).unwrap();
    let dashboard = beside(&server, Some(history.clone()));
    let site = format!("https://{}", dashboard.address);
    let mut browser = Browser::start();

    // Not signed in: to the door, and in by it.
    browser.size(1280, false);
    browser.call("Page.navigate", json!({"url": format!("{site}/findings")}));
    browser.until("location.pathname === '/sign-in'");
    browser.picture("sign-in-1280");
    browser.size(390, true);
    browser.picture("sign-in-390-dark");
    let token = server.token_of("otto");
    browser.eval(&format!("document.querySelector('#token').value = '{token}'; document.querySelector('form').requestSubmit()"));
    browser.until(
        "location.pathname === '/' && document.querySelector('h1').textContent === 'Posture'",
    );

    // A filter counts when it is chosen; the address says so.
    browser.size(1280, false);
    browser.go(&format!("{site}/findings"));
    browser.eval("const choice = document.querySelector('[name=severity]'); choice.value = 'critical'; choice.dispatchEvent(new Event('change', { bubbles: true }))");
    browser.until("location.search === '?severity=critical'");
    let rows = "[...document.querySelectorAll('table.found tbody td:first-child .chip:first-child')].map(chip => chip.textContent)";
    browser.until(&format!(
        "{rows}.length > 0 && {rows}.every(word => word === 'critical')"
    ));
    browser.go(&format!("{site}/findings?guideline=pss-privileged"));
    browser.eval("document.querySelector('table.found tbody th a').click()");
    browser
        .until("location.pathname.startsWith('/findings/') && document.querySelector('.source')");
    let finding = browser.eval("location.href");
    let object = browser.eval("document.querySelector('.facts a[href^=\"/object\"]').href");

    // The first stop of the keyboard is the way past the navigation.
    browser.tab();
    assert_eq!(browser.eval("document.activeElement.className"), "skip");
    assert_eq!(browser.eval("document.querySelectorAll('h1').length"), 1);

    let mut pages = vec![
        ("overview", format!("{site}/")),
        ("findings", format!("{site}/findings")),
        ("finding", finding.as_str().unwrap().to_owned()),
        ("guideline", format!("{site}/guide/pss-host-path")),
        ("objects", format!("{site}/objects")),
        ("object", object.as_str().unwrap().to_owned()),
        ("waivers", format!("{site}/waivers")),
        ("coverage", format!("{site}/coverage")),
    ];
    browser.go(&format!("{site}/paths"));
    let walk = browser.eval("document.querySelector('table.found tbody th a').click()");
    assert!(walk.is_null());
    browser.until("location.pathname.startsWith('/paths/') && document.querySelectorAll('.walk .spot').length > 1");
    let walk = browser.eval("location.href");
    pages.push(("paths", format!("{site}/paths")));
    pages.push(("walk", walk.as_str().unwrap().to_owned()));
    // From a step to the object that it rests on.
    browser.eval("document.querySelector('.walk .evidence a').click()");
    browser.until("location.pathname === '/object' && document.querySelector('.facts')");
    pages.push(("missing", format!("{site}/nothing")));
    for (name, address) in &pages {
        for (width, dark) in [(1280, false), (390, false), (390, true)] {
            browser.size(width, dark);
            browser.go(address);
            let (page, seen) = (
                browser.eval("document.documentElement.scrollWidth"),
                browser.eval("document.documentElement.clientWidth"),
            );
            assert!(
                page.as_u64() <= seen.as_u64(),
                "{name} is {page} wide on {seen}"
            );
            // Every field can be named, and every link.
            let nameless = browser.eval(
                "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')].filter(field => !field.labels.length).length \
                 + [...document.querySelectorAll('a, button')].filter(link => !link.textContent.trim()).length",
            );
            assert_eq!(nameless, 0, "{name}");
            browser.picture(&format!(
                "{name}-{width}{}",
                if dark { "-dark" } else { "" }
            ));
        }
    }
    // The last page is missing, which browsers note as an error.
    browser
        .complaints
        .retain(|complaint| !complaint.contains("404"));
    assert_eq!(browser.complaints, Vec::<String>::new());

    browser.go(&format!("{site}/"));
    browser.eval("document.querySelector('form.out').requestSubmit()");
    browser.until("location.pathname === '/sign-in'");
    browser.go(&format!("{site}/sign-in"));
    drop(browser);
    std::fs::remove_dir_all(history).unwrap();
}

/// A month in which things got better.
fn postures() -> String {
    (1..=25)
        .map(|day| {
            let fails = json!({"critical": 30 - day, "high": 60 - day * 2, "medium": 40 - day / 2, "low": 12 + day % 3});
            let line = json!({"at": format!("2026-11-{day:02}T08:00:00Z"), "objects": 100, "fails": fails, "unknown": 3,
                "waived": 1, "unread": 0, "chapters": {}, "topics": {}});
            format!("{line}\n")
        })
        .collect()
}
