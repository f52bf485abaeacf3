import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';
import * as fc from 'fast-check';

import { pcmFromS16le, pcmToS16le, samplesFromF32le } from '../support/analyze/audio';
import { readStrip } from '../support/analyze/frame-strip';
import { detectLanguage } from '../support/analyze/language';
import { parsePrometheus } from '../support/base/prometheus';
import { linesOf } from '../support/analyze/service-log';
import { normalizeWords, wordErrorRate } from '../support/analyze/transcript';
import { chrF, matchTranslation } from '../support/analyze/translation';
import { readConfig } from '../support/config';
import { readWithoutCompose } from '../support/environment/compose-reader';
import { parseTcpTable } from '../support/platform/tcp-table';
import { problemOf, SuiteError } from '../support/base/errors';
import { readFixture } from '../support/broadcast/fixture';
import { interpolate } from '../support/base/interpolate';
import { evidenceFiles, readEvidence } from '../support/broadcast/evidence';
import { EvidenceWriter } from '../support/broadcast/evidence-writer';
import { faultText, readFault } from '../support/broadcast/fault-words';
import { readScenarioResults } from '../support/report/scenario-results';
import { safeText, withoutSecrets } from '../support/base/safe-text';
import { readYamlFile } from '../support/base/yaml-file';
import { aRecord } from './broadcast/a-record';

const folder = mkdtempSync(join(tmpdir(), 'parsers-'));
after(() => rmSync(folder, { recursive: true }));

/** A file with that text. */
function fileOf(text: string, name = 'input'): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** Reads an evidence folder one of whose files has that text. */
function evidenceWith(name: string, text: string): unknown {
  const path = join(folder, `evidence-${name}`);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, evidenceFiles.record), JSON.stringify(aRecord()));
  for (const empty of [evidenceFiles.tap, evidenceFiles.metrics, evidenceFiles.mediamtx]) {
    writeFileSync(join(path, empty), '');
  }
  writeFileSync(join(path, name), text);
  const { tap, metrics, mediamtx } = readEvidence(path);
  return [tap, metrics, mediamtx];
}

interface Reader {
  read: (text: string) => unknown;
  /** Words of inputs that get far. */
  words: string[];
  /** What it is documented to throw besides errors of the suite. */
  throws?: RegExp;
}

const JSON_WORDS = ['{', '}', '[', ']', '"', ':', ',', '1', 'null', '\n', '\\', '"at":', '"kind":'];
const YAML_WORDS = [
  ...[
    'services:\n',
    '  a:\n',
    '    image: b\n',
    '    ports: ["1-9:1"]\n',
    '- ',
    'x: ',
    '&a ',
    '*a',
  ],
  ...[
    '[',
    ']',
    '{',
    '}',
    '<<: ',
    '"',
    "'",
    '\n',
    ' ',
    '\t',
    '#',
    '!!binary ',
    '? ',
    '${A:-b}',
    '|\n',
  ],
  ...['depends_on: [a]\n', '    environment: [A=b]\n', '---\n', '%YAML 1.2\n', 'ports: {A: 1}\n'],
];

const readers: Record<string, Reader> = {
  'Prometheus text': {
    read: (text) => parsePrometheus(text),
    words: [
      ...['a', '_total', '{', '}', 'le="', '"', '=', ',', ' ', '1', '1.5e3', '+Inf', 'NaN', '\n'],
      ...[
        '# TYPE a counter\n',
        '# HELP a b\n',
        '# EOF\n',
        ' # {t="x"} 1',
        '\\',
        '\\n',
        '__proto__="',
      ],
    ],
  },
  'a transcript': {
    read: (text) => [normalizeWords(text), wordErrorRate('one two', text)],
    words: [
      ...['one', 'hundred', ' and ', ' ', "n't", "'", '(', '[', ')', ']', '$1', '.5', ',000', '%'],
      ...['hmm', 'third', 'million', 'won', '-', '1', '\u0301', '\ufdfa', '\n'],
    ],
  },
  'a script': {
    read: (text) => wordErrorRate(text, 'one two'),
    words: ['one', ' ', '(', 'million'],
  },
  'a translation': {
    read: (text) => chrF(text.slice(0, 10_000), 'uno dos'),
    words: ['uno', ' ', '1', '\u0301', '*'],
  },
  'a fault': {
    read: (text) => {
      const [place = '', event = ''] = text.split('|');
      return faultText(readFault(place, event));
    },
    words: [
      ...[
        'every fragment',
        'fragment ',
        'fragments ',
        '1',
        '99999999999',
        ' to ',
        ' and all later',
      ],
      ...[' ones', '|', 'the answer is delayed by ', ' ms', ' seconds', '.5', 'the dub is '],
      ...[' percent ', 'longer', 'when fragment 1 is sent', ' after ', 'the connection is lost'],
      ...[' and refused for ', 'the answer is the error ', 'from the start'],
    ],
  },
  'a text with variables': {
    read: (text) => interpolate(text, { A: 'a', B: '' }),
    words: ['$', '{', '}', '${', 'A', 'B', ':-', ':?', '+', '$$', 'constructor', '__proto__', ' '],
    throws: /is required|without its|is not a variable|are nested/,
  },
  'a YAML file': {
    read: (text) => {
      const file = readYamlFile(fileOf(text), 'file');
      file.placeOf(['services', 'a', 'image']);
      return [file.values, file.valuesWith({ A: 'a' })];
    },
    words: YAML_WORDS,
  },
  'a compose file': {
    read: (text) => {
      const file = fileOf(text);
      return readWithoutCompose([file, file], 'project', {});
    },
    words: YAML_WORDS,
  },
  'acceptance.yaml': {
    read: (text) => readConfig({ ACCEPTANCE_CONFIG: fileOf(text) }).settings('127.0.0.1'),
    words: YAML_WORDS,
  },
  "a fixture's YAML": { read: (text) => readFixture(fileOf(text)), words: YAML_WORDS },
  'the table of TCP sockets': {
    read: (text) => parseTcpTable(text),
    words: [
      '0:',
      ' ',
      '0100007F:1F90',
      '00000000:0000',
      '0A',
      '\n',
      'FFFF',
      ':',
      '0000000000000000',
    ],
  },
  "a service's log": {
    read: (text) => linesOf(text, ''),
    words: [...JSON_WORDS, '"timestamp":', '1e999', '"message":', '2026-01-01T00:00:00Z'],
  },
  "Cucumber's messages": {
    read: (text) => readScenarioResults(fileOf(text)),
    words: [...JSON_WORDS, '{"testStepFinished":', '{"pickle":{"id":"1","tags":null}}\n'],
  },
  'the record of a broadcast': {
    read: (text) => evidenceWith(evidenceFiles.record, text),
    words: JSON_WORDS,
  },
  'tap.ndjson': { read: (text) => evidenceWith(evidenceFiles.tap, text), words: JSON_WORDS },
  'metrics.ndjson': {
    read: (text) => evidenceWith(evidenceFiles.metrics, text),
    words: JSON_WORDS,
  },
  'mediamtx.ndjson': {
    read: (text) => evidenceWith(evidenceFiles.mediamtx, text),
    words: JSON_WORDS,
  },
  'a text to be shown': {
    read: (text) => [withoutSecrets(text), safeText(text)],
    words: [
      '://',
      'a',
      '@',
      '?key=',
      '--token ',
      'authorization: ',
      '\u001b[31m',
      '\r\n',
      '/',
      ' ',
    ],
  },
};

/** Reads; rethrows what is not documented to be thrown. */
function attempt({ read, throws = /^$/ }: Reader, text: string): void {
  try {
    read(text);
  } catch (error) {
    const isKnown =
      problemOf(error) !== undefined || (error instanceof Error && throws.test(error.message));
    if (!isKnown) throw error;
  }
}

describe('a reader of', () => {
  for (const [name, reader] of Object.entries(readers)) {
    it(`${name} says what is wrong with any text`, () => {
      const made = fc.array(fc.constantFrom(...reader.words), { maxLength: 40 });
      const text = fc.oneof(
        fc.string({ unit: 'binary' }),
        made.map((words) => words.join('')),
      );
      fc.assert(
        fc.property(text, (any) => attempt(reader, any)),
        { numRuns: 500 },
      );
    });

    it(`${name} takes no more than some seconds for a megabyte`, () => {
      for (const word of [...reader.words, 'a', ' ', '\u0000']) {
        // Quadratic time would be seen with the first, and not end with the second.
        for (const [bytes, withinMs] of [
          [2 ** 15, 2000],
          [2 ** 20, 10_000],
        ] as const) {
          // CPU time: other tests run beside this one.
          const started = process.cpuUsage();
          attempt(reader, word.repeat(Math.ceil(bytes / Buffer.byteLength(word))));
          const { user, system } = process.cpuUsage(started);
          const tookMs = (user + system) / 1000;
          expect(tookMs, `${bytes} bytes of ${JSON.stringify(word)}`).to.be.below(withinMs);
        }
      }
    });
  }

  it('a translation with figures copes with all of them', async () => {
    const words = fc.array(fc.constantFrom('1', '0', ',', '.', ' ', '-', 'uno', '99999999'));
    await fc.assert(
      fc.asyncProperty(words, async (any) => {
        const { chrf } = await matchTranslation('one', any.join(''), 'uno', 'es');
        expect(chrf).to.be.within(0, 1);
      }),
    );
  });

  it('any text for its language answers, or says that it is unknown', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (any) => {
        const found = await detectLanguage(any);
        expect(found.observed ? found.language : found.reason).to.not.equal('');
      }),
    );
  });

  it('PCM reads any whole samples, and no others', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 8 }), (bytes, channels) => {
        expect(samplesFromF32le(bytes).length).to.equal(Math.floor(bytes.length / 4));
        if (bytes.length % (2 * channels) === 0) {
          const samples = pcmFromS16le(bytes, channels);
          expect(samples.every((sample) => Math.abs(sample) <= 1)).to.be.true;
        } else {
          expect(() => pcmFromS16le(bytes, channels)).to.throw(SuiteError);
        }
      }),
    );
  });

  it('a frame strip reads any cells as a number or none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (cells) => {
        expect(readStrip(cells)).to.satisfy(
          (number: number | null) => number === null || (number >= 0 && number < 2 ** 16),
        );
      }),
    );
  });
});

describe('what was written is read again:', () => {
  const name = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,20}$/);
  const value = fc.oneof(
    fc.double({ noDefaultInfinity: true, noNaN: true }),
    fc.constant(Infinity),
  );

  it('Prometheus text', () => {
    const sample = fc.record({
      name,
      labels: fc.dictionary(name, fc.string({ unit: 'grapheme' }), { noNullPrototype: true }),
      value,
    });
    const unique = fc.uniqueArray(sample, {
      selector: (one) => JSON.stringify([one.name, Object.entries(one.labels).sort()]),
    });
    const shown = (one: number): string =>
      one === Infinity ? '+Inf' : Object.is(one, -0) ? '-0' : String(one);
    const escaped = (text: string): string =>
      text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
    fc.assert(
      fc.property(unique, (samples) => {
        const lines = samples.map((one) => {
          const labels = Object.entries(one.labels).map(
            ([key, text]) => `${key}="${escaped(text)}"`,
          );
          return `${one.name}{${labels.join(',')}} ${shown(one.value)}\n`;
        });
        const read = parsePrometheus(lines.join('')).samples;
        expect(read.map((one) => [one.name, Object.entries(one.labels), one.value])).to.deep.equal(
          samples.map((one) => [one.name, Object.entries(one.labels), one.value]),
        );
      }),
    );
  });

  it('a text whose dollars are doubled', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.dictionary(name, fc.string()),
        (text, variables) => {
          expect(interpolate(text.replaceAll('$', '$$$$'), variables)).to.equal(text);
        },
      ),
    );
  });

  it('a variable, and the default of one that is not set', () => {
    fc.assert(
      fc.property(name, fc.string(), (variable, text) => {
        const plain = text.replace(/[${}]/g, '');
        expect(interpolate(`\${${variable}}`, { [variable]: text })).to.equal(text);
        expect(interpolate(`\${${variable}-${plain}}`, {})).to.equal(plain);
      }),
    );
  });

  it('16 bit PCM', () => {
    fc.assert(
      fc.property(fc.int16Array(), (pcm) => {
        const bytes = Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);
        expect(Buffer.compare(pcmToS16le(pcmFromS16le(bytes)), bytes)).to.equal(0);
      }),
    );
  });

  it('a frame strip, through the noise of a codec', () => {
    const noise = fc.array(fc.integer({ min: -60, max: 60 }), { minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 16 - 1 }), noise, (number, errors) => {
        const bits = Array.from({ length: 16 }, (_, i) => (number >> (15 - i)) & 1);
        const parity = bits.reduce((sum, bit) => sum + bit, 0) % 2;
        const cells = [1, 0, ...bits, parity, 1].map((bit, i) => {
          return Math.max(0, Math.min(255, 16 + 219 * bit + (errors[i] ?? 0)));
        });
        expect(readStrip(Uint8Array.from(cells))).to.equal(number);
      }),
    );
  });

  it('TCP sockets', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const port = fc.integer({ min: 0, max: 65_535 });
    fc.assert(
      fc.property(fc.tuple(byte, byte, byte, byte), port, port, (address, local, remote) => {
        const hex = (n: number, digits: number): string =>
          n.toString(16).toUpperCase().padStart(digits, '0');
        const word = [...address]
          .reverse()
          .map((one) => hex(one, 2))
          .join('');
        const line = `  0: 0100007F:${hex(local, 4)} ${word}:${hex(remote, 4)} 01 0:0 0:0 0 0 0 77 1`;
        expect(parseTcpTable(line)).to.deep.equal([
          {
            ...{ localPort: local, remoteAddress: address.join('.'), remotePort: remote },
            ...{ state: 'established', inode: '77' },
          },
        ]);
      }),
    );
  });

  it('evidence, whatever was seen', () => {
    const json = fc.jsonValue();
    const seen = fc.record({
      metrics: fc.double(),
      payload: json,
      event: fc.constantFrom('fragment:data', 'fragment:processed', 'error'),
    });
    fc.assert(
      fc.property(seen, ({ metrics, payload, event }) => {
        const writer = new EvidenceWriter(join(folder, 'round-trip'));
        rmSync(writer.path(evidenceFiles.tap));
        rmSync(writer.path(evidenceFiles.metrics));
        const common = { at: 1, connection: 1, stream: 's' } as const;
        const sent = { ...common, direction: 'to-sts', kind: 'event', event } as const;
        // Audio is stored in files of its own: see the evidence's own tests.
        const wrapped = { said: payload };
        writer.addTapEvent({ ...sent, payload: wrapped });
        writer.addMetrics({ at: 1, samples: [{ name: 'a', labels: {}, value: metrics }] });
        writer.addMediaMtx({ at: 1, paths: [] });
        writer.finish(aRecord());
        const read = readEvidence(writer.folder);
        const before = JSON.parse(JSON.stringify(wrapped)) as unknown;
        expect(read.tap.map((one) => one.payload)).to.deep.equal([before]);
        const [sample] = read.metrics[0]?.samples ?? [];
        // JSON has no -0.
        expect(sample?.value).to.deep.equal(Object.is(metrics, -0) ? 0 : metrics);
      }),
      { numRuns: 200 },
    );
  });
});
