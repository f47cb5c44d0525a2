//! Names of the intent that cannot become names of what is made are refused where they stand.

use generate::Intent;

const INTENT: &str = include_str!("../intent.yaml");

#[test]
fn names_that_are_taken_or_no_hosts_are_refused() {
    for (from, to, says) in [
        ("name: report,", "name: gateway,", "is a namespace already"),
        (
            "name: report,",
            "name: kube-report,",
            "is a namespace already",
        ),
        ("name: report,", "name: default,", "is a namespace already"),
        (
            "[shop.example.com]",
            "[\"shop.example.com:443\"]",
            "`hosts` must be the name of a host",
        ),
        (
            "[shop.example.com]",
            "[shop]",
            "`hosts` must be the name of a host",
        ),
        (
            "[api.payments.example]",
            "[\"https://api.payments.example\"]",
            "`egress` must be the name of a host",
        ),
        (
            "[api.payments.example]",
            "[-a.example]",
            "`egress` must be the name of a host",
        ),
    ] {
        let text = INTENT.replace(from, to);
        assert_ne!(text, INTENT, "{from}");
        let error = Intent::parse(&text, "1.34").unwrap_err();
        assert!(error.message.contains(says), "{to}: {}", error.message);
        let line = text.lines().position(|line| line.contains(to)).unwrap();
        assert_eq!(error.line as usize, line + 1, "{to}: {}", error.message);
    }
    assert!(Intent::parse(INTENT, "1.34").is_ok());
}
