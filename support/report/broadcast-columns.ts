import type { BroadcastSummary } from './facts';

/** The figures of a broadcast that the page of a run and its summary list, and how. */
export const broadcastColumns: readonly {
  title: string;
  shown: (stream: BroadcastSummary) => string;
}[] = [
  {
    title: 'Answered',
    shown: ({ figures }) => `${figures.fragmentsAnswered} of ${figures.fragmentsSent}`,
  },
  { title: 'Worst offset', shown: ({ figures }) => unit(figures.offsetWorstMs, 0, 'ms', true) },
  { title: 'End to end', shown: ({ figures }) => unit(figures.endToEndSeconds, 1, 's') },
  { title: 'Answers, p95', shown: ({ figures }) => unit(figures.answerP95Ms, 0, 'ms') },
  {
    title: 'Wrong words',
    shown: ({ figures }) =>
      unit(figures.wordErrorRate === undefined ? undefined : 100 * figures.wordErrorRate, 1, '%'),
  },
  { title: 'Took', shown: ({ figures }) => unit(figures.tookSeconds, 1, 's') },
];

function unit(value: number | undefined, digits: number, name: string, isSigned = false): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  const rounded = value.toFixed(digits).replace(/^-(0(?:\.0+)?)$/, '$1');
  return `${isSigned && Number(rounded) > 0 ? '+' : ''}${rounded} ${name}`;
}
