//! JUnit XML, for CI systems that count tests.
//!
//! A suite is a guideline that was in question, a case is a finding: failed, or skipped where
//! it is unknown or set aside. A guideline without findings is one passing case. Documents that
//! could not be read are errors in a suite of their own.
//!
//! What it deliberately leaves out: times, so that the same input gives the same bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use guide::Guide;
use model::finding::{Finding, GuidelineId, Outcome};
use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use crate::assessment::{Assessment, Sink};
use crate::outcome;
use crate::text;

/// A sink that writes JUnit XML. `selected` are the guidelines in question.
pub fn new(out: Box<dyn Write>, selected: Vec<GuidelineId>) -> impl Sink {
    let cases = selected.into_iter().map(|id| (id, Vec::new())).collect();
    Junit { out, cases }
}

struct Junit {
    out: Box<dyn Write>,
    cases: BTreeMap<GuidelineId, Vec<TestCase>>,
}

fn case(finding: &Finding, guide: &Guide) -> TestCase {
    let mut name = text::resource(&finding.resource);
    if let Some(item) = &finding.item {
        let _ = write!(name, " {}", text::clean(item));
    }
    let message = text::clean(&finding.message);
    let mut status = match (&finding.outcome, text::set_aside(finding)) {
        (_, Some(reason)) => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(format!("{reason}; {message}"));
            skipped
        }
        (Outcome::Unknown { .. }, None) => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(format!("unknown: {message}"));
            skipped
        }
        (Outcome::Fail, None) => {
            let mut failed = TestCaseStatus::non_success(NonSuccessKind::Failure);
            failed
                .set_message(&*message)
                .set_type(finding.severity.word());
            failed
        }
    };
    status.set_description(description(finding, guide));
    let mut case = TestCase::new(name, status);
    case.set_classname(&*finding.guideline.0);
    case
}

fn description(finding: &Finding, guide: &Guide) -> String {
    let mut words = text::place(&finding.place);
    for evidence in &finding.evidence {
        let _ = write!(
            words,
            "\n{} = {}",
            text::clean(&evidence.route),
            text::clean(&evidence.value)
        );
    }
    if let Some(fix) = guide
        .guideline(&finding.guideline.0)
        .and_then(|guideline| text::fixes(guideline, &finding.check.into_iter().collect()).next())
        && finding.fix.is_some()
    {
        let _ = write!(
            words,
            "\n{} fix: {}",
            fix.safety.word(),
            text::operations(fix).join("; ")
        );
    }
    let _ = write!(words, "\nseawall explain {}", finding.guideline);
    words
}

fn suite(id: &GuidelineId, cases: Vec<TestCase>, guide: &Guide) -> TestSuite {
    let mut suite = TestSuite::new(&*id.0);
    let title = guide
        .guideline(&id.0)
        .map_or("", |guideline| &guideline.title);
    if let Some(guideline) = guide.guideline(&id.0) {
        suite.add_property(Property::new("title", title));
        suite.add_property(Property::new("severity", guideline.severity.word()));
        suite.add_property(Property::new("aspect", &*guideline.aspect));
    }
    if cases.is_empty() {
        let mut passed = TestCase::new(title, TestCaseStatus::success());
        passed.set_classname(&*id.0);
        suite.add_test_case(passed);
    }
    suite.add_test_cases(cases);
    suite
}

fn unread(assessment: &Assessment<'_>) -> Option<TestSuite> {
    let mut suite = TestSuite::new("documents");
    for entry in outcome::incomplete(assessment) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type(entry.status.word());
        status.set_message(text::clean(
            entry.reason.as_deref().unwrap_or("it could not be read"),
        ));
        if let Some(help) = &entry.help {
            status.set_description(text::clean(help));
        }
        let mut case = TestCase::new(outcome::place(entry), status);
        case.set_classname("documents");
        suite.add_test_case(case);
    }
    (!suite.test_cases.is_empty()).then_some(suite)
}

impl Sink for Junit {
    fn finding(&mut self, finding: &Finding, guide: &Guide) -> io::Result<()> {
        self.cases
            .entry(finding.guideline.clone())
            .or_default()
            .push(case(finding, guide));
        Ok(())
    }

    fn finish(&mut self, assessment: &Assessment<'_>) -> io::Result<()> {
        let mut report = Report::new("seawall");
        report.add_test_suites(unread(assessment));
        for entry in &assessment.coverage.guidelines {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(format!("not assessed: needs {}", text::clean(&entry.needs)));
            let mut case = TestCase::new("not assessed", skipped);
            case.set_classname(&*entry.guideline.0);
            self.cases
                .entry(entry.guideline.clone())
                .or_default()
                .push(case);
        }
        for (id, cases) in std::mem::take(&mut self.cases) {
            report.add_test_suite(suite(&id, cases, assessment.guide));
        }
        report.serialize(&mut self.out).map_err(io::Error::other)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{findings, guide, hostile, selected, with_ledger, written};

    #[test]
    fn a_suite_for_each_guideline() {
        let guide = guide();
        let some: Vec<Finding> = findings()
            .into_iter()
            .filter(|finding| &*finding.guideline.0 != "image-tag")
            .collect();
        insta::assert_snapshot!(written(|out| new(out, selected()), &some, &with_ledger(&guide, &some)), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="seawall" tests="12" skipped="7" failures="2" errors="2">
            <testsuite name="documents" tests="2" skipped="0" errors="2" failures="0">
                <testcase name="deploy/broken file.yaml:14" classname="documents">
                    <error message="did not find expected `,` or `]`" type="unreadable">mend the line, or leave the file out with `--exclude`</error>
                </testcase>
                <testcase name="charts/shop/Chart.yaml" classname="documents">
                    <error message="`helm` is not installed" type="unresolved">install helm, or render the chart and assess its output</error>
                </testcase>
            </testsuite>
            <testsuite name="default-deny" tests="4" skipped="3" errors="0" failures="1">
                <properties>
                    <property name="title" value="Namespaces start from denied traffic"/>
                    <property name="severity" value="medium"/>
                    <property name="aspect" value="network-isolation"/>
                </properties>
                <testcase name="Namespace shop" classname="default-deny">
                    <skipped message="unknown: cannot be said: what was given may not be everything">deploy/namespaces.yaml:3:1
        seawall explain default-deny</skipped>
                </testcase>
                <testcase name="Namespace pay" classname="default-deny">
                    <skipped message="unknown: cannot be said: what was given may not be everything">deploy/namespaces.yaml:3:1
        seawall explain default-deny</skipped>
                </testcase>
                <testcase name="Namespace ops" classname="default-deny">
                    <skipped message="unknown: cannot be said: depends on parameter `networkPolicy` of `main.bicep`">deploy/namespaces.yaml:3:1
        seawall explain default-deny</skipped>
                </testcase>
                <testcase name="Namespace dev" classname="default-deny">
                    <failure message="namespace `dev` has no policy that denies traffic" type="medium">deploy/namespaces.yaml:3:1
        seawall explain default-deny</failure>
                </testcase>
            </testsuite>
            <testsuite name="image-tag" tests="1" skipped="0" errors="0" failures="0">
                <properties>
                    <property name="title" value="Images are named by digest or version, so that what was tested is what runs, on every node and after every restart"/>
                    <property name="severity" value="high"/>
                    <property name="aspect" value="images"/>
                </properties>
                <testcase name="Images are named by digest or version, so that what was tested is what runs, on every node and after every restart" classname="image-tag"/>
            </testsuite>
            <testsuite name="no-privileged" tests="4" skipped="3" errors="0" failures="1">
                <properties>
                    <property name="title" value="Containers are not privileged"/>
                    <property name="severity" value="critical"/>
                    <property name="aspect" value="pods"/>
                </properties>
                <testcase name="Deployment shop/web app" classname="no-privileged">
                    <failure message="container `app` is privileged" type="critical">deploy/web.yaml:12:11
        spec.template.spec.containers[0].securityContext.privileged = true
        unsafe fix: set securityContext.privileged to false
        seawall explain no-privileged</failure>
                </testcase>
                <testcase name="Deployment shop/web app" classname="no-privileged">
                    <skipped message="waived: =sensor, needs the kernel (sec@example.org), until 2027-01-31; container `app` is privileged">deploy/agent.yaml:12:11
        spec.template.spec.containers[0].securityContext.privileged = true
        unsafe fix: set securityContext.privileged to false
        seawall explain no-privileged</skipped>
                </testcase>
                <testcase name="Deployment shop/web app" classname="no-privileged">
                    <skipped message="known from the baseline; container `app` is privileged">deploy/old.yaml:12:11
        spec.template.spec.containers[0].securityContext.privileged = true
        unsafe fix: set securityContext.privileged to false
        seawall explain no-privileged</skipped>
                </testcase>
                <testcase name="Deployment shop/web app" classname="no-privileged">
                    <skipped message="AKS makes and keeps this object; container `app` is privileged">live/kube-proxy.yaml:12:11
        spec.template.spec.containers[0].securityContext.privileged = true
        unsafe fix: set securityContext.privileged to false
        seawall explain no-privileged</skipped>
                </testcase>
            </testsuite>
            <testsuite name="registry-private" tests="1" skipped="1" errors="0" failures="0">
                <testcase name="not assessed" classname="registry-private">
                    <skipped message="not assessed: needs Azure resources (`--azure`)"/>
                </testcase>
            </testsuite>
        </testsuites>
        "#);
    }

    #[test]
    fn hostile_text_stays_inside_the_markup() {
        let guide = guide();
        let text = written(
            |out| new(out, selected()),
            &hostile(),
            &with_ledger(&guide, &hostile()),
        );
        assert!(!text.contains("<b>"));
        assert!(!text.chars().any(|c| c != '\n' && text::hostile(c)));
        let report = Report::deserialize_from_str(&text).unwrap();
        assert_eq!(report.test_suites.len(), 5);
    }
}
