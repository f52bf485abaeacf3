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
  #isDropped = false;
  #whenEmpty: (() => void) | undefined;

  constructor(private readonly handOn: (part: Part) => void) {}

  add(part: Part): void {
    if (this.#isDropped) return;
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

  /** Drops what is still kept back, and whatever comes. */
  drop(): void {
    this.#isDropped = true;
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
    this.#whenEmpty?.();
  }

  #run(): void {
    const laterMs = this.#laterMs;
    let [next] = this.#waiting;
    if (laterMs === undefined || !next || this.#timer) return;
    const at = performance.now();
    this.begunAt ??= now();
    for (; next && next.at + laterMs <= at; [next] = this.#waiting) {
      this.#waiting.shift();
      this.handOn(next.part);
    }
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
