import { now } from '../base/clock';

/**
 * Hands on what comes, in its order: nothing until `begin`, and from then on each part as much later than it came as the first one
 * was kept back, so that what is sent in real time arrives in real time.
 */
export class HeldBack<Part> {
  /** When the first part was handed on; milliseconds since the epoch. */
  begunAt: number | undefined;
  readonly #waiting: { at: number; part: Part }[] = [];
  /** Undefined before it may begin. */
  #laterMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #whenEmpty: (() => void) | undefined;

  constructor(private readonly handOn: (part: Part) => void) {}

  add(part: Part): void {
    this.#waiting.push({ at: performance.now(), part });
    this.#run();
  }

  begin(): void {
    const [first] = this.#waiting;
    this.#laterMs ??= first ? performance.now() - first.at : 0;
    this.#run();
  }

  /** Settles when all that has come is handed on, or dropped. */
  async emptied(): Promise<void> {
    if (this.#waiting.length === 0) return;
    await new Promise<void>((done) => (this.#whenEmpty = done));
  }

  /** Drops what is still kept back. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
    this.#whenEmpty?.();
  }

  #run(): void {
    const [first] = this.#waiting;
    const laterMs = this.#laterMs;
    if (laterMs === undefined || !first || this.#timer) return;
    const at = performance.now();
    this.begunAt ??= now();
    while (this.#waiting[0] && this.#waiting[0].at + laterMs <= at) {
      const { part } = this.#waiting.shift() as { part: Part };
      this.handOn(part);
    }
    const [next] = this.#waiting;
    if (!next) {
      this.#whenEmpty?.();
      return;
    }
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#run();
      },
      Math.ceil(next.at + laterMs - at),
    );
  }
}
