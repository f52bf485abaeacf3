import type { ScenarioResult } from '../support/report/scenario-results';
import { titleOf } from './fault';
import type { Effect, Verdict } from './judge';

/** What `npm run prove` has found. */
export interface Proof {
  seconds: number;
  /** Whether all faults were tried. */
  isWhole: boolean;
  scenarios: Pick<ScenarioResult, 'tags' | 'name' | 'place'>[];
  verdicts: Verdict[];
  /** Scenarios that no fault has turned red for its own reason. */
  unproved: string[];
}

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --good: #1a7f37; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --good: #56d364; --bad: #ff7b72; } }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .4rem .6rem; text-align: left; vertical-align: top; }
thead th { position: sticky; top: 0; background: Canvas; }
td:first-child { width: 30%; }
small { opacity: .7; }
.bad { color: var(--bad); font-weight: 600; } .good { color: var(--good); }
pre { margin: .2rem 0 .8rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 12px; background: var(--soft);
  padding: .3rem .5rem; border-radius: 4px; }
.wide { overflow-x: auto; } .matrix { width: auto; font-size: 12px; }
.matrix th, .matrix td { padding: .1rem .3rem; border: 1px solid var(--line); text-align: center; width: auto; }
.matrix tbody th { font-weight: normal; white-space: nowrap; text-align: left; position: sticky; left: 0; background: Canvas; }
`;

/** More of a message than this is in prove.json. */
const LONGEST = 600;

function escaped(text: string): string {
  const names: Record<string, string> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot' };
  return text.replace(/[&<>"]/g, (sign) => `&${names[sign]};`);
}

function quoted(message: string): string {
  const text = message.length > LONGEST ? `${message.slice(0, LONGEST)} …` : message;
  return `<pre>${escaped(text)}</pre>`;
}

/** A page for people: each scenario with the faults that turn it red and what it says, each fault with what it does. */
export function page({ scenarios, verdicts, unproved, seconds, isWhole }: Proof): string {
  const titles = scenarios.map(titleOf);
  const wrong = (kind: Effect['kind']): boolean => kind !== 'proved' && kind !== 'follows';
  const faultsOf = (title: string): { number: number; verdict: Verdict; effect: Effect }[] =>
    verdicts.flatMap((verdict, i) =>
      verdict.effects
        .filter(({ scenario }) => scenario === title)
        .map((effect) => ({ number: i + 1, verdict, effect })),
    );

  const byScenario = titles.map((title) => {
    const all = faultsOf(title);
    const own = all.filter(({ effect }) => effect.kind !== 'follows');
    const following = all.filter(({ effect }) => effect.kind === 'follows');
    const none = isWhole ? '<span class="bad">no fault turns it red</span>' : '';
    const cells = own.map(
      ({ number, verdict, effect }) =>
        `<a href="#f${number}">${number}</a>. ${escaped(verdict.fault)}` +
        `${wrong(effect.kind) ? ` <span class="bad">${effect.kind}</span>` : ''}${quoted(effect.message)}`,
    );
    const others = following.map(({ number }) => `<a href="#f${number}">${number}</a>`).join(', ');
    return (
      `<tr><td>${escaped(title)}</td><td>${cells.join('') || none}` +
      `${others ? `<small>also red, as an effect, by ${others}</small>` : ''}</td></tr>`
    );
  });

  const byFault = verdicts.map(({ fault, effects, problem, seconds: took }, i) => {
    const list = (kinds: Effect['kind'][]): string =>
      effects
        .filter(({ kind }) => kinds.includes(kind))
        .map(({ scenario, kind, message }) =>
          wrong(kind)
            ? `<div><span class="bad">${kind}</span>: ${escaped(scenario)}${quoted(message)}</div>`
            : `<div>${escaped(scenario)}</div>`,
        )
        .join('');
    return (
      `<tr id="f${i + 1}"><td>${i + 1}. ${escaped(fault)} <small>${took.toFixed(1)} s</small></td>` +
      `<td>${problem ? `<span class="bad">not tried</span>${quoted(problem)}` : ''}` +
      `${list(['proved', 'not red', 'says something else', 'not expected'])}</td><td>${list(['follows'])}</td></tr>`
    );
  });

  const matrix = titles.map((title) => {
    const effects = new Map(faultsOf(title).map(({ number, effect }) => [number, effect.kind]));
    const cells = verdicts.map(({ fault }, i) => {
      const kind = effects.get(i + 1);
      const sign = kind === undefined ? '' : kind === 'proved' ? '●' : wrong(kind) ? '✗' : '○';
      return `<td title="${escaped(fault)}"${kind && wrong(kind) ? ' class="bad"' : ''}>${sign}</td>`;
    });
    return `<tr><th>${escaped(title.slice(0, 80))}</th>${cells.join('')}</tr>`;
  });

  const proved = titles.filter((title) =>
    faultsOf(title).some(({ effect }) => effect.kind === 'proved'),
  ).length;
  const isRight =
    unproved.length === 0 &&
    verdicts.every(
      ({ problem, effects }) => problem === '' && !effects.some(({ kind }) => wrong(kind)),
    );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What turns each scenario red</title>
<style>${STYLE}</style>
</head>
<body>
<h1>What turns each scenario red</h1>
<p>Each fault is one thing that is wrong. A scenario is proved when a fault turns it red and the message names the cause,
while no other scenario turns red unless it is said to follow.</p>
<p class="${isRight ? 'good' : 'bad'}">${proved} of ${titles.length} scenarios proved by ${verdicts.length} faults, in
${(seconds / 60).toFixed(1)} minutes${isRight ? '' : '; see what is marked'}.${isWhole ? '' : ' Not all faults were tried.'}</p>
<h2>By scenario</h2>
<table><thead><tr><th>Scenario</th><th>Fault, and what the scenario says</th></tr></thead>
<tbody>${byScenario.join('\n')}</tbody></table>
<h2>By fault</h2>
<table><thead><tr><th>Fault</th><th>Turns red</th><th>Red as well, as an effect</th></tr></thead>
<tbody>${byFault.join('\n')}</tbody></table>
<h2>Table</h2>
<p>● proved, ○ follows, ✗ not as expected; the columns are the faults above.</p>
<div class="wide"><table class="matrix"><thead><tr><th></th>${verdicts
    .map((_, i) => `<th><a href="#f${i + 1}">${i + 1}</a></th>`)
    .join('')}</tr></thead>
<tbody>${matrix.join('\n')}</tbody></table></div>
</body>
</html>
`;
}
