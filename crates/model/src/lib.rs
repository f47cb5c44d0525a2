//! The estate and what is said about it: documents, resources, verdicts, findings, coverage.
//!
//! Pure data. What it deliberately leaves out: reading files, the clock, the network, and
//! any rule. Sources fill it, the guide judges it, reports print it.
//!
//! | module | holds |
//! |---|---|
//! | [`doc`] | one document's values in an arena, with the place of each |
//! | [`value`] | handles into the arena, as CEL reads them |
//! | [`kinds`] | Kubernetes kinds: which groups they belong to, which carry pods |
//! | [`resource`] | one thing in the estate, and where it came from |
//! | [`estate`] | all of them, indexed for joins |
//! | [`manifest`], [`arm`] | from a document's text to resources, without I/O |
//! | [`schema`] | types that the API server would refuse |
//! | [`azure`] | Azure resources in one form: children, defaults, links along ids |
//! | [`image`] | names of container images |
//! | [`managed`] | which objects AKS itself keeps |
//! | [`ownership`] | which objects controllers made for others |
//! | [`waiver`] | waivers written in comments |
//! | [`prune`] | what of an object is kept for joins |
//! | [`secrets`] | which values are never shown |
//! | [`finding`] | verdicts, findings, places |
//! | [`remedy`] | what would cure a finding |
//! | [`certificates`] | the X.509 certificates that objects hold |
//! | [`completeness`] | for what absence proves something |
//! | [`kept`] | a resource written down, and read again |
//! | [`coverage`] | the ledger: what became of every document |

pub mod arm;
pub mod azure;
pub mod certificates;
pub mod completeness;
pub mod coverage;
mod declared;
pub mod doc;
pub mod estate;
pub mod finding;
pub mod image;
mod implied;
pub mod kept;
pub mod kinds;
pub mod managed;
pub mod manifest;
pub mod ownership;
pub mod prune;
mod references;
pub mod remedy;
pub mod resource;
pub mod schema;
pub mod secrets;
pub mod unknown;
pub mod value;
pub mod waiver;

pub use completeness::{Completeness, Gap, Within};
pub use coverage::{Coverage, DocumentEntry, Status};
pub use doc::{Dialect, Doc, DocBuilder, NodeId};
pub use estate::{Estate, Scope};
pub use finding::{
    Cost, Evidence, Finding, Fingerprint, GuidelineId, Location, Outcome, Range, Safety, Severity,
    WaiverNote,
};
pub use resource::{Origin, Resource, ResourceName, ResourceRef};
pub use value::Ref;
