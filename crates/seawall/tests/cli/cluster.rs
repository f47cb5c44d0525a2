//! A live cluster: read, judged, and never wrong about what it could not read.

#[path = "cluster/entra.rs"]
mod entra;
#[path = "cluster/errors.rs"]
mod errors;
#[path = "cluster/estate.rs"]
mod estate;
#[path = "cluster/kept.rs"]
mod kept;
#[path = "cluster/kinds.rs"]
mod kinds;
#[path = "cluster/live.rs"]
mod live;
#[path = "cluster/namespaces.rs"]
mod namespaces;
#[path = "cluster/owners.rs"]
mod owners;
#[path = "cluster/refused.rs"]
mod refused;
#[path = "cluster/rights.rs"]
mod rights;
#[path = "cluster/roles.rs"]
mod roles;
#[path = "cluster/same.rs"]
mod same;
#[path = "cluster/secrets.rs"]
mod secrets;
#[path = "cluster/used.rs"]
mod used;
