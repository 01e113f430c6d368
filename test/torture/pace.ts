import type { Blow } from './blows.ts'

/** How often something was done, and how long it took on the average. */
export interface Times {
  readonly count: number
  readonly ms: number
}

/** How long cycles take, and what the harness holds: neither must grow with the number of cycles. */
export interface Growth {
  /** The medians of each half, in ms, as if each had had all kinds of blows equally often as the whole. */
  readonly cycleMs: readonly [first: number, second: number]
  /** Resident, in MB, in the middle and at the end. */
  readonly residentMb: readonly [middle: number, end: number]
}

interface Cycle {
  readonly blow: Blow
  readonly ms: number
  readonly residentMb: number
}

/** Writes down how long each cycle took. */
export class Pace {
  readonly #cycles: Cycle[] = []

  add(blow: Blow, ms: number): void {
    this.#cycles.push({ blow, ms, residentMb: Math.round(process.memoryUsage.rss() / 1024 / 1024) })
  }

  blows(): Partial<Record<Blow, Times>> {
    const kinds = Map.groupBy(this.#cycles, ({ blow }) => blow)
    return Object.fromEntries([...kinds].map(([blow, cycles]) => [blow, timesOf(cycles)]))
  }

  growth(): Growth {
    const middle = Math.ceil(this.#cycles.length / 2)
    const first = this.#cycles.slice(0, middle)
    const second = this.#cycles.slice(middle)
    return {
      cycleMs: [this.#weighted(first), this.#weighted(second)],
      residentMb: [first.at(-1)?.residentMb ?? 0, second.at(-1)?.residentMb ?? 0],
    }
  }

  /** Kinds that one half has not had are counted as in the whole. */
  #weighted(half: readonly Cycle[]): number {
    let sum = 0
    for (const [blow, whole] of Object.entries(this.blows())) {
      const own = half.filter((cycle) => cycle.blow === blow)
      sum += whole.count * (own.length > 0 ? medianOf(own) : whole.ms)
    }
    return Math.round(sum / Math.max(1, this.#cycles.length))
  }
}

function timesOf(cycles: readonly Cycle[]): Times {
  const sum = cycles.reduce((total, { ms }) => total + ms, 0)
  return { count: cycles.length, ms: Math.round(sum / cycles.length) }
}

function medianOf(cycles: readonly Cycle[]): number {
  return cycles.map(({ ms }) => ms).toSorted((a, b) => a - b)[Math.floor(cycles.length / 2)]!
}
