import { join } from 'node:path';

import { projectRoot } from '../../support/config';
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

/** Speaks Spanish texts by the neural voice that set-up has put there; mono samples at 16 kHz, from -1 to 1. */
export function neuralSpeech(texts: readonly string[]): Float32Array[] {
  const model = join(projectRoot, '.tools/models/kokoro');
  const service = join(projectRoot, 'compose/services/sts-service');
  const python = join(projectRoot, '.venv/bin/python');
  const args = [`PYTHONPATH=${service}`, python, '-c', SPEAK, model, JSON.stringify(texts)];
  const bytes = new Uint8Array(run('env', args));
  let at = 0;
  return texts.map(() => {
    const length = new DataView(bytes.buffer, at).getInt32(0, true);
    const samples = new Float32Array(bytes.slice(at + 4, at + 4 + 4 * length).buffer);
    at += 4 + 4 * length;
    return samples;
  });
}
