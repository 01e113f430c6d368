import { median } from './load/plan.ts'

export interface Compared {
  /** Medians of the rounds. */
  readonly ours: number
  readonly limit: number
  readonly ratio: number
  /** Half of what lies between the lowest and the highest ratio of a round, as a share of the ratio. */
  readonly spread: number
}

/**
 * Measures both sides by turns, so that what else the machine does meets both: the limit, then ours, and so on for so
 * many rounds.
 */
export async function compare(
  rounds: number,
  sides: { readonly limit: () => Promise<number>; readonly ours: () => Promise<number> },
): Promise<Compared> {
  const limits: number[] = []
  const ours: number[] = []
  for (let round = 0; round < rounds; round++) {
    limits.push(await sides.limit())
    ours.push(await sides.ours())
  }
  const ratio = median(ours) / median(limits)
  const ratios = ours.map((value, round) => value / limits[round]!)
  const spread = (Math.max(...ratios) - Math.min(...ratios)) / 2 / ratio
  return { ours: median(ours), limit: median(limits), ratio, spread }
}

/** `12,345` */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
