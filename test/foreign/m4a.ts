import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';

import type { Fields } from './clothes';

/**
 * Audio of a fragment as AAC in an MP4 file.
 *
 * @param audio pcm_s16le, with its rate in Hz and channels
 */
export async function asM4a(audio: Fields): Promise<Fields> {
  const folder = mkdtempSync(join(tmpdir(), 'm4a-'));
  const file = join(folder, 'fragment.m4a');
  try {
    // MP4 is written to a file: its table of contents comes last.
    const pcm = ['-f', 's16le', '-ar', String(audio['sample_rate_hz'])];
    const channels = ['-ac', String(audio['channels']), '-i', 'pipe:0'];
    const encoded = ['-c:a', 'aac', '-b:a', '128k', '-f', 'ipod', file];
    await execa('ffmpeg', ['-v', 'error', ...pcm, ...channels, ...encoded], {
      input: Buffer.from(String(audio['data_base64']), 'base64'),
    });
    return { ...audio, format: 'm4a', data_base64: readFileSync(file).toString('base64') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
