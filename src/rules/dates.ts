import { epochMs } from '../json/timestamps.ts'

/** The moment that a value stands for: a CEL timestamp, an ISO 8601 text, or Refiner's own form. Null for no moment. */
export function momentOf(value: unknown): Date | null {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value
  const ms = epochMs(value)
  return ms === null ? null : new Date(ms)
}

const PARTS: Readonly<Record<string, Intl.DateTimeFormatPartTypes>> = {
  YYYY: 'year',
  MM: 'month',
  DD: 'day',
  HH: 'hour',
  mm: 'minute',
  ss: 'second',
}

/**
 * The moment by a pattern of YYYY, MM, DD, HH, mm and ss; everything else stays as it is written.
 *
 * @param zone of the IANA database, such as Europe/Berlin; throws RangeError for one that does not exist
 */
export function formatDate(moment: Date, pattern: string, zone: string): string {
  const parts = formatterOf(zone).formatToParts(moment)
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? ''
  return pattern.replaceAll(/YYYY|MM|DD|HH|mm|ss/g, (token) => part(PARTS[token]!))
}

const formatters = new Map<string, Intl.DateTimeFormat>()

/** Making one takes longer than using it a hundred times; there are about 600 zones. */
function formatterOf(zone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(zone)
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    formatters.set(zone, formatter)
  }
  return formatter
}
