//! The build script of the functions: links them for a fixed address.
//!
//! At any other address, which systems choose at random to make attacks on memory errors harder, the
//! loader has to settle 46,000 pointers of the binary at each start, and gets a copy of each page that
//! has one: a third of all that a start takes. Code here is safe Rust, and whatever else lies in
//! memory (libraries, stacks, the heap) still is at random addresses. Go links all programs so.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "so a build script is told, and tells"
)]

fn main() {
    println!("cargo::rerun-if-changed=../runtime/fixed_address.rs");
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}"));
    if target("OS").as_deref() == Ok("linux") && target("ENV").as_deref() == Ok("gnu") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
