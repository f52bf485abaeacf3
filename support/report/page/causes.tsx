import type { VNode } from 'preact';

import { safeText } from '../../base/safe-text';
import { causeInWords, namesOf, NOT_AS_IT_SHOULD_BE } from '../causes';
import type { BroadcastSummary, CauseFacts } from '../facts';
import { List, Terms } from '../layout';
import { outcomeOf, type ScenarioResult } from '../scenario-results';

/** What is wrong, where, and when; then what follows from it. The one that explains most comes first. */
export function Causes(parts: {
  causes: readonly CauseFacts[];
  scenarios: readonly ScenarioResult[];
  /** By stream: where it was found; not given on the page of the broadcast itself. */
  pages?: ReadonlyMap<string, BroadcastSummary>;
}): VNode {
  const failed = parts.scenarios.filter((one) => outcomeOf(one) === 'failed');
  return (
    <>
      {parts.causes.map((cause) => (
        <article class="failure" key={cause}>
          <h3>{safeText(causeInWords(cause, failed.length).title)}</h3>
          <Terms items={termsOf(cause, failed).map(([name, text]) => [name, safeText(text)])} />
          <Evidence broadcast={parts.pages?.get(cause.stream ?? '')} />
          <List items={cause.log.map(({ service, text }) => `${service}: ${text}`)} />
        </article>
      ))}
    </>
  );
}

function Evidence({ broadcast }: { broadcast: BroadcastSummary | undefined }): VNode | null {
  if (broadcast?.page === undefined) return null;
  return (
    <p>
      Evidence: <a href={broadcast.page}>{safeText(broadcast.name)}</a>
    </p>
  );
}

function termsOf(cause: CauseFacts, failed: readonly ScenarioResult[]): [string, string][] {
  const { where, seen, expected, meaning, next, place, scenarios, followers } = cause;
  const { judged, lost } = causeInWords(cause, failed.length);
  const terms: [string, string | undefined][] = [
    ['where', [where, place].filter(Boolean).join(', ')],
    ['judged as', judged],
    ...lost.map((text): [string, string] => [NOT_AS_IT_SHOULD_BE, text]),
    ['seen', seen],
    ['expected', expected],
    ['means', meaning],
    ['next', next],
    ['found by', scenarios.length > 0 ? namesOf(scenarios, failed) : undefined],
    ['from it follows', followers.length > 0 ? namesOf(followers, failed) : undefined],
  ];
  return terms.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]]));
}
