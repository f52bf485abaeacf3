import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { expect } from 'chai';
import { parse } from 'yaml';

import { NotObserved } from '../../support/base/errors';
import { parsePrometheus } from '../../support/base/prometheus';
import type { TapEvent } from '../../support/broadcast/events';
import { projectRoot, readConfig } from '../../support/config';
import { tapLine, verdictLine } from '../../tools/doctor/broadcast';
import { draftOf } from '../../tools/doctor/draft';
import { asking, causesIn, ok, shownLine } from '../../tools/doctor/line';
import { foundMetrics, metricLines } from '../../tools/doctor/metrics';
import { answerLines } from '../../tools/doctor/running';
import { seenIn, type SeenMetrics } from '../../tools/doctor/seen-metrics';

const { metrics: names } = readConfig({}).settings('127.0.0.1');

/** Of metrics of a type without labels. */
const typed = (types: Record<string, string>): SeenMetrics =>
  new Map(
    Object.entries(types).map(([name, type]) => [
      name,
      { type, labels: new Map(), hasSeries: false },
    ]),
  );

/** What a service in other clothes exports. */
const SEEN = typed({
  media_service_worker_segments_processed: 'counter',
  worker_audio_fragments_total: 'gauge',
  dub_av_offset_ms: 'gauge',
  sts_circuit_state: 'gauge',
  process_cpu_seconds_total: 'counter',
  worker_inflight_fragments: 'untyped',
});
const STREAM = 'test_12-s-nfl_1';
const FILE = { file: 'my-system.yaml', stream: STREAM };

/** What is seen of a text of /metrics. */
function seenOfText(text: string): SeenMetrics {
  const { samples, families } = parsePrometheus(text);
  const types = [...families].flatMap(([name, { type }]) => (type ? [[name, type] as const] : []));
  return seenIn([{ samples, types: Object.fromEntries(types) }]);
}

const nearTo = (key: string, seen: SeenMetrics): string[] | undefined =>
  foundMetrics(names, seen).find((one) => one.key === key)?.near;

test('a metric of another name is found by the words that both have in common', () => {
  expect(nearTo('avSyncDelta', SEEN)).to.deep.equal(['dub_av_offset_ms']);
  expect(nearTo('breakerState', SEEN)?.[0]).to.equal('sts_circuit_state');
  expect(nearTo('reconnections', typed({ worker_sts_reconnects_total: 'counter' }))).to.have.length(
    1,
  );
});

test('metrics that have nothing in common with the wanted one are not named', () => {
  const others = typed({ process_cpu_seconds_total: 'counter', go_gc: 'gauge' });
  expect(nearTo('fallbacks', others)).to.be.empty;
});

test('at most three near names are given, the best first', () => {
  const types = { a_fallback_total: '', fallback: '', b_fallback: '', c_fallback: '' };
  const near = nearTo('fallbacks', typed(types));
  expect(near).to.have.length(3);
  expect(near?.[0]).to.equal('fallback');
});

test('a metric is found by labels whose values are those of the specs, whatever it is called', () => {
  const seen = seenOfText(
    `# TYPE dubber_original_audio counter
dubber_original_audio_total{why="timeout"} 0
dubber_original_audio_total{why="disconnected"} 1
# TYPE http_requests counter
http_requests_total{reason="timeout"} 1
http_requests_total{reason="not found"} 1
`,
  );
  expect(nearTo('fallbacks', seen)).to.deep.equal(['dubber_original_audio_total']);
  const draft = drafted(seen);
  expect(draft['fallbacks']).to.deep.equal({
    name: 'dubber_original_audio_total',
    labels: { stream: 'none', reason: 'why' },
  });
});

test('a metric that is taken for one of the specs is not taken for another one as well', () => {
  const seen = seenOfText('worker_fallback_total{reason="timeout"} 0\n');
  expect(foundMetrics(names, seen).flatMap(({ near }) => near)).to.be.empty;
});

test('a counter is found by its series and by its family', () => {
  const found = foundMetrics(names, SEEN).find(({ key }) => key === 'segmentsProcessed');
  expect(found).to.deep.equal({ key: 'segmentsProcessed', type: 'counter', near: [] });
});

test('a metric is called as its series are, a histogram without the parts', () => {
  const seen = seenOfText(
    `# TYPE a counter
a_total{stream_id="x"} 1
# TYPE b histogram
b_bucket{le="+Inf"} 1
b_count 1
b_sum 2
# TYPE c gauge
d 4
`,
  );
  expect([...seen].map(([name, { type }]) => `${name} ${type}`)).to.have.members([
    ...['a_total counter', 'b histogram', 'd untyped', 'c gauge'],
  ]);
});

test('a line says of each metric what is missing, of another kind, and what to write', () => {
  const lines = metricLines(names, SEEN, FILE).map(shownLine).join('\n');
  expect(lines).to.match(/ok +metrics +media_service_worker_segments_processed_total/);
  expect(lines).to.match(/missing +metrics +worker_av_sync_delta_ms \(histogram\): not there/);
  expect(lines).to.include(
    'is it dub_av_offset_ms (gauge)? Say so in metrics.avSyncDelta of my-system.yaml',
  );
  expect(lines).to.match(
    /WRONG +metrics +worker_audio_fragments_total: a gauge, expected: a counter/,
  );
  expect(lines).to.match(
    /worker_fallback_total[^\n]*not there\n +→ say what it is called in metrics\.fallbacks/,
  );
  expect(lines).not.to.include('acceptance.yaml');
});

test('a line says which metrics do not name the stream, and the draft says it', () => {
  const nameless = seenOfText(
    'worker_inflight_fragments 1\nworker_sts_breaker_state{stream_id="o"} 0\n',
  );
  const lines = metricLines(names, nameless, FILE).map(shownLine).join('\n');
  expect(lines).to.match(
    /no label stream_id of worker_inflight_fragments, worker_sts_breaker_state\n +→ labels: \{ stream: none \}/,
  );
  expect(drafted(nameless)['inflight']).to.deep.equal({
    ...{ name: names.inflight, labels: { stream: 'none' } },
  });
  const named = seenOfText(`worker_inflight_fragments{stream_id="${STREAM}"} 1\n`);
  expect(metricLines(names, named, FILE).map(shownLine).join('\n')).not.to.include('stream_id');
  const other = seenOfText(`worker_inflight_fragments{channel="${STREAM}"} 1\n`);
  expect(metricLines(names, other, FILE).map(shownLine).join('\n')).to.include(
    '{ stream: channel }',
  );
  expect(drafted(other)['inflight']).to.deep.equal({
    ...{ name: names.inflight, labels: { stream: 'channel' } },
  });
});

/** The metrics of a draft. */
function drafted(metrics: SeenMetrics): Record<string, unknown> {
  const text = draftOf(join(projectRoot, 'acceptance.yaml'), names, { metrics, stream: STREAM });
  return (parse(text) as { metrics: Record<string, unknown> }).metrics;
}

test('the draft has what was found in place of what is not there, and says what is absent', (t) => {
  const file = join(projectRoot, 'acceptance.yaml');
  const text = draftOf(file, names, { metrics: SEEN, stream: STREAM });
  const draft = parse(text) as { metrics: Record<string, unknown> };
  expect(draft.metrics['avSyncDelta']).to.deep.equal({ name: 'dub_av_offset_ms', kind: 'gauge' });
  expect(draft.metrics['audioFragments']).to.deep.equal({
    ...{ name: names.audioFragments, kind: 'gauge' },
  });
  expect(draft.metrics['fallbacks']).to.equal('absent');
  expect(draft.metrics['segmentsProcessed']).to.equal(names.segmentsProcessed);
  expect(text).to.include('# What the suite drives');
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const copy = join(folder, 'acceptance.yaml');
  writeFileSync(copy, text);
  const read = readConfig({ ACCEPTANCE_CONFIG: copy }).settings('127.0.0.1');
  expect(read.metrics.fallbacks).to.equal('absent');
});

test('without metrics the draft is the configuration', () => {
  const file = join(projectRoot, 'acceptance.yaml');
  const settings = parse(draftOf(file, names, undefined)) as { metrics: unknown };
  expect(settings.metrics).to.deep.equal(names);
});

const ECHO = { transcript: '[ECHO] x', translated_text: '[ECHO] x', dubbed_audio: 'AAAA' };

test('of an Echo STS that the configuration names, language and texts are not judged', () => {
  const lines = answerLines(ECHO, 12, { isEcho: true, file: 'my-system.yaml' });
  expect(lines.map(({ state }) => state)).to.deep.equal(['ok', 'ok']);
  expect(lines.map(shownLine).join('\n')).to.match(
    /ok +STS +is an Echo STS: language and texts are not judged here\n +→ begin with .*--tags @018/,
  );
});

test('an STS that answers as an Echo STS does is told from one that translates', () => {
  const [line] = answerLines(ECHO, 12, { isEcho: false, file: 'my-system.yaml' });
  expect(line?.state).to.equal('wrong');
  expect(line?.next).to.match(/ECHO_STS_URL .*my-system\.yaml/);
  const [spoken] = answerLines({ ...ECHO, transcript: 'one' }, 1, { isEcho: false, file: '' });
  expect(spoken?.state).to.equal('ok');
  const [silent] = answerLines({ transcript: 'one' }, 1, { isEcho: false, file: '' });
  expect(silent?.text).to.include('without translated_text, dubbed_audio');
});

test('what follows from another verdict is marked, and not counted', () => {
  const verdict = {
    ...{ criterion: 'frames', title: 'All frames', limit: null, where: 'x', deviations: [] },
    ...{ what: 'frames are missing', seen: '3 frames', expected: '300 frames' },
  };
  const because = { criterion: 'duration', title: 'It lasts as long', what: 'short', seen: '1 s' };
  const lines = [
    verdictLine({ ...verdict, state: 'failed' }),
    verdictLine({ ...verdict, state: 'follows', because }),
    verdictLine({ ...verdict, state: 'not shown', because }),
    verdictLine({ ...verdict, state: 'passed' }),
  ];
  expect(lines.map(({ state }) => state)).to.deep.equal(['wrong', 'follows', 'follows', 'ok']);
  expect(lines.map(shownLine).join('\n')).to.match(
    /follows +output .*\n +follows from: It lasts as long/,
  );
  expect(causesIn(lines)).to.have.length(1);
});

test('the tap has a line: who connected, and where media-service has to be pointed at', () => {
  const event: TapEvent = { at: 1, connection: 1, kind: 'open', header: {} } as unknown as TapEvent;
  const at = '127.0.0.1:21999';
  expect(tapLine({ tap: [event], unmatched: [] }, at)).to.deep.equal(
    ok('tap', '127.0.0.1:21999: media-service has connected'),
  );
  const [none, unknown, own] = [
    tapLine({ tap: [], unmatched: [] }, at),
    tapLine({ tap: [], unmatched: [event] }, at),
    tapLine({ tap: [], unmatched: [] }, undefined),
  ];
  expect([none.state, unknown.state, own.state]).to.deep.equal(['wrong', 'wrong', 'wrong']);
  expect(none.next).to.include('port 21999');
  expect(unknown.next).to.include('docs/contract.md');
  expect(own.next).to.include('stsUrlVariable');
});

test('options of the doctor are none of cucumber-js', () => {
  const child = spawnSync(
    process.execPath,
    ['-r', './support/base/typescript.cjs', 'tools/doctor/run.ts', '--broadcast'],
    { cwd: projectRoot, encoding: 'utf8' },
  );
  expect(child.status).to.equal(2);
  expect(child.stderr).to.include('usage: npm run doctor');
});

test('an error is a line with its cause and what to do', async () => {
  const problem = { what: 'no answer', where: 'http://x', seen: 'nothing', expected: 'an answer' };
  const [line] = await asking(
    'handshake',
    () => Promise.reject(new NotObserved(problem)),
    'start it',
  );
  expect(line).to.deep.equal({
    ...{ topic: 'handshake', state: 'wrong', next: 'start it' },
    text: 'no answer (http://x): nothing; expected: an answer',
  });
});

test('a line of several lines is indented', () => {
  expect(shownLine(ok('health', 'a\nb'))).to.equal(
    `ok        health          a\n${' '.repeat(26)}b`,
  );
});
