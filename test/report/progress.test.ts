import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { liveLine, waitingText, type Output, type Waiting } from '../../support/report/progress';

const NOTHING: Waiting = { waits: new Set(), broadcasts: new Map() };
const STEP = { text: 'the whole broadcast has been dubbed', sinceMs: 1000 };
const RUNNING: Waiting = {
  ...NOTHING,
  scenario: { ids: ['021-US2-1'], name: 'A viewer hears Spanish from the beginning to the end' },
  step: STEP,
};
const broadcastsAt = (...far: [elapsed: number, length: number][]): Waiting['broadcasts'] =>
  new Map(
    far.map(([elapsedSeconds, durationSeconds], i) => [
      `test_${i}`,
      {
        ...{ stream: `test_${i}`, elapsedSeconds, durationSeconds, fragmentsProcessed: 4 },
        ...{ title: 'One minute of football', atMs: 20_000 },
      },
    ]),
  );

describe('what is waited for', () => {
  it('is not said of a step that takes no longer than most', () => {
    expect(waitingText(NOTHING, 60_000)).to.be.undefined;
    expect(waitingText(RUNNING, 3999)).to.be.undefined;
    expect(waitingText(RUNNING, 4000)).to.match(/· waiting for 3 s$/);
  });

  it('is scenario, step and time', () => {
    expect(waitingText(RUNNING, 24_000)).to.equal(
      '… 021-US2-1 A viewer hears Spanish from the beginning to the end · ' +
        'the whole broadcast has been dubbed · waiting for 23 s',
    );
    expect(waitingText(RUNNING, 96_000)).to.match(/ waiting for 1 min 35 s$/);
  });

  it('says what was seen last of it, shortened', () => {
    const seen = `sts: 503 {"reason": "loading"}\n${'x'.repeat(200)}`;
    const waits = new Set([{ what: 'the services to start', sinceMs: 14_000, seen }]);
    const text = waitingText({ ...NOTHING, waits }, 24_000) ?? '';
    expect(text).to.match(/start for 10 s \(sts: 503 \{"reason": "loading"\} x+…\)$/);
    expect(text.length).to.be.below(180);
  });

  it('is named where somebody says what it is, with the time since then', () => {
    const waits = new Set([{ what: 'the services to start', sinceMs: 14_000 }]);
    expect(waitingText({ ...RUNNING, waits }, 24_000)).to.match(
      / · waiting for the services to start for 10 s$/,
    );
    // Begun by an earlier scenario, it is this step's since the step began.
    expect(waitingText({ ...RUNNING, waits, step: { ...STEP, sinceMs: 18_000 } }, 24_000)).to.match(
      / for 6 s$/,
    );
    // After the last scenario.
    expect(waitingText({ ...NOTHING, waits }, 24_000)).to.equal(
      '… waiting for the services to start for 10 s',
    );
  });

  it('says how far the broadcast is, which goes on between two reports, up to its length', () => {
    const broadcasts = broadcastsAt([28, 60]);
    expect(waitingText({ ...RUNNING, broadcasts }, 24_000)).to.match(
      / · waiting for 23 s · One minute of football: 32 s of 60 s, 4 fragments dubbed$/,
    );
    expect(waitingText({ ...RUNNING, broadcasts }, 90_000)).to.match(/: 60 s of 60 s, 4 frag/);
  });

  it('says how many broadcasts there are, and how far the longest is', () => {
    const broadcasts = broadcastsAt([10, 12], [28, 78], [30, 78]);
    expect(waitingText({ ...RUNNING, broadcasts }, 24_000)).to.match(
      / · 3 broadcasts, the longest 32 s of 78 s$/,
    );
  });

  it('shortens names until the line is as wide as the terminal', () => {
    const state = { ...RUNNING, broadcasts: broadcastsAt([28, 60]) };
    const lines = [200, 120, 80, 60, 20].map((width) => waitingText(state, 24_000, width));
    expect(lines).to.deep.equal([
      '… 021-US2-1 A viewer hears Spanish from the beginning to the end · the whole broadcast has been dubbed' +
        ' · waiting for 23 s · One minute of football: 32 s of 60 s, 4 fragments dubbed',
      '… 021-US2-1 A viewer hears… · the whole broad… · waiting for 23 s · ' +
        'One minute of f…: 32 s of 60 s, 4 fragments dubbed',
      '… 021-US2-1 · the whole b… · waiting for 23 s · 32 s of 60 s, 4 fragments dubbed',
      '… 021-US2-1 · the whole bro… · 23 s · 32 s of 60 s, 4 dubbed',
      '… 021-US2-1 · 23 s…',
    ]);
    for (let width = 10; width < 200; width += 1) {
      expect(waitingText(state, 24_000, width)).to.have.length.at.most(width);
    }
  });

  it('has few words for broadcasts where there is little room', () => {
    const state = { ...RUNNING, broadcasts: broadcastsAt([10, 12], [28, 78], [30, 78]) };
    expect(waitingText(state, 24_000, 79)).to.equal(
      '… 021-US2-1 · the whole broadcast… · 23 s · 3 broadcasts, longest 32 s of 78 s',
    );
  });

  it('counts further IDs', () => {
    const scenario = { ids: ['018-US5-4', '018-E5'], name: 'No answer' };
    expect(waitingText({ ...RUNNING, scenario }, 24_000)).to.match(/^… 018-US5-4 \+1 No answer · /);
  });

  it('shows control characters of names, and stays one line', () => {
    const scenario = { ids: [], name: 'a \u001b[31mred\nname' };
    const step = { ...STEP, text: 'a step\u0007\r\nthat rings' };
    expect(waitingText({ ...RUNNING, scenario, step }, 24_000)).to.equal(
      '… a \\u001b[31mred name · a step\\u0007 that rings · waiting for 23 s',
    );
  });
});

describe('the line', () => {
  const terminal = (isTTY: boolean): { output: Output; written: () => string } => {
    const output = Object.assign(new PassThrough(), { isTTY, columns: 40 });
    return { output, written: () => String(output.read() ?? '') };
  };
  const made = (
    isTTY: boolean,
  ): {
    output: Output;
    written: () => string;
    text: { now?: string | undefined; ms: number };
  } & ReturnType<typeof liveLine> => {
    const { output, written } = terminal(isTTY);
    const text: { now?: string | undefined; ms: number } = { ms: 0 };
    const line = liveLine(
      output,
      output,
      () => text.now,
      () => text.ms,
    );
    return { output, written, text, ...line };
  };

  it('stays in place on a terminal, below what others write', () => {
    const { output, written, text, refresh, stop } = made(true);
    refresh();
    expect(written()).to.equal('');
    text.now = '… 3 s';
    refresh();
    expect(written()).to.equal('… 3 s');
    refresh();
    expect(written(), 'the same').to.equal('');
    text.now = '… 4 s';
    refresh();
    expect(written()).to.equal('\r\x1b[2K… 4 s');
    output.write('somebody else\n');
    expect(written()).to.equal('\r\x1b[2Ksomebody else\n… 4 s');
    output.write('half a ');
    refresh();
    expect(written(), 'no line within a line').to.equal('\r\x1b[2Khalf a ');
    output.write('line\n');
    expect(written()).to.equal('line\n… 4 s');
    text.now = undefined;
    refresh();
    expect(written()).to.equal('\r\x1b[2K');
    text.now = '… 5 s';
    refresh();
    stop();
    output.write('the end\n');
    expect(written()).to.equal('… 5 s\r\x1b[2Kthe end\n');
  });

  it('is a plain one elsewhere, when nothing was written for 15 s', () => {
    const { output, written, text, refresh, stop } = made(false);
    text.now = '… it takes long';
    for (text.ms = 0; text.ms < 40_000; text.ms += 1000) refresh();
    expect(written()).to.equal('… it takes long\n… it takes long\n');
    output.write('a result\n');
    for (const endMs = text.ms + 15_000; text.ms < endMs; text.ms += 1000) refresh();
    expect(written()).to.equal('a result\n');
    stop();
    expect(written()).to.equal('');
  });

  it('is a plain one where results go elsewhere than to the terminal', () => {
    const [file, screen] = [terminal(false), terminal(true)];
    let ms = 0;
    const line = liveLine(
      file.output,
      screen.output,
      () => '… long',
      () => ms,
    );
    ms = 15_000;
    line.refresh();
    file.output.write('a result\n');
    line.stop();
    expect(screen.written()).to.equal('… long\n');
    expect(file.written()).to.equal('a result\n');
  });
});
