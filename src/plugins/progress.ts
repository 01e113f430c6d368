import type { Watch } from './vm.ts'

const STEP = 0
const BATCH = 1
const INDEX = 2

/** Where the sandbox's thread is, in memory that both threads see: a thread that hangs can send no message. */
export class ProgressWriter {
  static readonly BYTES = 12
  readonly #cells: Int32Array

  constructor(shared: SharedArrayBuffer) {
    this.#cells = new Int32Array(shared)
  }

  /** Publishes when the thread enters and leaves the plugin for one call. */
  watch(batch: number, index: number): Watch {
    return {
      enter: () => {
        Atomics.store(this.#cells, INDEX, index)
        Atomics.store(this.#cells, BATCH, batch)
        Atomics.add(this.#cells, STEP, 1)
      },
      leave: () => {
        Atomics.store(this.#cells, BATCH, 0)
      },
    }
  }
}

/** The call that the sandbox's thread is in. */
export interface CurrentCall {
  /** Differs from one entry to the next. */
  readonly step: number
  readonly batch: number
  readonly index: number
}

/** Null while the thread is in no call. */
export function readProgress(shared: SharedArrayBuffer): CurrentCall | null {
  const cells = new Int32Array(shared)
  const batch = Atomics.load(cells, BATCH)
  if (batch === 0) return null
  return { step: Atomics.load(cells, STEP), batch, index: Atomics.load(cells, INDEX) }
}
