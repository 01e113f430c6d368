const MILLISECONDS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

const AGO = /^(\d{1,6})([smhdw])(?: ago)?$/
const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?$/

/**
 * A moment as people give it, in ms since 1970: in ISO 8601 (UTC where no zone is named, midnight for a day alone), or
 * how long before `now`, such as 2h or 3d. Null when it is neither.
 */
export function momentOf(text: string, now: number): number | null {
  const [, count, unit] = AGO.exec(text) ?? []
  if (count !== undefined) return now - Number(count) * MILLISECONDS[unit as keyof typeof MILLISECONDS]
  const [whole, time, , , zone] = ISO.exec(text) ?? []
  if (whole === undefined) return null
  const moment = Date.parse(time === undefined || zone !== undefined ? whole : `${whole}Z`)
  return Number.isNaN(moment) ? null : moment
}
