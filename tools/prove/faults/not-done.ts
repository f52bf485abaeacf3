import type { Fault as PlannedFault } from '../../../support/broadcast/fault';
import { faultDoneAt } from '../../../support/broadcast/events';
import type { EvidenceFault, ScenarioName } from '../fault';

/** Several broadcasts with faults at the same time: these scenarios are judged by each of them. */
const AT_ONCE = ['018-US1-6 A broadcast without', '018-SC Every metric'];

/** One kind of fault was planned, its moment came, and the tap has not done it. */
function notDone(
  does: PlannedFault['does'],
  broadcast: ScenarioName,
  says: RegExp,
  others: readonly ScenarioName[] = [],
): EvidenceFault {
  return {
    name: `A planned fault is not recorded as done: ${does}, ${broadcast}`,
    broadcast,
    alter: (evidence) =>
      evidence.tap((events) => events.filter((one) => faultDoneAt(one)?.fault.does !== does)),
    red: Object.fromEntries([broadcast, ...others].map((name) => [name, says])),
  };
}

const withoutIt = (event: string): RegExp =>
  new RegExp(`could not be done: [^\\n]*${event}[^\\n]*answered without it[\\s\\S]*fragments sent`);
const missed = (event: string): RegExp =>
  new RegExp(`could not be done: [^\\n]*${event}[\\s\\S]*connections of this stream`);

/** The records of faults are missing: a scenario of each kind of fault is not judged. */
export const NOT_DONE: EvidenceFault[] = [
  notDone('delay', '018-US2-2', withoutIt('the answer is delayed')),
  notDone('error', '018-US3-5', withoutIt('INVALID_CONFIG'), AT_ONCE),
  notDone('soften', '018-US4-3', withoutIt('half as loud')),
  notDone('resize', '018-E2', withoutIt('percent'), AT_ONCE),
  notDone('malform', '018-E2', withoutIt('not Base64'), AT_ONCE),
  notDone('backpressure', '018-US4-4', missed('requests a pause')),
  notDone('disconnect', '018-E8', missed('the connection is lost')),
  notDone('mute', '018-E7 Nothing arrives from', missed('nothing arrives from the STS'), AT_ONCE),
  notDone('disconnect', '021-E1 The STS is unreachable', missed('from the start'), ['019-E1']),
  {
    name: 'A dropped answer arrived all the same, and nothing says that it was dropped',
    broadcast: '018-US5-4',
    alter: (evidence) =>
      evidence.tap((events) =>
        events.map((one) => {
          const done = faultDoneAt(one);
          if (done?.fault.does !== 'drop') return one;
          const payload = { ...done, notDone: 'the answer was passed on' };
          return { ...one, payload };
        }),
      ),
    red: Object.fromEntries(
      ['018-US5-4', ...AT_ONCE].map((name) => [
        name,
        /could not be done: [^\n]*the answer is dropped \(not done: the answer was passed on\)/,
      ]),
    ),
  },
];
