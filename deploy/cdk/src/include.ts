import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { CfnElement, Tokenization } from 'aws-cdk-lib';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { Construct } from 'constructs';
import { Logic } from './logic';
import { Template, Values } from './template';

/** A template of this package, as a part of an app. */
export interface Included {
  readonly template: CfnInclude;
  /** What is in it: only what is made with these settings. */
  readonly source: Template;
}

/** Adds the resources and outputs of a template. Throws one error with all that is wrong with the settings. */
export function include(scope: Construct, file: string, settings: object, prefix: string = ''): Included {
  const whole: Template = JSON.parse(readFileSync(join(__dirname, '..', 'templates', file), 'utf8'));
  const parameters = valuesOf(whole, settings);
  const logic = new Logic(whole, parameters);
  const problems = logic.problems();
  if (problems.length > 0) throw new Error(`The settings of ${scope.node.path} are refused:\n  ${problems.join('\n  ')}`);

  const source = logic.decide();
  const template = withFile(named(source, prefix), (templateFile) => new CfnInclude(scope, 'Template', { templateFile, parameters }));
  for (const element of template.node.findAll().filter(CfnElement.isCfnElement)) {
    if (element !== template) element.overrideLogicalId(prefix + element.node.id);
  }
  return { template, source };
}

function valuesOf(template: Template, settings: any): Values {
  const given = Object.entries(template.Parameters).map(([name, parameter]) => {
    const value = settings[name[0].toLowerCase() + name.slice(1)] ?? parameter.Default;
    return [name, typeof value === 'number' ? Tokenization.stringifyNumber(value) : value?.toString()];
  });
  return Object.fromEntries(given);
}

/** The template as text. What has the name of the stack has the prefix in it too, so that a second one has another name. */
function named(template: Template, prefix: string): string {
  const text = JSON.stringify(template);
  const name = JSON.stringify({ 'Fn::Sub': `\${AWS::StackName}-${prefix}` });
  return prefix === '' ? text : text.replaceAll('{"Ref":"AWS::StackName"}', name);
}

/** CfnInclude reads files only. */
function withFile<T>(text: string, use: (path: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'mixlake-cdk-'));
  try {
    const path = join(folder, 'template.json');
    writeFileSync(path, text);
    return use(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
