import type { Place } from '../reading/places.ts'
import { type Finding, warning } from '../telling/finding.ts'
import { named, type Sheet } from './sheet.ts'

/** Fewer characters can be tried out, or were never meant to stay. `openssl rand -hex 24` gives 48. */
const SHORTEST = 16

const PLACEHOLDER = /change[-_. ]?(me|it|this)|replace[-_. ]?(me|this)|placeholder|^your[-_. ]/i

/**
 * Secrets that open something here and are easily guessed, or open two things. Those that Segment and Refiner made up
 * are theirs to judge. The secret itself is never part of the message.
 */
export function checkWeakSecrets(sheet: Sheet): Finding[] {
  const first = new Map<string, Place>()
  return secretsOf(sheet).flatMap((place) => {
    const value = String(place.value)
    const other = first.get(value)
    if (other === undefined) first.set(value, place)
    const weak = weakness(value)
    const found = weak === null ? [] : [doubt(place, weak)]
    if (other === undefined || isOfOne(place, other)) return found
    // Whoever writes an alias means it, and the same destination key twice is told as a mistake.
    if (isAlias(place, other) || (isKey(place) && isKey(other))) return found
    return [...found, doubt(place, `is the same as ${named(...other.path)}: who has one has the other`)]
  })
}

function secretsOf(sheet: Sheet): Place[] {
  const ofTenants = sheet.tenants().flatMap((tenant) => {
    const path = ['tenants', tenant]
    const keys = sheet.keys(...path, 'segment', 'destination_keys')
    return [
      sheet.place(...path, 'refiner', 'webhook', 'secret'),
      ...keys.map((index) => sheet.place(...path, 'segment', 'destination_keys', index)),
      sheet.place(...path, 'segment', 'shared_secret'),
      sheet.place(...path, 'privacy', 'traits', 'salt'),
    ]
  })
  return [sheet.place('server', 'admin_token'), ...ofTenants].filter((place) => place !== null)
}

function weakness(value: string): string | null {
  if (PLACEHOLDER.test(value)) return 'looks like a placeholder: anybody may guess it'
  return value.length < SHORTEST ? `has fewer than ${SHORTEST} characters: it can be guessed` : null
}

function isOfOne({ path }: Place, { path: other }: Place): boolean {
  return path[0] === 'tenants' && path[0] === other[0] && path[1] === other[1]
}

/** Of a whole mapping that is an alias, each value stands where it was first written. */
function isAlias(place: Place, other: Place): boolean {
  return place.scalar === null || place.valueAt === other.valueAt
}

function isKey({ path }: Place): boolean {
  return path.includes('destination_keys')
}

function doubt(place: Place, what: string): Finding {
  const source = place.references.join(' and ')
  const from = source === '' ? '' : `; the value comes from ${source}`
  const hint = `make one up with \`openssl rand -hex 24\`${from}`
  return warning('weak_secret', place.valueAt, `${named(...place.path)} ${what}`, hint)
}
