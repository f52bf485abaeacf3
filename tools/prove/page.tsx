import type { VNode } from 'preact';

import { Badge, page as htmlPage, Quote, WideTable } from '../../support/report/layout';
import type { ScenarioResult } from '../../support/report/scenario-results';
import { duration, shownMessage } from '../../support/report/wording';
import { titleOf } from './fault';
import type { Effect, Trial } from './judge';

/** What `npm run prove` has found. */
export interface Proof {
  seconds: number;
  /** Whether all faults were tried. */
  isWhole: boolean;
  scenarios: Pick<ScenarioResult, 'tags' | 'name' | 'place'>[];
  trials: Trial[];
  /** Scenarios that no fault has turned red for its own reason. */
  unproved: string[];
}

const STYLE = `
th[scope=row] { font-weight: normal; } .tried > tbody > tr > :first-child { width: 32%; }
.matrix table { width: auto; font-size: .75rem; } .matrix th, .matrix td { padding: .1rem .3rem; border: 1px solid var(--line); text-align: center; }
.matrix tbody th { white-space: nowrap; text-align: left; position: sticky; left: 0; background: var(--back); }
`;

/** More of a message than this is in prove.json. */
const LONGEST = 600;

/** An effect of a fault, with the fault's number on the page. */
interface Numbered {
  number: number;
  trial: Trial;
  effect: Effect;
}

function isWrong({ kind }: Effect): boolean {
  return kind !== 'proved' && kind !== 'follows';
}

function Message(props: { effect: Effect; title: string; number?: number }): VNode {
  const { title, number } = props;
  const { kind } = props.effect;
  const message = shownMessage(props.effect.message);
  const text = message.length > LONGEST ? `${message.slice(0, LONGEST)} …` : message;
  return (
    <div>
      {number === undefined ? null : (
        <>
          <FaultLink number={number} />.{' '}
        </>
      )}
      {title}{' '}
      {kind === 'proved' || kind === 'follows' ? null : <Badge state="failed">{kind}</Badge>}
      <Quote>{text}</Quote>
    </div>
  );
}

function FaultLink({ number }: { number: number }): VNode {
  return <a href={`#f${number}`}>{number}</a>;
}

function ScenarioRow(props: { title: string; all: Numbered[]; isWhole: boolean }): VNode {
  const { title, all, isWhole } = props;
  const own = all.filter(({ effect }) => effect.kind !== 'follows');
  const following = all.filter(({ effect }) => effect.kind === 'follows');
  return (
    <tr>
      <th scope="row">{title}</th>
      <td>
        {own.map(({ number, trial, effect }) => (
          <Message key={number} effect={effect} title={trial.fault} number={number} />
        ))}
        {own.length === 0 && isWhole ? <Badge state="failed">no fault turns it red</Badge> : null}
        {following.length > 0 ? (
          <p class="faint">
            also red, as an effect, by{' '}
            {following.map(({ number }, i) => (
              <span key={number}>
                {i > 0 ? ', ' : ''}
                <FaultLink number={number} />
              </span>
            ))}
          </p>
        ) : null}
      </td>
    </tr>
  );
}

function FaultRow({ trial, number }: { trial: Trial; number: number }): VNode {
  const { fault, effects, problem, seconds } = trial;
  return (
    <tr id={`f${number}`}>
      <th scope="row">
        {number}. {fault} <span class="faint">{duration(seconds)}</span>
      </th>
      <td>
        {problem ? (
          <div>
            <Badge state="failed">not tried</Badge>
            <Quote>{problem}</Quote>
          </div>
        ) : null}
        {effects
          .filter(({ kind }) => kind !== 'follows')
          .map((effect) =>
            isWrong(effect) ? (
              <Message key={effect.scenario} effect={effect} title={effect.scenario} />
            ) : (
              <div key={effect.scenario}>{effect.scenario}</div>
            ),
          )}
      </td>
      <td>
        {effects
          .filter(({ kind }) => kind === 'follows')
          .map(({ scenario }) => (
            <div key={scenario}>{scenario}</div>
          ))}
      </td>
    </tr>
  );
}

function MatrixRow(props: { title: string; all: Numbered[]; trials: Trial[] }): VNode {
  const { title, all, trials } = props;
  return (
    <tr>
      <th scope="row">{title.slice(0, 80)}</th>
      {trials.map(({ fault }, i) => {
        const effect = all.find(({ number }) => number === i + 1)?.effect;
        const sign = !effect ? '' : isWrong(effect) ? '✗' : effect.kind === 'proved' ? '●' : '○';
        return (
          <td key={i} title={fault} class={sign === '✗' ? 'bad' : ''}>
            {sign}
          </td>
        );
      })}
    </tr>
  );
}

/** A scenario, and all that faults did to it. */
interface Row {
  title: string;
  all: Numbered[];
}

function ScenarioTable({ rows, isWhole }: { rows: Row[]; isWhole: boolean }): VNode {
  return (
    <>
      <h2>By scenario</h2>
      <table class="tried">
        <thead>
          <tr>
            <th scope="col">Scenario</th>
            <th scope="col">Fault, and what the scenario says</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <ScenarioRow key={row.title} {...row} isWhole={isWhole} />
          ))}
        </tbody>
      </table>
    </>
  );
}

function FaultTable({ trials }: { trials: Trial[] }): VNode {
  return (
    <>
      <h2>By fault</h2>
      <table class="tried">
        <thead>
          <tr>
            <th scope="col">Fault</th>
            <th scope="col">Turns red</th>
            <th scope="col">Red as well, as an effect</th>
          </tr>
        </thead>
        <tbody>
          {trials.map((trial, i) => (
            <FaultRow key={i} trial={trial} number={i + 1} />
          ))}
        </tbody>
      </table>
    </>
  );
}

function Matrix({ rows, trials }: { rows: Row[]; trials: Trial[] }): VNode {
  return (
    <>
      <h2>Table</h2>
      <p>● proved, ○ follows, ✗ not as expected; the columns are the faults above.</p>
      <div class="matrix">
        <WideTable label="Scenarios by faults">
          <thead>
            <tr>
              <th scope="col">Scenario</th>
              {trials.map((_, i) => (
                <th key={i} scope="col">
                  <FaultLink number={i + 1} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <MatrixRow key={row.title} {...row} trials={trials} />
            ))}
          </tbody>
        </WideTable>
      </div>
    </>
  );
}

/** A page for people: each scenario with the faults that turn it red and what it says, each fault with what it does. */
export function page({ scenarios, trials, unproved, seconds, isWhole }: Proof): string {
  const rows = scenarios.map(titleOf).map((title) => ({
    title,
    all: trials.flatMap((trial, i) =>
      trial.effects
        .filter(({ scenario }) => scenario === title)
        .map((effect): Numbered => ({ number: i + 1, trial, effect })),
    ),
  }));
  const proved = rows.filter(({ all }) => all.some(({ effect }) => effect.kind === 'proved'));
  const isRight =
    unproved.length === 0 &&
    trials.every(({ problem, effects }) => problem === '' && !effects.some(isWrong));
  return htmlPage({
    title: 'What turns each scenario red',
    style: STYLE,
    body: (
      <>
        <p>
          Each fault is one defect. A scenario is proved when a fault turns it red and its verdict
          names the cause, while no other scenario turns red unless it is declared to follow.
        </p>
        <p class={`verdict ${isRight ? 'good' : 'bad'}`}>
          {proved.length} of {rows.length} scenarios proved by {trials.length} faults, in{' '}
          {duration(seconds)}
          {isRight ? '' : '; see what is not as expected'}.
          {isWhole ? '' : ' Not all faults were tried.'}
        </p>
        <ScenarioTable rows={rows} isWhole={isWhole} />
        <FaultTable trials={trials} />
        <Matrix rows={rows} trials={trials} />
      </>
    ),
  });
}
