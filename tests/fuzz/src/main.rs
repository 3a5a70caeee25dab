#![doc = include_str!("../README.md")]
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mixlake_columnar::fuzzing::check(bytes));
