/** What a run says in a sentence, in plain words: first what viewers get, then what failed. */
import { coverageText, lostTexts } from './coverage';
import type { BroadcastSummary, RunFacts, Showcase } from './facts';
import { countsOf, verdictOf } from './run-report';
import { counted } from './wording';

/** So many causes are named. */
const MOST_CAUSES = 2;

/** The first that is read of a run. */
export interface Lead {
  /** What viewers get; then how many scenarios failed, and by what. Where no broadcast shows it, the verdict. */
  sentence: string;
  /** What of it is lost, and why, a line each. */
  notes: string[];
  /** The verdict in figures, where the sentence is another. */
  verdict?: string;
  /** The broadcast that the sentence is about. */
  seenIn?: Pick<BroadcastSummary, 'name' | 'page'>;
}

export function leadOf(facts: RunFacts): Lead {
  const { showcase } = facts;
  const { text: verdict } = verdictOf(facts);
  if (!showcase) return { sentence: verdict, notes: [NOT_SHOWN] };
  const notes = lostTexts(showcase.summary.coverage);
  const parts = [viewersGet(showcase), scenariosText(facts, notes)].filter((text) => text !== '');
  const replay = facts.isReplay ? [JUDGED_AGAIN] : [];
  const { name, page } = showcase.summary;
  return {
    ...{ sentence: `${parts.join('; ')}.`, notes: [...notes, ...replay], verdict },
    seenIn: { name, page },
  };
}

const NOT_SHOWN =
  'What viewers get is not shown by this run: it has no broadcast that was translated with nothing made to go wrong.';

const JUDGED_AGAIN = 'judged again from recordings: nothing was started or published by this run';

/** `es` in English: Spanish. */
export function languageName(code: string): string {
  return new Intl.DisplayNames('en', { type: 'language' }).of(code) ?? code;
}

function viewersGet({ summary, to }: Showcase): string {
  const { coverage, figures } = summary;
  const { heard, segments, audible = heard } = coverage;
  const language = languageName(to);
  if (heard === undefined) {
    return `What viewers hear was not measured; ${coverageText(coverage)} segments in ${language}`;
  }
  if (!audible) return `Viewers get no ${language}: 0 of ${counted(segments, 'segment')}`;
  const { endToEndSeconds, lateAtEndSeconds, offsetWorstMs } = figures;
  return [
    `Viewers get ${language} in ${audible} of ${counted(segments, 'segment')}`,
    ...(audible > heard ? [`${heard === 0 ? 'none' : heard} of them as they should be`] : []),
    ...(endToEndSeconds === undefined ? [] : [lateText(endToEndSeconds, lateAtEndSeconds)]),
    ...(offsetWorstMs === undefined
      ? []
      : [`video and audio together within ${Math.ceil(Math.abs(offsetWorstMs))} ms`]),
  ].join(', ');
}

/** A pipeline whose latency grows by less keeps up. */
const KEEPS_UP_SECONDS = 3;

function lateText(first: number, atEnd = first): string {
  const late = `${first.toFixed(1)} s late`;
  return atEnd > first + KEEPS_UP_SECONDS
    ? `${late} at first and ${atEnd.toFixed(1)} s at the end`
    : late;
}

/** Empty where nothing failed: the verdict says the rest. A cause by which segments are lost is not named where the notes are. */
function scenariosText(
  { scenarios, notRun, causes = [] }: RunFacts,
  notes: readonly string[],
): string {
  const { failed } = countsOf(scenarios);
  if (failed === 0) return '';
  const others = causes.filter(({ lost }) => notes.length === 0 || lost.length === 0);
  const named = others.slice(0, MOST_CAUSES).map(({ what }) => what);
  const more = others.length > MOST_CAUSES ? ['and others'] : [];
  const why = named.length > 0 ? `: ${[...named, ...more].join('; ')}` : '';
  return `${failed} of ${counted(scenarios.length + notRun, 'scenario')} failed${why}`;
}
