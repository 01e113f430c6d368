/** How many requests wait for what they brought to be kept, as both threads know it. */
export class WaitingRequests {
  readonly #count: Int32Array

  /** Another thread makes its own of the same memory. */
  constructor(readonly memory = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.#count = new Int32Array(memory)
  }

  get count(): number {
    return Atomics.load(this.#count, 0)
  }

  add(requests: number): void {
    Atomics.add(this.#count, 0, requests)
  }
}
