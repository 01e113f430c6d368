/** ISO 8601, or Refiner's `YYYY-MM-DD HH:MM:SS`, which is in UTC; fractions of a second of any length. */
const TIMESTAMP = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})?)?$/i

/** The moment as ISO 8601 in UTC with milliseconds; null when the value is not a moment. */
export function isoTimestamp(value: unknown): string | null {
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
