// What the thread of docker-thread.ts does: it starts each program that it is told, and tells how it has ended.
const { Buffer } = require('node:buffer');
const { spawn } = require('node:child_process');
const { parentPort } = require('node:worker_threads');

/** What is running, by the number of who wants it. */
const running = new Map();

function start({ id, program, args, detached, env }) {
  const child = spawn(program, args, { env, detached, stdio: ['ignore', 'pipe', 'pipe'] });
  running.set(id, child);
  const texts = [child.stdout, child.stderr].map((stream) => {
    const parts = [];
    stream.on('data', (part) => parts.push(part));
    return () => Buffer.concat(parts).toString();
  });
  let problem;
  child.on('error', ({ message }) => {
    if (child.pid === undefined) problem = message;
  });
  child.on('close', (exitCode, signal) => {
    running.delete(id);
    const [stdout, stderr] = texts.map((text) => text());
    const ended = { exitCode: problem === undefined ? exitCode : null, signal, problem };
    parentPort.postMessage({ id, ...ended, stdout, stderr });
  });
}

/** With all that it has started. */
function kill(child) {
  child?.kill('SIGKILL');
  try {
    if (child?.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Its group is gone, or has not been made yet: then there was only this one process.
  }
}

parentPort.on('message', (told) => (told.isKilled ? kill(running.get(told.id)) : start(told)));
