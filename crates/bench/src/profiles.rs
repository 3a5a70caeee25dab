//! Millions of profiles through the transformation: time and memory.

use crate::clock::timed;
use crate::compaction::peak_memory;
use crate::whole;
use mixlake_columnar::{Superseded, Transform};
use mixlake_schema::Registry;
use std::fmt::Write;

/// One profile in so many has all properties; the others have up to 40.
const LARGE: u64 = 1_000;

/// One profile in so many comes again at the end, with a newer `$last_seen`.
const REPEATED: u64 = 10_000;

/// Transforms profiles as the export does, without a store, and prints a table.
#[expect(clippy::print_stdout, reason = "numbers for people")]
#[expect(clippy::cast_precision_loss, reason = "a rate")]
pub(crate) fn run(profiles: u64, properties: u64) -> anyhow::Result<()> {
    let (first, seconds_of_first) = timed(|| pass(profiles, properties, Superseded::default()));
    let first = first?;
    let (second, seconds_of_second) = timed(|| pass(profiles, properties, first.superseded));
    let second = second?;
    let rate = first.pushed as f64 / seconds_of_first.as_secs_f64() / 1e6;
    println!("| {profiles} profiles | |\n|---|---|");
    println!("| MB of JSON lines | {} |", first.pushed / 1_000_000);
    println!("| rows written, repeated | {}, {} |", second.written, second.duplicates);
    println!("| columns | {} |", second.columns);
    println!("| MB of files | {} |", second.bytes / 1_000_000);
    println!(
        "| CPU s of the first pass | {:.1} ({rate:.0} MB/s) |",
        seconds_of_first.as_secs_f64()
    );
    println!(
        "| CPU s of the pass without older repeats | {:.1} |",
        seconds_of_second.as_secs_f64()
    );
    println!("| peak memory, MB | {} |", peak_memory()?);
    Ok(())
}

struct Pass {
    pushed: u64,
    written: u64,
    duplicates: u64,
    columns: usize,
    bytes: u64,
    superseded: Superseded,
}

fn pass(profiles: u64, properties: u64, known: Superseded) -> anyhow::Result<Pass> {
    let table = ("mp_people_data".parse()?, "2026-11-10".parse()?);
    let mut transform =
        Transform::profiles(whole::options(), (&table.0, table.1), Registry::default(), known)?;
    let (mut pushed, mut bytes) = (0, 0);
    let mut line = String::new();
    let again = (0..profiles).step_by(usize::try_from(REPEATED)?);
    for (number, version) in (0..profiles).map(|n| (n, 1)).chain(again.map(|n| (n, 2))) {
        write_profile(&mut line, number, version, properties)?;
        transform.push(line.as_bytes())?;
        pushed += line.len() as u64;
        bytes += transform.take_files().iter().map(|file| file.bytes.len() as u64).sum::<u64>();
    }
    let done = transform.finish()?;
    bytes += done.files.iter().map(|file| file.bytes.len() as u64).sum::<u64>();
    Ok(Pass {
        pushed,
        written: done.counts.written,
        duplicates: done.counts.duplicates,
        columns: done.registry.tables()[table.0.as_str()].columns().len(),
        bytes,
        superseded: done.superseded,
    })
}

/// The same profile for the same numbers.
fn write_profile(
    line: &mut String,
    number: u64,
    version: u64,
    properties: u64,
) -> std::fmt::Result {
    line.clear();
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    write!(
        line,
        r#"{{"$distinct_id":"{:016x}","$properties":{{"$name":"Person {number}","#,
        next()
    )?;
    write!(line, r#""$last_seen":"2026-11-{:02}T10:00:00""#, 10 + version)?;
    let is_large = number.is_multiple_of(LARGE);
    let count = if is_large { properties } else { 10 + next() % 31 };
    for place in 0..count.min(properties) {
        // Keys do not repeat within a profile: a small one has one of every five.
        let property = if is_large { place } else { place * 5 + next() % 5 };
        write!(line, r#","p{property}":"#)?;
        match property % 4 {
            0 => write!(line, r#""value {}""#, next() % 100)?,
            1 => write!(line, "{}", next() % 1_000_000)?,
            2 => write!(line, r#"["a{}","b{}"]"#, next() % 50, next() % 50)?,
            _ => write!(line, "{}", next() % 2 == 0)?,
        }
    }
    line.push_str("}}\n");
    Ok(())
}
