/** Which criteria each scenario of the features is judged by, without running it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import type { Envelope, Pickle } from '@cucumber/messages';
import { execa } from 'execa';
import ts from 'typescript';

import type { AnyCriterion } from '../../support/checks/criterion';
import { projectRoot } from '../../support/config';
import { idsOf } from '../../support/report/scenario-results';

const load = createRequire(__filename) as (file: string) => Record<string, unknown>;

export interface JudgedScenario {
  name: string;
  place: string;
  /** Of its requirements. */
  ids: string[];
  /** With what each judges by; nothing where it judges nothing. */
  steps: { text: string; judges: string[] }[];
}

/** The IDs of all criteria. */
export function allCriteria(): string[] {
  const folder = join(projectRoot, 'support/checks');
  const exported = readdirSync(folder).flatMap((name) => Object.values(load(join(folder, name))));
  return [...new Set(exported.filter(isCriterion).map(({ id }) => id))];
}

/** All scenarios, their steps matched by cucumber-js itself (`--dry-run`). */
export async function judgedScenarios(): Promise<JudgedScenario[]> {
  const messages = await dryRun();
  const pickles = messages.flatMap(({ pickle }) => pickle ?? []);
  const sources = new Map(
    messages.flatMap(({ stepDefinition }) =>
      stepDefinition ? [[stepDefinition.id, stepDefinition.sourceReference] as const] : [],
    ),
  );
  const definitions = new Map(
    messages.flatMap(({ testCase }) =>
      (testCase?.testSteps ?? []).map(
        (step) => [step.pickleStepId ?? '', step.stepDefinitionIds ?? []] as const,
      ),
    ),
  );
  const byFile = new Map<string, Map<number, string[]>>();
  const judgesOf = (stepId: string): string[] =>
    (definitions.get(stepId) ?? []).flatMap((id) => {
      const source = sources.get(id);
      const file = resolve(projectRoot, source?.uri ?? '');
      const lines = byFile.get(file) ?? judgesByLine(file);
      byFile.set(file, lines);
      return lines.get(source?.location?.line ?? 0) ?? [];
    });
  return pickles.map((pickle) => ({
    ...{ name: pickle.name, place: placeOf(pickle), ids: idsOf({ tags: tagsOf(pickle) }) },
    steps: pickle.steps.map(({ id, text }) => ({ text, judges: judgesOf(id) })),
  }));
}

async function dryRun(): Promise<Envelope[]> {
  const folder = mkdtempSync(join(tmpdir(), 'judging-steps-'));
  try {
    const file = join(folder, 'messages.ndjson');
    const args = ['--dry-run', '--format', `message:${file}`];
    await execa(join(projectRoot, 'node_modules/.bin/cucumber-js'), args, {
      ...{ cwd: projectRoot, env: { REPORTS_DIR: folder } },
    });
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Envelope);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function placeOf({ uri, location }: Pickle): string {
  return `${uri}:${location?.line ?? ''}`;
}

function tagsOf({ tags }: Pickle): string[] {
  return tags.map(({ name }) => name);
}

/** The criteria that each step definition of a file judges by, by the line that it begins at. */
function judgesByLine(file: string): Map<number, string[]> {
  const source = ts.createSourceFile(
    file,
    readFileSync(file, 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const criteria = importedCriteria(source);
  const functions = new Map<string, ts.FunctionDeclaration>();
  const steps: ts.CallExpression[] = [];
  for (const statement of source.statements) {
    if (ts.isFunctionDeclaration(statement) && statement.name) {
      functions.set(statement.name.text, statement);
    }
    if (ts.isExpressionStatement(statement) && ts.isCallExpression(statement.expression)) {
      steps.push(statement.expression);
    }
  }
  return new Map(
    steps.map((step) => {
      const { line } = source.getLineAndCharacterOfPosition(step.getStart());
      const names = step.arguments.flatMap((argument) => judgedIn(argument, functions));
      const ids = names.flatMap((name) => criteria.get(name) ?? []);
      return [line + 1, [...new Set(ids)]];
    }),
  );
}

/** By the name that the file has for each: the ID of the criterion. */
function importedCriteria(source: ts.SourceFile): Map<string, string> {
  const found = new Map<string, string>();
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    const bindings = statement.importClause?.namedBindings;
    const from = (statement.moduleSpecifier as ts.StringLiteral).text;
    if (!from.includes('/checks/') || !bindings || !ts.isNamedImports(bindings)) continue;
    const exported = load(resolve(dirname(source.fileName), from));
    for (const { name, propertyName } of bindings.elements) {
      const value = exported[(propertyName ?? name).text];
      if (isCriterion(value)) found.set(name.text, value.id);
    }
  }
  return found;
}

/** What is given to `judge` or `judgeOf` of the World, here and in functions of the file that are called. */
function judgedIn(node: ts.Node, functions: Map<string, ts.FunctionDeclaration>): string[] {
  const names: string[] = [];
  const visit = (one: ts.Node): void => {
    if (ts.isCallExpression(one)) {
      const { expression, arguments: given } = one;
      const isJudging =
        ts.isPropertyAccessExpression(expression) && /^judge(Of)?$/.test(expression.name.text);
      if (isJudging && given[0]) names.push(...identifiersIn(given[0]));
      const called = ts.isIdentifier(expression) ? functions.get(expression.text) : undefined;
      if (called?.body) names.push(...judgedByCall(called, given, functions));
    }
    ts.forEachChild(one, visit);
  };
  visit(node);
  return names;
}

/** A function may judge by what it is given. */
function judgedByCall(
  called: ts.FunctionDeclaration,
  given: readonly ts.Expression[],
  functions: Map<string, ts.FunctionDeclaration>,
): string[] {
  const others = new Map([...functions].filter(([, one]) => one !== called));
  const names = called.body ? judgedIn(called.body, others) : [];
  return names.flatMap((name) => {
    const at = called.parameters.findIndex((parameter) => parameter.name.getText() === name);
    const value = given[at];
    return at < 0 || !value ? [name] : identifiersIn(value);
  });
}

function identifiersIn(node: ts.Node): string[] {
  const own = ts.isIdentifier(node) ? [node.text] : [];
  const inside: string[] = [];
  ts.forEachChild(node, (child) => {
    inside.push(...identifiersIn(child));
  });
  return [...own, ...inside];
}

function isCriterion(value: unknown): value is AnyCriterion<never> {
  return typeof value === 'object' && value !== null && 'id' in value && 'assess' in value;
}
