/** What several scenarios may ask for: an equal request is answered once, and what the run is going to ask for begins with the first. */
export class BegunAhead<Request, Result> {
  readonly #begun = new Map<string, Promise<Result>>();
  #planned: readonly Request[] | undefined;

  /**
   * @param keyOf equal for requests with one answer
   * @param planned what the run is going to ask for; known once its first scenario runs
   * @param make is given how many were begun before; it says itself how many are made at a time
   */
  constructor(
    private readonly keyOf: (request: Request) => string,
    private readonly planned: () => readonly Request[],
    private readonly make: (request: Request, index: number) => Promise<Result>,
  ) {}

  /** Rejects as `make`, for everybody who asks. */
  of(request: Request): Promise<Result> {
    const result = this.#begin(request);
    this.begin();
    return result;
  }

  /** Begins what the run is going to ask for, before anybody does. */
  begin(): void {
    this.#planned ??= this.planned();
    this.#planned.forEach((planned) => void this.#begin(planned));
  }

  /** When all that have begun are answered, or have failed. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#begun.values());
  }

  #begin(request: Request): Promise<Result> {
    const key = this.keyOf(request);
    const known = this.#begun.get(key);
    if (known) return known;
    const made = this.make(request, this.#begun.size);
    this.#begun.set(key, made);
    // Whose scenario is not reached any more fails nothing.
    made.catch(() => undefined);
    return made;
  }
}
