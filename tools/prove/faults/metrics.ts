import type { EvidenceFault } from '../fault';
import { BREAKER, DELTA } from './words';

/** Faults of what media-service says of itself, in the specs' clothes and in others. */
export const METRICS: EvidenceFault[] = [
  {
    name: 'media-service exports the A/V delta as a gauge, which says 253 ms',
    broadcast: '018-US1-1',
    alter: (evidence) =>
      evidence.metrics((polls) =>
        polls.map((poll) => {
          const count = poll.samples.find(({ name }) => name === `${DELTA}_count`);
          const others = poll.samples.filter(({ name }) => !name.startsWith(DELTA));
          const gauge = count ? [{ name: DELTA, labels: count.labels, value: 253 }] : [];
          const types = poll.types ? { types: { ...poll.types, [DELTA]: 'gauge' } } : {};
          return { ...poll, ...types, samples: [...others, ...gauge] };
        }),
      ),
    red: {
      '018-US1-4': /larger A\/V deltas[\s\S]*values of a gauge: 253\.0 ms/,
      '018-SC': /worker_av_sync_delta_ms: gauge, expected histogram/,
    },
  },
  {
    name: 'The metric says that the breaker is open again while fragments are sent',
    broadcast: '018-US3-2',
    alter: (evidence) =>
      evidence.metrics((polls) =>
        polls.map((poll, i) => ({
          ...poll,
          samples: poll.samples.map((one) =>
            one.name === BREAKER && i >= polls.length - 3 ? { ...one, value: 1 } : one,
          ),
        })),
      ),
    red: { '018-US3-4': /contradicts what went over the wire[\s\S]*open, not closed/ },
  },
];
