import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { Duplex, type Readable, type Writable } from 'node:stream';

import { Pool } from 'undici';

import { messageOf, SuiteError } from '../base/errors';
import type { Variables } from '../base/interpolate';
import { inSessionOfItsOwn } from '../base/own-session';
import type { SessionState } from './session-state';

/** As many questions at once; each connection is a program. */
const MOST_CONNECTIONS = 4;
const ANSWER_MS = 60_000;
/** So long it is kept without questions. */
const KEPT_MS = 30_000;

/**
 * Questions to the API of the engine that the docker command talks to: 3 ms each, where a command for each takes 30 ms of a processor,
 * for which this process waits. The connection is the docker command's own (`docker system dial-stdio`), so each engine that it
 * reaches is reached, by a socket, TLS or SSH, and by a context.
 */
export class DockerApi {
  readonly #engine: Pool;

  /**
   * @param environment all environment variables of the docker command
   * @param state its id, which the program carries: what is left of it is found by that
   */
  constructor(environment: Variables, state: Pick<SessionState, 'environment'>) {
    const connect: Pool.Options['connect'] = (_options, done) => {
      const env = { ...environment, ...state.environment };
      const dial = { program: 'docker', args: ['system', 'dial-stdio'] };
      const { program, args, detached } = inSessionOfItsOwn(dial, env.PATH ?? '');
      const child = spawn(program, args, { env, detached, stdio: ['pipe', 'pipe', 'pipe'] });
      const connection = new Connection(child);
      // After `connect` has returned, as with any other connection.
      queueMicrotask(() =>
        done(null, connection as unknown as Parameters<typeof done>[1] & object),
      );
    };
    const kept = { keepAliveTimeout: KEPT_MS, keepAliveMaxTimeout: KEPT_MS };
    this.#engine = new Pool('http://docker', { connect, connections: MOST_CONNECTIONS, ...kept });
  }

  /**
   * @param path of the API, without a version, which is the engine's own: `/containers/json`
   * @param options.filters as those of docker commands: `{ label: ['name=value'] }`
   * @param options.all containers, not only those that run
   * @returns the answer; undefined where there is no such thing
   * @throws SuiteError with what the engine, or the docker command, said
   */
  async get(
    path: string,
    { filters = {}, all = false }: { filters?: Record<string, string[]>; all?: boolean } = {},
  ): Promise<unknown> {
    const query = { filters: JSON.stringify(filters), all };
    const signal = AbortSignal.timeout(ANSWER_MS);
    try {
      const { statusCode, body } = await this.#engine.request({
        path,
        method: 'GET',
        query,
        signal,
      });
      const text = await body.text();
      if (statusCode === 404) return undefined;
      if (statusCode === 200) return JSON.parse(text);
      throw new Error(`${statusCode} ${text.trim()}`);
    } catch (error) {
      const seen = signal.aborted ? `no answer within ${ANSWER_MS / 1000} s` : messageOf(error);
      throw new SuiteError(
        {
          what: 'the Docker engine did not answer a question',
          where: `GET ${path}, by docker system dial-stdio`,
          seen,
          expected: 'an answer of its API',
          next: '`docker info` tells whether the engine answers',
        },
        { cause: error },
      );
    }
  }
}

type Refable = Record<'ref' | 'unref', () => unknown>;
type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** A program's standard input and output as one connection; it ends with the program, and the program with it. */
class Connection extends Duplex {
  constructor(private readonly child: Child) {
    super();
    child.stdout.on('data', (piece: Buffer) => {
      if (!this.push(piece)) child.stdout.pause();
    });
    let said = '';
    child.stderr.on('data', (text: Buffer) => (said += text.toString()));
    // Once all that it wrote has been read, on its standard error as well.
    child.on('close', (code) => {
      if (code === 0) this.push(null);
      else this.destroy(new Error(said.trim().replaceAll('\n', '\n    ') || `exit code ${code}`));
    });
    child.on('error', (error) => this.destroy(error));
    // Of one that has ended; its end is seen at its output.
    child.stdin.on('error', () => undefined);
  }

  override _read(): void {
    this.child.stdout.resume();
  }

  override _write(piece: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    // Where the program has ended, its end says why.
    this.child.stdin.write(piece, () => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.child.stdin.destroy();
    this.child.kill('SIGKILL');
    done(error);
  }

  /** As those of a socket: whether this process goes on for it. */
  ref(): this {
    return this.#each('ref');
  }

  unref(): this {
    return this.#each('unref');
  }

  #each(what: 'ref' | 'unref'): this {
    const { child } = this;
    child[what]();
    // Standard streams of a child are sockets.
    for (const one of [child.stdin, child.stdout, child.stderr] as unknown as Refable[])
      one[what]();
    return this;
  }
}
