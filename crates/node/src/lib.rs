//! Typed probes of a node: what its files, and where it runs its kernel, say of how it is set up.
//!
//! A node is a root folder (`/`, or `/host` where it is mounted). Nothing is run and nothing is asked of a network. Files
//! are opened beneath the root only, whatever symbolic links say ([`root`]), and those that hold credentials are never
//! read: of `azure.json`, kubeconfigs and keys the mode and owner are known, nothing else. What cannot be read is an
//! unknown value that says why.
//!
//! | module | answers |
//! |---|---|
//! | [`root`] | opens, lists and reads files beneath the root |
//! | [`value`] | a value with the file and line that it comes from |
//! | [`kubelet`] | the settings that the kubelet has, by its unit, its flags and its configuration |
//! | [`files`] | modes and owners of the files that matter |
//! | [`kernel`] | sysctls, modules, mounts, swap, AppArmor and SELinux |
//! | [`ssh`] | what sshd does |
//! | [`containerd`] | the runtime's configuration |
//! | [`system`] | the distribution, its version, restarts that are due, updates |
//! | [`network`] | ports that are listened on |
//!
//! What it deliberately leaves out: judging (the guide does), Windows (named as such), and what no file holds (rules of
//! iptables, so whether pods reach the instance metadata service).

pub mod containerd;
pub mod files;
pub mod kernel;
pub mod kubelet;
pub mod network;
mod probe;
pub mod root;
pub mod ssh;
pub mod system;
pub mod value;

pub use probe::{Family, Reading, is_name, probe};
pub use root::{Root, RootError, Unread};
pub use value::{Data, Place, Value};
