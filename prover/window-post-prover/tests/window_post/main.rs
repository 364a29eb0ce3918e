//! Runs the real program on real sectors and parameters of 2KiB.
//!
//! Parameters are made once, into WDPOST_TEST_PARAMS or ~/.cache/wdpost-cluster/params.

mod environment;
mod faults;
mod host_memory;
mod hung_stores;
mod parameters;
mod protocol;
mod proving;
mod support;
mod verifying;
mod winning;
