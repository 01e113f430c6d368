import { epochMs } from '../json/timestamps.ts'
import { FunctionFailed } from './function-failed.ts'

/** The moment that a value stands for: a CEL timestamp, an ISO 8601 text, or Refiner's own form. Null for no moment. */
export function momentOf(value: unknown): Date | null {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value
  const ms = epochMs(value)
  return ms === null || !isDay(value as string) ? null : new Date(ms)
}

/** Whether there is such a day; JavaScript takes 30 February for 2 March. */
function isDay(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.trim().slice(0, 10).split('-').map(Number)
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
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
 * @param zone of the IANA database, such as Europe/Berlin; throws FunctionFailed for one that does not exist
 */
export function formatDate(moment: Date, pattern: string, zone: string): string {
  const parts = formatterOf(zone).formatToParts(moment)
  const part = (type: Intl.DateTimeFormatPartTypes) =>
    (parts.find((one) => one.type === type)?.value ?? '').padStart(type === 'year' ? 4 : 2, '0')
  return pattern.replaceAll(/YYYY|MM|DD|HH|mm|ss/g, (token) => part(PARTS[token]!))
}

const formatters = new Map<string, Intl.DateTimeFormat>()

/** Making one takes longer than using it a hundred times. A zone may come from an attribute, in any spelling. */
const MOST_FORMATTERS = 1000

function formatterOf(zone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(zone)
  if (formatter === undefined) {
    formatter = formatterFor(zone)
    if (formatters.size >= MOST_FORMATTERS) formatters.clear()
    formatters.set(zone, formatter)
  }
  return formatter
}

function formatterFor(zone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
  } catch {
    throw new FunctionFailed('there is no such time zone')
  }
}
