//! `mixlake create`.

mod parameters;
mod samconfig;

use crate::arguments::Create;
use crate::show;
use anyhow::{Context, Result};
use serde_json::json;
use std::path::Path;
use std::{fs, io};

/// Writes the configuration of a deployment. Answers true.
pub fn run(arguments: &Create) -> Result<bool> {
    let file = &arguments.out;
    let (parameters, mut problems) = parameters::of(arguments);
    let before = read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let merged = samconfig::merged(&before, &arguments.stack, &parameters, arguments.force);
    let text = match merged {
        Ok(text) => text,
        Err(others) => {
            for what in others {
                problems.add("--out", format!("{}: {what}", file.display()));
            }
            String::new()
        }
    };
    problems.into_result(())?;
    if text != before {
        fs::write(file, &text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if arguments.json {
        let parameters: serde_json::Map<_, _> =
            parameters.into_iter().map(|(name, value)| (name, value.into())).collect();
        let (stack, file) = (&arguments.stack, file.display().to_string());
        show::json(&json!({"file": file, "stack": stack, "parameters": parameters}))?;
    } else {
        show::text(&told(file, &arguments.stack, parameters.len()))?;
    }
    Ok(true)
}

/// The file; empty if there is none.
fn read(file: &Path) -> io::Result<String> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read,
    }
}

/// What was written, and the commands that deploy it.
fn told(file: &Path, stack: &str, parameters: usize) -> String {
    let stack = show::shell(stack);
    let config = if file == Path::new("samconfig.toml") {
        String::new()
    } else {
        // SAM looks for the file beside the template.
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        format!(" --config-file {}", show::shell(&file.to_string_lossy()))
    };
    format!(
        "{}: {parameters} parameters of the stack {stack}.\n\
         Next, in the folder of Mixlake:\n  \
         make build\n  \
         sam deploy --template-file template.yaml{config}\n  \
         mixlake backfill --stack {stack} --from-date <YYYY-MM-DD> --to-date <YYYY-MM-DD>\n",
        file.display()
    )
}
