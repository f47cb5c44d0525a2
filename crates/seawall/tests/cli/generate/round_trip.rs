//! What is generated is read back: for sets of decisions that cover all pairs, assessed clean but for waivers that
//! name a chosen option, with every chosen option recognised.
