#![doc = include_str!("../README.md")]

mod baseline;
mod clock;
mod compaction;
mod data;
mod pages;
mod profiles;
mod stages;
mod tables;
mod whole;

use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;
use std::path::PathBuf;

/// As the functions have it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Measures the transformation.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Writes seeded events as gzip JSON lines.
    Generate {
        #[command(flatten)]
        shape: data::Size,
        /// The file to write.
        file: PathBuf,
    },
    /// Times each stage on generated events, and prints a table.
    Stages {
        #[command(flatten)]
        shape: data::Size,
        /// How often each stage is run; the median counts.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Times a table for each event, for some event names and for four times as many.
    Tables {
        /// The smaller number of event names.
        #[arg(long, default_value_t = 1_000)]
        names: usize,
        /// A folder for the events and the lake; both are removed.
        folder: PathBuf,
    },
    /// Times our Parquet pages and those of the `parquet` crate's column writers, of the same columns.
    Pages {
        #[command(flatten)]
        shape: data::Size,
        /// How often each is written; 0: once, without a clock, for valgrind.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// Exports a day in hourly slices and compacts it: bytes, processor time and memory.
    Compaction {
        #[command(flatten)]
        shape: data::Size,
        /// A folder for the files; they stay.
        folder: PathBuf,
    },
    /// Transforms profiles of people, a few of which have all properties.
    Profiles {
        /// How many.
        #[arg(long, default_value_t = 5_000_000)]
        profiles: u64,
        /// The most properties of one.
        #[arg(long, default_value_t = 2_000)]
        properties: u64,
    },
    /// The export that `compaction` starts.
    #[command(hide = true)]
    Hours {
        #[command(flatten)]
        shape: data::Size,
        /// A folder for the files.
        folder: PathBuf,
    },
    /// Turns gzip JSON lines into one Parquet file, as the export function does.
    Whole {
        /// The events.
        file: PathBuf,
        /// The file to write.
        out: PathBuf,
        #[command(flatten)]
        how: whole::How,
    },
    /// The same by arrow-json and `ArrowWriter`, in two passes.
    ArrowJson {
        /// The events.
        file: PathBuf,
        /// The file to write.
        out: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Generate { shape, file } => data::generate(shape, &file),
        Command::Stages { shape, rounds, json } => stages::run(shape, rounds, json),
        Command::Pages { shape, rounds } => pages::run(shape, rounds),
        Command::Compaction { shape, folder } => compaction::run(shape, &folder),
        Command::Profiles { profiles, properties } => profiles::run(profiles, properties),
        Command::Hours { shape, folder } => compaction::hours(shape, &folder),
        Command::Tables { names, folder } => tables::run(names, &folder),
        Command::Whole { file, out, how } => whole::run(&file, &out, how),
        Command::ArrowJson { file, out } => baseline::run(&file, &out),
    }
}
