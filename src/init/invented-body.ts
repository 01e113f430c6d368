import type { JsonObject, JsonValue } from '../contracts/json.ts'
import { put } from '../json/objects.ts'
import { epochMs } from '../json/timestamps.ts'
import { isFreeText, isPlainName, looksLikeNps, UUID } from './looks.ts'

/**
 * A webhook body of the same shape with invented values: names, nulls, booleans, the trigger and the survey's name stay;
 * every other value becomes another one of its kind. What was the same stays the same, so that rules find what they did.
 */
export function inventedBody(body: JsonObject): JsonObject {
  return new Inventor(body).object(body, [])
}

/** The values that stay as they are, by their path. */
const KEPT = new Set(['triggered_event', 'form.name'])

const WORDS = /^(?:true|false|yes|no)$/i
/** When the invented body was sent; all its moments keep their distance from this one. */
const SENT_AT = Date.UTC(2025, 2, 3, 16, 20)

class Inventor {
  readonly #known = new Map<string, string>()
  readonly #counts = new Map<string, number>()
  readonly #shift: number

  constructor(body: JsonObject) {
    const latest = Math.max(...momentsOf(body, []))
    this.#shift = Number.isFinite(latest) ? SENT_AT - latest : 0
  }

  object(object: JsonObject, path: readonly string[]): JsonObject {
    const result: JsonObject = {}
    for (const [name, value] of Object.entries(object)) {
      // A date may be somebody's birthday, and stand elsewhere as what they said.
      const isKept = isPlainName(name) && epochMs(name) === null
      const own = isKept ? name : `field_${this.#next('field')}`
      put(result, own, this.#value(value, [...path, name]))
    }
    return result
  }

  #value(value: JsonValue, path: readonly string[]): JsonValue {
    if (Array.isArray(value)) return value.map((item) => this.#value(item, path))
    if (typeof value === 'object' && value !== null) return this.object(value, path)
    if (typeof value === 'number') return this.#number(value, path)
    if (typeof value !== 'string' || value === '' || WORDS.test(value) || KEPT.has(path.join('.')))
      return value
    return this.#text(value, path)
  }

  #number(value: number, path: readonly string[]): number {
    return Number(inventedNumber(String(value), looksLikeNps(path.at(-1) ?? '')) ?? this.#next('number'))
  }

  #text(text: string, path: readonly string[]): string {
    const moment = epochMs(text)
    if (moment !== null && isMoment(path)) return inTheFormOf(text, moment + this.#shift)
    const known = this.#known.get(text) ?? this.#invent(text, path)
    this.#known.set(text, known)
    return known
  }

  #invent(text: string, path: readonly string[]): string {
    const name = path.at(-1) ?? ''
    const place = path.slice(0, -1).join('.')
    if (UUID.test(text)) return this.#uuid()
    if (name === 'remote_id') return this.#numbered(place === 'account' ? 'account-' : 'user-')
    if (text.includes('@')) return `person${this.#next('person')}@example.com`
    if (epochMs(text) !== null) return inTheFormOf(text, SENT_AT - 30 * 86_400_000)
    const number = inventedNumber(text, looksLikeNps(name))
    if (number !== null) return number
    if (/^https?:\/\//i.test(text)) return this.#numbered('https://example.com/')
    if (name === 'domain') return this.#numbered('example-', '.com')
    if (name === 'display_name' || name === 'name') return this.#numbered(NAMES[place] ?? 'Example ')
    if (place === 'response' && name === 'tags') return this.#numbered('Tag ')
    if (isFreeText(text))
      return `An invented answer in free text, number ${this.#next('answer')}, of no meaning.`
    return this.#numbered(place === 'response.data' ? 'Choice ' : 'Example ')
  }

  #numbered(before: string, after = ''): string {
    return `${before}${this.#next(before)}${after}`
  }

  #uuid(): string {
    return `00000000-0000-4000-8000-${String(this.#next('uuid')).padStart(12, '0')}`
  }

  #next(kind: string): number {
    const count = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, count)
    return count
  }
}

/** Names by where they stand. */
const NAMES: Readonly<Record<string, string>> = {
  '': 'Person ',
  account: 'Example Inc. ',
  'account.attributes': 'Example Inc. ',
  segments: 'Segment ',
  segment: 'Segment ',
}

/** Moments of Refiner itself; a date that a customer keeps as an attribute, or an answer, is none. */
function isMoment(path: readonly string[]): boolean {
  return path.at(-1)!.endsWith('_at') && !path.includes('attributes') && path[1] !== 'data'
}

function momentsOf(value: JsonValue, path: readonly string[]): number[] {
  if (Array.isArray(value)) return value.flatMap((item) => momentsOf(item, path))
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([name, inner]) => momentsOf(inner, [...path, name]))
  }
  const moment = epochMs(value)
  return moment !== null && isMoment(path) ? [moment] : []
}

/** The moment as the text writes its own: a date, Refiner's form without a zone, or ISO 8601. */
function inTheFormOf(text: string, ms: number): string {
  const iso = new Date(ms).toISOString()
  if (!text.includes(':')) return iso.slice(0, 10)
  if (/^\S+ \S+$/.test(text.trim())) return `${iso.slice(0, 10)} ${iso.slice(11, 19)}`
  return iso.replace(/(\.\d{3})Z$/, /\.\d{6}Z$/.test(text) ? '$1000Z' : '$1Z')
}

/** A number of as many digits; null where the text is none. What may be a score stays one. */
function inventedNumber(text: string, isScore: boolean): string | null {
  if (/^(?:\d|10)$/.test(text)) return isScore ? '9' : '7'
  const match = /^([-+]?0*)(\d+)((?:\.\d+)?)$/.exec(text)
  if (match === null) return null
  const [, before = '', digits = '', after = ''] = match
  const made = before + '1234567890'.repeat(Math.ceil(digits.length / 10)).slice(0, digits.length)
  const whole = made + (after === '' ? '' : `.${'5'.repeat(after.length - 1)}`)
  return whole === text ? text.replaceAll(/\d/g, '2') : whole
}
