/** Chance that comes out the same for the same seed. */
export interface Chance {
  /** In [0, 1). */
  next(): number
  /** In [from, to). */
  between(from: number, to: number): number
  /** One of these, by their weights. */
  pick<T extends string>(weights: Readonly<Partial<Record<T, number>>>): T
}

/** Mulberry32: small, and good enough to choose moments by. Streams of different names are independent. */
export function chance(seed: number, stream: string): Chance {
  let state = (seed ^ Bun.hash.crc32(stream)) >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    between: (from, to) => from + (to - from) * next(),
    pick<T extends string>(weights: Readonly<Partial<Record<T, number>>>): T {
      const choices = Object.entries(weights) as [T, number][]
      let left = next() * choices.reduce((sum, [, weight]) => sum + weight, 0)
      for (const [choice, weight] of choices) {
        left -= weight
        if (left < 0) return choice
      }
      return choices.at(-1)![0]
    },
  }
}
