/** A template of CloudFormation, as far as it is read here. */
export interface Template {
  readonly Parameters: Record<string, Parameter>;
  readonly Rules?: Record<string, Rule>;
  readonly Conditions?: Record<string, Expression>;
  readonly Resources: Record<string, Part>;
  readonly Outputs: Record<string, Part>;
}

/** A parameter, with what limits its value. */
export interface Parameter {
  readonly Type: string;
  readonly Default?: string | number;
  readonly AllowedValues?: (string | number)[];
  readonly AllowedPattern?: string;
  readonly MaxLength?: number;
  readonly MinValue?: number;
  readonly MaxValue?: number;
  readonly ConstraintDescription?: string;
}

/** What parameters can say only together. */
export interface Rule {
  readonly RuleCondition: Expression;
  readonly Assertions: { readonly Assert: Expression; readonly AssertDescription: string }[];
}

/** A resource or an output, which may have a condition. */
export interface Part {
  readonly Type?: string;
  readonly Condition?: string;
  readonly Properties?: any;
}

/** A function of CloudFormation that is true or false. */
export type Expression = Record<string, any>;

/** What each parameter is. A value that is known only at deployment is a token. */
export type Values = Record<string, string>;
