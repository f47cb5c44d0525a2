//! Each form says the same of the same image.

use std::collections::BTreeSet;

use super::*;

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn scans(text: &str) -> Vec<Scan> {
    match read(text) {
        Ok(Read::Scans(scans)) => scans,
        other => panic!("{other:?}"),
    }
}

fn is_same(scan: &Scan) {
    let digests = BTreeSet::from([DIGEST.to_owned()]);
    assert!(scan.is_about(&digests, "elsewhere.io/web:9"), "{scan:?}");
    let others = BTreeSet::from(["sha256:1".to_owned()]);
    assert!(!scan.is_about(&others, "shop.azurecr.io/web:1"), "{scan:?}");
    let [found] = scan.vulnerabilities.as_slice() else {
        panic!("{scan:?}");
    };
    assert_eq!(
        (
            &*found.id,
            found.severity,
            &*found.package,
            &*found.installed
        ),
        ("CVE-2026-1", Severity::Critical, "openssl", "3.0.1"),
        "{}",
        scan.tool
    );
}

#[test]
fn every_form_says_the_same() {
    let trivy = format!(
        r#"{{"SchemaVersion":2,"CreatedAt":"2026-11-20T10:00:00Z","ArtifactName":"shop.azurecr.io/web:1","ArtifactType":"container_image","Metadata":{{"RepoTags":["shop.azurecr.io/web:1"],"RepoDigests":["shop.azurecr.io/web@{DIGEST}"]}},"Results":[{{"Target":"debian","Vulnerabilities":[{{"VulnerabilityID":"CVE-2026-1","PkgName":"openssl","InstalledVersion":"3.0.1","FixedVersion":"3.0.2","Severity":"CRITICAL","PublishedDate":"2026-10-01T00:00:00Z"}}]}}]}}"#
    );
    let grype = format!(
        r#"{{"matches":[{{"vulnerability":{{"id":"CVE-2026-1","severity":"Critical","fix":{{"versions":["3.0.2"],"state":"fixed"}}}},"artifact":{{"name":"openssl","version":"3.0.1"}}}}],"source":{{"type":"image","target":{{"userInput":"shop.azurecr.io/web:1","manifestDigest":"{DIGEST}"}}}},"descriptor":{{"name":"grype","timestamp":"2026-11-20T10:00:00Z"}}}}"#
    );
    let sarif = format!(
        r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"Trivy","rules":[{{"id":"CVE-2026-1","properties":{{"security-severity":"9.8"}}}}]}}}},"properties":{{"imageName":"shop.azurecr.io/web:1","repoDigests":["shop.azurecr.io/web@{DIGEST}"]}},"results":[{{"ruleId":"CVE-2026-1","message":{{"text":"Package: openssl\nInstalled Version: 3.0.1\nVulnerability CVE-2026-1\nFixed Version: 3.0.2"}}}}]}}]}}"#
    );
    let cyclonedx = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{{"component":{{"type":"container","name":"shop.azurecr.io/web:1","purl":"pkg:oci/web@sha256%3A{}?repository_url=shop.azurecr.io%2Fweb"}}}},"components":[{{"bom-ref":"a","name":"openssl","version":"3.0.1"}}],"vulnerabilities":[{{"id":"CVE-2026-1","ratings":[{{"severity":"high"}},{{"severity":"critical"}}],"affects":[{{"ref":"a","versions":[{{"version":"3.0.1","status":"affected"}},{{"version":"3.0.2","status":"unaffected"}}]}}]}}]}}"#,
        DIGEST.trim_start_matches("sha256:")
    );
    let defender = format!(
        r#"{{"data":[{{"properties":{{"status":{{"code":"Unhealthy"}},"additionalData":{{"assessedResourceType":"AzureContainerRegistryVulnerability","artifactDetails":{{"digest":"{DIGEST}","registryHost":"shop.azurecr.io","repositoryName":"web","tags":["1"]}},"softwareDetails":{{"packageName":"openssl","version":"3.0.1","fixedVersion":"3.0.2"}},"vulnerabilityDetails":{{"cveId":"CVE-2026-1","severity":"Critical"}}}}}}}}]}}"#
    );
    for text in [trivy, grype, sarif, cyclonedx, defender] {
        let scans = scans(&text);
        is_same(&scans[0]);
        assert_eq!(
            scans[0].vulnerabilities[0].fixed, "3.0.2",
            "{}",
            scans[0].tool
        );
    }
}

#[test]
fn a_name_decides_where_no_digest_is_known() {
    let scan = scans(r#"{"SchemaVersion":2,"ArtifactName":"shop.azurecr.io/web:1","ArtifactType":"container_image"}"#)
        .remove(0);
    assert!(scan.is_about(&BTreeSet::new(), "shop.azurecr.io/web:1"));
    assert!(!scan.is_about(&BTreeSet::new(), "shop.azurecr.io/web:2"));
}

#[test]
fn what_names_no_image_is_refused() {
    for text in [
        "{}",
        "[]",
        "no",
        r#"{"SchemaVersion":2,"ArtifactName":"folder","ArtifactType":"filesystem"}"#,
        r#"{"runs":[{"results":[]}]}"#,
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn vex_excuses_what_it_names_and_nothing_else() {
    let found = |id: &str, package: &str| Vulnerability {
        id: id.to_owned(),
        severity: Severity::Critical,
        package: package.to_owned(),
        installed: String::new(),
        fixed: String::new(),
        published: None,
        excused: None,
    };
    let excused = |text: &str| -> Vec<bool> {
        let Ok(Read::Vex(vex)) = read(text) else {
            panic!("{text}");
        };
        let mut all = [
            found("CVE-2026-1", "openssl"),
            found("CVE-2026-1", "zlib"),
            found("CVE-2026-2", "openssl"),
        ];
        vex.excuse(
            &BTreeSet::from([DIGEST.to_owned()]),
            "shop.azurecr.io/web",
            &mut all,
        );
        all.iter().map(|one| one.excused.is_some()).collect()
    };
    let open = |product: &str, status: &str, parts: &str| {
        format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","statements":[{{"vulnerability":{{"name":"CVE-2026-1"}},"products":[{{"@id":"{product}","subcomponents":[{parts}]}}],"status":"{status}","justification":"vulnerable_code_not_present"}}]}}"#
        )
    };
    let own = format!("pkg:oci/web@{DIGEST}");
    assert_eq!(
        excused(&open(&own, "not_affected", "")),
        [true, true, false]
    );
    let part = r#"{"@id":"pkg:deb/debian/openssl@3.0.1"}"#;
    assert_eq!(
        excused(&open(&own, "not_affected", part)),
        [true, false, false]
    );
    assert_eq!(excused(&open(&own, "under_investigation", "")), [false; 3]);
    assert_eq!(
        excused(&open("pkg:oci/web@sha256:1", "not_affected", "")),
        [false; 3]
    );
    let repository = "pkg:oci/web?repository_url=shop.azurecr.io/web";
    assert_eq!(excused(&open(repository, "fixed", "")), [true, true, false]);
    // A package alone is in many images.
    assert_eq!(
        excused(&open("pkg:deb/debian/openssl@3.0.1", "not_affected", "")),
        [false; 3]
    );
    let cyclonedx = format!(
        r#"{{"bomFormat":"CycloneDX","vulnerabilities":[{{"id":"CVE-2026-1","analysis":{{"state":"not_affected","justification":"code_not_reachable"}},"affects":[{{"ref":"{own}"}}]}}]}}"#
    );
    assert_eq!(excused(&cyclonedx), [true, true, false]);
}
