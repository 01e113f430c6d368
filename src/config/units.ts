/**
 * The three kinds of amount that refiner-sync.yaml knows, each a whole number with its unit. A bare number is refused:
 * it would leave the reader to guess between seconds and milliseconds.
 */

export type Unit = 'duration' | 'size' | 'rate'

const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** 1KB is 1024 bytes here, 1MB 1024 × 1024: as memory is measured, not as disks are sold. */
const BYTES: Readonly<Record<string, number>> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 }

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 }

/** What an amount of each unit looks like, as the source of a regular expression. */
export const UNIT_PATTERN: Readonly<Record<Unit, string>> = {
  duration: '^[0-9]+(ms|s|m|h|d)$',
  size: '^[0-9]+(B|KB|MB|GB)$',
  rate: '^[0-9]+/(s|m|h)$',
}

/** Milliseconds of a duration such as `10s`. Throws on any text that the pattern refuses: that is a bug of the caller. */
export function parseDuration(text: string): number {
  const [count, unit] = split(text, 'duration')
  return count * MILLISECONDS[unit]!
}

/** Bytes of a size such as `1MB`. Throws as `parseDuration` does. */
export function parseSize(text: string): number {
  const [count, unit] = split(text, 'size')
  return count * BYTES[unit]!
}

/** Requests per second of a rate such as `600/m`. Throws as `parseDuration` does. */
export function parseRate(text: string): number {
  const [count, unit] = split(text, 'rate')
  return count / SECONDS[unit]!
}

/** The amount in its base unit, milliseconds, bytes or requests per second, so that two of a kind can be compared. */
export function parseAmount(unit: Unit, text: string): number {
  switch (unit) {
    case 'duration':
      return parseDuration(text)
    case 'size':
      return parseSize(text)
    case 'rate':
      return parseRate(text)
  }
}

function split(text: string, unit: Unit): [count: number, unit: string] {
  if (!new RegExp(UNIT_PATTERN[unit]).test(text)) throw new Error(`parsing a ${unit}: not one`)
  const [, count, suffix] = /^([0-9]+)\/?(.*)$/.exec(text)!
  return [Number(count), suffix!]
}
