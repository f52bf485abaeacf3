import { RunFindings } from '../support/analyze/run-findings';
import { readEvidence } from '../support/observe/evidence';
import { readFixture } from '../support/fixture';
(async () => {
  const ev = readEvidence(process.argv[2]!);
  const run = new RunFindings(ev, readFixture(ev.run.fixtureScript, ev.run.fixtureFile));
  const o = run.output;
  let t = Date.now();
  const lap = (n: string) => {
    console.log(n, Date.now() - t, 'ms');
    t = Date.now();
  };
  await o.pictures();
  lap('pictures');
  await o.sound();
  lap('sound');
  await o.sourceStarts();
  lap('starts');
  const p = await o.placements();
  lap('placements');
  for (const x of p)
    console.log(
      x.sequence,
      x.delta.observed
        ? [
            x.delta.deltaMs.toFixed(1),
            x.delta.score.toFixed(2),
            x.delta.heardShare.toFixed(2),
            x.delta.speed,
          ].join(' ')
        : x.delta.reason,
      x.plays.observed ? x.plays.plays.length : '-',
      x.original.observed
        ? `${x.original.score.toFixed(3)} ${x.original.levelDb.toFixed(1)}`
        : x.original.reason,
    );
  console.log(await o.sync());
  const s = await o.seams();
  lap('seams');
  if (s.observed) for (const m of s.seams) console.log(JSON.stringify(m));
  console.log(await o.likeOriginal());
  const w = await o.likeOriginalBySegment();
  lap('fp');
  if (w.observed) console.log(w.windows.map((x) => x.bitErrorRate.toFixed(2)).join(' '));
  const e = await o.englishHeard();
  lap('heard');
  console.log(e.text, e.lines.map((l) => l.share.toFixed(2)).join(' '));
  const i = await o.isochrony();
  if (i.observed)
    console.log(
      i.segments
        .map((x) => x.originalSpeechSeconds.toFixed(1) + '/' + x.dubbedSpeechSeconds.toFixed(1))
        .join(' '),
    );
  console.log(process.memoryUsage().rss / 1e6);
})();
