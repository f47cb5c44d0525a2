//! Completions in real shells, and manual pages in the hands of what shows them.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use insta::assert_snapshot;

use crate::run::Folder;

/// What a script of bash prints, with the program on its path.
fn bash(folder: &Folder, script: &str) -> String {
    let bin = Path::new(env!("CARGO_BIN_EXE_seawall")).parent().unwrap();
    let ran = Command::new("bash")
        .args(["--noprofile", "--norc", "-euc", script])
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{script}: {said}");
    String::from_utf8(ran.stdout).unwrap()
}

/// What bash offers for the last of these words.
fn offered(folder: &Folder, words: &[&str]) -> String {
    let last = words.len() - 1;
    let script = format!(
        "source <(seawall completions bash)
         complete -p seawall > /dev/null
         COMP_WORDS=({}) COMP_CWORD={last}
         _seawall seawall '{}' '{}'
         echo \"${{COMPREPLY[*]}}\"",
        words
            .iter()
            .map(|word| format!("'{word}'"))
            .collect::<Vec<_>>()
            .join(" "),
        words[last],
        words[last - 1],
    );
    bash(folder, &script).trim_end().to_owned()
}

#[test]
fn bash_completes_commands_options_values_and_files() {
    let folder = Folder::of(&[("deploy.yaml", ""), ("other.txt", "")]);
    assert_eq!(offered(&folder, &["seawall", "ass"]), "assess");
    assert_eq!(offered(&folder, &["seawall", "audit", "de"]), "detect");
    assert_eq!(
        offered(&folder, &["seawall", "assess", "--fail"]),
        "--fail-on --fail-on-unknown"
    );
    assert_eq!(
        offered(&folder, &["seawall", "assess", "--verdicts", ""]),
        "findings all"
    );
    assert_eq!(
        offered(&folder, &["seawall", "assess", "--baseline", "dep"]),
        "deploy.yaml"
    );
}

#[test]
fn each_shell_gets_a_script_that_names_every_command() {
    let folder = Folder::new();
    let commands = folder.run(&["--help"]).out;
    // Above the options, the lines that are set in.
    let commands: Vec<&str> = commands
        .lines()
        .take_while(|line| !line.starts_with("  -h"))
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty())
        .collect();
    assert!(commands.len() > 15, "{commands:?}");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = folder.run(&["completions", shell]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{shell}");
        for command in &commands {
            assert!(ran.out.contains(command), "{shell}: {command}");
        }
    }
    let unknown = folder.run(&["completions", "tcsh"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("bash, elvish, fish, powershell, zsh"));
}

#[test]
fn a_manual_page_reads_as_the_help_does() {
    let folder = Folder::new();
    let page = folder.run(&["man", "completions"]).out;
    folder.write("page.1", &page);
    let shown = Command::new("mandoc")
        .args(["-Tutf8", "-Owidth=78", "page.1"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    // What is bold is written over itself, for terminals.
    let shown = String::from_utf8(shown.stdout).unwrap();
    let mut plain: Vec<char> = Vec::new();
    for character in shown.chars() {
        if character == '\u{8}' {
            plain.pop();
        } else {
            plain.push(character);
        }
    }
    let plain: String = plain.into_iter().collect();
    // The last line names the version.
    let (page, last) = plain.trim_end().rsplit_once("\n\n").unwrap();
    assert!(last.starts_with(concat!("seawall ", env!("CARGO_PKG_VERSION"))));
    assert_snapshot!(page, @r"
    SEAWALL-COMPLETIONS(1)         Manual of seawall        SEAWALL-COMPLETIONS(1)

    NAME
           seawall-completions - Prints what a shell needs to complete commands

    SYNOPSIS
           seawall completions [-h|--help] <SHELL>

    DESCRIPTION
           Prints what a shell needs to complete commands.

           A script: source it where the shell starts, or put it where the shell
           looks for completions. It is made from the command line of this very
           program: make it again after an upgrade.

    OPTIONS
           -h, --help
                  Print help (see a summary with '-h')

           <SHELL>
                  The shell

                  Possible values:

                         • bash

                         • elvish

                         • fish

                         • powershell

                         • zsh

    EXAMPLES
           source <(seawall completions bash)                      in ~/.bashrc
           seawall completions zsh > ~/.zfunc/_seawall             a folder of $fpath
           seawall completions fish > ~/.config/fish/completions/seawall.fish
           seawall completions powershell | Out-String | Invoke-Expression
    ");
}

#[test]
fn there_is_a_page_for_each_command_and_none_is_wrong() {
    let folder = Folder::new();
    let ran = folder.run(&["man", "--out", "share/man1"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    assert!(
        ran.err.contains("help: `man share/man1/seawall.1`"),
        "{}",
        ran.err
    );
    let mut pages: Vec<OsString> = fs::read_dir(folder.path().join("share/man1"))
        .unwrap()
        .map(|page| page.unwrap().file_name())
        .collect();
    pages.sort();
    for name in ["seawall.1", "seawall-assess.1", "seawall-audit-detect.1"] {
        assert!(pages.iter().any(|page| page == name), "{name}: {pages:?}");
    }
    let checked = Command::new("mandoc")
        .args(["-Tlint", "-Werror"])
        .args(&pages)
        .current_dir(folder.path().join("share/man1"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success(), "{said}");
    // The examples stand line by line.
    let page = folder.run(&["man", "assess"]).out;
    assert!(
        page.contains(".SH EXAMPLES\n.nf\nseawall assess ."),
        "{page}"
    );
    let unknown = folder.run(&["man", "audit", "forget"]);
    assert_snapshot!(unknown.failure(), @r"
    exit 2
    error: `seawall audit` has no command `forget`
      help: `seawall audit --help` lists them
    ");
}
