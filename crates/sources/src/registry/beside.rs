//! What stands beside an image in its registry: signatures and statements, found by the API for what refers to an image,
//! by the tag that stands in where a registry has none
//! (<https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema>), and by cosign's tags.

use images::attestation::{self, About, Attestation};
use images::manifest::{ACCEPT, Descriptor, Image, Manifest};
use images::{Signature, cosign, notation};
use jiff::Timestamp;

use super::Trusted;
use super::client::{Registry, Trouble};

/// What may stand beside one image and is looked at.
const MOST: usize = 50;

/// What stands beside an image.
#[derive(Default)]
pub(super) struct Beside {
    pub(super) signatures: Vec<Signature>,
    pub(super) attestations: Vec<Attestation>,
}

/// What is asked: an image of a repository.
pub(super) struct Look<'a> {
    pub(super) registry: &'a Registry<'a>,
    pub(super) repository: &'a str,
    /// `HOST/REPOSITORY`
    pub(super) name: String,
    pub(super) image: &'a Descriptor,
    pub(super) trusted: &'a Trusted,
    pub(super) now: Timestamp,
}

impl Look<'_> {
    pub(super) async fn around(&self) -> Result<Beside, Trouble> {
        let mut found = Beside::default();
        for referrer in self.referrers().await? {
            self.referrer(&referrer, &mut found).await?;
        }
        self.tagged("sig", &mut found).await?;
        self.tagged("att", &mut found).await?;
        Ok(found)
    }

    /// Manifests that refer to the image.
    async fn referrers(&self) -> Result<Vec<Descriptor>, Trouble> {
        let digest = &self.image.digest;
        let answer = match self.registry.referrers(self.repository, digest).await {
            Err(trouble) if trouble.is_absent() => {
                let tag = digest.replace(':', "-");
                match self.registry.manifest(self.repository, &tag, ACCEPT).await {
                    Err(trouble) if trouble.is_absent() => return Ok(Vec::new()),
                    answer => answer?,
                }
            }
            answer => answer?,
        };
        match Manifest::read(&answer.body) {
            Ok(Manifest::Index(list)) if list.len() <= MOST => Ok(list),
            Ok(Manifest::Index(_)) => Err(strange("too much stands beside it")),
            _ => Err(strange("the list of what refers to it is none")),
        }
    }

    async fn referrer(&self, referrer: &Descriptor, found: &mut Beside) -> Result<(), Trouble> {
        let kind = referrer.artifact_type.as_deref().unwrap_or_default();
        // Neither signature nor statement: what ORAS attaches is what it is called.
        let known = kind.is_empty()
            || kind == notation::ARTIFACT
            || kind.starts_with(attestation::BUNDLE)
            || kind == attestation::DSSE
            || kind == attestation::IN_TOTO;
        if !known {
            if About::of(kind) == About::Bom {
                found.attestations.push(plain(kind));
            }
            return Ok(());
        }
        let manifest = self.manifest(&referrer.digest).await?;
        let kind = manifest.kind().to_owned();
        if About::of(&kind) == About::Bom {
            found.attestations.push(plain(&kind));
            return Ok(());
        }
        // The list may be another's: what the manifest says counts.
        let about = manifest.subject.as_ref();
        if about.is_none_or(|subject| subject.digest != self.image.digest) {
            return Ok(());
        }
        let Some(layer) = manifest.layers.first() else {
            return Ok(());
        };
        let blob = self.registry.blob(self.repository, &layer.digest).await?;
        if kind == notation::ARTIFACT {
            found.signatures.push(notation::check(
                &layer.media_type,
                &blob,
                &self.name,
                self.image,
                self.trusted.notation.as_ref(),
                self.now,
            ));
        } else {
            self.statement(layer, &blob, found).await?;
        }
        Ok(())
    }

    /// What cosign keeps under a tag of its own.
    async fn tagged(&self, of: &str, found: &mut Beside) -> Result<(), Trouble> {
        let tag = cosign::tag(&self.image.digest, of);
        let answer = match self.registry.manifest(self.repository, &tag, ACCEPT).await {
            Err(trouble) if trouble.is_absent() => return Ok(()),
            answer => answer?,
        };
        let Ok(Manifest::Image(manifest)) = Manifest::read(&answer.body) else {
            return Err(strange("what cosign keeps beside it is no manifest"));
        };
        for layer in manifest.layers.iter().take(MOST) {
            let blob = self.registry.blob(self.repository, &layer.digest).await?;
            if layer.media_type == cosign::PAYLOAD {
                let (digest, trust) = (&self.image.digest, &self.trusted.cosign);
                found
                    .signatures
                    .push(cosign::check(layer, &blob, digest, trust));
            } else {
                self.statement(layer, &blob, found).await?;
            }
        }
        Ok(())
    }

    /// A statement of BuildKit's, which stands in the index beside the images.
    pub(super) async fn built(
        &self,
        index: &[Descriptor],
        found: &mut Beside,
    ) -> Result<(), Trouble> {
        let mine = index.iter().filter(|one| {
            let says = |key: &str| one.annotations.get(key).map(String::as_str);
            says("vnd.docker.reference.type") == Some("attestation-manifest")
        });
        for one in mine.take(MOST) {
            let manifest = self.manifest(&one.digest).await?;
            let about = one.annotations.get("vnd.docker.reference.digest");
            for layer in manifest.layers.iter().take(MOST) {
                let predicate = layer.annotations.get("in-toto.io/predicate-type");
                let wanted = predicate.is_some_and(|kind| About::of(kind) != About::Other);
                let (Some(about), true) = (about, wanted) else {
                    continue;
                };
                let blob = self.registry.blob(self.repository, &layer.digest).await?;
                if let Ok(read) = attestation::unsigned(&blob, about) {
                    found.attestations.push(read);
                }
            }
        }
        Ok(())
    }

    async fn statement(
        &self,
        layer: &Descriptor,
        blob: &[u8],
        found: &mut Beside,
    ) -> Result<(), Trouble> {
        let (digest, trust) = (&self.image.digest, &self.trusted.cosign);
        // A bundle may sign the manifest itself, whose bytes are needed then.
        if layer.media_type.starts_with(attestation::BUNDLE)
            && cosign::signs_digest(blob).is_some_and(|signed| signed == *digest)
        {
            let manifest = self
                .registry
                .manifest(self.repository, digest, ACCEPT)
                .await?;
            let signature = cosign::check_digest(blob, &manifest.body, digest, trust);
            found.signatures.push(signature);
            return Ok(());
        }
        // What is about something else says nothing of this image.
        if let Ok(read) = attestation::check(layer, blob, digest, trust) {
            match cosign::of_statement(&read) {
                Some(signature) => found.signatures.push(signature),
                None => found.attestations.push(read),
            }
        }
        Ok(())
    }

    async fn manifest(&self, digest: &str) -> Result<Image, Trouble> {
        let answer = self
            .registry
            .manifest(self.repository, digest, ACCEPT)
            .await?;
        if images::has_digest(&answer.body, digest) != Some(true) {
            return Err(strange(
                "the registry gives something else than what is asked for",
            ));
        }
        match Manifest::read(&answer.body) {
            Ok(Manifest::Image(image)) => Ok(image),
            _ => Err(strange("what stands beside it is no manifest")),
        }
    }
}

/// A bill that nobody signed.
fn plain(kind: &str) -> Attestation {
    Attestation {
        about: About::of(kind),
        predicate: kind.to_owned(),
        builder: None,
        outcome: None,
        signer: String::new(),
        why: "nobody signed it".to_owned(),
    }
}

fn strange(why: &str) -> Trouble {
    Trouble::of(200, why.to_owned())
}
