import { type TSchema, KindGuard } from '@sinclair/typebox'
import { amendAmount } from '../telling/amend-amount.ts'
import { didYouMean } from '../telling/nearest.ts'
import type { Place } from '../reading/places.ts'
import { choicesOf, KEY_PLACES, variantsOf } from '../schema-steps.ts'
import type { Bounds } from '../schema-fields.ts'
import { parseAmount, type Unit } from '../units.ts'

/** What to do about a value of the wrong kind. What a `${…}` stood for is not looked into, only named. */
export function hintFor(place: Place): string | null {
  const { value, references, path } = place
  if (references.length > 0 && isEmpty(value)) return references.map(emptySource).join(', and ')
  if (references.length > 0) return `the value comes from ${references.join(' and ')}`
  const [variant] = variantsOf(place.schema!)
  if (isEmpty(value) || variant === undefined) {
    return NEEDED.has(path.at(-1) ?? '') ? 'give it a value' : 'give it a value, or remove the line'
  }
  if (typeof value === 'object' && variant['shown'] === true) return IN_QUOTES
  const isText = typeof value === 'string'
  const choices = choicesOf(place.schema!)
  if (choices !== null) return didYouMean(String(value), choices, null)
  if (variant['unit'] !== undefined) return amountHint(value, variant)
  if (path.at(-1) === 'skip' && typeof value === 'boolean')
    return 'write the reason: `skip: an internal survey`'
  if (KindGuard.IsString(variant)) return textHint(value, variant)
  if (KindGuard.IsBoolean(variant)) return isText ? booleanHint(value, place.quoted) : null
  if (KindGuard.IsInteger(variant)) return isText && /^[0-9]+$/.test(value) ? 'remove the quotes' : null
  if (KindGuard.IsArray(variant))
    return isText ? 'write it in brackets, or in a line of its own after `- `' : inList(value)
  return isText ? forgottenSpace(value) : null
}

/** Keys that hardly a file can do without, so that removing one would only lead to the next mistake. */
const NEEDED = new Set(['tenants', 'refiner', 'segment', 'api_key', 'webhook', 'secret', 'write_key', 'path'])

function inList(value: unknown): string | null {
  return typeof value === 'object' ? 'put `- ` before it: it is a list, even of one' : null
}

const IN_QUOTES = 'put it in quotes: what starts with `{` or `[` is a mapping or a list in YAML'

function emptySource(reference: string): string {
  const name = reference.slice(2, -1)
  return name.startsWith('file:')
    ? `the file \`${name.slice('file:'.length)}\` is empty`
    : `the environment variable \`${name}\` is set but empty`
}

function amountHint(value: unknown, schema: TSchema): string | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null
  const unit: Unit = schema['unit']
  const { atMost }: Bounds = schema['bounds']
  const amended = amendAmount(String(value), unit)
  const isMeant = amended !== null && parseAmount(unit, amended) <= parseAmount(unit, atMost)
  return isMeant ? `did you mean \`${amended}\`?` : null
}

function textHint(value: unknown, schema: TSchema): string | null {
  if (typeof value === 'number' || typeof value === 'boolean') return 'put it in quotes'
  if (typeof value !== 'string') return null
  if (/^[a-z]+:\/\//i.test(value)) return 'SQLite is the only database of this version'
  return schema['pattern'] === undefined ? null : 'write `sqlite://` before the path'
}

function booleanHint(text: string, quoted: boolean): string | null {
  if (quoted && /^(true|false)$/.test(text)) return 'remove the quotes'
  if (/^(yes|on|y|true)$/i.test(text)) return 'write `true`'
  return /^(no|off|n|false)$/i.test(text) ? 'write `false`' : null
}

function forgottenSpace(text: string): string | null {
  const key = /^([a-z_]+):/.exec(text)?.[1]
  return key !== undefined && KEY_PLACES.has(key) ? `put a space after \`${key}:\`` : null
}

/** Whether nothing is in the value: no text, no entries. */
export function isEmpty(value: unknown): boolean {
  return value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0)
}
