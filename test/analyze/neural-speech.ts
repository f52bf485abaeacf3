import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { projectRoot, readConfig } from '../../support/config';
import { run } from './make-media';

const SPEAK = `
import json, sys
from pathlib import Path
import numpy as np
from sts_service.tts import KokoroSynthesizer
voice = KokoroSynthesizer(Path(sys.argv[1]), "ef_dora", "cpu")
for text in json.loads(sys.argv[2]):
    samples, rate = voice.speak(text, 1.0)
    length = len(samples) * 16000 // rate
    at = np.arange(length) * rate / 16000
    spoken = np.interp(at, np.arange(len(samples)), samples / 32768).astype("<f4")
    sys.stdout.buffer.write(np.int32(length).tobytes() + spoken.tobytes())
`;

/** Speaks Spanish texts by the STS's neural voice, in its image where it is no process here; mono samples at 16 kHz, from -1 to 1. */
export function neuralSpeech(texts: readonly string[]): Float32Array[] {
  const python = join(projectRoot, '.venv/bin/python');
  const program = (model: string): string[] => ['-c', SPEAK, model, JSON.stringify(texts)];
  const image = `live-dubbing/sts-service:${readConfig().variables['CHECKOUT'] ?? ''}`;
  const service = join(projectRoot, 'compose/services/sts-service');
  const own = join(projectRoot, '.tools/models/kokoro');
  const spoken = existsSync(python)
    ? run('env', [`PYTHONPATH=${service}`, python, ...program(own)])
    : run('docker', [
        ...['run', '--rm', '--network', 'none', image, 'python'],
        ...program('/opt/models/kokoro'),
      ]);
  const bytes = new Uint8Array(spoken);
  let at = 0;
  return texts.map(() => {
    const length = new DataView(bytes.buffer, at).getInt32(0, true);
    const samples = new Float32Array(bytes.slice(at + 4, at + 4 + 4 * length).buffer);
    at += 4 + 4 * length;
    return samples;
  });
}
