/** ISO 8601, or Refiner's `YYYY-MM-DD HH:MM:SS`, which is in UTC; fractions of a second of any length. */
const TIMESTAMP = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})?)?$/i

/** The form in which Refiner's webhooks give moments, of days that every month has: no need to look further. */
const USUAL =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}(?:\d{3})?Z$/

/** The moment as ISO 8601 in UTC with milliseconds; null when the value is not a moment. */
export function isoTimestamp(value: unknown): string | null {
  if (typeof value === 'string' && USUAL.test(value)) return `${value.slice(0, 23)}Z`
  const ms = epochMs(value)
  return ms === null ? null : new Date(ms).toISOString()
}

/** The moment in milliseconds since 1970; null when the value is not a moment. */
export function epochMs(value: unknown): number | null {
  if (typeof value !== 'string') return null
  const match = TIMESTAMP.exec(value.trim())
  if (!match) return null
  const [, date, time = '00:00:00', fraction = '', zone = 'Z'] = match
  const ms = Date.parse(`${date}T${time}${fraction.slice(0, 4)}${zone.toUpperCase()}`)
  return Number.isNaN(ms) ? null : ms
}
