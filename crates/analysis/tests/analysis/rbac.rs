//! Kubernetes RBAC, held against upstream's own code and a running API server.

#[path = "rbac/corners.rs"]
mod corners;
#[path = "rbac/kept.rs"]
mod kept;
#[path = "rbac/live.rs"]
mod live;
#[path = "rbac/random.rs"]
mod random;
#[path = "rbac/upstream.rs"]
mod upstream;
