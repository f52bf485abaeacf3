import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isRunning, startTimeOf } from './processes';

/** What one process has and no other. */
export interface Lock {
  release(): Promise<void>;
}

/** Not the folder of temporary files: that is another one for each user, and for what a run starts. */
const LOCKS = '/tmp';

/**
 * A lock of this host: a folder with one file, whose name is the process that has it, by id and start time.
 *
 * A folder with that file takes the place of none, or of an empty one, in a single step (rename(2)); the file of a process
 * that is gone becomes that of another by a rename, which succeeds for one only.
 *
 * @returns undefined where another process has it
 */
export function folderLock(name: string): Lock | undefined {
  const folder = join(LOCKS, name);
  const own = `${process.pid}-${startTimeOf(process.pid) ?? ''}`;
  const draft = `${folder}.${own}`;
  const release = (): void => {
    rmSync(join(folder, own), { force: true });
    isDone(() => rmdirSync(folder));
  };
  mkdirSync(draft);
  try {
    writeFileSync(join(draft, own), '');
    for (;;) {
      if (isDone(() => renameSync(draft, folder))) break;
      const holder = holderIn(folder);
      if (holder === undefined) continue;
      const [pid, startTime] = holder.split('-');
      if (isRunning({ pid: Number(pid), startTime })) return undefined;
      if (isDone(() => renameSync(join(folder, holder), join(folder, own)))) break;
    }
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  process.once('exit', release);
  return {
    release: async () => {
      process.off('exit', release);
      release();
    },
  };
}

/** The name of the file of the process that has the lock; undefined where none has it. */
function holderIn(folder: string): string | undefined {
  let names: string[] = [];
  isDone(() => (names = readdirSync(folder)));
  return names[0];
}

/** Whether something is done to the lock; another process may have been faster. */
function isDone(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(code)) return false;
    throw error;
  }
}
