import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { h, type VNode } from 'preact';

import { type BroadcastSummary, type Judged, reportFiles } from './facts';
import type { RunEnvironment, RunFacts } from './facts';
import { type Lead, leadOf } from './lead';
import { Causes } from './page/causes';
import { folded } from './page/parts';
import { SHOWCASE_STYLE, ShowcaseSection } from './page/showcase-section';
import { Badge, type Column, List, page, type PageSection, section, Sections } from './layout';
import { Quote, type ShownState, STATES, Table, Terms } from './layout';
import type { Spec } from './requirements';
import { requirementsInWords, requirementStatesOf } from './requirement-states';
import type { RequirementState, SpecState } from './requirement-states';
import { needlesslyExcluded, type NotShownGroup, notShownByReason } from './not-shown';
import { notShownTitle, policyOf, scopeInWords } from './not-shown';
import { broadcastColumns, countsOf, skippedByReason, verdictOf } from './run-report';
import { stateOfBroadcast } from './run-report';
import { idsOf, outcomeOf, outsideSteps } from './scenario-results';
import type { ScenarioResult, StepResult } from './scenario-results';
import { counted, cut, duration, moment, shownMessage } from './wording';

/** More characters of a measured value are in `verdicts.ndjson`. */
const LONGEST_VALUE = 300;

const STYLE = `${SHOWCASE_STYLE}
.failure { border: 1px solid var(--line); border-left: .4rem solid var(--bad); padding: .2rem .9rem .6rem; margin: 1rem 0; }
.about { color: var(--faint); font-size: .875rem; margin: .2rem 0; overflow-wrap: anywhere; } .about:empty { display: none; }
.steps { list-style: none; padding: 0; margin: .5rem 0; } .steps > li { display: grid; grid-template-columns: 1.4rem minmax(0, 1fr);
  margin: .15rem 0; } .steps p { margin: 0; } .steps .keyword { font-weight: 600; } .steps .wide { margin: .2rem 0 .4rem; } .steps table { width: auto; } .steps td { padding: .1rem .8rem .1rem 0; }
.sign { font-weight: 600; } .names { list-style: none; margin: 0; padding: 0; } .feature { margin-bottom: 1.2rem; }
.feature > details { border-bottom: 1px solid var(--line); margin: 0; padding: .15rem 0; }
.feature > details > :not(summary) { margin-left: 1.2rem; }
details:target > summary { background: var(--highlight); }
.filters output { padding: .2rem 0; font-size: .9rem; }
.states td:first-child, .states .id { white-space: nowrap; } .states .must { min-width: 15rem; width: 50%; } .states .names { min-width: 13rem; }
.said { min-width: 11rem; overflow-wrap: anywhere; } .looked { min-width: 9rem; } .verdict p { margin: 0; } .verdict .run-verdict { color: var(--fore); font-size: 1rem; margin-top: .3rem; }
.spec summary h3 { display: inline; }
.broadcast { min-width: 14rem; font-weight: 400; } .faults { min-width: 12rem; } .faults ul { margin: 0; padding-left: 1rem; }
dt { min-width: 8.5rem; }
@media (max-width: 40rem) { .states > tr > * { padding: .35rem .3rem; } .states .id { white-space: normal; min-width: 4.6rem; }
  .states .must { min-width: 12rem; } .looked { min-width: 5rem; } .broadcast { min-width: 9rem; } }
@media print { .steps > li, .failure > h3 { break-inside: avoid; } }
`;

/** What every part of the page needs of the run. */
interface Shown {
  facts: RunFacts;
  /** By the place of a scenario: what it has judged. */
  judged: Map<string, Judged[]>;
  /** Where a scenario stands on the page. */
  anchors: Map<ScenarioResult, string>;
  /** By stream: where its page is, relative to this one. */
  pages: Map<string, BroadcastSummary>;
}

/** The page of a run: its verdict and what failed first, then everything that was asked of it. */
export function runPage(facts: RunFacts, specs: readonly Spec[]): string {
  const verdict = verdictOf(facts);
  const lead = leadOf(facts);
  const shown: Shown = {
    facts,
    judged: judgedByPlace(facts.judged),
    anchors: anchorsOf(facts.scenarios),
    pages: new Map(facts.broadcasts.map((broadcast) => [broadcast.stream, broadcast])),
  };
  const startedAt = facts.startedAtMs === undefined ? [] : [moment(facts.startedAtMs)];
  const sections = sectionsOf(shown, specs);
  return page({
    title: ['Acceptance run', ...startedAt].join(' of '),
    above: facts.hasHistory ? <a href={reportFiles.historyPage}>History of all runs</a> : null,
    style: STYLE,
    script: ['player-script.js', 'run-page-script.js']
      .map((name) => readFileSync(join(__dirname, name), 'utf8'))
      .join('\n'),
    data: {
      segments: facts.showcase?.segments ?? [],
      sourceAtZero: facts.showcase?.sourceAtZero ?? 0,
    },
    body: (
      <>
        <div class={`verdict ${STATES[verdict.outcome].className}`}>
          <p>
            <strong>
              <span aria-hidden="true">{STATES[verdict.outcome].sign}</span> {lead.sentence}
            </strong>
          </p>
          <List items={lead.notes} />
          {lead.verdict === undefined ? null : <p class="run-verdict">{lead.verdict}</p>}
          {lead.seenIn ? <SeenIn {...lead.seenIn} /> : null}
        </div>
        <Sections sections={sections} />
      </>
    ),
  });
}

/** The broadcast that the verdict speaks of. */
function SeenIn({ name, page: href }: NonNullable<Lead['seenIn']>): VNode {
  return (
    <p class="about">
      What viewers get is seen in “{href === undefined ? name : <a href={href}>{name}</a>}”.
    </p>
  );
}

function sectionsOf(shown: Shown, specs: readonly Spec[]): PageSection[] {
  const { causes = [], scenarios, problems, showcase } = shown.facts;
  const failed = scenarios.filter((scenario) => outcomeOf(scenario) === 'failed');
  const states = requirementStatesOf(specs, shown.facts);
  const requirements = (
    <>
      <p>{requirementsInWords(states)}.</p>
      <Filters />
      {states.map((spec) => (
        <Requirements key={spec.spec} {...{ shown, spec }} />
      ))}
    </>
  );
  const besides = (
    <>
      <p>What went wrong besides the scenarios.</p>
      {problems.map((problem) => (
        <Quote key={problem}>{problem}</Quote>
      ))}
    </>
  );
  const policy = policyOf(shown.facts.scopes);
  const groups = notShownByReason(scenarios, policy);
  const notes = needlesslyExcluded(scenarios, policy);
  const viewers = showcase ? <ShowcaseSection showcase={showcase} /> : <></>;
  const sections = [
    section('causes', 'Causes', <Causes {...{ causes, scenarios }} pages={shown.pages} />),
    section('viewers', 'What viewers get', viewers),
    section('failures', 'Failures', <Failures {...{ shown, failed }} />),
    section('problems', 'Problems', besides),
    section('broadcasts', 'Broadcasts', <Broadcasts shown={shown} />),
    section('not-shown', notShownTitle(groups), <NotShown {...{ shown, groups, notes }} />),
    section('scenarios', 'Scenarios', <Scenarios shown={shown} />),
    section('requirements', 'Requirements', requirements),
    section('environment', 'Time and environment', <Circumstances facts={shown.facts} />),
  ];
  const lists: Record<string, readonly unknown[]> = {
    ...{
      causes,
      viewers: showcase ? [showcase] : [],
      failures: failed,
      problems,
      'not-shown': [...groups, ...notes],
    },
  };
  return sections.filter(({ id }) => lists[id]?.length !== 0);
}

/** Those that found what is wrong; what only follows from it is folded. */
function Failures({ shown, failed }: { shown: Shown; failed: ScenarioResult[] }): VNode {
  const following = new Set(shown.facts.causes?.flatMap(({ followers }) => followers));
  const own = failed.filter(({ place }) => !following.has(place));
  const others = failed.filter(({ place }) => following.has(place));
  const articleOf = (scenario: ScenarioResult): VNode => (
    <article class="failure" key={scenario}>
      <h3>
        <ScenarioBadge scenario={scenario} /> {scenario.name}
      </h3>
      <Scenario {...{ shown, scenario }} />
    </article>
  );
  return (
    <>
      {own.map(articleOf)}
      {folded(others, `${counted(others.length, 'scenario')} that failed by what is above`, () => (
        <>{others.map(articleOf)}</>
      ))}
    </>
  );
}

function judgedByPlace(judged: readonly Judged[]): Shown['judged'] {
  const byPlace: Shown['judged'] = new Map();
  for (const one of judged) byPlace.set(one.place, [...(byPlace.get(one.place) ?? []), one]);
  return byPlace;
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

/** Which feature and requirements it belongs to, and where it is; its steps, and its evidence. */
function Scenario({ shown, scenario }: { shown: Shown; scenario: ScenarioResult }): VNode {
  const about = [scenario.feature, idsOf(scenario).join(', '), scenario.place];
  const outside = outsideSteps(scenario);
  return (
    <>
      <p class="about">{about.filter((part) => part !== '').join(' · ')}</p>
      {scenario.attempts?.map((one, index) => (
        <div key={index}>
          <p class="bad">{`Attempt ${index + 1} ${outcomeOf(one)}:`}</p>
          <Quote>{shownMessage(one.message) || one.status.toLowerCase()}</Quote>
        </div>
      ))}
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
      {scenario.status === 'UNKNOWN' ? <p class="bad">The run ended in the middle of it.</p> : null}
      <p class="about">
        {scenario.judgedBy.map((stream, index) => (
          <span key={stream}>
            {index > 0 ? ', ' : 'Evidence: '}
            <EvidenceLink {...{ shown, stream }} />
          </span>
        ))}
      </p>
      {scenario.streams ? (
        <p class="about">{`${scenario.streams.length === 1 ? 'Stream' : 'Streams'}: ${scenario.streams.join(', ')}`}</p>
      ) : null}
    </>
  );
}

const MEASURED: readonly Column<Judged>[] = [
  { head: 'checked', isHead: true, cell: ({ title }) => title },
  { head: 'state', cell: ({ isPassed }) => <Badge state={isPassed ? 'passed' : 'failed'} /> },
  { head: 'seen', kind: 'said', cell: ({ seen }) => cut(seen, LONGEST_VALUE) },
  { head: 'expected', kind: 'said', cell: ({ expected }) => cut(expected, LONGEST_VALUE) },
];

/** What its steps have measured, those that passed too. */
function MeasuredValues({ shown, place }: { shown: Shown; place: string }): VNode | null {
  const judged = shown.judged.get(place) ?? [];
  return folded(judged, `${counted(judged.length, 'value')} measured`, () => (
    <Table label={`Measured values: ${place}`} rows={judged} columns={MEASURED} />
  ));
}

/** How it ended; at which attempt, where that is not the first. */
function ScenarioBadge({ scenario }: { scenario: ScenarioResult }): VNode {
  const { attempts = [] } = scenario;
  const state = outcomeOf(scenario);
  const text = attempts.length > 0 ? `${state} at attempt ${attempts.length + 1}` : undefined;
  return <Badge state={state}>{text}</Badge>;
}

const NO_MESSAGE: Partial<Record<StepResult['status'], string>> = {
  UNDEFINED: 'This step is undefined: it has no step definition.',
  PENDING: 'This step is not finished.',
};

function Step({ step }: { step: StepResult }): VNode {
  const { keyword, text, table, status, message } = step;
  const outcome = outcomeOf(step);
  // After a failure, and while others are skipped, steps are not reached: that is no failure.
  const { sign, className } = STATES[outcome === 'skipped' ? 'not asked' : outcome];
  const { word } = STATES[outcome === 'skipped' ? 'not run' : outcome];
  const said = message === '' ? NO_MESSAGE[status] : shownMessage(message);
  return (
    <li>
      <span class={`sign ${className}`} role="img" aria-label={word}>
        {sign}
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
                  <tr key={index}>{row.map((cell) => h('td', null, cell))}</tr>
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

function EvidenceLink({ shown, stream }: { shown: Shown; stream: string }): VNode {
  const { page: href, name } = shown.pages.get(stream) ?? {};
  return href ? <a href={href}>{name}</a> : <>{`${stream} (no page)`}</>;
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
          {(['failed', 'skipped', 'not shown', 'not run', 'passed'] as const).map((state) => (
            <option key={state}>{state}</option>
          ))}
        </select>
      </label>
      <output />
    </form>
  );
}

function Requirements({ shown, spec }: { shown: Shown; spec: SpecState }): VNode {
  const columns: Column<RequirementState>[] = [
    { head: 'State', cell: ({ state }) => <Badge state={state} /> },
    {
      ...{ head: 'ID', kind: 'id', isHead: true },
      cell: ({ id, priority }) => (
        <>
          {id} {priority ? <span class="faint">{priority}</span> : null}
        </>
      ),
    },
    { head: 'What must hold', kind: 'must', cell: (one) => <MustHold {...one} /> },
    { head: 'Scenarios', cell: ({ scenarios }) => <ScenarioNames {...{ shown, scenarios }} /> },
  ];
  return (
    <section class="spec">
      <details open={spec.requirements.some(({ state }) => state === 'failed')}>
        <summary>
          <h3>{[spec.spec, spec.title].filter(Boolean).join(' ')}</h3>{' '}
          <span class="faint">{requirementsInWords([spec])}</span>
        </summary>
        <Table
          {...{ columns, rows: spec.requirements, body: 'states' }}
          label={`Requirements: ${spec.title}`}
          rowOf={({ state }) => ({ 'data-state': state })}
        />
      </details>
    </section>
  );
}

/** What product asks for, and those of its sentences that are not passed. */
function MustHold({ text, missing }: RequirementState): VNode {
  return (
    <>
      {text}
      {missing.length === 0 ? null : (
        <ul class="names missing">
          {missing.map((one) => (
            <li key={one.text}>
              <Badge state={one.state} /> {one.text} <span class="faint">{`(${one.why})`}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** Links to scenarios; the state of those that did not pass. */
function ScenarioNames({ shown, scenarios }: { shown: Shown; scenarios: ScenarioResult[] }): VNode {
  return (
    <ul class="names">
      {scenarios.map((scenario) => (
        <li key={scenario}>
          {outcomeOf(scenario) === 'passed' ? null : <Badge state={outcomeOf(scenario)} />}{' '}
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
                <ScenarioBadge scenario={scenario} /> {scenario.name}{' '}
                <span class="faint">{duration(scenario.seconds)}</span>
              </summary>
              <Scenario {...{ shown, scenario }} />
              <MeasuredValues place={scenario.place} shown={shown} />
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

/** What the configuration cannot show, each reason once, and which of its scenarios fail the run. */
function NotShown(of: { shown: Shown; groups: NotShownGroup[]; notes: string[] }): VNode {
  const { shown, groups, notes } = of;
  return (
    <>
      {shown.facts.scopes.map((scope, index) => (
        <Quote key={index}>{scopeInWords(scope).join('\n')}</Quote>
      ))}
      {groups.map(({ reason, scenarios }) => (
        <div key={reason}>
          <Quote>{reason}</Quote>
          <ul class="names">
            {scenarios.map(({ scenario, excuse }) => (
              <li key={scenario}>
                <a href={`#${shown.anchors.get(scenario)}`}>{scenario.name}</a>{' '}
                <span class={excuse ? 'faint' : 'bad'}>{`(${excuse ?? 'fails the run'})`}</span>
              </li>
            ))}
          </ul>
        </div>
      ))}
      <List items={notes} />
    </>
  );
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
            <summary>{`${counted(scenarios.length, 'scenario')} skipped for this reason`}</summary>
            <ScenarioNames {...{ shown, scenarios }} />
          </details>
        </div>
      ))}
    </>
  );
}

function Broadcasts({ shown }: { shown: Shown }): VNode {
  const { broadcasts, scenarios } = shown.facts;
  if (broadcasts.length === 0) return <p>No broadcast was judged.</p>;
  const judgements = new Map(broadcasts.map((one) => [one, stateOfBroadcast(one, scenarios)]));
  const columns: Column<BroadcastSummary>[] = [
    {
      ...{ head: 'State', kind: 'looked' },
      cell: (one) => <Looked {...{ shown, ...judgements.get(one) }} />,
    },
    {
      ...{ head: 'Broadcast', kind: 'broadcast', isHead: true },
      cell: ({ name, page: href, stream }) => (
        <>
          {href ? <a href={href}>{name}</a> : name}
          <div class="about">{stream}</div>
        </>
      ),
    },
    ...broadcastColumns,
    {
      ...{ head: 'Made to go wrong', kind: 'faults' },
      cell: ({ faults }) => <List items={faults} />,
    },
  ];
  return <Table label="Figures of each broadcast" rows={broadcasts} columns={columns} />;
}

/** How the scenarios ended that looked at a broadcast, and which they are. */
function Looked(of: { shown: Shown; state?: ShownState; looked?: ScenarioResult[] }): VNode {
  const { shown, state = 'not judged', looked = [] } = of;
  return (
    <>
      <Badge state={state} />
      {folded(looked, counted(looked.length, 'scenario'), () => (
        <ScenarioNames {...{ shown, scenarios: looked }} />
      ))}
    </>
  );
}

function Circumstances({ facts }: { facts: RunFacts }): VNode {
  const { startedAtMs, seconds, environments, reportSeconds } = facts;
  const parts = environments.length > 1 ? ', all parts together' : '';
  const took = seconds === undefined ? 'unknown: it has no end' : duration(seconds) + parts;
  return (
    <>
      <Terms
        items={[
          ['Began', startedAtMs === undefined ? 'unknown' : moment(startedAtMs)],
          ['Took', took],
          ['Reports made in', duration(reportSeconds)],
        ]}
      />
      {environments.length === 0 ? <p>Where and with what it was made is unknown.</p> : null}
      {environments.map((environment, index) => (
        <Environment key={index} {...environment} />
      ))}
    </>
  );
}

function Environment(environment: RunEnvironment): VNode {
  const { shard, settings, runtime, suite, commit, system, processors, speed, node } = environment;
  const speedText = speed === undefined ? '' : ` of speed ${speed}`;
  const memory = `${(environment.memoryBytes / 2 ** 30).toFixed(1)} GiB of memory`;
  const differing = Object.entries(settings).map(([name, value]) => (
    <div key={name}>
      <code>{`${name}=${value}`}</code>
    </div>
  ));
  return (
    <>
      {shard ? <h3>{`Part ${shard.index} of ${shard.count}`}</h3> : null}
      <Terms
        items={[
          ['Services', runtime],
          ['Suite', `${suite}, commit ${commit}`],
          ['System', `${system}, ${counted(processors, 'processor')}${speedText}, ${memory}`],
          ['Node.js', node],
          ['Settings', differing.length > 0 ? differing : 'nothing: all have their defaults'],
        ]}
      />
    </>
  );
}
