// A thread of speed.ts, in JavaScript: a compiler would take longer than what is measured.
const { Buffer } = require('node:buffer');
const { createHash } = require('node:crypto');
const { workerData } = require('node:worker_threads');

const { shared, bytes, milliseconds, windows } = workerData;
const [READY, BEGUN, ENDED, HASHES] = [0, 1, 2, 3];
const numbers = new Int32Array(shared);
const data = Buffer.alloc(bytes, 1);
const hash = () => createHash('sha512').update(data).digest();

// The first ones load what they need.
for (let n = 0; n < 20; n += 1) hash();
Atomics.add(numbers, READY, 1);
Atomics.notify(numbers, READY);
Atomics.wait(numbers, BEGUN, 0);
const begun = performance.now();
for (;;) {
  const window = Math.floor((performance.now() - begun) / milliseconds);
  if (window >= windows) break;
  hash();
  Atomics.add(numbers, HASHES + window, 1);
}
Atomics.add(numbers, ENDED, 1);
Atomics.notify(numbers, ENDED);
