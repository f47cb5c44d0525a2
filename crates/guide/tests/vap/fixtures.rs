//! Kubernetes' own fixtures for the Pod Security Standards.
