const MANY_DIGITS = /\d{16}/
/** A value of sixteen digits: the shortest integer that a JavaScript number may not hold exactly. */
const LONG_INTEGER = /(?:^|[:,[])\s*-?\d{16,}\s*(?:[,}\]]|$)/

/**
 * JSON.parse, except that an integer beyond what a number holds exactly becomes the text of its digits: an ID must not
 * turn into the one next to it.
 */
export function parseExact(text: string): unknown {
  // The first look is the cheap one: hardly a text has so many digits in a row.
  if (!MANY_DIGITS.test(text) || !LONG_INTEGER.test(text)) return JSON.parse(text)
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    const isInexact = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
    const digits = context?.source
    return isInexact && digits !== undefined && /^-?\d+$/.test(digits) ? digits : value
  })
}
