/** How scenarios speak of broadcasts through the STS, read by the steps themselves and by whoever starts them early. */
import type { Pickle } from '@cucumber/messages';

import { SuiteError } from '../support/base/errors';
import { match, readFault, type Fault } from '../support/broadcast/faults';
import { fixtureNames } from '../support/parameter-types';
import type { BroadcastOptions } from '../support/session/session';

/** What stands in the brackets of a step. */
type Found = readonly string[];

const NAMES: Record<string, BroadcastOptions> = {
  'one-minute broadcast': {},
  ...Object.fromEntries(Object.entries(fixtureNames).map(([words, name]) => [words, { name }])),
};
// Written otherwise than the parameter type of the same names, which would put others in their place.
const WHICH = `(?:the|an?) ((?:${Object.keys(NAMES).join('|')}))`;
// Cucumber's HTML report shows a step twice where a bracket of its own is missing or empty.
export const DUBBED = new RegExp(
  `^${WHICH} (is dubbed(?: whose publisher is cut off after \\d+ seconds| with a budget of \\d+ seconds| whose output the media server refuses)?)$`,
);
export const SLOWLY_DUBBED = new RegExp(
  `^${WHICH} is on the air whose answers take (\\d+) seconds longer$`,
);
export const NOT_REACHED = /^the STS cannot be reached for this stream$/;
export const LOST = /^the STS cannot be reached any more once (\d+) fragments? has been sent$/;
export const SLOW = /^the STS takes (\d+) seconds longer for each answer$/;

const REFUSED = 'the connection is cut and refused from then on';

export const notReached = (): Fault => readFault('from the start', REFUSED);
export const lost = ([sent]: Found): Fault =>
  readFault(`when fragment ${Number(sent) - 1} is sent`, REFUSED);
export const slow = ([seconds]: Found): Fault =>
  readFault('every fragment', `the answer takes ${seconds} seconds longer`);

/** @param plan what happens between media-service and the STS, as the steps before have said */
export function dubbed([which, how = '']: Found, plan?: Fault[]): BroadcastOptions {
  const seconds = Number(/\d+/.exec(how)?.[0]);
  return {
    ...named(which),
    ...(plan ? { plan } : {}),
    ...(how.includes('budget') ? { budgetSeconds: seconds } : {}),
    ...(how.includes('cut off') ? { faults: { breakOffAfterSeconds: seconds } } : {}),
    ...(how.includes('refuses') ? { faults: { refuseOutput: true } } : {}),
  };
}

export function slowlyDubbed([which, seconds = '']: Found): BroadcastOptions {
  return { ...named(which), plan: [slow([seconds])] };
}

function named(which: string | undefined): BroadcastOptions {
  const broadcast = NAMES[which ?? ''];
  if (broadcast) return broadcast;
  throw new SuiteError({
    what: 'there is no broadcast of that name',
    where: 'fixtures/',
    seen: which ?? 'none',
    expected: Object.keys(NAMES).join(', '),
  });
}

/** All broadcasts that a scenario asks for. */
export function broadcastsOf({ steps }: Pickle): BroadcastOptions[] {
  let plan: Fault[] | undefined;
  return steps.flatMap(({ text }): BroadcastOptions[] => {
    const fault = match(
      [
        [NOT_REACHED, notReached],
        [LOST, lost],
        [SLOW, slow],
      ],
      text,
    );
    if (fault) plan = [fault];
    const broadcast = match(
      [
        [DUBBED, (found) => dubbed(found, plan)],
        [SLOWLY_DUBBED, slowlyDubbed],
      ],
      text,
    );
    return broadcast ? [broadcast] : [];
  });
}
