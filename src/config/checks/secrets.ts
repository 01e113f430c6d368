import { variantsOf } from '../schema-steps.ts'
import { error, type Finding } from '../telling/finding.ts'
import type { Place } from '../reading/places.ts'
import { named, type Sheet } from './sheet.ts'

/** Secrets that could never match what arrives, because HTTP cannot carry them as they are. */
export function checkSecrets(sheet: Sheet): Finding[] {
  return sheet.places().filter(isSecret).flatMap(checkSecret)
}

function isSecret({ schema }: Place): boolean {
  return schema !== null && variantsOf(schema).every((variant) => variant['secret'] === true)
}

function checkSecret(place: Place): Finding[] {
  const problem = problemOf(String(place.value), place.path)
  if (problem === null) return []
  const source = place.references.join(' and ')
  const hint = source === '' ? 'check what was pasted' : `the value comes from ${source}`
  return [error('bad_secret', place.valueAt, `${named(...place.path)} ${problem}`, hint)]
}

function problemOf(value: string, path: readonly string[]): string | null {
  if (/\p{Cc}/u.test(value)) return 'holds a line break or another control character'
  if (value !== value.trim()) return 'starts or ends with a space'
  // RFC 7617: Segment sends the key as a Basic user name, which ends at the first colon.
  if (path.includes('destination_keys') && value.includes(':'))
    return 'holds a `:`, which no Basic user name can'
  const key = path.at(-1) ?? ''
  const isToken = /^(api_key|write_key|admin_token)$/.test(key) || path.includes('destination_keys')
  return isToken && /[^\x21-\x7e]/.test(value)
    ? 'holds a sign that no key has, such as a space or a curly quote'
    : null
}
