import { type ComponentChildren, Fragment, type RenderableProps, type VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';

import { safeText } from '../base/safe-text';
import { glossary } from './docs-tables';

/** How a state is shown: never by colour alone. */
export const STATES = {
  passed: { sign: '✔', word: 'passed', className: 'good' },
  failed: { sign: '✘', word: 'failed', className: 'bad' },
  skipped: { sign: '↷', word: 'skipped', className: 'unsure' },
  'not run': { sign: '–', word: 'not run', className: 'unsure' },
  follows: { sign: '↳', word: 'follows', className: 'unsure' },
  'not shown': { sign: '?', word: 'not shown', className: 'unsure' },
  'not asked': { sign: '–', word: 'not asked', className: 'faint' },
  'not judged': { sign: '–', word: 'not judged', className: 'faint' },
} as const;

export type ShownState = keyof typeof STATES;

/** A state as a sign with its word. */
export function Badge({ state, children }: RenderableProps<{ state: ShownState }>): VNode {
  const { sign, word, className } = STATES[state];
  return (
    <span class={`badge ${className}`}>
      <span aria-hidden="true">{sign}</span> {children ?? word}
    </span>
  );
}

/** A table that is scrolled sideways where it is wider than the page, by keyboard as well. */
export function WideTable(parts: RenderableProps<{ label: string; frame?: string }>): VNode {
  return (
    <div class={parts.frame ?? 'wide'} role="region" aria-label={parts.label} tabindex={0}>
      <table>{parts.children}</table>
    </div>
  );
}

/** What a column shows of a row. */
export interface Column<T> {
  head: string;
  /** The class of its head and cells. */
  kind?: string;
  /** Its cells head their rows. */
  isHead?: boolean;
  cell: (row: T) => ComponentChildren;
}

interface TableParts<T> {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowOf?: (row: T) => { id?: string; 'data-state'?: string };
  /** The class of its rows together, and of what it is scrolled in. */
  body?: string;
  frame?: string;
}

export function Table<T>({ columns, rows, rowOf, body, ...frame }: TableParts<T>): VNode {
  return (
    <WideTable {...frame}>
      <thead>
        <tr>
          {columns.map(({ head, kind }) => (
            <th key={head} scope="col" class={kind}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody class={body}>
        {rows.map((row, index) => (
          <tr key={index} {...rowOf?.(row)}>
            {columns.map(({ head, kind, isHead, cell }) => {
              const Cell = isHead ? 'th' : 'td';
              return (
                <Cell key={head} scope={isHead ? 'row' : undefined} class={kind}>
                  {cell(row)}
                </Cell>
              );
            })}
          </tr>
        ))}
      </tbody>
    </WideTable>
  );
}

/** A part of a page that {@link OnThisPage} leads to. */
export interface PageSection {
  id: string;
  title: string;
  content: VNode;
}

export function section(id: string, title: string, content: VNode): PageSection {
  return { id, title, content };
}

export function OnThisPage({ sections }: { sections: readonly PageSection[] }): VNode {
  return (
    <nav aria-label="On this page" class="no-print">
      <ul class="on-page">
        {sections.map(({ id, title }) => (
          <li key={id}>
            <a href={`#${id}`}>{title}</a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** What is on a page, and then each part of it. */
export function Sections({ sections }: { sections: readonly PageSection[] }): VNode {
  return (
    <>
      <OnThisPage sections={sections} />
      {sections.map(({ id, title, content }) => (
        <section key={id} id={id} aria-labelledby={`${id}-title`}>
          <h2 id={`${id}-title`}>{title}</h2>
          {content}
        </section>
      ))}
    </>
  );
}

/** A text that a service or a feature has said, safe to show. */
export function Quote({ children }: { children: string }): VNode {
  return <pre class="quote">{safeText(children)}</pre>;
}

/** Nothing where it is empty. */
export function List({ items }: { items: readonly string[] }): VNode | null {
  if (items.length === 0) return null;
  return (
    <ul>
      {items.map((item, index) => (
        <li key={index}>{safeText(item)}</li>
      ))}
    </ul>
  );
}

export function Terms({ items }: { items: readonly [string, ComponentChildren][] }): VNode {
  return (
    <dl>
      {items.map(([name, content]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{content}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

const STYLE = `
:root { color-scheme: light dark; --back: #ffffff; --fore: #1b1f24; --soft: #f3f5f7; --line: #cdd4db; --faint: #57606a;
  --good: #116329; --bad: #b3121d; --unsure: #7a4b00; --link: #0550ae; --highlight: #ffe9a8; --shade: #00000030; }
@media (prefers-color-scheme: dark) { :root { --back: #12161b; --fore: #e6eaef; --soft: #1c2229; --line: #3b444e;
  --faint: #a3adb8; --good: #5fd37a; --bad: #ff8a80; --unsure: #e5b567; --link: #79b8ff; --highlight: #5a4a12; --shade: #ffffff38; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--back); color: var(--fore); font: 16px/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 78rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.2rem; } footer { color: var(--faint); padding-bottom: 2rem; font-size: .875rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .2rem 0 .6rem; } h2 { font-size: 1.2rem; margin: 2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
a { color: var(--link); } a:focus-visible, button:focus-visible, summary:focus-visible, input:focus-visible,
[tabindex]:focus-visible, video:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -100rem; } .skip:focus { left: 1rem; top: .5rem; background: var(--back); padding: .3rem .6rem; z-index: 9; }
.good { color: var(--good); } .bad { color: var(--bad); } .unsure { color: var(--unsure); } .faint { color: var(--faint); }
.badge { font-weight: 600; white-space: nowrap; }
.verdict { font-size: 1.15rem; border-left: .4rem solid; padding: .5rem .9rem; background: var(--soft); margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .6rem; text-align: left; vertical-align: top; }
th { font-weight: 600; } td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.wide { overflow-x: auto; margin: .6rem 0; background: linear-gradient(to right, var(--back) 30%, transparent) left,
  linear-gradient(to left, var(--back) 30%, transparent) right, linear-gradient(to right, var(--shade), transparent) left,
  linear-gradient(to left, var(--shade), transparent) right; background-attachment: local, local, scroll, scroll;
  background-repeat: no-repeat; background-size: 3rem 100%, 3rem 100%, 1rem 100%, 1rem 100%; }
.quote { background: var(--soft); border-left: .2rem solid var(--line); padding: .5rem .7rem; margin: .4rem 0; white-space: pre-wrap;
  overflow-wrap: anywhere; font: .8125rem/1.45 ui-monospace, monospace; }
.on-page { display: flex; flex-wrap: wrap; gap: .2rem 1rem; padding: 0; margin: .5rem 0; list-style: none; font-size: .9rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: .6rem 0; } dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
details { margin: .4rem 0; } summary { cursor: pointer; padding: .2rem 0; }
input, button, select { font: inherit; color: inherit; background: var(--back); border: 1px solid var(--faint); border-radius: .3rem; padding: .2rem .5rem; }
button { cursor: pointer; }
code { font-size: .9em; } :is(code, li) { overflow-wrap: anywhere; } [hidden] { display: none !important; }
.filters { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: end; } .filters label { display: grid; font-size: .9rem; }
.filters input { width: min(22rem, 80vw); }
@media (max-width: 40rem) { body { font-size: 15px; } dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .4rem; } }
@media print { body { font-size: 11px; } .wide { overflow: visible; }
  .wide { background: none; } .wide th, .wide td { min-width: 0 !important; white-space: normal !important; padding: .2rem .3rem; }
  .wide :is(th, td:not(.number)) { overflow-wrap: anywhere; } .no-print { display: none !important; } a { color: inherit; }
  details:not([open]) > :not(summary) { display: block; } tr, .quote { break-inside: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; } }
`;

/** What every page has; nothing in it is fetched from anywhere. */
export interface PageParts {
  title: string;
  /** Above the title: where this page belongs to. */
  above?: ComponentChildren;
  body: ComponentChildren;
  /** Added to the common style. */
  style: string;
  /** Runs in the page when it has been read. */
  script?: string;
  /** Data for the script, as \`<script type="application/json" id="data">\`. */
  data?: unknown;
}

/** What the words of all pages mean. */
function Words(): VNode {
  return (
    <footer class="no-print">
      <details>
        <summary>Words, and what they mean</summary>
        <Terms items={glossary().map(([word, means]) => [word, means])} />
      </details>
    </footer>
  );
}

/** A self-contained HTML page. */
export function page({ title, above, body, style, script, data }: PageParts): string {
  // Whatever the texts hold, it does not end the element.
  const inScript = (text: string): { __html: string } => ({
    __html: text.replaceAll('</', '<\\/').replaceAll('<!--', '<\\!--'),
  });
  const html = renderToString(
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{title}</title>
        <style dangerouslySetInnerHTML={{ __html: STYLE + style }} />
      </head>
      <body>
        <a class="skip" href="#content">
          To the content
        </a>
        <header>
          {above}
          <h1>{title}</h1>
        </header>
        <main id="content">{body}</main>
        <Words />
        {data === undefined ? null : (
          <script
            id="data"
            type="application/json"
            dangerouslySetInnerHTML={{ __html: JSON.stringify(data).replaceAll('<', '\\u003c') }}
          />
        )}
        {script === undefined ? null : <script dangerouslySetInnerHTML={inScript(script)} />}
      </body>
    </html>,
  );
  return `<!doctype html>\n${html}\n`;
}
