// A thread of speed.ts, in JavaScript: a compiler would take longer than what is measured.
const { Buffer } = require('node:buffer');
const { createHash } = require('node:crypto');
const { workerData } = require('node:worker_threads');

const { shared, index, giveUp, bytes, milliseconds, windows } = workerData;
const numbers = new Int32Array(shared);
const data = Buffer.alloc(bytes, 1);
const hash = () => createHash('sha512').update(data).digest();

// The first ones load what they need.
for (let n = 0; n < 20; n += 1) hash();
Atomics.add(numbers, index.ready, 1);
Atomics.notify(numbers, index.ready);
Atomics.wait(numbers, index.begun, 0);
// Others were not ready in time: nobody waits for what is counted now.
if (Atomics.load(numbers, index.begun) === giveUp) process.exit();
const begun = performance.now();
for (;;) {
  const window = Math.floor((performance.now() - begun) / milliseconds);
  if (window >= windows) break;
  hash();
  Atomics.add(numbers, index.hashes + window, 1);
}
Atomics.add(numbers, index.ended, 1);
Atomics.notify(numbers, index.ended);
