import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { ComponentChildren, VNode } from 'preact';

import type { RunEnvironment, RunFacts, BroadcastSummary } from './facts';
import { Badge, LOOKS, OnThisPage, page, Quote, WideTable } from './layout';
import type { Spec } from './requirements';
import {
  countsOf,
  outsideSteps,
  requirementsInWords,
  requirementStatesOf,
  skippedByReason,
  verdictOf,
  type RequirementState,
} from './run-report';
import { idsOf, outcomeOf, type ScenarioResult, type StepResult } from './scenario-results';
import { broadcastColumns } from './broadcast-columns';
import { counted, duration, shownMessage } from './wording';

/** In the folder of this module; it is put into the page as it is. */
const SCRIPT_FILE = join(__dirname, 'run-page-script.js');

const STYLE = `
.failure { border: 1px solid var(--line); border-left: .4rem solid var(--bad); padding: .2rem .9rem .6rem; margin: 1rem 0; }
.about { color: var(--faint); font-size: .875rem; margin: .2rem 0; overflow-wrap: anywhere; }
.steps { list-style: none; padding: 0; margin: .5rem 0; } .steps > li { display: grid; grid-template-columns: 1.4rem minmax(0, 1fr);
  margin: .15rem 0; } .steps p { margin: 0; } .steps .keyword { font-weight: 600; } .steps .wide { margin: .2rem 0 .4rem; } .steps table { width: auto; } .steps td { padding: .1rem .8rem .1rem 0; }
.mark { font-weight: 600; } .names { list-style: none; margin: 0; padding: 0; } .feature { margin-bottom: 1.2rem; }
.feature > details { border-bottom: 1px solid var(--line); margin: 0; padding: .15rem 0; }
.feature > details > :not(summary) { margin-left: 1.2rem; }
details:target > summary { background: var(--mark); }
.filters { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: end; } .filters label { display: grid; font-size: .9rem; }
.filters input { width: min(22rem, 80vw); } .filters output { padding: .2rem 0; font-size: .9rem; } [hidden] { display: none !important; }
.states td:first-child, .states .id { white-space: nowrap; } .states .must { min-width: 15rem; width: 50%; } .states .names { min-width: 13rem; }
.stream { min-width: 14rem; font-weight: 400; } .plan { min-width: 12rem; } .plan ul { margin: 0; padding-left: 1rem; }
dt { min-width: 8.5rem; }
@media (max-width: 40rem) { .states > tr > * { padding: .35rem .3rem; } .states .id { white-space: normal; min-width: 4.6rem; }
  .states .must { min-width: 12rem; } }
@media print { details::details-content { content-visibility: visible; block-size: auto; } .steps > li, .failure > h3 { break-inside: avoid; } }
`;

/** What every part of the page needs of the run. */
interface Shown {
  facts: RunFacts;
  /** Where a scenario stands on the page. */
  anchors: Map<ScenarioResult, string>;
  /** By stream: where its page is, relative to this one. */
  pages: Map<string, BroadcastSummary>;
}

/** The page of a run: its verdict and what failed first, then everything that was asked of it. */
export function runPage(facts: RunFacts, specs: readonly Spec[]): string {
  const verdict = verdictOf(facts);
  const shown: Shown = {
    facts,
    anchors: anchorsOf(facts.scenarios),
    pages: new Map(facts.streams.map((stream) => [stream.stream, stream])),
  };
  const failed = facts.scenarios.filter((scenario) => outcomeOf(scenario) === 'failed');
  const states = requirementStatesOf(specs, facts.scenarios);
  const sections = [
    ...(failed.length > 0
      ? [{ id: 'failures', title: 'Failures', content: <Failures {...{ shown, failed }} /> }]
      : []),
    ...(facts.problems.length > 0
      ? [{ id: 'problems', title: 'Problems', content: <Problems problems={facts.problems} /> }]
      : []),
    {
      id: 'requirements',
      title: 'Requirements',
      content: (
        <>
          <p>{requirementsInWords(states)}.</p>
          <Filters />
          {states.map(({ spec, title, requirements }) => (
            <section key={spec} class="spec">
              <h3>{[spec, title].filter(Boolean).join(' ')}</h3>
              <Requirements {...{ shown, requirements, label: `Requirements: ${title}` }} />
            </section>
          ))}
        </>
      ),
    },
    { id: 'scenarios', title: 'Scenarios', content: <Scenarios shown={shown} /> },
    { id: 'streams', title: 'Broadcasts', content: <Streams streams={facts.streams} /> },
    { id: 'environment', title: 'Time and environment', content: <Circumstances facts={facts} /> },
  ];
  return page({
    title: titleOf(facts),
    style: STYLE,
    script: readFileSync(SCRIPT_FILE, 'utf8'),
    body: (
      <>
        <p class={`verdict ${LOOKS[verdict.outcome].className}`}>
          <strong>
            <span aria-hidden="true">{LOOKS[verdict.outcome].mark}</span> {verdict.text}
          </strong>
        </p>
        <OnThisPage sections={sections} />
        {sections.map(({ id, title, content }) => (
          <section key={id} id={id} aria-labelledby={`${id}-title`}>
            <h2 id={`${id}-title`}>{title}</h2>
            {content}
          </section>
        ))}
      </>
    ),
  });
}

function titleOf({ startedAtMs }: RunFacts): string {
  return `Acceptance run${startedAtMs === undefined ? '' : ` of ${moment(startedAtMs)}`}`;
}

/** By minute, in UTC: whoever reads it may be anywhere. */
function moment(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** By its place, which stays the same from run to run. */
function anchorsOf(scenarios: readonly ScenarioResult[]): Shown['anchors'] {
  const taken = new Map<string, number>();
  return new Map(
    scenarios.map((scenario) => {
      const anchor = `at-${scenario.place.replace(/[^\w.-]+/g, '-')}`;
      const before = taken.get(anchor) ?? 0;
      taken.set(anchor, before + 1);
      return [scenario, before === 0 ? anchor : `${anchor}-again-${before}`];
    }),
  );
}

function Failures({ shown, failed }: { shown: Shown; failed: ScenarioResult[] }): VNode {
  return (
    <>
      {failed.map((scenario) => (
        <article class="failure" key={scenario}>
          <h3>
            <Badge look="failed" /> {scenario.name}
          </h3>
          <About scenario={scenario} />
          <Gherkin scenario={scenario} />
          <EvidenceLinks {...{ shown, scenario }} />
        </article>
      ))}
    </>
  );
}

/** Which feature and requirements it belongs to, and where it is. */
function About({ scenario }: { scenario: ScenarioResult }): VNode {
  const parts = [scenario.feature, idsOf(scenario).join(', '), scenario.place];
  return <p class="about">{parts.filter((part) => part !== '').join(' · ')}</p>;
}

function Gherkin({ scenario }: { scenario: ScenarioResult }): VNode {
  const outside = outsideSteps(scenario);
  return (
    <>
      <ol class="steps">
        {scenario.steps.map((step, index) => (
          <Step key={index} step={step} />
        ))}
      </ol>
      {outside === '' ? null : (
        <>
          <p class="bad">Before or after the steps:</p>
          <Quote>{shownMessage(outside)}</Quote>
        </>
      )}
      {scenario.status === 'UNKNOWN' ? (
        <p class="bad">The run was ended in the middle of it.</p>
      ) : null}
    </>
  );
}

/** What is to be said of a step that has no message. */
const NO_MESSAGE: Partial<Record<StepResult['status'], string>> = {
  UNDEFINED: 'Nothing says what this step does: it has no step definition.',
  PENDING: 'This step is not finished.',
};

function Step({ step }: { step: StepResult }): VNode {
  const { keyword, text, table, status, message } = step;
  const look = outcomeOf(step);
  // After a failure, and while others are skipped, steps are not reached: that is nobody's fault.
  const { mark, className, word } = look === 'skipped' ? LOOKS['not asked'] : LOOKS[look];
  const said = message === '' ? NO_MESSAGE[status] : shownMessage(message);
  return (
    <li>
      <span
        class={`mark ${className}`}
        role="img"
        aria-label={look === 'skipped' ? 'not run' : word}
      >
        {mark}
      </span>
      <div>
        <p>
          <span class="keyword">{keyword}</span> {text}
        </p>
        {table ? (
          <div class="wide" role="group" aria-label={`Table of: ${text}`} tabindex={0}>
            <table>
              <tbody>
                {table.map((row, index) => (
                  <tr key={index}>
                    {row.map((cell, column) => (
                      <td key={column}>{cell}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        ) : null}
        {said === undefined ? null : <Quote>{said}</Quote>}
      </div>
    </li>
  );
}

function EvidenceLinks({
  shown,
  scenario,
}: {
  shown: Shown;
  scenario: ScenarioResult;
}): VNode | null {
  if (scenario.judgedBy.length === 0) return null;
  return (
    <p class="about">
      Evidence:{' '}
      {scenario.judgedBy.map((stream, index) => {
        const { page: href, title } = shown.pages.get(stream) ?? {};
        return (
          <span key={stream}>
            {index > 0 ? ', ' : ''}
            {href ? <a href={href}>{title}</a> : `${stream} (no page)`}
          </span>
        );
      })}
    </p>
  );
}

function Problems({ problems }: { problems: readonly string[] }): VNode {
  return (
    <>
      <p>What went wrong besides the scenarios.</p>
      {problems.map((problem) => (
        <Quote key={problem}>{problem}</Quote>
      ))}
    </>
  );
}

/** Shown by the script, as it does nothing without it. */
function Filters(): VNode {
  return (
    <form class="filters no-print" hidden>
      <label>
        ID, words or scenario
        <input type="search" name="text" />
      </label>
      <label>
        State
        <select name="state">
          <option value="">all</option>
          <option value="ran">all that ran</option>
          {(['failed', 'skipped', 'not run', 'passed'] as const).map((state) => (
            <option key={state}>{state}</option>
          ))}
        </select>
      </label>
      <output />
    </form>
  );
}

function Requirements({
  shown,
  requirements,
  label,
}: {
  shown: Shown;
  requirements: readonly RequirementState[];
  label: string;
}): VNode {
  return (
    <WideTable label={label}>
      <thead>
        <tr>
          <th scope="col">State</th>
          <th scope="col">ID</th>
          <th scope="col">What must hold</th>
          <th scope="col">Scenarios</th>
        </tr>
      </thead>
      <tbody class="states">
        {requirements.map(({ id, priority, text, state, scenarios }) => (
          <tr key={id} data-state={state}>
            <td>
              <Badge look={state} />
            </td>
            <th scope="row" class="id">
              {id} {priority ? <span class="faint">{priority}</span> : null}
            </th>
            <td class="must">{text}</td>
            <td>
              <ScenarioNames {...{ shown, scenarios }} />
            </td>
          </tr>
        ))}
      </tbody>
    </WideTable>
  );
}

/** Links to scenarios; the state of those that did not pass. */
function ScenarioNames({ shown, scenarios }: { shown: Shown; scenarios: ScenarioResult[] }): VNode {
  return (
    <ul class="names">
      {scenarios.map((scenario) => (
        <li key={scenario}>
          {outcomeOf(scenario) === 'passed' ? null : <Badge look={outcomeOf(scenario)} />}{' '}
          <a href={`#${shown.anchors.get(scenario)}`}>{scenario.name}</a>
        </li>
      ))}
    </ul>
  );
}

function Scenarios({ shown }: { shown: Shown }): VNode {
  const byFile = new Map<string, ScenarioResult[]>();
  for (const scenario of shown.facts.scenarios) {
    const file = scenario.place.replace(/:\d*$/, '');
    byFile.set(file, [...(byFile.get(file) ?? []), scenario]);
  }
  return (
    <>
      {shown.facts.scenarios.length === 0 ? <p>No scenario ran.</p> : null}
      <Skipped shown={shown} />
      {[...byFile].map(([file, scenarios]) => (
        <section key={file} class="feature">
          <h3>{scenarios[0]?.feature}</h3>
          <p class="about">
            {file} · {stateInWords(scenarios)}
          </p>
          {scenarios.map((scenario) => (
            <details
              key={scenario}
              id={shown.anchors.get(scenario)}
              open={outcomeOf(scenario) === 'failed'}
            >
              <summary>
                <Badge look={outcomeOf(scenario)} /> {scenario.name}{' '}
                <span class="faint">{duration(scenario.seconds)}</span>
              </summary>
              <About scenario={scenario} />
              <Gherkin scenario={scenario} />
              <EvidenceLinks {...{ shown, scenario }} />
            </details>
          ))}
        </section>
      ))}
    </>
  );
}

function stateInWords(scenarios: readonly ScenarioResult[]): string {
  return Object.entries(countsOf(scenarios))
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => `${count} ${outcome}`)
    .join(', ');
}

/** Each reason once, with all scenarios that were skipped for it. */
function Skipped({ shown }: { shown: Shown }): VNode | null {
  const reasons = skippedByReason(shown.facts.scenarios);
  if (reasons.length === 0) return null;
  return (
    <>
      <h3>Skipped</h3>
      {reasons.map(({ reason, scenarios }) => (
        <div key={reason}>
          <Quote>{reason}</Quote>
          <details>
            <summary>{counted(scenarios.length, 'scenario')} skipped for this reason</summary>
            <ScenarioNames {...{ shown, scenarios }} />
          </details>
        </div>
      ))}
    </>
  );
}

function Streams({ streams }: { streams: readonly BroadcastSummary[] }): VNode {
  if (streams.length === 0) return <p>No broadcast was looked at.</p>;
  return (
    <WideTable label="Figures of each broadcast">
      <thead>
        <tr>
          <th scope="col">Broadcast</th>
          {broadcastColumns.map(({ title }) => (
            <th scope="col" class="number" key={title}>
              {title}
            </th>
          ))}
          <th scope="col">What was made to go wrong</th>
        </tr>
      </thead>
      <tbody>
        {streams.map((summary) => (
          <tr key={summary.stream}>
            <th scope="row" class="stream">
              {summary.page ? <a href={summary.page}>{summary.title}</a> : summary.title}
              <div class="about">{summary.stream}</div>
            </th>
            {broadcastColumns.map(({ title, shown }) => (
              <td class="number" key={title}>
                {shown(summary)}
              </td>
            ))}
            <td class="plan">
              {summary.plan.length === 0 ? null : (
                <ul>
                  {summary.plan.map((fault) => (
                    <li key={fault}>{fault}</li>
                  ))}
                </ul>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </WideTable>
  );
}

function Circumstances({ facts }: { facts: RunFacts }): VNode {
  const { startedAtMs, seconds, environments, reportSeconds } = facts;
  const parts = environments.length > 1 ? ', all parts together' : '';
  return (
    <>
      <dl>
        <Term name="Began">{startedAtMs === undefined ? 'not known' : moment(startedAtMs)}</Term>
        <Term name="Took">
          {seconds === undefined ? 'not known: it has no end' : `${duration(seconds)}${parts}`}
        </Term>
        <Term name="Reports made in">{duration(reportSeconds)}</Term>
      </dl>
      {environments.length === 0 ? <p>Where and with what it was made is not known.</p> : null}
      {environments.map((environment, index) => (
        <Environment key={index} environment={environment} />
      ))}
    </>
  );
}

function Environment({ environment }: { environment: RunEnvironment }): VNode {
  const { shard, settings } = environment;
  return (
    <>
      {shard ? <h3>{`Part ${shard.index} of ${shard.count}`}</h3> : null}
      <dl>
        <Term name="Services">{environment.runtime}</Term>
        <Term name="Suite">{`${environment.suite}, commit ${environment.commit}`}</Term>
        <Term name="System">
          {`${environment.system}, ${counted(environment.processors, 'processor')}, ` +
            `${(environment.memoryBytes / 2 ** 30).toFixed(1)} GiB of memory`}
        </Term>
        <Term name="Node.js">{environment.node}</Term>
        <Term name="Set">
          {Object.entries(settings).map(([name, value]) => (
            <div key={name}>
              <code>{`${name}=${value}`}</code>
            </div>
          ))}
          {Object.keys(settings).length === 0 ? 'nothing: all defaults' : null}
        </Term>
      </dl>
    </>
  );
}

function Term({ name, children }: { name: string; children: ComponentChildren }): VNode {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
