/** Judgements that more than one scenario needs: the one that must hold, and the one that expects it to fail. */
import { LIMITS } from '../support/analyze/output-checks';
import type { BroadcastFindings } from '../support/analyze/broadcast-findings';
import { expectThat, observed } from './expect';

/** Bit error rates of Chromaprint fingerprints; between the two limits nothing is proved. */
export const { sameBelow: SAME_BELOW, differentAbove: DIFFERENT_ABOVE } = LIMITS;

/** The first Socket.IO connection of the stream is up within `withinMs` of the first attempt. */
export function checkConnection(run: BroadcastFindings, withinMs: number): number {
  const attempts = [...run.events('open'), ...run.events('refused')].sort((a, b) => a.at - b.at);
  const ready = run.events('event', 'stream:ready')[0];
  const opened = run.events('open')[0];
  const tookMs = attempts[0] && ready ? ready.at - attempts[0].at : undefined;
  const tried =
    attempts.length === 0
      ? `no attempt to connect: ${run.evidence.run.outcome}`
      : `${attempts.length} attempts, none answered with stream:ready; the last: ${JSON.stringify(attempts.at(-1)?.payload)}`;
  expectThat(opened !== undefined && tookMs !== undefined && tookMs <= withinMs, {
    what: 'media-service was not connected to the STS in time',
    where: `stream ${run.stream}`,
    seen: tookMs === undefined ? tried : `${tookMs} ms from the first attempt to stream:ready`,
    expected: `at most ${withinMs} ms`,
    next: `read media-service.log in ${run.evidence.folder}`,
  });
  return tookMs ?? 0;
}

/** Every fragment that was sent has an answer. */
export function checkAnswered(run: BroadcastFindings): void {
  const unanswered = run.fragments.filter(({ answer }) => !answer);
  expectThat(run.fragments.length > 0 && unanswered.length === 0, {
    what: 'not every fragment was answered',
    where: `stream ${run.stream}`,
    seen: `${run.fragments.length} sent, without an answer: ${unanswered.map((f) => f.fragmentId).join(', ') || 'none'}`,
    expected: 'at least one fragment sent, fragment:processed for each',
    next: `read tap.ndjson and sts-service.log in ${run.evidence.folder}`,
  });
}

/** The broadcast was dubbed to the end of its output within the budget. */
export function checkBudget(run: BroadcastFindings, budgetSeconds: number): void {
  const { times, outcome } = run.evidence.run;
  const seconds =
    ((times.outputEnded ?? run.evidence.run.finishedAt) - (times.published ?? 0)) / 1000;
  const trips = run.fragments.map((f) =>
    f.roundTripMs === undefined ? '-' : `${f.roundTripMs} ms`,
  );
  const answered = run.fragments.filter((f) => f.answer).length;
  // An output that broke off has ended as well: the end is that of all segments.
  const isWhole = outcome === 'the output ended' && answered === run.fixture.script.length;
  expectThat(isWhole && seconds <= budgetSeconds, {
    what: 'the broadcast was not dubbed to its end in time',
    where: `stream ${run.stream}`,
    seen:
      `${outcome}, after ${seconds.toFixed(1)} s; ${answered} of ${run.fixture.script.length} fragments answered; ` +
      `time of each fragment sent: ${trips.join(', ') || 'none was sent'}`,
    expected: `all fragments answered, and the end of the output within ${budgetSeconds} s`,
  });
}

/** The output's picture lasts as long as wanted, and so does its sound; from packets, not from headers. */
export async function checkDuration(run: BroadcastFindings, from: number, to: number): Promise<string> {
  const { outputFile } = run;
  const span = await run.output.span();
  const video = observed(outputFile, 'a picture track', span.video);
  const audio = observed(outputFile, 'a sound track', span.audio);
  const [start, end] = [
    Math.min(video.firstPtsSeconds, audio.firstPtsSeconds),
    Math.max(
      video.firstPtsSeconds + video.durationSeconds,
      audio.firstPtsSeconds + audio.durationSeconds,
    ),
  ];
  const figures =
    `picture ${video.durationSeconds.toFixed(3)} s, sound ${audio.durationSeconds.toFixed(3)} s, ` +
    `both together ${(end - start).toFixed(3)} s`;
  const lengths = [video.durationSeconds, audio.durationSeconds, end - start];
  expectThat(
    lengths.every((seconds) => seconds >= from && seconds <= to),
    {
      what: 'the output has another length',
      where: outputFile,
      seen: figures,
      expected: `${from} s to ${to} s`,
    },
  );
  return figures;
}
