//! Pages as a browser lays them out.

use std::path::Path;
use std::process::Command;

use crate::rights::RBAC;
use crate::run::Folder;

/// How wide a page is in a window of this width, and how wide the window is for it.
pub(crate) fn widths(folder: &Path, page: &str, window: u32) -> (u32, u32) {
    // The page forbids scripts; the copy that is measured has one.
    let html = std::fs::read_to_string(folder.join(page)).unwrap();
    let (head, rest) = html
        .split_once("<meta http-equiv=\"Content-Security-Policy\"")
        .unwrap();
    let (_, tail) = rest.split_once('>').unwrap();
    let measure = "<script>addEventListener('load', () => { const root = document.documentElement; \
                   root.dataset.widths = root.scrollWidth + ' ' + root.clientWidth; });</script>";
    let copy = format!("{head}{measure}{tail}");
    let measured = folder.join("measured.html");
    std::fs::write(&measured, copy).unwrap();
    let browser =
        std::env::var_os("CHROMIUM").expect("CHROMIUM names the browser (cargo xtask test)");
    let ran = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
        .arg(format!(
            "--user-data-dir={}",
            folder.join("profile").display()
        ))
        .arg(format!("--window-size={window},900"))
        .arg(format!("file://{}", measured.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&ran.stdout).into_owned();
    let said = dom
        .split_once("data-widths=\"")
        .unwrap_or_else(|| panic!("{dom}{}", String::from_utf8_lossy(&ran.stderr)));
    let (widths, _) = said.1.split_once('"').unwrap();
    let (page, seen) = widths.split_once(' ').unwrap();
    (page.parse().unwrap(), seen.parse().unwrap())
}

/// The table scrolls in itself, the page does not.
#[test]
fn the_page_of_rights_does_not_scroll_sideways() {
    let long = "a-name-of-a-team-that-goes-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on";
    let many: String = (0..30)
        .map(|number| {
            format!(
                "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: {long}-{number}}}\n\
                 roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: secret-reader}}\nsubjects:\n\
                 - {{kind: Group, name: \"{long}:{number}:{long}\", apiGroup: rbac.authorization.k8s.io}}\n"
            )
        })
        .collect();
    let folder = Folder::of(&[("rbac.yaml", &format!("{RBAC}{many}"))]);
    let ran = folder.run(&[
        "who-can",
        "--all",
        "--bootstrap-roles",
        "--built-in",
        "rbac.yaml",
        "--format",
        "html=who.html",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for window in [700, 1200] {
        let (page, seen) = widths(folder.path(), "who.html", window);
        assert!(page <= seen, "{page} wide in a window of {seen}");
    }
}
