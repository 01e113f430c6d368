/**
 * How often it was not certain that what had been written is on the disk, as every thread that writes or syncs knows it.
 * When the number is another one, commits that were not synced before may be undone, and the IDs that they gave may
 * have been given again.
 */
export class Doubts {
  readonly #count: Int32Array

  /** Another thread makes its own of the same memory. */
  constructor(readonly memory = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.#count = new Int32Array(memory)
  }

  get count(): number {
    return Atomics.load(this.#count, 0)
  }

  add(): void {
    Atomics.add(this.#count, 0, 1)
  }
}
