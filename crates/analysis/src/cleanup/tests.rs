//! Plans held against the plainest way to find out what is used.

use std::collections::BTreeSet;

use super::uses::{of_open, of_texts};
use super::*;

const HOST: &str = "shop.azurecr.io";

fn digest(number: usize) -> String {
    format!("sha256:{number:064x}")
}

fn manifest(number: usize, tags: &[&str]) -> Manifest {
    Manifest {
        digest: digest(number),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        updated: Some(0),
        ..Manifest::default()
    }
}

fn listing(manifests: Vec<Manifest>) -> Listing {
    Listing {
        registry: HOST.to_owned(),
        repositories: vec![Repository {
            name: "web".to_owned(),
            locked: false,
            manifests,
        }],
        ..Listing::default()
    }
}

fn wishes() -> Wishes {
    Wishes {
        young_since: 100,
        keep_tags: Vec::new(),
    }
}

fn removed(listing: &Listing, uses: &Uses, wishes: &Wishes) -> Vec<String> {
    let groups = plan(listing, uses, wishes).remove;
    let manifests = groups.into_iter().flat_map(|group| group.manifests);
    manifests.map(|manifest| manifest.digest).collect()
}

#[test]
fn what_is_named_in_any_way_is_kept() {
    let all = listing(vec![manifest(1, &["1.0"]), manifest(2, &["latest"])]);
    for (text, image, gone) in [
        ("shop.azurecr.io/web:1.0", true, vec![digest(2)]),
        ("SHOP.azurecr.io/web:1.0", true, vec![digest(2)]),
        ("shop.azurecr.io/web", true, vec![digest(1)]),
        ("--image=shop.azurecr.io/web:1.0", false, vec![digest(2)]),
        (
            "run \"shop.azurecr.io/web:1.0\", then",
            false,
            vec![digest(2)],
        ),
        ("oci://shop.azurecr.io/web:1.0", false, vec![digest(2)]),
        (
            "docker-pullable://other.azurecr.io/x@sha256:DIGEST1",
            false,
            vec![digest(2)],
        ),
        ("sha256:DIGEST2", false, vec![digest(1)]),
        ("shop.azurecr.io/web@sha256:DIGEST1", true, vec![digest(2)]),
        ("shop.azurecr.io/web:latest@sha256:DIGEST1", true, vec![]),
        // A tag may stand elsewhere.
        ("shop.azurecr.io/web", false, vec![]),
        ("shop.azurecr.io/webs:1.0", true, vec![digest(1), digest(2)]),
        ("other.azurecr.io/web:1.0", true, vec![digest(1), digest(2)]),
        ("web:1.0", true, vec![digest(1), digest(2)]),
    ] {
        let text = text
            .replace("sha256:DIGEST1", &digest(1))
            .replace("sha256:DIGEST2", &digest(2));
        let uses = of_texts(&[(&text, image)]);
        assert_eq!(removed(&all, &uses, &wishes()), gone, "{text} {image}");
    }
}

#[test]
fn a_short_name_is_of_docker_hub() {
    let mut hub = listing(vec![manifest(1, &["1.27"]), manifest(2, &["latest"])]);
    hub.registry = "docker.io".to_owned();
    hub.repositories[0].name = "library/nginx".to_owned();
    let uses = of_texts(&[("nginx:1.27", true)]);
    assert_eq!(removed(&hub, &uses, &wishes()), [digest(2)]);
}

#[test]
fn an_open_name_keeps_all_that_it_may_mean() {
    let all = listing(vec![manifest(1, &["1.0"])]);
    for (text, kept) in [
        ("shop.azurecr.io/web:{tag}", true),
        ("shop.azurecr.io/{name}:1.0", true),
        ("shop.azurecr.io/we{rest}", true),
        ("{registry}/web:1.0", true),
        ("shop.azurecr.io/api:{tag}", false),
        ("other.azurecr.io/{name}", false),
    ] {
        let gone = removed(&all, &of_open(text), &wishes());
        assert_eq!(gone.is_empty(), kept, "{text}");
    }
}

#[test]
fn what_hangs_together_stays_and_goes_together() {
    let hex = format!("{:064x}", 5);
    let by_tag = format!("sha256-{hex}.sig");
    let mut index = manifest(1, &["1.0"]);
    index.parts = vec![digest(2), digest(3)];
    let mut signature = manifest(4, &[]);
    signature.subject = Some(digest(1));
    let old = manifest(5, &["0.9"]);
    let cosign = manifest(6, &[&by_tag]);
    let all = listing(vec![
        manifest(2, &[]),
        manifest(3, &[]),
        index,
        signature,
        old,
        cosign,
    ]);
    // The signature and the index that point to others go first.
    let uses = of_texts(&[("shop.azurecr.io/web:0.9", true)]);
    assert_eq!(
        removed(&all, &uses, &wishes()),
        [digest(4), digest(1), digest(2), digest(3)]
    );
    let uses = of_texts(&[(&format!("shop.azurecr.io/web@{}", digest(3)), true)]);
    assert_eq!(removed(&all, &uses, &wishes()), [digest(6), digest(5)]);
    let plan = plan(&all, &uses, &wishes());
    assert_eq!(plan.keep[0].because, ["ConfigMap/x uses it"]);
}

#[test]
fn locks_youth_wishes_and_what_was_not_read_keep() {
    let one = |change: fn(&mut Manifest)| {
        let mut own = manifest(1, &["release-7"]);
        change(&mut own);
        listing(vec![own])
    };
    let none = Uses::default();
    assert_eq!(removed(&one(|_| ()), &none, &wishes()).len(), 1);
    for kept in [
        one(|own| own.locked = true),
        one(|own| own.updated = Some(100)),
        one(|own| own.updated = None),
        one(|own| own.unread = Some("404".to_owned())),
    ] {
        assert_eq!(removed(&kept, &none, &wishes()), [""; 0]);
    }
    let mut locked = one(|_| ());
    locked.repositories[0].locked = true;
    assert_eq!(removed(&locked, &none, &wishes()), [""; 0]);
    let keep = Wishes {
        keep_tags: vec!["release-*".to_owned()],
        ..wishes()
    };
    assert_eq!(removed(&one(|_| ()), &none, &keep), [""; 0]);
}

#[test]
fn patterns_match_whole_tags() {
    assert!(matches("v*.0", "v1.2.0") && matches("*", "") && matches("a", "a"));
    assert!(!matches("v*.0", "v1.2.01") && !matches("a", "ab") && !matches("a*b", "ac"));
}

/// The files that a script writes of a registry of ACR.
fn files(metadata: &str, manifests: &[(usize, &str)]) -> Files {
    let mut files = Files::new();
    files.insert("registry".to_owned(), "Shop.azurecr.io\n".to_owned());
    files.insert("taken".to_owned(), "2026-11-27T00:00:00Z\n".to_owned());
    let soft = r#"{"lastUpdatedTime": "x", "retentionDays": 7, "status": "enabled"}"#;
    files.insert("soft-delete.json".to_owned(), soft.to_owned());
    files.insert("repositories/1/name".to_owned(), "web\n".to_owned());
    files.insert(
        "repositories/1/metadata.json".to_owned(),
        metadata.to_owned(),
    );
    for (number, text) in manifests {
        files.insert(
            format!("repositories/1/manifests/{}.json", digest(*number)),
            (*text).to_owned(),
        );
    }
    files
}

#[test]
fn a_listing_of_acr_is_read() {
    let metadata = format!(
        r#"[{{"digest": "{}", "tags": ["b", "a"], "lastUpdateTime": "1970-01-01T00:01:00.5Z", "imageSize": 7,
             "mediaType": "application/vnd.oci.image.manifest.v1+json",
             "changeableAttributes": {{"deleteEnabled": true, "writeEnabled": false}}}},
            {{"digest": "{}", "lastUpdateTime": "1970-01-01T00:00:00Z"}}, {{"digest": "{}"}}]"#,
        digest(1),
        digest(2),
        digest(3)
    );
    let subject = format!(
        r#"{{"subject": {{"digest": "{}"}}, "artifactType": "x/y"}}"#,
        digest(1)
    );
    let listing = Listing::read(&files(&metadata, &[(1, "{}"), (2, &subject)])).unwrap();
    assert_eq!(listing.registry, HOST);
    assert_eq!(
        listing.soft_delete,
        Some(SoftDelete {
            enabled: true,
            days: 7
        })
    );
    let [one, two, three] = &listing.repositories[0].manifests[..] else {
        panic!("three manifests");
    };
    assert_eq!(
        (one.tags.join(" "), one.updated, one.locked, one.size),
        ("a b".to_owned(), Some(60), true, Some(7))
    );
    assert_eq!((two.subject.clone(), two.locked), (Some(digest(1)), false));
    assert!(two.unread.is_none() && three.unread.is_some());
    assert!(Listing::read(&Files::new()).is_err());
    assert!(Listing::read(&files("{}", &[])).is_err());
}

#[test]
fn a_listing_of_another_registry_is_read() {
    let index = format!(
        r#"{{"manifests": [{{"digest": "{}"}}, {{"digest": "{}"}}]}}"#,
        digest(2),
        digest(2)
    );
    let image = r#"{"config": {"digest": "x"}, "layers": [{"size": 3}, {"size": 4}]}"#;
    let mut files = files("[]", &[(1, &index), (2, image)]);
    files.insert(
        "repositories/1/tags".to_owned(),
        format!("1.0 {}\nlatest {}\n", digest(1), digest(1)),
    );
    let config = r#"{"created": "1970-01-01T00:00:09Z"}"#;
    files.insert(
        format!("repositories/1/configs/{}.json", digest(2)),
        config.to_owned(),
    );
    let listing = Listing::read(&files).unwrap();
    let [one, two] = &listing.repositories[0].manifests[..] else {
        panic!("two manifests");
    };
    assert_eq!(
        (one.parts.clone(), one.tags.len(), one.updated),
        (vec![digest(2)], 2, None)
    );
    assert_eq!((two.updated, two.size), (Some(9), Some(7)));
    // The age of an index is that of its parts.
    assert_eq!(
        removed(&listing, &Uses::default(), &wishes()),
        [digest(1), digest(2)]
    );
}

/// Numbers that look random, the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, many: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % many as u64) as usize
    }
}

/// A registry of indexes, platforms, signatures, moved tags, and an estate that names some of it.
fn made(dice: &mut Dice) -> (Listing, Vec<(String, bool)>) {
    let mut all = Listing {
        registry: HOST.to_owned(),
        ..Listing::default()
    };
    let mut texts = Vec::new();
    for name in ["web", "team/api", "web-old"] {
        let many = 1 + dice.below(12);
        let mut manifests: Vec<Manifest> = Vec::new();
        for number in 0..many {
            let mut own = manifest(number * 3 + name.len() * 1000, &[]);
            own.updated = Some(dice.below(160) as i64);
            own.locked = dice.below(12) == 0;
            if dice.below(2) == 0 {
                own.tags.push(format!("1.{number}"));
            }
            if number > 0 {
                let other = digest((dice.below(number)) * 3 + name.len() * 1000);
                match dice.below(5) {
                    0 => own.parts.push(other),
                    1 => own.subject = Some(other),
                    2 => own.tags.push(format!("{}.sig", other.replace(':', "-"))),
                    _ => {}
                }
            }
            manifests.push(own);
        }
        for own in &manifests {
            if dice.below(5) == 0 {
                let tag = own.tags.first().map_or("none", String::as_str);
                let (text, image) = match dice.below(5) {
                    0 => (format!("{HOST}/{name}@{}", own.digest), true),
                    1 => (format!("{HOST}/{name}:{tag}"), true),
                    2 => (format!("--run {HOST}/{name}:{tag} now"), false),
                    3 => (format!("other.example.com/copy@{}", own.digest), false),
                    _ => (own.digest.clone(), false),
                };
                texts.push((text, image));
            }
        }
        all.repositories.push(Repository {
            name: name.to_owned(),
            locked: dice.below(15) == 0,
            manifests,
        });
    }
    (all, texts)
}

/// Whether a text names a manifest, found out in the plainest way.
fn names(text: &str, repository: &str, manifest: &Manifest) -> bool {
    text.contains(&manifest.digest)
        || manifest.tags.iter().any(|tag| {
            let name = format!("{HOST}/{repository}:{tag}");
            text.split(' ').any(|word| word == name)
        })
}

#[test]
fn a_plan_names_nothing_that_is_used_and_leaves_nothing_dangling() {
    let mut dice = Dice(0x5ea3_a110);
    let (mut gone, mut stayed) = (0, 0);
    for round in 0..4000 {
        let (all, texts) = made(&mut dice);
        let texts: Vec<(&str, bool)> = texts
            .iter()
            .map(|(text, own)| (text.as_str(), *own))
            .collect();
        let plan = plan(&all, &of_texts(&texts), &wishes());
        let mut removed: BTreeSet<(&str, &str)> = BTreeSet::new();
        for group in &plan.remove {
            for manifest in &group.manifests {
                let used = texts
                    .iter()
                    .any(|(text, _)| names(text, &group.repository, manifest));
                assert!(!used, "round {round}: {} is used", manifest.digest);
                assert!(
                    !manifest.locked && manifest.updated < Some(100),
                    "round {round}"
                );
                assert!(
                    removed.insert((&group.repository, &manifest.digest)),
                    "round {round}"
                );
            }
        }
        gone += removed.len();
        // Every manifest is accounted for once.
        let kept = plan
            .keep
            .iter()
            .flat_map(|kept| &kept.group.manifests)
            .count();
        let there: usize = all.repositories.iter().map(|own| own.manifests.len()).sum();
        assert_eq!(kept + removed.len(), there, "round {round}");
        stayed += kept;
        for repository in &all.repositories {
            for manifest in &repository.manifests {
                let own = removed.contains(&(&*repository.name, &*manifest.digest));
                assert!(!(own && repository.locked), "round {round}");
                for target in manifest.points_to() {
                    let there = repository
                        .manifests
                        .iter()
                        .any(|other| other.digest == target);
                    let other = removed.contains(&(&*repository.name, &*target));
                    assert!(
                        !there || own == other,
                        "round {round}: {target} is torn apart"
                    );
                }
            }
        }
        // What points to something goes before it.
        for group in &plan.remove {
            for (at, manifest) in group.manifests.iter().enumerate() {
                for later in &group.manifests[at + 1..] {
                    assert!(
                        !later.points_to().contains(&manifest.digest),
                        "round {round}"
                    );
                }
            }
        }
    }
    // The rounds hold enough of both.
    assert!(gone > 10_000 && stayed > 10_000, "{gone} {stayed}");
}
