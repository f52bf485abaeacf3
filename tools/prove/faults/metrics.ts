import type { Sample } from '../../../support/base/prometheus';
import type { EvidenceFault } from '../fault';
import { BREAKER, DELTA, FALLBACKS } from './words';

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
  {
    name: 'The metric of the breaker is declared, but has no value',
    broadcast: '018-US3-2',
    alter: (evidence) =>
      evidence.metrics((polls) =>
        polls.map((poll) => ({
          ...poll,
          samples: poll.samples.filter(({ name }) => name !== BREAKER),
        })),
      ),
    red: {
      '018-US3-4': /what media-service says of its breaker was not observed/,
      '018-SC': /worker_sts_breaker_state: no value of this stream/,
    },
  },
  {
    name: 'Each fallback is counted as a timeout, too',
    broadcast: '018-US3-2',
    alter: (evidence) =>
      evidence.metrics((polls) =>
        polls.map((poll) => {
          const isTimeout = ({ labels }: Sample): boolean => labels['reason'] === 'timeout';
          const ours = poll.samples.filter(({ name }) => name === FALLBACKS);
          const value = ours
            .filter((one) => !isTimeout(one))
            .reduce((sum, one) => sum + one.value, 0);
          const samples = poll.samples.map((one) =>
            one.name === FALLBACKS && isTimeout(one) ? { ...one, value } : one,
          );
          return { ...poll, samples };
        }),
      ),
    red: {
      '018-US3-2': /a fallback is counted for several reasons, or for none/,
      '018-SC': /worker_fallback_total, all reasons: 20, seen from outside 10/,
    },
  },
];
