import { Token } from 'aws-cdk-lib';
import { Parameter } from './template';

/** What is wrong with the value of a parameter, if anything is. */
export function problemOf(name: string, parameter: Parameter, value: string | undefined): string | undefined {
  if (value === undefined) return `${name} is missing`;
  if (Token.isUnresolved(value)) {
    return parameter.AllowedValues && `${name} must be known when the app is synthesized`;
  }
  if (parameter.AllowedValues) {
    const allowed = parameter.AllowedValues.map(String);
    return allowed.includes(value) ? undefined : `${name} is ${value}, but must be one of ${allowed.join(', ')}`;
  }
  if (parameter.Type === 'Number') return problemOfNumber(name, parameter, value);
  const fits = value.length <= (parameter.MaxLength ?? Infinity) && matches(value, parameter.AllowedPattern);
  return fits ? undefined : `${name} ${parameter.ConstraintDescription}`;
}

function problemOfNumber(name: string, parameter: Parameter, value: string): string | undefined {
  const [least, most] = [parameter.MinValue ?? -Infinity, parameter.MaxValue ?? Infinity];
  const number = Number(value);
  return Number.isInteger(number) && number >= least && number <= most
    ? undefined
    : `${name} is ${value}, but must be a whole number from ${least} to ${most}`;
}

function matches(value: string, pattern: string | undefined): boolean {
  return pattern === undefined || new RegExp(`^(?:${pattern})$`).test(value);
}
