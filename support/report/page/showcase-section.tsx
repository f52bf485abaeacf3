import { Fragment, type VNode } from 'preact';

import { safeText } from '../../base/safe-text';
import type { Figure } from '../../checks/criterion';
import type { BroadcastFigures, Showcase } from '../facts';
import { Badge, type Column, Table } from '../layout';
import { languageName } from '../lead';
import { shownNumber } from '../wording';
import { PlayerTrouble, StepButtons } from './player';

/** So many lines of the translation are shown: those that are least like the translator's. */
export const WORST_LINES = 3;

export const SHOWCASE_STYLE = `
.screens { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); gap: .8rem; margin: .6rem 0; }
.screens figure { margin: 0; min-width: 0; } .screens video { display: block; width: 100%; aspect-ratio: 16 / 9; background: #000; }
.screens figcaption { font-weight: 600; font-size: .9rem; } .screens p { margin: .2rem 0; min-height: 1.5em; overflow-wrap: anywhere; }
.controls { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; align-items: center; } .controls p { margin: 0; }
.controls fieldset { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem .8rem; } .controls legend { float: left; margin-right: .8rem; padding: 0; }
.figures { display: grid; grid-template-columns: max-content minmax(6rem, 1fr) max-content; gap: .25rem .9rem; align-items: center; margin: .6rem 0; max-width: 60rem; font-size: .9rem; }
.figures dt { color: inherit; } .figures dd { margin: 0; font-variant-numeric: tabular-nums; }
.bar { position: relative; height: .7rem; background: var(--soft); border: 1px solid var(--line); }
.bar > * { position: absolute; top: 0; bottom: 0; } .bar .value { left: 0; background: var(--link); } .bar .beyond { background: var(--bad); }
.bar .limit { width: 2px; top: -4px; bottom: -4px; background: var(--fore); }
@media (max-width: 40rem) { .figures { grid-template-columns: 1fr; gap: .1rem; } .figures dd { margin-bottom: .5rem; } }
@media print { .screens video { display: none; } .bar { print-color-adjust: exact; } }
`;

/** What viewers get: the output beside the original, how much room there is to each limit, and the translation as it is. */
export function ShowcaseSection({ showcase }: { showcase: Showcase }): VNode {
  const { summary, figures } = showcase;
  const { name, page } = summary;
  return (
    <>
      <p class="about">
        {page === undefined ? safeText(name) : <a href={page}>{safeText(name)}</a>}
      </p>
      <Screens showcase={showcase} />
      {figures.length > 0 ? (
        <>
          <h3>Room to each limit</h3>
          <Figures figures={figures} />
          <Lateness {...summary.figures} />
        </>
      ) : null}
      <Translation showcase={showcase} />
    </>
  );
}

function Screen({ id, src, label }: { id: string; src: string; label: string }): VNode {
  return <video id={id} controls preload="metadata" src={src} aria-label={label} />;
}

function Screens({ showcase }: { showcase: Showcase }): VNode {
  const { output, original, from, to } = showcase;
  if (output === undefined) {
    return <p class="faint">There is no recording of it that browsers play.</p>;
  }
  const [source, target] = [languageName(from), languageName(to)];
  return (
    <>
      <div class="screens">
        <figure>
          <figcaption>The output, as viewers get it</figcaption>
          <Screen id="output" src={output} label="The recording of the output" />
          <p lang={to} id="now-dub" aria-live="off" />
        </figure>
        <figure>
          <figcaption>The original</figcaption>
          {original === undefined ? (
            <p class="faint">The clip is not there.</p>
          ) : (
            <Screen id="original" src={original} label="The clip that was published" />
          )}
          <p lang={from} id="now-original" aria-live="off" />
        </figure>
      </div>
      <PlayerTrouble>
        <a href={output}>the recording</a>
      </PlayerTrouble>
      <div class="controls no-print">
        {original === undefined ? null : (
          <fieldset class="needs-script" hidden>
            <legend>Audio</legend>
            <label>
              <input type="radio" name="audio" value="output" checked /> {`dub (${target})`}
            </label>
            <label>
              <input type="radio" name="audio" value="original" /> {`original (${source})`}
            </label>
          </fieldset>
        )}
        <StepButtons what="segment" />
        <p>
          <strong id="now-fragment" />
        </p>
      </div>
    </>
  );
}

type ShownFigure = Showcase['figures'][number];

/** Each figure and its limit as a bar; the same in words beside it. */
function Figures({ figures }: Pick<Showcase, 'figures'>): VNode {
  return (
    <dl class="figures">
      {figures.map((figure) => (
        <Fragment key={figure.name}>
          <dt>{figure.name}</dt>
          <Bar figure={figure} />
          <dd>
            {figureText(figure)} {figure.isWithin ? null : <Badge state="failed" />}
          </dd>
        </Fragment>
      ))}
    </dl>
  );
}

/** It has no limit: viewers of a live broadcast may be as late as the pipeline needs. */
function Lateness({ endToEndSeconds, lateAtEndSeconds }: BroadcastFigures): VNode | null {
  if (endToEndSeconds === undefined) return null;
  const atEnd =
    lateAtEndSeconds === undefined ? '' : `, the end ${shownNumber(lateAtEndSeconds)} s late`;
  return (
    <p class="about">
      {`The first frame is shown ${shownNumber(endToEndSeconds)} s late${atEnd}: the specs set no limit to that.`}
    </p>
  );
}

function Bar({ figure: { value, limit, isWithin } }: { figure: ShownFigure }): VNode {
  // The limit stands in the same place of all bars that stay below it.
  const whole = Math.max(value * 1.05, limit * 1.25) || 1;
  const percent = (of: number): string => `${Math.round((1000 * of) / whole) / 10}%`;
  return (
    <dd class="bar" aria-hidden="true">
      <span class={isWithin ? 'value' : 'value beyond'} style={`width:${percent(value)}`} />
      <span class="limit" style={`left:${percent(limit)}`} />
    </dd>
  );
}

/** `1 ms, below 120 ms`. */
export function figureText({ value, limit, unit, holds }: Figure): string {
  const shown = (figure: number): string => {
    const digits = unit === '' ? 2 : unit === 's' && figure % 1 !== 0 ? 1 : 0;
    return shownNumber(figure, digits, unit === '' ? '' : ` ${unit}`);
  };
  return `${shown(value)}, ${holds} ${shown(limit)}`;
}

type Line = Showcase['lines'][number];

function Translation({ showcase: { lines, from, to } }: { showcase: Showcase }): VNode | null {
  if (lines.length === 0) return null;
  const mean = lines.reduce((sum, { chrf = 0 }) => sum + chrf, 0) / lines.length;
  const columns: Column<Line>[] = [
    { head: 'segment', kind: 'number', isHead: true, cell: ({ segment }) => segment },
    { head: 'chrF', kind: 'number', cell: ({ chrf }) => shownNumber(chrf, 2) },
    { head: 'said', cell: ({ script = '' }) => <span lang={from}>{safeText(script)}</span> },
    {
      head: 'as the STS translates it',
      cell: ({ translation = '' }) => <span lang={to}>{safeText(translation)}</span>,
    },
    {
      head: 'by a translator',
      cell: ({ reference = '' }) => <span lang={to}>{safeText(reference)}</span>,
    },
  ];
  return (
    <>
      <h3>The translation: understandable?</h3>
      <p>
        {`That is for a reader to say. chrF, ${shownNumber(mean, 2)} on average, tells how many letters in a row it shares with a translator's text, not whether it makes sense. These ${WORST_LINES} lines share the fewest:`}
      </p>
      <Table
        label="The lines that are least like a translator's"
        rows={lines.slice(0, WORST_LINES)}
        columns={columns}
      />
    </>
  );
}
