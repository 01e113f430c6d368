import { OWN_FIELDS } from '../../rules/own-fields.ts'
import { error, type Finding } from '../telling/finding.ts'
import type { Path } from '../telling/path.ts'
import { named, type Sheet } from './sheet.ts'

/** Keys of `emit` that belong to some calls only. */
const OWNERS: readonly (readonly [key: string, calls: readonly string[], instead: string])[] = [
  ['event', ['track'], 'only a track has an event name'],
  ['properties', ['track'], 'an identify or group has `traits`'],
  ['traits', ['identify', 'group'], 'a track has `properties`'],
]

/** The messages that rules emit must be calls of the Segment spec as far as their keys tell. */
export function checkEmits({ sheet, path }: { sheet: Sheet; path: Path }): Finding[] {
  return sheet.keys(...path).flatMap((key) => checkEmit(sheet, [...path, key, 'emit']))
}

function checkEmit(sheet: Sheet, path: Path): Finding[] {
  const type = sheet.text(...path, 'type')
  if (type === null) return []
  const foreign = OWNERS.flatMap(([key, calls, instead]) => {
    const place = sheet.place(...path, key)
    if (place === null || calls.includes(type)) return []
    const message = `${named(...place.path)} has no meaning in \`type: ${type}\``
    return [error('rule_conflict', place.keyAt, message, instead)]
  })
  foreign.push(...checkFields(sheet, [...path, 'fields']))
  if (type !== 'track' || sheet.has(...path, 'event')) return foreign
  const message = `${named(...path, 'event')} is missing`
  return [
    ...foreign,
    error('missing_key', sheet.nearestKey(...path), message, 'a track needs the name of its event'),
  ]
}

/** Those of `fields` that are not for it to set; what an expression that makes a map gives shows when it is evaluated. */
function checkFields(sheet: Sheet, path: Path): Finding[] {
  return sheet.keys(...path).flatMap((name) => {
    const instead = OWN_FIELDS.get(name)
    const place = sheet.place(...path, name)
    if (instead === undefined || place === null) return []
    return [
      error('rule_conflict', place.keyAt, `${named(...place.path)} is not for \`fields\` to set`, instead),
    ]
  })
}
