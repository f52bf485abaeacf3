/**
 * Variables of the C library's allocator, for the program that watches and analyzes: memory of large arrays goes back to the system at
 * once, and all threads share what they have. Without them, a whole run took 150 MB more. Systems with another library ignore them.
 */
export const ALLOCATOR: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '131072',
};

/** So much may lie about that nobody needs any more. A collection takes a tenth of a second. */
const LEFT_BYTES = 32e6;

/** What was there when there was least that nobody needed. */
let needed = 0;

/**
 * Has memory collected that nobody needs any more, where that is much: by itself, Node.js would first take that of another analysis.
 * Nothing is done by a Node.js that was not started with `--expose-gc`, as `npm run acceptance` starts it.
 */
export function collectGarbage(): void {
  const taken = takenBytes();
  needed = Math.min(needed || taken, taken);
  if (taken - needed < LEFT_BYTES || !globalThis.gc) return;
  globalThis.gc();
  needed = takenBytes();
}

function takenBytes(): number {
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}
