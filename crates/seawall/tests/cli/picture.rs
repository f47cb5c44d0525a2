//! The picture of README is what the program prints. `SEAWALL_PICTURE=write` draws it anew.

use std::path::PathBuf;
use std::process::Command;

use anstyle_svg::{Term, WIN10_CONSOLE};

use crate::run::DAY;

#[test]
fn the_picture_of_readme_is_what_is_printed() {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let shown = [
        "assess",
        "examples/aks-store",
        "--guideline",
        "api-local-accounts-off",
        "--guideline",
        "pss-host-path",
    ];
    let output = Command::new(env!("CARGO_BIN_EXE_seawall"))
        .args(shown)
        .args(["--as-of", DAY])
        .current_dir(&root)
        .env_clear()
        .env("COLUMNS", "80")
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains('\u{1b}'), "it has colours: {printed}");
    let findings = printed.split("Not judged").next().unwrap().trim_end();
    let command = format!("$ seawall {}", shown.join(" "));
    let (first, rest) = command.split_at(command.find(" --guideline").unwrap());
    let screen = format!("{first} \\\n   {rest}\n\n{findings}\n");
    let drawn = Term::new().palette(WIN10_CONSOLE).render_svg(&screen);
    let file = root.join("docs/pictures/assess.svg");
    if std::env::var_os("SEAWALL_PICTURE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &drawn).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        kept, drawn,
        "SEAWALL_PICTURE=write draws docs/pictures/assess.svg anew"
    );
}
