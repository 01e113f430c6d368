import type { JsonObject } from '../contracts/json.ts'
import { epochMs } from '../json/timestamps.ts'

const MOMENTS = [
  'completed_at',
  'last_data_reception_at',
  'dismissed_at',
  'last_shown_at',
  'first_shown_at',
  'received_at',
]

/** When what a response of Refiner's API says happened, in ms since 1970; 0 where it does not tell. */
export function momentOf(item: JsonObject): number {
  for (const name of MOMENTS) {
    const ms = epochMs(item[name])
    if (ms !== null) return ms
  }
  return 0
}

/** The oldest first: what a user said last also arrives last. */
export function oldestFirst<Held extends { readonly at: number }>(all: readonly Held[]): Held[] {
  return all.toSorted((a, b) => a.at - b.at)
}
