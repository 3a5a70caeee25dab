//! Stacks in `CloudFormation`.

use super::failure::{Call, failure};
use crate::error::CallError;
use crate::stack::Stack;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::ProvideErrorMetadata as _;
use aws_sdk_cloudformation::types;

const DESCRIBE: Call = Call { verb: "read", right: "cloudformation:DescribeStacks" };

pub async fn one(client: &Client, name: &str) -> Result<Option<Stack>, CallError> {
    let described = client.describe_stacks().stack_name(name).send().await;
    match described {
        Ok(answer) => Ok(answer.stacks().first().map(stack)),
        // CloudFormation has no error of its own for this.
        Err(error)
            if error.code() == Some("ValidationError")
                && error.message().is_some_and(|text| text.contains("does not exist")) =>
        {
            Ok(None)
        }
        Err(error) => Err(failure(DESCRIBE, &format!("the stack {name}"), error)),
    }
}

pub async fn all(client: &Client) -> Result<Vec<Stack>, CallError> {
    let stacks = client.describe_stacks().into_paginator().items().send();
    let stacks: Result<Vec<_>, _> = stacks.collect().await;
    let stacks = stacks.map_err(|error| failure(DESCRIBE, "the stacks of the account", error))?;
    Ok(stacks.iter().map(stack).collect())
}

fn stack(stack: &types::Stack) -> Stack {
    let pair = |key: Option<&str>, value: Option<&str>| Some((key?.to_owned(), value?.to_owned()));
    let outputs = stack.outputs().iter();
    let parameters = stack.parameters().iter();
    Stack {
        name: stack.stack_name().unwrap_or_default().to_owned(),
        outputs: outputs.filter_map(|o| pair(o.output_key(), o.output_value())).collect(),
        parameters: parameters
            .filter_map(|p| pair(p.parameter_key(), p.parameter_value()))
            .collect(),
    }
}
