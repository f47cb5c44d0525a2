//! Chromium as a reader of pages, told what to do through its debugging pipe.
//!
//! With `SEAWALL_SCREENSHOTS=FOLDER` every page that is looked at is left there as a picture, for people.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

/// Chromium, told what to do through its debugging pipe: JSON between null bytes.
pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    folder: PathBuf,
    session: String,
    number: u64,
    /// What it complained about: scripts that failed, policies that were broken.
    pub complaints: Vec<String>,
}

impl Browser {
    /// Starts it with a profile of its own.
    pub fn start() -> Self {
        let program =
            std::env::var("CHROMIUM").expect("CHROMIUM names the browser (cargo xtask test)");
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("seawall-browser-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
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

    /// Asks something, which must not fail.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        let answer = self.tell(method, params);
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The same, where it may fail.
    pub fn tell(&mut self, method: &str, params: Value) -> Value {
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

    /// What a script comes to.
    pub fn eval(&mut self, script: &str) -> Value {
        let answer = self.call(
            "Runtime.evaluate",
            json!({"expression": script, "returnByValue": true}),
        );
        assert!(answer["exceptionDetails"].is_null(), "{script}: {answer}");
        answer["result"]["value"].clone()
    }

    /// What a promise comes to.
    pub fn awaited(&mut self, script: &str) -> Value {
        let answer = self.call(
            "Runtime.evaluate",
            json!({"expression": script, "returnByValue": true, "awaitPromise": true}),
        );
        assert!(answer["exceptionDetails"].is_null(), "{script}: {answer}");
        answer["result"]["value"].clone()
    }

    /// What axe finds wrong with the page for people who see or move otherwise.
    pub fn inaccessible(&mut self) -> Vec<String> {
        let axe = std::fs::read_to_string(crate::fixture("axe.js").unwrap()).unwrap();
        self.call("Runtime.evaluate", json!({"expression": axe}));
        let found = self.awaited(
            "axe.run(document, { resultTypes: ['violations'], preload: location.protocol !== 'file:' }).then(found => found.violations.map(rule => \
             rule.id + ': ' + rule.help + ': ' + rule.nodes.slice(0, 3).map(node => node.target.join(' ') + ' ' + node.html.slice(0, 200)).join(' | ')))",
        );
        let found = found.as_array().unwrap().iter();
        found
            .map(|rule| rule.as_str().unwrap().to_owned())
            .collect()
    }

    /// Waits until something is so.
    pub fn until(&mut self, script: &str) {
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

    /// Goes to an address, and waits until it is there.
    pub fn go(&mut self, address: &str) {
        self.call("Page.navigate", json!({"url": address}));
        self.until(&format!("location.href === '{address}'"));
    }

    /// How wide the window is, and what scheme its reader prefers.
    pub fn size(&mut self, width: u32, dark: bool) {
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

    /// Leaves a picture of the whole page in the folder that `SEAWALL_SCREENSHOTS` names.
    pub fn picture(&mut self, name: &str) {
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

    /// The address.
    pub fn here(&mut self) -> String {
        self.eval("location.href").as_str().unwrap().to_owned()
    }

    /// Chooses of a list.
    pub fn choose(&mut self, name: &str, value: &str) {
        self.eval(&format!("const choice = document.querySelector('[name={name}]'); choice.value = '{value}'; choice.dispatchEvent(new Event('change', {{ bubbles: true }}))"));
    }

    /// The page that is shown, on a wide and a narrow screen, in the light and in the dark: nothing stands out of it,
    /// and everybody can use it.
    pub fn looked_at(&mut self, name: &str) {
        for (width, dark) in [(1280, false), (1280, true), (390, false), (390, true)] {
            self.size(width, dark);
            let (page, seen) = (
                self.eval("document.documentElement.scrollWidth"),
                self.eval("document.documentElement.clientWidth"),
            );
            assert!(
                page.as_u64() <= seen.as_u64(),
                "{name} is {page} wide on {seen}"
            );
            self.picture(&format!(
                "{name}-{width}{}",
                if dark { "-dark" } else { "" }
            ));
            if (width == 1280) != dark {
                let wrong = self.inaccessible();
                assert!(wrong.is_empty(), "{name} at {width}: {wrong:#?}");
            }
        }
        assert_eq!(self.eval("document.querySelectorAll('h1').length"), 1);
        // Every field can be named, and every link.
        let nameless = self.eval(
            "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')].filter(field => !field.labels.length).length \
             + [...document.querySelectorAll('a, button')].filter(link => !link.textContent.trim()).length",
        );
        assert_eq!(nameless, 0, "{name}");
    }

    /// Presses the key.
    pub fn tab(&mut self) {
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
