import type { FaultPlan } from '../broadcast/fault';
import { isNameOf } from '../broadcast/stream-paths';
import { StreamFaults } from './stream-faults';

interface Planned {
  /** Undefined where nothing goes wrong. */
  faults: StreamFaults | undefined;
  /** How many connections are open. */
  open: number;
  isOver: boolean;
}

/** The streams that are published, what goes wrong for each, and which one a connection is of that does not say it. */
export class TapStreams {
  readonly #planned = new Map<string, Planned>();

  plan(stream: string, plan: FaultPlan): void {
    const faults = plan.faults.length > 0 ? new StreamFaults(stream, plan) : undefined;
    this.#planned.set(stream, { faults, open: 0, isOver: false });
  }

  /** No further connection is taken to be of that stream unless it says so; its faults go on. */
  over(stream: string): void {
    const planned = this.#planned.get(stream);
    if (planned) planned.isOver = true;
  }

  faultsOf(stream: string | undefined): StreamFaults | undefined {
    return this.#planned.get(stream ?? '')?.faults;
  }

  /** The stream that is called so, or whose path that is; undefined where it is none of those that were announced. */
  knownBy(name: string | undefined): string | undefined {
    if (name === undefined) return undefined;
    return [...this.#planned.keys()].find((stream) => isNameOf(stream, name));
  }

  /** The stream of a connection that names none: the only one that is without a connection; undefined where several are. */
  get onlyWaiting(): string | undefined {
    const waiting = this.#waiting;
    return waiting.length === 1 ? waiting[0] : undefined;
  }

  get isAnyWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  get #waiting(): string[] {
    const waiting = [...this.#planned].filter(([, { open, isOver }]) => open === 0 && !isOver);
    return waiting.map(([stream]) => stream);
  }

  /** A connection of the stream has been opened; returns what is called when it has ended. */
  opened(stream: string): () => void {
    const planned = this.#planned.get(stream);
    if (!planned) return () => undefined;
    planned.open += 1;
    return () => (planned.open -= 1);
  }

  /** From now on no fault is applied. */
  end(): void {
    this.#planned.forEach(({ faults }) => faults?.end());
  }
}
