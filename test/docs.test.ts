import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';
import ts from 'typescript';

import { readFault } from '../support/broadcast/fault-words';
import { OUTPUT_CRITERIA } from '../support/checks/output-criteria';
import { projectRoot } from '../support/config';

const read = (file: string): string => readFileSync(join(projectRoot, file), 'utf8');
const DOCS = readdirSync(join(projectRoot, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);
const PAGES = ['README.md', ...DOCS];
/** What is not of the project, or not in the repository. */
const OTHERS = ['node_modules', 'reports'];

const sources = ['support', 'step-definitions', 'scripts', 'fixtures', 'tools']
  .flatMap((folder) =>
    readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /(?<!\.d)\.(tsx?|[cm]js)$/.test(name))
      .map((name) => join(folder, name)),
  )
  .concat('cucumber.js')
  .map((name) => ts.createSourceFile(name, read(name), ts.ScriptTarget.Latest, true));

function nodesOf(root: ts.Node): ts.Node[] {
  const nodes = [root];
  ts.forEachChild(root, (child) => void nodes.push(...nodesOf(child)));
  return nodes;
}

/** The texts that an expression can be; `…` stands for what only a run can tell. */
function textsOf(node: ts.Node): string[] {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isConditionalExpression(node)) {
    return [...textsOf(node.whenTrue), ...textsOf(node.whenFalse)];
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    return textsOf(node.left).flatMap((left) => textsOf(node.right).map((right) => left + right));
  }
  if (ts.isTemplateExpression(node)) {
    let texts = [node.head.text];
    for (const { expression, literal } of node.templateSpans) {
      const parts = textsOf(expression);
      texts = texts.flatMap((text) => parts.map((part) => text + part + literal.text));
    }
    return texts;
  }
  if (ts.isIdentifier(node)) {
    const constant = constantsIn(node.getSourceFile()).get(node.text);
    if (constant && ts.isCallExpression(constant)) return textsOf(constant);
  }
  // Lines that are joined: the first of them.
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
    const { expression, name } = node.expression;
    const [first] = ts.isArrayLiteralExpression(expression) ? expression.elements : [];
    if (first && name.text === 'join') return textsOf(first);
  }
  return ['…'];
}

/** What the constants at the top of a file are initialised with. */
function constantsIn(source: ts.SourceFile): Map<string, ts.Expression> {
  const declared = source.statements.flatMap((statement) =>
    ts.isVariableStatement(statement) ? [...statement.declarationList.declarations] : [],
  );
  return new Map(
    declared.flatMap(({ name, initializer }): [string, ts.Expression][] =>
      ts.isIdentifier(name) && initializer ? [[name.text, initializer]] : [],
    ),
  );
}

/** What callers in the same file pass for the parameter of a function around `node`; empty where it is none. */
function argumentsFor(name: string, node: ts.Node): ts.Expression[] {
  for (let at = node; !ts.isSourceFile(at); at = at.parent) {
    if (!ts.isFunctionDeclaration(at)) continue;
    const index = at.parameters.findIndex((parameter) => parameter.name.getText() === name);
    const callee = at.name?.text;
    if (index < 0) continue;
    return nodesOf(node.getSourceFile()).flatMap((one) =>
      ts.isCallExpression(one) && one.expression.getText() === callee
        ? (one.arguments[index] ?? [])
        : [],
    );
  }
  return [];
}

/** A `what` beside a `failure`: a word that criteria of one kind differ by. */
function isPartOfCriterion(node: ts.PropertyAssignment): boolean {
  const names = ts.isObjectLiteralExpression(node.parent)
    ? node.parent.properties.map(({ name }) => name?.getText())
    : [];
  return node.name.getText() === 'what' && names.includes('failure');
}

/** What prints messages plainly, as nothing is there to throw them to. */
const PRINTERS = ['console.error', 'refuse'];

/**
 * What the suite's messages begin with: the `what` of errors, the `failure` of criteria, the errors of the set-up, and what
 * is printed plainly.
 */
function messagesOf(source: ts.SourceFile): string[] {
  const { fileName } = source;
  const isPrinting = /\.[cm]?js$|^support\/(session\/|plugin)/.test(fileName);
  const isMessage = (name: string): boolean =>
    name === 'what' || (name === 'failure' && fileName.startsWith('support/checks/'));
  const texts = nodesOf(source).flatMap((node) => {
    if (ts.isPropertyAssignment(node) && isMessage(node.name.getText())) {
      return isPartOfCriterion(node) ? [] : textsOf(node.initializer);
    }
    if (ts.isShorthandPropertyAssignment(node) && isMessage(node.name.text)) {
      return argumentsFor(node.name.text, node).flatMap(textsOf);
    }
    const [first] =
      ts.isNewExpression(node) || ts.isCallExpression(node) ? (node.arguments ?? []) : [];
    const called = first?.parent.getChildAt(ts.isNewExpression(node) ? 1 : 0).getText();
    const isSaid = called === 'SetupError' || (isPrinting && PRINTERS.includes(called ?? ''));
    return first && isSaid ? textsOf(first) : [];
  });
  return texts
    .map((text) => (text.trim().split('\n')[0] ?? '').replace(/…+/g, '…'))
    .filter((text) => /\p{L}/u.test(text) && !/^(?:usage|setup|engine): /.test(text));
}

/** The first cells of all tables of a text, without their heads. */
function firstCells(text: string): string[] {
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  return rows.map((line) => line.split(/(?<!\\)\|/)[1]?.trim() ?? '').filter(Boolean);
}

function codeIn(text: string): string[] {
  return [...text.matchAll(/(`+)(.+?)\1/g)].map(([, , code = '']) => code);
}

/** The part of a page below one of its headings. */
function section(text: string, heading: string): string {
  return text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
}

/** The names by which headings of a page are linked to, as GitHub makes them. */
function anchorsOf(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '');
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('the documentation', () => {
  it('explains every message of the suite, and none that it does not have', () => {
    const said = new Set(sources.flatMap(messagesOf));
    const explained = firstCells(read('docs/troubleshooting.md')).flatMap(codeIn);
    expect(said.size).to.be.above(150);
    expect([...said].filter((text) => !explained.includes(text))).to.deep.equal([]);
    expect(explained.filter((text) => !said.has(text))).to.deep.equal([]);
    expect(explained).to.have.length(new Set(explained).size);
  });

  for (const page of PAGES) {
    it(`${page}: every link leads somewhere`, () => {
      const text = read(page);
      const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
      const dead = links.filter((target) => {
        if (/^https?:/.test(target)) return false;
        const [path, anchor] = target.split('#');
        const file = path ? join(dirname(page), path) : page;
        if (!existsSync(join(projectRoot, file))) return true;
        return anchor !== undefined && !anchorsOf(read(file)).includes(anchor);
      });
      expect(dead).to.deep.equal([]);
    });
  }

  it('is all linked to from the README', () => {
    expect(DOCS.filter((page) => !read('README.md').includes(`](${page}`))).to.deep.equal([]);
  });

  it('has what messages send people to', () => {
    const text = sources.map((source) => source.text).join('\n');
    const named = [...text.matchAll(/(docs\/[\w-]+\.md), "?([A-Z][a-z]+(?: [a-z]+)*)/g)].map(
      ([, page = '', heading = '']) => ({ page, heading }),
    );
    expect(named).not.to.be.empty;
    const missing = named.filter(
      ({ page, heading }) => !new RegExp(`^#+ ${heading}$`, 'm').test(read(page)),
    );
    expect(missing).to.deep.equal([]);
    const pages = [...text.matchAll(/\bdocs\/[\w-]+\.md/g)].map(([page]) => page);
    expect(pages.filter((page) => !DOCS.includes(page))).to.deep.equal([]);
  });

  it('names commands that are there, and every one of them', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const examples = ['.github/workflows/acceptance.yml', 'docs/gitlab-ci.yml', '.ci/run'];
    const commandsIn = (files: string[]): string[] =>
      [
        ...files
          .map(read)
          .join('\n')
          .matchAll(/npm (?:run (?:--silent )?([a-z:]+)|(test)\b)/g),
      ].map(([, run, test = '']) => run ?? test);
    const wrong = commandsIn([...PAGES, ...examples]).filter((name) => !(name in scripts));
    expect(wrong).to.deep.equal([]);
    expect(commandsIn(PAGES)).to.include.members(Object.keys(scripts));
  });

  it('names folders and files that are there, and every folder', () => {
    const named = firstCells(section(read('docs/reference.md'), 'Folders')).flatMap((cell) => {
      const [first = '', ...others] = codeIn(cell);
      const [, before = first, choices, after = ''] = /^(.*)\{(.+)\}(.*)$/.exec(first) ?? [];
      const firsts = choices?.split(',').map((choice) => before + choice + after) ?? [first];
      const folder = first.endsWith('/') ? '' : dirname(first);
      return [...firsts, ...others.map((one) => (one.includes('/') ? one : join(folder, one)))];
    });
    expect(named.filter((path) => !existsSync(join(projectRoot, path)))).to.deep.equal([]);
    const foldersIn = (parent: string): string[] =>
      readdirSync(join(projectRoot, parent), { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !OTHERS.includes(entry.name))
        .filter(({ name }) => !name.startsWith('.') || name === '.github')
        .map(({ name }) => `${join(parent, name)}/`);
    const there = [...foldersIn('.'), ...foldersIn('support')];
    const unnamed = there.filter((folder) => !named.some((path) => path.startsWith(folder)));
    expect(unnamed).to.deep.equal([]);
  });

  it('has every environment variable, and none that nobody reads', () => {
    const settings = read('support/config.ts').split('const environmentSchema')[1]?.split('});')[0];
    const ofSuite = [...(settings ?? '').matchAll(/^ {2}([A-Z_]+):/gm)].map(
      ([, name = '']) => name,
    );
    const compositions = ['media', 'sts', 'echo'].map(
      (name) => `compose/${name}/docker-compose.yml`,
    );
    const files = [...compositions, 'acceptance.yaml'].map(read).join('\n').replace(/#.*/g, '');
    const ofFiles = [...files.matchAll(/\$\{([A-Z][A-Z0-9_]+)/g)].map(([, name = '']) => name);
    // Set by the suite and its set-up.
    const own = ['LIVE_DUBBING_WAITERS', 'CHECKOUT', 'SERVICES_HOST', 'CA_BUNDLE'];
    const settable = new Set([...ofSuite, ...ofFiles].filter((name) => !own.includes(name)));
    const explained = firstCells(read('docs/your-own-services.md'))
      .flatMap(codeIn)
      .filter((code) => /^[A-Z][A-Z0-9_]+$/.test(code));
    expect(ofSuite).to.include('REPORTS_DIR');
    expect([...settable].filter((name) => !explained.includes(name))).to.deep.equal([]);
    const others = sources.map(({ text }) => text).join('\n') + files;
    expect(explained.filter((name) => !others.includes(name))).to.deep.equal([]);
  });

  it('lists the checks of a recording', () => {
    const table = section(read('docs/reading-a-report.md'), 'The checks of a recording');
    expect(firstCells(table).flatMap(codeIn)).to.deep.equal(OUTPUT_CRITERIA.map(({ id }) => id));
  });

  it('has words for faults that the suite reads', () => {
    const tables = section(read('docs/adding-a-scenario.md'), 'Faults').split('\n\n');
    for (const kind of ['which fragments', 'which moment']) {
      const table = tables.find((text) => text.startsWith(`| ${kind}`)) ?? '';
      const rows = table.split('\n').map((line) => line.split('|').map(codeIn));
      // What is not a whole phrase stands for the end of the one before.
      const phrases = (column: number): string[] =>
        rows.flatMap((cells) => cells[column] ?? []).filter((code) => /^[^…]+ /.test(code));
      expect(phrases(1)).not.to.be.empty;
      expect(phrases(2)).to.have.length.above(5);
      const [event = ''] = phrases(2);
      phrases(1).forEach((place) => readFault(place, event));
      const [place = ''] = phrases(1);
      phrases(2).forEach((each) => readFault(place, each));
    }
  });
});
