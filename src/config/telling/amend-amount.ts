import { type Unit, UNIT_PATTERN } from '../units.ts'

/** The amount that was probably meant by `10 sec`, `1mb` or `10 per second`; null when that is anyone's guess. */
export function amendAmount(written: string, unit: Unit): string | null {
  const [, count, words] = /^\s*([0-9]{1,9})\s*(.*?)\s*$/.exec(written) ?? []
  if (count === undefined || words === undefined) return null
  const amended = count + suffixes[unit](words.toLowerCase())
  return new RegExp(UNIT_PATTERN[unit]).test(amended) ? amended : null
}

const suffixes: Readonly<Record<Unit, (words: string) => string>> = {
  duration: (words) => DURATION_WORDS.find(([pattern]) => pattern.test(words))?.[1] ?? '',
  size: (words) =>
    words
      .toUpperCase()
      .replace(/^([KMG])(IB|B)?$/, '$1B')
      .replace(/^(BYTES?)?$/, 'B'),
  rate: (words) => `/${words.replace(/^(\/|per|a)\s*/, '').charAt(0) || 's'}`,
}

const DURATION_WORDS: readonly (readonly [RegExp, string])[] = [
  [/^(ms|msecs?|millis.*)$/, 'ms'],
  [/^(|s|secs?|seconds?)$/, 's'],
  [/^(m|mins?|minutes?)$/, 'm'],
  [/^(h|hrs?|hours?)$/, 'h'],
  [/^(d|days?)$/, 'd'],
]
