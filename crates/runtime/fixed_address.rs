//! The build script of the functions: links them for a fixed address.
//!
//! At any other address, which systems choose at random to make attacks on memory errors harder, the
//! loader has to settle 46,000 pointers of the binary at each start, and gets a copy of each page that
//! has one: a third of all that a start takes (docs/PERFORMANCE.md). Libraries, stacks and the heap are
//! still at random addresses. Go links its programs like this, unless told otherwise.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "what a build script is told and tells goes this way"
)]

fn main() {
    println!("cargo::rerun-if-changed=../runtime/fixed_address.rs");
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}"));
    if target("OS").as_deref() == Ok("linux") && target("ENV").as_deref() == Ok("gnu") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
