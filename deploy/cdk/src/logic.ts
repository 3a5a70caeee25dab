import { problemOf } from './parameter';
import { Expression, Part, Template, Values } from './template';

/**
 * Decides the conditions and rules of a template when the app is synthesized. CloudFormation could not do it for every
 * app: it refuses a condition or a rule that names a resource, such as the bucket or the topic of the same app.
 */
export class Logic {
  public constructor(private readonly template: Template, private readonly values: Values) {}

  /** The template as it is with these values, without conditions, rules and the form for parameters in Metadata. */
  public decide(): Template {
    const { Parameters, Resources, Outputs } = this.template;
    return { Parameters, Resources: this.made(Resources), Outputs: this.made(Outputs) };
  }

  /** What is wrong with the values: all of it. */
  public problems(): string[] {
    const parameters = Object.entries(this.template.Parameters);
    const single = parameters.flatMap(([name, parameter]) => problemOf(name, parameter, this.values[name]) ?? []);
    const rules = Object.values(this.template.Rules ?? {}).filter((rule) => this.isTrue(rule.RuleCondition));
    const broken = rules.flatMap((rule) => rule.Assertions.filter((assertion) => !this.isTrue(assertion.Assert)));
    return [...single, ...broken.map((assertion) => assertion.AssertDescription)];
  }

  private made(parts: Record<string, Part>): Record<string, Part> {
    const made = Object.entries(parts).filter(([, part]) => part.Condition === undefined || this.holds(part.Condition));
    return Object.fromEntries(made.map(([name, { Condition, ...part }]) => [name, this.choose(part)]));
  }

  /** Replaces each Fn::If by the branch that is chosen. A branch without a value takes its place away too. */
  private choose(value: any): any {
    if (Array.isArray(value)) return value.map((item) => this.choose(item)).filter(hasValue);
    if (typeof value !== 'object') return value;
    if ('Fn::If' in value) {
      const [condition, yes, no] = value['Fn::If'];
      return this.choose(this.holds(condition) ? yes : no);
    }
    const chosen = Object.entries(value).map(([key, item]) => [key, this.choose(item)]);
    return Object.fromEntries(chosen.filter(([, item]) => hasValue(item)));
  }

  private holds(condition: string): boolean {
    return this.isTrue(this.template.Conditions![condition]);
  }

  private isTrue(expression: Expression): boolean {
    const [[name, operand]] = Object.entries(expression);
    switch (name) {
      case 'Condition':
        return this.holds(operand);
      case 'Fn::Not':
        return !this.isTrue(operand[0]);
      case 'Fn::And':
        return operand.every((part: Expression) => this.isTrue(part));
      case 'Fn::Or':
        return operand.some((part: Expression) => this.isTrue(part));
      case 'Fn::Equals':
        // A token equals no text. That is right for the empty text, which means "not set". Parameters that are compared
        // with another text have allowed values, so they are never tokens.
        return this.text(operand[0]) === this.text(operand[1]);
      default:
        throw new Error(`A condition of the template has ${name}, which this construct cannot decide`);
    }
  }

  private text(operand: string | { readonly Ref: string }): string {
    return typeof operand === 'string' ? operand : this.values[operand.Ref];
  }
}

function hasValue(value: any): boolean {
  return value?.Ref !== 'AWS::NoValue';
}
