/** A limit of time that can be held: while we keep somebody waiting, his time does not run. */
export class Deadline {
  readonly #reached: () => void;
  #timer: NodeJS.Timeout | null = null;
  #leftMs = 0;
  #runsSince = 0;
  #holds = 0;
  #isOn = false;

  constructor(reached: () => void) {
    this.#reached = reached;
  }

  /** From now on (or, where it is held, from its release on) there are so many milliseconds. */
  start(ms: number): void {
    this.#halt();
    this.#leftMs = ms;
    this.#isOn = true;
    this.#run();
  }

  /** Adds to what is left. */
  extend(ms: number): void {
    this.#halt();
    this.#leftMs += ms;
    this.#run();
  }

  /** Time does not run until what is given back is called; holds may overlap. */
  hold(): () => void {
    this.#halt();
    this.#holds += 1;
    return () => {
      this.#holds -= 1;
      this.#run();
    };
  }

  stop(): void {
    this.#halt();
    this.#isOn = false;
  }

  #run(): void {
    if (!this.#isOn || this.#holds > 0 || this.#timer !== null) return;
    this.#runsSince = performance.now();
    this.#timer = setTimeout(this.#reached, Math.max(0, this.#leftMs));
  }

  #halt(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#leftMs -= performance.now() - this.#runsSince;
  }
}
