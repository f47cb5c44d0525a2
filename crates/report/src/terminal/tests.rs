//! Whole pages from hand-made findings, at two widths.

use model::finding::Finding;

use super::*;
use crate::testing::{assessment, findings, guide, hostile, with_ledger, written};

fn shown(width: usize, colour: bool, findings: &[Finding], assessment: &Assessment<'_>) -> String {
    written(
        |out| new(out, Options { width, colour }),
        findings,
        assessment,
    )
}

fn lines_wider_than(text: &str, width: usize) -> Vec<&str> {
    let path = |line: &str| {
        ["-->", ":::", "next:"]
            .iter()
            .any(|mark| line.contains(mark))
            || line.starts_with("  deploy/")
    };
    text.lines()
        .filter(|line| text::width(line) > width && !path(line))
        .collect()
}

#[test]
fn everything_at_80_columns() {
    let guide = guide();
    let findings = findings();
    let text = shown(80, false, &findings, &with_ledger(&guide, &findings));
    insta::assert_snapshot!(text, @r#"
    critical[no-privileged]: Containers are not privileged
      A privileged container gets every Linux capability and every device of the
      node, and the filters that normally stand between a container and the kernel
      are switched off.
      --> deploy/web.yaml:12:11  Deployment shop/web
       |
    12 |           privileged: true
       |           ^^^^^^^^^^^^^^^^ container `app` is privileged
       |
       = unsafe fix: set securityContext.privileged to false
       = cost: half a day of work; may break agents that manage the node: storage,
               network, security sensors
       = more: seawall explain no-privileged

    high[image-tag]: Images are named by digest or version, so that what was
        tested is what runs, on every node and after every restart
      `latest` is another image tomorrow.
      6 findings from one place, chart default values `charts/shop/values.yaml:7`;
      the first of them:
      --> charts/shop/templates/s0.yaml:40:16  Deployment shop/s0
       |
    40 |         image: example.azurecr.io/shop/a-service-with-a-long-name/and-a-lo…
       |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       | image
       | `example.azurecr.io/shop/a-service-with-a-long-name/and-a-longer-folder:lat
       | est` has no version
      ::: charts/shop/values.yaml:7:8
       |
     7 |   tag: latest
       |        ------ the value comes from here
       |
      --> charts/shop/templates/s0.yaml:46:16  Deployment shop/s6
       |
    46 |         image: example.azurecr.io/shop/a-service-with-a-long-name/and-a-lo…
       |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       | image
       | `example.azurecr.io/shop/a-service-with-a-long-name/and-a-longer-folder:lat
       | est` has no version
       |
       = safe fix: set image to "x"
                   add "ALL" to securityContext.capabilities.drop
       = cost: 2 days of work; 1 hour of upkeep a month
       = more: seawall explain image-tag

    medium[default-deny]: Namespaces start from denied traffic
      Where nothing is denied, one broken pod reaches all others.
     --> deploy/namespaces.yaml:3:1  Namespace dev
      |
    3 | metadata: { name: shop }
      | ^^^^^^^^^^^^^^^^^^^^^^^^ namespace `dev` has no policy that denies traffic
      |
      = cost: 12.5 EUR a month; a day of work; may break what nobody declared
      = more: seawall explain default-deny

    Unknown: 3 verdicts
        1  depends on parameter `networkPolicy` of `main.bicep` (default-deny)
        2  of 1 guideline, because what was given lacks something that may stand
           elsewhere; if these files are all there is, say so with `--whole` or
           `whole: true` in seawall.yaml

    Not read: 2 documents
      deploy/broken file.yaml:14
        unreadable: did not find expected `,` or `]`
        help: mend the line, or leave the file out with `--exclude`
      charts/shop/Chart.yaml
        unresolved: `helm` is not installed
        help: install helm, or render the chart and assess its output

    Not judged: 1 document of kinds that seawall does not know
      Widget.example.com (1)

    Not assessed: 1 guideline
        1  needs Azure resources (`--azure`)

                 fail  unknown
    critical        1        0
    high            7        0
    medium          1        3
    low             0        0
    total           9        3

    by aspect     api-server 0, traffic 0, images 7, secrets 0, network-isolation 1,
                  pods 1
    by principle  minimise-attack-surface 1, defense-in-depth 1, secure-defaults 8,
                  least-privilege 1
    not counted   1 waived, 1 known from the baseline, 1 on objects that AKS manages

    judged 12 resources in 7 files by 3 guidelines; 2 documents not read
    exit 1: 8 findings at or above high
    next: seawall explain no-privileged
          why it matters, how to mend it, and how to accept it
    "#);
}

#[test]
fn everything_at_120_columns() {
    let guide = guide();
    let findings = findings();
    let text = shown(120, false, &findings, &with_ledger(&guide, &findings));
    insta::assert_snapshot!(text, @r#"
    critical[no-privileged]: Containers are not privileged
      A privileged container gets every Linux capability and every device of the node, and the filters that normally stand
      between a container and the kernel are switched off.
      --> deploy/web.yaml:12:11  Deployment shop/web
       |
    12 |           privileged: true
       |           ^^^^^^^^^^^^^^^^ container `app` is privileged
       |
       = unsafe fix: set securityContext.privileged to false
       = cost: half a day of work; may break agents that manage the node: storage, network, security sensors
       = more: seawall explain no-privileged

    high[image-tag]: Images are named by digest or version, so that what was tested is what runs, on every node and
        after every restart
      `latest` is another image tomorrow.
      6 findings from one place, chart default values `charts/shop/values.yaml:7`; the first of them:
      --> charts/shop/templates/s0.yaml:40:16  Deployment shop/s0
       |
    40 |         image: example.azurecr.io/shop/a-service-with-a-long-name/and-a-longer-folder:latest # set by the pipeline
       |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |                image `example.azurecr.io/shop/a-service-with-a-long-name/and-a-longer-folder:latest` has no version
      ::: charts/shop/values.yaml:7:8
       |
     7 |   tag: latest
       |        ------ the value comes from here
       |
      --> charts/shop/templates/s0.yaml:46:16  Deployment shop/s6
       |
    46 |         image: example.azurecr.io/shop/a-service-with-a-long-name/and-a-longer-folder:latest # set by the pipeline
       |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |                image `example.azurecr.io/shop/a-service-with-a-long-name/and-a-longer-folder:latest` has no version
       |
       = safe fix: set image to "x"
                   add "ALL" to securityContext.capabilities.drop
       = cost: 2 days of work; 1 hour of upkeep a month
       = more: seawall explain image-tag

    medium[default-deny]: Namespaces start from denied traffic
      Where nothing is denied, one broken pod reaches all others.
     --> deploy/namespaces.yaml:3:1  Namespace dev
      |
    3 | metadata: { name: shop }
      | ^^^^^^^^^^^^^^^^^^^^^^^^ namespace `dev` has no policy that denies traffic
      |
      = cost: 12.5 EUR a month; a day of work; may break what nobody declared
      = more: seawall explain default-deny

    Unknown: 3 verdicts
        1  depends on parameter `networkPolicy` of `main.bicep` (default-deny)
        2  of 1 guideline, because what was given lacks something that may stand elsewhere; if these files are all there is,
           say so with `--whole` or `whole: true` in seawall.yaml

    Not read: 2 documents
      deploy/broken file.yaml:14
        unreadable: did not find expected `,` or `]`
        help: mend the line, or leave the file out with `--exclude`
      charts/shop/Chart.yaml
        unresolved: `helm` is not installed
        help: install helm, or render the chart and assess its output

    Not judged: 1 document of kinds that seawall does not know
      Widget.example.com (1)

    Not assessed: 1 guideline
        1  needs Azure resources (`--azure`)

                 fail  unknown
    critical        1        0
    high            7        0
    medium          1        3
    low             0        0
    total           9        3

    by aspect     api-server 0, traffic 0, images 7, secrets 0, network-isolation 1, pods 1
    by principle  minimise-attack-surface 1, defense-in-depth 1, secure-defaults 8, least-privilege 1
    not counted   1 waived, 1 known from the baseline, 1 on objects that AKS manages

    judged 12 resources in 7 files by 3 guidelines; 2 documents not read
    exit 1: 8 findings at or above high
    next: seawall explain no-privileged
          why it matters, how to mend it, and how to accept it
    "#);
}

#[test]
fn nothing_found() {
    let guide = guide();
    insta::assert_snapshot!(shown(80, false, &[], &assessment(&guide, &[])), @r#"
    Nothing found.
    judged 12 resources in 7 files by 3 guidelines; everything was read
    "#);
}

#[test]
fn only_absence() {
    let guide = guide();
    let some: Vec<Finding> = findings().into_iter().skip(7).take(2).collect();
    insta::assert_snapshot!(shown(80, false, &some, &assessment(&guide, &some)), @r#"
    Unknown: 2 verdicts
        2  of 1 guideline, because what was given lacks something that may stand
           elsewhere; if these files are all there is, say so with `--whole` or
           `whole: true` in seawall.yaml

                 fail  unknown
    critical        0        0
    high            0        0
    medium          0        2
    low             0        0
    total           0        2


    judged 12 resources in 7 files by 3 guidelines; everything was read
    exit 0: nothing at or above high
    next: seawall assess --whole deploy charts/shop
          if these files are all there is: what is absent then counts
    "#);
}

#[test]
fn nothing_found_but_something_not_read() {
    let guide = guide();
    insta::assert_snapshot!(shown(80, false, &[], &with_ledger(&guide, &[])), @r#"
    Not read: 2 documents
      deploy/broken file.yaml:14
        unreadable: did not find expected `,` or `]`
        help: mend the line, or leave the file out with `--exclude`
      charts/shop/Chart.yaml
        unresolved: `helm` is not installed
        help: install helm, or render the chart and assess its output

    Not judged: 1 document of kinds that seawall does not know
      Widget.example.com (1)

    Not assessed: 1 guideline
        1  needs Azure resources (`--azure`)

    Nothing found in what could be read.
    judged 12 resources in 7 files by 3 guidelines; 2 documents not read
    exit 4: 2 documents given could not be read or resolved
    "#);
}

#[test]
fn many_findings_of_one_guideline_and_many_guidelines() {
    let guide = guide();
    let mut many = Vec::new();
    for number in 0..40 {
        many.push(crate::testing::in_file(&format!(
            "deploy/{}.yaml",
            number % 9
        )));
    }
    for number in 0..14 {
        let mut finding = crate::testing::finding();
        finding.guideline = crate::testing::id(&format!("other-{number:02}"));
        finding.severity = model::Severity::Low;
        many.push(finding);
    }
    let text = shown(80, false, &many, &assessment(&guide, &many));
    assert!(text.contains("… and 37 more in 9 files"), "{text}");
    assert!(
        text.contains("low[other-13]:\n --> deploy/web.yaml:12:11  1 finding in 1 file"),
        "{text}"
    );
}

#[test]
fn colour_changes_no_word() {
    let guide = guide();
    let findings = findings();
    let plain = shown(80, false, &findings, &with_ledger(&guide, &findings));
    let painted = shown(80, true, &findings, &with_ledger(&guide, &findings));
    let mut stripped = String::new();
    let mut rest = painted.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        stripped.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    stripped.push_str(rest);
    assert_ne!(plain, painted);
    assert_eq!(plain, stripped);
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let guide = guide();
    for width in [40, 60, 80, 100, 120, 200] {
        for findings in [findings(), hostile()] {
            let text = shown(width, false, &findings, &with_ledger(&guide, &findings));
            assert_eq!(
                lines_wider_than(&text, width),
                Vec::<&str>::new(),
                "at {width}"
            );
        }
    }
}

/// A manifest must not be able to write to the terminal.
#[test]
fn control_characters_never_reach_the_terminal() {
    let guide = guide();
    // Every control and format character, one at a time, in every text of a finding and of the ledger.
    let mut characters: Vec<char> = (0..0xA0_u32)
        .chain(0x2000..0x2070)
        .chain([0x61C, 0xFEFF, 0xFFF9, 0xE0001])
        .filter_map(char::from_u32)
        .collect();
    characters.retain(|c| *c != '\n' && text::hostile(*c));
    for bad in characters {
        let mut findings = hostile();
        for finding in &mut findings {
            finding.message = format!("x{bad}y");
            finding.place.source = format!("  key: x{bad}y").into();
            finding.place.path = format!("a{bad}b.yaml").into();
        }
        let mut assessment = with_ledger(&guide, &findings);
        assessment.subject = vec![format!("a{bad}b")];
        for entry in &mut assessment.coverage.documents {
            entry.path = format!("a{bad}b").into();
            entry.reason = Some(format!("a{bad}b").into());
            entry.help = Some(format!("a{bad}b").into());
            entry.kind = Some(format!("a{bad}b").into());
        }
        let text = shown(80, false, &findings, &assessment);
        assert!(
            !text.chars().any(|c| c != '\n' && text::hostile(c)),
            "{bad:?}"
        );
    }
}
