//! One image, found out about: what its name leads to, what is in it, what stands beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Seek as _, SeekFrom};

use images::attestation::Attestation;
use images::manifest::{ACCEPT, Config, Descriptor, Image, Manifest};
use images::{Signature, digest_of, has_digest};
use model::image::Reference;

use super::beside::Look;
use super::client::{Registry, Trouble};
use super::files::{Files, matters};
use super::written::{Content, Known};
use super::{Asking, Registries};

/// The most bytes of a layer that are taken.
const LARGEST_LAYER: u64 = 4 << 30;

/// What a registry says of an image.
pub(super) struct Found {
    pub(super) exists: Known<bool>,
    pub(super) digest: Known<String>,
    pub(super) moved: Known<bool>,
    pub(super) content: Known<Content>,
    pub(super) signatures: Known<Vec<Signature>>,
    pub(super) attestations: Known<Vec<Attestation>>,
    /// Where layers were asked for.
    pub(super) files: Option<Known<BTreeMap<&'static str, BTreeSet<String>>>>,
    /// All digests that the image is known by.
    pub(super) digests: BTreeSet<String>,
    /// What went wrong, if anything did.
    pub(super) trouble: Option<Trouble>,
}

impl Found {
    /// Nothing is known, for one reason.
    pub(super) fn nothing(why: &str, trouble: Option<Trouble>) -> Self {
        let none = || why.to_owned();
        Self {
            exists: Err(none()),
            digest: Err(none()),
            moved: Err(none()),
            content: Err(none()),
            signatures: Err(none()),
            attestations: Err(none()),
            files: None,
            digests: BTreeSet::new(),
            trouble,
        }
    }
}

/// A manifest with its own digest.
#[derive(Clone)]
pub(super) struct Stands {
    pub(super) descriptor: Descriptor,
    pub(super) manifest: Manifest,
}

/// What a tag or digest leads to.
pub(super) async fn stands(
    registry: &Registry<'_>,
    repository: &str,
    reference: &str,
) -> Result<Stands, Trouble> {
    let answer = registry.manifest(repository, reference, ACCEPT).await?;
    if reference.contains(':') && has_digest(&answer.body, reference) != Some(true) {
        let why = "the registry gives something else than what is asked for";
        return Err(Trouble::of(200, why.to_owned()));
    }
    let manifest = Manifest::read(&answer.body).map_err(|why| Trouble::of(200, why))?;
    let media_type = crate::azure::http::header(&answer.headers, "content-type")
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    let digest = if reference.contains(':') {
        reference.to_owned()
    } else {
        digest_of(&answer.body)
    };
    Ok(Stands {
        descriptor: Descriptor {
            media_type,
            digest,
            size: answer.body.len() as u64,
            ..Descriptor::default()
        },
        manifest,
    })
}

/// Finds out about an image.
pub(super) async fn image(
    all: &Registries<'_>,
    reference: &Reference,
    running: &BTreeSet<String>,
    asking: &Asking,
) -> Found {
    match known(all, reference, running, asking).await {
        Ok(found) => found,
        Err(trouble) if trouble.is_absent() => {
            let why = format!("{} is not in its registry", reference.repository);
            Found {
                exists: Ok(false),
                ..Found::nothing(&why, None)
            }
        }
        Err(trouble) => Found::nothing(&trouble.why.clone(), Some(trouble)),
    }
}

async fn known(
    all: &Registries<'_>,
    reference: &Reference,
    running: &BTreeSet<String>,
    asking: &Asking,
) -> Result<Found, Trouble> {
    let registry = all.of(&reference.host)?;
    let repository = &*reference.repository;
    let name = reference.digest.as_deref().or(reference.tag_or_latest());
    let main = stands(&registry, repository, name.unwrap_or("latest")).await?;
    let mut digests = digests_of(&main);
    // Beside a digest the tag counts for nothing; where it leads to is worth knowing.
    let tagged = match (&reference.digest, &reference.tag) {
        (Some(_), Some(tag)) => match stands(&registry, repository, tag).await {
            Ok(tagged) => Ok(Some(tagged)),
            Err(trouble) => Err(trouble.why),
        },
        _ => Ok(None),
    };
    let (digest, moved) = leads(reference, &main, &tagged, running);
    let mut trouble = None;
    let mut note = |result: Trouble| {
        let why = result.why.clone();
        trouble.get_or_insert(result);
        why
    };
    let (content, own) = match content(all, &registry, repository, &main, asking).await {
        Ok((content, own)) => (Ok(content), Some(own)),
        Err(result) => (Err(note(result)), None),
    };
    digests.extend(own.iter().map(|(descriptor, _)| descriptor.digest.clone()));
    let look = Look {
        registry: &registry,
        repository,
        name: reference.name(),
        image: &main.descriptor,
        trusted: &asking.trusted,
        now: asking.now,
    };
    let beside = async {
        let mut found = look.around().await?;
        if let Manifest::Index(list) = &main.manifest {
            look.built(list, &mut found).await?;
            // The image for one platform may be what was signed.
            if let Some((descriptor, _)) = &own {
                let more = Look {
                    image: descriptor,
                    name: look.name.clone(),
                    ..look
                };
                let more = more.around().await?;
                found.attestations.extend(more.attestations);
                if found.signatures.is_empty() {
                    found.signatures = more.signatures;
                }
            }
        }
        Ok::<_, Trouble>(found)
    };
    let (signatures, attestations) = match beside.await {
        Ok(found) => (Ok(found.signatures), Ok(found.attestations)),
        Err(result) => {
            let why = note(result);
            (Err(why.clone()), Err(why))
        }
    };
    let files = match (&own, asking.layers) {
        (_, false) => None,
        (None, true) => Some(Err("what is in it is not known".to_owned())),
        (Some((_, image)), true) => {
            let _one = all.layers.acquire().await;
            let read = files(&registry, repository, image).await;
            Some(read.map_err(&mut note))
        }
    };
    Ok(Found {
        exists: Ok(true),
        digest,
        moved,
        content,
        signatures,
        attestations,
        files,
        digests,
        trouble,
    })
}

/// All digests by which what stands somewhere is known: runtimes say that of the index, or that of one image in it.
fn digests_of(stands: &Stands) -> BTreeSet<String> {
    let mut all = BTreeSet::from([stands.descriptor.digest.clone()]);
    if let Manifest::Index(list) = &stands.manifest {
        all.extend(list.iter().map(|one| one.digest.clone()));
    }
    all
}

/// What the tag leads to, and whether that is what is written or runs.
fn leads(
    reference: &Reference,
    main: &Stands,
    tagged: &Known<Option<Stands>>,
    running: &BTreeSet<String>,
) -> (Known<String>, Known<bool>) {
    match (tagged, &reference.digest) {
        (Err(why), _) => (Ok(main.descriptor.digest.clone()), Err(why.clone())),
        (Ok(Some(tagged)), Some(pinned)) => (
            Ok(tagged.descriptor.digest.clone()),
            Ok(!digests_of(tagged).contains(&**pinned)),
        ),
        (Ok(_), Some(_)) => (Ok(main.descriptor.digest.clone()), Ok(false)),
        (Ok(_), None) => {
            let own = digests_of(main);
            let elsewhere = running.iter().any(|digest| !own.contains(digest));
            (Ok(main.descriptor.digest.clone()), Ok(elsewhere))
        }
    }
}

/// What is in an image; of several platforms the one that is asked for.
async fn content(
    all: &Registries<'_>,
    registry: &Registry<'_>,
    repository: &str,
    main: &Stands,
    asking: &Asking,
) -> Result<(Content, (Descriptor, Image)), Trouble> {
    let mut platforms = Vec::new();
    let (descriptor, image) = match &main.manifest {
        Manifest::Image(image) => (main.descriptor.clone(), image.clone()),
        Manifest::Index(list) => {
            let real = list.iter().filter_map(|one| {
                let platform = one.platform.as_ref()?;
                (platform.os != "unknown").then(|| (platform.shown(), one))
            });
            let real: Vec<(String, &Descriptor)> = real.collect();
            platforms.extend(real.iter().map(|(shown, _)| shown.clone()));
            let wanted = &asking.platform;
            let chosen = real
                .iter()
                .find(|(shown, _)| shown == wanted || shown.starts_with(&format!("{wanted}/")))
                .or_else(|| real.first())
                .ok_or_else(|| Trouble::of(200, "its index names no image".to_owned()))?;
            let one = stands(registry, repository, &chosen.1.digest).await?;
            match one.manifest {
                Manifest::Image(image) => (one.descriptor, image),
                Manifest::Index(_) => {
                    return Err(Trouble::of(200, "its index leads to another".to_owned()));
                }
            }
        }
    };
    let blob = registry.blob(repository, &image.config.digest).await?;
    let config = Config::read(&blob)
        .ok_or_else(|| Trouble::of(200, "its configuration is malformed".to_owned()))?;
    if platforms.is_empty() {
        platforms.push(config.platform.shown());
    }
    let base = base(all, &image, &config).await;
    let content = Content {
        platforms,
        size: image.size(),
        layers: image.layers.len(),
        config,
        base,
    };
    Ok((content, (descriptor, image)))
}

/// What an image was built on, as its annotations or labels say
/// (<https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md>).
async fn base(
    all: &Registries<'_>,
    image: &Image,
    config: &Config,
) -> Option<(String, Option<String>, Known<bool>)> {
    let says = |key: &str| {
        let key = format!("org.opencontainers.image.base.{key}");
        let said = image
            .annotations
            .get(&key)
            .or_else(|| config.labels.get(&key));
        said.filter(|text| !text.is_empty()).cloned()
    };
    let name = says("name")?;
    let digest = says("digest");
    let current = match (&digest, Reference::read(&name)) {
        (None, _) => Err("it does not say which digest its base had".to_owned()),
        (_, None) => Err("what it calls its base is no name of an image".to_owned()),
        (Some(digest), Some(reference)) => match all.leads(&reference).await {
            Ok(now) => Ok(now.contains(digest)),
            Err(why) => Err(format!("its base {name}: {why}")),
        },
    };
    Some((name, digest, current))
}

/// The names of files that matter in its layers.
async fn files(
    registry: &Registry<'_>,
    repository: &str,
    image: &Image,
) -> Result<BTreeMap<&'static str, BTreeSet<String>>, Trouble> {
    let kept = |error: std::io::Error| Trouble::of(200, format!("a layer cannot be kept: {error}"));
    let mut files = Files::default();
    for layer in &image.layers {
        let mut file = tempfile::tempfile().map_err(kept)?;
        registry
            .download(repository, &layer.digest, LARGEST_LAYER, &mut file)
            .await?;
        file.seek(SeekFrom::Start(0)).map_err(kept)?;
        let mut names = Vec::new();
        images::layer::names(
            &layer.media_type,
            std::io::BufReader::new(file),
            &mut |name| {
                if matters(name) {
                    names.push(name.to_owned());
                }
            },
        )
        .map_err(|why| Trouble::of(200, why))?;
        files.add(&names);
    }
    Ok(files.by_kind())
}

impl Registries<'_> {
    /// The digests that a name leads to now; asked once.
    async fn leads(&self, reference: &Reference) -> Known<BTreeSet<String>> {
        let own = {
            let mut bases = self
                .bases
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            bases.entry(reference.name_and_tag()).or_default().clone()
        };
        own.get_or_init(|| async move {
            let registry = self.of(&reference.host).map_err(|trouble| trouble.why)?;
            let tag = reference.tag.as_deref().unwrap_or("latest");
            match stands(&registry, &reference.repository, tag).await {
                Ok(stands) => Ok(digests_of(&stands)),
                Err(trouble) => Err(trouble.why),
            }
        })
        .await
        .clone()
    }
}
